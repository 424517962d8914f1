//! Names: taken whole or refused, and never out of their path.

use std::sync::{Arc, LazyLock, Mutex};

use longrunning::http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use longrunning::{Bindings, Credentials, OperationName, OperationsClient, RetryPolicy};
use proptest::prelude::*;

/// Sends nothing, and keeps the URL and the routing header of the last request.
#[derive(Debug, Default)]
struct Recorder(Mutex<Option<(String, String)>>);

impl HttpClient for Recorder {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        let header = |wanted: &str| {
            request.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.to_string())
        };
        let routing = header("x-goog-request-params").expect("the routing header");
        *self.0.lock().unwrap() = Some((request.url.to_owned(), routing));
        Err(HttpError::new(HttpErrorKind::Request, "nothing is sent"))
    }
}

#[derive(Clone, Copy, Debug)]
enum Method {
    Get,
    List,
    Cancel,
    Delete,
    Wait,
}

/// Names made of what could go wrong, and names of anything.
fn names() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("operations".to_owned()),
        Just("/".to_owned()),
        Just("/".to_owned()),
        proptest::sample::select(
            [".", "..", "%2e", "%2F", "%", "\\", ":", ":cancel", "?", "#", "&", "+", " ", "é", "x", "\n"]
                .as_slice()
        )
        .prop_map(str::to_owned),
    ];
    prop_oneof![proptest::collection::vec(part, 1..9).prop_map(|parts| parts.concat()), any::<String>()]
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| char::from(digit.expect("two digits")));
                u8::from_str_radix(&String::from_iter(digits), 16).expect("hex digits")
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).expect("names are UTF-8")
}

/// The client, and what it sends.
static RECORDED: LazyLock<(OperationsClient, Arc<Recorder>)> = LazyLock::new(|| {
    let recorder = Arc::new(Recorder::default());
    let client = OperationsClient::builder("https://example.test")
        .bindings(Bindings::default().wait_by(longrunning::WaitBinding::Query))
        .credentials(Credentials::anonymous())
        .retry(RetryPolicy::never())
        .http_client(Arc::clone(&recorder))
        .build()
        .unwrap();
    (client, recorder)
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_name_never_leaves_its_path(
        name in names(),
        method in proptest::sample::select(
            [Method::Get, Method::List, Method::Cancel, Method::Delete, Method::Wait].as_slice()
        ),
    ) {
        let (client, recorder) = &*RECORDED;
        let _ = match method {
            Method::Get => client.get(&*name).send().map(drop),
            Method::List => client.list(&*name).send().map(drop),
            Method::Cancel => client.cancel(&*name).send(),
            Method::Delete => client.delete(&*name).send(),
            Method::Wait => client.wait(&*name).send().map(drop),
        };
        let sent = recorder.0.lock().unwrap().take();
        let Some((url, routing)) = sent else { return Ok(()) };
        let target = url.strip_prefix("https://example.test").expect("the endpoint");
        let path = target.strip_prefix("/v1/").expect("the prefix of the template");
        let path = path.split('?').next().expect("a path");
        let verb = match method { Method::Cancel => ":cancel", Method::Wait => ":wait", _ => "" };
        let path = path.strip_suffix(verb).expect("the verb of the template");
        prop_assert!(path.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/%".contains(&b)), "{}", path);
        prop_assert!(!target.contains("//"), "{}", target);

        let decoded = decode(path);
        let mut segments = decoded.split(['/', '\\']);
        prop_assert!(!segments.any(|segment| segment == "." || segment == ".."), "{}", decoded);
        let candidates = match method {
            Method::List => [name.clone(), format!("{name}/operations")],
            _ => [name.clone(), format!("operations/{name}")],
        };
        prop_assert!(candidates.contains(&decoded), "{} for {:?}", decoded, name);
        let routed = routing.strip_prefix("name=").expect("the field of the request");
        prop_assert!(routed.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/%".contains(&b)), "{}", routed);
        prop_assert_eq!(decode(routed), name);
    }
}

proptest! {
    #[test]
    fn any_text_is_taken_whole_or_refused(text in any::<String>()) {
        if let Ok(name) = OperationName::try_from(&text) {
            prop_assert_eq!(name.as_str(), text.as_str());
            let parts = [name.parent(), name.as_str().contains("operations").then_some(name.id())];
            prop_assert!(parts.into_iter().flatten().all(|part| text.contains(part)));
        }
    }
}
