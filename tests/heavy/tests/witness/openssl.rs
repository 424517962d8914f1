//! `openssl s_server` refuses and is refused: the error names the reason.

use std::error::Error as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use longrunning::http::{ClientCertificate, HttpOptions, ProxySetting, Roots};
use longrunning::{Credentials, Error, OperationsClient, RetryPolicy};

use crate::python::{is_required, say};

#[test]
fn certificates_of_servers_that_are_refused() {
    let Some(folder) = Folder::new() else { return };
    let not_ca = ["-addext", "basicConstraints=critical,CA:FALSE"];
    let rows: [(&str, &str, &[&str], &str); 4] = [
        (
            "authority",
            "rsa:2048",
            &[],
            "is that of a certificate authority (CA:TRUE, the default of `openssl req -x509`), and not for a server",
        ),
        (
            "weak",
            "rsa:1024",
            &not_ca,
            "is signed by an authority whose RSA key is too weak (1024 bits, expected at least 2048)",
        ),
        (
            "short",
            "rsa:1536",
            &not_ca,
            "is signed by an authority whose RSA key is too weak (1536 bits, expected at least 2048)",
        ),
        ("good", "rsa:2048", &not_ca, ""),
    ];
    for (name, key, more, flaw) in rows {
        folder.self_signed(name, key, more);
        let server = folder.serve(name, &[]);
        let error = server.get(&folder, name, None);
        let expected = format!("failed to verify localhost:{}: its certificate {flaw}", server.port);
        match flaw {
            "" => assert!(!error.to_string().contains("failed to verify"), "{name}: {error}"),
            _ => assert_eq!(message(&error), expected, "{name}"),
        }
    }
}

#[test]
fn weak_key_below_a_strong_authority() {
    let Some(folder) = Folder::new() else { return };
    folder.self_signed("strong", "rsa:2048", &[]);
    folder.signed("leaf", "rsa:1024", "strong");
    for version in ["-tls1_2", "-tls1_3"] {
        let server = folder.serve("leaf", &[version]);
        let error = server.get(&folder, "strong", None);
        let flaw = "has an RSA key that is too weak (1024 bits, expected at least 2048)";
        let expected = format!("failed to verify localhost:{}: its certificate {flaw}", server.port);
        assert_eq!(message(&error), expected, "{version}");
        assert!(!error.is_transient(), "{version}");
    }
}

#[test]
fn servers_that_require_a_client_certificate() {
    let Some(folder) = Folder::new() else { return };
    folder.self_signed("strong", "rsa:2048", &[]);
    folder.signed("server", "rsa:2048", "strong");
    folder.self_signed("other", "rsa:2048", &[]);
    folder.signed("stranger", "rsa:2048", "other");
    let verify = ["-Verify", "1", "-verify_return_error", "-CAfile"];
    let authority = folder.path("strong.crt");
    for version in ["-tls1_2", "-tls1_3"] {
        let options = [&verify[..], &[authority.to_str().unwrap(), version]].concat();
        let server = folder.serve("server", &options);
        let error = server.get(&folder, "strong", None);
        let expected = format!("localhost:{} requires a client certificate", server.port);
        assert_eq!(message(&error), expected, "{version}");
        let error = server.get(&folder, "strong", Some("stranger"));
        let text = message(&error);
        assert!(text.contains("client certificate"), "{version}: {text}");
        assert!(text.contains("refused") || text.contains("may not accept it"), "{version}: {text}");
    }
}

fn message(error: &Error) -> String {
    error.to_string().replace("GetOperation `operations/42`: ", "")
}

/// Keys, certificates and servers, in a folder of their own.
struct Folder(PathBuf);

impl Folder {
    /// None where there is no OpenSSL.
    fn new() -> Option<Self> {
        let found = Command::new("openssl").arg("version").stdout(Stdio::null()).status();
        if !found.is_ok_and(|status| status.success()) {
            assert!(!is_required(), "no openssl");
            say("SKIPPED: no openssl");
            return None;
        }
        let name = format!("longrunning-openssl-{}-{:?}", process::id(), thread::current().id());
        let path = env::temp_dir().join(name.replace(['(', ')'], ""));
        fs::create_dir_all(&path).unwrap();
        Some(Self(path))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn self_signed(&self, name: &str, key: &str, more: &[&str]) {
        let subject = format!("/CN={name}");
        let options = ["req", "-x509", "-newkey", key, "-nodes", "-days", "2", "-subj", &subject];
        let alternative = ["-addext", "subjectAltName=DNS:localhost"];
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        self.run(&[&options[..], &alternative, more, &["-keyout", &key, "-out", &certificate]].concat());
    }

    fn signed(&self, name: &str, key: &str, by: &str) {
        fs::write(self.path("extensions"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
            .unwrap();
        let (request, certificate) = (format!("{name}.csr"), format!("{name}.crt"));
        let (own, subject) = (format!("{name}.key"), format!("/CN={name}"));
        self.run(&["req", "-newkey", key, "-nodes", "-subj", &subject, "-keyout", &own, "-out", &request]);
        let (authority, authority_key) = (format!("{by}.crt"), format!("{by}.key"));
        let options = ["-CA", &authority, "-CAkey", &authority_key, "-CAcreateserial", "-days", "2"];
        let files = ["-in", &request, "-out", &certificate, "-extfile", "extensions"];
        self.run(&[&["x509", "-req"], &options[..], &files].concat());
    }

    fn run(&self, arguments: &[&str]) {
        let output = Command::new("openssl").args(arguments).current_dir(&self.0).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn serve(&self, name: &str, more: &[&str]) -> Server {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        let process = Command::new("openssl")
            .args(["s_server", "-quiet", "-www", "-accept", &port.to_string(), "-key", &key, "-cert"])
            // Or it would not serve a weak certificate.
            .args([&certificate, "-cipher", "DEFAULT@SECLEVEL=0"])
            .args(more)
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { process, port };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "s_server does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        server
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Server {
    process: Child,
    port: u16,
}

impl Server {
    /// The error of a call by a client that trusts `root`, and has the certificate `own`.
    fn get(&self, folder: &Folder, root: &str, own: Option<&str>) -> Error {
        let pem = |path: &Path| fs::read(path).unwrap();
        let roots = Roots::Pem(pem(&folder.path(&format!("{root}.crt"))));
        let mut options = HttpOptions::new().roots(roots).proxy(ProxySetting::None);
        if let Some(own) = own {
            let path = |end: &str| folder.path(&format!("{own}.{end}"));
            options = options.client_certificate(ClientCertificate::from_files(path("crt"), path("key")));
        }
        let client = OperationsClient::builder(format!("https://localhost:{}", self.port))
            .credentials(Credentials::anonymous())
            .http_options(options)
            .retry(RetryPolicy::never())
            .build()
            .unwrap();
        let error = client.get("operations/42").send().unwrap_err();
        assert!(
            !format!("{error:?}").is_empty()
                && error.source().is_none_or(|cause| !cause.to_string().is_empty())
        );
        error
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
