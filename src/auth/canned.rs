//! For tests: a server on loopback that gives prepared answers in order and keeps what it was sent.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::auth::{AccessToken, Credentials, CredentialsPolicy, TokenError, TokenRequest};
use crate::error::Error;
use crate::http::{HttpAgent, HttpOptions, ProxySetting, Roots};

pub(super) struct Canned {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

/// One request; names of headers are in lowercase, values of those that came twice are joined.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Canned {
    /// Gives each response once, a status and a body, and then no more.
    pub(super) fn start<B: Into<String>>(answers: impl IntoIterator<Item = (u16, B)>) -> Self {
        let answers: Vec<(u16, String)> =
            answers.into_iter().map(|(status, body)| (status, body.into())).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        thread::spawn(move || {
            for (status, body) in answers {
                let Ok((stream, _)) = listener.accept() else { return };
                if let Some(request) = read(&stream) {
                    kept.lock().unwrap().push(request);
                }
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                let _ = (&stream).write_all((head + &body).as_bytes());
            }
        });
        Self { port, received }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// All requests so far.
    pub(super) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

impl Received {
    /// The fields of a form, in the order of their names.
    pub(super) fn form(&self) -> Vec<(String, String)> {
        assert_eq!(self.headers["content-type"], "application/x-www-form-urlencoded");
        let mut fields: Vec<_> = self
            .body
            .split('&')
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (decode(name), decode(value)))
            .collect();
        fields.sort();
        fields
    }

    pub(super) fn field(&self, name: &str) -> Option<String> {
        self.form().into_iter().find(|(each, _)| each == name).map(|(_, value)| value)
    }

    pub(super) fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json");
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Undoes percent-encoding.
pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

/// Reads a file under a policy that lets it do anything, here included.
pub(super) fn load(file: &Value) -> Result<Credentials, Error> {
    let policy = CredentialsPolicy::trusting_the_file().host("127.0.0.1");
    Credentials::from_value_with(file.clone(), &policy)
}

/// Asks credentials for a token, in an environment of these variables.
pub(super) fn token_in(
    env: &[(&str, &str)],
    credentials: &Credentials,
    scopes: &[&str],
) -> Result<AccessToken, TokenError> {
    let env: BTreeMap<String, String> =
        env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let provider = credentials.resolve(&env).unwrap().token_provider().unwrap();
    let options = HttpOptions::new().proxy(ProxySetting::None).roots(Roots::None);
    let http = HttpAgent::new(&options).unwrap();
    let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    provider.token(&TokenRequest { scopes: &scopes, now: now(), ..TokenRequest::new(MINUTE, &http) })
}

pub(super) fn token(credentials: &Credentials, scopes: &[&str]) -> Result<AccessToken, TokenError> {
    token_in(&[], credentials, scopes)
}

/// 2027-01-15T08:00:00Z.
pub(super) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn read(stream: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().map(|_| line.trim_end().to_owned())
    };
    let request_line = line()?;
    let mut words = request_line.split(' ').map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    while let Some((name, value)) = line()?.split_once(": ") {
        let values = headers.entry(name.to_ascii_lowercase()).or_default();
        values.push_str(if values.is_empty() { "" } else { ", " });
        values.push_str(value);
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Received { method, target, headers, body: String::from_utf8(body).ok()? })
}

pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const STS_ANSWER: &str = r#"{"access_token":"CANARY-sts-1","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":3600}"#;
