//! A process that is stopped and goes on in the middle of a call: row 69 of the fault table.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::{env, fs, thread};

use longrunning::http::{HttpOptions, ProxySetting, Roots};
use longrunning::{Credentials, OperationsClient, RetryPolicy};

/// By signal(7), a read with a timeout fails with `EINTR` after that, whether there is a handler or not.
#[test]
fn interrupted_reads_go_on() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "interrupted::the_call_of_another_process", "--ignored"])
        .env(URL, url)
        .spawn()
        .unwrap();
    let (mut connection, _) = listener.accept().unwrap();
    read_head(&mut connection);
    for _ in 0..3 {
        wait_for(&child, |state| state == 'S');
        signal(&child, "STOP");
        wait_for(&child, |state| state == 'T');
        signal(&child, "CONT");
        wait_for(&child, |state| state != 'T');
    }
    let body = r#"{"name":"operations/42"}"#;
    write!(connection, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Does nothing unless the other test starts it.
#[test]
#[ignore = "part of another test"]
fn the_call_of_another_process() {
    let Ok(url) = env::var(URL) else { return };
    let client = OperationsClient::builder(url)
        .credentials(Credentials::anonymous())
        .http_options(HttpOptions::new().roots(Roots::None).proxy(ProxySetting::None))
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    assert_eq!(client.get("operations/42").send().unwrap().name(), "operations/42");
}

fn read_head(connection: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

/// Waits until all threads of the process are in such a state: `S` sleeps, `T` is stopped.
fn wait_for(child: &Child, is_so: impl Fn(char) -> bool) {
    let state = |stat: String| stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap();
    loop {
        let threads = fs::read_dir(format!("/proc/{}/task", child.id())).unwrap();
        let mut stats =
            threads.filter_map(|thread| fs::read_to_string(thread.unwrap().path().join("stat")).ok());
        let all = stats.all(|stat| {
            let state = state(stat);
            assert_ne!(state, 'Z', "the process has ended");
            is_so(state)
        });
        if all {
            return;
        }
        thread::yield_now();
    }
}

const URL: &str = "LONGRUNNING_TEST_INTERRUPTED_URL";
