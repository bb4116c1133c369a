//! Compares question and answer with `prost`, which is not part of the module.

use super::*;
use crate::duo::Response;
use crate::http::HeaderMap;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

#[derive(Clone, PartialEq, Message)]
struct Answer {
    #[prost(int32, tag = "1")]
    overall_code: i32,
    #[prost(message, repeated, tag = "2")]
    statuses: Vec<Status>,
    #[prost(string, repeated, tag = "3")]
    others: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(uint32, tag = "3")]
    limit_remaining: u32,
    #[prost(message, optional, tag = "4")]
    duration_until_reset: Option<Time>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat()
}

fn answered(status: u16, body: &[u8]) -> Result<Option<Duration>, Cow<'static, str>> {
    read(Event::Answered(Response { status, retry_after: None, body }))
}

fn with_times(code: i32, times: &[(i64, i32)]) -> Vec<u8> {
    let status = |(seconds, nanos): &(i64, i32)| Status {
        code,
        limit_remaining: 0,
        duration_until_reset: Some(Time { seconds: *seconds, nanos: *nanos }),
    };
    let statuses = times.iter().map(status).collect();
    framed(&Answer { overall_code: code, statuses, others: vec!["more".into()] }.encode_to_vec())
}

#[test]
fn ok_has_no_wait_and_over_limit_has_the_longest_one() {
    let seconds = |seconds| Ok(Some(Duration::from_secs(seconds)));
    assert_eq!(answered(200, &with_times(1, &[(7, 0)])), Ok(None));
    assert_eq!(answered(200, &with_times(2, &[])), seconds(60));
    assert_eq!(answered(200, &with_times(2, &[(7, 0)])), seconds(7));
    assert_eq!(answered(200, &with_times(2, &[(7, 1), (3, 0)])), seconds(8));
    assert_eq!(answered(200, &with_times(2, &[(0, 0)])), seconds(1));
    assert_eq!(answered(200, &with_times(2, &[(-1, 0)])), seconds(60));
    assert_eq!(answered(200, &with_times(2, &[(i64::MAX, 999)])), seconds(8 * 60 * 60));
}

#[test]
fn anything_else_is_a_problem() {
    let ok = with_times(1, &[]);
    for (status, body) in [
        (503, &ok[..]),
        (504, &ok),
        (200, b""),
        (200, b"\0"),
        (200, b"\0\0\0\0\0"),
        (200, b"\x01\0\0\0\x02\x08\x01"),
        (200, b"\0\0\0\0\x03\x08\x01"),
        (200, b"\0\0\0\0\x02\x08\x01\0"),
        (200, b"\0\0\0\0\x02\x08\x03"),
        (200, b"\0\0\0\0\x02\x0a\x01"),
        (200, b"<html>not gRPC</html>"),
    ] {
        assert!(answered(status, body).is_err(), "{status} {body:?}");
    }
    for why in [Unanswered::Cut, Unanswered::NotSent, Unanswered::Overflow, Unanswered::OPEN] {
        assert!(read(Event::Failed(why)).is_err(), "{why:?}");
    }
}

#[test]
fn authority_is_the_cluster_or_the_host_in_it() {
    for (cluster, authority) in [
        ("rate_limit", "rate_limit"),
        ("outbound|8081||limitador.limits.svc.cluster.local", "limitador.limits.svc.cluster.local"),
        ("limits for all", "rate-limit-service"),
    ] {
        let question = FleetQuestion {
            cluster: cluster.to_owned(),
            timeout: Duration::ZERO,
            seat: Seat::go_on([0; 16]),
            body: Vec::new(),
        };
        let headers = question.headers();
        let fields = HeaderMap::serialize(&headers);
        assert!(HeaderMap::parse(&fields).is_ok());
        assert!(headers.contains(&(b":authority", authority.as_bytes())), "{cluster}");
    }
}

proptest! {
    #[test]
    fn every_answer_of_prost_is_read(
        code in 0..4,
        times in vec((0..i64::MAX, 0..1_000_000_000_i32), 0..4),
    ) {
        let read = answered(200, &with_times(code, &times));
        prop_assert_eq!(read.is_ok(), matches!(code, 1 | 2));
        prop_assert_eq!(matches!(read, Ok(Some(_))), code == 2);
    }

    #[test]
    fn no_bytes_are_too_odd(body in vec(any::<u8>(), 0..64)) {
        let _ = answered(200, &body);
        let _ = answered(200, &framed(&body));
    }
}
