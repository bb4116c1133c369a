//! The audit trail of a sign-in: for each outcome, held or on a page, all lines have the reference that the client
//! saw, and `duo-mfa audit` finds them in Envoy's log.

use std::process::Command;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::http1::encode;
use crate::message::{Reply, Request};
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;
use crate::universal::{self, CALLBACK, PAGE, approved_at_duo, approves, parameter, press};

/// The end of a sign-in, and the lines that it must have.
struct Case {
    what: &'static str,
    user: String,
    /// The reference that the client saw.
    reference: String,
    /// Kind and code of each line; a line of an admission has the code `admitted`.
    lines: Vec<(&'static str, &'static str)>,
}

impl Case {
    fn new(
        what: &'static str,
        user: &str,
        reference: &Value,
        lines: &[(&'static str, &'static str)],
    ) -> Self {
        let reference = reference.as_str().expect("a reference").to_owned();
        assert_eq!(reference.len(), 8, "{reference}");
        Self { what, user: user.to_owned(), reference, lines: lines.to_vec() }
    }

    /// Asserts that Envoy's log has these lines, each with all that is known of the sign-in.
    fn check(&self, lines: &[Value]) {
        let Self { what, user, reference, .. } = self;
        let own: Vec<_> = lines.iter().filter(|line| line["reference"] == **reference).collect();
        let ends: Vec<_> = own.iter().map(|line| end(line)).collect();
        assert_eq!(ends, self.lines, "{what}: {own:#?}");
        let mut was_sent = false;
        for line in own {
            assert_eq!((&line["user"], &line["duo_user"]), (&json!(user), &json!(user)), "{line}");
            assert_eq!(line["client"], "127.0.0.1", "{what}: {line}");
            assert_eq!(line["host"], "app.example.com", "{what}: {line}");
            for text in ["time", "client_kind", "method", "path", "request_id"] {
                assert!(line[text].is_string(), "{what}, {text}: {line}");
            }
            assert!(!line["path"].as_str().unwrap().contains(".duo-mfa"), "{what}: {line}");
            assert!(line["duration_ms"].is_u64() && line["version"] == 1, "{what}: {line}");
            was_sent |= line["kind"] == "push_sent";
            if was_sent {
                for text in ["device", "device_name", "txid", "factor"] {
                    assert!(line[text].is_string(), "{what}, {text}: {line}");
                }
                assert!(line["waited_ms"].is_u64(), "{what}: {line}");
            }
        }
    }
}

/// Kind and code of a line.
fn end(line: &Value) -> (&str, &str) {
    let result = Some("admitted").filter(|result| line["result"] == *result);
    (line["kind"].as_str().unwrap(), line["code"].as_str().or(result).unwrap_or_default())
}

fn lines(stack: &Stack) -> Vec<Value> {
    let log = stack.envoy.log();
    let objects = log.lines().filter_map(|line| Some(line.split_once("{\"event\":\"duo_mfa\"")?.1));
    objects
        .map(|rest| serde_json::from_str(&format!("{{\"event\":\"duo_mfa\"{rest}")).unwrap())
        .collect()
}

/// Waits for the last lines, and checks the lines of all cases, in the log and by the program.
fn check(stack: &Stack, cases: &[Case]) {
    let expected: usize = cases.iter().map(|case| case.lines.len()).sum();
    let is_ours = |line: &Value| cases.iter().any(|case| line["reference"] == *case.reference);
    let found = eventually("the lines", || {
        let found = lines(stack);
        (found.iter().filter(|line| is_ours(line)).count() >= expected).then_some(found)
    });
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!(
        "audit-{}-{}.log",
        std::process::id(),
        stack.envoy.admin_address().port()
    ));
    std::fs::write(&file, stack.envoy.log()).unwrap();
    for case in cases {
        case.check(&found);
        let ran = Command::new(env!("CARGO_BIN_EXE_duo-mfa"))
            .args(["audit", file.to_str().unwrap(), "--format", "json"])
            .args(["--reference", &case.reference.to_lowercase()])
            .output()
            .unwrap();
        let printed = String::from_utf8(ran.stdout).unwrap();
        assert!(ran.status.success(), "{}: {printed}", case.what);
        let printed: Vec<Value> =
            printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(printed.iter().map(end).collect::<Vec<_>>(), case.lines, "{}", case.what);
    }
    let first = &cases[0];
    let ran = Command::new(env!("CARGO_BIN_EXE_duo-mfa"))
        .args(["audit", file.to_str().unwrap(), "--user", &first.user])
        .output()
        .unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert!(printed.contains(&format!("sign-in {}", first.reference)), "{printed}");
    std::fs::remove_file(file).unwrap();
    let of = |kind: &str| found.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!(of("config_loaded"), 1, "one for an Envoy with two workers");
    let trusted = stack.envoy.log().matches("the header x-basic-user is trusted").count();
    assert_eq!(trusted, 1, "one for an Envoy with two workers");
}

