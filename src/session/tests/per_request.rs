//! Tests of approvals of single requests: their bytes, their lifetime, and the users and requests
//! that they are valid for.

use super::*;
use crate::factor::Factor;

fn approvals(seeds: &[u16], application: &str, not_before: UnixTime) -> PerRequestApprovals {
    PerRequestApprovals::new(application, not_before, &ring(seeds))
}

fn own() -> PerRequestApprovals {
    approvals(&[1], "default", at(0))
}

fn wire(body: &[u8]) -> RequestDigest {
    RequestDigest::of(b"POST", b"app.example.com", b"/wire?to=7", &BodyDigest::of(body))
}

fn sealed(by: &PerRequestApprovals) -> Token {
    let approval = PerRequestApproval {
        factor: ApprovedBy::Factor(Factor::Push),
        authenticated: at(3),
        id: ID,
    };
    by.seal(&approval, &wire(b"amount=12"), &ALICE, at(10))
}

fn opened(token: &str, now: UnixTime) -> Result<PerRequestApproval, Refusal> {
    own().open(token.as_bytes(), &wire(b"amount=12"), &ALICE, now)
}

fn refusal(outcome: Result<PerRequestApproval, Refusal>) -> Refusal {
    outcome.map(|approval| panic!("{approval:?}")).unwrap_err()
}

#[test]
fn an_approval_comes_back_as_it_was_given() {
    let approval = opened(sealed(&own()).as_str(), at(10)).unwrap();
    let PerRequestApproval { factor, authenticated, id } = approval;
    assert_eq!((factor, authenticated, id), (ApprovedBy::Factor(Factor::Push), at(3), ID));
}

#[test]
fn an_approval_is_not_younger_than_its_sign_in() {
    let ahead = PerRequestApproval {
        factor: ApprovedBy::Factor(Factor::Push),
        authenticated: at(50),
        id: ID,
    };
    let token = own().seal(&ahead, &wire(b"amount=12"), &ALICE, at(10));
    assert_eq!(opened(token.as_str(), at(10)).unwrap().authenticated, at(10));
}

#[test]
fn an_approval_is_valid_for_a_minute() {
    let token = sealed(&own());
    opened(token.as_str(), at(70)).unwrap();
    assert_eq!(refusal(opened(token.as_str(), at(71))), Refusal::Expired);
    let early = approvals(&[1], "default", at(0)).seal(
        &PerRequestApproval {
            factor: ApprovedBy::Factor(Factor::Push),
            authenticated: at(100),
            id: ID,
        },
        &wire(b"amount=12"),
        &ALICE,
        at(100),
    );
    opened(early.as_str(), at(40)).unwrap();
    assert_eq!(refusal(opened(early.as_str(), at(39))), Refusal::Future);
}

#[test]
fn an_approval_is_valid_for_one_user_application_and_key() {
    let token = sealed(&own());
    let of_bob = own().open(token.as_str().as_bytes(), &wire(b"amount=12"), &BOB, at(10));
    assert_eq!(refusal(of_bob), Refusal::OtherUser);
    let elsewhere = sealed(&approvals(&[1], "payroll", at(0)));
    assert_eq!(refusal(opened(elsewhere.as_str(), at(10))), Refusal::OtherApplication);
    let stranger = sealed(&approvals(&[2], "default", at(0)));
    assert!(matches!(
        refusal(opened(stranger.as_str(), at(10))),
        Refusal::UnknownKey | Refusal::Forged
    ));
    let rotated = approvals(&[2, 1], "default", at(0));
    rotated.open(token.as_str().as_bytes(), &wire(b"amount=12"), &ALICE, at(10)).unwrap();
    let in_force = approvals(&[1], "default", at(10));
    in_force.open(token.as_str().as_bytes(), &wire(b"amount=12"), &ALICE, at(10)).unwrap();
    let voided = approvals(&[1], "default", at(11));
    let void = voided.open(token.as_str().as_bytes(), &wire(b"amount=12"), &ALICE, at(10));
    assert_eq!(refusal(void), Refusal::Void);
}

