//! A subject token that a program of the user prints.
//!
//! The program runs only if `GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES` is `1`:
//! a credentials file alone must not run code. It runs without a shell, and is
//! killed when its time is over.
//!
//! ```text
//! output file with an unexpired token ──► that token; nothing runs
//! else run ─┬─ printed JSON ────────────► that token
//!           └─ printed nothing, status 0 ► the token in the output file
//! ```
//!
//! The protocol is version 1 of [AIP-4117](https://google.aip.dev/auth/4117):
//! the program gets what it needs in variables, and prints JSON.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::Value;

use super::process::{self, FinishedProcess, ProcessFailure};
use super::{MAX_LEN, argv, file};
use crate::auth::impersonation::ImpersonationTarget;
use crate::auth::key_file::KeyFile;
use crate::auth::sts::TokenExchange;
use crate::auth::{TokenError, TokenRequest};
use crate::error::Error;
use crate::util::env::Env;
use crate::util::excerpt::shown;
use crate::util::file::ReadLimits;
use crate::util::secret::Secret;

/// `credential_source.executable` of a file.
#[derive(Clone, Debug)]
pub(super) struct ExecutableSource {
    /// The first word of the command.
    program: String,
    arguments: Vec<String>,
    /// How long the program may run, from 5 to 120 s.
    timeout: Duration,
    /// Where the program keeps its last output.
    output_file: Option<PathBuf>,
    /// The variables of the protocol. `None` removes a variable of this
    /// process, so that the program does not see the value of another call.
    variables: [(&'static str, Option<String>); 7],
}

impl ExecutableSource {
    /// Reads `credential_source.executable`.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Config`, if the command cannot be split or the timeout is
    /// out of range.
    pub(super) fn from_key_file(
        mut file: KeyFile,
        exchange: &TokenExchange,
        target: Option<&ImpersonationTarget>,
    ) -> Result<Self, Error> {
        let [command] = file.require(["command"])?;
        let arguments =
            argv::split(&command).map_err(|why| file.error(format_args!("has a `command` that {why}")))?;
        let mut arguments = arguments.into_iter();
        let program = arguments.next().unwrap_or_default();
        let timeout = match file.number("timeout_millis")? {
            None => DEFAULT_TIMEOUT,
            // The limits of Google's libraries.
            Some(millis @ 5_000..=120_000) => Duration::from_millis(millis),
            Some(millis) => {
                return Err(file.error(format_args!(
                    "has {millis} as `timeout_millis`: expected 5000 to 120000 milliseconds"
                )));
            }
        };
        let output_file = file.text("output_file")?;
        let email = target.map(|target| target.email.clone());
        let variables = [
            ("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE", Some(exchange.audience.clone())),
            ("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE", Some(exchange.subject_token_type.clone())),
            ("GOOGLE_EXTERNAL_ACCOUNT_ID", Some(email.clone().unwrap_or_default())),
            ("GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE", Some("0".into())),
            ("GOOGLE_EXTERNAL_ACCOUNT_REVOKE", Some("0".into())),
            ("GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL", email),
            ("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", output_file.clone()),
        ];
        let output_file = output_file.map(PathBuf::from);
        Ok(Self { program, arguments: arguments.collect(), timeout, output_file, variables })
    }

    /// Checks that the environment allows programs. No other value than `1`
    /// does.
    pub(super) fn check_allowed(&self, env: &dyn Env) -> Result<(), String> {
        match env.var(ALLOW).as_deref() {
            Some("1") => Ok(()),
            _ => Err(format!("runs `{}`, which has to be allowed by `{ALLOW}=1`", shown(&self.program))),
        }
    }

    /// Returns the token of the output file, or runs the program.
    pub(super) fn subject_token(&self, request: &TokenRequest<'_>) -> Result<Secret, TokenError> {
        if let Some(token) = self.cached(request.now) {
            return Ok(token);
        }
        let FinishedProcess { status, mut stdout } = self.run(request)?;
        // A program with an output file may print nothing.
        let silent = status.success() && stdout.trim_ascii().is_empty();
        if let Some(path) = self.output_file.as_ref().filter(|_| silent) {
            stdout = file::read_regular(path, "the output file of the executable")?;
        }
        match ExecutableOutput::parse(&stdout) {
            // Says more than the exit status does.
            Ok(output) if output.success == Some(false) => Err(output.refusal()),
            _ if !status.success() => Err(TokenError::permanent(format!(
                "executable `{}` ended with {status}: run it by hand to see why",
                shown(&self.program)
            ))),
            Ok(output) => output.token(request.now).map_err(TokenError::permanent),
            Err(why) => Err(TokenError::permanent(why)),
        }
    }

    /// Returns the token that an earlier run left in the output file, if it is
    /// known not to be expired. An output without an expiration time is not
    /// used: it may be of any age.
    fn cached(&self, now: SystemTime) -> Option<Secret> {
        let text = file::read_regular(self.output_file.as_ref()?, "output file").ok()?;
        let output = ExecutableOutput::parse(&text).ok()?;
        output.expiration_time.is_some().then(|| output.token(now).ok()).flatten()
    }

    /// Returns the program with its arguments and variables. It inherits the
    /// rest of the environment.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Runs the program within its timeout and the remaining time of the
    /// attempt. The message says which of the two ended it.
    fn run(&self, request: &TokenRequest<'_>) -> Result<FinishedProcess, TokenError> {
        // Taken once, so that the message and the limit agree.
        let left = request.remaining();
        let timeout = self.timeout.min(left);
        let limits = ReadLimits::within(timeout, request.stop);
        let program = shown(&self.program);
        process::run(&mut self.command(), &limits, MAX_LEN).map_err(|failure| match failure {
            ProcessFailure::Io(error) => {
                TokenError::permanent(format!("executable `{program}` cannot be run")).with_source(error)
            }
            ProcessFailure::Timeout => {
                let seconds = timeout.as_secs_f64();
                let limit =
                    if left < self.timeout { "the attempt had left" } else { "`timeout_millis` gives it" };
                TokenError::transient(format!(
                    "executable `{program}` was killed after {seconds:.1} s, which is what {limit}"
                ))
            }
            ProcessFailure::Stopped => {
                TokenError::transient(format!("executable `{program}` was killed: the call was stopped"))
            }
            ProcessFailure::TooLarge => {
                TokenError::permanent(format!("executable `{program}` was killed: it wrote more than 1 MiB"))
            }
        })
    }
}

/// The output of the program, version 1 of the protocol.
#[derive(Deserialize)]
struct ExecutableOutput {
    version: Option<Value>,
    success: Option<bool>,
    token_type: Option<String>,
    id_token: Option<Secret>,
    saml_response: Option<Secret>,
    /// When the token expires, in seconds since 1970.
    expiration_time: Option<f64>,
    code: Option<Value>,
    message: Option<String>,
}

impl ExecutableOutput {
    /// Parses and checks the output, except for its token.
    fn parse(text: &[u8]) -> Result<Self, String> {
        if text.trim_ascii().is_empty() {
            return Err("the executable printed nothing".into());
        }
        // Not the parser's own message: it may quote the token.
        let output: Self = serde_json::from_slice(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("the output of the executable cannot be read: line {line}, column {column}")
        })?;
        match (&output.version, output.success) {
            (None, _) => Err("the output of the executable lacks `version`".into()),
            (Some(version), _) if version.as_u64() != Some(1) => {
                Err("the output of the executable is of another `version` than 1".into())
            }
            (_, None) => Err("the output of the executable lacks `success`".into()),
            _ => Ok(output),
        }
    }

    /// Returns the error that the program reports.
    fn refusal(&self) -> TokenError {
        let code = match &self.code {
            Some(Value::String(code)) => code.clone(),
            Some(code @ Value::Number(_)) => code.to_string(),
            _ => "no code".into(),
        };
        let message = self.message.as_deref().unwrap_or("no message");
        TokenError::permanent(format!("the executable has no token: {code}: {message}"))
    }

    /// Returns the token in the field that its type names.
    ///
    /// # Errors
    ///
    /// Says why there is none, or that it has expired.
    fn token(self, now: SystemTime) -> Result<Secret, String> {
        if self.success != Some(true) {
            return Err("the output of the executable is not a success".into());
        }
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        // Without a time, the token is used now and not kept.
        if self.expiration_time.is_some_and(|expiration| expiration <= now) {
            return Err("the token of the executable has expired".into());
        }
        let (field, token) = match self.token_type.as_deref() {
            Some("urn:ietf:params:oauth:token-type:jwt" | "urn:ietf:params:oauth:token-type:id_token") => {
                ("id_token", self.id_token)
            }
            Some("urn:ietf:params:oauth:token-type:saml2") => ("saml_response", self.saml_response),
            Some(_) => {
                return Err("the output of the executable has a `token_type` that is not known: \
                 expected `urn:ietf:params:oauth:token-type:` with `jwt`, `id_token` or `saml2`"
                    .into());
            }
            None => return Err("the output of the executable lacks `token_type`".into()),
        };
        token
            .filter(|token| !token.expose().is_empty())
            .ok_or_else(|| format!("the output of the executable lacks `{field}`"))
    }
}

/// The variable that allows programs.
const ALLOW: &str = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";
/// How long a program may run, if the file does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use serde_json::json;

    use super::*;
    use crate::auth::CredentialsPolicy;

    #[test]
    fn variables_that_this_process_may_have_inherited_are_not_handed_on() {
        let file = json!({"command": "/bin/tool 'a b'"});
        let exchange = TokenExchange {
            token_url: String::new(),
            audience: "audience".into(),
            subject_token_type: "type".into(),
            client: None,
            user_project: None,
        };
        let file = KeyFile::from_value(file, &CredentialsPolicy::default()).unwrap();
        let command = ExecutableSource::from_key_file(file, &exchange, None).unwrap().command();
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["a b"]);
        let value = |name: &str| {
            command.get_envs().find(|(each, _)| *each == OsStr::new(name)).map(|(_, value)| value)
        };
        assert_eq!(value("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE"), Some(Some(OsStr::new("audience"))));
        assert_eq!(value("GOOGLE_EXTERNAL_ACCOUNT_ID"), Some(Some(OsStr::new(""))));
        for removed in ["GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL", "GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE"] {
            assert_eq!(value(removed), Some(None), "{removed}");
        }
    }
}
