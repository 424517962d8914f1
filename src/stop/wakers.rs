//! The futures that a stop wakes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// The wakers of the futures that sleep now.
#[derive(Default)]
pub(super) struct StopWakers(Mutex<SleepingFutures>);

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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
