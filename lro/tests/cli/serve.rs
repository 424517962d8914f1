//! `lro serve`: the embedded server as a program.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::Child;

#[cfg(unix)]
use crate::default_signals;
use crate::kit::{Lro, Ran, lro};

/// A server of its own process, ended with the value.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
}

impl Served {
    pub(crate) fn start(run: Lro) -> Self {
        let mut child = run.starts();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }

    pub(crate) fn asked_by(&self, line: &str) -> Lro {
        lro(line).variable("LRO_ENDPOINT", &self.url)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn scenario(name: &str, text: &str) -> PathBuf {
    let file = std::env::temp_dir().join(format!("lro-serve-{name}-{}.json", std::process::id()));
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn the_demonstration() {
    let served = Served::start(lro("serve"));
    let listed = served.asked_by("list projects/demo/locations/here").runs().exits(0);
    assert_eq!(listed.stdout.lines().count(), 5, "{listed:#?}");
    assert!(listed.stdout.starts_with("NAME "), "{listed:#?}");
}

#[test]
fn the_demonstration_over_grpc() {
    let served = Served::start(lro("serve"));
    let parent = "projects/demo/locations/here";
    let listed = served.asked_by(&format!("list {parent} --transport grpc")).runs().exits(0);
    let by_rest = served.asked_by(&format!("list {parent}")).runs().exits(0);
    assert_eq!(listed.stdout.lines().count(), by_rest.stdout.lines().count());
    for operation in ["copy", "index", "import", "forever"] {
        let line = format!("get {parent}/operations/{operation} --transport grpc");
        assert!(served.asked_by(&line).runs().exits(0).stdout.contains("state     running"), "{operation}");
    }
    served.asked_by(&format!("cancel {parent}/operations/import --transport grpc")).runs().exits(0);
    let line = format!("wait {parent}/operations/import --transport grpc --total-timeout 1m");
    served.asked_by(&line).runs().exits(3);
}

#[test]
fn the_demonstration_starts_an_operation() {
    let served = Served::start(lro("serve"));
    let started = post(&served.url, "/v2/projects/demo/locations/here/jobs/nightly:run");
    assert!(started.contains("projects/demo/locations/here/operations/run"), "{started}");
    for transport in ["rest", "grpc"] {
        let line = format!("get run --parent projects/demo/locations/here --transport {transport}");
        let ran = served.asked_by(&line).runs().exits(0);
        assert!(ran.stdout.contains("\"verb\": \"run\""), "{transport}: {ran:#?}");
    }
}

/// Sends an empty object, and returns the response.
fn post(url: &str, path: &str) -> String {
    let host = url.strip_prefix("http://").unwrap();
    let mut connection = std::net::TcpStream::connect(host).unwrap();
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}");
    connection.write_all(head.as_bytes()).unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).unwrap();
    response
}

/// The scenario of the help, comments included, does what is written there.
#[test]
fn the_scenario_of_the_help_can_be_played() {
    let help = Lro::new(&["serve", "--help"]).runs().exits(0).stdout;
    let lines = help.lines().skip_while(|line| *line != "  {");
    let end = lines.clone().position(|line| line == "  }").unwrap();
    let text: String = lines.take(end + 1).map(|line| line.to_owned() + "\n").collect();
    let file = scenario("help", &text);
    let served = Served::start(lro("serve --script").word(file.to_string_lossy()));
    served.asked_by("get projects/p/operations/42").runs().exits(6);
    fs::write(&file, "secret").unwrap();
    let ask = |line: &str| {
        let run = Lro::new(&["--access-token-file"]).word(file.to_string_lossy()).and(line);
        run.variable("LRO_ENDPOINT", &served.url).runs().exits(0)
    };
    for transport in ["rest", "grpc"] {
        let shown = ask(&format!("get projects/p/operations/42 --transport {transport}"));
        assert!(shown.stdout.contains("\"verb\": \"copy\""), "{transport}: {shown:#?}");
    }
    // Two requests are spared, and the next three fail.
    let faults = |ran: &Ran| ran.stderr.matches("status 503").count();
    let mut ran = ask("get projects/p/operations/42 -v");
    for _ in 0..2 {
        ran = if faults(&ran) == 0 { ask("get projects/p/operations/42 -v") } else { ran };
    }
    assert_eq!(faults(&ran), 3, "{ran:#?}");
    fs::remove_file(file).unwrap();
}

/// The examples of the help in a shell, as they are written but for the port.
#[test]
#[cfg(unix)]
fn the_examples_of_the_help_work_as_they_are_written() {
    let help = Lro::new(&["serve", "--help"]).runs().exits(0).stdout;
    let examples = help.split("\nExamples:\n").nth(1).unwrap();
    let [start, export, list, wait, over_grpc, curl, _] = examples.lines().collect::<Vec<_>>()[..] else {
        panic!("{examples}")
    };
    assert!(wait.ends_with(" wait copy") && over_grpc.contains("--transport grpc") && curl.contains("curl "));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = std::path::Path::new(crate::kit::PROGRAM).parent().unwrap();
    let path = format!("PATH='{}':$PATH", folder.display());
    // What takes 20 seconds is looked at in place of waited for.
    let (get, get_over_grpc) = (wait.replace(" wait ", " get "), over_grpc.replace(" wait ", " get "));
    let script = [&path, start, export, list, &get, &get_over_grpc, "kill $!"]
        .join("\n")
        .replace("4242", &port.to_string());
    let output = default_signals::command("bash")
        .args(["-ec", &script])
        .env_clear()
        .envs(crate::kit::kept_variables())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && stdout.contains("\nindex ") && stdout.contains("\nforever "),
        "{stdout}"
    );
    assert_eq!(stdout.matches("state     running").count(), 2, "{stdout}");
}

