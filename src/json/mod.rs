//! ProtoJSON, read leniently and written canonically; what is read stays a
//! slice of the document.
//!
//! The rules are those of <https://protobuf.dev/programming-guides/json/>.

mod invalid;
mod reader;
mod scalar;
mod scan;
mod time;
mod writer;

pub(crate) use invalid::InvalidJson;
pub(crate) use reader::{JsonReader, RawJson};
pub(crate) use scalar::encode_base64;
#[cfg(fuzzing)]
pub(crate) use scan::scan;
pub(crate) use time::{duration_text, parse_duration, parse_timestamp, timestamp_text};
pub(crate) use writer::JsonWriter;

/// How many objects and arrays may stand in one another: as deep as serde_json
/// follows them.
const MAX_DEPTH: usize = 127;
