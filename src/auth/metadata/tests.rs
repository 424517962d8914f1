use std::collections::BTreeMap;
use std::error::Error as _;

use super::*;
use crate::auth::scripted::ScriptedClient;
use crate::error::ErrorKind;
use crate::http::HttpErrorKind;

#[test]
fn the_universe_is_asked_for_once_and_the_token_as_often_as_wanted() {
    let answers = [flavored(404, "<html>"), token("a1"), token("a2")];
    let (http, source) = source(answers.map(Ok), |server| server.service_account("w@p.iam"));
    let scopes = ["https://x/a".to_owned(), "b".to_owned()];
    for expected in ["a1", "a2"] {
        let request = TokenRequest { scopes: &scopes, ..http.request() };
        assert_eq!(source.token(&request).unwrap().text(), expected);
    }
    let base = "GET http://metadata.google.internal/computeMetadata/v1";
    let path = "instance/service-accounts/w@p.iam/token?scopes=https%3A%2F%2Fx%2Fa%2Cb";
    let lines =
        [format!("{base}/universe/universe-domain"), format!("{base}/{path}"), format!("{base}/{path}")];
    let seen = http.take();
    assert_eq!(seen.iter().map(|seen| seen.line.clone()).collect::<Vec<_>>(), lines);
    for seen in &seen {
        assert_eq!(seen.headers["metadata-flavor"], "Google");
        assert!(!seen.headers.contains_key("authorization"));
    }
    let seconds = |seen: &crate::auth::scripted::SentRequest| seen.timeout.as_secs_f64().ceil();
    assert_eq!(
        seen.iter().map(seconds).collect::<Vec<_>>(),
        [3.0, 10.0, 10.0],
        "only detection is cut short"
    );
}

#[test]
fn answers_count_only_with_the_header_of_the_server() {
    let host = "metadata.google.internal";
    let missed = format!("no metadata server responded at {host}");
    let strange = format!("the server at {host} is not a metadata server (no `metadata-flavor: Google`)");
    let plain = |status, body: &str| HttpResponse::new(status, body);
    let html =
        |status| flavored(status, "<html>CANARY").with_header("content-type", "text/html; charset=UTF-8");
    let rows: [(&str, Vec<HttpResponse>, Result<&str, (String, bool)>); 16] = [
        ("the usual", vec![flavored(200, "googleapis.com\n"), token("a")], Ok("a")),
        ("no universe", vec![flavored(404, ""), token("a")], Ok("a")),
        ("an error page for the universe", vec![html(404), token("a")], Ok("a")),
        ("an empty universe", vec![flavored(200, ""), token("a")], Ok("a")),
        ("a server that knows only tokens", vec![plain(404, "?"), token("a")], Ok("a")),
        ("a captive portal", vec![plain(200, "<html>CANARY")], Err((missed.clone(), false))),
        ("a page in the name of Google", vec![html(200)], Err((missed.clone(), false))),
        ("another cloud", vec![plain(401, "")], Err((missed.clone(), false))),
        ("another cloud without paths", vec![plain(404, ""), plain(404, "")], Err((missed.clone(), false))),
        ("busy", vec![plain(503, "CANARY")], Err((format!("{host} responded with 503"), true))),
        (
            "asked too often",
            vec![flavored(200, ""), flavored(429, "")],
            Err((format!("{host} responded with 429"), true)),
        ),
        (
            "no account",
            vec![flavored(404, ""), html(404)],
            Err((
                format!(
                    "there is no service account `default`, attach one to the machine or the service: \
                     {host} responded with 404"
                ),
                false,
            )),
        ),
        (
            "forbidden",
            vec![flavored(404, ""), flavored(403, "Permission denied\n")],
            Err((format!("{host} responded with 403: Permission denied"), false)),
        ),
        ("a page for a token", vec![flavored(404, ""), html(200)], Err((strange, false))),
        (
            "no token",
            vec![flavored(404, ""), flavored(200, "{}")],
            Err((format!("the response of {host} lacks `access_token`"), false)),
        ),
        (
            "another universe",
            vec![flavored(200, "example.goog")],
            Err((
                "the metadata server is of the universe `example.goog` and the client of `googleapis.com`: \
                 set `universe_domain` or GOOGLE_CLOUD_UNIVERSE_DOMAIN, or use other credentials"
                    .into(),
                false,
            )),
        ),
    ];
    for (name, answers, expected) in rows {
        let count = answers.len();
        let (http, source) = source(answers.into_iter().map(Ok), |server| server);
        let result = source.token(&http.request());
        let result = result.as_ref().map(AccessToken::text).map_err(|error| {
            assert!(!format!("{error:?}").contains("CANARY"), "{name}");
            (error.to_string(), error.is_transient())
        });
        assert_eq!(result, expected, "{name}");
        assert_eq!(http.take().len(), count, "{name}");
    }
}

