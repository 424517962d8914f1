//! The bodies of HTTP errors, in all shapes that Google's front ends, gateways
//! and OAuth servers send.
//!
//! | shape | example |
//! |---|---|
//! | [AIP-193](https://google.aip.dev/193) | `{"error":{"code":404,"message":"gone","status":"NOT_FOUND","details":[…]}}` |
//! | older | `{"error":{"code":404,"errors":[{"domain":"global","reason":"notFound","message":"gone"}]}}` |
//! | a list of one of them | `[{"error":{…}}]` |
//! | a bare `google.rpc.Status` | `{"code":5,"message":"gone"}` |
//! | OAuth (RFC 6749 §5.2) | `{"error":"invalid_grant","error_description":"expired"}` |
//! | gateway | `{"error":"gone","code":5,"message":"gone"}` |
//! | protobuf | a `google.rpc.Status` |
//!
//! All become a [`Status`]. Reading is lenient: a field of the wrong type is
//! dropped, so that the message reaches the user. What does not look like an
//! error becomes none, so that the page of a proxy is not taken for an error of
//! the service.

use prost::Message;

use crate::json::{JsonReader, RawJson};
use crate::proto::google::rpc;
use crate::types::rpc::ErrorInfo;
use crate::types::status::MOST_DETAILS;
use crate::types::text::SharedSource;
use crate::types::{Any, Code, Status};

/// The error that the body of an HTTP response describes.
#[derive(Debug, PartialEq)]
pub(crate) struct ParsedErrorBody {
    pub(crate) status: Status,
    /// Whether the body has a canonical code. If not, the code of `status` is
    /// that of the HTTP status.
    pub(crate) names_code: bool,
    /// Whether the body is a `google.rpc.Status` without `error` around it.
    pub(crate) is_bare: bool,
}

impl ParsedErrorBody {
    /// Reads `{"error": …}`, a list of that, or a bare `google.rpc.Status`. The
    /// error is an object (AIP-193, or the older one with `errors`) or the name
    /// of an OAuth error.
    ///
    /// Returns `None` if the text is none of these: HTML, a response without an
    /// error, an operation that failed. Anything else that is wrong inside the
    /// error is ignored, so that the error itself is reported.
    pub(crate) fn from_json(text: &str, http_status: u16) -> Option<Self> {
        let body = JsonReader::document(text, JsonReader::value).ok()?;
        let fields = Fields::of(first(body))?;
        if fields.is_response {
            return None;
        }
        // `"error": null` and an empty text say nothing, so the fields beside
        // it count.
        let Some(error) = fields.error.filter(|error| !matches!(error.text(), "null" | "\"\"")) else {
            return fields.parts.into_bare(http_status);
        };
        match error.string() {
            Ok(name) => Some(fields.named(&name, http_status)),
            Err(_) => Some(ErrorBodyParts::of(error)?.into_body(http_status)),
        }
    }

    /// Reads a `google.rpc.Status` in binary.
    ///
    /// A truncated body is accepted if its code is canonical: code and message
    /// come first. Other bytes that are no such message are `None`, as is an
    /// empty body.
    pub(crate) fn from_protobuf(bytes: &[u8], http_status: u16) -> Option<Self> {
        let mut status = rpc::Status::default();
        // `merge` leaves what it has read until the error, `decode` would drop
        // it.
        let whole = status.merge(bytes).is_ok();
        // Random bytes rarely decode to a code in this range.
        let is_canonical = matches!(status.code, 1..=16);
        if !is_canonical && (!whole || bytes.is_empty()) {
            return None;
        }
        let names_code = status.code != 0;
        if !names_code {
            status.code = Code::from_http(http_status).into();
        }
        Some(Self { status: Status::of_call(status), names_code, is_bare: true })
    }
}

impl Status {
    /// Returns the error of a call. Details beyond the limit are dropped, as
    /// from JSON.
    pub(crate) fn of_call(mut status: rpc::Status) -> Self {
        status.details.truncate(MOST_DETAILS);
        status.into()
    }
}

