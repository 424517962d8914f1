//! The options that every command takes: whom to ask, who asks, how long, and in what form to tell.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::parse_duration;

#[derive(Args, Clone, Debug, Default, PartialEq)]
pub(crate) struct Globals {
    /// The service: a host such as run.googleapis.com, or a URL [env: LRO_ENDPOINT].
    #[arg(long, global = true, value_name = "URL", help_heading = SERVICE)]
    pub(crate) endpoint: Option<String>,
    /// Version, or path in front of names, such as v2 or compute/v1 [default: v1].
    #[arg(long, global = true, value_name = "VERSION", help_heading = SERVICE)]
    pub(crate) api_version: Option<String>,
    /// How to speak to it [default: rest].
    #[arg(long, global = true, value_enum, value_name = "KIND", help_heading = SERVICE)]
    pub(crate) transport: Option<Transport>,
    /// Send a header along, `Name: value`; may be repeated.
    #[arg(long = "header", global = true, value_name = "HEADER", help_heading = SERVICE)]
    pub(crate) headers: Vec<String>,

    /// Use a credentials file of any type (service account, login, federation).
    #[arg(long, global = true, value_name = "FILE", help_heading = WHO)]
    pub(crate) credentials: Option<PathBuf>,
    /// Use the access token in FILE, which may be renewed by another program meanwhile.
    #[arg(long, global = true, value_name = "FILE", help_heading = WHO)]
    pub(crate) access_token_file: Option<PathBuf>,
    /// Use no credentials.
    #[arg(long, global = true, help_heading = WHO)]
    pub(crate) anonymous: bool,
    /// Charge quota and billing to this project.
    #[arg(long, global = true, value_name = "PROJECT", help_heading = WHO)]
    pub(crate) quota_project: Option<String>,

    /// Limit each attempt [default: 10s].
    #[arg(long, global = true, value_name = "DURATION", value_parser = parse_duration, help_heading = TIME)]
    pub(crate) attempt_timeout: Option<Duration>,
    /// Limit the whole: a call with its retries [default: 60s], or a wait [default: 24h].
    #[arg(long, global = true, value_name = "DURATION", value_parser = parse_duration, help_heading = TIME)]
    pub(crate) total_timeout: Option<Duration>,
    /// Try a call again up to N times [default: 4]; let a wait bear N internal errors in a row [default: 5].
    #[arg(long, global = true, value_name = "N", help_heading = TIME)]
    pub(crate) retries: Option<u32>,

    /// Print operations for people, or as JSON lines.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT", help_heading = TELL)]
    pub(crate) format: Format,
    /// Show progress of a wait: bars on a terminal and lines elsewhere, bars always, or nothing.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = TELL)]
    pub(crate) progress: Progress,
    /// Say on standard error what is sent and why; never shows a secret.
    #[arg(short, long, global = true, help_heading = TELL)]
    pub(crate) verbose: bool,
    /// Print the requests, and as curl commands, without sending anything; secrets are left out.
    #[arg(long, global = true, help_heading = TELL)]
    pub(crate) dry_run: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq)]
pub(crate) enum Transport {
    /// JSON over HTTP.
    Rest,
    /// gRPC.
    Grpc,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Progress {
    #[default]
    Auto,
    Always,
    Never,
}

const SERVICE: &str = "Service";
const WHO: &str = "Credentials (default: application default credentials)";
const TIME: &str = "Time";
const TELL: &str = "Output";
