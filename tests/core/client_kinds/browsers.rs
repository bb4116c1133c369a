//! Browsers: pages that people open, and files and data that pages load.

use super::*;
use duo_mfa::http::Client::{Page, Refuse};

const IMAGE: (&str, &str) =
    ("accept", "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8");
const EDGE_LEGACY: (&str, &str) = (
    "user-agent",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36 Edge/18.19042",
);
const IE11: (&str, &str) =
    ("user-agent", "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko");
const WEBVIEW: (&str, &str) = (
    "user-agent",
    "Mozilla/5.0 (Linux; Android 9; SM-G960F Build/PPR1; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/74.0.3729.157 Mobile Safari/537.36",
);

pub(super) const ROWS: &[Row] = &[
    (
        "an application's web view on iOS 15, an image",
        &[
            ("user-agent", "Reports/3.2 (iPhone; iOS 15.7)"),
            ("accept", "image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"),
            REFERER,
        ],
        Refuse,
    ),
    (
        "an application's web view on iOS 15, a style sheet",
        &[
            ("user-agent", "Reports/3.2 (iPhone; iOS 15.7)"),
            ("accept", "text/css,*/*;q=0.1"),
            REFERER,
        ],
        Refuse,
    ),
    (
        "Chrome, a navigation",
        &[
            ("sec-ch-ua", "\"Chromium\";v=\"126\""),
            ("sec-ch-ua-mobile", "?0"),
            ("upgrade-insecure-requests", "1"),
            CHROME,
            CHROME_HTML,
            TYPED,
            NAVIGATE,
            ("sec-fetch-user", "?1"),
            DOCUMENT,
        ],
        Page,
    ),
    (
        "Chrome, a link on another site",
        &[CHROME, CHROME_HTML, OTHER_SITE, NAVIGATE, DOCUMENT],
        Page,
    ),
    ("Chrome on plain HTTP", &[CHROME, CHROME_HTML, ("upgrade-insecure-requests", "1")], Page),
    (
        "Chrome, a reload by hand",
        &[CHROME, CHROME_HTML, ("cache-control", "max-age=0"), OWN_SITE, NAVIGATE, DOCUMENT],
        Page,
    ),
    (
        "Chrome 78, which names no destination yet",
        &[CHROME, CHROME_HTML, TYPED, NAVIGATE, ("sec-fetch-user", "?1")],
        Page,
    ),
    ("Firefox, a navigation", &[FIREFOX, HTML, DOCUMENT, NAVIGATE, TYPED], Page),
    ("Firefox 78", &[FIREFOX, HTML, ("upgrade-insecure-requests", "1")], Page),
    ("Safari, a navigation", &[SAFARI, HTML, TYPED, DOCUMENT, NAVIGATE], Page),
    ("Safari 14", &[OLD_SAFARI, HTML], Page),
    (
        "Safari 5 and the Android browser",
        &[
            (
                "user-agent",
                "Mozilla/5.0 (Linux; U; Android 4.0.3) AppleWebKit/534.30 Mobile Safari/534.30",
            ),
            (
                "accept",
                "application/xml,application/xhtml+xml,text/html;q=0.9,text/plain;q=0.8,image/png,*/*;q=0.5",
            ),
        ],
        Page,
    ),
    (
        "Edge 18",
        &[
            EDGE_LEGACY,
            ("accept", "text/html, application/xhtml+xml, application/xml; q=0.9, */*; q=0.8"),
        ],
        Page,
    ),
    (
        "Internet Explorer 11",
        &[IE11, ("accept", "text/html, application/xhtml+xml, image/jxr, */*")],
        Page,
    ),
    (
        "Opera 12",
        &[
            ("user-agent", "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18"),
            (
                "accept",
                "text/html, application/xml;q=0.9, application/xhtml+xml, image/png, image/webp, image/jpeg, image/gif, image/x-xbitmap, */*;q=0.1",
            ),
        ],
        Page,
    ),
    (
        "Android's WebView 74",
        &[WEBVIEW, CHROME_HTML, ("x-requested-with", "com.example.mail")],
        Page,
    ),
    (
        "Android's WebView",
        &[
            WEBVIEW,
            CHROME_HTML,
            ("x-requested-with", "com.example.mail"),
            TYPED,
            NAVIGATE,
            DOCUMENT,
        ],
        Page,
    ),
    (
        "a service worker of Chrome that passes a navigation on",
        &[CHROME, CHROME_HTML, OWN_SITE, NAVIGATE, EMPTY, REFERER],
        Page,
    ),
    (
        "a service worker of Firefox that passes a navigation on",
        &[FIREFOX, HTML, EMPTY, NAVIGATE, OWN_SITE],
        Page,
    ),
    (
        "Chrome, a preload of a navigation for a service worker",
        &[
            CHROME,
            CHROME_HTML,
            OWN_SITE,
            NAVIGATE,
            DOCUMENT,
            ("service-worker-navigation-preload", "true"),
        ],
        Page,
    ),
    (
        "Lynx",
        &[
            ("user-agent", "Lynx/2.9.0dev.12 libwww-FM/2.14 SSL-MM/1.4.1 OpenSSL/3.0.13"),
            (
                "accept",
                "text/html, text/plain, text/sgml, text/css, application/xhtml+xml, */*;q=0.01",
            ),
        ],
        Page,
    ),
    (
        "w3m",
        &[
            ("user-agent", "w3m/0.5.3+git20230121"),
            ("accept", "text/html, text/*;q=0.5, image/*, application/*"),
        ],
        Page,
    ),
    ("ELinks", &[("user-agent", "ELinks/0.16.1.1 (textmode; Linux x86_64; 80x24-2)"), ANY], Page),
    ("Links", &[("user-agent", "Links (2.29; Linux x86_64; GNU C 13; text)"), ANY], Page),
    ("Chrome, a link to download", &[CHROME, ANY, OWN_SITE, NAVIGATE, EMPTY, REFERER], Refuse),
    (
        "Chrome, a frame",
        &[CHROME, CHROME_HTML, OWN_SITE, NAVIGATE, ("sec-fetch-dest", "iframe"), REFERER],
        Refuse,
    ),
    (
        "Chrome 78, a frame",
        &[CHROME, CHROME_HTML, OWN_SITE, ("sec-fetch-mode", "nested-navigate")],
        Refuse,
    ),
    (
        "Chrome, an object",
        &[CHROME, CHROME_HTML, OWN_SITE, NAVIGATE, ("sec-fetch-dest", "object"), REFERER],
        Refuse,
    ),
    (
        "Chrome, an image",
        &[CHROME, IMAGE, OWN_SITE, NO_CORS, ("sec-fetch-dest", "image"), REFERER],
        Refuse,
    ),
    (
        "Chrome, an image of another site without a referrer",
        &[CHROME, IMAGE, OTHER_SITE, NO_CORS, ("sec-fetch-dest", "image")],
        Refuse,
    ),
    ("Chrome, an icon", &[CHROME, IMAGE, OWN_SITE, NO_CORS, ("sec-fetch-dest", "image")], Refuse),
    (
        "Chrome, a style sheet",
        &[CHROME, ("accept", "text/css,*/*;q=0.1"), OWN_SITE, NO_CORS, ("sec-fetch-dest", "style")],
        Refuse,
    ),
    (
        "Chrome, a script",
        &[CHROME, ANY, OWN_SITE, NO_CORS, ("sec-fetch-dest", "script"), REFERER],
        Refuse,
    ),
    (
        "Chrome, a font",
        &[
            CHROME,
            ANY,
            ("origin", "https://app.example.com"),
            OWN_SITE,
            CORS,
            ("sec-fetch-dest", "font"),
        ],
        Refuse,
    ),
    (
        "Chrome, a video",
        &[CHROME, ANY, ("range", "bytes=0-"), OWN_SITE, NO_CORS, ("sec-fetch-dest", "video")],
        Refuse,
    ),
    ("Chrome, fetch", &[CHROME, ANY, OWN_SITE, CORS, EMPTY, REFERER], Refuse),
    (
        "Chrome, fetch of HTML",
        &[CHROME, ("accept", "text/html, application/xhtml+xml"), OWN_SITE, CORS, EMPTY],
        Refuse,
    ),
    (
        "Chrome, events",
        &[CHROME, ("accept", "text/event-stream"), OWN_SITE, CORS, EMPTY, REFERER],
        Refuse,
    ),
    (
        "Chrome, a CORS preflight",
        &[
            CHROME,
            ANY,
            ("origin", "https://a.example"),
            ("access-control-request-method", "PUT"),
            OTHER_SITE,
            CORS,
            EMPTY,
        ],
        Refuse,
    ),
    ("Chrome, a manifest", &[CHROME, ANY, OWN_SITE, CORS, ("sec-fetch-dest", "manifest")], Refuse),
    (
        "Chrome, a WebSocket",
        &[
            CHROME,
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("origin", "https://app.example.com"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ],
        Refuse,
    ),
    (
        "Chrome, a prefetch",
        &[
            CHROME,
            CHROME_HTML,
            OWN_SITE,
            NAVIGATE,
            DOCUMENT,
            ("sec-purpose", "prefetch"),
            ("purpose", "prefetch"),
        ],
        Refuse,
    ),
    (
        "Chrome, a prerender",
        &[CHROME, CHROME_HTML, TYPED, NAVIGATE, DOCUMENT, ("sec-purpose", "prefetch;prerender")],
        Refuse,
    ),
    ("Firefox 78, a prefetch", &[FIREFOX, HTML, ("x-moz", "prefetch")], Refuse),
    (
        "Safari 5, a preview among the most visited",
        &[SAFARI, HTML, ("x-purpose", "preview")],
        Refuse,
    ),
    (
        "Firefox, an image",
        &[
            FIREFOX,
            ("accept", "image/avif,image/webp,*/*"),
            ("sec-fetch-dest", "image"),
            NO_CORS,
            OWN_SITE,
        ],
        Refuse,
    ),
    (
        "Safari 14, an image",
        &[
            OLD_SAFARI,
            ("accept", "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"),
            REFERER,
        ],
        Refuse,
    ),
    (
        "Safari 14, an image without a referrer",
        &[OLD_SAFARI, ("accept", "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5")],
        Refuse,
    ),
    ("Safari 14, fetch", &[OLD_SAFARI, ANY, REFERER], Refuse),
    (
        "Internet Explorer 11, XMLHttpRequest",
        &[IE11, ANY, ("x-requested-with", "XMLHttpRequest"), REFERER],
        Refuse,
    ),
    (
        "Internet Explorer 11, an image",
        &[IE11, ("accept", "image/png, image/svg+xml, image/jxr, image/*;q=0.8, */*;q=0.5")],
        Refuse,
    ),
];
