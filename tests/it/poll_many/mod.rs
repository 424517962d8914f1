//! Waiting for many operations at once.

mod asking;
mod ending;
mod named;
mod pages;
mod panics;
mod rate;
mod threads;

use longrunning::testing::{FakeOperation, FakeServer, RecordedRequest};
use longrunning::{Any, Operation};

const PARENT: &str = "projects/p/locations/l";

fn ended(name: &str) -> Operation {
    Operation::succeeded(name, Any::pack(&()))
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{PARENT}/operations/{number}")).collect()
}

fn insert(server: &FakeServer, names: &[String], poll: u64) {
    for name in names {
        server.insert(FakeOperation::new(name).done_at_poll(poll));
    }
}

fn is_list(request: &RecordedRequest) -> bool {
    request.method() == "GET" && request.path().ends_with("/operations")
}

fn methods(server: &FakeServer) -> Vec<&'static str> {
    let of = |request: &RecordedRequest| match request.method() {
        "POST" => "cancel",
        _ if is_list(request) => "list",
        _ => "get",
    };
    server.requests().iter().map(of).collect()
}
