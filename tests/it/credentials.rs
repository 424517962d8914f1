//! Who asks: what is sent for each kind of credentials, and what a refused token leads to.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use longrunning::auth::{AccessToken, ServiceAccount, TokenError, TokenRequest};
use longrunning::testing::{FakeServer, Reply};
use longrunning::{Code, Credentials, ErrorKind, Operation, OperationsClient, RetryPolicy};
use serde_json::{Value, json};

use crate::kit::{Folder, KEY_FILE, Method, NAME, done, secs, server, slept, told, unavailable};

#[test]
fn anonymous_calls_carry_no_token() {
    let server = server();
    for method in Method::ALL {
        method.run(&server.client()).unwrap_or_default();
    }
    assert!(server.requests().iter().all(|request| request.header("authorization").is_none()));
    server.require_token("t");
    let error = server.client().get(NAME).send().unwrap_err();
    assert_eq!(
        (error.code(), error.http_status(), error.attempts()),
        (Some(Code::Unauthenticated), Some(401), 1)
    );
}

#[test]
fn fixed_tokens_go_with_every_call() {
    let server = server();
    let client = server.client_builder().credentials(Credentials::bearer("t1").unwrap()).build().unwrap();
    for method in Method::ALL {
        method.run(&client).unwrap_or_default();
    }
    assert_eq!(tokens(&server), ["t1"; 5]);
    server.require_token("t2");
    let error = client.list("operations").send().unwrap_err();
    assert_eq!((error.code(), error.attempts(), server.request_count()), (Some(Code::Unauthenticated), 1, 6));
}

#[test]
fn without_credentials_the_default_ones_are_looked_for() {
    let nowhere = [("HOME", "/nonexistent"), ("APPDATA", "/nonexistent"), ("NO_GCE_CHECK", "true")];
    let error = OperationsClient::builder("https://example.com").environment(nowhere).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    let message = error.to_string();
    assert!(message.starts_with("no application default credentials: "), "{message}");
    assert!(message.contains("NO_GCE_CHECK is `true`"), "{message}");
}

#[test]
fn tokens_do_not_leave_this_machine_without_tls() {
    for endpoint in ["http://example.com", "http://10.0.0.1:8080", "http://localhost.example.com"] {
        let error = OperationsClient::builder(endpoint)
            .credentials(Credentials::bearer("t").unwrap())
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let message = format!(
            "endpoint `{endpoint}` is not https (plain http is accepted for loopback only, and by `allow_plain_http` for anonymous clients)"
        );
        assert_eq!(error.to_string(), message);
    }
}

/// Gives `t1`, `t2`, … for an hour each, and counts.
fn provider() -> (Credentials, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    let given = Arc::clone(&count);
    let provider = move |_: &TokenRequest<'_>| {
        let number = given.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(AccessToken::new(format!("t{number}")).expires_in(Duration::from_secs(3600)))
    };
    (Credentials::provider(provider), count)
}

#[test]
fn a_provider_says_when_to_come_back() {
    for (wish, slept_for, transient) in [(7, vec![7.0], true), (70, vec![], true), (7, vec![], false)] {
        let first = AtomicBool::new(true);
        let server = server();
        let sealed = move |_: &TokenRequest<'_>| match first.swap(false, Ordering::Relaxed) {
            true if transient => {
                Err(TokenError::transient("sealed").with_retry_after(Duration::from_secs(wish)))
            }
            true => Err(TokenError::permanent("revoked").with_retry_after(Duration::from_secs(wish))),
            false => Ok(AccessToken::new("t")),
        };
        let client = server.client_builder().credentials(Credentials::provider(sealed)).build().unwrap();
        let result = client.get(NAME).send();
        assert_eq!((slept(&server), result.is_ok()), (slept_for, wish == 7 && transient), "{wish}");
        let hint = result.err().and_then(|error| error.retry_after());
        assert_eq!(hint, (wish == 70).then(|| Duration::from_secs(70)), "{wish}");
    }
}

