use std::time::Instant;

use serde_json::{Value, json};

use super::*;
use crate::types::{Any, Code};

fn of(metadata: Value) -> Progress {
    Progress::of(&running(metadata))
}

fn running(mut metadata: Value) -> Operation {
    if metadata.get("@type").is_none() {
        metadata["@type"] = "type.googleapis.com/x.Metadata".into();
    }
    let metadata = Any::from_json(&metadata.to_string()).expect("an object is an any");
    Operation::running("operations/42").with_metadata(metadata)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + secs(1_767_261_600 + seconds)
}

#[test]
fn percentages_are_found_under_many_names() {
    let rows = [
        ("Speech", json!({"progressPercent": 40}), Some(40.0)),
        ("Vertex AI", json!({"genericMetadata": {"createTime": "x"}, "progressPercentage": 40}), Some(40.0)),
        ("AutoML, in snake case", json!({"progress_percent": 40}), Some(40.0)),
        ("Spanner", json!({"progress": {"progressPercent": 40}}), Some(40.0)),
        ("Video Intelligence", json!({"annotationProgress": [{"progressPercent": 40}]}), Some(40.0)),
        (
            "Firestore",
            json!({"progressDocuments": {"estimatedWork": "200", "completedWork": "80"}}),
            Some(40.0),
        ),
        (
            "Datastore",
            json!({"progressEntities": {"workEstimated": "200", "workCompleted": "80"}}),
            Some(40.0),
        ),
        ("Cloud Run jobs", json!({"taskCount": 10, "succeededCount": 4, "runningCount": 6}), Some(40.0)),
        (
            "Discovery Engine",
            json!({"successCount": "4", "failureCount": "1", "totalCount": "10"}),
            Some(40.0),
        ),
        ("units", json!({"totalUnits": 5, "completedUnits": 2}), Some(40.0)),
        (
            "a percentage goes before units",
            json!({"totalUnits": 5, "completedUnits": 1, "percent": 40}),
            Some(40.0),
        ),
        ("text", json!({"percentComplete": "40"}), Some(40.0)),
        ("text with a sign", json!({"progress": " 40 % "}), Some(40.0)),
        ("a fraction", json!({"progress": 0.4}), Some(40.0)),
        ("a small percentage", json!({"percent": 0.4}), Some(0.4)),
        ("a small percentage with a sign", json!({"progress": "0.4%"}), Some(0.4)),
        ("one is no fraction", json!({"progress": 1}), Some(1.0)),
        ("a fraction by its name", json!({"fractionComplete": 1}), Some(100.0)),
        ("two levels", json!({"operationMetadata": {"progress": {"percentDone": 40}}}), Some(40.0)),
        ("the outer level first", json!({"progress": {"percent": 1}, "percent": 40}), Some(40.0)),
        ("nothing", json!({}), None),
        ("null", json!({"progressPercent": null}), None),
        ("unknown", json!({"progressPercent": -1}), None),
        ("not a number", json!({"progressPercent": "NaN", "percent": "Infinity"}), None),
        ("too much", json!({"percent": 4000}), None),
        ("a little too much", json!({"percent": 101}), Some(100.0)),
        ("no units", json!({"totalUnits": 0, "completedUnits": 0}), None),
        ("more than all", json!({"totalUnits": 5, "completedUnits": 6}), Some(100.0)),
        ("something else", json!({"request": {"percent": 40}, "labels": {"progress": "40"}}), None),
        ("a word", json!({"progress": "halfway"}), None),
        ("a list of numbers", json!({"progress": [60, 20, "40", null]}), Some(30.0)),
        ("a list of words", json!({"progress": ["none"]}), Some(0.0)),
        ("an empty list", json!({"progress": []}), None),
        (
            "Spanner DDL",
            json!({"progress": [{"progressPercent": 100}, {"progressPercent": 50}, {}, {}]}),
            Some(37.5),
        ),
        (
            "Spanner DDL, with statements that have no progress yet",
            json!({"statements": ["a", "b", "c", "d"], "progress": [{"progressPercent": 100}]}),
            Some(25.0),
        ),
        ("nothing of a list", json!({"progress": [{}, {}]}), None),
        (
            "several videos",
            json!({"annotationProgress": [{"progressPercent": 100}, {"progressPercent": 10}]}),
            Some(55.0),
        ),
        ("all of a list", json!({"progress": [{"percent": 100}, {"percent": 101}]}), Some(100.0)),
        (
            "units of a list",
            json!({"progress": [{"completedWork": 5, "estimatedWork": 10}, {"completedWork": "5", "estimatedWork": "40"}]}),
            Some(20.0),
        ),
        (
            "Firestore clone",
            json!({"progressPercentage": {"estimatedWork": "200", "completedWork": "80"}}),
            Some(40.0),
        ),
        (
            "Gemini tuning",
            json!({"totalSteps": 250, "completedSteps": 100, "completedPercent": 40.0}),
            Some(40.0),
        ),
        ("Gemini tuning, by steps", json!({"totalSteps": 250, "completedSteps": 100}), Some(40.0)),
        ("Contact Center, tuning", json!({"tuningCompletionRatio": 0.4}), Some(40.0)),
        (
            "Contact Center, analyses",
            json!({"completedAnalysesCount": 2, "totalRequestedAnalysesCount": 5, "failedAnalysesCount": 1}),
            Some(40.0),
        ),
        ("Google Ads", json!({"estimatedCompletionRatio": 0.4}), Some(40.0)),
        (
            "Google Ads, by operations",
            json!({"executedOperationCount": "2", "operationCount": "5"}),
            Some(40.0),
        ),
    ];
    for (row, metadata, percent) in rows {
        assert_eq!(of(metadata).percent(), percent, "{row}");
    }
    let of_struct = json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": {"percent": 40}});
    assert_eq!(of(of_struct).percent(), Some(40.0));
}

