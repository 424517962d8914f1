//! The thread that wakes futures when their sleep ends.
//!
//! One thread sleeps until the earliest end, wakes that future, and continues
//! with the next. A new sleep that ends earlier *rings*: it stops the sleep of
//! the thread, which then looks again.
//!
//! In virtual time, time passes only when the thread sleeps. It must not pass
//! while a future is still computing, or concurrent waits would sleep
//! differently in every run. So futures are counted as *awake*, and the thread
//! sleeps only if none is.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::util::clock::Clock;
use crate::util::process::{ProcessId, ProcessLock};
use crate::util::stop::{StopListener, StopToken};

use super::fault;
use super::pool::IDLE;

/// All sleeps of a client's futures, and one thread for them. The thread starts
/// with the first sleep, and ends after some idle seconds, or with the timer.
pub(super) struct SleepTimer(Arc<TimerShared>);

/// The part of a timer that its thread shares with it.
struct TimerShared {
    clock: Arc<dyn Clock>,
    /// A forked child has neither the thread of its parent nor its sleeps.
    state: ProcessLock<TimerState>,
}

/// The sleeps and the thread.
#[derive(Default)]
struct TimerState {
    /// The futures that sleep, in the order in which their sleeps end.
    sleeps: BTreeMap<SleepKey, Waker>,
    /// The number of the next sleep.
    next: u64,
    /// Futures that are in progress and do not sleep. Virtual time stands still
    /// meanwhile.
    awake: usize,
    /// Whether the thread runs.
    runs: bool,
    /// Whether the timer was dropped.
    closed: bool,
    /// The instant that the thread sleeps for, and the token that ends the
    /// sleep.
    alarm: Option<(Instant, StopToken)>,
}

/// When a sleep ends; sleeps that end together end in their order.
type SleepKey = (Instant, u64);

impl SleepTimer {
    /// Creates a timer without a thread.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(TimerShared { clock, state: ProcessLock::default() }))
    }

    /// Counts a future as awake, except while it is in [`sleep`](Self::sleep).
    pub(super) fn awake(&self) -> Awake<'_> {
        self.0.lock().awake += 1;
        Awake { shared: &self.0, owner: ProcessId::current() }
    }

    /// Sleeps until `until`, or until `stop` is stopped.
    ///
    /// # Errors
    ///
    /// `Transport` if no thread can be started: the sleep would never end.
    pub(super) async fn sleep(&self, until: Instant, stop: Option<&StopToken>) -> Result<(), Error> {
        let sleep = TimedSleep { shared: &self.0, until, key: None };
        StopListener::new(stop).stopped_or(sleep).await.unwrap_or(Ok(()))
    }
}

impl Drop for SleepTimer {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        // The thread ends by itself and is not joined: this may run on any
        // thread of an executor.
        state.closed = true;
        state.ring();
        self.0.state.notify_all();
    }
}

/// A future that is in progress, for as long as this value exists.
pub(super) struct Awake<'a> {
    shared: &'a TimerShared,
    /// The process that counts it.
    owner: ProcessId,
}

impl Drop for Awake<'_> {
    fn drop(&mut self) {
        // A forked child starts with nothing awake, so there is nothing to
        // count down.
        if !self.owner.is_current() {
            return;
        }
        self.shared.lock().awake -= 1;
        if self.shared.patience() > Duration::ZERO {
            self.shared.state.notify_all();
        }
    }
}

/// A sleep. It enters the list at its first poll and leaves it when it ends or
/// is dropped.
struct TimedSleep<'a> {
    shared: &'a Arc<TimerShared>,
    until: Instant,
    /// Its place in the list of the process that began it.
    key: Option<(SleepKey, ProcessId)>,
}

