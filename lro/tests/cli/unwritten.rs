//! Output that cannot be written: the exit status says what happened to the operations all the same.

use std::io;
use std::process::Stdio;

use crate::kit::{Lro, Ran, full_server, lro};
use crate::wait::Journal;

/// Every command, every outcome that does not take long, every kind of output.
const LINES: [&str; 34] = [
    "get operations/done",
    "get operations/failed --format json",
    "get operations/done --transport grpc --verbose",
    "get operations/0",
    "get operations/../x",
    "get operations/done --dry-run",
    "list",
    "list --format json",
    "list --page-size 1",
    "list --limit 2 --page-size 2 --format json",
    "list --page-token unknown",
    "list --dry-run --transport grpc --format json",
    "wait operations/done",
    "wait operations/done --format json --progress never",
    "wait operations/third --poll-interval 10ms --progress always",
    "wait operations/failed",
    "wait operations/failed --format json",
    "wait operations/0",
    "wait operations/running --total-timeout 100ms",
    "wait operations/done operations/failed --format json",
    "wait operations/failed operations/0 operations/done --progress always",
    "wait operations/done operations/../x --dry-run",
    "cancel operations/done operations/running",
    "cancel operations/0",
    "delete operations/done",
    "delete operations/0 operations/done",
    "serve --print-script",
    "serve --script /nowhere.json",
    "completions bash",
    "man",
    "man wait",
    "--help",
    "wait --help",
    "frobnicate",
];

#[derive(Clone, Copy, Debug)]
enum Stream {
    Output,
    Error,
}

/// What a stream is in place of a pipe that is read.
#[derive(Clone, Copy, Debug)]
enum Sink {
    /// Each write fails.
    Full,
    ClosedPipe,
    Closed,
}

fn run(lro: Lro, stream: Stream, sink: Sink) -> Ran {
    let lro = match (stream, sink) {
        (Stream::Output, Sink::Full) => lro.redirected(">/dev/full"),
        (Stream::Output, Sink::Closed) => lro.redirected(">&-"),
        (Stream::Error, Sink::Closed) => lro.redirected("2>&-"),
        (Stream::Error, Sink::Full) => lro.redirected("2>/dev/full"),
        (_, Sink::ClosedPipe) => lro,
    };
    Ran::of(lro.starts_with(|command| {
        command.stdin(Stdio::null());
        if let Sink::ClosedPipe = sink {
            let (_, writer) = io::pipe().unwrap();
            match stream {
                Stream::Output => command.stdout(writer),
                Stream::Error => command.stderr(writer),
            };
        }
    }))
}

/// The status of a line whose output is read, and the one it has when a stream does not take it.
#[track_caller]
fn compare(line: &str, stream: Stream, sink: Sink) {
    let read = lro(line).asks(&full_server()).runs();
    let text = match stream {
        Stream::Output => &read.stdout,
        Stream::Error => &read.stderr,
    };
    let lost = !text.is_empty() && !matches!(sink, Sink::ClosedPipe);
    let expected = if read.code == 0 && lost { 1 } else { read.code };
    let unread = run(lro(line).asks(&full_server()), stream, sink);
    assert_eq!(unread.code, expected, "{line}, {stream:?} is {sink:?}: {read:#?} {unread:#?}");
}

#[test]
fn a_full_disk_turns_only_success_into_an_error() {
    for line in LINES {
        compare(line, Stream::Output, Sink::Full);
        compare(line, Stream::Error, Sink::Full);
    }
}

#[test]
fn a_closed_stream_turns_only_success_into_an_error() {
    for line in LINES {
        compare(line, Stream::Output, Sink::Closed);
        compare(line, Stream::Error, Sink::Closed);
    }
}

#[test]
fn a_closed_pipe_changes_nothing() {
    for line in LINES {
        compare(line, Stream::Output, Sink::ClosedPipe);
        compare(line, Stream::Error, Sink::ClosedPipe);
    }
}

#[test]
fn a_lost_result_is_named_once() {
    let ran =
        run(lro("wait operations/done operations/failed").asks(&full_server()), Stream::Output, Sink::Full);
    assert_eq!(ran.stderr.matches("lro: cannot write to standard output: ").count(), 1, "{ran:#?}");
    let ran = run(lro("list").asks(&full_server()), Stream::Output, Sink::ClosedPipe);
    ran.exits(0).says_nothing();
}

/// The endpoint is all that a server without a port of its own is known by.
#[test]
fn a_server_that_cannot_announce_itself_ends() {
    for (sink, code) in [(Sink::Full, 1), (Sink::Closed, 1), (Sink::ClosedPipe, 0)] {
        run(lro("serve"), Stream::Output, sink).exits(code);
    }
}

#[test]
fn the_journal_keeps_what_was_not_written() {
    for sink in [Sink::Full, Sink::Closed, Sink::ClosedPipe] {
        for (names, code) in [("operations/failed", 3), ("operations/failed operations/done", 3)] {
            let server = full_server();
            let journal = Journal::new("unwritten");
            let line = format!("{} --progress never", journal.arguments());
            let first = run(lro(&line).and(names).asks(&server), Stream::Output, sink).exits(code);
            assert!(first.stderr.contains("--journal"), "says where the results are: {first:#?}");
            // Also a second time, when nothing is asked any more.
            let requests = server.request_count();
            let second = run(lro(&line), Stream::Output, sink).exits(code);
            assert!(second.stderr.contains("--journal"), "{second:#?}");
            let mut shown = lro(&line).runs().exits(code).names();
            shown.sort_unstable();
            let mut expected: Vec<_> = names.split(' ').collect();
            expected.sort_unstable();
            assert_eq!(shown, expected, "{sink:?}");
            assert_eq!(server.request_count(), requests);
            lro(&line).runs().exits(0).prints("");
        }
    }
}

#[test]
fn the_journal_keeps_what_succeeded_unseen() {
    let server = full_server();
    let journal = Journal::new("unseen");
    let line = format!("{} --progress never", journal.arguments());
    run(lro(&line).and("operations/done").asks(&server), Stream::Output, Sink::Full).exits(1);
    run(lro(&line), Stream::Output, Sink::ClosedPipe).exits(0);
    assert_eq!(lro(&line).runs().exits(0).names(), ["operations/done"]);
}

/// An operation that is gone has no result but the message.
#[test]
fn the_journal_keeps_what_was_not_found_until_it_was_said() {
    let server = full_server();
    let journal = Journal::new("unsaid");
    let line = format!("{} --progress never", journal.arguments());
    run(lro(&line).and("operations/0").asks(&server), Stream::Error, Sink::Full).exits(5);
    lro(&line).runs().exits(5);
    lro(&line).runs().exits(0).prints("");
}
