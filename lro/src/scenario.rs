//! What `lro serve` plays: operations, starts and faults, read from JSON.
//!
//! ```text
//! file ── without_comments ── serde ── Scenario ── start ── FakeServer
//! ```
//!
//! Unknown fields are errors, since a misspelled one would otherwise change
//! nothing without a word. Whatever cannot be played is found before the server
//! listens. Messages without an `@type` become a `google.protobuf.Struct`,
//! which every client can read.
//!
//! The help of `lro serve` describes the file, and `demo.json` is an example of
//! it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use longrunning::printing::{shown, shown_name};
use longrunning::testing::{FakeOperation, FakeServer, RecordedRequest, Reply, Rpc};
use longrunning::{Any, Code, Error, ErrorKind, OperationForm, Status};
use serde::{Deserialize, Deserializer, de};
use serde_json::json;
use serde_json::value::RawValue;

use super::args::parse_duration;

/// A scenario as it stands in its file. Every part may be missing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    #[serde(default)]
    operations: Vec<ScriptedOperation>,
    #[serde(default)]
    starts: Vec<ScenarioStart>,
    #[serde(default)]
    faults: Vec<ScenarioFault>,
    /// Has the method `:wait`.
    #[serde(default)]
    wait: bool,
    /// The most operations of a page; without it, the default of the fake
    /// server.
    page_size: Option<usize>,
    /// The only access token that is taken.
    token: Option<String>,
}

/// An operation, from its creation to its end.
///
/// It ends after a time, at a poll, or never. Its progress is that part of the
/// time which has passed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptedOperation {
    /// The whole name, as a request has it behind the version.
    name: String,
    /// Of a service with operations of its own; without it, that of
    /// google.longrunning.
    form: Option<ScriptedForm>,
    /// When it ends, counted from the start of the server or from the request
    /// that starts it.
    #[serde(default, deserialize_with = "duration")]
    done_after: Option<Duration>,
    /// At which poll it ends, counted from 1.
    done_at_poll: Option<u64>,
    /// Its metadata on the way; without them `{"percent": 40}` and the like.
    #[serde(default)]
    steps: Vec<ScenarioStep>,
    /// What it responds with when it ends.
    response: Option<Box<RawValue>>,
    /// The `google.rpc.Status` that it fails with, in place of a response.
    error: Option<Box<RawValue>>,
    /// Whether it continues after a cancellation was accepted, as many services
    /// do.
    #[serde(default)]
    ignores_cancel: bool,
}

/// The services whose operations have a type of their own, see
/// `docs/extended-operations.md`.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ScriptedForm {
    Compute,
    Sql,
    Gke,
    Dns,
    DeploymentManager,
    Storage,
}

impl From<ScriptedForm> for OperationForm {
    fn from(form: ScriptedForm) -> Self {
        match form {
            ScriptedForm::Compute => Self::ComputeEngine,
            ScriptedForm::Sql => Self::CloudSql,
            ScriptedForm::Gke => Self::KubernetesEngine,
            ScriptedForm::Dns => Self::CloudDns,
            ScriptedForm::DeploymentManager => Self::DeploymentManager,
            ScriptedForm::Storage => Self::CloudStorage,
        }
    }
}

/// A method that starts an operation; the second one has a name that ends with
/// `-2`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioStart {
    /// `METHOD /path/{with=wildcards/*}`, as in google.api.http.
    request: Option<String>,
    /// `package.Service/Method`, for gRPC.
    rpc: Option<String>,
    operation: ScriptedOperation,
}

/// The metadata from this percentage on; `"{percent}"` in it becomes the
/// number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioStep {
    #[serde(default)]
    percent: u32,
    metadata: Box<RawValue>,
}

/// What goes wrong with some requests, in place of the usual response or before
/// it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioFault {
    /// `METHOD part-of-path`, or just the method.
    #[serde(default)]
    request: String,
    /// How many matching requests pass before the first that fails.
    #[serde(default)]
    skip: u64,
    /// How many matching requests fail.
    times: Option<usize>,
    /// The HTTP status; without it the response is the usual one, perhaps late.
    status: Option<u16>,
    /// The message of the error, which makes it one of the service and not a
    /// page of a proxy.
    message: Option<String>,
    details: Option<Box<RawValue>>,
    /// The `Retry-After` header, rounded up to whole seconds.
    #[serde(default, deserialize_with = "duration")]
    retry_after: Option<Duration>,
    /// How long the response takes.
    #[serde(default, deserialize_with = "duration")]
    delay: Option<Duration>,
    /// Whether there is no response at all.
    #[serde(default)]
    hang: bool,
    /// Whether the connection is reset in place of a response.
    #[serde(default)]
    reset: bool,
}

impl Scenario {
    /// The demonstration, which is also the example of a file.
    pub(crate) const DEMO: &str = include_str!("demo.json");

