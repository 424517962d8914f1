//! Starts the creation of a resource, waits for it, and fetches the resource with an HTTP client of the program's own: ureq,
//! with the credentials of the operations client.
//!
//! It runs on the embedded server. For a real service, the program needs ureq with TLS (`cargo add ureq`), and a client of
//! `OperationsClient::new("https://run.googleapis.com")`.

use std::time::Duration;

use longrunning::testing::{FakeOperation, FakeServer, Reply};
use longrunning::{Any, OperationsClient};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// As much of the resource as the program needs.
#[derive(serde::Deserialize)]
struct Service {
    uri: String,
}

fn main() -> Result<()> {
    let server = server()?;
    let (client, endpoint) = (server.client(), server.url());
    let parent = "projects/demo/locations/l";

    let creation = client
        .start(format!("/v2/{parent}/services"))
        .query("serviceId", "hello")
        .json(&serde_json::json!({ "template": { "containers": [{ "image": "hello" }] } }))
        .send()?;
    println!("started {}", creation.name());
    println!("{}", creation.poller().total_timeout(Duration::from_secs(900)).until_done()?.outcome());

    let service = fetch(&client, &format!("{endpoint}/v2/{parent}/services/hello"))?;
    println!("serving at {}", service.uri);
    Ok(())
}

/// Fetches a resource of the service of the client.
///
/// The headers are fetched for each request, because a token expires. They must not be sent to another host.
fn fetch(client: &OperationsClient, url: &str) -> Result<Service> {
    let mut request = ureq::get(url);
    for (name, value) in client.authorization_headers()?.iter() {
        request = request.header(name, value);
    }
    let text = request.call()?.body_mut().read_to_string()?;
    Ok(serde_json::from_str(&text)?)
}

/// The part of a service that this example needs.
fn server() -> Result<FakeServer> {
    let server = FakeServer::builder().real_time().start()?;
    let service =
        r#"{"name": "projects/demo/locations/l/services/hello", "uri": "https://hello.example.com"}"#;
    let created = FakeOperation::new("projects/demo/locations/l/operations/create-hello")
        .done_after(Duration::from_secs(1))
        .responds(Any::from_json(r#"{"@type": "type.googleapis.com/google.cloud.run.v2.Service"}"#)?);
    server.on_start("POST", "/v2/{parent=projects/*/locations/*}/services", created);
    server.reply_to("GET", "/services/hello", Reply::json(200, service));
    Ok(server)
}
