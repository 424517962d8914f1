//! Bindings: the HTTP request for each method and name.
//!
//! A [`Bindings`] is a value that builders copy and change. It has a prefix,
//! maybe a service with rules of its own, and a list of [`Binding`]s for each
//! method: those of the program, or default ones, made at their first use.
//!
//! ```text
//! Bindings::version("v2")           the program's
//!    │ at_host("sqladmin.…")        once, when the client is built
//!    │ at_version("sql/v1beta4")    for each request: the version of the operation
//!    │ or_wait_by(WaitBinding)      for WaitOperation of a wait
//!    ▼
//! route(rpc, name, fields)
//! ```
//!
//! The steps never replace a binding that the program has set: it says where
//! requests go.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use crate::error::Error;
use crate::transport::rest::method_binding::Binding;
use crate::transport::rest::service_bindings::OperationService;
use crate::transport::rest::template::is_literal_path;
use crate::transport::{Rpc, RpcMap, WaitBinding};
use crate::util::excerpt::shown;
use crate::util::redact::Masked;

/// Maps the five methods to HTTP requests, for a service that differs from the
/// usual.
///
/// Each method has a list of [`Binding`]s that are tried in order; the first
/// whose template matches the name is used. A name that matches none is an
/// error before a request is sent. The default bindings match the names of
/// every Google service, under the path prefix `v1`:
///
/// | method | request | names |
/// |---|---|---|
/// | get, delete | `GET`, `DELETE /v1/{name}` | `operations/**`, else `**/operations/**` |
/// | | the same | `transferOperations/**`, `batches/*`, `**/warehouseOperations/*` |
/// | | `GET`, `DELETE /v1/operations/{name}` | a bare id, `1234567890` |
/// | cancel | `POST` to the same paths and `:cancel`, body `{}` | the same |
/// | list | `GET /v1/{name}` | a collection: `operations`, `**/operations` |
/// | | the same | `transferOperations`, `batches`, `**/warehouseOperations` |
/// | | `GET /v1/{name}/operations` | any other name, as the parent |
/// | wait | none, see [`wait_by`](Self::wait_by) | |
///
/// Compute Engine, Cloud SQL, GKE, Cloud DNS, Deployment Manager and Cloud
/// Storage have others, which are the default for their hosts and paths: see
/// [`compute_engine`](Self::compute_engine) and its neighbours, and
/// `docs/extended-operations.md`. A test compares the others with all HTTP
/// rules that Google publishes; `docs/bindings.md` lists the few that differ.
///
/// Most services that differ need only another version, which
/// [`api_version`](crate::OperationsClientBuilder::api_version) sets alone, and
/// [`version`](Self::version) together with other bindings. An operation that
/// was started at another version is polled at that version: its prefix takes
/// the place of this one in the default bindings, and bindings that are set
/// here stay as they are.
///
/// ```
/// use longrunning::{Binding, Bindings};
///
/// let beta = Bindings::version("v1beta1")?;
/// let compute = Bindings::version("v1/compute")?;
///
/// // Full control over one method; the others stay as they are.
/// let custom = Bindings::version("v2")?.get([
///     Binding::get("/v2/{name=projects/*/jobs/*}")?,
///     Binding::get("/v2/{name=operations/**}")?,
/// ]);
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone)]
pub struct Bindings {
    /// The prefix of all paths, one or more literal segments: an API version,
    /// or a service and a version (`compute/v1`).
    version: String,
    /// The service, if something other than the version determines it: the
    /// host, or a constructor.
    home: Option<OperationService>,
    /// Default bindings are made at their first use, because most clients need
    /// few of them.
    methods: RpcMap<OnceLock<Vec<Binding>>>,
    /// Which methods have bindings of the program. They may be none, which
    /// makes a method unimplemented.
    is_set: RpcMap<bool>,
    /// The form of WaitOperation, if it is one of the usual ones. It is kept so
    /// that another prefix gets the same form.
    wait: Option<WaitBinding>,
}

