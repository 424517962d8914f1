//! Foreign text, fit for a message: short, on one line, without anything that a terminal or a log obeys.

/// At most 200 bytes of a text that came from outside.
pub(crate) fn excerpt(text: &str) -> String {
    bounded(text, 200)
}

/// At most 1 KiB of a text that a service wrote to be read.
pub(crate) fn long_excerpt(text: &str) -> String {
    bounded(text, 1024)
}

fn bounded(text: &str, limit: usize) -> String {
    let mut line = String::new();
    for char in text.chars() {
        let start = line.len();
        if is_obeyed(char) {
            line.extend(char.escape_default())
        } else {
            line.push(char)
        }
        if line.len() > limit - MORE.len() {
            line.truncate(start);
            return line + MORE;
        }
    }
    line
}

/// Whether a character moves others: control characters, line ends, and what turns the direction of text, by
/// which a message can be made to look like another ([Trojan Source]).
///
/// [Trojan Source]: https://trojansource.codes
fn is_obeyed(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

const MORE: &str = "…";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_short_and_on_one_line() {
        assert_eq!(excerpt("a\nb\u{1b}[0m\u{e9}"), format!(r"a\nb\u{{1b}}[0m{}", '\u{e9}'));
        assert_eq!(excerpt("\"it's\" \\ \u{e01}\u{e33}"), "\"it's\" \\ \u{e01}\u{e33}");
        for (shown, limit) in [(excerpt as fn(&str) -> String, 200), (long_excerpt, 1024)] {
            assert_eq!(shown(&"x".repeat(limit - 3)), "x".repeat(limit - 3));
            for text in
                ["x".repeat(limit - 2), "\u{1f600}".repeat(limit), "\0".repeat(limit), "x".repeat(1 << 20)]
            {
                let line = shown(&text);
                assert!(line.len() <= limit && line.len() > limit - 10 && line.ends_with('…'), "{line}");
            }
        }
    }

    #[test]
    fn nothing_turns_the_direction_of_the_rest() {
        let turns =
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
        for char in turns.chars().chain("\u{2028}\u{2029}\u{85}\r\u{7f}".chars()) {
            assert_eq!(excerpt(&char.to_string()), char.escape_default().to_string());
        }
    }
}
