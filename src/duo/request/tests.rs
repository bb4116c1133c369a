use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;

/// Tue, 21 Aug 2012 17:29:18 UTC.
const NOW: UnixTime = UnixTime::from_seconds(1_345_570_158);

fn credentials(signature: Signature) -> Credentials {
    Credentials {
        api_host: "API-xxxxxxxx.duosecurity.com".parse().unwrap(),
        integration_key: "DIWJ8X6AEYOR5OMC6TQ1".to_owned(),
        secret_key: Secret::new("Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep".to_owned()),
        signature,
    }
}

fn sign(request: &Request, signature: Signature) -> SignedCall {
    request.sign(&credentials(signature), NOW)
}

fn body(request: &Request, signature: Signature) -> String {
    String::from_utf8(sign(request, signature).body).unwrap()
}

fn header<'a>(call: &'a SignedCall, name: &str) -> Option<&'a str> {
    let (_, value) = call.headers.iter().find(|(n, _)| *n == name)?;
    Some(std::str::from_utf8(value.as_bytes()).unwrap())
}

fn auth(factor: AuthFactor) -> Request {
    Request::Auth(Auth { username: "alice".to_owned(), factor, ipaddr: None })
}

fn txid() -> Txid {
    "45f7c92b-f45f-4862-8545-e0f58e78075a".parse().unwrap()
}

fn all_requests() -> Vec<Request> {
    vec![
        Request::Ping,
        Request::Check,
        Request::Logo,
        Request::Preauth(Preauth {
            username: "alice".to_owned(),
            ipaddr: None,
            trusted_device_token: None,
        }),
        auth(AuthFactor::Phone { device: DeviceChoice::Auto }),
        Request::AuthStatus { txid: txid() },
        Request::Enroll(Enroll::default()),
        Request::EnrollStatus(EnrollStatus {
            user_id: "DU3RP9I2WOC59VZX672N".parse().unwrap(),
            activation_code: Secret::new("duo://x".to_owned()),
        }),
    ]
}

#[test]
fn every_call_but_ping_is_signed() {
    for request in all_requests() {
        let call = sign(&request, Signature::V5);
        let signed = request.endpoint() != Endpoint::Ping;
        assert_eq!(header(&call, "authorization").is_some(), signed, "{call:?}");
        assert_eq!(header(&call, "date").is_some(), signed, "{call:?}");
        assert_eq!(call.authority, "api-xxxxxxxx.duosecurity.com");
        let agent = format!("duo-mfa/{}", env!("CARGO_PKG_VERSION"));
        assert_eq!(header(&call, "user-agent"), Some(agent.as_str()));
    }
}

#[test]
fn each_call_has_its_method_path_and_content_type() {
    let found: Vec<_> = all_requests()
        .iter()
        .map(|request| {
            let call = sign(request, Signature::V5);
            let media_type = header(&call, "content-type").map(str::to_owned);
            (call.endpoint.name(), call.method, call.path, media_type)
        })
        .collect();
    let json = Some("application/json".to_owned());
    let path = |name| format!("/auth/v2/{name}");
    let status = "/auth/v2/auth_status?txid=45f7c92b-f45f-4862-8545-e0f58e78075a".to_owned();
    assert_eq!(
        found,
        [
            ("ping", "GET", path("ping"), None),
            ("check", "GET", path("check"), None),
            ("logo", "GET", path("logo"), None),
            ("preauth", "POST", path("preauth"), json.clone()),
            ("auth", "POST", path("auth"), json.clone()),
            ("auth_status", "GET", status, None),
            ("enroll", "POST", path("enroll"), json.clone()),
            ("enroll_status", "POST", path("enroll_status"), json),
        ]
    );
}

#[test]
fn a_form_equals_the_signed_line() {
    let preauth = Request::Preauth(Preauth {
        username: "zoë +~*&factor=auto".to_owned(),
        ipaddr: Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9))),
        trusted_device_token: Some(Secret::new("t=1".to_owned())),
    });
    let call = sign(&preauth, Signature::V2Sha512);
    assert_eq!(header(&call, "content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(
        String::from_utf8(call.body).unwrap(),
        "client_supports_verified_push=1&ipaddr=203.0.113.9&trusted_device_token=t%3D1\
         &username=zo%C3%AB%20%2B~%2A%26factor%3Dauto"
    );
    assert_eq!(
        body(&preauth, Signature::V5),
        r#"{"client_supports_verified_push":"1","ipaddr":"203.0.113.9","trusted_device_token":"t=1","username":"zoë +~*&factor=auto"}"#
    );
}

