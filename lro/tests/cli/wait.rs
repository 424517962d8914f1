//! `lro wait`, where standard error is no terminal.

#[cfg(unix)]
use std::io::Read;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use longrunning::testing::{FakeOperation, FakeServer, Reply, Rpc};
use longrunning::{Any, Code, Operation, Status};

use crate::kit::{Ran, full_server, lro, server};

#[test]
fn one_operation_is_shown_whole_when_it_is_done() {
    let server = full_server();
    let waited =
        lro("wait operations/third --poll-interval 10ms --long-poll never").asks(&server).runs().exits(0);
    assert!(waited.stdout.starts_with("name      operations/third\nstate     succeeded\n"), "{waited:#?}");
    assert_eq!(waited.stderr, "lro: third: running 33 % [0s]\nlro: succeeded in 0s\n");
    assert_eq!(server.request_count(), 3);
}

#[test]
fn several_are_told_as_they_end() {
    let server = full_server();
    server.insert(FakeOperation::new("operations/second").done_at_poll(2));
    let waited = lro(
        "wait operations/third operations/done operations/failed operations/second --poll-interval 300ms",
    )
    .asks(&server)
    .runs()
    .exits(3);
    let mut lines: Vec<_> = waited.stdout.lines().collect();
    assert_eq!(&lines[2..], ["operations/second  succeeded", "operations/third  succeeded"], "{waited:#?}");
    lines.truncate(2);
    lines.sort_unstable();
    assert_eq!(
        lines,
        ["operations/done  succeeded", "operations/failed  failed RESOURCE_EXHAUSTED: out of disk"]
    );
    waited.says("lro: 3 succeeded, 1 failed in ").says("lro: operation `operations/failed` failed");
}

#[test]
fn a_thousand_operations_are_asked_for_by_pages() {
    let server = server();
    let names: String = (0..1000).map(|number| format!("operations/{number}\n")).collect();
    for name in names.lines() {
        server.insert(FakeOperation::new(name).done_at_poll(3));
    }
    let waited =
        lro("wait - --format json --progress auto --poll-interval 100ms").asks(&server).input(&names);
    let waited = waited.runs().exits(0).says("lro: 1000 succeeded in ");
    assert_eq!(waited.stdout.lines().count(), 1000);
    assert!(server.request_count() < 20, "{}", server.request_count());
}

