//! Which request a message answers, and which requests are never answered: by session, direction and key, among the last requests of
//! all sessions. A ping is a request, and its payload is its key (RFC 6455 §5.5.3).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, Hasher};

use foldhash::quality::RandomState;

use super::MessageView;
use crate::base::{Direction, PacketRef, PerDirection};
use crate::record::{Answers, Exchange, Interpretation, Key, Opcode, SessionId, ShortText, UnansweredRequest};

/// Requests that are remembered.
const REQUESTS: u64 = 1 << 14;

/// The last requests. Each has a number, from 1, which says where in the ring it is, as long as it is there.
#[derive(Default)]
pub(super) struct Requests {
    ring: Vec<Request>,
    /// The number of the last one.
    last: u64,
    /// Those of one key.
    same: HashMap<u64, Same, RandomState>,
    /// Those of one session, while there are any.
    sessions: HashMap<SessionId, Session, RandomState>,
    /// Requests that were forgotten before their answer came.
    pub(super) forgotten: u64,
    hasher: RandomState,
}

#[derive(Clone, Copy)]
struct Request {
    number: u64,
    key: u64,
    session: SessionId,
    /// A ping of WebSocket, and not of an application.
    ping: bool,
    what: UnansweredRequest,
    state: State,
    /// The next one of the same key; 0 is none.
    later: u64,
    /// The one before of the same session; 0 is none.
    earlier: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// An answer is due.
    Due,
    /// It was taken back: one may come.
    TakenBack,
    /// It was told late: an answer may have been told already, or may come.
    Overtaken,
    /// A subscription of which nothing has come.
    Subscribed,
    /// A subscription of which something has come, and more may.
    Flowing,
    Answered,
}

impl Request {
    /// Nothing has come that answers it.
    fn waits(&self) -> bool {
        !matches!(self.state, State::Flowing | State::Answered)
    }
}

/// Requests that have the same key, by their numbers.
#[derive(Clone, Copy)]
struct Same {
    /// None before this one waits.
    waiting: u64,
    latest: u64,
}

#[derive(Clone, Copy, Default)]
struct Session {
    latest: u64,
    /// How many answers are due.
    due: u32,
    /// Of the requests up to this one the answers may be lost, by who asked.
    lost: PerDirection<u64>,
    /// Of the pings up to this one nothing is due: a pong answers those before its own as well (RFC 6455 §5.5.3).
    ponged: PerDirection<u64>,
    /// Pings were forgotten for which a pong was due, and none has come since that answers them.
    forgotten_pings: PerDirection<bool>,
}

/// What is left without an answer when a session is over.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// In order.
    pub(crate) requests: Vec<UnansweredRequest>,
    /// There were pings before them of which this is not known any more.
    pub(crate) forgotten_pings: PerDirection<bool>,
}

impl Requests {
    /// Remembers what asks, and finds what is answered.
    #[inline]
    pub(super) fn resolve(&mut self, message: &MessageView<'_>, opcode: Opcode, read: &mut Interpretation<'_>) {
        let (session, direction) = (message.session, message.direction);
        match read.exchange {
            Exchange::None => {}
            Exchange::Request(key) => {
                let state = if message.told_late {
                    State::Overtaken
                } else {
                    State::Due
                };
                self.remember(message, opcode, key, state, read);
            }
            Exchange::Subscription(key) => self.remember(message, opcode, key, State::Subscribed, read),
            Exchange::Cancel(key) => {
                let key = self.key(session, direction, opcode, key);
                if let Some(number) = self.same.get(&key).map(|same| same.latest)
                    && self.get(number).is_some_and(|request| request.state == State::Due)
                {
                    self.settle(number, State::TakenBack);
                }
            }
            Exchange::Answer(key) => {
                let key = self.key(session, direction.other(), opcode, key);
                read.answers = self.answer(key, message.at);
            }
            Exchange::Pong(key) => {
                let key = self.key(session, direction.other(), opcode, key);
                read.answers = self.pong(key, message.at);
            }
            Exchange::Latest(key) => {
                let key = self.key(session, direction.other(), opcode, key);
                read.answers = self.latest_waiting(key, message.at);
            }
        }
    }

