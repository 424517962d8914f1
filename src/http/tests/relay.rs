//! An HTTP proxy: takes `CONNECT`, connects to loopback whatever the name, and
//! passes bytes on both ways.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

pub(crate) struct Relay {
    pub(crate) port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    /// Lets in those who send `authorization`, or everybody.
    pub(crate) fn start(authorization: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::<Mutex<Vec<_>>>::default();
        let seen = heads.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), seen) = (client, seen.clone()) else { return };
                thread::spawn(move || {
                    // A client that goes away ends the connection, nothing else.
                    let _ = serve(client, authorization, |head| seen.lock().unwrap().push(head));
                });
            }
        });
        Self { port, heads }
    }

    /// What was asked, one `CONNECT` each.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// The same proxy in a process of its own: this test binary, told to run
/// [`proxy_process`] alone.
pub(super) struct Process {
    pub(super) port: u16,
    child: Child,
}

impl Process {
    pub(super) fn start(authorization: &str) -> Self {
        let name = concat!(module_path!(), "::proxy_process").split_once("::").unwrap().1;
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", name, "--ignored", "--nocapture"])
            .env(AUTHORIZATION, authorization)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| line.strip_prefix(PORT)?.parse().ok());
        Self { port: port.unwrap(), child }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "not a test: the proxy that a test starts, and that ends with its standard input"]
fn proxy_process() {
    let Ok(authorization) = env::var(AUTHORIZATION) else { return };
    let relay = Relay::start(Some(authorization.leak()));
    println!("\n{PORT}{}", relay.port);
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
}

/// Tells the process whom to let in.
const AUTHORIZATION: &str = "LONGRUNNING_TEST_PROXY_AUTHORIZATION";
const PORT: &str = "proxy on port ";

fn serve(mut client: TcpStream, authorization: Option<&str>, record: impl Fn(String)) -> io::Result<()> {
    let head = head(&mut client)?;
    record(head.clone());
    let sent = head.lines().find_map(|line| line.strip_prefix("Proxy-Authorization: "));
    if authorization.is_some() && sent != authorization {
        return client.write_all(
            b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\
              Content-Length: 6\r\nConnection: close\r\n\r\ndenied",
        );
    }
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let port = target.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(0);
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
        return client.write_all(b"HTTP/1.0 502 Bad Gateway\r\n\r\n<html>no such host</html>");
    };
    client.write_all(b"HTTP/1.0 200 Connection established\r\nVia: 1.0 relay\r\n\r\n")?;
    let back = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || pass(back.0, back.1));
    pass(client, server);
    Ok(())
}

pub(super) fn head(client: &mut impl Read) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
