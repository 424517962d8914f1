//! Processes that are killed.

use std::env;
use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::kit::arguments;

/// This program again, running one of its tests, which is ignored otherwise.
pub(crate) struct Victim(Child);

/// How many processes to kill, unless `LONGRUNNING_KILLS` says another number.
pub(crate) fn kills(usual: u32) -> u32 {
    // A process takes long to start under Wine.
    let usual = if cfg!(windows) { 20 } else { usual };
    env::var("LONGRUNNING_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(usual)
}

impl Victim {
    /// Starts a test, by its path, with its variables.
    pub(crate) fn start<V: AsRef<OsStr>>(
        test: &str,
        variables: impl IntoIterator<Item = (&'static str, V)>,
    ) -> Self {
        let child = Command::new(env::current_exe().unwrap())
            .args(arguments(test))
            .envs(variables)
            .stdout(Stdio::piped())
            .spawn();
        Self(child.unwrap())
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn lines(&mut self) -> Lines<BufReader<ChildStdout>> {
        BufReader::new(self.0.stdout.take().unwrap()).lines()
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A number below `end`.
pub(crate) fn chance(end: u64) -> u64 {
    RandomState::new().hash_one(()) % end
}