    /// An answer with the key of its request: the latest that waits for one, else one more answer to the latest.
    fn answer(&mut self, key: u64, at: PacketRef) -> Option<Answers> {
        let latest = self.same.get(&key)?.latest;
        match self.get(latest)?.state {
            State::Due | State::TakenBack | State::Overtaken | State::Subscribed => self.answered(latest, false, at),
            State::Flowing => None,
            State::Answered => match self.oldest_waiting(key) {
                Some(number) => self.answered(number, false, at),
                None => self.answered(latest, true, at),
            },
        }
    }

    fn pong(&mut self, key: u64, at: PacketRef) -> Option<Answers> {
        let oldest = self.oldest_waiting(key)?;
        let latest = self.same.get(&key)?.latest;
        let answers = self.answered(oldest, false, at);
        if oldest == latest {
            return answers;
        }
        // A pong may be for the first one, or for the last alone: none of them is waited for any longer.
        let mut number = oldest;
        while let Some(request) = self.get(number) {
            let later = request.later;
            self.settle(number, State::Answered);
            number = later;
        }
        None
    }

    fn latest_waiting(&mut self, key: u64, at: PacketRef) -> Option<Answers> {
        let latest = self.same.get(&key)?.latest;
        match self.get(latest)?.waits() {
            true => self.answered(latest, false, at),
            false => None,
        }
    }

    fn oldest_waiting(&mut self, key: u64) -> Option<u64> {
        let mut number = self.same.get(&key)?.waiting;
        loop {
            let request = self.get(number)?;
            if request.waits() {
                break;
            }
            number = request.later;
            if number == 0 {
                return None;
            }
            // What is answered stays so, and is not looked at again.
            self.same.get_mut(&key)?.waiting = number;
        }
        Some(number)
    }

    /// What is said of that request in its answer, which came `at`.
    fn answered(&mut self, number: u64, again: bool, at: PacketRef) -> Option<Answers> {
        let request = *self.get(number)?;
        if at.packet < request.what.at.packet {
            // What waited behind something that is missing answers an earlier one.
            self.lost(request.session, request.what.direction.other());
            return None;
        }
        if !again {
            let flows = request.state == State::Subscribed;
            self.settle(number, if flows { State::Flowing } else { State::Answered });
            if request.ping
                && let Some(session) = self.sessions.get_mut(&request.session)
            {
                // Of equal pings it may mean the last one.
                let latest = self.same.get(&request.key).map_or(number, |same| same.latest);
                let ponged = &mut session.ponged[request.what.direction];
                *ponged = latest.max(*ponged);
                session.forgotten_pings[request.what.direction] = false;
            }
        }
        Some(Answers {
            packet: request.what.at.packet,
            after: at.time.since(request.what.at.time),
            action: request.what.action,
            label: request.what.label,
            again,
        })
    }

    /// From now on the request is in that state, in which nothing is due.
    fn settle(&mut self, number: u64, state: State) {
        let Some(request) = slot(number).and_then(|slot| self.ring.get_mut(slot)) else {
            return;
        };
        let was_due = std::mem::replace(&mut request.state, state) == State::Due;
        if was_due && let Some(session) = self.sessions.get_mut(&request.session) {
            session.due -= 1;
        }
    }

    fn get(&self, number: u64) -> Option<&Request> {
        self.ring.get(slot(number)?).filter(|request| request.number == number)
    }

