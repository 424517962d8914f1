//! The progress of an operation: a lenient reading of metadata, whose type
//! every service defines for itself ([AIP-151](https://google.aip.dev/151)).
//!
//! ```text
//! Operation ─ metadata ──> fields::read ──> extended::as_metadata ──> ProgressFields ──> Progress
//!              (JSON)       an object        for extended types        values by name     one state
//! states of a wait ─────────────────────────────────────────> ProgressTracker ──> Progress over time
//! ```
//!
//! Names are compared in lower case and without `_`. Nothing fails here: a
//! value of the wrong kind counts as absent. What is read is never used to
//! decide whether an operation is done. [`created`] has the one other use, the
//! age of operations in a sweep.

mod age;
mod extended;
mod fields;
mod tracker;

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::types::{Operation, Outcome, Status};

use fields::{ProgressFields, ProgressNumber};

pub(crate) use age::{UnknownAge, created};
pub(crate) use tracker::ProgressTracker;

/// The progress of an operation, as far as its metadata have fields with known
/// names.
///
/// Every service has a metadata type of its own, so this is a guess by the
/// names that Google's services use, in `camelCase` or `snake_case`, in the
/// metadata or in a part such as `genericMetadata` or `progress`. A value that
/// is not found is `None`. If the program knows the type, decode it:
/// [`Any::decode`](crate::Any::decode), [`Any::unpack`](crate::Any::unpack).
///
/// | | read from |
/// |---|---|
/// | [`percent`](Self::percent) | `progressPercent`, `progressPercentage`, `percentComplete`, `percentDone`, `completedPercent`, …; `progress`, where less than 1 is a fraction; `…CompletionRatio`; else the units |
/// | [`completed_units`](Self::completed_units), [`total_units`](Self::total_units) | `completedUnits`/`totalUnits`, `workCompleted`/`workEstimated`, `completedWork`/`estimatedWork`, `completedSteps`/`totalSteps`, `succeededCount`/`taskCount`, … |
/// | [`create_time`](Self::create_time) | `createTime`, `creationTime`, `insertTime`, `submitTime`, `requestTime` |
/// | [`start_time`](Self::start_time), [`update_time`](Self::update_time) | `startTime`, `beginTime`; `updateTime`, `lastUpdateTime` |
/// | [`end_time`](Self::end_time) | `endTime`, `completeTime`, `finishTime`, `doneTime`, … |
/// | [`message`](Self::message) | `statusMessage`, `statusDetail`, `progressMessage`, `stateMessage`, `message`, … |
/// | [`state`](Self::state), [`stage`](Self::stage) | `state`, `operationState`, …; `stage`, `phase`, `currentStep` |
/// | [`verb`](Self::verb), [`target`](Self::target) | `verb`, `operationType`; `target`, `targetResource`, `resource`, … |
/// | [`partial_failures`](Self::partial_failures) | everything that looks like a `google.rpc.Status` |
/// | [`failure_count`](Self::failure_count) | these, and counters: `failureCount`, `counter.failure`, `errorCount`, … |
///
/// Progress that has an element for each part of the work, as schema changes of
/// Spanner and annotations of several videos have, is the mean over the
/// elements. An element without a number counts as zero.
///
/// An [extended operation](crate::OperationForm) is read likewise: its own
/// `progress`, times, `operationType` and `targetLink`, the metrics and stages
/// of GKE, and its warnings as partial failures. Its `status` is the
/// [`state`](Self::state).
///
/// Protobuf bytes can be read only if their type has a JSON form in this crate
/// ([`Any::json`](crate::Any::json)); otherwise the progress is unknown.
///
/// ```
/// use std::time::Duration;
///
/// use longrunning::{Operation, Progress};
///
/// let operation = Operation::from_json(
///     r#"{"name": "operations/42", "metadata": {"@type": "type.googleapis.com/x.Metadata", "genericMetadata": {
///         "progressPercentage": "25", "startTime": "2026-01-01T10:00:00Z", "updateTime": "2026-01-01T10:00:30Z"}}}"#,
/// )?;
/// let progress = Progress::of(&operation);
/// assert_eq!(progress.percent(), Some(25.0));
/// assert_eq!(progress.elapsed(), Some(Duration::from_secs(30)));
/// assert_eq!(progress.remaining(), Some(Duration::from_secs(90)));
/// assert_eq!(progress.stage(), None);
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// References: [AIP-151](https://google.aip.dev/151).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// From 0 to 100.
    percent: Option<f64>,
    completed_units: Option<u64>,
    total_units: Option<u64>,
    create_time: Option<SystemTime>,
    start_time: Option<SystemTime>,
    update_time: Option<SystemTime>,
    end_time: Option<SystemTime>,
    message: Option<String>,
    state: Option<String>,
    stage: Option<String>,
    verb: Option<String>,
    target: Option<String>,
    /// At least the number of `partial_failures`.
    failure_count: Option<u64>,
    partial_failures: Vec<Status>,
    /// By the times of the service; in a wait, by the clock of the client.
    elapsed: Option<Duration>,
    remaining: Option<Duration>,
}

