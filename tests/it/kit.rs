//! What the tests share: names, answers, and what is told of a result.

#[path = "../support/folder.rs"]
mod folder;

use std::time::Duration;

use longrunning::http::{
    HttpAgent, HttpClient, HttpError, HttpOptions, HttpRequest, HttpResponse, ProxySetting, Roots,
};
use longrunning::testing::{FakeServer, Reply};
use longrunning::{Any, Code, Error, Operation, OperationsClient, Status};

pub(crate) use folder::Folder;

pub(crate) const NAME: &str = "operations/42";

/// Of a service account whose key nobody trusts.
pub(crate) const KEY_FILE: &str = include_str!("../fixtures/keys/service_account.json");

/// The ways in which a client can speak to its service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Face {
    RestJson,
    RestProto,
    #[cfg(feature = "grpc")]
    Grpc,
}

impl Face {
    pub(crate) fn is_rest(self) -> bool {
        matches!(self, Self::RestJson | Self::RestProto)
    }
}

/// The five columns of the fault table; `Poll` is a wait that polls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Method {
    Get,
    List,
    Cancel,
    Delete,
    Poll,
}

impl Method {
    pub(crate) const ALL: [Self; 5] = [Self::Get, Self::List, Self::Cancel, Self::Delete, Self::Poll];

    /// Makes the call with the options of the client; a wait is limited to 100 s.
    pub(crate) fn run(self, client: &impl Runs) -> Result<(), Error> {
        client.run(self)
    }
}

/// A client whose calls block.
pub(crate) trait Runs {
    fn run(&self, method: Method) -> Result<(), Error>;
}

macro_rules! method_of {
    () => {
        fn run(&self, method: $crate::kit::Method) -> Result<(), longrunning::Error> {
            use $crate::kit::{Method, NAME, secs};
            match method {
                Method::Get => self.get(NAME).send().map(drop),
                Method::List => self.list("operations").send().map(drop),
                Method::Cancel => self.cancel(NAME).send(),
                Method::Delete => self.delete(NAME).send(),
                Method::Poll => self.poller(NAME).total_timeout(secs(100.0)).until_done().map(drop),
            }
        }
    };
}

#[allow(unused_imports, reason = "used where there is another client")]
pub(crate) use method_of;

impl Runs for OperationsClient {
    method_of!();
}

/// A server with one operation, which is done.
pub(crate) fn server() -> FakeServer {
    let server = FakeServer::start();
    server.insert(done());
    server
}

pub(crate) fn running() -> Operation {
    Operation::running(NAME)
}

pub(crate) fn done() -> Operation {
    Operation::succeeded(NAME, any(r#"{"@type":"type.googleapis.com/x.Index","rows":"9"}"#))
}

pub(crate) fn any(json: &str) -> Any {
    Any::from_json(json).unwrap()
}

pub(crate) fn unavailable() -> Reply {
    Status::new(Code::Unavailable, "draining").into()
}

pub(crate) fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// What the client slept, in seconds.
pub(crate) fn slept(server: &FakeServer) -> Vec<f64> {
    server.sleeps().iter().map(Duration::as_secs_f64).collect()
}

/// Start lines of what arrived, each with its body behind it.
pub(crate) fn lines(server: &FakeServer) -> Vec<String> {
    let line = |request: &longrunning::testing::RecordedRequest| {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        format!("{} {} {body}", request.method(), request.target()).trim_end().to_owned()
    };
    server.requests().iter().map(line).collect()
}

/// `ok`, or the kind and the code of the error.
pub(crate) fn told<T>(result: &Result<T, Error>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => match error.code() {
            Some(code) => format!("{:?} {code}", error.kind()),
            None => format!("{:?}", error.kind()),
        },
    }
}

/// Those that have this program run one of its tests, which is ignored otherwise.
#[cfg(any(target_os = "linux", feature = "journal"))]
pub(crate) fn arguments(test: &str) -> [&str; 4] {
    [test, "--exact", "--ignored", "--nocapture"]
}

/// Really connects, but to a port where nobody listens.
#[derive(Debug)]
pub(crate) struct Unreachable(HttpAgent);

impl Unreachable {
    pub(crate) fn new() -> Self {
        let options = HttpOptions::new().roots(Roots::None).proxy(ProxySetting::None);
        Self(HttpAgent::new(&options).unwrap())
    }
}

impl HttpClient for Unreachable {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        let mut request = *request;
        request.url = "http://127.0.0.1:1/";
        self.0.send(&request)
    }
}
