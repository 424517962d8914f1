//! Path templates of google.api.http: parsing, matching and filling them.
//!
//! The syntax is that of `google/api/http.proto`, with one variable at most,
//! which can only be `name`. Templates are parsed once, when a binding is made.
//! Matching takes time linear in the name for any template, since names come
//! from servers.
//!
//! ```text
//! /v1/{name=projects/*/operations/**}:cancel
//! └head┘    └ pattern ─────────────┘└ tail ┘
//! ```

use std::fmt;

use crate::error::Error;
use crate::name::OperationName;
use crate::util::excerpt::{excerpt, shown};
use crate::util::percent::encode_path;

/// A path template with at most one variable, which can only be `name`.
///
/// ```text
/// Template  = "/" Segments [ Verb ] ;          Verb     = ":" LITERAL ;
/// Segments  = Segment { "/" Segment } ;        Segment  = "*" | "**" | LITERAL | Variable ;
/// Variable  = "{" FieldPath [ "=" Segments ] "}" ;
/// ```
///
/// `*` takes one segment, `**` one or more. A server may let `**` take none; a
/// client that did so (Google's Python client does not either) would send
/// `DELETE /v1/operations` for `{name=operations/**}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathTemplate {
    /// The text in front of the variable; without a variable, the whole path.
    head: String,
    /// The segments that the variable matches; `None` without a variable.
    pattern: Option<Vec<TemplateSegment>>,
    /// The text behind the variable: further segments, a verb, or nothing.
    tail: String,
}

/// A segment of a pattern: a literal, `*` or `**`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum TemplateSegment {
    Literal(String),
    One,
    Many,
}

impl PathTemplate {
    /// Parses a template.
    ///
    /// # Errors
    ///
    /// `Config`, with the byte at which the template is wrong and what was
    /// expected there.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut parser = TemplateParser { text, rest: text };
        parser.template().map_err(|why| {
            let (text, at) = (shown(text), parser.consumed().len());
            Error::config(format!("path template `{text}` is wrong at byte {at}: {why}"))
        })
    }

    /// Returns the path for `name`, encoded; `None` if the template does not
    /// match it.
    ///
    /// ```text
    /// /v1/{name=operations/**}            operations/a/b    /v1/operations/a/b
    /// /v1/{name=operations/**}:cancel     operations/a:b    /v1/operations/a%3Ab:cancel
    /// /v1/{name=operations/*}             operations/a/b    None
    /// /v1/operations                      any name          /v1/operations
    /// ```
    pub(super) fn path(&self, name: &OperationName) -> Option<String> {
        let Some(pattern) = &self.pattern else { return Some(self.head.clone()) };
        let name = name.as_str();
        // A last `/` belongs to the id. It can only be sent if nothing behind
        // it makes it an empty segment.
        let id_ends_path = pattern.last() == Some(&TemplateSegment::Many) && !self.tail.starts_with('/');
        let body = name.strip_suffix('/').filter(|_| id_ends_path).unwrap_or(name);
        matches(pattern, body).then(|| [&*self.head, &encode_path(name), &self.tail].concat())
    }

    /// Returns whether the name is a part of the path.
    pub(super) fn has_variable(&self) -> bool {
        self.pattern.is_some()
    }

    /// Returns the names that the template matches, as a pattern for messages;
    /// `None` without a variable, when it matches every name.
    pub(super) fn pattern(&self) -> Option<String> {
        let pattern = self.pattern.as_ref()?;
        Some(pattern.iter().map(TemplateSegment::as_str).collect::<Vec<_>>().join("/"))
    }
}

/// Returns whether `pattern` matches all segments of `name`.
///
/// It backtracks to the last `**` only, so its time is at most the product of
/// both lengths, whatever the pattern. No segment that is matched is empty.
fn matches(pattern: &[TemplateSegment], name: &str) -> bool {
    let (mut wanted, mut segments) = (pattern.iter(), name.split('/'));
    // What comes after the last `**`, if that takes no more than it has taken so
    // far. If the rest does not match, it takes one more. Those before it take
    // as few as they can: what they could take more, the last one can take as well.
    let mut after_many = None;
    loop {
        match (wanted.next(), segments.next()) {
            (None, None) => return true,
            (Some(next), Some(segment)) if next.takes(segment) => {
                if *next == TemplateSegment::Many {
                    after_many = Some((wanted.clone(), segments.clone()));
                }
            }
            _ => {
                let Some((rest, remaining)) = &mut after_many else { return false };
                if remaining.next().is_none_or(str::is_empty) {
                    return false;
                }
                (wanted, segments) = (rest.clone(), remaining.clone());
            }
        }
    }
}

