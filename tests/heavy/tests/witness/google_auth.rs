//! The token requests of google-auth for Python and of this crate, for the same files and the same servers.
//!
//! What differs stands here field by field, with the reason. Left out is what the HTTP libraries say about
//! themselves: `host`, `connection`, `accept-encoding`, `content-length`, `user-agent`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use longrunning::auth::{CredentialsPolicy, MetadataServer, ServiceAccount};
use longrunning::testing::{FakeServer, SubjectToken};
use longrunning::{Credentials, Operation};
use serde_json::{Value, json};

use crate::python::Python;
use crate::token_requests::{Fields, by_operation};

#[test]
fn token_requests_are_those_of_google_auth() {
    let Some(python) = Python::find() else { return };
    let server = FakeServer::builder().real_time().start().unwrap();
    server.require_issued_tokens();
    let cases = cases(&server);
    let mut environment = server.environment();
    environment.insert("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES".into(), "1".into());

    for Case { name, credentials, scopes, .. } in &cases {
        server.insert(Operation::running(format!("operations/{name}")));
        let builder = server.client_builder().environment(environment.clone());
        let client = builder.credentials(credentials.clone()).scopes(scopes.iter().copied()).build().unwrap();
        let got = client.get(format!("operations/{name}")).send();
        got.unwrap_or_else(|error| panic!("{name}: {error:#}"));
    }
    let ours = by_operation(&server.take_requests());

    let orders: Vec<_> = cases.iter().map(|case| &case.order).collect();
    let order = json!({ "server": server.url(), "environment": environment, "cases": orders });
    let results: Vec<Value> = python.run("google_auth_witness.py", &order);
    for (case, result) in cases.iter().zip(&results) {
        assert_eq!(result, &json!({ "status": 200 }), "{}", case.name);
    }
    let theirs = by_operation(&server.take_requests());

    let mut unknown = Vec::new();
    let mut seen = vec![false; DIFFERENCES.len()];
    for Case { name, .. } in &cases {
        for difference in differences(&theirs[*name], &ours[*name]) {
            match DIFFERENCES.iter().position(|known| known.covers(name, &difference)) {
                Some(known) => seen[known] = true,
                None => unknown.push(format!("{name}: {difference:?}")),
            }
        }
    }
    assert!(unknown.is_empty(), "not the same, and not known:\n{}", unknown.join("\n"));
    let gone: Vec<_> =
        DIFFERENCES.iter().zip(seen).filter(|(_, seen)| !seen).map(|(known, _)| known).collect();
    assert!(gone.is_empty(), "the same by now: {gone:#?}");
}

/// What is not the same: in which cases and where, what google-auth sends and what this crate does, and why.
///
/// Meant are the cases that begin so, the fields that end so, and what google-auth sends that begins so; `-` is
/// nothing at all.
#[derive(Debug)]
struct Known {
    case: &'static str,
    field: &'static str,
    theirs: &'static str,
    ours: &'static str,
    #[expect(dead_code, reason = "read by people, here and in a message that prints all of it")]
    reason: &'static str,
}

impl Known {
    fn covers(&self, case: &str, (field, theirs, ours): &(String, String, String)) -> bool {
        case.starts_with(self.case)
            && field.ends_with(self.field)
            && theirs.starts_with(self.theirs)
            && ours == self.ours
    }
}

const DIFFERENCES: &[Known] = &[
    Known {
        case: "",
        field: "header accept",
        theirs: "*/*",
        ours: "application/json",
        reason: "that is what is wanted",
    },
    Known {
        case: "",
        field: "header x-goog-api-client",
        theirs: "gl-python/",
        ours: "-",
        reason: "statistics of Google about its own libraries",
    },
    Known {
        case: "exchange",
        field: "POST /token form assertion claim aud",
        theirs: "\"https://oauth2.googleapis.com/token\"",
        ours: "\"http://HOST/token\"",
        reason: "an assertion made out to Google is not for whoever runs another endpoint",
    },
    Known {
        case: "file-workforce",
        field: "POST /v1/token form options",
        theirs: "%7B%22userProject%22%3A%20%22project%22%7D",
        ours: "{\"userProject\":\"project\"}",
        reason: "it is encoded twice there, and once in Google's libraries for Go and Rust",
    },
    Known {
        case: "aws",
        field: "POST /v1/token form subject_token Authorization",
        theirs: "AWS4-HMAC-SHA256 Credential=ASIAFAKEACCESSKEY/TODAY/us-east-2/sts/aws4_request, \
                 SignedHeaders=host;x-amz-date;x-amz-security-token",
        ours: "AWS4-HMAC-SHA256 Credential=ASIAFAKEACCESSKEY/TODAY/us-east-2/sts/aws4_request, \
               SignedHeaders=host;x-amz-date;x-amz-security-token;x-goog-cloud-target-resource",
        reason: "signed, the request is good for this target only, as Google recommends",
    },
    Known {
        case: "impersonated-",
        field: ":generateAccessToken JSON delegates",
        theirs: "null",
        ours: "-",
        reason: "there are none",
    },
    Known {
        case: "impersonated-account",
        field: "POST /token",
        theirs: "sent",
        ours: "-",
        reason: "a JWT that the account signs itself is a token already (AIP-4111)",
    },
    Known {
        case: "impersonated-account",
        field: ":generateAccessToken header authorization",
        theirs: "Bearer CANARY-access-token-",
        ours: "JWT",
        reason: "as above",
    },
    Known {
        case: "metadata",
        field: "GET /computeMetadata/v1/instance/service-accounts/default/?recursive=true",
        theirs: "sent",
        ours: "-",
        reason: "it looks for the e-mail address of the account, which no token needs",
    },
];

