//! What goes over the wire, what comes back, and what is never printed.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;

use super::super::HttpErrorKind::{Connect, Proxy, Request, Timeout, Tls};
use super::server::{Act, Server, ok, send};
use super::{
    HttpAgent, HttpClient, HttpMethod, HttpRequest, HttpResponse, ProxySetting, agent, get, get_in_short,
    options,
};

fn headers<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

#[test]
fn request_is_what_was_asked_for_and_nothing_more() {
    use HttpMethod::{Delete, Get, Patch, Post, Put};
    let gzip = if cfg!(feature = "gzip") { "accept-encoding: gzip\r\n" } else { "" };
    let rows: &[(HttpMethod, Option<&[u8]>, &str)] = &[
        (Get, None, ""),
        (Delete, None, ""),
        (Post, Some(b"{\"a\":1}"), "content-length: 7\r\n|{\"a\":1}"),
        (Put, Some(b"1"), "content-length: 1\r\n|1"),
        (Patch, Some(b"1"), "content-length: 1\r\n|1"),
        (Post, None, "content-length: 0\r\n"),
        (Get, Some(b"1"), "content-length: 1\r\n|1"),
    ];
    for (method, body, framing) in rows {
        let server = Server::start(vec![vec![Act::Read, ok("{}")]]);
        let url = format!("{}:cancel?a=%2F&b=1", server.url());
        let headers = headers(&[
            ("X-Goog-Api-Client", "gl-rust/1.88"),
            ("user-agent", "test/1 (gzip)"),
            ("x-a", ""),
            ("x-a", "2"),
        ]);
        let mut request = HttpRequest::new(*method, &url).headers(&headers);
        request.body = *body;
        agent().send(&request).unwrap();
        let sent = server.requests().remove(0);
        let (head, sent_body) = sent.split_once("\r\n\r\n").unwrap();
        let (line, rest) = head.split_once("\r\n").unwrap();
        assert_eq!(line, format!("{} /v1/operations/42:cancel?a=%2F&b=1 HTTP/1.1", method.as_str()));
        let (framing, expected_body) = framing.split_once('|').unwrap_or((framing, ""));
        let mut found: Vec<&str> = rest.lines().collect();
        let host = format!("host: 127.0.0.1:{}\r\n", server.port);
        let own = "x-goog-api-client: gl-rust/1.88\r\nuser-agent: test/1 (gzip)\r\nx-a: \r\nx-a: 2\r\n";
        let expected = format!("{host}{own}{gzip}{framing}");
        let mut expected: Vec<&str> = expected.lines().collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{method:?}");
        assert_eq!(sent_body, expected_body, "{method:?}");
    }
}

#[test]
fn any_status_is_an_answer() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n{{}}", "x-a: b\r\n".repeat(128));
    let rows = [
        ("128 headers", many.as_str(), 200, "{}"),
        (
            "redirect",
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 4\r\n\r\nmove",
            302,
            "move",
        ),
        (
            "redirect without a body",
            "HTTP/1.1 307 x\r\nlocation: /loop\r\ncontent-length: 0\r\n\r\n",
            307,
            "",
        ),
        ("moved", "HTTP/1.1 301 x\r\nlocation: /loop\r\ncontent-length: 0\r\n\r\n", 301, ""),
        ("permanent redirect", "HTTP/1.1 308 x\r\nlocation: /loop\r\ncontent-length: 0\r\n\r\n", 308, ""),
        ("no content", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        ("not modified", "HTTP/1.1 304 Not Modified\r\n\r\n", 304, ""),
        ("not found", "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}", 404, "{}"),
        ("teapot", "HTTP/1.1 418 \r\ncontent-length: 0\r\n\r\n", 418, ""),
        ("no reason", "HTTP/1.1 500\r\ncontent-length: 0\r\n\r\n", 500, ""),
        ("unknown status", "HTTP/1.1 599 x\r\ncontent-length: 1\r\n\r\nx", 599, "x"),
        (
            "after 100",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
            200,
            "{}",
        ),
        (
            "after 103",
            "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
            200,
            "{}",
        ),
        ("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n{}", 200, "{}"),
        ("until closed", "HTTP/1.1 200 OK\r\n\r\n{}", 200, "{}"),
        (
            "chunks",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;x=y\r\n{\r\n1\r\n}\r\n0\r\nx-t: 1\r\n\r\n",
            200,
            "{}",
        ),
        (
            "same length twice",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n{}",
            200,
            "{}",
        ),
        (
            "identity",
            "HTTP/1.1 200 OK\r\ncontent-encoding: identity\r\ncontent-length: 2\r\n\r\n{}",
            200,
            "{}",
        ),
    ];
    for (name, answer, status, body) in rows {
        let server = Server::start(vec![vec![Act::Read, send(answer)]]);
        let answer = get(&agent(), &server.url()).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!((answer.status, answer.body.as_slice()), (status, body.as_bytes()), "{name}");
        if name == "redirect" {
            assert_eq!(answer.header("Location"), Some("http://127.0.0.1:1/"));
        }
        assert_eq!(server.requests().len(), 1, "{name}");
    }
}

