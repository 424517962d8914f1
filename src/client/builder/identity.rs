//! Options that say who sends: credentials, and the names of the program.
//!
//! Credentials are resolved by `build`: only there the environment is known.

use crate::auth::Credentials;
use crate::error::Error;
use crate::util::excerpt::shown;

use super::OperationsClientBuilder;

/// Options of the identity.
impl OperationsClientBuilder {
    /// Sets the credentials. Default: [`Credentials::application_default`].
    ///
    /// They can be a [`ServiceAccount`](crate::auth::ServiceAccount), a fixed
    /// token, a provider of your own, or [`Credentials::anonymous`].
    ///
    /// ```
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// let client = OperationsClient::builder("https://run.googleapis.com")
    ///     .credentials(Credentials::bearer("ya29.secret")?)
    ///     .build()?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn credentials(self, credentials: impl Into<Credentials>) -> Self {
        self.set_service("credentials", |service| service.credentials = Some(credentials.into()))
    }

    /// Sets the scopes of access tokens. Default: those of the credentials,
    /// `cloud-platform`.
    ///
    /// ```
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// let client = OperationsClient::builder("https://run.googleapis.com")
    ///     .scopes(["https://www.googleapis.com/auth/cloud-platform.read-only"])
    ///     .credentials(Credentials::application_default());
    /// ```
    pub fn scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        // Replaces the scopes: adding to those of the credentials would request
        // more than the program says.
        self.set_service("scopes", |service| service.scopes = scopes.into_iter().map(Into::into).collect())
    }

    /// Sets the universe domain. Default: `GOOGLE_CLOUD_UNIVERSE_DOMAIN`, else
    /// `googleapis.com`.
    ///
    /// `build` rejects credentials and endpoints of another one, so that no
    /// token is sent there.
    pub fn universe_domain(self, domain: impl Into<String>) -> Self {
        self.set_service("universe_domain", |service| service.universe_domain = Some(domain.into()))
    }

    /// Adds a product such as `tool/1.0` to the `user-agent` header, before the
    /// product of this crate.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// let client = server.client_builder().user_agent("tool/1.0").build()?;
    /// client.list("projects/p").send()?;
    /// assert!(server.requests()[0].header("user-agent").unwrap().starts_with("tool/1.0 "));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn user_agent(self, product: &str) -> Self {
        // Checked first: an invalid product is not stored.
        self.check_product("user agent", product)
            .set_service("user_agent", |service| service.user_agent = Some(product.to_owned()))
    }

    /// Adds tokens such as `gccl/1.2.0` to the `x-goog-api-client` header.
    ///
    /// Google counts clients and their versions by this header.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// let client = server.client_builder().client_info("gccl/1.2.0").build()?;
    /// client.list("projects/p").send()?;
    /// assert!(server.requests()[0].header("x-goog-api-client").unwrap().ends_with(" gccl/1.2.0"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn client_info(self, tokens: &str) -> Self {
        self.check_product("client info", tokens)
            .set_service("client_info", |service| service.client_info = Some(tokens.to_owned()))
    }

    /// Checks the name of a product for a header, and keeps the error if it is
    /// invalid. `what` names the option in the message.
    fn check_product(self, what: &str, product: &str) -> Self {
        // It becomes a part of a header of every request, so it must not end
        // that.
        let plain = |byte: u8| (b' '..=b'~').contains(&byte);
        let valid = !product.trim().is_empty() && product.bytes().all(plain);
        let shown = shown(product);
        self.check(valid.then_some(()).ok_or_else(|| {
            Error::config(format!("{what} `{shown}` is not printable ASCII such as `name/1.0`"))
        }))
    }
}
