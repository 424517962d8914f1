//! The data that continues a wait in another process.
//!
//! It is only data: no credentials, no connection. A handle makes it, a journal
//! stores it, and every method that takes an operation accepts it.

use std::fmt;
use std::time::SystemTime;

use prost_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json::{parse_timestamp, timestamp_text};
use crate::name::OperationName;
use crate::net::mtls_host;
use crate::util::redact::Masked;
use crate::util::url::UrlParts;

/// An operation whose result is still to come, as plain data: enough to
/// continue the wait in another process.
///
/// It serializes to a flat object. Deserializing ignores unknown fields, and
/// all fields but `name` may be missing.
///
/// ```
/// use longrunning::Pending;
///
/// let pending = Pending::new("operations/42")?.with_endpoint("https://run.googleapis.com").with_label("nightly import");
/// let text = serde_json::to_string(&pending).unwrap();
/// assert!(text.starts_with(r#"{"name":"operations/42","endpoint":"https://run.googleapis.com","started":"2"#));
/// assert_eq!(serde_json::from_str::<Pending>(&text).unwrap(), pending);
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// A [`Poller`](crate::Poller) takes it in place of a name, and so does
/// everything that takes an [`OperationRef`](crate::OperationRef). The client
/// must have the same endpoint and version, if they are set. Another client
/// sends nothing and returns an error
/// of [`ErrorKind::Config`](crate::ErrorKind::Config) that names both.
///
/// Names are unique only within a service, so name and endpoint together
/// identify an operation, for instance in a `Journal` (feature `journal`). The
/// spelling of an endpoint does not matter: `https://` or not, upper case, the
/// default port, or the host of a Google service for mutual TLS
/// (`run.mtls.googleapis.com`). The endpoints of two regions differ.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Text", into = "Text")]
pub struct Pending {
    name: OperationName,
    /// The endpoint as it was given; compared by [`same_endpoint`].
    endpoint: Option<String>,
    api_version: Option<String>,
    started: Option<SystemTime>,
    label: Option<String>,
}

impl Pending {
    /// Creates the data for an operation that was started just now.
    ///
    /// ```
    /// use longrunning::Pending;
    ///
    /// let pending = Pending::new("operations/42")?;
    /// assert!(pending.started().is_some() && pending.endpoint().is_none());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Binding`](crate::ErrorKind::Binding) if the name cannot be requested
    /// by any method.
    pub fn new<N>(name: N) -> Result<Self, Error>
    where
        N: TryInto<OperationName, Error: Into<Error>>,
    {
        let name = name.try_into().map_err(Into::into)?;
        Ok(Self { name, endpoint: None, api_version: None, started: Some(SystemTime::now()), label: None })
    }

    /// Sets the endpoint of the service, as for
    /// [`OperationsClient::builder`](crate::OperationsClient::builder).
    /// Default: none, which fits any client.
    ///
    /// ```
    /// use longrunning::{ErrorKind, Pending};
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// let pending = Pending::new("operations/42")?.with_endpoint("https://run.googleapis.com");
    /// let error = server.client().poller(&pending).until_done().unwrap_err();
    /// assert_eq!((error.kind(), server.request_count()), (ErrorKind::Config, 0));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Sets the version of the API, as in
    /// [`Bindings::version`](crate::Bindings::version). Default: none, which
    /// fits any client.
    ///
    /// A client polls it at this version, whatever its own is.
    ///
    /// ```
    /// use longrunning::{Operation, Pending};
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// let pending = Pending::new("operations/42")?.with_api_version("v2");
    /// server.client().get(&pending).send()?;
    /// assert_eq!(server.requests()[0].path(), "/v2/operations/42");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn with_api_version(mut self, api_version: impl Into<String>) -> Self {
        self.api_version = Some(api_version.into());
        self
    }

    /// Sets the time at which the operation was started. Default: the time at
    /// which this value was created.
    ///
    /// ```
    /// use std::time::UNIX_EPOCH;
    ///
    /// let pending = longrunning::Pending::new("operations/42")?.with_started(UNIX_EPOCH);
    /// assert!(serde_json::to_string(&pending).unwrap().contains("1970-01-01T00:00:00Z"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn with_started(mut self, started: SystemTime) -> Self {
        self.started = Some(started);
        self
    }

    /// Attaches a text by which the program recognises the operation.
    ///
    /// ```
    /// use longrunning::Pending;
    ///
    /// let pending = Pending::new("operations/42")?.with_label("nightly import");
    /// assert_eq!(pending.label(), Some("nightly import"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Returns the name of the operation.
    pub fn name(&self) -> &OperationName {
        &self.name
    }

    /// Returns the endpoint of its service, if it is set.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// Returns the version of the API, if it is set.
    pub fn api_version(&self) -> Option<&str> {
        self.api_version.as_deref()
    }

    /// Returns the time at which the operation was started, by the clock of the
    /// machine that started it.
    ///
    /// It is `None` if a file has no time, or one that cannot be read.
    pub fn started(&self) -> Option<SystemTime> {
        self.started
    }

    /// Returns the text that was attached.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }
}

/// Prints it without what may be a secret given in the wrong place.
impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("name", &self.name)
            .field("endpoint", &Masked(&self.endpoint))
            .field("api_version", &Masked(&self.api_version))
            .field("started", &self.started)
            .field("label", &Masked(&self.label))
            .finish()
    }
}

