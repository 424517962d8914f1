//! nginx stands between the client and a server of grpcio's: HTTP/2 framed by someone else.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use longrunning::http::Roots;
use longrunning::{Code, ErrorKind, OperationsClient};

use super::tls::Authority;
use super::{GrpcServer, attempts, builder, plain};
use crate::python::{Python, is_required, say};

#[test]
fn calls_go_through() {
    let Some((python, program)) = find() else { return };
    let server = GrpcServer::start(&python, &plain());
    let authority = Authority::new();
    let front = Front::start(&program, server.port, &authority);
    for (client, name) in [(front.plain(), "plain"), (front.tls(&authority), "tls")] {
        // nginx ends a connection after three calls.
        for call in 0..20 {
            let asked = format!("operations/zip/{name}-{call}");
            let operation = client.get(asked.as_str()).send().unwrap();
            assert_eq!(operation.name(), asked);
        }
        let listed = client.list("projects/p/locations/l").page_size(2).into_iter();
        assert_eq!(listed.filter(|operation| operation.is_ok()).count(), 5, "{name}");
        client.cancel("operations/seen").send().unwrap();
        let error = client.get("operations/explain/9").send().unwrap_err();
        assert_eq!(error.status().unwrap().details().len(), 3, "{name}");
        let error = client.get("operations/fail/5").send().unwrap_err();
        assert_eq!(error.code(), Some(Code::NotFound), "{name}");
    }
    let large = builder(&front.url(PLAIN), Roots::None).message_limit(8 << 20).build().unwrap();
    let page = large.list("operations/big/5000000").send().unwrap();
    assert!(page.operations.len() > 4_000);
    let calls = server.calls();
    assert_eq!(calls.len(), 2 * (20 + 3 + 3) + 1, "no call was lost or made twice");
}

#[test]
fn answers_of_nginx_itself_are_told_apart() {
    let Some((python, program)) = find() else { return };
    let server = GrpcServer::start(&python, &plain());
    let port = server.port;
    let authority = Authority::new();
    let front = Front::start(&program, port, &authority);
    let client = builder(&front.url(PLAIN), Roots::None).retry(attempts(3)).build().unwrap();

    // Its limit for a wait is half a second.
    let error = client.wait("operations/sleep/5000").send().unwrap_err();
    assert_eq!((error.http_status(), error.code()), (Some(504), Some(Code::DeadlineExceeded)), "{error}");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Service, 3), "{error}");
    assert_eq!(server.calls().iter().filter(|call| call.name == "operations/sleep/5000").count(), 3);

    drop(server);
    let error = client.get("operations/seen").send().unwrap_err();
    assert_eq!((error.http_status(), error.code()), (Some(502), Some(Code::Unavailable)), "{error}");
    assert_eq!((error.kind(), error.attempts(), error.is_transient()), (ErrorKind::Service, 3, true));
    let told = error.to_string();
    assert!(told.contains("502") && !told.contains('<') && !told.contains('\n'), "{told}");

    let refused = builder(&front.url(REFUSING), Roots::None).retry(attempts(3)).build().unwrap();
    let error = refused.get("operations/seen").send().unwrap_err();
    assert_eq!((error.http_status(), error.code()), (Some(403), Some(Code::PermissionDenied)), "{error}");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Service, 1));
}

/// nginx in the foreground and as one process, with everything that it writes in a folder of its own.
struct Front {
    process: Child,
    folder: PathBuf,
    ports: [u16; 3],
}

impl Front {
    fn start(program: &Path, upstream: u16, authority: &Authority) -> Self {
        // Nobody can ask nginx which port it was given.
        let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = listeners.map(|listener| listener.local_addr().unwrap().port());
        let folder = env::temp_dir().join(format!("longrunning-nginx-{}", ports[0]));
        fs::create_dir_all(&folder).unwrap();
        let (certificate, key) = authority.sign("localhost");
        fs::write(folder.join("certificate.pem"), certificate).unwrap();
        fs::write(folder.join("key.pem"), key).unwrap();
        fs::write(folder.join("nginx.conf"), configuration(ports, upstream)).unwrap();
        let process = Command::new(program)
            .arg("-p")
            .arg(&folder)
            .args(["-c", "nginx.conf", "-e", "error.log"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut front = Self { process, folder, ports };
        front.wait();
        front
    }

    fn wait(&mut self) {
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.ports[0])).is_err() {
            if self.process.try_wait().unwrap().is_some() || start.elapsed() > Duration::from_secs(30) {
                let mut told = String::new();
                let _ = self.process.stderr.take().map(|mut stderr| stderr.read_to_string(&mut told));
                panic!("nginx does not start: {told}");
            }
            thread::yield_now();
        }
    }

    fn url(&self, port: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[port])
    }

    fn plain(&self) -> OperationsClient {
        builder(&self.url(PLAIN), Roots::None).build().unwrap()
    }

    fn tls(&self, authority: &Authority) -> OperationsClient {
        builder(&format!("https://localhost:{}", self.ports[TLS]), authority.roots()).build().unwrap()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Python and nginx; where one cannot be had, says so on standard error, or panics where both must be.
fn find() -> Option<(Python, PathBuf)> {
    let python = Python::find()?;
    let places =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    // Debian keeps it where only root looks.
    let mut places = places.into_iter().chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found =
        places.find_map(|place: PathBuf| Some(place.join("nginx")).filter(|program| program.is_file()));
    if found.is_none() {
        let reason = "no nginx: `apt-get install nginx-light` gives one";
        assert!(
            !is_required() || env::var_os("LONGRUNNING_NGINX").is_some_and(|set| set == "skip"),
            "{reason}"
        );
        say(&format!("SKIPPED: {reason}"));
    }
    Some((python, found?))
}

fn configuration([plain, tls, refusing]: [u16; 3], upstream: u16) -> String {
    format!(
        "daemon off; master_process off; pid nginx.pid;
        events {{ worker_connections 64; }}
        http {{
            access_log off;
            client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi; scgi_temp_path scgi;
            keepalive_requests 3;
            server {{
                listen 127.0.0.1:{plain} http2;
                listen 127.0.0.1:{tls} ssl http2;
                ssl_certificate certificate.pem; ssl_certificate_key key.pem;
                location / {{ grpc_pass grpc://127.0.0.1:{upstream}; }}
                location /google.longrunning.Operations/WaitOperation {{
                    grpc_pass grpc://127.0.0.1:{upstream}; grpc_read_timeout 500ms;
                }}
            }}
            server {{ listen 127.0.0.1:{refusing} http2; location / {{ return 403; }} }}
        }}"
    )
}

const PLAIN: usize = 0;
const TLS: usize = 1;
const REFUSING: usize = 2;
