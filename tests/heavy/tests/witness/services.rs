//! Google's discovery documents, against the table of services.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::python::Python;

const TABLE: &str = include_str!("../../../fixtures/services/table.tsv");
const TYPES: &str = include_str!("../../../fixtures/services/types.tsv");

#[derive(Debug, Deserialize)]
struct Comparison {
    differences: Vec<String>,
    starts: usize,
    messages: usize,
}

/// A discovery document does not have everything: some services are younger there, and `**` is one segment.
#[test]
fn starts_and_fields_are_those_of_the_discovery_documents() {
    let Some(python) = Python::find() else { return };
    let types: BTreeMap<_, _> = lines(TYPES).filter_map(|line| line.split_once('\t')).collect();
    let rows: Vec<Vec<&str>> = lines(TABLE).map(|line| line.split('\t').collect()).collect();
    let rows = || rows.iter().filter(|row| row[DISCOVERY] != "-");
    let starts: Vec<_> = rows().map(|row| start(row)).collect();
    let messages = rows().flat_map(|row| [(row, RESPONSE_TYPE), (row, METADATA_TYPE)]);
    let messages = messages.filter_map(|(row, column)| {
        let fields = types.get(row[column])?.split_whitespace().filter_map(|field| field.split(':').next());
        let message = row[column].rsplit('/').next();
        Some(json!([row[DISCOVERY], message, fields.collect::<Vec<_>>()]))
    });
    let messages: Vec<Value> = messages.collect();
    let compared: Comparison = python.run("services.py", &json!({ "starts": starts, "messages": messages }));
    assert_eq!(compared.differences, DIFFERENCES, "{compared:#?}");
    assert!(compared.starts > 100 && compared.messages > 150, "{compared:?}");
}

fn start(row: &[&str]) -> Value {
    let (verb, path) = row[START].split_once(' ').expect("a verb and a path");
    json!([row[DISCOVERY], verb, path])
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

/// What the documents do not have, although googleapis has it.
const DIFFERENCES: &[&str] = &[
    "datacatalog.v1: no POST /v1/{parent=projects/*/locations/*/entryGroups/*/entries/*}/tags:reconcile",
    "webrisk.v1: no POST /v1/{parent=projects/*}/uris:submit",
    "accesscontextmanager.v1: `google.identity.accesscontextmanager.v1.AccessLevel` has no field `createTime`",
    "accesscontextmanager.v1: `google.identity.accesscontextmanager.v1.AccessLevel` has no field `updateTime`",
    "alloydb.v1: `google.cloud.alloydb.v1.OperationMetadata` has no field `batchCreateInstancesMetadata`",
    "cloudasset.v1: `google.cloud.asset.v1.ExportAssetsRequest` has no field `parent`",
    "iam.v2: `google.iam.v2.Policy` has no field `managingAuthority`",
    "webrisk.v1: `google.cloud.webrisk.v1.Submission` has no field `threatTypes`",
];

const START: usize = 10;
const RESPONSE_TYPE: usize = 12;
const METADATA_TYPE: usize = 14;
const DISCOVERY: usize = 18;
