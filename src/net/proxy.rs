//! Which servers are reached through a proxy, and through which one.
//!
//! The options or the environment name at most one proxy. `NO_PROXY` excludes
//! hosts from it, and so do fixed rules for hosts that no proxy can reach
//! ([`is_near`]). There is no standard for these variables; the rules here are
//! what most programs have in common.
//!
//! Only `http` and `https` proxies are supported, and only by `CONNECT`
//! (`tunnel`). SOCKS is an error rather than ignored: requests would go out
//! directly where that may be forbidden.

use std::fmt;
use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::util::env::Env;
use crate::util::url::{UrlParts, bare, host_is_valid};

use super::aws_hosts;
use super::error::{NetError, NetErrorKind};
use super::options::ProxySetting;
use super::peer::{Peer, ServerAddress};

/// Which servers are reached through a proxy; decided when the client is built.
#[derive(Clone)]
pub(crate) struct ProxyRoutes {
    /// The proxy, if there is one. A proxy of the environment that cannot be
    /// used is an error only for a server that needs it.
    proxy: Result<Option<ProxyServer>, NetError>,
    /// The entries of `NO_PROXY`. They do not apply to a proxy of the options.
    bypass: Vec<ProxyException>,
}

/// An `http` or `https` proxy.
#[derive(Clone)]
pub(crate) struct ProxyServer {
    /// Where it listens, and whether connections to it have TLS.
    address: ServerAddress,
    /// `user:password`, decoded.
    credentials: Option<Zeroizing<String>>,
    /// Where the URL comes from, as messages name it: `` `HTTPS_PROXY` ``.
    origin: String,
}

/// An entry of `NO_PROXY`.
#[derive(Clone)]
struct ProxyException {
    /// The hosts of the entry.
    hosts: ExceptedHosts,
    /// The port of the entry; `None` for all ports.
    port: Option<u16>,
}

/// The hosts of an entry of `NO_PROXY`.
#[derive(Clone)]
enum ExceptedHosts {
    /// A host name, without a dot or star in front: it and all names below it.
    Domain(String),
    /// `*`: all hosts.
    Every,
    /// The addresses whose first bits are those of this one; all of its bits
    /// for a single address.
    Network(IpAddr, u32),
}

impl ProxyRoutes {
    /// Reads the setting, and the environment if the setting is `Environment`.
    ///
    /// # Errors
    ///
    /// `Config` if a URL of the options is invalid.
    pub(crate) fn new(setting: &ProxySetting, env: &dyn Env) -> Result<Self, NetError> {
        Ok(match setting {
            ProxySetting::Environment => Self::from_env(env),
            ProxySetting::None => Self { proxy: Ok(None), bypass: Vec::new() },
            ProxySetting::Url(url) => {
                Self { proxy: Ok(Some(ProxyServer::parse(url, "`HttpOptions::proxy`")?)), bypass: Vec::new() }
            }
        })
    }

    /// Reads the variables as most other programs do: names in capitals go
    /// first, and empty values count as unset. `HTTP_PROXY` is not read: one
    /// proxy is for all servers.
    fn from_env(env: &dyn Env) -> Self {
        let text = |name: &str| env.var(name).unwrap_or_default();
        let is_set = |name: &&str| !text(name).trim().is_empty();
        // The first variable that is set decides, even if its URL is invalid.
        // To pass it over would send requests around a proxy that is
        // prescribed.
        let proxy = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().find(is_set);
        let bypass = ["NO_PROXY", "no_proxy"].into_iter().find(is_set).map(text).unwrap_or_default();
        Self {
            proxy: proxy.map(|name| ProxyServer::parse(text(name).trim(), &format!("`{name}`"))).transpose(),
            bypass: bypass.split(',').filter_map(|entry| ProxyException::parse(entry.trim())).collect(),
        }
    }

    /// Returns the proxy for connections to `peer`; `None` if it is reached
    /// directly.
    ///
    /// # Errors
    ///
    /// `Config` if the proxy of the environment is invalid and the peer needs
    /// it.
    pub(crate) fn to(&self, peer: &Peer<'_>) -> Result<Option<&ProxyServer>, NetError> {
        let bypassed = || self.bypass.iter().any(|exception| exception.covers(bare(peer.host), peer.port));
        match &self.proxy {
            // Before the error of an invalid proxy URL, which does not matter
            // for a server that is reached directly.
            _ if is_near(peer.host) || bypassed() => Ok(None),
            Ok(proxy) => Ok(proxy.as_ref()),
            Err(error) => Err(error.clone()),
        }
    }
}

