//! Text for terminals.
//!
//! The message of a service may contain anything, also escape sequences that
//! change the title of a window, hide text or type replies. So text from
//! outside is escaped before it is printed.

use std::time::Duration;

/// Returns the text without what a terminal obeys: control characters, line
/// breaks included, and those that turn the direction of writing become
/// `\u{…}`; a tab becomes a space.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => shown.push(' '),
            // Also the characters that turn the direction of writing around.
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                shown.extend(c.escape_unicode());
            }
            c => shown.push(c),
        }
    }
    shown
}

/// Returns a duration for people: `8s`, `1m20s`, `2h05m`, `3d04h`. It is
/// rounded down, so a duration below a second is `0s`.
pub(crate) fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_for_people() {
        let rows =
            [(0, "0s"), (59, "59s"), (80, "1m20s"), (3599, "59m59s"), (7500, "2h05m"), (273_600, "3d04h")];
        for (seconds, text) in rows {
            assert_eq!(short(Duration::from_secs(seconds)), text);
        }
    }
}
