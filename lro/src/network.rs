//! Which servers are trusted, and the way to them: `--ca-file`, `--proxy`,
//! `SSL_CERT_FILE`.

use std::env;
use std::path::Path;
use std::time::Duration;

use longrunning::http::{HttpOptions, ProxySetting, Roots};
use longrunning::printing::{shown, suspicion_of_path};

use crate::args::Globals;
use crate::failure::CommandFailure;
use crate::input;

/// The options of the connections of all clients.
pub(crate) fn options(globals: &Globals) -> Result<HttpOptions, CommandFailure> {
    let mut options = HttpOptions::new();
    if let Some(roots) = roots(globals)? {
        options = options.roots(roots);
    }
    if let Some(file) = &globals.ca_file {
        options = options.extra_roots(text_of(globals, "--ca-file", file)?);
    }
    Ok(match globals.proxy.as_deref() {
        None => options,
        Some("none") => options.proxy(ProxySetting::None),
        Some(url) => options.proxy(ProxySetting::Url(url.to_owned())),
    })
}

/// What is trusted in place of Mozilla's certificates.
fn roots(globals: &Globals) -> Result<Option<Roots>, CommandFailure> {
    #[cfg(feature = "platform-roots")]
    if globals.platform_roots {
        return Ok(Some(Roots::Platform));
    }
    let Some(file) = env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()) else { return Ok(None) };
    let pem = text_of(globals, "SSL_CERT_FILE", file.as_ref())?;
    Ok(Some(Roots::Pem(pem.into_bytes())))
}

/// The content of the file of an option, which may be a pipe.
pub(crate) fn text_of(globals: &Globals, option: &str, file: &Path) -> Result<String, CommandFailure> {
    check_path(option, file)?;
    input::file(file, globals.total_timeout.unwrap_or(READING)).map_err(|error| {
        let file = shown(&file.to_string_lossy());
        CommandFailure::usage(format!("cannot read the file `{file}` of {option}: {error}"))
    })
}

/// Refuses what is rather the content of a file than its path, without
/// repeating it.
pub(crate) fn check_path(option: &str, file: &Path) -> Result<(), CommandFailure> {
    let misplaced = Some(file).filter(|file| !file.exists()).and_then(suspicion_of_path);
    match misplaced {
        Some(what) => {
            Err(CommandFailure::usage(format!("{option} contains {what}; it must be the path of a file")))
        }
        None => Ok(()),
    }
}

/// For the writers of pipes.
const READING: Duration = Duration::from_secs(60);
