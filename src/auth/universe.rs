//! Which universe (cloud) a client works with, and that its credentials belong
//! to the same one.
//!
//! `googleapis.com` is the universe of nearly everything. Others are separate
//! clouds with their own domains, whose tokens must not be sent to Google and
//! the other way round. The option of the builder is used first, then
//! `GOOGLE_CLOUD_UNIVERSE_DOMAIN`, then `googleapis.com`.

use crate::auth::url::is_within;
use crate::auth::{Credentials, DEFAULT_UNIVERSE};
use crate::error::Error;
use crate::util::env::Env;
use crate::util::excerpt::shown;

/// Returns the universe domain of a client, in lowercase.
///
/// # Errors
///
/// `ErrorKind::Config` if it is not a domain; the message names its origin.
pub(crate) fn universe_domain(option: Option<&str>, env: &dyn Env) -> Result<String, Error> {
    let (domain, origin) = match (option, env.var(VARIABLE)) {
        (Some(option), _) => (option.to_owned(), "the option `universe_domain`"),
        (None, Some(variable)) => (variable, VARIABLE),
        (None, None) => return Ok(DEFAULT_UNIVERSE.to_owned()),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    // No empty label: neither a leading dot nor `..`.
    let labels = domain.split('.').all(|label| !label.is_empty());
    if labels && domain.bytes().all(plain) {
        return Ok(domain.to_ascii_lowercase());
    }
    let shown = shown(&domain);
    Err(Error::config(format!("{origin} is `{shown}`: expected a domain such as `{DEFAULT_UNIVERSE}`")))
}

/// Rejects credentials and endpoints of another universe, as far as it is
/// known.
///
/// Fixed tokens, API keys and providers do not say where they belong. The
/// metadata server does with its first response. A host outside of every known
/// universe may belong to any.
///
/// # Errors
///
/// `ErrorKind::Config`, before any request.
pub(crate) fn check_universe(domain: &str, host: &str, credentials: &Credentials) -> Result<(), Error> {
    // The other direction is not an error: a proxy or an emulator may have any
    // host.
    if domain != DEFAULT_UNIVERSE && is_within(host, DEFAULT_UNIVERSE) {
        let (host, domain) = (shown(host), shown(domain));
        return Err(Error::config(format!(
            "endpoint `{host}` is of the universe `{DEFAULT_UNIVERSE}` and the client of `{domain}`"
        )));
    }
    match credentials.universe_domain() {
        Some(own) if !own.eq_ignore_ascii_case(domain) => {
            Err(Error::config(mismatch(credentials.label(), own, domain)))
        }
        _ => Ok(()),
    }
}

/// Returns the error message for credentials and a client of different
/// universes.
pub(super) fn mismatch(credentials: &str, own: &str, client: &str) -> String {
    let (own, client) = (shown(own), shown(client));
    format!(
        "{credentials} is of the universe `{own}` and the client of `{client}`: \
         set `universe_domain` or {VARIABLE}, or use other credentials"
    )
}

/// Names the universe if the option does not.
const VARIABLE: &str = "GOOGLE_CLOUD_UNIVERSE_DOMAIN";
