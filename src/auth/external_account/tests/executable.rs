use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::{AUDIENCE, Folder, external, with};
use crate::auth::TokenRequest;
use crate::auth::scripted::{STS_RESPONSE, ScriptedClient, environment, load, local_url, now};
use crate::http::Unplugged;

#[test]
fn the_program_is_told_all_that_the_protocol_says() {
    let names =
        ["AUDIENCE", "TOKEN_TYPE", "ID", "INTERACTIVE", "REVOKE", "IMPERSONATED_EMAIL", "OUTPUT_FILE"];
    let shown: String =
        names.iter().map(|name| format!("${{GOOGLE_EXTERNAL_ACCOUNT_{name}-unset}};")).collect();
    let folder = Folder::new();
    let command = folder.command("tell", &success(&format!("$1;{shown}")));
    let kept = folder.path().join("kept").to_str().unwrap().to_owned();
    let jwt = "urn:ietf:params:oauth:token-type:jwt";
    let rows = [
        ("plain", false, false, format!("a b;{AUDIENCE};{jwt};;0;0;unset;unset;")),
        ("impersonating", true, false, format!("a b;{AUDIENCE};{jwt};a@b;0;0;a@b;unset;")),
        ("output file", false, true, format!("a b;{AUDIENCE};{jwt};;0;0;unset;{kept};")),
    ];
    for (name, impersonating, keeping, expected) in rows {
        let generated = r#"{"accessToken":"t","expireTime":"2027-01-15T09:00:00Z"}"#;
        let server = ScriptedClient::responses([(200, STS_RESPONSE), (200, generated)]);
        let mut executable = json!({"command": format!("{command} 'a b'")});
        if keeping {
            executable["output_file"] = kept.clone().into();
        }
        let mut file = external(json!({ "executable": executable }));
        if impersonating {
            let url = local_url("/v1/projects/-/serviceAccounts/a@b:generateAccessToken");
            file["service_account_impersonation_url"] = url.into();
        }
        server.token_in(&[ALLOWED], &load(&file).expect(name), &[]).expect(name);
        assert_eq!(server.take()[0].field("subject_token").as_deref(), Some(expected.as_str()), "{name}");
    }
}

