//! The reference as Markdown tables, and as plain descriptions.

use duo_mfa::config::reference::{Key, Kind, List, ROOT, Section, Usual};
use std::fmt::Write as _;

const HEAD: &str =
    "| key | default | allowed | since | meaning | example |\n|---|---|---|---|---|---|";

/// Whether a table has the key at a path.
type HasKey = fn(&str, &Key) -> bool;

/// The tables of `docs/configuration.md`, each with a name and the keys in it.
const TABLES: [(&str, HasKey); 5] = [
    ("required", is_required),
    ("optional", |path, key| is_of_root(path) && !is_required(path, key)),
    ("rules", |path, _| path.starts_with("access_control.rules[].")),
    ("applications", |path, _| path.starts_with("applications.NAME.")),
    ("universal", |path, _| path.starts_with("duo.universal.")),
];

/// Whether every configuration has the key.
fn is_required(path: &str, key: &Key) -> bool {
    key.usual == Usual::Required && is_of_root(path) && !path.contains("[]")
}

/// Whether the key is in the first two tables.
fn is_of_root(path: &str) -> bool {
    !["access_control.rules[].", "applications.NAME.", "duo.universal."]
        .iter()
        .any(|start| path.starts_with(start))
}

/// The tables, each between the two lines that mark its place in the page.
pub(super) fn tables() -> String {
    let mut rows = Vec::new();
    collect("", &ROOT, &mut rows);
    let mut text = String::new();
    for (name, has) in TABLES {
        let _ =
            writeln!(text, "<!-- keys: {name}, made by `duo-mfa schema --markdown` -->\n\n{HEAD}");
        for (path, key) in rows.iter().filter(|(path, key)| has(path, key)) {
            let _ = writeln!(text, "{}", row(path, key));
        }
        text.push_str("\n<!-- end of keys -->\n");
    }
    text
}

fn collect(before: &str, section: &'static Section, rows: &mut Vec<(String, &'static Key)>) {
    for key in section.keys.iter().filter(|key| !matches!(key.kind, Kind::Later)) {
        let path = format!("{before}{}", key.name);
        let below = key.kind.below();
        // The keys below say more than an object does.
        if !matches!(key.kind, Kind::Section(_))
            || path == "applications.NAME.duo"
            || path == "duo.universal"
        {
            rows.push((path.clone(), key));
        }
        if let Some((between, section)) = below.filter(|_| path != "applications.NAME.duo") {
            collect(&format!("{path}{between}"), section, rows);
        }
    }
}

fn row(path: &str, key: &Key) -> String {
    let usual = match key.usual {
        Usual::Required => "required".to_owned(),
        Usual::Value(value) => code(value),
        Usual::Words("") => "—".to_owned(),
        Usual::Words(words) => words.to_owned(),
    };
    let aliases: Vec<_> = key.aliases.iter().map(|alias| format!("`{alias}`")).collect();
    let aliases = if aliases.is_empty() {
        String::new()
    } else {
        format!("; also read as {}", aliases.join(" or "))
    };
    let cells = [
        format!("`{path}`"),
        usual,
        allowed(&key.kind),
        key.since.to_owned(),
        format!("{}{aliases}", key.meaning),
        code(key.example),
    ];
    // A bar would end the cell, in code too.
    format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

/// JSON text as code. A text loses its quotes.
fn code(json: &str) -> String {
    let plain = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    format!("`{}`", plain.filter(|plain| plain.len() > 1).unwrap_or(json))
}

/// The values of a kind, in Markdown.
fn allowed(kind: &Kind) -> String {
    let words = |words: &[&str]| {
        words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
    };
    match kind {
        Kind::Section(section) if section.keys.len() == 1 => {
            let keys = section.keys.iter().map(|key| format!("`{{\"{}\": ...}}`", key.name));
            keys.collect()
        }
        Kind::Section(_) => "an object".to_owned(),
        Kind::Named(..) => "an object of named objects".to_owned(),
        Kind::Pairs(most, text) => {
            let length = text.most.unwrap_or_default();
            format!("at most {most} names and texts of at most {length} characters")
        }
        Kind::List(list) => allowed_list(list),
        Kind::Either(kinds) => kinds.iter().map(allowed).collect::<Vec<_>>().join(", or "),
        Kind::Flag => words(&["false", "true"]),
        Kind::Number(least, most) if least == most => format!("`{least}`"),
        Kind::Number(least, most) => format!("`{least}` to `{most}`"),
        Kind::Milliseconds(least, most) => format!("`{least}ms` to `{most}ms`"),
        Kind::Time(least, most) => format!("`{}` to `{}`", spelled(*least), spelled(*most)),
        Kind::Choice(choices) | Kind::ChoiceOrOff(choices) => words(choices),
        Kind::Text(text) => match text.most {
            Some(most) => format!("{}, at most {most} characters", text.what),
            None => text.what.to_owned(),
        },
        Kind::Secret(_) => "`{\"env\": \"NAME\"}`".to_owned(),
        Kind::Later => "—".to_owned(),
    }
}

fn allowed_list(list: &List) -> String {
    let entries = match (list.least, list.most) {
        (0, None) => "list".to_owned(),
        (least, None) => format!("list of {least} or more"),
        (0, Some(most)) => format!("list of at most {most}"),
        (least, Some(most)) => format!("list of {least} to {most}"),
    };
    format!("{entries}: {}", allowed(list.of))
}

/// Seconds in the largest unit that divides them.
fn spelled(seconds: u64) -> String {
    for (unit, length) in [("h", 3_600), ("m", 60)] {
        if seconds.is_multiple_of(length) {
            return format!("{}{unit}", seconds.checked_div(length).unwrap_or_default());
        }
    }
    format!("{seconds}s")
}

/// The meaning and the bounds of a key without Markdown's links.
pub(super) fn description(key: &Key) -> String {
    let mut characters = key.meaning.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    // A code word at the beginning has a back quote before it, and stays as it is.
    let text = plain(&first.into_iter().chain(characters).collect::<String>());
    match key.kind {
        Kind::Later => text,
        // Editors show the words of an enumeration, and the keys of an object.
        Kind::Flag
        | Kind::Section(_)
        | Kind::Named(..)
        | Kind::Choice(_)
        | Kind::ChoiceOrOff(_) => {
            format!("{text}. Since {}.", key.since)
        }
        Kind::Pairs(..)
        | Kind::List(_)
        | Kind::Either(_)
        | Kind::Number(..)
        | Kind::Time(..)
        | Kind::Milliseconds(..)
        | Kind::Text(_)
        | Kind::Secret(_) => {
            format!("{text}. Allowed: {}. Since {}.", plain(&allowed(&key.kind)), key.since)
        }
    }
}

/// The text without back quotes and the targets of links.
fn plain(markdown: &str) -> String {
    let mut text = String::new();
    let mut rest = markdown;
    while let Some((before, link)) = rest.split_once('[') {
        let target =
            link.split_once("](").and_then(|(shown, after)| Some((shown, after.split_once(')')?)));
        match target {
            Some((shown, (_, after))) if !shown.contains(['[', '"']) => {
                text.push_str(before);
                text.push_str(shown);
                rest = after;
            }
            Some(_) | None => {
                text.push_str(before);
                text.push('[');
                rest = link;
            }
        }
    }
    text.push_str(rest);
    text.replace('`', "").replace("*Auth API*", "Auth API").replace("*Web SDK*", "Web SDK")
}
