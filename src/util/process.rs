//! State that a forked child does not share with its parent.
//!
//! A child has one thread, the one that forked, and the memory and the open
//! files of its parent as they were. Two things in it are of no use:
//! connections, which the parent goes on using, and locks that other threads of
//! the parent held at that moment, because those threads do not exist in the
//! child and never release them.
//!
//! So state that threads share belongs to the process that made it. A child
//! makes its own at the first use, and never waits for a lock of its parent.
//! Nothing runs in a child when it is forked (`pthread_atfork` needs `unsafe`),
//! so each use compares process ids.
//!
//! ```text
//! ProcessId      says whose a value is
//! PerProcess<T>  a value for each process, without a lock
//! ProcessLock<T> a mutex for each process, with a condition variable
//! ```

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, TryLockError};
use std::time::Duration;

use crate::util::sync::{lock, recover};

/// The id of the process that made something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProcessId(u32);

impl ProcessId {
    /// Returns the id of this process. It costs a system call on some
    /// platforms, and little beside any I/O.
    pub(crate) fn current() -> Self {
        Self(std::process::id())
    }

    /// The id of a process whose memory could not be read. No process of a user
    /// has the id 0.
    #[cfg(feature = "journal")]
    pub(crate) const UNKNOWN: Self = Self(0);

    /// Returns false in a child that was forked after this value was made.
    pub(crate) fn is_current(self) -> bool {
        self == Self::current()
    }
}

/// Reads on in messages: `process 4711`, or `another process` for an unknown
/// one.
#[cfg(feature = "journal")]
impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("another process"),
            number => write!(f, "process {number}"),
        }
    }
}

/// A value for each process: for the one that made it, and for every forked
/// child that uses it.
///
/// It is a list without locks, which grows by one with each generation of
/// processes:
///
/// ```text
/// parent ── next ──► child ── next ──► grandchild
/// ```
///
/// Values of ancestors stay where they are until the whole list is dropped: a
/// thread that does not exist in the child may have borrowed them.
pub(crate) struct PerProcess<T> {
    /// The process that `value` belongs to.
    owner: ProcessId,
    /// The value of `owner`.
    value: T,
    /// The value of a child of `owner`, in the memory of that child.
    next: OnceLock<Box<Self>>,
}

impl<T> PerProcess<T> {
    /// Creates the value of this process.
    pub(crate) fn new(value: T) -> Self {
        Self { owner: ProcessId::current(), value, next: OnceLock::new() }
    }

    /// Returns the value of this process. In a child, the first use makes it
    /// from the value of the parent; `inherit` must not block on anything that
    /// the parent may have held.
    pub(crate) fn get_or(&self, inherit: impl FnOnce(&T) -> T) -> &T {
        // Takes the last one, not the first that fits: a process may have the
        // id of an ancestor that has ended.
        let mut last = self;
        while let Some(next) = last.next.get() {
            last = next;
        }
        // The id is compared at every use, because nothing runs in a child when
        // it is forked.
        if last.owner.is_current() {
            return &last.value;
        }
        // If two threads of the child come here at once, one makes the value
        // and the other waits for it. Both exist in this process, so that ends.
        &last.next.get_or_init(|| Box::new(Self::new(inherit(&last.value)))).value
    }
}

/// A mutex with its condition variable, which a forked child never finds
/// locked.
pub(crate) struct ProcessLock<T> {
    /// The mutex of each process.
    places: PerProcess<ProcessSlot<T>>,
    /// Makes the value of a child from that of its parent.
    inherit: fn(Option<&mut T>) -> T,
}

/// The mutex and the condition variable of one process.
struct ProcessSlot<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> ProcessLock<T> {
    /// Creates a lock around `value`.
    ///
    /// In a child, `inherit` makes the value from that of the parent. It gets
    /// `None` if a thread of the parent held the lock at the time of the fork,
    /// because the value may be half changed then.
    pub(crate) fn new(value: T, inherit: fn(Option<&mut T>) -> T) -> Self {
        Self { places: PerProcess::new(ProcessSlot::new(value)), inherit }
    }

