//! Workload and workforce identity ([AIP-4117]): the token of another identity
//! provider, exchanged for one of Google's, and that one for the token of a
//! service account if the file says so.
//!
//! ```text
//! credential_source                          subject token from
//!   file          file.rs                    a file, such as a Kubernetes volume
//!   url           url.rs                     a server, such as that of GitHub
//!   executable    executable, process, argv  a program, if the environment allows it
//!   environment_id = aws1                    a signed request
//!                 aws, container, sigv4
//!   certificate   certificate.rs             a client certificate
//!      │
//!      ▼ subject token
//!   sts::TokenExchange ──► access token ──► impersonation, if the file has a target
//! ```
//!
//! Nothing is cached between the steps: all of them run for each token, about
//! once an hour. A source reads its file or calls its server each time, because
//! other programs rotate what is there.
//!
//! [AIP-4117]: https://google.aip.dev/auth/4117

mod argv;
mod aws;
mod certificate;
mod container;
mod executable;
mod file;
mod process;
mod sigv4;
#[cfg(test)]
mod tests;
mod url;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::auth::impersonation::{self, CredentialsProfile, ImpersonationRequest, ImpersonationTarget};
use crate::auth::key_file::KeyFile;
use crate::auth::sts::{StsClientAuth, TokenExchange};
use crate::auth::token_text::token_text;
use crate::auth::{AccessToken, Credentials, DEFAULT_UNIVERSE, TokenError, TokenProvider, TokenRequest};
use crate::error::Error;
use crate::util::env::Env;
use crate::util::excerpt::shown;
use crate::util::secret::Secret;
use aws::AwsSource;
use certificate::WorkloadCertificate;
use executable::ExecutableSource;
use file::SubjectTokenFile;
use url::TokenUrl;

/// Reads a file of type `external_account`, as `gcloud iam
/// workload-identity-pools create-cred-config` writes it.
///
/// # Errors
///
/// `ErrorKind::Config`, if a field is missing or invalid, or the policy rejects
/// a URL. What depends on the environment is checked when a client is built.
pub(super) fn from_key_file(mut file: KeyFile) -> Result<Credentials, Error> {
    file.expect_type("external_account")?;
    let [audience, subject_token_type] = file.require(["audience", "subject_token_type"])?;
    let universe_domain = file.text("universe_domain")?.unwrap_or_else(|| DEFAULT_UNIVERSE.to_owned());
    let quota_project = file.text("quota_project_id")?;
    let Some(mut source) = file.object("credential_source")? else {
        return Err(file.error("lacks `credential_source`"));
    };
    let certificate = source.object("certificate")?;
    // Taken under the policy even with a certificate, which changes its host.
    let token_url = file.url("token_url")?;
    let token_url = match certificate {
        Some(_) => certificate::token_url(token_url, &universe_domain),
        None => token_url.unwrap_or_else(|| format!("https://sts.{universe_domain}/v1/token")),
    };
    let exchange = TokenExchange {
        token_url,
        user_project: user_project(&mut file, &audience)?,
        client: StsClientAuth::take(&mut file)?,
        audience: audience.to_string(),
        subject_token_type: subject_token_type.to_string(),
    };
    let target = ImpersonationTarget::take(&mut file)?;
    let source = SubjectTokenSource::from_key_file(source, certificate, &exchange, target.as_ref())?;
    let label = format!("external account ({})", source.name());
    let exchanged =
        exchanged(label.clone(), source, exchange, quota_project.clone(), universe_domain.clone());
    Ok(match target {
        None => exchanged,
        Some(target) => {
            let label = format!("{label} as service account `{}`", shown(&target.email));
            let profile = CredentialsProfile { label, quota_project, universe_domain: Some(universe_domain) };
            impersonation::impersonate(
                exchanged,
                ImpersonationRequest { target, scoped: true, scopes: Vec::new() },
                profile,
            )
        }
    })
}

/// Returns the credentials of the identity itself. Some sources need the
/// environment, so it is resolved when a client is built.
fn exchanged(
    label: String,
    source: SubjectTokenSource,
    exchange: TokenExchange,
    quota_project: Option<String>,
    universe_domain: String,
) -> Credentials {
    let exchange = Arc::new(exchange);
    Credentials::deferred(label.clone(), move |env| {
        let source = source.resolve(env).map_err(|why| Error::credentials(&label, why))?;
        Ok(Credentials::of_source(
            label.clone(),
            ExternalIdentity { source, exchange: Arc::clone(&exchange) },
        )
        .with_quota_project(quota_project.clone())
        .with_universe_domain(universe_domain.clone()))
    })
}

/// Takes the project of a user of a workforce pool. Only people have one.
fn user_project(file: &mut KeyFile, audience: &str) -> Result<Option<String>, Error> {
    const NAME: &str = "workforce_pool_user_project";
    let project = file.text(NAME)?;
    if project.is_some() && !is_workforce(audience) {
        return Err(file.error(format_args!("has a `{NAME}`, but its `audience` is no workforce pool")));
    }
    Ok(project)
}

/// Returns whether an audience is a workforce pool (people) rather than a
/// workload pool (programs).
///
/// ```text
/// //iam.googleapis.com/locations/global/workforcePools/p/providers/q    true
/// //iam.googleapis.com/projects/1/locations/global/workload…            false
/// ```
fn is_workforce(audience: &str) -> bool {
    let rest = audience.strip_prefix("//iam.googleapis.com/locations/");
    rest.and_then(|rest| rest.split_once('/'))
        .is_some_and(|(location, rest)| !location.is_empty() && rest.starts_with("workforcePools/"))
}

