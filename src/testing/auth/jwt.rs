//! Verifies JWTs that service accounts sign (RFC 7519): RS256, against keys
//! that a test trusts.
//!
//! Two kinds arrive here: assertions, which are exchanged for an access token
//! (RFC 7523), and self-signed JWTs, which are sent in place of one
//! ([AIP-4111](https://google.aip.dev/auth/4111)). Signature and times are
//! checked before any claim is read. Errors are texts for the developer of the
//! test, not those of Google.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::SignatureScheme;
use rustls::crypto::ring::default_provider;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer};
use serde_json::{Map, Value};

use crate::error::Error;

/// The public half of an RSA key: DER of the `RSAPublicKey` of PKCS#1, as ring
/// expects it.
pub(super) struct PublicKey(Vec<u8>);

impl PublicKey {
    /// Reads `-----BEGIN PUBLIC KEY-----`.
    pub(super) fn from_pem(pem: &str) -> Result<Self, Error> {
        let key = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).ok();
        key.and_then(|key| Self::from_spki(&key)).ok_or_else(|| {
            Error::config(
                "the key to trust cannot be read: expected the public half of an RSA key of 2048 bits or more, \
                 `-----BEGIN PUBLIC KEY-----`",
            )
        })
    }

    /// Returns the public half of a private key in PEM.
    pub(super) fn of_private(pem: &str) -> Result<Self, Error> {
        let key =
            PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok().and_then(|key| any_supported_type(&key).ok());
        key.and_then(|key| Self::from_spki(&key.public_key()?)).ok_or_else(|| {
            Error::config(
                "the key of the service account cannot be read: expected an RSA key of 2048 to 4096 bits, \
                 `-----BEGIN PRIVATE KEY-----`",
            )
        })
    }

    /// Returns the RSA key inside of a `SubjectPublicKeyInfo` (RFC 5280 §4.1):
    ///
    /// ```text
    /// 30 82 LL LL                sequence
    ///    30 0d 06 09 … 05 00     the algorithm, rsaEncryption
    ///    03 82 LL LL 00          bit string without unused bits
    ///       RSAPublicKey
    /// ```
    ///
    /// Lengths of two bytes, as every RSA key of 2048 bits or more has them;
    /// `None` for anything else.
    fn from_spki(key: &SubjectPublicKeyInfoDer<'_>) -> Option<Self> {
        let inner = key.as_ref().strip_prefix(&[0x30, 0x82])?.get(2..)?;
        let bits = inner.strip_prefix(RSA_ENCRYPTION)?.strip_prefix(&[0x03, 0x82])?.get(2..)?;
        Some(Self(bits.strip_prefix(&[0])?.to_vec()))
    }
}

/// The claims of a JWT whose signature and times have been checked.
pub(super) struct VerifiedClaims(Map<String, Value>);

impl VerifiedClaims {
    /// Verifies the signature and the times of a JWT; `now` counts from 1970.
    pub(super) fn verify(jwt: &str, keys: &[PublicKey], now: Duration) -> Result<Self, String> {
        // The signature covers header and claims as they are encoded.
        let (signed, signature) = jwt.rsplit_once('.').ok_or("not three parts")?;
        let (header, claims) = signed.split_once('.').ok_or("not three parts")?;
        let header = Self(object(header, "header")?);
        // The algorithm is fixed: a JWT must not choose it, or `none` would be
        // one.
        header.expect("alg", "RS256")?;
        header.expect("typ", "JWT")?;
        let signature = decode(signature, "signature")?;
        if keys.is_empty() {
            return Err("no key is trusted yet, see `FakeAuth::trust_key`".into());
        }
        if !keys.iter().any(|key| is_signed(key, signed, &signature)) {
            return Err("no trusted key has made the signature".into());
        }
        let claims = Self(object(claims, "claims")?);
        claims.check_times(now.as_secs())?;
        Ok(claims)
    }

    /// Returns a claim; `None` if it is absent. A claim that is not a text, or
    /// empty, is an error.
    pub(super) fn get(&self, name: &str) -> Result<Option<&str>, String> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(other) => Err(format!("`{name}` is {other}: expected a text")),
        }
    }

    /// Returns a claim that must be present.
    pub(super) fn require(&self, name: &str) -> Result<&str, String> {
        self.get(name)?.ok_or_else(|| format!("`{name}` is missing"))
    }

    /// Checks that a claim has this value.
    fn expect(&self, name: &str, value: &str) -> Result<(), String> {
        match self.require(name)? {
            found if found == value => Ok(()),
            found => Err(format!("`{name}` is `{found}`: expected `{value}`")),
        }
    }

    /// Checks that `iat` is not in the future, `exp` not in the past, and that
    /// at most an hour is between them. There is no tolerance: the client signs
    /// for the time of this server.
    fn check_times(&self, now: u64) -> Result<(), String> {
        let time = |name: &str| {
            let time = self.0.get(name).and_then(Value::as_u64);
            time.ok_or_else(|| format!("`{name}` is not a number of seconds since 1970"))
        };
        let (iat, exp) = (time("iat")?, time("exp")?);
        if iat > now {
            return Err(format!("`iat` is {} s in the future", iat - now));
        }
        if exp <= now {
            return Err(format!("`exp` was {} s ago", now - exp));
        }
        match exp - iat {
            0..=LONGEST => Ok(()),
            life => Err(format!("lives {life} s: expected {LONGEST} s at most")),
        }
    }
}

/// Checks a JWT that is sent in place of an access token
/// ([AIP-4111](https://google.aip.dev/auth/4111)), and returns its scopes;
/// empty if it has an audience instead.
pub(super) fn check_self_signed(jwt: &str, keys: &[PublicKey], now: Duration) -> Result<String, String> {
    let check = || {
        let claims = VerifiedClaims::verify(jwt, keys, now)?;
        claims.expect("sub", claims.require("iss")?)?;
        match (claims.get("scope")?, claims.get("aud")?) {
            (Some(scope), None) => Ok(scope.to_owned()),
            (None, Some(aud)) if aud.starts_with("https://") && aud.ends_with('/') => Ok(String::new()),
            (None, Some(aud)) => Err(format!("`aud` is `{aud}`: expected `https://HOST/`")),
            _ => Err("expected either `scope` or `aud`".into()),
        }
    };
    check().map_err(|why: String| format!("invalid JWT: {why}"))
}

/// Returns whether the key has made the signature.
fn is_signed(key: &PublicKey, signed: &str, signature: &[u8]) -> bool {
    rs256().is_some_and(|algorithm| algorithm.verify_signature(&key.0, signed.as_bytes(), signature).is_ok())
}

/// Returns the algorithm that verifies RS256, the one that rustls uses for
/// certificates.
fn rs256() -> Option<&'static dyn SignatureVerificationAlgorithm> {
    let known = default_provider().signature_verification_algorithms.mapping;
    let (_, algorithms) = known.iter().find(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256)?;
    algorithms.first().copied()
}

/// Decodes the header or the claims; `what` is the name of the part for errors.
fn object(part: &str, what: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_slice(&decode(part, what)?).map_err(|_| format!("{what} is not a JSON object"))
}

fn decode(part: &str, what: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| format!("{what} is not base64url without padding"))
}

/// The algorithm `rsaEncryption` with its empty parameters, RFC 8017 appendix
/// A.1.
const RSA_ENCRYPTION: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// The longest lifetime of an assertion that Google accepts, in seconds.
const LONGEST: u64 = 3600;
