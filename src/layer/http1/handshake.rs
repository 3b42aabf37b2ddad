//! What a handshake means for the frames behind it.

use crate::base::{Direction, PerDirection};
use crate::layer::ws::Decoder;
use crate::layer::ws::inflate::Inflater;
use crate::record::Handshake;

/// What reads the frames behind the heads.
pub(crate) fn decoders(handshake: &Handshake) -> PerDirection<Decoder> {
    decoders_from(handshake, |direction| {
        let head = match direction {
            Direction::ClientToServer => Some(&handshake.request.range).filter(|range| range.end > 0),
            Direction::ServerToClient => handshake.response.as_ref().map(|response| &response.range),
        };
        head.map(|head| head.end)
    })
}

/// The same, when the first frames begin at these offsets of their streams, as far as that is known.
pub(crate) fn decoders_from(handshake: &Handshake, begin: impl Fn(Direction) -> Option<u64>) -> PerDirection<Decoder> {
    PerDirection::from_fn(|direction| {
        let inflater = inflater(handshake, direction);
        let decoder = match begin(direction) {
            Some(begin) => Decoder::new(direction, begin, inflater, false),
            None => Decoder::unsynced(direction, inflater, false),
        };
        decoder.extended(handshake.extended())
    })
}

/// What undoes `direction`'s compression, as far as the handshake tells.
fn inflater(handshake: &Handshake, direction: Direction) -> Option<Box<Inflater>> {
    let inflater = match (handshake.deflate, direction) {
        (Some(d), Direction::ClientToServer) => Inflater::new(!d.client_no_context_takeover, d.client_max_window_bits),
        (Some(d), Direction::ServerToClient) => Inflater::new(!d.server_no_context_takeover, d.server_max_window_bits),
        // Right for any parameters.
        (None, _) if handshake.deflate_unknown => Inflater::new(true, 15),
        (None, _) => return None,
    };
    Some(Box::new(inflater))
}
