//! What the process knows of itself. Linux only, as far as memory goes.

use std::thread;

use crate::report::Memory;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// CPU seconds of all threads so far, those that have ended included.
pub(crate) fn cpu() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("getrusage of the own process works");
    (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6
}

/// Counts every thread that was started through std so far, this call's own included.
///
/// Exact, unlike looking into `/proc` from time to time: the ids of std's threads are consecutive numbers.
pub(crate) fn threads_started() -> u64 {
    let id = thread::spawn(|| thread::current().id()).join().expect("a thread can be started");
    let digits: String = format!("{id:?}").chars().filter(char::is_ascii_digit).collect();
    digits.parse().expect("a thread id prints as a number")
}

/// Resident memory in kB: what the process allocated at its peak, and the pages of its program and libraries.
///
/// Not `ru_maxrss`, which a process takes over from the one that started it. Pages of files do not shrink meanwhile, so
/// the difference is that of the peak.
pub(crate) fn peak_memory() -> Memory {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(f64::NAN)
    };
    let file = field("RssFile:");
    Memory { anonymous: field("VmHWM:") - file, file }
}
