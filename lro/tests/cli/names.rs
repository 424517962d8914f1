//! What can be given as a name.

use std::fs;

use crate::kit::{Lro, full_server, lro, server};

#[test]
fn a_url_is_a_name() {
    let (server, other) = (full_server(), server());
    let url = |version: &str, name: &str| format!("{}/{version}/operations/{name}", server.url());
    lro("get").word(url("v2", "done")).asks(&other).runs().exits(0);
    assert_eq!(server.take_requests()[0].target(), "/v2/operations/done");
    assert_eq!(other.request_count(), 0, "the URL wins over the environment");

    lro("wait --format json")
        .word(url("compute/v1", "done"))
        .word(format!("{}/v1/operations/0", other.url()))
        .runs()
        .exits(5);
    assert_eq!(server.take_requests()[0].target(), "/compute/v1/operations/done");
    assert_eq!(other.request_count(), 1);
}

#[test]
fn credentials_do_not_follow_a_url() {
    let file = std::env::temp_dir().join(format!("lro-names-{}", std::process::id()));
    fs::write(&file, "CANARY").unwrap();
    let get = |url: &str| Lro::new(&["get", url, "--access-token-file"]).word(file.to_string_lossy());
    get("https://evil.example/v1/operations/1")
        .runs()
        .exits(2)
        .says("lro: `https://evil.example/v1/operations/1` is not at a host of Google's")
        .says(
            "lro: hint: if credentials may go there, add --endpoint https://evil.example, else --anonymous",
        );
    get("https://run.googleapis.com/v1/operations/1")
        .and("--endpoint other.googleapis.com")
        .runs()
        .exits(2)
        .says(
            "lro: `https://run.googleapis.com/v1/operations/1` is not at the endpoint that --endpoint gives",
        );
    fs::remove_file(&file).unwrap();
}

#[test]
fn names_come_from_standard_input() {
    let server = full_server();
    let listed = lro("list --format json").asks(&server).runs().exits(0);
    let waited = lro("wait --total-timeout 300ms --poll-interval 10ms --format json -")
        .asks(&server)
        .input(&listed.stdout);
    let waited = waited.runs().exits(3);
    assert_eq!(waited.stdout.lines().count(), 3, "{waited:#?}");
    lro("delete -").asks(&server).input("operations/done\n\n  operations/failed\n").runs().exits(0);
    assert!(server.operation("operations/done").is_none() && server.operation("operations/failed").is_none());
    for command in ["cancel -", "delete -"] {
        lro(command).asks(&server).input("\n").runs().exits(0).prints("").says_nothing();
    }
    lro("wait -").asks(&server).input("\n").runs().exits(0).prints("").says("lro: nothing to wait for");
    lro("cancel -")
        .asks(&server)
        .input("{")
        .runs()
        .exits(2)
        .says("lro: standard input has a line that is no operation");
}

/// As in full resource names, and as users shorten URLs.
#[test]
fn a_url_without_a_version_has_that_of_the_option_or_v1() {
    let server = full_server();
    let url = |id: &str| format!("{}/operations/{id}", server.url());
    for (options, target) in [("", "/v1/operations/done"), ("--api-version v2", "/v2/operations/done")] {
        lro("get").word(url("done")).and(options).runs().exits(0);
        assert_eq!(server.take_requests()[0].target(), target);
    }
    lro("get").word(url("gone")).runs().exits(5).says(
        "lro: hint: the URL has no version, so it was requested at v1: give another one by --api-version",
    );
    let other = server.url() + "/v3/operations/done";
    lro("get --api-version v2")
        .word(&other)
        .runs()
        .exits(2)
        .says(&format!("lro: URL `{other}` is not under the version `v2` of --api-version"));
}