#[test]
fn a_provider_is_asked_once_and_again_before_the_token_expires() {
    let server = server();
    let (credentials, asked) = provider();
    let client = server.client_builder().credentials(credentials).build().unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 0, "nothing before the first call");
    for method in Method::ALL {
        method.run(&client).unwrap_or_default();
    }
    assert_eq!(tokens(&server), ["t1"; 5]);
    server.advance(Duration::from_secs(3600 - 225 - 15 - 1));
    client.list("operations").send().unwrap();
    server.advance(Duration::from_secs(1));
    client.list("operations").send().unwrap();
    assert_eq!(tokens(&server)[5..], ["t1", "t2"]);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn a_provider_gets_the_scopes_and_the_time_of_the_attempt() {
    let server = server();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let provider = Credentials::provider(move |request: &TokenRequest<'_>| {
        log.lock().unwrap().push((request.scopes.to_vec(), request.now));
        Ok(AccessToken::new("t"))
    });
    let client = server.client_builder().credentials(provider).scopes(["a", "b"]).build().unwrap();
    client.get(NAME).send().unwrap();
    assert_eq!(*asked.lock().unwrap(), [(vec!["a".to_owned(), "b".to_owned()], server.wall())]);
}

#[test]
fn a_service_account_comes_from_a_file_a_text_or_a_value() -> Result<(), longrunning::Error> {
    let folder = Folder::new();
    let path = folder.file("key.json", KEY_FILE);
    let rows: [(&str, Credentials); 4] = [
        ("file", ServiceAccount::from_file(&path)?.into()),
        ("text", ServiceAccount::from_json(KEY_FILE)?.into()),
        ("value", ServiceAccount::from_value(serde_json::from_str(KEY_FILE).unwrap())?.into()),
        ("file of any type", Credentials::from_file(&path)?),
    ];
    for (row, credentials) in rows {
        let server = server();
        server.client_builder().credentials(credentials).build()?.get(NAME).send()?;
        let jwt = tokens(&server).remove(0);
        let claims = part(jwt.split('.').nth(1).unwrap());
        assert_eq!(claims["iss"], "robot@test-project.iam.gserviceaccount.com", "{row}");
    }
    Ok(())
}

#[test]
fn a_service_account_signs_for_itself() {
    let account = || ServiceAccount::from_json(KEY_FILE).unwrap();
    let default = "https://www.googleapis.com/auth/cloud-platform";
    let rows = [
        ("default", account(), None, json!({"scope": default})),
        ("scopes of the client", account(), Some(["a", "b"]), json!({"scope": "a b"})),
        ("scopes of the account", account().scopes(["c"]), Some(["a", "b"]), json!({"scope": "c"})),
        (
            "audience",
            account().audience("https://x.googleapis.com/"),
            None,
            json!({"aud": "https://x.googleapis.com/"}),
        ),
    ];
    for (row, account, scopes, access) in rows {
        let server = server();
        let mut builder = server.client_builder().credentials(account);
        if let Some(scopes) = scopes {
            builder = builder.scopes(scopes);
        }
        builder.build().unwrap().get(NAME).send().unwrap();
        let jwt = tokens(&server).remove(0);
        let parts: Vec<_> = jwt.split('.').collect();
        assert_eq!(parts.len(), 3, "{row}");
        assert_eq!(part(parts[0]), json!({"alg": "RS256", "typ": "JWT", "kid": "test-only-key-1"}), "{row}");
        let iat = server.wall().duration_since(UNIX_EPOCH).unwrap().as_secs() - 10;
        let email = "robot@test-project.iam.gserviceaccount.com";
        let mut claims = json!({"iss": email, "sub": email, "iat": iat, "exp": iat + 3600});
        claims.as_object_mut().unwrap().extend(access.as_object().unwrap().clone());
        assert_eq!(part(parts[1]), claims, "{row}");
        assert_eq!(URL_SAFE_NO_PAD.decode(parts[2]).unwrap().len(), 256, "{row}");
    }
}

