//! A process without file descriptors cannot connect, and a wait goes on when there are some: row 74 of the fault table.

use std::fs::File;
use std::process::Command;
use std::sync::Mutex;
use std::{env, iter};

use longrunning::Backoff;

use crate::kit::{NAME, arguments, secs, server, slept};

#[test]
fn file_descriptors_run_out() {
    let test = arguments("descriptors::a_wait_in_need_of_file_descriptors");
    let limited = Command::new("sh")
        .args(["-c", "ulimit -n 40 && exec \"$0\" \"$@\""])
        .arg(env::current_exe().unwrap())
        .args(test)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&limited.stdout);
    assert!(limited.status.success() && told.contains("1 passed"), "74: {told}");
}

#[test]
#[ignore = "the process that `file_descriptors_run_out` limits"]
fn a_wait_in_need_of_file_descriptors() {
    let server = server();
    let client = server.client();
    let taken: Vec<_> = iter::from_fn(|| File::open("/dev/null").ok()).collect();
    assert!(!taken.is_empty());
    let taken = Mutex::new(taken);
    let frees = Backoff::from_fn(move |_| {
        taken.lock().unwrap().clear();
        Some(secs(1.0))
    });
    assert!(client.poller(NAME).backoff(frees).until_done().unwrap().is_done());
    assert_eq!((slept(&server), server.request_count()), (vec![1.0], 1));
}
