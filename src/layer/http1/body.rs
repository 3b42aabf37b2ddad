//! How long a message's body is (RFC 9112 §6), to find what follows it.

use super::head::has_token;

/// How a message's body is delimited (RFC 9112 §6.3).
pub(super) enum Body {
    None,
    Length(u64),
    Chunked,
    Unsaid,
}

pub(super) fn body(headers: &[(String, String)]) -> Body {
    let values = |name: &'static str| {
        headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    };
    if has_token(values("transfer-encoding"), "chunked") {
        return Body::Chunked;
    }
    match values("content-length").next().map(length) {
        Some(Some(length)) => Body::Length(length),
        Some(None) => Body::None,
        None => Body::Unsaid,
    }
}

/// `Content-Length`'s value; a list of equal ones counts once (RFC 9112 §6.3).
fn length(value: &str) -> Option<u64> {
    let mut values = value.split(',').map(|v| v.trim_matches([' ', '\t']));
    let first = values.next()?;
    let good = first.bytes().all(|b| b.is_ascii_digit()) && values.all(|v| v == first);
    good.then(|| first.parse().ok())?
}

/// The chunked transfer coding (RFC 9112 §7.1), read only to find its end.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunked {
    pub(super) phase: Phase,
    /// The size of the current chunk so far, or what is left of it, its line end included.
    pub(super) size: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// In a chunk's size.
    #[default]
    Size,
    /// Behind it, before the line's end.
    Extension,
    Data,
    /// At the start of a line after the last chunk.
    Trailer,
    /// In such a line.
    TrailerLine,
    Done,
}

impl Chunked {
    /// How many bytes belong to the body; `None` when it is malformed.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Option<usize> {
        self.push_data(bytes, |_| {})
    }

    /// The same; what the chunks carry goes to `data`.
    pub(super) fn push_data(&mut self, bytes: &[u8], mut data: impl FnMut(&[u8])) -> Option<usize> {
        let mut used = 0;
        while used < bytes.len() && self.phase != Phase::Done {
            if self.phase == Phase::Data {
                let here = usize::try_from(self.size).map_or(bytes.len() - used, |size| size.min(bytes.len() - used));
                // The last two bytes are the line end.
                let inside = usize::try_from(self.size.saturating_sub(2)).map_or(here, |inside| inside.min(here));
                data(&bytes[used..used + inside]);
                used += here;
                self.size -= here as u64;
                if self.size == 0 {
                    self.phase = Phase::Size;
                }
                continue;
            }
            let byte = bytes[used];
            used += 1;
            match (self.phase, byte) {
                (Phase::Size | Phase::Extension, b'\n') => {
                    self.phase = if self.size == 0 { Phase::Trailer } else { Phase::Data };
                    self.size = if self.size == 0 { 0 } else { self.size.checked_add(2)? };
                }
                (Phase::Size, b'\r' | b';' | b' ' | b'\t') => self.phase = Phase::Extension,
                (Phase::Size, digit) => {
                    let digit = char::from(digit).to_digit(16)?;
                    self.size = self.size.checked_mul(16)?.checked_add(u64::from(digit))?;
                }
                (Phase::Trailer, b'\n') => self.phase = Phase::Done,
                (Phase::Trailer, b'\r') => {}
                (Phase::Trailer, _) => self.phase = Phase::TrailerLine,
                (Phase::TrailerLine, b'\n') => self.phase = Phase::Trailer,
                _ => {}
            }
        }
        Some(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_length_may_be_a_list_of_equal_values() {
        for (value, says) in [
            ("5", Some(5)),
            ("5, 5", Some(5)),
            ("5,6", None),
            ("+5", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(length(value), says, "{value}");
        }
    }
}
