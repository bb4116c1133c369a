//! Which requests need a second factor: the default policy, and the rules before it.

use super::applications::Written;
use super::approvers::{self, Groups};
use super::per_client::{self, Clients, Reach};
use super::text::printable;
use super::{api_mode, duo};
use crate::config::duration::Bounds;
use crate::config::error::{Code, Fault, Faults, echo};
use crate::config::keys;
use crate::config::nearest::nearest;
use crate::config::reader::{Entry, Section};
use crate::config::{ApiMode, DuoSettings};
use crate::policy::{
    Condition, Criterion, FailMode, Pattern, PatternFault, Policies, Policy, Rule, Terms,
};
use crate::session::ApprovedBy;

/// The keys for the second factor.
const TERMS: [&str; 7] =
    ["max_age", "factors", "fail_mode", "application", "approval", "api_mode", "approver"];

/// The longest name of a rule, in characters.
const MAX_NAME: usize = 64;

/// The bounds of `max_age`: at most the longest lifetime of an approval.
const MAX_AGE: Bounds = Bounds::up_to(24 * 60 * 60);

/// The policies. `written` are the Duo applications that rules may name; each must be named by a
/// rule.
#[inline(never)]
pub(super) fn policies(
    section: &Section<'_>,
    written: &Written<'_>,
    clients: &Clients<'_>,
    faults: &mut Faults,
) -> Policies {
    let default = section.read("default_policy", faults, policy);
    let groups = approvers::groups(section, clients.identity, faults);
    let rules = section.read("rules", faults, Entry::list).unwrap_or_default();
    let mut used = Vec::new();
    let around = Around { written, clients, groups: &groups };
    let rules = rules.iter().filter_map(|entry| rule(entry, &around, &mut used, faults));
    let rules = rules.collect::<Vec<_>>().into();
    written.say_unused(&used, faults);
    let preflights = [(Policy::TwoFactor.name(), false), (Policy::Bypass.name(), true)];
    let exempt = section.read("cors_preflight", faults, |entry| entry.choice(&preflights));
    let overrides = [("refuse", false), ("allow", true)];
    let allowed = section.read("override_headers", faults, |entry| entry.choice(&overrides));
    Policies {
        default: default.unwrap_or_default(),
        rules,
        exempts_preflights: exempt.unwrap_or(false),
        allows_overrides: allowed.unwrap_or(false),
    }
}

fn policy(entry: &Entry<'_>) -> Result<Policy, Fault> {
    entry.choice(&Policy::ALL.map(|policy| (policy.name(), policy)))
}

/// The parts of the configuration that rules refer to.
struct Around<'a> {
    written: &'a Written<'a>,
    clients: &'a Clients<'a>,
    groups: &'a Groups<'a>,
}

fn rule(
    entry: &Entry<'_>,
    around: &Around<'_>,
    used: &mut Vec<usize>,
    faults: &mut Faults,
) -> Option<Rule> {
    let &Around { written, clients, groups } = around;
    let section = Section::open(entry, keys::RULE, faults);
    let mut conditions = Vec::new();
    let mut is_bare = section.is_readable();
    for criterion in Criterion::ALL {
        let fix = "name at least one, or leave the key out";
        is_bare &= section.find(criterion.name()).is_none();
        let list = section.read(criterion.name(), faults, |entry| entry.filled_list(fix));
        conditions.extend(list.and_then(|list| condition(criterion, &list, faults)));
    }
    let fix = "write two_factor, bypass or deny";
    let policy = section.require("policy", fix, faults, policy);
    if is_bare {
        let problem = "matches every request, so no later rule can decide";
        let fix = "name methods, paths, hosts, networks, users or groups; or set default_policy";
        faults.push(entry.fault(Code::NoCondition, problem, fix));
    }
    let mut terms = terms(&section, policy, written, faults);
    if let Some(lasts) = per_client::lasts(&section, &terms, clients, faults) {
        terms.per_client = Some(per_client::of_rule(entry, lasts));
    }
    approvers::of_rule(&section, &mut terms, (groups, clients.identity), written, faults);
    used.push(terms.application);
    let offered = written.offered(terms.application);
    let accepted = terms.factors.iter().flat_map(|accepted| &accepted.factors);
    let duo = written.duo(terms.application).filter(|duo| duo.universal().is_some());
    let few = duo.and_then(|duo| duo.accepted.as_ref());
    let accepts_webauthn = terms.factors.as_ref().is_some_and(|accepted| accepted.webauthn);
    let webauthn = accepts_webauthn && few.is_some_and(|few| !few.webauthn);
    let names = accepted.filter(|factor| !offered.contains(factor)).map(|factor| factor.name());
    for name in names.chain(webauthn.then_some(ApprovedBy::Webauthn.name())) {
        let problem = format!("names \"{name}\", but duo.factors does not have it");
        let fault = |entry: Entry<'_>| entry.fault(Code::ConflictingKeys, problem, "add it there");
        section.find("factors").map(fault).into_iter().for_each(|fault| faults.push(fault));
    }
    check_prompt(&section, &terms, written, faults);
    let name = section.read("name", faults, |entry| printable(entry, MAX_NAME));
    Some(Rule { name: name.map(str::to_owned), conditions, policy: policy?, terms })
}

