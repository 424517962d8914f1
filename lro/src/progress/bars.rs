//! Progress as bars: one for each operation, one for all.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use longrunning::Operation;

use super::estimate::Estimate;
use super::screen::Screen;
use crate::output::{printable, short};

/// The bars of a wait.
pub(super) struct Bars {
    all: MultiProgress,
    operations: Vec<Estimate>,
    /// What keeps the operations from news, below everything.
    trouble: Option<ProgressBar>,
    names: Vec<String>,
    /// The operations that have a bar: as many of those that run as fit a screen.
    shown: BTreeMap<usize, ProgressBar>,
    /// The next operation that may get one.
    next: usize,
    total: Option<ProgressBar>,
}

impl Bars {
    /// On standard error, be that a terminal or not.
    pub(super) fn new(names: Vec<String>) -> Self {
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(Screen::new()), REDRAWS);
        let all = MultiProgress::with_draw_target(target);
        let total = (names.len() > 1).then(|| all.add(bar(names.len() as u64, TOTAL)));
        let operations = names.iter().map(|_| Estimate::default()).collect();
        let shared = shared_parent(&names);
        let names: Vec<&str> = names.iter().map(|name| name.get(shared..).unwrap_or(name)).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default().min(NAME);
        let names = names.iter().map(|name| fit(name, width)).collect();
        let mut bars = Self { all, operations, trouble: None, names, shown: BTreeMap::new(), next: 0, total };
        bars.fill();
        bars.tick(Duration::ZERO);
        bars
    }

    pub(super) fn seen(&mut self, number: usize, operation: &Operation, elapsed: Duration) {
        if let Some(estimate) = self.operations.get_mut(number) {
            estimate.seen(operation, elapsed);
        }
        self.draw(number, elapsed);
    }

    /// Shows a line below the bars, which have no room for it, or takes it away.
    pub(super) fn troubled(&mut self, text: Option<&str>) {
        match (text, &self.trouble) {
            (Some(text), _) => {
                let bar = self.trouble.get_or_insert_with(|| self.all.add(bar(1, TROUBLE)));
                bar.set_message(printable(text));
                bar.tick();
            }
            (None, Some(bar)) => {
                bar.finish_and_clear();
                self.all.remove(bar);
                self.trouble = None;
            }
            (None, None) => {}
        }
    }

    pub(super) fn ended(&mut self, number: usize, done: usize, elapsed: Duration) {
        if let Some(bar) = self.shown.remove(&number) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
        if let Some(total) = &self.total {
            total.set_position(done as u64);
        }
        // What has ended without a bar must not get one.
        if let Some(name) = self.names.get_mut(number) {
            name.clear();
        }
        self.fill();
        self.tick(elapsed);
    }

    pub(super) fn tick(&mut self, elapsed: Duration) {
        for number in self.shown.keys() {
            self.draw(*number, elapsed);
        }
        if let Some(total) = &self.total {
            total.set_message(short(elapsed));
            total.tick();
        }
    }

    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.all.suspend(print)
    }

    pub(super) fn clear(&self) {
        // A terminal that is gone needs no clearing.
        let _ = self.all.clear();
        // Bars that are dropped draw themselves once more.
        self.all.set_draw_target(ProgressDrawTarget::hidden());
    }

    /// Gives bars to operations until the screen is full.
    fn fill(&mut self) {
        while self.shown.len() < ROWS {
            let Some(name) = self.names.get(self.next) else { return };
            if !name.is_empty() {
                let bar = bar(100, UNKNOWN).with_prefix(name.clone());
                let bar = match self.total.as_ref().or(self.trouble.as_ref()) {
                    Some(below) => self.all.insert_before(below, bar),
                    None => self.all.add(bar),
                };
                self.shown.insert(self.next, bar);
            }
            self.next += 1;
        }
    }

    fn draw(&self, number: usize, elapsed: Duration) {
        let (Some(bar), Some(estimate)) = (self.shown.get(&number), self.operations.get(number)) else {
            return;
        };
        if let Some(percent) = estimate.percent() {
            bar.set_style(style(KNOWN));
            bar.set_position(percent as u64);
        }
        let mut message = short(elapsed);
        if let Some(left) = estimate.left(elapsed) {
            message += &format!(", about {} left", short(left));
        }
        if let Some(status) = &estimate.status {
            message += &format!("  {}", printable(status));
        }
        bar.set_message(message);
        bar.tick();
    }
}

fn bar(length: u64, template: &str) -> ProgressBar {
    ProgressBar::new(length).with_style(style(template))
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ").tick_chars("|/-\\ ")
}

/// How much of the names is the same parent, which tells nothing.
fn shared_parent(names: &[String]) -> usize {
    let [first, others @ ..] = names else { return 0 };
    let mut parents = first.match_indices('/').map(|(at, _)| at + 1).rev();
    let shared = |end: &usize| {
        let parent = first.get(..*end).unwrap_or_default();
        !others.is_empty() && others.iter().all(|name| name.starts_with(parent))
    };
    parents.find(shared).unwrap_or_default()
}

/// A name in `width` columns; of a long one the end, which tells it apart.
fn fit(name: &str, width: usize) -> String {
    let name = printable(name);
    let length = name.chars().count();
    if length <= width {
        return format!("{name:width$}");
    }
    let end: String = name.chars().skip(length + 1 - width).collect();
    format!("…{end}")
}

const KNOWN: &str = "{prefix} [{bar:20}] {pos:>3} %  {wide_msg}";
const UNKNOWN: &str = "{prefix} [{spinner:^20}]        {wide_msg}";
const TROUBLE: &str = "{wide_msg}";
const TOTAL: &str = "{pos} of {len} done [{bar:20}] {wide_msg}";

/// The most bars at a time.
const ROWS: usize = 15;

/// The most columns of a name.
const NAME: usize = 40;

/// A second.
const REDRAWS: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_that_all_share_is_left_out() {
        let rows = [
            (vec!["a/operations/1", "a/operations/2"], 13),
            (vec!["a/operations/1", "a/operations/x/2"], 13),
            (vec!["a/operations/1", "b/operations/1"], 0),
            (vec!["a/operations/1"], 0),
            (vec![], 0),
        ];
        for (names, shared) in rows {
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            assert_eq!(shared_parent(&names), shared, "{names:?}");
        }
    }

    #[test]
    fn names_fit_their_column() {
        assert_eq!(fit("operations/1", 14), "operations/1  ");
        assert_eq!(fit("projects/p/operations/1", 13), "…operations/1");
    }
}
