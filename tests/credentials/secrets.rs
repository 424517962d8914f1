//! Holes 1 to 3: secrets in logs, in `Debug`, in error texts. All secrets here are called CANARY, and every JWT
//! starts with `eyJ`; none of either is ever printed.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::fmt::Debug;
use std::sync::{Mutex, Once};

use log::{Level, LevelFilter, Log, Metadata, Record};
use longrunning::Error;
use longrunning::auth::MetadataServer;
use longrunning::testing::{FakeServer, Reply, SubjectToken};
use serde_json::{Value, json};

use crate::kit::{Folder, KEY, NAME, client, exchanging, files, load, server};

#[test]
fn holes_1_to_3_no_secret_is_logged_or_printed() {
    let listener = listen();
    let mut printed = Vec::new();
    let mut print = |value: &dyn Debug| printed.push(format!("{value:?} {value:#?}"));
    let folder = Folder::new();
    for reply in faults() {
        let server = server();
        let auth = server.auth();
        let files =
            files(&server, &folder).into_iter().flat_map(|(_, file)| [auth.impersonated_file(&file), file]);
        let mut all: Vec<_> = files.map(|file| load(&with_rapt(&file))).collect();
        all.extend([exchanging(&server).into(), MetadataServer::new().into()]);
        for credentials in all {
            print(&credentials);
            let client = client(&server, credentials);
            print(&client);
            // Each step of the way fails once.
            for step in 0..6 {
                server.clear_replies();
                server.reply(Reply::usual().times(step));
                // The name of a role is no secret, and part of a path.
                let is_role = |target: &str| target.ends_with("/security-credentials");
                let reply = reply.clone().times(usize::MAX);
                server.reply_when(move |request| !is_role(request.target()), reply);
                if let Err(error) = client.get(NAME).send() {
                    print(&error);
                    print(&texts(&error));
                }
                server.advance(std::time::Duration::from_secs(3600));
            }
            server.clear_replies();
            client.get(NAME).send().unwrap();
            print(&client);
            print(&server);
            print(&server.take_requests());
        }
    }
    let leaks = listener.leaks.lock().unwrap();
    let leak = printed.iter().chain(leaks.iter()).find(|text| is_leak(text));
    assert_eq!(leak.map(|text| excerpt(text)), None);
    assert!(!printed.iter().any(|text| text.contains("QUERY-10")), "only the host is told");
    let heard = listener.heard.lock().unwrap();
    assert!(heard.contains("longrunning") && heard.contains("ureq"), "{heard:?}");
    assert!(printed.len() > 500, "{}", printed.len());
}

/// Answers that repeat what they were sent, that are of another shape, and that are cut.
fn faults() -> [Reply; 7] {
    let secret = r#"{"id_token": "CANARY-1", "refresh_token": {"CANARY-2": 3}, "accessToken": ["CANARY-4"]}"#;
    [
        Reply::json(200, secret),
        Reply::json(200, format!("{secret},")),
        Reply::json(200, r#"{"access_token": "CANARY-5", "accessToken": "CANARY-6", "expires_in": 36"#),
        Reply::json(200, "CANARY-7 is not JSON"),
        Reply::json(400, r#"{"error": "invalid_grant", "error_uri": "https://x/?assertion=eyJCANARY-8"}"#),
        Reply::json(403, r#"{"error": {"status": "PERMISSION_DENIED", "details": [{"token": "CANARY-9"}]}}"#),
        // ureq logs where a response leads to.
        Reply::redirect("http://x.example/path?QUERY-10"),
    ]
}

/// A user's login may come with the proof of an earlier one.
fn with_rapt(file: &str) -> String {
    let mut file: Value = serde_json::from_str(file).unwrap();
    if file["type"] == "authorized_user" {
        file["rapt_token"] = "CANARY-rapt".into();
    }
    file.to_string()
}

#[test]
fn hole_3_a_source_of_another_shape_is_not_quoted() {
    let folder = Folder::new();
    let server = server();
    let file = server.auth().external_account_file(SubjectToken::File(folder.file("token", "").as_ref()));
    let rows = [
        ("no such field", r#"{"token": "CANARY-1"}"#),
        ("not a text", r#"{"value": {"CANARY-2": 1}}"#),
        ("not JSON", "CANARY-3"),
        ("cut", r#"{"value": "CANARY-4"#),
    ];
    let mut file: Value = serde_json::from_str(&file).unwrap();
    file["credential_source"]["format"] = json!({"type": "json", "subject_token_field_name": "value"});
    for (name, text) in rows {
        folder.file("token", text);
        let error = client(&server, load(&file.to_string())).get(NAME).send().unwrap_err();
        let printed = format!("{error:?} {error:#}");
        assert!(!is_leak(&printed), "{name}: {printed}");
    }
    assert_eq!(server.request_count(), 0);
}

#[test]
fn the_net_has_no_holes() {
    let jwt = "eyJhbGciOiJSUzI1NiJ9";
    for text in ["a CANARY-token-1 b", jwt, KEY.lines().nth(3).unwrap()] {
        assert!(is_leak(text), "{text}");
    }
    let server = FakeServer::start();
    let request = server.auth().authorized_user_file();
    assert!(is_leak(&request));
}

/// Remembers who logged, and every line with a secret in it.
struct Listener {
    heard: Mutex<BTreeSet<String>>,
    leaks: Mutex<Vec<String>>,
}

impl Log for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if (record.level(), record.target()) == WIRE_DUMP {
            return;
        }
        let line = format!("{} {}: {}", record.level(), record.target(), record.args());
        let crate_name = record.target().split("::").next().unwrap_or_default();
        self.heard.lock().unwrap().insert(crate_name.to_owned());
        if is_leak(&line) {
            self.leaks.lock().unwrap().push(line);
        }
    }

    fn flush(&self) {}
}

/// ureq shows all bytes of the wire at this level, as its documentation says and that of this crate repeats.
const WIRE_DUMP: (Level, &str) = (Level::Trace, "ureq_proto::util");

static LISTENER: Listener = Listener { heard: Mutex::new(BTreeSet::new()), leaks: Mutex::new(Vec::new()) };

/// Everything that any test of this binary logs from now on is heard.
fn listen() -> &'static Listener {
    static START: Once = Once::new();
    START.call_once(|| {
        log::set_logger(&LISTENER).unwrap();
        log::set_max_level(LevelFilter::Trace);
    });
    &LISTENER
}

fn is_leak(text: &str) -> bool {
    let mut key = KEY.lines().filter(|line| line.len() == 64);
    text.contains("CANARY") || text.contains("eyJ") || key.any(|line| text.contains(line))
}

/// What stands around a secret.
fn excerpt(text: &str) -> String {
    let at = ["CANARY", "eyJ"].into_iter().find_map(|word| text.find(word)).unwrap_or_default();
    String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(300)..text.len().min(at + 100)]).into_owned()
}

/// An error and its causes, as they are shown to people.
fn texts(error: &Error) -> Vec<String> {
    let mut texts = vec![error.to_string(), format!("{error:#}")];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts
}
