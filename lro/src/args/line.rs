//! Arguments back into a command line: how to go on after an interruption.
//!
//! The line means the same as what was typed, in another shell too: paths,
//! options and the endpoint are repeated, in a fixed order. Values that may be
//! secrets are not repeated, see `redact`.
//!
//! ```text
//! LRO_ENDPOINT=http://127.0.0.1:4242 lro --anonymous wait --on-timeout cancel operations/42
//! ```

use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;

use super::{Globals, LongPollArg, OnTimeoutArg, ShellKind, WaitArgs, duration};
use crate::redact;

/// Returns the command that continues to wait for `names`, to be pasted into a
/// shell.
///
/// With a journal the names are left out, because the journal has them.
/// `endpoint` is that of the environment: it is repeated, since the other shell
/// may have another one. An `--endpoint` on the command line takes precedence
/// over it.
pub(crate) fn resume(globals: &Globals, wait: &WaitArgs, names: &[String], endpoint: Option<&str>) -> String {
    resume_in(ShellKind::here(), globals, wait, names, endpoint)
}

/// Does the same for a given kind of shell, so that tests cover both on any
/// system.
fn resume_in(
    shell: ShellKind,
    globals: &Globals,
    wait: &WaitArgs,
    names: &[String],
    endpoint: Option<&str>,
) -> String {
    let endpoint = endpoint.filter(|_| globals.endpoint.is_none());
    // No shell of Windows sets a variable for one command.
    let (option, variable) = match shell {
        ShellKind::Windows => (endpoint, None),
        ShellKind::Posix => (None, endpoint.map(redact::value_for_display)),
    };
    // In front of the command, so that the line sets it for this command alone.
    let variable = variable.map(|endpoint| format!("LRO_ENDPOINT={} ", shell.word(&endpoint)));
    let mut line = CommandLine(vec!["lro".to_owned()]);
    line.text("--endpoint", option);
    line.globals(globals);
    line.0.push("wait".to_owned());
    line.wait(wait);
    if wait.journal.is_none() {
        line.0.extend(names.iter().map(|name| redact::name_for_line(name, &wait.names)));
    }
    let words: Vec<_> = line.0.iter().map(|word| shell.word(word)).collect();
    variable.unwrap_or_default() + &words.join(" ")
}

/// Words of a command line, not yet quoted: quoting depends on the shell, and
/// happens once for all of them.
struct CommandLine(Vec<String>);

impl CommandLine {
    /// Adds the global options that are set.
    ///
    /// The pattern names every field, so that a new option cannot be forgotten
    /// here. `--dry-run` is left out: the line is to send requests.
    fn globals(&mut self, globals: &Globals) {
        let Globals {
            endpoint,
            parent,
            api_version,
            bindings,
            transport,
            headers,
            ca_file,
            #[cfg(feature = "platform-roots")]
            platform_roots,
            proxy,
            allow_plain_http,
            credentials,
            access_token_file,
            api_key_file,
            anonymous,
            impersonate_service_account,
            quota_project,
            attempt_timeout,
            total_timeout,
            retries,
            format,
            progress,
            color,
            verbose,
            dry_run: _,
        } = globals;
        self.text("--endpoint", endpoint.as_deref());
        self.text("--parent", parent.as_deref());
        self.text("--api-version", api_version.as_deref());
        for binding in bindings {
            self.text("--binding", Some(binding));
        }
        self.choice("--transport", transport.as_ref());
        for header in headers {
            self.0.extend(["--header".to_owned(), redact::header_for_display(header)]);
        }
        self.path("--ca-file", ca_file.as_deref());
        #[cfg(feature = "platform-roots")]
        self.flag("--platform-roots", *platform_roots);
        self.text("--proxy", proxy.as_deref());
        self.flag("--allow-plain-http", *allow_plain_http);
        self.path("--credentials", credentials.as_deref());
        self.path("--access-token-file", access_token_file.as_deref());
        self.path("--api-key-file", api_key_file.as_deref());
        self.flag("--anonymous", *anonymous);
        self.text("--impersonate-service-account", impersonate_service_account.as_deref());
        self.text("--quota-project", quota_project.as_deref());
        self.duration("--attempt-timeout", *attempt_timeout);
        self.duration("--total-timeout", *total_timeout);
        self.text("--retries", retries.map(|retries| retries.to_string()).as_deref());
        self.choice("--format", format.as_ref());
        self.choice("--progress", progress.as_ref());
        self.choice("--color", color.as_ref());
        self.flag("--verbose", *verbose);
    }

    /// Adds the options of a wait that differ from their defaults. `--all` and
    /// its filter are left out, since the names that they selected are listed.
    fn wait(&mut self, wait: &WaitArgs) {
        let WaitArgs {
            names: _,
            all: _,
            filter: _,
            on_timeout,
            long_poll,
            poll_interval,
            max_outage,
            journal,
        } = wait;
        self.choice("--on-timeout", Some(on_timeout).filter(|what| **what != OnTimeoutArg::default()));
        self.choice("--long-poll", Some(long_poll).filter(|how| **how != LongPollArg::default()));
        self.duration("--poll-interval", *poll_interval);
        self.duration("--max-outage", *max_outage);
        self.path("--journal", journal.as_deref());
    }

