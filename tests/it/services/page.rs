//! `docs/services.md` shows the rows of the table, one row a line, in its order.

use std::path::Path;
use std::sync::Mutex;
use std::{env, fs};

use serde_json::{Map, Value};

use super::table::ServiceRow;
use super::types;

const PAGE: &str = include_str!("../../../docs/services.md");

const HEADER: &str = "| service | endpoint | version | operation names | started by | response → metadata | fields of the metadata | methods | sources |";

const HOW_TO_UPDATE: &str =
    "to write it anew, run `UPDATE_SERVICES=1 cargo test --all-features --test it services::page`";

#[test]
fn the_page_has_the_rows_of_the_table() {
    let written: Vec<String> = ServiceRow::all().iter().map(page_row).collect();
    compare(HEADER, &written);
}

/// Rows are found by their names, so no two have the same one.
#[test]
fn the_rows_are_in_the_order_of_the_alphabet() {
    let names: Vec<_> = ServiceRow::all().iter().map(|row| row.service.to_lowercase()).collect();
    assert!(names.is_sorted_by(|one, next| one < next));
}

/// Compares the table under this header with the rows, or writes them to the page.
pub(super) fn compare(header: &str, written: &[String]) {
    if env::var_os("UPDATE_SERVICES").is_some() {
        return update(header, written);
    }
    let table = PAGE.lines().skip_while(|line| *line != header);
    let shown: Vec<&str> = table.skip(2).take_while(|line| line.starts_with('|')).collect();
    for (shown, written) in shown.iter().zip(written) {
        assert_eq!(shown, written, "{HOW_TO_UPDATE}");
    }
    assert_eq!(shown.len(), written.len(), "{HOW_TO_UPDATE}");
}

fn update(header: &str, rows: &[String]) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/services.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, table) = page.split_once(header).expect("the page has the header of the table");
    let after: Vec<_> = table.lines().skip(1).skip_while(|line| line.starts_with('|')).collect();
    let mut lines = vec![format!("{before}{header}"), "|---|---|---|---|---|---|---|---|---|".to_owned()];
    lines.extend(rows.iter().cloned());
    lines.extend(after.into_iter().map(str::to_owned));
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

fn page_row(row: &ServiceRow) -> String {
    let cells = [
        row.service.to_owned(),
        endpoints(row.host, row.regional_hosts),
        format!("`{}`", row.version),
        names(row.names),
        started_by(row),
        types(row),
        metadata_fields(row),
        methods(row.methods),
        sources(row),
    ];
    format!("| {} |", cells.join(" | "))
}

pub(super) fn endpoints(host: &str, regional_hosts: &str) -> String {
    let regional = regional_hosts.split(", ").filter(|host| *host != "-");
    [host].into_iter().chain(regional).map(code).collect::<Vec<_>>().join(", ")
}

pub(super) fn names(names: &str) -> String {
    let shown: Vec<_> = names
        .split(' ')
        .map(|name| match name.strip_prefix('+') {
            Some(more) => format!("{more} more"),
            None => code(name),
        })
        .collect();
    shown.join(", ")
}

fn started_by(row: &ServiceRow) -> String {
    let body = match row.body {
        "-" => "no body".to_owned(),
        "*" => "the request".to_owned(),
        field => format!("the request's {}", code(field)),
    };
    format!("{}, {body}", code(row.start))
}

fn types(row: &ServiceRow) -> String {
    let response = code(short(row.response_type));
    match row.metadata_type {
        same if same == row.response_type => format!("{response} → the same"),
        other => format!("{response} → {}", code(short(other))),
    }
}

/// Schemas of discovery documents are without their document, which is among the sources.
fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The fields of the sample, and the time of the end, which it is too early for.
fn metadata_fields(row: &ServiceRow) -> String {
    let shown = fields(row.metadata);
    match types::end_field(row.metadata_type).map(code) {
        Some(end) if shown == "none" => end,
        Some(end) if !shown.contains(&end) => format!("{shown}, {end}"),
        _ => shown,
    }
}

/// The fields of the sample, those of parts behind a dot.
pub(super) fn fields(metadata: &str) -> String {
    let Value::Object(fields) = serde_json::from_str(metadata).unwrap() else { panic!("{metadata}") };
    let mut names = Vec::new();
    collect("", &fields, &mut names);
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.iter().map(|name| code(name)).collect::<Vec<_>>().join(", ")
    }
}

fn collect(prefix: &str, fields: &Map<String, Value>, names: &mut Vec<String>) {
    for (key, value) in
        fields.iter().filter(|(key, _)| !["@type", "kind", "id", "selfLink"].contains(&key.as_str()))
    {
        let name = format!("{prefix}{key}");
        match value {
            Value::Object(inner) if inner.is_empty() => {}
            Value::Object(inner) => collect(&format!("{name}."), inner, names),
            Value::Array(elements) => match elements.first() {
                Some(Value::Object(inner)) => collect(&format!("{name}[]."), inner, names),
                _ => names.push(name),
            },
            _ => names.push(name),
        }
    }
}

fn methods(methods: &str) -> String {
    methods
        .replace("wait:body", "wait (`Body`)")
        .replace("wait:query", "wait (`Query`)")
        .replace(' ', ", ")
        .replace("wait, (", "wait (")
}

fn sources(row: &ServiceRow) -> String {
    let proto = (row.proto != "-").then(|| code(row.proto));
    let discovery = (row.discovery != "-").then(|| code(row.discovery));
    proto.into_iter().chain(discovery).collect::<Vec<_>>().join(", ")
}

pub(super) fn code(text: &str) -> String {
    format!("`{text}`")
}