impl Bindings {
    /// Creates the default bindings under another path prefix, usually an API
    /// version. The default is `v1`.
    ///
    /// It may have several segments (`v1/compute`).
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Bindings, Operation};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// let client = server.client_builder().bindings(Bindings::version("v2")?).build()?;
    /// client.get("operations/42").send()?;
    /// assert_eq!(server.requests()[0].path(), "/v2/operations/42");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the text is not one
    /// or more plain path segments.
    pub fn version(version: &str) -> Result<Self, Error> {
        if !is_literal_path(version) {
            let version = shown(version);
            let message =
                format!("version `{version}` is no path prefix, expected one like `v1` or `v1/compute`");
            return Err(Error::config(message));
        }
        Ok(Self::under(version))
    }

    /// Sets the bindings of GetOperation; without any, the method is
    /// unimplemented.
    ///
    /// ```
    /// use longrunning::{Binding, Bindings};
    ///
    /// let bindings = Bindings::default().get([Binding::get("/v1/{name=projects/*/jobs/*}")?]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn get(self, bindings: impl IntoIterator<Item = Binding>) -> Self {
        self.set(Rpc::Get, bindings)
    }

    /// Sets the bindings of ListOperations; without any, the method is
    /// unimplemented.
    ///
    /// The variable `name` is the parent, or the collection of operations.
    ///
    /// ```
    /// use longrunning::{Binding, Bindings};
    ///
    /// let bindings = Bindings::default().list([Binding::get("/v1/{name=projects/*}/jobs")?]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn list(self, bindings: impl IntoIterator<Item = Binding>) -> Self {
        self.set(Rpc::List, bindings)
    }

    /// Sets the bindings of CancelOperation; without any, the method is
    /// unimplemented.
    ///
    /// ```
    /// use longrunning::{Binding, Bindings};
    ///
    /// let bindings = Bindings::default().cancel([Binding::post("/v1/{name=projects/*/jobs/*}:stop")?]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn cancel(self, bindings: impl IntoIterator<Item = Binding>) -> Self {
        self.set(Rpc::Cancel, bindings)
    }

    /// Sets the bindings of DeleteOperation; without any, the method is
    /// unimplemented.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Bindings, Code};
    ///
    /// let server = FakeServer::start();
    /// let client = server.client_builder().bindings(Bindings::default().delete([])).build()?;
    /// let error = client.delete("operations/42").send().unwrap_err();
    /// assert_eq!((error.code(), error.attempts()), (Some(Code::Unimplemented), 0));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn delete(self, bindings: impl IntoIterator<Item = Binding>) -> Self {
        self.set(Rpc::Delete, bindings)
    }

    /// Sets the bindings of WaitOperation. By default it has none and is
    /// unimplemented.
    ///
    /// [`wait_by`](Self::wait_by) creates the usual ones.
    ///
    /// ```
    /// use longrunning::{Binding, Bindings};
    ///
    /// let bindings = Bindings::default().wait([Binding::post("/v1/{name=projects/*/jobs/*}:wait")?]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn wait(self, bindings: impl IntoIterator<Item = Binding>) -> Self {
        self.set(Rpc::Wait, bindings)
    }

    /// Sets the bindings of WaitOperation to one of the usual forms.
    ///
    /// They match the names of the default bindings, under the prefix of these
    /// bindings.
    ///
    /// ```
    /// use longrunning::{Bindings, WaitBinding};
    ///
    /// let cloud_run = Bindings::version("v2")?.wait_by(WaitBinding::Body);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn wait_by(self, how: WaitBinding) -> Self {
        let binding = match how {
            WaitBinding::Body => Binding::post,
            WaitBinding::Query => |template: &str| Binding::post(template).map(Binding::query_only),
            WaitBinding::Get => Binding::get,
        };
        let bindings = built_in(&self.path(), &NAMES, ":wait", binding);
        Self { wait: Some(how), ..self.set(Rpc::Wait, bindings) }
    }

    /// Returns the path prefix as it was given.
    pub(crate) fn prefix(&self) -> &str {
        &self.version
    }

    /// Returns these bindings for another version: the default ones under its
    /// prefix. Methods that the program has bound itself keep those
    /// bindings, which say where their requests go.
    ///
    /// Borrowed for no version, and for one with the same paths, so that most
    /// requests copy nothing.
    ///
    /// # Errors
    ///
    /// `Config` if the version is no path prefix; it may come from another
    /// process.
    pub(super) fn at_version(&self, version: Option<&str>) -> Result<Cow<'_, Self>, Error> {
        let Some(version) = version.filter(|version| *version != self.version) else {
            return Ok(Cow::Borrowed(self));
        };
        let other = Self { home: self.home, ..Self::version(version)? };
        if other.service() == self.service() && other.path() == self.path() {
            return Ok(Cow::Borrowed(self));
        }
        Ok(Cow::Owned(self.moved_to(other)))
    }

    /// Returns these bindings for a client of `host`, which may be that of a
    /// service with bindings of its own. A service that is known already stays.
    pub(super) fn at_host(self, host: &str) -> Self {
        // A service that a constructor has set is not replaced: an emulator may
        // have any host.
        match OperationService::of_host(host) {
            Some(service) if self.home.is_none() => {
                let there = Self { home: Some(service), ..Self::under(&self.version) };
                self.moved_to(there)
            }
            _ => self,
        }
    }

    /// Adds the bindings that the program has set to default ones. A usual form
    /// of WaitOperation is made again, under the new prefix.
    fn moved_to(&self, defaults: Self) -> Self {
        // A usual form is a template under the old prefix. It is made again
        // instead of copied, so that it follows the version.
        let bindings = match self.wait {
            Some(how) => defaults.wait_by(how),
            None => defaults,
        };
        // The wait of a usual form was made above; copying it would undo that.
        let own =
            Rpc::all().filter(|rpc| *self.is_set.get(*rpc) && !(*rpc == Rpc::Wait && self.wait.is_some()));
        own.fold(bindings, |bindings, rpc| bindings.set(rpc, self.of(rpc).iter().cloned()))
    }

    /// Binds WaitOperation in this form, unless it is bound already, or the
    /// service is known not to have it.
    pub(super) fn or_wait_by(&self, how: Option<WaitBinding>) -> Cow<'_, Self> {
        match how {
            Some(how) if self.service().is_none() && self.of(Rpc::Wait).is_empty() => {
                Cow::Owned(self.clone().wait_by(how))
            }
            _ => Cow::Borrowed(self),
        }
    }

    /// Returns the service whose bindings these are, if it has its own.
    ///
    /// The prefix decides before the host: `compute/v1` is Compute Engine at
    /// any endpoint.
    pub(super) fn service(&self) -> Option<OperationService> {
        OperationService::of_prefix(&self.version).or(self.home.filter(|home| home.has(&self.version)))
    }

    /// Returns the service if it, and not the program, has bound the method.
    /// Only then are name and fields translated.
    pub(super) fn service_for(&self, rpc: Rpc) -> Option<OperationService> {
        self.service().filter(|_| !*self.is_set.get(rpc))
    }

    /// Returns the start of all paths, without slashes at its ends.
    fn path(&self) -> Cow<'_, str> {
        match self.service() {
            Some(service) => Cow::Owned(service.prefix(&self.version)),
            None => Cow::Borrowed(&self.version),
        }
    }

    /// Returns the bindings of a method, in the order in which they are tried.
    pub(super) fn of(&self, rpc: Rpc) -> &[Binding] {
        self.methods.get(rpc).get_or_init(|| match self.service() {
            Some(service) => service.bindings(&self.path(), rpc),
            None => usual(&self.version, rpc),
        })
    }

    /// Sets the bindings of a method, as the program's.
    pub(super) fn set(mut self, rpc: Rpc, bindings: impl IntoIterator<Item = Binding>) -> Self {
        // Set even without any binding: "not bound" is a choice, too, and a
        // default binding must not replace it.
        *self.is_set.get_mut(rpc) = true;
        if rpc == Rpc::Wait {
            self.wait = None;
        }
        *self.methods.get_mut(rpc) = OnceLock::from(bindings.into_iter().collect::<Vec<_>>());
        self
    }

    /// Creates the bindings of a service that the version does not determine.
    pub(super) fn of_service(version: &str, service: OperationService) -> Self {
        Self { home: Some(service), ..Self::under(version) }
    }

    /// Creates the default bindings under a prefix that has been checked.
    fn under(version: &str) -> Self {
        Self {
            version: version.into(),
            home: None,
            methods: RpcMap::default(),
            is_set: RpcMap::default(),
            wait: None,
        }
    }
}

