//! The command line as a value: what clap reads, and the way back to a line
//! that can be typed.
//!
//! | file | content |
//! |---|---|
//! | `mod.rs` | the commands with their own options, and the texts of their help |
//! | `globals.rs` | the options that every command takes |
//! | `late.rs` | arguments that are created only for the command that is given |
//! | `line.rs` | arguments back into words: the command that continues a wait |
//! | `shell.rs` | how a word is quoted for the shell of this system |
//! | `duration.rs` | `1h30m` and the like |
//! | `refusal.rs` | errors of clap, without secrets |
//!
//! The doc comments of fields and variants below are the help that users read,
//! so they address users and not readers of the code. Structs of arguments have
//! plain comments, since clap would take a doc comment of theirs for the help
//! of the command.

mod duration;
mod globals;
mod late;
mod line;
mod refusal;
mod shell;

use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

pub(crate) use duration::{parse as parse_duration, show as duration_for_display};
pub(crate) use globals::{ColorArg, Globals, OutputFormat, ProgressArg, TransportArg};
pub(crate) use line::resume;
pub(crate) use shell::ShellKind;

use late::{Late, Offline};

/// Reads a command line.
///
/// What clap needed for that is left to the end of the process, which is
/// cheaper than cleaning up.
pub(crate) fn read(words: impl IntoIterator<Item: Into<OsString> + Clone>) -> Result<Cli, clap::Error> {
    parse(words).map_err(refusal::without_secrets)
}

/// Parses a command line; [`read`] adds the redaction of its errors.
///
/// An option of [`Globals`] may stand on both sides of the command. clap parses
/// both sides separately. The one behind the command counts, because it was
/// typed later: an alias may have the one in front.
fn parse(words: impl IntoIterator<Item: Into<OsString> + Clone>) -> Result<Cli, clap::Error> {
    let mut command = ManuallyDrop::new(Cli::command());
    let mut matches = ManuallyDrop::new(command.try_get_matches_from_mut(words)?);
    // Taken out before `from_arg_matches_mut`, which consumes the matches.
    let behind = matches.subcommand().map(|(_, behind)| Globals::from_arg_matches(behind));
    let behind = behind.transpose()?.unwrap_or_default();
    let Cli { globals: front, command } = Cli::from_arg_matches_mut(&mut matches)?;
    Ok(Cli { globals: behind.or(front), command })
}

/// Starts, looks up, waits for, lists, cancels and deletes long-running
/// operations.
#[derive(Parser, Clone, Debug, PartialEq)]
#[command(name = "lro", version, about, long_about = ABOUT, after_long_help = AFTER)]
#[command(subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

// The commands, in the order of the help: those that use operations, then those
// that need no service.
#[derive(Subcommand, Clone, Debug, PartialEq)]
pub(crate) enum Command {
    /// Start an operation: send a request of any method that returns one, at
    /// most once.
    #[command(after_help = START)]
    Start(Late<StartArgs>),
    /// Show an operation as it is now.
    #[command(after_help = GET)]
    Get(Late<GetArgs>),
    /// List the operations of a project, a location or a whole service.
    #[command(after_help = LIST)]
    List(Late<ListArgs>),
    /// Wait until operations are done, with progress on standard error.
    #[command(after_help = WAIT)]
    Wait(Late<WaitArgs>),
    /// Request the cancellation of operations; a service may take its time, or
    /// not do it.
    #[command(after_help = CANCEL)]
    Cancel(Late<NamesArgs>),
    /// Delete operations: their results are of no interest any more. Does not
    /// cancel them.
    #[command(after_help = DELETE)]
    Delete(Late<NamesArgs>),
    /// Run a fake service on this machine, to try things out and to test
    /// programs.
    #[command(after_help = SERVE)]
    Serve(Offline<ServeArgs>),
    /// Print completions for a shell.
    #[command(after_help = COMPLETIONS)]
    Completions(Offline<CompletionsArgs>),
    /// Print the man page, of `lro` or of one of its commands.
    #[command(after_help = MAN)]
    Man(Offline<ManArgs>),
}

