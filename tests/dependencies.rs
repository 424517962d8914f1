//! What a user of the default build gets: how many crates, which ones not, and which compiler they need.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

const MOST_CRATES: usize = 55;

const MOST_CRATES_OF_GRPC: usize = 20;

/// With the library and its development dependencies.
const MOST_CRATES_OF_EXAMPLES: usize = 60;

/// Of all members together, with their development dependencies.
const MOST_CRATES_OF_WORKSPACE: usize = 180;

/// Beyond the default build of the library; those of gRPC and of the journal included.
const MOST_CRATES_OF_LRO: usize = 38;

const UNWANTED: [&str; 8] = ["chrono", "futures", "native-tls", "openssl", "rsa", "time", "tokio", "url"];

/// Runtimes, their parts, and what comes with one.
#[rustfmt::skip]
const RUNTIMES: [&str; 43] = [
    "actix-rt", "async-channel", "async-compat", "async-executor", "async-global-executor", "async-io",
    "async-lock", "async-net", "async-process", "async-std", "async-task", "axum", "blocking",
    "compio", "embassy-executor", "event-listener", "futures", "futures-executor", "futures-lite", "futures-util",
    "glommio", "hyper", "hyper-rustls", "hyper-util", "mio", "monoio", "piper", "polling", "pollster", "reqwest",
    "signal-hook-registry", "smol", "socket2", "tokio-io-timeout", "tokio-macros", "tokio-native-tls",
    "tokio-rustls", "tokio-stream", "tokio-uring", "tonic", "tower", "tower-layer", "tower-service",
];

/// Those with an operating system: for browsers, jsonwebtoken has a tree of its own.
const PLATFORMS: [&str; 3] =
    ["--target=x86_64-unknown-linux-gnu", "--target=x86_64-pc-windows-msvc", "--target=aarch64-apple-darwin"];

/// The features that h2 asks for: none of `rt`, `net`, `time`, `fs`, `process`, `signal` and `macros`.
const PARTS_OF_TOKIO: [(&str, &[&str]); 2] = [
    ("tokio", &["bytes", "default", "io-util", "sync"]),
    ("tokio-util", &["codec", "default", "io", "libc"]),
];

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

/// `cargo run --example quickstart` is the first command of a newcomer, who waits for all of these.
#[test]
fn examples_are_built_with_few_crates() {
    let crates = compiled(&[]);
    println!("{} crates", crates.len());
    assert!(crates.len() <= MOST_CRATES_OF_EXAMPLES, "{} crates: {crates:?}", crates.len());
}

/// For `cargo test --workspace`, which takes the features of all members together.
#[test]
fn all_tests_are_built_with_few_crates() {
    let crates = compiled(&["--workspace"]);
    println!("{} crates", crates.len());
    assert!(crates.len() <= MOST_CRATES_OF_WORKSPACE, "{} crates: {crates:?}", crates.len());
}

/// The tests of the workspace run with every feature of the library.
#[test]
fn heavy_tests_turn_every_feature_on() {
    let heavy = include_str!("heavy/Cargo.toml");
    let features = features();
    let missing: Vec<_> = features
        .iter()
        .filter(|name| *name != "default")
        .filter(|name| !heavy.contains(&format!("\n{name} = [\"longrunning/{name}\"]\n")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let (_, default) = heavy.split_once("\ndefault = [").unwrap();
    let default = default.split(']').next().unwrap();
    assert!(features.iter().all(|name| name == "default" || default.contains(&format!("\"{name}\""))));
}

#[test]
fn grpc_adds_few_crates() {
    let added: Vec<_> = tree(&["--features=grpc"]).difference(&default_tree()).cloned().collect();
    println!("{} crates more", added.len());
    assert!(!added.is_empty() && added.len() <= MOST_CRATES_OF_GRPC, "{} crates: {added:?}", added.len());
}

/// Of all features together and of each alone: tokio is there for the I/O traits of h2.
#[test]
fn no_feature_has_a_runtime() {
    let features = features();
    let alone =
        features.iter().map(|feature| vec!["--no-default-features".into(), format!("--features={feature}")]);
    let sets: Vec<Vec<String>> =
        alone.chain([vec!["--no-default-features".into()], vec![], vec!["--all-features".into()]]).collect();
    assert!(sets.len() > 10, "{sets:?}");
    let mut with_tokio = BTreeSet::new();
    for set in &sets {
        let arguments: Vec<_> =
            set.iter().map(String::as_str).chain(PLATFORMS).chain(["--format={p}|{f}"]).collect();
        for line in listed(&arguments).lines().filter(|line| !line.is_empty()) {
            let (package, enabled) =
                line.trim_end_matches(" (*)").split_once('|').expect("as the format has it");
            let name = package.split(' ').next().expect("a name");
            let enabled: BTreeSet<_> = enabled.split(',').filter(|feature| !feature.is_empty()).collect();
            assert!(!RUNTIMES.contains(&name), "{set:?}: {name}");
            if let Some((_, allowed)) = PARTS_OF_TOKIO.iter().find(|(part, _)| *part == name) {
                assert!(
                    enabled.iter().all(|feature| allowed.contains(feature)),
                    "{set:?}: {name} {enabled:?}"
                );
                with_tokio.insert(set.last().map(String::as_str));
            }
        }
    }
    let grpc = BTreeSet::from([Some("--all-features"), Some("--features=grpc")]);
    assert_eq!(with_tokio, grpc, "only gRPC needs anything of tokio's");
}

#[test]
fn lro_adds_few_crates() {
    let added: Vec<_> = tree(&["--package=lro"]).difference(&default_tree()).cloned().collect();
    println!("{} crates more", added.len());
    assert!(!added.is_empty() && added.len() <= MOST_CRATES_OF_LRO, "{} crates: {added:?}", added.len());
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
    let newer: Vec<_> = tree(&["--package=lro"])
        .iter()
        .filter_map(|(name, at)| Some((name.clone(), *needed.get(&(name.as_str(), at.as_str()))?)))
        .filter(|(_, needs)| version(needs) > ours)
        .map(|(name, needs)| format!("{name} needs {needs}"))
        .collect();
    assert!(newer.is_empty(), "{newer:?}");
}

/// The features of this package.
fn features() -> BTreeSet<String> {
    let metadata: Value =
        serde_json::from_slice(&cargo(&["metadata", "--format-version=1", "--locked", "--no-deps"])).unwrap();
    let packages = metadata["packages"].as_array().expect("the packages of the workspace");
    let own = packages.iter().find(|package| package["name"] == env!("CARGO_PKG_NAME"));
    let features = own.expect("this package")["features"].as_object().expect("its features");
    features.keys().cloned().collect()
}

/// Names and versions of all crates that a build compiles, those of the workspace and of its tests included.
fn compiled(packages: &[&str]) -> BTreeSet<String> {
    let usual = ["tree", "--locked", "--edges=normal,build,dev", "--prefix=none", "--format={p}"];
    let lines = String::from_utf8(cargo(&[&usual, packages].concat())).unwrap();
    let lines = lines.lines().filter(|line| !line.is_empty());
    lines.map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
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
    crates.filter(|(name, _)| ![env!("CARGO_PKG_NAME"), "lro"].contains(&&**name)).collect()
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
