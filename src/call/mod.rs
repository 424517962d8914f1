//! One call of any of the five methods: its request, its options, `send`.

mod request;
mod send;

use std::sync::Arc;
use std::time::Duration;

use crate::core::Core;
use crate::error::Error;
use crate::name::OperationName;
use crate::options::CallOptions;
use crate::proto::google::longrunning::{ListOperationsRequest, WaitOperationRequest};
use crate::retry::{RetryPolicy, RetryTask};
use crate::stop::StopToken;
use crate::transport::{Compression, Headers, HeadersObserver, Rpc};

pub(crate) use request::Request;

/// A call that is put together and not sent yet.
///
/// Every method of [`OperationsClient`](crate::OperationsClient) gives one; the options are the same for all. A wrong
/// option is reported by `send`, so that a call reads as one expression.
///
/// ```
/// # let server = longrunning::testing::FakeServer::start();
/// # server.insert(longrunning::Operation::running("operations/42"));
/// # let client = server.client();
/// use std::time::Duration;
///
/// use longrunning::RetryPolicy;
///
/// client
///     .cancel("operations/42")
///     .attempt_timeout(Duration::from_secs(5))
///     .total_timeout(Duration::from_secs(30))
///     .retry(RetryPolicy::never())
///     .quota_project("billing-project")
///     .header("x-goog-request-reason", "ticket-1234")
///     .send()?;
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or iteration"]
pub struct Call<R, M = Blocking> {
    pub(crate) core: Arc<Core>,
    #[cfg_attr(
        not(feature = "async"),
        allow(dead_code, reason = "only futures need it: what blocks has no state")
    )]
    pub(crate) mode: M,
    pub(crate) request: Result<R, Error>,
    pub(crate) options: CallOptions,
}

/// The mode of [`OperationsClient`](crate::OperationsClient): what it makes blocks the calling thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blocking;

/// Options of every call.
impl<R, M> Call<R, M> {
    pub(crate) fn new(core: &Arc<Core>, mode: M, request: Result<R, Error>) -> Self
    where
        R: Request,
    {
        Self { core: Arc::clone(core), mode, request, options: core.defaults(R::RPC) }
    }

    /// Limits one attempt: token, request and answer. Default: the client's, which is 10 s.
    ///
    /// Kept to the millisecond, on the socket too. An attempt that runs out of time is retried.
    pub fn attempt_timeout(mut self, attempt_timeout: Duration) -> Self {
        self.options.attempt_timeout = attempt_timeout;
        self
    }

    /// Limits the whole call: all attempts and the sleeps between them. Default: the client's, which is 60 s.
    ///
    /// With zero nothing is sent, and the call fails with [`ErrorKind::Timeout`](crate::ErrorKind::Timeout).
    pub fn total_timeout(mut self, total_timeout: Duration) -> Self {
        self.options.total_timeout = Some(total_timeout);
        self
    }

    /// Replaces the client's [`RetryPolicy`] for this call.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.options.retry = retry;
        self
    }

    /// Charges quota and billing to `project` (`x-goog-user-project`) in place of the client's choice.
    pub fn quota_project(mut self, project: &str) -> Self {
        let set = self.options.set_quota_project(project);
        self.check(set)
    }

    /// Sends a header along, after those of the client.
    ///
    /// Headers that the client sets itself (`authorization`, `host`, …) and values with control characters are
    /// refused: `send` then fails with [`ErrorKind::Config`](crate::ErrorKind::Config).
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let set = self.options.add_header(name, value);
        self.check(set)
    }

    /// Ends the call with [`ErrorKind::Stopped`](crate::ErrorKind::Stopped) when `token` is stopped: a sleep between
    /// attempts at once, an attempt that is under way as [`StopToken`] says.
    pub fn stop(mut self, token: &StopToken) -> Self {
        self.options.stop = Some(token.clone());
        self
    }

    /// Sets how the request is compressed. Default: the client's choice. Has no effect over REST.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.options.compression = compression;
        self
    }

    /// Calls `observer` with the headers of each answer, over gRPC its metadata, on the thread that makes the attempt.
    ///
    /// That is once for each answer that came whole, with an error too, and for each page of a listing; an attempt that
    /// is repeated with a fresh access token has two. It is there
    /// for request ids and the like, to be logged where they help the people who run the service.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::running("operations/42"));
    /// # let client = server.client();
    /// let log_id = |headers: &longrunning::transport::Headers| {
    ///     eprintln!("request id: {}", headers.get("x-request-id").unwrap_or("none"));
    /// };
    /// client.get("operations/42").on_headers(log_id).send()?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn on_headers(mut self, observer: impl Fn(&Headers) + Send + Sync + 'static) -> Self {
        self.options.on_headers = Some(HeadersObserver::new(observer));
        self
    }

    /// Keeps the first thing that is wrong with the call.
    fn check(mut self, set: Result<(), Error>) -> Self {
        self.request = self.request.and_then(|request| set.map(|()| request));
        self
    }

    fn set(mut self, set: impl FnOnce(&mut R)) -> Self {
        if let Ok(request) = &mut self.request {
            set(request);
        }
        self
    }
}