// The arguments of `lro start`.
//
// Those of a wait have effect with `--wait` only, and clap refuses them without
// it.
#[derive(Args, Clone, Debug, PartialEq)]
pub(crate) struct StartArgs {
    /// Path of the method with its version, such as
    /// `/v2/projects/p/locations/l/jobs/j:run`, or its full URL.
    #[arg(value_name = "URL|PATH")]
    pub(crate) target: String,
    /// HTTP method.
    #[arg(long, value_enum, ignore_case = true, default_value_t, value_name = "METHOD")]
    pub(crate) method: MethodArg,
    /// Add a parameter to the query; may be given more than once.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) query: Vec<String>,
    /// Send this JSON as the body, or that of a FILE, or of standard input
    /// [default: no body].
    #[arg(long, value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    pub(crate) data: Option<String>,
    /// Send this UUID as `requestId`, so that the request may be retried;
    /// `auto` makes one.
    #[arg(long, value_name = "ID|auto")]
    pub(crate) request_id: Option<String>,
    /// Wait until the operation is done, as `lro wait` does.
    #[arg(long)]
    pub(crate) wait: bool,
    /// With --wait: what to do with an operation that still runs after the
    /// timeout.
    #[arg(long, value_enum, default_value_t, value_name = "WHAT", requires = "wait")]
    pub(crate) on_timeout: OnTimeoutArg,
    /// With --wait: let the server hold its response back until the operation
    /// is done, where it can.
    #[arg(long, value_enum, default_value_t, value_name = "HOW", requires = "wait")]
    pub(crate) long_poll: LongPollArg,
    /// With --wait: poll every DURATION, at least 10ms.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_interval, requires = "wait")]
    pub(crate) poll_interval: Option<Duration>,
    /// With --wait: give up when polls have failed without interruption for
    /// DURATION.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, requires = "wait")]
    pub(crate) max_outage: Option<Duration>,
    /// With --wait: keep the operation in FILE until it is done.
    #[arg(long, value_name = "FILE", requires = "wait")]
    pub(crate) journal: Option<PathBuf>,
}

/// The HTTP method of a start, in capitals on the command line; lower case is
/// accepted too.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq)]
#[value(rename_all = "UPPER")]
pub(crate) enum MethodArg {
    Delete,
    Get,
    Patch,
    #[default]
    Post,
    Put,
}

// The arguments of `lro get`.
#[derive(Args, Clone, Debug, PartialEq)]
pub(crate) struct GetArgs {
    /// Name or full URL of the operation.
    pub(crate) name: String,
}

// The arguments of `lro list`.
//
// Without `--sort` and `--watch`, pages are printed as they arrive. With
// either, all pages are fetched first.
#[derive(Args, Clone, Debug, PartialEq)]
pub(crate) struct ListArgs {
    /// A parent such as projects/p/locations/l, a collection, or a URL of one
    /// [default: --parent, else operations].
    pub(crate) name: Option<String>,
    /// List only what the service's own filter language selects.
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// Request pages of at most N operations [default: the service's choice].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) page_size: Option<i32>,
    /// Start at the page that an earlier listing named.
    #[arg(long, value_name = "TOKEN")]
    pub(crate) page_token: Option<String>,
    /// Stop after N operations [default: all].
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Sort by name, by age (latest first), or by state (running and failed
    /// first) [default: the service's order].
    #[arg(long, value_enum, value_name = "KEY")]
    pub(crate) sort: Option<SortArg>,
    /// List again and again until Ctrl-C, in the same place on a terminal.
    #[arg(long)]
    pub(crate) watch: bool,
    /// With --watch: wait this long before the next listing, at least 100ms.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "5s", requires = "watch")]
    pub(crate) interval: Duration,
    /// List what can be reached and name the places that cannot on standard
    /// error.
    #[arg(long)]
    pub(crate) partial_success: bool,
}

// The arguments of `lro cancel` and `lro delete`: at least one name.
#[derive(Args, Clone, Debug, PartialEq)]
pub(crate) struct NamesArgs {
    /// Names or full URLs of operations; `-` reads them from standard input,
    /// one a line.
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

// The arguments of `lro wait`. Names may be missing if `--all` or `--journal`
// gives operations; the command checks that, not clap.
//
// `--all` without a value is `Some("")`, which stands for the default parent.
#[derive(Args, Clone, Debug, PartialEq)]
pub(crate) struct WaitArgs {
    /// Names or full URLs of operations; `-` reads them from standard input,
    /// one a line.
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Wait for all running operations under PARENT [default: --parent, else
    /// operations].
    #[arg(long, value_name = "PARENT", num_args = 0..=1, default_missing_value = "")]
    pub(crate) all: Option<String>,
    /// Of these, wait for those that the service's own filter language selects.
    #[arg(long, value_name = "FILTER", requires = "all")]
    pub(crate) filter: Option<String>,
    /// What to do with operations that still run after the timeout.
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub(crate) on_timeout: OnTimeoutArg,
    /// Let the server hold its response back until an operation is done, where
    /// it can; for up to 8 operations.
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(crate) long_poll: LongPollArg,
    /// Poll every DURATION, at least 10ms [default: a tenth of the time waited,
    /// at least 0.5 s, at most 30 s].
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_interval)]
    pub(crate) poll_interval: Option<Duration>,
    /// Give up when polls have failed without interruption for DURATION
    /// [default: keep trying].
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) max_outage: Option<Duration>,
    /// Keep the operations in FILE until they are done, and wait for those that
    /// it holds.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) journal: Option<PathBuf>,
}

