//! Programs that fetch unasked, for a browser, a messenger or a feed.

use super::*;
use duo_mfa::http::Client::{Page, Refuse};

pub(super) const ROWS: &[Row] = &[
    (
        "Safari on iOS, an icon",
        &[("user-agent", "MobileSafari/8617.1.17.10.12 CFNetwork/1490.0.4 Darwin/23.2.0"), ANY],
        Refuse,
    ),
    (
        "Safari on macOS, an icon",
        &[
            ("user-agent", "Safari/18617.1.17.11.12 CFNetwork/1490.0.4 Darwin/23.2.0"),
            ANY,
            ("accept-language", "en-US,en;q=0.9"),
        ],
        Refuse,
    ),
    (
        "WebKit's network process",
        &[
            (
                "user-agent",
                "com.apple.WebKit.Networking/8617.1.17 CFNetwork/1490.0.4 Darwin/23.2.0",
            ),
            ANY,
        ],
        Refuse,
    ),
    (
        "iOS, a preview",
        &[
            (
                "user-agent",
                "NetworkingExtension/8617.1.17 Network/3826 iOS/17.2 CFNetwork/1490.0.4",
            ),
            ANY,
        ],
        Refuse,
    ),
    (
        "macOS, a widget's icon",
        &[("user-agent", "WidgetKitExtension/3279 CFNetwork/1209 Darwin/20.2.0"), ANY],
        Refuse,
    ),
    (
        "Firefox on iOS, an icon",
        &[("user-agent", "Client/38421 CFNetwork/1490.0.4 Darwin/23.2.0"), ANY],
        Refuse,
    ),
    (
        "DuckDuckGo on iOS, an icon",
        &[("user-agent", "DuckDuckGo/7.104.0.1 CFNetwork/1490.0.4 Darwin/23.2.0"), ANY],
        Refuse,
    ),
    (
        "Apple's player",
        &[
            (
                "user-agent",
                "AppleCoreMedia/1.0.0.21C62 (iPhone; U; CPU OS 17_2 like Mac OS X; en_us)",
            ),
            ANY,
            ("range", "bytes=0-1"),
            ("x-playback-session-id", "1F0B2E3C"),
        ],
        Refuse,
    ),
    (
        "QuickTime",
        &[("user-agent", "QuickTime/7.7.9 (qtver=7.7.9;os=Windows NT 6.1Service Pack 1)"), ANY],
        Refuse,
    ),
    ("VLC", &[("user-agent", "VLC/3.0.20 LibVLC/3.0.20"), ("range", "bytes=0-")], Refuse),
    (
        "ffmpeg's library",
        &[("user-agent", "Lavf/60.16.100"), ANY, ("range", "bytes=0-"), ("icy-metadata", "1")],
        Refuse,
    ),
    ("Android's player", &[("user-agent", "stagefright/1.2 (Linux;Android 7.0)")], Refuse),
    (
        "a player by ExoPlayer",
        &[("user-agent", "ExoPlayerDemo/2.18.1 (Linux;Android 13) ExoPlayerLib/2.18.1")],
        Refuse,
    ),
    (
        "GStreamer",
        &[("user-agent", "GStreamer souphttpsrc 1.22.0 libsoup/3.2.2"), ("icy-metadata", "1")],
        Refuse,
    ),
    (
        "Windows Media Player",
        &[("user-agent", "NSPlayer/12.00.19041.1 WMFSDK/12.00.19041.1"), ANY],
        Refuse,
    ),
    ("an unknown player", &[("user-agent", "Radio/1.0"), ANY, ("icy-metadata", "1")], Refuse),
    (
        "Android, a download that a browser handed on",
        &[("user-agent", "AndroidDownloadManager/13 (Linux; U; Android 13; Pixel 6)")],
        Refuse,
    ),
    (
        "Word, which looks at a link",
        &[("user-agent", "Microsoft Office Word 2014"), ("x-office-major-version", "16")],
        Refuse,
    ),
    (
        "Office, which looks at a link",
        &[("user-agent", "Mozilla/4.0 (compatible; ms-office; MSOffice 16)"), ANY],
        Refuse,
    ),
    ("Office, by HEAD", &[("user-agent", "Microsoft Office Existence Discovery")], Refuse),
    (
        "Slack, a preview",
        &[("user-agent", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"), ANY],
        Refuse,
    ),
    (
        "Facebook, a preview",
        &[
            (
                "user-agent",
                "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            ),
            ANY,
        ],
        Refuse,
    ),
    ("WhatsApp, a preview", &[("user-agent", "WhatsApp/2.24.8.78 A"), ANY], Refuse),
    ("Telegram, a preview", &[("user-agent", "TelegramBot (like TwitterBot)"), ANY], Refuse),
    (
        "iMessage, a preview",
        &[
            (
                "user-agent",
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
            ),
            HTML,
        ],
        Page,
    ),
    (
        "Discord, a preview",
        &[("user-agent", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)")],
        Refuse,
    ),
    (
        "NetNewsWire",
        &[("user-agent", "NetNewsWire (RSS Reader; https://netnewswire.com/)"), ANY],
        Refuse,
    ),
    ("Newsboat", &[("user-agent", "newsboat/2.34 (Linux x86_64)"), ANY], Refuse),
    (
        "Liferea",
        &[
            ("user-agent", "Liferea/1.15.3 (Linux; https://lzone.de/liferea/)"),
            ("accept", "application/atom+xml,application/xml;q=0.9,text/xml;q=0.8,*/*;q=0.7"),
        ],
        Refuse,
    ),
    (
        "an unknown reader of feeds",
        &[
            ("user-agent", "Feeds/3.1"),
            (
                "accept",
                "application/rss+xml, application/rdf+xml;q=0.8, application/atom+xml;q=0.6, */*;q=0.1",
            ),
        ],
        Refuse,
    ),
    (
        "Thunderbird, a feed",
        &[
            (
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.9.0",
            ),
            ANY,
        ],
        Refuse,
    ),
    (
        "Nextcloud's client, on a timer",
        &[
            (
                "user-agent",
                "Mozilla/5.0 (Linux) mirall/3.12.3git (Nextcloud, debian-6.1 ClientArchitecture: x86_64)",
            ),
            ANY,
        ],
        Refuse,
    ),
];
