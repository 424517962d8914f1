//! The setters of waits: timeout, polling, tolerance, rate, concurrency.

/// Writes the limit of a wait: [`Poller`](crate::Poller),
/// [`PollMany`](crate::PollMany).
macro_rules! wait_timeout_options {
    () => {
        /// Limits the whole wait, for all its operations together. Default: 24 hours.
        ///
        /// After the timeout, operations that are not done end with
        /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), and
        /// [`on_timeout`](Self::on_timeout) says what happens to them. No poll is sent
        /// after the timeout, with one exception: with zero the operation is polled
        /// once, within the [attempt timeout](Self::attempt_timeout). Of many
        /// operations, those that can be listed are polled once, and of the others the
        /// first 100.
        ///
        /// The last poll is sent a little earlier, so that its response can arrive in
        /// time: by twice the time of the slowest poll, at least 50 ms, at most 1 s,
        /// and at most a tenth of the timeout. The wait ends with that
        /// response, because no further poll could follow it.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # server.insert(longrunning::Operation::running("operations/42"));
        /// # let client = server.client();
        /// use std::time::Duration;
        ///
        /// use longrunning::ErrorKind;
        ///
        /// let error = client.poller("operations/42").total_timeout(Duration::from_secs(60)).until_done().unwrap_err();
        /// assert_eq!(error.kind(), ErrorKind::Timeout);
        /// assert!(error.operation().is_some(), "the last state");
        /// ```
        pub fn total_timeout(mut self, total_timeout: std::time::Duration) -> Self {
            // Zero is kept: it means one poll, and not no limit.
            self.poll.total_timeout = Some(total_timeout);
            self
        }

        /// Waits without a time limit, in place of 24 hours.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # server.insert(longrunning::Operation::succeeded("operations/42", longrunning::Any::from_json("{}")?));
        /// # let client = server.client();
        /// assert!(client.poller("operations/42").forever().until_done()?.is_done());
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn forever(mut self) -> Self {
            self.poll.total_timeout = None;
            self
        }
    };
}

