//! Where frames begin, when nobody said so: after a gap over a header, or in a connection whose handshake was not seen.
//!
//! In: the bytes of one direction from somewhere on, as they come. Out: the offset of a frame's header (RFC 6455 §5.2) from which the
//! rest can be decoded, or the wish for more bytes.
//!
//! ```
//! use wschat_sniff::layer::ws::resync::{Expect, Found, Purpose, Resync};
//!
//! let mut bytes = b"ayload of a frame that began earlier\"}".to_vec();
//! for text in [&b"{\"type\":\"ping\"}"[..], b"{\"type\":\"say\",\"content\":\"hi\"}"] {
//!     bytes.extend([0x81, text.len() as u8]);
//!     bytes.extend(text);
//! }
//! let mut resync = Resync::new(Expect { purpose: Purpose::Regain, masked: Some(false), deflate: Some(false) });
//! let Found::Header(start) = resync.look(&bytes, false) else { panic!() };
//! assert_eq!(start.offset, 38);
//! ```
//!
//! # How it decides
//!
//! Every offset may be a header; each is the start of a *chain*: its length says where the next header must be, and so on. A chain with a
//! header that cannot be (reserved opcode or bit, control frame too long, length not minimal, mask against the direction's role, a
//! continuation of nothing, a text payload that is not UTF-8, a compressed one that does not inflate, anything after close) is dead. One that
//! leads into a gap is worth what it is worth by then. Each has
//! a score: the logarithm (in bits) of how much more likely its bytes are as frames than as random bytes:
//!
//! - where it starts: −4 at the start of a segment, −16 elsewhere: so many places there are to start by chance; 6 behind a head of HTTP
//!   that was cut, where nearly always a frame begins;
//! - each header: log₂ of its share among real frames over its share among random bytes (1/256): 6 bits for text, 5 for binary, less for rare
//!   ones; nothing for empty frames, which any run of 16-bit numbers imitates;
//! - a frame that ends where a segment ends: 5 bits with a length of 7 bits, 10 with one of 16;
//! - a text payload: 1.4 bits a printable character (95 of 256 bytes are), 3 and more a longer UTF-8 sequence, up to 40; JSON's braces 6 each;
//! - a compressed payload whose blocks end exactly with the message (which one of some 1,000 random ones does): 10 bits.
//!
//! [`Purpose::Infer`] wants 50 bits: chance gives that in fewer than one of 10⁻¹² of the places where it might. What
//! binary formats imitate (MQTT's SUBSCRIBE is 0x82 and a length) is capped below that: unmasked frames alone do not suffice without text.
//! [`Purpose::Regain`] knows that there are frames: it wants 20, and less when the stream ends exactly where the chain does.
//!
//! A chain's first frame may be a false one that happens to lead to a true header. So decoding starts at the second one, unless the first
//! speaks for itself: what is lost by that is the first frame after the gap at most. Headers that stand in what looks like one masked
//! text do not count as first ones. Two false headers in a row remain possible in other payloads, about once in 1,000 gaps inside large ones.
//!
//! Work is linear in the bytes: a chain goes on from where it stands, chains that meet become one, and the looks into payloads are paid from a budget
//! that grows with the bytes.

mod chain;
mod collected;
mod payload;
mod search;

pub use collected::Collected;
pub(super) use payload::bits as payload_bits;
pub use search::{Expect, Found, Purpose, Resync, Start};

#[cfg(test)]
mod tests;
