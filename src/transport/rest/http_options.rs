//! Bindings in the form in which Google's Python clients take them.
//!
//! A program that is ported from Python keeps its `http_options`. The JSON is
//! read strictly: an option that was ignored would send requests somewhere else
//! than the program says.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::http::HttpMethod;
use crate::transport::Rpc;
use crate::transport::rest::binding::Bindings;
use crate::transport::rest::method_binding::Binding;
use crate::util::excerpt::shown;

impl Bindings {
    /// Replaces bindings by the `http_options` of Google's Python client, given
    /// as JSON.
    ///
    /// Methods that are not in it stay as they are. As there, a rule without
    /// `"body": "*"` sends an empty body and all fields in the query.
    ///
    /// ```
    /// use longrunning::Bindings;
    ///
    /// let bindings = Bindings::default().http_options(r#"{
    ///     "google.longrunning.Operations.GetOperation": [
    ///         {"method": "get", "uri": "/v1/{name=**/operations/*}"}
    ///     ],
    ///     "google.longrunning.Operations.CancelOperation": [
    ///         {"method": "post", "uri": "/v1/{name=**/operations/*}:cancel", "body": "*"}
    ///     ]
    /// }"#)?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for text that is not of
    /// this form, an unknown key, a `body` other than `*`, and a `uri` that
    /// is not a path template.
    pub fn http_options(self, json: &str) -> Result<Self, Error> {
        type HttpOptions = BTreeMap<String, Vec<HttpRuleEntry>>;

        let options: HttpOptions = serde_json::from_str(json).map_err(|error| {
            let expected =
                r#"expected {"google.longrunning.Operations.GetOperation": [{"method", "uri", "body"}]}"#;
            // Not the parser's own words: they quote the text, which may be a secret.
            let (line, column) = (error.line(), error.column());
            Error::config(format!("http options cannot be read (line {line}, column {column}): {expected}"))
        })?;
        options.into_iter().try_fold(self, |bindings, (key, rules)| {
            let rpc = rpc(&key)?;
            let rules = rules.into_iter().map(|rule| binding(rpc, rule));
            Ok(bindings.set(rpc, rules.collect::<Result<Vec<_>, Error>>()?))
        })
    }
}

/// One rule: `method`, `uri` and maybe `body`.
type HttpRuleEntry = BTreeMap<String, String>;

/// Finds the RPC of a key, which is the full name of its method.
fn rpc(key: &str) -> Result<Rpc, Error> {
    let method = key.strip_prefix(SERVICE).and_then(|key| key.strip_prefix('.'));
    method.and_then(Rpc::by_name).ok_or_else(|| {
        let methods = Rpc::names();
        let key = shown(key);
        Error::config(format!(
            "http options: unknown key `{key}`, expected `{SERVICE}.` and one of {methods}"
        ))
    })
}

/// Makes the binding of one rule.
///
/// ```text
/// {"method": "post", "uri": "/v1/{name=**}:cancel", "body": "*"}    all fields in the body
/// {"method": "post", "uri": "/v1/{name=**}:wait"}                   all fields in the query
/// ```
///
/// # Errors
///
/// `Config` for an unknown key, method or body, and for a missing one.
fn binding(rpc: Rpc, mut rule: HttpRuleEntry) -> Result<Binding, Error> {
    let wrong = |why: String| Error::config(format!("http options of {}: {why}", rpc.name()));
    let mut take = |key: &str| rule.remove(key);
    let (method, uri, body) = (take("method"), take("uri"), take("body"));
    if let Some(key) = rule.keys().next() {
        let key = shown(key);
        return Err(wrong(format!("unknown key `{key}`, expected `method`, `uri` and maybe `body`")));
    }
    let method = method.ok_or_else(|| wrong("a rule has no `method`".into()))?;
    let uri = uri.ok_or_else(|| wrong("a rule has no `uri`".into()))?;
    let verb = HttpMethod::ALL.into_iter().find(|verb| verb.as_str().eq_ignore_ascii_case(&method));
    let verb = verb.ok_or_else(|| {
        let method = shown(&method);
        wrong(format!("unknown method `{method}`, expected get, put, post, delete or patch"))
    })?;
    let binding = Binding::new(verb, &uri)?;
    // `google.api.http` would allow one field as the body. No method of
    // operations has such a rule.
    match body.as_deref() {
        None => Ok(binding.query_only()),
        Some("*") if verb.has_body() => Ok(binding),
        Some("*") => Err(wrong(format!("a {} request has no `body`", verb.as_str()))),
        Some(body) => Err(wrong(format!("`body` is `{}`, expected `*`", shown(body)))),
    }
}