#[test]
fn what_the_program_says_is_taken_at_its_word() {
    let saml = r#"{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:saml2","saml_response":"CANARY-2"}"#;
    let id_token = success("CANARY-1").replace(":jwt", ":id_token");
    let dated = |time: &str| {
        success("CANARY-1").replace("\"version\"", &format!("\"expiration_time\":{time},\"version\""))
    };
    let out = "the output of the executable";
    let types = "expected `urn:ietf:params:oauth:token-type:` with `jwt`, `id_token` or `saml2`";
    let rows: [(&str, String, Result<&str, String>); 18] = [
        ("jwt", success("CANARY-1"), Ok("CANARY-1")),
        ("id_token", id_token, Ok("CANARY-1")),
        ("saml", saml.into(), Ok("CANARY-2")),
        ("not yet expired", dated("1800000001"), Ok("CANARY-1")),
        ("expired", dated("1800000000"), Err("the token of the executable has expired".into())),
        (
            "failure",
            r#"{"version":1,"success":false,"code":"401","message":"Caller not authorized."}"#.into(),
            Err("the executable has no token: 401: Caller not authorized.".into()),
        ),
        (
            "failure with a number",
            r#"{"version":1,"success":false,"code":401,"message":"no"}"#.into(),
            Err("the executable has no token: 401: no".into()),
        ),
        (
            "failure without a word",
            r#"{"version":1,"success":false}"#.into(),
            Err("the executable has no token: no code: no message".into()),
        ),
        ("nothing", String::new(), Err("the executable printed nothing".into())),
        ("no json", "CANARY-3".into(), Err(format!("{out} cannot be read: line 1, column 1"))),
        ("no version", r#"{"success":true}"#.into(), Err(format!("{out} lacks `version`"))),
        (
            "another version",
            success("CANARY-1").replace("\"version\":1", "\"version\":2"),
            Err(format!("{out} is of another `version` than 1")),
        ),
        ("no success", r#"{"version":1}"#.into(), Err(format!("{out} lacks `success`"))),
        ("no type", r#"{"version":1,"success":true}"#.into(), Err(format!("{out} lacks `token_type`"))),
        (
            "another type",
            success("CANARY-1").replace(":jwt", ":CANARY"),
            Err(format!("{out} has a `token_type` that is not known: {types}")),
        ),
        ("no token", success(""), Err(format!("{out} lacks `id_token`"))),
        ("no saml", saml.replace("CANARY-2", ""), Err(format!("{out} lacks `saml_response`"))),
        ("a list", "[\"CANARY-4\"]".into(), Err(format!("{out} cannot be read: line 1, column 12"))),
    ];
    let folder = Folder::new();
    for (name, output, expected) in rows {
        let server = ScriptedClient::responses([(200, STS_RESPONSE)]);
        let executable = json!({"command": folder.command("say", &output)});
        let credentials = load(&external(json!({ "executable": executable }))).expect(name);
        match (server.token_in(&[ALLOWED], &credentials, &[]), expected) {
            (Ok(_), Ok(expected)) => {
                assert_eq!(server.take()[0].field("subject_token").as_deref(), Some(expected), "{name}");
            }
            (Err(error), Err(expected)) => {
                assert_eq!(error.to_string(), expected, "{name}");
                assert!(!error.is_transient() && !format!("{error:#?}").contains("CANARY"), "{name}");
            }
            (result, _) => panic!("{name}: {result:?}"),
        }
    }
}

#[test]
fn a_program_that_fails_is_named_with_how_it_ended() {
    let folder = Folder::new();
    let fails = folder.script("fails", "echo CANARY-5; echo CANARY-6 >&2; exit 3");
    let explains = folder.script(
        "explains",
        r#"echo '{"version":1,"success":false,"code":"403","message":"not today"}'; exit 1"#,
    );
    let claims = folder.script("claims", &format!("cat <<END\n{}\nEND\nexit 1", success("CANARY-7")));
    let floods = folder.script("floods", "while :; do echo CANARY-8; done");
    let rows = [
        ("a status", fails, "executable `/bin/sh` ended with exit status: 3: run it by hand to see why"),
        ("a status and a reason", explains, "the executable has no token: 403: not today"),
        (
            "a status and a token",
            claims,
            "executable `/bin/sh` ended with exit status: 1: run it by hand to see why",
        ),
        ("too much", floods, "executable `/bin/sh` was killed: it wrote more than 1 MiB"),
        ("missing", "/nowhere/tool CANARY-9".into(), "executable `/nowhere/tool` cannot be run"),
    ];
    for (name, command, expected) in rows {
        let server = ScriptedClient::responses([(200, STS_RESPONSE)]);
        let file = external(json!({"executable": {"command": command}}));
        let error = server.token_in(&[ALLOWED], &load(&file).expect(name), &[]).expect_err(name);
        assert_eq!((error.to_string().as_str(), error.is_transient()), (expected, false), "{name}");
        assert!(!format!("{error:#?}").contains("CANARY"), "{name}");
        assert!(server.take().is_empty(), "{name}");
    }
}

#[test]
fn a_program_is_killed_when_the_attempt_has_no_time_left() {
    let source = json!({"executable": {"command": "/bin/sh -c 'exec sleep 600'", "timeout_millis": 5000}});
    let credentials = load(&with("credential_source", source)).unwrap();
    let provider = credentials.resolve(&environment(&[ALLOWED])).unwrap().token_provider().unwrap();
    let request = TokenRequest::new(Duration::ZERO, &Unplugged);
    let error = provider.token(&request).unwrap_err();
    assert_eq!(
        error.to_string(),
        "executable `/bin/sh` was killed after 0.0 s, which is what the attempt had left"
    );
    assert!(error.is_transient());
}

#[test]
fn the_output_file_is_used_while_it_is_known_to_be_good() {
    let dated = |time: u64| {
        success("kept").replace("\"version\"", &format!("\"expiration_time\":{time},\"version\""))
    };
    let failure = r#"{"version":1,"success":false,"code":"1","message":"m","expiration_time":1800000001}"#;
    let rows = [
        ("good", Some(dated(1_800_000_001)), "kept"),
        ("expired", Some(dated(1_800_000_000)), "fresh"),
        ("undated", Some(success("kept")), "fresh"),
        ("a failure", Some(failure.into()), "fresh"),
        ("half written", Some("{\"version\":1,".into()), "fresh"),
        ("missing", None, "fresh"),
    ];
    let folder = Folder::new();
    let path = folder.path().join("output.json");
    for (name, content, expected) in rows {
        match content {
            Some(content) => fs::write(&path, content).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let server = ScriptedClient::responses([(200, STS_RESPONSE)]);
        let executable = json!({"command": folder.command("say", &success("fresh")), "output_file": path});
        let file = external(json!({ "executable": executable }));
        server.token_in(&[ALLOWED], &load(&file).expect(name), &[]).expect(name);
        assert_eq!(server.take()[0].field("subject_token").as_deref(), Some(expected), "{name}");
    }
    let server = ScriptedClient::responses([(200, STS_RESPONSE)]);
    let writes = folder.script("writes", "cp \"$1\" \"$GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE\"");
    let command = format!("{writes} '{}'", folder.file("new.json", &success("written")));
    let file = external(json!({"executable": {"command": command, "output_file": path}}));
    server.token_in(&[ALLOWED], &load(&file).unwrap(), &[]).unwrap();
    assert_eq!(server.take()[0].field("subject_token").as_deref(), Some("written"));
}

#[test]
fn nothing_runs_unless_it_is_allowed_by_exactly_one() {
    let folder = Folder::new();
    let witness = folder.path().join("ran");
    let command = folder.script("runs", &format!("touch '{}'", witness.display()));
    let credentials = load(&with("credential_source", json!({"executable": {"command": command}}))).unwrap();
    let name = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";
    for env in [&[][..], &[(name, "")], &[(name, "true")], &[(name, "01")], &[(name, "1 ")], &[(name, "2")]] {
        let error = credentials.resolve(&environment(env)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("external account (executable) runs `/bin/sh`, which has to be allowed by `{name}=1`")
        );
    }
    assert!(!witness.exists());
    let provider = credentials.resolve(&environment(&[ALLOWED])).unwrap().token_provider().unwrap();
    let request = TokenRequest { now: now(), ..TokenRequest::new(MINUTE, &Unplugged) };
    assert!(provider.token(&request).is_err());
    assert!(witness.exists(), "the script does leave its mark");
}

#[test]
fn commands_and_times_are_checked_when_the_file_is_read() {
    let origin = "`executable` of `credential_source` of credentials JSON";
    let rows = [
        ("no command", json!({"timeout_millis": 5000}), Err("lacks `command`")),
        (
            "an open quote",
            json!({"command": "a 'CANARY"}),
            Err("has a `command` that has a quote that is never closed"),
        ),
        (
            "too short",
            json!({"command": "a", "timeout_millis": 4999}),
            Err("has 4999 as `timeout_millis`: expected 5000 to 120000 milliseconds"),
        ),
        ("shortest", json!({"command": "a", "timeout_millis": 5000}), Ok(())),
        ("longest", json!({"command": "a", "timeout_millis": 120_000}), Ok(())),
        (
            "too long",
            json!({"command": "a", "timeout_millis": 120_001}),
            Err("has 120001 as `timeout_millis`: expected 5000 to 120000 milliseconds"),
        ),
        (
            "a text",
            json!({"command": "a", "timeout_millis": "5000"}),
            Err("has a string as `timeout_millis`: expected a whole number"),
        ),
    ];
    for (name, executable, expected) in rows {
        let file: Value = with("credential_source", json!({ "executable": executable }));
        let result = load(&file).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(result, expected.map_err(|why| format!("{origin} {why}")), "{name}");
    }
}

impl Folder {
    /// A command that runs this shell script.
    fn script(&self, name: &str, text: &str) -> String {
        format!("/bin/sh '{}'", self.file(name, text))
    }

    /// A command that prints `output`, in which the shell puts in its
    /// variables.
    fn command(&self, name: &str, output: &str) -> String {
        self.script(name, &format!("cat <<END\n{output}\nEND\n"))
    }
}

fn success(token: &str) -> String {
    format!(
        r#"{{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:jwt","id_token":"{token}"}}"#
    )
}

const MINUTE: Duration = Duration::from_secs(60);
const ALLOWED: (&str, &str) = ("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1");
