//! Operations in the forms of services that have a type or URLs of their own,
//! and which methods those services have.
//!
//! A test inserts a [`FakeOperation`](super::FakeOperation) in the terms of
//! google.longrunning; this module writes what the service would send for it.
//! Fields that a client reads (name, status, times, error, links, progress) are
//! there; not all others of the real types are.
//!
//! | form | unfinished | done | failure | page |
//! |---|---|---|---|---|
//! | Compute Engine | `"status":"RUNNING","progress":40` | `"status":"DONE"` | `error.errors[]`, `httpErrorStatusCode` | `items` |
//! | Cloud SQL | `"status":"RUNNING"` | `"status":"DONE"` | `error.errors[]` | `items` |
//! | GKE | `"status":"RUNNING","progress":{"metrics":[…]}` | `"status":"DONE"` | `error` | `operations` |
//! | Cloud DNS | `"status":"running"` | `"status":"done"` | none | `operations` |
//! | Deployment Manager | as Compute Engine | as Compute Engine | as Compute Engine | `operations` |
//! | Cloud Storage | `google.longrunning.Operation`, with `kind` and `selfLink` | the same | the same | `operations` |

use std::time::{Duration, SystemTime};

use prost_types::Timestamp;
use serde_json::{Map, Value, json};

use super::clock::FakeTimes;
use crate::transport::Rpc;
use crate::types::rpc::ErrorInfo;
use crate::types::{Code, Operation, OperationForm, Status};

/// Writes the state of an operation in a form.
///
/// A google.longrunning operation stays as it is, as does one that is in that
/// form already. `percent` is from 0 to 100; forms without a field for it leave
/// it out.
pub(super) fn in_form(
    form: OperationForm,
    operation: Operation,
    percent: u32,
    times: FakeTimes,
) -> Operation {
    if form == OperationForm::Longrunning || operation.form() == form {
        return operation;
    }
    // Not a type of its own: the operation stays, with fields that lead to its
    // URL.
    if form == OperationForm::CloudStorage {
        return read(&storage(&operation));
    }
    let mut fields = fields(form, operation.name());
    let done = if operation.is_done() { "DONE" } else { "RUNNING" };
    match form {
        OperationForm::CloudDns => {
            let status = if operation.is_done() { "done" } else { "pending" };
            fields.extend(members(json!({ "status": status })));
        }
        OperationForm::KubernetesEngine => {
            let metric = json!({ "name": "percent done", "intValue": percent.to_string() });
            fields.extend(members(json!({ "status": done, "progress": { "metrics": [metric] } })));
        }
        OperationForm::CloudSql => fields.extend(members(json!({ "status": done }))),
        _ => fields.extend(members(json!({ "status": done, "progress": percent }))),
    }
    fields.extend(moments(form, times, operation.is_done()));
    fields.extend(operation.error().map(|error| failure(form, error)).unwrap_or_default());
    // Names in these forms are short (`operation-1`); the full name is known
    // only from the request, as it is for a client.
    read(&fields).requested_as(operation.name())
}

/// Reads the fields as a client would.
fn read(fields: &Map<String, Value>) -> Operation {
    let text = Value::Object(fields.clone()).to_string();
    Operation::from_json(&text).expect("the fake server writes valid operations")
}

/// Returns the fields of an operation of Cloud Storage, whose URL has another
/// name than it has itself.
fn storage(operation: &Operation) -> Map<String, Value> {
    let (bucket, id) = operation.name().rsplit_once("/operations/").unwrap_or(("b/B", operation.name()));
    let bucket = bucket.rsplit('/').next().unwrap_or_default();
    let mut fields = members(serde_json::from_str(&operation.to_json()).unwrap_or_default());
    fields.extend(members(json!({
        "kind": "storage#operation",
        "name": format!("projects/_/buckets/{bucket}/operations/{id}"),
        "selfLink": format!("https://www.googleapis.com/storage/v1/b/{bucket}/operations/{id}"),
    })));
    fields
}

/// Returns the times, under the names and in the notation of the service.
fn moments(form: OperationForm, times: FakeTimes, is_done: bool) -> Map<String, Value> {
    let show = |time| moment(form, time);
    let mut fields = Map::from_iter([("startTime".to_owned(), show(times.inserted))]);
    if !matches!(form, OperationForm::KubernetesEngine | OperationForm::CloudDns) {
        fields.insert("insertTime".to_owned(), show(times.inserted));
    }
    if is_done && form != OperationForm::CloudDns {
        fields.insert("endTime".to_owned(), show(times.inserted + times.age));
    }
    fields
}

