//! Which request is sent, and with which credentials: bindings, API keys, and pasted URLs of any shape.

use std::fs;
use std::path::PathBuf;

use longrunning::testing::{FakeOperation, FakeServer};

use crate::kit::{Lro, full_server, lro, server};

/// The start line of the only request that was sent.
fn sent(server: &FakeServer) -> String {
    let requests = server.take_requests();
    assert_eq!(requests.len(), 1);
    format!("{} {}", requests[0].method(), requests[0].target())
}

fn file(name: &str, content: &str) -> PathBuf {
    let file = std::env::temp_dir().join(format!("lro-connection-{name}-{}", std::process::id()));
    fs::write(&file, content).unwrap();
    file
}

#[test]
fn a_url_is_used_as_it_stands() {
    let server = server();
    let rows = [
        ("get", "v2/odd/shape/42", "GET /v2/odd/shape/42"),
        ("get", "v1/4711", "GET /v1/4711"),
        ("get", "v1/jobs/7?alt=json#x", "GET /v1/jobs/7"),
        ("get", "v1/jobs/a%20b%3Ac", "GET /v1/jobs/a%20b%3Ac"),
        ("get", "v1beta/batches/42", "GET /v1beta/batches/42"),
        ("get", "v1/transferOperations/a", "GET /v1/transferOperations/a"),
        ("get", "storage/v1/b/bucket/operations/42", "GET /storage/v1/b/bucket/operations/42"),
        ("get", "compute/v1/odd/42", "GET /compute/v1/odd/42"),
        (
            "get",
            "compute/v1/projects/p/zones/z/operations/o",
            "GET /compute/v1/projects/p/zones/z/operations/o",
        ),
        (
            "get",
            "compute/v1/locations/global/operations/o?parentId=organizations/7",
            "GET /compute/v1/locations/global/operations/o?parentId=organizations%2F7",
        ),
        ("cancel", "sql/v1beta4/projects/p/operations/o", "POST /sql/v1beta4/projects/p/operations/o/cancel"),
        ("cancel", "v2/odd/shape/42", "POST /v2/odd/shape/42:cancel"),
        ("cancel", "v2/odd/shape/42:cancel", "POST /v2/odd/shape/42:cancel"),
        ("delete", "v1/operations/42", "DELETE /v1/operations/42"),
        ("list", "v1beta/batches", "GET /v1beta/batches"),
        ("list", "v2/projects/p", "GET /v2/projects/p/operations"),
    ];
    for (command, path, expected) in rows {
        lro(command).word(format!("{}/{path}", server.url())).runs();
        assert_eq!(sent(&server), expected);
    }
    lro("delete")
        .word(format!("{}/v2/projects/p/services/s", server.url()))
        .runs()
        .exits(2)
        .says("lro: hint: for names of another shape there is --binding");
    assert!(server.take_requests().is_empty(), "no resource is deleted by its URL");
}

#[test]
fn a_wait_for_a_url_of_another_shape() {
    let server = server();
    server.insert(FakeOperation::new("jobs/7").done_at_poll(3));
    let journal = std::env::temp_dir().join(format!("lro-connection-journal-{}", std::process::id()));
    let wait = lro("wait --poll-interval 10ms --format json --journal").word(journal.to_string_lossy());
    let ran = wait.word(format!("{}/v2/jobs/7", server.url())).runs().exits(0);
    assert_eq!(ran.names(), ["jobs/7"]);
    assert!(server.take_requests().iter().all(|request| request.path().starts_with("/v2/jobs/7")));
    fs::remove_file(&journal).unwrap();
    let _ = fs::remove_file(journal.with_extension("lock"));
}

