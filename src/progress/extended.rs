//! The progress of [extended operations](crate::OperationForm), whose metadata
//! are the operation itself.
//!
//! [`as_metadata`] renames their fields to those of other metadata, so that
//! [`ProgressFields`](super::fields::ProgressFields) reads them all:
//!
//! ```text
//! {"status":"RUNNING","progress":{"metrics":[{"name":"nodes done","intValue":"15"},
//!                                            {"name":"nodes total","intValue":"32"}]}}
//! {"state":"RUNNING","progressPercent":46.875,"completedUnits":15,"totalUnits":32}
//! ```

use serde_json::{Map, Value, json};

use crate::types::{Code, OperationForm};

use super::fields::{ProgressNumber, units};

/// Renames and converts the fields about progress, and removes those about the
/// outcome: an error is not a partial failure.
pub(super) fn as_metadata(form: OperationForm, mut fields: Map<String, Value>) -> Map<String, Value> {
    for name in
        ["error", "httpErrorStatusCode", "httpErrorMessage", "clusterConditions", "nodepoolConditions"]
    {
        fields.remove(name);
    }
    rename(&mut fields, "status", "state");
    rename(&mut fields, "targetLink", "target");
    // `type` is too general a name for the other forms.
    if form == OperationForm::CloudDns {
        rename(&mut fields, "type", "operationType");
    }
    let warnings: Vec<_> =
        ["warnings", "apiWarning"].iter().filter_map(|name| fields.remove(*name)).collect();
    fields.insert("warnings".to_owned(), warnings.iter().flat_map(list).map(warning).collect());
    if let Some(Value::Object(progress)) = fields.get("progress") {
        // Read before the fields are replaced.
        let stage = progress.get("stages").and_then(running_stage);
        let progress = ClusterProgress::of(progress);
        fields.remove("progress");
        fields.extend(progress.into_fields());
        fields.extend(stage.map(|stage| ("stage".to_owned(), stage.into())));
    }
    if let Some(bulk) = fields.remove("instancesBulkInsertOperationMetadata") {
        fields.extend(machines(&bulk));
    }
    fields
}

/// Renames a field, if it is there.
fn rename(fields: &mut Map<String, Value>, from: &str, to: &str) {
    let value = fields.remove(from);
    fields.extend(value.map(|value| (to.to_owned(), value)));
}

/// Returns the elements of an array, or any other value as the only element.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// Returns a warning as a google.rpc.Status: the work continues, but a part of
/// it failed. Warnings have no canonical code, so it is `UNKNOWN`.
fn warning(warning: &Value) -> Value {
    let text = |name: &str| warning.get(name).and_then(Value::as_str).unwrap_or_default();
    let message = match (text("code"), text("message")) {
        (code, "") => code.to_owned(),
        ("", message) => message.to_owned(),
        (code, message) => format!("{code}: {message}"),
    };
    json!({ "code": i32::from(Code::Unknown), "message": message })
}

/// The progress of an operation of GKE, or of one of its stages.
///
/// ```text
/// {"metrics":[{"name":"percent done","intValue":"40"}],
///  "stages":[{"name":"drain","status":"RUNNING","metrics":[…]}]}
/// ```
#[derive(Default)]
struct ClusterProgress {
    /// By the metrics or, without them, by the stages.
    percent: Option<f64>,
    /// Done, and in total.
    units: Option<(u64, u64)>,
}

impl ClusterProgress {
    /// Reads the metrics; the stages only if the metrics have no percentage.
    fn of(progress: &Map<String, Value>) -> Self {
        let metrics = progress.get("metrics").map(list).unwrap_or_default();
        // Metrics behind the limit are ignored; the first ones may still give a
        // percentage.
        let metrics = Metrics(metrics.get(..MOST_METRICS).unwrap_or(metrics));
        let units = metrics.units();
        let percent = metrics.percent().or_else(|| progress.get("stages").and_then(mean_of_stages));
        Self { percent, units }
    }

    /// Returns the fields that other metadata would have.
    fn into_fields(self) -> impl Iterator<Item = (String, Value)> {
        let percent = self.percent.map(|percent| ("progressPercent".to_owned(), percent.into()));
        let units = self.units.map(|(done, total)| {
            [("completedUnits".to_owned(), done.into()), ("totalUnits".to_owned(), total.into())]
        });
        percent.into_iter().chain(units.into_iter().flatten())
    }
}

/// Metrics of GKE by name, such as `{"name":"nodes done","intValue":"15"}`. The
/// number is in one of three fields.
struct Metrics<'a>(&'a [Value]);