    /// Adds an option without a value.
    fn flag(&mut self, name: &str, set: bool) {
        self.0.extend(set.then(|| name.to_owned()));
    }

    /// Adds an option with a value, which is redacted if it looks like a
    /// secret.
    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.0.extend([name.to_owned(), redact::value_for_display(value)]);
        }
    }

    /// Adds an option with a path. Bytes that are no UTF-8 become `U+FFFD`, so
    /// such a path has to be corrected by hand.
    fn path(&mut self, name: &str, value: Option<&Path>) {
        self.text(name, value.map(Path::to_string_lossy).as_deref());
    }

    /// Adds an option with a duration, in a form that the option accepts.
    fn duration(&mut self, name: &str, value: Option<Duration>) {
        self.text(name, value.map(duration::show).as_deref());
    }

    /// Adds an option with one of its possible values.
    fn choice<T: ValueEnum>(&mut self, name: &str, value: Option<&T>) {
        let value = value.and_then(ValueEnum::to_possible_value);
        self.text(name, value.as_ref().map(clap::builder::PossibleValue::get_name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Command, read};

    #[test]
    fn the_line_means_what_was_typed() {
        let rows = [
            "lro wait operations/1",
            "lro --endpoint http://127.0.0.1:1 --parent projects/p --api-version compute/v1 --binding 'get=/v1/{name=jobs/*}' \
             --binding 'get=/v2/{name=**}' --transport rest --header 'a: it'\\''s' --ca-file '/ca file.pem' \
             --proxy http://127.0.0.1:3128 --allow-plain-http \
             --credentials '/key file.json' --access-token-file /t --api-key-file /k --anonymous \
             --impersonate-service-account robot@p.iam.gserviceaccount.com --quota-project q --attempt-timeout 5s \
             --total-timeout 1h30m --retries 0 --format json --progress never --color always --verbose wait --on-timeout cancel \
             --long-poll body --poll-interval 100ms --max-outage 5m operations/1 'operations/a b'",
            "lro --progress always wait --journal '/with $dollar'",
        ];
        for line in rows {
            let words = split(line);
            let cli = read(&words).unwrap();
            let Command::Wait(wait) = &cli.command else { panic!("{line}") };
            let again = resume_in(ShellKind::Posix, &cli.globals, wait, &wait.names, None);
            assert_eq!(again, line);
            assert_eq!(read(split(&again)).unwrap(), cli);
        }
    }

    #[test]
    fn a_secret_header_is_not_repeated() {
        let globals = Globals { headers: vec!["X-My-Token: CANARY".into()], ..Globals::default() };
        let cli = read(["lro", "wait", "a"]).unwrap();
        let Command::Wait(wait) = &cli.command else { panic!() };
        assert_eq!(
            resume_in(ShellKind::Posix, &globals, wait, &[], None),
            "lro --header 'X-My-Token: [redacted]' wait"
        );
    }

    #[test]
    fn a_secret_given_in_the_wrong_place_is_not_repeated() {
        let secrets =
            [r#"{"private_key": "CANARY"}"#, "-----BEGIN K-----\nCANARY", "ya29.CANARY", "AIzaCANARY"];
        for secret in secrets {
            let globals = Globals {
                endpoint: Some(secret.into()),
                api_version: Some(secret.into()),
                bindings: vec![secret.into()],
                headers: vec![secret.into(), format!("x-a: {secret}")],
                ca_file: Some(secret.into()),
                proxy: Some(secret.into()),
                credentials: Some(secret.into()),
                access_token_file: Some(secret.into()),
                api_key_file: Some(secret.into()),
                impersonate_service_account: Some(secret.into()),
                quota_project: Some(secret.into()),
                ..Globals::default()
            };
            let cli = read(["lro", "wait", "a"]).unwrap();
            let Command::Wait(wait) = &cli.command else { panic!() };
            let line = resume(&globals, wait, &[secret.into()], None);
            assert!(!line.contains("CANARY") && line.matches("[redacted").count() == 13, "{line}");
            let line = resume(&Globals::default(), wait, &[], Some(secret));
            assert!(!line.contains("CANARY"), "{line}");
        }
    }

    #[test]
    fn an_endpoint_of_the_environment_is_said_again() {
        let cli = read(["lro", "wait", "a"]).unwrap();
        let Command::Wait(wait) = &cli.command else { panic!() };
        let line = |shell, globals| resume_in(shell, globals, wait, &wait.names, Some("b.example"));
        assert_eq!(line(ShellKind::Posix, &cli.globals), "LRO_ENDPOINT=b.example lro wait a");
        assert_eq!(line(ShellKind::Windows, &cli.globals), "lro --endpoint b.example wait a");
        let globals = Globals { endpoint: Some("c.example".into()), ..Globals::default() };
        for shell in [ShellKind::Posix, ShellKind::Windows] {
            assert_eq!(line(shell, &globals), "lro --endpoint c.example wait a");
        }
    }

    /// As a shell does it, as far as quotes go.
    fn split(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
        for c in line.chars().chain([' ']) {
            match c {
                _ if escaped => {
                    word.push(c);
                    escaped = false;
                }
                '\'' => quoted = !quoted,
                '\\' if !quoted => escaped = true,
                ' ' if !quoted => {
                    words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()))
                }
                c => word.push(c),
            }
        }
        words
    }
}
