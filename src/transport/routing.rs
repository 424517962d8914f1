//! The routing header of a call
//! ([AIP-4222](https://google.aip.dev/client-libraries/4222)).
//!
//! Google's front ends choose a region or a shard by it, without decoding the
//! message. It is sent over REST too, where the path would be enough.

use crate::util::percent::{encode, encode_path};

/// Returns the value of `x-goog-request-params` for a name; `/` is not escaped.
///
/// ```text
/// projects/p/operations/a b    name=projects/p/operations/a%20b
/// ```
pub(super) fn routing_header(name: &str) -> String {
    ["name=", &encode_path(name)].concat()
}

/// Returns the value of the header for the fields of a start, joined by `&`;
/// `None` without fields, for which no header is sent.
pub(super) fn routing_fields(fields: &[(String, String)]) -> Option<String> {
    let pairs: Vec<_> =
        fields.iter().map(|(field, value)| format!("{}={}", encode(field), encode_path(value))).collect();
    (!pairs.is_empty()).then(|| pairs.join("&"))
}
