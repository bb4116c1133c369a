//! Headers of real clients, and how the filter asks each for the second factor. Each set has all headers
//! of one client, except those that do not identify a client (`Host`, `Accept-Encoding`, lengths).

mod browsers;
mod helpers;
mod programs;

use duo_mfa::http::{Client, HeaderMap, RequestHead};

type Headers = &'static [(&'static str, &'static str)];

/// A client by name, the headers that it sends, and its kind.
type Row = (&'static str, Headers, Client);

const CHROME: (&str, &str) = (
    "user-agent",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
);
const FIREFOX: (&str, &str) =
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0");
const SAFARI: (&str, &str) = (
    "user-agent",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
);
const OLD_SAFARI: (&str, &str) = (
    "user-agent",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 14_8 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.1.2 Mobile/15E148 Safari/604.1",
);
const ANY: (&str, &str) = ("accept", "*/*");
const CHROME_HTML: (&str, &str) = (
    "accept",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
);
const HTML: (&str, &str) =
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
const DOCUMENT: (&str, &str) = ("sec-fetch-dest", "document");
const EMPTY: (&str, &str) = ("sec-fetch-dest", "empty");
const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");
const CORS: (&str, &str) = ("sec-fetch-mode", "cors");
const NO_CORS: (&str, &str) = ("sec-fetch-mode", "no-cors");
const TYPED: (&str, &str) = ("sec-fetch-site", "none");
const OWN_SITE: (&str, &str) = ("sec-fetch-site", "same-origin");
const OTHER_SITE: (&str, &str) = ("sec-fetch-site", "cross-site");
const REFERER: (&str, &str) = ("referer", "https://app.example.com/reports");

fn kind(path: &str, headers: Headers) -> Client {
    let mut pairs: Vec<(&[u8], &[u8])> = vec![(b":method", b"GET"), (b":path", path.as_bytes())];
    pairs.extend(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    let buffer = HeaderMap::serialize(&pairs);
    Client::of(&RequestHead::read(&buffer).unwrap().hints())
}

fn rows() -> impl Iterator<Item = &'static Row> {
    browsers::ROWS.iter().chain(helpers::ROWS).chain(programs::ROWS)
}

#[test]
fn real_clients_are_of_the_kind_that_suits_them() {
    let wrong: Vec<String> = rows()
        .filter(|(_, headers, expected)| kind("/api", headers) != *expected)
        .map(|(name, headers, expected)| {
            format!("{name}: {:?}, not {expected:?}", kind("/api", headers))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows().count() >= 60, "{} real clients", rows().count());
}

/// A browser may send fewer headers than these: privacy tools and proxies remove some.
#[test]
fn browser_that_loses_any_one_header_is_never_held() {
    for (name, headers, _) in browsers::ROWS {
        for lost in 0..headers.len() {
            // Only their name distinguishes w3m and Links from a program.
            if headers[lost].0 == "user-agent" && !headers[lost].1.starts_with("Mozilla/") {
                continue;
            }
            let kept: Vec<_> = headers.iter().enumerate().filter(|(at, _)| *at != lost).collect();
            let is_bare = kept.iter().all(|(_, (name, _))| matches!(*name, "accept" | "dnt"));
            if !is_bare {
                let kept: Vec<_> = kept.into_iter().map(|(_, header)| *header).collect();
                assert_ne!(kind("/api", kept.leak()), Client::Hold, "{name} without {lost}");
            }
        }
    }
}

/// A client that fetches an icon does so for a browser, whatever its `User-Agent` says.
#[test]
fn icon_that_nobody_asked_for_is_never_held() {
    for path in ["/favicon.ico", "/apple-touch-icon.png", "/a/apple-touch-icon-120x120.png?v=1"] {
        for headers in [
            &[("user-agent", "Bookmarks/12 CFNetwork/1410.1 Darwin/22.6.0"), ANY][..],
            &[ANY],
            &[("user-agent", "okhttp/4.12.0")],
        ] {
            assert_eq!(kind(path, headers), Client::Refuse, "{path}");
        }
        assert_eq!(kind(path, &[CHROME, CHROME_HTML, NAVIGATE, DOCUMENT, TYPED]), Client::Page);
    }
    assert_eq!(kind("/favicon.ico/1", &[ANY]), Client::Hold);
}
