//! One HTTP stream at the host.

/// Names and values.
pub(crate) type Map = Vec<(Vec<u8>, Vec<u8>)>;

/// The first value of a name.
pub(crate) fn value<'a>(map: &'a Map, name: &str) -> Option<&'a [u8]> {
    map.iter().find(|(other, _)| other == name.as_bytes()).map(|(_, value)| value.as_slice())
}

/// A reply of the module.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u32,
    pub(crate) details: String,
    pub(crate) headers: Map,
}

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) root: u32,
    /// The request's headers, as the module sees and changes them.
    pub(crate) headers: Map,
    pub(crate) trailers: Option<Map>,
    /// The part of the body that Envoy holds.
    pub(crate) body: Vec<u8>,
    /// Whether the whole body has arrived.
    pub(crate) is_whole: bool,
    /// Whether Envoy passes the body while the headers wait (`allow_on_headers_stop_iteration`).
    pub(crate) shows_body: bool,
    /// The address of the client, with its port.
    pub(crate) peer: String,
    /// The values of other properties, by their path with NUL in between.
    pub(crate) properties: Vec<(Vec<u8>, Vec<u8>)>,
    /// The filter state that the module has set.
    pub(crate) state: Vec<(String, String)>,
    /// The request was forwarded with these headers.
    pub(crate) upstream: Option<Map>,
    pub(crate) reply: Option<Reply>,
    /// The response headers, while the module sees them.
    pub(crate) response: Option<Map>,
    /// The response headers that have gone to the client.
    pub(crate) client: Option<Map>,
    /// Why Envoy has ended the stream; empty while it has not.
    pub(crate) details: Vec<u8>,
}

impl Stream {
    pub(crate) fn new(root: u32, headers: Map, peer: &str) -> Self {
        Self {
            root,
            headers,
            trailers: None,
            body: Vec::new(),
            is_whole: true,
            shows_body: true,
            peer: peer.to_owned(),
            properties: Vec::new(),
            state: Vec::new(),
            upstream: None,
            reply: None,
            response: None,
            client: None,
            details: Vec::new(),
        }
    }

    pub(crate) const fn is_undecided(&self) -> bool {
        self.upstream.is_none() && self.reply.is_none()
    }

    /// A header map by its number in the ABI; `None` if Envoy does not have it now.
    pub(super) fn map(&mut self, kind: i32) -> Option<&mut Map> {
        match kind {
            0 if self.is_undecided() && self.response.is_none() => Some(&mut self.headers),
            1 if self.reply.is_none() => self.trailers.as_mut(),
            2 => self.response.as_mut(),
            _ => None,
        }
    }

    pub(super) fn property(&self, path: &[u8]) -> Option<Vec<u8>> {
        match path {
            b"source\0address" => Some(self.peer.clone().into_bytes()),
            b"response\0code_details" if !self.details.is_empty() => Some(self.details.clone()),
            _ => {
                let found = self.properties.iter().find(|(known, _)| known == path);
                found.map(|(_, value)| value.clone())
            }
        }
    }
}
