//! Imports point down, folder by folder and file by file.

mod graph;
mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use graph::circles;
use imports::Sources;

/// From the top to the bottom; modules of one line make up one layer.
const LAYERS: [&[&str]; 14] = [
    &["lib", "testing"],
    &["aio"],
    &["client"],
    &["handle", "poll_many", "start", "sweep"],
    &["poller"],
    &["call", "operation_ref", "pager"],
    &["core", "options", "client_config", "wait_support"],
    &["retry"],
    &["transport"],
    &["journal"],
    &["auth", "link", "name", "pending", "printing", "progress", "resource"],
    &["error", "fault_class", "http", "json", "proto", "types"],
    &["net"],
    &["folder", "random", "util"],
];

/// Files that may import each other, with the reason.
const CIRCLES: [(&str, &[&str]); 2] = [
    (
        "a credentials file may name another credentials file as its source",
        &["auth/impersonation", "auth/loader"],
    ),
    (
        "an error holds the operation and the status that it is about, and they return errors where they are read",
        &["error/mod", "types/operation/mod", "types/status"],
    ),
];

#[test]
fn imports_point_down() {
    let sources = Sources::read(&root("src"));
    let layers: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(layer, modules)| modules.iter().map(move |module| (*module, layer)))
        .collect();
    let layer = |file: &str| {
        let top = file.split('/').next().unwrap_or_default();
        *layers.get(top).unwrap_or_else(|| panic!("`{top}` is in no layer"))
    };
    let edges = sources.edges();
    let upward: Vec<String> = edges
        .iter()
        .flat_map(|(from, targets)| targets.iter().map(move |to| (from, to)))
        .filter(|(from, to)| layer(to) < layer(from))
        .map(|(from, to)| format!("{from} imports {to}"))
        .collect();
    assert!(upward.is_empty(), "imports that point up:\n{}", upward.join("\n"));
}

#[test]
fn files_do_not_import_each_other_in_a_circle() {
    for folder in ["src", "lro/src"] {
        let sources = Sources::read(&root(folder));
        let edges = sources.edges();
        let found: BTreeSet<Vec<String>> = circles(&edges).into_iter().collect();
        let allowed = |circle: &Vec<String>| CIRCLES.iter().any(|(_, files)| circle == files);
        let others: Vec<String> = found
            .iter()
            .filter(|circle| !allowed(circle))
            .map(|circle| {
                let ties = circle.iter().flat_map(|from| {
                    edges[from]
                        .iter()
                        .filter(|to| circle.contains(to))
                        .map(move |to| format!("  {from} -> {to}"))
                });
                ties.collect::<Vec<_>>().join("\n")
            })
            .collect();
        assert!(others.is_empty(), "circles in {folder}:\n{}", others.join("\n\n"));
    }
}

/// A line of the list that nothing needs any more hides the next circle there.
#[test]
fn allowed_circles_exist() {
    let found = circles(&Sources::read(&root("src")).edges());
    for (reason, files) in CIRCLES {
        assert!(found.iter().any(|circle| circle == files), "no circle any more: {reason}");
    }
}

/// Another HTTP library is another folder in place of this one.
#[test]
fn one_folder_names_ureq() {
    let named = imports::lines_with("ureq", &root("src"), "http/ureq");
    let places =
        [("http/agent", "super::ureq::client("), ("http/mod", "mod ureq;"), ("transport/rest/mod", "-ureq")];
    let is_known =
        named.iter().zip(places).all(|((file, line), (place, text))| file == place && line.contains(text));
    assert!(is_known && named.len() == places.len(), "{named:#?}");
}

fn root(folder: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}
