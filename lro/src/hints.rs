//! What to do about an error, if that is known.
//!
//! Each hint names options of `lro` or commands of Google's tools. There is at
//! most one for an error, and none if nothing certain can be said. The order of
//! the sources is the order of their certainty:
//!
//! - what the service says for machines: the reason of its `ErrorInfo`;
//! - another endpoint that its message names;
//! - a link that the service wants to be read;
//! - the code, with what is known of the place.

use longrunning::rpc::{ErrorInfo, Help};
use longrunning::{Code, Error, ErrorKind, Status};

use crate::place::{OperationPlace, is_loopback, is_operation};
use crate::redact::name_for_display;

/// Returns the hint for an error of a call for `place`.
///
/// What the service says for machines comes first: its messages name hosts for
/// many reasons.
pub(crate) fn for_error(error: &Error, place: &OperationPlace) -> Option<String> {
    let Some(status) = error.status().filter(|_| error.kind() == ErrorKind::Service) else {
        return match error.kind() {
            ErrorKind::Timeout if error.operation().is_none() => Some(MORE_TIME.to_owned()),
            ErrorKind::Transport => for_connection(&place.service.endpoint),
            ErrorKind::Binding if error.to_string().contains("matches no binding") => {
                Some(OTHER_SHAPE.to_owned())
            }
            ErrorKind::Operation => {
                error.status().and_then(|status| for_reason(status).or_else(|| see(status)))
            }
            _ => for_set_up(error),
        };
    };
    // Computed only if no reason is known: it reads the words of the message.
    let other = || {
        let host = other_endpoint(status, &place.service.endpoint)?;
        Some(format!("the service names another endpoint: try --endpoint {host}"))
    };
    let call = HintedCall::of(error);
    for_reason(status).or_else(other).or_else(|| see(status)).or_else(|| for_code(status, place, call))
}

/// Returns the hint for a local endpoint without a scheme.
///
/// Without a scheme it is https, which servers on this machine rarely have.
fn for_connection(endpoint: &str) -> Option<String> {
    let is_local = !endpoint.contains("://") && is_loopback(endpoint.split('/').next().unwrap_or_default());
    is_local.then(|| format!("without a scheme it is https; for plain http say http://{endpoint}"))
}

/// Returns the hint for an error in the options and files that clients are
/// built of.
pub(crate) fn for_set_up(error: &Error) -> Option<String> {
    match error.kind() {
        ErrorKind::Auth => Some(NO_CREDENTIALS.to_owned()),
        ErrorKind::Config if error.to_string().contains("`allow_plain_http`") => Some(EMULATOR.to_owned()),
        _ => None,
    }
}

/// Returns the hint for the machine-readable reason of an error
/// (`google.rpc.ErrorInfo`).
///
/// Known reasons have words of their own; any other is named with its domain,
/// so that it can be searched for. The reason stays in the text for the same
/// purpose:
///
/// ```text
/// Cloud Run Admin API is off for projects/7: switch it on at https://… (SERVICE_DISABLED)
/// the caller lacks run.operations.get on projects/7: grant it, or use other credentials (IAM_PERMISSION_DENIED)
/// the reason is LOCATION_POLICY_VIOLATED of googleapis.com
/// ```
fn for_reason(status: &Status) -> Option<String> {
    let info = status.detail::<ErrorInfo>().filter(|info| !info.reason.is_empty())?;
    let fact = |name: &str| info.metadata.get(name).filter(|value| !value.is_empty());
    let reason = &info.reason;
    match reason.as_str() {
        // The project that has the service off is then that of the program `gcloud`.
        "SERVICE_DISABLED" if status.message().contains("requires a quota project") => {
            Some(format!("{QUOTA_PROJECT} ({reason})"))
        }
        "SERVICE_DISABLED" => {
            let service = fact("serviceTitle").or(fact("service")).map_or("the API", String::as_str);
            let project = fact("consumer").map(|consumer| format!(" for {consumer}")).unwrap_or_default();
            let place = fact("activationUrl").cloned().or_else(|| link(status));
            let place = place.map(|place| format!(": switch it on at {place}")).unwrap_or_default();
            Some(format!("{service} is off{project}{place} ({reason})"))
        }
        "IAM_PERMISSION_DENIED" => {
            let permission = fact("permission").map_or("a permission", String::as_str);
            let resource = fact("resource").map(|resource| format!(" on {resource}")).unwrap_or_default();
            Some(format!("the caller lacks {permission}{resource}: {GRANT} ({reason})"))
        }
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT" => Some(format!("{SCOPE} ({reason})")),
        _ => match (link(status), status.code()) {
            (Some(link), _) => Some(format!("the reason is {reason} of {}, see {link}", info.domain)),
            (None, Code::PermissionDenied) => Some(format!("the reason is {reason} of {}", info.domain)),
            (None, Code::Unauthenticated) => Some(format!("{NOT_ACCEPTED} ({reason})")),
            _ => None,
        },
    }
}

