//! Keeps the secrets of a request out of the log.
//!
//! At level TRACE ureq logs every byte that it writes, which no setting
//! prevents. So it gets placeholders for secrets, and
//! [`UreqConnection`](super::connection::UreqConnection) replaces them when it
//! sends the bytes.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard};

use zeroize::Zeroizing;

use crate::util::sync::lock;

/// The secrets of the requests that are under way; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Vault(Arc<Mutex<HashMap<Mark, Hidden>>>);

type Mark = [u8; MARK];

struct Hidden {
    secret: Zeroizing<Vec<u8>>,
    /// How many bytes stand in for it.
    span: usize,
}

impl Vault {
    /// Starts to hide the secrets of one request.
    pub(crate) fn open(&self) -> Hiding<'_> {
        Hiding { vault: self, marks: Vec::new() }
    }

    /// Replaces placeholders by their secrets among the first `amount` bytes;
    /// returns the new amount.
    ///
    /// A secret that does not fit stays redacted, and the server rejects the
    /// placeholder.
    pub(crate) fn reveal(&self, output: &mut [u8], amount: usize) -> usize {
        let hidden = self.lock();
        let (mut at, mut amount) = (0, amount);
        if hidden.is_empty() {
            return amount;
        }
        while let Some(found) = output.get(at..amount).and_then(position) {
            at += found;
            let mark = output.get(at..at + MARK).and_then(|bytes| Mark::try_from(bytes).ok());
            let Some(Hidden { secret, span }) = mark.and_then(|mark| hidden.get(&mark)) else {
                at += PREFIX.len();
                continue;
            };
            let (end, new_end) = (at + span, at + secret.len());
            let new_amount = (amount + secret.len()).saturating_sub(*span);
            if end > amount || new_amount > output.len() {
                at += PREFIX.len();
                continue;
            }
            output.copy_within(end..amount, new_end);
            if let Some(place) = output.get_mut(at..new_end) {
                place.copy_from_slice(secret);
            }
            (at, amount) = (new_end, new_amount);
        }
        amount
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Mark, Hidden>> {
        lock(&self.0)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

/// The secrets of one request, forgotten when dropped.
pub(crate) struct Hiding<'v> {
    vault: &'v Vault,
    marks: Vec<Mark>,
}

impl Hiding<'_> {
    /// Returns a placeholder for the value of a header, of another length.
    pub(crate) fn header(&mut self, secret: &str) -> Option<String> {
        let mark = self.hide(secret.as_bytes(), MARK)?;
        String::from_utf8(mark.to_vec()).ok()
    }

    /// Returns a placeholder for a body, of the same length. A body shorter
    /// than a mark contains no secret.
    pub(crate) fn body(&mut self, secret: &[u8]) -> Option<Vec<u8>> {
        let filling = secret.len().checked_sub(MARK)?;
        let mut stand_in = self.hide(secret, secret.len())?.to_vec();
        stand_in.extend(std::iter::repeat_n(b'*', filling));
        Some(stand_in)
    }

    fn hide(&mut self, secret: &[u8], span: usize) -> Option<Mark> {
        if secret.len() > LONGEST {
            return None;
        }
        let mut hidden = self.vault.lock();
        let number = RandomState::new().hash_one(hidden.len());
        let mark = Mark::try_from(format!("{PREFIX}{number:016x}").as_bytes()).ok()?;
        hidden.insert(mark, Hidden { secret: Zeroizing::new(secret.to_vec()), span });
        self.marks.push(mark);
        Some(mark)
    }
}

impl Drop for Hiding<'_> {
    fn drop(&mut self) {
        let mut hidden = self.vault.lock();
        for mark in &self.marks {
            hidden.remove(mark);
        }
    }
}

fn position(bytes: &[u8]) -> Option<usize> {
    bytes.windows(PREFIX.len()).position(|window| window == PREFIX.as_bytes())
}

const PREFIX: &str = "hidden-";

/// The prefix and 16 hexadecimal digits.
const MARK: usize = PREFIX.len() + 16;

/// The longest secret that fits the output buffer of ureq (128 KiB) with all
/// else; longer ones are sent as they are.
const LONGEST: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Redacts, writes the placeholders into a buffer of some size, and
    /// restores.
    fn written(header: &str, body: &[u8], room: usize) -> String {
        let vault = Vault::default();
        let mut hiding = vault.open();
        let shown = hiding.header(header).unwrap();
        let filled = hiding.body(body).unwrap_or_else(|| body.to_vec());
        assert_eq!(filled.len(), body.len());
        let mut output = format!("hidden-: x\r\na: {shown}\r\n\r\n").into_bytes();
        output.extend(&filled);
        assert!(!String::from_utf8_lossy(&output).contains("CANARY"));
        let amount = output.len();
        output.resize(room.max(amount), 0);
        let amount = vault.reveal(&mut output, amount);
        drop(hiding);
        assert!(vault.lock().is_empty());
        String::from_utf8(output[..amount].to_vec()).unwrap()
    }

    #[test]
    fn secrets_take_the_places_of_their_stand_ins() {
        let body = b"grant_type=x&refresh_token=CANARY-1";
        for header in ["Bearer CANARY-2", "C", &"CANARY".repeat(100)] {
            let expected = format!("hidden-: x\r\na: {header}\r\n\r\n{}", String::from_utf8_lossy(body));
            assert_eq!(written(header, body, 4096), expected);
        }
        assert_eq!(written("CANARY", b"{}", 4096), "hidden-: x\r\na: CANARY\r\n\r\n{}");
    }

    #[test]
    fn what_does_not_fit_stays_hidden() {
        let text = written(&"CANARY".repeat(100), b"{}", 0);
        assert!(text.contains("a: hidden-") && !text.contains("CANARY"), "{text}");
    }

    #[test]
    fn stand_ins_of_others_and_of_the_past_mean_nothing() {
        let vault = Vault::default();
        let shown = vault.open().header("CANARY").unwrap();
        let mut output = shown.clone().into_bytes();
        let amount = output.len();
        assert_eq!((vault.reveal(&mut output, amount), output), (amount, shown.into_bytes()));
        assert_eq!(vault.open().header(&"x".repeat(LONGEST + 1)), None);
    }
}