#[test]
fn a_refused_token_is_renewed_once() {
    for method in Method::ALL {
        let server = server();
        server.require_token("t2");
        let (credentials, asked) = provider();
        let client = server.client_builder().credentials(credentials).build().unwrap();
        method.run(&client).unwrap();
        assert_eq!(
            (tokens(&server), slept(&server)),
            (vec!["t1".into(), "t2".into()], vec![]),
            "49 {method:?}"
        );
        assert_eq!(asked.load(Ordering::Relaxed), 2, "49 {method:?}");
    }
}

#[test]
fn a_token_that_is_refused_again_is_given_up() {
    for method in Method::ALL {
        let server = server();
        server.require_token("none");
        let (credentials, asked) = provider();
        let client = server.client_builder().credentials(credentials).build().unwrap();
        let error = method.run(&client).unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Service, Some(Code::Unauthenticated)),
            "50 {method:?}"
        );
        assert_eq!((error.attempts(), asked.load(Ordering::Relaxed)), (1, 2), "50 {method:?}");
        assert_eq!(
            (tokens(&server), slept(&server)),
            (vec!["t1".into(), "t2".into()], vec![]),
            "50 {method:?}"
        );
    }
}

#[test]
fn every_attempt_may_renew_its_token() {
    let server = server();
    for fault in [Reply::status(401), unavailable().delay(secs(10.0)), Reply::status(401)] {
        server.reply(fault);
    }
    let (credentials, _) = provider();
    let client = server.client_builder().credentials(credentials).build().unwrap();
    client.get(NAME).send().unwrap();
    assert_eq!(tokens(&server), ["t1", "t2", "t2", "t3"]);
    assert_eq!(slept(&server), [0.375]);
}

#[test]
fn a_listing_goes_on_with_the_next_token() {
    let server = FakeServer::start();
    (0..25).for_each(|number| server.insert(Operation::running(format!("operations/{number:02}"))));
    let (credentials, asked) = provider();
    let client = server.client_builder().credentials(credentials).build().unwrap();
    server.require_token("t1");
    let mut names = Vec::new();
    for (number, operation) in client.list("operations").page_size(10).into_iter().enumerate() {
        names.push(operation.unwrap().name().to_owned());
        if number == 5 {
            server.require_token("t2");
        }
    }
    assert_eq!(names, (0..25).map(|number| format!("operations/{number:02}")).collect::<Vec<_>>(), "49");
    assert_eq!(
        (tokens(&server), asked.load(Ordering::Relaxed)),
        (["t1", "t1", "t2", "t2"].map(String::from).to_vec(), 2)
    );
    let pages: Vec<_> = server.requests().iter().map(|request| request.query("pageToken")).collect();
    assert!(pages[1].is_some() && pages[1] == pages[2], "49: the same page again: {pages:?}");
}

/// Fails as often as told, then gives a token.
fn failing(times: u32, error: fn() -> TokenError) -> Credentials {
    let asked = AtomicU32::new(0);
    Credentials::provider(move |_: &TokenRequest<'_>| match asked.fetch_add(1, Ordering::Relaxed) < times {
        true => Err(error()),
        false => Ok(AccessToken::new("t").expires_in(Duration::from_secs(3600))),
    })
}

#[test]
fn token_failures_that_may_pass_are_retried_before_anything_is_sent() {
    for method in Method::ALL {
        let server = server();
        let credentials = failing(2, || TokenError::transient("the vault is sealed"));
        let client = server.client_builder().credentials(credentials).build().unwrap();
        method.run(&client).unwrap();
        let delays = if method == Method::Poll { [0.5, 0.75] } else { [0.375, 0.75] };
        assert_eq!((server.request_count(), slept(&server)), (1, delays.to_vec()), "53 {method:?}");
    }
    let server = server();
    let credentials = failing(9, || TokenError::transient("the vault is sealed"));
    let client = server.client_builder().credentials(credentials).build().unwrap();
    let error = client.get(NAME).send().unwrap_err();
    assert_eq!((error.kind(), error.attempts(), server.request_count()), (ErrorKind::Auth, 5, 0), "53");
    assert!(error.is_transient() && error.code().is_none(), "53: {error}");
}

