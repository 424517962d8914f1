//! Operations of the fake server that make progress.
//!
//! A [`FakeOperation`] is a description, not a state: [`at`](FakeOperation::at)
//! computes the state from its age and the number of its polls. So its states
//! do not depend on when they are read:
//!
//! ```text
//! Operation::running ──── time or polls ────> Operation::succeeded or Operation::failed
//! metadata: progress(0..100)                  metadata: progress(100)
//!      └── cancel, unless ignored ──────────> Operation::failed, CANCELLED
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::clock::FakeTimes;
use super::extended::in_form;
use crate::types::{Any, Code, Operation, OperationForm, Status};

/// An operation of a [`FakeServer`](super::FakeServer) that makes progress and
/// ends.
///
/// It ends after some time of the server's clock, or at a certain poll. Until
/// then its metadata shows the progress. Without either, it runs until it is
/// cancelled. An [`Operation`] converts to one that does not change.
///
/// ```
/// use std::time::Duration;
/// use longrunning::testing::{FakeOperation, FakeServer};
/// use longrunning::{Any, Code, Operation, Status};
///
/// let server = FakeServer::start();
/// let index = Any::from_json(r#"{"@type":"type.googleapis.com/example.Index","rows":"9"}"#)?;
/// server.insert(FakeOperation::new("operations/1").done_after(Duration::from_secs(90)).responds(index));
/// server.insert(FakeOperation::new("operations/2").done_at_poll(3).fails(Status::new(Code::Internal, "out of disk")));
/// server.insert(Operation::running("operations/3"));
///
/// server.advance(Duration::from_secs(45));
/// let metadata = server.operation("operations/1").and_then(|op| op.metadata().cloned()).unwrap();
/// assert!(metadata.json()?.contains(r#""percent":50"#));
///
/// server.advance(Duration::from_secs(45));
/// assert!(server.operation("operations/1").unwrap().is_done());
/// # Ok::<(), longrunning::Error>(())
/// ```
#[must_use = "an operation does nothing until the server has it"]
#[derive(Clone)]
pub struct FakeOperation {
    name: String,
    /// The state until it ends, if there is no progress. Its metadata stay in
    /// the final state.
    running: Operation,
    /// Makes the metadata from the percentage; `None` for metadata that stay
    /// the same.
    progress: Option<FakeProgress>,
    end: OperationEnd,
    /// The result, which is not used if `running` is done already.
    outcome: FakeOutcome,
    ignores_cancel: bool,
    /// The form in which it is sent.
    form: OperationForm,
}

/// A closure of the test, shared by all copies of the operation.
type FakeProgress = Arc<dyn Fn(u32) -> Any + Send + Sync>;

/// What ends an operation, apart from a cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OperationEnd {
    Never,
    /// This long after its insertion.
    AfterTime(Duration),
    /// At this poll, counted from 1.
    AtPoll(u64),
}

/// How an operation ends: with one of the two results that AIP-151 knows.
#[derive(Clone, Debug)]
enum FakeOutcome {
    Response(Any),
    Error(Status),
}

