//! Names and messages that contain markup, escapes or control characters stay inert text on the page, in JSON
//! and in Envoy's log.

use serde_json::{Value, json};

use crate::browser::{Browser, fetched};
use crate::message::{Reply, Request};
use crate::setup::{FirstFactor, Setup};
use crate::stack::Stack;

/// Texts that a browser, a terminal or a reader could interpret as more than text.
fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "<script>alert(1)</script>",
        "</title></style></script><img src=x onerror=alert(1)>",
        "\"><svg/onload=alert(1)>",
        "' autofocus onfocus='alert(1)",
        "<!-- --><iframe srcdoc=&lt;b&gt;>",
        "&#60;script&#62;&lt;b&gt;",
        "{{7*7}}${7*7}<%= 7*7 %>",
        "a\r\nset-cookie: x=1\r\n\r\n<b>",
        "a\n[2026-01-01 00:00:00.000][1][critical][wasm] forged",
        "\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[31mred",
        "\0\u{1}\u{8}\u{b}\u{7f}\u{80}\u{9b}31m",
        "\u{202e}gnp.exe\u{202c}\u{2066}x\u{2069}\u{200f}",
        "\u{2028}alert(1)\u{2029}",
        "\u{feff}\u{fffe}\u{10ffff}",
    ]
    .map(str::to_owned)
    .into();
    texts.push("<b>".repeat(1_400));
    texts.push("\u{e9}\u{1f4f1}".repeat(700));
    texts
}

/// Whether a character moves, hides or reverses the text around it.
fn acts(character: char) -> bool {
    let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || matches!(character, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}' | '\u{2029}')
}

/// The tags of a page, without quoted attribute values.
fn tags(page: &Reply) -> Vec<String> {
    let text = page.text();
    let names = text.split('<').skip(1);
    names.map(|tag| tag.split([' ', '>', '=']).next().unwrap().to_owned()).collect()
}

/// Asserts that a page has the structure of a page in the same state with benign texts.
fn assert_page(page: &Reply, benign: &Reply, text: &str) {
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{text:?}");
    assert_eq!(tags(page), tags(benign), "{text:?}");
    let body = String::from_utf8(page.body.clone()).expect("UTF-8");
    let is_act = |c: &char| (c.is_control() && *c != '\n') || acts(*c);
    assert_eq!(body.chars().find(is_act), None, "{text:?}");
    assert_eq!(
        body.matches('"').count(),
        String::from_utf8_lossy(&benign.body).matches('"').count(),
        "{text:?}"
    );
    assert!(page.body.len() < benign.body.len() + 8_192, "{text:?}: {}", page.body.len());
}

/// Asserts that a JSON response has no character with a meaning in HTML, in a script or for a terminal.
fn assert_json(reply: &Reply, text: &str) -> Value {
    let body = String::from_utf8(reply.body.clone()).expect("UTF-8");
    let is_act = |c: &char| c.is_control() || acts(*c) || matches!(c, '<' | '>' | '&');
    assert_eq!(body.chars().find(is_act), None, "{text:?}: {body}");
    let document = reply.json();
    let decoded = strings(&document);
    let is_act = |c: &char| c.is_control() || acts(*c);
    assert_eq!(decoded.chars().find(is_act), None, "{text:?}: {document}");
    document
}

