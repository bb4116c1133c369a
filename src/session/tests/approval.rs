//! Tests of approvals: their bytes, and the users and requests that they are valid for.

use super::*;
use crate::factor::Factor;

/// Computed from the documented layout, by a program in another language.
const GOLDEN: &str = "AcEBAAAAAABlU_EAAAAAAGVT8OwAAAAAZVPxAAAAAABlVGFsAAAAAAABAgMEBQYHCAkKCwwNDg9W3_b5Q\
    BpKGpqc8xFiqp91hDPb5eymLckCKdBmCiyfHAAAAAAAAAAAAAAAAAAAAABzgFpAwfu0duCbfhdZgtVqP-Y2AphxX1u39WiK9ExJhg";

#[test]
fn the_cookie_has_its_documented_bytes() {
    let sessions = Sessions::new(settings(), &golden_ring());
    let id = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let issued = sessions.issue(&by_push(at(-20)), &ALICE, at(0), id);
    assert_eq!(value(&sessions, &issued), GOLDEN);

    let approval = open(&sessions, GOLDEN, at(1)).unwrap();
    assert_eq!(approval.factor(), ApprovedBy::Factor(Factor::Push));
    assert_eq!(approval.authenticated(), at(-20));
    assert_eq!(approval.expires(), at(-20 + 8 * 3600));
    assert_eq!(approval.id(), id);
}

#[test]
fn set_cookie_lines_have_exactly_the_safe_attributes() {
    let sessions = sessions();
    let issued = sessions.issue(&by_push(at(0)), &ALICE, at(0), ID);
    let value = value(&sessions, &issued);
    assert_eq!(value.len(), 182);
    assert_eq!(
        issued.as_bytes(),
        format!("__Host-duo_mfa={value}; Path=/; Secure; HttpOnly; SameSite=Lax").as_bytes()
    );
    assert_eq!(
        sessions.deletion().as_bytes(),
        b"__Host-duo_mfa=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
    );
}

#[test]
fn each_factor_is_read_as_it_was_issued() {
    let sessions = sessions();
    for factor in ApprovedBy::ALL {
        let new = NewApproval { factor, ..by_push(at(0)) };
        let issued = value(&sessions, &sessions.issue(&new, &ALICE, at(0), ID));
        assert_eq!(open(&sessions, &issued, at(0)).unwrap().factor(), factor);
    }
}

#[test]
fn a_cookie_is_valid_only_for_its_user() {
    let sessions = sessions();
    let cookie = cookie(&sessions, at(0));
    for user in ["bob", "Alice", "alice ", "alic", "alicee", ""] {
        let other = Subject { user, ..ALICE };
        let refusal = sessions.open(cookie.as_bytes(), &other, at(0)).unwrap_err();
        assert_eq!(refusal, Refusal::OtherUser, "{user}");
    }
    let same_name = Subject { source: "jwt", ..ALICE };
    let refusal = sessions.open(cookie.as_bytes(), &same_name, at(0)).unwrap_err();
    assert_eq!(refusal, Refusal::OtherUser);
}

#[test]
fn a_bound_cookie_is_valid_only_with_its_binding() {
    let sessions = sessions();
    let subjects: [&[u8]; 3] = [b"", b"here", b"there"];
    let subjects = subjects.map(|bound| Subject { bound, ..ALICE });
    for (number, subject) in subjects.iter().enumerate() {
        let issued = value(&sessions, &sessions.issue(&by_push(at(0)), subject, at(0), ID));
        let mut verified = Verified::default();
        for (other_number, other) in subjects.iter().enumerate() {
            let opened = sessions.open(issued.as_bytes(), other, at(0));
            let admitted = sessions.admit(&mut verified, issued.as_bytes(), other, at(0));
            assert_eq!(opened, admitted);
            let refusal = (number != other_number).then_some(Refusal::OtherBinding);
            assert_eq!(opened.err(), refusal, "{subject:?} {other:?}");
        }
        let approval = sessions.open(issued.as_bytes(), subject, at(0)).unwrap();
        let renewed = sessions.renewal(&approval, subject, at(1_000)).unwrap();
        let renewed = value(&sessions, &renewed);
        assert!(sessions.open(renewed.as_bytes(), subject, at(1_000)).is_ok());
    }
}

#[test]
fn a_cookie_is_valid_only_for_its_application_and_name() {
    let cookie = cookie(&sessions(), at(0));
    let application = "other".to_owned();
    let other = Sessions::new(SessionSettings { application, ..settings() }, &ring(&[1]));
    assert_eq!(open(&other, &cookie, at(0)), Err(Refusal::OtherApplication));

    let name = "__Host-duo_mfb".to_owned();
    let renamed = Sessions::new(SessionSettings { cookie: name, ..settings() }, &ring(&[1]));
    assert_eq!(open(&renamed, &cookie, at(0)), Err(Refusal::Forged));
}

/// Checks cookies of different users, applications, keys, settings and moments with one table. A
/// warm table must always return the same result as an empty one.
#[test]
fn a_warm_table_never_changes_an_answer() {
    let with = |change: fn(&mut SessionSettings), seeds: &[u16]| {
        let mut settings = settings();
        change(&mut settings);
        Sessions::new(settings, &ring(seeds))
    };
    let regimes = [
        with(|_| {}, &[1]),
        with(|_| {}, &[1, 2]),
        with(|_| {}, &[2]),
        with(|s| s.application = "other".to_owned(), &[1]),
        with(|s| s.cookie = "__Host-other".to_owned(), &[1]),
        with(|s| s.expiration = Duration::from_secs(600), &[1]),
        with(|s| s.inactivity = Duration::from_secs(600), &[1]),
        with(|s| s.not_before = at(1), &[1]),
    ];
    let issued = |sessions: &Sessions, subject: &Subject<'_>, now| {
        value(sessions, &sessions.issue(&by_push(now), subject, now, ID))
    };
    let cookies: Vec<String> = regimes
        .iter()
        .flat_map(|sessions| {
            [
                issued(sessions, &ALICE, at(0)),
                issued(sessions, &BOB, at(0)),
                cookie(sessions, at(90)),
            ]
        })
        .collect();
    let moments = [0, 1, 599, 601, 1799, 1801, 8 * 3600].map(at);

    let mut verified = Verified::default();
    let (mut admitted, mut refused) = (0, 0);
    for _ in 0..2 {
        for sessions in &regimes {
            for now in moments {
                for (cookie, subject) in cookies.iter().flat_map(|c| [(c, ALICE), (c, BOB)]) {
                    let warm = sessions.admit(&mut verified, cookie.as_bytes(), &subject, now);
                    assert_eq!(warm, sessions.open(cookie.as_bytes(), &subject, now));
                    if warm.is_ok() { admitted += 1 } else { refused += 1 }
                }
            }
        }
    }
    assert!(admitted > 100 && refused > 1000, "{admitted} {refused}");
}
