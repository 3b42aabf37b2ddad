//! The words that every floor uses. No floor of ours is imported here.

mod captured;
mod endpoint;
mod gap;
mod json_string;
mod lending;
mod limits;
mod lists;
mod time;
mod violation;

pub use captured::Captured;
pub use endpoint::{Direction, Endpoint, Side};
pub use gap::{Gap, GapCause};
pub use json_string::Text;
pub use lending::{Lease, Lending};
pub use limits::Limits;
pub(crate) use lists::Lists;
pub use time::Timestamp;
pub use violation::{Rule, Violation};