impl ProxyServer {
    /// Parses `http://user:password@host:port`, where scheme, user and port may
    /// be missing.
    ///
    /// `origin` is where the URL comes from, for messages: they must not
    /// contain the URL, which may hold a password.
    ///
    /// ```text
    /// proxy.example:3128                http, port 3128
    /// https://u:p%40ss@proxy.example    https, port 443, credentials u:p@ss
    /// socks5://proxy.example            an error: SOCKS proxies are not supported
    /// http://proxy.example/path         an error: it has a path
    /// ```
    fn parse(url: &str, origin: &str) -> Result<Self, NetError> {
        // Says what is wrong without the URL.
        let refuse = |flaw: &str| {
            let message = format!("invalid proxy URL in {origin}: {flaw}, expected `http://host:port`");
            NetError::new(NetErrorKind::Config, message)
        };
        let parts = UrlParts::split_or("http", url).ok_or_else(|| refuse("it is not well formed"))?;
        match parts.scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => {}
            scheme if scheme.starts_with("socks") => return Err(refuse("SOCKS proxies are not supported")),
            _ => return Err(refuse("its scheme is not `http` or `https`")),
        }
        if !host_is_valid(parts.host) {
            return Err(refuse("it has no valid host"));
        }
        if !matches!(parts.target, "" | "/") {
            return Err(refuse("it has a path"));
        }
        let peer = Peer::of(&parts).filter(|peer| peer.port > 0);
        let peer = peer.ok_or_else(|| refuse("its port is not a number from 1 to 65535"))?;
        let credentials = parts.user.map(credentials).transpose();
        let credentials =
            credentials.map_err(|_| refuse("its user or password is not percent-encoded UTF-8"))?;
        Ok(Self { address: peer.into(), credentials, origin: origin.to_owned() })
    }

    /// Returns the server to connect to.
    pub(crate) fn peer(&self) -> Peer<'_> {
        self.address.peer()
    }

    /// Returns `user:password`, if the URL has a user.
    pub(super) fn credentials(&self) -> Option<&str> {
        self.credentials.as_ref().map(|credentials| credentials.as_str())
    }
}

/// Prints `proxy HOST:PORT, set by ORIGIN`, as messages name it.
impl fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "proxy {}, set by {}", self.peer(), self.origin)
    }
}

/// Returns `user:password` with each part decoded by itself: either may contain
/// an encoded colon.
fn credentials(encoded: &str) -> Result<Zeroizing<String>, std::str::Utf8Error> {
    // Split before decoding, since a password may contain an encoded colon.
    let (user, password) = encoded.split_once(':').unwrap_or((encoded, ""));
    let (user, password) =
        (percent_decode_str(user).decode_utf8()?, percent_decode_str(password).decode_utf8()?);
    Ok(Zeroizing::new(format!("{user}:{password}")))
}

impl ProxyException {
    /// Parses an entry; `None` for an empty or invalid one, which is ignored as
    /// by other programs.
    fn parse(entry: &str) -> Option<Self> {
        // The colons of an IPv6 address without brackets do not begin a port.
        let is_host = |host: &str| !host.contains(':') || host.ends_with(']');
        let (hosts, port) = match entry.rsplit_once(':').filter(|(host, _)| is_host(host)) {
            Some((hosts, port)) => (hosts, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        Some(Self { hosts: ExceptedHosts::parse(hosts)?, port })
    }

    /// Returns whether the entry is for this host, without brackets, and port.
    fn covers(&self, host: &str, port: u16) -> bool {
        self.port.is_none_or(|only| only == port) && self.hosts.include(host)
    }
}

impl ExceptedHosts {
    /// Parses the hosts of an entry.
    ///
    /// ```text
    /// *                 all hosts
    /// example.com       example.com and a.example.com
    /// .example.com      the same
    /// *.example.com     the same
    /// 10.0.0.0/8        addresses of this network
    /// [::1]             this address
    /// ```
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self::Every);
        }
        let (address, length) = entry.split_once('/').map_or((entry, None), |(a, length)| (a, Some(length)));
        if let Ok(address) = bare(address).parse::<IpAddr>() {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            let length = length.map_or(Some(bits), |length| length.parse().ok());
            // A network with too many bits is invalid, and matches nothing.
            return length.filter(|length| *length <= bits).map(|length| Self::Network(address, length));
        }
        let name = entry.strip_prefix('*').unwrap_or(entry).trim_start_matches('.');
        (!name.is_empty()).then(|| Self::Domain(name.to_ascii_lowercase()))
    }

    /// Returns whether `host`, without brackets, is one of these. A name is
    /// never resolved for this.
    fn include(&self, host: &str) -> bool {
        // `::ffff:10.0.0.1` is the IPv4 address that it contains.
        let address = || host.parse().ok().map(|address: IpAddr| address.to_canonical());
        match self {
            Self::Every => true,
            Self::Network(network, length) => {
                address().is_some_and(|address| begins(address, *network, *length))
            }
            Self::Domain(name) => {
                let host = host.to_ascii_lowercase();
                // `notexample.com` is not below `example.com`.
                let above =
                    host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                above && address().is_none()
            }
        }
    }
}

