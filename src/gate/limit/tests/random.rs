//! Random ends and random bytes.

use super::*;
use proptest::prelude::*;

/// An action, this many milliseconds after the previous event.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Ring,
    /// Settles the permit that was granted this many permits ago, for the first time or again.
    End(usize, End),
}

fn deeds() -> impl Strategy<Value = Vec<(u64, Deed)>> {
    let ends = prop_oneof![
        Just(End::Denied),
        Just(End::TimedOut),
        Just(End::Fraud),
        Just(End::Sent),
        Just(End::Allowed),
    ];
    let deed = prop_oneof![
        3 => Just(Deed::Ring),
        2 => (0_usize..3, ends).prop_map(|(ago, end)| Deed::End(ago, end)),
    ];
    proptest::collection::vec((0_u64..200_000, deed), 0..200)
}

proptest! {
    #[test]
    fn no_window_ever_has_more_pushes_than_the_budget(deeds in deeds()) {
        let mut desk = Desk::new();
        let mut granted: Vec<(UnixTime, Permit)> = Vec::new();
        for (pause, deed) in deeds {
            desk.now = desk.now.plus(Duration::from_millis(pause));
            match deed {
                Deed::Ring => granted.extend(desk.alice().map(|permit| (desk.now, permit))),
                Deed::End(ago, end) => {
                    let Some((_, permit)) = granted.iter().rev().nth(ago).copied() else { continue };
                    let before = desk.bytes.clone();
                    desk.end(permit, end);
                    if end == End::Allowed && desk.bytes != before {
                        granted.clear();
                    }
                }
            }
            let since = |at: UnixTime| desk.now.since(at) < limits().window;
            let recent = granted.iter().filter(|(at, _)| since(*at)).count();
            prop_assert!(recent <= limits().pushes, "{recent} pushes");
        }
    }

    #[test]
    fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..256), head in any::<bool>()) {
        let mut bytes = bytes;
        if head {
            bytes.resize(EMPTY.len().saturating_add(4 * ENTRY_BYTES), 0x5a);
            bytes[..8].copy_from_slice(&EMPTY[..8]);
        }
        let mut desk = Desk { bytes: Some(bytes), ..Desk::new() };
        if let Ok(permit) = desk.alice() {
            prop_assert_eq!(desk.alice().unwrap_err().limit, Limit::Pending);
            desk.end(permit, End::Denied);
            prop_assert_eq!(desk.alice().unwrap_err().limit, Limit::CoolDown);
        }
        prop_assert!(has_a_size_of_ours(&desk.bytes.unwrap()));
    }
}
