//! A subject token for which AWS vouches: a signed request to
//! `GetCallerIdentity` of AWS STS, which this machine does not send. Google
//! sends it, and AWS says whose signature it is.
//!
//! ```text
//! region     AWS_REGION, AWS_DEFAULT_REGION, else region_url
//! keys       AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
//!            else AWS_CONTAINER_CREDENTIALS_…_URI      (container)
//!            else url of the metadata server, for the role of the machine
//! sign       POST regional_cred_verification_url       (sigv4)
//! token      percent-encoded JSON of that request
//! ```
//!
//! All URLs of the metadata server have to be its fixed addresses, because
//! [AIP-4117](https://google.aip.dev/auth/4117) allows no other. If the file
//! names a URL for it, each request to that server has a session token
//! (IMDSv2).

use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroizing;

use super::container::ContainerEndpoint;
use super::sigv4::{self, AwsKeys, SignatureTarget};
use super::url::fetch;
use crate::auth::key_file::KeyFile;
use crate::auth::{TokenError, TokenRequest};
use crate::error::Error;
use crate::http::HttpMethod;
use crate::util::env::Env;
use crate::util::excerpt::shown;
use crate::util::percent::encode;
use crate::util::secret::Secret;

/// `credential_source` with `environment_id`, before or after the environment
/// was read.
#[derive(Clone, Debug)]
pub(super) struct AwsSource {
    /// Where the region comes from.
    region: RegionOrigin,
    /// Where the keys come from.
    keys: KeyOrigin,
    /// Where the token for all other requests to the metadata server comes from
    /// (IMDSv2).
    session_url: Option<String>,
    /// The URL of the signed request, with `{region}` in its host.
    verification_url: String,
    /// The audience of the token. It is signed, so that the token cannot be
    /// used elsewhere.
    audience: String,
}

/// Where the region comes from.
#[derive(Clone, Debug)]
enum RegionOrigin {
    /// The name of the region.
    Environment(String),
    /// A URL of the metadata server, which returns the zone.
    Metadata(String),
    /// The file has no URL for it.
    Nowhere,
}

/// Where the keys come from.
#[derive(Clone, Debug)]
enum KeyOrigin {
    /// The keys themselves.
    Environment(Arc<AwsKeys>),
    /// The endpoint of ECS or EKS.
    Container(ContainerEndpoint),
    /// A URL of the metadata server, which lists the role of the machine.
    Metadata(String),
    /// The file has no URL for them.
    Nowhere,
}

impl AwsSource {
    /// Reads `credential_source`.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Config`, if it is of another version than `aws1`, or a URL
    /// is not one of the metadata server.
    pub(super) fn from_key_file(
        mut file: KeyFile,
        environment_id: &str,
        audience: &str,
    ) -> Result<Self, Error> {
        if environment_id != "aws1" {
            let found: String = environment_id.chars().take(40).collect();
            let found = shown(&found);
            return Err(file.error(format_args!("has `{found}` as `environment_id`: expected `aws1`")));
        }
        let [verification_url] = file.require([VERIFICATION_URL])?;
        // Checked with any region: the real one is known later.
        if SignatureTarget::parse(&in_region(&verification_url, "us-east-1")).is_none() {
            return Err(file.error(format_args!("has a `{VERIFICATION_URL}` that is no plain https URL")));
        }
        Ok(Self {
            region: file.aws_url("region_url")?.map_or(RegionOrigin::Nowhere, RegionOrigin::Metadata),
            keys: file.aws_url("url")?.map_or(KeyOrigin::Nowhere, KeyOrigin::Metadata),
            session_url: file.aws_url("imdsv2_session_token_url")?,
            verification_url: verification_url.to_string(),
            audience: audience.to_owned(),
        })
    }

    /// Takes from the environment what it has. The environment goes before the
    /// metadata server, and keys go before the endpoint of a container.
    pub(super) fn resolve(&self, env: &dyn Env) -> Result<Self, String> {
        let mut resolved = self.clone();
        if let Some(region) = env.var("AWS_REGION").or_else(|| env.var("AWS_DEFAULT_REGION")) {
            resolved.region = RegionOrigin::Environment(region);
        }
        if let Some(keys) = keys_of(env) {
            resolved.keys = KeyOrigin::Environment(Arc::new(keys));
        } else if let Some(endpoint) = ContainerEndpoint::of(env)? {
            resolved.keys = KeyOrigin::Container(endpoint);
        }
        match (&resolved.region, &resolved.keys) {
            // Now rather than at the first token: nothing will change.
            (RegionOrigin::Nowhere, _) => Err("has no `region_url`, and `AWS_REGION` is not set".into()),
            (_, KeyOrigin::Nowhere) => Err("has no `url`, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` \
                are not both set, and no `AWS_CONTAINER_CREDENTIALS_…_URI` is"
                .into()),
            _ => Ok(resolved),
        }
    }

