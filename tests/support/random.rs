//! Random values for unit tests, the same in every run.
//!
//! Properties of the public interface are in `tests/heavy`, with a library that also finds the smallest failing case.

use std::ops::RangeInclusive;

/// The generator SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of the range. Each end is as likely as all numbers between them, since errors are found there.
    pub(crate) fn within(&mut self, range: RangeInclusive<i64>) -> i64 {
        let (low, high) = (*range.start(), *range.end());
        match self.below(3) {
            0 => low,
            1 => high,
            _ => {
                let size = i128::from(high) - i128::from(low) + 1;
                // In the range, hence no overflow.
                (i128::from(low) + i128::from(self.next()) % size) as i64
            }
        }
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    pub(crate) fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// Up to `most` characters, of `alphabet` more often than not.
    pub(crate) fn text(&mut self, alphabet: &str, most: usize) -> String {
        let known: Vec<char> = alphabet.chars().collect();
        let length = self.below(most + 1);
        let any = |random: &mut Self| char::from_u32(random.below(0x11_0000) as u32).unwrap_or('\u{fffd}');
        (0..length).map(|_| if self.below(9) == 0 { any(self) } else { self.pick(&known) }).collect()
    }
}

/// Checks `cases` cases, each with a generator of its own; names the one that fails.
pub(crate) fn cases(count: u64, mut check: impl FnMut(&mut Random)) {
    for case in 0..count {
        let named = NameIfPanicking(case);
        check(&mut Random(case));
        drop(named);
    }
}

struct NameIfPanicking(u64);

impl Drop for NameIfPanicking {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in case {}", self.0);
        }
    }
}
