//! How wide lines of a terminal are.

use unicode_width::UnicodeWidthChar;

/// Cuts what begins at `begin` to `room` columns, an ellipsis included. Gives whether it was longer.
pub(super) fn cut(out: &mut Vec<u8>, begin: usize, room: usize) -> bool {
    if columns(&out[begin..]) <= room {
        return false;
    }
    let mut room = room.saturating_sub(1);
    let mut end = begin;
    for (at, len, columns) in pieces(&out[begin..]) {
        if columns > room {
            break;
        }
        room -= columns;
        end = begin + at + len;
    }
    out.truncate(end);
    out.extend_from_slice("…".as_bytes());
    true
}

/// How many columns of a terminal `line` takes; our colours take none.
pub(super) fn columns(line: &[u8]) -> usize {
    pieces(line).map(|(_, _, columns)| columns).sum()
}

/// The characters and colours of `line`: where each begins, how many bytes it has, how many columns it takes.
fn pieces(line: &[u8]) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
    // Lines are UTF-8, since what was captured has been escaped.
    let text = std::str::from_utf8(line).unwrap_or_default();
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let ch = rest.chars().next()?;
        let (len, columns) = match ch {
            // Only our own colours begin with an escape.
            '\x1b' => (rest.find('m').map_or(1, |end| end + 1), 0),
            ' '..='~' => (1, 1),
            _ => (ch.len_utf8(), ch.width().unwrap_or(0)),
        };
        at += len;
        Some((at - len, len, columns))
    })
}
