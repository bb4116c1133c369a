//! `duo-mfa audit`: the filter's audit lines in Envoy's log, as sentences.

use crate::Outcome;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};

/// The beginning of every audit line.
const START: &str = r#"{"event":"duo_mfa""#;
/// The same inside a JSON text, for Envoy's JSON log format.
const ESCAPED_START: &str = r#"{\"event\":\"duo_mfa\""#;
/// The members that have a fixed place in a sentence.
const PLACED: [&str; 10] =
    ["event", "result", "code", "user", "factor", "client", "method", "host", "path", "reason"];

/// Show the audit lines of Envoy's log
///
/// Exit status: 0 if there is a line, 1 if none matches, 2 if the file cannot be read.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Envoy's log, or audit lines alone; - is standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Lines about this user only, named as in the lines
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Lines with this reference only, as the user's page shows it
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
            eprintln!("duo-mfa: no audit line matches (Envoy's level for wasm must be info)");
            Outcome::Faulty
        }
        Ok(_) => Outcome::Fine,
        // The reader of the output has ended, for example `head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Outcome::Fine,
        Err(error) => {
            eprintln!("duo-mfa: {}: {error}", arguments.file.display());
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
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        if let Some((prefix, members)) = audit_line(&text)
            && arguments.want(&members)
        {
            match arguments.format {
                Format::Text => writeln!(out, "{}", sentence(prefix, &members))?,
                Format::Json => writeln!(out, "{}", Value::Object(members))?,
            }
            shown = shown.saturating_add(1);
        }
        line.clear();
    }
    Ok(shown)
}

impl Arguments {
    fn want(&self, members: &Map<String, Value>) -> bool {
        let is = |name: &str, wanted: &Option<String>| {
            let found = members.get(name).and_then(Value::as_str);
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        is("user", &self.user) && is("reference", &self.reference) && is("code", &self.code)
    }
}

/// Envoy's prefix, and the members of the audit line after it.
fn audit_line(line: &str) -> Option<(&str, Map<String, Value>)> {
    if let Some((prefix, _)) = line.split_once(START) {
        return Some((prefix, first_object(line.get(prefix.len()..)?)?));
    }
    let (prefix, _) = line.split_once(ESCAPED_START)?;
    let rest = line.get(prefix.len()..)?;
    // The rest of a JSON text becomes a JSON text again after a quote.
    let text: String = first_value(&format!("\"{rest}"))?;
    Some((prefix, first_object(&text)?))
}

fn first_object(text: &str) -> Option<Map<String, Value>> {
    first_value(text)
}

/// The first value of a text that may continue after it.
fn first_value<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::Deserializer::from_str(text).into_iter().next()?.ok()
}

/// The sentence of a line: time, result, code, user, factor, client, request, the rest, the reason.
fn sentence(prefix: &str, members: &Map<String, Value>) -> String {
    let member = |name: &str| members.get(name).map(plain);
    let request =
        [member("method"), member("host").map(|host| host + &member("path").unwrap_or_default())];
    let request: Vec<_> = request.into_iter().flatten().collect();
    let mut parts: Vec<String> = time(prefix).map(str::to_owned).into_iter().collect();
    parts.extend(["result", "code", "user"].iter().filter_map(|name| member(name)));
    parts.extend(member("factor").map(|factor| format!("by {factor}")));
    parts.extend(member("client").map(|client| format!("from {client}")));
    parts.push(request.join(" "));
    let rest = members.iter().filter(|(name, _)| !PLACED.contains(&name.as_str()));
    parts.extend(rest.map(|(name, value)| format!("{name}={}", plain(value))));
    parts.retain(|part| !part.is_empty());
    let reason = member("reason").map(|reason| format!(": {reason}")).unwrap_or_default();
    parts.join(" ") + &reason
}

/// A value without quotes, and without characters that a terminal would execute.
fn plain(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
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
    fn the_prefix_of_envoy_is_cut_off() {
        let object = format!(r#"{LINE}"reason":"she said \"no\""}}"#);
        let escaped = object.replace('\\', r"\\").replace('"', r#"\""#);
        for line in [
            object.clone(),
            format!(
                "[2026-11-29 17:00:01.123][20][info][wasm] [source/x.cc:1] wasm log duo_mfa: {object}\n"
            ),
            format!(r#"{{"level":"info","message":"wasm log: {escaped}","time":"x"}}"#),
        ] {
            let (_, members) = audit_line(&line).unwrap();
            assert_eq!(members["reason"], r#"she said "no""#, "{line}");
        }
        for line in ["", "[info] wasm log: Duo answers", &object.replace("duo_mfa", "other"), LINE]
        {
            assert_eq!(audit_line(line), None, "{line}");
        }
    }

    #[test]
    fn a_sentence_has_all_members_once() {
        let object = format!(
            r#"{LINE}"factor":"push","client":"192.0.2.7","method":"GET","host":"app","path":"/x","rule":3,"reason":"denied\u001b[31m"}}"#
        );
        let line = format!("[2026-11-29 17:00:01.123][20][info] {object}");
        let (prefix, members) = audit_line(&line).unwrap();
        let expected = "2026-11-29 17:00:01.123 refused mfa_denied alice by push from 192.0.2.7 \
                        GET app/x rule=3: denied[31m";
        assert_eq!(sentence(prefix, &members), expected);
    }
}
