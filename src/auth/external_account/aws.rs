//! A subject token that AWS stands behind: a signed request that tells Google
//! who this machine is.

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

#[derive(Clone, Debug)]
pub(super) struct AwsSource {
    region: RegionOrigin,
    keys: KeyOrigin,
    /// Where the token for all other requests to the metadata server comes from
    /// (IMDSv2).
    session_url: Option<String>,
    verification_url: String,
    /// The audience of the token: signed, so that it cannot be used elsewhere.
    audience: String,
}

/// Where the region comes from.
#[derive(Clone, Debug)]
enum RegionOrigin {
    Environment(String),
    Metadata(String),
    /// The file has no URL for it.
    Nowhere,
}

/// Where the keys come from.
#[derive(Clone, Debug)]
enum KeyOrigin {
    Environment(Arc<AwsKeys>),
    Container(ContainerEndpoint),
    Metadata(String),
    /// The file has no URL for them.
    Nowhere,
}

impl AwsSource {
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

    /// Takes from the environment what it has: it wins over the metadata
    /// server, and keys over the endpoint of a container.
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
            (RegionOrigin::Nowhere, _) => Err("has no `region_url`, and `AWS_REGION` is not set".into()),
            (_, KeyOrigin::Nowhere) => Err("has no `url`, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` \
                are not both set, and no `AWS_CONTAINER_CREDENTIALS_…_URI` is"
                .into()),
            _ => Ok(resolved),
        }
    }

    /// Returns the request that was signed, percent-encoded JSON.
    pub(super) fn subject_token(&self, request: &TokenRequest<'_>) -> Result<Secret, TokenError> {
        let metadata = Metadata::open(self, request)?;
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
            .filter(|_| is_region(&region))
            .and_then(|target| sigv4::sign("POST", target, &resource, &keys, &region, request.now))
            .ok_or_else(|| TokenError::permanent("the AWS region has a name that cannot be one"))?;
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| json!({ "key": name, "value": value.as_str() })).collect();
        let signed = json!({ "url": url, "method": "POST", "headers": headers });
        Ok(Secret::new(encode(&Zeroizing::new(signed.to_string()))))
    }
}

/// The metadata server of AWS, as one token request talks to it.
struct Metadata<'a> {
    request: TokenRequest<'a>,
    session: Option<Zeroizing<String>>,
}

impl<'a> Metadata<'a> {
    /// Fetches a session token, if it is needed.
    fn open(aws: &AwsSource, request: &TokenRequest<'a>) -> Result<Self, TokenError> {
        let mut metadata = Self { request: *request, session: None };
        let needed =
            matches!(aws.region, RegionOrigin::Metadata(_)) || matches!(aws.keys, KeyOrigin::Metadata(_));
        if let Some(url) = aws.session_url.as_deref().filter(|_| needed) {
            let lifetime = [("x-aws-ec2-metadata-token-ttl-seconds", "300")];
            let body = fetch(request, HttpMethod::Put, url, &lifetime)?;
            metadata.session = Some(text(&body, "session token")?);
        }
        Ok(metadata)
    }

    /// Returns the zone without its letter: `us-east-2` of `us-east-2b`.
    fn region(&self, url: &str) -> Result<String, TokenError> {
        let mut zone = text(&self.get(url)?, "availability zone")?;
        zone.pop();
        Ok(zone.to_string())
    }

    fn keys(&self, url: &str) -> Result<AwsKeys, TokenError> {
        let role = text(&self.get(url)?, "role")?;
        let url = [url.trim_end_matches('/'), "/", &encode(&role)].concat();
        AwsKeys::from_json(&self.get(&url)?).ok_or_else(|| {
            TokenError::permanent("the AWS metadata server gave no security credentials for its role")
        })
    }

    fn get(&self, url: &str) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        let session = self.session.as_ref().map(|token| ("x-aws-ec2-metadata-token", token.as_str()));
        fetch(&self.request, HttpMethod::Get, url, session.as_slice())
    }
}

fn keys_of(env: &dyn Env) -> Option<AwsKeys> {
    let secret = |name| env.var(name).map(Secret::new);
    Some(AwsKeys {
        access_key_id: env.var("AWS_ACCESS_KEY_ID")?,
        secret_access_key: secret("AWS_SECRET_ACCESS_KEY")?,
        session_token: secret("AWS_SESSION_TOKEN"),
    })
}

fn in_region(url: &str, region: &str) -> String {
    url.replace("{region}", region)
}

fn is_region(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn text(body: &[u8], what: &str) -> Result<Zeroizing<String>, TokenError> {
    match str::from_utf8(body).map(str::trim) {
        Ok(text) if !text.is_empty() => Ok(Zeroizing::new(text.to_owned())),
        _ => Err(TokenError::permanent(format!("the AWS metadata server gave no {what}"))),
    }
}

const VERIFICATION_URL: &str = "regional_cred_verification_url";
