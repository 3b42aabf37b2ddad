//! What messages mean to the application, worked out once, in the engine, by its dissectors.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

use crate::base::{Direction, PacketRef, Text};

/// What one message means, or one document in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interpretation<'a> {
    /// Where the document lies in the message (offset and length in bytes), when the message may hold several.
    pub document: Option<(usize, usize)>,
    /// The protocol on top of WebSocket: `JSON-RPC`, `Socket.IO`, `chat` …
    pub protocol: &'static str,
    /// What the message does in it.
    pub action: Action,
    /// What it is called: an event, a method, a destination.
    pub label: Option<Text<'a>>,
    /// What ties requests and answers together.
    pub id: Option<Text<'a>>,
    /// What it is in an exchange of request and answer.
    pub exchange: Exchange,
    /// The request that it answers, when that was seen.
    pub answers: Option<Answers>,
    /// What its dissector adds.
    pub fields: Fields<'a>,
}

impl<'a> Interpretation<'a> {
    /// A message of `protocol` that does this, of which nothing else is known.
    #[inline]
    pub fn new(protocol: &'static str, action: Action) -> Self {
        Self {
            document: None,
            protocol,
            action,
            label: None,
            id: None,
            exchange: Exchange::None,
            answers: None,
            fields: Fields::default(),
        }
    }

    /// The same with a label.
    #[inline]
    pub fn label(mut self, label: Option<Text<'a>>) -> Self {
        self.label = label;
        self
    }

    /// The same with an identifier.
    #[inline]
    pub fn id(mut self, id: Option<Text<'a>>) -> Self {
        self.id = id;
        self
    }

    /// The same as a part of an exchange.
    #[inline]
    pub fn exchange(mut self, exchange: Exchange) -> Self {
        self.exchange = exchange;
        self
    }

    /// The same with a field, when there is a value for it.
    #[inline]
    pub fn field(mut self, name: &'static str, value: Option<Field<'a>>) -> Self {
        if let Some(value) = value {
            self.fields.push(name, value);
        }
        self
    }
}

/// What a message does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Opens the application's session.
    Open,
    /// Confirms that.
    Opened,
    /// Ends it.
    Close,
    /// Asks whether the other one is there.
    Ping,
    /// Answers that.
    Pong,
    /// Something happened.
    Event,
    /// Confirms one message.
    Confirm,
    /// Asks for something, and wants an answer.
    Request,
    /// Answers a request.
    Response,
    /// Something failed.
    Error,
    /// Asks for all that comes under a name.
    Subscribe,
    /// Takes that back.
    Unsubscribe,
    /// Brings what was subscribed to or asked for.
    Data,
    /// No more of it will come.
    Complete,
    /// Gives the other side something.
    Send,
    /// Anything else with a name.
    Other,
    /// A verb of the dissector's own.
    Named(&'static str),
}

impl Action {
    /// As in the JSON view.
    pub const fn name(self) -> &'static str {
        match self {
            Action::Open => "open",
            Action::Opened => "opened",
            Action::Close => "close",
            Action::Ping => "ping",
            Action::Pong => "pong",
            Action::Event => "event",
            Action::Confirm => "confirm",
            Action::Request => "request",
            Action::Response => "response",
            Action::Error => "error",
            Action::Subscribe => "subscribe",
            Action::Unsubscribe => "unsubscribe",
            Action::Data => "data",
            Action::Complete => "complete",
            Action::Send => "send",
            Action::Other => "other",
            Action::Named(name) => name,
        }
    }
}

/// What a message is in an exchange of requests and answers. Its dissector says so; what belongs together is found for all of them in
/// one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exchange {
    /// Nothing.
    #[default]
    None,
    /// A request: an answer with the same key is due.
    Request(Key),
    /// Asks for all that will come: the first that comes is the answer, and none is due.
    Subscription(Key),
    /// The sender takes its request back: no answer is due any more.
    Cancel(Key),
    /// The answer to a request.
    Answer(Key),
    /// A pong, the answer to the ping of that key that has none. Of several nobody knows which one it means (RFC 6455 §5.5.3).
    Pong(Key),
    /// The answer to the latest request of that key, when that has none; nothing otherwise.
    Latest(Key),
}

/// What ties an answer to its request, within a session and a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(u64);

