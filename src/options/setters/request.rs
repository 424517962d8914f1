//! The setters of requests, and of the timeout of calls.

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
            // Zero is kept: it is a timeout like any other, within which no
            // attempt ends.
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
            // Shares the budget of the policy, if it has one: clones of a policy are one.
            self.options.retry = Some(retry);
            self
        }

        /// Charges quota and billing to `project`, by the header `x-goog-user-project`.
        /// Default: the client's choice, which is `GOOGLE_CLOUD_QUOTA_PROJECT`, then
        /// the project of the credentials.
        ///
        /// It is a project id or number. A value with spaces or control characters is
        /// rejected with [`ErrorKind::Config`](crate::ErrorKind::Config) by the method
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
            // Checked now, reported by the method that sends: see `RequestOptions`.
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
            // Checked now, so that an attempt can send it as it is.
            self.options.add_header(name, value);
            self
        }

        /// Ends the work with [`ErrorKind::Stopped`](crate::ErrorKind::Stopped) when
        /// `token` is stopped. Default: the client's token, if it has one.
        ///
        /// A sleep between attempts or polls ends at once, and an attempt as
        /// [`StopToken`](crate::StopToken) says. The operation itself continues. A
        /// sweep starts no more calls and returns its report.
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
            // Replaces the token of the client: two tokens would need a third one that
            // follows both.
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
            // A set timeout is not extended by the time that the server is requested to
            // wait: the program has decided how long it blocks.
            self.options.total_timeout = Some(total_timeout);
            self
        }
    };
}

pub(crate) use {call_timeout_options, request_options};
