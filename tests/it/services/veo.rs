//! Vertex AI polls generated videos by a POST with the name in the body.

use longrunning::testing::FakeServer;
use longrunning::{Binding, Bindings, Error, Operation};
use serde_json::json;

use crate::kit::any;

const MODEL: &str = "projects/demo/locations/us-central1/publishers/google/models/veo-3.0-generate-001";

/// The messages are those of the discovery document `aiplatform.v1`.
#[test]
fn videos_are_polled_by_fetch_predict_operation() -> Result<(), Error> {
    let name = format!("{MODEL}/operations/1");
    let server = FakeServer::start();
    let path = format!("/v1/{MODEL}:fetchPredictOperation");
    server.reply_to("POST", &path, Operation::running(&name));
    let response = r#"{"@type": "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse"}"#;
    server.reply_to("POST", &path, Operation::succeeded(&name, any(response)));
    let fetch = Binding::post(&path)?.name_field("operationName");
    let client = server.client_builder().bindings(Bindings::default().get([fetch])).build()?;
    let done = client.poller(&name).until_done()?;
    assert!(done.response().is_some_and(|response| response.type_name().ends_with(".GenerateVideoResponse")));
    for request in server.requests() {
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!((request.method(), request.path()), ("POST", path.as_str()));
        assert_eq!(body, json!({ "operationName": name }));
    }
    assert_eq!(server.request_count(), 2);
    Ok(())
}

#[test]
fn the_name_is_in_the_query_of_a_get() -> Result<(), Error> {
    let server = FakeServer::start();
    server.reply(Operation::running("operations/1"));
    let by_id = Binding::get("/v1/poll")?.name_field("operation id");
    let client = server.client_builder().bindings(Bindings::default().get([by_id])).build()?;
    client.get("operations/1").send()?;
    assert_eq!(server.requests()[0].target(), "/v1/poll?operation%20id=operations%2F1");
    Ok(())
}

/// From the start to the video, with one client.
#[test]
fn videos_are_started_and_waited_for() -> Result<(), Error> {
    let name = format!("{MODEL}/operations/1");
    let server = FakeServer::start();
    let path = format!("/v1/{MODEL}:fetchPredictOperation");
    let start = format!("/v1/{MODEL}:predictLongRunning");
    server.reply_to("POST", &start, Operation::running(&name));
    server.reply_to("POST", &path, Operation::running(&name));
    server.reply_to("POST", &path, Operation::succeeded(&name, any("{}")));
    let fetch = Binding::post(&path)?.name_field("operationName");
    let bindings = Bindings::default().get([fetch]).list([]);
    let client = server.client_builder().bindings(bindings).build()?;
    let request = json!({ "instances": [{ "prompt": "a river" }], "parameters": { "sampleCount": 1 } });
    let video = client.start(&start).json(&request).send()?;
    assert!(video.until_done()?.is_done());
    assert_eq!(server.request_count(), 3);
    Ok(())
}
