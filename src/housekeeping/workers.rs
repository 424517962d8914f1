//! A few threads that work through a list of names.

use std::sync::mpsc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::vec;

use crate::error::{Error, ErrorKind};
use crate::stop::StopToken;
use crate::types::Code;

/// What is left to do, and whether it is of use to go on.
pub(super) struct Work<'a> {
    names: vec::IntoIter<String>,
    stop: Option<&'a StopToken>,
    /// Whether there was anything but refusals of the hopeless kind.
    hopeful: bool,
    refused: usize,
}

impl<'a> Work<'a> {
    pub(super) fn new(names: Vec<String>, stop: Option<&'a StopToken>) -> Self {
        Self { names: names.into_iter(), stop, hopeful: false, refused: 0 }
    }

    fn next(&mut self) -> Option<String> {
        let stopped = self.stop.is_some_and(StopToken::is_stopped);
        let hopeless = !self.hopeful && self.refused >= HOPELESS;
        if stopped || hopeless { None } else { self.names.next() }
    }

    fn learn(&mut self, result: &Result<(), Error>) {
        match result {
            Err(error) if concerns_all(error) => self.refused += 1,
            _ => self.hopeful = true,
        }
    }

    /// Acts on each name, on up to `threads` threads, and hands the results to `done` on this one as they come.
    ///
    /// Gives how many names were not tried.
    pub(super) fn run(
        self,
        threads: usize,
        act: impl Fn(&str) -> Result<(), Error> + Sync,
        mut done: impl FnMut(String, Result<(), Error>),
    ) -> Result<usize, Error> {
        let threads = threads.min(self.names.len());
        let work = Mutex::new(self);
        let worker = |results: mpsc::Sender<_>| {
            let next = || lock(&work).next();
            while let Some(name) = next() {
                let result = act(&name);
                lock(&work).learn(&result);
                if results.send((name, result)).is_err() {
                    break;
                }
            }
        };
        thread::scope(|scope| {
            let (sender, results) = mpsc::channel();
            for number in 0..threads {
                let sender = sender.clone();
                let spawned = thread::Builder::new().spawn_scoped(scope, || worker(sender));
                match spawned {
                    Err(cause) if number == 0 => {
                        return Err(Error::config("no thread can be started").with_source(cause));
                    }
                    // Those that run do the work.
                    Err(_) => break,
                    Ok(_) => {}
                }
            }
            drop(sender);
            results.into_iter().for_each(|(name, result)| done(name, result));
            Ok(())
        })?;
        let left = lock(&work).names.len();
        Ok(left)
    }
}

/// Whether an error says more about the caller or the service than about the one operation.
fn concerns_all(error: &Error) -> bool {
    let code =
        matches!(error.code(), Some(Code::PermissionDenied | Code::Unauthenticated | Code::Unimplemented));
    code || matches!(error.kind(), ErrorKind::Auth | ErrorKind::Binding | ErrorKind::Config)
}

fn lock<'a, 'b>(work: &'a Mutex<Work<'b>>) -> MutexGuard<'a, Work<'b>> {
    work.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many refusals from the start on it takes to believe that there will be nothing else.
const HOPELESS: usize = 10;