    fn remember(
        &mut self,
        message: &MessageView<'_>,
        opcode: Opcode,
        key: Key,
        state: State,
        read: &Interpretation<'_>,
    ) {
        let (session, direction) = (message.session, message.direction);
        let key = self.key(session, direction, opcode, key);
        self.last += 1;
        let number = self.last;
        let of_session = self.sessions.entry(session).or_default();
        of_session.due += u32::from(state == State::Due);
        let request = Request {
            number,
            key,
            session,
            ping: opcode.is_control(),
            what: UnansweredRequest {
                direction,
                protocol: read.protocol,
                action: read.action,
                label: read.label.map_or_else(ShortText::default, ShortText::new),
                at: message.at,
            },
            state,
            later: 0,
            earlier: std::mem::replace(&mut of_session.latest, number),
        };
        match slot(number).and_then(|slot| self.ring.get_mut(slot)) {
            None => self.ring.push(request),
            Some(place) => {
                let oldest = std::mem::replace(place, request);
                self.forget(&oldest);
            }
        }
        match self.same.entry(key) {
            Entry::Vacant(none) => {
                none.insert(Same {
                    waiting: number,
                    latest: number,
                });
            }
            Entry::Occupied(mut same) => {
                let before = std::mem::replace(&mut same.get_mut().latest, number);
                if let Some(before) = slot(before).and_then(|slot| self.ring.get_mut(slot)) {
                    before.later = number;
                }
            }
        }
    }

    /// `request`, the oldest one, stands no longer in the ring.
    fn forget(&mut self, request: &Request) {
        if let Entry::Occupied(mut same) = self.same.entry(request.key) {
            if same.get().latest == request.number {
                same.remove();
            } else if same.get().waiting == request.number {
                same.get_mut().waiting = request.later;
            }
        }
        if let Entry::Occupied(mut session) = self.sessions.entry(request.session) {
            let direction = request.what.direction;
            let known = session.get_mut();
            if request.state == State::Due {
                known.due -= 1;
                if !(request.ping && request.number <= known.ponged[direction]) {
                    self.forgotten += 1;
                    known.forgotten_pings[direction] |= request.ping;
                }
            }
            if known.latest == request.number && known.forgotten_pings.iter().all(|forgotten| !forgotten) {
                session.remove();
            }
        }
    }

    /// Something that `direction` carried is lost: it may have been the answers that are due.
    pub(super) fn lost(&mut self, session: SessionId, direction: Direction) {
        if let Some(session) = self.sessions.get_mut(&session) {
            session.lost[direction.other()] = self.last;
        }
    }

    /// The session is over. Gives what was not answered.
    pub(super) fn end(&mut self, id: SessionId) -> Left {
        let Some(session) = self.sessions.remove(&id) else {
            return Left::default();
        };
        let (mut number, mut due) = (session.latest, session.due);
        let mut requests = Vec::new();
        while due > 0
            && let Some(request) = slot(number).and_then(|slot| self.ring.get_mut(slot))
            && request.number == number
        {
            if request.state == State::Due {
                request.state = State::TakenBack;
                due -= 1;
                let direction = request.what.direction;
                let settled = request.ping && number <= session.ponged[direction];
                if number > session.lost[direction] && !settled {
                    requests.push(request.what);
                }
            }
            number = request.earlier;
        }
        requests.reverse();
        Left {
            requests,
            forgotten_pings: session.forgotten_pings,
        }
    }

    /// Stands for a request in `direction` of a session.
    fn key(&self, session: SessionId, direction: Direction, opcode: Opcode, key: Key) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(session.0);
        hasher.write_u8(direction.index() as u8 + 2 * u8::from(opcode.is_control()));
        hasher.write_u64(key.number());
        hasher.finish()
    }
}

