//! Changes of an input, as a fuzzer makes them, but the same at each run.

use crate::chance::Chance;

/// Bytes that mean something to some reader.
const SIGNS: &[u8] = b"\0\t\n\r \"#%&'()*+,-./0129:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xc3\xff";

/// One of the seeds with some changes.
pub(crate) fn changed(seeds: &[&[u8]], chance: &mut Chance) -> Vec<u8> {
    let mut input = chance.of(seeds).to_vec();
    for _ in 0..=chance.below(4) {
        change(&mut input, seeds, chance);
    }
    input
}

fn change(input: &mut Vec<u8>, seeds: &[&[u8]], chance: &mut Chance) {
    let at = chance.below(input.len() + 1);
    let end = (at + chance.below(16)).min(input.len());
    match chance.below(7) {
        0 => input.insert(at, chance.of(SIGNS)),
        1 => input.truncate(at),
        2 => drop(input.drain(at..end)),
        3 => {
            let copied = input[at..end].to_vec();
            let to = chance.below(input.len() + 1);
            input.splice(to..to, copied);
        }
        4 => {
            let other = chance.of(seeds);
            let from = chance.below(other.len() + 1);
            let until = (from + chance.below(64)).min(other.len());
            input.splice(at..end, other[from..until].iter().copied());
        }
        5 if at < input.len() => input[at] = chance.of(SIGNS),
        _ if at < input.len() => input[at] ^= 1 << chance.below(8),
        _ => {}
    }
}