    /// Reads a scenario, in which `//` begins a comment. The message of an
    /// error says what is wrong, with line and column.
    pub(crate) fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(&without_comments(text)).map_err(|error| error.to_string())
    }

    /// Starts a server that plays it, in real time. It keeps at most 1,000
    /// requests, so that its memory stays bounded.
    ///
    /// # Errors
    ///
    /// Messages and templates that cannot be played, and a port that is taken.
    pub(crate) fn start(self, port: u16) -> Result<FakeServer, Error> {
        let mut builder = FakeServer::builder().real_time().port(port).keep_requests(1000);
        if self.wait {
            builder = builder.with(Rpc::Wait);
        }
        if let Some(size) = self.page_size {
            builder = builder.page_size(size);
        }
        // What cannot be used is found before anything listens.
        let operations: Result<Vec<_>, Error> =
            self.operations.into_iter().map(ScriptedOperation::play).collect();
        let starts: Result<Vec<_>, Error> = self.starts.into_iter().map(ScenarioStart::play).collect();
        let (operations, starts, server) = (operations?, starts?, builder.start()?);
        for operation in operations {
            server.insert(operation);
        }
        for (request, rpc, operation) in starts {
            if let Some((method, template)) = request {
                server.on_start(&method, &template, operation.clone());
            }
            if let Some(rpc) = rpc {
                server.on_start_rpc(&rpc, operation);
            }
        }
        for fault in self.faults {
            let reply = fault.reply();
            server.reply_when(fault.matcher(), reply);
        }
        if let Some(token) = self.token {
            server.require_token(token);
        }
        Ok(server)
    }
}

/// The request over REST, the method over gRPC, and what either starts.
type PlayedStart = (Option<(String, String)>, Option<String>, FakeOperation);

impl ScenarioStart {
    fn play(self) -> Result<PlayedStart, Error> {
        let request = self.request.as_deref().map(|request| {
            let parts = request.split_once(' ').filter(|(_, template)| template.starts_with('/'));
            parts.map(|(method, template)| (method.to_owned(), template.to_owned())).ok_or_else(|| {
                let request = shown(request);
                Error::new(
                    ErrorKind::Config,
                    format!("`request` of a start is `{request}`: expected one like `POST /v2/{{name=projects/*}}:run`"),
                )
            })
        });
        Ok((request.transpose()?, self.rpc, self.operation.play()?))
    }
}

impl ScriptedOperation {
    fn play(self) -> Result<FakeOperation, Error> {
        let form = self.form.map_or(OperationForm::Longrunning, OperationForm::from);
        if form.is_extended() && (self.response.is_some() || !self.steps.is_empty()) {
            let name = shown_name(&self.name);
            return Err(Error::new(
                ErrorKind::Config,
                format!("operation `{name}` has `steps` or a `response`, which its `form` has no fields for"),
            ));
        }
        let mut operation = FakeOperation::new(self.name).form(form);
        if let Some(duration) = self.done_after {
            operation = operation.done_after(duration);
        }
        if let Some(poll) = self.done_at_poll {
            operation = operation.done_at_poll(poll);
        }
        if let Some(response) = &self.response {
            operation = operation.responds(message(response.get())?);
        }
        if let Some(error) = &self.error {
            operation = operation.fails(Status::from_json(error.get())?);
        }
        if self.ignores_cancel {
            operation = operation.ignores_cancel();
        }
        let steps: Vec<(u32, String)> =
            self.steps.into_iter().map(|step| (step.percent, step.metadata.get().to_owned())).collect();
        for (_, metadata) in &steps {
            message(metadata)?;
        }
        if steps.is_empty() {
            return Ok(operation);
        }
        Ok(operation.progress(move |percent| {
            let step = steps.iter().rev().find(|(from, _)| *from <= percent).or(steps.first());
            let metadata = step.map_or("{}", |(_, metadata)| metadata.as_str());
            // A number in place of a string leaves valid JSON valid.
            message(&metadata.replace(PERCENT, &percent.to_string())).unwrap_or_else(|_| Any::pack(&()))
        }))
    }
}

impl ScenarioFault {
    fn reply(&self) -> Reply {
        let mut reply = match self.status {
            _ if self.hang => Reply::hang(),
            _ if self.reset => Reply::reset(),
            Some(status) if self.message.is_some() || self.details.is_some() => self.error(status),
            Some(status) => Reply::status(status),
            None => Reply::usual(),
        };
        if let Some(delay) = self.retry_after {
            reply = reply.header("retry-after", delay.as_secs_f64().ceil().to_string());
        }
        if let Some(delay) = self.delay {
            reply = reply.delay(delay);
        }
        reply.times(self.times.unwrap_or(1))
    }

    fn error(&self, status: u16) -> Reply {
        let code = Code::from_http(status).to_string();
        let details: serde_json::Value = self
            .details
            .as_ref()
            .and_then(|details| serde_json::from_str(details.get()).ok())
            .unwrap_or(json!([]));
        let message = self.message.as_deref().unwrap_or_default();
        let error = json!({ "code": status, "message": message, "status": code, "details": details });
        Reply::json(status, json!({ "error": error }).to_string())
    }

