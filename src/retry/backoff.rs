//! Delays between attempts and between polls.
//!
//! A [`Backoff`] is a value; `delays` starts a sequence of it for one call or
//! one wait. Numbers that make no sense are limited instead of rejected, so
//! that no constructor can fail.
//!
//! | | delay | for |
//! |---|---|---|
//! | exponential | grows with each retry, random | calls |
//! | proportional | a fraction of the elapsed time, ±10 % | waits |
//! | custom | as a closure says | either |

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The delays between attempts of a call, or between polls of a wait.
///
/// A value that can be shared: each call and each wait starts it afresh.
///
/// ```
/// use std::time::Duration;
///
/// use longrunning::Backoff;
///
/// let secs = Duration::from_secs;
/// // 1 s, 3 s, 9 s … 60 s, each spread over its upper half (equal jitter)
/// let growing = Backoff::exponential(secs(1), secs(60)).factor(3.0);
/// // a tenth of the time that has passed, at least 1 s, at most 30 s
/// let fitting = Backoff::proportional(0.1, secs(1), secs(30));
/// // 5 s each time, but no fourth retry
/// let own = Backoff::from_fn(move |retry| (retry <= 3).then_some(secs(5)));
/// # let _ = (growing, fitting, own);
/// ```
#[derive(Clone)]
pub struct Backoff(BackoffShape);

/// How delays are computed.
#[derive(Clone)]
enum BackoffShape {
    Exponential { initial: Duration, maximum: Duration, factor: f64, jitter: Jitter },
    Proportional { fraction: f64, minimum: Duration, maximum: Duration },
    Custom(Arc<dyn Fn() -> Box<dyn RetryDelays> + Send + Sync>),
}

/// How a step of an exponential backoff becomes a delay.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Jitter {
    /// Random, from half of the step up to the step.
    Equal,
    /// Random, from zero up to the step.
    Full,
    /// The step itself.
    None,
    /// The step, and a random time up to this on top.
    Plus(Duration),
}

/// The delays of one call or one wait.
pub(crate) trait RetryDelays: Send {
    /// Returns the next delay, `elapsed` after the start; `chance` in
    /// `0.0..1.0` spreads it. `None` gives up.
    fn next(&mut self, elapsed: Duration, chance: f64) -> Option<Duration>;
}

impl Backoff {
    /// Creates delays that grow from `initial` to `maximum`, by a factor of 2
    /// or the one of [`factor`](Self::factor).
    ///
    /// Each delay is random between half of the current step and all of it
    /// (equal jitter). So clients that fail together do not return
    /// together, and a call does not use up its attempts in a moment.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::{Backoff, RetryPolicy};
    ///
    /// let backoff = Backoff::exponential(Duration::from_millis(200), Duration::from_secs(10));
    /// let policy = RetryPolicy::default().backoff(backoff);
    /// ```
    pub fn exponential(initial: Duration, maximum: Duration) -> Self {
        Self(BackoffShape::Exponential { initial, maximum, factor: 2.0, jitter: Jitter::Equal })
    }

    /// Creates delays that are a fraction of the elapsed time: at least
    /// `minimum`, ±10 %, at most `maximum`.
    ///
    /// So the lag after the end of an operation is a bounded fraction of its
    /// length. A `fraction` that is not a positive number counts as 0.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::Backoff;
    ///
    /// // The default of a wait.
    /// let backoff = Backoff::proportional(0.1, Duration::from_millis(500), Duration::from_secs(30));
    /// assert_eq!(format!("{backoff:?}"), "proportional(0.1, 500ms, 30s)");
    /// ```
    pub fn proportional(fraction: f64, minimum: Duration, maximum: Duration) -> Self {
        let fraction = if fraction.is_finite() { fraction.max(0.0) } else { 0.0 };
        Self(BackoffShape::Proportional { fraction, minimum, maximum })
    }

    /// Creates delays by a closure. Its argument is the number of the retry,
    /// counted from 1; `None` gives up.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::{Backoff, RetryPolicy};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::status(503).times(usize::MAX));
    /// let twice = Backoff::from_fn(|retry| (retry <= 2).then_some(Duration::from_secs(5)));
    /// let policy = RetryPolicy::default().backoff(twice);
    /// assert_eq!(server.client().get("operations/42").retry(policy).send().unwrap_err().attempts(), 3);
    /// ```
    pub fn from_fn(delay: impl Fn(u32) -> Option<Duration> + Send + Sync + 'static) -> Self {
        let delay = Arc::new(delay);
        Self(BackoffShape::Custom(Arc::new(move || {
            let delay = Arc::clone(&delay);
            let mut retry = 0u32;
            Box::new(move |_: Duration, _: f64| {
                retry = retry.saturating_add(1);
                delay(retry)
            })
        })))
    }

