//! The options that every command takes, in front of it and behind it: which
//! service, which credentials, how long, and in what form to tell.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};

use super::parse_duration;

#[derive(Args, Clone, Debug, Default, PartialEq)]
#[group(skip)]
pub(crate) struct Globals {
    /// The service: a host such as run.googleapis.com, or a URL [env:
    /// LRO_ENDPOINT].
    #[arg(long, value_name = "URL", help_heading = SERVICE)]
    pub(crate) endpoint: Option<String>,
    /// Parent of names that are a bare id, such as projects/p/locations/l [env:
    /// LRO_PARENT].
    #[arg(long, value_name = "PARENT", help_heading = SERVICE)]
    pub(crate) parent: Option<String>,
    /// Version, or path in front of names, such as v2 or compute/v1 [default:
    /// v1].
    #[arg(long, value_name = "VERSION", help_heading = SERVICE)]
    pub(crate) api_version: Option<String>,
    /// Map a method to a path, get=/v1/{name=jobs/*} or cancel='POST
    /// /v1/{name=jobs/*}:stop'; may be repeated.
    #[arg(long = "binding", value_name = "METHOD=TEMPLATE", help_heading = SERVICE)]
    pub(crate) bindings: Vec<String>,
    /// How to speak to it [default: rest].
    #[arg(long, value_enum, value_name = "KIND", help_heading = SERVICE)]
    pub(crate) transport: Option<TransportArg>,
    /// Send a header along, `Name: value`, which gRPC calls metadata; may be
    /// repeated.
    #[arg(long = "header", value_name = "HEADER", help_heading = SERVICE)]
    pub(crate) headers: Vec<String>,

    /// Trust the certificates in FILE (PEM) too, such as that of a private
    /// service or an inspecting proxy.
    #[arg(long, value_name = "FILE", help_heading = NETWORK)]
    pub(crate) ca_file: Option<PathBuf>,
    /// Trust the certificates of the operating system, in place of Mozilla's
    /// and of SSL_CERT_FILE.
    #[cfg(feature = "platform-roots")]
    #[arg(long, help_heading = NETWORK)]
    pub(crate) platform_roots: bool,
    /// Connect through this proxy, http://HOST:PORT; `none` connects directly [env: HTTPS_PROXY, NO_PROXY].
    #[arg(long, value_name = "URL", help_heading = NETWORK)]
    pub(crate) proxy: Option<String>,
    /// Accept plain http to another machine, such as an emulator; only with
    /// --anonymous.
    #[arg(long, help_heading = NETWORK)]
    pub(crate) allow_plain_http: bool,

    /// Use a credentials file of any type (service account, login, federation).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = WHO)]
    pub(crate) credentials: Option<PathBuf>,
    /// Use the access token in FILE, which may be renewed by another program
    /// meanwhile.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = WHO)]
    pub(crate) access_token_file: Option<PathBuf>,
    /// Use the API key in FILE [env: LRO_API_KEY, which is the key itself].
    #[arg(long, value_name = "FILE", help_heading = WHO)]
    pub(crate) api_key_file: Option<PathBuf>,
    /// Use no credentials.
    #[arg(long, help_heading = WHO)]
    pub(crate) anonymous: bool,
    /// Act as this service account, by credentials that are allowed to.
    #[arg(long, value_name = "EMAIL", help_heading = WHO)]
    pub(crate) impersonate_service_account: Option<String>,
    /// Charge quota and billing to this project.
    #[arg(long, value_name = "PROJECT", help_heading = WHO)]
    pub(crate) quota_project: Option<String>,

    /// Limit each attempt [default: 10s].
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = TIME)]
    pub(crate) attempt_timeout: Option<Duration>,
    /// Limit the whole: a call with its retries [default: 60s], a listing
    /// [default: 1h], or a wait [default: 24h].
    #[arg(long, visible_alias = "timeout", value_name = "DURATION", value_parser = parse_duration, help_heading = TIME)]
    pub(crate) total_timeout: Option<Duration>,
    /// Try a call again up to N times [default: 4]; let a wait tolerate N
    /// internal errors in a row [default: 5].
    #[arg(long, value_name = "N", help_heading = TIME)]
    pub(crate) retries: Option<u32>,

    /// Print operations for people, as JSON lines, or only their names
    /// [default: text].
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = TELL)]
    pub(crate) format: Option<OutputFormat>,
    /// Show progress of a wait: bars on a terminal and lines elsewhere, bars
    /// always, or nothing [default: auto].
    #[arg(long, value_enum, value_name = "WHEN", help_heading = TELL)]
    pub(crate) progress: Option<ProgressArg>,
    /// Use colours [default: auto, which is where the output is a terminal and
    /// NO_COLOR is not set].
    #[arg(long, value_enum, value_name = "WHEN", help_heading = TELL)]
    pub(crate) color: Option<ColorArg>,
    /// Say on standard error what is sent and received, how long it took, and
    /// why; never shows a secret.
    #[arg(short, long, help_heading = TELL)]
    pub(crate) verbose: bool,
    /// Send nothing: print the first request for each name, and a curl or
    /// grpcurl command for it, without secrets.
    #[arg(long, help_heading = TELL)]
    pub(crate) dry_run: bool,
}

impl Globals {
    pub(crate) fn format(&self) -> OutputFormat {
        self.format.unwrap_or_default()
    }

    /// What was said behind the command, and else in front of it.
    pub(super) fn or(self, front: Self) -> Self {
        Self {
            endpoint: self.endpoint.or(front.endpoint),
            parent: self.parent.or(front.parent),
            api_version: self.api_version.or(front.api_version),
            bindings: [front.bindings, self.bindings].concat(),
            transport: self.transport.or(front.transport),
            headers: [front.headers, self.headers].concat(),
            ca_file: self.ca_file.or(front.ca_file),
            #[cfg(feature = "platform-roots")]
            platform_roots: self.platform_roots || front.platform_roots,
            proxy: self.proxy.or(front.proxy),
            allow_plain_http: self.allow_plain_http || front.allow_plain_http,
            credentials: self.credentials.or(front.credentials),
            access_token_file: self.access_token_file.or(front.access_token_file),
            api_key_file: self.api_key_file.or(front.api_key_file),
            anonymous: self.anonymous || front.anonymous,
            impersonate_service_account: self
                .impersonate_service_account
                .or(front.impersonate_service_account),
            quota_project: self.quota_project.or(front.quota_project),
            attempt_timeout: self.attempt_timeout.or(front.attempt_timeout),
            total_timeout: self.total_timeout.or(front.total_timeout),
            retries: self.retries.or(front.retries),
            format: self.format.or(front.format),
            progress: self.progress.or(front.progress),
            color: self.color.or(front.color),
            verbose: self.verbose || front.verbose,
            dry_run: self.dry_run || front.dry_run,
        }
    }
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq)]
pub(crate) enum TransportArg {
    /// JSON over HTTP.
    Rest,
    /// gRPC, at services that offer it.
    Grpc,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum OutputFormat {
    #[default]
    Text,
    Json,
    Name,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum ProgressArg {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum ColorArg {
    #[default]
    Auto,
    Always,
    Never,
}

const SERVICE: &str = "Service";
const NETWORK: &str = "Network";
const WHO: &str = "Credentials (default: application default credentials)";
const TIME: &str = "Time (durations such as 500ms, 10s, 15m, 1h30m)";
const TELL: &str = "Output";
