//! What the delays between polls cost: requests, and time from the end of an operation to the poll that sees it.
//!
//! ```text
//! cargo bench --bench polling
//! ```
//!
//! writes `docs/polling.md` and `docs/polling.svg`, and prints the tables. The crate's own poller does the waiting, in
//! virtual time, against a service that responds from memory.

#[path = "polling/plot.rs"]
mod plot;
#[path = "polling/report.rs"]
mod report;
#[path = "polling/simulation.rs"]
mod simulation;

use std::fs;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let waits = simulation::run();
    let page = report::page(&waits);
    println!("{page}");
    // Without `--bench` it is a test run of cargo that got here.
    if std::env::args().any(|argument| argument == "--bench") {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        fs::create_dir_all(&docs)?;
        fs::write(docs.join("polling.md"), page)?;
        fs::write(docs.join("polling.svg"), plot::svg(&waits))?;
    }
    Ok(())
}
