//! What the server sends: an operation of about 600 bytes, pages of 1000 operations and about 400 kB.

/// How many operations a page holds.
pub const PAGE_SIZE: usize = 1000;

/// One finished operation, with metadata and a response.
pub fn operation() -> String {
    let metadata = concat!(
        r#"{"@type":"type.googleapis.com/google.cloud.example.v1.OperationMetadata","#,
        r#""createTime":"2026-11-22T10:15:30.123456789Z","endTime":"2026-11-22T10:19:02.000Z","#,
        r#""target":"projects/p/locations/europe-west4/indexes/17","verb":"create","#,
        r#""requestedCancellation":false,"apiVersion":"v1","progress":{"percent":100,"rows":"9007199254740993"}}"#,
    );
    let response = concat!(
        r#"{"@type":"type.googleapis.com/google.cloud.example.v1.Index","#,
        r#""name":"projects/p/locations/europe-west4/indexes/17","rows":"9007199254740993","state":"READY","#,
        r#""labels":{"team":"search","stage":"production"}}"#,
    );
    format!(r#"{{"name":"operations/42","metadata":{metadata},"done":true,"response":{response}}}"#)
}

/// A page with a token of eight digits, all zero, at the very end.
pub fn page() -> String {
    let operations: Vec<String> = (0..PAGE_SIZE).map(listed).collect();
    format!(r#"{{"operations":[{}],"nextPageToken":"00000000"}}"#, operations.join(","))
}

fn listed(number: usize) -> String {
    let metadata = format!(
        concat!(
            r#"{{"@type":"type.googleapis.com/google.cloud.example.v1.OperationMetadata","#,
            r#""createTime":"2026-11-22T10:15:30.{:09}Z","#,
            r#""target":"projects/p/locations/europe-west4/indexes/{}","verb":"create","apiVersion":"v1","#,
            r#""progress":{{"percent":100,"rows":"9007199254740993"}}}}"#,
        ),
        number * 997,
        number,
    );
    let response = format!(
        r#"{{"@type":"type.googleapis.com/google.cloud.example.v1.Index","rows":"{}"}}"#,
        9_007_199_254_740_993_u64 + number as u64,
    );
    format!(r#"{{"name":"operations/{number:08}","metadata":{metadata},"done":true,"response":{response}}}"#)
}
