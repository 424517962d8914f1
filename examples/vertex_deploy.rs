//! Deploys a model to an endpoint of Vertex AI and waits until it serves, which may take half an hour.
//!
//! `cargo run --example vertex_deploy` plays Vertex AI on an embedded server. With a project it deploys a model that exists, on
//! one machine that costs money until it is undeployed: `cargo run --example vertex_deploy -- PROJECT LOCATION ENDPOINT MODEL`

mod shared;

use std::env;
use std::time::Duration;

use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{Any, OperationsClient, Outcome};
use serde_json::{Value, json};

fn main() -> shared::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => deploy(&vertex()?.client(), "projects/demo/locations/europe-west1", "1", "2"),
        [project, location, endpoint, model] => {
            // The endpoint of the region: the global one does not know the operations of a region.
            let client = OperationsClient::new(format!("https://{location}-aiplatform.googleapis.com"))?;
            deploy(&client, &format!("projects/{project}/locations/{location}"), endpoint, model)
        }
        _ => Err("expected no arguments, or: PROJECT LOCATION ENDPOINT MODEL".into()),
    }
}

fn deploy(client: &OperationsClient, parent: &str, endpoint: &str, model: &str) -> shared::Result<()> {
    let request = json!({
        "deployedModel": {
            "model": format!("{parent}/models/{model}"),
            "dedicatedResources": { "machineSpec": { "machineType": "n1-standard-2" }, "minReplicaCount": 1 },
        },
        "trafficSplit": { "0": 100 }, // all requests go to the new one
    });
    let path = format!("/v1/{parent}/endpoints/{endpoint}:deployModel");
    let deployment = client.start(path).json(&request).send()?;
    println!("started {}", deployment.name());
    let poller = deployment.poller().total_timeout(Duration::from_secs(7200)).on_update(|update| {
        println!("deploying for {:.0} s", update.elapsed().as_secs_f64());
    });
    match poller.until_done()?.outcome() {
        Outcome::Succeeded(Some(response)) => {
            let response: Value = response.decode()?;
            println!("deployed as {}", response["deployedModel"]["id"]);
            Ok(())
        }
        outcome => Err(format!("the model was not deployed: {outcome}").into()),
    }
}

/// An endpoint at which every deployment takes two seconds.
fn vertex() -> shared::Result<FakeServer> {
    let metadata = r#"{"@type": "type.googleapis.com/google.cloud.aiplatform.v1.DeployModelOperationMetadata",
        "genericMetadata": {"createTime": "2026-01-01T10:00:00Z", "updateTime": "2026-01-01T10:00:00Z"}}"#;
    let response = r#"{"@type": "type.googleapis.com/google.cloud.aiplatform.v1.DeployModelResponse",
        "deployedModel": {"id": "4242", "model": "projects/demo/locations/europe-west1/models/2"}}"#;
    let server = FakeServer::builder().real_time().start()?;
    // Vertex AI names operations by the number of the project.
    let operation = FakeOperation::new("projects/1234567890/locations/europe-west1/endpoints/1/operations/7")
        .done_after(Duration::from_secs(2))
        .metadata(Any::from_json(metadata)?)
        .responds(Any::from_json(response)?);
    server.on_start("POST", "/v1/{endpoint=projects/*/locations/*/endpoints/*}:deployModel", operation);
    Ok(server)
}
