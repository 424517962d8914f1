//! The service that an example talks to: the embedded server, or a real one given by arguments.

#![allow(dead_code, unreachable_pub, reason = "each example uses what it needs")]

use std::env;
use std::error::Error;

use longrunning::OperationsClient;
use longrunning::auth::ServiceAccount;
use longrunning::testing::FakeServer;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A client, the name to work with, and the embedded server as long as there is one.
pub struct Service {
    pub client: OperationsClient,
    pub name: String,
    pub server: Option<FakeServer>,
}

/// Without arguments the embedded server, in real time, set up by `seed`, which gives the name. Else
/// `ENDPOINT KEY_FILE NAME`, such as `https://run.googleapis.com key.json projects/p/locations/l/operations/42`.
pub fn service(seed: impl FnOnce(&FakeServer) -> Result<String>) -> Result<Service> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => {
            let server = FakeServer::builder().real_time().start()?;
            let name = seed(&server)?;
            Ok(Service { client: server.client(), name, server: Some(server) })
        }
        [endpoint, key_file, name] => {
            let account = ServiceAccount::from_file(key_file)?;
            let client = OperationsClient::builder(endpoint).credentials(account).build()?;
            Ok(Service { client, name: name.clone(), server: None })
        }
        _ => Err("expected no arguments, or: ENDPOINT KEY_FILE NAME".into()),
    }
}
