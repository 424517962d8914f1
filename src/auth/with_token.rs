//! Credentials with a fixed token in place of the one that they would fetch.

use std::sync::Arc;

use crate::auth::{Credentials, CredentialsInner, CredentialsSource, provider};
use crate::error::Error;
use crate::util::secret::Secret;

impl Credentials {
    /// Returns credentials with this `token`, and everything else from these
    /// credentials.
    ///
    /// It is for dry runs and recordings. Building a client still reads files
    /// and the environment, and calls have the quota project that is found
    /// there, but no token is fetched. An API key is replaced too.
    /// [`anonymous`](Self::anonymous) credentials stay anonymous.
    ///
    /// ```
    /// use longrunning::Credentials;
    ///
    /// let pretended = Credentials::application_default().with_token("not-a-token")?;
    /// assert_eq!(format!("{pretended:?}"), "Credentials(application default credentials)");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the token is empty or
    /// contains anything but visible ASCII characters, which no header can
    /// contain.
    pub fn with_token(&self, token: impl Into<String>) -> Result<Self, Error> {
        let token = Secret::new(token.into());
        provider::check_token(token.expose()).map_err(|why| Error::config(format!("the token {why}")))?;
        if self.is_anonymous() {
            return Ok(self.clone());
        }
        // Resolved later, in the environment of the client: only then it is
        // known whether there are credentials at all.
        let all = self.clone();
        Ok(Self::deferred(self.label().to_owned(), move |env| Ok(all.resolve(env)?.replaced(&token))))
    }

    /// Returns resolved credentials with another source.
    fn replaced(&self, token: &Secret) -> Self {
        let CredentialsInner { label, quota_project, universe_domain, wants_quota_project, source } =
            &*self.0;
        Self(Arc::new(CredentialsInner {
            label: label.clone(),
            quota_project: quota_project.clone(),
            universe_domain: universe_domain.clone(),
            wants_quota_project: *wants_quota_project,
            source: match source {
                CredentialsSource::Anonymous => CredentialsSource::Anonymous,
                CredentialsSource::ApiKey(_) => CredentialsSource::ApiKey(token.clone()),
                _ => CredentialsSource::Fixed(token.clone()),
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn all_but_the_token_stays() {
        let user = Credentials::from_json(
            r#"{"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "CANARY",
                "quota_project_id": "billing"}"#,
        );
        let key = Credentials::api_key("CANARY");
        let rows =
            [("user", user, "fixed"), ("key", key, "key"), ("none", Ok(Credentials::anonymous()), "no")];
        for (row, credentials, kind) in rows {
            let credentials = credentials.expect(row);
            let environment = BTreeMap::<String, String>::new();
            let found = credentials.with_token("other").and_then(|with| with.resolve(&environment));
            let found = found.expect(row);
            let replaced = match &found.0.source {
                CredentialsSource::Fixed(token) if token.expose() == "other" => "fixed",
                CredentialsSource::ApiKey(key) if key.expose() == "other" => "key",
                CredentialsSource::Anonymous => "no",
                _ => "as it was",
            };
            assert_eq!(replaced, kind, "{row}");
            assert_eq!(found.label(), credentials.label(), "{row}");
            assert_eq!(found.quota_project(), credentials.quota_project(), "{row}");
            assert_eq!(found.universe_domain(), credentials.universe_domain(), "{row}");
            assert_eq!(found.wants_quota_project(), credentials.wants_quota_project(), "{row}");
        }
        assert!(Credentials::anonymous().with_token("two words").is_err());
    }
}
