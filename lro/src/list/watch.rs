//! `--watch`: the listing over and over, in the same place on a terminal.
//!
//! On a terminal a frame shows as many operations as fit, and stays on the
//! screen while the next listing is fetched. Elsewhere, and in formats for
//! programs, listings follow each other: text with an empty line between them.
//!
//! Ctrl-C ends it as it ends any command. Nothing has to be restored, because
//! the cursor is never hidden and the last line is kept free for the shell.

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

/// Lists every `interval`, counted from the end of one listing to the start of
/// the next. It ends by a signal, by a write that fails, or with an error.
///
/// # Errors
///
/// A permanent failure, such as a missing permission. A transient one is shown
/// below the last listing, and the next one is tried.
pub(super) fn run(listing: &Listing<'_>, interval: Duration) -> Result<Exit, CommandFailure> {
    // Raised and not refused: a script that says `0s` means "as often as
    // possible".
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
                // The error takes the place of the listing.
                screen.canvas.clear();
                return Err(failure);
            }
        }
        if !screen.stays(&events) {
            return Ok(Exit::Success);
        }
    }
}

/// Prints one listing after the other, with an empty line between those for
/// people.
fn print(listing: &Listing<'_>, interval: Duration) -> Result<Exit, CommandFailure> {
    // A sleep that needs no clock of its own: nothing is ever sent here.
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
            // Printed, since there is no display to show it in.
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
    /// that changes its size; returns false if drawing is of no use any more.
    fn stays(&mut self, events: &Receiver<Suspension>) -> bool {
        let start = Instant::now();
        while start.elapsed() < self.interval {
            let size = self.canvas.size();
            let lines = frame(size, &self.operations, self.interval, self.trouble.as_deref());
            self.canvas.draw(size, &lines);
            if self.canvas.has_failed() {
                return false;
            }
            // At most until the next look at the size of the screen.
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

/// Returns the lines of a screen: as many operations as fit, what is wrong, and
/// what this is. The last line is empty, so that a shell begins on a line of
/// its own after Ctrl-C.
///
/// ```text
/// NAME  STATE
/// copy  running 15 %
/// ListOperations `projects/p`: UNAVAILABLE: draining
/// 30 operations (29 below), every 5s; stop with Ctrl-C
///
/// ```
fn frame(
    size: ScreenSize,
    operations: &[Operation],
    interval: Duration,
    trouble: Option<&str>,
) -> Vec<ScreenLine> {
    let below = 2 + usize::from(trouble.is_some());
    // One column less than the screen: in the last one, some terminals wrap at
    // once.
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
    // The last lines say more than the first rows.
    let cut = lines.len().saturating_sub(size.height.max(1));
    lines.split_off(cut)
}

/// How often the size of the screen is looked at: a resize sends no event here.
const LOOK: Duration = Duration::from_millis(200);

/// No service is listed more often, whatever `--interval` says.
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
