//! Chooses the endpoint, and the client certificate that is presented there
//! ([AIP-4114](https://google.aip.dev/auth/4114)).
//!
//! The variables belong to the operator, the options to the program. An
//! explicit endpoint is a decision of the program, so no variable changes it.
//!
//! | `GOOGLE_API_USE_MTLS_ENDPOINT` | endpoint of a bare host |
//! |---|---|
//! | `never` | as given |
//! | `auto`, empty, unset | that for mutual TLS if a certificate is presented |
//! | `always` | that for mutual TLS |
//!
//! | `GOOGLE_API_USE_CLIENT_CERTIFICATE` | certificate |
//! |---|---|
//! | `true` | `client_cert_source`, else that of the machine |
//! | anything else | none |
//!
//! A certificate of the HTTP options is always presented and takes precedence
//! over both. If the second variable is unset, that of gcloud is read.

use crate::error::Error;
use crate::http::ClientCertificate;
use crate::net::machine_certificate::{BUNDLE, machine_certificate};
use crate::transport::{Endpoint, ServiceOptions};
use crate::util::env::Env;
use crate::util::excerpt::brief;

/// The decision that results from the options and the environment.
#[derive(Debug)]
pub(crate) struct EndpointChoice {
    pub(crate) endpoint: Endpoint,
    /// The certificate to present, unless the HTTP options have one.
    pub(crate) certificate: Option<ClientCertificate>,
}

/// Returns the endpoint and the certificate.
///
/// A certificate that is configured and not used, or required and not found, is
/// a warning in the log: it is the switch of the operator that decides.
///
/// # Errors
///
/// `Config` for an invalid endpoint, an unknown value of the variable, and a
/// certificate that an HTTP client of the program would have to present.
pub(crate) fn choose(options: &ServiceOptions, env: &dyn Env) -> Result<EndpointChoice, Error> {
    let wants_certificate = wants_certificate(env);
    let parse = |text: &str| Endpoint::parse(text, options.allows_plain_http);
    let service = parse(&options.endpoint)?;
    let given = options.api_endpoint.as_deref().map(parse).transpose()?;
    let explicit = given.is_some() || !service.is_bare();
    let endpoint = given.unwrap_or_else(|| service.clone());
    if options.http_client.is_some() {
        refuse_certificates_for_custom_client(options, wants_certificate, explicit)?;
    }
    // A certificate of the program needs no switch of the operator.
    let own = options.http_client.is_none() && options.http_options.has_client_certificate();
    let certificate = match (&options.client_cert_source, wants_certificate) {
        _ if own || options.http_client.is_some() => None,
        (Some(source), true) => Some(source.clone()),
        (None, true) => {
            let found = machine_certificate(env, BUNDLE.as_ref());
            if found.is_none() {
                log::warn!("{USE_CERTIFICATE} is `true`, but there is no client certificate on this machine");
            }
            found
        }
        (Some(_), false) => {
            log::warn!("the client certificate source is not used: {USE_CERTIFICATE} is not `true`");
            None
        }
        (None, false) => None,
    };
    // The variable is not read for an explicit endpoint: an invalid value must
    // not fail a client that does not use it.
    let mtls = !explicit && wants_mtls_endpoint(env, own || certificate.is_some())?;
    // Of the service and not of `endpoint`: only a bare host of Google's has a
    // counterpart for mutual TLS.
    let endpoint = if mtls { service.to_mtls() } else { endpoint };
    Ok(EndpointChoice { endpoint, certificate })
}

/// Returns whether the operator has turned client certificates on. Case does
/// not matter; the first variable that is set decides.
fn wants_certificate(env: &dyn Env) -> bool {
    let value = [USE_CERTIFICATE, USE_CERTIFICATE_OF_GCLOUD].iter().find_map(|name| env.var(name));
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Returns whether the endpoint for mutual TLS replaces that of the service.
///
/// Case does not matter and an empty value is `auto`, which Python refuses.
///
/// # Errors
///
/// `Config` for any other value.
fn wants_mtls_endpoint(env: &dyn Env, has_certificate: bool) -> Result<bool, Error> {
    let value = env.var(USE_ENDPOINT).unwrap_or_else(|| "auto".to_owned());
    match value.to_ascii_lowercase().as_str() {
        "always" => Ok(true),
        "auto" => Ok(has_certificate),
        "never" => Ok(false),
        _ => {
            let shown = brief(&value);
            Err(Error::config(format!("{USE_ENDPOINT} is `{shown}`: expected `never`, `auto` or `always`")))
        }
    }
}

/// Refuses a certificate that this crate cannot present, because the program
/// has set an HTTP client of its own, which has its own TLS.
///
/// Ignoring it would send requests without the certificate that the program
/// or the operator relies on. With an explicit endpoint the variable is
/// ignored: the program has taken over both decisions.
///
/// # Errors
///
/// `Config`, with what to change.
fn refuse_certificates_for_custom_client(
    options: &ServiceOptions,
    wants_certificate: bool,
    explicit: bool,
) -> Result<(), Error> {
    if options.client_cert_source.is_some() {
        return Err(Error::config(
            "option `client_cert_source` has no effect on an HTTP client of your own: have that show the certificate",
        ));
    }
    match wants_certificate && !explicit {
        true => Err(Error::config(format!(
            "{USE_CERTIFICATE} is `true`, which an HTTP client of your own does not support: \
             have that show the certificate, and set `api_endpoint`"
        ))),
        false => Ok(()),
    }
}

const USE_CERTIFICATE: &str = "GOOGLE_API_USE_CLIENT_CERTIFICATE";
const USE_CERTIFICATE_OF_GCLOUD: &str = "CLOUDSDK_CONTEXT_AWARE_USE_CLIENT_CERTIFICATE";
const USE_ENDPOINT: &str = "GOOGLE_API_USE_MTLS_ENDPOINT";

#[cfg(test)]
mod tests;