#[test]
fn a_printed_scenario_can_be_played() {
    let printed = lro("serve --print-script").runs().exits(0);
    let file = scenario("printed", &printed.stdout);
    let served = Served::start(lro("serve --script").word(file.to_string_lossy()));
    served.asked_by("get projects/demo/locations/here/operations/forever").runs().exits(0);
    fs::remove_file(file).unwrap();
}

#[test]
fn a_scenario_with_everything() {
    let file = scenario(
        "everything",
        r#"{
            "operations": [
                {"name": "operations/1", "done_at_poll": 2, "response": {"@type": "x/a.B", "n": 18446744073709551616}},
                {"name": "operations/2", "done_after": "10ms", "error": {"code": 8, "message": "out of disk"}},
                {"name": "operations/3", "ignores_cancel": true,
                 "steps": [{"percent": 0, "metadata": {"@type": "x/a.M", "progressPercent": "{percent}"}}]}
            ],
            "starts": [
                {"request": "POST /v2/{name=jobs/*}:run", "rpc": "a.b.Jobs/Run",
                 "operation": {"name": "operations/started", "done_at_poll": 1}}
            ],
            "faults": [
                {"request": "GET operations/1", "skip": 1, "times": 2, "status": 503, "message": "draining", "retry_after": "0s"},
                {"request": "DELETE", "reset": true},
                {"request": "POST", "delay": "10ms"}
            ],
            "page_size": 2, "wait": true, "token": "sesame"
        }"#,
    );
    let served = Served::start(lro("serve --script").word(file.to_string_lossy()));
    served.asked_by("get operations/1").runs().exits(6);
    fs::write(&file, "sesame").unwrap();
    let ask = |line: &str| {
        let run = Lro::new(&["--access-token-file"]).word(file.to_string_lossy()).and(line);
        run.variable("LRO_ENDPOINT", &served.url).runs()
    };
    let done = ask("wait operations/1 --poll-interval 10ms --long-poll never -v --format json").exits(0);
    assert!(done.stdout.contains("18446744073709551616"), "{done:#?}");
    assert_eq!(done.stderr.matches("draining").count(), 2, "{done:#?}");
    ask("wait operations/2 --poll-interval 10ms").exits(3);
    ask("cancel operations/3").exits(0);
    assert!(ask("get operations/3").exits(0).stdout.contains("running 0 %"));
    ask("delete operations/3 --retries 0").exits(1);
    assert_eq!(ask("list --format json").exits(0).stdout.lines().count(), 3);
    fs::remove_file(file).unwrap();
}

#[test]
fn a_port_of_choice() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let served = Served::start(lro(&format!("serve --port {port}")));
    assert_eq!(served.url, format!("http://127.0.0.1:{port}"));
    lro(&format!("serve --port {port}"))
        .runs()
        .exits(2)
        .says(&format!("lro: failed to listen on `127.0.0.1:{port}`"));
}

