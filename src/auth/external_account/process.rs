//! Runs a program for its standard output: within a time, up to a size, and
//! with nothing left behind.
//!
//! ```text
//! spawn ─► a thread reads its output ─► end of the output ─► wait for its status
//!               │ deadline, stop, size
//!               └──────────────────────► kill, reap
//! ```

use std::io::{self, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::util::file::ReadLimits;

/// The status and the output of a program that ended by itself.
#[derive(Debug)]
pub(super) struct FinishedProcess {
    pub(super) status: ExitStatus,
    /// Wiped when it is dropped: it holds a token.
    pub(super) stdout: Zeroizing<Vec<u8>>,
}

/// Why there is no output.
#[derive(Debug)]
pub(super) enum ProcessFailure {
    /// The program could not be started, or its output could not be read.
    Io(io::Error),
    /// The program was killed because the call that needs it was stopped.
    Stopped,
    /// The program was killed at the deadline.
    Timeout,
    /// The program was killed because it wrote too much.
    TooLarge,
}

/// Runs `command` without standard input and standard error, within `limits`,
/// for at most `limit` bytes.
///
/// The output is read on a thread of its own, because a pipe of the standard
/// library has no deadline. The thread ends with the pipe, when the program
/// ends or is killed. If the program passes its standard output to another
/// program and leaves that running, the thread lives until that ends. No call
/// waits for it.
pub(super) fn run(
    command: &mut Command,
    limits: &ReadLimits<'_>,
    limit: usize,
) -> Result<FinishedProcess, ProcessFailure> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = RunningProcess(child.map_err(ProcessFailure::Io)?);
    let (sender, receiver) = mpsc::sync_channel(1);
    let pipe = child.0.stdout.take();
    // After a timeout the receiver is gone, and the output is wiped here.
    let read = move || drop(sender.send(read(pipe, limit)));
    thread::Builder::new().name("longrunning-executable".into()).spawn(read).map_err(ProcessFailure::Io)?;
    let stdout = output(&receiver, limits)?;
    // Killed by the drop of `child`.
    if stdout.len() > limit {
        return Err(ProcessFailure::TooLarge);
    }
    let status = child.wait(limits)?;
    Ok(FinishedProcess { status, stdout })
}

/// Returns what the program wrote, when its output has ended.
fn output(
    receiver: &Receiver<io::Result<Zeroizing<Vec<u8>>>>,
    limits: &ReadLimits<'_>,
) -> Result<Zeroizing<Vec<u8>>, ProcessFailure> {
    loop {
        // A stop token does not wake a channel, so the receiver wakes up to
        // check it.
        match receiver.recv_timeout(check(limits)?) {
            Ok(stdout) => return stdout.map_err(ProcessFailure::Io),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(ProcessFailure::Io(io::Error::other("the thread that reads its output is gone")));
            }
        }
    }
}

/// Returns how long to wait before the limits are checked again.
///
/// # Errors
///
/// `Stopped` or `Timeout`, if a limit was reached.
fn check(limits: &ReadLimits<'_>) -> Result<Duration, ProcessFailure> {
    let left = limits.deadline.saturating_duration_since(Instant::now());
    match limits.stop {
        Some(stop) if stop.is_stopped() => Err(ProcessFailure::Stopped),
        _ if left.is_zero() => Err(ProcessFailure::Timeout),
        Some(_) => Ok(left.min(STOP_INTERVAL)),
        None => Ok(left),
    }
}

/// A program that is killed and reaped when this is dropped.
struct RunningProcess(Child);

impl RunningProcess {
    /// Waits for the end, which mostly comes right after that of the output. A
    /// program that closes its output and goes on is killed at the deadline.
    fn wait(&mut self, limits: &ReadLimits<'_>) -> Result<ExitStatus, ProcessFailure> {
        let mut pause = Duration::from_millis(1);
        loop {
            match self.0.try_wait().map_err(ProcessFailure::Io)? {
                Some(status) => return Ok(status),
                None => thread::sleep(pause.min(check(limits)?)),
            }
            pause = (pause * 2).min(STOP_INTERVAL);
        }
    }
}

impl Drop for RunningProcess {
    fn drop(&mut self) {
        // Both do nothing if the program has ended and was waited for. Without
        // the second, a killed program would remain as a zombie.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads the output, up to one byte more than `limit`.
fn read(pipe: Option<ChildStdout>, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room for all of it, because a vector that grows leaves a copy behind.
    let mut output = Zeroizing::new(Vec::with_capacity(limit + 1));
    if let Some(pipe) = pipe {
        pipe.take(limit as u64 + 1).read_to_end(&mut output)?;
    }
    Ok(output)
}

/// How often a stop token is checked.
const STOP_INTERVAL: Duration = Duration::from_millis(20);

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::util::stop::StopToken;

    #[test]
    fn output_and_status_come_back() {
        let rows = [
            ("output", "printf 'a b'", "a b", true),
            ("no output", "true", "", true),
            ("a failure with output", "printf no; exit 3", "no", false),
            ("standard error is not output", "echo oops >&2; printf yes", "yes", true),
            ("no standard input", "cat; printf end", "end", true),
            ("exactly the limit", "printf 12345678", "12345678", true),
        ];
        for (name, script, stdout, success) in rows {
            let finished = run(&mut sh(script), &within(HANG), 8).expect(name);
            assert_eq!(*finished.stdout, stdout.as_bytes(), "{name}");
            assert_eq!(finished.status.success(), success, "{name}");
        }
    }

    #[test]
    fn limits_hold() {
        let endless = run(&mut sh("while :; do echo y; done"), &within(HANG), 8);
        assert!(matches!(endless, Err(ProcessFailure::TooLarge)), "{endless:?}");
        let no_time = run(&mut sh("exec sleep 600"), &within(Duration::ZERO), 8);
        assert!(matches!(no_time, Err(ProcessFailure::Timeout)), "{no_time:?}");
        let silent = run(&mut sh("exec >&-; exec sleep 600"), &within(Duration::from_millis(200)), 8);
        assert!(matches!(silent, Err(ProcessFailure::Timeout)), "{silent:?}");
        let missing = run(&mut Command::new("/nowhere/tool"), &within(HANG), 8);
        assert!(
            matches!(&missing, Err(ProcessFailure::Io(error)) if error.kind() == io::ErrorKind::NotFound),
            "{missing:?}"
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn no_process_is_left_behind() {
        let child = RunningProcess(sh("exec sleep 600").stdout(Stdio::null()).spawn().unwrap());
        let folder = std::path::PathBuf::from(format!("/proc/{}", child.0.id()));
        assert!(folder.exists());
        drop(child);
        assert!(!folder.exists(), "a zombie would still have its folder");
    }

    #[test]
    fn a_stop_kills_the_program() {
        for script in ["exec sleep 600", "exec >&-; exec sleep 600"] {
            let token = StopToken::new();
            let other = token.clone();
            let limits = ReadLimits { stop: Some(&token), ..within(HANG) };
            let start = Instant::now();
            thread::spawn(move || other.stop());
            let result = run(&mut sh(script), &limits, 8);
            assert!(matches!(result, Err(ProcessFailure::Stopped)), "{result:?}");
            assert!(start.elapsed() < HANG / 4);
        }
    }

    fn within(timeout: Duration) -> ReadLimits<'static> {
        ReadLimits::within(timeout, None)
    }

    fn sh(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    const HANG: Duration = Duration::from_secs(60);
}
