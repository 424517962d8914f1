//! The scripts of this folder, run by a Python of their own.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::{env, thread};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// A Python with the packages of `requirements.txt`.
pub(crate) struct Python {
    interpreter: PathBuf,
}

impl Python {
    /// Gives the Python of all tests; where it cannot be had, says so on standard error.
    ///
    /// # Panics
    ///
    /// Where it cannot be had although it must be: with `CI=true` or `LONGRUNNING_WITNESS=require`.
    pub(crate) fn find() -> Option<Self> {
        static ENVIRONMENT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        match ENVIRONMENT.get_or_init(environment).clone() {
            Ok(interpreter) => Some(Self { interpreter }),
            Err(reason) => {
                let reason =
                    format!("no Python with the packages of tests/witness/requirements.txt: {reason}");
                assert!(!is_required(), "{reason}");
                say(&format!("SKIPPED: {reason}"));
                None
            }
        }
    }

    /// Runs a script to its end: one JSON document in, one out.
    pub(crate) fn run<T: DeserializeOwned>(&self, script: &str, input: &Value) -> T {
        let mut child = self.start(script, &[]);
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_string();
        // Both ends at once, since a pipe holds only so much.
        let writer = thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{script}: {}", output.status);
        writer.join().unwrap().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Starts a script that serves until its input ends, and reads the line of JSON that it says first.
    pub(crate) fn serve<T: DeserializeOwned>(&self, script: &str) -> (Server, T) {
        self.serve_with(script, &[])
    }

    /// The same, with arguments.
    pub(crate) fn serve_with<T: DeserializeOwned>(&self, script: &str, arguments: &[String]) -> (Server, T) {
        let mut child = self.start(script, arguments);
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).unwrap();
        let server = Server(child);
        (server, serde_json::from_str(&line).unwrap_or_else(|error| panic!("{script}: {error}")))
    }

    fn start(&self, script: &str, arguments: &[String]) -> Child {
        Command::new(&self.interpreter)
            .args(ISOLATED)
            .arg(folder().join(script))
            .args(arguments)
            .envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

/// A script that serves until this is dropped.
pub(crate) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Says something on standard error, past the test runner, which would keep it to itself.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "\n{line}");
}

pub(crate) fn is_required() -> bool {
    is_set("LONGRUNNING_WITNESS", "require") || (is_set("CI", "true") && !is_unwanted())
}

/// Whether the tests are to do without Python, and without the packages from PyPI.
fn is_unwanted() -> bool {
    is_set("LONGRUNNING_WITNESS", "skip")
}

fn is_set(name: &str, value: &str) -> bool {
    env::var(name).is_ok_and(|set| set == value)
}

fn environment() -> Result<PathBuf, String> {
    if is_unwanted() {
        return Err("LONGRUNNING_WITNESS is `skip`".to_owned());
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("witness");
    let script = folder().join("environment.py");
    let mut reason = "no `python3` or `python` was found".to_owned();
    for python in ["python3", "python"] {
        let made = Command::new(python)
            .args(ISOLATED)
            .args([&script, &target, &folder().join("requirements.txt")])
            .output();
        match made {
            Ok(made) if made.status.success() => return last_line(&made.stdout).map(PathBuf::from),
            Ok(made) => reason = last_line(&made.stderr)?,
            Err(_) => {}
        }
    }
    Err(reason)
}

fn last_line(output: &[u8]) -> Result<String, String> {
    let text = String::from_utf8_lossy(output);
    text.lines().next_back().map(str::to_owned).ok_or_else(|| "it said nothing".to_owned())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/witness")
}

/// Nothing from the user's environment, and no `__pycache__` here.
const ISOLATED: [&str; 2] = ["-I", "-B"];
