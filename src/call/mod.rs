//! One call of any of the five methods: its request, its options, `send`.
//!
//! A [`Call`] is a value that is put together and then consumed. What it needs
//! of the client is shared (`Core`), so it does not borrow the client. `send`
//! joins the options with those of the client and drives the retry loop:
//!
//! ```text
//! Call ── complete ──► request, CallOptions ── task_of ──► RetryTask
//!                                                             │ retry::run
//!                         AttemptRequest::attempt ◄───────────┘ once for each attempt
//! ```

mod request;
mod send;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::core::Core;
use crate::error::Error;
use crate::options::{CallOptions, RequestOptions, call_timeout_options, list_options, request_options};
use crate::proto::google::longrunning::{ListOperationsRequest, WaitOperationRequest};
use crate::retry::{RepeatRule, RetryTask};
use crate::transport::Rpc;
use crate::util::redact::Masked;

pub use request::CallRequest;
pub(crate) use request::{AttemptRequest, RpcRequest};

/// A call that is put together and not sent yet.
///
/// Every method of [`OperationsClient`](crate::OperationsClient) returns one;
/// the options are the same for all. An invalid option is reported by `send`,
/// so that a call reads as one expression.
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
#[derive(Clone)]
#[must_use = "nothing is sent before `send` or iteration"]
pub struct Call<R, M = Blocking> {
    pub(crate) core: Arc<Core>,
    #[cfg_attr(
        not(feature = "async"),
        allow(dead_code, reason = "only futures need it: what blocks has no state")
    )]
    pub(crate) mode: M,
    /// The request message, or the error of the name.
    pub(crate) request: Result<R, Error>,
    pub(crate) options: RequestOptions,
    /// Limits of an iteration, for a list.
    pub(crate) limits: ListLimits,
}

/// Limits an iteration over the pages of a list.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ListLimits {
    pub(crate) iteration_timeout: Option<Duration>,
    pub(crate) max_pages: Option<usize>,
}

/// Prints the call without what may be a secret given in the wrong place, such
/// as a token as the name.
impl<R: fmt::Debug, M: fmt::Debug> fmt::Debug for Call<R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("core", &self.core)
            .field("mode", &self.mode)
            .field("request", &Masked(&self.request))
            .field("options", &self.options)
            .finish()
    }
}

/// The mode of [`OperationsClient`](crate::OperationsClient): what it makes
/// blocks the calling thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blocking;

/// Options of every call.
impl<R, M> Call<R, M> {
    /// Creates a call without options of its own.
    pub(crate) fn new(core: &Arc<Core>, mode: M, request: Result<R, Error>) -> Self
    where
        R: RpcRequest,
    {
        let (options, limits) = (RequestOptions::default(), ListLimits::default());
        Self { core: Arc::clone(core), mode, request, options, limits }
    }

    request_options!();
    call_timeout_options!();

    /// Sets the version of the operation, if it is not that of the client.
    pub(crate) fn at_version(mut self, version: Option<Arc<str>>) -> Self {
        // Set by the target and not by the program, so it is no setter.
        self.options.api_version = version;
        self
    }

    /// Changes the request, unless its name was invalid.
    fn set(mut self, set: impl FnOnce(&mut R)) -> Self {
        // An invalid name stays the error of the call, whatever is set
        // afterwards.
        if let Ok(request) = &mut self.request {
            set(request);
        }
        self
    }
}

/// Options of a WaitOperation call.
impl<M> Call<WaitOperationRequest, M> {
    /// Sets how long the server may hold back its response; it may return
    /// earlier, done or not.
    ///
    /// Without it, the server decides. It extends both timeouts of the call. If
    /// [`total_timeout`](Self::total_timeout) is set, the request contains at
    /// most the remaining time, less a second (or a tenth of a shorter
    /// time) in which the response can arrive.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeOperation, FakeServer, Rpc};
    /// use longrunning::{Bindings, WaitBinding};
    ///
    /// let server = FakeServer::builder().with(Rpc::Wait).start()?;
    /// server.insert(FakeOperation::new("operations/42").done_after(Duration::from_secs(20)));
    /// let client = server.client_builder().bindings(Bindings::default().wait_by(WaitBinding::Body)).build()?;
    /// assert!(client.wait("operations/42").timeout(Duration::from_secs(30)).send()?.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn timeout(self, timeout: Duration) -> Self {
        // Limited to what the message can hold, so that "as long as possible" needs no
        // other value than `Duration::MAX`.
        self.set(|request| request.timeout = prost_types::Duration::try_from(timeout.min(LONGEST_WAIT)).ok())
    }
}

