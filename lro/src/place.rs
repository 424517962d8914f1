//! An operation and the service it belongs to.
//!
//! Names are unique within a service only, so a name travels with its endpoint
//! and version from the command line to the result. `names` makes places,
//! `connect` makes their clients, and `wait::record` stores them.

use std::fmt;

use longrunning::OperationName;

/// An operation, or a parent of operations, at a service. For `lro start` the
/// name is the path of the request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OperationPlace {
    /// As the user gave it, without a key: what to say again in a command.
    pub(crate) given: String,
    /// Where it is.
    pub(crate) service: Service,
    /// Its name there, without the version.
    pub(crate) name: String,
}

impl OperationPlace {
    /// Whether both are the same operation, however they were given.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.service.id(), &self.name) == (other.service.id(), &other.name)
    }
}

/// Where to send requests, under which path, and with which key.
///
/// Two names with the same service share a client, and so connections and
/// tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Service {
    /// A host or a URL, as the client takes it.
    pub(crate) endpoint: String,
    /// The path prefix of names; none for the default one.
    pub(crate) version: Option<String>,
    /// How paths are made of names.
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

    /// Sets that paths are made as in the URL that `name` stood in, behind the
    /// version.
    pub(crate) fn with_pasted(self, name: &str) -> Self {
        let paths = if is_odd(name) { PathSource::OddUrl } else { PathSource::Url };
        Self { paths, ..self }
    }

    /// Sets how paths are made for a name that an earlier command recorded in a
    /// journal.
    pub(crate) fn with_recorded(self, name: &str) -> Self {
        // A bare id was given without a URL, most likely.
        let paths =
            if is_odd(name) && name.contains('/') { PathSource::OddUrl } else { PathSource::Bindings };
        Self { paths, ..self }
    }
}

/// What the paths of requests are made by.
///
/// A URL that a user pasted worked in a browser or a log, so its path is taken
/// as it is rather than made anew by bindings that may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PathSource {
    /// The bindings of the version, and those that the user gives.
    Bindings,
    /// A pasted URL, which is used as it stands.
    Url,
    /// One with a name that no operation usually has.
    OddUrl,
}

/// Returns whether a name has no usual collection in it, so that all of it is
/// the id.
fn is_odd(name: &str) -> bool {
    OperationName::try_from(name).is_ok_and(|parsed| parsed.id() == name)
}

/// An API key. `Debug` does not show it, and there is no `Display`: it leaves
/// through [`expose`](Self::expose) only.
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

/// Returns whether an authority, a host with or without a port, is this
/// machine: `127.0.0.1`, `localhost` or `[::1]`.
pub(crate) fn is_loopback(authority: &str) -> bool {
    // An IPv6 address has colons too, which begin no port.
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let host =
        authority.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(authority, |(host, _)| host);
    ["127.0.0.1", "localhost", "[::1]"].contains(&host)
}

/// Returns whether this is the name of an operation, which has none below it.
/// `-` is no id: it stands for every parent in a listing.
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
