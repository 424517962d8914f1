//! One call of any of the five methods: its request, its options, `send`.

use std::time::Duration;

use crate::client::OperationsClient;
use crate::error::Error;
use crate::name::OperationName;
use crate::pager::{Operations, Pages};
use crate::proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    WaitOperationRequest,
};
use crate::retry::{self, RetryPolicy, Task, Turn};
use crate::transport::{Attempt, Compression, Header, Rpc, Transport, check_quota_project};
use crate::types::{Code, Operation, OperationPage};

/// A call that is put together and not sent yet.
///
/// Every method of [`OperationsClient`] gives one; the options are the same for all. A wrong option is
/// reported by `send`, so that a call reads as one expression.
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
pub struct Call<'c, R> {
    client: &'c OperationsClient,
    request: Result<R, Error>,
    options: CallOptions,
}

/// What a call may take and carries along; the client's own are the defaults of its calls.
#[derive(Clone, Debug)]
pub(crate) struct CallOptions {
    pub(crate) attempt_timeout: Duration,
    /// None: [`TOTAL_TIMEOUT`], and the asked wait on top.
    pub(crate) total_timeout: Option<Duration>,
    pub(crate) retry: RetryPolicy,
    pub(crate) quota_project: Option<String>,
    pub(crate) headers: Vec<Header>,
    pub(crate) compression: Compression,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            attempt_timeout: ATTEMPT_TIMEOUT,
            total_timeout: None,
            retry: RetryPolicy::default(),
            quota_project: None,
            headers: Vec::new(),
            compression: Compression::default(),
        }
    }
}

impl CallOptions {
    pub(crate) fn set_quota_project(&mut self, project: &str) -> Result<(), Error> {
        check_quota_project(project)?;
        self.quota_project = Some(project.to_owned());
        Ok(())
    }

    pub(crate) fn attempt(&self, timeout: Duration) -> Attempt<'_> {
        Attempt::new(timeout).with(&self.headers, self.quota_project.as_deref()).compressed(self.compression)
    }
}

/// Options of every call.
impl<'c, R> Call<'c, R> {
    pub(crate) fn new(client: &'c OperationsClient, request: Result<R, Error>) -> Self {
        Self { client, request, options: client.defaults().clone() }
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
        let set = Header::new(name, value).map(|header| self.options.headers.push(header));
        self.check(set)
    }

    /// Sets how the request is compressed. Default: the client's choice. Has no effect over REST.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.options.compression = compression;
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

/// Sending.
impl<R> Call<'_, R> {
    /// Runs the call through the retry loop.
    fn run<T>(
        &self,
        request: &R,
        mut attempt: impl FnMut(&dyn Transport, &Attempt<'_>, &Turn) -> Result<T, Error>,
    ) -> Result<T, Error>
    where
        R: Request,
    {
        let wait = request.server_wait();
        let options = &self.options;
        let task = Task {
            method: R::RPC.name(),
            name: request.name(),
            attempt_timeout: options.attempt_timeout.saturating_add(wait),
            total_timeout: options.total_timeout.unwrap_or(TOTAL_TIMEOUT.saturating_add(wait)),
        };
        let client = self.client;
        retry::run(&options.retry, &task, client.clock(), |turn| {
            attempt(client.transport(), &options.attempt(turn.timeout), &turn)
        })
    }

    fn request(&self) -> Result<&R, Error> {
        self.request.as_ref().map_err(Error::clone)
    }
}

impl Call<'_, GetOperationRequest> {
    /// Sends the call and gives the latest state of the operation.
    ///
    /// # Errors
    ///
    /// `Binding` for a name that cannot be asked for, `Service` with the service's code (`NOT_FOUND` for an
    /// operation that was deleted or has expired), `Auth`, `Transport`, `Timeout`, `Decode`, `Config`. An
    /// operation that failed is not an error here.
    pub fn send(self) -> Result<Operation, Error> {
        let request = self.request()?;
        self.run(request, |transport, attempt, _| transport.get_operation(request, attempt))
    }
}

impl Call<'_, CancelOperationRequest> {
    /// Sends the call; success means that the service has taken note.
    ///
    /// Cancelling is best effort: get the operation afterwards to see whether it ended with `CANCELLED`.
    ///
    /// # Errors
    ///
    /// As for [`get`](OperationsClient::get); `UNIMPLEMENTED` where operations cannot be cancelled. When an
    /// earlier attempt may have reached the service, the message of `NOT_FOUND` and `FAILED_PRECONDITION` says
    /// so: that attempt may have worked.
    pub fn send(self) -> Result<(), Error> {
        let request = self.request()?;
        self.run(request, |transport, attempt, turn| {
            transport.cancel_operation(request, attempt).map_err(|error| match error.code() {
                Some(Code::NotFound | Code::FailedPrecondition) if turn.ambiguous => {
                    error.note("an earlier attempt may have cancelled it")
                }
                _ => error,
            })
        })
    }
}

