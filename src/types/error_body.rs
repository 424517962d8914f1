//! The bodies that come with HTTP errors, in all their shapes.

use prost::Message;

use crate::json::{JsonReader, RawJson};
use crate::proto::google::rpc;
use crate::types::rpc::ErrorInfo;
use crate::types::status::MOST_DETAILS;
use crate::types::text::SharedSource;
use crate::types::{Any, Code, Status};

impl Status {
    /// Reads the body of an HTTP error: `{"error": …}` or a list of that, where the error is an object
    /// (AIP-193, or the older one with `errors`) or the name of an OAuth error.
    ///
    /// Gives nothing if the text is none of these: HTML, an answer that has no error, an operation that
    /// failed. Whatever else is wrong inside the error is passed over, so that the error itself gets through.
    pub(crate) fn from_error_body(text: &str, http_status: u16) -> Option<Self> {
        let body = JsonReader::document(text, JsonReader::value).ok()?;
        let error = error_of(first(body))?;
        match error.error.string() {
            Ok(name) => Some(Self::new(Code::from_http(http_status), error.describe(&name))),
            Err(_) => read(error.error, http_status),
        }
    }

    /// Reads the body of an error in binary: a `google.rpc.Status`.
    ///
    /// Of a body that is cut, the code and the message come first and count; other bytes give nothing.
    pub(crate) fn from_error_bytes(bytes: &[u8], http_status: u16) -> Option<Self> {
        let mut status = rpc::Status::default();
        let whole = status.merge(bytes).is_ok();
        let named = matches!(status.code, 1..=16);
        if named || (whole && !bytes.is_empty()) {
            status.code = if status.code == 0 { Code::from_http(http_status).into() } else { status.code };
            return Some(Self::of_call(status));
        }
        None
    }

    /// The error of a call, of whose details no more are kept than of one in JSON.
    pub(crate) fn of_call(mut status: rpc::Status) -> Self {
        status.details.truncate(MOST_DETAILS);
        status.into()
    }
}

/// The first element of an array, or else the value itself.
fn first(body: RawJson<'_>) -> RawJson<'_> {
    let mut first = None;
    let _ = body.reader().elements(|reader| {
        let element = reader.value()?;
        first.get_or_insert(element);
        Ok(())
    });
    first.unwrap_or(body)
}

/// The `error` of a body, with what OAuth puts beside it.
struct ErrorOf<'a> {
    error: RawJson<'a>,
    description: String,
    subtype: String,
}

impl ErrorOf<'_> {
    fn describe(&self, name: &str) -> String {
        let mut message = name.to_owned();
        if !self.description.is_empty() {
            message += &format!(": {}", self.description);
        }
        if !self.subtype.is_empty() {
            message += &format!(" ({})", self.subtype);
        }
        message
    }
}

