use crate::error::ErrorKind;
use crate::types::rpc::{DebugInfo, ErrorInfo, Help, LocalizedMessage, QuotaFailure};
use crate::types::{Code, Operation, OperationForm, OperationPage, Status};

fn operation(json: &str) -> Operation {
    Operation::from_json(json).unwrap()
}

const COMPUTE: &str = r#"{"kind":"compute#operation","id":"7127550864823803662","name":"operation-1","zone":"https://www.googleapis.com/compute/v1/projects/p/zones/z","operationType":"insert","targetLink":"https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/vm","status":"RUNNING","progress":0,"selfLink":"https://www.googleapis.com/compute/v1/projects/p/zones/z/operations/operation-1"}"#;

const CLUSTER: &str = r#"{"name":"operation-17-0a","zone":"us-central1-a","operationType":"UPGRADE_NODES","status":"RUNNING","selfLink":"https://container.googleapis.com/v1/projects/1234567890/zones/us-central1-a/operations/operation-17-0a"}"#;

#[test]
fn forms_names_and_outcomes() {
    let rows = [
        ("Compute", COMPUTE.to_owned(), OperationForm::ComputeEngine, "projects/p/zones/z/operations/operation-1", "running"),
        ("done", COMPUTE.replace("RUNNING", "DONE"), OperationForm::ComputeEngine, "projects/p/zones/z/operations/operation-1", "succeeded"),
        ("no selfLink", r#"{"kind":"compute#operation","name":"o","status":"PENDING","region":"https://www.googleapis.com/compute/v1/projects/p/regions/r"}"#.into(), OperationForm::ComputeEngine, "projects/p/regions/r/operations/o", "running"),
        ("bare", r#"{"kind":"compute#operation","name":"o","status":"DONE"}"#.into(), OperationForm::ComputeEngine, "o", "succeeded"),
        ("as a number", r#"{"kind":"compute#operation","name":"o","status":2104194}"#.into(), OperationForm::ComputeEngine, "o", "succeeded"),
        ("a number that is not DONE", r#"{"kind":"compute#operation","name":"o","status":35394935}"#.into(), OperationForm::ComputeEngine, "o", "running"),
        ("SQL", r#"{"kind":"sql#operation","name":"0d1e","status":"RUNNING","targetProject":"p"}"#.into(), OperationForm::CloudSql, "projects/p/operations/0d1e", "running"),
        ("SQL, linked", r#"{"kind":"sql#operation","name":"0d1e","status":"DONE","selfLink":"https://sqladmin.googleapis.com/sql/v1beta4/projects/q/operations/0d1e","targetProject":"p"}"#.into(), OperationForm::CloudSql, "projects/q/operations/0d1e", "succeeded"),
        ("GKE", CLUSTER.into(), OperationForm::KubernetesEngine, "projects/1234567890/zones/us-central1-a/operations/operation-17-0a", "running"),
        ("GKE, cancelled", CLUSTER.replace("RUNNING", "ABORTING"), OperationForm::KubernetesEngine, "projects/1234567890/zones/us-central1-a/operations/operation-17-0a", "running"),
        ("GKE, done", CLUSTER.replace("RUNNING", "DONE"), OperationForm::KubernetesEngine, "projects/1234567890/zones/us-central1-a/operations/operation-17-0a", "succeeded"),
        ("GKE, bare", r#"{"name":"operation-1","operationType":"CREATE_CLUSTER","status":"DONE"}"#.into(), OperationForm::KubernetesEngine, "operation-1", "succeeded"),
        ("DNS", r#"{"kind":"dns#operation","id":"7f3a","status":"pending","type":"update"}"#.into(), OperationForm::CloudDns, "7f3a", "running"),
        ("DNS, done", r#"{"kind":"dns#operation","id":"7f3a","status":"done","type":"update"}"#.into(), OperationForm::CloudDns, "7f3a", "succeeded"),
        ("DNS v2", r#"{"kind":"dns#operation","id":"7f3a","status":"DONE"}"#.into(), OperationForm::CloudDns, "7f3a", "succeeded"),
        ("Deployment Manager", r#"{"kind":"deploymentmanager#operation","name":"o","status":"DONE","progress":100}"#.into(), OperationForm::DeploymentManager, "o", "succeeded"),
        ("Deployment Manager, as Compute", r#"{"kind":"compute#operation","name":"o","status":"RUNNING","selfLink":"https://www.googleapis.com/deploymentmanager/v2/projects/p/global/operations/o"}"#.into(), OperationForm::DeploymentManager, "projects/p/global/operations/o", "running"),
        ("another", r#"{"kind":"new#operation","name":"o","status":"DONE"}"#.into(), OperationForm::OtherExtended, "o", "succeeded"),
        ("a new status", r#"{"kind":"sql#operation","name":"o","status":"HALTED"}"#.into(), OperationForm::CloudSql, "o", "running"),
        ("Storage", r#"{"kind":"storage#operation","name":"projects/_/buckets/B/operations/o","done":true,"selfLink":"https://www.googleapis.com/storage/v1/b/B/operations/o"}"#.into(), OperationForm::CloudStorage, "b/B/operations/o", "succeeded"),
        ("Storage, fresh", r#"{"kind":"storage#operation","name":"o","selfLink":"https://www.googleapis.com/storage/v1/b/B/operations/o"}"#.into(), OperationForm::CloudStorage, "b/B/operations/o", "running"),
        ("longrunning with a status", r#"{"name":"operations/o","done":false,"status":"DONE","kind":"x#operation"}"#.into(), OperationForm::Longrunning, "operations/o", "running"),
        ("longrunning with null", r#"{"name":"operations/o","done":null,"status":"DONE"}"#.into(), OperationForm::Longrunning, "operations/o", "running"),
        ("an id alone", r#"{"kind":"compute#operation","id":"7","status":"DONE"}"#.into(), OperationForm::ComputeEngine, "", "succeeded"),
        ("an empty text as the error", r#"{"kind":"compute#operation","name":"o","status":"DONE","error":""}"#.into(), OperationForm::ComputeEngine, "o", "succeeded"),
        ("GKE, as a number", r#"{"name":"o","operationType":"X","status":3}"#.into(), OperationForm::KubernetesEngine, "o", "succeeded"),
        ("GKE, as the first number", r#"{"name":"o","operationType":"X","status":0}"#.into(), OperationForm::KubernetesEngine, "o", "running"),
        ("GKE, as the last number", r#"{"name":"o","operationType":"X","status":4}"#.into(), OperationForm::KubernetesEngine, "o", "running"),
        ("a number that GKE does not have", r#"{"name":"o","operationType":"X","status":5}"#.into(), OperationForm::Longrunning, "o", "running"),
        ("unknown fields", r#"{"name":"operations/o","new":{"status":"DONE"},"state":7}"#.into(), OperationForm::Longrunning, "operations/o", "running"),
        ("an error", r#"{"name":"operations/o","error":{"code":5},"state":"FAILED"}"#.into(), OperationForm::Longrunning, "operations/o", "running"),
    ];
    for (row, json, form, name, outcome) in rows {
        let operation = operation(&json);
        assert_eq!((operation.form(), operation.name()), (form, name), "{row}");
        assert_eq!((operation.outcome().to_string().as_str(), operation.to_json()), (outcome, json), "{row}");
    }
    assert_eq!(
        operation(COMPUTE).target_link(),
        Some("https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/vm")
    );
    assert_eq!(operation(COMPUTE).metadata().unwrap().json().unwrap(), COMPUTE);
}

#[test]
fn objects_of_neither_form_are_errors() {
    let rows = [
        (
            "GKE cluster",
            r#"{"name":"c1","status":"RUNNING","selfLink":"https://x/y","nodePools":[]}"#,
            "an object with the fields `name`, `status`, `selfLink`, `nodePools`",
        ),
        (
            "node pool",
            r#"{"name":"p1","config":{},"status":"RUNNING"}"#,
            "an object with the fields `name`, `config`, `status`",
        ),
        (
            "GKE status of its own",
            r#"{"name":"o","operationType":"X","status":"HALTED"}"#,
            "an object with the fields `name`, `operationType`, `status`",
        ),
        (
            "SQL instance",
            r#"{"kind":"sql#instance","name":"db1","state":"RUNNABLE"}"#,
            "a `sql#instance` with the fields `kind`, `name`, `state`",
        ),
        (
            "Compute instance",
            r#"{"kind":"compute#instance","name":"vm","status":"RUNNING"}"#,
            "a `compute#instance` with the fields `kind`, `name`, `status`",
        ),
        (
            "DNS change",
            r#"{"kind":"dns#change","id":"7","status":"done"}"#,
            "a `dns#change` with the fields `kind`, `id`, `status`",
        ),
        (
            "Dataproc job",
            r#"{"reference":{},"status":{"state":"DONE"},"jobUuid":"u"}"#,
            "an object with the fields `reference`, `status`, `jobUuid`",
        ),
        (
            "Dataflow job",
            r#"{"id":"j","name":"wordcount","currentState":"JOB_STATE_RUNNING"}"#,
            "an object with the fields `id`, `name`, `currentState`",
        ),
        (
            "BigQuery job",
            r#"{"kind":"bigquery#job","id":"p:US.j","status":{"state":"DONE"}}"#,
            "a `bigquery#job` with the fields `kind`, `id`, `status`",
        ),
        (
            "bucket",
            r#"{"kind":"storage#bucket","name":"b"}"#,
            "a `storage#bucket` with the fields `kind`, `name`",
        ),
        ("one field", r#"{"message":"hello"}"#, "an object with the field `message`"),
        (
            "many fields",
            r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1}"#,
            "an object with the fields `a`, `b`, `c`, `d`, `e`, `f`, `g`, `h`, …",
        ),
        (
            "an error of its own",
            r#"{"name":"o","status":"DONE","error":{"errors":[{"code":"X"}]}}"#,
            "an object with the fields `name`, `status`, `error`",
        ),
    ];
    for (row, json, found) in rows {
        let error = Operation::from_json(json).expect_err(row);
        assert_eq!(error.kind(), ErrorKind::Decode, "{row}");
        let message = error.to_string();
        assert!(
            message.ends_with(&format!("is not valid: expected an operation, found {found}")),
            "{row}: {message}"
        );
    }
}

fn failed(fields: &str) -> Option<Status> {
    let json = format!(r#"{{"kind":"compute#operation","name":"o","status":"DONE"{fields}}}"#);
    let operation = operation(&json);
    assert_eq!(operation.error().is_some(), operation.outcome().to_string().starts_with("failed"), "{json}");
    operation.error().cloned()
}

#[test]
fn errors_and_their_codes() {
    let rows = [
        ("", ""),
        (r#","error":{}"#, ""),
        (r#","error":null"#, ""),
        (r#","error":{"errors":[]}"#, ""),
        (r#","error":{"kind":"sql#operationErrors","errors":[]}"#, ""),
        (r#","error":{"kind":"sql#operationErrors"}"#, ""),
        (r#","httpErrorStatusCode":200,"httpErrorMessage":"OK""#, ""),
        (r#","httpErrorMessage":"OK""#, ""),
        (r#","httpErrorStatusCode":0"#, ""),
        (r#","httpErrorStatusCode":409,"httpErrorMessage":"CONFLICT""#, "ABORTED: CONFLICT"),
        (r#","httpErrorStatusCode":412"#, "FAILED_PRECONDITION"),
        (r#","httpErrorStatusCode":"404","httpErrorMessage":"NOT FOUND""#, "NOT_FOUND: NOT FOUND"),
        (r#","httpErrorStatusCode":502"#, "UNAVAILABLE"),
        (r#","httpErrorMessage":"FORBIDDEN""#, "UNKNOWN: FORBIDDEN"),
        (
            r#","error":{"errors":[{"code":"QUOTA_EXCEEDED","message":"m"}]},"httpErrorStatusCode":403"#,
            "RESOURCE_EXHAUSTED: m",
        ),
        (
            r#","error":{"errors":[{"code":"CONDITION_NOT_MET","message":"m"}]},"httpErrorStatusCode":412"#,
            "FAILED_PRECONDITION: m",
        ),
        (
            r#","error":{"errors":[{"code":"PERMISSION_DENIED","message":"m"}]},"httpErrorStatusCode":400"#,
            "PERMISSION_DENIED: m",
        ),
        (r#","error":{"errors":[{"code":"OK"}]},"httpErrorStatusCode":404"#, "NOT_FOUND: OK"),
        (r#","error":{"errors":[{"code":"ODD"},{"message":"second"}]}"#, "UNKNOWN: ODD; second"),
        (r#","error":{"errors":[{"code":"ODD"}]},"httpErrorStatusCode":200"#, "UNKNOWN: ODD"),
        (r#","error":{"errors":[{"code":"INTERNAL_ERROR"}]}"#, "INTERNAL: INTERNAL_ERROR"),
        (r#","error":{"message":"m"}"#, "UNKNOWN: m"),
        (r#","error":{"errors":[],"message":"m"}"#, "UNKNOWN: m"),
        (r#","error":{"errors":null,"kind":null}"#, ""),
        (r#","error":{"errors":{}}"#, ""),
        (r#","error":{"errors":{"code":"NOT_FOUND","message":"m"}}"#, "NOT_FOUND: m"),
        (r#","error":{"\u0065rrors":[{"c\u006fde":"NOT_FOUND"}]}"#, "NOT_FOUND: NOT_FOUND"),
        (r#","error":{"errors":[{"code":"X"}]},"error":{}"#, ""),
        (r#","error":{"errors":[{"message":"m"}]},"error":null"#, "UNKNOWN: m"),
        (r#","error":"broken""#, "UNKNOWN: broken"),
    ];
    for (fields, expected) in rows {
        assert_eq!(failed(fields).map(|status| status.to_string()).unwrap_or_default(), expected, "{fields}");
    }
    let running = operation(
        r#"{"kind":"compute#operation","name":"o","status":"RUNNING","error":{"errors":[{"code":"X"}]},"httpErrorStatusCode":403}"#,
    );
    assert_eq!((running.outcome().to_string().as_str(), running.error()), ("running", None));
}

/// It would look like a success.
#[test]
fn an_error_that_cannot_be_read_is_an_error() {
    let compute = r#""kind":"compute#operation","name":"o","status":"DONE""#;
    let cluster = r#""name":"o","operationType":"X","status":"DONE""#;
    let rows = [
        (compute, r#""error":{"errors":[{"code":"X"},{"message":"\ud800"}]}"#, "`error.errors[1]`"),
        (compute, r#""error":{"errors":[{"code":"X","limit":1e999}]}"#, "`error.errors[0]`"),
        (compute, r#""error":{"message":"\ud800"}"#, "`error`"),
        (compute, r#""error":"\ud800""#, "`error`"),
        (compute, r#""httpErrorStatusCode":70000"#, "`httpErrorStatusCode`"),
        (compute, r#""httpErrorStatusCode":"NOT FOUND""#, "`httpErrorStatusCode`"),
        (compute, r#""httpErrorMessage":"\ud800""#, "`httpErrorMessage`"),
        (cluster, r#""statusMessage":"\ud800""#, "`statusMessage`"),
        (cluster, r#""error":"m""#, "`error`"),
    ];
    for (operation, fields, place) in rows {
        let error = Operation::from_json(&format!("{{{operation},{fields}}}")).expect_err(fields);
        assert_eq!(error.kind(), ErrorKind::Decode, "{fields}");
        assert!(
            error.to_string().contains(&format!("is not valid: {place}: expected ")),
            "{fields}: {error}"
        );
    }
}

/// It would look like an operation that never ends.
#[test]
fn a_status_that_cannot_be_read_is_an_error() {
    for status in ["{}", "[]", "true", "4294967296", "1.5", r#""\ud800""#] {
        let json = format!(r#"{{"kind":"compute#operation","name":"o","status":{status}}}"#);
        let error = Operation::from_json(&json).expect_err(status);
        assert!(error.to_string().contains("`status`: expected "), "{status}: {error}");
    }
    for (status, done) in
        [(r#""Done""#, true), (r#""D\u004fNE""#, true), (r#""HALTED""#, false), ("2104194.0", true)]
    {
        let json = format!(r#"{{"status":{status},"name":"o","k\u0069nd":"compute#operation"}}"#);
        assert_eq!(operation(&json).is_done(), done, "{status}");
    }
}

#[test]
fn names_in_escaped_links() {
    let named = |json: &str| operation(json).name().to_owned();
    let json = r#"{"kind":"compute#operation","name":"o","status":"DONE","selfLink":"https://h/compute/v1/projects/example.com%3Ap/zones/a%2Fb/operations/o"}"#;
    assert_eq!(named(json), "projects/example.com:p/zones/a%2Fb/operations/o");
    let json = r#"{"kind":"compute#operation","name":"o","status":"DONE","zone":"https://h/compute/v1/projects/example.com%3Ap/zones/z"}"#;
    assert_eq!(named(json), "projects/example.com:p/zones/z/operations/o");
    let json =
        r#"{"kind":"storage\u0023operation","name":"o","selfLink":"https://h/storage/v1/b/B/operations/o"}"#;
    assert_eq!(named(json), "b/B/operations/o");
}

#[test]
fn errors_of_clusters_and_none_of_dns() {
    let rows = [
        ("", ""),
        (r#","error":{}"#, ""),
        (r#","error":{"code":8}"#, "RESOURCE_EXHAUSTED"),
        (r#","error":{"message":"m"}"#, "UNKNOWN: m"),
        (r#","statusMessage":"""#, ""),
        (
            r#","error":{"code":8,"message":"Insufficient quota."},"statusMessage":"other""#,
            "RESOURCE_EXHAUSTED: Insufficient quota.",
        ),
        (r#","statusMessage":"Insufficient quota.""#, "UNKNOWN: Insufficient quota."),
        (
            r#","statusMessage":"m","clusterConditions":[{"code":"GCE_STOCKOUT","message":"c","canonicalCode":"RESOURCE_EXHAUSTED"}]"#,
            "RESOURCE_EXHAUSTED: m",
        ),
    ];
    for (fields, expected) in rows {
        let json = format!(r#"{{"name":"o","operationType":"CREATE_CLUSTER","status":"DONE"{fields}}}"#);
        let shown = operation(&json).error().map(Status::to_string).unwrap_or_default();
        assert_eq!(shown, expected, "{fields}");
    }
    let condition = r#"{"name":"o","operationType":"X","status":"DONE","statusMessage":"m","nodepoolConditions":[{"code":"GCE_STOCKOUT","message":"c"}]}"#;
    let info = operation(condition).error().unwrap().detail::<ErrorInfo>().unwrap();
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("GCE_STOCKOUT", "container.googleapis.com"));
    let error =
        Operation::from_json(r#"{"name":"o","operationType":"X","status":"DONE","error":{"code":[]}}"#);
    assert!(error.unwrap_err().to_string().contains("`error.code`: expected a 32-bit integer"));
    assert!(operation(r#"{"kind":"dns#operation","id":"7","status":"done"}"#).error().is_none());
}

#[test]
fn details_of_errors() {
    let status = failed(
        r#","error":{"errors":[{"code":"QUOTA_EXCEEDED","message":"m","location":"resource.cpus","debugInfo":{"detail":"d","stackEntries":["f","g"]},"errorDetails":[
            {"errorInfo":{"reason":"R","domain":"d","metadatas":{"k":"v"}}},
            {"quotaInfo":{"metricName":"compute.googleapis.com/cpus","limitName":"CPUS-per-project-region","dimensions":{"region":"us-central1"},"limit":8,"futureLimit":16.0}},
            {"help":{"links":[{"description":"Ask for more","url":"https://cloud.google.com/docs/quota"}]}},
            {"localizedMessage":{"locale":"en","message":"l"}}]}]},"httpErrorStatusCode":403,"httpErrorMessage":"FORBIDDEN""#,
    )
    .unwrap();
    let reasons: Vec<ErrorInfo> = status.details().iter().filter_map(|any| any.unpack().ok()).collect();
    assert_eq!(
        (reasons[0].reason.as_str(), reasons[1].reason.as_str(), reasons.len()),
        ("QUOTA_EXCEEDED", "R", 2)
    );
    assert_eq!(
        (&*reasons[0].domain, &*reasons[0].metadata["location"]),
        ("compute.googleapis.com", "resource.cpus")
    );
    assert_eq!((&*reasons[0].metadata["httpErrorStatusCode"], &*reasons[1].metadata["k"]), ("403", "v"));
    let quota = status.detail::<QuotaFailure>().unwrap().violations.remove(0);
    assert_eq!(
        (&*quota.quota_metric, &*quota.quota_id),
        ("compute.googleapis.com/cpus", "CPUS-per-project-region")
    );
    assert_eq!(
        (&*quota.api_service, quota.quota_value, quota.future_quota_value),
        ("compute.googleapis.com", 8, Some(16))
    );
    assert_eq!(quota.quota_dimensions["region"], "us-central1");
    assert_eq!(status.detail::<Help>().unwrap().links[0].url, "https://cloud.google.com/docs/quota");
    assert_eq!(status.detail::<LocalizedMessage>().unwrap().message, "l");
    let debug = status.detail::<DebugInfo>().unwrap();
    assert_eq!((&*debug.detail, debug.stack_entries.join(" ")), ("d", "f g".to_owned()));
    assert!(status.names_quota() && status.code() == Code::ResourceExhausted);
    let many = vec![r#"{"code":"X"}"#; 5000].join(",");
    let status = failed(&format!(r#","error":{{"errors":[{many}]}}"#)).unwrap();
    assert_eq!((status.details().len(), status.message().matches('X').count()), (1024, 1024));
}

#[test]
fn lists() {
    let compute = |rest: &str| format!(r#"{{"kind":"compute#operation","name":"o"{rest},"status":"DONE"}}"#);
    let rows = [
        ("Compute", format!(r#"{{"kind":"compute#operationList","id":"x","items":[{}],"nextPageToken":"t"}}"#, compute("")), "o", ""),
        ("SQL", r#"{"kind":"sql#operationsList","items":[{"kind":"sql#operation","name":"a","status":"DONE"}],"nextPageToken":"t"}"#.into(), "a", ""),
        ("GKE", r#"{"operations":[{"name":"operation-1","operationType":"X","status":"DONE"}],"missingZones":["us-east1-b"]}"#.into(), "operation-1", "us-east1-b"),
        ("DNS", r#"{"kind":"dns#managedZoneOperationsListResponse","operations":[{"kind":"dns#operation","id":"7f3a","status":"done"}]}"#.into(), "7f3a", ""),
        ("Deployment Manager", r#"{"operations":[{"kind":"deploymentmanager#operation","name":"operation-9","status":"RUNNING"}]}"#.into(), "operation-9", ""),
        ("Storage", r#"{"kind":"storage#operations","operations":[{"kind":"storage#operation","name":"o","done":true}]}"#.into(), "o", ""),
        (
            "aggregated",
            format!(
                r#"{{"kind":"compute#operationAggregatedList","items":{{"zones/z":{{"operations":[{}]}},"regions/r":{{"warning":{{"code":"NO_RESULTS_ON_PAGE"}}}},"zones/y":{{"warning":{{"code":"UNREACHABLE"}}}}}},"unreachables":["projects/p/zones/x"]}}"#,
                compute("")
            ),
            "zones/z/operations/o",
            "zones/y projects/p/zones/x",
        ),
        ("a warning", r#"{"kind":"compute#operationList","warning":{"code":"UNREACHABLE","message":"m","data":[{"key":"scope","value":"zones/z"}]}}"#.into(), "", "zones/z"),
        ("warnings", r#"{"warnings":[{"code":"REGION_UNREACHABLE","message":"m","region":"r"}]}"#.into(), "", "r"),
        ("no results", r#"{"kind":"compute#operationList","warning":{"code":"NO_RESULTS_ON_PAGE","message":"m"}}"#.into(), "", ""),
        ("empty", "{}".into(), "", ""),
        ("an error", r#"{"error":{"code":5}}"#.into(), "", ""),
        ("a token", r#"{"nextPageToken":"t"}"#.into(), "", ""),
        ("missing zones", r#"{"missingZones":["z"]}"#.into(), "", "z"),
    ];
    for (row, json, names, unreachable) in rows {
        let page = OperationPage::from_json(&json).expect(row);
        let found: Vec<_> = page.operations.iter().map(Operation::name).collect();
        assert_eq!(
            (found.join(" "), page.unreachable.join(" ")),
            (names.to_owned(), unreachable.to_owned()),
            "{row}"
        );
    }
    for kind in [
        "compute#operationList",
        "compute#operations",
        "compute#operationsScopedList",
        "compute#operationAggregatedList",
        "sql#operationsList",
        "dns#managedZoneOperationsListResponse",
        "storage#operations",
    ] {
        let page =
            OperationPage::from_json(&format!(r#"{{"kind":"{kind}","id":"i","selfLink":"s"}}"#)).expect(kind);
        assert_eq!(page, OperationPage::default(), "{kind}");
    }
}

#[test]
fn lists_of_something_else() {
    let rows = [
        (
            "BigQuery",
            r#"{"kind":"bigquery#jobList","jobs":[{}],"nextPageToken":"t"}"#,
            "expected `operations` or `items`, found a `bigquery#jobList` with the fields `kind`, `jobs`",
        ),
        (
            "Dataflow",
            r#"{"jobs":[{"id":"j"}]}"#,
            "expected `operations` or `items`, found an object with the field `jobs`",
        ),
        (
            "clusters",
            r#"{"clusters":[{"name":"c"}],"missingZones":["z"]}"#,
            "expected `operations` or `items`, found an object with the field `clusters`",
        ),
        (
            "many fields",
            r#"{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0}"#,
            "expected `operations` or `items`, found an object with the fields `a`, `b`, `c`, `d`, `e`, `f`, `g`, `h`, …",
        ),
        (
            "instances",
            r#"{"kind":"compute#instanceList","items":[{"kind":"compute#instance","name":"vm","status":"RUNNING"}]}"#,
            "`items[0]`: expected an operation, found a `compute#instance` with the fields `kind`, `name`, `status`",
        ),
        (
            "networks",
            r#"{"items":[{"name":"default"}]}"#,
            "`items[0]`: expected operations, found something else",
        ),
        (
            "aggregated instances",
            r#"{"items":{"zones/z":{"instances":[]}}}"#,
            "`items.zones/z.instances`: expected operations, found something else",
        ),
    ];
    for (row, json, message) in rows {
        let error = OperationPage::from_json(json).expect_err(row);
        assert_eq!(error.kind(), ErrorKind::Decode, "{row}");
        assert_eq!(error.to_string(), format!("page of operations is not valid: {message}"), "{row}");
    }
}

#[test]
fn the_operation_is_the_response() {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Created {
        target_link: String,
    }
    let done = operation(&COMPUTE.replace("RUNNING", "DONE"));
    assert!(done.clone().into_response::<Created>().unwrap().target_link.ends_with("/instances/vm"));
    done.clone().into_response::<()>().unwrap();
    assert_eq!(done.clone().into_response::<serde_json::Value>().unwrap()["status"], "DONE");
    let error = done.into_response::<u8>().unwrap_err().to_string();
    assert_eq!(error, "operation `projects/p/zones/z/operations/operation-1` does not decode into `u8`");
    assert!(operation(COMPUTE).into_response::<()>().unwrap_err().to_string().ends_with("is not done"));
}

#[test]
fn names_are_completed_by_the_path_of_the_start() {
    let compute = |name: &str| format!(r#"{{"kind":"compute#operation","name":"{name}","status":"DONE"}}"#);
    let zone = "compute/v1/projects/p/zones/z/instances";
    let global = "compute/v1/locations/global/firewallPolicies";
    let rows = [
        ("bare", compute("o"), zone, "projects/p/zones/z/operations/o"),
        ("whole", compute("projects/p/zones/y/operations/o"), zone, "projects/p/zones/y/operations/o"),
        ("unnamed", compute(""), zone, ""),
        ("of an organization", compute("o"), global, "organizations/7/locations/global/operations/o"),
        ("longrunning", r#"{"name":"o","done":true}"#.to_owned(), global, "o"),
    ];
    let query = [("parentId".to_owned(), "organizations/7".to_owned())];
    for (row, json, path, name) in rows {
        assert_eq!(operation(&json).started_at(path, &query).name(), name, "{row}");
    }
}

#[test]
fn links_to_short_hosts_have_paths() {
    for url in ["https://h/v1/projects/p/operations/o", "x://h:1/projects/p/operations/o?alt=json#f"] {
        let path = super::link::path_of(url).map(|range| &url[range]);
        assert_eq!(path, Some("projects/p/operations/o"), "{url}");
    }
}
