//! The credentials of a client: one option, a key in a URL, `LRO_API_KEY`, or
//! else the default ones.
//!
//! | source | access token, which impersonation needs |
//! |---|---|
//! | `--credentials FILE` | yes |
//! | `--access-token-file FILE` | yes |
//! | `--api-key-file FILE`, `?key=` in a URL, `LRO_API_KEY` | no |
//! | `--anonymous` | no |
//! | Application Default Credentials | yes |
//!
//! Options exclude each other and the key of a URL. The environment comes after
//! them, and Application Default Credentials last: a mistake on the command
//! line must not fall back to the identity of the machine.

use std::env;

use longrunning::Credentials;
use longrunning::auth::CredentialsPolicy;

use crate::args::Globals;
use crate::failure::CommandFailure;
use crate::network::{check_path, text_of};
use crate::place::{ApiKey, Service};

/// Returns the credentials for the requests to `service`, with impersonation if
/// `--impersonate-service-account` is set.
///
/// # Errors
///
/// Two sources at once; a file that cannot be read; impersonation without an
/// access token, such as with an API key.
pub(crate) fn of(globals: &Globals, service: &Service) -> Result<Credentials, CommandFailure> {
    let credentials = own(globals, service.key.as_ref())?;
    match &globals.impersonate_service_account {
        None => Ok(credentials.0),
        // The endpoint that mints tokens of service accounts takes access
        // tokens only.
        Some(_) if !credentials.1 => Err(CommandFailure::usage(
            "--impersonate-service-account needs credentials with an access token: no API key, and not --anonymous",
        )),
        Some(account) => Ok(credentials.0.impersonate(account)?),
    }
}

/// Returns the credentials without impersonation, and whether they have an
/// access token, which impersonation needs.
fn own(globals: &Globals, of_url: Option<&ApiKey>) -> Result<(Credentials, bool), CommandFailure> {
    let Globals { credentials, access_token_file, api_key_file, anonymous, .. } = globals;
    let given = [credentials.is_some(), access_token_file.is_some(), api_key_file.is_some(), *anonymous];
    if given.iter().filter(|given| **given).count() + usize::from(of_url.is_some()) > 1 {
        return Err(CommandFailure::usage(EXCLUSIVE));
    }
    if let Some(file) = credentials {
        check_path("--credentials", file)?;
        // The user trusts a file on the command line as much as one that the
        // environment names.
        return Ok((Credentials::from_file_with(file, &policy(globals))?, true));
    }
    if let Some(file) = access_token_file {
        check_path("--access-token-file", file)?;
        return Ok((Credentials::token_file(file), true));
    }
    // White space at the end of a file is not part of a key: editors add a line
    // break.
    if let Some(file) = api_key_file {
        return Ok((Credentials::api_key(text_of(globals, "--api-key-file", file)?.trim())?, false));
    }
    if *anonymous {
        return Ok((Credentials::anonymous(), false));
    }
    // An empty variable counts as unset, as `LRO_API_KEY= lro …` means it.
    let of_environment = || env::var("LRO_API_KEY").ok().filter(|key| !key.is_empty());
    match of_url.map(ApiKey::expose).map(str::to_owned).or_else(of_environment) {
        Some(key) => Ok((Credentials::api_key(key)?, false)),
        None => Ok((Credentials::application_default_with(&policy(globals)), true)),
    }
}

/// Trusts files, and reads those that are pipes within the total timeout.
///
/// A file of external credentials may name any URL or program. The library asks
/// for explicit trust in that; the user who types the option has decided.
fn policy(globals: &Globals) -> CredentialsPolicy {
    let policy = CredentialsPolicy::trusting_the_file();
    match globals.total_timeout {
        Some(timeout) => policy.read_timeout(timeout),
        None => policy,
    }
}

const EXCLUSIVE: &str =
    "--credentials, --access-token-file, --api-key-file, --anonymous and the key of a URL exclude each other";
