//! The buffers of a connection, in memory that costs nothing before it is used.

use std::fmt;

use ureq::config::Config;
use ureq::unversioned::transport::Buffers;

/// Replaces ureq's `LazyBuffers`, without writing zeros.
///
/// Those write zeros into 256 KiB for every connection, for requests and
/// responses of some hundred bytes: a tenth of the time from the start of a
/// program to its first response. Memory that is allocated as zeros comes from
/// the operating system page by page, when it is touched.
pub(crate) struct LazyPages {
    /// Bytes of responses. Empty until the first read.
    input: Vec<u8>,
    /// The length of `input` once it is allocated.
    input_size: usize,
    /// The unread part of `input` begins here, and ends at `filled`. Neither is
    /// ever beyond its length.
    consumed: usize,
    filled: usize,
    /// The next bytes of the request. Empty until the first write.
    output: Vec<u8>,
    output_size: usize,
    /// Whether the last look at the input consumed anything. If not, the unread
    /// bytes are only a part of something.
    progress: bool,
}

impl LazyPages {
    /// Creates buffers of the sizes in the configuration.
    pub(crate) fn new(config: &Config) -> Self {
        let (input_size, output_size) = (config.input_buffer_size(), config.output_buffer_size());
        let (input, output) = (Vec::new(), Vec::new());
        Self { input, input_size, consumed: 0, filled: 0, output, output_size, progress: false }
    }

    /// Returns the free part of the input, and makes room for it first.
    fn free(&mut self) -> &mut [u8] {
        if self.input.is_empty() {
            // Not `resize`, which would write the zeros.
            self.input = vec![0; self.input_size];
        }
        // Moves what is unread to the front. Mostly that is nothing, because a
        // response is read to its end.
        if self.consumed > 0 {
            self.input.copy_within(self.consumed..self.filled, 0);
            (self.consumed, self.filled) = (0, self.filled - self.consumed);
        }
        self.input.get_mut(self.filled..).unwrap_or_default()
    }
}

impl Buffers for LazyPages {
    fn output(&mut self) -> &mut [u8] {
        if self.output.is_empty() {
            self.output = vec![0; self.output_size];
        }
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        self.input.get(self.consumed..self.filled).unwrap_or_default()
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.free()
    }

    fn input_appended(&mut self, amount: usize) {
        // ureq is trusted with neither amount: a wrong one must not become a
        // panic.
        self.filled = self.filled.saturating_add(amount).min(self.input.len());
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.consumed = self.consumed.saturating_add(amount).min(self.filled);
    }

    /// Lends the free part of the input for pieces of the request body, because
    /// a request is sent before its response is read.
    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.output();
        if self.free().len() < BODY_PIECE {
            self.input.resize(self.filled + BODY_PIECE, 0);
        }
        (self.input.get_mut(self.filled..).unwrap_or_default(), &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.progress && !self.input().is_empty()
    }
}

/// Prints nothing of what goes over the wire.
impl fmt::Debug for LazyPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyPages").field("unread", &self.input().len()).finish_non_exhaustive()
    }
}

/// The least room for a piece of a request body, in bytes.
const BODY_PIECE: usize = 10 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn buffers(size: usize) -> LazyPages {
        let config = Config::builder().input_buffer_size(size).output_buffer_size(size).build();
        LazyPages::new(&config)
    }

    fn append(buffers: &mut LazyPages, bytes: &[u8]) {
        buffers.input_append_buf()[..bytes.len()].copy_from_slice(bytes);
        buffers.input_appended(bytes.len());
    }

    #[test]
    fn input_is_read_in_pieces_and_its_room_used_again() {
        let mut buffers = buffers(8);
        assert_eq!((buffers.input(), buffers.can_use_input()), (&b""[..], false));
        append(&mut buffers, b"abcdef");
        buffers.input_consume(4);
        assert_eq!((buffers.input(), buffers.can_use_input()), (&b"ef"[..], true));
        buffers.input_consume(0);
        assert!(!buffers.can_use_input(), "more has to come first");
        append(&mut buffers, b"ghijkl");
        assert_eq!(buffers.input(), b"efghijkl");
        assert!(buffers.input_append_buf().is_empty(), "it is full");
        buffers.input_consume(8);
        assert_eq!((buffers.input().len(), buffers.input_append_buf().len()), (0, 8));
    }

    #[test]
    fn a_request_body_has_room_whatever_the_input_holds() {
        let mut buffers = buffers(8);
        append(&mut buffers, b"abcdefgh");
        let (piece, output) = buffers.tmp_and_output();
        assert_eq!((piece.len(), output.len()), (BODY_PIECE, 8));
        assert_eq!(buffers.input(), b"abcdefgh");
    }
}