impl Progress {
    /// Reads the progress from the metadata of an operation. It never fails:
    /// unknown values are `None`.
    ///
    /// This uses one state of the operation. A wait ([`Update`](crate::Update),
    /// [`Snapshots::progress`](crate::Snapshots::progress)) knows more: there
    /// the percentage never decreases, and missing times are measured.
    ///
    /// ```
    /// use longrunning::{Any, Operation, Progress};
    ///
    /// let done = Operation::succeeded("operations/42", Any::pack(&()));
    /// assert_eq!(Progress::of(&done).percent(), Some(100.0));
    /// ```
    pub fn of(operation: &Operation) -> Self {
        let metadata = operation.metadata().and_then(fields::read);
        let metadata = match operation.form() {
            form if form.is_extended() => metadata.map(|fields| extended::as_metadata(form, fields)),
            _ => metadata,
        };
        let mut progress = metadata
            .as_ref()
            .map(ProgressFields::of)
            .map_or_else(Self::default, |fields| Self::read(&fields));
        // Some services stop updating the metadata before the end.
        if matches!(operation.outcome(), Outcome::Succeeded(_)) {
            progress.percent = Some(100.0);
        }
        // By the service's clock alone: the time of the client may differ.
        let measured = progress.end_time.or(progress.update_time);
        progress.elapsed = duration(progress.begin(), measured);
        progress.remaining = match (progress.percent, progress.elapsed) {
            // Also of an operation that failed.
            _ if operation.is_done() => Some(Duration::ZERO),
            (Some(percent), Some(elapsed)) => rest(percent, elapsed, 100.0 - percent),
            _ => None,
        };
        progress
    }

