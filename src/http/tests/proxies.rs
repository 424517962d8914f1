//! Real servers behind real proxies: the name is looked up by the proxy, TLS is
//! made with the server.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};

use super::super::HttpErrorKind::{Connect, Proxy, Tls};
use super::super::{ClientCertificate, HttpClient, HttpMethod, HttpOptions, HttpRequest};
use super::authority::{Authority, VERSIONS, unchanged};
use super::relay::{self, Process, Relay};
use super::server::{Act, Server};
use super::x509::{Key, certificate_pem};
use super::{HttpAgent, ProxySetting, Roots, get, options};
use crate::net::dns::DnsCache;

/// A client with this environment that can look up nothing.
fn agent(options: &HttpOptions, environment: &[(&str, String)]) -> HttpAgent {
    let names = DnsCache::with_lookup(|_| Err(io::Error::from(io::ErrorKind::NotFound)));
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    HttpAgent::with_parts(options, &environment.collect::<BTreeMap<_, _>>(), names).unwrap()
}

fn trusting(authority: &Authority) -> HttpOptions {
    options().roots(Roots::Pem(authority.pem.clone().into_bytes()))
}

#[test]
fn server_behind_a_proxy_is_reached() {
    let authority = Authority::new(unchanged);
    let config = || authority.serving("example.test", unchanged, Some(authority.required()), &VERSIONS);
    let key = Key::generate();
    let certificate = certificate_pem(&authority.sign(&key, "client", unchanged));
    let certificate = ClientCertificate::from_pem(certificate, key.pem());
    let options = trusting(&authority).client_certificate(certificate);
    const PASS: &str = "Basic dXNlcjpDQU5BUlktcHJveHktMQ==";
    for (user, authorization) in [("", None), ("user:CANARY-proxy-1@", Some(PASS))] {
        let relay = Relay::start(authorization);
        let proxy = format!("http://{user}127.0.0.1:{}", relay.port);
        let agents = [
            agent(&options.clone().proxy(ProxySetting::Url(proxy.clone())), &[]),
            agent(&options.clone().proxy(ProxySetting::Environment), &[("HTTPS_PROXY", proxy.clone())]),
            agent(&options.clone().proxy(ProxySetting::Environment), &[("all_proxy", proxy)]),
        ];
        for agent in agents {
            let server = Server::start_tls(vec![vec![Act::Serve]], config());
            for _ in 0..2 {
                let answer = get(&agent, &format!("https://example.test:{}/v1", server.port)).unwrap();
                assert_eq!(answer.body, b"{}");
            }
            assert!(server.requests().iter().all(|request| !request.contains("Proxy")));
            let head =
                format!("CONNECT example.test:{0} HTTP/1.1\r\nHost: example.test:{0}\r\n", server.port);
            let heads = relay.heads();
            assert!(heads.last().unwrap().starts_with(&head), "{heads:?}");
        }
        assert_eq!(relay.heads().len(), 3);
    }
}

#[test]
fn proxy_is_left_out() {
    let server = || Server::start(vec![vec![Act::Serve]]);
    let relay = Relay::start(None);
    let proxy = format!("http://127.0.0.1:{}", relay.port);
    let environment = [("HTTPS_PROXY", proxy.clone()), ("NO_PROXY", "example.test".to_owned())];
    let from_env = options().proxy(ProxySetting::Environment);
    let rows = [
        (
            "excepted",
            agent(&from_env, &environment),
            "http://a.example.test/",
            "failed to find host `a.example.test`",
        ),
        ("none", agent(&options(), &environment), "http://other.test/", "failed to find host `other.test`"),
        (
            "metadata server",
            agent(&options().proxy(ProxySetting::Url(proxy)), &[]),
            "http://metadata.google.internal/",
            "failed to find host `metadata.google.internal`",
        ),
    ];
    for (name, agent, url, message) in rows {
        assert_eq!(get(&agent, url).unwrap_err().to_string(), message, "{name}");
        let server = server();
        assert_eq!(get(&agent, &server.url()).unwrap().body, b"{}", "{name}: loopback");
    }
    assert!(relay.heads().is_empty());
}

