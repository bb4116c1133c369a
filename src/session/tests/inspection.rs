//! Cookies as an operator reads them.

use super::*;

#[test]
fn a_cookie_says_its_key_and_times_also_if_it_is_refused() {
    let of_old = cookie(&Sessions::new(settings(), &ring(&[1])), at(0));
    let sessions = Sessions::new(settings(), &ring(&[2, 1]));
    for (user, now, refusal) in [
        (Some(&ALICE), 60, None),
        (None, 60, None),
        (Some(&BOB), 60, Some(Refusal::OtherUser)),
        (Some(&ALICE), 31 * 60, Some(Refusal::Idle)),
        (None, 9 * 3600, Some(Refusal::Expired)),
        (None, -120, Some(Refusal::Future)),
    ] {
        let inspection = sessions.inspect(of_old.as_bytes(), user, at(now)).unwrap();
        assert_eq!(inspection.refusal, refusal, "{user:?} {now}");
        assert_eq!((inspection.key, inspection.is_bound), (1, false));
        assert_eq!(inspection.approval.issued(), at(0));
        assert_eq!(inspection.approval.seen(), at(0));
        assert_eq!(inspection.approval.factor().name(), "push");
    }
}

#[test]
fn an_inspection_agrees_with_the_check_of_a_request() {
    let bound = Subject { bound: b"here", ..ALICE };
    let sessions = sessions();
    let set = sessions.issue(&by_push(at(0)), &bound, at(0), ID);
    let cookie = value(&sessions, &set);
    let inspection = sessions.inspect(cookie.as_bytes(), Some(&ALICE), at(1)).unwrap();
    assert!(inspection.is_bound);
    assert_eq!(sessions.open(cookie.as_bytes(), &bound, at(1)), Ok(inspection.approval));

    let mut other = settings();
    other.application = "other".to_owned();
    let other = Sessions::new(other, &ring(&[1])).inspect(cookie.as_bytes(), None, at(1));
    assert_eq!(other.unwrap().refusal, Some(Refusal::OtherApplication));
    let void = SessionSettings { not_before: at(1), ..settings() };
    let void = Sessions::new(void, &ring(&[1])).inspect(cookie.as_bytes(), None, at(1));
    assert_eq!(void.unwrap().refusal, Some(Refusal::Void));
    for (_, forged, refusal) in flipped(&cookie).step_by(97) {
        assert_eq!(sessions.inspect(forged.as_bytes(), None, at(1)), Err(refusal));
    }
}
