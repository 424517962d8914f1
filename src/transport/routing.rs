//! The routing header of a call ([AIP-4222](https://google.aip.dev/client-libraries/4222)).

use crate::util::percent::encode_path;

/// Returns the value of `x-goog-request-params` for a name.
pub(super) fn routing_header(name: &str) -> String {
    ["name=", &encode_path(name)].concat()
}
