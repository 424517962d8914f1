//! Calls a service with a service-account key file: a self-signed JWT, made without network I/O.
//!
//! `cargo run --example service_account` shows what is sent to the embedded server, with a key that is good for
//! nothing; with `-- ENDPOINT KEY_FILE NAME` it calls a real service.

mod shared;

use longrunning::auth::ServiceAccount;
use longrunning::testing::FakeServer;
use longrunning::{Operation, OperationsClient};

fn main() -> shared::Result<()> {
    if std::env::args().len() > 1 {
        let service = shared::service(|_| Ok(String::new()))?;
        println!("{}", service.client.get(&service.name).send()?.outcome());
        return Ok(());
    }
    let server = FakeServer::start();
    server.insert(Operation::running("operations/42"));

    let key_file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    let account = ServiceAccount::from_file(key_file)?;
    println!("account: {}", account.client_email());

    let client = OperationsClient::builder(server.url()).credentials(account).build()?;
    println!("operation: {}", client.get("operations/42").send()?.outcome());

    let request = server.requests().remove(0);
    let token = request.header("authorization").unwrap_or_default();
    println!("sent: {}…, {} bytes", &token[..10.min(token.len())], token.len());
    Ok(())
}
