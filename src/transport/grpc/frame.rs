//! Messages as gRPC frames them: a flag, the length in four bytes, the message.
//!
//! ```text
//!  0        1  2  3  4        5 …
//! ┌────────┬─────────────────┬──────────────────┐
//! │ 0 or 1 │ length, big end │ message          │
//! └────────┴─────────────────┴──────────────────┘
//!   1: compressed, as `grpc-encoding` says
//! ```
//!
//! A frame arrives in pieces that have nothing to do with its parts. Limits
//! hold before memory is used: a length is checked when the prefix is there,
//! and a compressed message while it grows.

use std::mem;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::response::Parts;
use prost::Message;

use crate::error::Error;
use crate::transport::Compression;
use crate::util::excerpt::brief;

/// Returns the frame of `message`.
pub(super) fn encode(message: &impl Message, compression: Compression) -> Bytes {
    encode_bytes(&message.encode_to_vec(), compression)
}

/// Returns the frame of an encoded message.
pub(super) fn encode_bytes(message: &[u8], compression: Compression) -> Bytes {
    let mut frame = vec![0; PREFIX];
    match compression {
        Compression::Identity => frame.extend_from_slice(message),
        #[cfg(feature = "gzip")]
        Compression::Gzip => {
            gzip::compress(message, &mut frame);
            frame.splice(..1, [COMPRESSED]);
        }
    }
    let length = u32::try_from(frame.len() - PREFIX).unwrap_or(u32::MAX);
    // Written afterwards, when the compressed length is known.
    frame.splice(1..PREFIX, length.to_be_bytes());
    frame.into()
}

/// A message larger than `limit`, both in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct OversizeMessage {
    /// The announced length; `None` if a compressed message grows past the
    /// limit.
    pub(super) length: Option<usize>,
    pub(super) limit: usize,
}

/// The body of a response, as far as it was received.
#[derive(Debug, PartialEq)]
pub(super) enum IncomingFrames {
    /// The content type is that of gRPC.
    Frame(GrpcFrame),
    /// The beginning of something that is not gRPC, such as the page of a
    /// proxy.
    Other(Vec<u8>),
}

/// A message that arrives in pieces.
#[derive(Debug, Default, PartialEq)]
pub(super) struct GrpcFrame {
    /// The largest message in bytes.
    limit: usize,
    /// The first five bytes, as far as they were received.
    prefix: Vec<u8>,
    /// The length in the prefix, when that is complete.
    length: Option<usize>,
    /// The message, compressed or not, as far as it was received.
    message: Vec<u8>,
}

impl IncomingFrames {
    /// Starts a body whose content type is in `head`.
    pub(super) fn new(head: &Parts, limit: usize) -> Self {
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        match content_type.is_some_and(is_grpc) {
            true => Self::Frame(GrpcFrame { limit, ..GrpcFrame::default() }),
            false => Self::Other(Vec::new()),
        }
    }

    /// Appends the next piece. A message that is too large fails as soon as its
    /// length is known, and a second message at its first byte.
    pub(super) fn push(&mut self, data: &[u8]) -> Result<(), FrameFault> {
        match self {
            Self::Frame(frame) => frame.push(data),
            Self::Other(text) => {
                let room = MAX_ERROR_BODY.saturating_sub(text.len());
                text.extend_from_slice(data.get(..room).unwrap_or(data));
                Ok(())
            }
        }
    }

    /// Returns whether all that is kept was received, however much is still to
    /// come.
    pub(super) fn is_enough(&self) -> bool {
        matches!(self, Self::Other(text) if text.len() >= MAX_ERROR_BODY)
    }
}

impl GrpcFrame {
    /// Appends to the prefix, then to the message.
    fn push(&mut self, mut data: &[u8]) -> Result<(), FrameFault> {
        let length = match self.length {
            Some(length) => length,
            None => {
                let (prefix, rest) = data.split_at(data.len().min(PREFIX - self.prefix.len()));
                self.prefix.extend_from_slice(prefix);
                data = rest;
                let Some(length) = announced(&self.prefix) else { return Ok(()) };
                // Rejected at the prefix, before any of the message is read.
                if length > self.limit {
                    return Err(FrameFault::Oversize(OversizeMessage {
                        length: Some(length),
                        limit: self.limit,
                    }));
                }
                // Limited, because the length is only a claim until the bytes arrive.
                self.message.reserve_exact(length.min(MAX_RESERVED));
                self.length = Some(length);
                length
            }
        };
        let (message, rest) = data.split_at(data.len().min(length - self.message.len()));
        self.message.extend_from_slice(message);
        match rest.is_empty() {
            true => Ok(()),
            // A unary method has exactly one message. Bytes after it mean that something else has responded.
            false => Err(Error::decode("the response is more than one message").into()),
        }
    }

