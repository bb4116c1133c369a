//! Which lines of a log are the filter's audit lines.
//!
//! A client chooses a part of an access log, such as its `User-Agent`, so it can write the text of an
//! audit line there. An audit line is one in these forms only:
//!
//! - the object alone, as `duo-mfa audit --format json` prints it;
//! - Envoy's prefix, the name under which Envoy logs the filter's messages, and the object;
//! - a line of JSON with a member that has the second form, or the same without Envoy's prefix.
//!
//! Nothing follows the object, except the `thread=` of Istio's proxies. A container runtime, kubectl,
//! Docker Compose or syslog may have put its own prefix before the second and the third form.

use serde_json::{Map, Value};

/// The beginning of every audit line.
const START: &str = r#"{"event":"duo_mfa""#;
/// The members that have a line of the log in Envoy's JSON log format, and in those of collectors.
const MESSAGES: [&str; 7] = ["message", "Message", "msg", "log", "MESSAGE", "textPayload", "line"];
/// The beginnings of prefixes; see [`begins`].
const ENVOY: &str = "[0000-00-00 00:00:00";
const GLOG: &str = "A0000 00:00:00";
const RFC3339: &str = "0000-00-00T00:00:00";
const SYSLOG: &str = "AAA _0 00:00:00 ";

/// An audit line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The text before the object.
    pub(super) prefix: String,
    /// The object as it is written.
    pub(super) object: String,
    pub(super) members: Map<String, Value>,
}

/// Reads a line of a log. `None` if it is no audit line.
pub(super) fn audit_line(line: &str) -> Option<Line> {
    // An access log in JSON has many lines, and most name no filter.
    let line = Some(line.trim_end()).filter(|line| line.contains("duo_mfa"))?;
    if let Some(found) = parted(line) {
        let is_ours = found.prefix.is_empty() || head(&found.prefix).is_some_and(is_of_envoy);
        return is_ours.then_some(found);
    }
    let (object, "") = first_object(without_collector(line))? else { return None };
    MESSAGES.iter().find_map(|name| {
        let found = parted(object.get(*name)?.as_str()?.trim_end())?;
        let head = head(&found.prefix)?;
        let is_ours = head.is_empty() || is_of_envoy(head);
        is_ours.then_some(found)
    })
}

/// The text before the object, and the object, if it ends the line.
fn parted(line: &str) -> Option<Line> {
    let (prefix, _) = line.split_once(START)?;
    let text = line.get(prefix.len()..)?;
    let (members, rest) = first_object(text)?;
    let thread = rest.strip_prefix("\tthread=").unwrap_or_default();
    let object = text.strip_suffix(rest)?.to_owned();
    let is_end = rest.is_empty() || is_number(thread);
    is_end.then(|| Line { prefix: prefix.to_owned(), object, members })
}

/// The object at the beginning of a text, and the rest.
fn first_object(text: &str) -> Option<(Map<String, Value>, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    let object = values.next()?.ok()?;
    Some((object, text.get(values.byte_offset()..)?))
}

/// A prefix without its end: `wasm log`, the names of the plugin and `: `, or what the library puts before
/// its messages. A name has no colon, so another plugin's `wasm log x: User-Agent: ` is no such end.
fn head(prefix: &str) -> Option<&str> {
    let text = prefix.strip_suffix(": ")?;
    let of_module = text.rsplit_once("wasm log").filter(|(_, names)| {
        (names.is_empty() || names.starts_with(' ')) && !names.contains([':', '"'])
    });
    of_module.map(|(head, _)| head).or_else(|| text.strip_suffix("duo_mfa"))
}

/// Whether a text is Envoy's prefix, behind that of a collector or alone.
fn is_of_envoy(text: &str) -> bool {
    let text = without_collector(text);
    if begins(text, ENVOY) {
        return is_bracketed(text);
    }
    if begins(text, GLOG) {
        return text.split_once("] ").is_some_and(|(start, rest)| {
            start.contains(" envoy/") && !start.contains('"') && is_bracketed(rest)
        });
    }
    let mut parts = text.split('\t');
    let [time, level, source, end] = std::array::from_fn(|_| parts.next().unwrap_or("?"));
    is_time(time)
        && level.bytes().all(|it| it.is_ascii_lowercase())
        && source.starts_with("envoy ")
        && !source.contains('"')
        && end.is_empty()
        && parts.next().is_none()
}

