//! Who calls: tokens from files, token endpoints and the metadata server, over loopback and in virtual time.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use longrunning::auth::{
    AccessToken, AuthorizedUser, CredentialsPolicy, MetadataServer, ServiceAccount, TokenError, TokenRequest,
};
use longrunning::testing::{FakeServer, RecordedRequest, Reply};
use longrunning::{Credentials, ErrorKind, OperationsClient, OperationsClientBuilder};
use serde_json::{Value, json};

use crate::kit::{Folder, KEY_FILE, NAME, server, slept, told};
use crate::listener::{heard, listen};

#[test]
fn default_credentials_are_read_at_build_and_asked_for_tokens_at_the_first_call() {
    let (api, tokens) = (server(), token_server(["CANARY-access-1", "CANARY-access-2"]));
    let folder = Folder::new();
    let path = folder.file("login.json", &login(&tokens).to_string());
    let client =
        build(&api, Credentials::application_default(), &[("GOOGLE_APPLICATION_CREDENTIALS", &path)]);
    assert_eq!((tokens.request_count(), api.request_count()), (0, 0), "nothing is sent at build");
    // The margin is 225 s and half of the jitter.
    for (seconds, token, count) in [(0, 1, 1), (3000, 1, 1), (359, 1, 1), (2, 2, 2), (3000, 2, 2)] {
        api.advance(Duration::from_secs(seconds));
        api.require_token(format!("CANARY-access-{token}"));
        client.get(NAME).send().unwrap();
        assert_eq!(tokens.request_count(), count);
    }
    let refresh_tokens: Vec<String> =
        tokens.requests().iter().map(|request| form(request)["refresh_token"].clone()).collect();
    assert_eq!(refresh_tokens, ["CANARY-refresh-0", "CANARY-refresh-1"], "the last one given is used");
    let project = api.requests()[0].header("x-goog-user-project").map(str::to_owned);
    assert_eq!(project.as_deref(), Some("billing-of-the-file"));
    no_canary_was_logged();
}

#[test]
fn a_refused_token_is_replaced_once() {
    let (api, tokens) = (server(), token_server(["CANARY-access-1", "CANARY-access-2", "CANARY-access-3"]));
    let user = Credentials::from_value_with(login(&tokens), &CredentialsPolicy::trusting_the_file()).unwrap();
    let client = build(&api, user, &[]);
    api.require_token("CANARY-access-2");
    client.get(NAME).send().unwrap();
    assert_eq!((api.request_count(), tokens.request_count()), (2, 2));
    api.require_token("CANARY-access-7");
    for (seconds, sent, fetched) in [(0, 3, 2), (9, 4, 2), (1, 6, 3), (9, 7, 3)] {
        api.advance(Duration::from_secs(seconds));
        let error = client.get(NAME).send().unwrap_err();
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Service, Some(401)));
        assert_eq!((api.request_count(), tokens.request_count()), (sent, fetched));
    }
    no_canary_was_logged();
}