impl FakeOperation {
    /// Creates a running operation whose metadata is `{"percent": 40}`, a
    /// `google.protobuf.Struct`.
    ///
    /// It runs until it is cancelled, unless [`done_after`](Self::done_after)
    /// or [`done_at_poll`](Self::done_at_poll) ends it.
    ///
    /// ```
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/42"));
    /// let operation = server.client().get("operations/42").send()?;
    /// assert!(!operation.is_done() && operation.metadata().is_some());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self { progress: Some(Arc::new(percent_struct)), ..Self::from(Operation::running(name)) }
    }

    /// Ends the operation after `duration`, in the time of the server's clock
    /// since [`insert`](super::FakeServer::insert).
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/42").done_after(Duration::from_secs(60)));
    /// server.advance(Duration::from_secs(60));
    /// assert!(server.client().get("operations/42").send()?.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn done_after(mut self, duration: Duration) -> Self {
        self.end = OperationEnd::AfterTime(duration);
        self
    }

    /// Ends the operation at its `poll`-th poll; with zero it is done from the
    /// start.
    ///
    /// A get, a wait, and a list call whose page contains the operation count
    /// as polls.
    ///
    /// ```
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/42").done_at_poll(3));
    /// server.client().poller("operations/42").until_done()?;
    /// assert_eq!(server.request_count(), 3);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn done_at_poll(mut self, poll: u64) -> Self {
        self.end = OperationEnd::AtPoll(poll);
        self
    }

    /// Sets the response with which the operation ends. Default: an empty
    /// message.
    ///
    /// ```
    /// use longrunning::testing::{FakeOperation, FakeServer};
    /// use longrunning::Any;
    ///
    /// let server = FakeServer::start();
    /// let index = Any::from_json(r#"{"@type":"type.googleapis.com/demo.Index","rows":"9"}"#)?;
    /// server.insert(FakeOperation::new("operations/42").done_at_poll(0).responds(index.clone()));
    /// let done = server.client().get("operations/42").send()?;
    /// assert_eq!(done.response(), Some(&index));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn responds(mut self, response: impl Into<Any>) -> Self {
        self.outcome = FakeOutcome::Response(response.into());
        self
    }

    /// Sets the error with which the operation ends, in place of a response.
    ///
    /// ```
    /// use longrunning::testing::{FakeOperation, FakeServer};
    /// use longrunning::{Code, Status};
    ///
    /// let server = FakeServer::start();
    /// let failure = Status::new(Code::Internal, "out of disk");
    /// server.insert(FakeOperation::new("operations/42").done_at_poll(0).fails(failure));
    /// let done = server.client().get("operations/42").send()?;
    /// assert_eq!(done.error().map(|status| status.message()), Some("out of disk"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn fails(mut self, status: Status) -> Self {
        self.outcome = FakeOutcome::Error(status);
        self
    }

    /// Sets metadata that stay the same until the operation ends, and then too.
    ///
    /// ```
    /// use longrunning::testing::{FakeOperation, FakeServer};
    /// use longrunning::Any;
    ///
    /// let server = FakeServer::start();
    /// let metadata = Any::from_json(r#"{"@type":"type.googleapis.com/demo.Build","verb":"build"}"#)?;
    /// server.insert(FakeOperation::new("operations/42").metadata(metadata.clone()));
    /// assert_eq!(server.client().get("operations/42").send()?.metadata(), Some(&metadata));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn metadata(mut self, metadata: impl Into<Any>) -> Self {
        self.running = Operation::running(self.name.clone()).with_metadata(metadata.into());
        self.progress = None;
        self
    }

    /// Sets a closure that creates the metadata from the progress, 0 to 100
    /// percent. It must not call the server.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeOperation, FakeServer};
    /// use longrunning::{Any, Progress};
    ///
    /// let server = FakeServer::start();
    /// let metadata = |percent| Any::from_json(&format!(
    ///     r#"{{"@type":"type.googleapis.com/demo.BuildMetadata","progressPercent":{percent}}}"#
    /// ));
    /// server.insert(
    ///     FakeOperation::new("operations/42")
    ///         .done_after(Duration::from_secs(100))
    ///         .progress(move |percent| metadata(percent).expect("valid JSON")),
    /// );
    /// server.advance(Duration::from_secs(25));
    /// let operation = server.client().get("operations/42").send()?;
    /// assert_eq!(Progress::of(&operation).percent(), Some(25.0));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn progress(mut self, metadata: impl Fn(u32) -> Any + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(metadata));
        self
    }

    /// Sends the operation in the form of a service with a type or URLs of its
    /// own, such as Compute Engine.
    ///
    /// The name is that of the service, as in
    /// `projects/p/zones/z/operations/o`, or `b/B/operations/o` for Cloud
    /// Storage. The server then has the methods of the service under its URLs:
    /// Compute Engine holds a `POST …/wait` for two minutes and has no cancel,
    /// Cloud SQL cancels at `POST …/cancel`.
    ///
    /// The fields of extended operations have the times of the server's clock,
    /// and the percentage if there is a field for it. Only Cloud Storage sends
    /// the response and the metadata.
    ///
    /// ```
    /// use longrunning::testing::{FakeOperation, FakeServer};
    /// use longrunning::OperationForm;
    ///
    /// let server = FakeServer::start();
    /// let name = "projects/p/zones/z/operations/o";
    /// server.insert(FakeOperation::new(name).form(OperationForm::ComputeEngine).done_at_poll(3));
    /// let client = server.client_builder().api_version("compute/v1").build()?;
    /// let done = client.poller(name).until_done()?;
    /// assert_eq!((done.form(), done.name()), (OperationForm::ComputeEngine, name));
    /// assert_eq!(server.requests()[0].path(), "/compute/v1/projects/p/zones/z/operations/o");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn form(mut self, form: OperationForm) -> Self {
        self.form = form;
        self
    }

    /// Lets the operation continue after a cancel request, as a service may do.
    ///
    /// ```
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/42").ignores_cancel());
    /// server.client().cancel("operations/42").send()?;
    /// assert!(!server.operation("operations/42").unwrap().is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn ignores_cancel(mut self) -> Self {
        self.ignores_cancel = true;
        self
    }
}

/// For the store.
impl FakeOperation {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the form in which the operation is sent.
    pub(super) fn sent_form(&self) -> OperationForm {
        self.form
    }

    /// Returns the same operation under another name.
    pub(super) fn renamed(mut self, name: String) -> Self {
        self.running = copy_of(&self.running, &name);
        self.name = name;
        self
    }

    /// Returns whether a cancel ends the operation.
    pub(super) fn is_cancellable(&self) -> bool {
        !self.ignores_cancel
    }

    /// Returns whether the operation stays the same unless a request changes
    /// it.
    pub(super) fn is_settled(&self) -> bool {
        self.end == OperationEnd::Never && self.progress.is_none()
    }