#[test]
fn many_operations_that_the_service_calls_by_other_names() {
    let server = server();
    let names: Vec<String> = (0..10).map(|number| format!("projects/p/operations/{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        let other = name.replace("projects/p", "projects/77");
        server.reply_to("GET", name, Operation::running(&other));
        // One of them says nothing at all.
        let other = if number == 3 { String::new() } else { other };
        server.reply_to("GET", name, Reply::from(Operation::succeeded(other, Any::pack(&()))).times(2));
    }
    let waited =
        lro("wait --format json --poll-interval 10ms").and(&names.join(" ")).asks(&server).runs().exits(0);
    assert_eq!(waited.stdout.lines().count(), 10, "{waited:#?}");
}

#[test]
fn progress_can_be_left_out_or_insisted_on() {
    let server = server();
    server.insert(FakeOperation::new("operations/1").done_at_poll(4));
    lro("wait operations/1 --poll-interval 10ms --progress never")
        .asks(&server)
        .runs()
        .exits(0)
        .says_nothing();
    server.insert(FakeOperation::new("operations/2").done_at_poll(4));
    let waited =
        lro("wait operations/2 --poll-interval 700ms --progress always").asks(&server).runs().exits(0);
    assert!(waited.stderr.contains("2 [==") && waited.stderr.contains(" 50 %"), "{waited:#?}");
}

#[test]
fn the_server_can_be_let_wait() {
    let rows = [
        ("auto", Some("POST /v1/operations/1:wait")),
        ("never", None),
        ("body", Some("POST /v1/operations/1:wait")),
        ("query", Some("POST /v1/operations/1:wait?timeout=")),
        ("get", Some("GET /v1/operations/1:wait?timeout=")),
    ];
    for (how, start) in rows {
        let server = FakeServer::builder().real_time().with(Rpc::Wait).start().unwrap();
        server.insert(FakeOperation::new("operations/1").done_after(START + Duration::from_millis(300)));
        lro("wait operations/1 --poll-interval 50ms --long-poll").and(how).asks(&server).runs().exits(0);
        let requests = server.requests();
        let waits = requests.iter().filter(|request| request.path().ends_with(":wait"));
        let waits: Vec<String> =
            waits.map(|request| format!("{} {}", request.method(), request.target())).collect();
        assert_eq!(waits.is_empty(), start.is_none(), "{how}: {waits:?}");
        assert!(start.is_none_or(|start| waits[0].starts_with(start)), "{how}: {waits:?}");
    }
}

#[test]
fn what_still_runs_is_left_or_cancelled() {
    let server = full_server();
    lro("wait operations/running --total-timeout 100ms --on-timeout leave").asks(&server).runs().exits(4);
    assert!(!server.operation("operations/running").unwrap().is_done());
    let waited = lro("wait operations/running --total-timeout 100ms --on-timeout cancel")
        .asks(&server)
        .runs()
        .exits(4);
    assert!(waited.stderr.contains("cancel"), "{waited:#?}");
    assert_eq!(server.operation("operations/running").unwrap().error().unwrap().code(), Code::Cancelled);
}

#[test]
fn faults_do_not_end_a_wait() {
    let server = full_server();
    server.reply(Reply::status(503).times(2));
    server.reply(Reply::reset());
    lro("wait operations/third --poll-interval 10ms").asks(&server).runs().exits(0);
}

/// A log has no line for each of hundreds.
#[test]
fn hundreds_that_run_at_the_limit_are_summed_up() {
    let server = server();
    let names: String = (0..300).map(|number| format!("operations/{number}\n")).collect();
    names.lines().for_each(|name| server.insert(Operation::running(name)));
    let wait = |options: &str| {
        let line = format!("wait - --total-timeout 1s --poll-interval 300ms {options}");
        lro(&line).asks(&server).input(&names).runs().exits(4)
    };
    let ran = wait("").says("lro: 300 still running after ").says("lro: continue with: ");
    assert!(ran.stderr.lines().count() < 10, "{ran:#?}");
    assert!(ran.stderr.contains(" operations/0 ") && ran.stderr.contains(" operations/299"), "{ran:#?}");
    // Without a summary they are told one by one.
    let ran = wait("--progress never");
    assert_eq!(ran.stderr.matches(" still running after ").count(), 300, "{ran:#?}");
}

/// The wait goes on for its exit status.
#[test]
fn a_reader_that_is_gone_changes_nothing() {
    let server = full_server();
    let mut child =
        lro("wait operations/done operations/third operations/failed --format json --poll-interval 200ms")
            .asks(&server)
            .starts();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with(r#"{"name":"operations/"#), "{first}");
    Ran::of(child).exits(3).says("lro: operation `operations/failed` failed");
}

/// Sends a signal as soon as the wait has said all of `until`.
#[cfg(unix)]
pub(crate) fn interrupted(server: &FakeServer, line: &str, until: &[&str], signal: &str) -> Ran {
    let mut child = lro(line).asks(server).starts();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    while !until.iter().all(|part| told.contains(part)) {
        assert_ne!(stderr.read_line(&mut told).unwrap(), 0, "{told}");
    }
    crate::default_signals::send(signal, &child);
    stderr.read_to_string(&mut told).unwrap();
    Ran { stderr: told, ..Ran::of(child) }
}

#[test]
#[cfg(unix)]
fn a_signal_ends_the_wait_and_not_the_operations() {
    let server = full_server();
    server.insert(Operation::running("operations/other"));
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let line = "wait operations/done operations/running operations/other --total-timeout 1h30m";
        let until = ["running: running", "other: running", "1 of 3 done"];
        let ran = interrupted(&server, line, &until, signal).exits(code);
        let expected = format!(
            "lro: interrupted; 2 of 3 operations are not done and continue to run\n\
             lro: continue with: LRO_ENDPOINT={} lro --anonymous --total-timeout 1h30m wait operations/running operations/other\n",
            server.url(),
        );
        assert!(ran.stderr.ends_with(&expected), "{signal}: {ran:#?}");
    }
    assert!(!server.operation("operations/running").unwrap().is_done());
}

/// Also where an answer is a long time coming.
#[test]
#[cfg(unix)]
fn a_signal_does_not_wait_for_the_network() {
    let server = full_server();
    server.reply(Reply::usual());
    server.reply(Reply::hang().times(9));
    let start = std::time::Instant::now();
    let line = "wait operations/running --attempt-timeout 1h";
    interrupted(&server, line, &["running: running"], "INT").exits(130);
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn metadata_of_all_sorts_do_no_harm() {
    let all = [r#""value":[]"#, r#""value":{}"#, r#""percent":"x","statusMessage":"\u001b[2J""#];
    for progress in ["auto", "always"] {
        let server = server();
        for (number, json) in all.iter().enumerate() {
            let metadata = Any::from_json(&format!(r#"{{"@type":"x/y",{json}}}"#)).unwrap();
            server.insert(
                FakeOperation::new(format!("operations/{number}")).metadata(metadata).done_at_poll(4),
            );
        }
        let line = "wait operations/0 operations/1 operations/2 --poll-interval 500ms --progress";
        let waited = lro(line).and(progress).asks(&server).runs().exits(0);
        assert!(waited.stderr.contains(r"\u{1b}[2J"), "shown, but not obeyed: {waited:#?}");
        assert!(!waited.stderr.contains("\u{1b}[2J"), "{waited:#?}");
    }
}

/// The file of a test, in a folder that is removed at its end.
pub(crate) struct Journal(std::path::PathBuf);

impl Journal {
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("lro-journal-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder.join("jobs.jsonl"))
    }

    pub(crate) fn arguments(&self) -> String {
        format!("wait --journal {} --poll-interval 10ms --format json", self.0.display())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
    }
}

#[test]
fn a_journal_outlives_the_wait() {
    let server = full_server();
    let journal = Journal::new("limit");
    let first = lro(&journal.arguments()).and("operations/running operations/done --total-timeout 300ms");
    let first = first.asks(&server).runs().exits(4);
    assert_eq!(first.stdout.lines().count(), 1, "{first:#?}");
    assert!(
        first.stderr.trim_end().ends_with(&format!(
            "{} --poll-interval 10ms --journal {}",
            "wait",
            journal.0.display()
        )),
        "{first:#?}"
    );
    // Without names, and even without an endpoint.
    server.insert(Operation::succeeded("operations/running", Any::pack(&())));
    let second = lro(&journal.arguments()).runs().exits(0);
    assert!(second.stdout.starts_with(r#"{"name":"operations/running","#), "{second:#?}");
    lro(&journal.arguments()).runs().exits(0).prints("").says("lro: nothing to wait for");
}

#[test]
#[cfg(unix)]
fn a_journal_survives_a_kill() {
    let server = full_server();
    let journal = Journal::new("kill");
    let names = ["operations/done", "operations/failed", "operations/running"];
    let line = format!("{} --progress auto {}", journal.arguments(), names.join(" "));
    // By the second end the first one is dealt with.
    let until = ["running: running", "2 of 3 done"];
    let first = interrupted(&server, &line, &until, "KILL").exits(-1).names();
    assert!(!first.is_empty());
    server.insert(Operation::succeeded("operations/running", Any::pack(&())));
    let second = lro(&journal.arguments()).runs();
    let again = second.names();
    let mut all: Vec<_> = first.iter().chain(&again).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all, names.iter().collect::<Vec<_>>(), "nothing is lost: {first:?} {again:?}");
    // What was shown before is not shown again, but for what was shown last: the kill may have come before it was dealt with.
    let repeated: Vec<_> = first.iter().filter(|name| again.contains(name)).collect();
    assert!(repeated.is_empty() || repeated == [first.last().unwrap()], "{first:?} {again:?}");
    let failed = again.iter().any(|name| name == "operations/failed");
    second.exits(if failed { 3 } else { 0 });
    lro(&journal.arguments()).runs().exits(0).prints("");
}

/// More than a pipe holds, so that the wait is certainly killed before all of it is printed.
#[test]
#[cfg(unix)]
fn a_kill_in_the_middle_of_a_result_loses_nothing() {
    let server = full_server();
    let text = format!(r#"{{"@type":"x/y","text":"{}"}}"#, "x".repeat(1 << 20));
    server.insert(Operation::succeeded("operations/large", Any::from_json(&text).unwrap()));
    let journal = Journal::new("torn");
    let line = format!("{} --progress auto operations/large operations/running", journal.arguments());
    let first = interrupted(&server, &line, &["1 of 2 done"], "KILL").exits(-1);
    assert!(!first.stdout.ends_with('\n'));
    server.insert(Operation::succeeded("operations/running", Any::pack(&())));
    let second = lro(&journal.arguments()).runs().exits(0);
    assert_eq!(second.names(), ["operations/large", "operations/running"]);
}

#[test]
fn what_is_gone_leaves_the_journal_and_what_could_not_be_asked_stays() {
    let server = full_server();
    let journal = Journal::new("gone");
    lro(&journal.arguments()).and("operations/0").asks(&server).runs().exits(5);
    lro(&journal.arguments()).runs().exits(0).prints("");
    server.reply(Status::new(Code::PermissionDenied, "not yet"));
    let refused = lro(&journal.arguments()).and("operations/done").asks(&server).runs().exits(1);
    assert!(refused.stderr.contains("lro: continue with: "), "{refused:#?}");
    let second = lro(&journal.arguments()).runs().exits(0);
    assert_eq!(second.stdout.lines().count(), 1);
}

#[test]
fn a_file_that_is_no_journal_stays_as_it_is() {
    let journal = Journal::new("no");
    std::fs::write(&journal.0, "dear diary\n").unwrap();
    lro(&journal.arguments()).runs().exits(2).says("lro: ");
    assert_eq!(std::fs::read_to_string(&journal.0).unwrap(), "dear diary\n");
    lro(&journal.arguments()).and("--dry-run").runs().exits(2).says("lro: --dry-run needs names");
}

/// What the program may need until its first request.
const START: Duration = Duration::from_secs(if cfg!(windows) { 3 } else { 0 });