/// Refuses a rule whose requests the filter could not ask for a second factor, since the Auth API or
/// a factor that it has is missing.
fn check_prompt(rule: &Section<'_>, terms: &Terms, written: &Written<'_>, faults: &mut Faults) {
    let Some(duo) = written.duo(terms.application) else { return };
    let mut conflict = |key, problem, fix| {
        let entry = rule.find(key);
        faults.extend(entry.map(|entry| entry.fault(Code::ConflictingKeys, problem, fix)));
    };
    let has_keys = duo.credentials().is_some();
    if !has_keys && terms.api_mode.unwrap_or(written.usual_mode) == ApiMode::Hold {
        let problem = "holds requests of programs, which needs the Auth API; the application has no \
                       integration_key";
        let fix = "write \"api_mode\": \"refuse\", or give the application integration_key and \
                   secret_key";
        let key = if terms.api_mode.is_some() { "api_mode" } else { "application" };
        conflict(key, problem, fix);
    }
    if terms.is_per_request && !has_keys {
        let problem = "asks by the Auth API, and the application has no integration_key; Duo's page \
                       does not show which request it approves";
        let fix = "give the application integration_key and secret_key, or remove it";
        conflict("approval", problem, fix);
    }
    if terms.is_per_request && terms.factors.is_none() && duo.factors().is_empty() {
        let problem = "cannot be given, since duo.factors has only webauthn, and Duo's page does not \
                       show which request it approves";
        let fix = "add push, passcode, phone or sms to duo.factors, or remove it";
        conflict("approval", problem, fix);
    }
}

/// The terms of a rule. Only a rule that asks for a second factor may have them.
fn terms(
    rule: &Section<'_>,
    policy: Option<Policy>,
    written: &Written<'_>,
    faults: &mut Faults,
) -> Terms {
    if matches!(policy, Some(Policy::Bypass | Policy::Deny)) {
        for entry in TERMS.iter().filter_map(|key| rule.find(key)) {
            let problem = "has no effect, since the rule's policy is not two_factor";
            faults.push(entry.fault(Code::ConflictingKeys, problem, "remove it"));
        }
    }
    let max_age = rule.read("max_age", faults, |entry| entry.duration(&MAX_AGE));
    let fail_mode = rule.read("fail_mode", faults, duo::fail_mode);
    let application = rule.read("application", faults, |entry| application(entry, written));
    let universal = |duo: &DuoSettings| duo.universal().is_some();
    let has_universal = written.duo(application.unwrap_or_default()).is_none_or(universal);
    let factors = duo::factors(rule, has_universal, faults);
    let reach = rule.read("approval", faults, per_client::reach);
    let is_per_request = reach == Some(Reach::Request);
    if is_per_request {
        let accepts_webauthn = factors.as_ref().is_some_and(|accepted| accepted.webauthn);
        let webauthn = "names webauthn, and Duo's page does not show which request it approves";
        let unmeant = [
            ("factors", accepts_webauthn && has_universal, webauthn),
            ("max_age", max_age.is_some(), "has no effect, since each request gets a new approval"),
            (
                "fail_mode",
                fail_mode == Some(FailMode::Safe),
                "would admit requests without an approval",
            ),
        ];
        for (key, is_set, problem) in unmeant {
            if is_set && let Some(entry) = rule.find(key) {
                let fix = "remove it, or remove approval: per_request";
                faults.push(entry.fault(Code::ConflictingKeys, problem, fix));
            }
        }
    }
    // While Duo is unreachable, nobody can have an approval of this request.
    let fail_mode = if is_per_request { Some(FailMode::Secure) } else { fail_mode };
    let application = application.unwrap_or_default();
    let api_mode = rule.read("api_mode", faults, api_mode);
    let (per_client, approvers) = (None, None);
    Terms {
        max_age,
        factors,
        fail_mode,
        application,
        is_per_request,
        api_mode,
        per_client,
        approvers,
    }
}