#[test]
fn token_failures_that_stay_are_returned_at_once() {
    for method in Method::ALL {
        let server = server();
        let credentials = failing(1, || TokenError::permanent("invalid_grant: log in again"));
        let client = server.client_builder().credentials(credentials).build().unwrap();
        let error = method.run(&client).unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Auth, 1), "54 {method:?}");
        assert!(error.to_string().ends_with(": invalid_grant: log in again"), "54 {method:?}: {error}");
        assert_eq!(told(&client.get(NAME).send()), "Auth", "54: it is remembered");
        assert_eq!((server.request_count(), slept(&server)), (0, vec![]), "54 {method:?}");
        server.advance(Duration::from_secs(30));
        assert_eq!(client.get(NAME).send().unwrap(), done(), "54: but not for ever");
    }
}

#[test]
fn an_old_token_serves_while_there_is_no_new_one() {
    let server = server();
    let asked = AtomicU32::new(0);
    let credentials =
        Credentials::provider(move |_: &TokenRequest<'_>| match asked.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(AccessToken::new("old").expires_in(Duration::from_secs(3600))),
            _ => Err(TokenError::transient("the token endpoint is down")),
        });
    let client = server.client_builder().credentials(credentials).build().unwrap();
    client.get(NAME).send().unwrap();
    server.advance(Duration::from_secs(3590));
    assert_eq!(client.get(NAME).send().unwrap(), done(), "52");
    assert_eq!(tokens(&server), ["old", "old"], "52");
    server.advance(Duration::from_secs(11));
    let error = client.get(NAME).retry(RetryPolicy::never()).send().unwrap_err();
    assert_eq!((error.kind(), server.request_count()), (ErrorKind::Auth, 2), "53");
}

#[test]
fn a_slow_provider_uses_up_the_time_of_its_attempt() {
    let server = Arc::new(server());
    let clock = Arc::clone(&server);
    let credentials = Credentials::provider(move |request: &TokenRequest<'_>| {
        assert!(!request.remaining().is_zero());
        clock.advance(secs(11.0));
        Ok(AccessToken::new("t").expires_in(Duration::from_secs(3600)))
    });
    let client = server.client_builder().credentials(credentials).build().unwrap();
    client.get(NAME).send().unwrap();
    assert_eq!(
        (server.request_count(), slept(&server)),
        (1, vec![0.375]),
        "the second attempt finds the token"
    );
}

#[test]
fn a_wrong_clock_is_named_when_tokens_are_refused() {
    let note = "; the local clock is ";
    let rows = [
        ("ahead", Some(-600), Some("600 s ahead of the server's")),
        ("behind", Some(600), Some("600 s behind the server's")),
        ("nearly right", Some(-299), None),
        ("80: the server's is absurd", Some(-1_700_000_000), None),
        ("80: no date", None, None),
    ];
    for (row, offset, expected) in rows {
        let server = server();
        server.set_date_offset(offset);
        server.require_token("none");
        let client = server
            .client_builder()
            .credentials(ServiceAccount::from_json(KEY_FILE).unwrap())
            .build()
            .unwrap();
        let message = client.get(NAME).send().unwrap_err().to_string();
        match expected {
            Some(text) => assert!(message.ends_with(&format!("{note}{text}")), "{row}: {message}"),
            None => assert!(!message.contains("clock"), "{row}: {message}"),
        }
        server.allow_anonymous();
        server.reply(Reply::status(403));
        let message = client.get(NAME).send().unwrap_err().to_string();
        assert!(!message.contains("clock"), "{row}: only where a token is refused: {message}");
    }
}

/// The tokens that arrived, in order.
fn tokens(server: &FakeServer) -> Vec<String> {
    let token = |request: &longrunning::testing::RecordedRequest| {
        let value = request.header("authorization").expect("a token");
        value.strip_prefix("Bearer ").expect("a bearer token").to_owned()
    };
    server.requests().iter().map(token).collect()
}

/// A part of a JWT.
fn part(text: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}