/// How one segment matches.
impl TemplateSegment {
    /// Returns whether this matches one segment. `**` matches more by staying
    /// at itself, in [`matches()`].
    fn takes(&self, segment: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == segment,
            Self::One | Self::Many => !segment.is_empty(),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Literal(literal) => literal,
            Self::One => "*",
            Self::Many => "**",
        }
    }
}

/// Prints the template in its full form: `{name}` as `{name=*}`.
impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head)?;
        if let Some(pattern) = self.pattern() {
            write!(f, "{{name={pattern}}}")?;
        }
        f.write_str(&self.tail)
    }
}

/// A parser by recursive descent. If it fails, `rest` begins at the error.
struct TemplateParser<'t> {
    text: &'t str,
    rest: &'t str,
}

impl<'t> TemplateParser<'t> {
    /// Parses everything. The error says what is wrong at `rest`.
    fn template(&mut self) -> Result<PathTemplate, String> {
        let mut template = PathTemplate { head: self.text.into(), pattern: None, tail: String::new() };
        self.expect("/")?;
        loop {
            if self.rest.starts_with('{') {
                let (head, variable) = (self.consumed(), self.rest);
                let pattern = self.variable()?;
                // The error points at the second variable and not behind it.
                if template.pattern.is_some() {
                    self.rest = variable;
                    return Err("`name` is bound a second time".into());
                }
                template = PathTemplate { head: head.into(), pattern: Some(pattern), tail: self.rest.into() };
            } else if self.rest.starts_with('*') {
                return Err("a wildcard outside of `{name=…}` stands for no field".into());
            } else {
                self.literal()?;
            }
            if !self.eat("/") {
                break;
            }
        }
        let mut expected = "`/`, `:` or the end";
        if self.eat(":") {
            self.literal()?;
            expected = "the end";
        }
        if self.rest.is_empty() { Ok(template) } else { Err(self.unexpected(expected)) }
    }

    /// Parses `{name}` or `{name=pattern}`.
    fn variable(&mut self) -> Result<Vec<TemplateSegment>, String> {
        self.expect("{")?;
        let is_path = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
        let after = self.rest.trim_start_matches(is_path);
        match self.rest.strip_suffix(after) {
            Some("name") => self.rest = after,
            Some("") | None => return Err(self.unexpected("`name`")),
            Some(field) => {
                return Err(format!("field `{}` cannot stand in a path, only `name` can", shown(field)));
            }
        }
        // `{name}` is short for `{name=*}`.
        let pattern = if self.eat("=") { self.pattern()? } else { vec![TemplateSegment::One] };
        self.expect("}")?;
        Ok(pattern)
    }

    /// Parses segments separated by `/`, without another variable.
    fn pattern(&mut self) -> Result<Vec<TemplateSegment>, String> {
        let mut pattern = Vec::new();
        loop {
            pattern.push(match () {
                () if self.eat("**") => TemplateSegment::Many,
                () if self.eat("*") => TemplateSegment::One,
                () => TemplateSegment::Literal(self.literal()?.into()),
            });
            if !self.eat("/") {
                return Ok(pattern);
            }
        }
    }