#[test]
fn the_metadata_server_is_asked_without_secrets() {
    let (api, metadata) = (server(), FakeServer::start());
    let flavored = |reply: Reply| reply.header("metadata-flavor", "Google");
    let give = |part: &str, reply| metadata.reply_to("GET", part, flavored(reply));
    give("universe-domain", Reply::html(404));
    let token = json!({"access_token": "CANARY-access-1", "expires_in": 3599, "token_type": "Bearer"});
    give("default/token", Reply::json(200, token.to_string()));
    give("worker@p/token", Reply::json(200, token.to_string()));
    let host = metadata.address().to_string();
    let env = [("GCE_METADATA_HOST", &*host), ("HOME", "/nowhere"), ("APPDATA", "/nowhere")];
    api.require_token("CANARY-access-1");
    let client = build(&api, Credentials::application_default(), &env);
    assert_eq!(metadata.request_count(), 0, "nothing is sent at build");
    for _ in 0..2 {
        client.get(NAME).send().unwrap();
    }
    let worker = MetadataServer::new().service_account("worker@p");
    give("universe-domain", Reply::html(404));
    let client = builder(&api, worker.into(), &env).scopes(["s1", "s2"]).build().unwrap();
    client.get(NAME).send().unwrap();
    let targets: Vec<String> = metadata.requests().iter().map(|each| each.target().to_owned()).collect();
    let base = "/computeMetadata/v1";
    let expected = [
        format!("{base}/universe/universe-domain"),
        format!("{base}/instance/service-accounts/default/token"),
        format!("{base}/universe/universe-domain"),
        format!("{base}/instance/service-accounts/worker@p/token?scopes=s1%2Cs2"),
    ];
    assert_eq!(targets, expected);
    for request in metadata.requests() {
        assert_eq!(request.header("metadata-flavor"), Some("Google"));
        assert_eq!((request.header("authorization"), request.body()), (None, &b""[..]));
    }
    no_canary_was_logged();
}

#[test]
fn where_there_are_no_credentials_every_place_is_named() {
    let (api, portal) = (server(), FakeServer::start());
    portal.reply(Reply::html(200).times(usize::MAX));
    let host = portal.address().to_string();
    let env = [("GCE_METADATA_HOST", &*host), ("HOME", "/nowhere"), ("APPDATA", "/nowhere")];
    let client = api.client_builder().environment(env);
    let client = client.credentials(Credentials::application_default()).build().unwrap();
    let error = client.get(NAME).send().unwrap_err();
    let file = if cfg!(windows) { "/nowhere\\gcloud\\" } else { "~/.config/gcloud/" };
    let message = format!(
        "GetOperation `{NAME}`: no application default credentials: GOOGLE_APPLICATION_CREDENTIALS is unset, \
         `{file}application_default_credentials.json` does not exist, no metadata server responded; \
         `gcloud auth application-default login` would make some"
    );
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Auth, message));
    assert_eq!((portal.request_count(), api.request_count()), (1, 0), "one look, and no call");
    client.get(NAME).send().unwrap_err();
    assert_eq!(portal.request_count(), 1, "remembered");
    api.advance(Duration::from_secs(31));
    client.get(NAME).send().unwrap_err();
    assert_eq!(portal.request_count(), 2, "and not for ever");
}

#[test]
fn an_account_exchanges_its_assertion_on_behalf_of_a_user() {
    let (api, tokens) = (server(), token_server(["CANARY-access-1"]));
    let url = format!("{}/token", tokens.url());
    let account = ServiceAccount::from_json(KEY_FILE).unwrap().subject("user@example.com").token_uri(&url);
    let client = builder(&api, account.into(), &[]).scopes(["s1", "s2"]).build().unwrap();
    api.require_token("CANARY-access-1");
    client.get(NAME).send().unwrap();
    let form = form(&tokens.requests()[0]);
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let claims = claims(&form["assertion"]);
    assert_eq!((&claims["sub"], &claims["aud"]), (&"user@example.com".into(), &url.into()));
    assert_eq!(claims["scope"], "s1 s2");
    assert!(heard(|line| line.text.contains(&form["assertion"])).is_empty());
    no_canary_was_logged();
}

