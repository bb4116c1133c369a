//! Reads a rule's `approver`, the people who may approve requests of other users, and the groups of
//! `access_control.approver_groups`.

use super::applications::Written;
use super::session::plain_name;
use crate::config::error::{Code, Faults, echo};
use crate::config::keys;
use crate::config::reader::{Entry, Section};
use crate::factor::{AcceptedFactors, Factor};
use crate::identity::IdentityRules;
use crate::policy::{Approver, Terms};
use std::sync::Arc;

/// The greatest number of approvers of a rule.
const MAX_PEOPLE: usize = 16;

const FIX: &str = "name people, as in {\"users\": [\"carol\"]}, or \"groups\" of \
                   access_control.approver_groups";

/// The groups that rules may name, with their people.
pub(super) type Groups<'v> = Vec<(&'v str, Vec<Approver>)>;

#[inline(never)]
pub(super) fn groups<'v>(
    access_control: &Section<'v>,
    identity: Option<&IdentityRules>,
    faults: &mut Faults,
) -> Groups<'v> {
    let mut groups = Vec::new();
    let entries = access_control.read("approver_groups", faults, Entry::members);
    for (name, entry) in entries.into_iter().flatten() {
        faults.keep(plain_name(&entry, name));
        let section = Section::open(&entry, keys::APPROVER_GROUP, faults);
        let mut people = Vec::new();
        section.require("users", FIX, faults, |_| Ok(()));
        read_people(&section, identity, &mut people, faults);
        groups.push((name, people));
    }
    groups
}

/// Reads the people who may approve requests under a rule, if it has any. It then accepts nothing
/// but a push.
#[inline(never)]
pub(super) fn of_rule(
    rule: &Section<'_>,
    terms: &mut Terms,
    (groups, identity): (&Groups<'_>, Option<&IdentityRules>),
    written: &Written<'_>,
    faults: &mut Faults,
) {
    let Some(entry) = rule.find("approver") else { return };
    let section = Section::open(&entry, keys::APPROVER, faults);
    let mut people = Vec::new();
    read_people(&section, identity, &mut people, faults);
    let named = section.read("groups", faults, |entry| entry.filled_list(FIX));
    for entry in named.iter().flatten() {
        let Some(name) = faults.keep(entry.text()) else { continue };
        match groups.iter().find(|(group, _)| *group == name) {
            Some((_, group)) => group.iter().for_each(|person| add(person, &mut people)),
            None => {
                let problem = format!("{} is not in access_control.approver_groups", echo(name));
                faults.push(entry.fault(Code::UnknownValue, problem, "add it there"));
            }
        }
    }
    let push = AcceptedFactors { factors: vec![Factor::Push], webauthn: false };
    let is_nobody = ["users", "groups"].iter().all(|key| section.find(key).is_none());
    let has_other = terms.factors.as_ref().is_some_and(|factors| *factors != push);
    let has_push = written.offered(terms.application).contains(&Factor::Push);
    let conflicts = [
        (section.is_readable() && is_nobody, "names nobody", FIX),
        (people.len() > MAX_PEOPLE, "names more than 16 people", "name fewer"),
        (!terms.is_per_request, "approves single requests", "add approval: per_request"),
        (has_other, "approves by a push alone", "remove factors from the rule"),
        (!has_push, "approves by a push alone", "add push to duo.factors"),
    ];
    for (_, problem, fix) in conflicts.into_iter().filter(|(is_conflict, ..)| *is_conflict) {
        faults.push(entry.fault(Code::ConflictingKeys, problem, fix));
    }
    terms.factors = Some(push);
    terms.approvers = Some(Arc::from(people));
}

/// Reads the canonical names of `users`.
fn read_people(
    section: &Section<'_>,
    identity: Option<&IdentityRules>,
    people: &mut Vec<Approver>,
    faults: &mut Faults,
) {
    let users = section.read("users", faults, |entry| entry.filled_list(FIX));
    // A fault in `identity` is reported there.
    let (Some(users), Some(identity)) = (users, identity) else { return };
    for entry in users {
        let Some(name) = faults.keep(entry.text()) else { continue };
        let given = identity.identify(name.as_bytes());
        let problem = match (identity.named(name), given) {
            (Ok(known), Ok(given)) if known.user == given.user => {
                let username = known.username().to_owned();
                add(&Approver { user: known.user, username }, people);
                continue;
            }
            (Err(error), _) | (Ok(_), Err(error)) => {
                format!("{} is no canonical name: {error}", echo(name))
            }
            (Ok(_), Ok(given)) => {
                format!("{} is no canonical name: that is {}", echo(name), echo(&given.user))
            }
        };
        let fix = "write it as it is after identity.normalize, as in \"carol\"";
        faults.push(entry.fault(Code::InvalidPattern, problem, fix));
    }
}

fn add(person: &Approver, people: &mut Vec<Approver>) {
    if !people.contains(person) {
        people.push(person.clone());
    }
}