/// Returns whether the first `length` bits of two addresses are the same.
/// Addresses of different families never match.
fn begins(address: IpAddr, network: IpAddr, length: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros() >= length,
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros() >= length,
        _ => false,
    }
}

/// Returns whether `host` is this machine, its link, or a metadata server: no
/// proxy can reach them, and tokens travel there without TLS.
fn is_near(host: &str) -> bool {
    let host = bare(host);
    match host.parse() {
        Ok(address) if aws_hosts::METADATA.contains(&address) || aws_hosts::CONTAINER.contains(&address) => {
            true
        }
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unicast_link_local(),
        Err(_) => {
            ["localhost", "metadata.google.internal"].iter().any(|name| host.eq_ignore_ascii_case(name))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::util::env::SystemEnv;

    fn routes(variables: &[(&str, &str)]) -> ProxyRoutes {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        ProxyRoutes::new(&ProxySetting::Environment, &variables.collect::<BTreeMap<_, _>>()).unwrap()
    }

    fn peer(authority: &str) -> Peer<'_> {
        let (host, port) = crate::util::url::split_port(authority).unwrap();
        Peer { tls: true, host, port: port.map_or(443, |port| port.parse().unwrap()) }
    }

    #[test]
    fn environment_is_read_as_other_programs_read_it() {
        const PROXY: (&str, &str) = ("HTTPS_PROXY", "http://proxy.test:3128");
        type Row =
            (&'static str, &'static [(&'static str, &'static str)], &'static str, Option<&'static str>);
        let rows: &[Row] = &[
            ("nothing set", &[], "example.com", None),
            ("empty is unset", &[("HTTPS_PROXY", " "), ("NO_PROXY", "")], "example.com", None),
            ("for https", &[PROXY], "example.com", Some("proxy.test")),
            ("lowercase", &[("https_proxy", "proxy.test")], "example.com", Some("proxy.test")),
            ("for all schemes", &[("ALL_PROXY", "https://proxy.test")], "example.com", Some("proxy.test")),
            (
                "https before all",
                &[PROXY, ("ALL_PROXY", "http://other.test")],
                "example.com",
                Some("proxy.test"),
            ),
            ("http is not https", &[("HTTP_PROXY", "http://proxy.test")], "example.com", None),
            ("loopback", &[PROXY], "127.0.0.9", None),
            ("loopback, IPv6", &[PROXY], "[::1]", None),
            ("localhost", &[PROXY], "LocalHost", None),
            ("metadata server", &[PROXY], "metadata.google.internal", None),
            ("metadata server, address", &[PROXY], "169.254.169.254", None),
            ("metadata server of AWS, IPv6", &[PROXY], "[fd00:ec2::254]", None),
            ("credentials of a container on AWS", &[PROXY], "169.254.170.2", None),
            ("credentials of a pod on AWS", &[PROXY], "[fd00:ec2::23]", None),
            ("another address like it", &[PROXY], "[fd00:ec2::253]", Some("proxy.test")),
            ("excepted name", &[PROXY, ("NO_PROXY", "a.test, example.com")], "Example.com", None),
            ("name below", &[PROXY, ("NO_PROXY", "example.com")], "run.example.com", None),
            ("name below, dot", &[PROXY, ("no_proxy", ".example.com")], "run.example.com", None),
            ("name below, star", &[PROXY, ("NO_PROXY", "*.example.com")], "run.example.com", None),
            ("excepted address", &[PROXY, ("NO_PROXY", "10.0.0.1")], "10.0.0.1", None),
            ("another address", &[PROXY, ("NO_PROXY", "10.0.0.1")], "10.0.0.2", Some("proxy.test")),
            ("excepted network", &[PROXY, ("NO_PROXY", "a.test, 10.16.0.0/12")], "10.31.255.255", None),
            ("next to it", &[PROXY, ("NO_PROXY", "10.16.0.0/12")], "10.32.0.0", Some("proxy.test")),
            ("its bits behind", &[PROXY, ("NO_PROXY", "10.1.2.3/8")], "10.9.9.9", None),
            ("network of one", &[PROXY, ("NO_PROXY", "10.0.0.1/32")], "10.0.0.1", None),
            ("network of all", &[PROXY, ("NO_PROXY", "0.0.0.0/0")], "192.0.2.1", None),
            ("of the other kind", &[PROXY, ("NO_PROXY", "0.0.0.0/0")], "[2001:db8::1]", Some("proxy.test")),
            ("no address", &[PROXY, ("NO_PROXY", "0.0.0.0/0,::/0")], "example.com", Some("proxy.test")),
            ("IPv6 network", &[PROXY, ("NO_PROXY", "fd00::/8")], "[fdff::1]", None),
            ("IPv6 network, next", &[PROXY, ("NO_PROXY", "fd00::/8")], "[fe00::1]", Some("proxy.test")),
            ("IPv6 address, spelled otherwise", &[PROXY, ("NO_PROXY", "[FD00:0::1]")], "[fd00::1]", None),
            ("IPv4 in IPv6", &[PROXY, ("NO_PROXY", "10.0.0.0/8")], "[::ffff:10.0.0.1]", None),
            ("too long", &[PROXY, ("NO_PROXY", "10.0.0.0/33")], "10.0.0.0", Some("proxy.test")),
            ("no length", &[PROXY, ("NO_PROXY", "10.0.0.0/,10.0.0.0/x")], "10.0.0.0", Some("proxy.test")),
            ("name like an address", &[PROXY, ("NO_PROXY", "10.0.0.1")], "10.0.0.1.test", Some("proxy.test")),
            ("end of an address", &[PROXY, ("NO_PROXY", ".1")], "10.0.0.1", Some("proxy.test")),
            ("every host", &[PROXY, ("NO_PROXY", "*")], "example.com", None),
            (
                "name that only ends alike",
                &[PROXY, ("NO_PROXY", "example.com")],
                "anexample.com",
                Some("proxy.test"),
            ),
            ("port", &[PROXY, ("NO_PROXY", "example.com:8443")], "example.com:8443", None),
            ("another port", &[PROXY, ("NO_PROXY", "example.com:8443")], "example.com", Some("proxy.test")),
            ("the port of https", &[PROXY, ("NO_PROXY", "example.com:443")], "example.com", None),
            ("every port", &[PROXY, ("NO_PROXY", "example.com")], "example.com:8443", None),
            ("port, name below", &[PROXY, ("NO_PROXY", ".example.com:81")], "run.example.com:81", None),
            ("port of another", &[PROXY, ("NO_PROXY", "example.com:81")], "b.test:81", Some("proxy.test")),
            ("port of an address", &[PROXY, ("NO_PROXY", "10.0.0.1:81")], "10.0.0.1:81", None),
            ("not of an address", &[PROXY, ("NO_PROXY", "10.0.0.1:81")], "10.0.0.1", Some("proxy.test")),
            ("port, IPv6", &[PROXY, ("NO_PROXY", "[fd00::1]:81")], "[fd00::1]:81", None),
            ("not its port, IPv6", &[PROXY, ("NO_PROXY", "[fd00::1]:81")], "[fd00::1]", Some("proxy.test")),
            ("no port, IPv6", &[PROXY, ("NO_PROXY", "fd00::81")], "[fd00::81]", None),
            ("port of every host", &[PROXY, ("NO_PROXY", "*:81")], "example.com:81", None),
            ("not a port", &[PROXY, ("NO_PROXY", "example.com:x")], "example.com", Some("proxy.test")),
            (
                "too large a port",
                &[PROXY, ("NO_PROXY", "example.com:65536")],
                "example.com",
                Some("proxy.test"),
            ),
            ("empty port", &[PROXY, ("NO_PROXY", "example.com:")], "example.com", Some("proxy.test")),
            ("empty entries", &[PROXY, ("NO_PROXY", ",.,")], "example.com", Some("proxy.test")),
        ];
        for (name, variables, host, expected) in rows {
            let routes = routes(variables);
            let proxy = routes.to(&peer(host)).unwrap();
            assert_eq!(proxy.map(|proxy| proxy.peer().host), *expected, "{name}");
        }
    }

    #[test]
    fn unusable_proxy_fails_only_where_it_is_needed() {
        let routes = routes(&[("ALL_PROXY", "socks5://user:CANARY-password-1@proxy.test:1080")]);
        assert!(routes.to(&peer("127.0.0.1")).unwrap().is_none());
        let error = routes.to(&peer("example.com")).err().unwrap();
        let message =
            "invalid proxy URL in `ALL_PROXY`: SOCKS proxies are not supported, expected `http://host:port`";
        assert_eq!(error.to_string(), message);
        assert_eq!((error.kind, error.transient), (NetErrorKind::Config, false));
    }

    #[test]
    fn given_proxy_is_checked_and_never_printed() {
        let setting = ProxySetting::Url("http://user:CANARY-password-2@proxy.test:3128".into());
        assert!(!format!("{setting:?}").contains("CANARY"));
        let routes = ProxyRoutes::new(&setting, &SystemEnv).unwrap();
        let proxy = routes.to(&peer("example.com")).unwrap().unwrap();
        assert_eq!((proxy.peer().port, proxy.credentials()), (3128, Some("user:CANARY-password-2")));
    }

    #[test]
    fn unusable_urls_are_refused_with_the_reason() {
        const PORT: &str = "its port is not a number from 1 to 65535";
        const HOST: &str = "it has no valid host";
        const SCHEME: &str = "its scheme is not `http` or `https`";
        const SOCKS: &str = "SOCKS proxies are not supported";
        const PATH: &str = "it has a path";
        let rows = [
            ("", HOST),
            ("/", HOST),
            ("http://", HOST),
            ("no proxy", HOST),
            ("http://CANARY-user-3@:80", HOST),
            ("http://[::1", "it is not well formed"),
            ("http://[CANARY]", HOST),
            ("ftp://proxy.test", SCHEME),
            ("CANARY-scheme://proxy.test", SCHEME),
            ("socks5://CANARY-user-3@proxy.test", SOCKS),
            ("SOCKS5H://proxy.test:1080", SOCKS),
            ("socks://proxy.test", SOCKS),
            ("socks4a://proxy.test", SOCKS),
            ("http://user:CANARY-password-3@proxy.test:99999", PORT),
            ("user:CANARY-password-3@proxy.test:99999", PORT),
            ("http://proxy.test:65536", PORT),
            ("http://proxy.test:0", PORT),
            ("http://proxy.test:", PORT),
            ("http://proxy.test:+80", PORT),
            ("http://proxy.test:-1", PORT),
            ("http://proxy.test:80a", PORT),
            ("http://proxy.test:CANARY", PORT),
            ("proxy.test:http", PORT),
            ("http://[::1]:99999", PORT),
            ("http://user:CANARY/password@proxy.test:80", PATH),
            ("http://user:3/CANARY@proxy.test:80", PATH),
            ("http://proxy.test/CANARY", PATH),
            ("http://proxy.test?CANARY", PATH),
            ("http://%ffCANARY@proxy.test", "its user or password is not percent-encoded UTF-8"),
        ];
        for (url, flaw) in rows {
            let error = ProxyRoutes::new(&ProxySetting::Url(url.into()), &SystemEnv).err().expect(url);
            let message =
                format!("invalid proxy URL in `HttpOptions::proxy`: {flaw}, expected `http://host:port`");
            assert_eq!((error.to_string(), error.kind), (message, NetErrorKind::Config), "{url}");
            assert!(!format!("{error:?}").contains("CANARY"), "{url}");
        }
    }

    #[test]
    fn usable_urls_have_the_default_port_of_their_scheme() {
        let rows = [
            ("http://proxy.test:3128", "proxy.test:3128"),
            ("http://proxy.test:3128/", "proxy.test:3128"),
            ("proxy.test", "proxy.test:80"),
            ("HTTPS://proxy.test", "proxy.test:443"),
            ("http://[::1]:1", "[::1]:1"),
            ("http://127.0.0.1:65535", "127.0.0.1:65535"),
        ];
        for (url, peer) in rows {
            let routes = ProxyRoutes::new(&ProxySetting::Url(url.into()), &SystemEnv).unwrap();
            let proxy = routes.to(&super::tests::peer("example.com")).unwrap().unwrap();
            assert_eq!(proxy.to_string(), format!("proxy {peer}, set by `HttpOptions::proxy`"));
        }
    }
}
