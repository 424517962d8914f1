//! [AWS Signature Version 4], for requests without a body and with plain URLs.
//!
//! ```text
//! canonical request ─ SHA-256 ─► string to sign ─┐
//! secret key ─ HMAC day, region, service ─► key ─┴─ HMAC ─► signature
//! ```
//!
//! A URL is accepted only if no byte of it has to be encoded or normalized
//! before it is signed. So there is no encoding here that could differ from
//! that of AWS.
//!
//! [AWS Signature Version 4]: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

use serde::Deserialize;
use std::fmt::Write;
use std::time::SystemTime;

use prost_types::Timestamp;
use ring::{digest, hmac};
use zeroize::Zeroizing;

use crate::json;
use crate::util::secret::Secret;
use crate::util::url::UrlParts;

/// Security credentials of AWS.
#[derive(Debug)]
pub(super) struct AwsKeys {
    /// The name of the key, which is part of a signed request.
    pub(super) access_key_id: String,
    /// The key itself, which never leaves this machine.
    pub(super) secret_access_key: Secret,
    /// Sent with requests that temporary keys sign.
    pub(super) session_token: Option<Secret>,
}

impl AwsKeys {
    /// Parses the keys that the metadata server or the endpoint of a container
    /// issued; `None` if it is something else.
    pub(super) fn from_json(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct IssuedKeys {
            access_key_id: String,
            secret_access_key: Secret,
            token: Option<Secret>,
        }

        let IssuedKeys { access_key_id, secret_access_key, token } = serde_json::from_slice(body).ok()?;
        let session_token = token.filter(|token| !token.expose().is_empty());
        Some(Self { access_key_id, secret_access_key, session_token })
    }
}

/// Where a signed request goes: the parts of an https URL that are signed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SignatureTarget<'a> {
    /// In lowercase.
    pub(super) host: &'a str,
    /// Begins with a slash.
    pub(super) path: &'a str,
    /// Without the question mark; may be empty.
    pub(super) query: &'a str,
}

impl<'a> SignatureTarget<'a> {
    /// Accepts an https URL of which no byte has to be encoded or normalized
    /// before it is signed; `None` for any other.
    pub(super) fn parse(url: &'a str) -> Option<Self> {
        let UrlParts { host, target, .. } =
            UrlParts::split(url).filter(|url| url.scheme == "https" && url.host == url.authority)?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let plain = |byte: u8, also: &[u8]| byte.is_ascii_alphanumeric() || also.contains(&byte);
        // Anything else would have to be normalized as AWS does it.
        let valid = !host.starts_with(['.', '-'])
            && !host.is_empty()
            && host.bytes().all(|byte| plain(byte, b".-") && !byte.is_ascii_uppercase())
            && !path.contains("//")
            && path.split('/').all(|segment| segment != "." && segment != "..")
            && path.bytes().all(|byte| plain(byte, b"-._~/"))
            && query.bytes().all(|byte| plain(byte, b"-._~%&="));
        valid.then_some(Self { host, path: if path.is_empty() { "/" } else { path }, query })
    }

    /// Returns the AWS service in a host.
    ///
    /// ```text
    /// sts.us-east-1.amazonaws.com          sts
    /// sts-fips.us-east-1.amazonaws.com     sts
    /// ```
    fn service(&self) -> &'a str {
        let label = self.host.split('.').next().unwrap_or_default();
        label.strip_suffix("-fips").unwrap_or(label)
    }
}

