//! Where frames begin, when nobody said so: after a gap over a header, or in a connection whose handshake was not seen.
//!
//! In: the bytes of one direction from somewhere on, as they come ([`Collected`]). Out: the offset of a frame's header (RFC 6455 §5.2) from
//! which the rest can be decoded, or the wish for more bytes; and for both directions together, whether they carry frames at all ([`infer`]).
//!
//! # How it decides
//!
//! Every offset may be a header; each is the start of a *chain*: its length says where the next header must be, and so on. A chain with a
//! header that cannot be (reserved opcode or bit, control frame too long, length not minimal or beyond 4 GB, mask against the direction's role,
//! a continuation of nothing, a text payload that is not UTF-8, a compressed one that does not inflate, anything after close) is dead. One that
//! leads into a gap is worth what it is worth by then. Each is worth the logarithm (in bits) of how much more likely its bytes are
//! as frames than as random bytes:
//!
//! - where it starts: −4 at the start of a segment, −16 elsewhere: so many places there are to start by chance; 6 behind a head of HTTP
//!   that was cut, where nearly always a frame begins;
//! - each header: log₂ of its share among real frames over its share among random bytes (1/256): 6 bits for text, 5 for binary, less for rare
//!   ones; nothing for empty frames, which any run of 16-bit numbers imitates, and for one that repeats the masking key before it;
//! - a frame that ends where a segment ends: 5 bits with a length of 7 bits, 10 with one of 16;
//! - a text payload: 1.4 bits a printable character (95 of 256 bytes are), 3 and more a longer UTF-8 sequence, up to 40; JSON's braces 6 each;
//! - a compressed payload whose blocks end exactly with the message (which one of some 1,000 random ones does): 10 bits.
//!
//! What the chain from each offset is worth follows from the one that begins behind its first frame, so one pass from the last byte to the
//! first finds the best (`search`). Nothing is kept between passes but the bytes, and a pass is made when a quarter more of them has
//! come: work and memory are linear in the bytes. What is read of payloads is paid from a budget that grows with the bytes.
//!
//! [`Purpose::Infer`] wants 50 bits of both directions together ([`infer`]), where what repeats (perhaps every second frame) counts once,
//! and a direction in which nothing can be a frame counts against. [`Purpose::Regain`] knows that there are frames: it wants 20, and less
//! when the stream ends exactly where the chain does, and that no chain that leads elsewhere is nearly as good.
//!
//! A chain's first frame may be a false one that happens to lead to a true header. So decoding starts at the second one, unless the first
//! speaks for itself or begins a segment: what is lost by that is the first frame after the gap at most. Headers in what looks
//! like one masked text begin no chain. Two false headers in a row remain possible in other payloads, about once in 1,000 gaps inside large ones.

mod collected;
mod evidence;
mod frame;
mod infer;
mod payload;
mod search;
mod window;

pub use collected::Collected;
pub use infer::{Masks, infer};
pub(super) use payload::is_text;
pub(super) use search::Scratch;

/// What is known of the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expect {
    /// What for.
    pub purpose: Purpose,
    /// Its frames are masked (a client's), or not (a server's), when that is known.
    pub masked: Option<bool>,
    /// permessage-deflate was agreed upon, or not, when that is known: else RSV1 is possible.
    pub deflate: Option<bool>,
}

/// How sure it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The direction carries frames: find where the next one begins.
    Regain,
    /// Find out whether it carries frames at all.
    Infer,
    /// The same, when a handshake was seen that was cut before it said to what.
    Confirm,
}

#[cfg(test)]
mod tests;