    /// Returns the signed request as percent-encoded JSON.
    pub(super) fn subject_token(&self, request: &TokenRequest<'_>) -> Result<Secret, TokenError> {
        let metadata = AwsMetadata::open(self, request)?;
        let region = match &self.region {
            RegionOrigin::Environment(region) => region.clone(),
            RegionOrigin::Metadata(url) => metadata.region(url)?,
            RegionOrigin::Nowhere => return Err(TokenError::permanent("has no AWS region")),
        };
        let keys = match &self.keys {
            KeyOrigin::Environment(keys) => Arc::clone(keys),
            KeyOrigin::Container(endpoint) => Arc::new(endpoint.keys(request)?),
            KeyOrigin::Metadata(url) => Arc::new(metadata.keys(url)?),
            KeyOrigin::Nowhere => return Err(TokenError::permanent("has no AWS security credentials")),
        };
        let url = in_region(&self.verification_url, &region);
        let resource = [("x-goog-cloud-target-resource", self.audience.as_str())];
        let headers = SignatureTarget::parse(&url)
            // The region becomes a part of the host to which Google sends the
            // request.
            .filter(|_| is_region(&region))
            .and_then(|target| sigv4::sign("POST", target, &resource, &keys, &region, request.now))
            .ok_or_else(|| TokenError::permanent("the AWS region has a name that cannot be one"))?;
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| json!({ "key": name, "value": value.as_str() })).collect();
        let signed = json!({ "url": url, "method": "POST", "headers": headers });
        Ok(Secret::new(encode(&Zeroizing::new(signed.to_string()))))
    }
}

/// The metadata server of AWS during one token request.
struct AwsMetadata<'a> {
    /// Whose deadline all its requests share.
    request: TokenRequest<'a>,
    /// The session token; `None` if the file has no URL for it.
    session: Option<Zeroizing<String>>,
}

impl<'a> AwsMetadata<'a> {
    /// Fetches a session token, if the metadata server is needed and the file
    /// has a URL for it.
    fn open(aws: &AwsSource, request: &TokenRequest<'a>) -> Result<Self, TokenError> {
        let mut metadata = Self { request: *request, session: None };
        // A program with keys and region in its environment may run anywhere,
        // where this server does not exist.
        let needed =
            matches!(aws.region, RegionOrigin::Metadata(_)) || matches!(aws.keys, KeyOrigin::Metadata(_));
        if let Some(url) = aws.session_url.as_deref().filter(|_| needed) {
            // Five minutes: it is used at once and never again.
            let lifetime = [("x-aws-ec2-metadata-token-ttl-seconds", "300")];
            let body = fetch(request, HttpMethod::Put, url, &lifetime)?;
            metadata.session = Some(text(&body, "session token")?);
        }
        Ok(metadata)
    }

    /// Returns the zone without its letter: `us-east-2` of `us-east-2b`.
    fn region(&self, url: &str) -> Result<String, TokenError> {
        let mut zone = text(&self.get(url)?, "availability zone")?;
        // AWS returns the zone; the region is all but its last letter.
        zone.pop();
        Ok(zone.to_string())
    }

    /// Fetches the keys of the role of this machine: first its name, then its
    /// keys.
    fn keys(&self, url: &str) -> Result<AwsKeys, TokenError> {
        let role = text(&self.get(url)?, "role")?;
        // Encoded, so that a role cannot change the path.
        let url = [url.trim_end_matches('/'), "/", &encode(&role)].concat();
        AwsKeys::from_json(&self.get(&url)?).ok_or_else(|| {
            TokenError::permanent("the AWS metadata server gave no security credentials for its role")
        })
    }

    /// Sends a request to the metadata server, with the session token.
    fn get(&self, url: &str) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        let session = self.session.as_ref().map(|token| ("x-aws-ec2-metadata-token", token.as_str()));
        fetch(&self.request, HttpMethod::Get, url, session.as_slice())
    }
}

/// Returns the keys in the environment; `None` unless both are set.
fn keys_of(env: &dyn Env) -> Option<AwsKeys> {
    let secret = |name| env.var(name).map(Secret::new);
    Some(AwsKeys {
        access_key_id: env.var("AWS_ACCESS_KEY_ID")?,
        secret_access_key: secret("AWS_SECRET_ACCESS_KEY")?,
        session_token: secret("AWS_SESSION_TOKEN"),
    })
}

/// Returns a URL for one region.
fn in_region(url: &str, region: &str) -> String {
    url.replace("{region}", region)
}

/// Returns whether a text can be the name of a region.
fn is_region(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Returns a response as text; `what` is what messages call it.
fn text(body: &[u8], what: &str) -> Result<Zeroizing<String>, TokenError> {
    match str::from_utf8(body).map(str::trim) {
        Ok(text) if !text.is_empty() => Ok(Zeroizing::new(text.to_owned())),
        _ => Err(TokenError::permanent(format!("the AWS metadata server gave no {what}"))),
    }
}

/// The field with the URL of the signed request.
const VERIFICATION_URL: &str = "regional_cred_verification_url";