#[test]
fn parts_are_looked_at_as_long_as_they_are_few() {
    let parts = |count: usize| {
        let mut parts = vec![json!({"state": 1}); count - 1];
        parts.push(json!({"percent": 40}));
        of(json!({"progress": parts, "stage": "at work"}))
    };
    assert_eq!(parts(100).percent(), Some(0.4));
    let many = parts(1_000);
    assert_eq!((many.percent(), many.stage()), (Some(0.04), Some("at work")));
    let too_many = parts(10_001);
    assert_eq!((too_many.percent(), too_many.stage()), (None, Some("at work")));
}

#[test]
fn everything_else_is_found_too() {
    let progress = of(json!({
        "createTime": "2026-01-01T10:00:00Z", "start_time": "2026-01-01T10:00:10Z",
        "lastUpdateTime": "2026-01-01T11:00:30+01:00", "endTime": "", "target": "projects/p/instances/i",
        "verb": "create", "state": "RUNNING", "currentStep": "boot", "statusMessage": "", "statusDetail": "booting",
        "genericMetadata": {"state": "OTHER", "endTime": "2026-01-01T10:01:10Z"}, "completedUnits": "18446744073709551615", "totalUnits": "x",
    }));
    assert_eq!((progress.create_time(), progress.start_time()), (Some(at(0)), Some(at(10))));
    assert_eq!((progress.update_time(), progress.end_time()), (Some(at(30)), Some(at(70))));
    assert_eq!((progress.target(), progress.verb()), (Some("projects/p/instances/i"), Some("create")));
    assert_eq!((progress.state(), progress.stage()), (Some("RUNNING"), Some("boot")));
    assert_eq!(progress.message(), Some("booting"));
    assert_eq!((progress.completed_units(), progress.total_units()), (Some(u64::MAX), None));
    assert_eq!((progress.elapsed(), progress.remaining()), (Some(secs(60)), None));
}

#[test]
fn metadata_that_cannot_be_read_give_nothing() {
    let bytes = prost_types::Any { type_url: "type.googleapis.com/x.Metadata".into(), value: vec![8, 40] };
    let rows = [
        Operation::running("operations/42"),
        Operation::running("operations/42").with_metadata(Any::from_proto(bytes)),
        running(json!({"@type": "type.googleapis.com/google.protobuf.Duration", "value": "40s"})),
    ];
    for operation in rows {
        assert_eq!(Progress::of(&operation), Progress::default(), "{operation:?}");
    }
}

