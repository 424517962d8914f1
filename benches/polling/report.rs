//! The page of the documentation.

use super::simulation::{Figures, LENGTHS, SEEDS, Waits};

/// Lengths of operations, in seconds.
pub(crate) const COLUMNS: [(&str, f64); 5] =
    [("3 s", 3.0), ("20 s", 20.0), ("2 min", 120.0), ("10 min", 600.0), ("1 h", 3600.0)];

pub(crate) fn page(waits: &[Waits]) -> String {
    let polls = table(waits, |figures| format!("{:.1}", figures.polls));
    let overshoot = table(waits, |figures| format!("{:.1}", figures.overshoot));
    let worst = table(waits, |figures| format!("{:.1}", figures.worst));
    format!(
        "# Polling delays compared\n\n\
         Delays between polls cost requests while an operation runs, and time between its end and the poll that sees it (overshoot).\n\
         `longrunning` is the default of this crate: a tenth of the elapsed time, at least 0.5 s, ±10 %, at most 30 s. The others are\n\
         `Backoff::python`, `go`, `google_cloud_rust` and `gcloud`.\n\n\
         ![Overshoot and polls by length of the operation](polling.svg)\n\n\
         `cargo bench --bench polling` creates this page and the plot. The crate's own poller waits in virtual time, {SEEDS} times with each kind of\n\
         delays. Each wait is cut at the ends of {LENGTHS} operations of about the length (±10 %). All waits begin with a poll. Network time is not included.\n\n\
         ## Polls, mean\n\n{polls}\n## Overshoot in seconds, mean\n\n{overshoot}\n## Overshoot in seconds, worst\n\n{worst}"
    )
}

fn table(waits: &[Waits], cell: impl Fn(&Figures) -> String) -> String {
    let heads: String = COLUMNS.iter().map(|(head, _)| format!(" {head} |")).collect();
    let mut table = format!("| delays |{heads}\n|---|{}\n", "---:|".repeat(COLUMNS.len()));
    for waits in waits {
        let cells = COLUMNS.iter().map(|(_, length)| format!(" {} |", cell(&waits.figures(*length))));
        table += &format!("| {} |{}\n", waits.label, cells.collect::<String>());
    }
    table
}
