//! What messages mean to the application, worked out once, in the engine, by its dissectors.

use crate::base::Text;

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
    /// The request that it answers, when that was seen.
    pub answers: Option<Answers>,
    /// What its dissector adds.
    pub fields: Fields<'a>,
}

impl<'a> Interpretation<'a> {
    /// A message of `protocol` that does this, of which nothing else is known.
    pub fn new(protocol: &'static str, action: Action) -> Self {
        Self {
            document: None,
            protocol,
            action,
            label: None,
            id: None,
            answers: None,
            fields: Fields::default(),
        }
    }

    /// The same with a label.
    pub fn label(mut self, label: Option<Text<'a>>) -> Self {
        self.label = label;
        self
    }

    /// The same with an identifier.
    pub fn id(mut self, id: Option<Text<'a>>) -> Self {
        self.id = id;
        self
    }

    /// The same with a field, when there is a value for it.
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

    /// Whether it may be answered by a message with the same identifier.
    pub const fn is_asking(self) -> bool {
        matches!(
            self,
            Action::Request | Action::Subscribe | Action::Event | Action::Send | Action::Close
        )
    }

    /// Whether it may answer a message with the same identifier.
    pub const fn is_answering(self) -> bool {
        matches!(
            self,
            Action::Response | Action::Error | Action::Data | Action::Complete | Action::Confirm
        )
    }
}

/// The request that a message answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answers {
    /// The packet that completed the request.
    pub packet: u64,
    /// Nanoseconds since then.
    pub after: i64,
    /// What the request was called.
    pub label: ShortText,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
