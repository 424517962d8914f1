//! What the user calls an operation: a name, a URL, a line of standard input.
//!
//! ```text
//! 42                                      a bare id, under --parent or LRO_PARENT
//! projects/p/locations/l/operations/42    a name, at --endpoint or LRO_ENDPOINT
//! https://run.googleapis.com/v2/…         a URL: endpoint, version and name in one
//! ```
//!
//! Here is also the rule about which hosts may receive credentials, because
//! only here it is known where a host comes from: typed as an endpoint, or part
//! of a URL that may come from anywhere.

use std::collections::HashSet;
use std::env;

use longrunning::Operation;
use longrunning::printing::shown_name;

use crate::args::Globals;
use crate::failure::CommandFailure;
use crate::input;
use crate::place::{OperationPlace, Service};
use crate::url::{OperationUrl, is_url};

/// Finds the operations that were named, each once, in their order; `-` stands
/// for the lines of standard input.
///
/// Standard input is read to its end before anything is sent, within
/// `--total-timeout` if that is set.
pub(crate) fn places(globals: &Globals, names: &[String]) -> Result<Vec<OperationPlace>, CommandFailure> {
    let mut text = String::new();
    if names.iter().any(|name| name == "-") {
        text = input::standard_input(globals.total_timeout).map_err(|error| {
            CommandFailure::usage(format!("cannot read names from standard input: {error}"))
        })?;
    }
    places_with(globals, names, &text)
}

/// Does the same with the text of standard input, which `-` may name more than
/// once.
fn places_with(
    globals: &Globals,
    names: &[String],
    text: &str,
) -> Result<Vec<OperationPlace>, CommandFailure> {
    let read = lines(text)?;
    let all = names.iter().flat_map(|name| if name == "-" { &read[..] } else { std::slice::from_ref(name) });
    // The first mention decides about the order.
    let mut seen = HashSet::new();
    let mut places = Vec::new();
    for name in all {
        let place = place(globals, name)?;
        let (endpoint, version) = place.service.id();
        if seen.insert((endpoint.to_owned(), version.map(str::to_owned), place.name.clone())) {
            places.push(place);
        }
    }
    Ok(places)
}

/// Finds the operation that was named. A bare id is a name under the parent, if
/// there is one.
pub(crate) fn place(globals: &Globals, name: &str) -> Result<OperationPlace, CommandFailure> {
    let full = under(parent(globals).as_deref(), name);
    locate(globals, default_endpoint(), full.as_deref().unwrap_or(name))
}

/// Finds what is to be listed: what was named, else the parent, else
/// `operations`, which is all of a service.
pub(crate) fn list_place(globals: &Globals, name: Option<&str>) -> Result<OperationPlace, CommandFailure> {
    // An empty name is `--all` without a value.
    let name = name.filter(|name| !name.is_empty()).map(str::to_owned).or_else(|| parent(globals));
    locate(globals, default_endpoint(), name.as_deref().unwrap_or(ALL))
}

/// Returns the parent of bare ids, by the option or the environment, without
/// slashes at its end.
fn parent(globals: &Globals) -> Option<String> {
    let parent = globals.parent.clone().or_else(|| env::var("LRO_PARENT").ok())?;
    let parent = parent.trim_end_matches('/');
    Some(parent.to_owned()).filter(|parent| !parent.is_empty())
}

/// Returns the name of a bare id under a parent, which may end in its
/// collection; none if it is no bare id.
///
/// ```text
/// projects/p             42   projects/p/operations/42
/// projects/p/operations  42   projects/p/operations/42
/// projects/p             a/b  none: it is a name already
/// ```
fn under(parent: Option<&str>, id: &str) -> Option<String> {
    let parent = parent.filter(|_| !id.is_empty() && !id.contains('/'))?;
    Some(match parent.rsplit('/').next() {
        Some("operations") => format!("{parent}/{id}"),
        _ => format!("{parent}/operations/{id}"),
    })
}

/// The endpoint that the environment gives.
pub(crate) fn default_endpoint() -> Option<String> {
    env::var("LRO_ENDPOINT").ok().filter(|endpoint| !endpoint.is_empty())
}

