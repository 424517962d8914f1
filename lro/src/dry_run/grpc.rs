//! Calls over gRPC, and as commands for grpcurl.
//!
//! ```text
//! /google.longrunning.Operations/GetOperation
//! authority: run.googleapis.com
//! authorization: [redacted]
//!
//! {"name":"projects/p/locations/l/operations/42"}
//!
//! grpcurl -proto google/longrunning/operations.proto -H "authorization: Bearer $(gcloud …)" -d … run.googleapis.com:443 …
//! ```
//!
//! The transport has no seam where a request could be recorded, so it talks to
//! the fake server on this machine, and the recorded call is shown with the
//! authority of the real service.

use longrunning::proto::google::longrunning::{GetOperationRequest, ListOperationsRequest};
use longrunning::testing::{FakeServer, RecordedRequest};
use prost::Message;
use serde_json::{Value, json};

use super::request::{header_words, network_words, send};
use crate::args::{Cli, Globals, OutputFormat, ShellKind};
use crate::connect::pretend;
use crate::failure::CommandFailure;
use crate::place::{OperationPlace, Service};
use crate::redact;
use crate::url::origin;

/// Returns the first call for an operation, as a server on this machine sees
/// it, as text or as JSON.
pub(super) fn show(cli: &Cli, place: &OperationPlace) -> Result<String, CommandFailure> {
    // The real endpoint has its say first.
    pretend(&cli.globals, &place.service)?.build()?;
    // The timeouts of the command are real ones, so the server's time is real
    // too.
    let server = FakeServer::builder().real_time().start();
    let server =
        server.map_err(|error| CommandFailure::usage(format!("cannot listen on this machine: {error}")))?;
    // With the key of a URL, but not its path.
    let here = Service { endpoint: server.url(), version: None, ..place.service.clone() };
    let result = send(&pretend(&cli.globals, &here)?.build()?, cli, place);
    match (server.requests().first(), result) {
        (Some(request), _) => Ok(RecordedCall::of(request, &place.service).show(&cli.globals)),
        (None, Err(failure)) => Err(failure),
        (None, Ok(())) => Err(CommandFailure::usage("this command sends nothing")),
    }
}

/// A call without its secrets.
struct RecordedCall {
    /// The path of the method: `/google.longrunning.Operations/GetOperation`.
    method: String,
    /// Without TLS, as for an emulator.
    plain: bool,
    /// The host of the service, with a port if the endpoint has one.
    authority: String,
    /// Request headers, pseudo-headers of HTTP/2 aside.
    metadata: Vec<(String, String)>,
    /// The request message in its JSON form.
    message: Value,
}

impl RecordedCall {
    /// Copies the call as it would have been sent to `service`.
    fn of(request: &RecordedRequest, service: &Service) -> Self {
        // The authority is that of this machine, and the time that is left differs from
        // call to call.
        let metadata = request.headers().filter(|(name, _)| ![":authority", "grpc-timeout"].contains(name));
        // Taken from the endpoint that the user gave, not from the call on this
        // machine.
        let (scheme, authority) = origin(&service.endpoint);
        Self {
            method: request.path().to_owned(),
            plain: scheme == "http",
            authority: redact::value_for_display(&authority),
            metadata: metadata
                .map(|(name, value)| (name.to_owned(), redact::value(name, value).to_owned()))
                .collect(),
            message: message(request),
        }
    }

    /// Returns the call in the selected format.
    fn show(&self, globals: &Globals) -> String {
        if globals.format() == OutputFormat::Json {
            return self.to_json();
        }
        let mut lines = vec![self.method.clone(), format!("authority: {}", self.authority)];
        lines.extend(self.metadata.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.extend([format!("\n{}", self.message), format!("\n{}", self.to_grpcurl(globals))]);
        lines.join("\n")
    }

    /// Returns the call as an object on one line: method, authority, metadata,
    /// message.
    fn to_json(&self) -> String {
        let metadata: serde_json::Map<_, _> =
            self.metadata.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        let Self { method, authority, message, .. } = self;
        json!({ "method": method, "authority": authority, "metadata": metadata, "message": message })
            .to_string()
    }

    /// Returns a command for grpcurl, without the metadata that grpcurl adds by
    /// itself. The `.proto` is named, since few services publish their schema
    /// by reflection.
    fn to_grpcurl(&self, globals: &Globals) -> String {
        let own =
            |name: &str| ["te", "content-type", "user-agent"].contains(&name) || name.starts_with("grpc-");
        let metadata = self.metadata.iter().filter(|(name, _)| !own(name));
        let shell = ShellKind::here();
        let mut words = vec!["grpcurl".to_owned()];
        words.extend(self.plain.then(|| "-plaintext".to_owned()));
        words.extend(network_words(globals, "-cacert", None));
        words.extend(["-proto".to_owned(), PROTO.to_owned()]);
        words.extend(header_words(globals, "-H", metadata));
        words.extend(["-d".to_owned(), shell.word(&self.message.to_string()).into_owned()]);
        words.extend([
            shell.word(&self.address()).into_owned(),
            self.method.trim_start_matches('/').to_owned(),
        ]);
        words.join(" ")
    }

    /// Returns the authority with a port, which grpcurl does not find out by
    /// itself.
    fn address(&self) -> String {
        let (name, port) = self.authority.rsplit_once(':').unwrap_or((&self.authority, ""));
        match port.ends_with(|last: char| last.is_ascii_digit()) && !name.is_empty() {
            true => self.authority.clone(),
            false => format!("{}:{}", self.authority, if self.plain { 80 } else { 443 }),
        }
    }
}

/// The message in its JSON form, without what is not set.
fn message(request: &RecordedRequest) -> Value {
    if !request.path().ends_with("/ListOperations") {
        // The other methods that are shown have the same only field.
        let request = GetOperationRequest::decode(request.body()).unwrap_or_default();
        return json!({ "name": redact::name_for_display(&request.name) });
    }
    let request = ListOperationsRequest::decode(request.body()).unwrap_or_default();
    let fields = [
        ("name", Value::from(redact::name_for_display(&request.name))),
        ("filter", redact::value_for_display(&request.filter).into()),
        ("pageSize", request.page_size.into()),
        ("pageToken", redact::value_for_display(&request.page_token).into()),
        ("returnPartialSuccess", request.return_partial_success.into()),
    ];
    let is_set = |value: &Value| ![json!(""), json!(0), json!(false)].contains(value);
    fields
        .into_iter()
        .filter(|(_, value)| is_set(value))
        .map(|(field, value)| (field.to_owned(), value))
        .collect()
}

/// Most services tell no schema. The file is there in a copy of
/// github.com/googleapis/googleapis.
const PROTO: &str = "google/longrunning/operations.proto";