impl Metrics<'_> {
    /// Returns the value of the metric with this name.
    fn value(&self, name: &str) -> Option<&Value> {
        let metric = self.0.iter().find(|metric| metric.get("name").is_some_and(|value| value == name))?;
        ["intValue", "doubleValue", "stringValue"].iter().find_map(|field| metric.get(field))
    }

    fn number(&self, name: &str) -> Option<f64> {
        ProgressNumber::of(self.value(name)?).map(|number| number.value())
    }

    /// Returns the first pair `… done` and `… total`, such as `nodes done` and
    /// `nodes total`.
    fn units(&self) -> Option<(u64, u64)> {
        let names = self.0.iter().filter_map(|metric| metric.get("name")?.as_str()?.strip_suffix(" total"));
        names
            .filter_map(|what| {
                let number = |part: &str| units(self.value(&format!("{what} {part}"))?);
                number("done").zip(number("total"))
            })
            .next()
    }

    /// Returns the percentage: `percent done`, else `progress` of `progress
    /// scale`, else the units.
    fn percent(&self) -> Option<f64> {
        // A scale of zero would divide by zero.
        let scale = self.number("progress scale").filter(|scale| *scale > 0.0);
        let scaled = self.number("progress").zip(scale).map(|(progress, scale)| progress / scale * 100.0);
        let counted = self
            .units()
            .filter(|(_, total)| *total > 0)
            .map(|(done, total)| done as f64 / total as f64 * 100.0);
        let percent = self.number("percent done").or(scaled).or(counted);
        percent.map(|percent| percent.min(100.0))
    }
}

/// Returns the mean of the percentages of all stages. A stage without a number
/// counts as 0, or as 100 if it is done.
fn mean_of_stages(stages: &Value) -> Option<f64> {
    let stages = stages.as_array().filter(|stages| !stages.is_empty())?;
    let percent = |stage: &Value| {
        // Stages have stages: the depth is that of the JSON, which the reader
        // has limited.
        let inner = stage.as_object().map(ClusterProgress::of).unwrap_or_default().percent;
        if has_status(stage, "DONE") { 100.0 } else { inner.unwrap_or_default() }
    };
    Some(stages.iter().map(percent).sum::<f64>() / stages.len() as f64)
}

/// Returns the name of the first stage that runs.
fn running_stage(stages: &Value) -> Option<String> {
    let running = stages.as_array()?.iter().find(|stage| has_status(stage, "RUNNING"))?;
    running.get("name")?.as_str().map(str::to_owned)
}

fn has_status(stage: &Value, status: &str) -> bool {
    stage.get("status").is_some_and(|value| value == status)
}

/// Returns the counts of machines of a bulk insert of Compute Engine, added up
/// over all zones.
fn machines(bulk: &Value) -> Vec<(String, Value)> {
    let zones = bulk.get("perLocationStatus").and_then(Value::as_object);
    let sum = |name: &str| {
        let counts = zones.into_iter().flat_map(Map::values).filter_map(|zone| units(zone.get(name)?));
        counts.reduce(u64::saturating_add)
    };
    let fields = [
        ("completedUnits", sum("createdVmCount")),
        ("totalUnits", sum("targetVmCount")),
        ("failureCount", sum("failedToCreateVmCount")),
    ];
    fields.into_iter().filter_map(|(name, count)| Some((name.to_owned(), count?.into()))).collect()
}

