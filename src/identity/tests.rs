use super::*;
use crate::http::HeaderMap;

const JWT: [&str; 3] = ["envoy.filters.http.jwt_authn", "jwt_payload", "email"];

#[test]
fn spellings_of_one_user_become_one_name() {
    let rules = header_rules(&["corp.com", "CORP"]);

    for spelling in [
        "alice",
        "ALICE",
        "  alice\t",
        "ALICE@Corp.com",
        "alice@corp.com",
        "CORP\\Alice",
        "corp\\alice",
        "Alice@CORP",
    ] {
        let headers = [("x-basic-user", spelling.as_bytes())];
        let identity = resolve(&rules, &headers, None).unwrap();
        let alice = Identity { user: "alice".into(), username: None, source: "header" };
        assert_eq!(identity, alice, "{spelling:?}");
    }
}

#[test]
fn name_that_is_not_one_canonical_user_is_refused() {
    let stripping = header_rules(&["corp.com"]);
    let plain = header_rules(&[]);

    for (rules, value, kind) in [
        (&stripping, "alice@evil.com", InvalidIdentity::ForeignDomain),
        (&stripping, "EVIL\\alice", InvalidIdentity::ForeignDomain),
        (&stripping, "alice@sub.corp.com", InvalidIdentity::ForeignDomain),
        (&stripping, "alice@", InvalidIdentity::ForeignDomain),
        (&stripping, "alice@x@corp.com", InvalidIdentity::SeveralDomains),
        (&stripping, "corp.com\\alice@corp.com", InvalidIdentity::SeveralDomains),
        (&stripping, "corp.com\\corp.com\\alice", InvalidIdentity::SeveralDomains),
        (&stripping, "@corp.com", InvalidIdentity::OutsideGrammar),
        (&plain, "alice@x@corp.com", InvalidIdentity::SeveralDomains),
        (&plain, "CORP\\alice", InvalidIdentity::OutsideGrammar),
        (&plain, "alice@", InvalidIdentity::OutsideGrammar),
        (&plain, "@", InvalidIdentity::OutsideGrammar),
        (&plain, "alice,admin", InvalidIdentity::OutsideGrammar),
        (&plain, "alice  admin", InvalidIdentity::OutsideGrammar),
        (&plain, "alice @corp.com", InvalidIdentity::OutsideGrammar),
        (&plain, "alice;admin", InvalidIdentity::OutsideGrammar),
        (&plain, "alice%40corp.com", InvalidIdentity::OutsideGrammar),
        (&plain, "\"alice\"", InvalidIdentity::OutsideGrammar),
        (&plain, "alice\u{7f}", InvalidIdentity::OutsideGrammar),
        (&plain, "ａlice", InvalidIdentity::OutsideGrammar),
        (&plain, "alice\u{200b}", InvalidIdentity::OutsideGrammar),
        (&plain, "al\u{130}ce", InvalidIdentity::OutsideGrammar),
        (&plain, "ame\u{301}lie", InvalidIdentity::OutsideGrammar),
        (&plain, "\u{a0}alice", InvalidIdentity::OutsideGrammar),
    ] {
        assert_eq!(user(rules, value.as_bytes()), Err(kind.into()), "{value:?}");
    }
}

#[test]
fn bytes_that_are_not_text_are_refused() {
    let rules = header_rules(&[]);

    assert_eq!(user(&rules, b"alice\xff"), Err(InvalidIdentity::NotText.into()));
    assert_eq!(user(&rules, b"alice\0"), Err(InvalidIdentity::OutsideGrammar.into()));
    assert_eq!(user(&rules, &[b'a'; MAX_BYTES]).unwrap().len(), MAX_BYTES);
    assert_eq!(user(&rules, &[b'a'; MAX_BYTES + 1]), Err(InvalidIdentity::TooLong.into()));
    assert_eq!(user(&rules, &[0xff; 100_000]), Err(InvalidIdentity::TooLong.into()));
}

#[test]
fn upper_case_is_refused_where_no_step_lowers_it() {
    let source = Source::header("x-basic-user").unwrap();
    let rules = IdentityRules::new(source, vec![Step::Trim], UsernameTemplate::default());

    assert_eq!(user(&rules, b"Alice"), Err(InvalidIdentity::OutsideGrammar.into()));
    assert_eq!(user(&rules, b" alice ").unwrap(), "alice");
}

#[test]
fn name_that_is_too_long_in_plain_characters_is_refused() {
    let source = Source::header("x-basic-user").unwrap();
    let rules = IdentityRules::new(source, vec![Step::Nfkc], UsernameTemplate::default());

    // A character of three bytes that becomes four: "a.m.".
    assert_eq!(user(&rules, "\u{33c2}".repeat(64).as_bytes()).unwrap(), "a.m.".repeat(64));
    let longer = "\u{33c2}".repeat(65);
    assert_eq!(user(&rules, longer.as_bytes()), Err(InvalidIdentity::TooLong.into()));
}