impl Future for TimedSleep<'_> {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.shared.lock();
        let Some((key, owner)) = self.key else {
            let key = (self.until, state.next);
            state.next += 1;
            state.sleeps.insert(key, context.waker().clone());
            // A future that the parent began is not counted in a forked child.
            state.awake = state.awake.saturating_sub(1);
            self.key = Some((key, ProcessId::current()));
            return match self.shared.attend(&mut state, self.until) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            };
        };
        let Some(waker) = state.sleeps.get_mut(&key).filter(|_| owner.is_current()) else {
            return Poll::Ready(Ok(()));
        };
        // Wakers are code of the executor, which may lock this timer. So the old one is
        // dropped without the lock.
        let replaced = std::mem::replace(waker, context.waker().clone());
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for TimedSleep<'_> {
    fn drop(&mut self) {
        let Some((key, _)) = self.key.filter(|(_, owner)| owner.is_current()) else { return };
        let mut state = self.shared.lock();
        // A sleep that is still in the list was interrupted, so its future is
        // awake again. One that ended was counted by the thread.
        let left = state.sleeps.remove(&key);
        state.awake += usize::from(left.is_some());
        drop(state);
        drop(left);
    }
}

impl TimerShared {
    /// Starts the thread if needed, and makes it consider a new sleep.
    fn attend(self: &Arc<Self>, state: &mut TimerState, until: Instant) -> Result<(), Error> {
        if !state.runs {
            let shared = Arc::clone(self);
            let started = thread::Builder::new().name("longrunning-timer".into()).spawn(move || shared.run());
            started.map_err(fault::no_timer)?;
            state.runs = true;
        }
        // The thread sleeps for a later instant, so it is woken up to sleep for this
        // one.
        if state.alarm.as_ref().is_some_and(|(at, _)| until < *at) {
            state.ring();
        }
        self.state.notify_all();
        Ok(())
    }

    /// Sleeps until the earliest end and wakes its future, again and again.
    fn run(&self) {
        let mut state = self.lock();
        while !state.closed {
            let Some((&(at, _), _)) = state.sleeps.first_key_value() else {
                let (woken, timed_out) = self.state.wait(state, IDLE);
                state = woken;
                if timed_out && state.sleeps.is_empty() {
                    break;
                }
                continue;
            };
            if self.clock.now() < at {
                state = self.sleep(state, at);
                continue;
            }
            let waker = state.sleeps.pop_first().map(|(_, waker)| waker);
            // Counted as awake before it runs, so that virtual time does not pass between
            // the wake and the poll.
            state.awake += 1;
            drop(state);
            // A task may be dropped with its waker; none of that ends the thread.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| waker.into_iter().for_each(Waker::wake)));
            state = self.lock();
        }
        state.runs = false;
    }

    /// Sleeps until `at`, or until there is something else to do.
    fn sleep<'a>(&'a self, mut state: MutexGuard<'a, TimerState>, at: Instant) -> MutexGuard<'a, TimerState> {
        if state.awake > 0 && self.patience() > Duration::ZERO {
            let (woken, timed_out) = self.state.wait(state, self.patience());
            state = woken;
            if !timed_out {
                return state;
            }
        }
        // The clock sleeps without the lock, and this token lets `ring` end that sleep.
        let token = StopToken::new();
        state.alarm = Some((at, token.clone()));
        drop(state);
        self.clock.sleep_until(at, Some(&token));
        let mut state = self.lock();
        state.alarm = None;
        state
    }

    /// Returns how long a sleep waits, in real time, for the futures that do
    /// not sleep: in virtual time a second, otherwise not at all. So a future
    /// that is never polled does not delay it forever.
    fn patience(&self) -> Duration {
        self.clock.patience(Duration::ZERO).min(PATIENCE)
    }

    fn lock(&self) -> MutexGuard<'_, TimerState> {
        self.state.lock()
    }
}

impl TimerState {
    /// Ends the sleep of the thread, if it sleeps.
    fn ring(&self) {
        if let Some((_, token)) = &self.alarm {
            token.stop();
        }
    }
}

impl fmt::Debug for SleepTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("sleeps", &self.0.lock().sleeps.len()).finish_non_exhaustive()
    }
}

/// Real time after which virtual time passes although a future is awake.
const PATIENCE: Duration = Duration::from_secs(1);
