//! The setters of all builders, each written once with its documentation.
//!
//! A builder names the sets of options that it has inside an `impl` block. It
//! keeps the values in the fields `options`
//! ([`RequestOptions`](super::RequestOptions)), `poll`
//! ([`PollOptions`](super::PollOptions)), `concurrency` and `rate`.

/// Writes the options of every request: [`Call`](crate::Call), waits, sweeps,
/// clients.
macro_rules! request_options {
    () => {
        /// Limits one attempt: access token, request and response. Default: the
        /// client's, which is 10 s.
        ///
        /// Exact to the millisecond, on the socket too. A call retries an attempt that
        /// timed out; a wait polls again after its usual delay. With zero no attempt
        /// can succeed. Over gRPC the request contains a timeout that is 5 %
        /// shorter, at most 50 ms, so that the server's own `DEADLINE_EXCEEDED` arrives
        /// in time: a server that obeys it ends the attempt that much earlier.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # server.insert(longrunning::Operation::succeeded("operations/42", longrunning::Any::from_json("{}")?));
        /// # let client = server.client();
        /// use std::time::Duration;
        ///
        /// client.get("operations/42").attempt_timeout(Duration::from_secs(2)).send()?;
        /// client.poller("operations/42").attempt_timeout(Duration::from_secs(2)).until_done()?;
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn attempt_timeout(mut self, attempt_timeout: std::time::Duration) -> Self {
            self.options.attempt_timeout = Some(attempt_timeout);
            self
        }

        /// Sets what calls retry, how often, and after which delays. Default: the
        /// client's, which is [`RetryPolicy::default`](crate::RetryPolicy).
        ///
        /// Polls of a wait are not retried: the next poll takes the place of a retry.
        /// There the policy is that of the cancellation by
        /// [`OnTimeout`](crate::OnTimeout).
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # server.insert(longrunning::Operation::running("operations/42"));
        /// # let client = server.client();
        /// use longrunning::RetryPolicy;
        ///
        /// client.cancel("operations/42").retry(RetryPolicy::never()).send()?;
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn retry(mut self, retry: crate::RetryPolicy) -> Self {
            self.options.retry = Some(retry);
            self
        }

        /// Charges quota and billing to `project`, by the header `x-goog-user-project`.
        /// Default: the client's choice, which is `GOOGLE_CLOUD_QUOTA_PROJECT`, then
        /// the project of the credentials.
        ///
        /// A project id or number. Anything with spaces or control characters is
        /// refused with [`ErrorKind::Config`](crate::ErrorKind::Config) by the method
        /// that sends.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # server.insert(longrunning::Operation::running("operations/42"));
        /// # let client = server.client();
        /// client.get("operations/42").quota_project("billing-project").send()?;
        /// # assert_eq!(server.requests()[0].header("x-goog-user-project"), Some("billing-project"));
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn quota_project(mut self, project: &str) -> Self {
            self.options.set_quota_project(project);
            self
        }

        /// Adds a header to each request, after those of the client. May be called more
        /// than once.
        ///
        /// Headers that the client sets itself (`authorization`, `host`, …) and values
        /// with control characters are refused with
        /// [`ErrorKind::Config`](crate::ErrorKind::Config) by the method that sends.
        /// Over gRPC headers are metadata.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # server.insert(longrunning::Operation::running("operations/42"));
        /// # let client = server.client();
        /// client.get("operations/42").header("x-goog-request-reason", "ticket-1234").send()?;
        /// # assert_eq!(server.requests()[0].header("x-goog-request-reason"), Some("ticket-1234"));
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn header(mut self, name: &str, value: &str) -> Self {
            self.options.add_header(name, value);
            self
        }

        /// Ends the work with [`ErrorKind::Stopped`](crate::ErrorKind::Stopped) when
        /// `token` is stopped. Default: the client's token, if it has one.
        ///
        /// A sleep between attempts or polls ends at once, and an attempt as
        /// [`StopToken`](crate::StopToken) says. The operation itself goes on. A sweep
        /// starts no more calls and returns its report.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # server.insert(longrunning::Operation::running("operations/42"));
        /// # let client = server.client();
        /// use longrunning::{ErrorKind, StopToken};
        ///
        /// let token = StopToken::new();
        /// token.stop(); // usually on another thread
        /// let error = client.poller("operations/42").stop(&token).until_done().unwrap_err();
        /// assert_eq!(error.kind(), ErrorKind::Stopped);
        /// ```
        pub fn stop(mut self, token: &crate::StopToken) -> Self {
            self.options.stop = Some(token.clone());
            self
        }

        /// Sets how request messages are compressed. Default: the client's choice,
        /// which is not at all.
        ///
        /// Has no effect over REST. Responses are decompressed whatever is set here.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # server.insert(longrunning::Operation::running("operations/42"));
        /// # let client = server.client();
        /// use longrunning::transport::Compression;
        ///
        /// client.get("operations/42").compression(Compression::Identity).send()?;
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        #[cfg(feature = "grpc")]
        #[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
        pub fn compression(mut self, compression: crate::transport::Compression) -> Self {
            self.options.compression = Some(compression);
            self
        }

        /// Calls `observer` with the headers of each response (over gRPC: its
        /// metadata), on the thread that makes the attempt. Default: the client's
        /// observer, if it has one.
        ///
        /// That is once for each complete response, errors included, and for each page
        /// of a list. An attempt that is repeated with a new access token has two. Use
        /// it to log request ids for the operators of the service.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # server.insert(longrunning::Operation::running("operations/42"));
        /// # let client = server.client();
        /// use longrunning::transport::Headers;
        ///
        /// let log_id = |headers: &Headers| {
        ///     eprintln!("request id: {}", headers.get("x-request-id").unwrap_or("none"));
        /// };
        /// client.get("operations/42").on_headers(log_id).send()?;
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn on_headers(
            mut self,
            observer: impl Fn(&crate::transport::Headers) + Send + Sync + 'static,
        ) -> Self {
            self.options.on_headers = Some(crate::transport::HeadersObserver::new(observer));
            self
        }
    };
}

