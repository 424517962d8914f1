//! The pages in `docs` say what is so: `docs/python.md` leaves out nothing of Python's, and each of its rows has a test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../docs/python.md");

/// The tests of its rows: same headings, same first cells.
const TESTS: &str = include_str!("../docs/python-tests.md");

/// A method a line, `Class.method`, and behind it the names of its parameters.
const MEMBERS: &str = include_str!("fixtures/python-members.txt");

#[test]
fn the_tests_that_are_named_exist() {
    let named: Vec<_> = TESTS.split('`').filter_map(|code| code.split_once(".rs::")).collect();
    assert!(named.len() > 80, "{} tests are named", named.len());
    for (path, test) in named {
        let path = format!("{path}.rs");
        let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path));
        let source = source.unwrap_or_else(|error| panic!("{path}: {error}"));
        let lines: Vec<_> = source.lines().map(str::trim).collect();
        let declared = format!("fn {test}(");
        let line = lines.iter().position(|line| line.starts_with(&declared));
        let line = line.unwrap_or_else(|| panic!("{path} has no test `{test}`"));
        assert!(
            lines[..line].iter().rev().take(3).any(|line| *line == "#[test]"),
            "{path}: `{test}` is no test"
        );
    }
}

/// Either a test shows it, or the row says why there is none.
#[test]
fn every_row_is_shown_or_explained() {
    let (rows, tests) = (rows(PAGE), rows(TESTS));
    assert!(rows.len() > 150, "{} rows", rows.len());
    for ((section, python), here) in &rows {
        let explained =
            here.starts_with("none: ") || here.starts_with("none, see") || here.contains(", see [");
        let shown = tests.get(&(*section, *python)).is_some_and(|tests| tests.contains(".rs::"));
        assert_ne!(shown, explained, "{section}: {python}");
    }
    let without_row = tests.keys().filter(|row| !rows.contains_key(*row)).map(|(_, python)| *python);
    assert_eq!(without_row.collect::<Vec<_>>(), SAID_IN_PROSE);
}

/// First cells of the tests of what `docs/python.md` says outside of its tables.
const SAID_IN_PROSE: [&str; 3] =
    ["a part that is not a single segment", "one transport for both clients", "`to_pending()` of the handle"];

/// The second cells of a page, by its headings and their first cells.
fn rows(page: &'static str) -> BTreeMap<(&'static str, &'static str), &'static str> {
    let (mut section, mut rows) = ("", BTreeMap::new());
    for line in page.lines() {
        section = line.strip_prefix("## ").unwrap_or(section);
        if !line.starts_with("| ") || line.starts_with("| Python |") {
            continue;
        }
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [python, second] = cells[..] else { panic!("{line}: expected two cells") };
        assert!(rows.insert((section, python), second).is_none(), "{section}: {python} is there twice");
    }
    rows
}

#[test]
fn nothing_of_python_is_left_out() {
    let mut missing = Vec::new();
    for line in MEMBERS.lines().filter(|line| !line.starts_with('#')) {
        let (name, parameters) = line.split_once(' ').unwrap_or((line, ""));
        let class =
            if has_section(name) { name } else { name.rsplit_once('.').expect("a class or its method").0 };
        // The class itself stands for its constructor.
        let method = name.rsplit('.').next().expect("there is a last one");
        let told = told(class);
        let mut wanted = vec![(method, "")];
        wanted.extend(parameters.split_whitespace().map(|parameter| (method, parameter)));
        wanted.retain(|one| !told.contains(one));
        missing
            .extend(wanted.into_iter().map(|(method, parameter)| format!("{class}: {method}({parameter})")));
    }
    assert!(missing.is_empty(), "no row tells of {missing:#?}");
}

/// The methods, and pairs of a method and a parameter, that the rows of the section tell of in their first cells:
/// `method(parameter, …)`, or parameters "of" methods.
fn told(class: &str) -> BTreeSet<(&'static str, &'static str)> {
    let mut told = BTreeSet::new();
    for cell in section(class) {
        if let Some((parameters, methods)) = cell.split_once("` of `") {
            for method in codes(methods, 0) {
                told.extend(codes(parameters, 1).map(|parameter| (method, parameter)));
            }
            continue;
        }
        for code in codes(cell, 1) {
            let (method, parameters) = code.split_once('(').unwrap_or((code, ""));
            told.insert((method, ""));
            let parameters = parameters.trim_end_matches(')').split(", ");
            told.extend(parameters.filter_map(|text| Some((method, text.split('=').next()?))));
        }
    }
    told
}

/// Each other part between backticks.
fn codes(text: &'static str, first: usize) -> impl Iterator<Item = &'static str> {
    text.split('`').skip(first).step_by(2)
}

fn has_section(class: &str) -> bool {
    PAGE.lines().any(|line| is_heading_of(line, class))
}

fn is_heading_of(line: &str, class: &str) -> bool {
    line.starts_with("## ") && line.split('`').skip(1).step_by(2).any(|name| name == class)
}

/// The first cells of the rows below the heading that names the class.
fn section(class: &str) -> impl Iterator<Item = &'static str> {
    let mut lines = PAGE.lines().skip_while(move |line| !is_heading_of(line, class));
    assert!(lines.next().is_some(), "no section for {class}");
    let rows = lines.take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with("| "));
    rows.filter_map(|row| row.split(" | ").next())
}

/// Links between the pages lead to a file that exists, and to a heading of it.
#[test]
fn links_between_pages_lead_somewhere() {
    let mut checked = 0;
    for page in pages() {
        let text = read(&page);
        for link in links(&text) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let folder = page.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
            let target = if file.is_empty() { page.clone() } else { format!("{folder}{file}") };
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&target);
            assert!(path.exists(), "{page}: `{link}` leads to no file");
            assert!(
                heading.is_empty() || anchors(&read(&target)).contains(heading),
                "{page}: `{link}` leads to no heading"
            );
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked} links");
}

fn pages() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        names
            .filter(|name| name.ends_with(".md"))
            .map(move |name| format!("{prefix}{name}"))
            .collect::<Vec<_>>()
    };
    [names(""), names("docs")].concat()
}

fn read(page: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap()
}

/// The targets of links inside the repository, outside code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    let targets = prose.flat_map(|prose| prose.split("](").skip(1));
    let targets = targets.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    targets.filter(|target| !target.contains("://") && !target.contains(' '))
}

/// The headings as GitHub makes links of them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.split("```").step_by(2).flat_map(str::lines);
    let headings = headings.filter_map(|line| line.strip_prefix('#'));
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}
