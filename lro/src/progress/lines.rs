//! Progress as lines for a log: few, and never none for long.

use std::time::Duration;

use longrunning::Operation;

use crate::output::{short, state};

use super::estimate::Estimate;

pub(super) struct Lines {
    operations: Vec<ProgressLine>,
    /// When the last line was printed.
    last: Duration,
}

#[derive(Default)]
struct ProgressLine {
    name: String,
    estimate: Estimate,
    told: Option<(Duration, String)>,
}

impl Lines {
    pub(super) fn new(names: Vec<String>) -> Self {
        let operations =
            names.into_iter().map(|name| ProgressLine { name, ..ProgressLine::default() }).collect();
        Self { operations, last: Duration::ZERO }
    }

    pub(super) fn seen(&mut self, number: usize, operation: &Operation, elapsed: Duration) -> Option<String> {
        let line = self.operations.get_mut(number)?;
        line.estimate.seen(operation, elapsed);
        let mut news = state(operation);
        if let Some(status) = &line.estimate.status {
            news += &format!(", {status}");
        }
        let due = line.told.as_ref().is_none_or(|(at, told)| *told != news && elapsed >= *at + SPACING);
        if !due || operation.is_done() {
            return None;
        }
        let left = line.estimate.left(elapsed).map(|left| format!(", about {} left", short(left)));
        let text = format!("{}: {}{} [{}]", line.name, news, left.unwrap_or_default(), short(elapsed));
        line.told = Some((elapsed, news));
        self.last = elapsed;
        Some(text)
    }

    /// Something else was printed.
    pub(super) fn told(&mut self, elapsed: Duration) {
        self.last = elapsed;
    }

    pub(super) fn ended(&mut self, done: usize, elapsed: Duration) -> Option<String> {
        let all = self.operations.len();
        self.last = elapsed;
        (all > 1).then(|| format!("{done} of {all} done [{}]", short(elapsed)))
    }

    pub(super) fn tick(&mut self, done: usize, elapsed: Duration) -> Option<String> {
        let left = self.operations.len().saturating_sub(done);
        if left == 0 || elapsed < self.last + SILENCE {
            return None;
        }
        self.last = elapsed;
        let what = if left == 1 { "1 operation".to_owned() } else { format!("{left} operations") };
        Some(format!("still waiting for {what} [{}]", short(elapsed)))
    }
}

/// Between two lines about one operation.
const SPACING: Duration = Duration::from_secs(10);

/// Logs that say nothing for long are taken for dead.
const SILENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(percent: u32) -> Operation {
        Operation::from_json(&format!(
            r#"{{"name":"a","metadata":{{"percent":{percent},"statusMessage":"x"}}}}"#
        ))
        .unwrap()
    }

    #[test]
    fn a_line_for_news_but_not_too_many() {
        let secs = Duration::from_secs;
        let mut lines = Lines::new(vec!["a".into(), "b".into()]);
        let mut seen = |percent, at_second| lines.seen(0, &at(percent), secs(at_second));
        assert_eq!(seen(10, 0).as_deref(), Some("a: running 10 %, x [0s]"));
        assert_eq!(seen(20, 5), None, "too early");
        assert_eq!(seen(30, 10).as_deref(), Some("a: running 30 %, x, about 35s left [10s]"));
        assert_eq!(seen(30, 30), None, "nothing new");
        assert_eq!(lines.tick(0, secs(69)), None);
        assert_eq!(lines.tick(0, secs(70)).as_deref(), Some("still waiting for 2 operations [1m10s]"));
        assert_eq!(lines.tick(0, secs(71)), None);
        assert_eq!(lines.ended(1, secs(80)).as_deref(), Some("1 of 2 done [1m20s]"));
        assert_eq!(lines.tick(2, secs(999)), None);
    }

    #[test]
    fn one_operation_needs_no_total() {
        assert_eq!(Lines::new(vec!["a".into()]).ended(1, Duration::ZERO), None);
    }
}