/// Writes the timeout of calls: [`Call`](crate::Call), sweeps, clients.
macro_rules! call_timeout_options {
    () => {
        /// Limits each call: all its attempts and the sleeps between them. Default: the
        /// client's, which is 60 s.
        ///
        /// For a list a call is one step, such as `next()`, however many pages it
        /// takes; [`iteration_timeout`](crate::Call::iteration_timeout) limits all
        /// steps together. A wait has a limit of its
        /// own: [`Poller::total_timeout`](crate::Poller::total_timeout). With zero
        /// nothing is sent, and the call fails
        /// with [`ErrorKind::Timeout`](crate::ErrorKind::Timeout).
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # server.insert(longrunning::Operation::running("operations/42"));
        /// # let client = server.client();
        /// use std::time::Duration;
        ///
        /// client.get("operations/42").total_timeout(Duration::from_secs(20)).send()?;
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn total_timeout(mut self, total_timeout: std::time::Duration) -> Self {
            self.options.total_timeout = Some(total_timeout);
            self
        }
    };
}

/// Writes the limit of a wait: [`Poller`](crate::Poller),
/// [`PollMany`](crate::PollMany).
macro_rules! wait_timeout_options {
    () => {
        /// Limits the whole wait, for all its operations together. Default: 24 hours.
        ///
        /// When the timeout is over, operations that are not done end with
        /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), and
        /// [`on_timeout`](Self::on_timeout) says what happens to them. No poll is sent
        /// after the timeout, with one exception: with zero the operation is polled
        /// once, within the [attempt timeout](Self::attempt_timeout). Of many
        /// operations, those that can be listed are polled once so, and of the others
        /// the first 100.
        ///
        /// The last poll is sent a little earlier, so that its response can arrive in
        /// time: by twice the time of the slowest poll, at least 50 ms, at most 1 s,
        /// and at most a tenth of the timeout. The wait ends with that
        /// response, because nothing could change any more.
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
        /// [`max_outage`](Self::max_outage). The page [`docs/errors.md`] lists which
        /// error is which. If listing many operations fails that often, they are polled
        /// one by one.
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
            self.poll.max_outage = Some(max_outage);
            self
        }

        /// Tolerates `NOT_FOUND` for this long after the start of a wait, until the
        /// operation was found once. Default: the client's, which is zero.
        ///
        /// For services that find an operation only some seconds after they have
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
        /// [`OnTimeout::Leave`](crate::OnTimeout::Leave): it goes on.
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
        /// A wait for many operations does so for those that it does not poll by
        /// listing, as soon as no more operations are left than requests may be sent at
        /// a time ([`PollMany::concurrency`](crate::PollMany::concurrency)).
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
                Ok(limit) => self.rate = Some(std::sync::Arc::new(limit)),
                Err(error) => self.options.refuse(error),
            }
            self
        }
    };
}

