//! The lifetime of approvals.

use super::*;
use proptest::prelude::*;

#[test]
fn an_approval_ends_when_it_was_not_used_for_too_long() {
    let sessions = sessions();
    let cookie = cookie(&sessions, at(0));
    assert!(open(&sessions, &cookie, at(1800)).is_ok());
    assert_eq!(open(&sessions, &cookie, at(1801)), Err(Refusal::Idle));
}

#[test]
fn an_approval_in_use_ends_at_its_expiry() {
    let sessions = sessions();
    let mut cookie = cookie(&sessions, at(0));
    for minute in 0..8 * 60 {
        let now = at(minute * 60);
        let approval = open(&sessions, &cookie, now).unwrap();
        assert_eq!(approval.expires(), at(8 * 3600));
        cookie = renewed(&sessions, &approval, now).unwrap_or(cookie);
    }
    assert!(open(&sessions, &cookie, at(8 * 3600 - 1)).is_ok());
    assert_eq!(open(&sessions, &cookie, at(8 * 3600)), Err(Refusal::Expired));
}

#[test]
fn a_cookie_is_renewed_after_a_quarter_of_the_idle_time() {
    let sessions = sessions();
    let approval = open(&sessions, &cookie(&sessions, at(0)), at(0)).unwrap();
    assert_eq!(sessions.renewal(&approval, &ALICE, at(-30)), None);
    assert_eq!(sessions.renewal(&approval, &ALICE, at(450)), None);
    let later = renewed(&sessions, &approval, at(451)).unwrap();
    assert_eq!(open(&sessions, &later, at(451 + 1800)), Ok(Approval { seen: at(451), ..approval }));
    assert_eq!(open(&sessions, &later, at(451 + 1801)), Err(Refusal::Idle));
    assert_eq!(sessions.open(later.as_bytes(), &BOB, at(451)), Err(Refusal::OtherUser));
}

#[test]
fn an_expired_approval_is_not_renewed() {
    let sessions = sessions();
    let approval = open(&sessions, &cookie(&sessions, at(0)), at(0)).unwrap();
    assert!(sessions.renewal(&approval, &ALICE, at(8 * 3600 - 1)).is_some());
    assert_eq!(sessions.renewal(&approval, &ALICE, at(8 * 3600)), None);
}

#[test]
fn a_sign_in_finished_twice_ends_at_the_same_time() {
    let sessions = sessions();
    for finished in [at(5), at(200)] {
        let issued = sessions.issue(&by_push(at(0)), &ALICE, finished, ID);
        let approval = open(&sessions, &value(&sessions, &issued), finished).unwrap();
        assert_eq!(approval.expires(), at(8 * 3600));
        assert_eq!(approval.authenticated(), at(0));
    }
}

#[test]
fn a_sign_in_by_a_clock_ahead_of_ours_does_not_last_longer() {
    let sessions = sessions();
    let issued = sessions.issue(&by_push(at(3600)), &ALICE, at(0), ID);
    let approval = open(&sessions, &value(&sessions, &issued), at(0)).unwrap();
    assert_eq!((approval.authenticated(), approval.expires()), (at(0), at(8 * 3600)));
}

#[test]
fn a_capped_approval_lives_no_longer_than_its_cap() {
    let sessions = sessions();
    for (cap, life) in [(300, 300), (EXPIRATION * 2, EXPIRATION)] {
        let lifetime = Some(Duration::from_secs(cap));
        let new = NewApproval { factor: ApprovedBy::FailSafe, lifetime, ..by_push(at(0)) };
        let issued = value(&sessions, &sessions.issue(&new, &ALICE, at(0), ID));
        let approval = open(&sessions, &issued, at(0)).unwrap();
        assert_eq!(approval.expires(), at(0).plus(Duration::from_secs(life)));
    }
}

#[test]
fn a_cookie_from_the_future_is_refused_beyond_a_minute() {
    let sessions = sessions();
    let issued_ahead = cookie(&sessions, at(60));
    assert!(open(&sessions, &issued_ahead, at(0)).is_ok());
    assert_eq!(open(&sessions, &issued_ahead, at(-1)), Err(Refusal::Future));

    let approval = open(&sessions, &cookie(&sessions, at(0)), at(0)).unwrap();
    let seen_ahead = renewed(&sessions, &approval, at(600)).unwrap();
    assert!(open(&sessions, &seen_ahead, at(540)).is_ok());
    assert_eq!(open(&sessions, &seen_ahead, at(539)), Err(Refusal::Future));
}

#[test]
fn approvals_before_the_given_time_are_void_also_when_renewed() {
    let sessions = sessions();
    let since =
        |not_before| Sessions::new(SessionSettings { not_before, ..settings() }, &ring(&[1]));
    let cookie = cookie(&sessions, at(0));
    let approval = open(&sessions, &cookie, at(0)).unwrap();
    let renewed = renewed(&sessions, &approval, at(600)).unwrap();
    for value in [&cookie, &renewed] {
        assert!(open(&since(at(0)), value, at(600)).is_ok());
        assert_eq!(open(&since(at(1)), value, at(600)), Err(Refusal::Void));
        assert_eq!(open(&since(at(100_000)), value, at(600)), Err(Refusal::Void));
    }
}

#[test]
fn a_second_factor_counts_from_not_before_until_its_expiration() {
    let sessions = Sessions::new(SessionSettings { not_before: at(0), ..settings() }, &ring(&[1]));
    let end = at(0).plus(Duration::from_secs(EXPIRATION));
    assert!(!sessions.counts(at(-1), at(0)));
    assert!(sessions.counts(at(0), at(0)));
    assert!(sessions.counts(at(0), UnixTime::from_millis(end.millis() - 1)));
    assert!(!sessions.counts(at(0), end));
}

#[test]
fn a_shorter_expiration_takes_effect_on_cookies_that_are_out() {
    let cookie = cookie(&sessions(), at(0));
    let expiration = Duration::from_secs(600);
    let tightened = Sessions::new(SessionSettings { expiration, ..settings() }, &ring(&[1]));
    assert_eq!(open(&tightened, &cookie, at(599)).unwrap().expires(), at(600));
    assert_eq!(open(&tightened, &cookie, at(600)), Err(Refusal::Expired));

    let expiration = Duration::from_secs(EXPIRATION * 2);
    let loosened = Sessions::new(SessionSettings { expiration, ..settings() }, &ring(&[1]));
    assert_eq!(open(&loosened, &cookie, at(0)).unwrap().expires(), at(8 * 3600));
}

proptest! {
    /// A client that keeps every cookie it was given, and sends any of them at any time.
    #[test]
    fn replaying_older_cookies_never_extends(
        steps in prop::collection::vec((0..2000_u64, any::<prop::sample::Index>()), 1..60),
    ) {
        let sessions = sessions();
        let mut cookies = vec![cookie(&sessions, at(0))];
        let mut now = at(0);
        for (pause, choice) in steps {
            now = now.plus(Duration::from_secs(pause));
            let sent = cookies[choice.index(cookies.len())].clone();
            if let Ok(approval) = open(&sessions, &sent, now) {
                prop_assert!(now < at(8 * 3600));
                prop_assert_eq!(approval.expires(), at(8 * 3600));
                prop_assert_eq!(approval.issued, at(0));
                prop_assert_eq!(approval.authenticated(), at(0));
                cookies.extend(renewed(&sessions, &approval, now));
            }
        }
    }
}
