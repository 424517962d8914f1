//! The steps of a wait at single instants, by a clock that is set by hand.

use std::sync::Mutex;
use std::time::SystemTime;

use super::*;
use crate::options::{LongPoll, OnTimeout};
use crate::retry::Backoff;

const NAME: &str = "operations/42";

/// A clock that moves only when a test moves it.
#[derive(Debug)]
struct ManualClock(Mutex<Instant>);

impl ManualClock {
    fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    fn pass(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn sleep(&self, duration: Duration) {
        self.pass(duration);
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Options with a delay of 5 s, and without long polls and a timeout.
fn options() -> PollOptions {
    PollOptions {
        total_timeout: None,
        backoff: Backoff::from_fn(|_| Some(secs(5))),
        long_poll: LongPoll::Never,
        ..PollOptions::default()
    }
}

fn begin(options: PollOptions, calls: &CallOptions, clock: &ManualClock) -> WaitMachine {
    WaitMachine::new(NAME.try_into().unwrap(), options, WaitWatch::default(), calls, &Arc::default(), clock)
}

/// Lets the wait send its poll, and takes the time that the poll may take.
fn poll(wait: &mut WaitMachine, clock: &ManualClock) -> Duration {
    match wait.next(clock) {
        WaitStep::Poll(poll) => poll.timeout(),
        WaitStep::Sleep(at) => panic!("sleeps for {:?}", at - clock.now()),
        WaitStep::Cancel { .. } => panic!("cancels"),
        WaitStep::End(error) => panic!("{error}"),
    }
}

/// Returns the time until the next poll, which is not due yet.
fn pause(wait: &mut WaitMachine, clock: &ManualClock) -> Duration {
    match wait.next(clock) {
        WaitStep::Sleep(at) => at - clock.now(),
        _ => panic!("does not sleep"),
    }
}

fn running(wait: &mut WaitMachine, clock: &ManualClock) {
    assert!(wait.polled(Ok(Operation::running(NAME)), clock).is_some_and(|state| state.is_ok()));
}

#[test]
fn a_driver_that_asks_again_while_cancelling_gains_no_time() {
    let on_timeout = OnTimeout::CancelAndConfirm { grace: secs(6) };
    let clock = ManualClock::new();
    let options = PollOptions { total_timeout: Some(Duration::ZERO), on_timeout, ..options() };
    let mut wait =
        begin(options, &CallOptions { attempt_timeout: secs(10), ..CallOptions::default() }, &clock);
    assert_eq!(poll(&mut wait, &clock), secs(10), "zero polls once");
    running(&mut wait, &clock);
    for left in [6, 4, 2] {
        assert!(matches!(wait.next(&clock), WaitStep::Cancel { timeout } if timeout == secs(left)), "{left}");
        clock.pass(secs(2));
    }
}

#[test]
fn a_cancellation_that_is_not_confirmed_may_take_as_long_as_an_attempt() {
    let clock = ManualClock::new();
    let options =
        PollOptions { total_timeout: Some(Duration::ZERO), on_timeout: OnTimeout::Cancel, ..options() };
    let mut wait =
        begin(options, &CallOptions { attempt_timeout: secs(10), ..CallOptions::default() }, &clock);
    poll(&mut wait, &clock);
    running(&mut wait, &clock);
    assert!(matches!(wait.next(&clock), WaitStep::Cancel { timeout } if timeout == secs(10)));
}

#[test]
fn a_permanent_error_that_comes_with_a_stop_is_not_lost() {
    let clock = ManualClock::new();
    let stop = StopToken::new();
    let calls = CallOptions { stop: Some(stop.clone()), ..CallOptions::default() };
    let refused = || Error::new(ErrorKind::Auth, "refused");
    for (error, ends) in [(refused(), true), (Error::stopped(), false)] {
        let mut wait = begin(options(), &calls, &clock);
        if !stop.is_stopped() {
            poll(&mut wait, &clock);
            stop.stop();
        }
        assert_eq!(wait.polled(Err(error), &clock).is_some(), ends);
        assert!(matches!(wait.next(&clock), WaitStep::End(error) if error.kind() == ErrorKind::Stopped));
    }
}

#[test]
fn a_response_that_was_held_for_a_while_counts_into_the_delay() {
    // Requested: 30 s, the longest.
    for (held, next) in [(secs(2), Some(secs(3))), (secs(4), Some(secs(1))), (secs(7), None)] {
        let clock = ManualClock::new();
        let options = PollOptions { long_poll: LongPoll::Body, ..options() };
        let mut wait = begin(options, &CallOptions::default(), &clock);
        poll(&mut wait, &clock);
        running(&mut wait, &clock);
        // The long poll follows at once.
        poll(&mut wait, &clock);
        clock.pass(held);
        running(&mut wait, &clock);
        match next {
            Some(next) => assert_eq!(pause(&mut wait, &clock), next, "{held:?}"),
            None => assert!(matches!(wait.next(&clock), WaitStep::Poll(_)), "{held:?}"),
        }
    }
}

#[test]
fn a_delay_beyond_every_clock_is_a_year() {
    let clock = ManualClock::new();
    let options = PollOptions { backoff: Backoff::from_fn(|_| Some(Duration::MAX)), ..options() };
    let mut wait = begin(options, &CallOptions::default(), &clock);
    poll(&mut wait, &clock);
    running(&mut wait, &clock);
    assert_eq!(pause(&mut wait, &clock), secs(31_536_000));
}

#[test]
fn the_pause_of_compute_engine_is_kept_if_time_is_left_after_it() {
    let running = Operation::from_json(
        r#"{"kind":"compute#operation","name":"o","selfLink":"https://compute.googleapis.com/compute/v1/projects/p/global/operations/o","status":"RUNNING"}"#,
    )
    .unwrap();
    assert!(!running.is_done());
    // The delay is 50 ms, the pause 1 s.
    for (left, next) in [(1000, 50), (1001, 1000), (900, 50)] {
        let clock = ManualClock::new();
        let options = PollOptions {
            total_timeout: Some(Duration::from_millis(left)),
            backoff: Backoff::from_fn(|_| Some(Duration::from_millis(50))),
            long_poll: LongPoll::Auto,
            ..options()
        };
        let mut wait = begin(options, &CallOptions::default(), &clock);
        poll(&mut wait, &clock);
        wait.polled(Ok(running.clone()), &clock);
        assert_eq!(pause(&mut wait, &clock), Duration::from_millis(next), "{left} ms left");
    }
}

#[test]
fn only_a_request_for_more_than_the_usual_delay_is_a_pause() {
    for (hint, shown) in [(4, None), (5, None), (6, Some(secs(6)))] {
        let clock = ManualClock::new();
        let mut wait = begin(options(), &CallOptions::default(), &clock);
        poll(&mut wait, &clock);
        let error = Error::new(ErrorKind::Transport, "x").transient(true).with_retry_after(secs(hint));
        assert!(wait.polled(Err(error), &clock).is_none());
        assert_eq!(wait.pause, shown, "{hint} s");
        assert_eq!(pause(&mut wait, &clock), secs(hint.max(5)));
    }
}
