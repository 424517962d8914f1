//! What a peer sends that h2 does not pass on: the text of `GOAWAY`, and the
//! protocol of a peer without HTTP/2.
//!
//! h2 keeps the debug data of a `GOAWAY` to itself, and that data is where
//! servers say why they close a connection (`too_many_pings`, `max_age`). So
//! the bytes that go into h2 are read here too, frame by frame (RFC 9113
//! section 4.1). Nothing depends on it but the text of errors.

use std::fmt;

use h2::Reason;

use crate::util::excerpt::excerpt;

/// Reads the frames from a peer, beside h2. It keeps at most 1 KiB.
#[derive(Default)]
pub(super) struct FrameWatch {
    /// The first bytes from the peer, as many as distinguish protocols.
    start: Vec<u8>,
    /// The part of a frame's header that was received, less than nine bytes.
    header: Vec<u8>,
    /// Bytes of a frame's payload that are still to come.
    left: usize,
    /// The beginning of the payload, if the frame is a `GOAWAY`.
    payload: Option<Vec<u8>>,
    /// The last one that was complete.
    go_away: Option<GoAway>,
}

/// Why a peer closes a connection ([RFC 9113 section 6.8](https://www.rfc-editor.org/rfc/rfc9113#section-6.8)).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GoAway {
    pub(super) reason: Reason,
    /// Additional debug data: at most 200 bytes, escaped.
    text: String,
}

impl FrameWatch {
    /// Reads the next bytes from the peer, cut anywhere.
    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        let missing = START.saturating_sub(self.start.len()).min(bytes.len());
        self.start.extend(bytes.get(..missing).unwrap_or_default());
        while !bytes.is_empty() {
            let taken = if self.left == 0 { self.push_header(bytes) } else { self.push_payload(bytes) };
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }

    /// Returns the last `GOAWAY` that was received.
    pub(super) fn go_away(&self) -> Option<&GoAway> {
        self.go_away.as_ref()
    }

    /// Returns whether the peer responds in HTTP/1.
    pub(super) fn is_http1(&self) -> bool {
        self.start.starts_with(b"HTTP/1")
    }

    /// Reads bytes of a header, and returns how many.
    fn push_header(&mut self, bytes: &[u8]) -> usize {
        let taken = (HEADER - self.header.len()).min(bytes.len());
        self.header.extend(bytes.get(..taken).unwrap_or_default());
        // A frame without a payload leaves `left` at 0, so the next bytes are
        // another header.
        if let &[high, middle, low, kind, ..] = &*self.header
            && self.header.len() == HEADER
        {
            self.left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            self.payload = (kind == GO_AWAY).then(Vec::new);
            self.header.clear();
        }
        taken
    }

    /// Reads or skips bytes of a payload, and returns how many.
    fn push_payload(&mut self, bytes: &[u8]) -> usize {
        let taken = self.left.min(bytes.len());
        self.left -= taken;
        if let Some(payload) = &mut self.payload {
            let room = MAX_PAYLOAD.saturating_sub(payload.len()).min(taken);
            payload.extend(bytes.get(..room).unwrap_or_default());
            if self.left == 0 {
                // A server that shuts down in two steps sends two of them, and the last one has
                // the reason.
                self.go_away = GoAway::read(payload).or(self.go_away.take());
            }
        }
        taken
    }
}

impl GoAway {
    /// Reads the payload of a `GOAWAY`: the last stream, the code, debug data.
    /// `None` if it is too short.
    fn read(payload: &[u8]) -> Option<Self> {
        let code: [u8; 4] = payload.get(4..8)?.try_into().ok()?;
        let text = excerpt(&String::from_utf8_lossy(payload.get(8..).unwrap_or_default()));
        Some(Self { reason: u32::from_be_bytes(code).into(), text })
    }
}

impl fmt::Display for GoAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GOAWAY {:?}", self.reason)?;
        if self.text.is_empty() { Ok(()) } else { write!(f, " `{}`", self.text) }
    }
}

/// The length of `HTTP/1`.
const START: usize = 6;

/// The length of a frame's header: length, type, flags, stream.
const HEADER: usize = 9;

/// The type of a `GOAWAY` frame.
const GO_AWAY: u8 = 7;

/// Bytes that are kept of a payload: more than is shown of it, so that the cut
/// is marked.
const MAX_PAYLOAD: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, 0, 0, 0, 0, 0], payload].concat()
    }

    fn go_away(code: u8, text: &[u8]) -> Vec<u8> {
        frame(GO_AWAY, &[&[0, 0, 0, 1, 0, 0, 0, code], text].concat())
    }

    #[test]
    fn the_last_go_away_counts_however_it_is_cut() {
        let long = "x".repeat(5000);
        let rows = [
            ("none", [frame(4, b""), frame(6, b"12345678")].concat(), None),
            ("without text", [frame(4, b""), go_away(0, b"")].concat(), Some("GOAWAY NO_ERROR".into())),
            (
                "with text, and more behind",
                [go_away(11, b"too_many_pings"), frame(6, &[7; 300])].concat(),
                Some("GOAWAY ENHANCE_YOUR_CALM `too_many_pings`".into()),
            ),
            (
                "twice",
                [go_away(0, b"max_age"), go_away(2, b"")].concat(),
                Some("GOAWAY INTERNAL_ERROR".to_owned()),
            ),
            (
                "with what a terminal obeys",
                go_away(1, b"a\x1b[2Jb\r\n\xff"),
                Some("GOAWAY PROTOCOL_ERROR `a\\u{1b}[2Jb\\r\\n\u{fffd}`".into()),
            ),
            (
                "long",
                go_away(1, long.as_bytes()),
                Some(format!("GOAWAY PROTOCOL_ERROR `{}`", excerpt(&long))),
            ),
            ("too short to say anything", frame(GO_AWAY, b"1234567"), None),
        ];
        for (name, bytes, expected) in rows {
            for step in [1, 3, 9, 10_000] {
                let mut watch = FrameWatch::default();
                bytes.chunks(step).for_each(|piece| watch.push(piece));
                assert_eq!(watch.go_away().map(ToString::to_string), expected, "{name}, {step}");
            }
        }
    }
}