/// All strings in a document, concatenated.
fn strings(document: &Value) -> String {
    match document {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(strings).collect(),
        Value::Object(members) => members.values().map(strings).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

/// Asserts that no request has forged a line in Envoy's log.
fn assert_log(stack: &Stack) {
    let log = stack.envoy.log();
    let component = crate::filter::Host::of_this_run().component();
    let lines = log.lines().filter(|line| line.contains(component));
    assert!(lines.count() > 0);
    for line in log.lines() {
        assert!(!line.contains("forged") || line.starts_with("[20"), "{line}");
        assert!(!line.starts_with("[2026-01-01"), "{line}");
        assert!(!line.chars().any(|c| c.is_control() || acts(c)), "{line:?}");
        if let Some((_, message)) = line.split_once(r#"{"event":"duo_mfa""#) {
            let message = format!(r#"{{"event":"duo_mfa"{message}"#);
            let end = message.rfind('}').expect("a whole object") + 1;
            let entry: Value = serde_json::from_str(&message[..end]).expect("one object a line");
            assert!(line.len() < 2_048, "{entry}");
        }
    }
}

fn phone(text: &str) -> Value {
    json!({"name": text, "platform": text, "number": text,
        "capabilities": ["auto", "push", "sms", "phone", "mobile_otp"]})
}

#[test]
fn devices_names_are_text() {
    let stack = Stack::standard();
    let mut pages = Vec::new();
    for (number, text) in ["Work phone".to_owned()].into_iter().chain(hostile()).enumerate() {
        let user = stack.sim.guest(number);
        stack.sim.put_user(&json!({"username": user, "devices": [phone(&text), phone(&text)]}));
        let mut browser = Browser::of(&user);
        let chooser = browser.submit(&stack, "/.duo-mfa/preauth");
        assert_eq!(chooser.status, 200, "{text:?} {}", chooser.text());
        let choices = browser.fetch(&stack, "POST", "preauth");
        assert_eq!(assert_json(&choices, &text)["devices"].as_array().unwrap().len(), 2);
        let begun = browser.fetch(&stack, "POST", "auth?factor=push&device=auto");
        assert_eq!(assert_json(&begun, &text)["state"], "waiting");
        let waiting = browser.open(&stack, "/reports");
        pages.push((text, [chooser, waiting]));
    }
    let (_, benign) = pages.remove(0);
    for (text, [chooser, waiting]) in &pages {
        assert_page(chooser, &benign[0], text);
        assert_page(waiting, &benign[1], text);
    }
    assert_log(&stack);
}

/// Makes Duo answer calls of this endpoint with `response`.
fn answer(stack: &Stack, endpoint: &str, response: &Value) {
    let body = json!({"stat": "OK", "response": response}).to_string();
    stack.sim.clear_faults();
    let fault = json!({"endpoint": endpoint, "kind": "raw", "status": 200, "body": body});
    stack.sim.fault(&fault);
}

#[test]
fn duos_messages_are_text() {
    let stack = Stack::standard();
    let mut benign: Option<Reply> = None;
    for text in ["Access is denied".to_owned()].into_iter().chain(hostile()) {
        answer(&stack, "preauth", &json!({"result": "deny", "status_msg": text}));
        let mut alice = Browser::of("alice");
        assert_json(&alice.fetch(&stack, "POST", "preauth"), &text);
        assert_json(&alice.fetch(&stack, "POST", "auth?factor=push"), &text);
        assert_json(&stack.denied(&Request::get("/").user("alice")), &text);
        let page = alice.submit(&stack, "/.duo-mfa/preauth");
        assert_page(&page, benign.as_ref().unwrap_or(&page), &text);
        benign.get_or_insert(page);
        let portal = json!({"result": "enroll", "status_msg": text, "enroll_portal_url": text});
        answer(&stack, "preauth", &portal);
        let portal = alice.submit(&stack, "/.duo-mfa/preauth").text();
        assert!(!portal.contains("<script>") && !portal.contains("forged"), "{text:?}");
    }
    assert_log(&stack);
}

#[test]
fn words_of_duos_status_are_text() {
    let stack = Stack::standard();
    let mut benign: Option<[Reply; 2]> = None;
    for (number, text) in ["unheard of".to_owned()].into_iter().chain(hostile()).enumerate() {
        let user = stack.sim.guest(number);
        let mut browser = Browser::of(&user);
        browser.push(&stack);
        let waits = json!({"result": "waiting", "status": text, "status_msg": text});
        answer(&stack, "auth_status", &waits);
        let told = assert_json(&browser.fetch(&stack, "GET", "status"), &text);
        assert_eq!(told["state"], "waiting");
        let waiting = browser.open(&stack, "/.duo-mfa/");
        let ends = json!({"result": "deny", "status": text, "status_msg": text});
        answer(&stack, "auth_status", &ends);
        let mut other_tab = browser.clone();
        let told = assert_json(&other_tab.fetch(&stack, "GET", "status"), &text);
        assert_eq!(told["state"], "denied");
        let pages = [waiting, browser.open(&stack, "/.duo-mfa/status")];
        for (page, known) in pages.iter().zip(benign.as_ref().unwrap_or(&pages)) {
            assert_page(page, known, &text);
        }
        benign.get_or_insert(pages);
        stack.sim.clear_faults();
    }
    assert_log(&stack);
}

#[test]
fn users_names_are_text() {
    let setup = Setup { first_factor: FirstFactor::Absent, ..Setup::default() };
    let stack = Stack::start(setup);
    let named = |request: Request, text: &str| {
        // A header's value cannot have line breaks or NUL. The other characters are sent unchanged.
        let sent = text.replace(['\r', '\n', '\0'], "\t");
        stack.denied(&request.header("x-basic-user", sent))
    };
    let refused = named(Request::get("/reports").navigation(), "no;name");
    let taken = named(Request::get("/reports").navigation(), "a name");
    let (mut read, mut names) = (0, 0);
    for text in hostile() {
        let page = named(Request::get("/reports").navigation(), &text);
        let problem = named(fetched("POST", "preauth"), &text);
        // A name may have brackets and ampersands. The page shows it escaped, and Duo is called.
        let is_name = page.status == 403;
        names += usize::from(is_name);
        let statuses = if is_name { [403, 200] } else { [400, 400] };
        assert_eq!([page.status, problem.status], statuses, "{text:?}: {page:?}");
        // Envoy itself refuses a value with control bytes.
        if page.header("content-security-policy").is_some() {
            read += 1;
            assert_page(&page, if is_name { &taken } else { &refused }, &text);
            // Text without these characters cannot end its element or attribute, so it needs no escaping.
            let is_markup = text.contains(['<', '>', '&', '"']);
            assert!(!is_markup || !page.text().contains(text.as_str()), "{text:?}");
            let told = assert_json(&problem, &text);
            assert!(is_name || told["code"] == "identity_invalid", "{text:?}: {told}");
        }
    }
    assert!(read >= 8, "{read}");
    assert!((1..=4).contains(&names), "{names}");
    assert_eq!(stack.sim.user_calls(), names);
    assert_log(&stack);
}

#[test]
fn addresses_are_text() {
    let stack = Stack::standard();
    let mut alice = Browser::of("alice");
    for text in hostile() {
        let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let bare: String = text.chars().filter(|c| c.is_ascii_graphic()).collect();
        for path in [escaped, bare] {
            let page = alice.open(&stack, &format!("/x{path}"));
            assert!(matches!(page.status, 400 | 403), "{path:?}: {page:?}");
            let page = page.text();
            assert!(!page.contains("<script>alert") && !page.contains("<img"), "{path:?}: {page}");
            assert!(!page.contains("<svg") && !page.contains("<b>"), "{path:?}: {page}");
            let refused = stack.denied(&fetched("GET", &format!("x{path}")).user("alice"));
            assert!(matches!(refused.status, 400 | 404), "{path:?}: {refused:?}");
            // Envoy's own refusals have no body.
            if !refused.body.is_empty() {
                assert_json(&refused, &path);
            }
        }
    }
    assert_log(&stack);
}
