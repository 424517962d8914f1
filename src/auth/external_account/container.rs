//! The AWS keys of a container: ECS and Fargate tasks, and pods with EKS Pod
//! Identity.
//!
//! Two environment variables name the endpoint that issues them, and two more
//! what authorizes the request, as in the [AWS SDKs]. The platform sets them. A
//! process that can set them could send the authorization token anywhere, so
//! plain `http` is accepted for the fixed addresses and loopback only.
//!
//! ```text
//! AWS_CONTAINER_CREDENTIALS_RELATIVE_URI   path at http://169.254.170.2
//! AWS_CONTAINER_CREDENTIALS_FULL_URI       a URL
//! AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE   a file with a header value
//! AWS_CONTAINER_AUTHORIZATION_TOKEN        a header value
//! ```
//!
//! [AWS SDKs]: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html

use std::path::PathBuf;

use super::sigv4::AwsKeys;
use super::{file, url};
use crate::auth::url::Url;
use crate::auth::{TokenError, TokenRequest, token_endpoint};
use crate::http::HttpMethod;
use crate::util::env::Env;
use crate::util::excerpt::shown;
use crate::util::secret::Secret;

/// The endpoint of the keys, as the environment names it.
#[derive(Clone, Debug)]
pub(super) struct ContainerEndpoint {
    /// The checked URL.
    url: String,
    authorization: ContainerAuthorization,
}

/// The source of the `authorization` header.
#[derive(Clone, Debug)]
enum ContainerAuthorization {
    None,
    Value(Secret),
    /// Read for every request, because the platform replaces it.
    File(PathBuf),
}

impl ContainerEndpoint {
    /// Returns the endpoint that the environment names; `None` if it names
    /// none.
    ///
    /// # Errors
    ///
    /// Says what is wrong with a variable.
    pub(super) fn of(env: &dyn Env) -> Result<Option<Self>, String> {
        let url = match (env.var(RELATIVE_URI), env.var(FULL_URI)) {
            // The relative URI first, as in the AWS SDKs.
            (Some(path), _) => relative(&path)?,
            (None, Some(url)) => full(url)?,
            (None, None) => return Ok(None),
        };
        let authorization = match (env.var(TOKEN_FILE), env.var(TOKEN)) {
            (Some(path), _) => ContainerAuthorization::File(path.into()),
            (None, Some(token)) => {
                let token =
                    header_value(&token).map_err(|why| format!("cannot use `{TOKEN}`, which {why}"))?;
                ContainerAuthorization::Value(token)
            }
            (None, None) => ContainerAuthorization::None,
        };
        Ok(Some(Self { url, authorization }))
    }

    /// Fetches the keys.
    pub(super) fn keys(&self, request: &TokenRequest<'_>) -> Result<AwsKeys, TokenError> {
        let read;
        let authorization = match &self.authorization {
            ContainerAuthorization::None => None,
            ContainerAuthorization::Value(token) => Some(token),
            ContainerAuthorization::File(path) => {
                read = self::read(path, request)?;
                Some(&read)
            }
        };
        let header = authorization.map(|token| ("authorization", token.expose()));
        let body = url::fetch(request, HttpMethod::Get, &self.url, header.as_slice())?;
        AwsKeys::from_json(&body).ok_or_else(|| {
            let host = token_endpoint::host_of(&self.url);
            TokenError::permanent(format!(
                "the container endpoint at {host} gave no AWS security credentials"
            ))
        })
    }
}

/// Returns the URL of a path at ECS.
fn relative(path: &str) -> Result<String, String> {
    let url = format!("http://{ECS}{path}");
    // The host must end where the path begins: `@evil.example` would change it.
    match Url::parse(&url) {
        Ok(parsed) if path.starts_with('/') && parsed.host == ECS => Ok(url),
        _ => Err(format!(
            "cannot use `{RELATIVE_URI}`: `{}` is not a path such as `/v2/credentials/…`",
            shown(path)
        )),
    }
}

/// Checks a URL of the endpoint.
fn full(url: String) -> Result<String, String> {
    let parsed = Url::parse(&url).map_err(|why| format!("cannot use `{FULL_URI}`, which {why}"))?;
    // The request carries the authorization token.
    if parsed.is_https || parsed.is_loopback() || parsed.is_aws_container() {
        return Ok(url);
    }
    Err(format!(
        "cannot use `{FULL_URI}`: plain http to {} is not allowed, expected https, a loopback address, \
         169.254.170.2, 169.254.170.23 or fd00:ec2::23",
        shown(parsed.host)
    ))
}

