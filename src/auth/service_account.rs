//! Service-account keys: a JWT that the account signs itself is the access token.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::auth::jwt::{self, Access, Claims, Rs256};
use crate::auth::key_file::KeyFile;
use crate::auth::{AccessToken, CredentialsPolicy, TokenError, TokenProvider, TokenRequest};
use crate::error::Error;

/// A service account and its private key: signs its own access tokens, without network I/O ([AIP-4111]).
///
/// The key file is the one that `gcloud iam service-accounts keys create` writes. Only `client_email` and
/// `private_key` have to be in it; empty fields count as missing. The key may be PKCS#8 or PKCS#1 PEM and
/// is parsed once; its text is wiped then, and only the parsed key inside the crypto library stays.
///
/// A token is good for what [`scopes`](Self::scopes) or [`audience`](Self::audience) say, else for the
/// scopes of the client, else for `https://www.googleapis.com/auth/cloud-platform`. It lives for an hour and
/// is dated 10 seconds back, because servers refuse tokens from the future.
///
/// ```
/// use longrunning::auth::{Credentials, ServiceAccount};
///
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
/// let account = ServiceAccount::from_file(path)?;
/// assert_eq!(account.client_email(), "robot@test-project.iam.gserviceaccount.com");
/// let credentials = Credentials::from(account);
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// [AIP-4111]: https://google.aip.dev/auth/4111
#[derive(Clone)]
pub struct ServiceAccount {
    identity: Arc<Identity>,
    target: Target,
}

struct Identity {
    client_email: String,
    private_key_id: Option<String>,
    project_id: Option<String>,
    quota_project_id: Option<String>,
    universe_domain: Option<String>,
    key: Rs256,
}

/// What the tokens are good for.
#[derive(Clone)]
enum Target {
    /// The scopes of the client, or the default one.
    Client,
    Scopes(String),
    Audience(String),
}

impl ServiceAccount {
    /// Reads a key file of at most 1 MiB; symbolic links are followed.
    ///
    /// On Unix a file that other users can open is reported by a warning in the log.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the file cannot be read, is not a regular file,
    /// or is refused by [`from_json`](Self::from_json).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        KeyFile::read(path.as_ref(), &CredentialsPolicy::default()).and_then(Self::from_key_file)
    }

    /// Reads the text of a key file, for keys that come out of a vault or a variable.
    ///
    /// ```
    /// use longrunning::auth::ServiceAccount;
    ///
    /// let error = ServiceAccount::from_json(r#"{"type": "authorized_user"}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "credentials JSON is of type `authorized_user`: expected `service_account`");
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the text is not a JSON object, says it is of
    /// another type, lacks a field (all missing ones are named), or when its key is not RSA.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        KeyFile::parse(json.as_bytes(), &CredentialsPolicy::default()).and_then(Self::from_key_file)
    }

    /// Reads a key file that is parsed already.
    ///
    /// # Errors
    ///
    /// As [`from_json`](Self::from_json).
    pub fn from_value(value: Value) -> Result<Self, Error> {
        KeyFile::from_value(value, &CredentialsPolicy::default()).and_then(Self::from_key_file)
    }

    pub(super) fn from_key_file(mut file: KeyFile) -> Result<Self, Error> {
        file.expect_type("service_account")?;
        let [client_email, private_key] = file.require(["client_email", "private_key"])?;
        let key = Rs256::from_pem(&private_key)
            .map_err(|why| file.error(format_args!("cannot be used: `private_key` {why}")))?;
        let identity = Identity {
            client_email: client_email.to_string(),
            private_key_id: file.text("private_key_id")?,
            project_id: file.text("project_id")?,
            quota_project_id: file.text("quota_project_id")?,
            universe_domain: file.text("universe_domain")?,
            key,
        };
        Ok(Self { identity: Arc::new(identity), target: Target::Client })
    }

    /// Asks for these OAuth scopes, in place of an audience and of what the client asks for.
    ///
    /// Without any, the account goes back to the scopes of the client.
    #[must_use]
    pub fn scopes<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes = join(scopes);
        self.target = if scopes.is_empty() { Target::Client } else { Target::Scopes(scopes) };
        self
    }

    /// Signs tokens for one service, `https://HOST/` with the slash at the end, in place of scopes.
    ///
    /// An empty audience goes back to the scopes of the client.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        let audience = audience.into();
        self.target = if audience.is_empty() { Target::Client } else { Target::Audience(audience) };
        self
    }

    /// The account's name, an e-mail address.
    pub fn client_email(&self) -> &str {
        &self.identity.client_email
    }

    /// Which of the account's keys this is; not a secret.
    pub fn private_key_id(&self) -> Option<&str> {
        self.identity.private_key_id.as_deref()
    }

    /// The project that the account belongs to.
    pub fn project_id(&self) -> Option<&str> {
        self.identity.project_id.as_deref()
    }

    /// The project that quota is taken from when the client names none.
    pub fn quota_project_id(&self) -> Option<&str> {
        self.identity.quota_project_id.as_deref()
    }

    /// The cloud that the account belongs to: `googleapis.com` when the file says nothing.
    pub fn universe_domain(&self) -> &str {
        self.identity.universe_domain.as_deref().unwrap_or("googleapis.com")
    }
}