    fn matcher(&self) -> impl Fn(&RecordedRequest) -> bool + Send + 'static {
        let (method, part) = self.request.split_once(' ').unwrap_or((&self.request, ""));
        let (method, part, skip) = (method.to_owned(), part.to_owned(), self.skip);
        let seen = AtomicU64::new(0);
        move |request| {
            (method.is_empty() || request.method() == method)
                && request.target().contains(&part)
                && seen.fetch_add(1, Ordering::Relaxed) >= skip
        }
    }
}

/// Replaces comments by spaces, so that messages name the right line and
/// column.
fn without_comments(text: &str) -> String {
    let line = |line: &str| {
        let (mut in_string, mut escaped, mut last) = (false, false, ' ');
        for (at, c) in line.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if in_string => escaped = true,
                '"' => in_string = !in_string,
                '/' if last == '/' && !in_string => return line.get(..at - 1).unwrap_or_default().to_owned(),
                _ => {}
            }
            last = c;
        }
        line.to_owned()
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// A message; an object without a type becomes a `google.protobuf.Struct`,
/// which every client can read.
fn message(json: &str) -> Result<Any, Error> {
    let any = Any::from_json(json)?;
    if any.type_url().is_empty() {
        return Any::from_json(&format!(r#"{{"@type":"{STRUCT}","value":{json}}}"#));
    }
    Ok(any)
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map(Some).map_err(de::Error::custom)
}

const PERCENT: &str = "\"{percent}\"";
const STRUCT: &str = "type.googleapis.com/google.protobuf.Struct";

#[cfg(test)]
mod tests {
    use longrunning::Operation;

    use super::*;

    fn start(text: &str) -> FakeServer {
        Scenario::from_json(text).unwrap().start(0).unwrap()
    }

    fn shown(server: &FakeServer, name: &str) -> Operation {
        server.operation(name).unwrap()
    }

    #[test]
    fn the_demonstration_plays() {
        let server = start(Scenario::DEMO);
        let index = shown(&server, "projects/demo/locations/here/operations/index");
        let metadata = index.metadata().unwrap().json().unwrap().into_owned();
        assert!(
            metadata.contains(r#""progressPercent":0,"#) || metadata.contains(r#""progressPercent": 0,"#),
            "{metadata}"
        );
    }

    #[test]
    fn operations() {
        let server = start(
            r#"{"operations": [
                {"name": "operations/1", "done_at_poll": 0, "response": {"n": 18446744073709551616}},
                {"name": "operations/2", "done_at_poll": 0, "error": {"code": 8, "message": "no"}},
                {"name": "operations/3", "steps": [{"metadata": {"a": "{percent}"}}], "ignores_cancel": true}
            ]}"#,
        );
        let client = server.client();
        let first = client.get("operations/1").send().unwrap();
        assert!(first.to_json().contains("18446744073709551616"), "{}", first.to_json());
        assert_eq!(
            client.get("operations/2").send().unwrap().error().map(Status::code),
            Some(Code::ResourceExhausted)
        );
        client.cancel("operations/3").send().unwrap();
        let third = client.get("operations/3").send().unwrap();
        assert!(!third.is_done() && third.to_json().contains(r#"{"a": 0}"#), "{}", third.to_json());
    }

    #[test]
    fn comments() {
        let rows = [
            ("{} // all", "{} "),
            ("// all\n{}", "\n{}"),
            (r#"{"a": "http://x"} // y"#, r#"{"a": "http://x"} "#),
            (r#"{"a": "\"//"}"#, r#"{"a": "\"//"}"#),
            ("1 / 2", "1 / 2"),
            ("é//é", "é"),
        ];
        for (text, expected) in rows {
            assert_eq!(without_comments(text), expected);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let rows = [
            (r#"{"operation": []}"#, "unknown field `operation`"),
            (r#"{"operations": [{}]}"#, "missing field `name`"),
            (r#"{"operations": [{"name": "a", "done_after": "soon"}]}"#, "expected a duration such as 500ms"),
            (
                r#"{"operations": [{"name": "a", "form": "mail"}]}"#,
                "unknown variant `mail`, expected one of `compute`",
            ),
            ("[", "EOF"),
        ];
        for (text, part) in rows {
            let error = Scenario::from_json(text).err().unwrap();
            assert!(error.contains(part), "{error}");
        }
        let unusable = [
            (r#"{"name": "a", "error": {"code": "x"}}"#, "code"),
            (r#"{"name": "a", "form": "sql", "response": {}}"#, "operation `a` has `steps` or a `response`"),
            (r#"{"name": "a\u001b", "form": "sql", "response": {}}"#, r"operation `a\u{1b}` has `steps`"),
            (
                r#"{"name": "a", "form": "gke", "steps": [{"metadata": {}}]}"#,
                "which its `form` has no fields for",
            ),
        ];
        for (operation, part) in unusable {
            let scenario = Scenario::from_json(&format!(r#"{{"operations": [{operation}]}}"#)).unwrap();
            let error = scenario.start(0).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
