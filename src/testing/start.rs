//! Methods that start operations.
//!
//! A test adds a method with its operation as the pattern. Each request starts
//! a copy of it: the first has the name of the pattern, the next ones end with
//! `-2`, `-3` and so on. A request id (AIP-155) makes a request idempotent: the
//! same path with the same `requestId` returns the operation that it has
//! started before.
//!
//! | request | operation |
//! |---|---|
//! | `POST /v1/projects/p/reports` | `operations/42` |
//! | `POST /v1/projects/p/reports?requestId=a` | `operations/42-2` |
//! | `POST /v1/projects/p/reports?requestId=a` | `operations/42-2` |
//! | `POST /v1/projects/p/reports` | `operations/42-3` |

use std::collections::BTreeMap;

use super::operation::FakeOperation;
use super::request::RecordedRequest;
use crate::util::percent::decode;

/// The methods of a server that start operations. A method that is added again
/// is replaced and counts from the beginning.
#[derive(Debug, Default)]
pub(super) struct StartMethods {
    methods: Vec<StartMethod>,
    /// The name of the operation that each request id has started. The key is
    /// the path and the id, so that two methods can have the same id.
    ids: BTreeMap<String, String>,
}

/// A method, the pattern of its operations, and how many it has started.
#[derive(Debug)]
struct StartMethod {
    route: StartRoute,
    operation: FakeOperation,
    started: u64,
}

/// What a request has to look like to call the method.
#[derive(Debug, PartialEq)]
enum StartRoute {
    /// The HTTP method in upper case, and a path template of `google.api.http`.
    Rest { method: String, template: String },
    /// The path of the RPC, such as `/google.cloud.run.v2.Jobs/RunJob`.
    #[cfg(feature = "grpc")]
    Grpc { path: String },
}

/// The operation of the response to a start.
pub(super) enum StartedOperation {
    /// One that has to be inserted.
    New(Box<FakeOperation>),
    /// The name of one that the same request has started before.
    Known(String),
}

impl StartMethods {
    /// Adds a method over REST, or replaces it.
    pub(super) fn add_rest(&mut self, method: &str, template: &str, operation: FakeOperation) {
        let (method, template) = (method.to_ascii_uppercase(), template.to_owned());
        self.add(StartRoute::Rest { method, template }, operation);
    }

    /// Adds a gRPC method, or replaces it.
    #[cfg(feature = "grpc")]
    pub(super) fn add_grpc(&mut self, rpc: &str, operation: FakeOperation) {
        self.add(StartRoute::Grpc { path: format!("/{}", rpc.trim_start_matches('/')) }, operation);
    }

    fn add(&mut self, route: StartRoute, operation: FakeOperation) {
        self.methods.retain(|known| known.route != route);
        self.methods.push(StartMethod { route, operation, started: 0 });
    }

    /// Returns whether a request calls one of the methods.
    pub(super) fn has(&self, request: &RecordedRequest) -> bool {
        self.methods.iter().any(|method| method.route.takes(request))
    }

    /// Counts a start and returns its operation; `None` if the request calls
    /// none of the methods.
    pub(super) fn take(&mut self, request: &RecordedRequest) -> Option<StartedOperation> {
        let method = self.methods.iter_mut().find(|method| method.route.takes(request))?;
        // With the path, because an id is unique only for its method and
        // parent.
        let id = request.query("requestId").map(|id| format!("{} {id}", request.path()));
        if let Some(name) = id.as_ref().and_then(|id| self.ids.get(id)) {
            return Some(StartedOperation::Known(name.clone()));
        }
        method.started += 1;
        let operation = method.operation.clone();
        let operation = match method.started {
            1 => operation,
            number => {
                let name = format!("{}-{number}", operation.name());
                operation.renamed(name)
            }
        };
        if let Some(id) = id {
            self.ids.insert(id, operation.name().to_owned());
        }
        Some(StartedOperation::New(Box::new(operation)))
    }
}

impl StartRoute {
    /// Returns whether a request calls this method. A gRPC request never calls
    /// a REST method, whatever its path.
    fn takes(&self, request: &RecordedRequest) -> bool {
        let is_grpc = request.header("content-type").is_some_and(|kind| kind.starts_with("application/grpc"));
        match self {
            Self::Rest { method, template } => {
                !is_grpc && request.method() == method && matches(template, request.path())
            }
            #[cfg(feature = "grpc")]
            Self::Grpc { path } => is_grpc && request.path() == path,
        }
    }
}

/// Returns whether a path matches a template of `google.api.http`. An encoded
/// `/` does not separate segments.
///
/// | template | path | |
/// |---|---|---|
/// | `/v2/{name=projects/*/jobs/*}:run` | `/v2/projects/p/jobs/j:run` | matches |
/// | `/v2/{name=projects/*/jobs/*}:run` | `/v2/projects/p/jobs/j` | does not |
/// | `/v1/{policy=policies/*}` | `/v1/policies/a%2Fb` | matches |
/// | `/v1/{name=**}` | `/v1/a/b/c` | matches |
fn matches(template: &str, path: &str) -> bool {
    let template = plain(template);
    let (template, verb) = template.rsplit_once(':').unwrap_or((&template, ""));
    let path = match verb {
        "" => Some(path),
        verb => path.strip_suffix(verb).and_then(|path| path.strip_suffix(':')),
    };
    let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    path.is_some_and(|path| takes(&segments(template), &segments(path)))
}

/// Returns the template without its variables: `/v1/{name=projects/*}/x` is
/// `/v1/projects/*/x`, and `{name}` is `*`.
fn plain(template: &str) -> String {
    let (mut plain, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let (variable, behind) = after.split_once('}').unwrap_or((after, ""));
        plain += before;
        plain += variable.split_once('=').map_or("*", |(_, pattern)| pattern);
        rest = behind;
    }
    plain + rest
}

/// Returns whether segments match a template, where `*` is one segment that is
/// not empty and `**` any number of segments.
fn takes(template: &[String], path: &[String]) -> bool {
    match (template.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((many, rest)), _) if many == "**" => {
            (0..=path.len()).any(|taken| path.get(taken..).is_some_and(|path| takes(rest, path)))
        }
        (Some((one, rest)), Some((segment, path))) => {
            // A segment may be encoded differently in the template and the
            // path.
            let fits =
                if one == "*" { !segment.is_empty() } else { one == segment || *one == decode(segment) };
            fits && takes(rest, path)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_of_google_api_http() {
        let rows = [
            ("/v2/{name=projects/*/locations/*/jobs/*}:run", "/v2/projects/p/locations/l/jobs/j:run", true),
            ("/v2/{name=projects/*/locations/*/jobs/*}:run", "/v2/projects/p/locations/l/jobs/j", false),
            ("/v2/{name=projects/*/locations/*/jobs/*}:run", "/v1/projects/p/locations/l/jobs/j:run", false),
            ("/v1/{job_name=transferJobs/**}:run", "/v1/transferJobs/a/b:run", true),
            ("/v1/projects/{project_id}:export", "/v1/projects/p:export", true),
            ("/v1/{policy=policies/*/*}", "/v1/policies/a%2Fb/c", true),
            ("/v1/services", "/v1/services", true),
            ("/v1/services", "/v1/services/x", false),
            ("/v1/*/x", "/v1//x", false),
            ("/v1/**", "/v1/a/b", true),
        ];
        for (template, path, expected) in rows {
            assert_eq!(matches(template, path), expected, "{template} {path}");
        }
    }
}
