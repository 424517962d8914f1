//! Self-signed JWTs: RS256 by ring, which TLS uses too.
//!
//! ```text
//! base64url(header) . base64url(claims) . base64url(signature of both)
//! ```
//!
//! `jsonwebtoken` provides the header and the signer trait. Its `encode` and
//! `sign` are not used: they go through a provider that is global to the
//! process, and panic if the program has set up none, or two. The crate `rsa`
//! is not used either, because of its timing side channel (RUSTSEC-2023-0071).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::JwtSigner;
use jsonwebtoken::signature;
use jsonwebtoken::{Algorithm, Header};
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::util::secret::Secret;

/// The claims of a self-signed JWT,
/// [AIP-4111](https://google.aip.dev/auth/4111).
#[derive(Serialize)]
pub(super) struct JwtClaims<'a> {
    /// The email address of the account, as `sub` too: it acts for itself.
    pub(super) iss: &'a str,
    pub(super) sub: &'a str,
    /// When it was issued, in seconds since 1970.
    pub(super) iat: u64,
    /// When it expires, in seconds since 1970; an hour after `iat` at most.
    pub(super) exp: u64,
    #[serde(flatten)]
    pub(super) access: AccessClaims<'a>,
}

/// The scopes or the audience of a JWT. A service rejects both together.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum AccessClaims<'a> {
    /// Scopes, joined by spaces.
    Scope(&'a str),
    /// The service that accepts it: `https://HOST/`.
    Aud(&'a str),
}

/// The assertion that is exchanged for an access token, [RFC 7523 section
/// 3](https://www.rfc-editor.org/rfc/rfc7523#section-3).
#[derive(Serialize)]
pub(super) struct JwtAssertion<'a> {
    pub(super) iss: &'a str,
    /// The user on whose behalf the account acts; `None` is the account itself,
    /// and leaves out the claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sub: Option<&'a str>,
    /// The token endpoint that may accept it.
    pub(super) aud: &'a str,
    pub(super) scope: &'a str,
    pub(super) iat: u64,
    pub(super) exp: u64,
}

/// Signs with the RSA key of a service account. Parsed once: parsing takes
/// longer than signing.
#[derive(Debug)]
pub(super) struct Rs256(Box<dyn rustls::sign::Signer>);

impl Rs256 {
    /// Reads the first private key of a PEM text, PKCS#8 or PKCS#1, whatever
    /// its label says.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the text, without any part of it.
    pub(super) fn from_pem(pem: &str) -> Result<Self, &'static str> {
        let labelled =
            PrivateKeyDer::from_pem_slice(pem.as_bytes()).map(Zeroizing::new).map_err(|_| NO_PEM)?;
        // An elliptic curve key, which the loop below would call unreadable.
        if let PrivateKeyDer::Sec1(_) = *labelled {
            return Err(NOT_RSA);
        }
        let der = labelled.secret_der();
        // Keys with the label of the other form occur. The bytes of one form
        // are never valid as the other.
        let forms = [
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der)),
            PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(der)),
        ];
        // PKCS#8 first, since Google's files have it.
        let key = forms.iter().find_map(|form| any_supported_type(form).ok()).ok_or(NO_KEY)?;
        key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).map(Self).ok_or(NOT_RSA)
    }
}

impl signature::Signer<Vec<u8>> for Rs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        self.0.sign(message).map_err(signature::Error::from_source)
    }
}

impl JwtSigner for Rs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

/// Signs the claims, and joins the three parts ([RFC 7515 section
/// 3.1](https://www.rfc-editor.org/rfc/rfc7515#section-3.1)). The result is a
/// secret: a service accepts it as an access token.
pub(super) fn encode(
    claims: &impl Serialize,
    key_id: Option<&str>,
    key: &impl JwtSigner,
) -> Result<Secret, Box<dyn std::error::Error + Send + Sync>> {
    let header = Header { kid: key_id.map(str::to_owned), ..Header::new(key.algorithm()) };
    let (header, claims) = (serde_json::to_vec(&header)?, serde_json::to_vec(claims)?);
    // Room for all of it, because a string that grows leaves a copy behind.
    let mut jwt = Zeroizing::new(String::with_capacity(2 * (header.len() + claims.len()) + 2048));
    URL_SAFE_NO_PAD.encode_string(header, &mut jwt);
    jwt.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut jwt);
    // Signs the text itself and not a copy.
    let signature = key.try_sign(jwt.as_bytes())?;
    jwt.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
    Ok(Secret::new(std::mem::take(&mut *jwt)))
}

/// Most often, line breaks were lost in a variable.
const NO_PEM: &str =
    "holds no unencrypted private key in PEM: expected `-----BEGIN PRIVATE KEY-----` and real line breaks";
