//! What is no operation, by the page: a request for one is an error, and neither "running" nor an empty list.

use longrunning::testing::{FakeServer, Reply};
use longrunning::{Error, ErrorKind};

const PAGE: &str = include_str!("../../../docs/services.md");

/// The row of the page, the name that a program may use, and the body that the service sends.
const JOBS: [(&str, &str, &str); 4] = [
    (
        "| BigQuery job |",
        "projects/demo/jobs/operations/job_1",
        r#"{"kind": "bigquery#job", "id": "demo:EU.job_1", "jobReference": {"projectId": "demo", "jobId": "job_1"}, "status": {"state": "DONE"}}"#,
    ),
    (
        "| Dataflow job |",
        "projects/demo/jobs/operations/1",
        r#"{"id": "1", "projectId": "demo", "name": "words", "type": "JOB_TYPE_BATCH", "currentState": "JOB_STATE_RUNNING"}"#,
    ),
    (
        "| Dataproc job |",
        "projects/demo/regions/r/jobs/operations/1",
        r#"{"reference": {"projectId": "demo", "jobId": "1"}, "status": {"state": "RUNNING"}, "jobUuid": "1"}"#,
    ),
    (
        "| Cloud DNS change |",
        "projects/demo/managedZones/z/changes/operations/1",
        r#"{"kind": "dns#change", "id": "1", "status": "pending", "isServing": false}"#,
    ),
];

#[test]
fn jobs_are_no_operations() {
    for (row, name, body) in JOBS {
        assert!(PAGE.contains(row), "{row}");
        let server = FakeServer::start();
        server.reply(Reply::json(200, body).times(2));
        let client = server.client();
        let results: [Result<(), Error>; 2] =
            [client.get(name).send().map(drop), client.poller(name).until_done().map(drop)];
        for result in results {
            let error = result.expect_err(row);
            assert_eq!(error.kind(), ErrorKind::Decode, "{row}: {error}");
        }
        assert_eq!(server.request_count(), 2, "{row}");
    }
}

#[test]
fn lists_of_jobs_are_not_empty_lists() {
    for (row, _, body) in JOBS {
        let server = FakeServer::start();
        let key = if row.contains("change") { "changes" } else { "jobs" };
        server.reply(Reply::json(200, format!(r#"{{"{key}": [{body}]}}"#)));
        let first = server.client().list("projects/demo").into_iter().next().expect(row);
        assert_eq!(first.expect_err(row).kind(), ErrorKind::Decode, "{row}");
    }
}
