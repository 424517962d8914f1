//! How methods map to URLs: `--api-version`, `--binding`, and pasted URLs.
//!
//! Three layers, each over the one before: the default bindings of the version,
//! the path of a pasted URL, and the bindings of the user. They have no meaning
//! over gRPC.

use longrunning::printing::shown;
use longrunning::{Binding, Bindings, Error};

use crate::args::Globals;
use crate::failure::CommandFailure;
use crate::place::{PathSource, Service};

/// Returns the bindings of a client for `service`.
///
/// # Errors
///
/// A version that is no path prefix, and a `--binding` that names no method,
/// has an unknown HTTP method or an invalid template.
pub(crate) fn of(globals: &Globals, service: &Service) -> Result<Bindings, CommandFailure> {
    let bindings = match &service.version {
        Some(version) => Bindings::version(version)?,
        None => Bindings::default(),
    };
    let bindings = as_pasted(bindings, service)?;
    custom(bindings, &globals.bindings)
}

/// Takes every name under the version of a pasted URL, so that the URL is
/// requested as it stands.
///
/// ```text
/// https://example.com/v1/things/7  →  get: GET /v1/{name=**}
/// ```
///
/// `delete` keeps to names of operations: if the clipboard has the URL of a
/// resource, it must not delete that. `cancel` takes any name only for
/// operations of an unusual shape; for the usual ones the default binding knows
/// the path.
fn as_pasted(bindings: Bindings, service: &Service) -> Result<Bindings, Error> {
    let Some(version) = service.version.as_deref().filter(|_| service.paths != PathSource::Bindings) else {
        return Ok(bindings);
    };
    let path = format!("/{version}/{{name=**}}");
    // Only `get` takes every name: it changes nothing, whatever the URL names.
    let bindings = bindings.get([Binding::get(&path)?]);
    match service.paths {
        PathSource::OddUrl => Ok(bindings.cancel([Binding::post(&format!("{path}:cancel"))?])),
        PathSource::Bindings | PathSource::Url => Ok(bindings),
    }
}

/// Replaces the bindings of the methods that `--binding` names. Several
/// bindings of one method are tried in the order in which they were given.
///
/// ```text
/// --binding get=/v1/{name=jobs/*} --binding 'cancel=POST /v1/{name=jobs/*}:stop'
/// ```
fn custom(bindings: Bindings, given: &[String]) -> Result<Bindings, CommandFailure> {
    // Collected by method first: setting the bindings of a method replaces the
    // default ones, so it must happen once.
    let mut of_methods = METHODS.map(|(method, set, verb)| (method, set, verb, Vec::new()));
    for text in given {
        let (method, template) = text.split_once('=').ok_or_else(|| unknown_method(text))?;
        let known = of_methods.iter_mut().find(|(known, ..)| *known == method);
        let (_, _, verb, bindings) = known.ok_or_else(|| unknown_method(method))?;
        bindings.push(binding(verb, template)?);
    }
    let of_methods = of_methods.into_iter().filter(|(.., own)| !own.is_empty());
    Ok(of_methods.fold(bindings, |bindings, (_, set, _, own)| set(bindings, own)))
}

/// Parses `[METHOD ]TEMPLATE`, such as `POST /v1/{name=jobs/*}:stop`. Without
/// an HTTP method it is the `usual` one.
fn binding(usual: &str, text: &str) -> Result<Binding, CommandFailure> {
    let (verb, template) = text.split_once(' ').unwrap_or((usual, text));
    let new = match verb.to_ascii_uppercase().as_str() {
        "GET" => Binding::get,
        "POST" => Binding::post,
        "PUT" => Binding::put,
        "PATCH" => Binding::patch,
        "DELETE" => Binding::delete,
        _ => {
            let verb = shown(verb);
            return Err(CommandFailure::usage(format!(
                "--binding has the HTTP method `{verb}`, expected GET, POST, PUT, PATCH or DELETE"
            )));
        }
    };
    Ok(new(template.trim())?)
}

/// Returns the error for a `--binding` without a known method in front of `=`.
fn unknown_method(text: &str) -> CommandFailure {
    let text = shown(text);
    CommandFailure::usage(format!(
        "--binding `{text}` names no method: expected get, list, cancel, delete or wait, `=` and a path template"
    ))
}

/// Sets the bindings of one method.
type SetBindings = fn(Bindings, Vec<Binding>) -> Bindings;

/// The methods, and the HTTP method that services usually bind them to.
const METHODS: [(&str, SetBindings, &str); 5] = [
    ("get", Bindings::get, "GET"),
    ("list", Bindings::list, "GET"),
    ("cancel", Bindings::cancel, "POST"),
    ("delete", Bindings::delete, "DELETE"),
    ("wait", Bindings::wait, "POST"),
];