/// Whether a text is brackets only: `[20][info][wasm] [source/x.cc:1] `.
fn is_bracketed(text: &str) -> bool {
    let mut rest = text;
    while let Some((inside, after)) = rest.strip_prefix('[').and_then(|it| it.split_once(']')) {
        if inside.contains('"') {
            return false;
        }
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    rest.is_empty() && !text.is_empty()
}

/// A line without the prefix that a collector of logs has put before it:
///
/// - `envoy-1  | ` (Docker Compose) or `[pod/envoy-0/envoy] ` (kubectl), and the time, if it is asked for;
/// - `2026-11-29T17:00:01Z stdout F ` (container runtimes);
/// - `Nov 29 17:00:01 host envoy[20]: ` (syslog), or the same with a time of RFC 3339.
fn without_collector(line: &str) -> &str {
    let of_pod = line.strip_prefix("[pod/").and_then(|it| it.split_once("] "));
    let of_compose = || line.split_once("| ").filter(|(name, _)| is_service(name.trim_end()));
    let line = of_pod.or_else(of_compose).map_or(line, |(_, rest)| rest);
    let after_time = if begins(line, SYSLOG) {
        line.get(SYSLOG.len()..)
    } else {
        line.split_once(' ').filter(|(time, _)| is_time(time)).map(|(_, rest)| rest)
    };
    let Some(line) = after_time else { return line };
    let of_runtime = ["stdout F ", "stderr F "].iter().find_map(|it| line.strip_prefix(it));
    of_runtime.or_else(|| after_program(line)).unwrap_or(line)
}

/// The text after `host envoy[20]: `.
fn after_program(line: &str) -> Option<&str> {
    let (source, rest) = line.split_once("]: ")?;
    let (host, program) = source.split_once(' ')?;
    let (name, number) = program.split_once('[')?;
    let is_program = !host.contains('"') && !name.contains(['"', ' ']) && is_number(number);
    is_program.then_some(rest)
}

/// Whether a word may be the name of a container, and no address of a client.
fn is_service(word: &str) -> bool {
    word.starts_with(|it: char| it.is_ascii_alphabetic())
        && word.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(&it))
}

fn is_time(word: &str) -> bool {
    let is_part = |it: u8| it.is_ascii_digit() || b"TZ:.+-".contains(&it);
    begins(word, RFC3339) && word.bytes().all(is_part)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit())
}

