//! Waits until a service has exported a file, and compiles its place into the program. A build script has no async runtime,
//! and needs none.
//!
//! Without the variables it waits on an embedded server. With `EXPORT_ENDPOINT=https://firestore.googleapis.com` and
//! `EXPORT_OPERATION=projects/P/databases/(default)/operations/O` it waits for a real export, with Application Default
//! Credentials.

use std::error::Error;
use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{Any, Operation, OperationsClient};
use serde::Deserialize;

/// The response of `exportDocuments` of Firestore.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Export {
    output_uri_prefix: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=EXPORT_ENDPOINT");
    println!("cargo::rerun-if-env-changed=EXPORT_OPERATION");
    let done = match (env::var("EXPORT_ENDPOINT"), env::var("EXPORT_OPERATION")) {
        (Ok(endpoint), Ok(name)) => wait(&OperationsClient::new(endpoint)?, &name)?,
        _ => embedded()?,
    };
    let export: Export = done.into_response()?;
    let file = Path::new(&env::var("OUT_DIR")?).join("export.rs");
    fs::write(file, format!("const OUTPUT_URI: &str = {:?};\n", export.output_uri_prefix))?;
    Ok(())
}

/// Ends the build with an error if the operation takes more than ten minutes. The service goes on with it.
fn wait(client: &OperationsClient, name: &str) -> Result<Operation, longrunning::Error> {
    client.poller(name).total_timeout(Duration::from_secs(600)).until_done()
}

fn embedded() -> Result<Operation, longrunning::Error> {
    let name = "projects/demo/databases/(default)/operations/export";
    let response = r#"{"@type": "type.googleapis.com/google.firestore.admin.v1.ExportDocumentsResponse",
        "outputUriPrefix": "gs://bucket/export"}"#;
    let server = FakeServer::start();
    let export = FakeOperation::new(name).done_after(Duration::from_secs(300));
    server.insert(export.responds(Any::from_json(response)?));
    wait(&server.client(), name)
}