#[test]
fn a_scenario_that_cannot_be_used_is_explained() {
    let file = scenario("broken", r#"{"operation": []}"#);
    lro("serve --script")
        .word(file.to_string_lossy())
        .runs()
        .exits(2)
        .says("lro: scenario `")
        .says("lro: hint: `lro serve --help` describes the file");
    fs::remove_file(file).unwrap();
}

#[test]
#[cfg(unix)]
fn a_signal_ends_it() {
    for signal in ["INT", "TERM"] {
        let mut served = Served::start(lro("serve"));
        default_signals::send(signal, &served.child);
        assert_eq!(served.child.wait().unwrap().code(), Some(0), "{signal}");
    }
}

/// A file, a pipe without a writer, one whose writer never ends, a device without an end: none holds the program up.
#[test]
#[cfg(unix)]
fn a_scenario_from_a_pipe_is_read_within_the_timeout() {
    let pipe = scenario("pipe", "");
    fs::remove_file(&pipe).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let path = pipe.to_string_lossy().into_owned();
    let serve = |limit: &str| lro(&format!("serve --total-timeout {limit} --script")).word(path.clone());
    let refused = |ran: Ran| {
        let message = format!("lro: scenario `{path}` cannot be read: it did not end within the timeout");
        ran.exits(2).says(&message);
    };
    refused(serve("100ms").runs());
    let open = fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    refused(serve("100ms").runs());
    drop(open);

    let writing = {
        let path = path.clone();
        std::thread::spawn(move || fs::write(path, r#"{"operations": [{"name": "operations/1"}]}"#))
    };
    let served = Served::start(serve("1m"));
    served.asked_by("get operations/1").runs().exits(0);
    writing.join().unwrap().unwrap();

    let mut waiting = serve("1h").starts();
    default_signals::send("INT", &waiting);
    assert!(!waiting.wait().unwrap().success());
    fs::remove_file(pipe).unwrap();

    let endless = lro("serve --script /dev/zero").runs().exits(2);
    endless.says("lro: scenario `/dev/zero` cannot be read: it is larger than 64 MiB");
}

/// Operations of services with types or URLs of their own, each used by its name at the version of the service.
#[test]
fn a_scenario_with_the_forms_of_services() {
    let rows = [
        (
            "compute",
            "compute/v1",
            "projects/p/zones/z",
            "projects/p",
            "/compute/v1/projects/p/zones/z/instances",
        ),
        ("sql", "sql/v1", "projects/p", "projects/p", "/v1/projects/p/instances"),
        (
            "gke",
            "container/v1",
            "projects/p/locations/l",
            "projects/p",
            "/v1/projects/p/locations/l/clusters",
        ),
        (
            "dns",
            "dns/v1",
            "projects/p/managedZones/z",
            "projects/p/managedZones/z",
            "/dns/v1/projects/p/managedZones/z",
        ),
        (
            "deployment-manager",
            "deploymentmanager/v2",
            "projects/p/global",
            "projects/p",
            "/deploymentmanager/v2/projects/p/global/deployments",
        ),
        ("storage", "storage/v1", "b/B", "b/B", "/storage/v1/b/B/anywhereCaches"),
    ];
    for (form, version, scope, parent, start) in rows {
        let text = format!(
            r#"{{"operations": [
                {{"name": "{scope}/operations/good", "form": "{form}", "done_at_poll": 2}},
                {{"name": "{scope}/operations/bad", "form": "{form}", "done_at_poll": 2, "error": {{"code": 8, "message": "full"}}}},
                {{"name": "{scope}/operations/endless", "form": "{form}"}}
            ], "starts": [
                {{"request": "POST {start}", "operation": {{"name": "{scope}/operations/new", "form": "{form}", "done_at_poll": 2}}}}
            ]}}"#
        );
        let file = scenario(form, &text);
        let served = Served::start(lro("serve --script").word(file.to_string_lossy()));
        let ask = |line: &str| served.asked_by(&format!("--api-version {version} {line}")).runs();
        let wait = |id: &str| ask(&format!("wait {scope}/operations/{id} --poll-interval 10ms"));

        wait("good").exits(0);
        // Operations of Cloud DNS do not fail.
        wait("bad").exits(if form == "dns" { 0 } else { 3 });
        let listed = ask(&format!("list {parent} --format name")).exits(0);
        assert_eq!(listed.stdout.lines().count(), 3, "{form}: {listed:#?}");
        let cancelled = ask(&format!("cancel {scope}/operations/endless"));
        if ["sql", "gke", "storage"].contains(&form) {
            cancelled.exits(0);
            assert!(wait("endless").exits(3).stdout.contains("CANCELLED"), "{form}");
        } else {
            cancelled.exits(2).says("lro: no request was sent: ");
        }
        let deleted =
            ask(&format!("delete {scope}/operations/good")).exits(if form == "compute" { 0 } else { 2 });
        assert_eq!(
            deleted.stderr.contains(" has no DeleteOperation"),
            form != "compute",
            "{form}: {deleted:#?}"
        );
        let started = served.asked_by(&format!("start {start} --wait --poll-interval 10ms")).runs().exits(0);
        assert!(
            started.stderr.contains(&format!("started `{scope}/operations/new`")),
            "{form}: {started:#?}"
        );
        fs::remove_file(file).unwrap();
    }
}
