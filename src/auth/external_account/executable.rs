//! A subject token that a program of the user prints.
//!
//! The program runs only where `GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES` is
//! `1`, without a shell, with a time limit after which it is killed.

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

#[derive(Clone, Debug)]
pub(super) struct ExecutableSource {
    program: String,
    arguments: Vec<String>,
    timeout: Duration,
    output_file: Option<PathBuf>,
    /// The environment of the program; `None` removes a variable of this
    /// process.
    variables: [(&'static str, Option<String>); 7],
}

impl ExecutableSource {
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

    /// Nothing but `1` allows it.
    pub(super) fn check_allowed(&self, env: &dyn Env) -> Result<(), String> {
        match env.var(ALLOW).as_deref() {
            Some("1") => Ok(()),
            _ => Err(format!("runs `{}`, which has to be allowed by `{ALLOW}=1`", shown(&self.program))),
        }
    }

    pub(super) fn subject_token(&self, request: &TokenRequest<'_>) -> Result<Secret, TokenError> {
        if let Some(token) = self.kept(request.now) {
            return Ok(token);
        }
        let FinishedProcess { status, mut stdout } = self.run(request)?;
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
    /// known to be good still.
    fn kept(&self, now: SystemTime) -> Option<Secret> {
        let text = file::read_regular(self.output_file.as_ref()?, "output file").ok()?;
        let output = ExecutableOutput::parse(&text).ok()?;
        output.expiration_time.is_some().then(|| output.token(now).ok()).flatten()
    }

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

    fn run(&self, request: &TokenRequest<'_>) -> Result<FinishedProcess, TokenError> {
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

/// The output of the program, version 1 of the protocol in AIP-4117.
#[derive(Deserialize)]
struct ExecutableOutput {
    version: Option<Value>,
    success: Option<bool>,
    token_type: Option<String>,
    id_token: Option<Secret>,
    saml_response: Option<Secret>,
    expiration_time: Option<f64>,
    code: Option<Value>,
    message: Option<String>,
}

impl ExecutableOutput {
    fn parse(text: &[u8]) -> Result<Self, String> {
        if text.trim_ascii().is_empty() {
            return Err("the executable printed nothing".into());
        }
        // Not the parser's own words: they may quote the token.
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

    fn refusal(&self) -> TokenError {
        let code = match &self.code {
            Some(Value::String(code)) => code.clone(),
            Some(code @ Value::Number(_)) => code.to_string(),
            _ => "no code".into(),
        };
        let message = self.message.as_deref().unwrap_or("no message");
        TokenError::permanent(format!("the executable has no token: {code}: {message}"))
    }

    fn token(self, now: SystemTime) -> Result<Secret, String> {
        if self.success != Some(true) {
            return Err("the output of the executable is not a success".into());
        }
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
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

const ALLOW: &str = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";
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
