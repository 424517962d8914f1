use serde_json::json;

use super::*;
use crate::error::ErrorKind;

#[test]
fn the_type_decides_within_the_policy() {
    let default = CredentialsPolicy::default;
    let trusting = CredentialsPolicy::trusting_the_file;
    let key: Value = serde_json::from_str(KEY_FILE).unwrap();
    let refused = "which the policy does not allow: expected";
    let all = "`service_account`, `authorized_user`, `impersonated_service_account`, \
               `external_account_authorized_user`, see `CredentialsPolicy`";
    let unknown = |found: &str| {
        Err(format!(
            "is of {found}: expected one of `service_account`, `authorized_user`, `external_account`, \
             `external_account_authorized_user`, `impersonated_service_account`"
        ))
    };
    let rows = [
        ("service account", key.clone(), default(), Ok(ROBOT)),
        ("user", user(&[]), default(), Ok("authorized user")),
        ("an allowed type", key.clone(), default().types(["service_account"]), Ok(ROBOT)),
        (
            "another than the allowed type",
            user(&[]),
            default().types(["service_account"]),
            Err(format!(
                "is of type `authorized_user`, {refused} `service_account`, see `CredentialsPolicy`"
            )),
        ),
        (
            "another than the allowed type, though the file is trusted",
            user(&[]),
            trusting().types(["service_account"]),
            Err(format!(
                "is of type `authorized_user`, {refused} `service_account`, see `CredentialsPolicy`"
            )),
        ),
        (
            "a type that sends away what it finds here",
            json!({"type": "external_account"}),
            default(),
            Err(format!("is of type `external_account`, {refused} {all}")),
        ),
        (
            "not supported",
            json!({"type": "gdch_service_account"}),
            trusting(),
            Err("is of type `gdch_service_account` (Google Distributed Cloud), which is not supported: \
                 give its tokens by a `TokenProvider` of your own"
                .into()),
        ),
        ("unknown", json!({"type": "magic_account"}), trusting(), unknown("type `magic_account`")),
        ("a secret as type", json!({"type": "userCANARY-1"}), trusting(), unknown("an unknown type")),
        ("a long type", json!({"type": "canary".repeat(7)}), trusting(), unknown("an unknown type")),
        ("a type of control characters", json!({"type": "\x1b"}), trusting(), unknown("an unknown type")),
        ("no type", json!({}), trusting(), Err("lacks `type`".into())),
        (
            "a type of another kind",
            json!({"type": 7}),
            trusting(),
            Err("has a number as `type`: expected a string".into()),
        ),
    ];
    for (name, file, policy, expected) in rows {
        let expected = expected.map_err(|why: String| format!("credentials JSON {why}"));
        for found in [
            Credentials::from_value_with(file.clone(), &policy),
            Credentials::from_json_with(&file.to_string(), &policy),
        ] {
            match (&found, &expected) {
                (Ok(found), Ok(label)) => {
                    assert_eq!(format!("{found:?}"), format!("Credentials({label})"), "{name}")
                }
                (Err(error), Err(message)) => {
                    assert_eq!((error.kind(), &error.to_string()), (ErrorKind::Config, message), "{name}");
                }
                _ => panic!("{name}: {found:?}"),
            }
        }
    }
}

#[test]
fn the_hosts_that_a_file_may_name_are_limited() {
    let default = CredentialsPolicy::default;
    let trusting = CredentialsPolicy::trusting_the_file;
    let refused = |host: &str| {
        Some(format!(
            "names the host `{host}` in `token_uri`, which the policy does not allow: \
             expected a host of `googleapis.com`, see `CredentialsPolicy`"
        ))
    };
    let insecure = |host: &str| {
        Some(format!(
            "cannot be used: `token_uri` at `{host}` is not https (plain http is accepted for loopback only)"
        ))
    };
    let rows = [
        ("Google's", default(), "https://oauth2.googleapis.com/token", None),
        ("Google's private ones", default(), "https://oauth2-x.p.googleapis.com/token", None),
        ("that of old files", default(), "https://accounts.google.com/o/oauth2/token", None),
        ("a look-alike", default(), "https://evilgoogleapis.com/", refused("evilgoogleapis.com")),
        (
            "a prefix",
            default(),
            "https://googleapis.com.evil.example/",
            refused("googleapis.com.evil.example"),
        ),
        ("this machine", default(), "http://127.0.0.1:9/", refused("127.0.0.1")),
        ("an allowed host", default().host("x.example"), "https://x.example/", None),
        ("one below it", default().host("x.example"), "https://a.x.example/", None),
        ("one beside it", default().host("x.example"), "https://y.example/", refused("y.example")),
        (
            "allowed, but not over http",
            default().host("x.example"),
            "http://x.example/",
            insecure("x.example"),
        ),
        ("this machine, allowed", default().host("127.0.0.1"), "http://127.0.0.1:9/", None),
        ("trusted", trusting(), "https://y.example/", None),
        ("trusted, on this machine", trusting(), "http://[::1]:9/", None),
        ("trusted, but not over http", trusting(), "http://y.example/", insecure("y.example")),
        (
            "no URL",
            trusting(),
            "y.example",
            Some("cannot be used: `token_uri` is not an absolute URL".into()),
        ),
    ];
    for (name, policy, url, expected) in rows {
        let message = Credentials::from_value_with(user(&[("token_uri", url)]), &policy)
            .err()
            .map(|error| error.to_string());
        assert_eq!(message, expected.map(|why| format!("credentials JSON {why}")), "{name}");
    }
}

fn user(more: &[(&str, &str)]) -> Value {
    let mut file =
        json!({"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"});
    for (name, value) in more {
        file[*name] = (*value).into();
    }
    file
}

const KEY_FILE: &str = include_str!("../../../tests/fixtures/keys/service_account.json");
const ROBOT: &str = "service account `robot@test-project.iam.gserviceaccount.com`";
