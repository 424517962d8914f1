//! Writes gzip (RFC 1952) without a compression library, so that the feature
//! `testing` adds no dependency.
//!
//! The data goes into stored blocks, which are not compressed (RFC 1951
//! §3.2.4). Clients decode it like any other gzip. [`bomb`] writes the
//! opposite: few bytes that decode to many.

/// Wraps `data` in gzip without compressing it.
///
/// Empty data becomes one empty block, because a stream needs a last block.
pub(super) fn stored(data: &[u8]) -> Vec<u8> {
    let mut out = HEADER.to_vec();
    let mut blocks = data.chunks(usize::from(u16::MAX)).peekable();
    if blocks.peek().is_none() {
        push_block(&mut out, &[], true);
    }
    while let Some(block) = blocks.next() {
        push_block(&mut out, block, blocks.peek().is_none());
    }
    out.extend(crc32(data).to_le_bytes());
    out.extend((data.len() as u32).to_le_bytes());
    out
}

/// Returns gzip that decodes to at least `decoded` spaces, about 160 times its
/// size, and then breaks off.
///
/// The stream has neither a last symbol nor a checksum. A client that limits
/// what it decodes never gets to that point.
pub(super) fn bomb(decoded: u64) -> Vec<u8> {
    // RFC 1951 §3.2.6, fixed codes: the last block, a literal space, then "258 more
    // of the same" for ever.
    let mut bits: Vec<u8> = [1, 1, 0].to_vec();
    bits.extend(SPACE);
    // More bits than are used: `chunks_exact` drops the last incomplete byte.
    while bits.len() < 8 * (LEAD + PERIOD) {
        bits.extend(SAME_258);
    }
    let bytes: Vec<u8> =
        bits.chunks_exact(8).map(|byte| byte.iter().rev().fold(0, |all, bit| all << 1 | bit)).collect();
    let (lead, rest) = bytes.split_at(LEAD);
    let periods = (decoded / (8 * 258) + 2) as usize;
    let mut out = HEADER.to_vec();
    out.extend(lead);
    out.extend(rest.iter().take(PERIOD).cycle().take(periods * PERIOD));
    out
}

/// Appends a stored block: whether it is the last, its length, the complement
/// of its length, its bytes. Blocks have at most 65,535 bytes.
fn push_block(out: &mut Vec<u8>, block: &[u8], last: bool) {
    let length = block.len() as u16;
    out.push(u8::from(last));
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(block);
}

/// Returns the CRC-32 of gzip (RFC 1952 §8).
fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, byte| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

/// Returns the CRC of each byte, computed at compile time.
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let (mut crc, mut bit) = (index as u32, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

static TABLE: [u32; 256] = table();

/// Magic bytes, deflate, no flags, no time, no extra flags, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The fixed code of a space (RFC 1951 §3.2.6: 0x30 + 0x20, most significant
/// bit first).
const SPACE: [u8; 8] = [0, 1, 0, 1, 0, 0, 0, 0];
/// The fixed code of length 258, without extra bits, and of distance 1: repeats
/// the byte before 258 times.
const SAME_258: [u8; 13] = [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0];

/// The bytes after which the bits of the bomb repeat: eight repeats of 13 bits
/// fill 13 bytes.
const PERIOD: usize = 13;
/// The bytes before the periodic part. The first repeat starts in the second
/// byte.
const LEAD: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_match_the_published_check_values() {
        // The check value of CRC-32/ISO-HDLC, and a sentence that is often quoted with
        // its sum.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b"The quick brown fox jumps over the lazy dog"), 0x414F_A339);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn stored_blocks_carry_the_bytes_as_they_are() {
        let packed = stored(b"hello");
        assert_eq!(packed[10..20], [1, 5, 0, 0xfa, 0xff, b'h', b'e', b'l', b'l', b'o']);
        assert_eq!(packed[24..], [5, 0, 0, 0]);
        assert_eq!(stored(b"")[10..15], [1, 0, 0, 0xff, 0xff]);
        let long = stored(&[b'x'; 70_000]);
        assert_eq!((long.len(), long[10], long[10 + 5 + 65_535]), (10 + 5 + 65_535 + 5 + 4_465 + 8, 0, 1));
    }

    #[test]
    fn a_bomb_is_small() {
        let packed = bomb(100 << 20);
        assert!(packed.len() < (100 << 20) / 150, "{}", packed.len());
    }
}