/// Signs a new token at every call; a client calls it about once an hour.
impl TokenProvider for ServiceAccount {
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        let client_scopes;
        let access = match &self.target {
            Target::Scopes(scopes) => Access::Scope(scopes),
            Target::Audience(audience) => Access::Aud(audience),
            Target::Client => {
                client_scopes = scope_of(request.scopes);
                Access::Scope(&client_scopes)
            }
        };
        let now = request.now.duration_since(SystemTime::UNIX_EPOCH).map_err(|error| {
            TokenError::transient("the clock of this machine is set before 1970").with_source(error)
        })?;
        let iat = now.saturating_sub(BACKDATED).as_secs();
        let exp = iat + LIFETIME.as_secs();
        let email = self.client_email();
        let claims = Claims { iss: email, sub: email, iat, exp, access };
        let jwt = jwt::encode(&claims, self.private_key_id(), &self.identity.key)
            .map_err(|error| TokenError::permanent("its private key cannot sign").with_source(error))?;
        Ok(AccessToken::from_secret(jwt).expires_at(SystemTime::UNIX_EPOCH + Duration::from_secs(exp)))
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("client_email", &self.client_email())
            .field("private_key_id", &self.private_key_id())
            .finish_non_exhaustive()
    }
}

/// The scopes that a client asks for, or the default one, as a form or a claim takes them.
pub(super) fn scope_of(scopes: &[String]) -> String {
    let joined = join(scopes);
    if joined.is_empty() { CLOUD_PLATFORM.to_owned() } else { joined }
}

fn join<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> String {
    let mut joined = String::new();
    for scope in scopes {
        let gap = if joined.is_empty() || scope.as_ref().is_empty() { "" } else { " " };
        joined.push_str(gap);
        joined.push_str(scope.as_ref());
    }
    joined
}