/// Where in the ring a request is.
fn slot(number: u64) -> Option<usize> {
    number.checked_sub(1).map(|before| (before % REQUESTS) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Text, Timestamp};
    use crate::record::Action;

    const UP: Direction = Direction::ClientToServer;
    const DOWN: Direction = Direction::ServerToClient;

    /// What a message of session 1 with that exchange answers: the packet, and how.
    fn hear(
        requests: &mut Requests,
        direction: Direction,
        opcode: Opcode,
        packet: u64,
        exchange: Exchange,
    ) -> Option<(u64, bool)> {
        let message = MessageView {
            direction,
            at: PacketRef {
                packet,
                time: Timestamp::from_nanos(packet as i64),
            },
            ..MessageView::text("")
        };
        let mut read = Interpretation::new("", Action::Other).exchange(exchange);
        requests.resolve(&message, opcode, &mut read);
        read.answers.map(|answers| (answers.packet, answers.again))
    }

    fn key(id: &str) -> Key {
        Key::new([Text::Plain(id)])
    }

    fn ask(requests: &mut Requests, packet: u64, id: &str) {
        hear(requests, UP, Opcode::Text, packet, Exchange::Request(key(id)));
    }

    fn answer(requests: &mut Requests, packet: u64, id: &str) -> Option<(u64, bool)> {
        hear(requests, DOWN, Opcode::Text, packet, Exchange::Answer(key(id)))
    }

    fn unanswered(requests: &mut Requests) -> Vec<u64> {
        let all = requests.end(SessionId(1)).requests;
        all.iter().map(|request| request.at.packet).collect()
    }

    #[test]
    fn answers_are_found_by_their_keys_and_the_rest_is_unanswered() {
        let mut requests = Requests::default();
        for (packet, id) in [(1, "a"), (2, "b"), (3, "c")] {
            ask(&mut requests, packet, id);
        }
        assert_eq!(answer(&mut requests, 4, "b"), Some((2, false)));
        assert_eq!(answer(&mut requests, 5, "b"), Some((2, true)));
        assert_eq!(answer(&mut requests, 6, "d"), None);
        // Who asks does not answer itself.
        assert_eq!(
            hear(&mut requests, UP, Opcode::Text, 7, Exchange::Answer(key("a"))),
            None
        );
        assert_eq!(unanswered(&mut requests), [1, 3]);
        assert_eq!(unanswered(&mut requests), [0; 0]);
    }

    #[test]
    fn a_key_that_is_used_again_means_the_latest_request() {
        let mut requests = Requests::default();
        ask(&mut requests, 1, "a");
        ask(&mut requests, 2, "a");
        assert_eq!(answer(&mut requests, 3, "a"), Some((2, false)));
        assert_eq!(answer(&mut requests, 4, "a"), Some((1, false)));
        assert_eq!(answer(&mut requests, 5, "a"), Some((2, true)));
    }

    #[test]
    fn a_subscription_is_answered_by_what_comes_first_and_owes_nothing() {
        let mut requests = Requests::default();
        for (packet, id) in [(1, "a"), (2, "b")] {
            hear(&mut requests, UP, Opcode::Text, packet, Exchange::Subscription(key(id)));
        }
        assert_eq!(answer(&mut requests, 3, "a"), Some((1, false)));
        assert_eq!(answer(&mut requests, 4, "a"), None);
        assert_eq!(unanswered(&mut requests), [0; 0]);
    }

    #[test]
    fn what_is_taken_back_or_whose_answer_may_be_lost_is_not_unanswered() {
        let mut requests = Requests::default();
        ask(&mut requests, 1, "lost");
        requests.lost(SessionId(1), DOWN);
        ask(&mut requests, 2, "a");
        ask(&mut requests, 3, "b");
        hear(&mut requests, UP, Opcode::Text, 4, Exchange::Cancel(key("a")));
        requests.lost(SessionId(1), UP);
        assert_eq!(unanswered(&mut requests), [3]);
    }

    #[test]
    fn old_requests_are_forgotten_and_counted() {
        let mut requests = Requests::default();
        let last = 3 * REQUESTS / 2;
        for packet in 1..=last {
            ask(&mut requests, packet, &(packet % 15_000).to_string());
        }
        assert!(requests.ring.len() as u64 == REQUESTS && requests.same.len() == 15_000);
        assert_eq!(requests.forgotten, last - REQUESTS);
        assert_eq!(answer(&mut requests, last + 1, "10"), Some((15_010, false)));
        // The one before of that key is too old.
        assert_eq!(answer(&mut requests, last + 1, "10"), Some((15_010, true)));
        let all = unanswered(&mut requests);
        assert_eq!((all.len() as u64, all[0]), (REQUESTS - 1, last - REQUESTS + 1));
        assert!(requests.sessions.is_empty());
    }

    #[test]
    fn pings_that_are_forgotten_are_known_to_have_been_there_until_a_later_pong() {
        let mut requests = Requests::default();
        let ping = |requests: &mut Requests, packet: u64, direction| {
            let key = Key::of_bytes(&packet.to_be_bytes());
            hear(requests, direction, Opcode::Ping, packet, Exchange::Request(key));
        };
        let many = |requests: &mut Requests| {
            for packet in 1..=REQUESTS + 2 {
                ping(requests, packet, UP);
            }
        };
        many(&mut requests);
        let left = requests.end(SessionId(1));
        assert_eq!((left.requests.len() as u64, left.forgotten_pings[UP]), (REQUESTS, true));
        assert_eq!((requests.forgotten, left.forgotten_pings[DOWN]), (2, false));
        many(&mut requests);
        let key = Key::of_bytes(&REQUESTS.to_be_bytes());
        hear(&mut requests, DOWN, Opcode::Pong, REQUESTS, Exchange::Pong(key));
        let left = requests.end(SessionId(1));
        assert_eq!((left.requests.len(), left.forgotten_pings[UP]), (2, false));
        // All that is remembered may be newer.
        ping(&mut requests, 1, UP);
        for packet in 0..REQUESTS {
            ask(&mut requests, packet, "a");
            answer(&mut requests, packet, "a");
        }
        assert!(requests.end(SessionId(1)).forgotten_pings[UP]);
        assert!(requests.sessions.is_empty());
    }

    #[test]
    fn which_of_equal_pings_a_pong_answers_is_told_only_when_one_waits() {
        let mut requests = Requests::default();
        let ping = |requests: &mut Requests, packet, payload: &[u8]| {
            let key = Key::of_bytes(payload);
            hear(requests, DOWN, Opcode::Ping, packet, Exchange::Request(key));
        };
        let pong = |requests: &mut Requests, packet, payload: &[u8]| {
            let key = Key::of_bytes(payload);
            let ping = hear(requests, UP, Opcode::Pong, packet, Exchange::Pong(key));
            ping.map(|(packet, _)| packet)
        };
        ping(&mut requests, 1, b"");
        ping(&mut requests, 2, b"7");
        ping(&mut requests, 3, b"");
        // The first one may never be answered, or both are on their way.
        assert_eq!(pong(&mut requests, 4, b""), None);
        assert_eq!(pong(&mut requests, 5, b"7"), Some(2));
        assert_eq!(pong(&mut requests, 6, b""), None);
        ping(&mut requests, 7, b"");
        assert_eq!(pong(&mut requests, 8, b""), Some(7));
        ping(&mut requests, 9, b"");
        assert_eq!(unanswered(&mut requests), [9]);
    }

    #[test]
    fn nothing_answers_what_was_asked_later() {
        let mut requests = Requests::default();
        for packet in [1, 5] {
            hear(&mut requests, UP, Opcode::Binary, packet, Exchange::Request(Key::PING));
        }
        // It came before the second request, and waited behind something that is missing.
        let answered = hear(&mut requests, DOWN, Opcode::Binary, 2, Exchange::Latest(Key::PING));
        assert_eq!(answered, None);
        assert_eq!(unanswered(&mut requests), [0; 0]);
    }

    #[test]
    fn one_pong_may_answer_all_of_equal_pings() {
        let mut requests = Requests::default();
        for packet in 1..=3 {
            hear(
                &mut requests,
                UP,
                Opcode::Ping,
                packet,
                Exchange::Request(Key::of_bytes(b"")),
            );
        }
        hear(&mut requests, DOWN, Opcode::Pong, 4, Exchange::Pong(Key::of_bytes(b"")));
        assert_eq!(unanswered(&mut requests), [0; 0]);
    }

    #[test]
    fn a_pong_settles_the_pings_before_its_own() {
        let mut requests = Requests::default();
        for packet in 1..=3 {
            let key = Key::of_bytes(&[packet]);
            hear(&mut requests, UP, Opcode::Ping, packet.into(), Exchange::Request(key));
        }
        let key = Key::of_bytes(&[2]);
        hear(&mut requests, DOWN, Opcode::Pong, 4, Exchange::Pong(key));
        assert_eq!(unanswered(&mut requests), [3]);
    }
}
