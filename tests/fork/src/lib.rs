//! Work in a forked child, with what came of it.
#![cfg(unix)]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::panic::{self, AssertUnwindSafe};
use std::thread;
use std::time::{Duration, Instant};

/// A forked child under way. Dropping it without [`finish`](Self::finish) kills it.
#[derive(Debug)]
pub struct Child {
    process: libc::pid_t,
    /// What the child reports, and how it is sent on.
    reports: File,
    signals: Option<File>,
}

/// The child's end of the line to its parent.
#[derive(Debug)]
pub struct Parent {
    signals: File,
}

impl Parent {
    /// Blocks until the parent has called [`Child::go_on`], or has dropped the child.
    pub fn wait(&mut self) {
        let _ = self.signals.read(&mut [0]);
    }
}

impl Child {
    /// Forks. The child runs `work` and exits, without running anything else of the parent's, such as destructors.
    pub fn start(work: impl FnOnce(&mut Parent) -> String) -> Self {
        let (reports, mut reporter) = pipe();
        let (waiter, signals) = pipe();
        // SAFETY: the threads that are missing in the child may hold locks; what the child does with those is the
        // subject of the tests. libc itself takes care of the allocator.
        match unsafe { libc::fork() } {
            -1 => panic!("cannot fork"),
            0 => {
                drop((reports, signals));
                let mut parent = Parent { signals: waiter };
                let report = panic::catch_unwind(AssertUnwindSafe(|| work(&mut parent)));
                let text = report.unwrap_or_else(|panic| format!("panicked: {}", message(&*panic)));
                let _ = reporter.write_all(text.as_bytes());
                // SAFETY: ends the process at once, as intended.
                unsafe { libc::_exit(0) }
            }
            process => Self { process, reports, signals: Some(signals) },
        }
    }

    /// Has [`Parent::wait`] return.
    pub fn go_on(&mut self) {
        // A byte, not the end of the pipe alone: children of other tests have copies of this end.
        if let Some(mut signals) = self.signals.take() {
            let _ = signals.write_all(&[0]);
        }
    }

    /// What the child reported before it ended.
    pub fn finish(mut self) -> String {
        self.go_on();
        let deadline = Instant::now() + LONGEST;
        let mut status = 0;
        // SAFETY: the process is a child of this one, and was not waited for.
        while unsafe { libc::waitpid(self.process, &mut status, libc::WNOHANG) } == 0 {
            assert!(Instant::now() < deadline, "the child hangs");
            thread::sleep(Duration::from_millis(1));
        }
        self.process = 0;
        let mut text = String::new();
        self.reports.read_to_string(&mut text).expect("the child has written text");
        assert_eq!(status, 0, "status of the child; it reported: {text}");
        text
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.process > 0 {
            // SAFETY: the process is a child of this one that was not waited for, so its number is still its own.
            unsafe {
                libc::kill(self.process, libc::SIGKILL);
                libc::waitpid(self.process, std::ptr::null_mut(), 0);
            }
        }
    }
}

/// Both ends of a pipe, to read from and to write to.
fn pipe() -> (File, File) {
    let mut ends = [0; 2];
    // SAFETY: there is room for two descriptors.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0, "no pipe");
    // SAFETY: both were just opened, and nothing else has them.
    let [reader, writer] = ends.map(|end| unsafe { OwnedFd::from_raw_fd(end) });
    (reader.into(), writer.into())
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("with something else")
}

/// No child of these tests takes as long, unless it waits for something that never comes.
const LONGEST: Duration = Duration::from_secs(120);
