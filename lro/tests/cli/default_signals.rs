//! Signals for programs that a test starts, also if the test run ignores these signals.
//!
//! A shell ignores SIGINT in what its scripts start in the background, and `nohup` ignores SIGHUP. Children inherit that,
//! and `lro` keeps it, so a test would wait forever for the end of a program that it interrupted.

use std::process::Command;
#[cfg(unix)]
use std::{process::Child, sync::OnceLock};

/// Returns the command of a program that starts with the default action of the signals.
#[cfg(unix)]
pub(crate) fn command(program: &str) -> Command {
    if !are_ignored() || !can_be_reset() {
        return Command::new(program);
    }
    // A shell cannot undo what it inherited. `env` becomes the program, whose process id is that of the child.
    let mut command = Command::new("env");
    command.args([RESET, program]);
    command
}

#[cfg(windows)]
pub(crate) fn command(program: &str) -> Command {
    Command::new(program)
}

/// Sends a signal, such as `INT`, to a program that was started with [`command`].
///
/// # Panics
///
/// If the program ignores the signal because the test run does: the test would hang.
#[cfg(unix)]
#[track_caller]
pub(crate) fn send(signal: &str, child: &Child) {
    assert!(
        !SIGNALS.contains(&signal) || !are_ignored() || can_be_reset(),
        "this test run ignores {SIGNALS:?}, and `env` has no --default-signal (coreutils 8.31): run it in the foreground"
    );
    let status = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

/// Whether children inherit that a signal is ignored.
#[cfg(unix)]
fn are_ignored() -> bool {
    static IGNORED: OnceLock<bool> = OnceLock::new();
    // A shell ends by the signal that it sends to itself, unless it is ignored.
    let survives = |signal: &str| {
        let script = format!("kill -s {signal} $$");
        Command::new("sh").args(["-c", &script]).status().unwrap().success()
    };
    *IGNORED.get_or_init(|| SIGNALS.into_iter().any(survives))
}

#[cfg(unix)]
fn can_be_reset() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    let reset = || Command::new("env").args([RESET, "true"]).output();
    *CAN.get_or_init(|| reset().is_ok_and(|output| output.status.success()))
}

#[cfg(unix)]
const SIGNALS: [&str; 3] = ["HUP", "INT", "TERM"];
#[cfg(unix)]
const RESET: &str = "--default-signal=HUP,INT,TERM";