impl Default for Bindings {
    fn default() -> Self {
        Self::under("v1")
    }
}

/// Compares what requests would be made. Whether a binding is a default one or
/// the same one set by the program makes no difference.
impl PartialEq for Bindings {
    fn eq(&self, other: &Self) -> bool {
        self.path() == other.path()
            && self.service() == other.service()
            && Rpc::all().all(|rpc| self.of(rpc) == other.of(rpc))
    }
}

impl Eq for Bindings {}

impl fmt::Debug for Bindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<_> = Rpc::all().map(|rpc| (rpc.name(), self.of(rpc))).collect();
        f.debug_struct("Bindings")
            .field("version", &Masked(&self.version))
            .field("methods", &Masked(&methods))
            .finish()
    }
}

/// Returns the default bindings of a method; none for WaitOperation.
fn usual(version: &str, rpc: Rpc) -> Vec<Binding> {
    let Some((method, verb)) = rpc.http() else { return Vec::new() };
    let bind = |template: &str| Binding::new(method, template);
    match rpc {
        Rpc::List => built_in(version, &PARENTS, verb, bind),
        _ => built_in(version, &NAMES, verb, bind),
    }
}

/// Makes a binding for each path, in their order: `/version/path` and the verb.
fn built_in(
    version: &str,
    paths: &[&str],
    verb: &str,
    bind: impl Fn(&str) -> Result<Binding, Error>,
) -> Vec<Binding> {
    let bind = |path: &&str| bind(&format!("/{version}/{path}{verb}"));
    paths
        .iter()
        .map(|path| bind(path).expect("built-in templates under a checked version are valid"))
        .collect()
}