#[test]
fn the_end_is_all_there_is() {
    let succeeded = Operation::from_json(
        r#"{"name":"operations/42","done":true,"metadata":{"percent":99,"startTime":"2026-01-01T10:00:00Z",
            "endTime":"2026-01-01T10:01:00Z"},"response":{}}"#,
    );
    let progress = Progress::of(&succeeded.expect("an operation"));
    assert_eq!((progress.percent(), progress.remaining()), (Some(100.0), Some(Duration::ZERO)));
    assert_eq!(progress.elapsed(), Some(secs(60)));
    let failed = Operation::failed("operations/42", Status::new(Code::Aborted, "no"));
    let failed = failed.with_metadata(Any::from_json(r#"{"percent":99}"#).expect("an any"));
    assert_eq!(Progress::of(&failed).percent(), Some(99.0));
}

#[test]
fn values_that_look_like_a_status_are_partial_failures() {
    let progress = of(json!({
        "partialFailures": [{"code": 5, "message": "gone"}, {"code": 0, "message": ""}],
        "individualProcessStatuses": [{"inputGcsSource": "gs://b/o", "status": {"code": "3", "message": "bad", "details": []}}],
        "http": {"code": 200, "message": "fine", "url": "u"},
        "codes": [{"code": "US", "message": "m"}, {"code": 5}, {"code": 1.5, "message": "m"}],
        "warnings": {"@type": "type.googleapis.com/google.rpc.Status", "code": 77, "message": "new"},
    }));
    let found: Vec<_> = progress.partial_failures().iter().map(|s| (s.code(), s.message())).collect();
    // In the order of their names: objects have none.
    let expected = [(Code::InvalidArgument, "bad"), (Code::NotFound, "gone"), (Code::Other(77), "new")];
    assert_eq!(found, expected);
}

#[test]
fn failures_are_counted() {
    let status = json!({"code": 5, "message": "gone"});
    let rows = [
        ("none", json!({}), None),
        ("partial failures", json!({"partialFailures": [status, status]}), Some(2)),
        ("a counter", json!({"successCount": "9", "failureCount": "3"}), Some(3)),
        ("a counter of zero", json!({"failure_count": 0}), Some(0)),
        ("the list is cut short", json!({"partialFailures": [status], "failureCount": 30}), Some(30)),
        ("the counter is behind", json!({"partialFailures": [status, status], "failureCount": 1}), Some(2)),
        ("Cloud Healthcare", json!({"counter": {"pending": "1", "success": "5", "failure": "3"}}), Some(3)),
        (
            "Storage Transfer",
            json!({"counters": {"objectsFromSourceFailed": "2", "objectsFromSinkFailed": "1", "bytesFromSourceFailed": "900"},
                   "errorBreakdowns": [{"errorCode": "NOT_FOUND", "errorCount": "2", "errorLogEntries": []}]}),
            Some(3),
        ),
        (
            "an error summary",
            json!({"operationMetadata": {"errorSummary": [{"errorCount": "2"}, {"errorCount": 4}]}}),
            Some(6),
        ),
        ("no numbers", json!({"failureCount": "many", "counter": 7, "counters": {"failed": null}}), None),
    ];
    for (row, metadata, count) in rows {
        assert_eq!(of(metadata).failure_count(), count, "{row}");
    }
}

#[test]
fn times_have_many_names() {
    let time = "2026-01-01T10:00:05Z";
    for name in ["createTime", "creation_time", "insertTime", "submitTime", "requestTime"] {
        assert_eq!(of(json!({ name: time })).create_time(), Some(at(5)), "{name}");
    }
    for name in ["startTime", "beginTime"] {
        assert_eq!(of(json!({ name: time })).start_time(), Some(at(5)), "{name}");
    }
    for name in ["endTime", "finishTime", "completionTime", "doneTime"] {
        assert_eq!(of(json!({ name: time })).end_time(), Some(at(5)), "{name}");
    }
}

/// What a wait makes of states that it sees, 10 s apart.
fn followed(states: &[Value]) -> Vec<Progress> {
    let start = Instant::now();
    let mut tracker = ProgressTracker::new(start);
    let seen = states.iter().zip(0..).map(|(metadata, number)| {
        let elapsed = secs(10 * number);
        tracker.saw(&running(metadata.clone()), start + elapsed, at(100) + elapsed);
        tracker.progress().clone()
    });
    seen.collect()
}

#[test]
fn progress_does_not_go_back() {
    let states = [json!({"percent": 40}), json!({"percent": 30}), json!({}), json!({"percent": 41})];
    let percent: Vec<_> = followed(&states).iter().map(Progress::percent).collect();
    assert_eq!(percent, [Some(40.0), Some(40.0), Some(40.0), Some(41.0)]);
}

#[test]
fn the_rest_is_estimated_from_what_was_seen() {
    let percent = |percent: f64| json!({ "percent": percent });
    let begun = |percent: f64| json!({"percent": percent, "startTime": "2026-01-01T10:00:00Z"});
    let updated = |percent: f64, second: u32| {
        let updated = format!("2026-01-01T10:00:{second:02}Z");
        json!({"percent": percent, "startTime": "2026-01-01T10:00:00Z", "updateTime": updated})
    };
    let rows = [
        ("no percentage", vec![json!({}), json!({})], [None, None]),
        ("nothing has moved", vec![percent(40.0), percent(40.0)], [None, None]),
        ("nothing is done", vec![begun(0.0), begun(0.0)], [None, None]),
        ("by what was seen", vec![percent(40.0), percent(50.0)], [None, Some(50)]),
        ("by the start", vec![begun(50.0), begun(55.0)], [Some(100), Some(90)]),
        ("it runs down between two changes", vec![begun(50.0), begun(50.0)], [Some(100), Some(90)]),
        ("by the times of the service", vec![updated(50.0, 20), updated(60.0, 30)], [Some(20), Some(20)]),
        ("news without a change", vec![updated(50.0, 20), updated(50.0, 30)], [Some(20), Some(30)]),
    ];
    for (row, states, remaining) in rows {
        let found = followed(&states);
        let found = [&found[0], &found[1]].map(|progress| progress.remaining().map(|left| left.as_secs()));
        assert_eq!(found, remaining, "{row}");
    }
}

#[test]
fn elapsed_counts_from_the_start_time() {
    let begun = json!({"startTime": "2026-01-01T10:00:00Z"});
    let later = json!({"startTime": "2026-01-01T10:05:00Z"});
    let ended = json!({"startTime": "2026-01-01T10:00:00Z", "endTime": "2026-01-01T10:00:07Z"});
    let elapsed = |state: &Value| followed(&[state.clone(), state.clone()])[1].elapsed();
    assert_eq!(elapsed(&json!({})), Some(secs(10)));
    assert_eq!(elapsed(&begun), Some(secs(110)));
    assert_eq!(elapsed(&later), Some(secs(10)), "their clock is ahead of ours");
    assert_eq!(elapsed(&ended), Some(secs(7)));
}