/// Writes a time in milliseconds; Compute Engine and Deployment Manager write
/// it with the offset of a place.
fn moment(form: OperationForm, time: SystemTime) -> Value {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let in_utc = |since: Duration| {
        let seconds = i64::try_from(since.as_secs()).unwrap_or_default();
        let nanos = i32::try_from(since.subsec_millis()).unwrap_or_default() * 1_000_000;
        Timestamp { seconds, nanos }.to_string()
    };
    let text = match form {
        OperationForm::CloudSql | OperationForm::KubernetesEngine | OperationForm::CloudDns => in_utc(since),
        _ => in_utc(since.saturating_sub(OFFSET)).replace('Z', "-08:00"),
    };
    Value::from(text)
}

/// Eight hours, the offset of Pacific Standard Time.
const OFFSET: Duration = Duration::from_secs(8 * 3600);

/// Returns whether a service has a method for the operation `name`. `mark` is
/// the character before the verb in its URL: `/` as in `…/operations/o/wait`,
/// or `:` as in `…/operations/o:cancel`.
pub(super) fn has_method(form: OperationForm, rpc: Rpc, name: &str, mark: Option<char>) -> bool {
    match (form, rpc) {
        (_, Rpc::Get | Rpc::List) => true,
        (OperationForm::ComputeEngine, Rpc::Delete) => true,
        (OperationForm::ComputeEngine, Rpc::Wait) => mark == Some('/') && !name.starts_with("organizations/"),
        (OperationForm::CloudSql | OperationForm::CloudStorage, Rpc::Cancel) => mark == Some('/'),
        (OperationForm::KubernetesEngine, Rpc::Cancel) => mark == Some(':'),
        (OperationForm::Longrunning, _) => true,
        _ => false,
    }
}

/// Returns the fields that stay the same while the operation runs: kind, name,
/// type and links.
fn fields(form: OperationForm, name: &str) -> Map<String, Value> {
    let (scope, id) = name.rsplit_once("/operations/").unwrap_or(("", name));
    let place = scope.rsplit('/').next().unwrap_or_default();
    // Names in these forms start with `projects/P`.
    let project = scope.split('/').nth(1).unwrap_or_default();
    // The old services still write their links with this host, whatever the
    // host of the request.
    let old_host = |path: &str, name: &str| format!("https://www.googleapis.com/{path}/{name}");
    members(match form {
        OperationForm::CloudSql => json!({
            "kind": "sql#operation", "name": id, "operationType": "UPDATE", "targetId": "db", "targetProject": project,
            "user": USER,
            "selfLink": format!("https://sqladmin.googleapis.com/v1/{name}"),
            "targetLink": format!("https://sqladmin.googleapis.com/v1/projects/{project}/instances/db"),
        }),
        OperationForm::KubernetesEngine => json!({
            "name": id, "operationType": "CREATE_CLUSTER", "location": place, "zone": place,
            "selfLink": format!("https://container.googleapis.com/v1/{name}"),
            "targetLink": format!("https://container.googleapis.com/v1/{scope}/clusters/c"),
        }),
        OperationForm::CloudDns => json!({
            "kind": "dns#operation", "id": id, "type": "update", "user": USER,
            "zoneContext": { "oldValue": { "name": place }, "newValue": { "name": place } },
        }),
        OperationForm::DeploymentManager => json!({
            "kind": "deploymentmanager#operation", "id": ID, "name": id, "operationType": "insert", "user": USER,
            "selfLink": old_host("deploymentmanager/v2", name),
            "targetLink": old_host("deploymentmanager/v2", &format!("{scope}/deployments/d")),
        }),
        _ => {
            // Links have no place for an organization.
            let (scope, target) =
                match scope.strip_prefix("organizations/").and_then(|rest| rest.split_once('/')) {
                    Some((_, scope)) => (scope, "firewallPolicies/7"),
                    None => (scope, "instances/vm"),
                };
            let scoped = match scope.split('/').nth(2) {
                Some(kind @ ("zones" | "regions")) => {
                    json!({ kind.trim_end_matches('s'): old_host("compute/v1", scope) })
                }
                _ => json!({}),
            };
            let mut fields = members(json!({
                "kind": "compute#operation", "id": ID, "name": id, "operationType": "insert", "user": USER,
                "selfLink": old_host("compute/v1", &format!("{scope}/operations/{id}")),
                "targetLink": old_host("compute/v1", &format!("{scope}/{target}")), "targetId": "4132355614508179214",
            }));
            fields.extend(members(scoped));
            Value::Object(fields)
        }
    })
}

