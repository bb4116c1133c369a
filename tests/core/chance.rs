//! Numbers that look random, and are the same for the same seed; or numbers that the input of a fuzzer chooses.

use std::sync::Arc;

#[derive(Clone, Debug)]
pub(crate) struct Chance(Source);

#[derive(Clone, Debug)]
enum Source {
    /// SplitMix64: one addition and a few shifts a number.
    Seed(u64),
    /// The bytes, and how many are used.
    #[allow(dead_code, reason = "only the fuzzer has inputs")]
    Bytes(Arc<[u8]>, usize),
}

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(Source::Seed(seed))
    }

    /// Numbers of the input of a fuzzer; 0 after its end.
    #[allow(dead_code, reason = "only the fuzzer has inputs")]
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self(Source::Bytes(bytes.into(), 0))
    }

    /// Whether all bytes of the input are used.
    #[allow(dead_code, reason = "only the fuzzer has inputs")]
    pub(crate) fn is_used_up(&self) -> bool {
        matches!(&self.0, Source::Bytes(bytes, used) if *used >= bytes.len())
    }

    fn next(&mut self, end: u64) -> u64 {
        match &mut self.0 {
            Source::Seed(seed) => {
                *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut bits = *seed;
                bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                bits ^ (bits >> 31)
            }
            Source::Bytes(bytes, used) => {
                let mut take = || {
                    *used += 1;
                    u64::from(bytes.get(*used - 1).copied().unwrap_or_default())
                };
                if end <= 256 { take() } else { take() * 256 + take() }
            }
        }
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap();
        usize::try_from(self.next(end) % end).unwrap()
    }

    pub(crate) fn one_in(&mut self, number: usize) -> bool {
        self.below(number) == 0
    }

    /// A copy of one of these items.
    pub(crate) fn of<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }

    /// The index of one of the weights, with a probability in proportion to the weight.
    pub(crate) fn weighed(&mut self, weights: &[usize]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (place, weight) in weights.iter().enumerate() {
            if left < *weight {
                return place;
            }
            left -= weight;
        }
        panic!("a number below the sum of the weights is in one of them")
    }
}