    /// Creates delays by a policy of the crate `backoff`, which adds its own
    /// jitter.
    ///
    /// `start` creates the policy for each call. Only its delays are used; this
    /// crate enforces deadlines and server hints.
    ///
    /// ```
    /// use longrunning::{Backoff, RetryPolicy};
    ///
    /// let policy = RetryPolicy::default().backoff(Backoff::from_backoff(backoff::ExponentialBackoff::default));
    /// # let _ = policy;
    /// ```
    #[cfg(feature = "backoff")]
    pub fn from_backoff<B>(start: impl Fn() -> B + Send + Sync + 'static) -> Self
    where
        B: backoff::backoff::Backoff + Send + 'static,
    {
        Self(BackoffShape::Custom(Arc::new(move || {
            let mut policy = start();
            Box::new(move |_: Duration, _: f64| policy.next_backoff())
        })))
    }

    /// Sets how much longer each step of [`exponential`](Self::exponential) is
    /// than the one before.
    ///
    /// Default: 2. A number below 1, or NaN, counts as 1. Has no effect on
    /// other delays.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::Backoff;
    ///
    /// let backoff = Backoff::exponential(Duration::from_secs(1), Duration::from_secs(60)).factor(3.0);
    /// assert_eq!(format!("{backoff:?}"), "exponential(1s, 60s).factor(3)");
    /// ```
    pub fn factor(mut self, by: f64) -> Self {
        if let BackoffShape::Exponential { factor, .. } = &mut self.0 {
            *factor = if by.is_nan() { 1.0 } else { by.max(1.0) };
        }
        self
    }

    /// Draws each delay of [`exponential`](Self::exponential) between zero and
    /// the current step.
    ///
    /// This is the jitter of Google's client for Python. It spreads clients
    /// more widely, but five attempts of one call may end within a second.
    /// Has no effect on other delays.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use longrunning::Backoff;
    ///
    /// let backoff = Backoff::exponential(Duration::from_secs(1), Duration::from_secs(60)).full_jitter();
    /// assert_eq!(format!("{backoff:?}"), "exponential(1s, 60s).factor(2).full_jitter()");
    /// ```
    pub fn full_jitter(mut self) -> Self {
        if let BackoffShape::Exponential { jitter, .. } = &mut self.0 {
            *jitter = Jitter::Full;
        }
        self
    }

    /// Creates the delays of another client, in seconds.
    fn like(initial: u64, maximum: u64, factor: f64, jitter: Jitter) -> Self {
        let (initial, maximum) = (Duration::from_secs(initial), Duration::from_secs(maximum));
        Self(BackoffShape::Exponential { initial, maximum, factor, jitter })
    }

    /// Starts a sequence of delays.
    pub(crate) fn delays(&self) -> Box<dyn RetryDelays> {
        match &self.0 {
            BackoffShape::Exponential { initial, maximum, factor, jitter } => {
                Box::new(exponential(*initial, *maximum, *factor, *jitter))
            }
            BackoffShape::Proportional { fraction, minimum, maximum } => {
                Box::new(proportional(*fraction, *minimum, *maximum))
            }
            BackoffShape::Custom(start) => start(),
        }
    }
}

/// The polling delays of other clients.
///
/// [`docs/polling.md`] compares them. Their limits on the whole wait (15 min of
/// Python, 30 min of gcloud) are not part of them: see
/// [`Poller::total_timeout`](crate::Poller::total_timeout).
///
/// ```
/// # use longrunning::testing::{FakeOperation, FakeServer};
/// # let server = FakeServer::start();
/// # server.insert(FakeOperation::new("operations/42").done_after(std::time::Duration::from_secs(60)));
/// # let client = server.client();
/// use longrunning::Backoff;
///
/// let done = client.poller("operations/42").backoff(Backoff::python()).until_done()?;
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// [`docs/polling.md`]: https://docs.rs/crate/longrunning/latest/source/docs/polling.md
impl Backoff {
    /// Creates the polling delays of Google's client library for Python: 1 s to
    /// 20 s, factor 1.5, full jitter.
    ///
    /// Source: `DEFAULT_POLLING` in `google.api_core.future.polling`.
    pub fn python() -> Self {
        Self::like(1, 20, 1.5, Jitter::Full)
    }