/// The PEM holds no key in either form.
const NO_KEY: &str = "holds no key that can be read: expected RSA of 2048 to 4096 bits, as PKCS#8 or PKCS#1";
/// The PEM holds a key that cannot sign RS256.
const NOT_RSA: &str = "is not an RSA key: expected RSA of 2048 to 4096 bits, as PKCS#8 or PKCS#1";

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn signatures_verify_with_the_public_half_that_openssl_wrote() {
        let relabel = |pem: &str, from: &str, to: &str| pem.replace(from, to);
        let (pkcs8, pkcs1) = (" PRIVATE", " RSA PRIVATE");
        let rows = [
            ("2048 bits, PKCS#8", RSA2048_PKCS8.to_owned(), RSA2048_PUBLIC),
            ("2048 bits, PKCS#1", RSA2048_PKCS1.to_owned(), RSA2048_PUBLIC),
            ("4096 bits, PKCS#8", RSA4096_PKCS8.to_owned(), RSA4096_PUBLIC),
            ("4096 bits, PKCS#1", RSA4096_PKCS1.to_owned(), RSA4096_PUBLIC),
            ("PKCS#1 labelled as PKCS#8", relabel(RSA2048_PKCS1, pkcs1, pkcs8), RSA2048_PUBLIC),
            ("PKCS#8 labelled as PKCS#1", relabel(RSA2048_PKCS8, pkcs8, pkcs1), RSA2048_PUBLIC),
            ("Windows line breaks", RSA2048_PKCS8.replace('\n', "\r\n"), RSA2048_PUBLIC),
            ("text around it", format!("my key\n{RSA2048_PKCS8}\nand more"), RSA2048_PUBLIC),
        ];
        for (name, pem, public) in rows {
            let key = Rs256::from_pem(&pem).expect(name);
            let jwt = encode(&claims(AccessClaims::Scope("a b")), Some("key-1"), &key).expect(name);
            let (message, signature) = jwt.expose().rsplit_once('.').expect(name);
            let signature = URL_SAFE_NO_PAD.decode(signature).expect(name);
            let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
            public.verify(message.as_bytes(), &signature).expect(name);
            assert!(public.verify(b"another message", &signature).is_err(), "{name}");
        }
    }

    #[test]
    fn header_and_claims_are_exactly_those_of_the_aip() {
        let claim = |name: &str, value: &str| {
            let mut claims =
                json!({"iss": "me@x", "sub": "me@x", "iat": 1_800_000_000, "exp": 1_800_003_600});
            claims[name] = value.into();
            claims
        };
        let rows = [
            ("scope", AccessClaims::Scope("a b"), Some("key-1"), claim("scope", "a b")),
            (
                "audience",
                AccessClaims::Aud("https://x.googleapis.com/"),
                Some("key-1"),
                claim("aud", "https://x.googleapis.com/"),
            ),
            ("no key id", AccessClaims::Scope("a"), None, claim("scope", "a")),
            (
                "needs all of the alphabet",
                AccessClaims::Scope("ÿÿ??>>~"),
                Some("ÿÿ??>>~"),
                claim("scope", "ÿÿ??>>~"),
            ),
        ];
        let key = Rs256::from_pem(RSA2048_PKCS8).unwrap();
        for (name, access, key_id, expected) in rows {
            let jwt = encode(&claims(access), key_id, &key).expect(name);
            let parts: Vec<&str> = jwt.expose().split('.').collect();
            let [header, claims, _] = parts[..] else { panic!("{name}: {} parts", parts.len()) };
            let mut expected_header = json!({"alg": "RS256", "typ": "JWT"});
            if let Some(key_id) = key_id {
                expected_header["kid"] = key_id.into();
            }
            assert_eq!(parse(header), expected_header, "{name}");
            assert_eq!(parse(claims), expected, "{name}");
        }
    }

    #[test]
    fn other_keys_are_named_and_not_shown() {
        let (begin, end) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
        let rows = [
            ("empty", String::new(), NO_PEM),
            ("not PEM", "CANARY-key".to_owned(), NO_PEM),
            ("a public key", RSA2048_PUBLIC_PEM.to_owned(), NO_PEM),
            ("encrypted", RSA2048_PKCS8.replace(" PRIVATE", " ENCRYPTED PRIVATE"), NO_PEM),
            ("line breaks escaped twice", RSA2048_PKCS8.replace('\n', "\\n"), NO_PEM),
            ("cut short", RSA2048_PKCS8[..900].to_owned(), NO_PEM),
            ("not base64", format!("{begin}\n!!!!\n{end}\n"), NO_PEM),
            ("not a key", format!("{begin}\nQ0FOQVJZ\n{end}\n"), NO_KEY),
            ("too short a key", RSA1024_PKCS8.to_owned(), NO_KEY),
            ("EC as PKCS#8", EC_PKCS8.to_owned(), NOT_RSA),
            ("EC as SEC1", EC_SEC1.to_owned(), NOT_RSA),
        ];
        for (name, pem, expected) in rows {
            assert_eq!(Rs256::from_pem(&pem).unwrap_err(), expected, "{name}");
        }
    }

    fn claims(access: AccessClaims<'_>) -> JwtClaims<'_> {
        JwtClaims { iss: "me@x", sub: "me@x", iat: 1_800_000_000, exp: 1_800_003_600, access }
    }

    fn parse(part: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    const RSA2048_PKCS8: &str = include_str!("../../tests/fixtures/keys/rsa2048.pkcs8.pem");
    const RSA2048_PKCS1: &str = include_str!("../../tests/fixtures/keys/rsa2048.pkcs1.pem");
    const RSA2048_PUBLIC: &[u8] = include_bytes!("../../tests/fixtures/keys/rsa2048.public.der");
    const RSA2048_PUBLIC_PEM: &str = include_str!("../../tests/fixtures/keys/rsa2048.public.pem");
    const RSA4096_PKCS8: &str = include_str!("../../tests/fixtures/keys/rsa4096.pkcs8.pem");
    const RSA4096_PKCS1: &str = include_str!("../../tests/fixtures/keys/rsa4096.pkcs1.pem");
    const RSA4096_PUBLIC: &[u8] = include_bytes!("../../tests/fixtures/keys/rsa4096.public.der");
    const RSA1024_PKCS8: &str = include_str!("../../tests/fixtures/keys/rsa1024.pkcs8.pem");
    const EC_PKCS8: &str = include_str!("../../tests/fixtures/keys/ec.pkcs8.pem");
    const EC_SEC1: &str = include_str!("../../tests/fixtures/keys/ec.sec1.pem");
}
