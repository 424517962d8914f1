//! The way to a server: TLS, proxies, plain http, impersonation.

use std::fs;
use std::path::PathBuf;

use longrunning::testing::FakeServer;

use crate::kit::{Lro, full_server, lro};
use crate::secure::{CA_FILE, SecureServer};

fn secured() -> (FakeServer, SecureServer) {
    let server = full_server();
    let secure = SecureServer::start(&server);
    (server, secure)
}

fn file(name: &str, content: &str) -> PathBuf {
    let file = std::env::temp_dir().join(format!("lro-network-{name}-{}", std::process::id()));
    fs::write(&file, content).unwrap();
    file
}

#[test]
fn a_ca_file_is_trusted_too() {
    let (server, secure) = secured();
    let get =
        || lro("get operations/done --retries 0 --endpoint").word(format!("https://{}", secure.address));
    get().runs().exits(1);
    get().variable("SSL_CERT_FILE", "").runs().exits(1);
    assert_eq!(server.request_count(), 0);
    get().and("--ca-file").word(CA_FILE).runs().exits(0).says_nothing();
    get().variable("SSL_CERT_FILE", CA_FILE).runs().exits(0).says_nothing();
    let named = |name: &str| {
        lro("get --retries 0").word(format!("https://{name}:{}/v1/operations/done", secure.address.port()))
    };
    named("localhost").and("--ca-file").word(CA_FILE).runs().exits(0);
    assert_eq!(server.request_count(), 3);
}

#[test]
fn files_of_certificates_that_cannot_be_used() {
    let (server, secure) = secured();
    let empty = file("no-certificates", "nothing");
    let empty = empty.to_string_lossy();
    let endpoint = format!("https://{}", secure.address);
    let get = || lro("get operations/done --endpoint").word(&endpoint);
    get()
        .and("--ca-file /nonexistent/ca.pem")
        .runs()
        .exits(2)
        .says("lro: cannot read the file `/nonexistent/ca.pem` of --ca-file: ");
    get()
        .variable("SSL_CERT_FILE", "/nonexistent/ca.pem")
        .runs()
        .exits(2)
        .says("lro: cannot read the file `/nonexistent/ca.pem` of SSL_CERT_FILE: ");
    get().and("--ca-file").word(&*empty).runs().exits(2);
    get().variable("SSL_CERT_FILE", &empty).runs().exits(2);
    let pasted = get().word(format!("--ca-file={}", fs::read_to_string(CA_FILE).unwrap())).runs().exits(2);
    let pasted = pasted.says("lro: --ca-file contains a PEM block; it must be the path of a file");
    assert!(!pasted.stderr.contains("BEGIN"), "{pasted:?}");
    fs::remove_file(&*empty).unwrap();
    assert_eq!(server.request_count(), 0);
}

/// SSL_CERT_FILE replaces what is trusted, and --ca-file adds to it.
#[test]
fn a_ca_file_adds_to_ssl_cert_file() {
    let (server, secure) = secured();
    let other = longrunning_roots();
    let get =
        || lro("get operations/done --retries 0 --endpoint").word(format!("https://{}", secure.address));
    get().variable("SSL_CERT_FILE", &other).runs().exits(1);
    get().variable("SSL_CERT_FILE", &other).and("--ca-file").word(CA_FILE).runs().exits(0);
    assert_eq!(server.request_count(), 1);
}

/// A certificate that signs nothing here.
fn longrunning_roots() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/server.pem").to_owned()
}

#[cfg(feature = "platform-roots")]
#[test]
fn roots_of_the_platform() {
    // Wine has no trust store.
    if cfg!(windows) && std::env::var_os("WINEPREFIX").is_some() {
        return eprintln!("skipped under Wine");
    }
    let (server, secure) = secured();
    let get = || {
        lro("get operations/done --retries 0 --platform-roots --endpoint")
            .word(format!("https://{}", secure.address))
    };
    get().runs().exits(1);
    get().and("--ca-file").word(CA_FILE).runs().exits(0);
    assert_eq!(server.request_count(), 1);
}

#[test]
fn a_proxy_is_used_as_the_option_says() {
    let (server, secure) = secured();
    let proxy = format!("http://{}", secure.address);
    let get = || lro("get https://run.googleapis.com/v2/operations/done --retries 0 --ca-file").word(CA_FILE);
    get().and("--proxy").word(&proxy).runs().exits(0).says_nothing();
    assert_eq!(server.take_requests()[0].target(), "/v2/operations/done");
    // The option wins over the environment.
    get().and("--proxy").word(&proxy).variable("HTTPS_PROXY", "http://127.0.0.1:1").runs().exits(0);
    get().variable("HTTPS_PROXY", &proxy).runs().exits(0);
    assert_eq!(server.request_count(), 3);
    let direct = lro("get https://localhost:1/v1/operations/1 --retries 0 --attempt-timeout 2s --proxy none");
    direct.variable("HTTPS_PROXY", &proxy).runs().exits(1);
    assert_eq!(secure.connects(), ["run.googleapis.com:443"]);
    get().and("--proxy socks9://u:CANARY@h").runs().exits(2);
    let refused = get().and("--proxy http://u:CANARY@127.0.0.1:1").runs().exits(1);
    assert!(!refused.stderr.contains("CANARY"), "{refused:?}");
}

