//! X.509 certificates for tests, with ECDSA signatures: as much of RFC 5280 as
//! the tests need.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, RsaKeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// A key in PKCS#8 and its public half. Certificates can be signed by ECDSA
/// keys only.
pub(crate) struct Key {
    pkcs8: Vec<u8>,
    public: Vec<u8>,
}

impl Key {
    /// A new ECDSA key on P-256.
    pub(crate) fn generate() -> Self {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
        Self::from_pkcs8(document.unwrap().as_ref().to_vec())
    }

    pub(crate) fn from_pem(pem: &str) -> Self {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        Self::from_pkcs8(der.secret_pkcs8_der().to_vec())
    }

    fn from_pkcs8(pkcs8: Vec<u8>) -> Self {
        let ecdsa = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8, &SystemRandom::new());
        let (algorithm, public) = match ecdsa {
            Ok(key) => ([oid(EC_PUBLIC_KEY), oid(P256)].concat(), key.public_key().as_ref().to_vec()),
            Err(_) => {
                let key = RsaKeyPair::from_pkcs8(&pkcs8).unwrap();
                ([oid(RSA), der(NULL, &[])].concat(), key.public_key().as_ref().to_vec())
            }
        };
        let public = sequence(&[&sequence(&[&algorithm]), &bits(&public)]);
        Self { pkcs8, public }
    }

    /// The public half of an RSA key whose modulus has this many bits, for
    /// certificates that are parsed only: all bits are set, so it fits no
    /// private key.
    pub(crate) fn public_rsa(length: usize) -> Self {
        let mut modulus = vec![0xff; length.div_ceil(8)];
        modulus[0] >>= modulus.len() * 8 - length;
        // A number whose first bit is set would be negative.
        if modulus[0] >= 0x80 {
            modulus.insert(0, 0);
        }
        let key = sequence(&[&der(INTEGER, &modulus), &der(INTEGER, &[3])]);
        let algorithm = sequence(&[&oid(RSA), &der(NULL, &[])]);
        Self { pkcs8: Vec::new(), public: sequence(&[&algorithm, &bits(&key)]) }
    }

    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    pub(crate) fn pem(&self) -> String {
        pem("PRIVATE KEY", &self.pkcs8)
    }

    /// The `SubjectPublicKeyInfo`.
    pub(crate) fn public(&self) -> &[u8] {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.pkcs8, &random).unwrap();
        key.sign(&random, message).unwrap().as_ref().to_vec()
    }
}

/// What a certificate says.
#[derive(Clone, Debug)]
pub(crate) struct Params {
    /// DNS names and IP addresses.
    pub(crate) names: Vec<String>,
    pub(crate) common_name: &'static str,
    /// The year in which it begins to be valid, and the first one in which it
    /// is not any more.
    pub(crate) years: (u16, u16),
    pub(crate) is_authority: bool,
    /// May identify clients, and no servers.
    pub(crate) is_for_clients: bool,
    /// The only domain that certificates below this one may be for.
    pub(crate) permitted: Option<&'static str>,
}

impl Params {
    pub(crate) fn of(name: &str) -> Self {
        Self { names: vec![name.to_owned()], ..Self::nameless() }
    }

    pub(crate) fn authority() -> Self {
        Self { is_authority: true, ..Self::nameless() }
    }

    fn nameless() -> Self {
        Self {
            names: Vec::new(),
            common_name: "test",
            years: (1975, 4096),
            is_authority: false,
            is_for_clients: false,
            permitted: None,
        }
    }

    pub(crate) fn self_signed(&self, key: &Key) -> CertificateDer<'static> {
        self.signed_by(key, self, key)
    }

    /// A certificate for `key`.
    pub(crate) fn signed_by(&self, key: &Key, issuer: &Self, issuer_key: &Key) -> CertificateDer<'static> {
        let algorithm = sequence(&[&oid(ECDSA_WITH_SHA256)]);
        let year = |year: u16| der(GENERALIZED_TIME, format!("{year}0101000000Z").as_bytes());
        let contents = sequence(&[
            // Version 3.
            &der(0xa0, &der(INTEGER, &[2])),
            &der(INTEGER, &[1]),
            &algorithm,
            &issuer.name(),
            &sequence(&[&year(self.years.0), &year(self.years.1)]),
            &self.name(),
            &key.public,
            &der(0xa3, &sequence(&[&self.extensions()])),
        ]);
        let signature = bits(&issuer_key.sign(&contents));
        sequence(&[&contents, &algorithm, &signature]).into()
    }

    fn name(&self) -> Vec<u8> {
        let common_name = sequence(&[&oid(COMMON_NAME), &der(UTF8_STRING, self.common_name.as_bytes())]);
        sequence(&[&der(SET, &common_name)])
    }

    fn extensions(&self) -> Vec<u8> {
        let mut extensions = Vec::new();
        let mut add = |id: &[u8], value: &[u8]| {
            extensions.extend(sequence(&[&oid(id), &der(BOOLEAN, &[0xff]), &der(OCTETS, value)]));
        };
        add(BASIC_CONSTRAINTS, &sequence(&[if self.is_authority { &[BOOLEAN, 1, 0xff] } else { &[] }]));
        if !self.names.is_empty() {
            let names: Vec<u8> = self.names.iter().flat_map(|name| general_name(name)).collect();
            add(ALTERNATIVE_NAMES, &sequence(&[&names]));
        }
        if self.is_for_clients {
            add(EXTENDED_KEY_USAGE, &sequence(&[&oid(CLIENT_AUTH)]));
        }
        if let Some(domain) = self.permitted {
            add(NAME_CONSTRAINTS, &sequence(&[&der(0xa0, &sequence(&[&general_name(domain)]))]));
        }
        extensions
    }
}

pub(crate) fn certificate_pem(certificate: &CertificateDer<'_>) -> String {
    pem("CERTIFICATE", certificate)
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn general_name(name: &str) -> Vec<u8> {
    match name.parse() {
        Ok(IpAddr::V4(address)) => der(0x87, &address.octets()),
        Ok(IpAddr::V6(address)) => der(0x87, &address.octets()),
        Err(_) => der(0x82, name.as_bytes()),
    }
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(0x30, &parts.concat())
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    der(0x03, &[&[0], bytes].concat())
}

fn oid(id: &[u8]) -> Vec<u8> {
    der(0x06, id)
}

/// Tag, length and value.
fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len();
    let mut bytes = vec![tag];
    match length {
        0..128 => bytes.push(length as u8),
        128..256 => bytes.extend([0x81, length as u8]),
        _ => bytes.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    bytes.extend(value);
    bytes
}

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const NULL: u8 = 0x05;
const UTF8_STRING: u8 = 0x0c;
const GENERALIZED_TIME: u8 = 0x18;
const SET: u8 = 0x31;

const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 17];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];