/// The order of a listing, see `list/order.rs`.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq)]
pub(crate) enum SortArg {
    Name,
    Age,
    State,
}

/// What `lro wait` does with operations that are still running at the timeout.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum OnTimeoutArg {
    /// Let them continue.
    #[default]
    Leave,
    /// Cancel them.
    Cancel,
}

/// How the server is asked to hold its response: the forms of WaitOperation
/// that services have.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum LongPollArg {
    /// Find out whether the service can do it, and how.
    #[default]
    Auto,
    /// Do not.
    Never,
    /// `POST NAME:wait`, the time in the body.
    Body,
    /// `POST NAME:wait?timeout=…`.
    Query,
    /// `GET NAME:wait?timeout=…`.
    Get,
}

// The arguments of `lro serve`.
#[derive(Args, Clone, Debug, PartialEq)]
pub(crate) struct ServeArgs {
    /// Listen on this port of 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(crate) port: u16,
    /// Take operations, starts and faults from FILE, which is JSON [default: a
    /// demonstration].
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) script: Option<PathBuf>,
    /// Print a scenario to start from, and exit.
    #[arg(long)]
    pub(crate) print_script: bool,
}

// The arguments of `lro completions`.
#[derive(Args, Clone, Debug, PartialEq)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

// The arguments of `lro man`. An unknown command is an error of `lro man`, not
// of clap, so that the message can name it without repeating a secret.
#[derive(Args, Clone, Debug, PartialEq)]
pub(crate) struct ManArgs {
    /// The command; without it, the page of `lro`.
    pub(crate) command: Option<String>,
}

/// Below the name of the program in `lro --help`.
const ABOUT: &str = "\
Starts, looks up, waits for, lists, cancels and deletes long-running operations (google.longrunning.Operations)
of any Google service.

Name an operation as the service does, `projects/p/locations/l/operations/42`, and the service by --endpoint or
LRO_ENDPOINT. A URL has both and works for names of any shape; the scheme may be left out:

  lro get https://run.googleapis.com/v2/projects/p/locations/l/operations/42
  lro get run.googleapis.com/v2/projects/p/locations/l/operations/42

Without an option for credentials, lro uses those that Google's other tools use (application default credentials).";

/// At the end of `lro --help`, and so in the man page: exit statuses, output,
/// credentials, environment, examples. Tests compare the exit statuses and the
/// examples with what the program does.
const AFTER: &str = "\
Exit status:
  0    the command succeeded; for `wait`: every operation succeeded
  1    the service could not be reached, or refused
  2    the command line, a file, a setting or a name cannot be used; nothing was sent for it
  3    `wait`: an operation failed
  4    `wait`: an operation was still running at the time limit
  5    an operation was not found: deleted, expired, or of another endpoint
  6    no credentials, or the service did not accept them
  129  `wait` was stopped by SIGHUP
  130  `wait` was stopped by SIGINT, which is Ctrl-C
  143  `wait` was stopped by SIGTERM

  If several apply, the first in this order is the status: 129, 130 and 143, then 2, 6, 1, 5, 3, 4.

  If the reader closes its pipe, `list` ends without an error, and `wait` continues for its status. If a write fails
  for another reason, 0 becomes 1; the other statuses stay.