#[test]
fn the_scheme_of_a_url_may_be_missing() {
    let rows = [
        (
            "run.googleapis.com/v2/projects/p/operations/1",
            "https://run.googleapis.com/v2/projects/p/operations/1",
        ),
        (
            "//run.googleapis.com/v2/projects/p/operations/1",
            "https://run.googleapis.com/v2/projects/p/operations/1",
        ),
        (
            "//run.googleapis.com/projects/p/operations/1",
            "https://run.googleapis.com/v1/projects/p/operations/1",
        ),
        (
            "--api-version v2 //run.googleapis.com/projects/p/operations/1",
            "https://run.googleapis.com/v2/projects/p/operations/1",
        ),
    ];
    for (line, url) in rows {
        let shown = lro("--dry-run get").and(line).runs().exits(0).says_nothing().stdout;
        assert!(shown.starts_with(&format!("GET {url}\n")), "{line}: {shown}");
    }
    for url in
        ["evil.example/v1/operations/1", "//evil.example/v1/operations/1", "//evil.example/operations/1"]
    {
        let ran = Lro::new(&["--dry-run", "get", url]).runs().exits(2);
        ran.says(&format!("lro: `{url}` is not at a host of Google's"));
    }
}

#[test]
fn a_port_of_this_machine_without_a_scheme_hints_at_plain_http() {
    let server = full_server();
    let authority = server.url().replace("http://", "");
    let hint = format!("lro: hint: without a scheme it is https; for plain http say http://{authority}");
    let by_option = lro("get operations/done --retries 0 --endpoint").word(&authority);
    let by_url = lro("get --retries 0").word(format!("{authority}/v1/operations/done"));
    let by_variable = lro("get operations/done --retries 0").variable("LRO_ENDPOINT", &authority);
    for run in [by_option, by_url, by_variable] {
        run.runs().exits(1).says(&hint);
    }
    let ran = lro("get operations/done --retries 0 --endpoint")
        .word(format!("https://{authority}"))
        .runs()
        .exits(1);
    assert!(!ran.stderr.contains("hint: without a scheme"), "{ran:?}");
}

#[test]
fn bindings_map_methods_to_paths() {
    let server = server();
    let rows = [
        ("--binding get=/v3/{name=jobs/*} get jobs/7", "GET /v3/jobs/7"),
        ("--binding get=/v3/{name=tasks/*} --binding get=/v4/{name=jobs/*} get jobs/7", "GET /v4/jobs/7"),
        ("--binding list=/v3/{name=**}/jobs list projects/p", "GET /v3/projects/p/jobs"),
        ("--binding cancel=/v3/{name=jobs/*}:stop cancel jobs/7", "POST /v3/jobs/7:stop"),
        ("--binding delete=/v3/{name=jobs/*} delete jobs/7", "DELETE /v3/jobs/7"),
        // The other methods stay as they are.
        ("--binding delete=/v3/{name=jobs/*} --api-version v2 get operations/7", "GET /v2/operations/7"),
    ];
    for (line, expected) in rows {
        lro(line).asks(&server).runs();
        assert_eq!(sent(&server), expected, "{line}");
    }
    lro("--binding").word("get=POST /v3/{name=models/*}:fetch").and("get models/7").asks(&server).runs();
    assert_eq!(sent(&server), "POST /v3/models/7:fetch");
    let shown =
        lro("--dry-run --binding get=/v3/{name=jobs/*} get jobs/7").asks(&server).runs().exits(0).stdout;
    assert!(shown.starts_with(&format!("GET {}/v3/jobs/7\n", server.url())), "{shown}");
}

#[test]
fn bindings_that_cannot_be_used() {
    let server = server();
    let rows = [
        ("get", "lro: --binding `get` names no method: expected get, list, cancel, delete or wait"),
        ("poll=/v1/{name}", "lro: --binding `poll` names no method"),
        ("get=v1", "lro: path template `v1` is wrong at byte 0"),
        (
            "get=HEAD /v1/{name}",
            "lro: --binding has the HTTP method `HEAD`, expected GET, POST, PUT, PATCH or DELETE",
        ),
    ];
    for (binding, message) in rows {
        lro("get operations/1 --binding").word(binding).asks(&server).runs().exits(2).says(message);
    }
    let grpc =
        lro("get operations/1 --transport grpc --binding get=/v1/{name}").asks(&server).runs().exits(2);
    grpc.says("lro: --binding is part of URLs, which --transport grpc has none of");
    lro("get jobs/7")
        .asks(&server)
        .runs()
        .exits(2)
        .says("lro: hint: for names of another shape there is --binding");
    assert_eq!(server.request_count(), 0);
}

