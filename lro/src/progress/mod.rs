//! How a wait is getting on: bars on a terminal, lines in a log, or nothing.

mod bars;
mod estimate;
mod lines;
mod screen;
mod trouble;

use std::time::Duration;

use longrunning::Operation;

use crate::args::{Globals, ProgressArg};
use crate::output;

use bars::Bars;
use lines::Lines;
pub(crate) use trouble::Trouble;
use trouble::Troubles;

/// What is shown of a wait for several operations, known by their numbers.
pub(crate) struct WaitDisplay {
    view: View,
    troubles: Troubles,
    done: usize,
}

enum View {
    Bars(Box<Bars>),
    Lines(Lines),
    Nothing,
}

impl WaitDisplay {
    pub(crate) fn new(globals: &Globals, names: Vec<String>) -> Self {
        let view = match (globals.progress.unwrap_or_default(), output::stderr_is_terminal()) {
            (ProgressArg::Never, _) => View::Nothing,
            // What the log says would tear the bars apart.
            (ProgressArg::Auto, true) if !globals.verbose => View::Bars(Box::new(Bars::new(names))),
            (ProgressArg::Auto, _) => View::Lines(Lines::new(names)),
            (ProgressArg::Always, _) => View::Bars(Box::new(Bars::new(names))),
        };
        Self { view, troubles: Troubles::default(), done: 0 }
    }

    /// A poll has shown an operation that is still running.
    pub(crate) fn seen(&mut self, number: usize, operation: &Operation, elapsed: Duration) {
        match &mut self.view {
            View::Bars(bars) => bars.seen(number, operation, elapsed),
            View::Lines(lines) => tell(lines.seen(number, operation, elapsed)),
            View::Nothing => {}
        }
    }

    /// There is something that keeps an operation from news, or nothing any more.
    pub(crate) fn troubled(&mut self, number: usize, trouble: Option<Trouble>, elapsed: Duration) {
        self.troubles.set(number, trouble);
        if let View::Bars(bars) = &mut self.view {
            bars.troubled(self.troubles.summary(elapsed).as_deref());
        }
    }

    /// The wait for an operation is over, whatever came of it.
    pub(crate) fn ended(&mut self, number: usize, elapsed: Duration) {
        self.done += 1;
        self.troubles.set(number, None);
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
            View::Bars(bars) => {
                bars.tick(elapsed);
                bars.troubled(self.troubles.summary(elapsed).as_deref());
            }
            View::Lines(lines) => {
                let due = self.troubles.due(elapsed);
                if !due.is_empty() {
                    lines.told(elapsed);
                }
                for line in due {
                    output::say(&line);
                }
                tell(lines.tick(self.done, elapsed));
            }
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