/// The service whose methods the keys name.
const SERVICE: &str = "google.longrunning.Operations";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_the_same_as_bindings() -> Result<(), Error> {
        let read = Bindings::default().http_options(
            r#"{"google.longrunning.Operations.GetOperation":
                  [{"method": "get", "uri": "/v1/{name=**/operations/*}"}, {"uri": "/v2/x", "method": "GET"}],
                "google.longrunning.Operations.CancelOperation":
                  [{"method": "post", "uri": "/v1/{name=**}:cancel", "body": "*"}],
                "google.longrunning.Operations.WaitOperation":
                  [{"method": "post", "uri": "/v1/{name=**}:wait"}],
                "google.longrunning.Operations.DeleteOperation": []}"#,
        )?;
        let built = Bindings::default()
            .get([Binding::get("/v1/{name=**/operations/*}")?, Binding::get("/v2/x")?])
            .cancel([Binding::post("/v1/{name=**}:cancel")?])
            .wait([Binding::post("/v1/{name=**}:wait")?.query_only()])
            .delete([]);
        assert_eq!(read, built);
        assert_eq!(Bindings::default().http_options("{}")?, Bindings::default());
        Ok(())
    }

    #[test]
    fn says_what_is_wrong() {
        let get = |rule: &str| format!(r#"{{"google.longrunning.Operations.GetOperation": [{rule}]}}"#);
        let expected =
            r#"expected {"google.longrunning.Operations.GetOperation": [{"method", "uri", "body"}]}"#;
        let unreadable = |at: &str| format!("http options cannot be read ({at}): {expected}");
        let of_get = "of GetOperation: ";
        let rows = [
            ("no json".into(), unreadable("line 1, column 2")),
            (get(r#"{"method": 7}"#), unreadable("line 1, column 60")),
            (
                r#"{"GetOperation": []}"#.into(),
                "http options: unknown key `GetOperation`, expected `google.longrunning.Operations.` \
                 and one of GetOperation, ListOperations, CancelOperation, DeleteOperation, WaitOperation"
                    .into(),
            ),
            (
                get(r#"{"method": "get", "uri": "/v1/x", "boddy": "*"}"#),
                format!(
                    "http options {of_get}unknown key `boddy`, expected `method`, `uri` and maybe `body`"
                ),
            ),
            (get(r#"{"uri": "/v1/x"}"#), format!("http options {of_get}a rule has no `method`")),
            (get(r#"{"method": "get"}"#), format!("http options {of_get}a rule has no `uri`")),
            (
                get(r#"{"method": "head", "uri": "/v1/x"}"#),
                format!(
                    "http options {of_get}unknown method `head`, expected get, put, post, delete or patch"
                ),
            ),
            (
                get(r#"{"method": "get", "uri": "/v1/x", "body": "*"}"#),
                format!("http options {of_get}a GET request has no `body`"),
            ),
            (
                get(r#"{"method": "post", "uri": "/v1/x", "body": "name"}"#),
                format!("http options {of_get}`body` is `name`, expected `*`"),
            ),
            (
                get(r#"{"method": "get", "uri": "v1"}"#),
                "path template `v1` is wrong at byte 0: found `v`, expected `/`".into(),
            ),
        ];
        for (json, message) in rows {
            let error = Bindings::default().http_options(&json).expect_err(&json);
            assert_eq!((error.kind(), error.to_string()), (crate::ErrorKind::Config, message));
        }
    }
}