/// Points to the first link of the service's `google.rpc.Help`.
fn see(status: &Status) -> Option<String> {
    link(status).map(|link| format!("see {link}"))
}

/// Returns the first link that is not empty.
fn link(status: &Status) -> Option<String> {
    status.detail::<Help>()?.links.into_iter().map(|link| link.url).find(|url| !url.is_empty())
}

/// What was sent, as far as it matters to what can be done.
///
/// It is read from the error, because a failure in a wait is far from the code
/// that sent the request.
#[derive(Clone, Copy, Debug)]
struct HintedCall {
    /// Whether it was a listing, whose name is a parent.
    is_list: bool,
    /// Whether it went over gRPC, which has no versions and paths.
    is_grpc: bool,
}

impl HintedCall {
    fn of(error: &Error) -> Self {
        Self {
            // The message of an error begins with its method.
            is_list: error.to_string().starts_with("ListOperations "),
            is_grpc: error.url().is_some_and(|url| url.contains("/google.longrunning.Operations/")),
        }
    }
}

/// Replaces what the library calls its options by what the options of this
/// program are called: `attempt_timeout` becomes `--attempt-timeout`. Advice
/// that the program cannot follow is left out.
pub(crate) fn in_options(message: &str) -> String {
    OPTIONS.iter().fold(message.to_owned(), |message, (library, option)| message.replace(library, option))
}

/// Returns the hint for a canonical code, which says least: it depends on what
/// was sent, and where.
fn for_code(status: &Status, place: &OperationPlace, call: HintedCall) -> Option<String> {
    match status.code() {
        // Only a URL has two slashes in a row.
        Code::NotFound if place.given.contains("//") && place.service.version.is_none() => {
            Some(NO_VERSION.to_owned())
        }
        // The page of a front end, which knows no operations.
        Code::NotFound if status.message().starts_with("HTTP 404") => Some(NO_METHOD.to_owned()),
        Code::NotFound | Code::InvalidArgument if call.is_list && is_operation(&place.name) => {
            Some(OPERATION.to_owned())
        }
        Code::NotFound => Some(not_found(place, call)),
        Code::PermissionDenied => Some(format!("the caller lacks a permission: {GRANT}")),
        Code::Unauthenticated => Some(NOT_ACCEPTED.to_owned()),
        Code::Unimplemented if call.is_grpc => Some(UNIMPLEMENTED_GRPC.to_owned()),
        Code::Unimplemented => Some(UNIMPLEMENTED.to_owned()),
        _ => None,
    }
}

/// Returns the endpoint of Google's that the message of an error speaks of, if
/// that is another one than the request was sent to.
///
/// Services that keep operations by region say so in words only: "use
/// us-central1-aiplatform.googleapis.com". The plain name of a service is taken
/// for an endpoint only if the message has that word, since messages name
/// services for many reasons.
fn other_endpoint(status: &Status, asked: &str) -> Option<String> {
    if !matches!(
        status.code(),
        Code::NotFound | Code::InvalidArgument | Code::FailedPrecondition | Code::PermissionDenied
    ) {
        return None;
    }
    let asked = asked.rsplit_once("://").map_or(asked, |(_, host)| host);
    let asked = asked.split(['/', ':']).next().unwrap_or_default();
    let endpoints = status.message().to_ascii_lowercase().contains("endpoint");
    let mut hosts = status.message().split_whitespace().filter_map(host_of);
    let other = hosts.find(|host| {
        let regional = host.trim_end_matches(GOOGLE).contains(['-', '.']);
        (regional || endpoints) && !host.eq_ignore_ascii_case(asked) && !NO_SERVICES.contains(host)
    });
    other.map(str::to_owned)
}

