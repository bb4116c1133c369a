use super::*;

const NOON: UnixTime = UnixTime::from_seconds(1_800_000_000);

fn at(millis: u64) -> UnixTime {
    NOON.plus(Duration::from_millis(millis))
}

fn after(breaker: Breaker, ended: CallEnd, millis: u64) -> Breaker {
    breaker.after(ended, None, at(millis)).unwrap_or(breaker)
}

/// A breaker that opened at noon.
fn open() -> Breaker {
    let fail = |breaker, _| after(breaker, CallEnd::Failed, 0);
    (0..FAILURES).fold(Breaker::default(), fail)
}

#[test]
fn five_failures_in_a_row_open_it() {
    let mut breaker = Breaker::default();
    for failure in 1..=5 {
        assert!(!breaker.is_open(), "{failure}");
        assert_eq!(breaker.pass(true, at(failure * 100)), Pass::Free);
        breaker = after(breaker, CallEnd::Failed, failure * 100);
        breaker = after(breaker, CallEnd::Unclear, failure * 100);
    }
    assert!(breaker.is_open());
    assert_eq!(breaker.pass(true, at(500)), Pass::Refused(Unanswered::OPEN));
    assert_eq!(breaker.pass(false, at(500)), Pass::Free, "a sign-in under way goes on");
}

#[test]
fn an_answer_in_between_or_too_long_a_time_starts_the_count_again() {
    let four = (1..=4).fold(Breaker::default(), |it, at| after(it, CallEnd::Failed, at));
    for (ended, millis) in [(CallEnd::Answered, 5), (CallEnd::Unclear, 10_001)] {
        let mut breaker = after(four, ended, millis);
        for failure in 1..=4 {
            breaker = after(breaker, CallEnd::Failed, millis + failure);
            assert!(!breaker.is_open(), "{ended:?} {failure}");
        }
        assert!(after(breaker, CallEnd::Failed, millis + 5).is_open(), "{ended:?}");
    }
    assert!(!after(four.checked(true, at(5)), CallEnd::Failed, 6).is_open(), "a check is a call");
}

#[test]
fn one_call_tries_in_ten_seconds() {
    let breaker = open();
    assert_eq!(breaker.pass(true, at(9_999)), Pass::Refused(Unanswered::OPEN));
    assert_eq!(breaker.try_at(at(9_999)), None);
    assert_eq!(breaker.pass(true, at(10_000)), Pass::Try);
    let trying = breaker.try_at(at(10_000)).unwrap();
    assert_eq!(trying.try_at(at(10_000)), None, "another worker was faster");
    assert_eq!(trying.pass(true, at(10_001)), Pass::Refused(Unanswered::OPEN));
    let failed = after(trying, CallEnd::Failed, 15_000);
    assert_eq!(failed.pass(true, at(19_999)), Pass::Refused(Unanswered::OPEN));
    assert_eq!(failed.pass(true, at(20_000)), Pass::Try, "counted from the last try's start");
    let closed = after(failed, CallEnd::Answered, 20_100);
    assert_eq!((closed, closed.pass(true, at(20_100))), (Breaker::default(), Pass::Free));
}

#[test]
fn the_check_tries_where_no_request_does() {
    let breaker = open();
    assert!(!breaker.wants_check(at(0), at(10_999)));
    assert!(breaker.wants_check(at(0), at(11_000)));
    assert!(breaker.wants_check(at(9_999), at(11_000)));
    assert!(!breaker.wants_check(at(10_500), at(11_000)), "one has begun in its time");
    assert_eq!(breaker.checked(true, at(9_999)), breaker, "it says nothing of the next seconds");
    assert_eq!(breaker.checked(true, at(10_000)), Breaker::default());
    assert_eq!(
        breaker.checked(false, at(11_000)).pass(true, at(20_999)),
        Pass::Refused(Unanswered::OPEN)
    );
    let trying = breaker.try_at(at(10_000)).unwrap();
    assert_eq!(trying.checked(true, at(11_000)), trying, "a request tries");
}

#[test]
fn tries_whose_clients_leave_do_not_keep_it_open() {
    let mut breaker = open();
    for second in [10, 20, 30] {
        breaker = breaker.try_at(at(second * 1_000)).unwrap();
        assert!(!breaker.wants_check(at(0), at(second * 1_000 + 4_999)), "the try may succeed");
        assert!(breaker.wants_check(at(0), at(second * 1_000 + 5_000)));
        assert_eq!(breaker.checked(true, at(second * 1_000 + 4_999)), breaker);
    }
    assert_eq!(breaker.checked(true, at(35_000)), Breaker::default());
    let failed = breaker.checked(false, at(35_000));
    assert_eq!(failed.pass(true, at(44_999)), Pass::Refused(Unanswered::OPEN));
    assert!(!failed.wants_check(at(35_000), at(45_999)));
    assert!(failed.wants_check(at(35_000), at(46_000)));
}

#[test]
fn tries_that_fail_keep_it_open_whatever_the_check_finds() {
    let mut breaker = open();
    for second in [10, 20, 30] {
        breaker = breaker.try_at(at(second * 1_000)).unwrap();
        breaker = after(breaker, CallEnd::Failed, second * 1_000 + 4_000);
        assert_eq!(breaker.checked(true, at(second * 1_000 + 9_999)), breaker);
    }
}

#[test]
fn a_wait_that_duo_asks_for_is_kept_by_all_calls() {
    let wait = |seconds, is_limit| AskedWait { time: Duration::from_secs(seconds), is_limit };
    let asked = Breaker::default().after(CallEnd::Failed, Some(wait(30, false)), at(0)).unwrap();
    for begins in [true, false] {
        let left = Some(Duration::from_millis(29_999));
        let unasked = Unanswered::Unasked { wait: left, is_limit: false };
        assert_eq!(asked.pass(begins, at(1)), Pass::Refused(unasked));
        assert_eq!(asked.pass(begins, at(30_000)), Pass::Free);
    }
    assert!(!asked.holds_check(at(1)), "only the check knows whether it is an outage");
    let limited = asked.check_asked(wait(60, true), at(1_000));
    assert!(limited.holds_check(at(60_999)) && !limited.holds_check(at(61_000)));
    let again = limited.after(CallEnd::Failed, Some(wait(300, false)), at(2_000)).unwrap();
    assert!(
        again.holds_check(at(60_999)) && !again.holds_check(at(61_000)),
        "nobody makes it longer"
    );
    let long = asked.check_asked(wait(86_400, false), at(0));
    assert_eq!(long.pass(true, at(300_000)), Pass::Free);
    assert_eq!(Breaker::default().after(CallEnd::Answered, Some(wait(60, true)), at(0)), None);
}

#[test]
fn a_clock_that_was_set_back_holds_nothing_up() {
    let hour = Duration::from_secs(3_600);
    let asked = open().check_asked(AskedWait { time: hour, is_limit: true }, at(0));
    assert_eq!(asked.pass(true, NOON.minus(hour)), Pass::Try);
}

#[test]
fn bytes_read_back() {
    for asked in [Asked::ByRequest, Asked::ByCheck, Asked::Limit] {
        let breaker =
            Breaker { failures: 5, since: at(1), tried: at(2), failed: at(3), until: at(4), asked };
        let mut bytes = Vec::new();
        breaker.encode(&mut bytes);
        assert_eq!(Breaker::decode(bytes.first_chunk().unwrap()), Some(breaker));
        assert_eq!(bytes.len(), BREAKER_BYTES);
        bytes[1] = 3;
        assert_eq!(Breaker::decode(bytes.first_chunk().unwrap()), None);
    }
}
