//! How many users are refused because their bucket is full.

use super::super::buckets;
use super::*;

/// The first 16 bits of tags, as a keyed hash spreads them.
struct Tags(u64);

impl Tags {
    fn next(&mut self) -> [u8; 16] {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mixed = (mixed ^ (mixed >> 31)).to_be_bytes();
        let [first, rest] = [mixed, self.0.to_be_bytes()];
        [first, rest].concat().try_into().unwrap()
    }
}

/// How many of so many users, each with a phone, find a full bucket in the region of users.
fn refused(users: usize, seed: u64, limits: &Limits) -> usize {
    let mut tags = Tags(seed << 32);
    let mut places = vec![0_usize; usize::from(buckets(limits.users))];
    for _ in 0..users {
        for tag in [tags.next(), tags.next()] {
            let permit = Permit::of_prompt(tag, tag, LASTS);
            let taken = &mut places[usize::from(permit.bucket(limits))];
            *taken = taken.saturating_add(1);
        }
    }
    places.iter().map(|taken| taken.saturating_sub(ENTRIES)).sum()
}

#[test]
fn fewer_than_one_in_a_million_users_finds_no_room() {
    let limits = limits();
    let seeds = 300;
    for users in [10_000, 16_384] {
        let refused: usize = (0..seeds).map(|seed| refused(users, seed, &limits)).sum();
        println!("{users} users at once, {seeds} times: {refused} find no room");
        assert_eq!(refused, 0, "{users}");
    }
    let refused = refused(100_000, 0, &limits);
    assert!(refused > 0, "the table is not larger than it has to be");
}

/// The chance that a bucket is full, if so many places are taken in it on average: that of 32 or more
/// in a Poisson distribution.
fn chance_of_full(mean: f64) -> f64 {
    let mut term = (-mean).exp();
    let mut chance = 0.0;
    for taken in 1..=120_u32 {
        term *= mean / f64::from(taken);
        if usize::try_from(taken).unwrap() >= ENTRIES {
            chance += term;
        }
    }
    chance
}

#[test]
fn the_sizes_are_those_of_the_calculation() {
    for users in [256_u32, 1_024, 4_096, 16_384, 65_536] {
        let buckets = buckets(usize::try_from(users).unwrap());
        let chance = |asked: u32| chance_of_full(2.0 * f64::from(asked) / f64::from(buckets));
        assert_eq!(u32::from(buckets) * 4, users);
        assert!(chance(users) < 2e-10, "{users}: {}", chance(users));
    }
    assert!(chance_of_full(20_000.0 / 4_096.0) < 1e-15);
    for (users, buckets_of_it) in [(1, 64), (257, 128), (10_000, 4_096), (16_385, 8_192)] {
        assert_eq!(buckets(users), buckets_of_it);
    }
}

#[test]
fn a_bucket_has_the_size_of_its_users() {
    let mut desk = Desk::new();
    for number in 1..=3 {
        desk.ring(neighbour(number)).unwrap();
        let size = EMPTY.len() + usize::from(number) * ENTRY_BYTES;
        assert_eq!(desk.bytes.as_ref().unwrap().len(), size);
    }
    // Longer than any configuration counts a prompt.
    desk.wait(8 * 60 * 60 + 600);
    let permit = desk.alice().unwrap();
    assert_eq!(desk.bytes.as_ref().unwrap().len(), EMPTY.len() + ENTRY_BYTES);
    desk.end(permit, End::Allowed);
    assert_eq!(desk.bytes.as_deref(), Some(&desk.bytes.as_ref().unwrap()[..EMPTY.len()]));
}
