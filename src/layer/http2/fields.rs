//! The fields of one field block, and the request or response that they are (RFC 9113 §8.3, RFC 8441 §4).

use std::ops::Range;

use super::hpack::Field;
use crate::record::{Request, Response, Span};

/// Fields as far as they are known, kept until their block has ended. One list is used again for each block.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// Names and values, one after the other.
    text: Vec<u8>,
    /// Where a name ends and where its value ends. A field of which one of them is not known is not here.
    ends: Vec<(u32, u32)>,
    /// Some of the block's fields are not here: not known, lost, or too many.
    incomplete: bool,
}

/// A list that has grown larger than this for once is not kept.
const USUAL: usize = 4096;

impl Fields {
    /// Adds a field, unless all of them would take more than `limit` bytes by the measure of RFC 9113 §6.5.2; `false` then.
    pub(super) fn push(&mut self, field: Field<'_>, limit: usize) -> bool {
        let (Some(name), Some(value)) = (field.name, field.value) else {
            self.incomplete = true;
            return true;
        };
        if self.text.len() + name.len() + value.len() + 32 * (self.ends.len() + 1) > limit {
            self.incomplete = true;
            return false;
        }
        self.text.extend_from_slice(name);
        let name_end = self.text.len() as u32;
        self.text.extend_from_slice(value);
        self.ends.push((name_end, self.text.len() as u32));
        true
    }

    /// Keeps the first ones, which take so many bytes at most: a field that was sent before takes one byte when it is sent again.
    pub(super) fn truncate(&mut self, most: usize) {
        let fit = self.ends.partition_point(|&(_, end)| end as usize <= most);
        self.incomplete |= fit < self.ends.len();
        self.ends.truncate(fit);
        self.text.truncate(self.size());
    }

    /// How many bytes their names and values take.
    pub(super) fn size(&self) -> usize {
        self.ends.last().map_or(0, |&(_, end)| end as usize)
    }

    /// Something of the block is missing.
    pub(super) fn set_incomplete(&mut self) {
        self.incomplete = true;
    }

    pub(super) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.incomplete = false;
        if self.text.capacity() > USUAL {
            *self = Self::default();
        }
    }

    /// How much memory they take, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * size_of::<(u32, u32)>()
    }

    /// The first value of the field with this name, which is in lower case as all are (RFC 9113 §8.2.1).
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(n, _)| *n == name.as_bytes()).map(|(_, value)| value)
    }

    /// The status of a response. `None` when it is none, or its status is not known.
    pub(super) fn status(&self) -> Option<u16> {
        let status = self.get(":status")?;
        let digits = status.len() == 3 && status.iter().all(u8::is_ascii_digit);
        std::str::from_utf8(status).ok().filter(|_| digits)?.parse().ok()
    }

    /// Whether it is a request for a WebSocket (RFC 8441 §4).
    pub(super) fn asks_for_websocket(&self) -> bool {
        self.get(":method") == Some(b"CONNECT")
            && self
                .get(":protocol")
                .is_some_and(|p| p.eq_ignore_ascii_case(b"websocket"))
    }

    /// The request, which lies at `range` in its sender's stream.
    pub(super) fn request(&self, range: Range<u64>, span: Span) -> Request {
        Request {
            method: self.text_of(":method").unwrap_or_default(),
            target: self.text_of(":path").unwrap_or_default(),
            headers: self.headers(),
            range,
            span: Some(span),
            cut: self.incomplete,
            ..Request::default()
        }
    }

    /// The response, which lies at `range` in its sender's stream.
    pub(super) fn response(&self, range: Range<u64>, span: Span) -> Response {
        Response {
            status: self.status().unwrap_or_default(),
            headers: self.headers(),
            range,
            span: Some(span),
            cut: self.incomplete,
            ..Response::default()
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut start = 0;
        self.ends.iter().filter_map(move |&(name_end, value_end)| {
            let name = self.text.get(start as usize..name_end as usize)?;
            start = value_end;
            Some((name, self.text.get(name_end as usize..value_end as usize)?))
        })
    }

    /// The same as text.
    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        self.get(name).map(lossy)
    }

    fn headers(&self) -> Vec<(String, String)> {
        self.iter().map(|(name, value)| (lossy(name), lossy(value))).collect()
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field<'a>(name: &'a str, value: &'a str) -> Field<'a> {
        Field {
            name: Some(name.as_bytes()),
            value: Some(value.as_bytes()),
        }
    }

    fn span() -> Span {
        let at = crate::base::PacketRef {
            packet: 1,
            time: Default::default(),
        };
        Span::packet(at, Default::default())
    }

    #[test]
    fn rfc8441_4_a_request_with_all_its_fields_in_order() {
        let mut fields = Fields::default();
        for (name, value) in [
            (":method", "CONNECT"),
            (":protocol", "websocket"),
            (":path", "/chat"),
            ("origin", "o"),
        ] {
            assert!(fields.push(field(name, value), 1000));
        }
        assert!(fields.asks_for_websocket());
        let request = fields.request(5..9, span());
        assert_eq!((&*request.method, &*request.target), ("CONNECT", "/chat"));
        assert_eq!(
            (request.headers.len(), request.header(":protocol")),
            (4, Some("websocket"))
        );
        fields.clear();
        assert!(fields.push(field(":status", "403"), 1000) && !fields.asks_for_websocket());
        assert_eq!(fields.response(0..1, span()).status, 403);
    }

    #[test]
    fn the_first_ones_are_kept() {
        let mut fields = Fields::default();
        for (name, value) in [(":path", "/"), ("cookie", "1234"), ("origin", "o")] {
            fields.push(field(name, value), 1000);
        }
        fields.truncate(100);
        assert!(fields.size() == 23 && !fields.is_incomplete());
        fields.truncate(22);
        assert!(fields.size() == 16 && fields.is_incomplete());
        assert_eq!((fields.get(":path"), fields.get("origin")), (Some(&b"/"[..]), None));
        fields.truncate(0);
        assert_eq!((fields.size(), fields.get(":path")), (0, None));
    }

    #[test]
    fn more_than_is_kept_and_what_is_not_known() {
        let mut fields = Fields::default();
        assert!(fields.push(field("a", "b"), 40) && !fields.push(field("c", "d"), 40));
        assert!(fields.is_incomplete());
        fields.clear();
        let name = Some(&b"x"[..]);
        assert!(fields.push(Field { name, value: None }, 40));
        assert!(fields.request(0..0, span()).cut && fields.get("x").is_none());
    }
}