    /// Locks the value. A thread that panicked while it held the lock does not
    /// poison it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        lock(&self.place().value)
    }

    /// Waits for a notification for at most `limit`; returns whether `limit`
    /// has passed. It can wake without either (a spurious wake-up), so callers
    /// loop.
    #[cfg(feature = "async")]
    pub(crate) fn wait<'a>(&'a self, guard: MutexGuard<'a, T>, limit: Duration) -> (MutexGuard<'a, T>, bool) {
        let waiting = self.place().changed.wait_timeout(guard, limit);
        let (guard, waited) = recover(waiting);
        (guard, waited.timed_out())
    }

    /// Waits while `condition` holds, for at most `limit`; returns whether
    /// `limit` has passed. Spurious wake-ups do not end it.
    pub(crate) fn wait_while<'a>(
        &'a self,
        guard: MutexGuard<'a, T>,
        limit: Duration,
        condition: impl FnMut(&mut T) -> bool,
    ) -> (MutexGuard<'a, T>, bool) {
        let waiting = self.place().changed.wait_timeout_while(guard, limit, condition);
        let (guard, waited) = recover(waiting);
        (guard, waited.timed_out())
    }

    /// Wakes one thread of this process that waits.
    #[cfg(feature = "async")]
    pub(crate) fn notify_one(&self) {
        self.place().changed.notify_one();
    }

    /// Wakes all threads of this process that wait.
    pub(crate) fn notify_all(&self) {
        self.place().changed.notify_all();
    }

    /// Returns the mutex of this process.
    fn place(&self) -> &ProcessSlot<T> {
        self.places.get_or(|parent| {
            // Never waits: the thread that held the lock at the fork does not exist in this
            // process.
            let inherited = unlocked(&parent.value, |value| (self.inherit)(Some(value)));
            ProcessSlot::new(inherited.unwrap_or_else(|| (self.inherit)(None)))
        })
    }
}

/// Starts with the default value, also in a child, which inherits nothing.
impl<T: Default> Default for ProcessLock<T> {
    fn default() -> Self {
        Self::new(T::default(), |_| T::default())
    }
}

impl<T> fmt::Debug for ProcessLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessLock").finish_non_exhaustive()
    }
}

impl<T> ProcessSlot<T> {
    fn new(value: T) -> Self {
        Self { value: Mutex::new(value), changed: Condvar::new() }
    }
}

/// Changes a value, unless a thread has it locked. It never waits, because that
/// thread may not exist in this process.
pub(crate) fn unlocked<T, R>(mutex: &Mutex<T>, change: impl FnOnce(&mut T) -> R) -> Option<R> {
    match mutex.try_lock() {
        Ok(mut value) => Some(change(&mut value)),
        Err(TryLockError::Poisoned(poisoned)) => Some(change(&mut poisoned.into_inner())),
        Err(TryLockError::WouldBlock) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a child finds it: made by another process.
    fn inherited<T>(mut value: PerProcess<T>) -> PerProcess<T> {
        value.owner = ProcessId(0);
        value
    }

    fn inherited_lock<T>(lock: ProcessLock<T>) -> ProcessLock<T> {
        ProcessLock { places: inherited(lock.places), ..lock }
    }

    #[test]
    fn a_child_makes_a_value_of_its_own_once() {
        let mut generations = inherited(PerProcess::new(1));
        assert_eq!(generations.get_or(|parent| parent + 1), &2);
        assert_eq!(generations.get_or(|_| unreachable!()), &2);
        assert_eq!(generations.value, 1, "that of the parent is not touched");
        generations.next.get_mut().unwrap().owner = ProcessId(0);
        assert_eq!(generations.get_or(|parent| parent + 1), &3, "a grandchild has it from the child");
    }

    #[test]
    fn the_number_of_an_ancestor_that_has_ended_is_told_apart() {
        let generations = PerProcess::new(1);
        generations.next.set(Box::new(inherited(PerProcess::new(2)))).ok().unwrap();
        assert_eq!(generations.get_or(|parent| parent + 1), &3);
    }

    #[test]
    fn a_lock_that_the_parent_held_blocks_nothing() {
        let inherit = |parent: Option<&mut i32>| parent.map_or(-1, |value| *value + 1);
        let free = inherited_lock(ProcessLock::new(1, inherit));
        assert_eq!(*free.lock(), 2);
        let held = inherited_lock(ProcessLock::new(1, inherit));
        let guard = held.places.value.value.lock().unwrap();
        assert_eq!(*held.lock(), -1);
        drop(guard);
        assert_eq!(*held.lock(), -1);
    }
}
