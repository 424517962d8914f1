//! The program, a server for it, and what came out.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{Any, Code, Operation, Status};

use crate::default_signals;

/// One run of the program, to be put together.
pub(crate) struct Lro {
    arguments: Vec<String>,
    variables: BTreeMap<String, String>,
    input: String,
    shell: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program with a line of arguments, which are split at white space, and no credentials.
pub(crate) fn lro(arguments: &str) -> Lro {
    Lro::new(&["--anonymous"]).and(arguments)
}

impl Lro {
    pub(crate) fn new(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { arguments, variables: BTreeMap::new(), input: String::new(), shell: None }
    }

    pub(crate) fn and(mut self, arguments: &str) -> Self {
        self.arguments.extend(arguments.split_whitespace().map(str::to_owned));
        self
    }

    /// One more argument, which may have white space in it.
    pub(crate) fn word(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn input(mut self, input: &str) -> Self {
        self.input = input.to_owned();
        self
    }

    /// Redirects the output as a shell does, `>/dev/full` for example.
    #[cfg(target_os = "linux")]
    pub(crate) fn redirected(self, redirection: &str) -> Self {
        self.in_shell(&format!("exec \"$@\" {redirection}"))
    }

    /// Has a shell start the program, which is `"$@"` to it.
    #[cfg(target_os = "linux")]
    pub(crate) fn in_shell(mut self, script: &str) -> Self {
        self.shell = Some(script.to_owned());
        self
    }

    /// Asks this server, as the environment says.
    pub(crate) fn asks(self, server: &FakeServer) -> Self {
        self.variable("LRO_ENDPOINT", &server.url())
    }

    pub(crate) fn runs(self) -> Ran {
        let input = self.input.clone();
        let mut child = self.starts();
        let mut stdin = child.stdin.take().unwrap();
        // A program that does not read its input closes it.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        Ran::of(child)
    }

    pub(crate) fn starts(self) -> Child {
        self.starts_with(|_| {})
    }

    /// Starts with other streams than pipes.
    pub(crate) fn starts_with(self, streams: impl FnOnce(&mut Command)) -> Child {
        let mut command = self.command();
        command.args(&self.arguments).env_clear().envs(kept_variables()).envs(&self.variables);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        streams(&mut command);
        loop {
            match command.spawn() {
                // Wine fails now and then while it ends other processes.
                Err(error) if cfg!(windows) && error.raw_os_error() == Some(ERROR_INTERNAL_ERROR) => {}
                child => return child.unwrap(),
            }
        }
    }

    /// The program, or the shell that becomes it.
    fn command(&self) -> Command {
        let Some(script) = &self.shell else { return default_signals::command(PROGRAM) };
        let mut shell = default_signals::command("sh");
        shell.args(["-c", script, "sh", PROGRAM]);
        shell
    }
}

/// Reads a stream to its end on a thread; one that is not a pipe is empty.
fn read(stream: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.map(|mut stream| stream.read_to_end(&mut bytes).unwrap());
        // Nobody waits any more if the test has failed.
        let _ = sender.send(bytes);
    });
    receiver
}

impl Ran {
    /// Waits for the end of the program; kills one that does not end, and panics.
    #[track_caller]
    pub(crate) fn of(mut child: Child) -> Self {
        drop(child.stdin.take());
        let (stdout, stderr) = (read(child.stdout.take()), read(child.stderr.take()));
        let (Ok(stdout), Ok(stderr)) = (stdout.recv_timeout(LIMIT), stderr.recv_timeout(LIMIT)) else {
            child.kill().unwrap();
            panic!("the program does not end");
        };
        // Ended by a signal, as a shell counts it, or not at all.
        let code = child.wait().unwrap().code().unwrap_or(-1);
        Self { code, stdout: String::from_utf8(stdout).unwrap(), stderr: String::from_utf8(stderr).unwrap() }
    }

    /// The same, with standard input left open meanwhile.
    pub(crate) fn of_open(mut child: Child) -> Self {
        let stdin = child.stdin.take();
        let ran = Self::of(child);
        drop(stdin);
        ran
    }

    /// The names of the operations that were printed as JSON.
    pub(crate) fn names(&self) -> Vec<String> {
        let operations = self.stdout.lines().map(|line| Operation::from_json(line).unwrap());
        operations.map(|operation| operation.name().to_owned()).collect()
    }

    /// Checks the exit status; shows everything where it is another one.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Checks that standard error has a line that starts so.
    #[track_caller]
    pub(crate) fn says(self, start: &str) -> Self {
        assert!(self.stderr.lines().any(|line| line.starts_with(start)), "{start}\n{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn says_nothing(self) -> Self {
        assert_eq!(self.stderr, "", "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn prints(self, stdout: &str) -> Self {
        assert_eq!(self.stdout, stdout, "{self:#?}");
        self
    }
}

/// A server in real time, since the program has its own clock.
pub(crate) fn server() -> FakeServer {
    FakeServer::builder().real_time().start().unwrap()
}

/// One operation of each kind: `running`, `done`, `failed`, and `third`, which is done when it is asked for the third time.
pub(crate) fn full_server() -> FakeServer {
    let server = server();
    let index = Any::from_json(r#"{"@type":"type.googleapis.com/x.Index","rows":"9"}"#).unwrap();
    server.insert(Operation::running("operations/running"));
    server.insert(Operation::succeeded("operations/done", index));
    server
        .insert(Operation::failed("operations/failed", Status::new(Code::ResourceExhausted, "out of disk")));
    server.insert(FakeOperation::new("operations/third").done_at_poll(3));
    server
}

/// What every program needs to run at all; nothing of the user's.
pub(crate) fn kept_variables() -> BTreeMap<String, String> {
    let kept = ["PATH", "SystemRoot", "TEMP", "LLVM_PROFILE_FILE"];
    let mut variables: BTreeMap<_, _> =
        kept.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
    let home = std::env::temp_dir().join("lro-has-no-home").to_string_lossy().into_owned();
    variables.extend([("HOME".to_owned(), home.clone()), ("APPDATA".to_owned(), home)]);
    variables.insert("NO_GCE_CHECK".to_owned(), "true".to_owned());
    variables
}

/// An error of Windows.
const ERROR_INTERNAL_ERROR: i32 = 1359;

/// Far longer than any program takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_lro");
