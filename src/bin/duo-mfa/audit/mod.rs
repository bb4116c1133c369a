//! `duo-mfa audit`: the filter's audit lines in Envoy's log, as sentences.

mod log_line;

use crate::Outcome;
use crate::output::complain;
use log_line::{Line, audit_line};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// The members that have a fixed place in a sentence, or none.
const PLACED: [&str; 14] = [
    "event",
    "version",
    "time",
    "kind",
    "result",
    "code",
    "user",
    "factor",
    "device_name",
    "client",
    "method",
    "host",
    "path",
    "reason",
];

/// Show the audit lines of Envoy's log, and join those of a sign-in
///
/// Exit status: 0 if there is a line, 1 if none matches, 2 if the file cannot be read.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Envoy's log, or audit lines alone; - is standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// All lines of this user's sign-ins, named as in the lines, or as at Duo
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// All lines of the sign-in with this reference, as the user's page shows it
    #[arg(long, value_name = "REFERENCE")]
    reference: Option<String>,
    /// Lines with this code only
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Sentences, or the lines as JSON
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match show(arguments) {
        Ok(0) => {
            complain!("duo-mfa: no audit line matches (Envoy's level for wasm must be info)");
            Outcome::Faulty
        }
        Ok(_) => Outcome::Fine,
        // The reader of the output has ended, for example `head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Outcome::Fine,
        Err(error) => {
            complain!("duo-mfa: {}: {error}", arguments.file.display());
            Outcome::Unreadable
        }
    }
}

/// Prints the lines that match, and returns their number.
fn show(arguments: &Arguments) -> io::Result<usize> {
    let mut input: Box<dyn BufRead> = if arguments.file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(&arguments.file)?))
    };
    let mut out = io::stdout().lock();
    let mut shown: usize = 0;
    let mut kept = Vec::new();
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        if let Some(line) = audit_line(&text) {
            if arguments.joins() {
                kept.push(line);
            } else if arguments.has_code(&line) {
                arguments.print(&line, "", &mut out)?;
                shown = shown.saturating_add(1);
            }
        }
        line.clear();
    }
    for sign_in in sign_ins(kept) {
        if !sign_in.iter().any(|line| arguments.want(line)) {
            continue;
        }
        let is_joined = sign_in.len() > 1 && arguments.format == Format::Text;
        if is_joined {
            writeln!(out, "{}", summary(&sign_in))?;
        }
        for line in sign_in.iter().filter(|line| arguments.has_code(line)) {
            arguments.print(line, if is_joined { "  " } else { "" }, &mut out)?;
            shown = shown.saturating_add(1);
        }
        if let Some(code) = last_code(&sign_in).filter(|_| is_joined) {
            writeln!(out, "  what to do: docs/troubleshooting.md#{}", printable(code))?;
        }
    }
    Ok(shown)
}

/// The code of a sign-in that ended with a refusal.
fn last_code(sign_in: &[Line]) -> Option<&str> {
    end(sign_in)?.text("code")
}

/// The line that says how a sign-in ended.
fn end(sign_in: &[Line]) -> Option<&Line> {
    let last = sign_in.iter().rev().find(|line| line.text("kind") != Some("push_sent"));
    last.or_else(|| sign_in.last())
}

impl Line {
    fn text(&self, member: &str) -> Option<&str> {
        self.members.get(member)?.as_str()
    }
}

/// The lines of each sign-in, in the order of their first lines. A line without a reference, such as
/// one about a configuration, is in no sign-in.
fn sign_ins(lines: Vec<Line>) -> Vec<Vec<Line>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut sign_ins: Vec<Vec<Line>> = Vec::new();
    for line in lines {
        let Some(reference) = line.text("reference").filter(|it| !it.is_empty()) else { continue };
        let place = *places.entry(reference.to_owned()).or_insert(sign_ins.len());
        match sign_ins.get_mut(place) {
            Some(sign_in) => sign_in.push(line),
            None => sign_ins.push(vec![line]),
        }
    }
    sign_ins
}

