use super::*;

const NOW: UnixTime = UnixTime::from_seconds(1_000);
const CAPACITY: Capacity = Capacity { user_calls: 20, user_rate: 180, calls: 240, held: 1000 };

/// The tag of a user or a sign-in, distributed like a keyed one.
fn tag(number: u64) -> [u8; 16] {
    let mut tag = [0; 16];
    tag[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    tag
}

fn by(outcome: Result<(), Crowded>) -> Option<By> {
    outcome.err().map(|crowded| crowded.by)
}

#[test]
fn calls_of_one_user_are_limited() {
    let (mut room, alice, bob) =
        (Room::default(), Seat::first(tag(1), true), Seat::first(tag(2), true));
    let granted = (0..4_000).filter(|_| room.enter(&alice, &CAPACITY, 0, NOW).is_ok()).count();
    assert_eq!(granted, 20);
    assert_eq!(by(room.enter(&alice, &CAPACITY, 0, NOW)), Some(By::UserCalls));
    assert_eq!(by(room.enter(&bob, &CAPACITY, 0, NOW)), None);
    room.leave(&alice);
    assert_eq!(by(room.enter(&alice, &CAPACITY, 0, NOW)), None);
    assert_eq!(by(room.enter(&alice, &CAPACITY, 0, NOW)), Some(By::UserCalls));
}

#[test]
fn one_user_has_a_burst_and_then_a_rate() {
    let (mut room, alice) = (Room::default(), Seat::first(tag(1), true));
    let mut ask = |now| {
        let entered = room.enter(&alice, &CAPACITY, 0, now);
        if entered.is_ok() {
            room.leave(&alice);
        }
        entered
    };
    // The calls of 20 s at 180 a minute, and the one that is due.
    assert_eq!((0..4_000).filter(|_| ask(NOW).is_ok()).count(), 61);
    assert_eq!(by(ask(NOW)), Some(By::UserRate));
    let minute = NOW.plus(Duration::from_secs(60));
    assert_eq!((0..4_000).filter(|_| ask(minute).is_ok()).count(), 61);
    // If the clock is set back, nobody is locked out.
    assert_eq!(by(ask(UnixTime::from_seconds(10))), None);
}

#[test]
fn one_sign_in_is_polled_once_at_a_time() {
    let mut room = Room::default();
    let (look, other) = (Seat::look(tag(1), tag(7)), Seat::look(tag(1), tag(8)));
    assert_eq!(by(room.enter(&look, &CAPACITY, 0, NOW)), None);
    for _ in 0..2_300 {
        assert_eq!(by(room.enter(&look, &CAPACITY, 0, NOW)), Some(By::SignIn));
    }
    assert_eq!(by(room.enter(&other, &CAPACITY, 0, NOW)), None);
    room.leave(&look);
    assert_eq!(by(room.enter(&look, &CAPACITY, 0, NOW)), None);
}

#[test]
fn polls_leave_a_quarter_of_the_room_to_new_requests() {
    let mut room = Room::default();
    let looks = (0..1_000).filter(|user| {
        let seat = if user % 2 == 0 {
            Seat::follow(tag(*user))
        } else {
            Seat::look(tag(*user), tag(*user))
        };
        room.enter(&seat, &CAPACITY, 0, NOW).is_ok()
    });
    assert_eq!(looks.count(), 180);
    let begun = (1_000..2_000)
        .filter(|user| room.enter(&Seat::first(tag(*user), false), &CAPACITY, 0, NOW).is_ok());
    assert_eq!(begun.count(), 60);
    assert_eq!(by(room.enter(&Seat::first(tag(1), false), &CAPACITY, 0, NOW)), Some(By::Calls));
    // A request that has begun continues, since its previous call has ended.
    assert_eq!(by(room.enter(&Seat::go_on(tag(1_001)), &CAPACITY, 0, NOW)), None);
}

#[test]
fn held_requests_are_limited() {
    let mut room = Room::default();
    assert_eq!(by(room.enter(&Seat::first(tag(1), true), &CAPACITY, 999, NOW)), None);
    assert_eq!(by(room.enter(&Seat::first(tag(2), true), &CAPACITY, 1000, NOW)), Some(By::Held));
    assert_eq!(by(room.enter(&Seat::first(tag(2), false), &CAPACITY, 1000, NOW)), None);
    assert_eq!(by(room.enter(&Seat::follow(tag(2)), &CAPACITY, 5000, NOW)), None);
}

#[test]
fn a_request_that_leaves_is_forgotten_completely() {
    let mut room = Room::default();
    for round in 0..1_000 {
        let seats: Vec<_> = (0..100)
            .map(|user| match (user + round) % 4 {
                0 => Seat::first(tag(user), true),
                1 => Seat::go_on(tag(user)),
                2 => Seat::look(tag(user), tag(user + 500)),
                _ => Seat::follow(tag(user)),
            })
            .collect();
        let now = NOW.plus(Duration::from_secs(round));
        let entered: Vec<_> =
            seats.iter().filter(|seat| room.enter(seat, &CAPACITY, 0, now).is_ok()).collect();
        assert!(entered.len() > 80);
        entered.into_iter().for_each(|seat| room.leave(seat));
        let of_users = room.users.iter().flatten().map(|user| usize::from(user.calls));
        assert_eq!((room.calls, room.looks, room.sign_ins.len(), of_users.sum()), (0, 0, 0, 0));
    }
    assert_eq!(room.users.len(), SETS, "the table has a fixed size");
}