/// Returns the fields of an error, as the service would send it.
fn failure(form: OperationForm, error: &Status) -> Map<String, Value> {
    let info = error.detail::<ErrorInfo>();
    let reason = info.map_or_else(|| error.code().to_string(), |info| info.reason);
    // The `code` of an error is a word, such as the reason of an ErrorInfo.
    // Without one, the name of the canonical code is a good one.
    let entry = json!({ "code": reason, "message": error.message() });
    let http = error.code().to_http();
    members(match form {
        // It has no place for an error: its operations cannot fail.
        OperationForm::CloudDns => json!({}),
        OperationForm::KubernetesEngine => json!({
            "error": { "code": i32::from(error.code()), "message": error.message() }, "statusMessage": error.message(),
        }),
        OperationForm::CloudSql => {
            let mut entry = members(entry);
            entry.insert("kind".to_owned(), "sql#operationError".into());
            json!({ "error": { "kind": "sql#operationErrors", "errors": [entry] } })
        }
        _ => json!({
            "error": { "errors": [entry] }, "httpErrorStatusCode": http, "httpErrorMessage": http_message(error.code()),
        }),
    })
}

/// Returns the text of `httpErrorMessage`: the code with spaces, such as `NOT
/// FOUND`.
fn http_message(code: Code) -> String {
    code.to_string().replace('_', " ")
}

/// Returns the members of a JSON object; none for any other value.
fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Returns the members of a page's JSON object, without its token and its
/// unreachable locations. `operations` has at least one operation, each with
/// its JSON.
pub(super) fn page(form: OperationForm, collection: &str, operations: &[(&Operation, &str)]) -> Vec<String> {
    let list = |texts: &[&str]| format!("[{}]", texts.join(","));
    let texts: Vec<&str> = operations.iter().map(|(_, text)| *text).collect();
    match form {
        OperationForm::ComputeEngine if collection.ends_with(AGGREGATED) => {
            let scopes = by_scope(operations);
            let scopes =
                scopes.iter().map(|(scope, texts)| format!(r#""{scope}":{{"operations":{}}}"#, list(texts)));
            let items = scopes.collect::<Vec<_>>().join(",");
            vec![r#""kind":"compute#operationAggregatedList""#.to_owned(), format!(r#""items":{{{items}}}"#)]
        }
        OperationForm::ComputeEngine => {
            vec![r#""kind":"compute#operationList""#.to_owned(), format!(r#""items":{}"#, list(&texts))]
        }
        OperationForm::CloudSql => {
            vec![r#""kind":"sql#operationsList""#.to_owned(), format!(r#""items":{}"#, list(&texts))]
        }
        OperationForm::CloudDns => vec![
            r#""kind":"dns#managedZoneOperationsListResponse""#.to_owned(),
            format!(r#""operations":{}"#, list(&texts)),
        ],
        OperationForm::CloudStorage => {
            vec![r#""kind":"storage#operations""#.to_owned(), format!(r#""operations":{}"#, list(&texts))]
        }
        _ => vec![format!(r#""operations":{}"#, list(&texts))],
    }
}

/// Returns the field that names the places whose operations are missing in a
/// list of Compute Engine or GKE; `None` for other services, which have no such
/// field.
pub(super) fn missing(form: OperationForm, collection: &str, places: &[String]) -> Option<String> {
    let list = json!(places);
    if places.is_empty() {
        return None;
    }
    match form {
        OperationForm::ComputeEngine if collection.ends_with(AGGREGATED) => {
            Some(format!(r#""unreachables":{list}"#))
        }
        OperationForm::ComputeEngine => {
            let data: Vec<_> = places.iter().map(|place| json!({ "key": "scope", "value": place })).collect();
            let warning = json!({ "code": "UNREACHABLE", "message": "cannot be reached", "data": data });
            Some(format!(r#""warning":{warning}"#))
        }
        OperationForm::KubernetesEngine => Some(format!(r#""missingZones":{list}"#)),
        _ => None,
    }
}

/// Groups operations by scope, in the order of their first operation:
/// `zones/z`, `regions/r` or `global`.
///
/// `projects/p/zones/z/operations/1` has the scope `zones/z`.
fn by_scope<'a>(operations: &[(&Operation, &'a str)]) -> Vec<(String, Vec<&'a str>)> {
    let mut scopes: Vec<(String, Vec<&str>)> = Vec::new();
    for (operation, text) in operations {
        let scope = operation.name().split('/').skip(2).take_while(|segment| *segment != "operations");
        let scope = scope.collect::<Vec<_>>().join("/");
        match scopes.iter_mut().find(|(known, _)| *known == scope) {
            Some((_, texts)) => texts.push(text),
            None => scopes.push((scope, vec![text])),
        }
    }
    scopes
}

const AGGREGATED: &str = "/aggregated/operations";
const ID: &str = "7127550864823803662";
const USER: &str = "me@example.com";