    /// Parses a segment without wildcards, which may not be `.` or `..`.
    fn literal(&mut self) -> Result<&'t str, String> {
        let after = self.rest.trim_start_matches(is_literal);
        match self.rest.strip_suffix(after) {
            Some("") | None => Err(self.unexpected("a path segment")),
            Some("." | "..") => Err("a segment is `.` or `..`".into()),
            Some(literal) => {
                self.rest = after;
                Ok(literal)
            }
        }
    }

    /// Skips `token`, if it is next, and returns whether it was.
    fn eat(&mut self, token: &str) -> bool {
        let after = self.rest.strip_prefix(token);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// Skips `token`, or fails.
    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.eat(token) { Ok(()) } else { Err(self.unexpected(&format!("`{token}`"))) }
    }

    /// Returns the error message that names what was found and what was
    /// expected.
    fn unexpected(&self, expected: &str) -> String {
        match self.rest.chars().next() {
            Some(found) => format!("found `{}`, expected {expected}", excerpt(&found.to_string())),
            None => format!("found the end, expected {expected}"),
        }
    }

    /// Returns the text before `rest`.
    fn consumed(&self) -> &'t str {
        self.text.strip_suffix(self.rest).unwrap_or_default()
    }
}

/// Returns whether `text` is literal segments only, as in `v1` or `v1/compute`.
pub(super) fn is_literal_path(text: &str) -> bool {
    text.split('/').all(|segment| {
        !segment.is_empty() && segment != "." && segment != ".." && segment.chars().all(is_literal)
    })
}

