//! The access tokens that a [`FakeServer`] issues and requires.

use std::collections::BTreeMap;

use super::FakeServer;
use crate::testing::auth::FakeAuth;
use crate::testing::guard::TokenGuard;
use crate::util::sync::lock;

/// Its checks of access tokens.
impl FakeServer {
    /// Responds with 401 to requests without this access token. A second call
    /// replaces the token, which revokes the first.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Code, Credentials, Operation};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.require_token("secret");
    /// let client = server.client_builder().credentials(Credentials::bearer("secret")?).build()?;
    /// assert!(client.get("operations/42").send().is_ok());
    /// assert_eq!(server.client().get("operations/42").send().unwrap_err().code(), Some(Code::Unauthenticated));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn require_token(&self, token: impl Into<String>) {
        let token = token.into();
        self.check_tokens(move |given| given == token);
    }

    /// Responds with 401 to requests without an access token that `check`
    /// accepts. The closure must not call the server.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Credentials, Operation};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.check_tokens(|token| token.starts_with("ya29."));
    /// let client = server.client_builder().credentials(Credentials::bearer("ya29.secret")?).build()?;
    /// assert!(client.get("operations/42").send().is_ok());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn check_tokens(&self, check: impl Fn(&str) -> bool + Send + 'static) {
        *lock(&self.backend.guard) = TokenGuard::Checks(Box::new(check));
    }

    /// Responds with 401 to requests without an access token that this server
    /// [has issued](FakeAuth).
    ///
    /// It also accepts a JWT that one of its trusted keys has signed. Neither
    /// may have expired by its clock.
    pub fn require_issued_tokens(&self) {
        *lock(&self.backend.guard) = TokenGuard::Issued;
    }

    /// Returns the settings of the token endpoints: what they issue and which
    /// keys they trust.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// assert_eq!(server.auth().issued(), 0);
    /// ```
    pub fn auth(&self) -> FakeAuth<'_> {
        FakeAuth::new(&self.backend.tokens, self.address())
    }

    /// Returns environment variables that direct Application Default
    /// Credentials to this server's metadata server.
    ///
    /// They are for the [`environment`](crate::OperationsClientBuilder::environment)
    /// of a client, where [`client_builder`](Self::client_builder) sets
    /// them, and for that of a [`Command`](std::process::Command::envs).
    /// `GOOGLE_APPLICATION_CREDENTIALS` can be added.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Credentials, Operation};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.require_issued_tokens();
    /// let client = server.client_builder().credentials(Credentials::application_default()).build()?;
    /// client.get("operations/42").send()?;
    /// assert!(server.requests()[0].path().starts_with("/computeMetadata/v1/"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn environment(&self) -> BTreeMap<String, String> {
        let address = self.address().to_string();
        // A directory that does not exist: a gcloud login of the developer must
        // not be found.
        let nowhere = std::env::temp_dir().join(format!("no-gcloud-{}", self.address().port()));
        let variables = [
            ("CLOUDSDK_CONFIG", nowhere.to_string_lossy().into_owned()),
            ("GCE_METADATA_HOST", address.clone()),
            ("GCE_METADATA_IP", address.clone()),
            ("GCE_METADATA_ROOT", address),
            ("GOOGLE_APPLICATION_CREDENTIALS", String::new()),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Accepts all requests again, with or without a token. This is the
    /// default.
    pub fn allow_anonymous(&self) {
        *lock(&self.backend.guard) = TokenGuard::default();
    }
}
