//! The tokens that a service account signs for itself, verified by PyJWT with keys that OpenSSL made.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use longrunning::Operation;
use longrunning::auth::ServiceAccount;
use longrunning::testing::FakeServer;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::python::{Python, say};

#[test]
fn tokens_verify_with_keys_of_both_sizes_and_encodings() {
    let Some(python) = Python::find() else { return };
    let (mut tokens, mut expected) = (Vec::new(), Vec::new());
    for bits in [2048, 4096] {
        let keys = Keys::make(&python, bits);
        for private in [&keys.pkcs1, &keys.pkcs8] {
            let scoped = Sent::by(account(private).scopes(["scope/a", "scope/b"]));
            tokens.push(json!({ "token": scoped.token, "key": keys.public, "audience": null }));
            expected.push(scoped.means("scope", "scope/a scope/b"));

            let for_service = Sent::by(account(private).audience(AUDIENCE));
            tokens.push(json!({ "token": for_service.token, "key": keys.public, "audience": AUDIENCE }));
            expected.push(for_service.means("aud", AUDIENCE));
        }
    }
    let verified: Vec<Value> = python.run("verify_tokens.py", &tokens.into());
    assert_eq!(verified, expected);
}

#[test]
fn tampered_tokens_do_not_verify() {
    let Some(python) = Python::find() else { return };
    let (keys, other) = (Keys::make(&python, 2048), Keys::make(&python, 2048));
    let Sent { token, .. } = Sent::by(account(&keys.pkcs8));
    let parts: Vec<_> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("{token}") };
    let forged_claims = replace(claims, "robot@", "admin@");
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let forged_signature = format!("{first}{}", &signature[1..]);
    let unsigned = replace(header, "RS256", "none");
    let rows = [
        (token.clone(), &keys, None),
        (token.clone(), &other, Some("InvalidSignatureError")),
        (format!("{header}.{forged_claims}.{signature}"), &keys, Some("InvalidSignatureError")),
        (format!("{header}.{claims}.{forged_signature}"), &keys, Some("InvalidSignatureError")),
        (format!("{unsigned}.{claims}."), &keys, Some("InvalidAlgorithmError")),
    ];
    let tokens =
        rows.iter().map(|(token, keys, _)| json!({ "token": token, "key": keys.public, "audience": null }));
    let verified: Vec<Value> = python.run("verify_tokens.py", &tokens.collect());
    let errors: Vec<_> = verified.iter().map(|result| result["error"].as_str()).collect();
    assert_eq!(errors, rows.map(|(_, _, error)| error));
}

fn account(private_key: &str) -> ServiceAccount {
    let file = json!({
        "type": "service_account",
        "client_email": EMAIL,
        "private_key": private_key,
        "private_key_id": "key-7",
        "token_uri": "https://oauth2.googleapis.com/token",
    });
    ServiceAccount::from_value(file).unwrap()
}

const EMAIL: &str = "robot@p.iam.gserviceaccount.com";
const AUDIENCE: &str = "https://longrunning.googleapis.com/";

/// A token that came with a call.
struct Sent {
    token: String,
    at: u64,
}

impl Sent {
    fn by(account: ServiceAccount) -> Self {
        let server = FakeServer::start();
        server.insert(Operation::running("operations/42"));
        let client = server.client_builder().credentials(account).build().unwrap();
        client.get("operations/42").send().unwrap();
        let requests = server.requests();
        let token = requests[0].header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let at = server.wall().duration_since(UNIX_EPOCH).unwrap().as_secs();
        Self { token: token.expect("a bearer token").to_owned(), at }
    }

    /// All that the token should say; `claim` is the one that tells what it is good for.
    fn means(&self, claim: &str, value: &str) -> Value {
        let issued = self.at - 10;
        json!({
            "header": { "alg": "RS256", "typ": "JWT", "kid": "key-7" },
            "claims": { "iss": EMAIL, "sub": EMAIL, "iat": issued, "exp": issued + 3600, claim: value },
        })
    }
}

fn replace(part: &str, from: &str, to: &str) -> String {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    assert!(text.contains(from), "{text}");
    URL_SAFE_NO_PAD.encode(text.replace(from, to))
}

/// One RSA key in PEM.
#[derive(Deserialize)]
struct Keys {
    pkcs1: String,
    pkcs8: String,
    public: String,
}

impl Keys {
    fn make(python: &Python, bits: u32) -> Self {
        let keys = Self::by_openssl(bits).unwrap_or_else(|error| {
            say(&format!("NOT TESTED with keys of the `openssl` command, but of pyca/cryptography: {error}"));
            python.run("make_keys.py", &json!({ "bits": bits }))
        });
        assert!(keys.pkcs1.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
        assert!(keys.pkcs8.starts_with("-----BEGIN PRIVATE KEY-----"));
        keys
    }

    fn by_openssl(bits: u32) -> io::Result<Self> {
        let key = openssl(&["genrsa", &bits.to_string()], "")?;
        // LibreSSL does not know the option, and does not need it.
        let pkcs1 = openssl(&["rsa", "-traditional"], &key).or_else(|_| openssl(&["rsa"], &key))?;
        let pkcs8 = openssl(&["pkcs8", "-topk8", "-nocrypt"], &key)?;
        Ok(Self { pkcs1, pkcs8, public: openssl(&["pkey", "-pubout"], &key)? })
    }
}

fn openssl(arguments: &[&str], input: &str) -> io::Result<String> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // A program that reads nothing may have closed the pipe.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output()?;
    match String::from_utf8(output.stdout) {
        Ok(text) if output.status.success() => Ok(text),
        _ => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}
