//! Signals belong to the program: the library takes none.

use std::fs;

use longrunning::testing::FakeOperation;
use longrunning::{RetryPolicy, StopToken};

use crate::kit::server;

#[test]
fn no_signal_is_taken() {
    let before = masks();
    let server = server();
    server.insert(FakeOperation::new("operations/42").done_at_poll(3));
    let client = server.client_builder().retry(RetryPolicy::default()).build().unwrap();
    client.list("operations").send().unwrap();
    let done = client.poller("operations/42").stop(&StopToken::new()).until_done().unwrap();
    assert!(done.is_done());
    assert_eq!(masks(), before);
}

/// The signals that this process catches and those that it ignores.
fn masks() -> Vec<String> {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let lines = status.lines().filter(|line| line.starts_with("SigCgt:") || line.starts_with("SigIgn:"));
    lines.map(str::to_owned).collect()
}
