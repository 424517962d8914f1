//! The log of the library on standard error: warnings always, what is sent and
//! why with `-v`.
//!
//! ```text
//! lro: REST: GET http://127.0.0.1:4242/v1/operations/42: status 200 after 4 ms
//! lro: GetOperation `operations/42`: attempt 1 succeeded
//! ```

use std::io::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};
use longrunning::printing::redacted;

use crate::output;

/// Shows the log from now on.
pub(crate) fn start(verbose: bool) {
    let level = if verbose { LevelFilter::Debug } else { LevelFilter::Warn };
    // It fails only where there is a logger already, and this program sets none
    // elsewhere.
    if log::set_logger(&StandardError).is_ok() {
        log::set_max_level(level);
    }
}

/// The logger. It writes through `output`, so that lines do not tear a display
/// apart, and redacts what it writes once more.
struct StandardError;

impl Log for StandardError {
    /// Other crates show what goes over the wire; this one's word is enough,
    /// and holds no secret.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        metadata.level() <= Level::Debug && (target == LIBRARY || target.starts_with("longrunning::"))
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        // The library redacts too. This is the last line before a terminal or a
        // log of a build server.
        let line = redacted(&record.args().to_string());
        match record.level() {
            Level::Error | Level::Warn => output::note_aside(&format!("warning: {line}")),
            _ => output::note_aside(&line),
        }
    }

    fn flush(&self) {
        let _ = std::io::stderr().flush();
    }
}

/// The target of the library's records, which its modules extend.
const LIBRARY: &str = "longrunning";
