//! A line of a screen: pieces with their styles, no wider than it may be.
//!
//! Styles are kept apart from the text until the line is written, because the
//! escape sequences of colours have no width.

use crate::output::{Painter, TextStyle, columns, cut_end, pad_end};

/// Pieces of text with their styles, one behind the other, without control
/// characters.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ScreenLine(Vec<(String, TextStyle)>);

impl ScreenLine {
    /// Creates a line of one piece.
    pub(crate) fn new(text: impl Into<String>, style: TextStyle) -> Self {
        Self(vec![(text.into(), style)])
    }

    /// Appends a piece.
    pub(crate) fn push(&mut self, text: impl Into<String>, style: TextStyle) {
        self.0.push((text.into(), style));
    }

    /// Joins the pieces with commas between them, which have no style.
    pub(crate) fn joined(parts: Vec<(String, TextStyle)>) -> Self {
        let mut line = Self::default();
        for (number, (text, style)) in parts.into_iter().enumerate() {
            if number > 0 {
                line.push(", ", TextStyle::Plain);
            }
            line.push(text, style);
        }
        line
    }

    /// Returns how many columns the line takes.
    pub(crate) fn width(&self) -> usize {
        self.0.iter().map(|(text, _)| columns(text)).sum()
    }

    /// Cuts the line to `width` columns, and marks the cut with `…`, which
    /// counts.
    ///
    /// A piece that just fits at the end of the width is cut too if another
    /// piece follows: otherwise the cut would not be seen.
    pub(crate) fn cut(self, width: usize) -> Self {
        if self.width() <= width {
            return self;
        }
        let (mut kept, mut left) = (Self::default(), width);
        for (text, style) in self.0 {
            let room = columns(&text);
            if room < left {
                kept.push(text, style);
                left -= room;
            } else {
                // The mark takes the place of the first letter that does not fit, of this piece
                // or the next.
                kept.push(cut_end(&pad_end(&text, left + 1), left), style);
                break;
            }
        }
        kept
    }

    /// Returns the line as it is written: with colours if the painter is on,
    /// and without spaces at its end.
    pub(crate) fn text(&self, painter: Painter) -> String {
        // Spaces at the end would wrap on some terminals, and are noise in a
        // log.
        let line: String = self.0.iter().map(|(text, style)| painter.paint(*style, text)).collect();
        line.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_across_its_pieces() {
        let line = ScreenLine::joined(vec![
            ("3 done".to_owned(), TextStyle::Plain),
            ("1 failed".to_owned(), TextStyle::Failed),
        ]);
        let rows = [
            (16, "3 done, 1 failed"),
            (15, "3 done, 1 fail…"),
            (9, "3 done, …"),
            (8, "3 done,…"),
            (7, "3 done…"),
            (6, "3 don…"),
            (1, "…"),
            (0, ""),
        ];
        for (width, expected) in rows {
            let cut = line.clone().cut(width);
            assert_eq!(cut.text(Painter::OFF), expected, "{width}");
            assert!(cut.width() <= width.max(1), "{width}");
        }
        assert_eq!(line.cut(13).text(Painter::ON), "3 done, \x1b[31m1 f…\x1b[0m".replace("1 f", "1 fa"));
    }
}