/// Returns the host of Google's that a word is, or is a URL of.
///
/// With a path but no scheme it is a resource
/// (`//run.googleapis.com/projects/p`) or a permission.
fn host_of(word: &str) -> Option<&str> {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let host = match word.strip_prefix("https://") {
        Some(url) => url.split('/').next()?,
        None => word,
    };
    let host = host.split(':').next()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    (host.ends_with(GOOGLE) && host.chars().all(plain)).then_some(host)
}

/// Returns the hint for `NOT_FOUND`: the operation is gone, or endpoint and
/// version are those of another service.
///
/// A name with a location whose endpoint has none is the most common case:
/// services keep such operations at their regional endpoints.
///
/// ```text
/// services delete operations some time after they finish; --endpoint and --api-version must match, too: a regional
/// service needs its endpoint of europe-west1
/// ```
fn not_found(place: &OperationPlace, call: HintedCall) -> String {
    let (service, mut segments) = (&place.service, place.name.split('/'));
    let location = segments.find(|segment| *segment == "locations").and_then(|_| segments.next());
    let regional = location.filter(|location| !service.endpoint.contains(*location) && *location != "global");
    let reason = match call.is_list {
        true => "the parent may not exist",
        false => "services delete operations some time after they finish",
    };
    let fit = match call.is_grpc {
        true => "--endpoint must match, too",
        false => "--endpoint and --api-version must match, too",
    };
    let regional = regional.map(name_for_display);
    let regional = regional.map(|location| format!(": a regional service needs its endpoint of {location}"));
    format!("{reason}; {fit}{}", regional.unwrap_or_default())
}

/// The domain of Google's endpoints. Other universes have others, and no hint.
const GOOGLE: &str = ".googleapis.com";

/// Hosts of Google's that messages name for other reasons: in scopes, and where
/// tokens come from.
const NO_SERVICES: [&str; 2] = ["www.googleapis.com", "oauth2.googleapis.com"];

/// The library's names of options that its messages mention, and what to say
/// here.
const OPTIONS: [(&str, &str); 8] = [
    ("by `list`", "by `lro list`"),
    ("`attempt_timeout`", "--attempt-timeout"),
    ("`total_timeout`", "--total-timeout"),
    ("`quota_project`", "--quota-project"),
    ("`page_size`", "--page-size"),
    (": `message_limit` raises it", ""),
    (": use `user_agent`", ""),
    (": use `client_info`", ""),
];

/// A listing below the name of an operation.
const OPERATION: &str =
    "this is the name of an operation, which `lro get` shows; `lro list` takes its parent";
/// `UNIMPLEMENTED` over gRPC: many services offer only a part of the methods
/// there.
const UNIMPLEMENTED_GRPC: &str = "the service does not have this method over gRPC: try --transport rest";
/// A pasted URL without a version.
const NO_VERSION: &str =
    "the URL has no version, so it was requested at v1: give another one by --api-version";
/// A 404 page of a front end: the URL is wrong, and not the name.
const NO_METHOD: &str = "--endpoint or --api-version is wrong: the service is not there";
/// `UNAUTHENTICATED`: the token has expired, or is of another universe.
const NOT_ACCEPTED: &str = "the service did not accept the credentials: renew them (`gcloud auth application-default login`) or use others";
/// What to do about a missing permission, whichever it is.
const GRANT: &str = "grant it, or use other credentials";
/// A token that was fetched for less than the service wants.
const SCOPE: &str =
    "the access token lacks a scope: get one with https://www.googleapis.com/auth/cloud-platform";
/// The login of a person, whose default project is that of `gcloud` itself.
const QUOTA_PROJECT: &str = "the credentials of a user need a quota project: set --quota-project";
/// No credentials were found, or they gave no token.
const NO_CREDENTIALS: &str =
    "select others with --credentials, --access-token-file, --api-key-file or --anonymous";