/// Writes the limit on requests at a time: [`PollMany`](crate::PollMany),
/// [`Sweep`](crate::Sweep).
macro_rules! concurrency_option {
    () => {
        /// Sets how many requests may be sent at a time: 1 to 256, each on a thread.
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
            self.concurrency = crate::options::clamp_concurrency(concurrency);
            self
        }
    };
}

/// Writes the options of lists: [`Call`](crate::Call) of a list,
/// [`Sweep`](crate::Sweep). Both have `edit_list`.
macro_rules! list_options {
    () => {
        /// Lists only the operations that the service's own filter language selects,
        /// such as `done = false` (AIP-160). Default: all.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # let client = server.client();
        /// for operation in client.list("projects/p").filter("done = false") {
        ///     println!("{}", operation?.name());
        /// }
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn filter(self, filter: impl Into<String>) -> Self {
            self.edit_list(|request, _| request.filter = filter.into())
        }

        /// Requests at most `page_size` operations per page (AIP-158). Default: the
        /// service's choice, as with zero.
        ///
        /// A service may return fewer.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # for n in 0..25 { server.insert(longrunning::Operation::running(format!("projects/p/operations/{n}"))); }
        /// # let client = server.client();
        /// assert_eq!(client.list("projects/p").page_size(10).pages().count(), 3);
        /// ```
        pub fn page_size(self, page_size: i32) -> Self {
            self.edit_list(|request, _| request.page_size = page_size)
        }

        /// Limits the whole iteration over a list, the caller's time between steps
        /// included. Default: no limit.
        ///
        /// Counted from the first step. The step that exceeds it fails with
        /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout);
        /// [`Error::page_token`](crate::Error::page_token) is where to continue.
        /// `total_timeout` limits one step. A sweep limits its calls by it too: it
        /// starts no more of them, and counts the rest as not tried.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # let client = server.client();
        /// use std::time::Duration;
        ///
        /// for operation in client.list("projects/p").iteration_timeout(Duration::from_secs(300)) {
        ///     println!("{}", operation?.name());
        /// }
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn iteration_timeout(self, iteration_timeout: std::time::Duration) -> Self {
            self.edit_list(|_, limits| limits.iteration_timeout = Some(iteration_timeout))
        }

        /// Limits how many pages are fetched, empty pages included. Default: no limit.
        ///
        /// If there are more, the iteration ends with an error of kind
        /// [`Stopped`](crate::ErrorKind::Stopped), and
        /// [`Error::page_token`](crate::Error::page_token) is where to continue. With
        /// zero nothing is sent.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # for n in 0..25 { server.insert(longrunning::Operation::running(format!("projects/p/operations/{n}"))); }
        /// # let client = server.client();
        /// let mut operations = client.list("projects/p").page_size(10).max_pages(2).operations();
        /// assert_eq!(operations.by_ref().take_while(Result::is_ok).count(), 20);
        /// let token = operations.page_token().unwrap_or_default();
        /// assert_eq!(client.list("projects/p").page_token(token).operations().count(), 5);
        /// ```
        pub fn max_pages(self, max_pages: usize) -> Self {
            self.edit_list(|_, limits| limits.max_pages = Some(max_pages))
        }
    };
}

pub(crate) use {
    call_timeout_options, concurrency_option, list_options, poll_options, rate_option, request_options,
    wait_timeout_options,
};