/// Returns an endpoint as a key: two endpoints of one service have the same
/// key. It need not be a valid one.
///
/// ```text
/// run.googleapis.com                  https://run.googleapis.com
/// https://RUN.googleapis.com:443/     https://run.googleapis.com
/// https://run.mtls.googleapis.com     https://run.googleapis.com
/// http://localhost:80                 http://localhost
/// ```
pub(crate) fn same_endpoint(endpoint: &str) -> String {
    let Some(url) = UrlParts::split_or("https", endpoint) else { return endpoint.to_owned() };
    let (scheme, authority) = (url.scheme.to_ascii_lowercase(), url.authority.to_ascii_lowercase());
    // An explicit default port is the same server (RFC 9110 section 4.2.3).
    let port = if scheme == "http" { ":80" } else { ":443" };
    let host = authority.strip_suffix(port).unwrap_or(&authority);
    // Which of the two hosts is used depends on the certificates of a machine,
    // and another machine may continue the wait.
    let service = mtls_host::from_mtls(host);
    let host = service.as_deref().unwrap_or(host);
    [&scheme, "://", host, url.target.trim_end_matches('/')].concat()
}

/// The form in files. Times are RFC 3339; what is not set is left out.
#[derive(Serialize, Deserialize)]
struct Text {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

impl TryFrom<Text> for Pending {
    type Error = Error;

    fn try_from(text: Text) -> Result<Self, Error> {
        // A time that cannot be read is no reason to lose the operation.
        let started = text.started.and_then(|started| parse_timestamp(&started)?.try_into().ok());
        Ok(Self {
            // Only the name is needed: a file of a later version may have other
            // fields.
            name: text.name.try_into()?,
            endpoint: text.endpoint,
            api_version: text.api_version,
            started,
            label: text.label,
        })
    }
}

impl From<Pending> for Text {
    fn from(pending: Pending) -> Self {
        Self {
            name: pending.name.into(),
            endpoint: pending.endpoint,
            api_version: pending.api_version,
            // A time out of range is left out: the name is what counts.
            started: pending.started.and_then(|started| timestamp_text(&Timestamp::from(started))),
            label: pending.label,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::error::ErrorKind;

    fn written(pending: &Pending) -> String {
        serde_json::to_string(pending).unwrap()
    }

    #[test]
    fn all_that_is_told_survives() -> Result<(), Error> {
        let time = UNIX_EPOCH + Duration::new(1_787_306_400, 250_000_000);
        let bare = Pending { started: None, ..Pending::new("operations/42")? };
        let table = [
            (bare.clone(), r#"{"name":"operations/42"}"#),
            (
                bare.clone().with_started(time),
                r#"{"name":"operations/42","started":"2026-08-21T10:00:00.250Z"}"#,
            ),
            (
                bare.with_endpoint("https://a").with_api_version("v2").with_label("é\n"),
                r#"{"name":"operations/42","endpoint":"https://a","api_version":"v2","label":"é\n"}"#,
            ),
        ];
        for (pending, text) in table {
            assert_eq!(written(&pending), text);
            assert_eq!(serde_json::from_str::<Pending>(text).unwrap(), pending, "{text}");
        }
        let now = Pending::new("operations/42")?;
        assert_eq!(serde_json::from_str::<Pending>(&written(&now)).unwrap(), now);
        Ok(())
    }

    #[test]
    fn an_endpoint_is_the_same_however_it_is_spelled() {
        let table = [
            ("host alone", "run.googleapis.com", "https://run.googleapis.com"),
            ("scheme, capitals", "HTTPS://Run.GoogleAPIs.com", "https://run.googleapis.com"),
            ("slash", "https://run.googleapis.com/", "https://run.googleapis.com"),
            ("default port", "run.googleapis.com:443", "https://run.googleapis.com"),
            ("other port", "run.googleapis.com:8443", "https://run.googleapis.com:8443"),
            ("mutual TLS", "run.mtls.googleapis.com", "https://run.googleapis.com"),
            ("with a port", "https://run.mtls.googleapis.com:443", "https://run.googleapis.com"),
            ("sandbox", "run.mtls.sandbox.googleapis.com", "https://run.sandbox.googleapis.com"),
            ("not of Google", "run.mtls.example.com", "https://run.mtls.example.com"),
            ("region", "europe-west1-run.googleapis.com", "https://europe-west1-run.googleapis.com"),
            ("base path", "Host:443/Base/path/", "https://host/Base/path"),
            ("this machine", "http://127.0.0.1:80", "http://127.0.0.1"),
            ("https port of http", "http://127.0.0.1:443", "http://127.0.0.1:443"),
            ("IPv6", "http://[::1]:80", "http://[::1]"),
            ("nothing", "", "https://"),
            ("no end of the address", "[::1", "[::1"),
        ];
        for (row, endpoint, expected) in table {
            assert_eq!(same_endpoint(endpoint), expected, "{row}");
            assert_eq!(same_endpoint(expected), expected, "{row}, again");
        }
    }

    #[test]
    fn what_others_write_is_read_leniently() {
        let read = |text| serde_json::from_str::<Pending>(text);
        let table = [
            (r#"{"new":[1],"name":"operations/42"}"#, Some("operations/42")),
            (r#"{"name":"operations/42","started":"yesterday","label":null}"#, Some("operations/42")),
            (r#"{"name":"operations/../42"}"#, Some("operations/../42")),
            (r#"{"name":""}"#, None),
            (r#"{"label":"x"}"#, None),
        ];
        for (text, name) in table {
            let pending = read(text).ok();
            assert_eq!(pending.as_ref().map(|pending| pending.name().as_str()), name, "{text}");
            assert!(pending.is_none_or(|pending| pending.started().is_none()), "{text}");
        }
        assert_eq!(Pending::new("").unwrap_err().kind(), ErrorKind::Binding);
    }
}