/// The default paths of an operation, the most common first; `OperationName`
/// knows the same collections.
///
/// No path matches every name: `DELETE /v1/projects/p` would delete a project.
/// The last is for a bare id.
const NAMES: [&str; 6] = [
    "{name=operations/**}",
    "{name=**/operations/**}",
    "{name=transferOperations/**}",
    "{name=batches/*}",
    "{name=**/warehouseOperations/*}",
    "operations/{name=*}",
];

/// The default paths of a collection of operations. The last matches every
/// name, as that of the parent.
const PARENTS: [&str; 6] = [
    "{name=operations}",
    "{name=**/operations}",
    "{name=transferOperations}",
    "{name=batches}",
    "{name=**/warehouseOperations}",
    "{name=**}/operations",
];

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    fn shown(bindings: &Bindings, rpc: Rpc) -> Vec<String> {
        bindings.of(rpc).iter().map(|binding| format!("{binding} {}", binding.body)).collect()
    }

    #[test]
    fn default_bindings_are_the_documented_ones() {
        let bindings = Bindings::default();
        let of_names = |verb: &str, end: &str| {
            [
                format!("{verb} /v1/{{name=operations/**}}{end}"),
                format!("{verb} /v1/{{name=**/operations/**}}{end}"),
                format!("{verb} /v1/{{name=transferOperations/**}}{end}"),
                format!("{verb} /v1/{{name=batches/*}}{end}"),
                format!("{verb} /v1/{{name=**/warehouseOperations/*}}{end}"),
                format!("{verb} /v1/operations/{{name=*}}{end}"),
            ]
        };
        assert_eq!(shown(&bindings, Rpc::Get), of_names("GET", " false"));
        assert_eq!(shown(&bindings, Rpc::Cancel), of_names("POST", ":cancel true"));
        assert_eq!(shown(&bindings, Rpc::Delete), of_names("DELETE", " false"));
        let of_collections = [
            "GET /v1/{name=operations} false",
            "GET /v1/{name=**/operations} false",
            "GET /v1/{name=transferOperations} false",
            "GET /v1/{name=batches} false",
            "GET /v1/{name=**/warehouseOperations} false",
            "GET /v1/{name=**}/operations false",
        ];
        assert_eq!(shown(&bindings, Rpc::List), of_collections);
        assert!(bindings.of(Rpc::Wait).is_empty());
    }

    #[test]
    fn a_version_goes_in_front_of_every_template() -> Result<(), Error> {
        let bindings = Bindings::version("v1/compute")?.wait_by(WaitBinding::Query);
        for rpc in Rpc::all() {
            assert!(bindings.of(rpc).iter().all(|b| b.template.to_string().starts_with("/v1/compute/")));
        }
        assert_eq!(Bindings::version("v1")?, Bindings::default());
        Ok(())
    }

    #[test]
    fn refuses_a_version_that_is_no_plain_path() {
        for version in ["", "/v1", "v1/", "v1//x", "..", "v1/./x", "{name}", "v1:x", "v1?x", "v 1", "v*"] {
            let error = Bindings::version(version).expect_err(version);
            assert_eq!(error.kind(), crate::ErrorKind::Config);
            assert_eq!(
                error.to_string(),
                format!("version `{version}` is no path prefix, expected one like `v1` or `v1/compute`")
            );
        }
    }

    #[test]
    fn an_override_touches_its_own_method_only() -> Result<(), Error> {
        for rpc in Rpc::all() {
            let own = Binding::patch("/x/{name}")?.query_only();
            let bindings = Bindings::default().set(rpc, [own.clone(), Binding::put("/y")?]);
            assert_eq!(shown(&bindings, rpc), ["PATCH /x/{name=*} false", "PUT /y true"]);
            for other in Rpc::all().filter(|other| *other != rpc) {
                assert_eq!(bindings.of(other), Bindings::default().of(other));
            }
        }
        let set = Bindings::default().get([]).list([]).cancel([]).delete([]).wait([]);
        assert!(Rpc::all().all(|rpc| set.of(rpc).is_empty()));
        Ok(())
    }

    #[test]
    fn another_version_or_host_keeps_what_was_set() -> Result<(), Error> {
        let own = Binding::get("/x/{name}")?;
        let built_in = Bindings::version("v2")?.wait_by(WaitBinding::Query);
        let ours = Bindings::default().wait_by(WaitBinding::Query).get([own.clone()]);
        let moved = ours.at_version(Some("v2"))?;
        assert_eq!(moved.of(Rpc::Wait), built_in.of(Rpc::Wait), "the built-in form has the new version");
        assert_eq!(moved.of(Rpc::Get), slice::from_ref(&own));
        assert_eq!(moved.of(Rpc::Cancel), built_in.of(Rpc::Cancel));
        let wait = ours.wait([own.clone()]);
        assert_eq!(wait.at_version(Some("v2"))?.of(Rpc::Wait), slice::from_ref(&own));
        let there = Bindings::default().get([own.clone()]).at_host("compute.googleapis.com");
        let compute = Bindings::of_service("v1", OperationService::ComputeEngine);
        assert_eq!(there.service(), Some(OperationService::ComputeEngine));
        assert_eq!((there.of(Rpc::Get), there.of(Rpc::Delete)), (&[own][..], compute.of(Rpc::Delete)));
        Ok(())
    }

    #[test]
    fn the_service_stays_with_another_version() -> Result<(), Error> {
        let compute = Bindings::of_service("v1", OperationService::ComputeEngine);
        let beta = compute.at_version(Some("beta"))?;
        assert_eq!(beta.service(), Some(OperationService::ComputeEngine));
        assert_eq!(*beta, Bindings::version("compute/beta")?);
        for same in [None, Some("v1"), Some("compute/v1")] {
            assert!(matches!(compute.at_version(same)?, Cow::Borrowed(_)), "{same:?}");
        }
        assert_eq!(compute.clone().at_host("sqladmin.googleapis.com"), compute, "the service was given");
        Ok(())
    }

    #[test]
    fn a_wait_that_is_not_bound_gets_the_form_of_the_call() {
        let rows = [
            ("not bound", Bindings::default(), false),
            ("bound", Bindings::default().wait_by(WaitBinding::Body), true),
            ("of a service", Bindings::of_service("v1", OperationService::ComputeEngine), true),
        ];
        for (row, bindings, stays) in rows {
            assert!(matches!(bindings.or_wait_by(None), Cow::Borrowed(_)), "{row}");
            let bound = bindings.or_wait_by(Some(WaitBinding::Get));
            assert_eq!(matches!(bound, Cow::Borrowed(_)), stays, "{row}");
            if !stays {
                let get = bindings.clone().wait_by(WaitBinding::Get);
                assert_eq!(bound.of(Rpc::Wait), get.of(Rpc::Wait), "{row}");
            }
        }
    }

    #[test]
    fn bindings_are_equal_if_all_methods_are() -> Result<(), Error> {
        let usual = Bindings::default();
        assert_eq!(usual.clone().get(usual.of(Rpc::Get).to_vec()), usual);
        for (row, other) in [
            ("version", Bindings::version("v2")?),
            ("method", usual.clone().get([])),
            ("wait", usual.clone().wait_by(WaitBinding::Body)),
            ("service", Bindings::version("compute/v1")?),
        ] {
            assert_ne!(usual, other, "{row}");
        }
        Ok(())
    }
}