    /// Returns how much of the work is done, from 0 to 100; 100 for an
    /// operation that succeeded.
    ///
    /// ```
    /// use longrunning::{Operation, Progress};
    ///
    /// let operation = Operation::from_json(
    ///     r#"{"name": "operations/42", "metadata": {"@type": "type.googleapis.com/x.Metadata",
    ///         "workCompleted": "30", "workEstimated": "120"}}"#,
    /// )?;
    /// assert_eq!(Progress::of(&operation).percent(), Some(25.0));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn percent(&self) -> Option<f64> {
        self.percent
    }

    /// Returns how many units of work are done. The service defines the unit:
    /// rows, bytes, files.
    ///
    /// ```
    /// use longrunning::{Operation, Progress};
    ///
    /// let operation = Operation::from_json(
    ///     r#"{"name": "operations/42", "metadata": {"@type": "type.googleapis.com/x.Metadata",
    ///         "workCompleted": "30", "workEstimated": "120"}}"#,
    /// )?;
    /// assert_eq!(Progress::of(&operation).completed_units(), Some(30));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn completed_units(&self) -> Option<u64> {
        self.completed_units
    }

    /// Returns how many units of work there are; it may be an estimate of the
    /// service.
    ///
    /// ```
    /// use longrunning::{Operation, Progress};
    ///
    /// let operation = Operation::from_json(
    ///     r#"{"name": "operations/42", "metadata": {"@type": "type.googleapis.com/x.Metadata",
    ///         "completedUnits": "3", "totalUnits": "8"}}"#,
    /// )?;
    /// let progress = Progress::of(&operation);
    /// assert_eq!((progress.completed_units(), progress.total_units()), (Some(3), Some(8)));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn total_units(&self) -> Option<u64> {
        self.total_units
    }

    /// Returns when the operation was created. As all times here, it is by the
    /// clock of the service.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use longrunning::{Operation, Progress};
    ///
    /// let operation = Operation::from_json(
    ///     r#"{"name": "operations/42", "metadata": {"@type": "type.googleapis.com/x.Metadata",
    ///         "createTime": "1970-01-01T00:01:00Z"}}"#,
    /// )?;
    /// let created = SystemTime::UNIX_EPOCH + Duration::from_secs(60);
    /// assert_eq!(Progress::of(&operation).create_time(), Some(created));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn create_time(&self) -> Option<SystemTime> {
        self.create_time
    }

    /// Returns when the work began, by the clock of the service. `None` if it
    /// has not begun, or the metadata do not say when.
    pub fn start_time(&self) -> Option<SystemTime> {
        self.start_time
    }

    /// Returns when the service last changed the metadata, by its clock. Few
    /// services say it.
    pub fn update_time(&self) -> Option<SystemTime> {
        self.update_time
    }

    /// Returns when the work ended, by the clock of the service.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use longrunning::{Operation, Progress};
    ///
    /// let operation = Operation::from_json(
    ///     r#"{"name": "operations/42", "metadata": {"@type": "type.googleapis.com/x.Metadata",
    ///         "startTime": "1970-01-01T00:01:00Z", "endTime": "1970-01-01T00:02:00Z"}}"#,
    /// )?;
    /// let progress = Progress::of(&operation);
    /// assert_eq!(progress.start_time(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(60)));
    /// assert_eq!(progress.end_time(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(120)));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn end_time(&self) -> Option<SystemTime> {
        self.end_time
    }

    /// Returns the service's description of the current work, in a sentence.
    ///
    /// As the other texts here, it is not escaped: it may contain control
    /// characters.
    ///
    /// ```
    /// use longrunning::{Operation, Progress};
    ///
    /// let operation = Operation::from_json(
    ///     r#"{"name": "operations/42", "metadata": {"@type": "type.googleapis.com/x.Metadata",
    ///         "verb": "create", "target": "projects/p/clusters/c", "statusMessage": "starting nodes"}}"#,
    /// )?;
    /// let progress = Progress::of(&operation);
    /// assert_eq!(progress.message(), Some("starting nodes"));
    /// assert_eq!((progress.verb(), progress.target()), (Some("create"), Some("projects/p/clusters/c")));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns the state of the work, such as `RUNNING`. Its values depend on
    /// the service.
    ///
    /// ```
    /// use longrunning::{Operation, Progress};
    ///
    /// let operation = Operation::from_json(
    ///     r#"{"name": "operations/42", "metadata": {"@type": "type.googleapis.com/x.Metadata",
    ///         "state": "RUNNING", "currentStep": "copying"}}"#,
    /// )?;
    /// let progress = Progress::of(&operation);
    /// assert_eq!((progress.state(), progress.stage()), (Some("RUNNING"), Some("copying")));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Returns the current stage, if the work has several.
    pub fn stage(&self) -> Option<&str> {
        self.stage.as_deref()
    }

    /// Returns what the operation does, such as `create`.
    pub fn verb(&self) -> Option<&str> {
        self.verb.as_deref()
    }

    /// Returns the resource that the operation works on.
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// Returns the failures that did not fail the operation, in their order.
    ///
    /// These are all values in the metadata that look like a
    /// `google.rpc.Status` and are not OK, as [AIP-151](https://google.aip.dev/151) describes.
    ///
    /// ```
    /// # use longrunning::{Code, Operation, Progress};
    /// let operation = Operation::from_json(
    ///     r#"{"name": "operations/42", "done": true, "metadata": {"@type": "type.googleapis.com/x.Metadata",
    ///         "partialFailures": [{"code": 5, "message": "bucket b is gone"}]}}"#,
    /// )?;
    /// assert_eq!(Progress::of(&operation).partial_failures()[0].code(), Code::NotFound);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn partial_failures(&self) -> &[Status] {
        &self.partial_failures
    }

    /// Returns how many parts of the work have failed so far, if the metadata
    /// say so.
    ///
    /// This is the larger of the number of
    /// [`partial_failures`](Self::partial_failures), which services cut short,
    /// and of their counters: `failureCount`, `counter.failure`, the
    /// `errorCount`s of an error summary, …
    ///
    /// ```
    /// # use longrunning::{Operation, Progress};
    /// let operation = Operation::from_json(
    ///     r#"{"name": "operations/42", "metadata": {"@type": "type.googleapis.com/x.Metadata",
    ///         "counter": {"success": "97", "failure": "3"}}}"#,
    /// )?;
    /// assert_eq!(Progress::of(&operation).failure_count(), Some(3));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn failure_count(&self) -> Option<u64> {
        self.failure_count
    }

    /// Returns how long the work has taken: from its start or creation to its
    /// end or to the last update of the metadata.
    ///
    /// In a wait it is the time until now; without a start time, it counts from
    /// the beginning of the wait.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::{Operation, Progress};
    ///
    /// let operation = Operation::from_json(
    ///     r#"{"name": "operations/42", "metadata": {"@type": "type.googleapis.com/x.Metadata",
    ///         "startTime": "2026-01-01T10:00:00Z", "endTime": "2026-01-01T10:02:00Z"}}"#,
    /// )?;
    /// assert_eq!(Progress::of(&operation).elapsed(), Some(Duration::from_secs(120)));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn elapsed(&self) -> Option<Duration> {
        self.elapsed
    }

    /// Returns an estimate of the remaining time if the work continues at its
    /// speed; zero when it is done.
    ///
    /// It is `None` without a percentage above 0. In a wait it decreases
    /// between two changes of the percentage.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/42").done_after(Duration::from_secs(60)));
    /// let client = server.client();
    /// client.poller("operations/42").on_update(|update| println!("{:?} left", update.progress().remaining())).until_done()?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn remaining(&self) -> Option<Duration> {
        self.remaining
    }

    /// Returns when the work began or, if unknown, when the operation was
    /// created.
    fn begin(&self) -> Option<SystemTime> {
        self.start_time.or(self.create_time)
    }

    /// Reads everything but the durations, which depend on the state of the
    /// operation.
    fn read(fields: &ProgressFields<'_>) -> Self {
        let (completed_units, total_units) = units(fields);
        // In this order: a name that says "percent" is certain, `progress` may
        // be a percentage or a fraction, and units are the least direct.
        let percent = fields.mean(PERCENT, |value| ProgressNumber::of(value)?.percent());
        let percent = percent
            .or_else(|| fields.mean(&["progress"], |value| ProgressNumber::of(value)?.percent_or_fraction()))
            .or_else(|| fields.mean(FRACTION, |value| ProgressNumber::of(value)?.fraction()));
        let partial_failures = fields.failures();
        Self {
            percent: percent.or_else(|| share(completed_units?, total_units?)),
            completed_units,
            total_units,
            create_time: fields.time(CREATE),
            start_time: fields.time(START),
            update_time: fields.time(&["updatetime", "lastupdatetime", "rolloutupdatetime"]),
            end_time: fields.time(END),
            message: fields.text(MESSAGE),
            state: fields.text(&["state", "operationstate", "rolloutstate"]),
            stage: fields.text(&["stage", "phase", "currentstep", "step"]),
            verb: fields.text(&["verb", "operationtype"]),
            target: fields.text(TARGET),
            failure_count: fields.counted_failures().max(count(&partial_failures)),
            partial_failures,
            elapsed: None,
            remaining: None,
        }
    }
}