/// The number of the Duo application that a rule names.
fn application(entry: &Entry<'_>, written: &Written<'_>) -> Result<usize, Fault> {
    let name = entry.text()?;
    written.number(name).ok_or_else(|| {
        let problem = format!("{} is not among applications", echo(name));
        let fix = match nearest(name, written.names()) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => "add it there, with its duo section; to use the duo section at the root, leave this key out".to_owned(),
        };
        entry.fault(Code::UnknownValue, problem, fix)
    })
}

/// Patterns, and exceptions with a `!` before them.
fn condition(criterion: Criterion, list: &[Entry<'_>], faults: &mut Faults) -> Option<Condition> {
    let mut condition = Condition { criterion, wanted: Vec::new(), unwanted: Vec::new() };
    let mut names_something = false;
    for entry in list {
        let Some(text) = faults.keep(entry.text()) else {
            names_something = true;
            continue;
        };
        let (text, patterns) = match text.strip_prefix('!') {
            Some(exception) => (exception, &mut condition.unwanted),
            None => {
                names_something = true;
                (text, &mut condition.wanted)
            }
        };
        let pattern = Pattern::read(criterion, text);
        patterns.extend(faults.keep(pattern.map_err(|fault| invalid(entry, text, fault))));
    }
    if let (Some(first), false) = (list.first(), names_something) {
        let problem = "has only exceptions (\"!\"), and nothing that they are exceptions from";
        let fix = "name what the rule applies to; put the exceptions into a rule before it";
        faults.push(first.fault(Code::OnlyNegations, problem, fix));
        return None;
    }
    Some(condition)
}

/// A pattern for one part of requests.
pub(super) fn pattern(criterion: Criterion, entry: &Entry<'_>) -> Result<Pattern, Fault> {
    let text = entry.text()?;
    Pattern::read(criterion, text).map_err(|fault| invalid(entry, text, fault))
}

fn invalid(entry: &Entry<'_>, text: &str, fault: PatternFault) -> Fault {
    let fix = match fault {
        PatternFault::NotAMethod => "write it as in \"GET\"".to_owned(),
        PatternFault::NotAPath => {
            "write it as in \"/healthz\" or \"/public/*\", and escape other characters as in \"%20\""
                .to_owned()
        }
        PatternFault::NotAHost => "write it as in \"app.example.com\" or \"*.example.com\"".into(),
        PatternFault::NotANetwork => "write it as in \"10.0.0.0/8\" or \"2001:db8::/32\"".into(),
        PatternFault::NotTheFirst { first, length } => format!("use \"{first}/{length}\""),
        PatternFault::NotAUser => "write it as in \"alice\" or \"svc-*\"".to_owned(),
        PatternFault::NotAGroup => "write it as in \"ops\" or \"ops-*\"".to_owned(),
    };
    entry.fault(Code::InvalidPattern, format!("{} {fault}", echo(text)), fix)
}