/// A name that no binding takes.
const OTHER_SHAPE: &str =
    "for names of another shape there is --binding, such as --binding get=/v1/{name=jobs/*}";
/// An endpoint on another machine with plain http.
const EMULATOR: &str = "for an emulator there is --allow-plain-http, with --anonymous";
/// `UNIMPLEMENTED` over REST.
const UNIMPLEMENTED: &str = "the service does not have this method, or has it under another --api-version";
/// A call that ran out of time.
const MORE_TIME: &str = "the limits are --attempt-timeout and --total-timeout";

#[cfg(test)]
mod tests {
    use longrunning::rpc::help::Link;

    use super::*;
    use crate::place::Service;

    fn place(name: &str) -> OperationPlace {
        let service = Service::new("https://us-run.googleapis.com", None);
        OperationPlace { given: name.into(), service, name: name.into() }
    }

    fn hint(status: Status) -> Option<String> {
        for_error(&Error::from(status), &place("projects/p/locations/europe-west1/operations/1"))
    }

    #[test]
    fn another_endpoint() {
        let other = Some("eu-run.googleapis.com");
        let rows = [
            ("a regional host", "location eu: switch to `eu-run.googleapis.com`.", other),
            ("a URL", "please use https://eu-run.googleapis.com/v1", other),
            ("a port", "please use eu-run.googleapis.com:443", other),
            ("a plain host", "use the global endpoint (run.googleapis.com)", Some("run.googleapis.com")),
            ("a new one", "try run.eu.rep.googleapis.com", Some("run.eu.rep.googleapis.com")),
            ("the same", "us-run.googleapis.com says no", None),
            ("another's", "use the endpoint evil.example", None),
            ("a service", "API [run.googleapis.com] not enabled on project [7].", None),
            (
                "a resource",
                "no endpoint for '//eu-run.googleapis.com/projects/p' (or it may not exist).",
                None,
            ),
            (
                "a permission",
                "Permission iam.googleapis.com/denypolicies.create denied at the endpoint",
                None,
            ),
            (
                "a link",
                "Enable the endpoint at https://console.developers.google.com/apis/api/run.googleapis.com/overview?project=7",
                None,
            ),
            ("a scope", "the endpoint wants https://www.googleapis.com/auth/cloud-platform", None),
        ];
        for (row, message, host) in rows {
            let host = host.map(|host| format!("the service names another endpoint: try --endpoint {host}"));
            assert_eq!(hint(Status::new(Code::InvalidArgument, message)), host, "{row}");
        }
    }

    #[test]
    fn codes() {
        let rows = [
            (
                Code::NotFound,
                Some(
                    "services delete operations some time after they finish; --endpoint and --api-version must match, too: a regional service needs its endpoint of europe-west1",
                ),
            ),
            (
                Code::PermissionDenied,
                Some("the caller lacks a permission: grant it, or use other credentials"),
            ),
            (Code::Unauthenticated, Some(NOT_ACCEPTED)),
            (Code::Unimplemented, Some(UNIMPLEMENTED)),
            (Code::Internal, None),
        ];
        for (code, expected) in rows {
            assert_eq!(hint(Status::new(code, "")).as_deref(), expected, "{code}");
        }
        assert_eq!(hint(Status::new(Code::NotFound, "HTTP 404: Not Found")).as_deref(), Some(NO_METHOD));
        let gone = for_error(&Error::from(Status::new(Code::NotFound, "")), &place("operations/1"));
        assert_eq!(
            gone.as_deref(),
            Some(
                "services delete operations some time after they finish; --endpoint and --api-version must match, too"
            )
        );
    }

