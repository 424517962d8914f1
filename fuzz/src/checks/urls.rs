//! URLs of endpoints and proxies.

use longrunning::http::{HttpAgent, HttpOptions, ProxySetting};
use longrunning::{Bindings, OperationsClient};

use super::messages::{check_error, check_secret_error};
use super::names::request_url;

/// The same text as an endpoint and as a proxy. No password is printed, and requests stay at the endpoint.
pub fn urls(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let proxy = HttpOptions::new().proxy(ProxySetting::Url(text.to_owned()));
    if let Err(error) = HttpAgent::new(&proxy) {
        check_error(&error);
        check_password(text, &format!("{error} {error:?}"));
    }
    if let Err(error) = OperationsClient::builder(text).build() {
        // What is behind the last `@` is no part of any credentials.
        let is_secret = text.rsplit_once('@').is_some_and(|(credentials, rest)| {
            credentials.contains(':') && credentials.ends_with("CANARY") && !rest.contains("CANARY")
        });
        if is_secret {
            check_secret_error(&error);
        }
        return;
    }
    let Some(url) = request_url(text, Bindings::default(), "operations/1") else { return };
    let host = text.split_once("://").map_or(text, |(_, rest)| rest).trim_end_matches('/');
    let (scheme, rest) = url.split_once("://").expect("an absolute URL");
    assert!(scheme == "https" || scheme == "http", "{url}");
    assert!(rest.to_ascii_lowercase().starts_with(&host.to_ascii_lowercase()), "{url} is not at {host}");
}

/// `CANARY` as the password of a URL does not get into messages.
fn check_password(url: &str, message: &str) {
    if url.contains("://user:CANARY@") {
        assert!(!message.contains("CANARY"), "{message}");
    }
}