/// Returns whether a character can be in a segment: `pchar` of RFC 3986 section
/// 3.3, without escapes, and without `:` and `*`, which mean something here.
fn is_literal(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()+,;=@".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::cases;

    fn path(template: &str, name: &str) -> Option<String> {
        let template = PathTemplate::parse(template).expect(template);
        template.path(&OperationName::try_from(name).expect(name))
    }

    #[test]
    fn takes_and_fills_in_names() {
        let rows = [
            ("/v1/{name=operations/**}", "operations/42", Some("/v1/operations/42")),
            ("/v1/{name=operations/**}", "operations/a/b", Some("/v1/operations/a/b")),
            ("/v1/{name=operations/**}", "operations/a/b/", Some("/v1/operations/a/b/")),
            ("/v1/{name=operations/**}:cancel", "operations/a/", Some("/v1/operations/a/:cancel")),
            ("/v1/{name=operations/**}:cancel", "operations/a:b", Some("/v1/operations/a%3Ab:cancel")),
            ("/v1/{name=operations/**}", "operations", None),
            ("/v1/{name=operations/**}", "xoperations/42", None),
            ("/v1/{name=operations/**}", "p/operations/42", None),
            ("/v1/{name=operations/*}", "operations/42", Some("/v1/operations/42")),
            ("/v1/{name=operations/*}", "operations/a/b", None),
            ("/v1/{name=operations/*}", "operations/a/", None),
            (
                "/v1/{name=**/operations/*}",
                "p/operations/x/operations/y",
                Some("/v1/p/operations/x/operations/y"),
            ),
            ("/v1/{name=**/operations/*}", "operations/42", None),
            ("/v1/{name=**/a/**/b/**}", "x/a/a/y/b/b/z", Some("/v1/x/a/a/y/b/b/z")),
            ("/v1/{name=**/a/**/b/**}", "a/x/b/y", None),
            ("/v1/{name=projects/*/**}", "projects/p/x", Some("/v1/projects/p/x")),
            ("/v1/{name=projects/*/**}", "projects/p", None),
            ("/v1/operations/{name}", "42", Some("/v1/operations/42")),
            ("/v1/operations/{name}", "a/b", None),
            ("/v1/{name=**}/operations", "projects/p", Some("/v1/projects/p/operations")),
            ("/v1/{name=**}/operations", "projects/p/", None),
            ("/v1/{name=**}:wait", "a b/é", Some("/v1/a%20b/%C3%A9:wait")),
            ("/v1/{name=**}", "a%2Fb?c#d+e", Some("/v1/a%252Fb%3Fc%23d%2Be")),
            ("/v1/operations", "any/thing", Some("/v1/operations")),
            ("/v1/operations:wait", "any/thing", Some("/v1/operations:wait")),
            ("/{name=v1/**}", "v1/x", Some("/v1/x")),
            ("/a.b-c_d~e/$rpc/@x/{name}", "y", Some("/a.b-c_d~e/$rpc/@x/y")),
        ];
        for (template, name, expected) in rows {
            assert_eq!(path(template, name).as_deref(), expected, "{template} {name}");
        }
    }

    /// By a table of which segments each part of the pattern can take.
    #[test]
    fn matches_like_a_table() {
        let by_table = |pattern: &[TemplateSegment], name: &str| {
            let segments: Vec<&str> = name.split('/').collect();
            let mut taken = vec![false; segments.len() + 1];
            taken[0] = true;
            for wanted in pattern {
                let mut next = vec![false; taken.len()];
                for (index, segment) in segments.iter().enumerate() {
                    let goes_on = next[index] && *wanted == TemplateSegment::Many;
                    next[index + 1] = wanted.takes(segment) && (taken[index] || goes_on);
                }
                taken = next;
            }
            taken[segments.len()]
        };
        cases(20_000, |random| {
            let literal = |text: &str| TemplateSegment::Literal(text.to_owned());
            let pattern: Vec<_> = (0..=random.below(6))
                .map(|_| match random.below(4) {
                    0 => TemplateSegment::One,
                    1 => TemplateSegment::Many,
                    _ => literal(random.pick(&["a", "b"])),
                })
                .collect();
            let segments: Vec<&str> = (0..=random.below(8))
                .map(|_| if random.below(20) == 0 { "" } else { random.pick(&["a", "b", "c"]) })
                .collect();
            let name = segments.join("/");
            assert_eq!(matches(&pattern, &name), by_table(&pattern, &name), "{pattern:?} {name}");
        });
    }

    #[test]
    fn says_where_a_template_is_wrong() {
        let segment = "expected a path segment";
        let rows = [
            ("", 0, "found the end, expected `/`"),
            ("v1", 0, "found `v`, expected `/`"),
            ("/", 1, &format!("found the end, {segment}")),
            ("/v1/", 4, &format!("found the end, {segment}")),
            ("/v1//x", 4, &format!("found `/`, {segment}")),
            ("/v1/ x", 4, &format!("found ` `, {segment}")),
            ("/v1/é", 4, &format!("found `é`, {segment}")),
            ("/v1/../v2", 4, "a segment is `.` or `..`"),
            ("/v1/x?y=z", 5, "found `?`, expected `/`, `:` or the end"),
            ("/v1/x%2F", 5, "found `%`, expected `/`, `:` or the end"),
            ("/v1/{name}x", 10, "found `x`, expected `/`, `:` or the end"),
            ("/v1/x{name}", 5, "found `{`, expected `/`, `:` or the end"),
            ("/v1/{name}:", 11, &format!("found the end, {segment}")),
            ("/v1/{name}:wait/x", 15, "found `/`, expected the end"),
            ("/v1/*", 4, "a wildcard outside of `{name=…}` stands for no field"),
            ("/v1/{}", 5, "found `}`, expected `name`"),
            ("/v1/{name", 9, "found the end, expected `}`"),
            ("/v1/{name=}", 10, &format!("found `}}`, {segment}")),
            ("/v1/{name=a/}", 12, &format!("found `}}`, {segment}")),
            ("/v1/{name=a/**", 14, "found the end, expected `}`"),
            ("/v1/{name=***}", 12, "found `*`, expected `}`"),
            ("/v1/{name={name}}", 10, &format!("found `{{`, {segment}")),
            ("/v1/{name=a:b}", 11, "found `:`, expected `}`"),
            ("/v1/{name}/{name}", 11, "`name` is bound a second time"),
            ("/v1/{project}/x", 5, "field `project` cannot stand in a path, only `name` can"),
            ("/v1/{op.name=**}", 5, "field `op.name` cannot stand in a path, only `name` can"),
            ("/v1/{name}/{filter}", 12, "field `filter` cannot stand in a path, only `name` can"),
        ];
        for (template, at, why) in rows {
            let error = PathTemplate::parse(template).expect_err(template);
            assert_eq!(error.kind(), crate::ErrorKind::Config, "{template}");
            let expected = format!("path template `{template}` is wrong at byte {at}: {why}");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn prints_what_it_parsed() {
        for text in ["/v1/{name=operations/**}:cancel", "/v1/{name=a/*/**/b}/c", "/v1/operations"] {
            assert_eq!(PathTemplate::parse(text).expect(text).to_string(), text);
        }
        assert_eq!(PathTemplate::parse("/{name}").map(|t| t.to_string()).ok(), Some("/{name=*}".into()));
    }
}