/// Finds the service of a name or URL.
///
/// The host of a URL gets credentials only if it is the endpoint that the user
/// gave, a host of Google's (or of the universe that the environment names), or
/// if there are no credentials to get. A URL in a chat message or a log must
/// not be able to collect a token.
///
/// # Errors
///
/// A name without an endpoint; a URL that contradicts `--endpoint`, or whose
/// host may not receive credentials.
fn locate(
    globals: &Globals,
    environment: Option<String>,
    name: &str,
) -> Result<OperationPlace, CommandFailure> {
    let given = globals.endpoint.clone().or(environment);
    let version = globals.api_version.clone();
    if !is_url(name) {
        let endpoint = given.ok_or_else(|| {
            CommandFailure::usage(format!("no endpoint for `{}`", shown_name(name))).hint(NO_ENDPOINT)
        })?;
        let service = Service::new(endpoint, version);
        return Ok(OperationPlace { given: name.to_owned(), service, name: name.to_owned() });
    }
    let url = OperationUrl::parse(name, version.as_deref())?;
    // A URL may come from anywhere, and its host receives a token.
    // The user typed this host as an endpoint, or put it into the environment.
    let named = given.as_deref().is_some_and(|given| url.is_at(given));
    if globals.endpoint.is_some() && !named {
        let message = format!("`{}` is not at the endpoint that --endpoint gives", shown_name(&url.given));
        return Err(CommandFailure::usage(message).hint("leave --endpoint out, or give the name alone"));
    }
    if !(named
        || globals.anonymous
        || url.is_trusted(env::var("GOOGLE_CLOUD_UNIVERSE_DOMAIN").ok().as_deref()))
    {
        let message = format!("`{}` is not at a host of Google's", shown_name(&url.given));
        let endpoint = shown_name(&url.endpoint);
        let hint = format!("if credentials may go there, add --endpoint {endpoint}, else --anonymous");
        return Err(CommandFailure::usage(message).hint(hint));
    }
    let endpoint = given.filter(|_| named).unwrap_or(url.endpoint);
    let service = Service { key: url.key, ..Service::new(endpoint, url.version) };
    // The parent is a field of the query, which the bindings of the service know.
    let service = if url.has_parent { service } else { service.with_pasted(&url.name) };
    Ok(OperationPlace { given: url.given, service, name: url.name })
}

/// Returns the names in a text: one a line, or an operation as JSON, as `lro
/// list --format json` prints it. Empty lines do not count, nor does what
/// follows a `#` at the start of a line or behind a space.
///
/// ```text
/// # nightly
/// operations/1
/// operations/2  # retried
/// {"name": "operations/3", "done": false}
/// ```
///
/// # Errors
///
/// JSON that is no operation, and a block of PEM: a key that was piped to the
/// wrong program.
fn lines(text: &str) -> Result<Vec<String>, CommandFailure> {
    // Editors and shells of Windows write a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // Comments first: a line that is only a comment is empty then.
    let named = text.lines().map(without_comment).filter(|line| !line.is_empty());
    // The lines of a key look like names, so that messages would show them and
    // requests would send them.
    if named.clone().any(|line| line.starts_with("-----BEGIN ")) {
        return Err(CommandFailure::usage(
            "standard input has a PEM block, expected names of operations, one a line",
        ));
    }
    named
        .map(|line| match line.starts_with('{') {
            true => {
                Operation::from_json(line).map(|operation| operation.name().to_owned()).map_err(|error| {
                    CommandFailure::usage(format!(
                        "standard input has a line that is no operation: {error:#}"
                    ))
                })
            }
            false => Ok(line.to_owned()),
        })
        .collect()
}

/// The operations of a whole service.
const ALL: &str = "operations";

/// The hint for a name without a service.
const NO_ENDPOINT: &str = "give --endpoint HOST, such as --endpoint run.googleapis.com, or LRO_ENDPOINT, or the full URL as the name";

