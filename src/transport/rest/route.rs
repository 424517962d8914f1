//! Transcoding: from a method, a name and fields to the HTTP request that
//! represents them (`google/api/http.proto`).
//!
//! ```text
//! Get     operations/42              GET /v1/operations/42
//! Get     1234                       GET /v1/operations/1234
//! Cancel  projects/p/operations/7    POST /v1/projects/p/operations/7:cancel   {}
//! List    projects/p, pageSize 9     GET /v1/projects/p/operations?pageSize=9
//! Get     ../v2/x                    an error; nothing is sent
//! ```
//!
//! This is the last check of a name before it is in a URL.

use serde_json::Value;

use crate::error::Error;
use crate::http::HttpMethod;
use crate::name::OperationName;
use crate::proto::google::longrunning::{ListOperationsRequest, WaitOperationRequest};
use crate::transport::Rpc;
use crate::transport::rest::binding::Bindings;
use crate::transport::rest::method_binding::{Binding, RequestField};
use crate::util::percent::encode;

/// The start line and the body of one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HttpRoute {
    pub(crate) verb: HttpMethod,
    /// Path and query, percent-encoded, to be appended to the endpoint as it
    /// is. It starts with `/`.
    pub(crate) target: String,
    /// JSON; `None` is an empty body.
    pub(crate) body: Option<String>,
}

impl Bindings {
    /// Finds the request for `rpc` on `name`; `fields` are all other fields
    /// that are set, in the order of the proto.
    ///
    /// `alt` is a query parameter that is appended, encoded. Returns `None` if
    /// the method has no binding at all. The name is checked here, because it
    /// may come from a server.
    ///
    /// # Errors
    ///
    /// `Binding` for a name that could leave its path, that is not one of an
    /// operation (for a list: of a parent), or that no binding matches. Those
    /// of a service whose method cannot be bound.
    pub(crate) fn route(
        &self,
        rpc: Rpc,
        name: &str,
        fields: Vec<RequestField>,
        alt: Option<&str>,
    ) -> Result<Option<HttpRoute>, Error> {
        let name = OperationName::sent(name);
        name.check_path()?;
        check_kind(rpc, &name)?;
        // Not checked again: the translation removes parts of the name, or adds
        // literal ones.
        if let Some(service) = self.service_for(rpc) {
            let (name, fields) = service.resolve(rpc, name.as_str(), fields)?;
            return self.route_bound(rpc, &OperationName::sent(&name), fields, alt);
        }
        self.route_bound(rpc, &name, fields, alt)
    }

    /// Fills the first binding whose template matches the name. A name that is
    /// not in the path is sent with the other fields.
    fn route_bound(
        &self,
        rpc: Rpc,
        name: &OperationName,
        fields: Vec<RequestField>,
        alt: Option<&str>,
    ) -> Result<Option<HttpRoute>, Error> {
        let bindings = self.of(rpc);
        if bindings.is_empty() {
            return Ok(None);
        }
        let first = bindings.iter().find_map(|binding| Some((binding, binding.template.path(name)?)));
        let Some((binding, mut target)) = first else {
            return Err(Error::no_binding(rpc.name(), name.as_str(), &expected(bindings)));
        };
        let in_path = binding.template.has_variable();
        let unbound =
            (!in_path).then(|| (&*binding.name_field, Value::from(name.as_str()))).into_iter().chain(fields);
        let (query, body) =
            if binding.body { (Vec::new(), Some(body(unbound))) } else { (query(unbound), None) };
        let query = query.iter().map(String::as_str).chain(alt);
        for (pair, mark) in query.zip(std::iter::once("?").chain(std::iter::repeat("&"))) {
            target.extend([mark, pair]);
        }
        Ok(Some(HttpRoute { verb: binding.verb, target, body }))
    }
}

/// Refuses the name of an operation for a listing if it ends with `/`, and that
/// of a collection for everything else: `DELETE /v1/operations` concerns all
/// operations.
fn check_kind(rpc: Rpc, name: &OperationName) -> Result<(), Error> {
    let method = rpc.name();
    let why = match rpc {
        Rpc::List if name.as_str().ends_with('/') => {
            format!("ends with `/`: {method} takes a parent or a collection")
        }
        Rpc::Get | Rpc::Cancel | Rpc::Delete | Rpc::Wait if name.is_collection() => {
            format!("is a collection: {method} takes an operation in it")
        }
        _ => return Ok(()),
    };
    Err(Error::bad_name(name.as_str(), &why))
}

