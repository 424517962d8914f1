//! `docs/services.md` shows the rows of the table, one row a line, in its order.

use std::path::Path;
use std::{env, fs};

use serde_json::{Map, Value};

use super::table::{ServiceRow, rows};

const PAGE: &str = include_str!("../../../docs/services.md");

const HEADER: &str = "| service | endpoint | version | operation names | started by | response → metadata | fields of the metadata | methods | sources |";

const HOW_TO_UPDATE: &str =
    "to write it anew, run `UPDATE_SERVICES=1 cargo test --all-features --test it services::page`";

#[test]
fn the_page_has_the_rows_of_the_table() {
    let written: Vec<String> = rows().iter().map(page_row).collect();
    if env::var_os("UPDATE_SERVICES").is_some() {
        return update(&written);
    }
    let shown: Vec<&str> = lines_of_table(PAGE).collect();
    for (shown, written) in shown.iter().zip(&written) {
        assert_eq!(shown, written, "{HOW_TO_UPDATE}");
    }
    assert_eq!(shown.len(), written.len(), "{HOW_TO_UPDATE}");
}

/// Rows are found by their names, so no two have the same one.
#[test]
fn the_rows_are_in_the_order_of_the_alphabet() {
    let names: Vec<_> = rows().iter().map(|row| row.service.to_lowercase()).collect();
    assert!(names.is_sorted_by(|one, next| one < next));
}

fn update(rows: &[String]) {
    let (before, table) = PAGE.split_once(HEADER).expect("the page has the header of the table");
    let after: Vec<_> = table.lines().skip(1).skip_while(|line| line.starts_with('|')).collect();
    let mut lines = vec![format!("{before}{HEADER}"), "|---|---|---|---|---|---|---|---|---|".to_owned()];
    lines.extend(rows.iter().cloned());
    lines.extend(after.into_iter().map(str::to_owned));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/services.md");
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

fn lines_of_table(page: &str) -> impl Iterator<Item = &str> {
    let table = page.lines().skip_while(|line| *line != HEADER);
    table.skip(2).take_while(|line| line.starts_with('|'))
}

fn page_row(row: &ServiceRow) -> String {
    let cells = [
        row.service.to_owned(),
        endpoints(row),
        format!("`{}`", row.version),
        names(row.names),
        started_by(row),
        types(row),
        fields(row.metadata),
        methods(row.methods),
        sources(row),
    ];
    format!("| {} |", cells.join(" | "))
}

fn endpoints(row: &ServiceRow) -> String {
    let regional = row.regional_hosts.split(", ").filter(|host| *host != "-");
    [row.host].into_iter().chain(regional).map(code).collect::<Vec<_>>().join(", ")
}

fn names(names: &str) -> String {
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

/// The fields of the sample, those of parts behind a dot.
fn fields(metadata: &str) -> String {
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
    for (key, value) in fields.iter().filter(|(key, _)| *key != "@type") {
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

fn code(text: &str) -> String {
    format!("`{text}`")
}
