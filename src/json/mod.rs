//! ProtoJSON, read leniently and written canonically; what is read stays a
//! slice of the document.
//!
//! ```text
//! text ── JsonReader ──► RawJson      slices; the caller walks over fields
//!           ├── scan                  finds the end of a valid value, fast
//!           └── serde_json            reads what the scanner does not take
//! RawJson ── scalar, time ──► Rust values
//! Rust values ── JsonWriter ──► text
//! InvalidJson                         the error: a path and a problem, no contents
//! ```
//!
//! There is no tree. Operations have metadata of unknown types, which have to
//! stay as they are to the last digit, so a message is a few known fields and
//! the text of the rest. Unknown fields are skipped, `null` is an absent field,
//! and nesting is limited.
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

/// The limit of nested objects and arrays: as deep as serde_json follows them.
const MAX_DEPTH: usize = 127;
