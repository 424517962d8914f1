//! The text of a page that was written for people: HTML without markup, styles,
//! scripts and what repeats.
//!
//! Proxies and front ends send pages in place of JSON. An error message has
//! room for one line of them, so this finds the words that a browser would
//! show. It is no HTML parser: it reads from left to right, takes time and
//! memory linear in the page, never fails, and shows nothing of scripts.

/// Returns whether a text begins as a page of HTML does: with `<!doctype html`
/// or `<html`, in any case, after white space.
pub(super) fn is_html(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(MARK).collect::<String>().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// Returns the text of a page on one line: the title, and the sentences of the
/// body that say more than it.
///
/// ```text
/// <title>502 Bad Gateway</title><h1>502 Bad Gateway</h1><hr>nginx/1.27
///
/// 502 Bad Gateway nginx/1.27
/// ```
pub(super) fn visible_text(body: &str) -> String {
    let mut sentences: Vec<String> = Vec::new();
    for sentence in sentences_of(body) {
        // Pages repeat their title as a heading, and often the status in the
        // text.
        let known = sentences.iter().any(|known| known.contains(&sentence));
        if !known && !says_nothing(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences.join(" ")
}

/// Returns whether a sentence of an error page only repeats that there is an
/// error.
fn says_nothing(sentence: &str) -> bool {
    let plain = sentence.trim_end_matches(['.', '!']).replace('\u{2019}', "'").to_ascii_lowercase();
    plain.is_empty()
        || plain.bytes().all(|byte| byte.is_ascii_digit())
        || EMPTY_PHRASES.contains(&plain.as_str())
}

/// Returns the sentences of the text, with entities decoded and white space
/// folded. Tags that start a new line end one.
fn sentences_of(body: &str) -> Vec<String> {
    let mut blocks = Blocks::default();
    let mut rest = body;
    while let Some((text, markup)) = rest.split_once('<') {
        blocks.push(text);
        rest = match Tag::of(markup) {
            // A lone `<` is text.
            None => {
                blocks.push("<");
                markup
            }
            Some(tag) => {
                if tag.breaks() {
                    blocks.end();
                }
                tag.skip(markup)
            }
        };
    }
    blocks.push(rest);
    blocks.end();
    blocks.done
}

/// Text that is collected into sentences. Both the text of a block and the
/// number of sentences are limited, since a page may be huge.
#[derive(Default)]
struct Blocks {
    /// Complete sentences, white space folded.
    done: Vec<String>,
    /// The text since the last tag that starts a new line.
    open: String,
}

impl Blocks {
    /// Appends text of the page; a block that is too long loses its end.
    fn push(&mut self, text: &str) {
        if self.open.len() < LONGEST_BLOCK {
            self.open.push_str(&decode_entities(text.get(..LONGEST_BLOCK).unwrap_or(text)));
        }
    }

    /// Ends the block, and splits it behind each `. `.
    fn end(&mut self) {
        let words = self.open.split_whitespace().collect::<Vec<_>>().join(" ");
        self.open.clear();
        let room = MOST_SENTENCES.saturating_sub(self.done.len());
        self.done
            .extend(words.split_inclusive(". ").map(|sentence| sentence.trim_end().to_owned()).take(room));
    }
}

/// The name of a tag, in lower case and without the slash of an end tag; `!`
/// for comments and declarations.
struct Tag(String);

impl Tag {
    /// Reads the tag whose `<` is in front of `markup`; `None` if that `<` is
    /// text, as in `1 < 2`.
    fn of(markup: &str) -> Option<Self> {
        if markup.starts_with(['!', '?']) {
            return Some(Self("!".to_owned()));
        }
        let name = markup.strip_prefix('/').unwrap_or(markup);
        let end = name.find(|char: char| !char.is_ascii_alphanumeric()).unwrap_or(name.len());
        let name =
            name.get(..end).filter(|name| name.starts_with(|char: char| char.is_ascii_alphabetic()))?;
        Some(Self(name.to_ascii_lowercase()))
    }

    /// Returns whether text before and after it belongs to different lines.
    fn breaks(&self) -> bool {
        !INLINE.contains(&self.0.as_str())
    }

    /// Returns the text after the tag, and after its content if that is not for
    /// people. If the tag does not end, nothing is left.
    fn skip<'a>(&self, markup: &'a str) -> &'a str {
        if let Some(comment) = markup.strip_prefix("!--") {
            return comment.split_once("-->").map_or("", |(_, after)| after);
        }
        let after = markup.split_once('>').map_or("", |(_, after)| after);
        let is_hidden = HIDDEN.contains(&self.0.as_str()) && !markup.starts_with('/');
        if is_hidden { after_end_tag(after, &self.0) } else { after }
    }
}

/// Returns the text after `</name>`; nothing if that is missing.
fn after_end_tag<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("</") {
        if after.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return after.split_once('>').map_or("", |(_, after)| after);
        }
        rest = after;
    }
    ""
}

/// Decodes the entities that pages use: numbers, and the names of markup,
/// spaces and punctuation. Unknown ones stay as they are.
///
/// ```text
/// &lt;b&gt; &#39;a&#x27;    <b> 'a'
/// caf&eacute;              caf&eacute;
/// ```
fn decode_entities(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let end = after.bytes().take(LONGEST_ENTITY).position(|byte| byte == b';');
        let entity = end.and_then(|end| Some((entity(after.get(..end)?)?, after.get(end + 1..)?)));
        let (char, after) = entity.unwrap_or(('&', after));
        decoded.push(char);
        rest = after;
    }
    decoded + rest
}

