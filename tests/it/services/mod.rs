//! The service guide: each row of its table is played by the fake server, and `docs/services.md` shows the same rows.

mod discovery;
mod extended;
mod jobs;
mod page;
mod play;
mod table;
mod types;
mod veo;
