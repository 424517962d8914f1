//! Screens: lines with styles, columns that share a width, and a part of a
//! terminal that is drawn over and over.

mod canvas;
mod line;
mod room;

pub(crate) use canvas::Canvas;
pub(crate) use line::ScreenLine;
pub(crate) use room::ColumnRoom;

/// The size of a terminal, in columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScreenSize {
    pub(crate) width: usize,
    pub(crate) height: usize,
}