/// How a sign-in ended: `sign-in K7M2Q4XP of alice: admitted by push after 12.4 s`.
fn summary(sign_in: &[Line]) -> String {
    let last_with = |member: &str| sign_in.iter().rev().find_map(|line| line.text(member));
    let [reference, user] = ["reference", "user"].map(|member| last_with(member).map(printable));
    let mut parts = vec!["sign-in".to_owned()];
    parts.extend(reference);
    parts.extend(user.map(|user| format!("of {user}")));
    let mut words = Vec::new();
    if let Some(line) = end(sign_in) {
        words.extend(
            ["result", "code"].iter().filter_map(|member| line.text(member)).map(printable),
        );
        words.extend(line.text("factor").map(|factor| format!("by {}", printable(factor))));
        if let Some(duration) = line.members.get("duration_ms").and_then(Value::as_f64) {
            words.push(format!("after {:.1} s", duration / 1_000.0));
        }
    }
    format!("{}: {}", parts.join(" "), words.join(" "))
}

/// A reference as it may be read out: without dashes, and with letters for which digits are meant.
fn heard(reference: &str) -> String {
    let letters = reference.chars().filter(|letter| letter.is_ascii_alphanumeric());
    letters
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}

impl Arguments {
    /// Whether lines are shown by sign-in.
    const fn joins(&self) -> bool {
        self.user.is_some() || self.reference.is_some()
    }

    /// Whether the sign-in with this line is meant.
    fn want(&self, line: &Line) -> bool {
        let is_user = |user: &str| {
            ["user", "duo_user", "approver"].iter().any(|it| line.text(it) == Some(user))
        };
        let is_reference = |reference: &str| {
            line.text("reference").is_some_and(|found| heard(found) == heard(reference))
        };
        self.user.as_deref().is_none_or(is_user)
            && self.reference.as_deref().is_none_or(is_reference)
    }

    fn has_code(&self, line: &Line) -> bool {
        self.code.as_deref().is_none_or(|code| line.text("code") == Some(code))
    }

    fn print(&self, line: &Line, indent: &str, out: &mut impl Write) -> io::Result<()> {
        match self.format {
            Format::Text => writeln!(out, "{indent}{}", sentence(&line.prefix, &line.members)),
            Format::Json => writeln!(out, "{}", line.object),
        }
    }
}

/// The sentence of a line: time, result, code, user, factor, client, request, the rest, the reason.
fn sentence(prefix: &str, members: &Map<String, Value>) -> String {
    let member = |name: &str| members.get(name).map(plain);
    let request =
        [member("method"), member("host").map(|host| host + &member("path").unwrap_or_default())];
    let request: Vec<_> = request.into_iter().flatten().collect();
    let mut parts: Vec<String> = time(prefix).map(str::to_owned).into_iter().collect();
    if parts.is_empty() {
        parts.extend(member("time"));
    }
    parts.extend(["result", "code", "user"].iter().filter_map(|name| member(name)));
    parts.extend(member("factor").map(|factor| format!("by {factor}")));
    parts.extend(member("device_name").map(|name| format!("on {name}")));
    parts.extend(member("client").map(|client| format!("from {client}")));
    parts.push(request.join(" "));
    // The name at Duo is shown if it is another one.
    let is_new = |name: &str| name != "duo_user" || members.get(name) != members.get("user");
    let is_rest = |name: &str| !PLACED.contains(&name) && is_new(name);
    let rest = members.iter().filter(|(name, _)| is_rest(name));
    parts.extend(rest.map(|(name, value)| format!("{name}={}", plain(value))));
    parts.retain(|part| !part.is_empty());
    let reason = member("reason").map(|reason| format!(": {reason}")).unwrap_or_default();
    parts.join(" ") + &reason
}

/// A value without quotes, and without characters that a terminal would execute.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| printable(&value.to_string()), printable)
}

fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}

/// The time in Envoy's prefix, `[2026-11-29 17:00:01.123][...`.
fn time(prefix: &str) -> Option<&str> {
    let (time, _) = prefix.split_once('[')?.1.split_once(']')?;
    time.starts_with(|first: char| first.is_ascii_digit()).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        r#"{"event":"duo_mfa","result":"refused","code":"mfa_denied","user":"alice","#;

    #[test]
    fn a_sentence_has_all_members_once() {
        let object = format!(
            r#"{LINE}"factor":"push","client":"192.0.2.7","method":"GET","host":"app","path":"/x","rule":3,"reason":"denied\u001b[31m"}}"#
        );
        let line = format!("[2026-11-29 17:00:01.123][20][info] [:] duo_mfa: {object}");
        let Line { prefix, members, .. } = audit_line(&line).unwrap();
        let expected = "2026-11-29 17:00:01.123 refused mfa_denied alice by push from 192.0.2.7 \
                        GET app/x rule=3: denied[31m";
        assert_eq!(sentence(&prefix, &members), expected);
    }
}
