use serde_json::{Value, json};

use super::{AUDIENCE, external, with};
use crate::auth::scripted::{STS_RESPONSE, ScriptedClient, environment, load, local_url};
use crate::auth::{Credentials, CredentialsPolicy};
use crate::util::percent::decode_form;

/// The signatures are those of `sigv4`, computed there by other means.
#[test]
fn keys_and_region_of_the_environment_win_and_nothing_is_fetched() {
    let server = ScriptedClient::responses([(200, STS_RESPONSE)]);
    let credentials = load(&external(source())).unwrap();
    server.token_in(&ENVIRONMENT, &credentials, &[]).unwrap();
    let [exchange] = &server.take()[..] else { panic!("one request") };
    let token = exchange.field("subject_token").unwrap();
    assert!(!token.contains(['{', '"', ':', '/', ' ']), "percent-encoded: {token}");
    let signed: Value = serde_json::from_str(&decode_form(&token)).unwrap();
    let header = |key: &str, value: &str| json!({"key": key, "value": value});
    assert_eq!(
        signed,
        json!({
            "url": "https://sts.us-east-2.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
            "method": "POST",
            "headers": [
                header("host", "sts.us-east-2.amazonaws.com"),
                header("x-amz-date", "20270115T080000Z"),
                header("x-amz-security-token", "CANARY-session-3"),
                header("x-goog-cloud-target-resource", AUDIENCE),
                header(
                    "Authorization",
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20270115/us-east-2/sts/aws4_request, \
                     SignedHeaders=host;x-amz-date;x-amz-security-token;x-goog-cloud-target-resource, \
                     Signature=e19096493a1d79de170e26eaf47df5cfa69a675d3004df972c4a8f64ad3d7a51"
                ),
            ],
        })
    );
}

#[test]
fn the_metadata_server_is_asked_for_what_the_environment_lacks() {
    let zone = (200, "us-east-2b");
    let role = (200, "my role\n");
    let keys = (
        200,
        r#"{"Code":"Success","AccessKeyId":"AKIDEXAMPLE",
            "SecretAccessKey":"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY","Token":"CANARY-session-3"}"#,
    );
    let (session, sts) = ((200, "CANARY-imds-4"), (200, STS_RESPONSE));
    let (put, get_zone) = ("PUT /latest/api/token", "GET /latest/meta-data/placement/availability-zone");
    let get_role = "GET /latest/meta-data/iam/security-credentials";
    let get_keys = "GET /latest/meta-data/iam/security-credentials/my%20role";
    let exchange = "POST /v1/token";
    type Row<'a> = (&'a str, bool, &'a [(&'a str, &'a str)], Vec<(u16, &'a str)>, &'a [&'a str]);
    let rows: [Row<'_>; 4] = [
        ("version 1", false, &[], vec![zone, role, keys, sts], &[get_zone, get_role, get_keys, exchange]),
        (
            "version 2",
            true,
            &[],
            vec![session, zone, role, keys, sts],
            &[put, get_zone, get_role, get_keys, exchange],
        ),
        (
            "region of the environment",
            true,
            &[("AWS_DEFAULT_REGION", "us-east-2"), ("AWS_ACCESS_KEY_ID", "without its secret")],
            vec![session, role, keys, sts],
            &[put, get_role, get_keys, exchange],
        ),
        (
            "keys of the environment",
            true,
            &ENVIRONMENT[2..],
            vec![session, zone, sts],
            &[put, get_zone, exchange],
        ),
    ];
    for (name, version_2, env, answers, expected) in rows {
        let server = ScriptedClient::responses(answers);
        let mut source = source();
        if version_2 {
            source["imdsv2_session_token_url"] = local_url("/latest/api/token").into();
        }
        server.token_in(env, &load(&external(source)).expect(name), &[]).expect(name);
        let received = server.take();
        let lines: Vec<_> = received.iter().map(|each| each.line.replace("http://127.0.0.1", "")).collect();
        assert_eq!(lines, expected, "{name}");
        for request in &received {
            let session = request.headers.get("x-aws-ec2-metadata-token").map(String::as_str);
            let lifetime = request.headers.get("x-aws-ec2-metadata-token-ttl-seconds").map(String::as_str);
            let (wanted_session, wanted_lifetime) = match request.line.split(' ').next().unwrap() {
                "PUT" => (None, Some("300")),
                "GET" => (version_2.then_some("CANARY-imds-4"), None),
                _ => (None, None),
            };
            assert_eq!((session, lifetime), (wanted_session, wanted_lifetime), "{name}");
        }
        let token = decode_form(&received.last().unwrap().field("subject_token").unwrap());
        assert!(
            token.contains("e19096493a1d79de170e26eaf47df5cfa69a675d3004df972c4a8f64ad3d7a51"),
            "{name}: {token}"
        );
    }
}

