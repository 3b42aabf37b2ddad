//! The types that every module uses. No other module is imported here.

mod appearance;
mod captured;
mod counted;
mod endpoint;
mod gap;
mod json_string;
mod limits;
mod packet_ref;
mod per_direction;
mod time;
mod violation;

/// The digits of hexadecimal numbers.
pub const HEX_DIGITS: [u8; 16] = *b"0123456789abcdef";

pub use appearance::appearance;
pub use captured::Captured;
pub(crate) use counted::counted;
pub use endpoint::{Direction, Endpoint, Side};
pub use gap::{Gap, GapCause};
pub use json_string::Text;
pub use limits::Limits;
pub use packet_ref::PacketRef;
pub use per_direction::PerDirection;
pub use time::Timestamp;
pub use violation::{Rule, Violation};
