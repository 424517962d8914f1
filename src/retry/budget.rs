//! A limit on retries over all calls.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Stops retries while most calls fail, so that retries do not multiply the
/// load on a service that is down.
///
/// It works as gRPC's [retry throttling]: a failure that could be retried takes
/// a token, a success returns a fraction of one, and with half of the tokens or
/// fewer nothing is retried. Clones share the tokens. First attempts are never
/// delayed or rejected.
///
/// ```
/// # let server = longrunning::testing::FakeServer::start();
/// # server.reply(longrunning::testing::Reply::status(503).times(usize::MAX));
/// use longrunning::{RetryBudget, RetryPolicy};
///
/// let policy = RetryPolicy::default().budget(RetryBudget::default());
/// let client = server.client_builder().retry(policy).build()?;
/// for _ in 0..10 {
///     client.get("operations/42").send().unwrap_err();
/// }
/// // Ten calls and four retries, in place of 50 attempts.
/// assert_eq!(server.request_count(), 14);
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// [retry throttling]: https://github.com/grpc/proposal/blob/master/A6-client-retries.md#throttling-retry-attempts-and-hedged-rpcs
#[derive(Clone)]
pub struct RetryBudget(Arc<BudgetTokens>);

/// The tokens that all clones share.
struct BudgetTokens {
    /// Tokens of a full budget.
    most: f64,
    /// Tokens that a success adds.
    per_success: f64,
    /// The bits of a number. No lock: a forked child would have to wait for one
    /// that its parent held.
    left: AtomicU64,
}

impl RetryBudget {
    /// Creates a budget of `tokens`, at least 1, to which each success adds
    /// `per_success`.
    ///
    /// A `per_success` that is not a positive number counts as 0: then the
    /// budget never recovers.
    ///
    /// ```
    /// use longrunning::{RetryBudget, RetryPolicy};
    ///
    /// // Five failures stop retries, ten successes allow one again.
    /// let policy = RetryPolicy::default().budget(RetryBudget::new(10, 0.1));
    /// ```
    pub fn new(tokens: u32, per_success: f64) -> Self {
        // Without any token nothing could ever be retried, which `never` says
        // better.
        let most = f64::from(tokens.max(1));
        let per_success = if per_success.is_nan() { 0.0 } else { per_success.max(0.0) };
        Self(Arc::new(BudgetTokens { most, per_success, left: AtomicU64::new(most.to_bits()) }))
    }

    /// Adds the tokens of a success, up to a full budget.
    pub(super) fn succeeded(&self) {
        self.change(|left| (left + self.0.per_success).min(self.0.most));
    }

    /// Takes a token for a failure, and returns whether it may be retried:
    /// whether more than half of the tokens are left.
    pub(super) fn failed(&self) -> bool {
        self.change(|left| (left - 1.0).max(0.0)) > self.0.most / 2.0
    }

    /// Changes the number of tokens and returns the new one.
    fn change(&self, change: impl Fn(f64) -> f64) -> f64 {
        let change = |bits| change(f64::from_bits(bits));
        let changed = |bits| Some(change(bits).to_bits());
        // `fetch_update` returns the value before the change, so the change is computed
        // again.
        let before = self.0.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, changed);
        change(before.unwrap_or_else(|bits| bits))
    }
}

/// Creates a budget of 10 tokens, with a tenth of one for each success.
impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(10, 0.1)
    }
}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = f64::from_bits(self.0.left.load(Ordering::Relaxed));
        write!(f, "RetryBudget({left} of {})", self.0.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_use_it_up_and_successes_fill_it() {
        let budget = RetryBudget::new(4, 0.5);
        let clone = budget.clone();
        assert!(budget.failed());
        assert!(!clone.failed(), "half of the tokens is not enough, and clones share them");
        assert_eq!(format!("{budget:?}"), "RetryBudget(2 of 4)");
        (0..4).for_each(|_| budget.succeeded());
        assert!(budget.failed());
        (0..99).for_each(|_| budget.succeeded());
        assert_eq!(format!("{budget:?}"), "RetryBudget(4 of 4)");
        assert_eq!((0..99).filter(|_| budget.failed()).count(), 1);
        assert_eq!(format!("{budget:?}"), "RetryBudget(0 of 4)");
    }

    #[test]
    fn odd_numbers_are_bounded() {
        for per_success in [f64::NAN, -1.0] {
            let budget = RetryBudget::new(0, per_success);
            assert!(!budget.failed());
            budget.succeeded();
            assert_eq!(format!("{budget:?}"), "RetryBudget(0 of 1)");
        }
    }
}
