//! Imports point down: a module of the crate uses its own layer and those below.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// From the top to the bottom; modules of one line make up one layer.
const LAYERS: [&[&str]; 13] = [
    &["bin", "lib", "testing"],
    &["aio"],
    &["client"],
    &["handle", "poll_many", "sweep"],
    &["poller"],
    &["call", "pager"],
    &["core", "options", "client_config", "wait_support"],
    &["retry"],
    &["transport"],
    &["journal"],
    &["auth", "name", "pending", "progress", "resource"],
    &["error", "fault_class", "http", "json", "net", "proto", "types"],
    &["clock", "env", "excerpt", "file", "folder", "redact", "secret", "stop", "threads"],
];

#[test]
fn imports_point_down() {
    let layers: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(layer, modules)| modules.iter().map(move |module| (*module, layer)))
        .collect();
    let mut upward = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in rust_files(&root) {
        let module = module_of(file.strip_prefix(&root).unwrap());
        if module.iter().any(|part| part == "tests") {
            // As of those that stand in the file they test.
            continue;
        }
        let top = module.first().map_or("lib", String::as_str);
        let from = *layers.get(top).unwrap_or_else(|| panic!("`{top}` is in no layer"));
        let text = fs::read_to_string(&file).unwrap();
        for used in used_modules(text.split("#[cfg(test)]\nmod tests").next().unwrap(), &module) {
            if layers.get(used.as_str()).is_some_and(|to| *to < from) {
                upward.push(format!("{}: crate::{used}", file.display()));
            }
        }
    }
    assert!(upward.is_empty(), "imports that point up:\n{}", upward.join("\n"));
}

#[test]
fn paths_of_all_forms_are_seen() {
    let rows = [
        ("use crate::error::Error;", "error"),
        ("let x = crate::error::Error::new::<u8>(crate::name::X);", "error name"),
        ("use crate::{call, client as c};", "call client"),
        ("use crate::{\n    auth::{self, url::{A, B}},\n    types::*,\n};", "auth types"),
        ("use super::sibling;", "http"),
        ("use super::{sibling, super::retry::Retry};", "http retry"),
        ("use super::super::{poller, call::Call};", "poller call"),
        ("mod inner {\n    use super::super::super::call;\n}\nuse super::super::name;", "call name"),
        ("mod inner {\n    use super::super::call;\n}", "http"),
        ("// crate::call\nlet x = 1; // super::super::call", ""),
        ("pub(crate) fn f(x: self::Y, z: super::Z) {}", "http"),
    ];
    for (text, expected) in rows {
        let module = ["http".to_owned(), "tls".to_owned()];
        assert_eq!(used_modules(text, &module).join(" "), expected, "{text}");
    }
}

/// The path of a file's module: `["http", "tls"]`.
fn module_of(path: &Path) -> Vec<String> {
    let parts = path.with_extension("");
    let parts = parts.iter().map(|part| part.to_string_lossy().into_owned());
    parts.filter(|part| !matches!(part.as_str(), "lib" | "mod")).collect()
}

/// The modules below the root that a module's text names by `crate` or `super`, in groups or not.
fn used_modules(text: &str, module: &[String]) -> Vec<String> {
    let mut used = Vec::new();
    // The indentation of the inline modules that a line is in: the text is formatted.
    let mut inline: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(line) = rest.lines().next() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if line.trim() == "}" && inline.last() == Some(&indent) {
            inline.pop();
        }
        let mut here = module.to_vec();
        here.extend(inline.iter().map(|_| "inline".to_owned()));
        // Groups go over several lines.
        let end = if line.trim_start().contains("use ") { rest.find(';') } else { None };
        let end = end.map_or(line.len(), |at| at.max(line.len()));
        let tokens = tokens(&rest[..end]);
        let mut at = 0;
        while at < tokens.len() {
            let starts = matches!(tokens[at], "crate" | "super") && tokens.get(at + 1) == Some(&"::");
            if starts { tree(&tokens, &mut at, &here, &mut used) } else { at += 1 }
        }
        if line.trim_end().ends_with('{') && line.split(' ').any(|word| word == "mod") {
            inline.push(indent);
        }
        rest = rest[end..].strip_prefix('\n').unwrap_or(&rest[end..]);
    }
    used.dedup();
    used
}

/// Reads one path or tree of paths, relative to the module `here`.
fn tree(tokens: &[&str], at: &mut usize, here: &[String], used: &mut Vec<String>) {
    let mut path = here.to_vec();
    while let Some(token) = tokens.get(*at) {
        *at += 1;
        match *token {
            "crate" => path.clear(),
            "super" => drop(path.pop()),
            "self" => {}
            "{" => {
                while tokens.get(*at).is_some_and(|token| *token != "}") {
                    tree(tokens, at, &path, used);
                    while tokens.get(*at).is_some_and(|token| !matches!(*token, "," | "}")) {
                        *at += 1;
                    }
                    *at += usize::from(tokens.get(*at) == Some(&","));
                }
                *at += 1;
                return;
            }
            name => path.push(name.to_owned()),
        }
        if tokens.get(*at) != Some(&"::") {
            break;
        }
        *at += 1;
    }
    used.extend(path.into_iter().next());
}

/// Words, `::` and other characters one by one; no comments.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    for line in text.lines() {
        let mut rest = line.split("//").next().unwrap();
        while let Some(first) = rest.chars().next() {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            let length = match first {
                ':' if rest.starts_with("::") => 2,
                c if word(c) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            tokens.extend(Some(&rest[..length]).filter(|token| !token.trim().is_empty()));
            rest = &rest[length..];
        }
    }
    tokens
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