/// Returns the first element of an array, or else the value itself.
fn first(body: RawJson<'_>) -> RawJson<'_> {
    let mut first = None;
    let _ = body.reader().elements(|reader| {
        let element = reader.value()?;
        first.get_or_insert(element);
        Ok(())
    });
    first.unwrap_or(body)
}

/// The fields of a body: `error` with the fields that OAuth has beside it, or
/// those of a bare `google.rpc.Status`.
struct Fields<'a> {
    error: Option<RawJson<'a>>,
    /// `error_description` of OAuth.
    description: String,
    /// `error_subtype`, which Google adds.
    subtype: String,
    parts: ErrorBodyParts,
    /// Whether it has fields of an operation or of a page. Then its `error` is
    /// not that of the call.
    is_response: bool,
}

impl<'a> Fields<'a> {
    fn of(body: RawJson<'a>) -> Option<Self> {
        let mut fields = Self {
            error: None,
            description: String::new(),
            subtype: String::new(),
            parts: ErrorBodyParts::of(body)?,
            is_response: false,
        };
        body.reader()
            .fields(|name, reader| {
                let value = reader.value()?;
                match name {
                    "error" => fields.error = Some(value),
                    "error_description" => fields.description = lossy_string(value),
                    "error_subtype" => fields.subtype = lossy_string(value),
                    // An operation that failed has an `error` too, but the call
                    // succeeded.
                    "name" | "metadata" | "done" | "response" | "operations" => fields.is_response = true,
                    _ => {}
                }
                Ok(())
            })
            .ok()?;
        Some(fields)
    }

    /// Returns the error of OAuth, or of a gateway that has its text in `error`
    /// and the fields of a `google.rpc.Status` beside it.
    ///
    /// ```text
    /// {"error":"invalid_grant","error_description":"expired","error_subtype":"invalid_rapt"}
    /// UNAUTHENTICATED: invalid_grant: expired (invalid_rapt)
    /// ```
    fn named(self, name: &str, http_status: u16) -> ParsedErrorBody {
        let mut message = name.to_owned();
        for more in [&self.description, &self.parts.message] {
            if !more.is_empty() && *more != name {
                message += &format!(": {more}");
            }
        }
        if !self.subtype.is_empty() {
            message += &format!(" ({})", self.subtype);
        }
        ErrorBodyParts { message, ..self.parts }.into_body(http_status)
    }
}

/// The parts of an error object.
#[derive(Default)]
struct ErrorBodyParts {
    /// An HTTP status, or from 1 to 16 a number of `google.rpc.Code`.
    number: u16,
    /// The name of a code, from `status` or `code`; empty if there is none.
    name: String,
    message: String,
    /// Whether `message` is there as a string, which may be empty.
    has_message: bool,
    details: Vec<Any>,
}

impl ErrorBodyParts {
    /// Reads the fields of an object; `None` for any other value.
    fn of(error: RawJson<'_>) -> Option<Self> {
        let mut parts = Self::default();
        let mut legacy = Vec::new();
        error
            .reader()
            .fields(|field, reader| {
                let value = reader.value()?;
                match field {
                    // `grpc_code` is what some gateways write for streams.
                    // A number may be an HTTP status or a canonical code;
                    // `canonical` decides. A word is a code only if it is the
                    // name of one.
                    "code" | "grpc_code" if parts.number == 0 => match value.string() {
                        Ok(name) if name.parse::<Code>().is_ok() => parts.name = name.into(),
                        _ => parts.number = value.integer("an HTTP status").unwrap_or_default(),
                    },
                    "status" => parts.name = lossy_string(value),
                    "message" => {
                        parts.has_message = value.string().is_ok();
                        parts.message = lossy_string(value);
                    }
                    "details" => parts.details = objects(value, detail),
                    "errors" => legacy = objects(value, legacy_error),
                    _ => {}
                }
                Ok(())
            })
            .ok()?;
        if parts.message.is_empty() {
            parts.message = legacy.first().map(|(_, message)| message.clone()).unwrap_or_default();
        }
        // Newer bodies have both, and then `details` says more.
        if parts.details.is_empty() {
            parts.details = legacy.into_iter().map(|(info, _)| info.into()).collect();
        }
        Some(parts)
    }

    /// Returns the error of a body without `error`, if it is one: it has a
    /// canonical code or, in an HTTP error, a number and a message.
    fn into_bare(self, http_status: u16) -> Option<ParsedErrorBody> {
        // A bare object with a number could be anything in a 200.
        let is_http_error = http_status >= 400 && self.number != 0 && self.has_message;
        let is_status = self.canonical().is_some() || is_http_error;
        is_status.then(|| ParsedErrorBody { is_bare: true, ..self.into_body(http_status) })
    }