#[test]
fn an_approval_is_valid_for_one_request() {
    let token = sealed(&own());
    let body = BodyDigest::of(b"amount=12");
    let (host, target) = (b"app.example.com".as_slice(), b"/wire?to=7".as_slice());
    for other in [
        wire(b"amount=13"),
        wire(b""),
        RequestDigest::of(b"PUT", host, target, &body),
        RequestDigest::of(b"POST", b"b.example.com", target, &body),
        RequestDigest::of(b"POST", host, b"/wire?to=8", &body),
        // The same bytes, divided differently.
        RequestDigest::of(b"POSTapp", b".example.com", target, &body),
        RequestDigest::of(b"POST", b"app.example.com/wire", b"?to=7", &body),
    ] {
        let outcome = own().open(token.as_str().as_bytes(), &other, &ALICE, at(10));
        assert_eq!(refusal(outcome), Refusal::OtherRequest);
    }
}

#[test]
fn a_changed_or_cut_approval_is_refused() {
    let token = sealed(&own()).as_str().to_owned();
    for (place, forged, expected) in flipped(&token) {
        assert_eq!(refusal(opened(&forged, at(10))), expected, "{place:?}");
    }
    for end in 0..token.len() {
        assert_eq!(refusal(opened(token.get(..end).unwrap(), at(10))), Refusal::Length);
    }
    assert_eq!(refusal(opened(&format!("{token}A"), at(10))), Refusal::Length);
}

#[test]
fn tokens_of_other_purposes_are_not_approvals() {
    let approval = NewApproval {
        factor: ApprovedBy::Factor(Factor::Push),
        authenticated: at(0),
        lifetime: None,
    };
    let pending = pending::push();
    let pending = Pendings::new(CookieOwner::Main("default"), &ring(&[1])).seal(&pending, &ALICE);
    refusal(opened(pending.as_str(), at(10)));
    let line = sessions().issue(&approval, &ALICE, at(0), ID);
    let line = str::from_utf8(line.as_bytes()).unwrap();
    let value = line.split(['=', ';']).nth(1).unwrap();
    refusal(opened(value, at(10)));
}

#[test]
fn a_pending_sign_in_keeps_what_it_was_begun_for() {
    let pendings = Pendings::new(CookieOwner::Main("default"), &ring(&[1]));
    for kind in [PendingKind::Push, PendingKind::Phone, PendingKind::Sms, PendingKind::Passcode] {
        let begun = Pending { single_request: Some(wire(b"")), kind, ..pending::push() };
        let token = pendings.seal(&begun, &ALICE);
        let opened = pendings.open(token.as_str().as_bytes(), &ALICE, at(10)).unwrap();
        opened.single_request.unwrap().check(&wire(b"")).unwrap();
        let token = pendings.seal(&Pending { single_request: None, ..begun }, &ALICE);
        let opened = pendings.open(token.as_str().as_bytes(), &ALICE, at(10)).unwrap();
        assert!(opened.single_request.is_none());
    }
    let enrolling = Pending { single_request: Some(wire(b"")), ..pending::enrollment() };
    let token = pendings.seal(&enrolling, &ALICE);
    let opened = pendings.open(token.as_str().as_bytes(), &ALICE, at(10)).unwrap();
    assert!(opened.single_request.is_none() && matches!(opened.kind, PendingKind::Enrollment(_)));
}

#[test]
fn a_digest_is_read_from_64_hexadecimal_digits() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852B855";
    assert_eq!(BodyDigest::parse(empty), Some(BodyDigest::of_none()));
    for text in [
        "",
        "e3",
        empty.trim_start_matches('e'),
        &format!("{empty}0"),
        &empty.replace('e', "g"),
        &"é".repeat(32),
    ] {
        assert_eq!(BodyDigest::parse(text), None, "{text}");
    }
}

/// The approver is a part of the digest: no name can be taken for another, nor for none.
#[test]
fn an_approval_is_of_its_approver() {
    let plain = wire(b"amount=12");
    let by = plain.approved_by("carol", "csmith");
    let approval = PerRequestApproval {
        factor: ApprovedBy::Factor(Factor::Push),
        authenticated: at(3),
        id: ID,
    };
    let token = own().seal(&approval, &by, &ALICE, at(10));
    let open =
        |digest: &RequestDigest| own().open(token.as_str().as_bytes(), digest, &ALICE, at(10));
    open(&by).unwrap();
    for other in [
        plain,
        plain.approved_by("carol", "carol"),
        plain.approved_by("dave", "csmith"),
        plain.approved_by("caro", "lcsmith"),
        plain.approved_by("carolcsmith", ""),
        wire(b"amount=13").approved_by("carol", "csmith"),
        by.approved_by("carol", "csmith"),
    ] {
        assert_eq!(refusal(open(&other)), Refusal::OtherRequest);
    }
}