#[test]
fn proxies_that_refuse() {
    let authority = Authority::new(unchanged);
    let closed = 1;
    let wrong = Server::start_tls(vec![vec![Act::Serve]], authority.server("other.test", unchanged));
    let rows = [
        (
            "no credentials",
            "",
            wrong.port,
            Proxy,
            false,
            "the proxy did not connect to HOST: it requires credentials (407)",
        ),
        (
            "bad credentials",
            "user:CANARY-proxy-2@",
            wrong.port,
            Proxy,
            false,
            "the proxy did not connect to HOST: it refused the user and password given (407)",
        ),
        (
            "nobody there",
            "user:right@",
            closed,
            Proxy,
            true,
            "the proxy did not connect to HOST: it responded with 502",
        ),
        (
            "wrong server",
            "user:right@",
            wrong.port,
            Tls,
            false,
            "failed to verify HOST: its certificate is for another name",
        ),
    ];
    let relay = Relay::start(Some("Basic dXNlcjpyaWdodA=="));
    for (name, user, port, kind, transient, message) in rows {
        let url = format!("http://{user}127.0.0.1:{}", relay.port);
        let agent = agent(&trusting(&authority).proxy(ProxySetting::Url(url)), &[]);
        let error = get(&agent, &format!("https://example.test:{port}/")).unwrap_err();
        let message = format!("{message} (proxy 127.0.0.1:{}, set by `HttpOptions::proxy`)", relay.port);
        assert_eq!(error.to_string().replace(&format!("example.test:{port}"), "HOST"), message, "{name}");
        let found = (error.kind(), error.was_sent(), error.is_transient());
        assert_eq!(found, (kind, false, transient), "{name}: {error:?}");
        assert!(!format!("{error:?}").contains("CANARY"), "{name}: {error:?}");
    }
}

#[test]
fn proxy_in_a_process_of_its_own() {
    let authority = Authority::new(unchanged);
    // Not a port that was free a moment ago: the server may get that one.
    let closed = 1;
    let server = Server::start_tls(vec![vec![Act::Serve]; 2], authority.server("example.test", unchanged));
    let process = Process::start("Basic dXNlcjpDQU5BUlktcHJveHktMw==");
    let port = process.port;
    let through = |user: &str| {
        let proxy = ProxySetting::Url(format!("http://{user}127.0.0.1:{port}"));
        agent(&trusting(&authority).proxy(proxy), &[])
    };
    let ask = |user: &str, port: u16| {
        let answer = get(&through(user), &format!("https://example.test:{port}/v1"));
        let told = answer.map(|answer| answer.status).map_err(|error| format!("{error} {error:?}"));
        assert!(!told.as_ref().is_err_and(|error| error.contains("CANARY")), "{told:?}");
        told
    };
    const RIGHT: &str = "user:CANARY-proxy-3@";
    assert_eq!(ask(RIGHT, server.port), Ok(200));
    for (user, port, why) in [
        ("", server.port, "it requires credentials (407)"),
        ("user:CANARY-proxy-4@", server.port, "it refused the user and password given (407)"),
        (RIGHT, closed, "it responded with 502"),
    ] {
        let error = ask(user, port).unwrap_err();
        assert!(error.contains(why), "{why}: {error}");
    }
    assert_eq!(server.requests().len(), 1);
    drop(process);
    let error = ask(RIGHT, server.port).unwrap_err();
    assert!(
        error.starts_with(&format!("failed to connect to the proxy (proxy 127.0.0.1:{port}, set by ")),
        "{error}"
    );
}