/// Fetches a subject token and exchanges it, at every call.
#[derive(Debug)]
struct ExternalIdentity {
    /// Resolved in the environment of the client.
    source: SubjectTokenSource,
    exchange: Arc<TokenExchange>,
}

impl TokenProvider for ExternalIdentity {
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        let subject_token = match &self.source {
            SubjectTokenSource::Aws(source) => source.subject_token(request),
            SubjectTokenSource::Certificate(source) => return source.token(request, &self.exchange),
            SubjectTokenSource::Executable(source) => source.subject_token(request),
            SubjectTokenSource::File(source) => source.subject_token(request),
            SubjectTokenSource::Url(source) => source.subject_token(request),
        }?;
        self.exchange.token(request, &subject_token)
    }
}

/// Where the subject token comes from.
#[derive(Clone, Debug)]
enum SubjectTokenSource {
    Aws(AwsSource),
    Certificate(WorkloadCertificate),
    Executable(Box<ExecutableSource>),
    File(SubjectTokenFile),
    Url(TokenUrl),
}

impl SubjectTokenSource {
    /// Reads `credential_source`, which must name exactly one source.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Config`, with the list of sources.
    fn from_key_file(
        mut file: KeyFile,
        certificate: Option<KeyFile>,
        exchange: &TokenExchange,
        target: Option<&ImpersonationTarget>,
    ) -> Result<Self, Error> {
        // Files for AWS also have a `url`, with another meaning.
        if let Some(id) = file.text("environment_id")? {
            return AwsSource::from_key_file(file, &id, &exchange.audience).map(Self::Aws);
        }
        match (file.text("file")?, file.source_url("url")?, file.object("executable")?, certificate) {
            (Some(path), None, None, None) => {
                Ok(Self::File(SubjectTokenFile::new(path, SubjectTokenFormat::take(&mut file)?)))
            }
            (None, Some(url), None, None) => TokenUrl::from_key_file(file, url).map(Self::Url),
            (None, None, Some(executable), None) => {
                ExecutableSource::from_key_file(executable, exchange, target)
                    .map(|source| Self::Executable(Box::new(source)))
            }
            (None, None, None, Some(certificate)) => {
                WorkloadCertificate::from_key_file(certificate).map(Self::Certificate)
            }
            (None, None, None, None) => Err(file.error(format_args!("lacks {SOURCES}"))),
            _ => Err(file.error(format_args!("has more than one of {SOURCES}"))),
        }
    }

    /// Reads the environment, as far as the source depends on it. The error
    /// names what is missing.
    fn resolve(&self, env: &dyn Env) -> Result<Self, String> {
        match self {
            Self::Aws(source) => source.resolve(env).map(Self::Aws),
            Self::Certificate(source) => source.resolve(env).map(Self::Certificate),
            Self::Executable(source) => source.check_allowed(env).map(|()| self.clone()),
            Self::File(_) | Self::Url(_) => Ok(self.clone()),
        }
    }

    /// Returns the name of the source in messages.
    fn name(&self) -> &'static str {
        match self {
            Self::Aws(_) => "aws",
            Self::Certificate(_) => "certificate",
            Self::Executable(_) => "executable",
            Self::File(_) => "file",
            Self::Url(_) => "url",
        }
    }
}

/// How a subject token is contained in a file or a response.
#[derive(Clone, Debug)]
enum SubjectTokenFormat {
    /// It is the whole text.
    Text,
    /// It is the value of a field.
    Json { field: String },
}

impl SubjectTokenFormat {
    /// Takes `format`; text is the default.
    fn take(file: &mut KeyFile) -> Result<Self, Error> {
        let Some(mut format) = file.object("format")? else { return Ok(Self::Text) };
        match format.text("type")?.as_deref() {
            None | Some("text") => Ok(Self::Text),
            Some("json") => match format.text(FIELD)? {
                Some(field) => Ok(Self::Json { field }),
                None => Err(format.error(format_args!("is of type `json` and lacks `{FIELD}`"))),
            },
            Some(_) => Err(format.error("is of another `type` than `text` and `json`")),
        }
    }

    /// Reads the token from `bytes`, which messages call `origin`.
    fn read(&self, origin: &str, bytes: &[u8]) -> Result<Secret, TokenError> {
        let wrong = |why: &str| TokenError::permanent(format!("{origin} {why}"));
        match self {
            Self::Text => token_text(bytes).map(|text| Secret::new(text.to_owned())).map_err(wrong),
            Self::Json { field } => {
                let text = str::from_utf8(bytes).map_err(|_| wrong("is not UTF-8 text"))?;
                let text = text.strip_prefix('\u{feff}').unwrap_or(text);
                // Slices of the text, so that nothing but the token itself is
                // copied.
                let fields: BTreeMap<String, &RawValue> =
                    serde_json::from_str(text).map_err(|_| wrong("is not a JSON object"))?;
                let token = fields.get(field).and_then(|raw| serde_json::from_str::<Secret>(raw.get()).ok());
                token
                    .filter(|token| !token.expose().is_empty())
                    .ok_or_else(|| wrong(&format!("has no text as `{}`, its `{FIELD}`", shown(field))))
            }
        }
    }
}

/// The most bytes that a source may return: the token, and what is around it.
const MAX_LEN: usize = 1 << 20;
/// The field that names the field of the token.
const FIELD: &str = "subject_token_field_name";
/// What messages list.
const SOURCES: &str = "`file`, `url`, `executable`, `certificate` or, for AWS, `environment_id`";
