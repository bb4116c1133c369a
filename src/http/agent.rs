//! Classifies the program that sent a `User-Agent`, for [`super::accept`].
//!
//! A name here only resolves a doubt. An agent that is not listed is classified by the other
//! headers of its request.

/// A kind of agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agent {
    /// A graphical browser, or a program that calls itself one.
    Browser,
    /// A browser without scripts whose `Accept` may name no HTML.
    TextBrowser,
    /// A program that fetches content without a user's request: it works for a browser, a messenger
    /// or a feed.
    Helper,
    /// A program that looks like a browser by its other headers.
    Program,
    /// None of these.
    Unknown,
}

/// The beginnings of agents of graphical browsers.
const BROWSERS: [&[u8]; 2] = [b"mozilla/", b"opera/"];

/// The beginnings of agents of text browsers. ELinks and Links accept `*/*`.
const TEXT_BROWSERS: [&[u8]; 5] = [b"elinks", b"links (", b"lynx/", b"w3m/", b"dillo/"];

/// The beginnings of agents of programs whose library always prefers HTML: Java's
/// `HttpURLConnection`, and pip before 22.2.
const PROGRAMS: [&[u8]; 2] = [b"java/", b"pip/"];

/// The beginnings of agents of helpers.
const HELPERS: [&[u8]; 46] = [
    // Media players that get an address and its cookies from a browser.
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
    // Download managers that a browser starts.
    b"androiddownloadmanager",
    // Office opens a link before it passes it to the browser.
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
    // Feed readers, which fetch on a timer.
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

/// Apple's HTTP library. Agents that name it are programs, except for parts of browsers and of the
/// system, which fetch icons and previews.
const APPLE_LIBRARY: &[u8] = b" cfnetwork/";

/// The product names of those parts.
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