#[test]
fn proxy_that_cannot_be_found_is_named() {
    let agent = agent(&options().proxy(ProxySetting::Url("http://proxy.test:3128".into())), &[]);
    let error = get(&agent, "https://example.test/").unwrap_err();
    let via = "(proxy proxy.test:3128, set by `HttpOptions::proxy`)";
    assert_eq!(error.to_string(), format!("failed to find host `proxy.test` {via}"));
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let agent = super::proxies::agent(&options().proxy(ProxySetting::Url(format!("http://{proxy}"))), &[]);
    let error = get(&agent, "https://example.test/").unwrap_err();
    let message = format!("failed to connect to the proxy (proxy {proxy}, set by `HttpOptions::proxy`)");
    assert_eq!((error.kind(), error.to_string()), (Connect, message));
}

/// TLS to the proxy, and inside it TLS to the server; only the server is shown
/// who the client is.
#[test]
fn proxy_behind_tls() {
    let authority = Authority::new(unchanged);
    let key = Key::generate();
    let certificate = certificate_pem(&authority.sign(&key, "client", unchanged));
    let certificate = ClientCertificate::from_pem(certificate, key.pem());
    for (proxy_name, refused) in [("localhost", None), ("other.test", Some("is for another name"))] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let outer = Arc::new(authority.serving(proxy_name, unchanged, Some(authority.wished()), &VERSIONS));
        let inner =
            Arc::new(authority.serving("example.test", unchanged, Some(authority.required()), &VERSIONS));
        let proxy = thread::spawn(move || -> io::Result<(String, bool)> {
            let connection = ServerConnection::new(outer).map_err(io::Error::other)?;
            let mut outer = StreamOwned::new(connection, listener.accept()?.0);
            let head = relay::head(&mut outer)?;
            assert!(outer.conn.peer_certificates().is_none());
            outer.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            let connection = ServerConnection::new(inner).map_err(io::Error::other)?;
            let mut inner = StreamOwned::new(connection, outer);
            relay::head(&mut inner)?;
            inner.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")?;
            inner.flush()?;
            Ok((head, inner.conn.peer_certificates().is_some()))
        });
        let options = trusting(&authority)
            .client_certificate(certificate.clone())
            .proxy(ProxySetting::Url(format!("https://localhost:{port}")));
        let agent = HttpAgent::new(&options).unwrap();
        let answer = get(&agent, "https://example.test/");
        match refused {
            None => {
                assert_eq!(answer.unwrap().body, b"{}");
                let (head, shown) = proxy.join().unwrap().unwrap();
                assert!(head.starts_with("CONNECT example.test:443 HTTP/1.1\r\n") && shown, "{head}");
            }
            Some(flaw) => {
                let via = format!("(proxy localhost:{port}, set by `HttpOptions::proxy`)");
                let message = format!("failed to verify localhost:{port}: its certificate {flaw} {via}");
                assert_eq!(answer.unwrap_err().to_string(), message);
                proxy.join().unwrap().unwrap_err();
            }
        }
    }
}

/// What fails behind the proxy, or takes too long, may be the proxy's fault.
#[test]
fn errors_behind_a_proxy_name_it() {
    let authority = Authority::new(unchanged);
    let relay = Relay::start(None);
    let proxy = format!("http://user:CANARY-proxy-5@127.0.0.1:{}", relay.port);
    let agent = agent(&trusting(&authority).proxy(ProxySetting::Environment), &[("https_proxy", proxy)]);
    let via = format!("(proxy 127.0.0.1:{}, set by `https_proxy`)", relay.port);
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{";
    let rows: [(Vec<Act>, &str); 3] = [
        (vec![Act::Read], "HOST closed the connection before a response"),
        (vec![Act::Read, super::server::send(cut)], "response of HOST was cut short"),
        (vec![Act::Read, Act::Hang], "timed out waiting for a response of HOST"),
    ];
    for (script, message) in rows {
        let server = Server::start_tls(vec![script], authority.server("example.test", unchanged));
        let url = format!("https://example.test:{}/", server.port);
        let request = HttpRequest::new(HttpMethod::Get, &url).timeout(Duration::from_secs(2));
        let error = agent.send(&request).unwrap_err();
        let text = error.to_string().replace(&format!("example.test:{}", server.port), "HOST");
        assert_eq!(text, format!("{message} {via}"), "{error:?}");
    }
}
