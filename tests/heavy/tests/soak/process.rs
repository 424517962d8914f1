//! What this process has open.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessCounts {
    pub(crate) files: usize,
    pub(crate) threads: usize,
    /// Resident, in bytes.
    pub(crate) memory: u64,
}

impl ProcessCounts {
    /// Zero on systems without `/proc`, where the tests compare nothing.
    pub(crate) fn now() -> Self {
        let entries = |folder| fs::read_dir(folder).map_or(0, Iterator::count);
        let pages = fs::read_to_string("/proc/self/statm").ok();
        let pages = pages.and_then(|text| text.split_whitespace().nth(1)?.parse::<u64>().ok());
        Self {
            files: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
            memory: pages.unwrap_or_default() * 4096,
        }
    }

    /// The counts as soon as `enough` holds, or after ten seconds: the server closes its side on threads of its own.
    pub(crate) fn when(enough: impl Fn(&Self) -> bool) -> Self {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let now = Self::now();
            if enough(&now) || Instant::now() > end {
                return now;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}
