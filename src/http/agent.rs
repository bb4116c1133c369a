//! What a `User-Agent` says of the program that sent it, for [`super::accept`].
//!
//! A name here only ever takes doubt away. An agent that is not listed is judged by the other
//! headers of its request.

/// A kind of agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agent {
    /// A graphical browser, or a program that calls itself one.
    Browser,
    /// A browser without scripts whose `Accept` may name no HTML.
    TextBrowser,
    /// A program that fetches what nobody asked for: it works for a browser, a messenger or a feed.
    Helper,
    /// A program that looks like a browser by its other headers.
    Program,
    /// None of these.
    Unknown,
}

/// Agents of graphical browsers begin so.
const BROWSERS: [&[u8]; 2] = [b"mozilla/", b"opera/"];

/// Agents of text browsers begin so. ELinks and Links accept `*/*`.
const TEXT_BROWSERS: [&[u8]; 5] = [b"elinks", b"links (", b"lynx/", b"w3m/", b"dillo/"];

/// Agents of programs whose library accepts HTML before all else, whatever they ask for: Java's
/// `HttpURLConnection`, and pip before 22.2.
const PROGRAMS: [&[u8]; 2] = [b"java/", b"pip/"];

/// Agents of helpers begin so.
const HELPERS: [&[u8]; 46] = [
    // Media players, to which a browser hands an address and its cookies.
    b"applecoremedia/",
    b"androidxmedia3/",
    b"exoplayer",
    b"gstreamer",
    b"itunes/",
    b"kodi/",
    b"lavf/",
    b"libmpv",
    b"libvlc",
    b"mplayer",
    b"mpv",
    b"nsplayer/",
    b"quicktime",
    b"stagefright/",
    b"vlc/",
    b"windows-media-player/",
    b"wmfsdk/",
    // Downloads that a browser hands on.
    b"androiddownloadmanager",
    // Office looks at a link before it hands it to the browser.
    b"microsoft office",
    b"ms-office",
    // Previews of links in messengers and networks.
    b"bitlybot",
    b"discordbot",
    b"embedly",
    b"facebookexternalhit/",
    b"facebot",
    b"iframely/",
    b"linkedinbot/",
    b"pinterest/",
    b"skypeuripreview",
    b"slack-imgproxy",
    b"slackbot",
    b"telegrambot",
    b"twitterbot/",
    b"viber",
    b"whatsapp/",
    // Readers of feeds, which ask on a timer.
    b"akregator/",
    b"applesyndication/",
    b"feedly/",
    b"feedfetcher",
    b"freshrss/",
    b"liferea/",
    b"netnewswire",
    b"newsboat/",
    b"reeder/",
    b"tiny tiny rss/",
    b"windows-rss-platform/",
];

/// Apple's library for HTTP. Agents that name it are programs, but for parts of browsers and of the
/// system: those fetch icons and previews.
const APPLE_LIBRARY: &[u8] = b" cfnetwork/";

/// What the first product of such a part is named with.
const APPLE_PARTS: [&[u8]; 14] = [
    b"brave",
    b"chrome",
    b"com.apple.",
    b"duckduckgo",
    b"edge",
    b"extension",
    b"firefox",
    b"linkpresentation",
    b"opera",
    b"orion",
    b"quicklook",
    b"safari",
    b"vivaldi",
    b"webkit",
];

impl Agent {
    pub(super) fn of(user_agent: Option<&[u8]>) -> Self {
        let Some(agent) = user_agent else { return Self::Unknown };
        let begins = |names: &[&[u8]]| names.iter().any(|name| has_prefix(agent, name));
        // `Invoke-WebRequest`: "Mozilla/5.0 (Windows NT 10.0; ...) PowerShell/7.4.1".
        if contains(agent, b"powershell/") || begins(&PROGRAMS) {
            Self::Program
        } else if begins(&BROWSERS) {
            Self::Browser
        } else if begins(&TEXT_BROWSERS) {
            Self::TextBrowser
        } else if begins(&HELPERS) || is_apple_part(agent) {
            Self::Helper
        } else {
            Self::Unknown
        }
    }
}

fn is_apple_part(agent: &[u8]) -> bool {
    let product = agent.split(|byte| *byte == b'/').next().unwrap_or_default();
    contains(agent, APPLE_LIBRARY)
        // Firefox on iOS calls itself "Client".
        && (product == b"Client" || APPLE_PARTS.iter().any(|part| contains(product, part)))
}

pub(super) fn has_prefix(value: &[u8], lower_case: &[u8]) -> bool {
    value.get(..lower_case.len()).is_some_and(|start| start.eq_ignore_ascii_case(lower_case))
}

fn contains(value: &[u8], lower_case: &[u8]) -> bool {
    value.windows(lower_case.len()).any(|part| part.eq_ignore_ascii_case(lower_case))
}