/// Options of a listing.
impl<M> Call<ListOperationsRequest, M> {
    list_options!();

    /// Changes the request and the limits of a list, for `list_options`.
    pub(crate) fn edit_list(
        mut self,
        edit: impl FnOnce(&mut ListOperationsRequest, &mut ListLimits),
    ) -> Self {
        if let Ok(request) = &mut self.request {
            edit(request, &mut self.limits);
        }
        self
    }

    /// Starts at the page of this token, from an earlier listing with the same
    /// options.
    ///
    /// ```
    /// use longrunning::Operation;
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// for n in 1..=3 {
    ///     server.insert(Operation::running(format!("projects/p/operations/{n}")));
    /// }
    /// let client = server.client();
    /// let first = client.list("projects/p").page_size(2).send()?;
    /// let rest = client.list("projects/p").page_size(2).page_token(first.next_page_token).send()?;
    /// assert_eq!(rest.operations.len(), 1);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn page_token(self, page_token: impl Into<String>) -> Self {
        self.set(|request| request.page_token = page_token.into())
    }

    /// Lists the reachable operations and names the unreachable locations in
    /// [`unreachable`](crate::OperationPage::unreachable).
    ///
    /// Only some services support it. Default: an unreachable location fails
    /// the listing.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # let client = server.client();
    /// let page = client.list("projects/p/locations/-").return_partial_success(true).send()?;
    /// for location in &page.unreachable {
    ///     eprintln!("no operations of {location}");
    /// }
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn return_partial_success(self, return_partial_success: bool) -> Self {
        self.set(|request| request.return_partial_success = return_partial_success)
    }

    /// Adds the call to an error for which no request was sent.
    pub(crate) fn fails(&self, error: Error) -> Error {
        let name = self.request.as_ref().map_or("", |request| &request.name);
        error.in_call(Rpc::List.name(), name, 0, Duration::ZERO)
    }

    /// Returns the timeout of one step, such as a call of `next`.
    pub(crate) fn step_timeout(&self) -> Duration {
        self.options.over(self.core.defaults(Rpc::List)).limits(Duration::ZERO).1
    }

    /// Returns the token of the page that is fetched next; empty for the first.
    pub(crate) fn token(&self) -> &str {
        self.request.as_ref().map_or("", |request| &request.page_token)
    }

    /// Moves to the page of this token.
    pub(crate) fn set_token(&mut self, token: String) {
        if let Ok(request) = &mut self.request {
            request.page_token = token;
        }
    }
}

/// The parts that running a call needs.
impl<R, M> Call<R, M> {
    /// Returns the request with the complete options.
    ///
    /// # Errors
    ///
    /// The error of the name, else that of the first option that cannot be
    /// used.
    pub(crate) fn complete(&self) -> Result<(&R, CallOptions), Error>
    where
        R: RpcRequest,
    {
        // The name first: without a valid one, the options do not matter.
        let request = self.request.as_ref().map_err(Error::clone)?;
        self.options.check()?;
        let mut options = self.options.over(self.core.defaults(R::RPC));
        // The `wait` of Compute Engine holds its response whatever was
        // requested, and the version says whether this is Compute Engine.
        options.server_hold = self.core.server_hold(R::RPC, options.api_version.as_deref());
        Ok((request, options))
    }
}

/// Returns the call as the retry loop has to know it.
pub(crate) fn task_of<R: RpcRequest>(request: &R, options: &CallOptions) -> RetryTask {
    // Only WaitOperation has such a time; for all others it is zero.
    let (attempt_timeout, total_timeout) = options.limits(request.server_wait());
    RetryTask {
        method: R::RPC.name(),
        name: request.name().to_owned(),
        // All five RPCs: get, list and wait only read, cancel and delete are idempotent.
        repeat: RepeatRule::Idempotent,
        attempt_timeout,
        total_timeout,
        policy: options.retry.clone(),
        stop: options.stop.clone(),
    }
}

/// The longest google.protobuf.Duration, about 10,000 years.
const LONGEST_WAIT: Duration = Duration::from_secs(315_576_000_000);
