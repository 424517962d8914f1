//! Responses of any size, in a process whose address space has a limit.

use std::env;
use std::process::Command;

use longrunning::testing::{FakeServer, Reply};
use longrunning::transport::TransportKind;
use longrunning::{ErrorKind, RetryPolicy};

use super::builder;

/// In KiB: the program, its threads, and a message of 32 MiB with its copies.
const ADDRESS_SPACE: &str = "700000";

#[test]
#[cfg(target_os = "linux")]
fn hostile_responses_fit_an_address_space() {
    let _alone = super::alone();
    let script = format!("ulimit -v {ADDRESS_SPACE} && exec \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &script, "sh"])
        .arg(env::current_exe().unwrap())
        .args(["hostile::receives_hostile_responses", "--exact", "--ignored", "--nocapture"])
        // Each further arena of the allocator reserves 64 MiB.
        .env("MALLOC_ARENA_MAX", "1")
        .output()
        .unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// The rows 21 to 23 of the table of faults.
#[test]
#[ignore = "the process that `hostile_responses_fit_an_address_space` limits"]
fn receives_hostile_responses() {
    let server = FakeServer::builder().start().unwrap();
    let head = "HTTP/1.1 200 OK\r\n";
    let rows = [
        ("a gigabyte", Reply::huge(1 << 30)),
        ("a gigabyte in chunks", Reply::huge(1 << 30).chunked()),
        ("a bomb", Reply::huge(256 << 20).gzip()),
        ("two lengths", Reply::raw(format!("{head}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}"))),
        ("a header of 200 KB", Reply::raw(format!("{head}x-filler: {}\r\n\r\n{{}}", "x".repeat(200_000)))),
    ];
    let client = builder(&server, TransportKind::Rest).retry(RetryPolicy::never()).build().unwrap();
    for (name, reply) in rows {
        for _ in 0..3 {
            server.reply(reply.clone());
            let error = client.get("operations/1").send().expect_err(name);
            assert_ne!(error.kind(), ErrorKind::Service, "{name}: {error}");
            assert!(!error.is_transient(), "{name}: {error}");
        }
    }
}
