//! When an operation was started, as its metadata tell it.

use std::time::SystemTime;

use crate::json::{Invalid, Reader, parse_timestamp};
use crate::types::Operation;

/// The time at which an operation was made or started; nothing where that cannot be known.
///
/// Metadata are not standardised. They are looked at only if their type is one for operations: that of some
/// services is the resource which the operation is about, and its times are the resource's.
pub(super) fn started(operation: &Operation) -> Option<SystemTime> {
    let metadata = operation.metadata().filter(|metadata| is_of_operations(metadata.type_name()))?;
    let json = metadata.json().ok()?;
    let mut found = Found::default();
    Reader::document(&json, |reader| fields(reader, &mut found, true)).ok()?;
    found.time
}

/// The best time so far, and its place in [`NAMES`].
#[derive(Default)]
struct Found {
    time: Option<SystemTime>,
    rank: Option<usize>,
}

fn fields(reader: &mut Reader<'_>, found: &mut Found, outermost: bool) -> Result<(), Invalid> {
    let members = reader.fields(|name, reader| {
        let name = name.replace('_', "").to_ascii_lowercase();
        if outermost && COMMON.contains(&name.as_str()) && reader.peek() == Some(b'{') {
            return fields(reader, found, false);
        }
        let value = reader.value()?;
        let rank = NAMES.iter().position(|known| *known == name);
        if rank.is_some_and(|rank| found.rank.is_none_or(|best| rank < best)) {
            let text = value.string().ok();
            let time = text.and_then(|text| SystemTime::try_from(parse_timestamp(&text)?).ok());
            if time.is_some() {
                (found.time, found.rank) = (time, rank);
            }
        }
        Ok(())
    });
    members.map(drop)
}

fn is_of_operations(type_name: &str) -> bool {
    let name = type_name.rsplit('.').next().unwrap_or_default();
    name.contains("Metadata") || matches!(type_name, "" | "google.protobuf.Struct")
}

/// Fields that tell when, in lower case without `_`, the best first.
const NAMES: [&str; 6] =
    ["createtime", "creationtime", "inserttime", "requesttime", "starttime", "begintime"];

/// Fields whose fields count like those beside them: of Vertex AI, Cloud Storage, Datastore; `value` of a `Struct`.
const COMMON: [&str; 4] = ["genericmetadata", "commonmetadata", "common", "value"];

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::types::Any;

    #[test]
    fn times() {
        let table = [
            ("REST", r#"{"@type":"x/y.DeployMetadata","createTime":"1970-01-01T00:00:07Z"}"#, Some(7)),
            (
                "proto names",
                r#"{"@type":"x/y.OperationMetadataV1","create_time":"1970-01-01T00:00:07Z"}"#,
                Some(7),
            ),
            (
                "start",
                r#"{"@type":"x/y.M_Metadata","startTime":"1970-01-01T00:00:07Z","end_time":"no"}"#,
                Some(7),
            ),
            (
                "creation before start",
                r#"{"startTime":"1970-01-01T00:00:09Z","createTime":"1970-01-01T00:00:07Z","startTime":"1970-01-01T00:00:09Z"}"#,
                Some(7),
            ),
            (
                "an odd creation",
                r#"{"createTime":7,"insertTime":null,"startTime":"1970-01-01T00:00:07Z"}"#,
                Some(7),
            ),
            (
                "generic",
                r#"{"@type":"x/y.TuneMetadata","genericMetadata":{"createTime":"1970-01-01T00:00:07Z"}}"#,
                Some(7),
            ),
            (
                "struct",
                r#"{"@type":"x/google.protobuf.Struct","value":{"create_time":"1970-01-01T00:00:07Z"}}"#,
                Some(7),
            ),
            ("of the resource", r#"{"@type":"x/run.v2.Service","createTime":"1970-01-01T00:00:07Z"}"#, None),
            (
                "of a resource inside",
                r#"{"@type":"x/y.Metadata","cluster":{"createTime":"1970-01-01T00:00:07Z"}}"#,
                None,
            ),
            ("end only", r#"{"@type":"x/y.Metadata","endTime":"1970-01-01T00:00:07Z"}"#, None),
            ("none", "{}", None),
        ];
        for (row, json, seconds) in table {
            let operation = Operation::running("o").with_metadata(Any::from_json(json).expect(row));
            let expected = seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(started(&operation), expected, "{row}");
        }
        let bytes = prost_types::Any { type_url: "x/y.Metadata".into(), value: vec![8, 1] };
        assert_eq!(started(&Operation::running("o").with_metadata(Any::from_proto(bytes))), None);
        assert_eq!(started(&Operation::running("o")), None);
    }
}
