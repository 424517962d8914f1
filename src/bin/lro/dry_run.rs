//! `--dry-run`: the requests of a command, printed in place of being sent.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use longrunning::http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, is_sensitive};
use serde_json::json;

use crate::args::{Cli, Command, Format, Globals, shell_word};
use crate::call::list_call;
use crate::connect::pretend;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::names::{self, Place};
use crate::output::Output;
use crate::redact;

/// Prints the first request for each name that the command is about.
pub(crate) fn run(cli: &Cli) -> Result<Exit, Failure> {
    let globals = &cli.globals;
    let places = match &cli.command {
        Command::Get(args) => vec![names::place(globals, &args.name)?],
        Command::List(args) => vec![names::place(globals, &args.name)?],
        Command::Wait(args) if args.names.is_empty() => {
            return Err(Failure::usage("--dry-run needs names: it does not open a journal"));
        }
        Command::Wait(args) => names::places(globals, &args.names, io::stdin().lock())?,
        Command::Cancel(args) | Command::Delete(args) => {
            names::places(globals, &args.names, io::stdin().lock())?
        }
        Command::Serve(_) | Command::Completions(_) | Command::Man(_) => {
            return Err(Failure::usage("--dry-run is for commands that send requests"));
        }
    };
    let mut output = Output::new(globals.format());
    for (number, place) in places.iter().enumerate() {
        let request = first_request(cli, place)?;
        match globals.format() {
            Format::Json => output.line(&request.to_json())?,
            Format::Text if number > 0 => output.line(&format!("\n{}", request.to_text(globals)))?,
            Format::Text => output.line(&request.to_text(globals))?,
        }
    }
    Ok(Exit::Success)
}

/// What the command would send first for a name.
fn first_request(cli: &Cli, place: &Place) -> Result<Request, Failure> {
    let recorder = Arc::new(Recorder::default());
    let client = pretend(&cli.globals, &place.service, Arc::clone(&recorder))?;
    let name = &*place.name;
    let answer = match &cli.command {
        Command::List(args) => list_call(&client, place, args).send().map(drop),
        Command::Cancel(_) => client.cancel(name).send(),
        Command::Delete(_) => client.delete(name).send(),
        _ => client.get(name).send().map(drop),
    };
    match (recorder.take(), answer) {
        (Some(request), _) => Ok(request),
        (None, Err(error)) => Err(Failure::of(&error, place)),
        (None, Ok(())) => Err(Failure::usage("this command sends nothing")),
    }
}

/// Takes requests and keeps the first; answers none.
#[derive(Default)]
struct Recorder(Mutex<Option<Request>>);

impl Recorder {
    fn take(&self) -> Option<Request> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recorder")
    }
}

impl HttpClient for Recorder {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get_or_insert_with(|| Request::of(request));
        Err(HttpError::new(HttpErrorKind::Request, "dry run: nothing was sent"))
    }
}

/// A request without its secrets.
struct Request {
    method: &'static str,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl Request {
    fn of(request: &HttpRequest<'_>) -> Self {
        let headers = request.headers.iter();
        Self {
            method: request.method.as_str(),
            url: request.url.to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_string(), redact::value(name, value).to_owned()))
                .collect(),
            body: request.body.map(|body| String::from_utf8_lossy(body).into_owned()),
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

    /// Secrets become variables of the shell.
    fn to_curl(&self, globals: &Globals) -> String {
        let mut words = vec!["curl".to_owned(), "--request".to_owned(), self.method.to_owned()];
        let headers = self.headers.iter().filter(|(name, _)| !is_sensitive(name));
        for (name, value) in headers {
            words.extend(["--header".to_owned(), shell_word(&format!("{name}: {value}")).into_owned()]);
        }
        for (name, _) in self.headers.iter().filter(|(name, _)| is_sensitive(name)) {
            let value = match (name.as_str(), &globals.access_token_file, &globals.credentials) {
                ("authorization", Some(file), _) => {
                    format!("Bearer $(cat {})", shell_word(&file.to_string_lossy()))
                }
                ("authorization", None, None) => format!("Bearer $({DEFAULT_TOKEN})"),
                ("authorization", ..) => "Bearer $ACCESS_TOKEN".to_owned(),
                (name, ..) => {
                    let plain =
                        |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
                    format!("${}", name.chars().map(plain).collect::<String>())
                }
            };
            words.extend(["--header".to_owned(), format!("\"{name}: {value}\"")]);
        }
        if let Some(body) = &self.body {
            words.extend(["--data".to_owned(), shell_word(body).into_owned()]);
        }
        words.push(shell_word(&self.url).into_owned());
        words.join(" ")
    }
}

/// Prints the token that default credentials give.
const DEFAULT_TOKEN: &str = "gcloud auth application-default print-access-token";