#[test]
fn a_server_that_should_be_there_is_waited_for_and_another_is_not() {
    let refused = || Err(HttpError::new(HttpErrorKind::Connect, "refused"));
    let unknown = || Err(HttpError::new(HttpErrorKind::Resolve, "unknown name").transient(false));
    type Failure = fn() -> Result<HttpResponse, HttpError>;
    // What each try in a row is: transient or not.
    let rows: [(&str, bool, u32, u64, Failure, &[bool]); 6] = [
        ("expected", true, 1, 10, refused, &[true, true, true]),
        ("expected, but nobody knows the name", true, 1, 10, unknown, &[false]),
        ("perhaps", false, 1, 10, refused, &[false, false]),
        ("perhaps, with three tries", false, 3, 10, refused, &[true, true, false, false]),
        ("nobody knows the name, with three tries", false, 3, 10, unknown, &[false]),
        ("the caller had no time for a whole try", false, 1, 2, refused, &[true, true]),
    ];
    for (name, is_expected, detect_tries, seconds, failure, expected) in rows {
        let (http, source) = source(expected.iter().map(|_| failure()), |server| server);
        let absent = Some("X is unset, no metadata server responded".to_owned());
        let source = MetadataSource { is_expected, detect_tries, absent, ..source };
        let request = TokenRequest::new(Duration::from_secs(seconds), &http);
        let errors: Vec<TokenError> =
            expected.iter().map(|_| source.token(&request).expect_err(name)).collect();
        assert_eq!(errors.iter().map(TokenError::is_transient).collect::<Vec<_>>(), expected, "{name}");
        if seconds == 10 {
            let message = "X is unset, no metadata server responded";
            assert!(
                errors.iter().all(|error| error.to_string() == message && error.wording() == Wording::Whole),
                "{name}"
            );
            assert!(errors.iter().all(|error| error.source().is_some()), "{name}");
        }
    }
}

#[test]
fn who_names_the_server_expects_it() {
    let http = Arc::new(ScriptedClient::default());
    let named = Credentials::from(MetadataServer::new().http_client(Arc::clone(&http)));
    let provider = named.resolve(&env(&[])).unwrap().token_provider().unwrap();
    let error = provider.token(&http.request()).unwrap_err();
    let message = "no metadata server responded at metadata.google.internal";
    assert_eq!((error.to_string().as_str(), error.is_transient()), (message, true));
}

#[test]
fn once_found_it_stays_found() {
    let refused = Err(HttpError::new(HttpErrorKind::Connect, "refused"));
    let (http, source) = source([Ok(flavored(404, "")), Ok(token("a")), refused], |server| server);
    let source = MetadataSource { is_expected: false, absent: Some("X is unset".into()), ..source };
    source.token(&http.request()).unwrap();
    let error = source.token(&http.request()).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.is_transient()), ("refused", true));
}

#[test]
fn an_indefinite_answer_about_the_universe_is_asked_for_again() {
    let answers = [flavored(503, ""), flavored(200, "example.goog"), token("a")];
    let (http, source) = source(answers.map(Ok), |server| server);
    let request = TokenRequest { universe_domain: "example.goog", ..http.request() };
    assert!(source.token(&request).unwrap_err().is_transient());
    assert_eq!(source.token(&request).unwrap().text(), "a");
}

