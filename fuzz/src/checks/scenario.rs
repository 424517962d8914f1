//! Scenarios of `lro serve`.

#[path = "../../../lro/src/args/duration.rs"]
#[allow(dead_code, reason = "the program uses the rest")]
mod duration;
#[path = "../../../lro/src/scenario.rs"]
#[allow(dead_code, reason = "the program uses the rest")]
mod file;

/// As the program names it.
mod args {
    pub(super) use super::duration::parse as parse_duration;
}

use super::messages::check_error;
use file::Scenario;

/// A scenario that is accepted starts a server, or says why not.
pub fn scenario(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Scenario::from_json(text) {
        // The program escapes and shortens it where it prints it.
        Err(message) => assert!(!message.is_empty()),
        Ok(scenario) => {
            if let Err(error) = scenario.start(0) {
                check_error(&error);
            }
        }
    }
}
