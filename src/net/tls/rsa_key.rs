//! The length of an RSA key.
//!
//! ring refuses RSA keys of less than 2048 bits as if they were a bad
//! signature. To say so in a message, the length is read from the key. This is
//! a reader of just that, and not a parser of DER: anything unexpected is
//! `None`.

/// Returns the bits of the modulus in a `SubjectPublicKeyInfo`; `None` if the
/// key is not RSA.
///
/// [RFC 8017 appendix
/// A.1.1](https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.1):
///
/// ```text
/// SEQUENCE {
///     SEQUENCE { OID rsaEncryption, NULL },
///     BIT STRING { SEQUENCE { INTEGER modulus, INTEGER exponent } } }
/// ```
pub(super) fn rsa_bits(info: &[u8]) -> Option<usize> {
    let (content, _) = value(SEQUENCE, info)?;
    rsa_bits_of_content(content)
}

/// Returns the same for the content without the outer `SEQUENCE`, as trust
/// anchors have it.
pub(super) fn rsa_bits_of_content(info: &[u8]) -> Option<usize> {
    let (algorithm, info) = value(SEQUENCE, info)?;
    let (oid, _) = value(OBJECT_IDENTIFIER, algorithm)?;
    let (key, _) = value(BIT_STRING, info).filter(|_| oid == RSA_ENCRYPTION)?;
    // The first byte counts the unused bits at the end.
    let (key, _) = value(SEQUENCE, key.get(1..)?)?;
    let (modulus, _) = value(INTEGER, key)?;
    // DER puts a zero in front of a number whose first bit is set.
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let first = modulus.get(zeros)?;
    Some((modulus.len() - zeros) * 8 - first.leading_zeros() as usize)
}

/// Returns the content of the DER value at the start of `bytes`, which must
/// have this tag, and what follows it.
///
/// ```text
/// tag 2, bytes 02 01 05 ff    content 05, then ff
/// tag 2, bytes 30 …           None
/// ```
fn value(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=127 => (usize::from(first), rest),
        // One or two bytes of the length follow. Two are enough for any key.
        129 | 130 => {
            let (length, rest) = rest.split_at_checked(usize::from(first - 128))?;
            (length.iter().fold(0, |length, byte| length * 256 + usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length).filter(|_| found == tag)
}

/// The tags of DER (X.690 section 8) that occur in a key.
const INTEGER: u8 = 2;
const BIT_STRING: u8 = 3;
const OBJECT_IDENTIFIER: u8 = 6;
const SEQUENCE: u8 = 0x30;

/// The object identifier `rsaEncryption`, 1.2.840.113549.1.1.1, as DER encodes
/// it.
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];

#[cfg(test)]
mod tests {
    use rustls::pki_types::SubjectPublicKeyInfoDer;
    use rustls::pki_types::pem::PemObject;

    use super::*;
    use crate::http::tests::x509::Key;

    #[test]
    fn bits_are_those_of_the_modulus() {
        let info = |pem: &str| SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).unwrap();
        let short = info(include_str!("../../../tests/fixtures/keys/rsa2048.public.pem"));
        let long = info(include_str!("../../../tests/fixtures/keys/rsa4096.public.pem"));
        assert_eq!((rsa_bits(&short), rsa_bits(&long)), (Some(2048), Some(4096)));
        for length in 0..short.len() {
            assert_eq!(rsa_bits(&short[..length]), None, "{length}");
        }
        assert_eq!(rsa_bits(Key::generate().public()), None);
    }

    #[test]
    fn leading_zeros_are_no_bits() {
        let der = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
        let rows: [(&[u8], Option<usize>); 6] = [
            (&[0x80, 0], Some(16)),
            (&[0, 0x80, 0], Some(16)),
            (&[0, 0, 0x80, 0], Some(16)),
            (&[0x7f, 0xff], Some(15)),
            (&[1, 0, 1], Some(17)),
            (&[0], None),
        ];
        for (modulus, bits) in rows {
            let key = der(SEQUENCE, &[der(INTEGER, modulus), der(INTEGER, &[3])].concat());
            let algorithm = der(SEQUENCE, &der(OBJECT_IDENTIFIER, RSA_ENCRYPTION));
            let info = [algorithm, der(BIT_STRING, &[&[0], &*key].concat())].concat();
            assert_eq!(rsa_bits_of_content(&info), bits, "{modulus:?}");
            assert_eq!(rsa_bits(&der(SEQUENCE, &info)), bits, "{modulus:?}");
        }
    }
}
