//! `--all`: each rule, the decision, what clients get, and what the application gets.

use super::walk::{self, BROWSER, CURL, Walk};
use super::{Request, Undecided, headers, mode, own, ruled, rules, terms};
use crate::Outcome;
use crate::output::say;
use duo_mfa::config::Config;
use duo_mfa::gate::Gate;
use duo_mfa::http::RequestHead;
use serde_json::{Map, Value, json};

/// All that is known about the request under one configuration.
struct Explained {
    /// Why no rule is looked at.
    own: Option<String>,
    mode: Option<&'static str>,
    rules: Vec<rules::Row>,
    decided: Result<Decided, Undecided>,
    clients: Option<Clients>,
}

struct Decided {
    terms: terms::Terms,
    json: Value,
}

struct Clients {
    browser: walk::Outcome,
    curl: walk::Outcome,
    headers: Option<Vec<duo_mfa::http::Edit>>,
}

pub(super) fn print(config: Config, written: &Value, request: &Request<'_>) -> Outcome {
    let explained = explained(config, written, request);
    say!("{}", explained.text());
    if let Err(undecided @ Undecided::Untold(_)) = &explained.decided {
        undecided.print();
    }
    explained.outcome()
}

pub(super) fn json(config: Config, written: &Value, request: &Request<'_>) -> (Outcome, Value) {
    let explained = explained(config, written, request);
    (explained.outcome(), explained.json())
}

fn explained(config: Config, written: &Value, request: &Request<'_>) -> Explained {
    let fields = request.fields();
    let mut all = Explained {
        own: request.is_own(&config).then(|| own(&config)),
        mode: mode(&config),
        rules: Vec::new(),
        decided: Ok(Decided { terms: Vec::new(), json: Value::Null }),
        clients: None,
    };
    match RequestHead::read(&fields) {
        Ok(head) if all.own.is_none() => {
            let view = request.view(&config, &head);
            all.decided = view.and_then(|view| {
                let person = request.person();
                all.rules = rules::rows(&config, written, request, &view, person.as_ref());
                let ruled = ruled(&config, request, &head, &view)?;
                let terms = terms::terms(&config, ruled);
                let json = terms::json(ruled, &terms);
                Ok(Decided { terms, json })
            });
        }
        Ok(_) => {}
        Err(fault) => all.decided = Err(Undecided::Refused(fault.to_string())),
    }
    if matches!(all.decided, Err(Undecided::Untold(_))) {
        return all;
    }
    match walk::with_canonical_names(config, request.user) {
        Ok(config) => {
            let gate = Gate::new(config);
            let walk = Walk::new(&gate, request);
            let (browser, curl) = (walk.outcome(BROWSER), walk.outcome(CURL));
            let headers = if all.own.is_some() { None } else { walk.headers() };
            all.clients = Some(Clients { browser, curl, headers });
        }
        Err(why) => all.decided = Err(Undecided::Refused(why)),
    }
    all
}

impl Explained {
    fn outcome(&self) -> Outcome {
        self.decided.as_ref().map_or_else(Undecided::outcome, |_| Outcome::Fine)
    }

    fn text(&self) -> String {
        let mut lines: Vec<_> = self.own.iter().cloned().collect();
        lines.extend(self.mode.map(str::to_owned));
        if !self.rules.is_empty() {
            lines.push("rules:".to_owned());
            lines.extend(self.rules.iter().map(|row| format!("  {}", row.text())));
        }
        match &self.decided {
            Ok(Decided { terms, .. }) => {
                lines.extend(terms.iter().map(|(name, value)| format!("{name}: {value}")));
            }
            Err(Undecided::Refused(why)) => lines.push(format!("refused: {why}")),
            Err(Undecided::Untold(_)) => {}
        }
        if let Some(Clients { browser, curl, headers }) = &self.clients {
            lines.push(format!("a browser gets: {}", browser.text()));
            lines.push(format!("curl gets: {}", curl.text()));
            if let Some(edits) = headers {
                let texts = headers::texts(edits);
                let nothing = if texts.is_empty() { " as the client sent it" } else { "" };
                lines.push(format!("the application gets the request{nothing}:"));
                lines.extend(texts.iter().map(|text| format!("  {text}")));
            }
        }
        lines.join("\n")
    }

    fn json(&self) -> Value {
        let mode = self.mode.and_then(|mode| mode.split(": ").nth(1)).unwrap_or("enforce");
        let mut object = Map::new();
        let mut set = |name: &str, value| object.insert(name.to_owned(), value);
        set("rules", self.rules.iter().map(rules::Row::json).collect());
        set("mode", json!(mode));
        match &self.decided {
            Ok(_) if self.own.is_some() => set("own_address", json!(true)),
            Ok(Decided { json, .. }) => set("decision", json.clone()),
            Err(undecided) => set("decision", undecided.json()),
        };
        if let Some(Clients { browser, curl, headers }) = &self.clients {
            set("browser", browser.json());
            set("curl", curl.json());
            set("headers", headers.as_ref().map_or(Value::Null, |edits| headers::json(edits)));
        }
        Value::Object(object)
    }
}
