//! What one run of a measured program found, and how it travels: seven numbers on one line.

use std::fmt;
use std::str::FromStr;

/// The figures of one run; "call" is a get or a page.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Microseconds a call, median.
    pub p50: f64,
    /// Microseconds a call, 99th percentile.
    pub p99: f64,
    /// CPU microseconds of the client a call.
    pub cpu: f64,
    /// Operations a second.
    pub rate: f64,
    /// Threads started a call.
    pub threads: f64,
    /// At its peak.
    pub memory: Memory,
}

/// Resident memory, kB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// What the process allocated.
    pub anonymous: f64,
    /// Pages of the program and of libraries.
    pub file: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p99, cpu, rate, threads, memory: Memory { anonymous, file } } = self;
        write!(f, "{p50} {p99} {cpu} {rate} {threads} {anonymous} {file}")
    }
}

impl FromStr for Report {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let numbers: Option<Vec<f64>> = line.split_whitespace().map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[p50, p99, cpu, rate, threads, anonymous, file]) => {
                Ok(Self { p50, p99, cpu, rate, threads, memory: Memory { anonymous, file } })
            }
            _ => Err(format!("not a report: {line:?}")),
        }
    }
}