    /// Returns the error; without a canonical code, it has that of the HTTP
    /// status.
    fn into_body(self, http_status: u16) -> ParsedErrorBody {
        let code = self.canonical();
        let status = Status::new(code.unwrap_or_else(|| self.code_of_http(http_status)), self.message);
        let status = self.details.into_iter().fold(status, Status::with_detail);
        ParsedErrorBody { status, names_code: code.is_some(), is_bare: false }
    }

    /// Returns the canonical code: the name counts first, then a number that is
    /// no HTTP status.
    fn canonical(&self) -> Option<Code> {
        let by_name = self.name.parse().ok().filter(|code| *code != Code::Ok);
        by_name.or_else(|| matches!(self.number, 1..=16).then(|| Code::from(i32::from(self.number))))
    }

    /// Returns the code of the HTTP status; of the body's number where HTTP
    /// says that all is well.
    fn code_of_http(&self, http_status: u16) -> Code {
        match (http_status, self.number) {
            (200..=299, 400..=599) => Code::from_http(self.number),
            (200..=299, _) => Code::Unknown,
            _ => Code::from_http(http_status),
        }
    }
}

/// Reads a detail; one that is invalid or nests too deep is `None`.
fn detail(raw: RawJson<'_>) -> Option<Any> {
    raw.check_depth().ok()?;
    Any::read(&SharedSource::new(raw), raw).ok()
}

/// Reads one of the `errors` of the older shape: domain and reason as an
/// ErrorInfo, and its message.
fn legacy_error(raw: RawJson<'_>) -> Option<(ErrorInfo, String)> {
    let (mut info, mut message) = (ErrorInfo::default(), String::new());
    raw.reader()
        .fields(|name, reader| {
            let value = reader.value()?;
            match name {
                "domain" => info.domain = lossy_string(value),
                "reason" => info.reason = lossy_string(value),
                "message" => message = lossy_string(value),
                _ => {}
            }
            Ok(())
        })
        .ok()?;
    Some((info, message))
}

/// Reads the elements of an array, up to the limit; those that `read` rejects
/// are left out.
fn objects<T>(array: RawJson<'_>, read: fn(RawJson<'_>) -> Option<T>) -> Vec<T> {
    let mut items = Vec::new();
    let _ = array.reader().elements(|reader| {
        let value = reader.value()?;
        if items.len() < MOST_DETAILS {
            items.extend(read(value));
        }
        Ok(())
    });
    items
}