/// With so little time the socket does not block, and takes what it has room
/// for.
#[test]
fn large_body_arrives_whole_in_a_short_time() {
    let server = Server::start(vec![vec![Act::Peek, Act::Fill, Act::Read, ok("{}")]; 100]);
    let (agent, url) = (agent(), server.url());
    let body: Vec<u8> = (0..4u32 << 20).map(|at| b'a' + (at % 23) as u8).collect();
    let mut timeout = Duration::from_millis(50);
    let request = HttpRequest::new(HttpMethod::Post, &url).body(&body);
    // On a busy machine the time may not suffice; what arrives must be whole all
    // the same.
    while let Err(error) = agent.send(&request.timeout(timeout)) {
        assert_eq!(error.kind(), Timeout, "{error:?}");
        timeout += Duration::from_millis(10);
    }
    for request in server.requests() {
        assert!(request.as_bytes().ends_with(&body));
    }
}

#[test]
fn longest_budget_is_no_overflow() {
    let server = Server::start(vec![vec![Act::Serve]]);
    let (agent, url) = (agent(), format!("http://localhost:{}/", server.port));
    for timeout in [Duration::MAX, Duration::from_secs(u64::MAX / 2)] {
        let request = HttpRequest::new(HttpMethod::Get, &url).timeout(timeout).limit(usize::MAX);
        assert_eq!(agent.send(&request).unwrap().body, b"{}");
    }
}

#[test]
fn headers_that_are_not_utf8_are_read() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nX-Latin: caf\xe9\r\nSet-Cookie: a=1\r\n\r\n";
    let server = Server::start(vec![vec![Act::Read, send(head), Act::Serve]]);
    let agent = agent();
    let answer = get(&agent, &server.url()).unwrap();
    assert_eq!(answer.header("x-latin"), Some("caf\u{fffd}"));
    get(&agent, &server.url()).unwrap();
    assert!(!server.requests()[1].contains("cookie"));
}

