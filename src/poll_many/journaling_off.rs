//! Replaces the journal in builds without the feature.
//!
//! It has the methods of `journaling.rs` on a type without values, so that the
//! scheduler needs no `cfg`.

use std::collections::VecDeque;

use crate::error::Error;
use crate::pending::Pending;

use super::track::FinishedTrack;

/// A writer that does not exist.
pub(super) enum JournalWriter {}

impl JournalWriter {
    pub(super) fn follow(&mut self, _: usize, _: Pending, _: bool) -> bool {
        match *self {}
    }

    pub(super) fn stored(&self) -> std::iter::Empty<&Pending> {
        match *self {}
    }

    pub(super) fn refuse(&self, _: &mut VecDeque<FinishedTrack>, _: &Error) {
        match *self {}
    }

    pub(super) fn add(&mut self) -> Result<(), Error> {
        match *self {}
    }

    pub(super) fn give(&mut self, _: &mut VecDeque<FinishedTrack>) -> Option<FinishedTrack> {
        match *self {}
    }

    pub(super) fn handled(&mut self, _: &VecDeque<FinishedTrack>) -> Result<(), Error> {
        match *self {}
    }
}
