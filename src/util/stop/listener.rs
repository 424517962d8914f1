//! Futures that a token wakes.
//!
//! The async client wraps each sleep and each attempt in a [`StopListener`],
//! the counterpart of [`StopToken::sleep`] for tasks.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};

use super::token::StopToken;

/// One sleep that a token may end. Dropping it removes its entry from the
/// token, so abandoned futures do not pile up in a token that lives long.
pub(crate) struct StopListener<'a> {
    /// `None` never stops.
    token: Option<&'a StopToken>,
    /// The key of its entry; `None` before the first poll.
    key: Option<u64>,
}

impl<'a> StopListener<'a> {
    /// Creates a listener, which is never stopped if there is no token.
    pub(crate) fn new(token: Option<&'a StopToken>) -> Self {
        Self { token, key: None }
    }

    /// Returns the output of `future`; `None` if the token is stopped before.
    ///
    /// The token goes first: a future that is ready at the same time is
    /// dropped.
    pub(crate) async fn stopped_or<F: Future>(mut self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if self.is_stopped(context) { Poll::Ready(None) } else { future.as_mut().poll(context).map(Some) }
        })
        .await
    }

    /// Returns whether the token is stopped. If it is not, the token will wake
    /// the task of `context` when it is.
    ///
    /// Each poll replaces the waker, because a future may move to another task
    /// between polls.
    pub(crate) fn is_stopped(&mut self, context: &Context<'_>) -> bool {
        let Some(token) = self.token else { return false };
        let replaced = {
            let mut listeners = token.wakers().lock();
            let key = *self.key.get_or_insert_with(|| {
                listeners.next += 1;
                listeners.next
            });
            listeners.wakers.insert(key, context.waker().clone())
        };
        // Not under the lock: dropping a waker may drop a task, and with it
        // other listeners, whose `drop` takes the lock.
        drop(replaced);
        // Checked after the entry is made. A stop in between is either seen
        // here or finds the entry.
        token.is_stopped()
    }
}

impl Drop for StopListener<'_> {
    fn drop(&mut self) {
        if let (Some(token), Some(key)) = (self.token, self.key) {
            // Removed under the lock, dropped without it, as in `is_stopped`.
            let left = token.wakers().lock().wakers.remove(&key);
            drop(left);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_stop_wakes_the_listeners_of_that_time() {
        let (token, count) = (StopToken::new(), Arc::new(Count::default()));
        let waker = Waker::from(Arc::clone(&count));
        let context = Context::from_waker(&waker);
        let (mut one, mut gone) = (StopListener::new(Some(&token)), StopListener::new(Some(&token)));
        assert!(!one.is_stopped(&context) && !one.is_stopped(&context) && !gone.is_stopped(&context));
        drop(gone);
        assert_eq!(token.wakers().lock().wakers.len(), 1, "one entry for one sleep");
        token.stop();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert!(one.is_stopped(&context));
        assert!(!StopListener::new(None).is_stopped(&context));
        drop(one);
        assert!(token.wakers().lock().wakers.is_empty());
    }
}