/// Options of a WaitOperation call.
impl<M> Call<WaitOperationRequest, M> {
    /// Asks the server to wait for up to `timeout`; it may return earlier, done or not.
    ///
    /// Without it the server chooses. Both time limits of the call are extended by it, unless
    /// [`total_timeout`](Self::total_timeout) is given: then the server is asked for what is left, if that is
    /// less, but for a second (or a tenth of a shorter time) in which the answer can arrive.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set(|request| request.timeout = prost_types::Duration::try_from(timeout.min(LONGEST_WAIT)).ok())
    }
}

/// Options of a listing.
impl<M> Call<ListOperationsRequest, M> {
    /// Lists only what the service's own filter language selects, such as `done = false`.
    pub fn filter(self, filter: impl Into<String>) -> Self {
        self.set(|request| request.filter = filter.into())
    }

    /// Asks for at most `page_size` operations a page; the service may give fewer. Default: its own choice.
    pub fn page_size(self, page_size: i32) -> Self {
        self.set(|request| request.page_size = page_size)
    }

    /// Starts at a page given by an earlier listing with the same options.
    pub fn page_token(self, page_token: impl Into<String>) -> Self {
        self.set(|request| request.page_token = page_token.into())
    }

    /// Lists what can be reached and names the rest in [`unreachable`](crate::OperationPage::unreachable).
    ///
    /// Only some services support it. Default: a place that cannot be reached fails the listing.
    pub fn return_partial_success(self, return_partial_success: bool) -> Self {
        self.set(|request| request.return_partial_success = return_partial_success)
    }

    /// The error for a listing that comes back to a page it has given.
    pub(crate) fn repeats(&self) -> Error {
        let name = self.request.as_ref().map_or("", |request| &request.name);
        Error::repeated_page_token().in_call(Rpc::List.name(), name, 0, Duration::ZERO)
    }

    pub(crate) fn token(&self) -> &str {
        self.request.as_ref().map_or("", |request| &request.page_token)
    }

    pub(crate) fn set_token(&mut self, token: String) {
        if let Ok(request) = &mut self.request {
            request.page_token = token;
        }
    }
}

/// What running a call takes.
impl<R, M> Call<R, M> {
    /// The same call about another operation.
    pub(crate) fn for_name(&self, name: &str) -> Self
    where
        R: Request,
        M: Clone,
    {
        let named = || OperationName::try_from(name).map(R::from_name);
        let request = self.request.as_ref().map_err(Error::clone).and_then(|_| named());
        Self { core: Arc::clone(&self.core), mode: self.mode.clone(), request, options: self.options.clone() }
    }

    /// The call as the retry loop has to know it.
    pub(crate) fn task(&self, request: &R) -> RetryTask
    where
        R: Request,
    {
        let (attempt_timeout, total_timeout) = self.options.limits(request.server_wait());
        RetryTask {
            rpc: R::RPC,
            name: request.name().to_owned(),
            attempt_timeout,
            total_timeout,
            policy: self.options.retry.clone(),
            stop: self.options.stop.clone(),
        }
    }
}

/// As much as a google.protobuf.Duration holds, about 10,000 years.
const LONGEST_WAIT: Duration = Duration::from_secs(315_576_000_000);
