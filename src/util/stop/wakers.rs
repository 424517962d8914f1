//! The wakers of futures that sleep until a token is stopped.

use std::collections::HashMap;
use std::sync::MutexGuard;
use std::task::Waker;

use crate::util::process::ProcessLock;

/// The wakers of the futures that sleep now, one for each
/// [`StopListener`](super::StopListener).
pub(super) struct StopWakers(ProcessLock<SleepingFutures>);

/// The entries of [`StopWakers`], under its lock.
#[derive(Default)]
pub(super) struct SleepingFutures {
    /// The key of the newest entry. Keys are never reused, so a listener that
    /// is dropped late cannot remove the entry of another.
    pub(super) next: u64,
    /// By key. A future that is polled again replaces its own entry.
    pub(super) wakers: HashMap<u64, Waker>,
}

impl StopWakers {
    /// Wakes all futures and removes their entries.
    pub(super) fn wake(&self) {
        let wakers = std::mem::take(&mut self.lock().wakers);
        // Without the lock: a waker may run the task right here, and the task
        // may register itself again.
        wakers.into_values().for_each(Waker::wake);
    }

    /// Locks the entries. No waker may be called or dropped under this lock.
    pub(super) fn lock(&self) -> MutexGuard<'_, SleepingFutures> {
        self.0.lock()
    }
}

/// Starts empty, also in a forked child, which has other futures. The keys of a
/// child continue behind those of its parent, because listeners of the parent
/// may still be dropped there.
impl Default for StopWakers {
    fn default() -> Self {
        let inherit = |parent: Option<&mut SleepingFutures>| SleepingFutures {
            next: parent.map_or(FAR, |futures| futures.next),
            wakers: HashMap::new(),
        };
        Self(ProcessLock::new(SleepingFutures::default(), inherit))
    }
}

/// The first key of a child that cannot read the last one of its parent:
/// further than any process counts.
const FAR: u64 = 1 << 48;
