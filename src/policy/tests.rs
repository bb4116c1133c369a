use super::*;
use crate::http::HeaderMap;

fn pattern(criterion: Criterion, text: &str) -> Pattern {
    Pattern::read(criterion, text).unwrap()
}

fn rule(policy: Policy, conditions: &[(Criterion, &[&str])]) -> Rule {
    let condition = |(criterion, texts): &(Criterion, &[&str])| {
        let patterns = |unwanted: bool| {
            let texts = texts.iter().filter(|text| text.starts_with('!') == unwanted);
            texts.map(|text| pattern(*criterion, text.trim_start_matches('!'))).collect()
        };
        Condition { criterion: *criterion, wanted: patterns(false), unwanted: patterns(true) }
    };
    let conditions = conditions.iter().map(condition).collect();
    Rule { name: None, conditions, policy, terms: Terms::default() }
}

fn ruled(policy: Policy, rule: Option<usize>) -> Decision<'static> {
    Decision::Ruled(Ruled { policy, rule, terms: Terms::NONE })
}

fn decide<'p>(policies: &'p Policies, path: &str, person: Option<&Person<'_>>) -> Decision<'p> {
    let buffer = HeaderMap::serialize(&[(b":method", b"GET"), (b":path", path.as_bytes())]);
    let head = RequestHead::read(&buffer).unwrap();
    policies.decide(&policies.view(&head, None).unwrap(), person)
}

#[test]
fn the_default_policy_decides_where_no_rule_does() {
    for default in Policy::ALL {
        let policies = Policies { default, ..Policies::default() };
        assert_eq!(decide(&policies, "/admin", None), ruled(default, None));
    }
    assert_eq!(Policies::default().default, Policy::TwoFactor);
}

#[test]
fn policies_have_the_names_of_the_configuration() {
    assert_eq!(Policy::ALL.map(Policy::name), ["two_factor", "bypass", "deny"]);
}

#[test]
fn the_first_rule_that_matches_decides() {
    let policies = Policies {
        default: Policy::TwoFactor,
        rules: vec![
            rule(Policy::Deny, &[(Criterion::Paths, &["/a/secret"])]),
            rule(Policy::Bypass, &[(Criterion::Paths, &["/a/*"])]),
            rule(Policy::Deny, &[(Criterion::Paths, &["/*"])]),
        ]
        .into(),
        ..Policies::default()
    };
    assert_eq!(decide(&policies, "/a/secret", None), ruled(Policy::Deny, Some(0)));
    assert_eq!(decide(&policies, "/a/x", None), ruled(Policy::Bypass, Some(1)));
    assert_eq!(decide(&policies, "/b", None), ruled(Policy::Deny, Some(2)));
}

#[test]
fn the_user_is_not_needed_before_a_rule_depends_on_it() {
    let policies = Policies {
        default: Policy::TwoFactor,
        rules: vec![
            rule(Policy::Bypass, &[(Criterion::Paths, &["/healthz"])]),
            rule(Policy::Bypass, &[(Criterion::Paths, &["/a/*"]), (Criterion::Users, &["svc-*"])]),
            rule(Policy::Deny, &[(Criterion::Paths, &["/a/*"])]),
        ]
        .into(),
        ..Policies::default()
    };
    let person = |user| Person { user, groups: &[] };
    assert_eq!(decide(&policies, "/healthz", None), ruled(Policy::Bypass, Some(0)));
    assert_eq!(decide(&policies, "/b", None), ruled(Policy::TwoFactor, None));
    assert_eq!(decide(&policies, "/a/b", None), Decision::WhoAsks);
    for (user, decision) in
        [("svc-ci", ruled(Policy::Bypass, Some(1))), ("alice", ruled(Policy::Deny, Some(2)))]
    {
        assert_eq!(decide(&policies, "/a/b", Some(&person(user))), decision, "{user}");
    }
}

#[test]
fn an_exception_to_a_bypass_is_made_in_every_spelling() {
    let paths: &[&str] = &["/public/*", "!/public/admin/*"];
    let policies = Policies {
        default: Policy::TwoFactor,
        rules: vec![rule(Policy::Bypass, &[(Criterion::Paths, paths)])].into(),
        ..Policies::default()
    };
    assert_eq!(decide(&policies, "/public/a", None), ruled(Policy::Bypass, Some(0)));
    for path in ["/public/admin", "/public/admin/", "/public/Admin/x", "/public/%61dmin/x"] {
        assert_eq!(decide(&policies, path, None), ruled(Policy::TwoFactor, None));
    }
}

#[test]
fn a_part_that_no_rule_names_is_not_looked_at() {
    let buffer = HeaderMap::serialize(&[
        (b":method", b"GET"),
        (b":path", b"/a/../b"),
        (b":authority", b"a,b"),
    ]);
    let head = RequestHead::read(&buffer).unwrap();
    let view = |criterion, text: &str| {
        let rules = vec![rule(Policy::Deny, &[(criterion, &[text])])].into();
        Policies { default: Policy::Bypass, rules, ..Policies::default() }
            .view(&head, None)
            .map(|_| ())
    };
    assert_eq!(view(Criterion::Methods, "POST"), Ok(()));
    assert_eq!(view(Criterion::Users, "alice"), Ok(()));
    assert_eq!(view(Criterion::Paths, "/a"), Err(Unclear::Path));
    assert_eq!(view(Criterion::Hosts, "a.example"), Err(Unclear::Host));
    assert_eq!(view(Criterion::Networks, "10.0.0.0/8"), Err(Unclear::Address));
}

#[test]
fn group_that_no_list_has_is_no_pattern() {
    for text in ["", " ", " ops", "ops ", "*-ops", "o*s", "ops-**", "ops\n"] {
        let fault = Pattern::read(Criterion::Groups, text).unwrap_err();
        assert_eq!(fault, PatternFault::NotAGroup, "{text:?}");
    }
    for text in ["ops", "ops-*", "site reliability", "\u{d6}ps"] {
        pattern(Criterion::Groups, text);
    }
}

#[test]
fn a_pattern_of_users_has_the_letters_of_canonical_names() {
    let is_read = |text| Pattern::read(Criterion::Users, text).is_ok();
    for name in ["alice", "svc-*", "z\u{fc}lfikar", "\u{e0}", "\u{43f}\u{451}\u{442}\u{440}"] {
        assert!(is_read(name), "{name}");
    }
    for name in [
        "", "Alice", " alice", "a  b", "a;b", "u\u{308}", "\u{36f}", "a\u{a1}", "a\u{bf}", "\u{c0}",
    ] {
        assert!(!is_read(name), "{name:?}");
    }
}
