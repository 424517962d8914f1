//! The binding of one method: verb, path template, body.
//!
//! It is an `HttpRule` of `google/api/http.proto`, restricted to what
//! operations need: one variable, `name`, and a body of all other fields or of
//! none.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use crate::error::Error;
use crate::http::HttpMethod;
use crate::transport::rest::template::PathTemplate;
use crate::util::redact::{Masked, redacted};

/// A field of a request that is set: its JSON name and value.
pub(crate) type RequestField = (&'static str, Value);

/// Maps names to an HTTP request.
///
/// The template is that of [`google.api.http`]: path segments, of which one may
/// be the variable `{name}` (one segment) or `{name=pattern}`, and optionally a
/// verb like `:cancel` at the end. In a pattern `*` matches one segment and
/// `**` one or more. A template without a variable matches every name, and the
/// name is sent with the other fields: in the body of a `POST`, `PUT` or
/// `PATCH`, else in the query.
///
/// ```
/// use longrunning::{Binding, Bindings};
///
/// let bindings = Bindings::default()
///     // GET /v1beta1/operations?name=operations%2F42
///     .get([Binding::get("/v1beta1/operations")?])
///     // POST /v1/projects/p/jobs/7:stop with the body {}
///     .cancel([Binding::post("/v1/{name=projects/*/jobs/*}:stop")?]);
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// [`google.api.http`]: https://github.com/googleapis/googleapis/blob/master/google/api/http.proto
#[derive(Clone, PartialEq, Eq)]
pub struct Binding {
    pub(super) verb: HttpMethod,
    pub(super) template: PathTemplate,
    /// Whether the fields that are not in the path are in a JSON body, and not
    /// in the query. Never for `GET` and `DELETE`.
    pub(super) body: bool,
    /// The field that has the operation's name if the template has no variable.
    pub(super) name_field: Cow<'static, str>,
}

/// Redacts what may be a secret: templates are text of the program.
impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding")
            .field("verb", &self.verb)
            .field("template", &format_args!("{}", redacted(&self.template.to_string())))
            .field("body", &self.body)
            .field("name_field", &Masked(&self.name_field))
            .finish()
    }
}

impl Binding {
    /// Creates a `GET` binding; all fields but the name are in the query.
    ///
    /// ```
    /// use longrunning::Binding;
    ///
    /// let binding = Binding::get("/v1/{name=projects/*/jobs/*}")?;
    /// assert_eq!(binding.to_string(), "GET /v1/{name=projects/*/jobs/*}");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the template is
    /// invalid; the message says where.
    pub fn get(template: &str) -> Result<Self, Error> {
        Self::new(HttpMethod::Get, template)
    }

    /// Creates a `DELETE` binding; all fields but the name are in the query.
    ///
    /// ```
    /// use longrunning::{Binding, Bindings};
    ///
    /// let bindings = Bindings::default().delete([Binding::delete("/v1/{name=jobs/*}")?]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the template is
    /// invalid; the message says where.
    pub fn delete(template: &str) -> Result<Self, Error> {
        Self::new(HttpMethod::Delete, template)
    }

    /// Creates a `POST` binding; all fields but the name are in the body, as
    /// JSON.
    ///
    /// ```
    /// use longrunning::Binding;
    ///
    /// let binding = Binding::post("/v1/{name=operations/**}:cancel")?;
    /// assert_eq!(binding.to_string(), "POST /v1/{name=operations/**}:cancel");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the template is
    /// invalid; the message says where.
    pub fn post(template: &str) -> Result<Self, Error> {
        Self::new(HttpMethod::Post, template)
    }

    /// Creates a `PUT` binding; all fields but the name are in the body, as
    /// JSON.
    ///
    /// ```
    /// use longrunning::Binding;
    ///
    /// assert_eq!(Binding::put("/v1/{name=jobs/*}/state")?.to_string(), "PUT /v1/{name=jobs/*}/state");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the template is
    /// invalid; the message says where.
    pub fn put(template: &str) -> Result<Self, Error> {
        Self::new(HttpMethod::Put, template)
    }

    /// Creates a `PATCH` binding; all fields but the name are in the body, as
    /// JSON.
    ///
    /// ```
    /// use longrunning::Binding;
    ///
    /// let error = Binding::patch("/v1/{job}").unwrap_err();
    /// assert!(error.to_string().contains("field `job` cannot stand in a path"), "{error}");
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the template is
    /// invalid; the message says where.
    pub fn patch(template: &str) -> Result<Self, Error> {
        Self::new(HttpMethod::Patch, template)
    }

    /// Leaves the body empty: all fields are in the query, as they always are
    /// for `GET` and `DELETE`.
    ///
    /// ```
    /// use longrunning::Binding;
    ///
    /// let binding = Binding::post("/v1/{name=operations/**}:wait")?.query_only();
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn query_only(mut self) -> Self {
        self.body = false;
        self
    }

    /// Sets the field that has the operation's name, if the template has no
    /// variable. Default: `name`.
    ///
    /// Vertex AI polls generated videos by such a request:
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Binding, Bindings, Operation};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Operation::running("projects/p/locations/l/publishers/google/models/veo/operations/1"));
    /// let path = "/v1/projects/p/locations/l/publishers/google/models/veo:fetchPredictOperation";
    /// let fetch = Binding::post(path)?.name_field("operationName");
    /// let client = server.client_builder().bindings(Bindings::default().get([fetch])).build()?;
    /// client.get("projects/p/locations/l/publishers/google/models/veo/operations/1").send()?;
    /// assert_eq!(server.requests()[0].path(), path);
    /// assert!(server.requests()[0].body().starts_with(br#"{"operationName":"projects/p/"#));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn name_field(mut self, field: impl Into<String>) -> Self {
        self.name_field = Cow::Owned(field.into());
        self
    }

    /// Creates a binding whose body is what its method usually has.
    pub(super) fn new(verb: HttpMethod, template: &str) -> Result<Self, Error> {
        let name_field = Cow::Borrowed("name");
        Ok(Self { verb, template: PathTemplate::parse(template)?, body: verb.has_body(), name_field })
    }
}

/// Prints verb and template, as in `POST /v1/{name=operations/**}:cancel`.
impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb.as_str(), self.template)
    }
}