/// Returns the headers that make `method` on `target` a request signed by
/// `keys`: `extra`, those that AWS requires, and `Authorization`. The headers
/// with names in lowercase are signed.
///
/// `None` if `now` cannot be written as a date.
pub(super) fn sign(
    method: &str,
    target: SignatureTarget<'_>,
    extra: &[(&'static str, &str)],
    keys: &AwsKeys,
    region: &str,
    now: SystemTime,
) -> Option<Vec<(&'static str, Zeroizing<String>)>> {
    sign_for(target.service(), method, target, extra, keys, region, &date(now)?).into()
}

/// Signs for a service and a date, as the test vectors of AWS have them.
fn sign_for(
    service: &str,
    method: &str,
    target: SignatureTarget<'_>,
    extra: &[(&'static str, &str)],
    keys: &AwsKeys,
    region: &str,
    date: &str,
) -> Vec<(&'static str, Zeroizing<String>)> {
    let own = [("host", target.host), ("x-amz-date", date)];
    let session = keys.session_token.as_ref().map(|token| ("x-amz-security-token", token.expose()));
    let mut headers: Vec<_> = own.iter().chain(session.iter()).chain(extra).collect();
    // AWS sorts them by name too, so the signature does not depend on the
    // order.
    headers.sort_unstable();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    // The key is derived for one day.
    let day = date.get(..8).unwrap_or_default();
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let canonical = canonical_request(method, target, &headers, &names);
    let digest = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let text = format!("{ALGORITHM}\n{date}\n{scope}\n{digest}");
    let signature = signature(&keys.secret_access_key, [day, region, service], &text);
    let authorization = format!(
        "{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        keys.access_key_id
    );
    let signed = headers.iter().map(|(name, value)| (*name, Zeroizing::new((*value).to_owned())));
    signed.chain([("Authorization", Zeroizing::new(authorization))]).collect()
}

/// Returns the text that is hashed. It contains the session token, so it is
/// wiped.
fn canonical_request(
    method: &str,
    target: SignatureTarget<'_>,
    headers: &[&(&str, &str)],
    names: &str,
) -> Zeroizing<String> {
    let mut query: Vec<_> = target
        .query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    query.sort_unstable();
    let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let length = headers.iter().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>();
    let mut text = Zeroizing::new(String::with_capacity(length + target.query.len() + names.len() + 512));
    // Writing to a string cannot fail.
    let _ = write!(text, "{method}\n{}\n{}\n", target.path, query.join("&"));
    for (name, value) in headers {
        let _ = writeln!(text, "{name}:{}", value.trim());
    }
    let _ = write!(text, "\n{names}\n{EMPTY_BODY}");
    text
}

/// Derives the key of a day, region and service, and signs a text with it.
fn signature(secret: &Secret, scope: [&str; 3], text: &str) -> String {
    let mac =
        |key: &[u8], message: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
    let first = Zeroizing::new(["AWS4", secret.expose()].concat());
    let [day, region, service] = scope;
    let key = [region, service, "aws4_request"]
        .iter()
        .fold(mac(first.as_bytes(), day), |key, message| mac(key.as_ref(), message));
    hex(mac(key.as_ref(), text).as_ref())
}

/// Returns a time as AWS writes it: `20150830T123600Z`.
fn date(time: SystemTime) -> Option<String> {
    let text = json::timestamp_text(&Timestamp::from(time))?;
    let seconds = text.get(..19)?;
    Some(seconds.chars().filter(|c| *c != '-' && *c != ':').chain(['Z']).collect())
}

/// Returns bytes in lowercase hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The name of the algorithm in requests.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The SHA-256 of the empty body.
const EMPTY_BODY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The first five are from AWS's test suite for Signature Version 4
    /// (`get-vanilla`, `get-vanilla-query-order-key-case`, `post-vanilla`,
    /// `post-sts-header-before`, and ListUsers of IAM from
    /// its documentation). The GetCallerIdentity ones agree with google-auth
    /// 2.62 for Python and with this:
    ///
    /// ```python
    /// import hashlib, hmac
    /// def mac(key, text): return hmac.new(key, text.encode(), hashlib.sha256).digest()
    /// key = mac(mac(mac(mac(b"AWS4" + SECRET, date[:8]), region), service), "aws4_request")
    /// canonical = "\n".join([method, path, query, *(f"{k}:{v}" for k, v in headers), "",
    ///                        ";".join(k for k, _ in headers), hashlib.sha256(b"").hexdigest()])
    /// text = "\n".join(["AWS4-HMAC-SHA256", date, f"{date[:8]}/{region}/{service}/aws4_request",
    ///                   hashlib.sha256(canonical.encode()).hexdigest()])
    /// print(mac(key, text).hex())
    /// ```
    #[test]
    fn signatures_are_those_of_the_published_vectors() {
        let example = |query| SignatureTarget { host: "example.amazonaws.com", path: "/", query };
        let identity = SignatureTarget::parse(IDENTITY).unwrap();
        let resource = ("x-goog-cloud-target-resource", RESOURCE);
        let users =
            SignatureTarget::parse("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08").unwrap();
        let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let (aws, ours) = ("20150830T123600Z", "20270115T080000Z");
        let rows = [
            (
                "get",
                "GET",
                example(""),
                "service",
                None,
                None,
                aws,
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "query out of order",
                "GET",
                example("Param2=value2&Param1=value1"),
                "service",
                None,
                None,
                aws,
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "post",
                "POST",
                example(""),
                "service",
                None,
                None,
                aws,
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "session token",
                "POST",
                example(""),
                "service",
                Some(SESSION),
                None,
                aws,
                "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
            ),
            (
                "list users",
                "GET",
                users,
                "iam",
                None,
                Some(form),
                aws,
                "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            ),
            (
                "identity with a session",
                "POST",
                identity,
                "sts",
                Some("CANARY-session-3"),
                Some(resource),
                ours,
                "e19096493a1d79de170e26eaf47df5cfa69a675d3004df972c4a8f64ad3d7a51",
            ),
            (
                "identity",
                "POST",
                identity,
                "sts",
                None,
                Some(resource),
                ours,
                "b41c2fe385131e57287a387f81160d94f3ad193b85f227326538fe2048f6e751",
            ),
        ];
        for (name, method, target, service, session, extra, date, expected) in rows {
            let region = if service == "sts" { "us-east-2" } else { "us-east-1" };
            let extra: Vec<_> = extra.into_iter().collect();
            let headers = sign_for(service, method, target, &extra, &keys(session), region, date);
            let (last, authorization) = headers.last().expect(name);
            assert_eq!(*last, "Authorization", "{name}");
            let (_, signature) = authorization.rsplit_once("Signature=").expect(name);
            assert_eq!(signature, expected, "{name}");
        }
    }

    #[test]
    fn all_headers_are_given_and_signed() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_987);
        let extra = [("x-goog-cloud-target-resource", RESOURCE)];
        let keys = keys(Some("CANARY-session-3"));
        let headers =
            sign("POST", SignatureTarget::parse(IDENTITY).unwrap(), &extra, &keys, "us-east-2", now).unwrap();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(
            headers,
            [
                ("host", "sts.us-east-2.amazonaws.com"),
                ("x-amz-date", "20270115T080000Z"),
                ("x-amz-security-token", "CANARY-session-3"),
                ("x-goog-cloud-target-resource", RESOURCE),
                (
                    "Authorization",
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20270115/us-east-2/sts/aws4_request, \
                     SignedHeaders=host;x-amz-date;x-amz-security-token;x-goog-cloud-target-resource, \
                     Signature=e19096493a1d79de170e26eaf47df5cfa69a675d3004df972c4a8f64ad3d7a51"
                ),
            ]
        );
        assert!(!format!("{keys:?}").contains("CANARY"));
    }

    #[test]
    fn only_urls_that_are_signed_as_they_stand_are_taken() {
        let fips = SignatureTarget::parse("https://sts-fips.us-east-2.amazonaws.com/x/y").unwrap();
        assert_eq!(
            fips,
            SignatureTarget { host: "sts-fips.us-east-2.amazonaws.com", path: "/x/y", query: "" }
        );
        assert_eq!(fips.service(), "sts");
        let rows = [
            ("http", "http://sts.amazonaws.com"),
            ("no host", "https://?a=b"),
            ("a user", "https://me@sts.amazonaws.com"),
            ("a port", "https://sts.amazonaws.com:443"),
            ("upper case", "https://STS.amazonaws.com"),
            ("a dot segment", "https://sts.amazonaws.com/a/../b"),
            ("an empty segment", "https://sts.amazonaws.com/a//b"),
            ("a space", "https://sts.amazonaws.com/?a=b c"),
            ("a fragment", "https://sts.amazonaws.com/#a"),
            ("a line break", "https://sts.amazonaws.com/?a\nb"),
        ];
        for (name, url) in rows {
            assert_eq!(SignatureTarget::parse(url), None, "{name}");
        }
    }

    fn keys(session: Option<&str>) -> AwsKeys {
        AwsKeys {
            access_key_id: "AKIDEXAMPLE".into(),
            // The one of AWS's documentation.
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into()),
            session_token: session.map(|token| Secret::new(token.to_owned())),
        }
    }

    const IDENTITY: &str = "https://sts.us-east-2.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15";
    const RESOURCE: &str =
        "//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/pool/providers/aws";
    const SESSION: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
}