/// Writes the options of polling: [`Poller`](crate::Poller),
/// [`PollMany`](crate::PollMany), clients.
macro_rules! poll_options {
    () => {
        /// Sets the delays between the polls of a wait. Default: the client's, which is
        /// a tenth of the time waited, at least 0.5 s, at most 30 s, ±10 %.
        ///
        /// Each operation starts them anew. A hint of the service (`Retry-After`,
        /// [`RetryInfo`](crate::rpc::RetryInfo)) makes the next delay longer, never
        /// shorter. A delay of less than 10 ms, such as zero, counts as 10 ms. A
        /// function that returns `None` ends the wait as its timeout does.
        ///
        /// ```
        /// # use longrunning::testing::{FakeOperation, FakeServer};
        /// # let server = FakeServer::start();
        /// # server.insert(FakeOperation::new("operations/42").done_at_poll(3));
        /// # let client = server.client();
        /// use std::time::Duration;
        ///
        /// use longrunning::Backoff;
        ///
        /// let every_5_s = Backoff::from_fn(|_| Some(Duration::from_secs(5)));
        /// client.poller("operations/42").backoff(every_5_s).until_done()?;
        /// # assert_eq!(server.elapsed().as_secs(), 10);
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn backoff(mut self, backoff: crate::Backoff) -> Self {
            self.poll.backoff = backoff;
            self
        }

        /// Sets how many errors in a row a wait tolerates that may be permanent:
        /// `INTERNAL`, `UNKNOWN`, text that is not the service's. Default: the
        /// client's, which is 5.
        ///
        /// With zero the first one ends the wait. Transient errors are not counted: see
        /// [`max_outage`](Self::max_outage). [`docs/errors.md`] classifies every error.
        /// If listing many operations fails that often, they are polled one by one.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # server.reply(longrunning::Status::new(longrunning::Code::Internal, "try again"));
        /// # let client = server.client();
        /// use longrunning::Code;
        ///
        /// let error = client.poller("operations/42").max_failures(0).until_done().unwrap_err();
        /// assert_eq!(error.code(), Some(Code::Internal));
        /// ```
        ///
        /// [`docs/errors.md`]: https://docs.rs/crate/longrunning/latest/source/docs/errors.md
        pub fn max_failures(mut self, max_failures: u32) -> Self {
            self.poll.max_failures = max_failures;
            self
        }

        /// Ends a wait when its polls have failed without interruption for this long:
        /// no connection, `UNAVAILABLE`, a used-up quota, no access token. Default: the
        /// client's, which is as long as the wait lasts.
        ///
        /// With zero the first failure ends the wait.
        /// [`Update::fault`](crate::Update::fault) shows an outage while it lasts.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # for _ in 0..9 { server.reply(longrunning::Status::new(longrunning::Code::Unavailable, "draining")); }
        /// # let client = server.client();
        /// use std::time::Duration;
        ///
        /// use longrunning::Code;
        ///
        /// let error = client.poller("operations/42").max_outage(Duration::from_secs(2)).until_done().unwrap_err();
        /// assert_eq!(error.code(), Some(Code::Unavailable));
        /// ```
        pub fn max_outage(mut self, max_outage: std::time::Duration) -> Self {
            // Without it an outage has no limit but the timeout of the wait.
            self.poll.max_outage = Some(max_outage);
            self
        }

        /// Tolerates `NOT_FOUND` for this long after the start of a wait, until the
        /// operation was found once. Default: the client's, which is zero.
        ///
        /// It is for services that find an operation only some seconds after they have
        /// returned its name; 10 s are enough.
        ///
        /// ```
        /// # use longrunning::{Any, Code, Operation, Status};
        /// # let server = longrunning::testing::FakeServer::start();
        /// # server.reply(Status::new(Code::NotFound, "not yet"));
        /// # server.reply(Operation::succeeded("operations/42", Any::from_json("{}")?));
        /// # let client = server.client();
        /// use std::time::Duration;
        ///
        /// let done = client.poller("operations/42").not_found_grace(Duration::from_secs(10)).until_done()?;
        /// assert!(done.is_done());
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn not_found_grace(mut self, grace: std::time::Duration) -> Self {
            self.poll.not_found_grace = grace;
            self
        }

        /// Limits how long one hint of the service can pause the polls of a wait.
        /// Default: the client's, which is 5 minutes.
        ///
        /// A hint (`Retry-After`, [`RetryInfo`](crate::rpc::RetryInfo),
        /// `grpc-retry-pushback-ms`) makes the next delay longer. Without a limit a
        /// maintenance page that says "in a day" would silence a wait for a day. With
        /// zero, hints are ignored. [`Update::pause`](crate::Update::pause) shows a
        /// pause while it lasts.
        ///
        /// ```
        /// # use longrunning::testing::{FakeOperation, FakeServer, Reply};
        /// # let server = FakeServer::start();
        /// # server.insert(FakeOperation::new("operations/42").done_at_poll(1));
        /// # let client = server.client();
        /// use std::time::Duration;
        ///
        /// server.reply(Reply::status(503).header("retry-after", "86400"));
        /// let minute = Duration::from_secs(60);
        /// client.poller("operations/42").max_hint(minute).until_done()?;
        /// assert_eq!(server.sleeps(), [minute]);
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn max_hint(mut self, max_hint: std::time::Duration) -> Self {
            self.poll.max_hint = max_hint;
            self
        }

        /// Sets what happens to an operation that is not done at the total timeout.
        /// Default: the client's, which is
        /// [`OnTimeout::Leave`](crate::OnTimeout::Leave): it continues.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # server.insert(longrunning::Operation::running("operations/42"));
        /// # let client = server.client();
        /// use std::time::Duration;
        ///
        /// use longrunning::OnTimeout;
        ///
        /// let poller = client.poller("operations/42").total_timeout(Duration::from_secs(60));
        /// let error = poller.on_timeout(OnTimeout::Cancel).until_done().unwrap_err();
        /// assert!(error.to_string().ends_with("its cancellation was requested"), "{error}");
        /// ```
        pub fn on_timeout(mut self, on_timeout: crate::OnTimeout) -> Self {
            self.poll.on_timeout = on_timeout;
            self
        }

        /// Sets whether a wait uses the service's own wait (WaitOperation), which
        /// returns as soon as the operation is done. Default: the client's, which is
        /// [`LongPoll::Never`](crate::LongPoll::Never).
        ///
        /// A wait for many operations does so for operations that it does not poll by
        /// listing, when no more of them are left than requests may be in flight at
        /// once ([`PollMany::concurrency`](crate::PollMany::concurrency)).
        ///
        /// ```
        /// # use longrunning::testing::{FakeOperation, FakeServer, Rpc};
        /// # let server = FakeServer::builder().with(Rpc::Wait).start()?;
        /// # server.insert(FakeOperation::new("operations/42").done_after(std::time::Duration::from_secs(100)));
        /// # let client = server.client();
        /// use longrunning::LongPoll;
        ///
        /// client.poller("operations/42").long_poll(LongPoll::Auto).until_done()?;
        /// # assert_eq!(server.elapsed(), std::time::Duration::from_secs(100));
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn long_poll(mut self, long_poll: crate::LongPoll) -> Self {
            self.poll.long_poll = long_poll;
            self
        }
    };
}