/// Fields that only one of both sends, and those with different values; not the parts of what is different.
fn differences(theirs: &Fields, ours: &Fields) -> Vec<(String, String, String)> {
    let value = |fields: &Fields, name: &str| fields.get(name).map_or("-", String::as_str).to_owned();
    let names: BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
    let mut found: Vec<(String, String, String)> = Vec::new();
    for name in names {
        let (theirs, ours) = (value(theirs, name), value(ours, name));
        let is_part =
            |(whole, ..): &(String, _, _)| name.strip_prefix(whole).is_some_and(|rest| rest.starts_with(' '));
        if theirs != ours && !found.iter().any(is_part) {
            found.push((name.clone(), theirs, ours));
        }
    }
    found
}

/// The same credentials for both.
struct Case {
    name: &'static str,
    credentials: Credentials,
    scopes: &'static [&'static str],
    /// For the script.
    order: Value,
}

impl Case {
    fn new(name: &'static str, credentials: impl Into<Credentials>, file: &str) -> Self {
        let file: Value = serde_json::from_str(file).unwrap();
        let order = json!({ "name": name, "file": file, "scopes": SCOPES });
        Self { name, credentials: credentials.into(), scopes: SCOPES, order }
    }

    fn of(name: &'static str, file: &str) -> Self {
        Self::new(name, load(file), file)
    }

    fn with(mut self, option: &str, value: impl Into<Value>) -> Self {
        self.order[option] = value.into();
        self
    }

    fn without_scopes(self) -> Self {
        Self { scopes: &[], ..self.with("scopes", Value::Null) }
    }
}

fn cases(server: &FakeServer) -> Vec<Case> {
    let auth = server.auth();
    let account =
        auth.service_account_file(include_str!("../../../fixtures/keys/rsa2048.pkcs8.pem")).unwrap();
    let signing = || ServiceAccount::from_json(&account).unwrap();
    let exchanging = || signing().exchange_token().token_uri(format!("{}/token", server.url()));
    let user = auth.authorized_user_file();
    let of = |source| auth.external_account_file(source);
    let token = file("subject-token", &auth.subject_token());
    let workload = of(SubjectToken::File(&token));
    let mut cases = vec![
        Case::of("self-signed", &account).with("self_signed", true),
        Case::new(
            "self-signed-audience",
            signing().audience("https://longrunning.googleapis.com/"),
            &account,
        )
        .without_scopes()
        .with("default_host", "longrunning.googleapis.com"),
        Case::new("exchange", exchanging(), &account),
        Case::new("exchange-subject", exchanging().subject("someone@example.com"), &account)
            .with("subject", "someone@example.com"),
        Case::of("user", &user).without_scopes(),
        Case::of("user-scopes", &user),
        Case::of("workforce-user", &auth.external_account_authorized_user_file()),
        Case::of("file", &workload),
        Case::of("file-json", &changed(&workload, &json_source(&auth.subject_token()))),
        Case::of(
            "file-workforce",
            &changed(
                &workload,
                &json!({
                    "audience": "//iam.googleapis.com/locations/global/workforcePools/fake-pool/providers/fake-provider",
                    "workforce_pool_user_project": "project",
                }),
            ),
        ),
        Case::of("file-client", &changed(&workload, &client(&user))),
        Case::of("url", &of(SubjectToken::Url)),
        Case::of("aws", &of(SubjectToken::Aws)),
        Case::of("impersonated-user", &auth.impersonated_file(&user)),
        Case::of("impersonated-account", &auth.impersonated_file(&account)),
        Case::of("impersonated-file", &auth.impersonated_file(&workload)),
        Case::new("metadata", MetadataServer::new(), "null"),
    ];
    if cfg!(unix) {
        let command = format!("/bin/cat '{}'", printed(&auth.subject_token()).display());
        cases.push(Case::of("executable", &of(SubjectToken::Executable(&command))));
    }
    cases
}

fn load(file: &str) -> Credentials {
    Credentials::from_json_with(file, &CredentialsPolicy::trusting_the_file().host("127.0.0.1")).unwrap()
}

/// A file with other fields.
fn changed(file: &str, fields: &Value) -> String {
    let mut file: Value = serde_json::from_str(file).unwrap();
    for (name, value) in fields.as_object().unwrap() {
        file[name] = value.clone();
    }
    file.to_string()
}

/// The OAuth client that a file names.
fn client(file: &str) -> Value {
    let file: Value = serde_json::from_str(file).unwrap();
    json!({ "client_id": file["client_id"], "client_secret": file["client_secret"] })
}

fn json_source(token: &str) -> Value {
    let path = file("subject-token.json", &json!({ "value": token }).to_string());
    json!({ "credential_source": {
        "file": path,
        "format": { "type": "json", "subject_token_field_name": "value" },
    }})
}

/// What an executable has to print.
fn printed(token: &str) -> PathBuf {
    let output = json!({
        "version": 1,
        "success": true,
        "token_type": "urn:ietf:params:oauth:token-type:id_token",
        "id_token": token,
        "expiration_time": 4_102_444_800_u64,
    });
    file("printed.json", &output.to_string())
}

fn file(name: &str, text: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("google-auth");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

const SCOPES: &[&str] = &["https://www.googleapis.com/auth/a", "https://www.googleapis.com/auth/b"];
