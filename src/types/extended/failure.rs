//! The error of an extended operation, as a google.rpc.Status.
//!
//! The code is decided once, here and in [`Code::from_http`]: if the `code` of
//! the first error is the name of a google.rpc.Code, that is the code;
//! [`REASONS`] has a few others; otherwise the HTTP code counts.
//!
//! ```text
//! {"status":"DONE","httpErrorStatusCode":403,"httpErrorMessage":"FORBIDDEN",
//!  "error":{"errors":[{"code":"QUOTA_EXCEEDED","message":"Quota 'CPUS' exceeded."}]}}
//!
//! RESOURCE_EXHAUSTED: Quota 'CPUS' exceeded.
//! ErrorInfo { reason: "QUOTA_EXCEEDED", domain: "compute.googleapis.com",
//!             metadata: { "httpErrorStatusCode": "403", "httpErrorMessage": "FORBIDDEN", "message": … } }
//! ```
//!
//! Whether an operation failed is never a guess: an error that cannot be read
//! is a decoding error, because the operation would otherwise look successful.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::json::{InvalidJson, RawJson};
use crate::types::rpc::{DebugInfo, ErrorInfo, Help, LocalizedMessage, QuotaFailure, help, quota_failure};
use crate::types::text::SharedSource;
use crate::types::{Any, Code, Status};

use super::OperationForm;
use super::fields::ExtendedFields;

/// Returns why an operation that is done failed, or `None` if it succeeded.
///
/// A non-empty `error` is a failure, with or without an HTTP code. `{}`,
/// `{"errors": []}` and a code of 200 are none.
pub(super) fn read<'a>(
    form: OperationForm,
    fields: &ExtendedFields<'a>,
    source: &SharedSource,
) -> Result<Option<Status>, InvalidJson> {
    if form == OperationForm::KubernetesEngine {
        return of_cluster(fields, source);
    }
    let errors = errors(fields.error).map_err(|invalid| invalid.at("error"))?;
    let http = http_code(fields)?;
    let http_message = message("httpErrorMessage", fields.http_message)?.unwrap_or_default();
    let by_http = http.map_or(Code::Unknown, Code::from_http);
    let has_http_error = match http {
        Some(_) => by_http != Code::Ok,
        None => !http_message.is_empty() && http_message != "OK",
    };
    if errors.is_empty() && !has_http_error {
        return Ok(None);
    }
    // A Status has one code: that of the first error.
    let by_name = errors.first().and_then(|error| named(error.text("code")));
    let code = by_name.unwrap_or(if by_http == Code::Ok { Code::Unknown } else { by_http });
    let message = match errors.as_slice() {
        [] => http_message.as_ref().to_owned(),
        errors => errors.iter().map(ErrorEntry::message).collect::<Vec<_>>().join("; "),
    };
    let details = errors.iter().enumerate().flat_map(|(index, error)| {
        // The HTTP code is that of the operation; one detail with it is enough.
        let http = (index == 0).then_some((http, &*http_message));
        error.details(form.domain(), http.unwrap_or_default())
    });
    Ok(Some(details.take(MOST_DETAILS).fold(Status::new(code, message), Status::with_detail)))
}

/// Reads the error of GKE: a google.rpc.Status and, in older responses, only
/// `statusMessage` and conditions.
///
/// ```text
/// {"status":"DONE","statusMessage":"no IPs left",
///  "clusterConditions":[{"code":"GCE_STOCKOUT","canonicalCode":"RESOURCE_EXHAUSTED"}]}
///
/// RESOURCE_EXHAUSTED: no IPs left, with an ErrorInfo for each condition
/// ```
fn of_cluster<'a>(fields: &ExtendedFields<'a>, source: &SharedSource) -> Result<Option<Status>, InvalidJson> {
    let error = fields
        .error
        .map(|raw| Status::read(source, raw).map_err(|invalid| invalid.at("error")))
        .transpose()?;
    // An empty status is no error.
    let error = error.filter(|error| error.code() != Code::Ok || !error.message().is_empty());
    // A condition that cannot be read does not decide about failure, so it is
    // left out.
    let conditions: Vec<_> =
        fields.conditions.iter().filter_map(|raw| entries(*raw).ok()).flatten().collect();
    let message = message("statusMessage", fields.status_message)?;
    // Conditions alone are no failure: a cluster has some after a success too.
    if error.is_none() && message.is_none() {
        return Ok(None);
    }
    let canonical = conditions.iter().find_map(|condition| named(condition.text("canonicalCode")));
    let code = error.as_ref().map(Status::code).filter(|code| *code != Code::Ok);
    let code = code.or(canonical).unwrap_or(Code::Unknown);
    let written = error.as_ref().map_or("", Status::message);
    let message =
        if written.is_empty() { message.unwrap_or_default().into_owned() } else { written.to_owned() };
    let details = error.iter().flat_map(|error| error.details().iter().cloned());
    let domain = OperationForm::KubernetesEngine.domain();
    let reasons = conditions.iter().map(|condition| condition.reason(domain, Default::default()).into());
    let details = details.chain(reasons).take(MOST_DETAILS);
    Ok(Some(details.fold(Status::new(code, message), Status::with_detail)))
}