/// Returns the names that bindings match, for the message:
/// `` `a/*` or `b/**` ``.
fn expected(bindings: &[Binding]) -> String {
    let patterns = bindings.iter().filter_map(|binding| binding.template.pattern());
    patterns.map(|pattern| format!("`{pattern}`")).collect::<Vec<_>>().join(" or ")
}

/// Returns `key=value` for each field, encoded. Strings are not quoted.
fn query<'a>(fields: impl Iterator<Item = (&'a str, Value)>) -> Vec<String> {
    let pair = |(key, value): (&str, Value)| match value {
        Value::String(text) => format!("{}={}", encode(key), encode(&text)),
        other => format!("{}={}", encode(key), encode(&other.to_string())),
    };
    fields.map(pair).collect()
}

/// Returns the JSON object of the fields; `{}` without any.
fn body<'a>(fields: impl Iterator<Item = (&'a str, Value)>) -> String {
    Value::Object(fields.map(|(key, value)| (key.to_owned(), value)).collect()).to_string()
}

/// Returns the fields of a list request that are set, without its name.
///
/// A field that has the default of its type is not set, as in proto3: a page
/// size of 0 lets the service choose.
pub(crate) fn list_fields(request: &ListOperationsRequest) -> Vec<RequestField> {
    let fields = [
        ("filter", Value::from(request.filter.as_str())),
        ("pageSize", Value::from(request.page_size)),
        ("pageToken", Value::from(request.page_token.as_str())),
        ("returnPartialSuccess", Value::from(request.return_partial_success)),
    ];
    // The default of each type of field. Values of different types never
    // compare equal, so one list serves all.
    let defaults = ["".into(), 0.into(), false.into()];
    fields.into_iter().filter(|(_, value)| !defaults.contains(value)).collect()
}

/// Returns the fields of a wait request that are set, without its name. A
/// timeout of zero is set.
pub(crate) fn wait_fields(request: &WaitOperationRequest) -> Vec<RequestField> {
    request.timeout.iter().map(|timeout| ("timeout", Value::from(seconds(timeout)))).collect()
}

