//! The setters of [`Reply`]: headers, encoding, delays and faults.
//!
//! Each setter changes one field, so their order does not matter. Of setters
//! for the same field, such as two cuts, the last one counts.

use std::time::Duration;

use super::{AfterReply, BodyFraming, CutPosition, Reply, ReplyCut};

/// Encoding and faults.
impl Reply {
    /// Sets a response header; it replaces the one that the server would send,
    /// even `content-length` and `date`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.reply(Reply::status(503).header("retry-after", "3"));
    /// server.client().get("operations/42").send()?;
    /// assert_eq!(server.sleeps(), [Duration::from_secs(3)]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }

    /// Omits a header that the server would send, such as `date`.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.reply(Reply::usual().without_header("content-type"));
    /// server.client().get("operations/42").send()?; // the client reads the JSON all the same
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn without_header(mut self, name: impl Into<String>) -> Self {
        self.headers.push((name.into(), None));
        self
    }

    /// Compresses the body with gzip and sets `content-encoding`.
    ///
    /// The client decodes it if it has the feature `gzip`. The request need not
    /// accept that encoding.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.reply(Reply::usual().gzip());
    /// # #[cfg(feature = "gzip")]
    /// assert_eq!(server.client().get("operations/42").send()?.name(), "operations/42");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// Sends the body with `transfer-encoding: chunked` instead of its length.
    /// Chunks have 2048 bytes, or those of a [`drip`](Self::drip).
    pub fn chunked(mut self) -> Self {
        self.framing = BodyFraming::Chunked;
        self
    }

    /// Sends the body without its length; the end of the connection is the end
    /// of the body. The header `connection: close` announces that.
    pub fn close_delimited(mut self) -> Self {
        self.framing = BodyFraming::Close;
        self
    }

    /// Shortens the body to its first `bytes`, after compression, and announces
    /// the new length.
    ///
    /// So the response is complete for HTTP, but its content is not.
    pub fn shorten_to(mut self, bytes: usize) -> Self {
        self.keep = Some(bytes);
        self
    }

    /// Closes the connection after `bytes` of the body, although the header
    /// announces the whole length.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::{ErrorKind, RetryPolicy};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::json(200, r#"{"name":"operations/42"}"#).truncate_at(5));
    /// let error = server.client().get("operations/42").retry(RetryPolicy::never()).send().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Transport);
    /// ```
    pub fn truncate_at(self, bytes: usize) -> Self {
        self.cut(CutPosition::Body(bytes), false)
    }

    /// Closes the connection after `bytes` of the status line and headers.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::{ErrorKind, RetryPolicy};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::usual().truncate_head_at(9)); // `HTTP/1.1 `
    /// let error = server.client().get("operations/42").retry(RetryPolicy::never()).send().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Transport);
    /// ```
    pub fn truncate_head_at(self, bytes: usize) -> Self {
        self.cut(CutPosition::Head(bytes), false)
    }

    /// Resets the connection after `bytes` of the body; zero resets it after
    /// the headers.
    pub fn reset_at(self, bytes: usize) -> Self {
        self.cut(CutPosition::Body(bytes), true)
    }

    /// Delays the response, in the time of the server's clock. Default: none.
    ///
    /// In virtual time the delay takes no real time. A delay longer than the
    /// timeout of the attempt works as [`hang`](Self::hang).
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.reply(Reply::usual().delay(Duration::from_secs(4)));
    /// server.client().get("operations/42").send()?;
    /// assert!(server.elapsed() >= Duration::from_secs(4));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends the body in parts of `bytes`, with `pause` before each, in the
    /// time of the server's clock.
    ///
    /// At least one byte is sent at a time. A test of a timeout uses this for a
    /// server that is slow but never silent.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::{ErrorKind, RetryPolicy};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::json(200, r#"{"name":"operations/42"}"#).drip(1, Duration::from_secs(1)));
    /// let error = server.client().get("operations/42").retry(RetryPolicy::never()).send().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Timeout);
    /// assert!(server.elapsed() <= Duration::from_secs(10)); // 24 bytes would take 24 s
    /// ```
    pub fn drip(mut self, bytes: usize, pause: Duration) -> Self {
        self.drip = Some((bytes.max(1), pause));
        self
    }

    /// Closes the connection after the response without an announcement, as a
    /// server closes an idle connection.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// let client = server.client();
    /// server.reply(Reply::usual().then_close());
    /// client.get("operations/42").send()?;
    /// client.get("operations/42").send()?;
    /// assert_ne!(server.requests()[0].connection(), server.requests()[1].connection());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn then_close(mut self) -> Self {
        self.after = AfterReply::Close;
        self
    }

    /// Closes the connection after the response and announces it: `connection:
    /// close`, or `GOAWAY` before the response.
    pub fn then_go_away(self) -> Self {
        self.header("connection", "close")
    }

    /// Sends a `PING` over HTTP/2, and the response when the client has
    /// acknowledged it. Has no effect over HTTP/1.1.
    pub fn after_ping(mut self) -> Self {
        self.after_ping = true;
        self
    }

    /// Keeps the connection open until its next request has arrived, then
    /// closes it without a response.
    ///
    /// The client repeats that request once on a new connection, because no
    /// byte of a response had arrived.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// let client = server.client();
    /// server.reply(Reply::usual().then_close_on_next_request());
    /// client.get("operations/42").send()?;
    /// client.get("operations/42").send()?;
    /// assert_eq!(server.sleeps(), []);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn then_close_on_next_request(mut self) -> Self {
        self.after = AfterReply::CloseOnNextRequest;
        self
    }

    /// Sends this response to the next `times` requests. Default: 1;
    /// `usize::MAX` is for all that follow.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::status(503).times(usize::MAX));
    /// let error = server.client().get("operations/42").send().unwrap_err();
    /// assert_eq!(error.attempts(), 5);
    /// ```
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Sets where the response ends early, and whether the connection is then
    /// reset.
    pub(super) fn cut(mut self, at: CutPosition, reset: bool) -> Self {
        self.cut = Some(ReplyCut { at, reset });
        self
    }
}