/// Returns the character of an entity, without its `&` and `;`.
fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let number = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(number.ok()?);
    }
    ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, char)| *char)
}

/// The length of `<!doctype html`, the longest text that it is compared with.
const MARK: usize = 14;

/// Bytes of a block. Longer texts are cut anyway when they are shown.
const LONGEST_BLOCK: usize = 4096;

/// Bytes in which the `;` of an entity is looked for, so that a page of `&`
/// takes linear time.
const LONGEST_ENTITY: usize = 12;

/// Sentences of a page. Each is compared with all before it.
const MOST_SENTENCES: usize = 50;

/// Elements whose content no browser shows. `head` is none of them: of what is
/// in it, `title` is for people.
const HIDDEN: [&str; 8] = ["style", "script", "noscript", "template", "svg", "iframe", "select", "textarea"];

/// Elements inside a line. All others start a new one.
const INLINE: [&str; 20] = [
    "!", "a", "abbr", "b", "big", "code", "em", "font", "i", "ins", "kbd", "mark", "q", "s", "small", "span",
    "strong", "sub", "sup", "tt",
];

/// Named entities, of which HTML has more than 2000.
const ENTITIES: [(&str, char); 18] = [
    ("amp", '&'),
    ("apos", '\''),
    ("bull", '•'),
    ("copy", '©'),
    ("gt", '>'),
    ("hellip", '…'),
    ("laquo", '«'),
    ("ldquo", '“'),
    ("lsquo", '‘'),
    ("lt", '<'),
    ("mdash", '—'),
    ("middot", '·'),
    ("nbsp", ' '),
    ("ndash", '–'),
    ("quot", '"'),
    ("raquo", '»'),
    ("rdquo", '”'),
    ("rsquo", '’'),
];

/// Sentences of Google's error pages that only repeat that there is an error.
const EMPTY_PHRASES: [&str; 3] = ["that's an error", "that's all we know", "error"];

#[cfg(test)]
mod tests {
    use super::*;

    const GOOGLE: &str = "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  \
        <meta name=viewport content=\"initial-scale=1, minimum-scale=1, width=device-width\">\n  \
        <title>Error 404 (Not Found)!!1</title>\n  <style>\n    *{margin:0;padding:0}html,code{font:15px/22px \
        arial,sans-serif}</style>\n  <a href=//www.google.com/><span id=logo aria-label=Google></span></a>\n  \
        <p><b>404.</b> <ins>That\u{2019}s an error.</ins>\n  <p>The requested URL <code>/v9/operations/42</code> was \
        not found on this server.  <ins>That\u{2019}s all we know.</ins>\n";

    #[test]
    fn pages_of_proxies_and_front_ends() {
        let rows = [
            ("text", "upstream connect error\n or disconnect", "upstream connect error or disconnect"),
            ("nothing", " \n", ""),
            (
                "Google's",
                GOOGLE,
                "Error 404 (Not Found)!!1 The requested URL /v9/operations/42 was not found on this server.",
            ),
            (
                "nginx's",
                "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n\
                 <hr><center>nginx/1.27</center>\r\n</body>\r\n</html>\r\n<!-- a padding to disable MSIE -->",
                "502 Bad Gateway nginx/1.27",
            ),
            (
                "Apache's",
                "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\"><html><head><title>503 Service Unavailable</title>\
                 </head><body><h1>Service Unavailable</h1><p>The server is temporarily unable to service your request \
                 due to maintenance downtime.</p></body></html>",
                "503 Service Unavailable The server is temporarily unable to service your request due to maintenance downtime.",
            ),
            (
                "entities",
                "<p>caf&eacute; &lt;b&gt; &amp;lt; &#39;a&#x27; &quot;x&quot;&nbsp;&copy; &unknown; & &#xffffffff;",
                "caf&eacute; <b> &lt; 'a' \"x\" \u{a9} &unknown; & &#xffffffff;",
            ),
            (
                "scripts",
                "<script>if (a < b) { document.write('</p>') }</script >x<STYLE>p{}</STYLE>y<noscript>z</noscript>",
                "x y",
            ),
            ("an open script", "a<script>b", "a"),
            ("an open tag", "a<b class='", "a"),
            ("no markup", "1 < 2 <3> x", "1 < 2 <3> x"),
            ("a comment with a tag", "a<!-- <p> -->b", "ab"),
            ("cells", "<td>a</td><td>b</td><br>c", "a b c"),
        ];
        for (row, page, expected) in rows {
            assert_eq!(visible_text(page), expected, "{row}");
        }
    }

    #[test]
    fn huge_pages_are_bounded() {
        for page in
            ["<".repeat(1 << 16), "<p>x".repeat(1 << 14), "&".repeat(1 << 16), "<script>".repeat(1 << 13)]
        {
            assert!(visible_text(&page).len() < 1 << 17);
        }
    }

    #[test]
    fn beginnings_of_pages() {
        let rows = [
            ("\n<!doctype HTML><p>", true),
            ("<html lang=en>......", true),
            ("upstream connect error", false),
            ("{}", false),
            ("", false),
        ];
        for (text, expected) in rows {
            assert_eq!(is_html(text), expected, "{text}");
        }
    }
}