    /// Returns the age at which the operation ends; `None` if it ends at a poll
    /// or never.
    pub(super) fn ends_at(&self) -> Option<Duration> {
        match self.end {
            OperationEnd::AfterTime(duration) => Some(duration),
            OperationEnd::Never | OperationEnd::AtPoll(_) => None,
        }
    }

    /// Returns the state at this age, after `polls` polls, in the form in which
    /// it is sent.
    pub(super) fn at(&self, times: FakeTimes, polls: u64) -> Operation {
        let (operation, percent) = self.plain_at(times.age, polls);
        // It may have ended before this poll: its end time is then that, not now.
        let ended = self.ends_at().map_or(times.age, |end| end.min(times.age));
        in_form(self.form, operation, percent, FakeTimes { age: ended, ..times })
    }

    /// Returns the state before it is written in a form, and the percentage
    /// from 0 to 100.
    fn plain_at(&self, age: Duration, polls: u64) -> (Operation, u32) {
        if self.running.is_done() {
            return (self.running.clone(), 100);
        }
        // Done when the fraction is 1: at the end exactly, not a moment after
        // it.
        let fraction = match self.end {
            OperationEnd::Never => 0.0,
            OperationEnd::AfterTime(end) => fraction(age.as_secs_f64(), end.as_secs_f64()),
            OperationEnd::AtPoll(end) => fraction(polls as f64, end as f64),
        };
        // Rounded down, so that 100 appears only when the operation is done.
        let percent = (fraction * 100.0) as u32;
        if fraction >= 1.0 {
            return (self.described(self.ended(), percent), 100);
        }
        let operation = match self.progress {
            Some(_) => self.described(Operation::running(self.name.clone()), percent),
            None => self.running.clone(),
        };
        (operation, percent)
    }

    /// Returns the final state, without metadata.
    fn ended(&self) -> Operation {
        match self.outcome.clone() {
            FakeOutcome::Response(response) => Operation::succeeded(self.name.clone(), response),
            FakeOutcome::Error(status) => Operation::failed(self.name.clone(), status),
        }
    }

    /// Returns the operation with the metadata for this percentage.
    fn described(&self, operation: Operation, percent: u32) -> Operation {
        // The closure of the test runs here, under the lock of the store: so it
        // must not call the server.
        let metadata = match &self.progress {
            Some(progress) => Some(progress(percent)),
            None => self.running.metadata().cloned(),
        };
        match metadata {
            Some(metadata) => operation.with_metadata(metadata),
            None => operation,
        }
    }
}

/// An operation that stays as it is, until a cancel.
impl From<Operation> for FakeOperation {
    fn from(running: Operation) -> Self {
        let form = running.form();
        Self {
            name: running.name().to_owned(),
            running,
            progress: None,
            end: OperationEnd::Never,
            outcome: FakeOutcome::Response(message(json!({ "@type": EMPTY }))),
            ignores_cancel: false,
            // An operation in an extended form stays in that form.
            form,
        }
    }
}

impl fmt::Debug for FakeOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("FakeOperation");
        out.field("name", &self.name)
            .field("end", &self.end)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// Returns the operation after a cancel: done, with the code `CANCELLED` and
/// the metadata that it had.
///
/// In an extended form it has lost its percentage, which is 0 again.
pub(super) fn cancelled(operation: &Operation, times: FakeTimes) -> Operation {
    let failed = Operation::failed(operation.name(), Status::new(Code::Cancelled, "operation was cancelled"));
    let failed = match operation.metadata() {
        Some(metadata) if !operation.form().is_extended() => failed.with_metadata(metadata.clone()),
        _ => failed,
    };
    in_form(operation.form(), failed, 0, times)
}

/// Returns the same state under another name.
fn copy_of(operation: &Operation, name: &str) -> Operation {
    // Its fields contain its short name and its links; only the name that the
    // request had is replaced.
    if operation.form().is_extended() {
        return operation.clone().requested_as(name);
    }
    let copy = match (operation.error(), operation.response()) {
        (Some(error), _) => Operation::failed(name, error.clone()),
        (None, Some(response)) => Operation::succeeded(name, response.clone()),
        (None, None) => Operation::running(name),
    };
    match operation.metadata() {
        Some(metadata) => copy.with_metadata(metadata.clone()),
        None => copy,
    }
}

/// Returns `part` of `whole`, at most 1. Zero of zero is 1: such an operation
/// is done from the start.
fn fraction(part: f64, whole: f64) -> f64 {
    if part >= whole { 1.0 } else { part / whole }
}

/// Returns the default metadata, `{"percent": 40}`.
fn percent_struct(percent: u32) -> Any {
    message(json!({ "@type": STRUCT, "value": { "percent": percent } }))
}

/// Returns JSON with an `@type` as an `Any`.
fn message(json: serde_json::Value) -> Any {
    Any::from_json(&json.to_string()).expect("a JSON object with an @type is an Any")
}

/// Well-known types, which clients in all languages can decode.
const EMPTY: &str = "type.googleapis.com/google.protobuf.Empty";
const STRUCT: &str = "type.googleapis.com/google.protobuf.Struct";