    /// Creates the polling delays of Google's client library for Go: 1 s to 60
    /// s, factor 2, full jitter.
    ///
    /// Source: `Operation.Wait` in `cloud.google.com/go/longrunning`.
    pub fn go() -> Self {
        Self::like(1, 60, 2.0, Jitter::Full)
    }

    /// Creates the polling delays of Google's client library for Rust: 1 s to
    /// 60 s, factor 2, no jitter.
    ///
    /// Source: `ExponentialBackoff` as the polling policy of
    /// `google-cloud-lro`.
    pub fn google_cloud_rust() -> Self {
        Self::like(1, 60, 2.0, Jitter::None)
    }

    /// Creates the polling delays of gcloud: 2 s to 180 s, factor 1.4, plus up
    /// to a second.
    ///
    /// Source: `WaitFor` in `googlecloudsdk.api_lib.util.waiter`.
    pub fn gcloud() -> Self {
        Self::like(2, 180, 1.4, Jitter::Plus(Duration::from_secs(1)))
    }
}

impl fmt::Debug for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            BackoffShape::Exponential { initial, maximum, factor, jitter } => {
                write!(f, "exponential({initial:?}, {maximum:?}).factor({factor})")?;
                match jitter {
                    Jitter::Equal => Ok(()),
                    Jitter::Full => f.write_str(".full_jitter()"),
                    Jitter::None | Jitter::Plus(_) => write!(f, " with jitter {jitter:?}"),
                }
            }
            BackoffShape::Proportional { fraction, minimum, maximum } => {
                write!(f, "proportional({fraction}, {minimum:?}, {maximum:?})")
            }
            BackoffShape::Custom(_) => f.write_str("custom"),
        }
    }
}

impl<F: FnMut(Duration, f64) -> Option<Duration> + Send> RetryDelays for F {
    fn next(&mut self, elapsed: Duration, chance: f64) -> Option<Duration> {
        self(elapsed, chance)
    }
}

/// Returns the steps of an exponential backoff, with jitter.
///
/// ```text
/// 0.5 s to 10 s, factor 2, equal jitter, chance 0.5:
/// 0.375 s, 0.75 s, 1.5 s, 3 s, 6 s, 7.5 s, 7.5 s …
/// ```
fn exponential(
    initial: Duration,
    maximum: Duration,
    factor: f64,
    jitter: Jitter,
) -> impl FnMut(Duration, f64) -> Option<Duration> {
    let mut step = initial.min(maximum);
    move |_, chance| {
        let delay = match jitter {
            Jitter::Equal => scaled(step, 0.5 + chance / 2.0, maximum),
            Jitter::Full => scaled(step, chance, maximum),
            Jitter::None => step,
            Jitter::Plus(most) => step.saturating_add(scaled(most, chance, most)).min(maximum),
        };
        step = scaled(step, factor, maximum);
        Some(delay)
    }
}

/// Returns delays that follow the elapsed time.
///
/// ```text
/// a tenth, 0.5 s to 30 s, chance 0.5:
/// elapsed    0 s      10 s    100 s    1000 s
/// delay      0.5 s    1 s     10 s     30 s
/// ```
fn proportional(
    fraction: f64,
    minimum: Duration,
    maximum: Duration,
) -> impl FnMut(Duration, f64) -> Option<Duration> {
    move |elapsed, chance| {
        let share = scaled(elapsed, fraction, maximum).max(minimum).min(maximum);
        // Never above the maximum: a mean lag of half of it is what it promises.
        Some(scaled(share, 0.9 + 0.2 * chance, maximum))
    }
}

