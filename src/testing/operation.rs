//! An operation that makes progress.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::types::{Any, Code, Operation, Status};

/// An operation of a [`FakeServer`](super::FakeServer) that makes progress and ends.
///
/// It ends after some time of the server's clock, or when it has been looked at so many times. Until
/// then its metadata says how far it is. Without an end it runs until it is cancelled. An
/// [`Operation`] becomes one that stays as it is.
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
    /// What it looks like until it ends, where no progress is told.
    running: Operation,
    progress: Option<FakeProgress>,
    end: OperationEnd,
    outcome: FakeOutcome,
    ignores_cancel: bool,
}

type FakeProgress = Arc<dyn Fn(u32) -> Any + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OperationEnd {
    Never,
    AfterReply(Duration),
    AtPoll(u64),
}

#[derive(Clone, Debug)]
enum FakeOutcome {
    Response(Any),
    Error(Status),
}

impl FakeOperation {
    /// A running operation that tells its progress as `{"percent": 40}`, a `google.protobuf.Struct`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { progress: Some(Arc::new(percent_struct)), ..Self::from(Operation::running(name)) }
    }

    /// Ends it after this much time of the server's clock, counted from [`insert`](super::FakeServer::insert).
    pub fn done_after(mut self, duration: Duration) -> Self {
        self.end = OperationEnd::AfterReply(duration);
        self
    }

    /// Ends it when it is looked at for the `poll`-th time; 0 is done from the start.
    ///
    /// A look is a get, a wait, or a list call that passes it.
    pub fn done_at_poll(mut self, poll: u64) -> Self {
        self.end = OperationEnd::AtPoll(poll);
        self
    }

    /// Ends it with this response; without one it is an empty message.
    pub fn responds(mut self, response: impl Into<Any>) -> Self {
        self.outcome = FakeOutcome::Response(response.into());
        self
    }

    /// Ends it with this error.
    pub fn fails(mut self, status: Status) -> Self {
        self.outcome = FakeOutcome::Error(status);
        self
    }

    /// Gives it metadata that do not change.
    pub fn metadata(mut self, metadata: impl Into<Any>) -> Self {
        self.running = Operation::running(self.name.clone()).with_metadata(metadata.into());
        self.progress = None;
        self
    }

    /// Makes its metadata from how far it is, 0 to 100 percent.
    ///
    /// The closure must not call the server.
    pub fn progress(mut self, metadata: impl Fn(u32) -> Any + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(metadata));
        self
    }

    /// Lets it run on when it is cancelled, which a service may do.
    pub fn ignores_cancel(mut self) -> Self {
        self.ignores_cancel = true;
        self
    }
}

/// What the store asks.
impl FakeOperation {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_cancellable(&self) -> bool {
        !self.ignores_cancel
    }

    /// Whether it looks the same for ever, if left alone.
    pub(super) fn is_settled(&self) -> bool {
        self.end == OperationEnd::Never && self.progress.is_none()
    }

    /// The age at which it ends, where time decides.
    pub(super) fn ends_at(&self) -> Option<Duration> {
        match self.end {
            OperationEnd::AfterReply(duration) => Some(duration),
            OperationEnd::Never | OperationEnd::AtPoll(_) => None,
        }
    }

    /// What it looks like at this age, after so many looks.
    pub(super) fn at(&self, age: Duration, polls: u64) -> Operation {
        if self.running.is_done() {
            return self.running.clone();
        }
        let fraction = match self.end {
            OperationEnd::Never => 0.0,
            OperationEnd::AfterReply(end) => fraction(age.as_secs_f64(), end.as_secs_f64()),
            OperationEnd::AtPoll(end) => fraction(polls as f64, end as f64),
        };
        let percent = (fraction * 100.0) as u32;
        if fraction >= 1.0 {
            return self.described(self.ended(), percent);
        }
        match self.progress {
            Some(_) => self.described(Operation::running(self.name.clone()), percent),
            None => self.running.clone(),
        }
    }

    fn ended(&self) -> Operation {
        match self.outcome.clone() {
            FakeOutcome::Response(response) => Operation::succeeded(self.name.clone(), response),
            FakeOutcome::Error(status) => Operation::failed(self.name.clone(), status),
        }
    }

    fn described(&self, operation: Operation, percent: u32) -> Operation {
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

impl From<Operation> for FakeOperation {
    fn from(running: Operation) -> Self {
        Self {
            name: running.name().to_owned(),
            running,
            progress: None,
            end: OperationEnd::Never,
            outcome: FakeOutcome::Response(message(json!({ "@type": EMPTY }))),
            ignores_cancel: false,
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

/// The same operation, ended by a cancel call: it stays, with code 1.
pub(super) fn cancelled(operation: &Operation) -> Operation {
    let failed = Operation::failed(operation.name(), Status::new(Code::Cancelled, "operation was cancelled"));
    match operation.metadata() {
        Some(metadata) => failed.with_metadata(metadata.clone()),
        None => failed,
    }
}

fn fraction(part: f64, whole: f64) -> f64 {
    if part >= whole { 1.0 } else { part / whole }
}

fn percent_struct(percent: u32) -> Any {
    message(json!({ "@type": STRUCT, "value": { "percent": percent } }))
}

fn message(json: serde_json::Value) -> Any {
    Any::from_json(&json.to_string()).expect("a JSON object with an @type is an Any")
}

/// Well-known types, which every client of every language can read.
const EMPTY: &str = "type.googleapis.com/google.protobuf.Empty";
const STRUCT: &str = "type.googleapis.com/google.protobuf.Struct";