    /// Returns the one message, decompressed from `encoding`.
    pub(super) fn into_message(mut self, encoding: Option<&str>) -> Result<Vec<u8>, FrameFault> {
        let message = mem::take(&mut self.message);
        match (self.prefix.first(), self.length) {
            (None, _) => Err(FrameFault::Empty),
            (_, length) if length != Some(message.len()) => {
                Err(Error::response_cut("the response ends early").into())
            }
            (Some(&PLAIN), _) => Ok(message),
            (Some(&COMPRESSED), _) => decompress(&message, encoding, self.limit),
            _ => Err(Error::decode("the response is not a gRPC message").into()),
        }
    }
}

/// The reason why there is no message.
#[derive(Debug)]
pub(super) enum FrameFault {
    /// It is larger than the limit.
    Oversize(OversizeMessage),
    /// The status is `OK` and there is no message.
    Empty,
    /// It is something else than a message, or only a part of one.
    Wrong(Error),
}

impl From<Error> for FrameFault {
    fn from(error: Error) -> Self {
        Self::Wrong(error)
    }
}

/// Returns whether a body consists of frames with protobuf in them. The frames
/// of gRPC-Web are different, and `+json` has another encoding in them.
fn is_grpc(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    GRPC.iter().any(|grpc| media_type.eq_ignore_ascii_case(grpc))
}

/// Returns the length in a complete prefix.
fn announced(prefix: &[u8]) -> Option<usize> {
    let length: [u8; 4] = prefix.get(1..PREFIX)?.try_into().ok()?;
    // What does not fit is larger than any limit.
    Some(usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX))
}

/// Decompresses a message by the value of `grpc-encoding`.
///
/// # Errors
///
/// `Oversize`; otherwise `Wrong`. An encoding that was not requested, or a
/// label that is false, means that something other than the service has
/// responded.
fn decompress(message: &[u8], encoding: Option<&str>, limit: usize) -> Result<Vec<u8>, FrameFault> {
    #[cfg(feature = "gzip")]
    if let Some(decoded) = encoding.and_then(|encoding| gzip::decompress(message, encoding, limit)) {
        return match decoded {
            Ok(decoded) if decoded.len() > limit => {
                Err(FrameFault::Oversize(OversizeMessage { length: None, limit }))
            }
            Ok(decoded) => Ok(decoded),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
                let message = "the response is labelled `gzip` and is not compressed";
                Err(Error::status_page(message).with_source(error).into())
            }
            Err(error) => {
                Err(Error::response_cut("the compressed response is damaged").with_source(error).into())
            }
        };
    }
    let _ = (message, limit);
    let encoding = brief(encoding.unwrap_or("nothing named"));
    let message = format!("the response is compressed with `{encoding}`, which was not requested");
    Err(Error::status_page(message).into())
}

#[cfg(feature = "gzip")]
mod gzip {
    use std::io::{self, Read, Write};

    use flate2::Compression;
    use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
    use flate2::write::GzEncoder;

    /// Appends the compressed message to `sink`.
    pub(super) fn compress(message: &[u8], sink: &mut Vec<u8>) {
        let mut encoder = GzEncoder::new(sink, Compression::default());
        // Memory takes everything.
        let _ = encoder.write_all(message);
        let _ = encoder.finish();
    }

    /// Stops one byte after the limit. None if the encoding is not known.
    ///
    /// `deflate` is the zlib format, as in HTTP. Servers that leave out its
    /// header are understood too, as by browsers.
    pub(super) fn decompress(message: &[u8], encoding: &str, limit: usize) -> Option<io::Result<Vec<u8>>> {
        Some(match encoding {
            "gzip" => read(GzDecoder::new(message), limit),
            "deflate" if is_zlib(message) => read(ZlibDecoder::new(message), limit),
            "deflate" => read(DeflateDecoder::new(message), limit),
            _ => return None,
        })
    }

    /// Returns whether a message has the header of zlib ([RFC 1950 section
    /// 2.2](https://www.rfc-editor.org/rfc/rfc1950#section-2.2)).
    fn is_zlib(message: &[u8]) -> bool {
        matches!(message, &[method, flags, ..] if method & 15 == 8 && u16::from_be_bytes([method, flags]) % 31 == 0)
    }

    /// Reads at most one byte more than the limit, by which the caller notices
    /// that there is more.
    fn read(decoder: impl Read, limit: usize) -> io::Result<Vec<u8>> {
        let mut decoded = Vec::new();
        let one_more = (limit as u64).saturating_add(1);
        decoder.take(one_more).read_to_end(&mut decoded)?;
        Ok(decoded)
    }
}

