//! Tells the crate which compiler built it, for the `gl-rust/` token of the `x-goog-api-client` header.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().ok();
    let version = version.and_then(|output| String::from_utf8(output.stdout).ok());
    let version = version.as_deref().and_then(|line| line.split_whitespace().nth(1));
    println!("cargo::rustc-env=LONGRUNNING_RUSTC={}", version.unwrap_or("unknown"));
}