#[test]
fn steps_apply_in_their_order() {
    let strip_first = IdentityRules::new(
        Source::header("x-basic-user").unwrap(),
        vec![Step::StripDomain(domains(&["corp.com"])), Step::Trim],
        UsernameTemplate::default(),
    );

    assert_eq!(user(&strip_first, b"alice @corp.com").unwrap(), "alice");
    assert_eq!(user(&strip_first, b"alice@corp.com "), Err(InvalidIdentity::ForeignDomain.into()));
}

#[test]
fn absent_or_empty_source_is_a_missing_identity() {
    let rules = header_rules(&["corp.com"]);

    assert_eq!(resolve(&rules, &[], None), Err(IdentityError::Missing));
    assert_eq!(user(&rules, b""), Err(IdentityError::Missing));
    assert_eq!(user(&rules, b" \t "), Err(IdentityError::Missing));
    assert_eq!(resolve(&jwt_rules(), &[], None), Err(IdentityError::Missing));
    assert_eq!(resolve(&jwt_rules(), &[], Some(b"")), Err(IdentityError::Missing));
}

#[test]
fn header_in_a_second_spelling_counts_as_a_second_value() {
    let rules = header_rules(&[]);

    for second in ["x-basic-user", "x_basic_user", "X-BASIC-USER", "x-basic_user"] {
        for value in ["bob", "alice", ""] {
            let headers = [("x-basic-user", &b"alice"[..]), (second, value.as_bytes())];
            assert_eq!(
                resolve(&rules, &headers, None),
                Err(InvalidIdentity::Repeated.into()),
                "{second} {value:?}"
            );
        }
    }
}

#[test]
fn source_jwt_reads_the_claim_and_no_header() {
    let forged = [("x-basic-user", &b"admin"[..])];

    let identity = resolve(&jwt_rules(), &forged, Some(b"Alice@corp.com")).unwrap();
    assert_eq!(identity.user, "alice@corp.com");
    assert_eq!(identity.username(), "alice");
    assert_eq!(identity.source, "jwt");
    assert_eq!(resolve(&jwt_rules(), &forged, None), Err(IdentityError::Missing));
}

#[test]
fn claim_that_is_not_a_string_is_refused() {
    // A list as the host writes it, a number, a boolean.
    let mut list = HeaderMap::serialize(&[(b"alice", b"")]);
    list.truncate(MAX_BYTES);
    let number = 12.0_f64.to_le_bytes();

    for claim in [&list[..], &number[..], &[1]] {
        assert!(matches!(resolve(&jwt_rules(), &[], Some(claim)), Err(IdentityError::Invalid(_))));
    }
}

#[test]
fn username_template_without_its_domain_is_a_refusal() {
    let rules = IdentityRules::new(
        Source::header("x-basic-user").unwrap(),
        vec![Step::Lowercase],
        "{local}@{domain}".parse().unwrap(),
    );

    assert_eq!(user(&rules, b"alice"), Err(InvalidIdentity::NoDomain.into()));
}

fn user(rules: &IdentityRules, value: &[u8]) -> Result<String, IdentityError> {
    resolve(rules, &[("x-basic-user", value)], None).map(|identity| identity.user)
}

fn resolve(
    rules: &IdentityRules,
    headers: &[(&str, &[u8])],
    attribute: Option<&[u8]>,
) -> Result<Identity, IdentityError> {
    let mut pairs: Vec<(&[u8], &[u8])> = vec![(b":method", b"GET"), (b":path", b"/")];
    pairs.extend(headers.iter().map(|(name, value)| (name.as_bytes(), *value)));
    let buffer = HeaderMap::serialize(&pairs);
    rules.resolve(&head(&buffer), Attributes { name: attribute, ..Attributes::default() })
}

fn head(buffer: &[u8]) -> RequestHead<'_> {
    RequestHead::read(buffer).unwrap()
}

fn header_rules(strip: &[&str]) -> IdentityRules {
    let mut steps = vec![Step::Trim, Step::Lowercase];
    if !strip.is_empty() {
        steps.push(Step::StripDomain(domains(strip)));
    }
    IdentityRules::new(Source::header("x-basic-user").unwrap(), steps, UsernameTemplate::default())
}

fn jwt_rules() -> IdentityRules {
    let path: Vec<String> = JWT.iter().map(ToString::to_string).collect();
    IdentityRules::new(
        Source::jwt(&path).unwrap(),
        vec![Step::Trim, Step::Lowercase],
        "{local}".parse().unwrap(),
    )
}

fn domains(names: &[&str]) -> Vec<Domain> {
    names.iter().map(|name| Domain::new(name).unwrap()).collect()
}