/// Returns a string; empty for any other value.
fn lossy_string(value: RawJson<'_>) -> String {
    value.string().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn codes_and_messages_of_every_shape() {
        let table = [
            (
                "AIP-193",
                404,
                r#"{"error":{"code":404,"message":"gone","status":"NOT_FOUND"}}"#,
                "NOT_FOUND: gone",
            ),
            (
                "the status outweighs HTTP",
                409,
                r#"{"error":{"code":409,"status":"ALREADY_EXISTS"}}"#,
                "ALREADY_EXISTS",
            ),
            ("no status", 409, r#"{"error":{"code":409,"message":"m"}}"#, "ABORTED: m"),
            ("unknown status", 429, r#"{"error":{"status":"TOO_FAST"}}"#, "RESOURCE_EXHAUSTED"),
            ("a status that is no error", 503, r#"{"error":{"status":"OK"}}"#, "UNAVAILABLE"),
            ("code as a string", 400, r#"{"error":{"code":"400","message":"m"}}"#, "INVALID_ARGUMENT: m"),
            (
                "wrong kinds",
                400,
                r#"{"error":{"code":{},"message":[1],"status":7,"details":8}}"#,
                "INVALID_ARGUMENT",
            ),
            ("empty", 500, r#"{"error":{}}"#, "INTERNAL"),
            (
                "list",
                403,
                r#" [{"error":{"message":"no","status":"PERMISSION_DENIED"}},{}] "#,
                "PERMISSION_DENIED: no",
            ),
            ("200 with a status", 200, r#"{"error":{"code":404,"status":"NOT_FOUND"}}"#, "NOT_FOUND"),
            ("200 with an HTTP code", 200, r#"{"error":{"code":503}}"#, "UNAVAILABLE"),
            ("200 with a canonical code", 200, r#"{"error":{"code":5}}"#, "NOT_FOUND"),
            ("a canonical code as a string", 200, r#"{"error":{"code":"5"}}"#, "NOT_FOUND"),
            ("the first of two codes", 200, r#"{"error":{"grpc_code":5,"code":13}}"#, "NOT_FOUND"),
            ("200 with neither", 200, r#"{"error":{"message":"m"}}"#, "UNKNOWN: m"),
            ("OAuth", 400, r#"{"error":"invalid_grant"}"#, "INVALID_ARGUMENT: invalid_grant"),
            (
                "OAuth in full",
                401,
                r#"{"error":"invalid_grant","error_description":"expired","error_subtype":"invalid_rapt"}"#,
                "UNAUTHENTICATED: invalid_grant: expired (invalid_rapt)",
            ),
            (
                "legacy",
                404,
                r#"{"error":{"errors":[{"domain":"global","reason":"notFound","message":"old"}],"code":404}}"#,
                "NOT_FOUND: old",
            ),
            (
                "control characters",
                400,
                r#"{"error":{"message":"a\nb\u001b[2J"}}"#,
                r"INVALID_ARGUMENT: a\nb\u{1b}[2J",
            ),
        ];
        for (name, http, body, expected) in table {
            let error = ParsedErrorBody::from_json(body, http).map(|error| error.status.to_string());
            assert_eq!(error.as_deref(), Some(expected), "{name}");
        }
    }

    /// As Envoy's transcoder, grpc-gateway and ESP write it.
    #[test]
    fn a_status_needs_no_wrapper() {
        let retry = r#"{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}"#;
        let with_details = format!(r#"{{"code":14,"message":"m","details":[{retry}]}}"#);
        let table = [
            ("whole", 503, with_details.as_str(), "UNAVAILABLE: m", true),
            ("in another HTTP status", 500, r#"{"code":5,"message":"m","details":[]}"#, "NOT_FOUND: m", true),
            ("the code alone", 404, r#"{"code":5}"#, "NOT_FOUND", true),
            ("the name of a code", 404, r#"{"code":"NOT_FOUND","message":"m"}"#, "NOT_FOUND: m", true),
            (
                "the name beside a number",
                409,
                r#"{"code":409,"message":"m","status":"ALREADY_EXISTS"}"#,
                "ALREADY_EXISTS: m",
                true,
            ),
            (
                "a number of HTTP",
                404,
                r#"{"message":"no such path","code":404}"#,
                "NOT_FOUND: no such path",
                false,
            ),
            ("no code", 503, r#"{"code":0,"message":"m"}"#, "", false),
            ("in a list", 404, r#"[{"code":5,"message":"m"}]"#, "NOT_FOUND: m", true),
            ("in a 200", 200, r#"{"code":14,"message":"m"}"#, "UNAVAILABLE: m", true),
            ("a null `error`", 404, r#"{"error":null,"code":5,"message":"m"}"#, "NOT_FOUND: m", true),
            ("with the text twice", 404, r#"{"error":"m","code":5,"message":"m"}"#, "NOT_FOUND: m", true),
            (
                "of a stream",
                503,
                r#"{"error":{"grpc_code":14,"http_code":503,"message":"m","http_status":"Service Unavailable"}}"#,
                "UNAVAILABLE: m",
                true,
            ),
            ("wrapped, by number", 500, r#"{"error":{"code":14,"message":"m"}}"#, "UNAVAILABLE: m", true),
        ];
        for (name, http, body, expected, names_code) in table {
            let found = ParsedErrorBody::from_json(body, http);
            let shown = found.as_ref().map(|found| found.status.to_string()).unwrap_or_default();
            assert_eq!(shown, expected, "{name}");
            assert_eq!(found.is_some_and(|found| found.names_code), names_code, "{name}");
        }
        let found = ParsedErrorBody::from_json(&with_details, 503).unwrap().status;
        assert_eq!(found.retry_delay(), Some(Duration::from_secs(7)));
    }

    #[test]
    fn other_bodies_are_none() {
        let table = [
            ("empty", ""),
            ("HTML", "<html><body>502</body></html>"),
            ("text", "upstream connect error"),
            ("cut short", r#"{"error":{"code":404"#),
            ("trailing text", r#"{"error":{"code":404}} x"#),
            ("no error", r#"{"code":404}"#),
            ("a message without a code", r#"{"message":"Forbidden"}"#),
            ("a code without a meaning", r#"{"code":"E42"}"#),
            ("null", r#"{"error":null}"#),
            ("an empty string", r#"{"error":""}"#),
            ("number", r#"{"error":404}"#),
            ("list of none", "[]"),
            ("list of others", "[1]"),
            ("failed operation", r#"{"name":"operations/1","done":true,"error":{"code":5}}"#),
            ("page", r#"{"operations":[],"error":{"code":5}}"#),
        ];
        for (name, body) in table {
            assert_eq!(ParsedErrorBody::from_json(body, 404), None, "{name}");
        }
    }

    #[test]
    fn bodies_in_binary() {
        let of = |code, message: &str| {
            let info = Any::pack(&ErrorInfo::new("R", "d")).to_proto().unwrap();
            rpc::Status { code, message: message.into(), details: vec![info] }.encode_to_vec()
        };
        let whole = of(8, "m");
        let table = [
            ("whole", whole.as_slice(), Some("RESOURCE_EXHAUSTED: m"), 1),
            ("cut in the details", &whole[..9], Some("RESOURCE_EXHAUSTED: m"), 0),
            ("cut in the message", &whole[..4], Some("RESOURCE_EXHAUSTED"), 0),
            ("without a code", &of(0, "m"), Some("UNAVAILABLE: m"), 1),
            ("an unknown code", &of(77, ""), Some("code 77"), 1),
            ("empty", b"", None, 0),
            ("text", b"upstream connect error", None, 0),
            ("JSON", br#"{"error":{"code":404}}"#, None, 0),
        ];
        for (name, bytes, expected, details) in table {
            let status = ParsedErrorBody::from_protobuf(bytes, 503).map(|error| error.status);
            assert_eq!(status.as_ref().map(Status::to_string).as_deref(), expected, "{name}");
            assert_eq!(status.map_or(0, |status| status.details().len()), details, "{name}");
        }
    }

    #[test]
    fn details_are_typed_and_kept() {
        let body = r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[
            7, {"@type":"type.googleapis.com/x.Unknown","n":1},
            {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"53s"}]}}"#;
        let status = ParsedErrorBody::from_json(body, 429).unwrap().status;
        assert_eq!(status.retry_delay(), Some(Duration::from_secs(53)));
        assert_eq!(status.details().len(), 2);
        assert_eq!(status.details()[0].json().unwrap(), r#"{"@type":"type.googleapis.com/x.Unknown","n":1}"#);
    }

    #[test]
    fn details_past_the_most_are_left_out() {
        let body = format!(r#"{{"error":{{"code":400,"details":[{}{{}}]}}}}"#, "{},".repeat(MOST_DETAILS));
        let of_json = ParsedErrorBody::from_json(&body, 400).unwrap().status;
        let bytes = [vec![0x08, 3], [0x1a, 0].repeat(MOST_DETAILS + 1)].concat();
        let of_bytes = ParsedErrorBody::from_protobuf(&bytes, 400).unwrap().status;
        for status in [of_json, of_bytes] {
            assert_eq!((status.code(), status.details().len()), (Code::InvalidArgument, MOST_DETAILS));
        }
    }

    #[test]
    fn legacy_errors_become_error_infos() {
        let body =
            r#"{"error":{"message":"m","errors":[{"reason":"rateLimitExceeded","domain":"usageLimits"}]}}"#;
        let status = ParsedErrorBody::from_json(body, 403).unwrap().status;
        assert_eq!(status.detail(), Some(ErrorInfo::new("rateLimitExceeded", "usageLimits")));
    }

    #[test]
    fn a_detail_nested_too_deep_is_passed_over() {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        let body = format!(r#"{{"error":{{"status":"ABORTED","details":[{deep},{{"@type":"x/y"}}]}}}}"#);
        let status = ParsedErrorBody::from_json(&body, 500).unwrap().status;
        assert_eq!((status.code(), status.details().len()), (Code::Aborted, 1));
    }

    #[test]
    fn only_an_error_without_a_wrapper_is_bare() {
        for (body, bare) in [(r#"{"error":{"code":5}}"#, false), (r#"{"code":5,"message":"m"}"#, true)] {
            assert_eq!(
                ParsedErrorBody::from_json(body, 404).map(|error| error.is_bare),
                Some(bare),
                "{body}"
            );
        }
    }
}
