//! Storage that outsiders can fill: each kind has a bound, and says what had to go.

mod budget;
mod lru;
mod slab;

pub(crate) use budget::{Account, Budget, Victim};
pub(crate) use lru::LruList;
pub use slab::{Handle, Slab};
