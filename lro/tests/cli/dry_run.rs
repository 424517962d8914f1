//! `--dry-run`: shows the requests, sends nothing.

#[cfg(unix)]
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
    assert!(
        curl.ends_with(&format!("--data {QUOTE}{{}}{QUOTE} {url}/v1/operations/running:cancel")),
        "{curl}"
    );
    assert!(curl.contains(&format!("--header \"x-my-token: {TOKEN}\"")), "{curl}");
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
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/keys/service_account.json");
    let rows = [
        (vec!["--credentials", key], BEARER),
        (
            vec!["--access-token-file", "/no where"],
            if cfg!(windows) { BEARER } else { "Bearer $(cat '/no where')" },
        ),
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
    let token = if cfg!(windows) { BEARER } else { "$(gcloud auth application-default print-access-token)" };
    assert!(ran.stdout.contains(token), "{ran:#?}");
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

/// The quota project is in the file, and the environment goes before it.
#[test]
fn the_quota_project_of_the_credentials() {
    let server = full_server();
    let file = std::env::temp_dir().join(format!("lro-quota-{}", std::process::id()));
    let user = r#"{"type": "authorized_user", "client_id": "c", "client_secret": "CANARY", "refresh_token": "CANARY",
        "quota_project_id": "of-file"}"#;
    std::fs::write(&file, user).unwrap();
    let path = file.to_string_lossy().into_owned();
    let by = |option: &str, variable: &str| {
        let run = Lro::new(&["--dry-run", "get", "operations/1"]).and(option).asks(&server);
        let run = run.variable("GOOGLE_APPLICATION_CREDENTIALS", &path);
        let run =
            if variable.is_empty() { run } else { run.variable("GOOGLE_CLOUD_QUOTA_PROJECT", variable) };
        run.runs().exits(0).stdout
    };
    let rows = [
        ("default", "", "", "of-file"),
        ("file", &*format!("--credentials {path}"), "", "of-file"),
        ("environment", "", "of-environment", "of-environment"),
        ("option", "--quota-project of-option", "of-environment", "of-option"),
    ];
    for (row, option, variable, project) in rows {
        let shown = by(option, variable);
        assert!(shown.contains(&format!("\nx-goog-user-project: {project}\n")), "{row}: {shown}");
        assert!(!shown.contains("CANARY"), "{row}: {shown}");
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(server.request_count(), 0);
}

#[test]
fn a_call_and_a_command_for_grpcurl() {
    let grpc = |line: &str| {
        let run =
            lro("--dry-run --transport grpc --endpoint longrunning.googleapis.com --header x-a:1").and(line);
        run.word("--header").word("X-My-Token: CANARY").runs().exits(0).says_nothing().stdout
    };
    let shown = grpc("cancel projects/p/operations/1");
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(
        lines[..2],
        ["/google.longrunning.Operations/CancelOperation", "authority: longrunning.googleapis.com",]
    );
    let wanted = [
        "x-goog-request-params: name=projects/p/operations/1",
        "x-a: 1",
        "x-my-token: [redacted]",
        r#"{"name":"projects/p/operations/1"}"#,
    ];
    for line in wanted {
        assert!(lines.contains(&line), "{line}\n{shown}");
    }
    let command = lines.last().unwrap();
    assert!(command.starts_with("grpcurl -proto google/longrunning/operations.proto -H "), "{command}");
    assert!(
        command.contains(&format!(r#" -H {QUOTE}x-a: 1{QUOTE} -H "x-my-token: {TOKEN}" -d "#)),
        "{command}"
    );
    let message = if cfg!(windows) {
        r#""{\"name\":\"projects/p/operations/1\"}""#
    } else {
        r#"'{"name":"projects/p/operations/1"}'"#
    };
    let end = " longrunning.googleapis.com:443 google.longrunning.Operations/CancelOperation";
    assert!(command.ends_with(&format!(" -d {message}{end}")), "{command}");
    assert!(!shown.contains("CANARY"), "{shown}");

    let rows = [
        ("get a", "GetOperation", r#"{"name":"a"}"#),
        ("wait a", "GetOperation", r#"{"name":"a"}"#),
        ("delete a", "DeleteOperation", r#"{"name":"a"}"#),
        (
            "list projects/p --filter 0 --page-size 7 --page-token t --partial-success",
            "ListOperations",
            r#"{"name":"projects/p","filter":"0","pageSize":7,"pageToken":"t","returnPartialSuccess":true}"#,
        ),
        ("list projects/p", "ListOperations", r#"{"name":"projects/p"}"#),
    ];
    for (line, method, message) in rows {
        let call: Value = serde_json::from_str(&grpc(&format!("--format json {line}"))).unwrap();
        assert_eq!(call["method"], format!("/google.longrunning.Operations/{method}"), "{line}");
        assert_eq!(call["authority"], "longrunning.googleapis.com", "{line}");
        assert_eq!(call["metadata"]["x-my-token"], "[redacted]", "{line}");
        assert_eq!(call["message"], serde_json::from_str::<Value>(message).unwrap(), "{line}");
    }
}

/// The address of grpcurl has a port, and who does not use TLS says so.
#[test]
fn the_address_of_a_call() {
    let rows = [
        ("a.example", " a.example:443 "),
        ("https://a.example:8443", " a.example:8443 "),
        ("http://127.0.0.1", " 127.0.0.1:80 "),
        ("http://[::1]", " '[::1]:80' "),
        ("http://[::1]:99", " '[::1]:99' "),
    ];
    for (endpoint, address) in rows {
        let address = &address.replace('\'', QUOTE);
        let ran = lro("--dry-run --transport grpc get a --endpoint").word(endpoint).runs().exits(0);
        let command = ran.stdout.lines().last().unwrap();
        assert!(command.contains(address), "{endpoint}: {command}");
        assert_eq!(command.contains(" -plaintext "), endpoint.starts_with("http:"), "{endpoint}: {command}");
    }
}

#[test]
fn what_would_not_be_sent_is_refused() {
    let server = full_server();
    lro("--dry-run get operations/../1").asks(&server).runs().exits(2);
    let grpc = ["get a --endpoint http://a.example", "get a --endpoint https://a.example/base"];
    for line in grpc {
        lro("--dry-run --transport grpc").asks(&server).and(line).runs().exits(2).prints("");
    }
    lro("--dry-run serve").runs().exits(2).says("lro: --dry-run is for commands that send requests");
}

/// What quotes a word in a printed line, and what stands for secrets.
const QUOTE: &str = if cfg!(windows) { "\"" } else { "'" };
const TOKEN: &str = if cfg!(windows) { "%X_MY_TOKEN%" } else { "$X_MY_TOKEN" };
const BEARER: &str = if cfg!(windows) { "Bearer %ACCESS_TOKEN%" } else { "Bearer $ACCESS_TOKEN" };
