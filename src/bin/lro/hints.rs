//! What to do about an error, where that can be told.

use longrunning::rpc::{ErrorInfo, Help};
use longrunning::{Code, Error, ErrorKind, Status};

use crate::names::Place;

/// A hint for an error of a call for `place`.
pub(crate) fn for_error(error: &Error, place: &Place) -> Option<String> {
    let status = error.status().filter(|_| error.kind() == ErrorKind::Service);
    if let Some(host) = status.and_then(|status| other_host(status, &place.service.endpoint)) {
        return Some(format!("the service names another endpoint: try --endpoint {host}"));
    }
    if let Some(hint) = status.and_then(for_reason) {
        return Some(hint);
    }
    match (error.kind(), error.code()) {
        (ErrorKind::Service, Some(Code::NotFound)) => Some(not_found(place)),
        (ErrorKind::Service, Some(Code::Unauthenticated)) => Some(NOT_ACCEPTED.to_owned()),
        (ErrorKind::Service, Some(Code::Unimplemented)) => Some(UNIMPLEMENTED.to_owned()),
        (ErrorKind::Timeout, _) if error.operation().is_none() => Some(MORE_TIME.to_owned()),
        (ErrorKind::Operation, _) => error.status().and_then(for_reason),
        _ => for_set_up(error),
    }
}

/// A hint for an error in the options and files that clients are made of.
pub(crate) fn for_set_up(error: &Error) -> Option<String> {
    match error.kind() {
        ErrorKind::Auth => Some(NO_CREDENTIALS.to_owned()),
        _ => None,
    }
}

/// What the machine-readable reason of an error asks for.
fn for_reason(status: &Status) -> Option<String> {
    let link = || status.detail::<Help>()?.links.into_iter().map(|link| link.url).find(|url| !url.is_empty());
    let Some(info) = status.detail::<ErrorInfo>() else {
        return link().map(|link| format!("see {link}"));
    };
    let fact = |name: &str| info.metadata.get(name).filter(|value| !value.is_empty());
    let reason = &info.reason;
    match reason.as_str() {
        "SERVICE_DISABLED" => {
            let service = fact("serviceTitle").or(fact("service")).map_or("the API", String::as_str);
            let project = fact("consumer").map(|consumer| format!(" for {consumer}")).unwrap_or_default();
            let place = fact("activationUrl").cloned().or_else(link);
            let place = place.map(|place| format!(": switch it on at {place}")).unwrap_or_default();
            Some(format!("{service} is off{project}{place} ({reason})"))
        }
        "IAM_PERMISSION_DENIED" => {
            let permission = fact("permission").map_or("a permission", String::as_str);
            let resource = fact("resource").map(|resource| format!(" on {resource}")).unwrap_or_default();
            Some(format!(
                "who asks lacks {permission}{resource}: have it granted, or use other credentials ({reason})"
            ))
        }
        _ => {
            let place = link().map(|link| format!(", see {link}")).unwrap_or_default();
            let at_work = matches!(status.code(), Code::PermissionDenied | Code::Unauthenticated);
            (at_work || !place.is_empty())
                .then(|| format!("the reason is {reason} of {}{place}", info.domain))
        }
    }
}

/// The endpoint of Google's that the message of an error names, if that is another one than was asked.
fn other_host(status: &Status, endpoint: &str) -> Option<String> {
    let asked = endpoint.rsplit_once("://").map_or(endpoint, |(_, host)| host);
    let asked = asked.split(['/', ':']).next().unwrap_or_default();
    if !matches!(
        status.code(),
        Code::NotFound | Code::InvalidArgument | Code::FailedPrecondition | Code::PermissionDenied
    ) {
        return None;
    }
    let words = status.message().split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.'));
    let hosts = words.map(|word| word.trim_matches('.')).filter(|word| word.ends_with(".googleapis.com"));
    let mut others = hosts.filter(|host| !host.eq_ignore_ascii_case(asked) && !NO_SERVICES.contains(host));
    others.next().map(str::to_owned)
}

