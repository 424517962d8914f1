//! An HTTP client with answers in store, for the tests of token sources.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use crate::auth::TokenRequest;
use crate::http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use crate::util::sync::lock;

/// Gives its answers in order and remembers what it was asked; without a response it is unplugged.
#[derive(Debug, Default)]
pub(super) struct Scripted {
    answers: Mutex<VecDeque<Result<HttpResponse, HttpError>>>,
    seen: Mutex<Vec<Seen>>,
}

/// A request that was sent.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) line: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
    pub(super) timeout: Duration,
    pub(super) limit: usize,
}

impl Scripted {
    pub(super) fn new(answers: impl IntoIterator<Item = Result<HttpResponse, HttpError>>) -> Self {
        Self { answers: Mutex::new(answers.into_iter().collect()), seen: Mutex::default() }
    }

    /// Answers with these bodies and status 200.
    pub(super) fn json<const N: usize>(bodies: [&str; N]) -> Self {
        Self::new(bodies.map(|body| Ok(HttpResponse::new(200, body))))
    }

    pub(super) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *lock(&self.seen))
    }

    /// A request to a provider, over this client.
    pub(super) fn request(&self) -> TokenRequest<'_> {
        TokenRequest::new(Duration::from_secs(10), self)
    }
}

impl Seen {
    /// The fields of a form, decoded.
    pub(super) fn form(&self) -> BTreeMap<String, String> {
        let field = |field: &str| field.split_once('=').map(|(name, value)| (decode(name), decode(value)));
        self.body.split('&').filter_map(field).collect()
    }
}

impl HttpClient for Scripted {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        let headers = request.headers.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        self.seen.lock().unwrap().push(Seen {
            line: format!("{} {}", request.method.as_str(), request.url),
            headers: headers.collect(),
            body: String::from_utf8(request.body.unwrap_or_default().to_vec()).unwrap(),
            timeout: request.remaining(),
            limit: request.limit,
        });
        let unplugged = || Err(HttpError::new(HttpErrorKind::Connect, "unplugged"));
        self.answers.lock().unwrap().pop_front().unwrap_or_else(unplugged)
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}
