//! What a user of the default build gets: how many crates, which ones not, and which compiler they need.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

const MOST_CRATES: usize = 55;

const MOST_CRATES_OF_GRPC: usize = 20;

const MOST_CRATES_OF_CLI: usize = 24;

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
fn grpc_adds_few_crates_and_no_runtime() {
    let added: Vec<_> = tree(&["--features=grpc"]).difference(&default_tree()).cloned().collect();
    println!("{} crates more", added.len());
    assert!(!added.is_empty() && added.len() <= MOST_CRATES_OF_GRPC, "{} crates: {added:?}", added.len());
    let runtimes =
        ["async-io", "futures-executor", "hyper", "mio", "socket2", "tokio-macros", "tonic", "tower"];
    let found: Vec<_> = added.iter().filter(|(name, _)| runtimes.contains(&name.as_str())).collect();
    assert!(found.is_empty(), "{found:?}");
    let lines = listed(&["--features=grpc", "--format={p}|{f}"]);
    let tokio =
        lines.lines().find(|line| line.starts_with("tokio v")).expect("tokio is there, for its traits");
    let features: BTreeSet<_> = tokio.rsplit('|').next().unwrap().split(',').collect();
    // `sync` and `io-util` are h2's; what would make a runtime of it is not there.
    let expected = BTreeSet::from(["bytes", "default", "io-util", "sync"]);
    assert!(features.is_subset(&expected), "{features:?}");
}

#[test]
fn cli_adds_few_crates() {
    let added: Vec<_> = tree(&["--features=cli"]).difference(&default_tree()).cloned().collect();
    println!("{} crates more", added.len());
    assert!(!added.is_empty() && added.len() <= MOST_CRATES_OF_CLI, "{} crates: {added:?}", added.len());
}

#[test]
fn async_adds_no_crate() {
    assert_eq!(tree(&["--features=async"]), default_tree());
}

#[test]
fn the_tree_keeps_the_rust_version() {
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
    let newer: Vec<_> = tree(&["--features=grpc,cli"])
        .iter()
        .filter_map(|(name, at)| Some((name.clone(), *needed.get(&(name.as_str(), at.as_str()))?)))
        .filter(|(_, needs)| version(needs) > ours)
        .map(|(name, needs)| format!("{name} needs {needs}"))
        .collect();
    assert!(newer.is_empty(), "{newer:?}");
}

/// Names and versions of all crates below this one, without development dependencies.
fn default_tree() -> BTreeSet<(String, String)> {
    tree(&[])
}

fn tree(features: &[&str]) -> BTreeSet<(String, String)> {
    let lines = listed(&[features, &["--format={p}"]].concat());
    let crates = lines.lines().filter_map(|line| {
        let (name, rest) = line.split_once(" v")?;
        Some((name.to_owned(), rest.split(' ').next()?.to_owned()))
    });
    crates.filter(|(name, _)| name != env!("CARGO_PKG_NAME")).collect()
}

fn listed(arguments: &[&str]) -> String {
    let usual = ["tree", "--locked", "--edges=normal,build", "--prefix=none"];
    String::from_utf8(cargo(&[&usual, arguments].concat())).unwrap()
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