/// The limit on metrics. GKE sends a few. They are compared with each other, so
/// their number must be bounded, whatever a server sends.
const MOST_METRICS: usize = 100;

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use crate::progress::{Progress, created};
    use crate::types::Operation;

    fn of(json: &str) -> Progress {
        Progress::of(&Operation::from_json(json).unwrap())
    }

    fn compute(rest: &str) -> Progress {
        of(&format!(r#"{{"kind":"compute#operation","name":"o","status":"RUNNING"{rest}}}"#))
    }

    fn cluster(progress: &str) -> Progress {
        of(&format!(
            r#"{{"name":"o","operationType":"UPGRADE_NODES","status":"RUNNING","progress":{progress}}}"#
        ))
    }

    #[test]
    fn fields_of_compute() {
        let progress = compute(
            r#","progress":40,"operationType":"insert","targetLink":"https://x/vm","insertTime":"1970-01-01T02:00:05.000+02:00",
               "startTime":"1969-12-31T16:00:07.500-08:00","statusMessage":"m""#,
        );
        let at = |millis: u64| Some(SystemTime::UNIX_EPOCH + Duration::from_millis(millis));
        assert_eq!(
            (progress.percent(), progress.verb(), progress.target()),
            (Some(40.0), Some("insert"), Some("https://x/vm"))
        );
        assert_eq!((progress.create_time(), progress.start_time()), (at(5000), at(7500)));
        assert_eq!((progress.state(), progress.message()), (Some("RUNNING"), Some("m")));
        assert_eq!((progress.failure_count(), compute("").message()), (None, None));
        let done = of(r#"{"kind":"compute#operation","name":"o","status":"DONE","progress":90}"#);
        assert_eq!((done.percent(), done.remaining()), (Some(100.0), Some(Duration::ZERO)));
        let dns = of(
            r#"{"kind":"dns#operation","id":"7","status":"pending","type":"update","startTime":"1970-01-01T00:00:07Z"}"#,
        );
        assert_eq!((dns.verb(), dns.state(), dns.start_time()), (Some("update"), Some("pending"), at(7000)));
    }

    #[test]
    fn warnings_are_partial_failures_and_the_error_is_none() {
        let progress = compute(
            r#","warnings":[{"code":"CLEANUP_FAILED","message":"m","data":[]},{"code":"UNREACHABLE"}]"#,
        );
        let told: Vec<_> = progress.partial_failures().iter().map(|status| status.message()).collect();
        assert_eq!((told, progress.failure_count()), (vec!["CLEANUP_FAILED: m", "UNREACHABLE"], Some(2)));
        let sql = of(
            r#"{"kind":"sql#operation","name":"o","status":"RUNNING","apiWarning":{"code":"REGION_UNREACHABLE","message":"m"}}"#,
        );
        assert_eq!(sql.failure_count(), Some(1));
        let failed =
            of(r#"{"name":"o","operationType":"X","status":"DONE","error":{"code":8,"message":"m"}}"#);
        assert_eq!((failed.partial_failures(), failed.failure_count()), (&[][..], None));
        let common = compute(
            r#","setCommonInstanceMetadataOperationMetadata":{"perLocationOperations":{"zones/z":{"state":"FAILED","error":{"code":7,"message":"m"}}}}"#,
        );
        assert_eq!(common.partial_failures()[0].to_string(), "PERMISSION_DENIED: m");
        let bulk = compute(
            r#","instancesBulkInsertOperationMetadata":{"perLocationStatus":{"zones/a":{"targetVmCount":6,"createdVmCount":3,"failedToCreateVmCount":1},"zones/b":{"targetVmCount":4,"createdVmCount":1}}}"#,
        );
        assert_eq!(
            (bulk.percent(), bulk.total_units(), bulk.failure_count()),
            (Some(40.0), Some(10), Some(1))
        );
    }

    #[test]
    fn metrics_behind_the_first_hundred_do_not_count() {
        let pair = r#"{"name":"nodes done","intValue":"16"},{"name":"nodes total","intValue":"32"}"#;
        for (others, percent) in [(98, Some(50.0)), (99, None), (100_000, None)] {
            let others = vec![r#"{"name":"x total"}"#; others].join(",");
            assert_eq!(cluster(&format!(r#"{{"metrics":[{others},{pair}]}}"#)).percent(), percent);
        }
    }

    #[test]
    fn metrics_and_stages_of_clusters() {
        let rows = [
            (
                r#"{"metrics":[{"name":"nodes total","intValue":"32"},{"name":"nodes done","intValue":"16"}]}"#,
                Some(50.0),
            ),
            (
                r#"{"metrics":[{"name":"progress","doubleValue":0.56},{"name":"progress scale","doubleValue":1.0}]}"#,
                Some(56.0),
            ),
            (r#"{"metrics":[{"name":"percent done","intValue":"40"}]}"#, Some(40.0)),
            (
                r#"{"metrics":[{"name":"nodes total","intValue":"0"},{"name":"nodes done","intValue":"0"}]}"#,
                None,
            ),
            (r#"{"metrics":[{"name":"zone","stringValue":"z"}]}"#, None),
            (r#"{"stages":[{"name":"a","status":"DONE"},{"name":"b","status":"PENDING"}]}"#, Some(50.0)),
            (
                r#"{"stages":[{"status":"DONE"},{"status":"RUNNING","metrics":[{"name":"percent done","intValue":"50"}]}]}"#,
                Some(75.0),
            ),
            (r#"{"stages":[{"status":"RUNNING","stages":[{"status":"DONE"},{}]},{}]}"#, Some(25.0)),
            (r#"{"stages":[]}"#, None),
            ("{}", None),
        ];
        for (json, percent) in rows {
            let found = cluster(json).percent();
            assert_eq!(found.map(f64::round), percent, "{json}");
        }
        let nodes = cluster(
            r#"{"metrics":[{"name":"nodes total","intValue":"32"},{"name":"nodes done","intValue":"15"}],"stages":[{"name":"drain","status":"RUNNING"}]}"#,
        );
        assert_eq!(
            (nodes.completed_units(), nodes.total_units(), nodes.stage()),
            (Some(15), Some(32), Some("drain"))
        );
    }

    #[test]
    fn the_age_counts_from_the_insert() {
        let operation = Operation::from_json(
            r#"{"kind":"sql#operation","name":"o","status":"DONE","insertTime":"1970-01-01T00:00:05Z"}"#,
        );
        assert_eq!(created(&operation.unwrap()), Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(5)));
    }
}
