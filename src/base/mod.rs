//! The words that every floor uses. No floor of ours is imported here.

mod captured;
mod endpoint;
mod gap;
mod limits;
mod time;
mod violation;

pub use captured::Captured;
pub use endpoint::{Direction, Endpoint, Side};
pub use gap::{Gap, GapCause};
pub use limits::Limits;
pub use time::Timestamp;
pub use violation::{Rule, Violation};
