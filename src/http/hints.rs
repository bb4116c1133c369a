//! The headers by which a request shows what kind of client sent it.

use super::header_map::HeaderMap;

/// The headers by which [`super::accept`] distinguishes a browser from a script.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// `Accept`
    pub accept: Option<&'a [u8]>,
    /// `Content-Type`
    pub content_type: Option<&'a [u8]>,
    /// `Upgrade`
    pub upgrade: Option<&'a [u8]>,
    /// `User-Agent`
    pub user_agent: Option<&'a [u8]>,
    /// `Sec-Fetch-Mode`
    pub fetch_mode: Option<&'a [u8]>,
    /// `Sec-Fetch-Dest`
    pub fetch_dest: Option<&'a [u8]>,
    /// `Sec-Fetch-Site`
    pub fetch_site: Option<&'a [u8]>,
    /// `Origin`
    pub origin: Option<&'a [u8]>,
    /// `Referer`
    pub referer: Option<&'a [u8]>,
    /// Any header that only browsers send: those that scripts cannot set (`Sec-*`, except
    /// `Sec-Fetch-Mode`, which Node also sends), `Origin`, `Referer`, and similar ones.
    pub any_browser_mark: Option<&'a [u8]>,
    /// `Sec-Purpose`, `Purpose` and their older names: a browser's prefetch. Or `Icy-MetaData`: a
    /// player's request for a stream.
    pub purpose: Option<&'a [u8]>,
    /// `X-Requested-With`: a script in a page, or an Android application that shows one.
    pub requested_with: Option<&'a [u8]>,
    /// Whether browsers look for an icon at the path, often through a helper program.
    pub is_icon: bool,
}

impl<'a> Hints<'a> {
    /// Reads the headers of a map. `path` is the target without its query.
    pub(super) fn of(map: HeaderMap<'a>, path: &[u8]) -> Self {
        let mut hints = Self { is_icon: is_icon(path), ..Self::default() };
        map.iter().for_each(|(name, value)| hints.take(name, value));
        hints
    }

    fn take(&mut self, name: &[u8], value: &'a [u8]) {
        let slot = match name {
            b"accept" => &mut self.accept,
            b"content-type" => &mut self.content_type,
            b"upgrade" => &mut self.upgrade,
            b"user-agent" => &mut self.user_agent,
            b"sec-fetch-mode" => &mut self.fetch_mode,
            b"sec-purpose" | b"purpose" | b"x-purpose" | b"x-moz" | b"icy-metadata" => {
                &mut self.purpose
            }
            b"dnt" | b"upgrade-insecure-requests" => &mut self.any_browser_mark,
            b"origin" | b"referer" | b"x-requested-with" => {
                self.any_browser_mark = Some(value);
                match name {
                    b"origin" => &mut self.origin,
                    b"referer" => &mut self.referer,
                    _ => &mut self.requested_with,
                }
            }
            _ if name.starts_with(b"sec-") => {
                self.any_browser_mark = Some(value);
                match name {
                    b"sec-fetch-dest" => &mut self.fetch_dest,
                    b"sec-fetch-site" => &mut self.fetch_site,
                    _ => return,
                }
            }
            _ => return,
        };
        *slot = Some(value);
    }
}

/// Whether the path ends with a name under which browsers look for an icon automatically.
fn is_icon(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    name == b"favicon.ico" || name.starts_with(b"apple-touch-icon")
}
