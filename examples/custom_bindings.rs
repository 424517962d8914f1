//! Calls a service whose operations live under URLs of their own, with a server-side wait.
//!
//! `cargo run --example custom_bindings`; with `-- ENDPOINT KEY_FILE NAME` it gets an operation of a real service.

mod shared;

use std::time::Duration;

use longrunning::testing::{FakeOperation, FakeServer, Rpc};
use longrunning::{Binding, Bindings, Credentials, OperationsClient, WaitBinding};

fn main() -> shared::Result<()> {
    if std::env::args().len() > 1 {
        let service = shared::service(|_| Ok(String::new()))?;
        println!("{}", service.client.get(&service.name).send()?.outcome());
        return Ok(());
    }
    let server = FakeServer::builder().with(Rpc::Wait).start()?;
    server.insert(FakeOperation::new("projects/demo/operations/7").done_after(Duration::from_secs(20)));

    // Version 2 of everything, two places to look for a get, and `:wait` with a body.
    let bindings = Bindings::version("v2")?
        .get([
            Binding::get("/v2/{name=projects/*/operations/*}")?,
            Binding::get("/v2alpha/{name=folders/*/operations/*}")?,
        ])
        .wait_by(WaitBinding::Body);
    let client = OperationsClient::builder(server.url())
        .credentials(Credentials::anonymous())
        .bindings(bindings)
        .build()?;

    client.get("projects/demo/operations/7").send()?;
    let done = client.wait("projects/demo/operations/7").timeout(Duration::from_secs(30)).send()?;
    println!("{}: {}", done.name(), done.outcome());
    let refused = client.get("jobs/7").send().expect_err("no binding takes it");
    println!("refused: {refused}");
    for request in server.requests() {
        println!("{} {} {}", request.method(), request.target(), String::from_utf8_lossy(request.body()));
    }
    Ok(())
}