    /// Messages and details as Google sends them, to a regional endpoint.
    #[test]
    fn reasons() {
        let rows = [
            (
                "PERMISSION_DENIED",
                "Cloud Run Admin API has not been used in project 7 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/run.googleapis.com/overview?project=7 then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.",
                "SERVICE_DISABLED googleapis.com service=run.googleapis.com consumer=projects/7 containerInfo=7 activationUrl=https://console.developers.google.com/apis/api/run.googleapis.com/overview?project=7",
                "",
                "run.googleapis.com is off for projects/7: switch it on at https://console.developers.google.com/apis/api/run.googleapis.com/overview?project=7 (SERVICE_DISABLED)",
            ),
            (
                "PERMISSION_DENIED",
                "Your application is authenticating by using local Application Default Credentials. The run.googleapis.com API requires a quota project, which is not set by default. To learn how to set your quota project, see https://cloud.google.com/docs/authentication/adc-troubleshooting/user-creds .",
                "SERVICE_DISABLED googleapis.com service=run.googleapis.com consumer=projects/764086051850",
                "",
                "the credentials of a user need a quota project: set --quota-project (SERVICE_DISABLED)",
            ),
            (
                "PERMISSION_DENIED",
                "Permission 'run.operations.get' denied on resource '//run.googleapis.com/projects/p/locations/us/operations/1' (or it may not exist).",
                "IAM_PERMISSION_DENIED run.googleapis.com permission=run.operations.get resource=projects/p/locations/us/operations/1",
                "",
                "the caller lacks run.operations.get on projects/p/locations/us/operations/1: grant it, or use other credentials (IAM_PERMISSION_DENIED)",
            ),
            (
                "PERMISSION_DENIED",
                "Request had insufficient authentication scopes.",
                "ACCESS_TOKEN_SCOPE_INSUFFICIENT googleapis.com service=run.googleapis.com method=google.longrunning.Operations.GetOperation",
                "",
                "the access token lacks a scope: get one with https://www.googleapis.com/auth/cloud-platform (ACCESS_TOKEN_SCOPE_INSUFFICIENT)",
            ),
            (
                "PERMISSION_DENIED",
                "Permission denied on resource project p.",
                "CONSUMER_INVALID googleapis.com consumer=projects/p containerInfo=p service=run.googleapis.com",
                "https://console.developers.google.com",
                "the reason is CONSUMER_INVALID of googleapis.com, see https://console.developers.google.com",
            ),
            (
                "PERMISSION_DENIED",
                "Permission denied on 'locations/me-central2' (or it may not exist).",
                "LOCATION_POLICY_VIOLATED googleapis.com consumer=projects/p location=me-central2",
                "",
                "the reason is LOCATION_POLICY_VIOLATED of googleapis.com",
            ),
            (
                "UNAUTHENTICATED",
                "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
                "CREDENTIALS_MISSING googleapis.com service=run.googleapis.com",
                "",
                "the service did not accept the credentials: renew them (`gcloud auth application-default login`) or use others (CREDENTIALS_MISSING)",
            ),
            (
                "PERMISSION_DENIED",
                "Permission 'run.operations.get' denied: use eu-run.googleapis.com",
                "IAM_PERMISSION_DENIED iam.googleapis.com permission=run.operations.get",
                "",
                "the caller lacks run.operations.get: grant it, or use other credentials (IAM_PERMISSION_DENIED)",
            ),
            (
                "INVALID_ARGUMENT",
                "use eu-run.googleapis.com",
                "X a.example",
                "",
                "the service names another endpoint: try --endpoint eu-run.googleapis.com",
            ),
            (
                "RESOURCE_EXHAUSTED",
                "no quota",
                "",
                "https://a.example/quotas",
                "see https://a.example/quotas",
            ),
        ];
        for (code, message, info, link, expected) in rows {
            let mut status = Status::new(code.parse().unwrap(), message);
            let mut words = info.split_whitespace();
            if let (Some(reason), Some(domain)) = (words.next(), words.next()) {
                let mut info = ErrorInfo::new(reason, domain);
                let facts = words.map(|word| word.split_once('=').unwrap());
                info.metadata.extend(facts.map(|(name, value)| (name.to_owned(), value.to_owned())));
                status = status.with_detail(info);
            }
            if !link.is_empty() {
                status = status.with_detail(Help::default().links([Link::default().url(link)]));
            }
            assert_eq!(hint(status).as_deref(), Some(expected), "{info}");
        }
    }
}
