//! The age of an operation, by which a sweep selects operations.
//!
//! An age that is read from the wrong field could delete what a user needs. So
//! this is stricter than [`Progress`]: without a time that is certainly that of
//! the operation, the age is unknown.

use std::fmt;
use std::time::SystemTime;

use crate::types::Operation;
use crate::util::excerpt::excerpt;

use super::Progress;

/// Returns when an operation was created or, if its metadata do not say that,
/// when it was started.
///
/// # Errors
///
/// The reason why the age is unknown. The metadata of some services are the
/// resource that the operation changes, with the times of the resource. So only
/// types whose name says that they describe an operation are read.
pub(crate) fn created(operation: &Operation) -> Result<SystemTime, UnknownAge> {
    let metadata = operation.metadata().ok_or(UnknownAge::NoMetadata)?;
    let type_name = metadata.type_name();
    if !describes_operation(type_name) {
        return Err(UnknownAge::OtherType(excerpt(type_name)));
    }
    let progress = Progress::of(operation);
    // The start is later than the creation, so the operation is older than it
    // seems, and a sweep skips rather than deletes.
    let created = progress.create_time().or(progress.start_time());
    created.ok_or_else(|| match metadata.json() {
        Ok(_) => UnknownAge::NoTime,
        Err(_) => UnknownAge::Undecoded(excerpt(type_name)),
    })
}

/// Why the age of an operation is unknown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum UnknownAge {
    /// The operation has no metadata.
    NoMetadata,
    /// The metadata have no time under a known name.
    NoTime,
    /// The type may be that of a resource.
    OtherType(String),
    /// The metadata are bytes of a type that has no JSON form here.
    Undecoded(String),
}

impl fmt::Display for UnknownAge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMetadata => write!(f, "it has no metadata"),
            Self::NoTime => write!(f, "its metadata have no `createTime`, `startTime` or the like"),
            Self::OtherType(name) => {
                write!(f, "the times of its metadata, a `{name}`, may be those of a resource")
            }
            Self::Undecoded(name) => write!(f, "its metadata are bytes of the unknown type `{name}`"),
        }
    }
}

/// Returns whether a type describes an operation, not a resource.
///
/// | type | |
/// |---|---|
/// | `google.cloud.run.v2.OperationMetadata` | yes |
/// | `google.storagetransfer.v1.TransferOperation` | yes |
/// | no type, `google.protobuf.Struct` | yes |
/// | `google.cloud.run.v2.Service` | no |
fn describes_operation(type_name: &str) -> bool {
    // The package does not count: `x.OperationService.v1.Cluster` is a
    // resource.
    let name = type_name.rsplit('.').next().unwrap_or_default();
    let is_of_operations = ["Metadata", "Operation", "Progress"].iter().any(|part| name.contains(part));
    is_of_operations || matches!(type_name, "" | "google.protobuf.Struct")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::types::Any;

    #[test]
    fn ages_and_why_there_are_none() {
        let seven = Ok(7);
        let resource = |name: &str| Err(UnknownAge::OtherType(name.to_owned()));
        let table = [
            ("REST", r#"{"@type":"x/y.DeployMetadata","createTime":"1970-01-01T00:00:07Z"}"#, seven.clone()),
            (
                "proto names",
                r#"{"@type":"x/y.MetadataV1","create_time":"1970-01-01T00:00:07Z"}"#,
                seven.clone(),
            ),
            ("submitted", r#"{"@type":"x/y.MetadataV1","submitTime":"1970-01-01T00:00:07Z"}"#, seven.clone()),
            (
                "requested",
                r#"{"@type":"x/y.MetadataV1","requestTime":"1970-01-01T00:00:07Z"}"#,
                seven.clone(),
            ),
            ("begun", r#"{"@type":"x/y.MetadataV1","beginTime":"1970-01-01T00:00:07Z"}"#, seven.clone()),
            (
                "Storage Transfer",
                r#"{"@type":"x/y.TransferOperation","startTime":"1970-01-01T00:00:07Z"}"#,
                seven.clone(),
            ),
            (
                "Video Intelligence",
                r#"{"@type":"x/y.AnnotateVideoProgress","annotationProgress":[{"startTime":"1970-01-01T00:00:07Z"}]}"#,
                seven.clone(),
            ),
            (
                "creation before start",
                r#"{"startTime":"1970-01-01T00:00:09Z","createTime":"1970-01-01T00:00:07Z"}"#,
                seven.clone(),
            ),
            (
                "an odd creation",
                r#"{"createTime":7,"insertTime":null,"startTime":"1970-01-01T00:00:07Z"}"#,
                seven.clone(),
            ),
            (
                "generic",
                r#"{"@type":"x/y.TuneMetadata","genericMetadata":{"createTime":"1970-01-01T00:00:07Z"}}"#,
                seven.clone(),
            ),
            (
                "struct",
                r#"{"@type":"x/google.protobuf.Struct","value":{"create_time":"1970-01-01T00:00:07Z"}}"#,
                seven,
            ),
            (
                "of the resource",
                r#"{"@type":"x/run.v2.Service","createTime":"1970-01-01T00:00:07Z"}"#,
                resource("run.v2.Service"),
            ),
            (
                "of a resource inside",
                r#"{"@type":"x/y.Metadata","cluster":{"createTime":"1970-01-01T00:00:07Z"}}"#,
                Err(UnknownAge::NoTime),
            ),
            (
                "end only",
                r#"{"@type":"x/y.Metadata","endTime":"1970-01-01T00:00:07Z"}"#,
                Err(UnknownAge::NoTime),
            ),
            ("none", "{}", Err(UnknownAge::NoTime)),
        ];
        for (row, json, expected) in table {
            let operation = Operation::running("o").with_metadata(Any::from_json(json).expect(row));
            assert_eq!(
                created(&operation),
                expected.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds)),
                "{row}"
            );
        }
        let bytes = prost_types::Any { type_url: "x/y.Metadata".into(), value: vec![8, 1] };
        let undecoded = Operation::running("o").with_metadata(Any::from_proto(bytes));
        assert_eq!(created(&undecoded), Err(UnknownAge::Undecoded("y.Metadata".to_owned())));
        assert_eq!(created(&Operation::running("o")), Err(UnknownAge::NoMetadata));
    }
}