/// Whether a text begins as the pattern: `0` is a digit, `_` a digit or a space, `A` a letter.
fn begins(text: &str, pattern: &str) -> bool {
    let fits = |(has, wanted): (u8, u8)| match wanted {
        b'0' => has.is_ascii_digit(),
        b'_' => has.is_ascii_digit() || has == b' ',
        b'A' => has.is_ascii_alphabetic(),
        other => has == other,
    };
    text.len() >= pattern.len() && text.bytes().zip(pattern.bytes()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str =
        r#"{"event":"duo_mfa","result":"refused","user":"alice","reason":"she said \"no\""}"#;
    const ENVOYS: &str = "[2026-11-29 17:00:01.123][20][info][wasm] [source/x.cc:1] ";

    /// A text as it is between the quotes of a line of JSON.
    fn escaped(text: &str) -> String {
        let quoted = Value::from(text).to_string();
        quoted.trim_start_matches('"').strip_suffix('"').unwrap().to_owned()
    }

    /// The forms of the supported versions of Envoy, also behind the prefixes of collectors.
    #[test]
    fn each_form_of_an_audit_line_is_read() {
        let plain = [
            String::new(),
            format!("{ENVOYS}wasm log duo_mfa duo_mfa: "),
            format!("{ENVOYS}wasm log: "),
            // Envoy Gateway's name for the plugin.
            format!("{ENVOYS}wasm log envoyextensionpolicy/app/mfa/wasm/0: "),
            "[2026-11-29 17:00:01.123][20][info][dynamic_modules] [:] duo_mfa: ".to_owned(),
            // --enable-fine-grain-logging
            "[2026-11-29 17:00:01.123][20][warning] [source/x.cc:1] wasm log duo_mfa: ".to_owned(),
            "[2026-11-29 17:00:01.123][20][info] [:] duo_mfa: ".to_owned(),
            // The format that Envoy's documentation has for Google's cloud.
            "I1129 17:00:01.123 20 envoy/source/x.cc:1] [20][wasm]wasm log duo_mfa: ".to_owned(),
            "I1129 17:00:01.123 20 envoy/] [20][dynamic_modules]duo_mfa: ".to_owned(),
        ];
        let istio = [
            "wasm source/x.cc:1\twasm log istio-ingress.duo-mfa: ",
            "dynamic_modules :\tduo_mfa: ",
        ]
        .map(|end| format!("2026-11-29T17:00:01.123456Z\tinfo\tenvoy {end}"));
        let mut lines: Vec<_> = plain.iter().map(|prefix| format!("{prefix}{OBJECT}")).collect();
        lines.extend(istio.iter().map(|prefix| format!("{prefix}{OBJECT}\tthread=20")));
        for line in lines.clone().iter().skip(1) {
            for collector in [
                "2026-11-29T17:00:01.123456789Z stdout F ",
                "2026-11-29T17:00:01+00:00 stderr F ",
                "2026-11-29T17:00:01Z ",
                "envoy-1  | ",
                "envoy-1  | 2026-11-29T17:00:01Z ",
                "[pod/envoy-0/envoy] ",
                "[pod/envoy-0/envoy] 2026-11-29T17:00:01Z ",
                "Nov 29 17:00:01 host envoy[20]: ",
                "Nov  9 17:00:01 host envoy[20]: ",
                "2026-11-29T17:00:01+00:00 host envoy[20]: ",
            ] {
                lines.push(format!("{collector}{line}"));
            }
            lines.push(format!(r#"{{"log":"{}\n","stream":"stderr"}}"#, escaped(line)));
        }
        for mark in ["wasm log duo_mfa duo_mfa: ", "wasm log: ", "duo_mfa: "] {
            let text = escaped(&format!("{mark}{OBJECT}"));
            let line = format!(r#"{{"level":"info","msg":"{text}","thread":20}}"#);
            lines.extend([format!("2026-11-29T17:00:01Z stdout F {line}"), line]);
        }
        for line in lines {
            for end in ["", "\n", "\r\n"] {
                let read = audit_line(&format!("{line}{end}"));
                let read = read.unwrap_or_else(|| panic!("{line}"));
                assert_eq!(read.members["reason"], r#"she said "no""#, "{line}");
                assert_eq!(read.object, OBJECT, "{line}");
            }
        }
    }

    /// Access logs with what a client has written, and lines of other plugins with the same.
    #[test]
    fn what_a_client_writes_is_no_audit_line() {
        let marked = format!("wasm log duo_mfa duo_mfa: {OBJECT}");
        let whole = format!("{ENVOYS}{marked}");
        let native = format!("duo_mfa: {OBJECT}");
        let object = format!(r#"{{"message":"{}"}}"#, escaped(&whole));
        for written in [OBJECT, &marked, &whole, &native, &object] {
            for line in [
                // Envoy's default format, and the one of envoy/demo.yaml.
                format!(r#"[2026-11-29T17:00:01.123Z] "GET / HTTP/1.1" 200 "{written}" "app""#),
                format!(r#"[2026-11-29T17:00:01.123Z] "GET / HTTP/1.1" 200 - "{written}""#),
                format!("GET /{written} -> 200 via_upstream in 1 ms"),
                // Formats without quotes.
                format!("GET / 200 {written}"),
                format!("192.0.2.7 {written}"),
                format!("192.0.2.7 | {written}"),
                format!("[2026-11-29T17:00:01.123Z] GET / [] {written}"),
                format!("[2026-11-29 17:00:01.123] GET / [] {written}"),
                format!("2026-11-29T17:00:01Z 192.0.2.7 {written}"),
                format!("2026-11-29T17:00:01Z\tGET\tenvoy app\t/\t{written}"),
                format!("{written} 200"),
                // Formats in JSON, and what Docker makes of them.
                format!(r#"{{"user_agent":"{}","message":"GET /"}}"#, escaped(written)),
                format!(r#"{{"message":"GET / {}"}}"#, escaped(written)),
                format!(r#"{{"log":"GET / \"{}\"\n"}}"#, escaped(written)),
                format!(r#"{{"log":"{{\"user_agent\":\"{}\"}}\n"}}"#, escaped(&escaped(written))),
                // Other plugins.
                format!("{ENVOYS}wasm log other: User-Agent: {written}"),
                format!("{ENVOYS}wasm log: agent {written} "),
                format!("{ENVOYS}agent {written}"),
                format!(r#"{ENVOYS}wasm log other: "{written}""#),
            ] {
                assert_eq!(audit_line(&line), None, "{line}");
            }
        }
        assert_eq!(audit_line(&format!(r#"{{"message":"{}"}}"#, escaped(OBJECT))), None);
    }

    #[test]
    fn other_lines_are_no_audit_lines() {
        let cut = OBJECT.strip_suffix('}').unwrap();
        let other = OBJECT.replace("duo_mfa", "other");
        for line in ["", "{", "{}", cut, &other, &format!("{ENVOYS}wasm log: Duo answers")] {
            assert_eq!(audit_line(line), None, "{line}");
        }
        for end in ["x", "\tthread=", "\tthread=x", " thread=1", "}"] {
            assert_eq!(audit_line(&format!("{OBJECT}{end}")), None, "{end}");
        }
    }
}
