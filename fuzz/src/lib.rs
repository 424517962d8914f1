//! What every fuzz target checks of one input. `tests/heavy` runs the same checks on `seeds/` and `found/`.

mod checks;

pub use checks::*;
