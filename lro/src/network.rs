//! Which servers are trusted, and the way to them: `--ca-file`, `--proxy`,
//! `SSL_CERT_FILE`.
//!
//! `--ca-file` adds to the trusted roots, `SSL_CERT_FILE` and
//! `--platform-roots` replace them, as they do for other programs.

use std::env;
use std::path::Path;
use std::time::Duration;

use longrunning::http::{HttpOptions, ProxySetting, Roots};
use longrunning::printing::{shown, suspicion_of_path};

use crate::args::Globals;
use crate::failure::CommandFailure;
use crate::input;

/// Returns the options of the connections of all clients. Without `--proxy`,
/// the library reads `HTTPS_PROXY` and `NO_PROXY`.
pub(crate) fn options(globals: &Globals) -> Result<HttpOptions, CommandFailure> {
    let mut options = HttpOptions::new();
    if let Some(roots) = roots(globals)? {
        options = options.roots(roots);
    }
    if let Some(file) = &globals.ca_file {
        // On top of whatever is trusted otherwise: a private authority must not
        // end the trust in public ones.
        options = options.extra_roots(text_of(globals, "--ca-file", file)?);
    }
    Ok(match globals.proxy.as_deref() {
        None => options,
        Some("none") => options.proxy(ProxySetting::None),
        Some(url) => options.proxy(ProxySetting::Url(url.to_owned())),
    })
}

/// Returns what is trusted in place of Mozilla's certificates; none if nothing
/// replaces them.
fn roots(globals: &Globals) -> Result<Option<Roots>, CommandFailure> {
    #[cfg(feature = "platform-roots")]
    if globals.platform_roots {
        return Ok(Some(Roots::Platform));
    }
    let Some(file) = env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()) else { return Ok(None) };
    let pem = text_of(globals, "SSL_CERT_FILE", file.as_ref())?;
    Ok(Some(Roots::Pem(pem.into_bytes())))
}

/// Reads the file of an option. It may be a pipe, such as `<(vault read …)`;
/// then the writer has 60 s, or `--total-timeout`.
pub(crate) fn text_of(globals: &Globals, option: &str, file: &Path) -> Result<String, CommandFailure> {
    check_path(option, file)?;
    input::file(file, globals.total_timeout.unwrap_or(READING)).map_err(|error| {
        let file = shown(&file.to_string_lossy());
        CommandFailure::usage(format!("cannot read the file `{file}` of {option}: {error}"))
    })
}

/// Refuses what is rather the content of a file than its path, without
/// repeating it.
///
/// `--credentials "$(cat key.json)"` is a common mistake, and an error about a
/// missing file would print the key. A file that exists is never refused.
pub(crate) fn check_path(option: &str, file: &Path) -> Result<(), CommandFailure> {
    // A file that exists is a path, however it looks.
    let misplaced = Some(file).filter(|file| !file.exists()).and_then(suspicion_of_path);
    match misplaced {
        Some(what) => {
            Err(CommandFailure::usage(format!("{option} contains {what}; it must be the path of a file")))
        }
        None => Ok(()),
    }
}

/// How long the writer of a pipe may take.
const READING: Duration = Duration::from_secs(60);
