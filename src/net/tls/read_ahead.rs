//! Bytes that were read before rustls takes them.

use std::io::{self, Read};

/// A buffer below TLS: rustls reads 4 KiB at a time, and a large response would
/// cost a system call for each.
#[derive(Default)]
pub(super) struct ReadAhead {
    bytes: Vec<u8>,
    /// The unread part of `bytes`; both never beyond its length.
    start: usize,
    end: usize,
}

impl ReadAhead {
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Reads once from `source`; only if it is empty.
    pub(super) fn fill(&mut self, source: &mut impl Read) -> io::Result<()> {
        if self.bytes.is_empty() {
            self.bytes = vec![0; SIZE];
        }
        (self.start, self.end) = (0, 0);
        self.end = source.read(&mut self.bytes)?.min(self.bytes.len());
        Ok(())
    }
}

impl Read for ReadAhead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let unread = self.bytes.get(self.start..self.end).unwrap_or_default();
        let amount = unread.len().min(into.len());
        if let (Some(to), Some(from)) = (into.get_mut(..amount), unread.get(..amount)) {
            to.copy_from_slice(from);
        }
        self.start += amount;
        Ok(amount)
    }
}

/// Two records of TLS.
const SIZE: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_once_and_in_order() {
        let mut buffer = ReadAhead::default();
        assert!(buffer.is_empty());
        for source in [&b"0123456789"[..], b"abc"] {
            buffer.fill(&mut { source }).unwrap();
            let (mut read, mut part) = (Vec::<u8>::new(), [0; 4]);
            while !buffer.is_empty() {
                let amount = buffer.read(&mut part).unwrap();
                read.extend(&part[..amount]);
            }
            assert_eq!(read, source);
            assert_eq!(buffer.read(&mut part).unwrap(), 0);
        }
    }
}