#[test]
fn an_api_key_comes_from_a_file_a_variable_or_a_url() {
    let server = full_server();
    let key_file = file("key", "CANARY-file\n");
    let key_file = key_file.to_string_lossy();
    let get = || Lro::new(&["get", "operations/done"]).asks(&server);
    let url = format!("{}/v1/operations/done?alt=json&key=CANARY-%75rl", server.url());
    let by_url = |url: &str| Lro::new(&["get", "-v", url]);
    let rows = [
        ("file", get().and("--api-key-file").word(&*key_file), "CANARY-file"),
        ("variable", get().variable("LRO_API_KEY", "CANARY-variable"), "CANARY-variable"),
        (
            "the option wins",
            get().and("--api-key-file").word(&*key_file).variable("LRO_API_KEY", "x"),
            "CANARY-file",
        ),
        ("URL", by_url(&url), "CANARY-url"),
        ("the URL wins", by_url(&url).variable("LRO_API_KEY", "x"), "CANARY-url"),
        ("over gRPC", by_url(&url.replace("done", "running")).and("--transport grpc"), "CANARY-url"),
    ];
    for (row, run, key) in rows {
        let ran = run.runs().exits(0);
        let request = &server.take_requests()[0];
        assert_eq!(request.header("x-goog-api-key"), Some(key), "{row}");
        assert_eq!(
            (request.header("authorization"), request.target().contains("CANARY")),
            (None, false),
            "{row}"
        );
        assert!(!ran.stderr.contains("CANARY") && !ran.stdout.contains("CANARY"), "{row}: {ran:?}");
    }
    // The variable does not count where there is an option.
    lro("get operations/done").asks(&server).variable("LRO_API_KEY", "CANARY").runs().exits(0);
    assert_eq!(server.take_requests()[0].header("x-goog-api-key"), None);
    get()
        .and("--api-key-file /nonexistent")
        .runs()
        .exits(2)
        .says("lro: cannot read the file `/nonexistent` of --api-key-file");
    let pasted = get().and("--api-key-file AIzaSyCANARY5678901234567890123456789012").runs().exits(2);
    assert!(!pasted.stderr.contains("CANARY"), "{pasted:?}");
    fs::remove_file(&*key_file).unwrap();
}

#[test]
fn two_credentials_exclude_each_other() {
    let server = full_server();
    let options = ["--credentials a", "--access-token-file a", "--api-key-file a", "--anonymous"];
    let with_key = format!("get {}/v1/operations/done?key=CANARY", server.url());
    for (at, first) in options.iter().enumerate() {
        let others = options[at + 1..].iter().map(|second| format!("get operations/done {second}"));
        for line in others.chain([with_key.clone()]) {
            for mode in ["", " --dry-run"] {
                let ran = Lro::new(&[]).and(first).and(&line).and(mode).asks(&server).runs().exits(2);
                let ran = ran.says("lro: --credentials, --access-token-file, --api-key-file, --anonymous and the key of a URL exclude");
                assert!(!ran.stderr.contains("CANARY"), "{ran:?}");
            }
        }
    }
    assert_eq!(server.request_count(), 0);
}

