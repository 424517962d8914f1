//! Credentials files whose URLs are those of the fake server.
//!
//! The files are texts: a test writes them where its program looks for them, or
//! passes them to a constructor of [`Credentials`](crate::Credentials).

use std::path::Path;

use serde_json::{Value, json};

use super::fake_auth::FakeAuth;
use super::identities::{
    AUDIENCE, CLIENT_ID, CLIENT_SECRET, EMAIL, PROJECT, REQUEST_TOKEN, SUBJECT_TOKEN, WORKFORCE_AUDIENCE,
};
use super::jwt::PublicKey;
use super::sts::{AWS_REQUEST, CERTIFICATE_CHAIN};
use crate::error::Error;

/// The source of the token that an external account exchanges.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub enum SubjectToken<'a> {
    /// A signed request of AWS, with keys and region of this server.
    ///
    /// Google's rules allow no metadata server but that of AWS: allow this one
    /// with
    /// [`CredentialsPolicy::host`](crate::auth::CredentialsPolicy::host).
    Aws,
    /// The client certificate that this `certificate_config.json` names.
    ///
    /// This server speaks plain http, so only the subject token contains the
    /// certificate. For mutual TLS, put a TLS proxy in front of the server and
    /// name it as `token_url`.
    Certificate(&'a Path),
    /// The output of this command, JSON
    /// ([AIP-4117](https://google.aip.dev/auth/4117)) with
    /// [`FakeAuth::subject_token`] as `id_token`.
    Executable(&'a str),
    /// The content of this file, [`FakeAuth::subject_token`].
    File(&'a Path),
    /// The response to `GET /subject-token` of this server.
    Url,
}

/// The credentials files: JSON texts whose URLs are those of the server.
///
/// Load them under [`CredentialsPolicy::trusting_the_file`], or name them in
/// `GOOGLE_APPLICATION_CREDENTIALS`.
///
/// [`CredentialsPolicy::trusting_the_file`]: crate::auth::CredentialsPolicy::trusting_the_file
impl FakeAuth<'_> {
    /// Returns a file of type `service_account` with this private RSA key in
    /// PEM. The server then trusts its public key.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Credentials, Operation};
    ///
    /// # let key = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/rsa2048.pkcs8.pem"));
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.require_issued_tokens();
    /// let credentials = Credentials::from_json(&server.auth().service_account_file(key)?)?;
    /// let client = server.client_builder().credentials(credentials).build()?;
    /// client.get("operations/42").send()?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the text contains no
    /// RSA key of 2048 to 4096 bits.
    pub fn service_account_file(self, private_pem: &str) -> Result<String, Error> {
        let key = PublicKey::of_private(private_pem)?;
        self.set(|state| state.issuer.trust(key));
        let file = json!({
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "fake-key-1",
            "private_key": private_pem,
            "client_email": EMAIL,
            "client_id": "1",
            "token_uri": self.url("token"),
            "universe_domain": "googleapis.com",
        });
        Ok(file.to_string())
    }

    /// Returns a file of type `authorized_user`, with a refresh token that is
    /// valid now.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::auth::CredentialsPolicy;
    /// use longrunning::{Credentials, Operation};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.require_issued_tokens();
    /// let file = server.auth().authorized_user_file();
    /// let credentials = Credentials::from_json_with(&file, &CredentialsPolicy::trusting_the_file())?;
    /// let client = server.client_builder().credentials(credentials).build()?;
    /// client.get("operations/42").send()?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn authorized_user_file(self) -> String {
        let file = json!({
            "type": "authorized_user",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": self.log_in(),
            "token_uri": self.url("token"),
        });
        file.to_string()
    }

    /// Returns a file of type `external_account_authorized_user`, with a
    /// refresh token that is valid now.
    pub fn external_account_authorized_user_file(self) -> String {
        let file = json!({
            "type": "external_account_authorized_user",
            "audience": WORKFORCE_AUDIENCE,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": self.log_in(),
            "token_url": self.url("v1/oauthtoken"),
            "token_info_url": self.url("v1/introspect"),
        });
        file.to_string()
    }

    /// Returns a file of type `external_account`, for workload identity
    /// federation.
    ///
    /// ```
    /// use longrunning::auth::CredentialsPolicy;
    /// use longrunning::testing::{FakeServer, SubjectToken};
    /// use longrunning::{Credentials, Operation};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.require_issued_tokens();
    /// let file = server.auth().external_account_file(SubjectToken::Url);
    /// let credentials = Credentials::from_json_with(&file, &CredentialsPolicy::trusting_the_file())?;
    /// let client = server.client_builder().credentials(credentials).build()?;
    /// client.get("operations/42").send()?;
    /// assert_eq!(server.requests()[0].path(), "/subject-token");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn external_account_file(self, subject_token: SubjectToken<'_>) -> String {
        let kind = match subject_token {
            SubjectToken::Aws => AWS_REQUEST,
            SubjectToken::Certificate(_) => CERTIFICATE_CHAIN,
            _ => "urn:ietf:params:oauth:token-type:id_token",
        };
        let file = json!({
            "type": "external_account",
            "audience": AUDIENCE,
            "subject_token_type": kind,
            "token_url": self.url("v1/token"),
            "credential_source": self.source(subject_token),
        });
        file.to_string()
    }

    /// Returns a file that impersonates a service account, made from one of the
    /// others.
    ///
    /// An external account keeps its type and names the service account; the
    /// others become the source of a file of type
    /// `impersonated_service_account`. A text that is not a JSON object is
    /// returned unchanged.
    pub fn impersonated_file(self, file: &str) -> String {
        let Ok(Value::Object(mut source)) = serde_json::from_str(file) else { return file.to_owned() };
        let url = self.url(&format!("v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken"));
        // The same member in both kinds of files.
        const URL: &str = "service_account_impersonation_url";
        if source.get("type").is_some_and(|kind| kind == "external_account") {
            source.insert(URL.to_owned(), url.into());
            return Value::Object(source).to_string();
        }
        json!({ "type": "impersonated_service_account", URL: url, "source_credentials": source }).to_string()
    }

    /// Returns the token of the other identity provider, as in a file or as
    /// `id_token`.
    pub fn subject_token(self) -> String {
        SUBJECT_TOKEN.to_owned()
    }

    /// Returns the `credential_source` that leads to a subject token.
    fn source(self, subject_token: SubjectToken<'_>) -> Value {
        match subject_token {
            SubjectToken::Aws => json!({
                "environment_id": "aws1",
                "region_url": self.url("latest/meta-data/placement/availability-zone"),
                "url": self.url("latest/meta-data/iam/security-credentials"),
                "regional_cred_verification_url":
                    "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
                "imdsv2_session_token_url": self.url("latest/api/token"),
            }),
            SubjectToken::Certificate(config) => {
                json!({ "certificate": { "certificate_config_location": config.to_string_lossy() } })
            }
            SubjectToken::Executable(command) => {
                json!({ "executable": { "command": command, "timeout_millis": 30_000 } })
            }
            SubjectToken::File(path) => json!({ "file": path.to_string_lossy() }),
            SubjectToken::Url => json!({
                "url": self.url("subject-token"),
                "headers": { "Authorization": format!("Bearer {REQUEST_TOKEN}") },
                "format": { "type": "json", "subject_token_field_name": "value" },
            }),
        }
    }

    /// Makes refresh tokens valid again if they were revoked, and returns the
    /// current one.
    fn log_in(self) -> String {
        let login = &mut self.state().login;
        login.is_revoked = false;
        login.refresh_token()
    }
}