/// The reference that the push on the user's phone shows.
fn on_phone(stack: &Stack, user: &str) -> Value {
    let shown = stack.sim.pending(user)["context"]["pushinfo"].clone();
    let pair = shown.as_array().unwrap().last().unwrap().clone();
    assert_eq!(pair[0], "reference", "{shown}");
    pair[1].clone()
}

/// A browser with a page of the application, which asks for the second factor.
struct Page {
    browser: Browser,
    user: String,
    reference: Value,
    ticket: String,
}

impl Page {
    fn open(stack: &Stack, user: &str, path: &str) -> Self {
        let mut browser = Browser::of(user);
        let page = browser.open(stack, path);
        assert_eq!(page.status, 403, "{page:?}");
        let text = page.text();
        let between = |start: &str, end: char| {
            let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start}: {text}"));
            rest.split(end).next().unwrap().to_owned()
        };
        let reference = json!(between("<code id=\"reference\">", '<'));
        let ticket = between("&amp;reference=", '"');
        Self { browser, user: user.to_owned(), reference, ticket }
    }

    fn fetch(&mut self, stack: &Stack, method: &str, endpoint: &str) -> Value {
        let separator = if endpoint.contains('?') { '&' } else { '?' };
        let to = format!("{endpoint}{separator}return_to=%2Freports&reference={}", self.ticket);
        self.browser.fetch(stack, method, &to).json()
    }

    /// Starts a push, which shows the reference, and has it answered.
    fn push(&mut self, stack: &Stack, action: &str) -> Value {
        let begun = self.fetch(stack, "POST", "auth?factor=push&device=auto");
        assert_eq!(begun["reference"], self.reference, "{begun}");
        assert_eq!(on_phone(stack, &self.user), self.reference);
        stack.sim.answer(&self.user, action);
        let ended = self.browser.ended(stack);
        assert_eq!(ended["reference"], self.reference, "{ended}");
        ended
    }

    fn case(&self, what: &'static str, lines: &[(&'static str, &'static str)]) -> Case {
        let mut all = vec![("prompted", "")];
        all.extend(lines);
        Case::new(what, &self.user, &self.reference, &all)
    }
}

const SENT: (&str, &str) = ("push_sent", "");
/// What a user does with a push, and the result or code in the line of its end.
const ANSWERS: [(&str, &str); 4] = [
    ("approve", "admitted"),
    ("deny", "mfa_denied"),
    ("fraud", "mfa_fraud"),
    ("timeout", "mfa_timeout"),
];
const ADMITTED: (&str, &str) = ("decision", "admitted");

/// A held request that is refused; its problem document has the reference.
fn refused(what: &'static str, user: &str, reply: &Reply, code: &'static str) -> Case {
    assert_eq!(reply.json()["code"], code, "{what}: {}", reply.text());
    Case::new(what, user, &reply.json()["reference"], &[("decision", code)])
}

#[test]
fn each_end_of_a_held_request_has_its_lines() {
    let stack = Stack::standard();
    let mut cases = Vec::new();
    let held = |user: &str| Request::get("/reports").user(user);
    for (number, (action, code)) in ANSWERS.into_iter().enumerate() {
        let user = stack.sim.guest(number);
        let request = stack.held_push(held(&user), Protocol::Http1, &user);
        let reference = on_phone(&stack, &user);
        let verdict = if action == "approve" { Verdict::Admitted(1) } else { Verdict::Denied };
        let reply = stack.judged(verdict, action, || {
            stack.sim.answer(&user, action);
            request.reply()
        });
        if action != "approve" {
            assert_eq!(reply.json()["reference"], reference, "{}", reply.text());
        }
        cases.push(Case::new(action, &user, &reference, &[SENT, ("decision", code)]));
    }
    let limited = stack.denied(&held(&stack.sim.guest(1)));
    cases.push(refused("rate limit", &crate::setup::guest(1), &limited, "too_many_requests"));
    for (what, user, code) in [
        ("unknown user", "dave", "enrollment_required"),
        ("locked out", "eve", "mfa_locked_out"),
        ("denied by policy", "mallory", "duo_denied"),
    ] {
        cases.push(refused(what, user, &stack.denied(&held(user)), code));
    }
    let phone = json!({"platform": "Landline", "capabilities": []});
    let user = crate::setup::guest(8);
    stack.sim.put_user(&json!({"username": user, "devices": [phone]}));
    cases.push(refused("no device", &user, &stack.denied(&held(&user)), "no_device"));
    let wrong = stack.denied(&held("tom").header("x-duo-mfa-passcode", "000000"));
    cases.push(refused("wrong passcode", "tom", &wrong, "passcode_incorrect"));

    let user = stack.sim.guest(7);
    let mut connection = stack.connect();
    let left = stack.judged(Verdict::Denied, "a client that left", || {
        connection.send_part(&encode(&held(&user)));
        let reference = on_phone(&stack, &user);
        connection.leave();
        reference
    });
    cases.push(Case::new("left client", &user, &left, &[SENT, ("abandoned", "")]));

    stack.sim.fault(&json!({"endpoint": "preauth", "kind": "status", "status": 502}));
    let away = stack.denied(&held("two"));
    cases.push(refused("Duo is away", "two", &away, "duo_unavailable"));
    stack.sim.clear_faults();
    check(&stack, &cases);

    // No answer shows the reference of an admission without a prompt. Its only line has it.
    stack.admitted(&held("bella"));
    let bypassed =
        eventually("the line", || lines(&stack).into_iter().find(|line| line["user"] == "bella"));
    assert_eq!((&bypassed["result"], &bypassed["factor"]), (&json!("admitted"), &json!("bypass")));
}

