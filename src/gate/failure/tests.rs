use super::super::refusals::AFTER_OUTAGE;
use super::*;
use crate::duo::{Garbled, Malformed, Outage, Text};
use crate::signal::Code;
use std::time::Duration;

const STAGES: [Stage; 9] = [
    Stage::Preauth,
    Stage::Passcode,
    Stage::Transaction,
    Stage::Status,
    Stage::Enroll,
    Stage::Activation,
    Stage::Clock,
    Stage::HealthCheck,
    Stage::Token,
];

fn faults() -> Vec<DuoError> {
    let text = Text::default;
    let parameter =
        |name: &str| DuoError::InvalidParameter { name: Text::from(name), message: text() };
    vec![
        DuoError::Unreachable(Outage::NoAnswer),
        DuoError::Unreachable(Outage::NotSent),
        DuoError::Unreachable(Outage::Status { status: 503 }),
        DuoError::Unreachable(Outage::Status { status: 504 }),
        DuoError::Unreachable(Outage::Internal { code: 50_001 }),
        DuoError::Overflow,
        DuoError::Garbled(Garbled::NotAnObject),
        DuoError::Malformed(Malformed::UnknownResult),
        DuoError::NotDuo { status: 407 },
        DuoError::BadCredentials { code: 40_103, message: text() },
        DuoError::BadCredentials { code: 40_301, message: text() },
        DuoError::ClockSkew,
        parameter("username"),
        parameter("device"),
        parameter("passcode"),
        parameter("txid"),
        parameter("pushinfo"),
        DuoError::RateLimited { retry_after: Some(Duration::from_secs(7)) },
        DuoError::RateLimited { retry_after: None },
        DuoError::Rejected { code: 40_401, message: text(), detail: text() },
        DuoError::Rejected { code: 40_001, message: text(), detail: text() },
        DuoError::Rejected { code: 50_301, message: text(), detail: text() },
    ]
}

const SECURE: Standby = Standby {
    fail_mode: FailMode::Secure,
    unreached_since: Some(UnixTime::from_seconds(7)),
    may_resend: true,
    wait: None,
};

const SPENT: Tries = Tries { resends: 1, clock_corrections: 1 };

#[test]
fn a_call_that_starts_a_prompt_is_never_repeated_after_an_outage() {
    for fault in faults() {
        for stage in [Stage::Transaction, Stage::Passcode] {
            let remedy = remedy(stage, &fault, Tries::default(), SECURE);
            let corrects = matches!(remedy, Remedy::CorrectClock);
            assert_eq!(corrects, fault == DuoError::ClockSkew, "{stage:?} {fault:?}");
            assert!(corrects || matches!(remedy, Remedy::Refuse(_)), "{stage:?} {fault:?}");
        }
    }
}

#[test]
fn token_is_called_once_whatever_comes_of_it() {
    for fault in faults() {
        let remedy = remedy(Stage::Token, &fault, Tries::default(), SECURE);
        assert!(matches!(remedy, Remedy::Refuse(_)), "{fault:?}");
    }
}

#[test]
fn every_fault_is_refused_once_the_tries_are_spent() {
    for fault in faults() {
        for stage in STAGES {
            match remedy(stage, &fault, SPENT, SECURE) {
                Remedy::Refuse(_) => {}
                Remedy::LookAgain(_) => assert_eq!(stage, Stage::Status, "{fault:?}"),
                Remedy::Resend | Remedy::CorrectClock | Remedy::Admit { .. } => {
                    panic!("{stage:?} {fault:?}")
                }
            }
        }
    }
}

