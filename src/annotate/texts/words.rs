//! One sentence at a time, in one language: places, names, quotations, numbers.

use std::io::Write;
use std::net::IpAddr;

use super::{Catalog, Language, quoting};
use crate::annotate::{Agent, Labelled, Party, Person, Role, Span, Story, Title, What};
use crate::base::{Direction, HEX_DIGITS, Rule};
use crate::record::{Action, Opcode, SessionEnd};

/// What stands for a placeholder.
#[derive(Debug, Clone, Copy)]
pub enum Arg<'a> {
    /// Our own words, or digits.
    Raw(&'a str),
    /// A number.
    Num(u64),
    /// Captured words, quoted.
    Quote(Span),
    /// Somebody's name.
    Name(Span),
    /// An identifier.
    Id(Span),
    /// Somebody who talks, and where.
    Party(Party),
    /// The same without the place.
    Bare(Party),
    /// The place alone.
    Place(Party),
    /// The same, as the client sees its own.
    Local(Party),
    /// The same, as the client sees the server's.
    Remote(Party),
    /// A user.
    Person(Person),
    /// Something that was sent.
    What(What),
    /// Something that was sent, what came before it, and how many there are with it.
    Whats(What, Option<What>, u32),
    /// What a generic message does.
    Act(Action),
    /// The client or the server.
    Side(Direction),
    /// Several names, `\0` between them.
    Names(Span),
    /// That many bytes.
    Bytes(u64),
    /// That many nanoseconds.
    Time(i64),
    /// An address.
    Address(IpAddr),
    /// A masking key.
    Key([u8; 4]),
    /// A browser.
    Agent(Agent),
    /// How a session ended.
    Verdict(&'a SessionEnd),
    /// A rule that was broken, and what shows it.
    Broken(Rule, Span),
    /// The same without what shows it.
    Rule(Rule),
    /// What a packet is about.
    Title(&'a Title),
}

/// Writes sentences.
///
/// What was captured goes into the sentence in quotation marks ([`quoting`]) and through [`Escape`].
pub struct Words<'w> {
    pub(super) language: &'w Language,
    pub(super) catalog: &'static Catalog,
    pub(super) story: &'w Story,
    pub(super) out: &'w mut Vec<u8>,
    pub(super) begin: usize,
    pub(super) captured_first: bool,
    /// The next text loses a blank at its beginning.
    pub(super) skip_blank: bool,
    /// Writes captured words so that they can do no harm.
    pub(super) escape: Escape,
}

/// Appends captured bytes to a line of ours, made harmless.
pub type Escape = fn(&mut Vec<u8>, &[u8]);

impl Words<'_> {
    /// From here on another sentence is written.
    pub fn begin(&mut self) {
        self.begin = self.out.len();
        self.captured_first = false;
    }

    /// The sentence is written: it begins with a capital letter, unless it begins with something captured.
    pub fn end(&mut self) {
        if !self.captured_first
            && let Some(first) = self.out.get_mut(self.begin)
        {
            first.make_ascii_uppercase();
        }
    }

    /// Writes words of ours as they are.
    pub fn plain(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Writes in brackets what is said beside.
    pub fn beside(&mut self, write: impl FnOnce(&mut Self)) {
        let [open, close] = self.catalog.brackets;
        self.plain(open);
        write(self);
        self.plain(close);
    }

    /// Lets somebody else write.
    pub fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(self.out);
    }

    /// Writes items behind a colon, if there are any.
    pub fn items<T>(&mut self, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        for (i, item) in items.enumerate() {
            self.plain(if i == 0 { self.catalog.colon } else { self.catalog.comma });
            write(self, item);
        }
    }

    /// Writes the text of that index, its placeholders filled.
    pub(super) fn fill(&mut self, index: usize, args: &[Arg<'_>]) {
        let language = self.language;
        let Some(pieces) = language.texts.get(index) else {
            return;
        };
        for piece in pieces {
            let mut text = piece.text;
            if self.skip_blank {
                self.skip_blank = false;
                text = text.strip_prefix(b" ").unwrap_or(text);
            }
            self.out.extend_from_slice(text);
            if let Some(arg) = args.get(usize::from(piece.arg)) {
                let at = self.out.len();
                self.put(*arg);
                if !self.catalog.contractions.is_empty() {
                    self.contract(at);
                }
                if self.catalog.spaced {
                    self.space(at, piece.behind);
                }
            }
        }
    }

    /// Two words that meet at `at` become one where the language wants that.
    fn contract(&mut self, at: usize) {
        for &(before, behind, together) in self.catalog.contractions {
            let start = at.saturating_sub(before.len());
            if self.out[at..].starts_with(behind.as_bytes())
                && self.out[..at].ends_with(before.as_bytes())
                && (start == 0 || self.out[start - 1] == b' ' || start == self.begin)
            {
                self.out.splice(start..at + behind.len(), together.bytes());
            }
        }
    }

    /// Between Han and a Latin letter or digit goes a blank, between Han and a quotation mark none: sees to both ends of what
    /// was put at `at`, behind which `behind` follows.
    fn space(&mut self, at: usize, behind: &[u8]) {
        const MARK: &[u8] = "「".as_bytes();
        let is_han = |lead: u8| (0xe4..=0xe9).contains(&lead);
        let before = &self.out[..at];
        if at > self.begin && self.out[at..].starts_with(MARK) && before.ends_with(b" ") {
            self.out.remove(at - 1);
        } else if self.out.get(at).is_some_and(u8::is_ascii_alphanumeric) && at >= 3 && is_han(before[at - 3]) {
            self.out.insert(at, b' ');
        }
        match (self.out.last(), behind) {
            (Some(last), [next, ..]) if last.is_ascii_alphanumeric() && is_han(*next) => self.out.push(b' '),
            (Some(last), [b' ', next, ..]) if !last.is_ascii() && is_han(*next) => self.skip_blank = true,
            _ => {}
        }
    }

    /// Writes what stands for a placeholder.
    pub fn put(&mut self, arg: Arg<'_>) {
        match arg {
            Arg::Raw(text) => self.out.extend_from_slice(text.as_bytes()),
            Arg::Num(n) => self.number(n),
            Arg::Quote(span) => self.quote(span),
            Arg::Name(span) => self.name(span),
            Arg::Id(span) => self.id(span),
            Arg::Party(party) => self.party(&party),
            Arg::Bare(party) => self.role(party.role),
            Arg::Place(party) => self.place(&party),
            Arg::Local(party) => match (self.port_alone(&party), Arg::Num(party.at.port.into())) {
                (true, port) => self.local_port(port),
                (false, port) => self.local_at(Arg::Address(party.at.addr), port),
            },
            Arg::Remote(party) => match (self.port_alone(&party), Arg::Num(party.at.port.into())) {
                (true, port) => self.remote_port(port),
                (false, port) => self.remote_at(Arg::Address(party.at.addr), port),
            },
            Arg::Person(person) => self.person(&person),
            Arg::What(what) => self.what(&what),
            Arg::Whats(what, Some(first), _) => self.what_two(Arg::What(first), Arg::What(what)),
            Arg::Whats(what, None, 0) => self.what(&what),
            Arg::Whats(what, None, more) => self.what_more(Arg::What(what), Arg::Num(more.into())),
            Arg::Act(act) => self.act(act),
            Arg::Side(Direction::ClientToServer) => self.v_client(),
            Arg::Side(Direction::ServerToClient) => self.v_server(),
            Arg::Names(span) => self.names(span),
            Arg::Bytes(1) => self.byte(),
            Arg::Bytes(n) => self.bytes(Arg::Num(n)),
            Arg::Time(nanos) => self.time(nanos),
            Arg::Address(address) => self.address(address),
            Arg::Key(key) => self.key(key),
            Arg::Verdict(end) => self.verdict(end),
            Arg::Broken(rule, about) => {
                let story = self.story;
                self.broken(rule, std::str::from_utf8(story.text(about)).unwrap_or_default());
            }
            Arg::Rule(rule) => self.rule(rule),
            Arg::Title(title) => self.title_inside(title),
            Arg::Agent(agent) => match agent.system {
                Some(system) => self.agent_on(Arg::Raw(agent.name), Arg::Num(agent.version.into()), Arg::Raw(system)),
                None => self.agent(Arg::Raw(agent.name), Arg::Num(agent.version.into())),
            },
        }
    }

    fn number(&mut self, n: u64) {
        self.out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
    }

    fn address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => {
                for (i, octet) in address.octets().into_iter().enumerate() {
                    if i > 0 {
                        self.out.push(b'.');
                    }
                    self.number(octet.into());
                }
            }
            IpAddr::V6(address) => {
                // Writing to a vector cannot fail.
                let _ = write!(self.out, "{address}");
            }
        }
    }

    fn key(&mut self, key: [u8; 4]) {
        for (i, byte) in key.into_iter().enumerate() {
            if i > 0 {
                self.out.push(b' ');
            }
            self.out.push(HEX_DIGITS[usize::from(byte >> 4)]);
            self.out.push(HEX_DIGITS[usize::from(byte & 15)]);
        }
    }

    /// Nanoseconds, as far as one wants to know.
    fn time(&mut self, nanos: i64) {
        if nanos <= -500 {
            // A clock was set back.
            self.plain("-");
        }
        let nanos = nanos.unsigned_abs();
        let mut buffer = [0; 32];
        let decimal = self.catalog.decimal;
        // Each unit as far as rounding does not fill the next one.
        match nanos {
            0..999_500 => self.micros(Arg::Num(rounded(nanos, 1000))),
            999_500..999_950_000 => self.millis(Arg::Raw(tenths(&mut buffer, rounded(nanos, 100_000), decimal))),
            999_950_000..119_950_000_000 => {
                self.seconds(Arg::Raw(tenths(&mut buffer, rounded(nanos, 100_000_000), decimal)));
            }
            _ => {
                let seconds = rounded(nanos, 1_000_000_000);
                self.minutes(Arg::Num(seconds / 60), Arg::Num(seconds % 60));
            }
        }
    }

    /// Captured words in quotation marks.
    pub(super) fn quote(&mut self, span: Span) {
        let marks = self.catalog.quotes.map(str::as_bytes);
        let text = self.story.text(span);
        self.mark_open();
        quoting::words(self.out, text, marks, self.escape);
        self.mark_close(span.cut);
    }

    /// A name, in quotation marks like everything captured: a bare one could pass for our own words.
    pub(super) fn name(&mut self, span: Span) {
        let text = self.story.text(span);
        self.mark_open();
        quoting::name(self.out, text, self.escape);
        self.mark_close(span.cut);
    }

    fn mark_open(&mut self) {
        self.captured_first |= self.out.len() == self.begin;
        self.out.extend_from_slice(self.catalog.quotes[0].as_bytes());
    }

    fn mark_close(&mut self, cut: bool) {
        if cut {
            self.out.extend_from_slice(self.catalog.ellipsis.as_bytes());
        }
        self.out.extend_from_slice(self.catalog.quotes[1].as_bytes());
    }

    /// An identifier, which stands behind a word that says so: bare when it is a number or looks like one in hexadecimal.
    fn id(&mut self, span: Span) {
        let text = self.story.text(span);
        let digits = text.iter().all(u8::is_ascii_hexdigit) && text.iter().any(u8::is_ascii_digit);
        if span.cut || text.len() > BARE_ID || !digits {
            return self.name(span);
        }
        self.out.extend_from_slice(text);
    }

    fn names(&mut self, span: Span) {
        let text = self.story.text(span);
        let mut start = 0;
        let count = memchr::memchr_iter(0, text).count() + 1;
        for n in 0..count {
            let end = memchr::memchr(0, &text[start..]).map_or(text.len(), |at| start + at);
            if n > 0 {
                let last = n + 1 == count && !span.cut;
                let between = if last { self.catalog.and } else { self.catalog.comma };
                self.out.extend_from_slice(between.as_bytes());
            }
            let at = self.out.len();
            self.name(span.part(start, end));
            if self.catalog.spaced {
                self.space(
                    at,
                    if n + 1 < count {
                        self.catalog.and.as_bytes()
                    } else {
                        b""
                    },
                );
            }
            start = end + 1;
        }
    }

    fn role(&mut self, role: Role) {
        match role {
            Role::Browser => self.browser(),
            Role::Client => self.client(),
            Role::Server => self.server(),
        }
    }

    /// The port of `party` tells who it is.
    fn port_alone(&self, party: &Party) -> bool {
        party.here || self.story.ports_alone
    }

    fn place(&mut self, party: &Party) {
        let port = Arg::Num(party.at.port.into());
        if self.port_alone(party) {
            return self.at_port(port);
        }
        self.at_address(Arg::Address(party.at.addr), port);
    }

    fn party(&mut self, party: &Party) {
        let place = Arg::Place(*party);
        match (party.role, party.person) {
            (Role::Browser, None) => self.browser_at(place),
            (Role::Client, None) => self.client_at(place),
            (Role::Browser, Some(person)) if is_shared(&person) => {
                self.browser_of_shared(Arg::Name(person.name), Arg::Id(person.id), place);
            }
            (Role::Client, Some(person)) if is_shared(&person) => {
                self.client_of_shared(Arg::Name(person.name), Arg::Id(person.id), place);
            }
            (Role::Browser, Some(person)) => self.browser_of(Arg::Person(person), place),
            (Role::Client, Some(person)) => self.client_of(Arg::Person(person), place),
            (Role::Server, _) => self.server_at(place),
        }
    }

    fn person(&mut self, person: &Person) {
        match (person.name.is_empty(), person.id.is_empty()) {
            (true, true) => self.person_unknown(),
            (true, false) => self.person_id(Arg::Id(person.id)),
            (false, false) if is_shared(person) => self.person_shared(Arg::Name(person.name), Arg::Id(person.id)),
            (false, _) => self.name(person.name),
        }
    }

    fn what(&mut self, what: &What) {
        match *what {
            What::UpgradeRequest => self.what_upgrade_request(),
            What::UpgradeResponse => self.what_upgrade_response(),
            What::Login(name) => self.what_login(Arg::Name(name)),
            What::UserList => self.what_user_list(),
            What::LoginResult => self.what_login_result(),
            What::LoginNotice(person) => self.what_login_notice(Arg::Person(person)),
            What::LogoutNotice(person) => self.what_logout_notice(Arg::Person(person)),
            What::Say(content) | What::Forward(content) => self.what_say(Arg::Quote(content)),
            What::AppPing => self.what_app_ping(),
            What::AppPong => self.what_app_pong(),
            What::Refusal => self.what_refusal(),
            What::Labelled(Labelled {
                protocol,
                action,
                label,
            }) => {
                let protocol = Arg::Raw(protocol);
                if label.is_empty() {
                    self.what_labelled(protocol, Arg::Act(action));
                } else {
                    self.what_labelled_name(protocol, Arg::Act(action), Arg::Quote(label));
                }
            }
            What::Message(Opcode::Text, n) => self.what_text(Arg::Bytes(n)),
            What::Message(Opcode::Binary, n) => self.what_binary(Arg::Bytes(n)),
            What::Message(Opcode::Ping, _) => self.what_ping(),
            What::Message(Opcode::Pong, _) => self.what_pong(),
            What::Message(Opcode::Close, _) => self.what_close(),
            What::Message(Opcode::Continuation | Opcode::Unknown, _) => self.what_some(),
            What::Message(Opcode::Reserved(n), _) => self.what_reserved(Arg::Num(n.into())),
        }
    }

    fn act(&mut self, act: Action) {
        match act {
            Action::Open => self.act_open(),
            Action::Opened => self.act_opened(),
            Action::Close => self.act_close(),
            Action::Ping => self.act_ping(),
            Action::Pong => self.act_pong(),
            Action::Event => self.act_event(),
            Action::Confirm => self.act_confirm(),
            Action::Request => self.act_request(),
            Action::Response => self.act_response(),
            Action::Error => self.act_error(),
            Action::Subscribe => self.act_subscribe(),
            Action::Unsubscribe => self.act_unsubscribe(),
            Action::Data => self.act_data(),
            Action::Complete => self.act_complete(),
            Action::Send => self.act_send(),
            Action::Named("upgrade") => self.act_upgrade(),
            Action::Named("attachment") => self.act_attachment(),
            Action::Named("noop") => self.act_noop(),
            Action::Named("received") => self.act_received(),
            Action::Named("release") => self.act_release(),
            Action::Named("auth") => self.act_auth(),
            _ => self.act_other(),
        }
    }
}

/// Bytes of an identifier that may stand without quotation marks.
const BARE_ID: usize = 32;

/// The name alone does not tell who it is.
const fn is_shared(person: &Person) -> bool {
    person.shared && !person.name.is_empty() && !person.id.is_empty()
}

/// How many units `n` is, rounded half up.
const fn rounded(n: u64, unit: u64) -> u64 {
    n.saturating_add(unit / 2) / unit
}

fn tenths<'b>(buffer: &'b mut [u8; 32], n: u64, decimal: &str) -> &'b str {
    let mut length = 0;
    let mut push = |bytes: &[u8]| {
        buffer[length..length + bytes.len()].copy_from_slice(bytes);
        length += bytes.len();
    };
    push(itoa::Buffer::new().format(n / 10).as_bytes());
    push(decimal.as_bytes());
    push(itoa::Buffer::new().format(n % 10).as_bytes());
    std::str::from_utf8(&buffer[..length]).unwrap_or_default()
}