/// Returns `duration × factor`, at most `maximum`. An overflow, a negative
/// number and NaN are the maximum.
fn scaled(duration: Duration, factor: f64, maximum: Duration) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(maximum).min(maximum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn draw(backoff: &Backoff, chance: f64, count: u32) -> Vec<f64> {
        let mut delays = backoff.delays();
        (0..count)
            .map_while(|_| delays.next(Duration::ZERO, chance))
            .map(|delay| delay.as_secs_f64())
            .collect()
    }

    #[test]
    fn exponential_grows_to_its_maximum_and_keeps_half_of_each_delay() {
        let backoff = Backoff::exponential(secs(0.5), secs(10.0));
        assert_eq!(draw(&backoff, 1.0, 7), [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]);
        assert_eq!(draw(&backoff, 0.5, 3), [0.375, 0.75, 1.5]);
        assert_eq!(draw(&backoff, 0.0, 6), [0.25, 0.5, 1.0, 2.0, 4.0, 5.0]);
        assert_eq!(draw(&backoff.clone().factor(3.0), 1.0, 4), [0.5, 1.5, 4.5, 10.0]);
    }

    #[test]
    fn full_jitter_spreads_over_the_whole_step() {
        let backoff = Backoff::exponential(secs(0.5), secs(10.0)).full_jitter();
        assert_eq!(draw(&backoff, 1.0, 7), [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]);
        assert_eq!(draw(&backoff, 0.5, 3), [0.25, 0.5, 1.0]);
        assert_eq!(draw(&backoff, 0.0, 3), [0.0, 0.0, 0.0]);
        let others = Backoff::google_cloud_rust().full_jitter();
        assert_eq!(draw(&others, 0.5, 2), [0.5, 1.0]);
        let own = Backoff::from_fn(|_| Some(secs(3.0))).full_jitter();
        assert_eq!(draw(&own, 0.5, 2), [3.0, 3.0]);
    }

    #[test]
    fn the_delays_of_others() {
        let rows: [(Backoff, f64, [f64; 4], f64); 5] = [
            (Backoff::python(), 1.0, [1.0, 1.5, 2.25, 3.375], 20.0),
            (Backoff::python(), 0.5, [0.5, 0.75, 1.125, 1.6875], 10.0),
            (Backoff::go(), 0.5, [0.5, 1.0, 2.0, 4.0], 30.0),
            (Backoff::google_cloud_rust(), 0.5, [1.0, 2.0, 4.0, 8.0], 60.0),
            (Backoff::gcloud(), 0.5, [2.5, 3.3, 4.42, 5.988], 180.0),
        ];
        for (backoff, chance, first, last) in rows {
            let delays = draw(&backoff, chance, 40);
            let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-6;
            assert!(delays.iter().zip(&first).all(near), "{backoff:?}: {delays:?}");
            assert_eq!(delays.last(), Some(&last), "{backoff:?}");
        }
    }

    #[test]
    fn absurd_numbers_are_bounded() {
        let backoff = Backoff::exponential(secs(5.0), secs(1.0));
        assert_eq!(draw(&backoff, 1.0, 2), [1.0, 1.0]);
        for factor in [f64::NAN, f64::NEG_INFINITY, 0.0, 1.0] {
            assert_eq!(draw(&Backoff::exponential(secs(1.0), secs(9.0)).factor(factor), 1.0, 2), [1.0, 1.0]);
        }
        let backoff = Backoff::exponential(secs(1.0), Duration::MAX).factor(f64::INFINITY);
        assert_eq!(draw(&backoff, 1.0, 2)[0], 1.0);
        for fraction in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(draw(&Backoff::proportional(fraction, secs(1.0), secs(2.0)), 0.5, 1), [1.0]);
        }
    }

    #[test]
    fn proportional_follows_the_elapsed_time() {
        let backoff = Backoff::proportional(0.1, secs(0.5), secs(30.0));
        let mut delays = backoff.delays();
        for (elapsed, chance, expected) in [
            (0.0, 0.5, 0.5),
            (5.0, 0.5, 0.5),
            (20.0, 0.5, 2.0),
            (100.0, 0.0, 9.0),
            (100.0, 1.0, 11.0),
            (3600.0, 0.5, 30.0),
            (3600.0, 0.0, 27.0),
            (3600.0, 1.0, 30.0),
        ] {
            assert_eq!(delays.next(secs(elapsed), chance), Some(secs(expected)), "{elapsed} {chance}");
        }
    }

    #[test]
    fn own_delays_start_afresh_for_each_call_and_may_give_up() {
        let backoff = Backoff::from_fn(|retry| (retry <= 2).then(|| Duration::from_secs(retry.into())));
        assert_eq!(draw(&backoff, 0.5, 9), [1.0, 2.0]);
        assert_eq!(draw(&backoff, 0.5, 9), [1.0, 2.0]);
    }

    #[cfg(feature = "backoff")]
    #[test]
    fn the_backoff_crate_gives_the_delays() {
        use backoff::backoff::{Constant, Stop};

        assert_eq!(draw(&Backoff::from_backoff(|| Constant::new(secs(3.0))), 0.5, 2), [3.0, 3.0]);
        assert_eq!(draw(&Backoff::from_backoff(|| Stop {}), 0.5, 2), [0.0; 0]);
    }
}
