//! TLS 1.2 (RFC 5246) and 1.3 (RFC 8446) with the help of a key log: the two streams of a connection in, their plaintext out.
//!
//! In: [`Chunk`](crate::layer::Chunk)s and gaps of both directions, and the secrets that are known ([`Shared`]), which may come later
//! than the records. Out, to an [`Output`]: plaintext, what is missing of it, and [`Fact`]s about the connection.
//!
//! After a loss the next record is found by its header (`framer`) and its sequence number by trying: the tag of a record (RFC 8446
//! §5.2) proves both, and key and number together when the handshake was not captured. Nothing that is not proven comes out.

mod alert;
mod connection;
mod derive;
mod facts;
mod framer;
mod half;
mod handshake;
mod hello;
mod key_log;
mod late;
mod layer;
mod report;
mod reading;
mod lost;
mod opener;
mod secrets;
mod shared;
mod suite;
mod suite_names;

pub use alert::Alert;
pub use connection::Tls;
pub use facts::{Agreed, Content, Fact, Output, PlainGap, Record, Totals, Unread};
pub use hello::{ClientHello, ServerHello};
pub use key_log::{KeyLogReader, Lines};
pub(crate) use layer::{AllEnded, TlsLayer, retry_ended};
pub use report::Report;
pub use secrets::{KeySource, Random, Secrets};
pub use shared::Shared;
pub use suite::Suite;
