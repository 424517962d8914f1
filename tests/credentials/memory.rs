//! Hole 10: secrets that stay in memory after their last owner is gone. All memory of this process is searched.

use std::any::Any;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use longrunning::Credentials;
use longrunning::auth::{AccessToken, AuthorizedUser};
use zeroize::Zeroizing;

#[test]
fn hole_10_secrets_are_wiped_when_they_are_dropped() {
    type Make = fn(&Needle) -> Box<dyn Any>;
    let rows: [(&str, Make); 4] = [
        ("access token", |needle| Box::new(AccessToken::new(needle.text("", "")))),
        ("bearer token", |needle| Box::new(Credentials::bearer(needle.text("", "")).unwrap())),
        ("API key", |needle| Box::new(Credentials::api_key(needle.text("", "")).unwrap())),
        ("refresh token", |needle| {
            let start = r#"{"client_id": "c", "client_secret": "s", "refresh_token": ""#;
            let json = Zeroizing::new(needle.text(start, r#""}"#));
            Box::new(AuthorizedUser::from_json(&json).unwrap())
        }),
    ];
    for (number, (name, make)) in rows.into_iter().enumerate() {
        let needle = Needle::new(number);
        let held = make(&needle);
        assert!(needle.is_in_memory(), "{name}: the search does not find what is there");
        drop(held);
        assert!(!needle.is_in_memory(), "{name}: it is still there");
    }
}

/// A secret that does not itself lie in memory: only its complement does.
struct Needle(Vec<u8>);

impl Needle {
    fn new(number: usize) -> Self {
        let kind = b'a' + u8::try_from(number).unwrap();
        Self((0..40).map(|at| !(if at % 2 == 0 { b'Q' } else { kind })).collect())
    }

    /// The secret with something around it, in one allocation that never moves.
    fn text(&self, before: &str, behind: &str) -> String {
        let mut text = String::with_capacity(before.len() + self.0.len() + behind.len());
        text.push_str(before);
        text.extend(self.0.iter().map(|byte| char::from(!byte)));
        text.push_str(behind);
        text
    }

    fn is_in_memory(&self) -> bool {
        let memory = File::open("/proc/self/mem").unwrap();
        let regions = fs::read_to_string("/proc/self/maps").unwrap();
        regions.lines().filter(|line| line.contains(" rw")).any(|line| self.is_in(&memory, line))
    }

    fn is_in(&self, memory: &File, region: &str) -> bool {
        let range = region.split(' ').next().unwrap_or_default().split_once('-').unwrap();
        let address = |text| u64::from_str_radix(text, 16).unwrap();
        let (mut at, end) = (address(range.0), address(range.1));
        let mut buffer = vec![0; 1 << 20];
        while at < end {
            // What lies across two pieces is found in the second, which begins a little earlier.
            let Ok(read @ 1..) = memory.read_at(&mut buffer, at) else { return false };
            let piece = &buffer[..read.min((end - at) as usize)];
            if self.is_within(piece) {
                return true;
            }
            at += (read as u64).saturating_sub(self.0.len() as u64).max(1);
            buffer.fill(0);
            if end - at.min(end) <= self.0.len() as u64 {
                return false;
            }
        }
        false
    }

    fn is_within(&self, piece: &[u8]) -> bool {
        let (first, len) = (!self.0[0], self.0.len());
        let mut rest = piece;
        while let Some(found) = rest.iter().position(|byte| *byte == first) {
            rest = &rest[found..];
            if rest.len() < len {
                return false;
            }
            if rest.iter().zip(&self.0).all(|(byte, complement)| *byte == !complement) {
                return true;
            }
            rest = &rest[1..];
        }
        false
    }
}
