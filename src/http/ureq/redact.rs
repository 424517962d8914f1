//! Keeps the secrets of a request out of the log.
//!
//! At level TRACE ureq logs every byte that it writes, and no setting prevents
//! it. So it gets placeholders for secrets, and
//! [`UreqConnection`](super::connection::UreqConnection) replaces them when it
//! sends the bytes:
//!
//! ```text
//! to ureq    authorization: hidden-0123456789abcdef
//! to log     authorization: hidden-0123456789abcdef
//! to server  authorization: Bearer ya29.…
//! ```
//!
//! Placeholders are random, so that a header or body of a user cannot contain
//! one. A placeholder of a body has the length of the body, because
//! `content-length` is written before.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard};

use zeroize::Zeroizing;

use crate::util::sync::lock;

/// The secrets of the requests that are being sent; clones share them.
#[derive(Clone, Default)]
pub(crate) struct SecretVault(Arc<Mutex<HashMap<SecretMark, StoredSecret>>>);

/// What is written in place of a secret: the prefix and random digits.
type SecretMark = [u8; MARK];

/// A secret, and what it replaces.
struct StoredSecret {
    secret: Zeroizing<Vec<u8>>,
    /// How many bytes the placeholder has, from its mark on.
    span: usize,
}

impl SecretVault {
    /// Begins to replace the secrets of one request.
    pub(crate) fn open(&self) -> Placeholders<'_> {
        Placeholders { vault: self, marks: Vec::new() }
    }

    /// Replaces placeholders by their secrets among the first `amount` bytes of
    /// `output`, and returns the new amount.
    ///
    /// A secret that does not fit stays replaced, and the server rejects the
    /// placeholder.
    pub(crate) fn reveal(&self, output: &mut [u8], amount: usize) -> usize {
        let secrets = self.lock();
        let (mut at, mut amount) = (0, amount);
        // Requests without credentials need no search.
        if secrets.is_empty() {
            return amount;
        }
        while let Some(found) = output.get(at..amount).and_then(position) {
            at += found;
            let mark = output.get(at..at + MARK).and_then(|bytes| SecretMark::try_from(bytes).ok());
            let Some(StoredSecret { secret, span }) = mark.and_then(|mark| secrets.get(&mark)) else {
                at += PREFIX.len();
                continue;
            };
            // `at` is where the mark begins, and `span` may reach beyond it
            // over the filling.
            let (end, new_end) = (at + span, at + secret.len());
            let new_amount = (amount + secret.len()).saturating_sub(*span);
            if end > amount || new_amount > output.len() {
                at += PREFIX.len();
                continue;
            }
            // The rest moves to make room, because a header and its placeholder
            // differ in length.
            output.copy_within(end..amount, new_end);
            if let Some(place) = output.get_mut(at..new_end) {
                place.copy_from_slice(secret);
            }
            (at, amount) = (new_end, new_amount);
        }
        amount
    }

    /// Locks the secrets. Never held while bytes are sent.
    fn lock(&self) -> MutexGuard<'_, HashMap<SecretMark, StoredSecret>> {
        lock(&self.0)
    }
}

impl fmt::Debug for SecretVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretVault")
    }
}

/// The secrets of one request, removed from the vault when it is dropped.
pub(crate) struct Placeholders<'v> {
    vault: &'v SecretVault,
    marks: Vec<SecretMark>,
}

impl Placeholders<'_> {
    /// Returns a placeholder for the value of a header, of another length;
    /// `None` if the value is too long.
    pub(crate) fn header(&mut self, secret: &str) -> Option<String> {
        let mark = self.store(secret.as_bytes(), MARK)?;
        String::from_utf8(mark.to_vec()).ok()
    }

    /// Returns a placeholder for a body, of the same length. A body that is
    /// shorter than a mark contains no secret.
    pub(crate) fn body(&mut self, secret: &[u8]) -> Option<Vec<u8>> {
        let filling = secret.len().checked_sub(MARK)?;
        let mut placeholder = self.store(secret, secret.len())?.to_vec();
        placeholder.extend(std::iter::repeat_n(b'*', filling));
        Some(placeholder)
    }

    /// Stores a secret, and returns its mark.
    fn store(&mut self, secret: &[u8], span: usize) -> Option<SecretMark> {
        if secret.len() > LONGEST {
            return None;
        }
        let mut secrets = self.vault.lock();
        // Random: each state is seeded anew.
        let number = RandomState::new().hash_one(secrets.len());
        let mark = SecretMark::try_from(format!("{PREFIX}{number:016x}").as_bytes()).ok()?;
        secrets.insert(mark, StoredSecret { secret: Zeroizing::new(secret.to_vec()), span });
        self.marks.push(mark);
        Some(mark)
    }
}

impl Drop for Placeholders<'_> {
    fn drop(&mut self) {
        let mut secrets = self.vault.lock();
        for mark in &self.marks {
            secrets.remove(mark);
        }
    }
}

/// Returns where the first mark may begin.
fn position(bytes: &[u8]) -> Option<usize> {
    bytes.windows(PREFIX.len()).position(|window| window == PREFIX.as_bytes())
}

/// What marks begin with.
const PREFIX: &str = "hidden-";

/// The length of a mark: the prefix and 16 hexadecimal digits.
const MARK: usize = PREFIX.len() + 16;

/// The longest secret that fits the output buffer of ureq (128 KiB) with all
/// else, in bytes. Longer ones are not replaced, so they are in a log at level
/// TRACE.
const LONGEST: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Redacts, writes the placeholders into a buffer of some size, and
    /// restores.
    fn written(header: &str, body: &[u8], room: usize) -> String {
        let vault = SecretVault::default();
        let mut placeholders = vault.open();
        let shown = placeholders.header(header).unwrap();
        let filled = placeholders.body(body).unwrap_or_else(|| body.to_vec());
        assert_eq!(filled.len(), body.len());
        let mut output = format!("hidden-: x\r\na: {shown}\r\n\r\n").into_bytes();
        output.extend(&filled);
        assert!(!String::from_utf8_lossy(&output).contains("CANARY"));
        let amount = output.len();
        output.resize(room.max(amount), 0);
        let amount = vault.reveal(&mut output, amount);
        drop(placeholders);
        assert!(vault.lock().is_empty());
        String::from_utf8(output[..amount].to_vec()).unwrap()
    }

    #[test]
    fn placeholders_are_replaced_by_their_secrets() {
        let body = b"grant_type=x&refresh_token=CANARY-1";
        for header in ["Bearer CANARY-2", "C", &"CANARY".repeat(100)] {
            let expected = format!("hidden-: x\r\na: {header}\r\n\r\n{}", String::from_utf8_lossy(body));
            assert_eq!(written(header, body, 4096), expected);
        }
        assert_eq!(written("CANARY", b"{}", 4096), "hidden-: x\r\na: CANARY\r\n\r\n{}");
    }

    #[test]
    fn a_secret_that_does_not_fit_stays_a_placeholder() {
        let text = written(&"CANARY".repeat(100), b"{}", 0);
        assert!(text.contains("a: hidden-") && !text.contains("CANARY"), "{text}");
    }

    #[test]
    fn unknown_and_expired_placeholders_are_left_alone() {
        let vault = SecretVault::default();
        let shown = vault.open().header("CANARY").unwrap();
        let mut output = shown.clone().into_bytes();
        let amount = output.len();
        assert_eq!((vault.reveal(&mut output, amount), output), (amount, shown.into_bytes()));
        assert_eq!(vault.open().header(&"x".repeat(LONGEST + 1)), None);
    }
}
