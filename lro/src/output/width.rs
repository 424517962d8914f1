//! Text in columns of a terminal.
//!
//! A column is no byte and no `char`: letters of East Asian scripts take two,
//! combining marks none. All arithmetic about widths goes through here.

use console::measure_text_width;

/// Returns how many columns a text takes. It must have no control characters,
/// which have no defined width.
pub(crate) fn columns(text: &str) -> usize {
    measure_text_width(text)
}

/// Cuts a text to `width` columns, and marks the cut at its end: `copying fi…`.
/// The mark counts as a column, and no space stays in front of it. For texts
/// whose beginning says most.
pub(crate) fn cut_end(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let kept = take(text.chars(), width.saturating_sub(1));
    // A cut behind a space would look like a word of its own.
    mark(kept.into_iter().collect::<String>().trim_end().to_owned(), width, |kept| kept + CUT)
}

/// Cuts a text to `width` columns, and marks the cut at its start:
/// `…operations/42`. For names, whose ends tell them apart.
pub(crate) fn cut_start(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let kept = take(text.chars().rev(), width.saturating_sub(1));
    mark(kept.into_iter().rev().collect(), width, |kept| format!("{CUT}{kept}"))
}

/// Fills a text with spaces at its end, up to `width` columns. A longer text
/// stays as it is.
pub(crate) fn pad_end(text: &str, width: usize) -> String {
    text.to_owned() + &" ".repeat(width.saturating_sub(columns(text)))
}

/// Fills a text with spaces in front of it, up to `width` columns. A longer
/// text stays as it is.
pub(crate) fn pad_start(text: &str, width: usize) -> String {
    " ".repeat(width.saturating_sub(columns(text))) + text
}

/// Returns the letters that fit into `width` columns.
fn take(letters: impl Iterator<Item = char>, width: usize) -> Vec<char> {
    let mut used = 0;
    let fits = |letter: &char| {
        // Each letter by itself. A sequence that is drawn as one emoji may
        // count for more than it takes, so a cut is early and never late.
        used += columns(letter.encode_utf8(&mut [0; 4]));
        used <= width
    };
    letters.take_while(fits).collect()
}

/// Adds the mark, for which the caller has left room; nothing fits into no
/// column.
fn mark(kept: String, width: usize, mark: impl FnOnce(String) -> String) -> String {
    if width == 0 { String::new() } else { mark(kept) }
}

const CUT: &str = "…";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_marked_and_never_too_wide() {
        let rows = [
            ("operations/42", 13, "operations/42", "operations/42"),
            ("operations/42", 8, "operati…", "…ions/42"),
            ("one two", 5, "one…", "… two"),
            ("a", 1, "a", "a"),
            ("ab", 1, "…", "…"),
            ("ab", 0, "", ""),
            ("", 3, "", ""),
            // Wide letters take two columns, and are never halved.
            ("漢字漢字", 5, "漢字…", "…漢字"),
            ("漢字漢字", 4, "漢…", "…字"),
        ];
        for (text, width, end, start) in rows {
            assert_eq!((cut_end(text, width), cut_start(text, width)), (end.to_owned(), start.to_owned()));
            assert!(columns(&cut_end(text, width)) <= width && columns(&cut_start(text, width)) <= width);
        }
    }

    #[test]
    fn padding_counts_columns() {
        assert_eq!((pad_end("漢", 4), pad_start("21s", 5)), ("漢  ".to_owned(), "  21s".to_owned()));
        assert_eq!((pad_end("long", 2), pad_start("long", 2)), ("long".to_owned(), "long".to_owned()));
    }
}
