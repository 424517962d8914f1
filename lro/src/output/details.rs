//! The details of an error for people: reasons, violations, links.
//!
//! ```text
//! error     PERMISSION_DENIED: Cloud Run Admin API has not been used
//! reason    SERVICE_DISABLED of googleapis.com
//!           consumer: projects/7
//!           service: run.googleapis.com
//! link      Google developers console: https://console.developers.google.com/…
//! ```
//!
//! The types are those of AIP-193, which `google/rpc/error_details.proto`
//! defines. A detail of another type is shown as JSON by `text`.

use std::time::Duration;

use longrunning::Any;
use longrunning::rpc::{
    BadRequest, DebugInfo, ErrorInfo, Help, LocalizedMessage, PreconditionFailure, QuotaFailure, RequestInfo,
    ResourceInfo, RetryInfo,
};

use super::printable::short;

/// A label and its text, which may come from a server and is not yet printable.
/// Rows that belong to the one above have no label.
pub(super) type DetailRow = (&'static str, String);

/// Returns the rows of a detail; none for one that this program cannot read.
pub(super) fn rows(detail: &Any) -> Option<Vec<DetailRow>> {
    let name = detail.type_name().strip_prefix("google.rpc.")?;
    let rows = match name {
        "ErrorInfo" => reason(&detail.unpack::<ErrorInfo>().ok()?),
        "Help" => links(detail.unpack::<Help>().ok()?),
        "BadRequest" => fields(detail.unpack::<BadRequest>().ok()?),
        "QuotaFailure" => quotas(detail.unpack::<QuotaFailure>().ok()?),
        "PreconditionFailure" => conditions(detail.unpack::<PreconditionFailure>().ok()?),
        "RetryInfo" => retry(&detail.unpack::<RetryInfo>().ok()?)?,
        "LocalizedMessage" => vec![("message", detail.unpack::<LocalizedMessage>().ok()?.message)],
        "ResourceInfo" => resource(&detail.unpack::<ResourceInfo>().ok()?),
        "RequestInfo" => vec![("request", detail.unpack::<RequestInfo>().ok()?.request_id)],
        "DebugInfo" => debug(detail.unpack::<DebugInfo>().ok()?),
        _ => return None,
    };
    Some(rows)
}

/// `reason  SERVICE_DISABLED of googleapis.com`, and its facts in the order of
/// the alphabet, since a map has none.
fn reason(info: &ErrorInfo) -> Vec<DetailRow> {
    let mut facts: Vec<_> = info.metadata.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    // The order of a map differs from run to run.
    facts.sort_unstable();
    let first = joined(" of ", [&info.reason, &info.domain]);
    std::iter::once(("reason", first)).chain(facts.into_iter().map(|fact| ("", fact))).collect()
}

/// `link  Quotas: https://example.com/quotas`
fn links(help: Help) -> Vec<DetailRow> {
    help.links.into_iter().map(|link| ("link", joined(": ", [&link.description, &link.url]))).collect()
}

/// `field  page_size: must be positive`
fn fields(request: BadRequest) -> Vec<DetailRow> {
    let row = |violation: longrunning::rpc::bad_request::FieldViolation| {
        ("field", joined(": ", [&violation.field, &violation.description]))
    };
    request.field_violations.into_iter().map(row).collect()
}

/// `quota  projects/p: the limit is 10`. A limit of 0 is one that the service
/// did not say.
fn quotas(failure: QuotaFailure) -> Vec<DetailRow> {
    let row = |violation: longrunning::rpc::quota_failure::Violation| {
        let limit = match violation.quota_value {
            0 => String::new(),
            value => format!("the limit is {value}"),
        };
        ("quota", joined(": ", [&violation.subject, &violation.quota_id, &violation.description, &limit]))
    };
    failure.violations.into_iter().map(row).collect()
}

/// `violated  TOS project: accept the terms`
fn conditions(failure: PreconditionFailure) -> Vec<DetailRow> {
    let row = |violation: longrunning::rpc::precondition_failure::Violation| {
        let what = joined(" ", [&violation.r#type, &violation.subject]);
        ("violated", joined(": ", [&what, &violation.description]))
    };
    failure.violations.into_iter().map(row).collect()
}

/// `retry  after 1m30s`; none without a delay.
fn retry(info: &RetryInfo) -> Option<Vec<DetailRow>> {
    let delay = Duration::try_from(info.retry_delay?).ok()?;
    Some(vec![("retry", format!("after {}", short(delay)))])
}

/// `resource  bucket my-bucket: not found`
fn resource(info: &ResourceInfo) -> Vec<DetailRow> {
    let what = joined(" ", [&info.resource_type, &info.resource_name]);
    vec![("resource", joined(": ", [&what, &info.description]))]
}

/// The message and the stack of the server, a row for each entry.
fn debug(info: DebugInfo) -> Vec<DetailRow> {
    let entries = info.stack_entries.into_iter().map(|entry| ("", entry));
    std::iter::once(("debug", info.detail)).chain(entries).collect()
}

/// Joins those of the parts that say something.
fn joined<'a>(between: &str, parts: impl IntoIterator<Item = &'a String>) -> String {
    parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_for_people() {
        let table = [
            (
                r#"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"STOCKOUT","domain":"compute.googleapis.com","metadata":{"zone":"a","machine":"n2"}}"#,
                "reason=STOCKOUT of compute.googleapis.com|=machine: n2|=zone: a",
            ),
            (
                r#"{"@type":"x/google.rpc.Help","links":[{"description":"Quotas","url":"https://a.example"},{"url":"https://b.example"}]}"#,
                "link=Quotas: https://a.example|link=https://b.example",
            ),
            (
                r#"{"@type":"x/google.rpc.BadRequest","fieldViolations":[{"field":"name","description":"is empty"}]}"#,
                "field=name: is empty",
            ),
            (
                r#"{"@type":"x/google.rpc.QuotaFailure","violations":[{"subject":"project:p","description":"too many CPUs","quotaValue":"8"}]}"#,
                "quota=project:p: too many CPUs: the limit is 8",
            ),
            (
                r#"{"@type":"x/google.rpc.PreconditionFailure","violations":[{"type":"TOS","subject":"a","description":"not accepted"}]}"#,
                "violated=TOS a: not accepted",
            ),
            (r#"{"@type":"x/google.rpc.RetryInfo","retryDelay":"90s"}"#, "retry=after 1m30s"),
            (r#"{"@type":"x/google.rpc.LocalizedMessage","locale":"de","message":"Nein"}"#, "message=Nein"),
            (
                r#"{"@type":"x/google.rpc.ResourceInfo","resourceType":"bucket","resourceName":"b","description":"gone"}"#,
                "resource=bucket b: gone",
            ),
            (r#"{"@type":"x/google.rpc.RequestInfo","requestId":"7"}"#, "request=7"),
            (r#"{"@type":"x/google.rpc.DebugInfo","stackEntries":["f","g"],"detail":"d"}"#, "debug=d|=f|=g"),
        ];
        for (json, expected) in table {
            let rows = rows(&Any::from_json(json).unwrap()).unwrap();
            let rows: Vec<_> = rows.iter().map(|(label, text)| format!("{label}={text}")).collect();
            assert_eq!(rows.join("|"), expected);
        }
        for json in [
            r#"{"@type":"x/a.B"}"#,
            r#"{"@type":"x/google.rpc.Unknown"}"#,
            r#"{"@type":"x/google.rpc.RetryInfo","retryDelay":"soon"}"#,
        ] {
            assert_eq!(rows(&Any::from_json(json).unwrap()), None, "{json}");
        }
    }
}
