//! How a wait is getting on: bars on a terminal, lines in a log, or nothing.

mod bars;
mod estimate;
mod lines;
mod screen;

use std::time::Duration;

use longrunning::Operation;

use crate::args::{Globals, Progress as When};
use crate::output;

use bars::Bars;
use estimate::Estimate;
use lines::Lines;

/// What is shown of a wait for several operations, known by their numbers.
pub(crate) struct Progress {
    view: View,
    done: usize,
}

enum View {
    Bars(Box<Bars>),
    Lines(Lines),
    Nothing,
}

impl Progress {
    pub(crate) fn new(globals: &Globals, names: Vec<String>) -> Self {
        let view = match (globals.progress.unwrap_or_default(), output::stderr_is_terminal()) {
            (When::Never, _) => View::Nothing,
            // What the log says would tear the bars apart.
            (When::Auto, true) if !globals.verbose => View::Bars(Box::new(Bars::new(names))),
            (When::Auto, _) => View::Lines(Lines::new(names)),
            (When::Always, _) => View::Bars(Box::new(Bars::new(names))),
        };
        Self { view, done: 0 }
    }

    /// A poll has shown an operation that is still running.
    pub(crate) fn seen(&mut self, number: usize, operation: &Operation, elapsed: Duration) {
        match &mut self.view {
            View::Bars(bars) => bars.seen(number, operation, elapsed),
            View::Lines(lines) => tell(lines.seen(number, operation, elapsed)),
            View::Nothing => {}
        }
    }

    /// The wait for an operation is over, whatever came of it.
    pub(crate) fn ended(&mut self, number: usize, elapsed: Duration) {
        self.done += 1;
        match &mut self.view {
            View::Bars(bars) => bars.ended(number, self.done, elapsed),
            View::Lines(lines) => tell(lines.ended(self.done, elapsed)),
            View::Nothing => {}
        }
    }

    /// How many operations have ended.
    pub(crate) fn done(&self) -> usize {
        self.done
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, elapsed: Duration) {
        match &mut self.view {
            View::Bars(bars) => bars.tick(elapsed),
            View::Lines(lines) => tell(lines.tick(self.done, elapsed)),
            View::Nothing => {}
        }
    }

    /// Prints something where the bars would be in its way.
    pub(crate) fn above<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.view {
            View::Bars(bars) => bars.suspend(print),
            View::Lines(_) | View::Nothing => print(),
        }
    }

    /// Takes the bars away.
    pub(crate) fn clear(&self) {
        if let View::Bars(bars) = &self.view {
            bars.clear();
        }
    }
}

fn tell(line: Option<String>) {
    if let Some(line) = line {
        output::say(&line);
    }
}
