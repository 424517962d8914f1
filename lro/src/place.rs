//! An operation and the service it belongs to.

use std::fmt;

use longrunning::OperationName;

/// An operation, or a parent of operations, at a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OperationPlace {
    /// As the user gave it, without a key: what to say again in a command.
    pub(crate) given: String,
    pub(crate) service: Service,
    pub(crate) name: String,
}

impl OperationPlace {
    /// Whether both are the same operation, however they were given.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.service.id(), &self.name) == (other.service.id(), &other.name)
    }
}

/// Where to send requests, under which path, and with which key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Service {
    pub(crate) endpoint: String,
    pub(crate) version: Option<String>,
    pub(crate) paths: PathSource,
    /// That of a pasted URL.
    pub(crate) key: Option<ApiKey>,
}

impl Service {
    /// A service, and names of the usual shapes.
    pub(crate) fn new(endpoint: impl Into<String>, version: Option<String>) -> Self {
        Self { endpoint: endpoint.into(), version, paths: PathSource::Bindings, key: None }
    }

    /// Endpoint and version, which say which service it is.
    pub(crate) fn id(&self) -> (&str, Option<&str>) {
        (&self.endpoint, self.version.as_deref())
    }

    /// The same for a name that stood behind the version in a URL.
    pub(crate) fn with_pasted(self, name: &str) -> Self {
        let paths = if is_odd(name) { PathSource::OddUrl } else { PathSource::Url };
        Self { paths, ..self }
    }

    /// The same for a name that an earlier command recorded.
    pub(crate) fn with_recorded(self, name: &str) -> Self {
        // A bare id was given without a URL, most likely.
        let paths =
            if is_odd(name) && name.contains('/') { PathSource::OddUrl } else { PathSource::Bindings };
        Self { paths, ..self }
    }
}

/// What the paths of requests are made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PathSource {
    Bindings,
    /// A pasted URL, which is used as it stands.
    Url,
    /// One with a name that no operation usually has.
    OddUrl,
}

/// Whether a name has no usual collection in it, so that all of it is the id.
fn is_odd(name: &str) -> bool {
    OperationName::try_from(name).is_ok_and(|parsed| parsed.id() == name)
}

/// An API key; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct ApiKey(String);

impl ApiKey {
    pub(crate) fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([redacted])")
    }
}

/// Whether an authority, a host with or without a port, is this machine.
pub(crate) fn is_loopback(authority: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let host =
        authority.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(authority, |(host, _)| host);
    ["127.0.0.1", "localhost", "[::1]"].contains(&host)
}

/// Whether this is the name of an operation, which has none below it.
pub(crate) fn is_operation(name: &str) -> bool {
    let mut segments = name.rsplit('/');
    segments.next().is_some_and(|id| !id.is_empty() && id != "-") && segments.next() == Some("operations")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_operations() {
        let rows = [
            ("projects/p/operations/42", true),
            ("operations/42", true),
            ("projects/p/operations", false),
            ("projects/p/operations/-", false),
            ("projects/p/operations/", false),
            ("projects/p", false),
            ("operations", false),
            ("", false),
        ];
        for (name, expected) in rows {
            assert_eq!(is_operation(name), expected, "{name}");
        }
    }
}