/// Returns a Duration in ProtoJSON, whatever is in it: the server judges.
///
/// ```text
/// 3 s, 500 000 000 ns     3.5s
/// 0 s                     0s
/// -1 s, 500 000 000 ns    -0.5s     signs that differ are added up
/// ```
fn seconds(duration: &prost_types::Duration) -> String {
    // In 128 bits, because `seconds` may be any 64-bit number.
    let nanos = i128::from(duration.seconds) * 1_000_000_000 + i128::from(duration.nanos);
    let sign = if nanos < 0 { "-" } else { "" };
    let (seconds, nanos) = (nanos.unsigned_abs() / 1_000_000_000, nanos.unsigned_abs() % 1_000_000_000);
    let text = format!("{sign}{seconds}.{nanos:09}");
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::WaitBinding;

    fn send(bindings: &Bindings, rpc: Rpc, name: &str, fields: Vec<RequestField>) -> String {
        match bindings.route(rpc, name, fields, None) {
            Ok(Some(HttpRoute { verb, target, body: None })) => format!("{} {target}", verb.as_str()),
            Ok(Some(HttpRoute { verb, target, body: Some(body) })) => {
                format!("{} {target} {body}", verb.as_str())
            }
            Ok(None) => "none".into(),
            Err(error) => error.to_string(),
        }
    }

    fn wait_request(seconds: i64, nanos: i32) -> WaitOperationRequest {
        WaitOperationRequest { name: String::new(), timeout: Some(prost_types::Duration { seconds, nanos }) }
    }

    #[test]
    fn default_bindings_take_every_shape_of_name() {
        let rows = [
            (Rpc::Get, "operations/42", "GET /v1/operations/42"),
            (Rpc::Get, "operations/a/b=+/c", "GET /v1/operations/a/b%3D%2B/c"),
            (Rpc::Get, "operations/a/b/", "GET /v1/operations/a/b/"),
            (
                Rpc::Get,
                "projects/p/locations/l/operations/42",
                "GET /v1/projects/p/locations/l/operations/42",
            ),
            (
                Rpc::Get,
                "projects/p/operations/x/operations/y",
                "GET /v1/projects/p/operations/x/operations/y",
            ),
            (Rpc::Get, "1234567890", "GET /v1/operations/1234567890"),
            (Rpc::Delete, "1234567890", "DELETE /v1/operations/1234567890"),
            (Rpc::Delete, "operations/a:b", "DELETE /v1/operations/a%3Ab"),
            (Rpc::Cancel, "operations/42", "POST /v1/operations/42:cancel {}"),
            (Rpc::Cancel, "operations/42:cancel", "POST /v1/operations/42%3Acancel:cancel {}"),
            (Rpc::Cancel, "projects/p/operations/42", "POST /v1/projects/p/operations/42:cancel {}"),
            (Rpc::Cancel, "7", "POST /v1/operations/7:cancel {}"),
            (Rpc::Get, "transferOperations/a/b", "GET /v1/transferOperations/a/b"),
            (Rpc::Cancel, "transferOperations/7", "POST /v1/transferOperations/7:cancel {}"),
            (Rpc::Delete, "batches/7", "DELETE /v1/batches/7"),
            (Rpc::Get, "projects/p/warehouseOperations/7", "GET /v1/projects/p/warehouseOperations/7"),
            (Rpc::List, "operations", "GET /v1/operations"),
            (Rpc::List, "transferOperations", "GET /v1/transferOperations"),
            (Rpc::List, "batches", "GET /v1/batches"),
            (Rpc::List, "projects/p/batches", "GET /v1/projects/p/batches/operations"),
            (Rpc::List, "projects/p/warehouseOperations", "GET /v1/projects/p/warehouseOperations"),
            (Rpc::List, "projects/p/operations", "GET /v1/projects/p/operations"),
            (Rpc::List, "projects/p", "GET /v1/projects/p/operations"),
            (Rpc::List, "é", "GET /v1/%C3%A9/operations"),
            (Rpc::Wait, "operations/42", "none"),
        ];
        for (rpc, name, sent) in rows {
            assert_eq!(send(&Bindings::default(), rpc, name, Vec::new()), sent, "{rpc:?}");
        }
    }

    #[test]
    fn refuses_names_that_the_method_does_not_take() -> Result<(), Error> {
        let narrow = Bindings::default().get([Binding::get("/v1/{name=operations/**}")?]);
        let rows = [
            (
                &narrow,
                Rpc::Get,
                "jobs/7",
                "name `jobs/7` matches no binding of GetOperation: expected `operations/**`",
            ),
            (
                &Bindings::default(),
                Rpc::Delete,
                "jobs/7",
                "name `jobs/7` matches no binding of DeleteOperation: \
                 expected `operations/**` or `**/operations/**` or `transferOperations/**` or `batches/*` or \
                 `**/warehouseOperations/*` or `*`",
            ),
            (
                &Bindings::default(),
                Rpc::Get,
                "projects/p/operations",
                "name `projects/p/operations` is a collection: GetOperation takes an operation in it",
            ),
            (
                &Bindings::default(),
                Rpc::Delete,
                "batches",
                "name `batches` is a collection: DeleteOperation takes an operation in it",
            ),
            (
                &Bindings::default(),
                Rpc::Get,
                "transferOperations/",
                "name `transferOperations/` has no id after `transferOperations/`",
            ),
            (
                &Bindings::default(),
                Rpc::Cancel,
                "operations",
                "name `operations` is a collection: CancelOperation takes an operation in it",
            ),
            (
                &Bindings::default(),
                Rpc::List,
                "projects/p/",
                "name `projects/p/` ends with `/`: ListOperations takes a parent or a collection",
            ),
            (
                &Bindings::default(),
                Rpc::Get,
                "projects/p/operations/",
                "name `projects/p/operations/` has no id after `operations/`",
            ),
            (
                &Bindings::default(),
                Rpc::Wait,
                "operations/..",
                "name `operations/..` has a `.` or `..` segment",
            ),
        ];
        for (bindings, rpc, name, message) in rows {
            let error = bindings.route(rpc, name, Vec::new(), ALT).expect_err(name);
            assert_eq!((error.kind(), error.to_string()), (crate::ErrorKind::Binding, message.into()));
        }
        Ok(())
    }

    #[test]
    fn bindings_are_tried_in_order() -> Result<(), Error> {
        let bindings = Bindings::default().get([
            Binding::get("/v1/{name=projects/*/operations/*}")?,
            Binding::get("/v2/{name=projects/**}")?,
            Binding::get("/v3/operations")?,
        ]);
        let rows = [
            ("projects/p/operations/1", "GET /v1/projects/p/operations/1"),
            ("projects/p/operations/1/2", "GET /v2/projects/p/operations/1/2"),
            ("operations/a b", "GET /v3/operations?name=operations%2Fa%20b"),
        ];
        for (name, sent) in rows {
            assert_eq!(send(&bindings, Rpc::Get, name, Vec::new()), sent);
        }
        Ok(())
    }

    #[test]
    fn list_fields_go_to_the_query_in_order() {
        let request = ListOperationsRequest {
            name: "projects/p".into(),
            filter: "done = true AND a/b+é".into(),
            page_size: -7,
            page_token: "t&=?#".into(),
            return_partial_success: true,
        };
        assert_eq!(
            send(&Bindings::default(), Rpc::List, &request.name, list_fields(&request)),
            "GET /v1/projects/p/operations?filter=done%20%3D%20true%20AND%20a%2Fb%2B%C3%A9&pageSize=-7\
             &pageToken=t%26%3D%3F%23&returnPartialSuccess=true"
        );
        assert!(list_fields(&ListOperationsRequest::default()).is_empty());
    }

    #[test]
    fn fields_of_a_body_binding_are_json_without_the_name_in_the_path() -> Result<(), Error> {
        let request = ListOperationsRequest { filter: "a\"b".into(), page_size: 5, ..Default::default() };
        let bindings =
            Bindings::default().list([Binding::post("/v1/{name=p/*}:search")?, Binding::post("/v1/all")?]);
        let sent = send(&bindings, Rpc::List, "p/1", list_fields(&request));
        assert_eq!(sent, r#"POST /v1/p/1:search {"filter":"a\"b","pageSize":5}"#);
        assert_eq!(send(&bindings, Rpc::List, "q/1", Vec::new()), r#"POST /v1/all {"name":"q/1"}"#);
        Ok(())
    }

    #[test]
    fn wait_is_bound_in_three_ways() -> Result<(), Error> {
        let rows = [
            (
                WaitBinding::Body,
                "POST /v2/operations/42:wait {\"timeout\":\"3.5s\"}",
                "POST /v2/operations/42:wait {}",
            ),
            (WaitBinding::Query, "POST /v2/operations/42:wait?timeout=3.5s", "POST /v2/operations/42:wait"),
            (WaitBinding::Get, "GET /v2/operations/42:wait?timeout=3.5s", "GET /v2/operations/42:wait"),
        ];
        for (how, with, without) in rows {
            let bindings = Bindings::version("v2")?.wait_by(how);
            let fields = wait_fields(&wait_request(3, 500_000_000));
            assert_eq!(send(&bindings, Rpc::Wait, "operations/42", fields), with);
            let fields = wait_fields(&WaitOperationRequest::default());
            assert_eq!(send(&bindings, Rpc::Wait, "operations/42", fields), without);
        }
        Ok(())
    }

    #[test]
    fn timeouts_are_proto_json() {
        let rows = [
            (0, 0, "0s"),
            (10, 0, "10s"),
            (3600, 1, "3600.000000001s"),
            (0, 250_000_000, "0.25s"),
            (-1, -500_000_000, "-1.5s"),
            (i64::MIN, i32::MIN, "-9223372036854775810.147483648s"),
        ];
        for (seconds, nanos, text) in rows {
            assert_eq!(wait_fields(&wait_request(seconds, nanos)), [("timeout", Value::from(text))]);
        }
    }

    #[test]
    fn asks_for_a_form_of_the_answer_last() -> Result<(), Error> {
        let target = |rpc, name: &str, fields| {
            let route = Bindings::default().route(rpc, name, fields, ALT)?;
            Ok::<_, Error>(route.map(|route| route.target).unwrap_or_default())
        };
        assert_eq!(target(Rpc::Get, "operations/1", Vec::new())?, "/v1/operations/1?alt=x");
        assert_eq!(target(Rpc::Cancel, "operations/1", Vec::new())?, "/v1/operations/1:cancel?alt=x");
        let filter = vec![("filter", Value::from("f"))];
        assert_eq!(target(Rpc::List, "operations", filter)?, "/v1/operations?filter=f&alt=x");
        Ok(())
    }

    const ALT: Option<&str> = Some("alt=x");
}