#[test]
fn a_metadata_server_that_fails_is_named_without_what_it_said() {
    let (zone, role) = ((200, "us-east-2b"), (200, "role"));
    let rows = [
        ("no zone", vec![(404, "CANARY-5")], "127.0.0.1 responded with 404", false),
        ("busy", vec![(503, "CANARY-6")], "127.0.0.1 responded with 503", true),
        ("an empty zone", vec![(200, "")], "the AWS metadata server gave no availability zone", false),
        ("no role", vec![zone, (200, " ")], "the AWS metadata server gave no role", false),
        (
            "no keys",
            vec![zone, role, (200, r#"{"AccessKeyId":"CANARY-7"}"#)],
            "the AWS metadata server gave no security credentials for its role",
            false,
        ),
        (
            "a region that leads elsewhere",
            vec![(200, "evil.example/x"), role, (200, r#"{"AccessKeyId":"a","SecretAccessKey":"CANARY-8"}"#)],
            "the AWS region has a name that cannot be one",
            false,
        ),
    ];
    for (name, answers, message, transient) in rows {
        let server = ScriptedClient::responses(answers);
        let error = server.token_in(&[], &load(&external(source())).expect(name), &[]).expect_err(name);
        assert_eq!((error.to_string().as_str(), error.is_transient()), (message, transient), "{name}");
        assert!(!format!("{error:#?}").contains("CANARY"), "{name}");
    }
}

#[test]
fn what_is_missing_in_the_environment_is_named() {
    let verification = "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15";
    let bare = json!({"environment_id": "aws1", "regional_cred_verification_url": verification});
    let credentials = load(&with("credential_source", bare)).unwrap();
    let rows = [
        ("no region", &ENVIRONMENT[2..5], "has no `region_url`, and `AWS_REGION` is not set"),
        (
            "no keys",
            &ENVIRONMENT[..3],
            "has no `url`, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` are not both set, \
             and no `AWS_CONTAINER_CREDENTIALS_…_URI` is",
        ),
    ];
    for (name, env, expected) in rows {
        let error = credentials.resolve(&environment(env)).expect_err(name);
        assert_eq!(error.to_string(), format!("external account (aws) {expected}"), "{name}");
    }
}

#[test]
fn only_the_metadata_server_of_aws_is_asked_for_its_secrets() {
    let hosts = [
        ("version 4", "http://169.254.169.254/x", true),
        ("version 6", "http://[fd00:ec2::254]/x", true),
        ("version 6 in full", "http://[fd00:0ec2:0:0:0:0:0:254]/x", true),
        ("this machine", "http://127.0.0.1:8080/x", false),
        ("another link-local server", "http://169.254.169.253/x", false),
        ("a name", "https://metadata.example.com/x", false),
        ("a name that starts like it", "http://169.254.169.254.example.com/x", false),
        ("a user", "http://169.254.169.254@example.com/x", false),
    ];
    for (name, url, allowed) in hosts {
        for field in ["url", "region_url", "imdsv2_session_token_url"] {
            let mut source =
                json!({"environment_id": "aws1", "regional_cred_verification_url": "https://sts.aws"});
            source[field] = url.into();
            let policy = CredentialsPolicy::trusting_the_file();
            let result = Credentials::from_value_with(with("credential_source", source), &policy);
            assert_eq!(result.is_ok(), allowed, "{name}: {field}: {result:?}");
            if let Err(error) = result {
                assert!(error.to_string().contains(&format!("`{field}`")), "{name}: {error}");
            }
        }
    }
}

#[test]
fn other_versions_and_odd_urls_are_refused() {
    let with_id = |id: &str, url: &str| {
        let source = json!({"environment_id": id, "regional_cred_verification_url": url});
        load(&with("credential_source", source)).map(|_| ()).map_err(|error| error.to_string())
    };
    let good = "https://sts.{region}.amazonaws.com";
    let origin = "`credential_source` of credentials JSON";
    assert_eq!(with_id("aws1", good), Ok(()));
    for id in ["aws2", "aws", "aws10", "azure1"] {
        let expected = format!("{origin} has `{id}` as `environment_id`: expected `aws1`");
        assert_eq!(with_id(id, good), Err(expected));
    }
    for url in ["http://sts.{region}.amazonaws.com", "https://me@sts.aws", "sts.aws"] {
        let expected = format!("{origin} has a `regional_cred_verification_url` that is no plain https URL");
        assert_eq!(with_id("aws1", url), Err(expected));
    }
    assert_eq!(with_id("aws1", ""), Err(format!("{origin} lacks `regional_cred_verification_url`")));
}

fn source() -> Value {
    json!({
        "environment_id": "aws1",
        "region_url": local_url("/latest/meta-data/placement/availability-zone"),
        "url": local_url("/latest/meta-data/iam/security-credentials"),
        "regional_cred_verification_url":
            "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
    })
}

const ENVIRONMENT: [(&str, &str); 5] = [
    ("AWS_REGION", "us-east-2"),
    ("AWS_DEFAULT_REGION", "eu-west-1"),
    ("AWS_SESSION_TOKEN", "CANARY-session-3"),
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
];
