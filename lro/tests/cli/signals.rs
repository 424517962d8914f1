//! What signals do, sent to the program itself.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Stdio};

use longrunning::testing::FakeServer;
use longrunning::{Any, Operation};

use crate::default_signals;
use crate::kit::{Lro, Ran, full_server, lro};

const SIGNALS: [(&str, i32); 3] = [("HUP", 129), ("INT", 130), ("TERM", 143)];

/// A wait that has begun.
struct Waiting {
    child: Child,
    stderr: BufReader<ChildStderr>,
    told: String,
}

impl Waiting {
    fn start(lro: Lro, server: &FakeServer) -> Self {
        Self::start_until(lro, server, "running: running")
    }

    fn start_until(lro: Lro, server: &FakeServer, text: &str) -> Self {
        let mut child = lro.asks(server).starts();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut waiting = Self { child, stderr, told: String::new() };
        waiting.until(text);
        waiting
    }

    fn until(&mut self, text: &str) {
        while !self.told.contains(text) {
            assert_ne!(self.stderr.read_line(&mut self.told).unwrap(), 0, "{}", self.told);
        }
    }

    fn send(&self, signal: &str) {
        default_signals::send(signal, &self.child);
    }

    fn ends(mut self) -> Ran {
        self.stderr.read_to_string(&mut self.told).unwrap();
        Ran { stderr: self.told, ..Ran::of(self.child) }
    }

    /// Whether a signal has not reached the process yet.
    fn pending(&self, signal: &str) -> bool {
        let number = match signal {
            "HUP" => 1,
            "INT" => 2,
            _ => 15,
        };
        self.has("ShdPnd", number) || self.has("SigPnd", number)
    }

    /// Whether a signal is in a mask of the process.
    fn has(&self, mask: &str, signal: u32) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix(mask)).unwrap();
        u64::from_str_radix(mask.trim_start_matches(':').trim(), 16).unwrap() >> (signal - 1) & 1 == 1
    }
}

fn wait() -> Lro {
    lro("wait operations/running --poll-interval 50ms")
}

#[test]
fn each_signal_has_its_status() {
    assert_eq!(SIGNALS.map(|(_, code)| code), [129, 130, 143]);
    for (signal, code) in SIGNALS {
        let waiting = Waiting::start(wait(), &full_server());
        waiting.send(signal);
        waiting.ends().exits(code).says("lro: interrupted").says("lro: continue with: ");
    }
}

#[test]
fn an_ignored_signal_stays_ignored() {
    for (ignored, _) in SIGNALS {
        for (other, code) in SIGNALS.iter().filter(|(other, _)| *other != ignored) {
            let server = full_server();
            let script = format!("trap '' {ignored}; exec \"$@\"");
            let waiting = Waiting::start(wait().in_shell(&script), &server);
            waiting.send(ignored);
            waiting.send(ignored);
            waiting.send(other);
            waiting.ends().exits(*code);
        }
    }
}

#[test]
fn all_signals_can_be_ignored() {
    let server = full_server();
    let waiting = Waiting::start(wait().in_shell("trap '' HUP INT TERM; exec \"$@\""), &server);
    for (signal, _) in SIGNALS {
        waiting.send(signal);
    }
    server.insert(Operation::succeeded("operations/running", Any::pack(&())));
    waiting.ends().exits(0);
}

#[test]
fn nohup_outlives_its_terminal() {
    let server = full_server();
    let waiting = Waiting::start(wait().in_shell("exec nohup \"$@\""), &server);
    waiting.send("HUP");
    server.insert(Operation::succeeded("operations/running", Any::pack(&())));
    waiting.ends().exits(0);
}

/// The program is stuck in a write to a pipe that nobody reads.
#[test]
fn the_second_signal_ends_it_at_once() {
    for (first, _) in SIGNALS {
        for (second, code) in SIGNALS {
            let server = full_server();
            let text = format!(r#"{{"@type":"x/y","text":"{}"}}"#, "x".repeat(1 << 20));
            server.insert(Operation::succeeded("operations/large", Any::from_json(&text).unwrap()));
            let line = "wait operations/large operations/running --format json --poll-interval 50ms";
            let mut waiting = Waiting::start(lro(line), &server);
            waiting.until("1 of 2 done");
            waiting.send(first);
            // Two signals of one kind would be one if the first were not handled yet.
            while waiting.pending(first) {
                std::thread::yield_now();
            }
            waiting.send(second);
            let ran = waiting.ends().exits(code);
            assert!(!ran.stderr.contains("interrupted"), "{ran:#?}");
        }
    }
}

#[test]
fn other_signals_keep_what_they_do() {
    let waiting = Waiting::start(wait(), &full_server());
    let (quit, pipe, cont, tstp) = (3, 13, 18, 20);
    for signal in [quit, cont, tstp] {
        assert!(!waiting.has("SigCgt", signal) && !waiting.has("SigIgn", signal), "{signal}");
    }
    // Ignored by every Rust program, so that a closed pipe is an error and no death.
    assert!(waiting.has("SigIgn", pipe) && !waiting.has("SigCgt", pipe));
    waiting.send("TERM");
    waiting.ends().exits(143);
}

/// One call needs no handlers.
#[test]
fn other_commands_end_by_the_signal() {
    let server = full_server();
    server.reply(longrunning::testing::Reply::hang());
    let child = lro("get operations/done").asks(&server).starts_with(|command| {
        command.stdout(Stdio::null());
    });
    while server.request_count() == 0 {
        std::thread::yield_now();
    }
    default_signals::send("TERM", &child);
    Ran::of(child).exits(-1);
}

/// The request is on its way, and its outcome is unknown.
#[test]
fn an_interrupted_start_says_that_something_may_run() {
    for (signal, code) in SIGNALS {
        let server = crate::kit::server();
        server.reply(longrunning::testing::Reply::hang());
        let child = lro("start /v1/jobs/nightly:run --data {} --wait").asks(&server).starts();
        while server.request_count() == 0 {
            std::thread::yield_now();
        }
        default_signals::send(signal, &child);
        let ran = Ran::of(child).exits(code);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("may have started an operation"), "{ran:#?}");
        assert!(ran.stderr.contains("lro list"), "{ran:#?}");
        assert_eq!(server.request_count(), 1);
    }
}

/// The handlers of the request go over to the wait.
#[test]
fn a_signal_ends_the_wait_of_a_start() {
    for (signal, code) in SIGNALS {
        let server = crate::kit::server();
        server.on_start(
            "POST",
            "/v1/jobs/nightly:run",
            longrunning::testing::FakeOperation::new("operations/running"),
        );
        let line = "start /v1/jobs/nightly:run --data {} --wait --poll-interval 50ms";
        let waiting = Waiting::start_until(lro(line), &server, "running 0 %");
        waiting.send(signal);
        waiting.ends().exits(code).says("lro: interrupted").says("lro: continue with: ");
    }
}