/// One line: `40 %, about 90 s left`, or `progress unknown`.
///
/// ```
/// use longrunning::{Any, Operation, Progress};
///
/// let metadata = Any::from_json(r#"{"@type": "type.googleapis.com/x.Metadata", "progressPercent": 40}"#)?;
/// let progress = Progress::of(&Operation::running("operations/42").with_metadata(metadata));
/// assert_eq!(progress.to_string(), "40 %");
/// # Ok::<(), longrunning::Error>(())
/// ```
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(percent) = self.percent else { return f.write_str("progress unknown") };
        write!(f, "{percent:.0} %")?;
        match self.remaining {
            Some(remaining) if percent < 100.0 => write!(f, ", about {} s left", remaining.as_secs()),
            _ => Ok(()),
        }
    }
}

/// Returns the completed and the total units, by the first pair of names for
/// which both are known, else by the first for which one is.
fn units(from: &ProgressFields<'_>) -> (Option<u64>, Option<u64>) {
    let number = |name: &str| from.sum(name);
    let pairs = UNITS.iter().map(|(completed, total)| (number(completed), number(total)));
    // Names of two pairs may overlap: a complete pair is certain.
    pairs.clone().find(|(completed, total)| completed.is_some() && total.is_some()).unwrap_or_else(|| {
        let mut either = pairs;
        either.find(|(completed, total)| completed.is_some() || total.is_some()).unwrap_or_default()
    })
}

