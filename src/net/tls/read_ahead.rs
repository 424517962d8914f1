//! Bytes that were read from the connection before rustls takes them.

use std::io::{self, Read};

/// A buffer below TLS. rustls reads 4 KiB at a time, and a large response would
/// cost a system call for each.
#[derive(Default)]
pub(super) struct ReadAhead {
    /// The buffer; allocated at the first read, since many connections are only
    /// opened.
    bytes: Vec<u8>,
    /// The unread part of `bytes` begins here. Neither bound is ever beyond its
    /// length.
    start: usize,
    /// The unread part ends here.
    end: usize,
}

impl ReadAhead {
    /// Returns whether all bytes were taken.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Reads once from `source`. Only for an empty buffer: it would overwrite
    /// unread bytes. At the end of the connection the buffer stays empty.
    pub(super) fn fill(&mut self, source: &mut impl Read) -> io::Result<()> {
        if self.bytes.is_empty() {
            self.bytes = vec![0; SIZE];
        }
        // Empty also if the read fails.
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

/// Two TLS records of the largest size, in bytes.
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
