//! The result of a bulk cancel or bulk delete, in numbers.

use std::fmt;

use crate::error::Error;

/// The result of a [`Sweep`](super::Sweep), in numbers of operations.
///
/// `listed` is `matched + skipped + undated`, and `matched` is `succeeded +
/// failed + untried`.
#[non_exhaustive]
#[derive(Clone, Debug, Default)]
pub struct SweepReport {
    /// Those that the listing contained.
    pub listed: usize,
    /// Those selected to be cancelled or deleted.
    pub matched: usize,
    /// Those not selected: done already, not done yet, or too young.
    pub skipped: usize,
    /// Those skipped because an age was required and theirs is not known.
    pub undated: usize,
    /// Why the age of the first of them is not known.
    pub undated_reason: Option<String>,
    /// Those that were cancelled or deleted, as far as the service says.
    pub succeeded: usize,
    /// Those whose call failed.
    pub failed: usize,
    /// Those that matched and for which no call was made: a dry run, or an
    /// early end.
    pub untried: usize,
    /// The first failure.
    pub first_error: Option<Error>,
}

/// Writes one line: `12 listed, 9 matched: 8 done, 1 failed, 0 not tried`.
impl fmt::Display for SweepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listed, matched, succeeded, failed, untried, .. } = self;
        write!(
            f,
            "{listed} listed, {matched} matched: {succeeded} done, {failed} failed, {untried} not tried"
        )?;
        match &self.undated_reason {
            Some(reason) => write!(f, ", {} of unknown age skipped: {reason}", self.undated),
            None => Ok(()),
        }
    }
}