fn error_of(body: RawJson<'_>) -> Option<ErrorOf<'_>> {
    let (mut error, mut description, mut subtype, mut answer) = (None, String::new(), String::new(), false);
    body.reader()
        .fields(|name, reader| {
            let value = reader.value()?;
            match name {
                "error" => error = Some(value),
                "error_description" => description = lossy_string(value),
                "error_subtype" => subtype = lossy_string(value),
                "name" | "metadata" | "done" | "response" | "operations" => answer = true,
                _ => {}
            }
            Ok(())
        })
        .ok()?;
    let error = error.filter(|_| !answer)?;
    Some(ErrorOf { error, description, subtype })
}

fn read(error: RawJson<'_>, http_status: u16) -> Option<Status> {
    let mut number = 0;
    let mut name = String::new();
    let mut message = String::new();
    let mut details = Vec::new();
    let mut legacy = Vec::new();
    error
        .reader()
        .fields(|field, reader| {
            let value = reader.value()?;
            match field {
                "code" => number = value.integer("an HTTP status").unwrap_or_default(),
                "status" => name = lossy_string(value),
                "message" => message = lossy_string(value),
                "details" => details = objects(value, detail),
                "errors" => legacy = objects(value, legacy_error),
                _ => {}
            }
            Ok(())
        })
        .ok()?;
    if message.is_empty() {
        message = legacy.first().map(|(_, message)| message.clone()).unwrap_or_default();
    }
    if details.is_empty() {
        details = legacy.into_iter().map(|(info, _)| info.into()).collect();
    }
    let status = Status::new(code(&name, number, http_status), message);
    Some(details.into_iter().fold(status, Status::with_detail))
}

/// The body's `status` counts first, then the HTTP status; the body's `code` where HTTP says that all is
/// well.
fn code(name: &str, number: u16, http_status: u16) -> Code {
    let named = name.parse().ok().filter(|code| *code != Code::Ok);
    named.unwrap_or_else(|| match (http_status, number) {
        (200..=299, 400..=599) => Code::from_http(number),
        (200..=299, 1..=16) => Code::from(i32::from(number)),
        (200..=299, _) => Code::Unknown,
        _ => Code::from_http(http_status),
    })
}

fn detail(raw: RawJson<'_>) -> Option<Any> {
    raw.check_depth().ok()?;
    Any::read(&SharedSource::new(raw), raw).ok()
}

/// One of the `errors` that came before `details`: what an ErrorInfo says of it, and its message.
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

/// The string, or nothing of a value that is none.
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
            let status = Status::from_error_body(body, http).map(|status| status.to_string());
            assert_eq!(status.as_deref(), Some(expected), "{name}");
        }
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
            ("null", r#"{"error":null}"#),
            ("number", r#"{"error":404}"#),
            ("list of none", "[]"),
            ("list of others", "[1]"),
            ("failed operation", r#"{"name":"operations/1","done":true,"error":{"code":5}}"#),
            ("page", r#"{"operations":[],"error":{"code":5}}"#),
        ];
        for (name, body) in table {
            assert_eq!(Status::from_error_body(body, 404), None, "{name}");
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
            let status = Status::from_error_bytes(bytes, 503);
            assert_eq!(status.as_ref().map(Status::to_string).as_deref(), expected, "{name}");
            assert_eq!(status.map_or(0, |status| status.details().len()), details, "{name}");
        }
    }

    #[test]
    fn details_are_typed_and_kept() {
        let body = r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[
            7, {"@type":"type.googleapis.com/x.Unknown","n":1},
            {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"53s"}]}}"#;
        let status = Status::from_error_body(body, 429).unwrap();
        assert_eq!(status.retry_delay(), Some(Duration::from_secs(53)));
        assert_eq!(status.details().len(), 2);
        assert_eq!(status.details()[0].json().unwrap(), r#"{"@type":"type.googleapis.com/x.Unknown","n":1}"#);
    }

    #[test]
    fn details_past_the_most_are_left_out() {
        let body = format!(r#"{{"error":{{"code":400,"details":[{}{{}}]}}}}"#, "{},".repeat(MOST_DETAILS));
        let of_json = Status::from_error_body(&body, 400).unwrap();
        let bytes = [vec![0x08, 3], [0x1a, 0].repeat(MOST_DETAILS + 1)].concat();
        let of_bytes = Status::from_error_bytes(&bytes, 400).unwrap();
        for status in [of_json, of_bytes] {
            assert_eq!((status.code(), status.details().len()), (Code::InvalidArgument, MOST_DETAILS));
        }
    }

    #[test]
    fn legacy_errors_become_error_infos() {
        let body =
            r#"{"error":{"message":"m","errors":[{"reason":"rateLimitExceeded","domain":"usageLimits"}]}}"#;
        let status = Status::from_error_body(body, 403).unwrap();
        assert_eq!(status.detail(), Some(ErrorInfo::new("rateLimitExceeded", "usageLimits")));
    }

    #[test]
    fn a_detail_nested_too_deep_is_passed_over() {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        let body = format!(r#"{{"error":{{"status":"ABORTED","details":[{deep},{{"@type":"x/y"}}]}}}}"#);
        let status = Status::from_error_body(&body, 500).unwrap();
        assert_eq!((status.code(), status.details().len()), (Code::Aborted, 1));
    }
}
