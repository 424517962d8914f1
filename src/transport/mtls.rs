//! Which endpoint is asked, and whether with a client certificate ([AIP-4114](https://google.aip.dev/auth/4114)).

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
    /// The certificate to show, beside what the HTTP options say.
    pub(crate) certificate: Option<ClientCertificate>,
}

pub(crate) fn choose(options: &ServiceOptions, env: &dyn Env) -> Result<EndpointChoice, Error> {
    let wants_certificate = wants_certificate(env);
    let parse = |text: &str| Endpoint::parse(text, options.allows_plain_http);
    let service = parse(&options.endpoint)?;
    let given = options.api_endpoint.as_deref().map(parse).transpose()?;
    let explicit = given.is_some() || !service.is_bare();
    let endpoint = given.unwrap_or_else(|| service.clone());
    if options.http_client.is_some() {
        refuse_certificates_for_foreign_clients(options, wants_certificate, explicit)?;
    }
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
    // Not read for an explicit endpoint: what is wrong with it must not fail a
    // client that has no use for it.
    let mtls = !explicit && wants_mtls_endpoint(env, own || certificate.is_some())?;
    let endpoint = if mtls { service.to_mtls() } else { endpoint };
    Ok(EndpointChoice { endpoint, certificate })
}

fn wants_certificate(env: &dyn Env) -> bool {
    let value = [USE_CERTIFICATE, USE_CERTIFICATE_OF_GCLOUD].iter().find_map(|name| env.var(name));
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Case does not matter and an empty value is `auto`, which Python refuses.
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

/// A wish that cannot be granted fails: an HTTP client of the caller's is not
/// ours to hand a certificate to.
fn refuse_certificates_for_foreign_clients(
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
