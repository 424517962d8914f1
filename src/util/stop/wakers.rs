//! The futures that a stop wakes.

use std::collections::HashMap;
use std::sync::MutexGuard;
use std::task::Waker;

use crate::util::process::ProcessLock;

/// The wakers of the futures that sleep now.
pub(super) struct StopWakers(ProcessLock<SleepingFutures>);

#[derive(Default)]
pub(super) struct SleepingFutures {
    pub(super) next: u64,
    pub(super) wakers: HashMap<u64, Waker>,
}

impl StopWakers {
    /// Wakes and forgets all futures.
    pub(super) fn wake(&self) {
        let wakers = std::mem::take(&mut self.lock().wakers);
        wakers.into_values().for_each(Waker::wake);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, SleepingFutures> {
        self.0.lock()
    }
}

/// A forked child has other futures. Their numbers are new, because those of
/// the parent's may still be dropped there.
impl Default for StopWakers {
    fn default() -> Self {
        let inherit = |parent: Option<&mut SleepingFutures>| SleepingFutures {
            next: parent.map_or(FAR, |futures| futures.next),
            wakers: HashMap::new(),
        };
        Self(ProcessLock::new(SleepingFutures::default(), inherit))
    }
}

/// Further than any process counts.
const FAR: u64 = 1 << 48;
