//! The clock of a [`FakeServer`], which is also the clock of its client.

use std::time::{Duration, SystemTime};

use super::FakeServer;
use crate::util::clock::Clock;

/// Its clock, which is also the clock of its client.
impl FakeServer {
    /// Returns the durations that the client slept, in order.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/42").done_at_poll(3));
    /// server.client().poller("operations/42").until_done()?;
    /// assert_eq!(server.sleeps(), [Duration::from_millis(500); 2]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn sleeps(&self) -> Vec<Duration> {
        self.backend.clock.sleeps()
    }

    /// Returns the time since the start, by the server's clock.
    pub fn elapsed(&self) -> Duration {
        self.backend.clock.elapsed()
    }

    /// Advances the clock, as a sleep of the client does.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/42").done_after(Duration::from_secs(60)));
    /// server.advance(Duration::from_secs(60));
    /// assert!(server.operation("operations/42").unwrap().is_done());
    /// ```
    pub fn advance(&self, duration: Duration) {
        self.backend.clock.advance(duration);
    }

    /// Returns the date and time of the server. In virtual time it starts at a
    /// whole second.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// let start = server.wall();
    /// server.advance(Duration::from_secs(60));
    /// assert_eq!(server.wall(), start + Duration::from_secs(60));
    /// ```
    pub fn wall(&self) -> SystemTime {
        self.backend.clock.wall()
    }

    /// Sets the date and time of the server. The elapsed time does not change.
    ///
    /// Credentials judge by this time whether a token has expired; timeouts go
    /// by the elapsed time.
    pub fn set_wall(&self, wall: SystemTime) {
        self.backend.clock.set_wall(wall);
    }

    /// Sets by how many seconds the `date` header is ahead of the server's
    /// clock. Default: zero; `None` omits the header.
    ///
    /// Tests of clock skew use this: an assertion is signed for the time of the
    /// token endpoint.
    pub fn set_date_offset(&self, seconds: Option<i64>) {
        self.backend.date.set_offset(seconds);
    }

    /// Sets the random number of the client's delays, from 0 up to 1. Default:
    /// 0.5.
    ///
    /// So a delay with equal jitter is three quarters of its maximum by
    /// default.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::Operation;
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.set_chance(0.0);
    /// server.reply(Reply::status(503));
    /// server.client().get("operations/42").send()?;
    /// assert_eq!(server.sleeps(), [Duration::from_millis(250)]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn set_chance(&self, chance: f64) {
        self.backend.clock.set_chance(chance);
    }
}
