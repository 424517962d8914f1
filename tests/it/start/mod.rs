//! Starts over REST: the requests, the versions, and what is refused. `suite/start.rs` has what is alike over all transports.

mod authorization;
mod raw;
mod refusals;
mod requests;
mod versions;

use longrunning::testing::{FakeOperation, FakeServer};

const PATH: &str = "/v2/projects/p/locations/l/jobs/j:run";

/// A server where every `POST` under `/v2` starts an operation, which is done at its second poll.
fn server() -> FakeServer {
    let server = FakeServer::start();
    server.on_start("POST", "/v2/**", FakeOperation::new(crate::kit::NAME).done_at_poll(2));
    server
}
