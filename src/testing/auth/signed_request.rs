//! Verifies the signed request that an AWS workload presents as its subject
//! token (Signature Version 4).
//!
//! The token is a `GetCallerIdentity` request of the AWS Security Token Service
//! that was not sent: URL, method and headers as JSON, percent-encoded. The
//! real STS of Google sends it to AWS, which returns the identity. Here the
//! signature is computed again with the only keys that exist, so a mistake in
//! the canonical request is found:
//!
//! ```text
//! canonical   POST \n / \n QUERY \n name:value \n … \n\n SIGNED-NAMES \n SHA256("")
//! to sign     AWS4-HMAC-SHA256 \n DATE \n SCOPE \n SHA256(canonical)
//! signature   HMAC(HMAC(HMAC(HMAC(HMAC("AWS4" + secret, day), region), "sts"), "aws4_request"), to sign)
//! ```

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use ring::{digest, hmac};
use serde::Deserialize;

use super::aws::{ACCESS_KEY_ID, SECRET_ACCESS_KEY, TOKEN};
use crate::json::parse_timestamp;
use crate::util::percent::decode;

/// A request of GetCallerIdentity, signed and not sent. Unknown members are an
/// error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedRequest {
    url: String,
    method: String,
    headers: Vec<SignedHeader>,
}

/// One of its headers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedHeader {
    key: String,
    value: String,
}

/// Checks a subject token that is meant for `audience`; `now` counts from 1970.
///
/// # Errors
///
/// A sentence that says which part is wrong, and what was expected.
pub(super) fn check(token: &str, audience: &str, now: Duration) -> Result<(), String> {
    let signed: SignedRequest =
        serde_json::from_str(&decode(token)).map_err(|error| format!("not a signed request: {error}"))?;
    let headers: BTreeMap<String, &str> = signed
        .headers
        .iter()
        .map(|header| (header.key.to_ascii_lowercase(), header.value.as_str()))
        .collect();
    let header = |name: &str| headers.get(name).copied().ok_or_else(|| format!("header `{name}` is missing"));
    let expect = |name: &str, expected: &str| match header(name)? {
        found if found == expected => Ok(()),
        found => Err(format!("header `{name}` is `{found}`: expected `{expected}`")),
    };
    let region = region(&signed)
        .ok_or_else(|| format!("`{} {}` is not a GetCallerIdentity request", signed.method, signed.url))?;
    expect("host", &format!("sts.{region}.amazonaws.com"))?;
    expect("x-goog-cloud-target-resource", audience)?;
    expect("x-amz-security-token", TOKEN)?;
    let date = header("x-amz-date")?;
    check_date(date, now)?;

    let authorization =
        SignatureHeader::read(header("authorization")?).ok_or("the authorization header is unreadable")?;
    // The scope has the day of the request, not the day of the check: at
    // midnight they differ.
    let day = date.split('T').next().unwrap_or_default();
    let scope = format!("{day}/{region}/sts/aws4_request");
    if authorization.credential != format!("{ACCESS_KEY_ID}/{scope}") {
        return Err(format!(
            "Credential is `{}`: expected `{ACCESS_KEY_ID}/{scope}`",
            authorization.credential
        ));
    }
    // Google recommends to sign `x-goog-cloud-target-resource` too; google-auth for
    // Python does not.
    // AWS requires these headers to be signed, if they are sent.
    let needed = |name: &&String| *name == "host" || name.starts_with("x-amz-");
    let unsigned = headers.keys().filter(needed).find(|name| !authorization.signs(name));
    if let Some(name) = unsigned {
        return Err(format!("header `{name}` is not signed"));
    }
    let mut canonical = format!("POST\n/\n{QUERY}\n");
    for name in authorization.signed_headers.split(';') {
        canonical += &format!("{name}:{}\n", header(name)?.trim());
    }
    canonical += &format!("\n{}\n{}", authorization.signed_headers, sha256(""));
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(&canonical));
    // The fake knows both keys, so the comparison need not take constant time.
    match hex(&sign(&signing_key(day, region), &to_sign)) {
        signature if signature == authorization.signature => Ok(()),
        _ => Err("the signature is not that of the keys of this server".into()),
    }
}

/// The `authorization` header: `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…,
/// Signature=…`.
struct SignatureHeader<'a> {
    credential: &'a str,
    /// Names in lower case, joined by `;`, in the order in which they were
    /// signed.
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> SignatureHeader<'a> {
    /// Reads the header; the parts have this order.
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("AWS4-HMAC-SHA256 ")?.split(", ");
        let mut part = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix('=');
        Some(Self {
            credential: part("Credential")?,
            signed_headers: part("SignedHeaders")?,
            signature: part("Signature")?,
        })
    }

    /// Returns whether the signature covers a header.
    fn signs(&self, name: &str) -> bool {
        self.signed_headers.split(';').any(|signed| signed == name)
    }
}

/// Returns the region of
/// `https://sts.REGION.amazonaws.com?Action=GetCallerIdentity…`.
fn region(signed: &SignedRequest) -> Option<&str> {
    let rest = signed.url.strip_prefix("https://sts.").filter(|_| signed.method == "POST")?;
    let (host, query) = rest.split_once('?')?;
    host.trim_end_matches('/').strip_suffix(".amazonaws.com").filter(|_| query == QUERY)
}

/// Checks that the request was signed at most 15 minutes ago or ahead, as AWS
/// does.
fn check_date(date: &str, now: Duration) -> Result<(), String> {
    let bad = || format!("x-amz-date is `{date}`: expected the time of now, such as `20271231T235959Z`");
    // `20271231T235959Z` becomes `2027-12-31T23:59:59Z`, which the parser of
    // timestamps reads.
    let dashed = match date.as_bytes() {
        [_, _, _, _, _, _, _, _, b'T', _, _, _, _, _, _, b'Z'] if date.is_ascii() => {
            let part = |range| date.get(range).unwrap_or_default();
            format!(
                "{}-{}-{}T{}:{}:{}Z",
                part(0..4),
                part(4..6),
                part(6..8),
                part(9..11),
                part(11..13),
                part(13..15)
            )
        }
        _ => return Err(bad()),
    };
    let seconds =
        parse_timestamp(&dashed).and_then(|time| u64::try_from(time.seconds).ok()).ok_or_else(bad)?;
    if seconds.abs_diff(now.as_secs()) > 15 * 60 { Err(bad()) } else { Ok(()) }
}

/// Derives the key of a day and region from the secret, so that the secret
/// itself signs nothing.
fn signing_key(day: &str, region: &str) -> Vec<u8> {
    let secret = format!("AWS4{SECRET_ACCESS_KEY}").into_bytes();
    [day, region, "sts", "aws4_request"].into_iter().fold(secret, |key, part| sign(&key, part))
}

/// Returns the HMAC-SHA-256 of a text.
fn sign(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

const QUERY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