/// Bytes of a text that count in a [`Key`], at most: whole characters.
const KEY_BYTES: usize = 256;

impl Key {
    /// What the pings of an application have in common that carry nothing.
    pub const PING: Key = Key(0);

    /// Stands for these texts, whatever escapes they were written with.
    pub fn new<'t>(texts: impl IntoIterator<Item = Text<'t>>) -> Self {
        let mut hasher = FixedState::default().build_hasher();
        for text in texts {
            hasher.write(text.begin(&mut [0; KEY_BYTES]).as_bytes());
            hasher.write_u8(u8::MAX);
        }
        Self(hasher.finish())
    }

    /// Stands for these bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(FixedState::default().hash_one(bytes))
    }

    /// Stands for a number that the dissector has given.
    pub const fn of_number(number: u64) -> Self {
        Self(number)
    }

    /// As a number.
    pub(crate) const fn number(self) -> u64 {
        self.0
    }
}

/// The request that a message answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answers {
    /// The packet that completed the request.
    pub packet: u64,
    /// Nanoseconds since then.
    pub after: i64,
    /// What the request does.
    pub action: Action,
    /// What it was called.
    pub label: ShortText,
    /// It is one more answer, where one was wanted.
    pub again: bool,
}

/// A request that was not answered, as far as the capture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnansweredRequest {
    /// Who asked.
    pub direction: Direction,
    /// In which protocol.
    pub protocol: &'static str,
    /// What it does in it.
    pub action: Action,
    /// What it was called.
    pub label: ShortText,
    /// The packet that completed it.
    pub at: PacketRef,
}

/// No message has more fields; further ones are left out.
const MAX_FIELDS: usize = 8;

/// Fields that a dissector adds, in order; at most eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fields<'a> {
    items: [(&'static str, Field<'a>); MAX_FIELDS],
    count: u8,
}

impl<'a> Fields<'a> {
    /// Adds one.
    pub fn push(&mut self, name: &'static str, value: Field<'a>) {
        if let Some(place) = self.items.get_mut(usize::from(self.count)) {
            *place = (name, value);
            self.count += 1;
        }
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Field<'a>)> + '_ {
        self.items.iter().take(usize::from(self.count)).copied()
    }

    /// The one of that name.
    pub fn get(&self, name: &str) -> Option<Field<'a>> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The text of that name.
    pub fn text(&self, name: &str) -> Option<Text<'a>> {
        match self.get(name)? {
            Field::Text(text) => Some(text),
            Field::Json(_) | Field::Number(_) => None,
        }
    }
}

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'a> {
    /// Text.
    Text(Text<'a>),
    /// A value of JSON as it was sent.
    Json(&'a str),
    /// A number.
    Number(u64),
}

impl Default for Field<'_> {
    fn default() -> Self {
        Field::Number(0)
    }
}

/// The beginning of a text, kept by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ShortText {
    bytes: [u8; Self::BYTES],
    length: u8,
    cut: bool,
}

impl ShortText {
    /// Bytes that are kept.
    pub const BYTES: usize = 30;

    /// The beginning of `text`, its escapes resolved.
    pub fn new(text: Text<'_>) -> Self {
        let mut short = Self::default();
        let mut length = 0;
        for c in text.chars() {
            let Some(place) = short.bytes.get_mut(length..length + c.len_utf8()) else {
                short.cut = true;
                break;
            };
            c.encode_utf8(place);
            length += c.len_utf8();
        }
        short.length = length as u8;
        short
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }

    /// Whether something was left off.
    pub const fn is_cut(&self) -> bool {
        self.cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_are_bounded() {
        let mut fields = Fields::default();
        for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i"] {
            fields.push(name, Field::Text(Text::Plain(name)));
        }
        assert_eq!(fields.iter().map(|(name, _)| name).collect::<String>(), "abcdefgh");
        assert_eq!(fields.text("c"), Some(Text::Plain("c")));
        assert_eq!(fields.get("i"), None);
    }

    #[test]
    fn a_short_text_ends_at_a_character() {
        let long = "猪".repeat(11);
        let short = ShortText::new(Text::Plain(&long));
        assert_eq!((short.as_str().chars().count(), short.is_cut()), (10, true));
        assert_eq!(ShortText::new(Text::Json(r"\u732a")).as_str(), "猪");
    }
}