/// Returns a line without white space around it and without its comment.
fn without_comment(line: &str) -> &str {
    let line = line.trim();
    // A name has no spaces, but JSON may have a `#` anywhere.
    let end = match line.starts_with(['#', '{']) {
        true => (!line.starts_with('{')).then_some(0),
        false => line.find(" #").or_else(|| line.find("\t#")),
    };
    line.get(..end.unwrap_or(line.len())).unwrap_or_default().trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globals(endpoint: Option<&str>, anonymous: bool) -> Globals {
        Globals { endpoint: endpoint.map(str::to_owned), anonymous, ..Globals::default() }
    }

    #[test]
    fn a_name_needs_an_endpoint() {
        let rows = [
            ("flag", Some("a.example"), None, Some("a.example")),
            ("environment", None, Some("b.example"), Some("b.example")),
            ("the flag wins", Some("a.example"), Some("b.example"), Some("a.example")),
            ("nothing", None, None, None),
        ];
        for (row, flag, environment, endpoint) in rows {
            let found = locate(&globals(flag, false), environment.map(str::to_owned), "operations/1");
            assert_eq!(found.ok().map(|place| place.service.endpoint).as_deref(), endpoint, "{row}");
        }
    }

    #[test]
    fn a_url_brings_its_service() {
        let url = "https://run.googleapis.com/v2/projects/p/operations/1";
        let found = locate(&globals(None, false), Some("https://other.example".into()), url).unwrap();
        assert_eq!(found.name, "projects/p/operations/1");
        assert_eq!(found.service.endpoint, "https://run.googleapis.com");
        assert_eq!(found.service.version.as_deref(), Some("v2"));
        assert_eq!(found.given, url);
    }

    #[test]
    fn credentials_go_nowhere_by_a_pasted_url() {
        let url = "https://evil.example/v1/operations/1";
        let rows = [
            ("alone", None, None, false, false),
            ("named by the flag", Some("evil.example"), None, false, true),
            ("named by the environment", None, Some("https://evil.example/"), false, true),
            ("without credentials", None, None, true, true),
            ("another by the flag", Some("run.googleapis.com"), None, false, false),
            ("another by the environment", None, Some("run.googleapis.com"), false, false),
            ("another, without credentials", Some("run.googleapis.com"), None, true, false),
        ];
        for (row, flag, environment, anonymous, taken) in rows {
            let found = locate(&globals(flag, anonymous), environment.map(str::to_owned), url);
            assert_eq!(found.is_ok(), taken, "{row}");
        }
    }

    #[test]
    fn the_lines_of_a_key_are_no_names() {
        for text in ["-----BEGIN PRIVATE KEY-----\nCANARY\n", "operations/1\n  -----BEGIN X-----\nCANARY"] {
            assert!(places_with(&globals(Some("a"), false), &["-".to_owned()], text).is_err(), "{text}");
        }
        let operation = r#"{"name": "operations/1", "metadata": {"a": "-----BEGIN CERTIFICATE-----"}}"#;
        assert!(places_with(&globals(Some("a"), false), &["-".to_owned()], operation).is_ok());
    }

    #[test]
    fn a_bare_id_is_a_name_under_the_parent() {
        let rows = [
            (Some("projects/p"), "42", Some("projects/p/operations/42")),
            (Some("projects/p/operations"), "42", Some("projects/p/operations/42")),
            (Some("projects/p"), "operations/42", None),
            (Some("projects/p"), "", None),
            (None, "42", None),
        ];
        for (parent, id, expected) in rows {
            assert_eq!(under(parent, id).as_deref(), expected, "{parent:?} {id}");
        }
        let mut globals = globals(Some("a.example"), false);
        globals.parent = Some("projects/p/".to_owned());
        assert_eq!(place(&globals, "42").unwrap().name, "projects/p/operations/42");
        assert_eq!(list_place(&globals, None).unwrap().name, "projects/p");
        assert_eq!(list_place(&globals, Some("projects/q")).unwrap().name, "projects/q");
    }

    #[test]
    fn names_have_comments() {
        let rows = [
            ("# all of them", ""),
            ("  # indented", ""),
            ("operations/1 # the first", "operations/1"),
            ("operations/1\t# the first", "operations/1"),
            ("operations/a#b", "operations/a#b"),
            (r##"{"name": "a # b"}"##, r##"{"name": "a # b"}"##),
        ];
        for (line, expected) in rows {
            assert_eq!(without_comment(line), expected);
        }
    }

    #[test]
    fn standard_input_has_names_or_operations() {
        let text = "operations/1\n\n  operations/2  \r\n{\"name\": \"operations/3\", \"done\": true}\noperations/1\n";
        let names = ["operations/0".to_owned(), "-".to_owned(), "operations/4".to_owned()];
        let found = places_with(&globals(Some("a"), false), &names, text).unwrap();
        let found: Vec<_> = found.iter().map(|place| &*place.name).collect();
        assert_eq!(found, ["operations/0", "operations/1", "operations/2", "operations/3", "operations/4"]);
        let marked = format!("\u{feff}{text}");
        assert_eq!(places_with(&globals(Some("a"), false), &names, &marked).unwrap().len(), 5);
        assert!(places_with(&globals(Some("a"), false), &names, "{\"name\"").is_err());
    }
}
