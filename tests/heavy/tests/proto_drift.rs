//! Generates the code of `proto/` anew and compares it with what is committed in `src/proto/`.

use std::path::{Path, PathBuf};
use std::{env, fs};

use prost::Message;

const PROTOS: [&str; 4] = [
    "google/longrunning/operations.proto",
    "google/rpc/code.proto",
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
];

const HOW_TO_UPDATE: &str =
    "to write it anew, run `UPDATE_PROTO=1 cargo test -p longrunning-heavy-tests --test proto_drift`";

const PACKAGES: [&str; 2] = ["longrunning", "rpc"];

#[test]
fn generated_code_is_up_to_date() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/proto/google");
    let fresh = generate();
    for package in PACKAGES {
        let file = committed.join(package).with_extension("rs");
        let new = fs::read_to_string(fresh.join(format!("google.{package}.rs"))).unwrap();
        if env::var_os("UPDATE_PROTO").is_some() {
            fs::write(&file, &new).unwrap();
        }
        // Some checkouts turn line ends into CR LF.
        let old = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
        assert!(old == new, "{} is not what proto/ gives; {HOW_TO_UPDATE}", file.display());
    }
}

/// The types of the example are generated as `docs/typed-results.md` shows.
#[test]
fn generated_types_of_the_example_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/typed_results");
    let directory = directory("typed_results");
    let descriptors = protox::compile(["execution.proto"], [&folder]).unwrap();
    fs::write(directory.join("descriptors.bin"), descriptors.encode_to_vec()).unwrap();
    prost_build::Config::new()
        .out_dir(&directory)
        .enable_type_names()
        .type_name_domain(["."], "type.googleapis.com")
        .compile_fds(descriptors)
        .unwrap();
    for file in ["google.cloud.run.v2.rs", "descriptors.bin"] {
        let (committed, new) = (folder.join(file), fs::read(directory.join(file)).unwrap());
        if env::var_os("UPDATE_PROTO").is_some() {
            fs::write(&committed, &new).unwrap();
        }
        let old = fs::read(&committed).unwrap_or_default();
        assert!(old == new, "{} is not what execution.proto gives; {HOW_TO_UPDATE}", committed.display());
    }
}

/// Compiles the protos with protox, so that no `protoc` is needed, and returns where the code lies.
fn generate() -> PathBuf {
    let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let descriptors = protox::compile(PROTOS, [protos]).unwrap();
    let directory = directory("proto_drift");
    prost_build::Config::new()
        .out_dir(&directory)
        .enable_type_names()
        .type_name_domain(["."], "type.googleapis.com")
        .message_attribute(".", "#[non_exhaustive]")
        .compile_fds(descriptors)
        .unwrap();
    directory
}

fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).unwrap();
    directory
}
