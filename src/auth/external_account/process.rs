//! Runs a program for its standard output: with a time limit, a size limit, and nothing left behind.

use std::io::{self, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

/// What a program that ended by itself left.
#[derive(Debug)]
pub(super) struct FinishedProcess {
    pub(super) status: ExitStatus,
    /// Wiped when dropped.
    pub(super) stdout: Zeroizing<Vec<u8>>,
}

#[derive(Debug)]
pub(super) enum ProcessFailure {
    /// The program could not be started, or its output not be read.
    Io(io::Error),
    /// The program was killed because its time was over.
    Timeout,
    /// The program was killed because it wrote too much.
    TooLarge,
}

/// Runs `command` without standard input and standard error, for at most `timeout` and `limit` bytes.
///
/// The output is read on a thread of its own, because a pipe of the standard library has no deadline. The
/// thread ends with the pipe: when the program does, or is killed. A program that hands its standard output
/// on to another one, and leaves that behind, keeps the thread until then; no call waits for it.
pub(super) fn run(
    command: &mut Command,
    timeout: Duration,
    limit: usize,
) -> Result<FinishedProcess, ProcessFailure> {
    let deadline = Instant::now() + timeout;
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = Running(child.map_err(ProcessFailure::Io)?);
    let (sender, receiver) = mpsc::sync_channel(1);
    let pipe = child.0.stdout.take();
    // After a timeout no reader takes the output, so it is wiped here.
    let read = move || drop(sender.send(read(pipe, limit)));
    thread::Builder::new().name("longrunning-executable".into()).spawn(read).map_err(ProcessFailure::Io)?;
    let stdout = match receiver.recv_timeout(left(deadline)) {
        Ok(stdout) => stdout.map_err(ProcessFailure::Io)?,
        Err(RecvTimeoutError::Timeout) => return Err(ProcessFailure::Timeout),
        Err(RecvTimeoutError::Disconnected) => {
            return Err(ProcessFailure::Io(io::Error::other("the thread that reads its output is gone")));
        }
    };
    if stdout.len() > limit {
        return Err(ProcessFailure::TooLarge);
    }
    let status = child.wait(deadline)?;
    Ok(FinishedProcess { status, stdout })
}

/// A program that is killed and reaped when it is dropped.
struct Running(Child);

impl Running {
    /// Waits for the end, which comes right after that of the output for all but odd programs.
    fn wait(&mut self, deadline: Instant) -> Result<ExitStatus, ProcessFailure> {
        let mut pause = Duration::from_millis(1);
        loop {
            match self.0.try_wait().map_err(ProcessFailure::Io)? {
                Some(status) => return Ok(status),
                None if left(deadline).is_zero() => return Err(ProcessFailure::Timeout),
                None => thread::sleep(pause.min(left(deadline))),
            }
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both do nothing to a program that has ended and was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn read(pipe: Option<ChildStdout>, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room for all of it, so that the text never moves and leaves a copy behind.
    let mut output = Zeroizing::new(Vec::with_capacity(limit + 1));
    if let Some(pipe) = pipe {
        pipe.take(limit as u64 + 1).read_to_end(&mut output)?;
    }
    Ok(output)
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

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
            let finished = run(&mut sh(script), HANG, 8).expect(name);
            assert_eq!(*finished.stdout, stdout.as_bytes(), "{name}");
            assert_eq!(finished.status.success(), success, "{name}");
        }
    }

    #[test]
    fn limits_hold() {
        let endless = run(&mut sh("while :; do echo y; done"), HANG, 8);
        assert!(matches!(endless, Err(ProcessFailure::TooLarge)), "{endless:?}");
        let no_time = run(&mut sh("exec sleep 600"), Duration::ZERO, 8);
        assert!(matches!(no_time, Err(ProcessFailure::Timeout)), "{no_time:?}");
        let silent = run(&mut sh("exec >&-; exec sleep 600"), Duration::from_millis(200), 8);
        assert!(matches!(silent, Err(ProcessFailure::Timeout)), "{silent:?}");
        let missing = run(&mut Command::new("/nowhere/tool"), HANG, 8);
        assert!(
            matches!(&missing, Err(ProcessFailure::Io(error)) if error.kind() == io::ErrorKind::NotFound),
            "{missing:?}"
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn no_process_is_left_behind() {
        let child = Running(sh("exec sleep 600").stdout(Stdio::null()).spawn().unwrap());
        let folder = std::path::PathBuf::from(format!("/proc/{}", child.0.id()));
        assert!(folder.exists());
        drop(child);
        assert!(!folder.exists(), "a zombie would still have its folder");
    }

    fn sh(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    const HANG: Duration = Duration::from_secs(60);
}
