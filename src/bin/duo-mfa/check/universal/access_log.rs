//! Looks for an access log that has the query of each request, and so `state` and code of sign-ins.

use crate::check::warning::{Code, Warning};
use crate::plugin::Chain;
use crate::value::{each, extension, list_at, member};
use serde_json::Value;

/// The loggers whose lines have a format. Without one, Envoy's default logs the query.
const WITH_FORMAT: [&str; 3] = [".FileAccessLog", ".StdoutAccessLog", ".StderrAccessLog"];
const FORMATS: [&str; 4] = ["log_format", "format", "json_format", "typed_json_format"];

pub(super) fn note(chain: &Chain<'_>) -> Option<Warning> {
    let has_query = |logger: &Value| {
        let typed = member(logger, "typed_config").and_then(extension);
        typed.is_some_and(|(kind, config)| {
            WITH_FORMAT.iter().any(|end| kind.ends_with(end)) && logs_query(config)
        })
    };
    list_at(chain.manager, &["access_log"]).iter().any(has_query).then(|| {
        Warning::new(
            Code::QueryLogged,
            "the access log has the query of /callback, with the state and the code of a sign-in; \
             nobody else can use them",
            "write %PATH(NQ:PATH)% in place of %REQ(:PATH)%",
        )
    })
}

fn logs_query(config: &Value) -> bool {
    let formats: Vec<_> = FORMATS.iter().filter_map(|name| member(config, name)).collect();
    let mut has_query = formats.is_empty();
    for format in formats {
        each(format, &mut |value| has_query |= value.as_str().is_some_and(names_query));
    }
    has_query
}

/// Whether a format has a command that writes the path with its query.
fn names_query(format: &str) -> bool {
    // Every second part is a command.
    format.to_ascii_uppercase().split('%').any(|part| {
        let arguments = part.strip_prefix("REQ(").and_then(|rest| rest.split(')').next());
        let of_path = |arguments: &str| {
            arguments.split('?').any(|name| matches!(name, ":PATH" | "X-ENVOY-ORIGINAL-PATH"))
        };
        arguments.is_some_and(of_path) || part == "PATH" || part.starts_with("PATH(WQ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_with_the_query_are_found() {
        for (format, expected) in [
            ("%REQ(:PATH)%", true),
            ("%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%", true),
            ("%REQ(:path):64%", true),
            ("%PATH(WQ:PATH)%", true),
            ("%PATH(NQ:PATH)%", false),
            ("%REQ_WITHOUT_QUERY(:PATH)%", false),
            ("%REQ(X-REQUEST-ID)% :PATH", false),
        ] {
            assert_eq!(names_query(format), expected, "{format}");
        }
    }
}
