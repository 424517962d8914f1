//! Imports point down: a module of the crate uses its own layer and those below.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// From the top to the bottom; modules of one line make up one layer.
const LAYERS: [&[&str]; 7] = [
    &["bin", "lib", "testing"],
    &["call", "client", "pager", "poller"],
    &["retry"],
    &["transport"],
    &["auth", "name", "resource"],
    &["error", "http", "json", "proto", "types"],
    &["clock", "env", "file", "secret"],
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
        let from = *layers.get(module.as_str()).unwrap_or_else(|| panic!("`{module}` is in no layer"));
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for used in line.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if layers.get(used.as_str()).is_some_and(|to| *to < from) {
                    upward.push(format!("{}: crate::{used}", file.display()));
                }
            }
        }
    }
    assert!(upward.is_empty(), "imports that point up:\n{}", upward.join("\n"));
}

fn module_of(path: &Path) -> String {
    let first = path.iter().next().unwrap().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
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
