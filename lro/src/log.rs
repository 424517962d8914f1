//! The log of the library on standard error: warnings always, what is sent and
//! why with `-v`.

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

const LIBRARY: &str = "longrunning";
