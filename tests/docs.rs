//! The pages in `docs` say what is so: each test that `docs/python.md` names exists, and it leaves out nothing of Python's.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../docs/python.md");

/// A class a line, and behind it the names of its members and options.
const MEMBERS: &str = include_str!("fixtures/python-members.txt");

#[test]
fn the_tests_that_are_named_exist() {
    let named: Vec<_> = PAGE.split('`').filter_map(|code| code.split_once(".rs::")).collect();
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
    for row in PAGE.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Python |")) {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [_, here, shown] = cells[..] else { panic!("{row}: expected three cells") };
        let explained =
            here.starts_with("none: ") || here.starts_with("none, see") || here.contains(", see [");
        assert_ne!(shown.contains(".rs::"), explained, "{row}");
    }
}

#[test]
fn nothing_of_python_is_left_out() {
    for line in MEMBERS.lines().filter(|line| !line.starts_with('#')) {
        let mut names = line.split(' ');
        let class = names.next().expect("a line is never empty");
        let told: BTreeSet<_> = section(class).flat_map(words).collect();
        let missing: Vec<_> = names.filter(|name| !told.contains(name)).collect();
        assert!(missing.is_empty(), "{class}: {missing:?}");
    }
}

/// Snippets of the README that need features are not compiled there: they are part of one that is.
#[test]
fn snippets_that_are_not_compiled_are_part_of_one_that_is() {
    let readme = include_str!("../README.md");
    let compiled: Vec<_> = include_str!("../docs/faces.md").lines().map(str::trim).collect();
    let ignored: Vec<_> = readme.split("```rust,ignore\n").skip(1).collect();
    assert_eq!(ignored.len(), 1);
    for snippet in ignored {
        let lines: Vec<_> = snippet.lines().take_while(|line| *line != "```").map(str::trim).collect();
        assert!(compiled.windows(lines.len()).any(|window| window == lines), "{lines:#?}");
    }
}

/// The first cells of the rows below the heading that ends with the class.
fn section(class: &str) -> impl Iterator<Item = &'static str> {
    let heading = |line: &str| line.starts_with("## ");
    let is_of =
        move |line: &str| line.trim_start_matches("## `").rsplit('.').next() == Some(&format!("{class}`"));
    let mut lines = PAGE.lines().skip_while(move |line| !(heading(line) && is_of(line)));
    assert!(lines.next().is_some(), "no section for {class}");
    let rows = lines.take_while(move |line| !heading(line)).filter(|line| line.starts_with("| "));
    rows.filter_map(|row| row.split(" | ").next())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}