const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
const BACKDATED: Duration = Duration::from_secs(10);
const LIFETIME: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::error::ErrorKind;
    use crate::http::Unplugged;

    #[test]
    fn the_account_then_the_client_then_the_default_decides_what_a_token_is_good_for() {
        let account = || ServiceAccount::from_json(KEY_FILE).unwrap();
        let client = ["c1".to_owned(), "c2".to_owned()];
        let rows: [(&str, ServiceAccount, &[String], &str, &str); 8] = [
            ("default", account(), &[], "scope", CLOUD_PLATFORM),
            ("client", account(), &client, "scope", "c1 c2"),
            ("account", account().scopes(["a1", "a2"]), &client, "scope", "a1 a2"),
            ("audience", account().audience("https://x/"), &client, "aud", "https://x/"),
            ("the last one of both", account().audience("https://x/").scopes(["a1"]), &[], "scope", "a1"),
            (
                "the last one of both",
                account().scopes(["a1"]).audience("https://x/"),
                &[],
                "aud",
                "https://x/",
            ),
            ("no scopes", account().audience("https://x/").scopes([""; 2]), &client, "scope", "c1 c2"),
            ("no audience", account().scopes(["a1"]).audience(""), &[], "scope", CLOUD_PLATFORM),
        ];
        for (name, account, scopes, claim, expected) in rows {
            let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_999);
            let request = TokenRequest { scopes, now, ..TokenRequest::new(Duration::ZERO, &Unplugged) };
            let token = account.token(&request).expect(name);
            let claims = token.text().split('.').nth(1).expect(name);
            let claims: Value =
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect(name)).expect(name);
            let email = "robot@test-project.iam.gserviceaccount.com";
            let mut all = json!({"iss": email, "sub": email, "iat": 1_799_999_990, "exp": 1_800_003_590});
            all[claim] = expected.into();
            assert_eq!(claims, all, "{name}");
            assert_eq!(
                token.lifetime(now),
                Duration::from_millis(3_589_001),
                "{name}: by the claim, not by the call"
            );
        }
    }

    #[test]
    fn a_clock_before_1970_is_an_error() {
        let now = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        let request = TokenRequest { now, ..TokenRequest::new(Duration::ZERO, &Unplugged) };
        let error = ServiceAccount::from_json(KEY_FILE).unwrap().token(&request).unwrap_err();
        assert_eq!(error.to_string(), "the clock of this machine is set before 1970");
        assert!(error.is_transient());
    }

    #[test]
    fn fields_are_read_and_empty_ones_are_missing() {
        let account = ServiceAccount::from_json(KEY_FILE).unwrap();
        assert_eq!(account.private_key_id(), Some("test-only-key-1"));
        assert_eq!(account.project_id(), Some("test-project"));
        assert_eq!((account.universe_domain(), account.quota_project_id()), ("googleapis.com", None));

        let mut file = key_file();
        file["private_key_id"] = "".into();
        file["project_id"] = Value::Null;
        file["universe_domain"] = "example.goog".into();
        file["quota_project_id"] = "billing".into();
        file.as_object_mut().unwrap().remove("type");
        let account = ServiceAccount::from_value(file).unwrap();
        assert_eq!((account.private_key_id(), account.project_id()), (None, None));
        assert_eq!(
            (account.universe_domain(), account.quota_project_id()),
            ("example.goog", Some("billing"))
        );
    }

    #[test]
    fn what_is_wrong_with_a_file_is_named_without_showing_it() {
        let with = |name: &str, value: Value| {
            let mut file = key_file();
            file[name] = value;
            file.to_string()
        };
        let rows = [
            ("empty", String::new(), "cannot be parsed as JSON: line 1, column 0"),
            (
                "not JSON",
                "{\n \"private_key\": \"CANARY-1\",,}".into(),
                "cannot be parsed as JSON: line 2, column 28",
            ),
            ("a string", "\"CANARY-2\"".into(), "is a string: expected a JSON object"),
            ("a list", "[\"CANARY-3\"]".into(), "is an array: expected a JSON object"),
            ("no fields", "{}".into(), "lacks `client_email` and `private_key`"),
            ("no e-mail", with("client_email", Value::Null), "lacks `client_email`"),
            ("an empty key", with("private_key", "".into()), "lacks `private_key`"),
            ("a number", with("client_email", 7.into()), "has a number as `client_email`: expected a string"),
            (
                "a nested key",
                with("private_key", json!({"pem": "CANARY-4"})),
                "has an object as `private_key`: expected a string",
            ),
            (
                "another type",
                with("type", "authorized_user".into()),
                "is of type `authorized_user`: expected `service_account`",
            ),
            (
                "garbage for a key",
                with("private_key", "CANARY-5".into()),
                "cannot be used: `private_key` holds no unencrypted private key in PEM: \
                 expected `-----BEGIN PRIVATE KEY-----` and real line breaks",
            ),
            (
                "an EC key",
                with("private_key", include_str!("../../tests/fixtures/keys/ec.pkcs8.pem").into()),
                "cannot be used: `private_key` is not an RSA key: \
                 expected RSA of 2048 to 4096 bits, as PKCS#8 or PKCS#1",
            ),
        ];
        for (name, json, expected) in rows {
            let error = ServiceAccount::from_json(&json).expect_err(name);
            assert_eq!(
                (error.kind(), error.to_string()),
                (ErrorKind::Config, format!("credentials JSON {expected}"))
            );
            assert!(!format!("{error:#} {error:?}").contains("CANARY"), "{name}: {error:?}");
        }
    }

    fn key_file() -> Value {
        serde_json::from_str(KEY_FILE).unwrap()
    }

    const KEY_FILE: &str = include_str!("../../tests/fixtures/keys/service_account.json");
}
