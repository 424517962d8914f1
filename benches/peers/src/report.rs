//! What one run of a measured program found, and how it travels: six numbers on one line.

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
    /// Peak resident set, kB.
    pub rss: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p99, cpu, rate, threads, rss } = self;
        write!(f, "{p50} {p99} {cpu} {rate} {threads} {rss}")
    }
}

impl FromStr for Report {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let numbers: Option<Vec<f64>> = line.split_whitespace().map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[p50, p99, cpu, rate, threads, rss]) => Ok(Self { p50, p99, cpu, rate, threads, rss }),
            _ => Err(format!("not a report: {line:?}")),
        }
    }
}
