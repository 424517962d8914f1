//! Requests over HTTP, and as commands for curl.
//!
//! The client of the library gets an HTTP client that keeps the first request
//! and fails it. So nothing is opened: no socket, no connection to a proxy.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longrunning::http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use longrunning::printing::redacted;
use serde_json::json;

use super::request::{header_words, network_words, send};
use crate::args::{Cli, Globals, OutputFormat, ShellKind};
use crate::connect::pretend;
use crate::failure::CommandFailure;
use crate::place::OperationPlace;
use crate::redact;

/// Returns the first request for an operation, as text or as JSON.
///
/// # Errors
///
/// Those of the command before its first request, such as a name that no
/// binding takes.
pub(super) fn show(cli: &Cli, place: &OperationPlace) -> Result<String, CommandFailure> {
    let recorder = Arc::new(Recorder::default());
    let client = pretend(&cli.globals, &place.service)?.http_client(Arc::clone(&recorder)).build()?;
    // The result is an error of the recorder, or one from before it: then there
    // is no request.
    let result = send(&client, cli, place);
    match (recorder.take(), result, cli.globals.format()) {
        // The call has failed in any case; what counts is whether it got as far
        // as a request.
        (Some(request), _, OutputFormat::Json) => Ok(request.to_json()),
        (Some(request), _, OutputFormat::Text | OutputFormat::Name) => Ok(request.to_text(&cli.globals)),
        (None, Err(failure), _) => Err(failure),
        (None, Ok(()), _) => Err(CommandFailure::usage("this command sends nothing")),
    }
}

/// Keeps the first request; responds to none.
#[derive(Default)]
struct Recorder(Mutex<Option<ShownRequest>>);

impl Recorder {
    /// Returns the request, if there was one.
    fn take(&self) -> Option<ShownRequest> {
        self.first().take()
    }

    fn first(&self) -> MutexGuard<'_, Option<ShownRequest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

impl HttpClient for Recorder {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        // A later request, such as a second page, is not the first one.
        self.first().get_or_insert_with(|| ShownRequest::of(request));
        Err(HttpError::new(HttpErrorKind::Request, "dry run: nothing was sent"))
    }
}

/// A request without its secrets.
struct ShownRequest {
    method: &'static str,
    /// With its query.
    url: String,
    /// In the order of the wire.
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl ShownRequest {
    /// Copies the request. Secrets are dropped here, so that no later step can
    /// show them.
    fn of(request: &HttpRequest<'_>) -> Self {
        let headers = request.headers.iter();
        Self {
            method: request.method.as_str(),
            url: redacted(request.url),
            headers: headers
                .map(|(name, value)| (name.to_string(), redact::value(name, value).to_owned()))
                .collect(),
            body: request.body.map(|body| redacted(&String::from_utf8_lossy(body))),
        }
    }

    /// Returns the request as it goes over the wire, and as a command for curl.
    fn to_text(&self, globals: &Globals) -> String {
        let mut lines = vec![format!("{} {}", self.method, self.url)];
        lines.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.extend(self.body.iter().map(|body| format!("\n{body}")));
        lines.push(format!("\n{}", self.to_curl(globals)));
        lines.join("\n")
    }

    /// Returns the request as an object on one line: method, url, headers,
    /// body.
    fn to_json(&self) -> String {
        let headers: serde_json::Map<_, _> =
            self.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        json!({ "method": self.method, "url": self.url, "headers": headers, "body": self.body }).to_string()
    }

    /// Returns a command for curl that sends the same. It can be pasted:
    /// secrets are read by the shell when it runs.
    fn to_curl(&self, globals: &Globals) -> String {
        let mut words = vec!["curl".to_owned(), "--request".to_owned(), self.method.to_owned()];
        words.extend(network_words(globals, "--cacert", Some("--proxy")));
        words.extend(header_words(globals, "--header", self.headers.iter()));
        if let Some(body) = &self.body {
            words.extend(["--data".to_owned(), ShellKind::here().word(body).into_owned()]);
        }
        words.push(ShellKind::here().word(&self.url).into_owned());
        words.join(" ")
    }
}
