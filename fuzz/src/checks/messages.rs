//! What holds for every message.

use std::error::Error;
use std::time::{Duration, Instant};

/// Checks that an error, with its causes, is short and on one line, and that a terminal obeys nothing of it.
pub(crate) fn check_error(error: &(dyn Error + 'static)) {
    let mut next = Some(error);
    while let Some(cause) = next {
        check_text(&cause.to_string());
        next = cause.source();
    }
}

/// The same, for errors about values that may be secret: none of these is in the message.
pub(crate) fn check_secret_error(error: &(dyn Error + 'static)) {
    check_error(error);
    check_secret(&error.to_string());
    check_secret(&format!("{error:?}"));
}

fn check_text(text: &str) {
    assert!(text.len() < 8192, "{} bytes: {text}", text.len());
    let is_obeyed = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!text.contains(is_obeyed), "{text:?}");
}

pub(crate) fn check_secret(text: &str) {
    assert!(!text.contains("CANARY"), "{text}");
}

/// Runs a step that must not take long, however slow the instrumented program is.
pub(crate) fn within<T>(limit: Duration, step: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = step();
    assert!(start.elapsed() < limit, "{:?}", start.elapsed());
    result
}
