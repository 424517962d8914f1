//! `--watch`: the listing over and over, in the same place on a terminal.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use longrunning::Operation;

use crate::args::duration_for_display;
use crate::exit::Exit;
use crate::failure::CommandFailure;
use crate::output::{self, Painter, TextStyle};
use crate::screen::{Canvas, ScreenLine, ScreenSize};
use crate::signals::{self, Suspension};

use super::listing::{Listing, PagePrinter};
use super::table::OperationTable;

pub(super) fn run(listing: &Listing<'_>, interval: Duration) -> Result<Exit, CommandFailure> {
    let interval = interval.max(SHORTEST);
    if !output::stdout_is_terminal() || listing.globals.format() != crate::args::OutputFormat::Text {
        return print(listing, interval);
    }
    let painter = Painter::of_stdout(listing.globals.color.unwrap_or_default());
    let mut screen =
        WatchScreen { canvas: Canvas::of_stdout(painter), interval, operations: Vec::new(), trouble: None };
    let (sender, events) = mpsc::channel();
    signals::on_suspend(move |suspension| sender.send(suspension).is_ok())?;
    loop {
        match listing.all() {
            Ok(operations) => (screen.operations, screen.trouble) = (operations, None),
            // A listing that worked before is likely to work again.
            Err(failure) if failure.is_transient() => screen.trouble = Some(failure.message()),
            Err(failure) => {
                screen.canvas.clear();
                return Err(failure);
            }
        }
        if !screen.stays(&events) {
            return Ok(Exit::Success);
        }
    }
}

/// Without a terminal, one listing after the other, with an empty line between
/// them.
fn print(listing: &Listing<'_>, interval: Duration) -> Result<Exit, CommandFailure> {
    let (_open, never) = mpsc::channel::<()>();
    let is_text = listing.globals.format() == crate::args::OutputFormat::Text;
    loop {
        match listing.all() {
            Ok(operations) => {
                let mut printer = PagePrinter::new(listing.globals);
                if !printer.page(&operations) || is_text && !printer.output.line("") {
                    return Ok(Exit::Success);
                }
            }
            Err(failure) if failure.is_transient() => drop(failure.tell()),
            Err(failure) => return Err(failure),
        }
        let _ = never.recv_timeout(interval);
    }
}

/// What is on the screen between two listings.
struct WatchScreen {
    canvas: Canvas,
    interval: Duration,
    operations: Vec<Operation>,
    trouble: Option<String>,
}

impl WatchScreen {
    /// Shows the operations until the next listing is due, also on a screen
    /// that changes; false if that is of no use.
    fn stays(&mut self, events: &Receiver<Suspension>) -> bool {
        let start = Instant::now();
        while start.elapsed() < self.interval {
            let size = self.canvas.size();
            let lines = frame(size, &self.operations, self.interval, self.trouble.as_deref());
            self.canvas.draw(size, &lines);
            if self.canvas.has_failed() {
                return false;
            }
            let left = self.interval.saturating_sub(start.elapsed());
            match events.recv_timeout(left.min(LOOK)) {
                Ok(suspension) => self.canvas.suspended(suspension),
                Err(RecvTimeoutError::Timeout) => {}
                // Nothing takes the signal here.
                Err(RecvTimeoutError::Disconnected) => std::thread::park_timeout(left.min(LOOK)),
            }
        }
        true
    }
}

/// The lines of a screen: as many operations as fit, what is wrong, and what
/// this is. The last line is empty, so that a shell begins on a line of its own
/// after Ctrl-C.
fn frame(
    size: ScreenSize,
    operations: &[Operation],
    interval: Duration,
    trouble: Option<&str>,
) -> Vec<ScreenLine> {
    let below = 2 + usize::from(trouble.is_some());
    let width = size.width.saturating_sub(1).max(1);
    // One row for the header.
    let most = size.height.saturating_sub(below + 1);
    let shown = operations.get(..most.min(operations.len())).unwrap_or_default();
    let mut lines = OperationTable::default().page(shown, Some(width));
    let trouble = trouble.map(|trouble| ScreenLine::new(trouble, TextStyle::Unreachable).cut(width));
    lines.extend(trouble);
    let count = match operations.len() {
        1 => "1 operation".to_owned(),
        count => format!("{count} operations"),
    };
    let hidden = operations.len() - shown.len();
    let hidden = if hidden > 0 { format!(" ({hidden} below)") } else { String::new() };
    let about = format!("{count}{hidden}, every {}; stop with Ctrl-C", duration_for_display(interval));
    lines.push(ScreenLine::new(about, TextStyle::Faint).cut(width));
    lines.push(ScreenLine::default());
    // Of a screen that is too small for all of it, the end.
    let cut = lines.len().saturating_sub(size.height.max(1));
    lines.split_off(cut)
}

/// How often the size of the screen is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// No service is asked more often.
const SHORTEST: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_fits_its_screen() {
        let operations: Vec<_> =
            (0..30).map(|number| Operation::running(format!("operations/{number}"))).collect();
        let text = |height, operations: &[Operation], trouble| {
            let size = ScreenSize { width: 60, height };
            let lines = frame(size, operations, Duration::from_secs(5), trouble);
            assert!(lines.len() <= height);
            lines.iter().map(|line| line.text(Painter::OFF)).collect::<Vec<_>>()
        };
        let about = "30 operations (27 below), every 5s; stop with Ctrl-C";
        let expected = ["NAME  STATE", "0     running", "1     running", "2     running", about, ""];
        assert_eq!(text(6, &operations, None), expected);
        let expected =
            ["NAME  STATE", "0     running", "not today", "1 operation, every 5s; stop with Ctrl-C", ""];
        assert_eq!(text(24, &operations[..1], Some("not today")), expected);
        assert_eq!(text(24, &[], None), ["0 operations, every 5s; stop with Ctrl-C", ""]);
        assert_eq!(text(2, &operations, Some("not today")).len(), 2);
        assert_eq!(text(1, &operations, None), [""]);
    }
}