/// Content types with protobuf in frames.
const GRPC: [&str; 2] = ["application/grpc", "application/grpc+proto"];

/// Bytes before the message: the flag and the length.
const PREFIX: usize = 5;

const PLAIN: u8 = 0;

#[cfg_attr(not(feature = "gzip"), allow(dead_code))]
const COMPRESSED: u8 = 1;

/// Bytes of a body that is not gRPC, of which the rest is not read.
const MAX_ERROR_BODY: usize = 64 << 10;

/// Room made for a message because its prefix says so, before any of it has
/// come.
const MAX_RESERVED: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(limit: usize) -> GrpcFrame {
        GrpcFrame { limit, ..GrpcFrame::default() }
    }

    fn whole(bytes: &[u8], step: usize, limit: usize) -> Result<Vec<u8>, String> {
        let mut frame = frame(limit);
        let mut pieces = bytes.chunks(step);
        let pushed = pieces.try_for_each(|piece| frame.push(piece));
        pushed.and_then(|()| frame.into_message(Some("gzip"))).map_err(|fault| match fault {
            FrameFault::Oversize(oversize) => format!("{:?}", oversize.length),
            FrameFault::Empty => "empty".to_owned(),
            FrameFault::Wrong(error) => error.to_string(),
        })
    }

    #[test]
    fn messages_in_pieces_of_any_size() {
        let rows: [(&str, &[u8], Result<&[u8], &str>); 9] = [
            ("one", b"\0\0\0\0\x03abc", Ok(b"abc")),
            ("of no bytes", b"\0\0\0\0\0", Ok(b"")),
            ("as large as can be", b"\0\0\0\0\x04abcd", Ok(b"abcd")),
            ("too large", b"\0\0\0\0\x05", Err("Some(5)")),
            ("very much too large", b"\0\xff\xff\xff\xff", Err("Some(4294967295)")),
            ("nothing", b"", Err("empty")),
            ("half a prefix", b"\0\0\0", Err("the response ends early")),
            ("half a message", b"\0\0\0\0\x03ab", Err("the response ends early")),
            ("two", b"\0\0\0\0\x01a\0\0\0\0\x01b", Err("the response is more than one message")),
        ];
        for (name, bytes, expected) in rows {
            for step in [1, 2, 5, 100] {
                let expected = expected.map(<[u8]>::to_vec).map_err(str::to_owned);
                assert_eq!(whole(bytes, step, 4), expected, "{name}, {step}");
            }
        }
    }

    #[test]
    fn content_types_of_grpc() {
        let rows = [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc+proto; charset=utf-8", true),
            ("Application/gRPC ; x", true),
            ("application/grpc+json", false),
            ("application/grpc-web", false),
            ("application/grpc-web+proto", false),
            ("application/grpc-web-text", false),
            ("application/grpcs", false),
            ("application/json", false),
            ("", false),
        ];
        for (content_type, expected) in rows {
            assert_eq!(is_grpc(content_type), expected, "{content_type}");
        }
    }

    #[test]
    fn flags_that_mean_nothing() {
        assert_eq!(whole(b"\x02\0\0\0\x01a", 9, 4), Err("the response is not a gRPC message".into()));
        let error = |encoding| match decompress(b"", encoding, 9).unwrap_err() {
            FrameFault::Wrong(error) => error.to_string(),
            fault => format!("{fault:?}"),
        };
        let message = "the response is compressed with `snappy`, which was not requested";
        assert_eq!(error(Some("snappy")), message);
        assert_eq!(error(None), message.replace("snappy", "nothing named"));
    }

    #[cfg(feature = "gzip")]
    #[test]
    fn compressed_messages_are_capped_as_they_grow() {
        let text = "longrunning ".repeat(1000);
        let bytes = encode(&text, Compression::Gzip);
        assert!(bytes[0] == COMPRESSED && bytes.len() < 200, "{}", bytes.len());
        let size = text.encoded_len();
        assert_eq!(whole(&bytes, 7, size).map(|message| message.len()), Ok(size));
        assert_eq!(whole(&bytes, 7, size - 1), Err("None".into()));
        let mut damaged = bytes.to_vec();
        damaged.truncate(bytes.len() - 20);
        let length = u32::try_from(damaged.len() - PREFIX).unwrap();
        damaged.splice(1..PREFIX, length.to_be_bytes());
        assert_eq!(whole(&damaged, 7, size), Err("the compressed response is damaged".into()));
    }

    #[test]
    fn frames_say_their_length() {
        let bytes = encode(&"ab".to_owned(), Compression::Identity);
        assert_eq!(&*bytes, b"\0\0\0\0\x04\x0a\x02ab");
        assert_eq!(whole(&bytes, 100, 4).unwrap(), b"\x0a\x02ab");
    }
}
