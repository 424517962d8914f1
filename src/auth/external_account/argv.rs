//! Splits a command into its arguments as a shell would, without a shell.
//!
//! A shell would also run what else is in the text: variables, pipes, `;`. The
//! command comes from a file, so none of that is wanted.

/// Splits at white space outside quotes, like Python's `shlex.split`, which
/// Google's libraries use.
///
/// Single quotes keep everything, double quotes everything but `\"` and `\\`,
/// and a backslash outside quotes keeps the next character. On Windows, where a
/// backslash separates folders, it has no meaning outside quotes, and inside
/// them only before a quote.
///
/// ```text
/// /bin/get --for "my pool"      /bin/get, --for, my pool
/// '/opt/my tools/get' a\ b      /opt/my tools/get, a b
/// "unclosed                     an error
/// ```
///
/// # Errors
///
/// Says what is wrong with the command; reads on after its name.
pub(super) fn split(command: &str) -> Result<Vec<String>, &'static str> {
    split_as(command, if cfg!(windows) { BackslashRule::Plain } else { BackslashRule::Escapes })
}

/// What a backslash means outside quotes.
#[derive(Clone, Copy, PartialEq)]
enum BackslashRule {
    /// It keeps the next character.
    Escapes,
    /// It is a character like any other.
    Plain,
}

/// Splits by the rule of a system, so that tests cover both.
fn split_as(command: &str, backslash: BackslashRule) -> Result<Vec<String>, &'static str> {
    let mut arguments = Vec::new();
    // `None` between arguments: `''` is an argument, and white space is none.
    let mut current: Option<String> = None;
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => arguments.extend(current.take()),
            '\'' => quoted(&mut chars, current.get_or_insert_default())?,
            '"' => double_quoted(&mut chars, current.get_or_insert_default(), backslash)?,
            '\\' if backslash == BackslashRule::Escapes => {
                let next = chars.next().ok_or("ends with a backslash")?;
                current.get_or_insert_default().push(next);
            }
            c => current.get_or_insert_default().push(c),
        }
    }
    arguments.extend(current);
    if arguments.is_empty() { Err("is empty") } else { Ok(arguments) }
}

/// Appends the text up to the closing single quote.
fn quoted(chars: &mut std::str::Chars<'_>, argument: &mut String) -> Result<(), &'static str> {
    let (text, rest) = chars.as_str().split_once('\'').ok_or(UNCLOSED)?;
    argument.push_str(text);
    *chars = rest.chars();
    Ok(())
}

/// Appends the text up to the closing double quote.
fn double_quoted(
    chars: &mut std::str::Chars<'_>,
    argument: &mut String,
    backslash: BackslashRule,
) -> Result<(), &'static str> {
    loop {
        match chars.next().ok_or(UNCLOSED)? {
            '"' => return Ok(()),
            '\\' => match chars.as_str().chars().next() {
                Some(c) if c == '"' || (c == '\\' && backslash == BackslashRule::Escapes) => {
                    chars.next();
                    argument.push(c);
                }
                // Before other characters it stays, as in a shell.
                _ => argument.push('\\'),
            },
            c => argument.push(c),
        }
    }
}

/// A quote without its end, most often an apostrophe.
const UNCLOSED: &str = "has a quote that is never closed";

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected values are what `shlex.split` of Python gives.
    #[test]
    fn commands_are_split_like_shlex_does() {
        type Row<'a> = (&'a str, &'a str, Result<&'a [&'a str], &'a str>);
        let rows: [Row<'_>; 15] = [
            ("plain", "/bin/tool --a=1 --b", Ok(&["/bin/tool", "--a=1", "--b"])),
            ("white space", " \ta  \n b\r", Ok(&["a", "b"])),
            ("double quotes", r#""/My Tools/tool" x"#, Ok(&["/My Tools/tool", "x"])),
            ("single quotes", r#"'/My Tools/tool' '$HOME \ "'"#, Ok(&["/My Tools/tool", "$HOME \\ \""])),
            ("quotes inside a word", r#"--name="a b"'c d'e"#, Ok(&["--name=a bc de"])),
            ("an empty argument", r#"a "" ''"#, Ok(&["a", "", ""])),
            ("escaped space", r"a\ b c", Ok(&["a b", "c"])),
            ("escaped quote", r#"\"a\" \'b\'"#, Ok(&["\"a\"", "'b'"])),
            ("escapes in double quotes", r#""a\"b\\c\d\$""#, Ok(&[r#"a"b\c\d\$"#])),
            (
                "nothing of a shell",
                "a $HOME *.txt | b; c > d # e",
                Ok(&["a", "$HOME", "*.txt", "|", "b;", "c", ">", "d", "#", "e"]),
            ),
            ("not ASCII", "é '日 本'", Ok(&["é", "日 本"])),
            ("open single quote", "a 'b", Err(UNCLOSED)),
            ("open double quote", "a \"b\\\"", Err(UNCLOSED)),
            ("backslash at the end", "a \\", Err("ends with a backslash")),
            ("empty", " \n", Err("is empty")),
        ];
        for (name, command, expected) in rows {
            let arguments = split_as(command, BackslashRule::Escapes);
            let expected = expected.map(|all| all.iter().map(ToString::to_string).collect());
            assert_eq!(arguments, expected, "{name}");
        }
    }

    #[test]
    fn a_backslash_of_windows_separates_folders() {
        let rows: [(&str, &str, &[&str]); 3] = [
            ("plain", r"C:\bin\tool.exe --a", &[r"C:\bin\tool.exe", "--a"]),
            ("quoted", r#""C:\My Tools\tool.exe" x"#, &[r"C:\My Tools\tool.exe", "x"]),
            ("share", r#""\\host\share\tool.exe" "a\"b""#, &[r"\\host\share\tool.exe", "a\"b"]),
        ];
        for (name, command, expected) in rows {
            assert_eq!(split_as(command, BackslashRule::Plain).expect(name), expected, "{name}");
        }
    }
}
