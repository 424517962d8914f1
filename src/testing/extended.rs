//! Operations in the forms of services that have a type of their own, and which
//! methods those services have.

use serde_json::{Map, Value, json};

use crate::transport::Rpc;
use crate::types::rpc::ErrorInfo;
use crate::types::{Code, Operation, OperationForm, Status};

/// Writes the state of an operation in a form; a google.longrunning operation
/// stays as it is.
pub(super) fn in_form(form: OperationForm, operation: Operation, percent: u32) -> Operation {
    if !form.is_extended() || operation.form() == form {
        return operation;
    }
    let mut fields = fields(form, operation.name());
    let done = if operation.is_done() { "DONE" } else { "RUNNING" };
    match form {
        OperationForm::CloudDns => fields.extend(members(json!({ "status": done.to_lowercase() }))),
        OperationForm::KubernetesEngine => {
            let metric = json!({ "name": "percent done", "intValue": percent.to_string() });
            fields.extend(members(json!({ "status": done, "progress": { "metrics": [metric] } })));
        }
        OperationForm::CloudSql => fields.extend(members(json!({ "status": done }))),
        _ => fields.extend(members(json!({ "status": done, "progress": percent }))),
    }
    fields.extend(operation.error().map(|error| failure(form, error)).unwrap_or_default());
    let text = Value::Object(fields).to_string();
    let written = Operation::from_json(&text).expect("the fake server writes valid operations");
    written.requested_as(operation.name())
}

/// Returns whether a service has a method, in the URL of which `mark` stands
/// before the verb.
pub(super) fn has_method(form: OperationForm, rpc: Rpc, mark: Option<char>) -> bool {
    match (form, rpc) {
        (_, Rpc::Get | Rpc::List) => true,
        (OperationForm::ComputeEngine, Rpc::Delete) => true,
        (OperationForm::ComputeEngine, Rpc::Wait) | (OperationForm::CloudSql, Rpc::Cancel) => {
            mark == Some('/')
        }
        (OperationForm::KubernetesEngine, Rpc::Cancel) => mark == Some(':'),
        (OperationForm::Longrunning, _) => true,
        _ => false,
    }
}

/// What does not change.
fn fields(form: OperationForm, name: &str) -> Map<String, Value> {
    let (scope, id) = name.rsplit_once("/operations/").unwrap_or(("", name));
    let place = scope.rsplit('/').next().unwrap_or_default();
    let project = scope.split('/').nth(1).unwrap_or_default();
    let old_host = |path: &str, name: &str| format!("https://www.googleapis.com/{path}/{name}");
    members(match form {
        OperationForm::CloudSql => json!({
            "kind": "sql#operation", "name": id, "operationType": "UPDATE", "targetId": "db", "targetProject": project,
            "selfLink": format!("https://sqladmin.googleapis.com/v1/{name}"),
            "targetLink": format!("https://sqladmin.googleapis.com/v1/projects/{project}/instances/db"),
        }),
        OperationForm::KubernetesEngine => json!({
            "name": id, "operationType": "CREATE_CLUSTER", "location": place, "zone": place,
            "selfLink": format!("https://container.googleapis.com/v1/{name}"),
            "targetLink": format!("https://container.googleapis.com/v1/{scope}/clusters/c"),
        }),
        OperationForm::CloudDns => json!({ "kind": "dns#operation", "id": id, "type": "update" }),
        OperationForm::DeploymentManager => json!({
            "kind": "deploymentmanager#operation", "name": id, "operationType": "insert",
            "selfLink": old_host("deploymentmanager/v2", name),
            "targetLink": old_host("deploymentmanager/v2", &format!("{scope}/deployments/d")),
        }),
        _ => {
            let scoped = match scope.split('/').nth(2) {
                Some(kind @ ("zones" | "regions")) => {
                    json!({ kind.trim_end_matches('s'): old_host("compute/v1", scope) })
                }
                _ => json!({}),
            };
            let mut fields = members(json!({
                "kind": "compute#operation", "id": "7127550864823803662", "name": id, "operationType": "insert",
                "selfLink": old_host("compute/v1", name),
                "targetLink": old_host("compute/v1", &format!("{scope}/instances/vm")),
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
    let entry = json!({ "code": reason, "message": error.message() });
    let http = error.code().to_http();
    members(match form {
        // It has no place for an error: its operations cannot fail.
        OperationForm::CloudDns => json!({}),
        OperationForm::KubernetesEngine => json!({
            "error": { "code": i32::from(error.code()), "message": error.message() }, "statusMessage": error.message(),
        }),
        OperationForm::CloudSql => json!({ "error": { "kind": "sql#operationErrors", "errors": [entry] } }),
        _ => json!({
            "error": { "errors": [entry] }, "httpErrorStatusCode": http, "httpErrorMessage": http_message(error.code()),
        }),
    })
}

fn http_message(code: Code) -> String {
    code.to_string().replace('_', " ")
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Writes a page as the service of its operations does: the name of the list,
/// its kind, and an aggregated list by scopes.
pub(super) fn page(form: OperationForm, collection: &str, operations: &[(&Operation, &str)]) -> Vec<String> {
    let list = |texts: &[&str]| format!("[{}]", texts.join(","));
    let texts: Vec<&str> = operations.iter().map(|(_, text)| *text).collect();
    match form {
        OperationForm::ComputeEngine if collection.ends_with("/aggregated/operations") => {
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
        _ => vec![format!(r#""operations":{}"#, list(&texts))],
    }
}

/// `zones/z`, `regions/r` and `global`, each with its operations.
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
