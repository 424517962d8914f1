//! The memory of a body that was decoded, for the next one.
//!
//! A list reads one page after the other, each of up to some hundred KiB. One
//! buffer serves them all.

use std::mem;
use std::sync::Mutex;

use crate::util::sync::lock;

/// At most one buffer, of at most [`LARGEST`] bytes, shared by the threads of a
/// client.
#[derive(Default)]
pub(super) struct SpareBody(Mutex<Vec<u8>>);

impl SpareBody {
    /// Returns a buffer for a body of `announced` bytes, with any content. It
    /// is longer than `announced`. Zero stands for an unknown length, and may
    /// return an empty buffer.
    pub(super) fn take(&self, announced: usize) -> Vec<u8> {
        let mut bytes = mem::take(&mut *lock(&self.0));
        let is_fit = announced == 0 || bytes.capacity() / 4 <= announced.max(SMALL);
        if !is_fit {
            // It stays for a body of its size. A small body that the caller
            // keeps must not hold so much memory.
            self.put(mem::take(&mut bytes));
        }
        if announced > 0 && bytes.len() <= announced {
            // With one byte more, the read that finds the end needs no more room.
            bytes.resize(announced + 1, 0);
        }
        bytes
    }

    /// Keeps the larger one of this buffer and the present one.
    pub(super) fn put(&self, bytes: Vec<u8>) {
        let mut kept = lock(&self.0);
        // Threads that return buffers at the same time leave the largest that
        // is not too large. One thread needs no more.
        if (kept.capacity()..=LARGEST).contains(&bytes.capacity()) {
            *kept = bytes;
        }
    }
}

/// The largest buffer that is kept, in bytes.
const LARGEST: usize = 1 << 20;

/// Bodies of less than this may take up to four times as much.
const SMALL: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_buffer_is_kept_for_bodies_of_its_size() {
        let spare = SpareBody::default();
        assert_eq!((spare.take(0).len(), spare.take(10).len()), (0, 11));
        spare.put(vec![1; 300_000]);
        spare.put(vec![1; 10]);
        assert_eq!(spare.take(1000).len(), 1001, "a small body gets one of its own");
        assert_eq!(spare.take(280_000).len(), 300_000, "nothing is cleared");
        assert_eq!(spare.take(0).len(), 0, "it is gone");
        spare.put(Vec::with_capacity(LARGEST + 1));
        assert_eq!(spare.take(0).capacity(), 0, "it is too large to be kept");
        spare.put(vec![1; 300_000]);
        assert_eq!(spare.take(0).len(), 300_000, "a body of unknown length may be large");
    }
}