/// Wherever a URL with a key is repeated, it is repeated without.
#[test]
fn the_key_of_a_url_is_never_printed() {
    let server = full_server();
    let at = |name: &str| format!("{}/v1/operations/{name}?key=CANARY", server.url());
    let rows = [
        (Lro::new(&["get", "https://evil.example/v1/operations/1?key=CANARY"]), 2),
        (Lro::new(&["get", "https://evil.example/operations/1?key=CANARY"]), 2),
        (
            Lro::new(&[
                "get",
                "--endpoint",
                "a.example",
                "https://run.googleapis.com/v1/operations/1?key=CANARY",
            ]),
            2,
        ),
        (Lro::new(&["get"]).word(at("none")), 5),
        (Lro::new(&["get"]).word(format!("{}/v1/operations?key=CANARY", server.url())), 2),
        (Lro::new(&["get", "-v", "--dry-run"]).word(at("1")), 0),
        (Lro::new(&["get", "--dry-run", "--transport", "grpc"]).word(at("1")), 0),
        (Lro::new(&["get", "--dry-run", "--format", "json"]).word(at("1")), 0),
        (Lro::new(&["wait", "--total-timeout", "50ms", "--progress", "always"]).word(at("running")), 4),
        (Lro::new(&["delete", "-"]).input(&format!("{}\n{}", at("none"), at("done"))), 5),
    ];
    for (run, code) in rows {
        let ran = run.runs().exits(code);
        assert!(!ran.stderr.contains("CANARY") && !ran.stdout.contains("CANARY"), "{ran:#?}");
    }
    let waited = Lro::new(&["wait", "--total-timeout", "50ms"]).word(at("running")).runs().exits(4);
    let waited = waited.says(&format!(
        "lro: continue with: lro --total-timeout 50ms wait {}/v1/operations/running",
        server.url()
    ));
    waited.says("lro: the API key of the URL is not repeated: set LRO_API_KEY to it");
    let cancelled = Lro::new(&["cancel", "-"]).input(&at("running")).runs().exits(0);
    assert!(!cancelled.stderr.contains("CANARY"), "{cancelled:?}");
}

#[test]
fn a_journal_uses_the_key_of_the_url_and_does_not_keep_it() {
    let server = full_server();
    let journal = std::env::temp_dir().join(format!("lro-connection-keys-{}", std::process::id()));
    let url = format!("{}/v1/operations/third?key=CANARY", server.url());
    let wait = Lro::new(&["wait", "--poll-interval", "10s", "--total-timeout", "1s", "--journal"]);
    wait.word(journal.to_string_lossy()).word(&url).runs().exits(4);
    assert!(!fs::read_to_string(&journal).unwrap().contains("CANARY"));
    let requests = server.take_requests();
    assert!(requests.iter().all(|request| request.header("x-goog-api-key") == Some("CANARY")));
    let again = Lro::new(&["wait", "--poll-interval", "10ms", "--journal"]).word(journal.to_string_lossy());
    again.variable("LRO_API_KEY", "CANARY").runs().exits(0);
    fs::remove_file(&journal).unwrap();
    let _ = fs::remove_file(journal.with_extension("lock"));
}

#[test]
fn a_dry_run_names_the_file_or_the_variable_of_a_key() {
    let key_file = file("dry-run", "CANARY");
    let key_file = key_file.to_string_lossy();
    let run =
        |run: Lro| run.and("--dry-run get https://run.googleapis.com/v2/operations/1").runs().exits(0).stdout;
    let by_file = run(Lro::new(&["--api-key-file", &key_file]));
    let key = |posix: &str| {
        format!("--header \"x-goog-api-key: {}\"", if cfg!(windows) { "%LRO_API_KEY%" } else { posix })
    };
    assert!(by_file.contains(&key(&format!("$(cat {key_file})"))), "{by_file}");
    let by_variable = run(Lro::new(&[]).variable("LRO_API_KEY", "CANARY"));
    assert!(by_variable.contains(&key("$LRO_API_KEY")), "{by_variable}");
    assert!(!by_file.contains("CANARY") && !by_variable.contains("CANARY"));
    fs::remove_file(&*key_file).unwrap();
}