fn not_found(place: &Place) -> String {
    let (service, mut segments) = (&place.service, place.name.split('/'));
    let location = segments.find(|segment| *segment == "locations").and_then(|_| segments.next());
    let regional = location.filter(|location| !service.endpoint.contains(*location) && *location != "global");
    match regional {
        Some(location) => {
            format!("{FORGOTTEN}: a regional service wants its endpoint for {location}")
        }
        None => FORGOTTEN.to_owned(),
    }
}

/// Hosts of Google's that messages name for other reasons.
const NO_SERVICES: [&str; 3] =
    ["console.developers.google.com", "www.googleapis.com", "oauth2.googleapis.com"];

const FORGOTTEN: &str =
    "services forget operations some time after they end; --endpoint and --api-version have to fit, too";
const NOT_ACCEPTED: &str = "the service did not accept the credentials: renew them (`gcloud auth application-default login`) or use others";
const NO_CREDENTIALS: &str =
    "others than the default ones come by --credentials, --access-token-file or --anonymous";
const UNIMPLEMENTED: &str = "the service does not have this method, or has it under another --api-version";
const MORE_TIME: &str = "the limits are --attempt-timeout and --total-timeout";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Service;

    fn place(name: &str) -> Place {
        let service = Service { endpoint: "https://us-run.googleapis.com".into(), version: None };
        Place { given: name.into(), service, name: name.into() }
    }

    fn hint(status: Status) -> Option<String> {
        for_error(&Error::from(status), &place("projects/p/locations/europe-west1/operations/1"))
    }

    #[test]
    fn another_endpoint() {
        let says = |message: &str| hint(Status::new(Code::InvalidArgument, message));
        let other =
            Some("the service names another endpoint: try --endpoint eu-run.googleapis.com".to_owned());
        assert_eq!(says("location eu: switch to `eu-run.googleapis.com`."), other);
        assert_eq!(says("please use https://eu-run.googleapis.com/v1"), other);
        assert_eq!(says("us-run.googleapis.com says no"), None);
        assert_eq!(says("evil.example"), None);
    }

    #[test]
    fn codes() {
        let rows = [
            (
                Code::NotFound,
                Some(
                    "services forget operations some time after they end; --endpoint and --api-version have to fit, too: a regional service wants its endpoint for europe-west1",
                ),
            ),
            (Code::Unauthenticated, Some(NOT_ACCEPTED)),
            (Code::Unimplemented, Some(UNIMPLEMENTED)),
            (Code::Internal, None),
        ];
        for (code, expected) in rows {
            assert_eq!(hint(Status::new(code, "")).as_deref(), expected, "{code}");
        }
        let gone = for_error(&Error::from(Status::new(Code::NotFound, "")), &place("operations/1"));
        assert_eq!(gone.as_deref(), Some(FORGOTTEN));
    }

    #[test]
    fn reasons() {
        let denied = |info: ErrorInfo| hint(Status::new(Code::PermissionDenied, "no").with_detail(info));
        let mut off = ErrorInfo::new("SERVICE_DISABLED", "googleapis.com");
        off.metadata.extend([
            ("service".to_owned(), "run.googleapis.com".to_owned()),
            ("consumer".to_owned(), "projects/7".to_owned()),
            ("activationUrl".to_owned(), "https://console/run".to_owned()),
        ]);
        assert_eq!(
            denied(off).unwrap(),
            "run.googleapis.com is off for projects/7: switch it on at https://console/run (SERVICE_DISABLED)"
        );
        let mut lacking = ErrorInfo::new("IAM_PERMISSION_DENIED", "iam.googleapis.com");
        lacking.metadata.insert("permission".to_owned(), "run.operations.get".to_owned());
        assert_eq!(
            denied(lacking).unwrap(),
            "who asks lacks run.operations.get: have it granted, or use other credentials (IAM_PERMISSION_DENIED)"
        );
        let other = denied(ErrorInfo::new("CONSUMER_INVALID", "googleapis.com"));
        assert_eq!(other.as_deref(), Some("the reason is CONSUMER_INVALID of googleapis.com"));
    }
}