impl Call<'_, DeleteOperationRequest> {
    /// Sends the call; success means that the service has forgotten the operation.
    ///
    /// Work that is running goes on: deleting does not cancel. `NOT_FOUND` after an attempt whose answer was
    /// lost counts as success.
    ///
    /// # Errors
    ///
    /// As for [`get`](OperationsClient::get); `UNIMPLEMENTED` where operations cannot be deleted.
    pub fn send(self) -> Result<(), Error> {
        let request = self.request()?;
        self.run(request, |transport, attempt, turn| match transport.delete_operation(request, attempt) {
            Err(error) if turn.ambiguous && error.code() == Some(Code::NotFound) => Ok(()),
            other => other,
        })
    }
}

impl Call<'_, WaitOperationRequest> {
    /// Asks the server to wait for up to `timeout`; it may return earlier, done or not.
    ///
    /// Without it the server chooses. Both time limits of the call are extended by it, unless
    /// [`total_timeout`](Self::total_timeout) is given: then the server is asked for what is left, if that is
    /// less, but for a second (or a tenth of a shorter time) in which the answer can arrive.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set(|request| request.timeout = prost_types::Duration::try_from(timeout.min(LONGEST_WAIT)).ok())
    }

    /// Sends the call and gives the latest state of the operation, done or not.
    ///
    /// # Errors
    ///
    /// As for [`get`](OperationsClient::get); `UNIMPLEMENTED` where the service has no such method or no
    /// binding for it is configured.
    pub fn send(self) -> Result<Operation, Error> {
        let request = self.request()?;
        self.run(request, |transport, attempt, turn| {
            let asked = request.timeout.map(|_| request.server_wait().min(for_server(turn.timeout)));
            let timeout = asked.and_then(|asked| prost_types::Duration::try_from(asked).ok());
            transport.wait_operation(&WaitOperationRequest { timeout, ..request.clone() }, attempt)
        })
    }
}

impl<'c> Call<'c, ListOperationsRequest> {
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

    /// Lists what can be reached and names the rest in [`unreachable`](OperationPage::unreachable).
    ///
    /// Only some services support it. Default: a place that cannot be reached fails the listing.
    pub fn return_partial_success(self, return_partial_success: bool) -> Self {
        self.set(|request| request.return_partial_success = return_partial_success)
    }

    /// Sends the call for one page.
    ///
    /// # Errors
    ///
    /// As for [`get`](OperationsClient::get).
    pub fn send(self) -> Result<OperationPage, Error> {
        self.send_page()
    }

    /// Gives all pages, each fetched when it is asked for.
    pub fn pages(self) -> Pages<'c> {
        Pages::new(self)
    }

    pub(crate) fn send_page(&self) -> Result<OperationPage, Error> {
        let request = self.request()?;
        self.run(request, |transport, attempt, _| transport.list_operations(request, attempt))
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

/// Lists all operations, page by page as they are needed.
impl<'c> IntoIterator for Call<'c, ListOperationsRequest> {
    type Item = Result<Operation, Error>;
    type IntoIter = Operations<'c>;

    fn into_iter(self) -> Operations<'c> {
        Operations::new(self.pages())
    }
}

/// What the loop has to know of a request.
pub(crate) trait Request: Clone {
    const RPC: Rpc;

    fn from_name(name: OperationName) -> Self;

    fn name(&self) -> &str;

    /// How long the server is asked to hold the answer back.
    fn server_wait(&self) -> Duration {
        Duration::ZERO
    }
}

macro_rules! request {
    ($request:ident, $rpc:ident $(, $server_wait:item)?) => {
        impl Request for $request {
            const RPC: Rpc = Rpc::$rpc;

            fn from_name(name: OperationName) -> Self {
                let mut request = Self::default();
                request.name = name.into();
                request
            }

            fn name(&self) -> &str {
                &self.name
            }

            $($server_wait)?
        }
    };
}

request!(GetOperationRequest, Get);
request!(ListOperationsRequest, List);
request!(CancelOperationRequest, Cancel);
request!(DeleteOperationRequest, Delete);
request!(
    WaitOperationRequest,
    Wait,
    fn server_wait(&self) -> Duration {
        self.timeout.and_then(|timeout| timeout.try_into().ok()).unwrap_or_default()
    }
);

/// How long the server may hold its answer back if that is to arrive within `left`.
fn for_server(left: Duration) -> Duration {
    left - (left / 10).min(Duration::from_secs(1))
}

/// As much as a google.protobuf.Duration holds, about 10,000 years.
const LONGEST_WAIT: Duration = Duration::from_secs(315_576_000_000);

/// Google's service config of the RPCs: 10 s an attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// Room for five attempts with the default delays between them.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(60);
