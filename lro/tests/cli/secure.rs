//! TLS in front of a fake server, and a proxy to it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use longrunning::testing::FakeServer;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The authority that the server is to be trusted by.
pub(crate) const CA_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ca.pem");

const CERTIFICATE: &[u8] = include_bytes!("../fixtures/server.pem");
const KEY: &[u8] = include_bytes!("../fixtures/server.key.pem");

/// Speaks TLS as `localhost` and as services of Google, and passes requests on. It is a proxy to itself too, whatever
/// host is to be connected to.
pub(crate) struct SecureServer {
    pub(crate) address: SocketAddr,
    connects: Arc<Mutex<Vec<String>>>,
}

impl SecureServer {
    pub(crate) fn start(behind: &FakeServer) -> Self {
        let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
        let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let connects = Arc::new(Mutex::new(Vec::new()));
        let (log, behind) = (Arc::clone(&connects), behind.url().replace("http://", ""));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (config, log, behind) = (Arc::clone(&config), Arc::clone(&log), behind.clone());
                thread::spawn(move || serve(client, config, &log, &behind));
            }
        });
        Self { address, connects }
    }

    /// The hosts that the proxy was to connect to, without repetitions.
    pub(crate) fn connects(&self) -> Vec<String> {
        let mut hosts = self.connects.lock().unwrap().clone();
        hosts.sort();
        hosts.dedup();
        hosts
    }
}

/// One request; none if the client does not trust the certificate.
fn serve(
    mut client: TcpStream,
    config: Arc<ServerConfig>,
    log: &Mutex<Vec<String>>,
    behind: &str,
) -> Option<()> {
    let mut first = [0];
    client.peek(&mut first).ok()?;
    if first == *b"C" {
        let request = head(&mut client)?;
        log.lock().unwrap().push(request.split(' ').nth(1)?.to_owned());
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    }
    let mut client = StreamOwned::new(ServerConnection::new(config).ok()?, client);
    let request = head(&mut client)?;
    let length = request
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body).ok()?;
    let mut server = TcpStream::connect(behind).ok()?;
    let request = request.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    server.write_all(request.as_bytes()).ok()?;
    server.write_all(&body).ok()?;
    let mut response = Vec::new();
    server.read_to_end(&mut response).ok()?;
    client.write_all(&response).ok()?;
    client.conn.send_close_notify();
    client.flush().ok()
}

/// A request up to its empty line.
fn head(stream: &mut impl Read) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    String::from_utf8(head).ok()
}
