//! Handshake messages (RFC 8446 §4, RFC 5246 §7.4), several in a record or one over several records.

use super::hello::{ClientHello, EncryptedExtensions, ServerHello};

/// Of a message, so many bytes are kept until it is whole; what follows is let go unread.
const KEPT: usize = 16 << 10;

/// What a message tells us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    ClientHello(Box<ClientHello>),
    ServerHello(Box<ServerHello>),
    EncryptedExtensions(EncryptedExtensions),
    /// NewSessionTicket, with its body.
    Ticket(Vec<u8>),
    EndOfEarlyData,
    Finished,
    KeyUpdate,
    /// Another one, by its number.
    Other(u8),
}

/// The handshake messages of one direction.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// The beginning of a message, its header included.
    bytes: Vec<u8>,
    /// How much of it is still to come.
    left: usize,
    /// The beginning of what comes next is not known: messages were lost.
    lost: bool,
}

impl Messages {
    /// Bytes of memory that it keeps.
    pub(super) fn cost(&self) -> usize {
        self.bytes.capacity()
    }

    /// Takes the content of a record in; `next` gives what is whole then.
    pub(super) fn next(&mut self, content: &mut &[u8]) -> Option<Told> {
        if std::mem::take(&mut self.lost) {
            self.bytes.clear();
            self.left = 0;
        }
        if self.left == 0 {
            let header = 4usize.saturating_sub(self.bytes.len());
            self.keep(content, header);
            let &[_, high, middle, low] = self.bytes.first_chunk()?;
            if self.bytes.len() == 4 {
                self.left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            }
        }
        let count = self.left.min(content.len());
        self.left -= count;
        self.keep(content, count);
        if self.left > 0 {
            return None;
        }
        read(&std::mem::take(&mut self.bytes), true)
    }

    /// What follows was lost: tells what there is of the message that has begun.
    pub(super) fn cut(&mut self) -> Option<Told> {
        self.lost = true;
        (self.bytes.len() > 4).then(|| read(&self.bytes, false)).flatten()
    }

    fn keep(&mut self, content: &mut &[u8], count: usize) {
        let (taken, rest) = content.split_at(count.min(content.len()));
        *content = rest;
        let kept = taken.len().min(KEPT.saturating_sub(self.bytes.len()));
        self.bytes.extend_from_slice(&taken[..kept]);
    }
}

fn read(message: &[u8], whole: bool) -> Option<Told> {
    let (&[kind, ..], body) = message.split_first_chunk::<4>()?;
    Some(match kind {
        1 => ClientHello::read(body).map_or(Told::Other(1), |hello| Told::ClientHello(Box::new(hello))),
        2 => ServerHello::read(body, whole).map_or(Told::Other(2), |hello| Told::ServerHello(Box::new(hello))),
        4 => Told::Ticket(body.to_vec()),
        5 => Told::EndOfEarlyData,
        8 => Told::EncryptedExtensions(EncryptedExtensions::read(body)),
        20 => Told::Finished,
        24 => Told::KeyUpdate,
        other => Told::Other(other),
    })
}