#[test]
fn variables_are_looked_at() {
    let host = |variables: &[(&str, &str)]| {
        let source = MetadataServer::new().resolve(&env(variables)).map_err(|error| {
            assert_eq!(error.kind(), ErrorKind::Config);
            error.to_string()
        })?;
        Ok((source.host, source.detect_timeout.as_secs(), source.detect_tries))
    };
    let default = || Ok(("metadata.google.internal".to_owned(), 3, 1));
    let at = |host: &str| Ok((host.to_owned(), 3, 1));
    let rows: [(&[(&str, &str)], Result<(String, u64, u32), String>); 15] = [
        (&[], default()),
        (&[("GCE_METADATA_HOST", "h:8080"), ("GCE_METADATA_ROOT", "r")], at("h:8080")),
        (&[("GCE_METADATA_HOST", ""), ("GCE_METADATA_ROOT", "r"), ("GCE_METADATA_IP", "1.2.3.4")], at("r")),
        (&[("GCE_METADATA_IP", "1.2.3.4")], at("1.2.3.4")),
        (&[("GCE_METADATA_HOST", "[fd00::1]:80")], at("[fd00::1]:80")),
        (
            &[("GCE_METADATA_HOST", "http://h")],
            Err("GCE_METADATA_HOST is `http://h`: expected a host and maybe a port".into()),
        ),
        (
            &[("GCE_METADATA_ROOT", "a b")],
            Err("GCE_METADATA_ROOT is `a b`: expected a host and maybe a port".into()),
        ),
        (&[("GCE_METADATA_TIMEOUT", "7"), ("GCE_METADATA_DETECT_RETRIES", "4")], Ok((HOST.into(), 7, 4))),
        (&[("GCE_METADATA_TIMEOUT", "soon"), ("GCE_METADATA_DETECT_RETRIES", "-1")], default()),
        (&[("GCE_METADATA_TIMEOUT", "0"), ("GCE_METADATA_DETECT_RETRIES", "")], default()),
        (&[("GCE_METADATA_MTLS_MODE", "none")], default()),
        (&[("GCE_METADATA_MTLS_MODE", "Default")], default()),
        (&[("GCE_METADATA_MTLS_MODE", "")], default()),
        (
            &[("GCE_METADATA_MTLS_MODE", "strict")],
            Err("GCE_METADATA_MTLS_MODE is `strict`, which is not supported: expected `none` or `default`"
                .into()),
        ),
        (
            &[("GCE_METADATA_MTLS_MODE", "x")],
            Err("GCE_METADATA_MTLS_MODE is `x`, which is not supported: expected `none` or `default`".into()),
        ),
    ];
    for (variables, expected) in rows {
        assert_eq!(host(variables), expected, "{variables:?}");
    }
    let named = MetadataServer::new().resolve(&env(&[("GCE_METADATA_HOST", "h")])).unwrap();
    assert!(named.is_expected);
}

#[test]
fn an_account_is_an_address() {
    for (account, valid) in
        [("", true), ("a-b_c@d.iam.gserviceaccount.com", true), ("a/../b", false), ("a?b", false)]
    {
        let resolved = MetadataServer::new().service_account(account).resolve(&env(&[]));
        assert_eq!(resolved.is_ok(), valid, "{account}");
    }
}

/// A source that asks a client with these answers.
fn source(
    answers: impl IntoIterator<Item = Result<HttpResponse, HttpError>>,
    change: fn(MetadataServer) -> MetadataServer,
) -> (Arc<ScriptedClient>, MetadataSource) {
    let http = Arc::new(ScriptedClient::new(answers));
    let server = change(MetadataServer::new().http_client(Arc::clone(&http)));
    (http, server.resolve(&env(&[])).unwrap())
}

fn flavored(status: u16, body: &str) -> HttpResponse {
    HttpResponse::new(status, body).with_header("Metadata-Flavor", "Google")
}

fn token(token: &str) -> HttpResponse {
    flavored(200, &format!(r#"{{"access_token": "{token}", "expires_in": 3599, "token_type": "Bearer"}}"#))
}

fn env(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