/// Writes the limit on the rate of polls: [`PollMany`](crate::PollMany),
/// clients.
macro_rules! rate_option {
    () => {
        /// Limits how many polls are sent per second, list pages included. Default: no
        /// limit.
        ///
        /// Polls are spaced evenly, in the order in which they are due. A client's
        /// limit applies to all waits of the client and its clones together, and beside
        /// the limit of a wait. A wait keeps its timeout: it ends without the poll that
        /// would be sent too late. Single calls (`get`, `list`, …) are not limited. A
        /// number that is not positive and finite is refused with
        /// [`ErrorKind::Config`](crate::ErrorKind::Config).
        ///
        /// ```
        /// # use longrunning::testing::{FakeOperation, FakeServer};
        /// # let server = FakeServer::start();
        /// # server.insert(FakeOperation::new("operations/42").done_at_poll(3));
        /// // One poll every four seconds, whatever the delays of the waits are.
        /// let client = server.client_builder().max_rate(0.25).build()?;
        /// client.poller("operations/42").until_done()?;
        /// assert_eq!(server.elapsed().as_secs(), 8);
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn max_rate(mut self, per_second: f64) -> Self {
            match crate::retry::RateLimit::new(per_second) {
                // Shared, so that clones of a client keep one limit together.
                Ok(limit) => self.rate = Some(std::sync::Arc::new(limit)),
                Err(error) => self.options.refuse(error),
            }
            self
        }
    };
}

/// Writes the limit on concurrent requests: [`PollMany`](crate::PollMany),
/// [`Sweep`](crate::Sweep).
macro_rules! concurrency_option {
    () => {
        /// Sets how many requests may be in flight at once: 1 to 256, each on a thread.
        /// Default: 4.
        ///
        /// Zero counts as 1. [`PollMany`](crate::PollMany) needs no thread but the
        /// calling one if it is 1.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # let client = server.client();
        /// let report = client.cancel_all("projects/p").concurrency(16).run()?;
        /// # assert_eq!(report.listed, 0);
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn concurrency(mut self, concurrency: usize) -> Self {
            // Limited instead of rejected: a number computed from the size of the input
            // should not fail for 0 or for 10,000.
            self.concurrency = crate::options::clamp_concurrency(concurrency);
            self
        }
    };
}

pub(crate) use {concurrency_option, poll_options, rate_option, wait_timeout_options};
