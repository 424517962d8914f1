//! Requests over HTTP, and as commands for curl.

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

/// The first request for an operation.
pub(super) fn show(cli: &Cli, place: &OperationPlace) -> Result<String, CommandFailure> {
    let recorder = Arc::new(Recorder::default());
    let client = pretend(&cli.globals, &place.service)?.http_client(Arc::clone(&recorder)).build()?;
    let result = send(&client, cli, place);
    match (recorder.take(), result, cli.globals.format()) {
        (Some(request), _, OutputFormat::Json) => Ok(request.to_json()),
        (Some(request), _, OutputFormat::Text | OutputFormat::Name) => Ok(request.to_text(&cli.globals)),
        (None, Err(failure), _) => Err(failure),
        (None, Ok(()), _) => Err(CommandFailure::usage("this command sends nothing")),
    }
}

/// Takes requests and keeps the first; responds to none.
#[derive(Default)]
struct Recorder(Mutex<Option<ShownRequest>>);

impl Recorder {
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
        self.first().get_or_insert_with(|| ShownRequest::of(request));
        Err(HttpError::new(HttpErrorKind::Request, "dry run: nothing was sent"))
    }
}

/// A request without its secrets.
struct ShownRequest {
    method: &'static str,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl ShownRequest {
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

    /// As it goes over the wire, and as a command for curl.
    fn to_text(&self, globals: &Globals) -> String {
        let mut lines = vec![format!("{} {}", self.method, self.url)];
        lines.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.extend(self.body.iter().map(|body| format!("\n{body}")));
        lines.push(format!("\n{}", self.to_curl(globals)));
        lines.join("\n")
    }

    fn to_json(&self) -> String {
        let headers: serde_json::Map<_, _> =
            self.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        json!({ "method": self.method, "url": self.url, "headers": headers, "body": self.body }).to_string()
    }

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