#[test]
fn the_operators_faults_are_distinguished_from_outages() {
    for (fault, code) in [
        (DuoError::BadCredentials { code: 40_103, message: Text::default() }, "duo_misconfigured"),
        (DuoError::NotDuo { status: 407 }, "duo_misconfigured"),
        (DuoError::ClockSkew, "duo_misconfigured"),
        (DuoError::Unreachable(Outage::NoAnswer), "duo_unavailable"),
        (DuoError::Garbled(Garbled::NotAnObject), "duo_unavailable"),
        (DuoError::Malformed(Malformed::UnknownResult), "duo_unavailable"),
        (DuoError::RateLimited { retry_after: None }, "too_many_requests"),
    ] {
        let Remedy::Refuse(refusal) = remedy(Stage::Preauth, &fault, SPENT, SECURE) else {
            panic!("{fault:?} is not refused");
        };
        assert_eq!(refusal.code.name(), code, "{fault:?}");
        assert!(refusal.retry_after.is_some(), "{fault:?}");
    }
}

#[test]
fn duos_wait_is_passed_on() {
    let fault = DuoError::RateLimited { retry_after: Some(Duration::from_secs(7)) };
    let Remedy::Refuse(refusal) = remedy(Stage::Transaction, &fault, Tries::default(), SECURE)
    else {
        panic!("not refused");
    };
    assert_eq!(refusal.retry_after, Some(Duration::from_secs(7)));
}

#[test]
fn a_lost_poll_does_not_end_the_transaction() {
    for fault in [
        DuoError::Unreachable(Outage::Status { status: 504 }),
        DuoError::Unreachable(Outage::NoAnswer),
        DuoError::InvalidParameter { name: Text::from("txid"), message: Text::default() },
    ] {
        assert!(
            matches!(remedy(Stage::Status, &fault, SPENT, SECURE), Remedy::LookAgain(_)),
            "{fault:?}"
        );
    }
}

#[test]
fn safe_admits_only_if_duo_could_not_be_reached_before_the_user_was_asked() {
    let since = UnixTime::from_seconds(7);
    let admit = Remedy::Admit { unreached_since: since };
    let down = Standby {
        fail_mode: FailMode::Safe,
        unreached_since: Some(since),
        may_resend: true,
        wait: None,
    };
    for fault in faults() {
        let is_unreachable = matches!(fault, DuoError::Unreachable(_));
        for stage in STAGES {
            for tries in [Tries::default(), SPENT] {
                let safe = remedy(stage, &fault, tries, down);
                let is_first = matches!(stage, Stage::Preauth | Stage::HealthCheck);
                let admits = is_first && is_unreachable && tries == SPENT;
                assert_eq!(safe == admit, admits, "{stage:?} {fault:?} {tries:?}");
                if !admits {
                    let secure = remedy(stage, &fault, tries, SECURE);
                    assert_eq!(safe, secure, "{stage:?} {fault:?} {tries:?}");
                }
            }
        }
    }
}

#[test]
fn safe_admits_nobody_before_the_background_check_has_failed() {
    let unchecked =
        Standby { fail_mode: FailMode::Safe, unreached_since: None, may_resend: true, wait: None };
    for fault in faults() {
        for stage in STAGES {
            for tries in [Tries::default(), SPENT] {
                match remedy(stage, &fault, tries, unchecked) {
                    Remedy::Admit { .. } => panic!("{stage:?} {fault:?} {tries:?}"),
                    Remedy::Refuse(refusal) if matches!(fault, DuoError::Unreachable(_)) => {
                        assert_eq!(refusal.code, Code::DuoUnavailable);
                        assert_eq!(refusal.retry_after, Some(AFTER_OUTAGE));
                    }
                    Remedy::Resend
                    | Remedy::CorrectClock
                    | Remedy::LookAgain(_)
                    | Remedy::Refuse(_) => {}
                }
            }
        }
    }
}

#[test]
fn an_overflow_is_not_an_outage_and_is_not_retried() {
    for stage in STAGES {
        for tries in [Tries::default(), SPENT] {
            let (Remedy::Refuse(refusal) | Remedy::LookAgain(refusal)) =
                remedy(stage, &DuoError::Overflow, tries, SECURE)
            else {
                panic!("{stage:?}: sent again");
            };
            assert_eq!(refusal.code, Code::Overloaded);
            assert!(refusal.retry_after.is_some());
        }
    }
}
