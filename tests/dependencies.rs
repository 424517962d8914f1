//! What a user of the default build gets: how many crates, which ones not, and which compiler they need.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

const MOST_CRATES: usize = 55;

const UNWANTED: [&str; 8] = ["chrono", "futures", "native-tls", "openssl", "rsa", "time", "tokio", "url"];

#[test]
fn the_default_tree_is_small_and_has_no_runtime() {
    let crates = default_tree();
    println!("{} crates", crates.len());
    assert!(crates.len() <= MOST_CRATES, "{} crates: {crates:?}", crates.len());
    let unwanted: Vec<_> =
        UNWANTED.iter().filter(|name| crates.iter().any(|(found, _)| found == *name)).collect();
    assert!(unwanted.is_empty(), "{unwanted:?}");
    if cfg!(target_os = "linux") {
        let readme = include_str!("../README.md");
        let (count, row) = (
            format!(" {} crates.", crates.len()),
            format!("| crates in the default build | {} |", crates.len()),
        );
        assert!(
            readme.contains(&count) && readme.contains(&row),
            "the README tells another number of crates"
        );
    }
}

#[test]
fn the_default_tree_keeps_the_rust_version() {
    let metadata: Value =
        serde_json::from_slice(&cargo(&["metadata", "--format-version=1", "--locked"])).unwrap();
    let needed: BTreeMap<(&str, &str), &str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|package| {
            let key = (package["name"].as_str()?, package["version"].as_str()?);
            Some((key, package["rust_version"].as_str()?))
        })
        .collect();
    let ours = version(env!("CARGO_PKG_RUST_VERSION"));
    let newer: Vec<_> = default_tree()
        .iter()
        .filter_map(|(name, at)| Some((name.clone(), *needed.get(&(name.as_str(), at.as_str()))?)))
        .filter(|(_, needs)| version(needs) > ours)
        .map(|(name, needs)| format!("{name} needs {needs}"))
        .collect();
    assert!(newer.is_empty(), "{newer:?}");
}

/// Names and versions of all crates below this one, without development dependencies.
fn default_tree() -> BTreeSet<(String, String)> {
    let lines = cargo(&["tree", "--locked", "--edges=normal,build", "--prefix=none", "--format={p}"]);
    let lines = String::from_utf8(lines).unwrap();
    let crates = lines.lines().filter_map(|line| {
        let (name, rest) = line.split_once(" v")?;
        Some((name.to_owned(), rest.split(' ').next()?.to_owned()))
    });
    crates.filter(|(name, _)| name != env!("CARGO_PKG_NAME")).collect()
}

fn cargo(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn version(text: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = text.split('.').map(|part| part.parse().unwrap()).collect();
    parts.resize(3, 0);
    parts
}