#[test]
fn requests_that_cannot_be_sent() {
    let url = "http://127.0.0.1:1/";
    type Row = (&'static str, &'static [(&'static str, &'static str)], &'static str);
    let rows: &[Row] = &[
        ("", &[], "invalid request URL: it is not an absolute URL"),
        ("/v1/operations", &[], "invalid request URL: it is not an absolute URL"),
        ("ftp://127.0.0.1/", &[], "invalid request URL: its scheme is not `https` or `http`"),
        ("http://", &[], "invalid request URL: it has no host"),
        ("http://:80/", &[], "invalid request URL: it has no host"),
        ("http://127.0.0.1:65536/", &[], "invalid request URL: its port is not a number up to 65535"),
        ("http://127.0.0.1:/", &[], "invalid request URL: its port is not a number up to 65535"),
        ("http://127.0.0.1/a b", &[], "invalid request URL: it is not well formed"),
        ("http://127.0.0.1/\r\nx-a: b", &[], "invalid request URL: it is not well formed"),
        ("http://user:CANARY-url-1@127.0.0.1/", &[], "invalid request URL: it contains credentials"),
        (url, &[("x a", "1")], "cannot send header `x a`: its name is not a header name"),
        (url, &[("", "1")], "cannot send header ``: its name is not a header name"),
        (url, &[("x-a\r\nx-b", "1")], "cannot send header `x-a\\r\\nx-b`: its name is not a header name"),
        (
            url,
            &[("x-a", "CANARY-header-2\r\nx-b: 1")],
            "cannot send header `x-a`: its value is not printable ASCII",
        ),
        (url, &[("x-a", "caf\u{e9}")], "cannot send header `x-a`: its value is not printable ASCII"),
        (url, &[("host", "example.com")], "cannot send header `host`: the client sets it"),
        (url, &[("Content-Length", "1")], "cannot send header `Content-Length`: the client sets it"),
        (
            url,
            &[("transfer-encoding", "chunked")],
            "cannot send header `transfer-encoding`: the client sets it",
        ),
    ];
    for (url, pairs, message) in rows {
        let headers = headers(pairs);
        let error = agent().send(&HttpRequest::new(HttpMethod::Get, url).headers(&headers)).unwrap_err();
        assert_eq!(error.to_string(), *message, "{url}");
        assert_eq!((error.kind(), error.was_sent(), error.is_transient()), (Request, false, false), "{url}");
        assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let headers = headers(&[
        ("Authorization", "Bearer CANARY-token-1"),
        ("x-goog-api-key", "CANARY-key-2"),
        ("x-my-secret", "CANARY-own-3"),
        ("content-type", "application/json"),
    ]);
    let request = HttpRequest::new(HttpMethod::Post, "https://example.com/v1?key=CANARY-query-4");
    let printed = format!("{:?}", request.headers(&headers).body(b"CANARY-body-5"));
    assert!(!printed.contains("CANARY"), "{printed}");
    assert!(printed.contains("https://example.com/v1") && printed.contains("application/json"), "{printed}");
    let answer = HttpResponse::new(200, "CANARY-body-6").with_header("Set-Cookie", "CANARY-cookie-7");
    let printed = format!("{:?}", answer.with_header("content-type", "text/html"));
    assert!(!printed.contains("CANARY") && printed.contains("text/html"), "{printed}");
    let setting = ProxySetting::Url("http://user:CANARY-proxy-8@127.0.0.1:1".into());
    let options = options().proxy(setting);
    let agent = HttpAgent::new(&options).unwrap();
    assert!(!format!("{options:?} {agent:?}").contains("CANARY"));
    let error = get(&agent, "https://example.test/").unwrap_err();
    assert!(!format!("{error:?} {error} {:?}", error.source()).contains("CANARY"));
}

#[test]
fn proxy_is_asked_to_connect() {
    let proxy = |script| {
        let server = Server::start(vec![script]);
        let url = format!("http://user:pass%20word@127.0.0.1:{}", server.port);
        (HttpAgent::new(&options().proxy(ProxySetting::Url(url))).unwrap(), server)
    };
    let (agent, server) = proxy(vec![Act::Read, send("HTTP/1.1 200 OK\r\n\r\n"), Act::Serve]);
    for _ in 0..2 {
        assert_eq!(get(&agent, "http://example.test/v1").unwrap().body, b"{}");
    }
    let requests = server.requests();
    assert!(requests[0].starts_with("CONNECT example.test:80 HTTP/1.1\r\n"), "{}", requests[0]);
    assert!(requests[0].contains("Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n"), "{}", requests[0]);
    assert!(
        requests[1].starts_with("GET /v1 HTTP/1.1\r\n") && !requests[1].contains("Proxy"),
        "{}",
        requests[1]
    );
    assert_eq!(requests.len(), 3);

    let rows: [(&str, Vec<Act>, _, bool, &str); 6] = [
        (
            "407",
            vec![Act::Read, send("HTTP/1.1 407 x\r\n\r\n")],
            Proxy,
            false,
            "the proxy did not connect to example.test:443: it refused the user and password given (407)",
        ),
        (
            "502",
            vec![Act::Read, send("HTTP/1.1 502 x\r\n\r\n")],
            Proxy,
            true,
            "the proxy did not connect to example.test:443: it responded with 502",
        ),
        (
            "silent",
            vec![Act::Read],
            Proxy,
            true,
            "the proxy did not connect to example.test:443: it did not respond",
        ),
        ("reset", vec![Act::Peek, Act::Reset], Connect, true, "failed to connect to example.test:443"),
        (
            "cut tunnel",
            vec![Act::Read, send("HTTP/1.1 200 OK\r\n\r\n")],
            Connect,
            true,
            "failed to connect to example.test:443",
        ),
        (
            "no TLS behind it",
            vec![Act::Read, send("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 400 x\r\n\r\n"), Act::Hang],
            Tls,
            false,
            "TLS handshake with example.test:443 failed: it does not speak TLS",
        ),
    ];
    for (name, script, kind, transient, message) in rows {
        let (agent, server) = proxy(script);
        let error = get(&agent, "https://example.test/").unwrap_err();
        let message = format!("{message} (proxy 127.0.0.1:{}, set by `HttpOptions::proxy`)", server.port);
        assert_eq!(error.to_string(), message, "{name}: {error:?}");
        assert_eq!(
            (error.kind(), error.was_sent(), error.is_transient()),
            (kind, false, transient),
            "{name}"
        );
    }
}

#[test]
fn proxy_that_is_not_there_is_named() {
    let agent = HttpAgent::new(&options().proxy(ProxySetting::Url("http://127.0.0.1:1".into()))).unwrap();
    let error = get(&agent, "https://example.test/").unwrap_err();
    let message = "failed to connect to the proxy (proxy 127.0.0.1:1, set by `HttpOptions::proxy`)";
    assert_eq!((error.kind(), error.to_string().as_str()), (Connect, message));
}

#[test]
fn kept_tunnel_that_broke_costs_no_attempt() {
    let tunnel = || vec![Act::Read, send("HTTP/1.1 200 OK\r\n\r\n"), Act::Read, ok("1"), Act::Read];
    let server = Server::start(vec![tunnel(), tunnel()]);
    let url = format!("http://127.0.0.1:{}", server.port);
    let agent = HttpAgent::new(&options().proxy(ProxySetting::Url(url))).unwrap();
    for _ in 0..2 {
        assert_eq!(get(&agent, "http://example.test/").unwrap().body, b"1");
    }
    assert_eq!(server.connections(), [0, 0, 0, 1, 1]);
}

#[test]
fn slow_proxy_is_within_the_budget() {
    let drip = Act::Drip(format!("HTTP/1.1 200 OK\r\nx-filler: {}", "x".repeat(4000)).into());
    for (name, script) in [("silent", vec![Act::Read, Act::Hang]), ("drips", vec![Act::Read, drip])] {
        let server = Server::start(vec![script]);
        let url = format!("http://127.0.0.1:{}", server.port);
        let agent = HttpAgent::new(&options().proxy(ProxySetting::Url(url))).unwrap();
        let error = get_in_short(&agent, "https://example.test/").unwrap_err();
        let via = format!("(proxy 127.0.0.1:{}, set by `HttpOptions::proxy`)", server.port);
        let message = format!("timed out while connecting to example.test:443 {via}");
        assert_eq!(error.to_string(), message, "{name}");
        assert!(!error.was_sent() && error.is_transient(), "{name}");
    }
}
