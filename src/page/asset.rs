//! The style sheet and the script. The address of each contains a hash of its content.

use super::accent::Accent;
use crate::hex::hex;
use crate::http::Reply;
use sha2::{Digest, Sha256};
use std::fmt::Write;

const STYLE: &str = include_str!("assets/style.css");
const SCRIPT: &str = include_str!("assets/prompt.js");

/// How many bytes of the hash are in the name.
const NAME_LENGTH: usize = 8;

/// A file that a page loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asset {
    /// The address: `{path_prefix}/assets/{hash}.css`.
    pub(super) path: String,
    media_type: &'static str,
    content: String,
}

impl Asset {
    /// The style sheet with the organisation's colour.
    pub(super) fn style(path_prefix: &str, accent: Option<Accent>) -> Self {
        let mut content = compact(STYLE, "/*");
        if let Some(accent) = accent {
            // Writing to a string never fails.
            let _ = writeln!(
                content,
                ":root{{--accent:{}}}@media (prefers-color-scheme:dark){{:root{{--accent:{}}}}}",
                accent.light(),
                accent.dark(),
            );
        }
        Self::named(path_prefix, "css", "text/css; charset=utf-8", content)
    }

    /// The script.
    pub(super) fn script(path_prefix: &str) -> Self {
        let content = compact(SCRIPT, "//");
        Self::named(path_prefix, "js", "text/javascript; charset=utf-8", content)
    }

    fn named(
        path_prefix: &str,
        extension: &str,
        media_type: &'static str,
        content: String,
    ) -> Self {
        let hash = Sha256::digest(content.as_bytes());
        let name = hex(hash.get(..NAME_LENGTH).unwrap_or_default());
        let path = format!("{path_prefix}/assets/{name}.{extension}");
        Self { path, media_type, content }
    }

    pub(super) fn reply(&self) -> Reply {
        let body = self.content.clone().into_bytes();
        Reply::new(200, "duo_mfa_asset".to_owned(), self.media_type, body).immutable()
    }
}

/// Removes indentation, empty lines, and lines that are only a comment.
fn compact(source: &str, comment: &str) -> String {
    let mut kept = String::with_capacity(source.len());
    for line in source.lines().map(str::trim) {
        if !(line.is_empty() || line.starts_with(comment)) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::accent::{DARK_CARD, LIGHT_CARD};
    use super::*;

    fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a [u8]> {
        reply.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_bytes())
    }

    #[test]
    fn an_asset_is_named_by_its_content_and_cached_forever() {
        let blue = Asset::style("/.duo-mfa", Accent::new("#0b5fff").ok());
        let plain = Asset::style("/.duo-mfa", None);
        assert_ne!(blue.path, plain.path);
        assert_eq!(blue.path.len(), "/.duo-mfa/assets/0123456789abcdef.css".len());

        let reply = blue.reply();
        assert_eq!(reply.status, 200);
        let kept = "public, max-age=31536000, immutable";
        assert_eq!(header(&reply, "cache-control"), Some(kept.as_bytes()));
        assert_eq!(header(&reply, "vary"), None);
        assert_eq!(header(&reply, "content-type"), Some(&b"text/css; charset=utf-8"[..]));
        assert_eq!(header(&reply, "x-content-type-options"), Some(&b"nosniff"[..]));
    }

    #[test]
    fn the_organisations_colour_comes_last_in_the_style_sheet() {
        let style = Asset::style("", Accent::new("#0b5fff").ok()).content;
        assert!(style.contains(":root{--accent:#0b5fff}@media"), "{style}");
        assert!(style.rfind("--accent:#").unwrap() > style.rfind("forced-colors").unwrap());
    }

    #[test]
    fn no_comment_of_the_source_is_sent_and_no_code_is_lost() {
        for (asset, source) in [(Asset::style("", None), STYLE), (Asset::script(""), SCRIPT)] {
            assert!(asset.content.len() < source.len());
            assert!(!asset.content.contains("/*") && !asset.content.contains("\n//"));
            assert_eq!(asset.content.matches('{').count(), source.matches('{').count());
        }
    }

    #[test]
    fn the_cards_are_those_that_the_accent_is_checked_against() {
        let (light, dark) = STYLE.split_once("@media (prefers-color-scheme: dark)").unwrap();
        assert!(light.contains(&format!("--card: {LIGHT_CARD};")), "{light}");
        assert!(dark.contains(&format!("--card: {DARK_CARD};")), "{dark}");
    }
}