#[test]
fn a_check_is_signed_over_date_method_host_and_path() {
    // Made with OpenSSL: printf 'Tue, 21 Aug 2012 17:29:18
    // -0000\nGET\napi-xxxxxxxx...\n/auth/v2/check\n'
    // piped into `openssl dgst -sha1 -hmac <secret key>`, and with `-sha512`.
    for (signature, hex) in [
        (Signature::V2Sha1, "7853b89caba1fc31caee236cdf1de4922fef899f"),
        (
            Signature::V2Sha512,
            "2da6ea8a7fcee59edeae46512da92c44be7fff870c34a93e219d487e2e49d790\
             488b3a436d9175357799be45bc923a599cfce92b7178a58dd694f60a794d47e9",
        ),
    ] {
        let call = sign(&Request::Check, signature);
        let value = header(&call, "authorization").unwrap();
        let encoded = value.strip_prefix("Basic ").unwrap();
        let decoded = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, encoded).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap(), format!("DIWJ8X6AEYOR5OMC6TQ1:{hex}"));
        assert_eq!(header(&call, "date"), Some("Tue, 21 Aug 2012 17:29:18 -0000"));
    }
}

#[test]
fn a_push_carries_every_detail_that_it_shows() {
    let push = auth(AuthFactor::Push {
        device: "DPFZRS9FB0D46QFTM891".parse().unwrap(),
        txid: Some(txid()),
        title: "Sign-in".to_owned(),
        info: PushInfo::new([("path", "/a b")]),
    });
    assert_eq!(
        body(&push, Signature::V2Sha1),
        "async=1&device=DPFZRS9FB0D46QFTM891&factor=push&pushinfo=path%3D%252Fa%2520b&txid=45f7c92b-f45f-4862-8545-e0f58e78075a\
         &type=Sign-in&username=alice"
    );
}

#[test]
fn a_plain_push_has_no_empty_parameters() {
    let push = auth(AuthFactor::Push {
        device: DeviceChoice::Auto,
        txid: None,
        title: "Sign-in".to_owned(),
        info: PushInfo::default(),
    });
    assert_eq!(
        body(&push, Signature::V2Sha1),
        "async=1&device=auto&factor=push&type=Sign-in&username=alice"
    );
}

#[test]
fn phone_is_asynchronous_and_passcode_and_sms_are_not() {
    let device = DeviceChoice::Auto;
    for (factor, form) in [
        (
            AuthFactor::Phone { device: device.clone() },
            "async=1&device=auto&factor=phone&username=alice",
        ),
        (AuthFactor::Sms { device }, "device=auto&factor=sms&username=alice"),
        (
            AuthFactor::Passcode(Secret::new("123456".to_owned())),
            "factor=passcode&passcode=123456&username=alice",
        ),
    ] {
        assert_eq!(body(&auth(factor), Signature::V2Sha512), form);
    }
}

#[test]
fn an_ipv4_address_in_an_ipv6_one_is_sent_as_ipv4() {
    let mapped = IpAddr::V6(Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped());
    assert_eq!(address(mapped), "192.0.2.1");
    assert_eq!(address(IpAddr::V6(Ipv6Addr::LOCALHOST)), "::1");
}

#[test]
fn an_enrollment_without_parameters_is_an_empty_object() {
    assert_eq!(body(&Request::Enroll(Enroll::default()), Signature::V5), "{}");
    let enroll = Request::Enroll(Enroll {
        username: Some("bob".to_owned()),
        valid_for: Some(Duration::from_secs(3_600)),
    });
    assert_eq!(body(&enroll, Signature::V2Sha512), "username=bob&valid_secs=3600");
}

#[test]
fn only_auth_and_enroll_are_not_repeatable() {
    for request in all_requests() {
        let once = matches!(request.endpoint(), Endpoint::Auth | Endpoint::Enroll);
        assert_eq!(request.endpoint().is_repeatable(), !once, "{:?}", request.endpoint());
    }
}

#[test]
fn no_debug_text_holds_a_secret() {
    let request = auth(AuthFactor::Passcode(Secret::new("835194".to_owned())));
    let call = sign(&request, Signature::V5);
    let status = Request::AuthStatus { txid: txid() };
    let text = format!("{request:?} {call:?} {status:?} {:?}", sign(&status, Signature::V5));
    assert!(!text.contains("835194") && !text.contains("45f7c92b"), "{text}");
    assert!(!text.contains("Basic"), "{text}");
}