/// Returns the number of failures; `None` for none, because metadata without
/// failures say nothing about their number.
fn count(failures: &[Status]) -> Option<u64> {
    (!failures.is_empty()).then_some(failures.len() as u64)
}

/// Returns a share in percent; `None` of a total of zero.
fn share(completed: u64, total: u64) -> Option<f64> {
    (total > 0).then(|| (completed as f64 / total as f64 * 100.0).min(100.0))
}

/// Returns the time between two instants; `None` if one is unknown, or they are
/// in the wrong order.
fn duration(from: Option<SystemTime>, to: Option<SystemTime>) -> Option<Duration> {
    to?.duration_since(from?).ok()
}

/// Returns how long `rest` percent take if `done` percent have taken `took`, or
/// `None` if nothing is done yet.
///
/// ```text
/// done 25, took 30 s, rest 75     90 s
/// done  0, took 30 s              None
/// ```
fn rest(done: f64, took: Duration, rest: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(took.as_secs_f64() * rest / done).ok().filter(|_| done > 0.0)
}

/// Names of percentages, from 0 to 100.
// The lists below are in the order of trust: of several names in one object,
// the first one counts.
const PERCENT: &[&str] = &[
    "progresspercent",
    "progresspercentage",
    "percentcomplete",
    "percentcompleted",
    "percentdone",
    "completionpercent",
    "completionpercentage",
    "completedpercent",
    "completedpercentage",
    "percentage",
    "percent",
];

/// Names of fractions, from 0 to 1.
const FRACTION: &[&str] = &[
    "progressfraction",
    "fractioncomplete",
    "fractiondone",
    "completionfraction",
    "completionratio",
    "estimatedcompletionratio",
    "tuningcompletionratio",
];

/// Pairs of names: the units that are done, and all of them.
const UNITS: &[(&str, &str)] = &[
    ("completedunits", "totalunits"),
    ("workcompleted", "workestimated"),
    ("completedwork", "estimatedwork"),
    ("completedwork", "totalwork"),
    ("completedcount", "totalcount"),
    ("processedcount", "totalcount"),
    ("processeditems", "totalitems"),
    ("processedbytes", "totalbytes"),
    ("translatedcharacters", "totalcharacters"),
    ("translatedpages", "totalpages"),
    ("completedsteps", "totalsteps"),
    ("completedanalysescount", "totalrequestedanalysescount"),
    ("executedoperationcount", "operationcount"),
    ("succeededcount", "taskcount"),
    ("successcount", "totalcount"),
];

/// Names of the creation time. Sweeps use this list too.
const CREATE: &[&str] = &["createtime", "creationtime", "inserttime", "submittime", "requesttime"];

const START: &[&str] = &["starttime", "begintime", "rolloutstarttime"];

const END: &[&str] =
    &["endtime", "completetime", "completiontime", "completedtime", "finishtime", "donetime"];

const TARGET: &[&str] = &["target", "targetresource", "targetresourcename", "resource"];

/// Names of descriptions. `status` is among the last, because it is a state in
/// many services.
const MESSAGE: &[&str] = &[
    "statusmessage",
    "statusdetail",
    "statusdetails",
    "progressmessage",
    "statemessage",
    "statetext",
    "message",
    "detail",
    "status",
    "description",
];

#[cfg(test)]
mod tests;
