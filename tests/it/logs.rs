//! What a test's own thread logs, at every level: calls work on the thread that makes them.

use std::cell::RefCell;
use std::sync::Once;

use log::{Level, LevelFilter, Log, Metadata, Record};

thread_local! {
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// ureq shows all bytes of the wire at this level, "NOT REDACTED" as its documentation says, and cannot be told
/// not to for one client. The documentation of this crate warns of it.
const WIRE_DUMP: (Level, &str) = (Level::Trace, "ureq_proto::util");

struct Recorder;

impl Log for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if (record.level(), record.target()) != WIRE_DUMP {
            let line = format!("{} {}: {}", record.level(), record.target(), record.args());
            LINES.with_borrow_mut(|lines| lines.iter_mut().for_each(|lines| lines.push(line.clone())));
        }
    }

    fn flush(&self) {}
}

/// Keeps what this thread logs from now on.
pub(crate) fn start() {
    static RECORDER: Once = Once::new();
    RECORDER.call_once(|| {
        log::set_logger(&Recorder).unwrap();
        log::set_max_level(LevelFilter::Trace);
    });
    LINES.with_borrow_mut(|lines| {
        lines.get_or_insert_default();
    });
}

/// What this thread has logged since the start, as `LEVEL target: message`.
pub(crate) fn lines() -> Vec<String> {
    LINES.with_borrow(|lines| lines.clone().unwrap_or_default())
}
