//! Screens: lines with styles, columns that share a width, and a part of a
//! terminal that is drawn over and over.
//!
//! A display makes [`ScreenLine`]s that fit a [`ScreenSize`], with the help of
//! [`ColumnRoom`]. [`Canvas`] alone writes to the terminal. It knows nothing of
//! operations.

mod canvas;
mod line;
mod room;

pub(crate) use canvas::Canvas;
pub(crate) use line::ScreenLine;
pub(crate) use room::ColumnRoom;

/// The size of a terminal, in columns and rows. Both are at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScreenSize {
    pub(crate) width: usize,
    pub(crate) height: usize,
}
