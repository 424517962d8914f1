//! Hears what the whole run of this binary logs, at every level.

use std::cell::RefCell;
use std::sync::{Mutex, Once, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

/// A line as it was logged.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) target: String,
    pub(crate) text: String,
}

/// Everything that any test logs from now on is heard.
pub(crate) fn listen() {
    static START: Once = Once::new();
    START.call_once(|| {
        log::set_logger(&LISTENER).unwrap();
        log::set_max_level(LevelFilter::Trace);
    });
}

/// What was heard until now, by all tests, that passes a test.
pub(crate) fn heard(wanted: impl Fn(&Line) -> bool) -> Vec<Line> {
    let lines = LISTENER.0.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(!lines.is_empty(), "nobody listens");
    lines.iter().filter(|line| wanted(line)).cloned().collect()
}

struct Listener(Mutex<Vec<Line>>);

static LISTENER: Listener = Listener(Mutex::new(Vec::new()));

impl Log for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if (record.level(), record.target()) == WIRE_DUMP {
            WIRE.with_borrow_mut(|wire| wire.push_str(&record.args().to_string()[..DIGITS]));
            return;
        }
        let (target, text) = (record.target().to_owned(), record.args().to_string());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Line { target, text });
    }

    fn flush(&self) {}
}

/// What ureq has shown of the bytes of the wire on this thread.
pub(crate) fn wire() -> String {
    let digits = WIRE.with_borrow(|wire| wire.replace([' ', '-'], ""));
    let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    String::from_utf8_lossy(&(0..digits.len()).step_by(2).filter_map(byte).collect::<Vec<u8>>()).into_owned()
}

thread_local! {
    static WIRE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The hexadecimal half of a line of the dump.
const DIGITS: usize = 40;

/// ureq shows the bytes of the wire at this level and cannot be told not to.
const WIRE_DUMP: (Level, &str) = (Level::Trace, "ureq_proto::util");
