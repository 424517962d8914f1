//! What stands for the journal where there is none.

use std::collections::VecDeque;

use crate::error::Error;
use crate::pending::Pending;

use super::drive::Over;

/// There is none.
pub(super) enum Ledger {}

impl Ledger {
    pub(super) fn follow(&mut self, _: usize, _: Pending, _: bool) -> bool {
        match *self {}
    }

    pub(super) fn stored(&self) -> std::iter::Empty<&Pending> {
        match *self {}
    }

    pub(super) fn refuse(&self, _: &mut VecDeque<Over>, _: &Error) {
        match *self {}
    }

    pub(super) fn add(&mut self) -> Result<(), Error> {
        match *self {}
    }

    pub(super) fn give(&mut self, _: &mut VecDeque<Over>) -> Option<Over> {
        match *self {}
    }

    pub(super) fn handled(&mut self, _: &VecDeque<Over>) -> Result<(), Error> {
        match *self {}
    }
}