#[test]
fn the_one_retry_loop_asks_token_endpoints_again_as_far_as_that_helps() {
    let grant = r#"{"error": "invalid_grant", "error_description": "CANARY is no word\nof a token"}"#;
    let passing = r#"{"error": "temporarily_unavailable"}"#;
    // What the endpoint answers before it gives a token; what comes out; the sleeps; how often it was asked.
    let rows: [(&str, Vec<Reply>, &str, &[f64], u64); 15] = [
        ("well", vec![], "ok", &[], 1),
        ("out of service", vec![Reply::status(503)], "ok", &[0.375], 2),
        ("out of service for long", vec![Reply::status(502).times(9)], "Auth", &[0.375, 0.75, 1.5, 3.0], 5),
        ("busy for a while", vec![Reply::status(503).header("retry-after", "7")], "ok", &[7.0], 2),
        ("too many for a while", vec![Reply::status(429).header("retry-after", "9")], "ok", &[9.0], 2),
        (
            "busy for ever",
            vec![Reply::status(503).header("retry-after", "18446744073709551615")],
            "Auth",
            &[],
            1,
        ),
        ("too many", vec![Reply::status(429)], "ok", &[0.375], 2),
        ("passing by its word", vec![Reply::json(400, passing)], "ok", &[0.375], 2),
        ("reset", vec![Reply::reset()], "ok", &[0.375], 2),
        ("cut short", vec![Reply::json(200, r#"{"access_token": "CANARY"#)], "ok", &[0.375], 2),
        ("refused", vec![Reply::json(400, grant)], "Auth", &[], 1),
        ("forbidden", vec![Reply::status(403)], "Auth", &[], 1),
        ("a page", vec![Reply::html(200)], "Auth", &[], 1),
        ("a redirect", vec![Reply::redirect("https://evil.example/?CANARY")], "Auth", &[], 1),
        ("far too large", vec![Reply::huge(2 << 20)], "Auth", &[], 1),
    ];
    for (name, replies, outcome, sleeps, asked) in rows {
        let (api, tokens) = (server(), FakeServer::start());
        replies.into_iter().for_each(|reply| tokens.reply(reply));
        give_tokens(&tokens, ["CANARY-access-1"]);
        let trusting = CredentialsPolicy::trusting_the_file();
        let user = Credentials::from_value_with(login(&tokens), &trusting).unwrap();
        let result = build(&api, user, &[]).get(NAME).send();
        assert_eq!((&*told(&result), &*slept(&api)), (outcome, sleeps), "{name}: {result:?}");
        assert_eq!(tokens.request_count(), asked, "{name}");
        assert_eq!(api.request_count(), u64::from(outcome == "ok"), "{name}: no token, no call");
        if let Err(error) = result.as_ref().map_err(|error| format!("{error:#}")) {
            let named = "no access token from user `me@example.com`: ";
            assert!(error.contains(named) && !error.contains('\n'), "{name}: {error}");
            assert!(name == "refused" || !error.contains("CANARY"), "{name}: {error}");
        }
    }
}

#[test]
fn a_permanent_failure_is_remembered_for_a_while_and_then_mended() {
    let (api, tokens) = (server(), FakeServer::start());
    tokens.reply(Reply::json(400, r#"{"error": "invalid_grant"}"#));
    give_tokens(&tokens, ["CANARY-access-1"]);
    let trusting = CredentialsPolicy::trusting_the_file();
    let client = build(&api, Credentials::from_value_with(login(&tokens), &trusting).unwrap(), &[]);
    for (seconds, outcome, asked) in [(0, "Auth", 1), (29, "Auth", 1), (2, "ok", 2)] {
        api.advance(Duration::from_secs(seconds));
        assert_eq!(told(&client.get(NAME).send()), outcome);
        assert_eq!(tokens.request_count(), asked);
    }
}

#[test]
fn a_token_never_reaches_another_universe() {
    let account = |universe: &str| {
        let mut file: Value = serde_json::from_str(KEY_FILE).unwrap();
        file["universe_domain"] = universe.into();
        Credentials::from(ServiceAccount::from_value(file).unwrap())
    };
    let variable = |value: &'static str| vec![("GOOGLE_CLOUD_UNIVERSE_DOMAIN", value)];
    let robot = "service account `robot@test-project.iam.gserviceaccount.com`";
    let mismatch = |own: &str, client: &str| {
        Some(format!(
            "{robot} is of the universe `{own}` and the client of `{client}`: \
             set `universe_domain` or GOOGLE_CLOUD_UNIVERSE_DOMAIN, or use other credentials"
        ))
    };
    let (default, other) = ("googleapis.com", "example.goog");
    let rows = [
        ("default", default, None, vec![], None),
        ("both elsewhere", other, Some("example.goog"), vec![], None),
        ("by the variable", other, None, variable("Example.Goog"), None),
        ("the option goes first", other, Some("example.goog"), variable("third.goog"), None),
        ("an empty variable is unset", default, None, variable(""), None),
        ("credentials elsewhere", other, None, vec![], mismatch(other, default)),
        ("client elsewhere", default, Some("example.goog"), vec![], mismatch(default, other)),
        (
            "client elsewhere by the variable",
            default,
            None,
            variable("example.goog"),
            mismatch(default, other),
        ),
        (
            "no domain",
            default,
            Some("https://example.goog/"),
            vec![],
            Some(
                "the option `universe_domain` is `https://example.goog/`: \
                  expected a domain such as `googleapis.com`"
                    .into(),
            ),
        ),
        (
            "no domain in the variable",
            default,
            None,
            variable("a..b"),
            Some("GOOGLE_CLOUD_UNIVERSE_DOMAIN is `a..b`: expected a domain such as `googleapis.com`".into()),
        ),
    ];
    for (name, own, option, env, expected) in rows {
        let api = server();
        let client = builder(&api, account(own), &env);
        let client = if let Some(domain) = option { client.universe_domain(domain) } else { client };
        match (client.build(), expected) {
            (Ok(client), None) => drop(client.get(NAME).send().expect(name)),
            (Err(error), Some(message)) => {
                assert_eq!((error.kind(), error.to_string()), (ErrorKind::Config, message), "{name}");
                assert_eq!(api.request_count(), 0, "{name}");
            }
            (result, _) => panic!("{name}: {result:?}"),
        }
    }
    let elsewhere =
        OperationsClient::builder("run.googleapis.com").universe_domain(other).environment([("", "")]);
    let error = elsewhere.credentials(Credentials::anonymous()).build().unwrap_err();
    let message =
        "endpoint `run.googleapis.com` is of the universe `googleapis.com` and the client of `example.goog`";
    assert_eq!(error.to_string(), message);
}

#[test]
fn refusals_say_what_the_credentials_are() {
    let (user, tokens) = {
        let tokens = token_server(["CANARY-access-1", "CANARY-access-2"]);
        let trusting = CredentialsPolicy::trusting_the_file();
        (Credentials::from_value_with(login(&tokens), &trusting).unwrap(), tokens)
    };
    let rows = [
        (
            "anonymous",
            Credentials::anonymous(),
            Some("the call was anonymous: the client has no credentials"),
        ),
        (
            "fixed",
            Credentials::bearer("CANARY-access-0").unwrap(),
            Some(
                "the bearer token is fixed: it cannot be renewed, and access tokens of Google live for an hour",
            ),
        ),
        (
            "API key",
            Credentials::api_key("CANARY-key-1").unwrap(),
            Some("the API key was refused: most methods want an access token"),
        ),
        ("renewed", user, None),
    ];
    for (name, credentials, note) in rows {
        let api = server();
        api.require_token("another");
        let error = build(&api, credentials, &[]).get(NAME).send().expect_err(name);
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Service, Some(401)), "{name}");
        let message = error.to_string();
        match note {
            Some(note) => assert!(message.ends_with(&format!("; {note}")), "{name}: {message}"),
            None => assert!(!message.contains(';'), "{name}: {message}"),
        }
        assert!(!format!("{error:#} {error:?}").contains("CANARY"), "{name}");
    }
    assert_eq!(tokens.request_count(), 2);
    let api = server();
    api.reply(Reply::status(403));
    let error = build(&api, Credentials::anonymous(), &[]).get(NAME).send().unwrap_err();
    assert!(!error.to_string().contains("anonymous"), "{error}");
    no_canary_was_logged();
}

#[test]
fn an_api_key_goes_in_a_header_of_its_own() {
    let api = server();
    let key = Credentials::api_key("CANARY-key-1").unwrap();
    build(&api, key, &[]).get(NAME).send().unwrap();
    let request = api.requests().remove(0);
    assert_eq!(request.header("x-goog-api-key"), Some("CANARY-key-1"));
    assert_eq!(request.header("authorization"), None);
    for bad in ["", "CANARY\n", "CANARY\r\nx: y"] {
        let error = Credentials::api_key(bad).unwrap_err();
        assert!(error.to_string().starts_with("the API key ") && !error.to_string().contains("CANARY"));
    }
    no_canary_was_logged();
}

#[test]
fn a_token_file_is_read_again() {
    let (api, folder) = (server(), Folder::new());
    let path = folder.file("token", "\u{feff}\n CANARY-access-1 \n");
    let client = build(&api, Credentials::token_file(&path), &[]);
    let call = |token: &str| {
        api.require_token(token);
        client.get(NAME).send().map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(call("CANARY-access-1"), Ok(()));
    folder.file("token", "CANARY-access-20");
    assert_eq!(call("CANARY-access-20"), Ok(()), "at once, before the old one is refused");
    assert_eq!(api.request_count(), 2);
    fs::rename(folder.file("other", "CANARY-access-21"), &path).unwrap();
    assert_eq!(call("CANARY-access-21"), Ok(()), "another file of the same length");
    assert_eq!(api.request_count(), 3);
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    folder.file("token", "CANARY-access-22");
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(call("CANARY-access-22"), Ok(()), "a change that nothing shows, when the old one is refused");
    assert_eq!(api.request_count(), 5);
    folder.file("token", "");
    assert_eq!(call("CANARY-access-22"), Ok(()), "half of a replacement");
    folder.file("token", "CANARY-access-3");
    assert_eq!(call("CANARY-access-3"), Ok(()), "and the other half, whatever the first one led to");
    assert_eq!(api.request_count(), 7);
    fs::remove_file(&path).unwrap();
    api.advance(Duration::from_secs(76));
    assert_eq!(call("CANARY-access-3"), Ok(()), "the last one stays in use");
    api.advance(Duration::from_secs(301));
    let rows = [
        (None, "does not exist"),
        (Some(String::new()), "is empty"),
        (Some("x".repeat((1 << 20) + 1)), "is larger than 1 MiB"),
        (Some("{\"access_token\": \"CANARY\"}".into()), "holds JSON, expected the token alone"),
        (Some("\"CANARY\"\n".into()), "holds a token in quotes, expected the token alone"),
        (Some("CANARY\nCANARY\n".into()), "has several lines, expected the token alone"),
        (Some("CANARY CANARY".into()), "the token holds a space, line break or other character at byte 6"),
    ];
    for (text, why) in rows {
        if let Some(text) = text {
            folder.file("token", &text);
        }
        let error = call("CANARY-access-3").unwrap_err();
        let expected = format!("no access token from token file `{path}`: {why}");
        assert!(error.contains(&expected) && !error.contains("CANARY"), "{error}");
        api.advance(Duration::from_secs(31));
    }
    no_canary_was_logged();
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt;
    listen();
    let folder = Folder::new();
    let path = folder.file("key.json", KEY_FILE);
    for mode in [0o600, 0o400, 0o640, 0o604, 0o660] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        Credentials::from_file(&path).unwrap();
    }
    let about = format!("file `{path}` is open to other users (mode ");
    let lines = heard(|line| line.text.starts_with(&about));
    let told: Vec<_> = lines.iter().map(|line| &line.text[about.len()..]).collect();
    assert_eq!(told, ["640", "604", "660"].map(|mode| format!("{mode}): `chmod 600` keeps it private")));
    no_canary_was_logged();
}

#[test]
fn a_failed_renewal_is_warned_about_while_the_old_token_is_used() {
    let api = server();
    let calls = AtomicU32::new(0);
    let provider = move |_: &TokenRequest<'_>| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Ok(AccessToken::new("a").expires_in(Duration::from_secs(3600))),
        _ => Err(TokenError::permanent("failed renewal")),
    };
    let client = build(&api, Credentials::provider(provider), &[]);
    let warnings = || {
        let lines = heard(|line| line.text.ends_with(": failed renewal; the old one stays in use"));
        lines.len()
    };
    // Fresh, stale and expired: then the call fails, and there is nothing more to say.
    for (seconds, succeeds, warned) in [(0, true, 0), (3590, true, 1), (60, false, 1)] {
        api.advance(Duration::from_secs(seconds));
        assert_eq!(client.get(NAME).send().is_ok(), succeeds, "after {seconds} s");
        assert_eq!(warnings(), warned, "after {seconds} s");
    }
}

#[test]
fn gclouds_own_client_without_a_quota_project_is_warned_about() {
    let client_id = "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com";
    let mut file = json!({"client_id": client_id, "client_secret": "s", "refresh_token": "r"});
    let warnings = || {
        let about = "gcloud's login without a quota project";
        heard(|line| line.text.contains(about)).len()
    };
    let build = |file: &Value, env: &[(&str, &str)], project: Option<&str>| {
        listen();
        let api = server();
        let client = builder(&api, AuthorizedUser::from_value(file.clone()).unwrap().into(), env);
        let client = if let Some(project) = project { client.quota_project(project) } else { client };
        client.build().unwrap();
    };
    build(&file, &[], None);
    assert_eq!(warnings(), 1);
    build(&file, &[("GOOGLE_CLOUD_QUOTA_PROJECT", "p")], None);
    build(&file, &[], Some("p"));
    file["quota_project_id"] = "p".into();
    build(&file, &[], None);
    assert_eq!(warnings(), 1);
}

/// A token endpoint that gives these tokens, one after the other.
fn token_server<const N: usize>(tokens: [&str; N]) -> FakeServer {
    let server = FakeServer::start();
    give_tokens(&server, tokens);
    server
}

fn give_tokens<const N: usize>(server: &FakeServer, tokens: [&str; N]) {
    for (at, token) in tokens.into_iter().enumerate() {
        let refresh_token = format!("CANARY-refresh-{}", at + 1);
        let answer = json!({"access_token": token, "expires_in": 3600, "refresh_token": refresh_token});
        server.reply(Reply::json(200, answer.to_string()));
    }
}

fn login(tokens: &FakeServer) -> Value {
    json!({
        "type": "authorized_user", "account": "me@example.com", "client_id": "id",
        "client_secret": "CANARY-secret-1", "refresh_token": "CANARY-refresh-0",
        "quota_project_id": "billing-of-the-file", "token_uri": format!("{}/token", tokens.url()),
    })
}

fn builder(api: &FakeServer, credentials: Credentials, env: &[(&str, &str)]) -> OperationsClientBuilder {
    listen();
    let env: Vec<(String, String)> =
        env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    api.client_builder().credentials(credentials).environment(env)
}

fn build(api: &FakeServer, credentials: Credentials, env: &[(&str, &str)]) -> OperationsClient {
    builder(api, credentials, env).build().unwrap()
}

/// The fields of a form; the values of these tests need no decoding but for what is left out here.
fn form(request: &RecordedRequest) -> std::collections::BTreeMap<String, String> {
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    let field =
        |field: &str| field.split_once('=').map(|(name, value)| (name.to_owned(), value.replace("%3A", ":")));
    body.split('&').filter_map(field).collect()
}

fn claims(jwt: &str) -> Value {
    use base64::Engine;
    let claims = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

fn no_canary_was_logged() {
    let leaks = heard(|line| line.text.contains("CANARY"));
    assert!(leaks.is_empty(), "{leaks:?}");
}
