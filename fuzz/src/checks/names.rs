//! Names of operations in path templates.

use std::sync::{Mutex, PoisonError};

use longrunning::http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use longrunning::{Binding, Bindings, Credentials, OperationName, OperationsClient, RetryPolicy};
use percent_encoding::percent_decode_str;

use super::messages::check_error;

/// The first line is a template, the rest a name. The URL stays in its origin, and has the segments of both.
pub fn names(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (template, name) = text.split_once('\n').unwrap_or(("/v1/{name=**}", text));
    if let Err(error) = OperationName::try_from(name) {
        check_error(&error);
    }
    let binding = match Binding::get(template) {
        Ok(binding) => binding,
        Err(error) => return check_error(&error),
    };
    let url = request_url("https://host.example", Bindings::default().get([binding]), name);
    if let Some(url) = url {
        check_url(&url, "https://host.example");
    }
}

/// The URL of a get, if one is sent.
pub(crate) fn request_url(endpoint: &str, bindings: Bindings, name: &str) -> Option<String> {
    let recorder = std::sync::Arc::new(UrlRecorder::default());
    let client = OperationsClient::builder(endpoint)
        .credentials(Credentials::anonymous())
        .bindings(bindings)
        .http_client(std::sync::Arc::clone(&recorder))
        .build();
    match client {
        Err(error) => check_error(&error),
        Ok(client) => {
            let result = client.get(name).retry(RetryPolicy::never()).send();
            check_error(&result.expect_err("nothing was sent"));
        }
    }
    recorder.0.lock().unwrap_or_else(PoisonError::into_inner).take()
}

pub(crate) fn check_url(url: &str, origin: &str) {
    let rest = url.strip_prefix(origin).unwrap_or_else(|| panic!("{url} is not at {origin}"));
    assert!(rest.starts_with('/') && rest.bytes().all(|byte| byte.is_ascii_graphic()), "{url}");
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    assert!(!path.contains(['#', '\\', '"', '<', '>']) && !query.contains(['#', '?']), "{url}");
    // Servers decode once, and some twice.
    for segment in path.split('/') {
        let once = percent_decode_str(segment).decode_utf8_lossy();
        let twice = percent_decode_str(&once).decode_utf8_lossy();
        for decoded in [&once, &twice] {
            assert!(!matches!(&**decoded, "." | ".."), "{url}");
        }
    }
}

/// Keeps the URL of the request, and sends nothing.
#[derive(Debug, Default)]
struct UrlRecorder(Mutex<Option<String>>);

impl HttpClient for UrlRecorder {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        let mut url = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        url.get_or_insert_with(|| request.url.to_owned());
        Err(HttpError::new(HttpErrorKind::Request, "nothing was sent"))
    }
}