Output:
  Operations go to standard output, everything else to standard error. With --format json each operation is one
  line, exactly as the server sent it but for white space between tokens. The grpcurl commands of --dry-run need a
  copy of github.com/googleapis/googleapis, since few services publish their schema by reflection.

Credentials:
  The first of these is used. Two from the first line are an error.
    --credentials, --access-token-file, --api-key-file, --anonymous, or `?key=` in a URL that names an operation
    LRO_API_KEY
    application default credentials: GOOGLE_APPLICATION_CREDENTIALS, gcloud's login, the metadata server
  The key of a URL is sent as a header and never printed. Credentials are sent only to hosts of Google, to this
  machine and to --endpoint, whatever a URL says.

Environment:
  LRO_ENDPOINT                    as --endpoint
  LRO_PARENT                      as --parent
  LRO_API_KEY                     an API key
  GOOGLE_APPLICATION_CREDENTIALS  file with the default credentials
  GOOGLE_CLOUD_QUOTA_PROJECT      as --quota-project
  HTTPS_PROXY, NO_PROXY           proxy, and the hosts that are reached without it
  SSL_CERT_FILE                   certificates (PEM) to trust in place of Mozilla's
  NO_COLOR, TERM=dumb             no colours; CI: no display that is drawn over

Examples:
  export LRO_ENDPOINT=https://run.googleapis.com LRO_PARENT=projects/p/locations/europe-west1
  lro --api-version v2 list --sort age
  lro --api-version v2 wait 42 --timeout 15m && echo deployed
  lro serve    # try it without a service";

/// The constants below are the ends of the help of each command. A line that
/// begins with two spaces and `lro` is an example, which a test runs with
/// `--dry-run`.
const START: &str = "\
Prints the operation. With --wait it prints the name on standard error, and then does what `lro wait` does, with its
exit statuses. It polls at the version of the path.

The request is sent again only if the service processed nothing of it. With --request-id it is retried as other requests
are, because the service recognises a second one; a service that ignores the id may start twice. If it is unknown
whether an operation was started, the exit status is 1 and a message says so: look for it with `lro list` before you
start again. A response that is no operation is printed, with exit status 1.

Examples:
  lro start https://run.googleapis.com/v2/projects/p/locations/l/jobs/j:run --wait --total-timeout 1h
  lro start /v2/projects/p/locations/l/services --query serviceId=s --data @service.json --endpoint run.googleapis.com
  lro start /v2/projects/p/locations/l/services/s --method DELETE --request-id auto --endpoint run.googleapis.com
  lro start /v1/projects/p/locations/l/indexes --data '{\"displayName\": \"x\"}' --dry-run";

const GET: &str = "\
Examples:
  lro --endpoint run.googleapis.com --api-version v2 get projects/p/locations/l/operations/42
  lro get https://run.googleapis.com/v2/projects/p/locations/l/operations/42
  lro get operations/42 --format json | jq .metadata

The exit status is 0 also for an operation that failed, since the request succeeded. `lro wait` has a status for each.";

const LIST: &str = "\
Examples:
  lro --endpoint run.googleapis.com --api-version v2 list projects/p/locations/l
  lro list projects/p/locations/l --filter 'done = false' --format name | lro cancel -
  lro list --sort state --watch --interval 10s
  lro list --page-size 100 --limit 100

Names are shown without the parent that they have in common, unless --format says otherwise. On a terminal, columns that
do not fit are left out. AGE counts from the creation, DURATION from the start of the work to its end.";

const WAIT: &str = "\
Waits for several operations at a time and reports each when it is done, for at most --total-timeout (24h by default).
Transient errors do not end a wait.

Ctrl-C, SIGTERM and SIGHUP stop the wait, not the operations, and print the command that continues it. A second signal
ends it at once. Signals that were ignored when the program started stay ignored, as with nohup. Ctrl-Z removes the
display until `fg`.

On a terminal there is a row for each operation, with its own time, for as many as fit. In a log, where CI is set, and
with -v, there are lines instead. A last line sums up.

With --journal no result is lost if the wait is killed or its output cannot be written: the next wait prints those that
were not printed. A result that was printed at the moment of the kill may be printed twice.

Examples:
  lro wait projects/p/locations/l/operations/42 --total-timeout 15m
  lro wait operations/1 operations/2 --on-timeout cancel
  lro wait --all projects/p/locations/l --filter 'metadata.verb = \"create\"'
  lro wait - < names.txt    # one a line, # begins a comment
  lro wait --journal pending.jsonl operations/42    # after a crash, continue with: lro wait --journal pending.jsonl";

