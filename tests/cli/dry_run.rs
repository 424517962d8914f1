//! `--dry-run`: shows the requests, sends nothing.

use std::io::Write;

use serde_json::Value;

use crate::kit::{Lro, full_server, lro};

#[test]
fn a_request_and_a_command_for_curl() {
    let server = full_server();
    let ran = lro("--dry-run cancel operations/running --header x-a:1 --header")
        .word("X-My-Token: CANARY")
        .asks(&server)
        .runs()
        .exits(0)
        .says_nothing();
    let url = server.url();
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines[0], format!("POST {url}/v1/operations/running:cancel"));
    for line in ["x-a: 1", "content-type: application/json", "{}"] {
        assert!(lines.contains(&line), "{ran:#?}");
    }
    let curl = lines.last().unwrap();
    assert!(curl.starts_with("curl --request POST --header "), "{curl}");
    assert!(curl.ends_with(&format!("--data '{{}}' {url}/v1/operations/running:cancel")), "{curl}");
    assert!(curl.contains("--header \"x-my-token: $X_MY_TOKEN\""), "{curl}");
    assert!(!ran.stdout.contains("CANARY") && ran.stdout.contains("x-my-token: [redacted]"), "{ran:#?}");
    assert_eq!(server.request_count(), 0);
}

/// The command does what the request does, where there is a curl.
#[test]
#[cfg(unix)]
fn the_command_for_curl_works() {
    let server = full_server();
    let ran = lro("--dry-run get operations/done").asks(&server).runs().exits(0);
    let curl = ran.stdout.lines().last().unwrap().to_owned();
    let output = std::process::Command::new("sh").args(["-c", &curl]).env("NO_PROXY", "*").output().unwrap();
    if output.status.code() == Some(127) {
        let required = std::env::var("LONGRUNNING_WITNESS").is_ok_and(|value| value == "require");
        assert!(!required, "no curl");
        let _ = writeln!(std::io::stderr(), "\nSKIPPED: no curl");
        return;
    }
    assert!(output.stdout.starts_with(br#"{"name":"operations/done""#), "{curl}\n{output:?}");
}

#[test]
fn tokens_are_neither_shown_nor_fetched() {
    let server = full_server();
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    let rows = [
        (vec!["--credentials", key], "Bearer $ACCESS_TOKEN"),
        (vec!["--access-token-file", "/no where"], "Bearer $(cat '/no where')"),
    ];
    for (who, token) in rows {
        let mut run = Lro::new(&["--dry-run", "get", "operations/1"]).asks(&server);
        for word in who {
            run = run.word(word);
        }
        let ran = run.runs().exits(0);
        assert!(ran.stdout.contains("\nauthorization: [redacted]\n"), "{ran:#?}");
        assert!(ran.stdout.contains(&format!("\"authorization: {token}\"")), "{ran:#?}");
    }
    let mut run =
        Lro::new(&["--dry-run", "get", "operations/1"]).asks(&server).variable("NO_GCE_CHECK", "false");
    for (name, value) in server.environment() {
        run = run.variable(&name, &value);
    }
    let ran = run.runs().exits(0);
    assert!(ran.stdout.contains("$(gcloud auth application-default print-access-token)"), "{ran:#?}");
    assert_eq!(server.request_count(), 0);
    Lro::new(&["--dry-run", "get", "operations/1"]).asks(&server).runs().exits(6);
}

#[test]
fn json_has_a_request_a_line() {
    let server = full_server();
    let rows = [
        ("get operations/1", "GET", "/v1/operations/1"),
        ("wait operations/1", "GET", "/v1/operations/1"),
        ("delete operations/1", "DELETE", "/v1/operations/1"),
        ("list --filter done=true --page-size 7", "GET", "/v1/operations?filter=done%3Dtrue&pageSize=7"),
    ];
    for (line, method, target) in rows {
        let ran = lro("--dry-run --format json").and(line).asks(&server).runs().exits(0);
        let request: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(request["method"], method, "{ran:#?}");
        assert_eq!(request["url"], format!("{}{target}", server.url()), "{ran:#?}");
        assert_eq!(request["headers"]["accept"], "application/json", "{ran:#?}");
        assert_eq!(request["body"], Value::Null, "{ran:#?}");
    }
    let ran = lro("--dry-run --format json cancel operations/1 operations/2").asks(&server).runs().exits(0);
    assert_eq!(ran.stdout.lines().count(), 2);
    assert_eq!(server.request_count(), 0);
}

#[test]
fn what_would_not_be_sent_is_refused() {
    let server = full_server();
    lro("--dry-run get operations/../1").asks(&server).runs().exits(2);
    lro("--dry-run serve").runs().exits(2).says("lro: --dry-run is for commands that send requests");
}