/// One element of `error.errors`, or one condition of a cluster. An element
/// that is no object has its text as `message`.
struct ErrorEntry(Map<String, Value>);

/// The HTTP code of an operation, and its message.
type HttpResult<'a> = (Option<u16>, &'a str);

impl ErrorEntry {
    /// Returns a field that is a string; empty otherwise.
    fn text(&self, field: &str) -> &str {
        self.0.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    fn message(&self) -> &str {
        match self.text("message") {
            "" => self.text("code"),
            message => message,
        }
    }

    /// Returns the `code` as the reason of an ErrorInfo. Its metadata has the
    /// fields for which a google.rpc.Status has no place.
    fn reason(&self, domain: &str, (http, http_message): HttpResult<'_>) -> ErrorInfo {
        let http = http.map(|code| code.to_string()).unwrap_or_default();
        let metadata = [
            ("location", self.text("location")),
            ("message", self.text("message")),
            ("canonicalCode", self.text("canonicalCode")),
            ("httpErrorStatusCode", &*http),
            ("httpErrorMessage", http_message),
        ];
        let set = metadata.into_iter().filter(|(_, value)| !value.is_empty());
        let mut info = ErrorInfo::new(self.text("code"), domain);
        info.metadata = set.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        info
    }

    /// Returns the details of one error: its reason, the details that Compute
    /// Engine sends in its own wrapper, and its debug information.
    fn details(&self, domain: &str, http: HttpResult<'_>) -> Vec<Any> {
        let details = self.0.get("errorDetails").and_then(Value::as_array).into_iter().flatten();
        let mut all = vec![self.reason(domain, http).into()];
        all.extend(details.filter_map(Value::as_object).flat_map(|detail| self.detail(detail)));
        let debug = self.0.get("debugInfo").and_then(Value::as_object);
        all.extend(debug.map(|info| Any::from(debug_info(info))));
        all
    }

    fn detail(&self, detail: &Map<String, Value>) -> Vec<Any> {
        let part = |name: &str| detail.get(name).and_then(Value::as_object);
        // A wrapper has one of these members for each type of detail.
        let info = part("errorInfo").map(|info| error_info(info).into());
        let quota = part("quotaInfo").map(|quota| self.quota(quota).into());
        let help = part("help").map(|help| links(help).into());
        let localized = part("localizedMessage").map(|message| {
            LocalizedMessage::default()
                .locale(string(message, "locale"))
                .message(string(message, "message"))
                .into()
        });
        [info, quota, help, localized].into_iter().flatten().collect()
    }

    /// Returns the `quotaInfo` of Compute Engine as a QuotaFailure.
    ///
    /// ```text
    /// {"metricName":"compute.googleapis.com/cpus","limitName":"CPUS-per-project-region","limit":24,"dimensions":{"region":"r"}}
    /// Violation { quota_metric: "compute.googleapis.com/cpus", quota_id: "CPUS-per-project-region", quota_value: 24, … }
    /// ```
    fn quota(&self, quota: &Map<String, Value>) -> QuotaFailure {
        let metric = string(quota, "metricName");
        // Limits are numbers with a fraction in Compute Engine, and integers in
        // google.rpc.
        let limit = |name: &str| quota.get(name).and_then(Value::as_f64).map(|limit| limit as i64);
        let mut violation = quota_failure::Violation::default()
            .subject(string(quota, "limitName"))
            .description(self.message())
            .api_service(metric.split('/').next().unwrap_or_default())
            .quota_id(string(quota, "limitName"))
            .quota_dimensions(string_map(quota.get("dimensions")))
            .quota_value(limit("limit").unwrap_or_default());
        violation.future_quota_value = limit("futureLimit");
        violation.quota_metric = metric;
        QuotaFailure::default().violations([violation])
    }
}

/// Reads an ErrorInfo. Its map is called `metadatas` in Compute Engine, and
/// `metadata` in google.rpc.
fn error_info(info: &Map<String, Value>) -> ErrorInfo {
    let metadata = info.get("metadatas").or(info.get("metadata"));
    ErrorInfo::new(string(info, "reason"), string(info, "domain")).metadata(string_map(metadata))
}

/// Reads a DebugInfo.
fn debug_info(info: &Map<String, Value>) -> DebugInfo {
    let entries = info.get("stackEntries").and_then(Value::as_array).into_iter().flatten();
    let entries: Vec<_> = entries.filter_map(Value::as_str).map(str::to_owned).collect();
    DebugInfo::default().detail(string(info, "detail")).stack_entries(entries)
}

/// Reads a Help.
fn links(help: &Map<String, Value>) -> Help {
    let links = help.get("links").and_then(Value::as_array).into_iter().flatten();
    let links = links
        .filter_map(Value::as_object)
        .map(|link| help::Link::default().description(string(link, "description")).url(string(link, "url")));
    Help::default().links(links.collect::<Vec<_>>())
}

/// Returns a field that is a string; empty otherwise.
fn string(fields: &Map<String, Value>, name: &str) -> String {
    fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Returns the entries of an object whose values are strings.
fn string_map(map: Option<&Value>) -> std::collections::HashMap<String, String> {
    let entries = map.and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// Returns the entries of `error`: the elements of its `errors` or, if it has
/// another form, itself.
///
/// | `error` | entries |
/// |---|---|
/// | absent, `null`, `false`, `""`, `{}`, `{"errors":[]}` | none |
/// | `{"errors":[{…},{…}]}`, `[{…},{…}]` | two |
/// | `{"code":"X","message":"m"}`, `"m"` | one |
///
/// An error that cannot be read is an error here: it is never taken for none.
fn errors(error: Option<RawJson<'_>>) -> Result<Vec<ErrorEntry>, InvalidJson> {
    let Some(error) = error else { return Ok(Vec::new()) };
    match error.text().as_bytes().first() {
        Some(b'{') => errors_in(error),
        Some(b'[') => entries(error),
        _ => Ok(match parsed(error)? {
            Value::Null | Value::Bool(false) => Vec::new(),
            Value::String(text) if text.is_empty() => Vec::new(),
            other => vec![entry(other)],
        }),
    }
}

/// Returns the entries of an `error` that is an object. `kind` alone, as Cloud
/// SQL sends it, is no error.
fn errors_in(object: RawJson<'_>) -> Result<Vec<ErrorEntry>, InvalidJson> {
    let (mut list, mut has_others) = (None, false);
    object.reader().fields(|name, reader| {
        let value = reader.value()?;
        match name {
            "errors" => list = Some(value),
            name => has_others |= name != "kind",
        }
        Ok(())
    })?;
    let listed = errors(list).map_err(|invalid| invalid.at("errors"))?;
    Ok(if listed.is_empty() && has_others { vec![entry(parsed(object)?)] } else { listed })
}

/// Returns the elements of a list, as many as there may be details. An entry
/// takes hundreds of bytes, and two bytes of a response can stand for one.
fn entries(list: RawJson<'_>) -> Result<Vec<ErrorEntry>, InvalidJson> {
    let mut entries = Vec::new();
    list.reader().elements(|reader| {
        let value = reader.value()?;
        if entries.len() < MOST_DETAILS {
            entries.push(entry(parsed(value)?));
        }
        Ok(())
    })?;
    Ok(entries)
}

/// Parses a value. Its syntax has been checked already, so only half of a
/// surrogate pair or a number without a finite value can fail.
fn parsed(raw: RawJson<'_>) -> Result<Value, InvalidJson> {
    serde_json::from_str(raw.text())
        .map_err(|_| InvalidJson::new("expected whole surrogate pairs, and numbers that are not infinite"))
}

/// Returns a value as an entry.
fn entry(value: Value) -> ErrorEntry {
    match value {
        Value::Object(fields) => ErrorEntry(fields),
        other => {
            let text = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
            ErrorEntry(Map::from_iter([("message".to_owned(), text.into())]))
        }
    }
}

/// Returns the HTTP code; 0 counts as absent.
fn http_code(fields: &ExtendedFields<'_>) -> Result<Option<u16>, InvalidJson> {
    let code = fields.http_code.map(|code| code.integer("an HTTP code")).transpose();
    Ok(code.map_err(|invalid| invalid.at("httpErrorStatusCode"))?.filter(|code| *code != 0))
}

/// Reads a message that decides whether the operation failed; an empty one
/// counts as absent.
fn message<'a>(field: &str, value: Option<RawJson<'a>>) -> Result<Option<Cow<'a, str>>, InvalidJson> {
    let text = value.map(RawJson::string).transpose().map_err(|invalid| invalid.at(field))?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// Returns the canonical code for the `code` of an error, if it is known. `OK`
/// is none: the operation failed.
fn named(code: &str) -> Option<Code> {
    let reason = REASONS.iter().find(|(reason, _)| *reason == code).map(|(_, code)| *code);
    reason.or_else(|| code.parse().ok()).filter(|code| *code != Code::Ok)
}

/// Reasons that say more than the HTTP code beside them, which for a quota is
/// 403.
const REASONS: [(&str, Code); 2] =
    [("QUOTA_EXCEEDED", Code::ResourceExhausted), ("INTERNAL_ERROR", Code::Internal)];

/// The limit on details, the same as for the error of any operation.
const MOST_DETAILS: usize = crate::types::status::MOST_DETAILS;