const CANCEL: &str = "\
Examples:
  lro cancel projects/p/locations/l/operations/42
  lro cancel operations/42 && lro wait operations/42    # exit status 3, CANCELLED, if it worked
  lro list --filter 'done = false' --format json | lro cancel -";

const DELETE: &str = "\
Examples:
  lro delete projects/p/locations/l/operations/42
  lro list --filter 'done = true' --format json | lro delete -";

const SERVE: &str = "\
Prints the endpoint on standard output and serves until Ctrl-C, over REST and gRPC. It accepts every
version, names of every shape and any credentials. Without a file it plays a demonstration with four operations in
projects/demo/locations/here, and a method that starts one.

A scenario is a JSON file, in which // begins a comment:
  {
    \"operations\": [{
      \"name\": \"projects/p/operations/42\",
      \"done_after\": \"20s\",                  // or \"done_at_poll\": 3; without either it never ends
      \"steps\": [
        {\"percent\": 0, \"metadata\": {\"verb\": \"copy\", \"progressPercent\": \"{percent}\"}},
        {\"percent\": 50, \"metadata\": {\"verb\": \"copy\", \"progressPercent\": \"{percent}\", \"stage\": \"half\"}}
      ],
      \"response\": {\"files\": 14},            // or \"error\": {\"code\": 8, \"message\": \"out of disk\"}
      \"ignores_cancel\": false
    }, {
      \"name\": \"projects/p/zones/z/operations/44\",
      \"form\": \"compute\",                  // or sql, gke, dns, deployment-manager, storage
      \"done_after\": \"90s\"
    }],
    \"starts\": [{
      \"request\": \"POST /v2/{name=projects/*/jobs/*}:run\",     // starts the operation; again: its name with -2
      \"rpc\": \"google.cloud.run.v2.Jobs/RunJob\",             // the same over gRPC
      \"operation\": {\"name\": \"projects/p/operations/43\", \"done_after\": \"9s\"}
    }],
    \"faults\": [{
      \"request\": \"GET operations/42\",       // a method and a part of the path; without it, any request
      \"skip\": 2, \"times\": 3,                // after 2 such requests, for the next 3
      \"status\": 503, \"message\": \"draining\", \"retry_after\": \"2s\",
      \"delay\": \"1s\"                         // or \"hang\": true, or \"reset\": true
    }],
    \"wait\": true,                           // has the method :wait
    \"page_size\": 50,
    \"token\": \"secret\"                       // takes no other access token; without it, any
  }
An operation needs a `name`. A step needs `metadata`, which apply from its `percent` on (default: 0). In metadata, the
number replaces the text \"{percent}\". Without `steps` the metadata are like {\"percent\": 40}.
With a `form`, an operation has the fields, times and methods of that service, under its URLs. Only the form storage
has `steps` and a `response`. Names are like projects/p/operations/44 for sql, projects/p/locations/l/operations/44
for gke, projects/p/managedZones/z/operations/44 for dns, projects/p/global/operations/44 for deployment-manager, and
b/B/operations/44 for storage.
A start needs an `operation`, and a `request` or an `rpc`. The `details` of a fault are those of its error.
Responses and metadata without an @type become a google.protobuf.Struct, which every client can read. Those with the
@type of a service of your own are sent over REST only.

Examples:
  lro serve --port 4242 &
  export LRO_ENDPOINT=http://127.0.0.1:4242 LRO_PARENT=projects/demo/locations/here
  lro --anonymous list
  lro --anonymous wait copy
  lro --anonymous wait copy --transport grpc
  curl -X POST -d {} $LRO_ENDPOINT/v2/$LRO_PARENT/jobs/nightly:run    # starts the operation `run`
  lro serve --print-script > scenario.json && lro serve --script scenario.json";

const COMPLETIONS: &str = "\
Examples:
  lro completions bash > ~/.local/share/bash-completion/completions/lro
  lro completions zsh > ~/.zfunc/_lro
  lro completions fish > ~/.config/fish/completions/lro.fish";

const MAN: &str = "\
Examples:
  lro man | man -l -
  lro man wait > /usr/local/share/man/man1/lro-wait.1";