/// Reads the authorization token from its file.
fn read(path: &std::path::Path, request: &TokenRequest<'_>) -> Result<Secret, TokenError> {
    let origin = format!("AWS authorization token file `{}`", crate::util::file::shown(path));
    let text = file::read(path, &origin, request)?;
    let text = str::from_utf8(&text).map_err(|_| "is not UTF-8 text");
    text.and_then(header_value).map_err(|why| TokenError::permanent(format!("{origin} {why}")))
}

/// Returns a header value without the white space around it, such as the line
/// break that an editor leaves. A line break inside would begin another header.
fn header_value(text: &str) -> Result<Secret, &'static str> {
    match text.strip_prefix('\u{feff}').unwrap_or(text).trim() {
        "" => Err("is empty"),
        token if token.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => Ok(Secret::new(token.to_owned())),
        _ => Err("holds a line break or another character that no header can carry"),
    }
}

const RELATIVE_URI: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
/// The address at which ECS issues the keys of a task.
const ECS: &str = "169.254.170.2";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn endpoint(variables: &[(&str, &str)]) -> Result<Option<ContainerEndpoint>, String> {
        let env: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ContainerEndpoint::of(&env)
    }

    #[test]
    fn plain_http_goes_to_the_endpoints_of_aws_and_to_this_machine_only() {
        let rows = [
            ("http://169.254.170.2/v2/x", true),
            ("http://169.254.170.23/v1/credentials", true),
            ("http://[fd00:ec2::23]/v1/credentials", true),
            ("http://[fd00:0ec2:0:0:0:0:0:23]:80/v1", true),
            ("http://127.0.0.1:8080/x", true),
            ("http://[::1]/x", true),
            ("http://localhost/x", true),
            ("https://credentials.example.com/x", true),
            ("http://169.254.169.254/latest/", false),
            ("http://169.254.170.22/", false),
            ("http://[fd00:ec2::254]/", false),
            ("http://credentials.example.com/", false),
            ("http://169.254.170.2.example.com/", false),
            ("http://169.254.170.2@example.com/", false),
            ("http://localhost.example.com/", false),
            ("http://10.0.0.1/", false),
            ("ftp://127.0.0.1/", false),
            ("/v2/credentials", false),
            ("http://127.0.0.1/\r\nx: y", false),
        ];
        for (url, allowed) in rows {
            let found = endpoint(&[(FULL_URI, url)]);
            assert_eq!(
                found.as_ref().ok().and_then(Option::as_ref).map(|found| found.url.as_str()),
                allowed.then_some(url),
                "{found:?}"
            );
            if let Err(why) = found {
                assert!(why.contains(FULL_URI) && !why.contains('\n'), "{url}: {why}");
            }
        }
    }

    #[test]
    fn a_relative_uri_stays_on_its_host_and_goes_first() {
        let found = endpoint(&[(RELATIVE_URI, "/v2/credentials/1?x=2"), (FULL_URI, "http://10.0.0.1/")]);
        assert_eq!(found.unwrap().unwrap().url, "http://169.254.170.2/v2/credentials/1?x=2");
        for path in ["v2/credentials", ".example.com/", "@example.com/", ":80/", "//a b", "/x\r\ny: z"] {
            let why = endpoint(&[(RELATIVE_URI, path)]).expect_err(path);
            assert!(why.contains(RELATIVE_URI) && !why.contains('\n'), "{path}: {why}");
        }
        assert!(endpoint(&[]).unwrap().is_none());
        assert!(endpoint(&[(TOKEN, "CANARY")]).unwrap().is_none(), "a token alone names no endpoint");
    }

    #[test]
    fn tokens_that_would_add_a_header_are_refused_without_being_shown() {
        let path = [(RELATIVE_URI, "/x")];
        for token in ["CANARY\r\nx-evil: 1", "CANARY\nx", "CANARY\u{7f}", "CANARY\u{e9}", "CANARY\tx", " \n"]
        {
            let why = endpoint(&[path[0], (TOKEN, token)]).expect_err(token);
            assert!(why.contains(TOKEN) && !why.contains("CANARY"), "{why}");
        }
        for token in ["CANARY", "Basic CANARY==", "CANARY\r\n"] {
            let found = endpoint(&[path[0], (TOKEN, token)]).unwrap().unwrap();
            assert!(!format!("{found:?}").contains("CANARY"), "{found:?}");
            let ContainerAuthorization::Value(value) = found.authorization else { panic!("{token}") };
            assert_eq!(value.expose(), token.trim());
        }
    }
}