#[test]
fn each_end_of_a_page_has_its_lines() {
    let stack = Stack::start(Setup::default().plugin(json!({"duo": {"enrollment": "inline"}})));
    let mut cases = Vec::new();
    for (number, (action, code)) in ANSWERS.into_iter().enumerate() {
        let mut page = Page::open(&stack, &stack.sim.guest(number), "/reports");
        page.push(&stack, action);
        cases.push(page.case(action, &[SENT, ("decision", code)]));
    }

    let mut page = Page::open(&stack, "alice", "/reports");
    let passcode = |page: &mut Page, code: &str| {
        let to = format!("auth?factor=passcode&return_to=%2Freports&reference={}", page.ticket);
        let request = crate::browser::fetched("POST", &to).header("x-duo-mfa-passcode", code);
        page.browser.ask(&stack, request).json()
    };
    assert_eq!(passcode(&mut page, "000000")["reference"], page.reference);
    assert_eq!(passcode(&mut page, "123456")["state"], "approved");
    let wrong = ("decision", "passcode_incorrect");
    cases.push(page.case("a wrong passcode, then the right one", &[wrong, ADMITTED]));
    let signed_out = page.browser.submit(&stack, "/.duo-mfa/logout");
    let text = signed_out.text();
    let (_, shown) = text.split_once("<code id=\"reference\">").expect("a reference");
    cases.push(Case::new("sign-out", "alice", &json!(shown[..8]), &[("signed_out", "")]));

    let mut page = Page::open(&stack, "two", "/reports");
    page.fetch(&stack, "POST", "auth?factor=push&device=auto");
    page.fetch(&stack, "POST", "cancel");
    cases.push(page.case("cancelled", &[SENT, ("cancelled", "")]));

    let mut page = Page::open(&stack, "nora", "/reports");
    assert_eq!(page.fetch(&stack, "POST", "preauth")["reference"], page.reference);
    page.fetch(&stack, "POST", "enroll");
    let shown = page.browser.open(&stack, "/.duo-mfa/enroll?return_to=%2Freports").text();
    stack.sim.claim(shown[shown.find("duo://").expect("a code")..].split('<').next().unwrap());
    assert_eq!(page.fetch(&stack, "GET", "enroll/status")["result"], "done");
    cases.push(page.case("enrolled", &[("decision", "enrollment_required"), ("enrolled", "")]));

    for (user, code) in [("mallory", "duo_denied"), ("eve", "mfa_locked_out")] {
        let mut page = Page::open(&stack, user, "/reports");
        let denied = page.fetch(&stack, "POST", "preauth");
        assert_eq!((&denied["result"], &denied["reference"]), (&json!("deny"), &page.reference));
        cases.push(page.case(code, &[("decision", code)]));
    }
    check(&stack, &cases);
}

#[test]
fn each_end_at_duos_page_has_its_lines() {
    let stack = universal::start();
    let mut cases = Vec::new();
    for (what, user, end) in [
        ("approved", "alice", ADMITTED),
        ("another user", "two", ("decision", "other_user")),
        ("denied", "rita", ("decision", "mfa_denied")),
    ] {
        approves(&stack.sim, user);
        if what == "another user" {
            let other = json!({"endpoint": "token", "kind": "user", "user": "bob", "times": 1});
            stack.sim.fault(&other);
        }
        let mut page = Page::open(&stack, user, PAGE);
        let mut start = press(PAGE);
        start.target.extend(format!("&reference={}", page.ticket).into_bytes());
        let reply = page.browser.ask(&stack, start);
        assert_eq!(reply.status, 303, "{reply:?} {}", reply.text());
        let mut target = approved_at_duo(&stack.sim, reply.header("location").unwrap());
        if what == "denied" {
            let state = parameter(&target, "state");
            target = format!("{CALLBACK}?state={state}&error=access_denied");
        }
        let back = page.browser.returns(&stack, &target);
        let reference = page.reference.as_str().unwrap();
        assert!(back.text().contains(reference), "{what}: {}", back.text());
        cases.push(page.case(what, &[end]));
    }
    check(&stack, &cases);
}
