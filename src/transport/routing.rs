//! The routing header of a call ([AIP-4222](https://google.aip.dev/client-libraries/4222)).

use crate::util::percent::{encode, encode_path};

/// Returns the value of `x-goog-request-params` for a name.
pub(super) fn routing_header(name: &str) -> String {
    ["name=", &encode_path(name)].concat()
}

/// The same for the fields of a start; `None` without fields.
pub(super) fn routing_fields(fields: &[(String, String)]) -> Option<String> {
    let pairs: Vec<_> =
        fields.iter().map(|(field, value)| format!("{}={}", encode(field), encode_path(value))).collect();
    (!pairs.is_empty()).then(|| pairs.join("&"))
}