#[test]
fn a_service_account_is_impersonated() {
    let (server, secure) = secured();
    server.require_issued_tokens();
    let login = file("login", &server.auth().authorized_user_file());
    let login = login.to_string_lossy();
    let account = "robot@p.iam.gserviceaccount.com";
    let run = |command: &str| {
        Lro::new(&["--credentials", &login, "--ca-file", CA_FILE, "--impersonate-service-account", account])
            .and(command)
            .and("--proxy")
            .word(format!("http://{}", secure.address))
    };
    let url = "https://run.googleapis.com/v2/operations/done";
    run(&format!("get {url}")).runs().exits(0);
    assert_eq!(secure.connects(), ["iamcredentials.googleapis.com:443", "run.googleapis.com:443"]);
    let requests = server.take_requests();
    let paths: Vec<_> = requests.iter().map(|request| request.path()).collect();
    let generate = "/v1/projects/-/serviceAccounts/robot%40p.iam.gserviceaccount.com:generateAccessToken";
    assert_eq!(paths[1..], [generate, "/v2/operations/done"], "after the login");
    let shown = run(&format!("get {url} --dry-run")).runs().exits(0).stdout;
    let token = match cfg!(windows) {
        true => "%ACCESS_TOKEN%".to_owned(),
        false => format!("$(gcloud auth print-access-token --impersonate-service-account {account})"),
    };
    assert!(shown.contains(&format!(r#"--header "authorization: Bearer {token}""#)), "{shown}");
    assert_eq!(server.request_count(), requests.len() as u64);
    fs::remove_file(&*login).unwrap();
}

#[test]
fn what_has_no_access_token_cannot_impersonate() {
    let server = full_server();
    let key = file("key", "CANARY-1");
    let key = key.to_string_lossy();
    let account = ["get", "operations/done", "--impersonate-service-account"];
    let rows = [
        Lro::new(&account).word("robot@p").and("--anonymous"),
        Lro::new(&account).word("robot@p").and("--api-key-file").word(&*key),
        Lro::new(&account).word("robot@p").variable("LRO_API_KEY", "CANARY-2"),
    ];
    for run in rows {
        let ran = run.asks(&server).runs().exits(2);
        let ran = ran.says("lro: --impersonate-service-account needs credentials with an access token: ");
        assert!(!ran.stderr.contains("CANARY"), "{ran:?}");
    }
    Lro::new(&account).word("robot/p").asks(&server).runs().exits(2);
    fs::remove_file(&*key).unwrap();
    assert_eq!(server.request_count(), 0);
}

/// `0.0.0.0` is this machine for the system, but not for what checks names.
#[cfg(unix)]
#[test]
fn plain_http_to_another_machine_is_for_anonymous_clients() {
    let server = full_server();
    let endpoint = server.url().replace("127.0.0.1", "0.0.0.0");
    let key = file("plain-key", "CANARY-1");
    let key = key.to_string_lossy();
    let get = |options: &[&str]| {
        Lro::new(&["get", "operations/done", "--endpoint", &endpoint]).and(&options.join(" "))
    };
    let not_https = format!("lro: endpoint `{endpoint}` is not https");
    get(&["--anonymous"])
        .runs()
        .exits(2)
        .says(&not_https)
        .says("lro: hint: for an emulator there is --allow-plain-http");
    let refused =
        format!("lro: endpoint `{endpoint}` is plain http, over which credentials could be read on the way");
    for run in [
        get(&["--allow-plain-http"]),
        get(&["--allow-plain-http", "--api-key-file", &key]),
        get(&["--allow-plain-http"]).variable("LRO_API_KEY", "CANARY-2"),
        Lro::new(&["--allow-plain-http", "--endpoint", &endpoint, "get"])
            .word(format!("{endpoint}/v1/operations/done?key=CANARY-3")),
    ] {
        let ran = run.runs().exits(2).says(&refused);
        assert!(!ran.stderr.contains("CANARY"), "{ran:?}");
    }
    let header =
        get(&["--allow-plain-http", "--anonymous", "--header", "x-goog-api-key:CANARY-4"]).runs().exits(2);
    assert!(
        header.stderr.contains("header `x-goog-api-key` may be a credential")
            && !header.stderr.contains("CANARY")
    );
    assert_eq!(server.request_count(), 0);

    get(&["--allow-plain-http", "--anonymous"]).runs().exits(0).says_nothing();
    lro("--allow-plain-http --transport grpc get operations/running --endpoint")
        .word(&endpoint)
        .runs()
        .exits(0);
    lro("--allow-plain-http get").word(format!("{endpoint}/v2/operations/done")).runs().exits(0);
    assert_eq!(server.request_count(), 3);
    let shown = get(&["--allow-plain-http", "--anonymous", "--dry-run"]).runs().exits(0).stdout;
    assert!(shown.starts_with(&format!("GET {endpoint}/v1/operations/done\n")), "{shown}");
    fs::remove_file(&*key).unwrap();
}

#[test]
fn a_dry_run_shows_the_way_to_the_server() {
    let url = "https://run.googleapis.com/v2/operations/1";
    let run = |options: &str| lro("--dry-run get").word(url).and(options).runs().exits(0).stdout;
    let shown = run(&format!("--ca-file {CA_FILE} --proxy http://proxy.example:3128"));
    let curl = format!("curl --request GET --cacert {CA_FILE} --proxy http://proxy.example:3128 --header ");
    assert!(shown.contains(&curl), "{shown}");
    let shown = run(&format!("--ca-file {CA_FILE} --transport grpc"));
    assert!(shown.contains(&format!("grpcurl -cacert {CA_FILE} -proto ")), "{shown}");
    assert!(!run("--proxy http://u:CANARY@proxy.example:3128").contains("CANARY"));
    assert!(!run("--proxy none").contains("--proxy"));
}
