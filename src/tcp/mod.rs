//! From segments to two byte streams a connection (RFC 9293).
//!
//! In: [`Segment`](crate::wire::Segment)s. Out, to a [`StreamHandler`]: facts about each segment, and what each direction's
//! stream brings, in order: bytes (borrowed from the packet when they came in order), gaps, its end. When missing bytes become a gap
//! is decided in `half.rs` (`give_up_lost`). [`Table`] keeps the connections within bounds.

#[cfg(test)]
mod attack_tests;
mod beginning;
mod belonging;
mod clock;
#[cfg(test)]
mod cases;
mod elsewhere;
mod ending;
mod facts;
mod flow;
mod half;
mod history;
mod options;
mod recent;
mod seq;
mod table;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;
mod waiting;

pub use table::Table;

use std::ops::Range;

use crate::base::{Endpoint, Gap, PacketRef, Side, Timestamp};

/// What is known of a connection whatever it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// From 1, in the order of first packets; never used twice.
    pub number: u64,
    /// The endpoints, indexed by [`Side::index`].
    pub endpoints: [Endpoint; 2],
    /// Who opened it: sent the SYN without ACK, or got the one with ACK, if one of them was seen.
    pub initiator: Option<Side>,
    /// Who was not heard any more when the other side sent the same bytes again and again. Known when the connection ends.
    pub vanished: Option<Vanished>,
    /// Whose window is closed, and for how many nanoseconds it has been. Known when the connection ends.
    pub window_closed: Option<(Side, i64)>,
    /// Who began to end it, and when: with the first FIN, or the reset with which it ended. That may be before it is known that
    /// nothing is missing.
    pub ending: Option<(Side, Timestamp)>,
}

/// A side that was not heard any more, while the other one sent the same bytes again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vanished {
    /// Who.
    pub side: Side,
    /// How often the bytes were sent.
    pub times: u32,
    /// Nanoseconds from when they were first sent to the end.
    pub nanos: i64,
}

impl Connection {
    /// Who the client is as far as TCP can tell: who opened it, else who has the higher port.
    pub fn likely_client(&self) -> Side {
        let [a, b] = self.endpoints.map(|endpoint| endpoint.port);
        self.initiator.unwrap_or(if a >= b { Side::A } else { Side::B })
    }
}

/// What the segment does to its own direction's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataFact {
    /// It carries none.
    None,
    /// The next bytes in order.
    InOrder,
    /// Beyond bytes that are still missing: it waits. `missing` bytes lie before it.
    OutOfOrder {
        /// Bytes missing between the stream so far and this segment, without those that wait already.
        missing: u64,
        /// The receiver has acknowledged all of them: they are missing in the capture only, and nothing is waited for.
        acknowledged: bool,
    },
    /// It is next, and fills (the beginning of) a gap; `released` bytes that waited behind it go on with it.
    FillsGap {
        /// Bytes that had waited behind the gap; 0 when it does not fill the gap to its end.
        released: u64,
    },
    /// All its bytes (or its FIN, when it has none) were seen before.
    Retransmission {
        /// The bytes are not the ones that were seen the first time: see [`SegmentFacts::different`].
        different: bool,
    },
    /// Some of its bytes were seen before, `new` are new.
    PartlyRetransmitted {
        /// Bytes that are new.
        new: u64,
    },
    /// The very same packet, seen on a second interface or captured twice: nobody sent it twice.
    Duplicate,
    /// A keep-alive: at most one byte, just before the next one expected (RFC 9293 §3.8.4).
    KeepAlive,
    /// Sent into a closed window to make the receiver tell its window (RFC 9293 §3.8.6.1): a byte or more, which are
    /// delivered when they are next, or nothing, one before the next byte.
    WindowProbe,
    /// A receiver may not accept it: it is beyond the window last told or behind a FIN that was not acknowledged yet, it
    /// acknowledges what was never sent, it is data in a SYN, its packet is shorter than its IP header says, fragments of
    /// its datagram contradict each other, or its checksum or its time to live is not like its neighbours'. It is held until the receiver acknowledges it, and what comes undoubted meanwhile goes before it.
    Doubtful,
    /// Outside of anything that could be valid (or behind the FIN): not looked at. A SYN or RST has no effect then.
    OutOfWindow,
}

/// Which step of the three-way handshake (RFC 9293 §3.5) the segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandshakeStep {
    /// SYN.
    Syn,
    /// SYN and ACK.
    SynAck,
    /// The ACK that completes it.
    Ack,
}

/// What the segment's acknowledgment does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AckFact {
    /// Bytes of the *other* direction's stream (offsets) that it is the first to acknowledge. Empty when none.
    pub newly: Range<u64>,
    /// It is the first to acknowledge the other side's FIN.
    pub fin: bool,
    /// It acknowledges nothing new and carries nothing: a duplicate ACK (RFC 5681 §2).
    pub duplicate: bool,
    /// It acknowledges bytes that the capture has not seen.
    pub unseen: bool,
    /// A later one was seen before it: it says nothing any more (RFC 9293 §3.10.7.4).
    pub overtaken: bool,
    /// Bytes of the other direction's stream behind what is still missing that it says have arrived (the first block of its
    /// SACK option, RFC 2018 §4), when it is the first to say so. Empty when none.
    pub sacked: Range<u64>,
}

/// What the segment's window field does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WindowFact {
    /// The window in bytes, scaled when the scale is known.
    pub bytes: u64,
    /// The handshake was seen, so that `bytes` is right.
    pub scaled: bool,
    /// The window has just closed (to 0).
    pub closed: bool,
    /// The window was closed and is open again.
    pub reopened: bool,
    /// Nothing but the window changed.
    pub update_only: bool,
}

/// Facts about one segment, in the light of what its connection did before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentFacts {
    /// Who sent it.
    pub side: Side,
    /// The segment is the first that was seen of its connection.
    pub first: bool,
    /// The connection was in the middle when its first packet was seen.
    pub midstream: bool,
    /// Which step of the opening handshake it is.
    pub handshake: Option<HandshakeStep>,
    /// Its SYN is one that was sent before.
    pub syn_again: bool,
    /// What its data does.
    pub data: DataFact,
    /// Where its data lies in its direction's stream. Empty when it carries none.
    pub range: Range<u64>,
    /// What it acknowledges.
    pub ack: AckFact,
    /// What its window does.
    pub window: WindowFact,
    /// It carries FIN, for the first time.
    pub fin: bool,
    /// It carries RST, and one that can be meant for the connection.
    pub reset: bool,
    /// Its RST may not be accepted (RFC 5961 §3.2): its number is not the next one, or it is unlike its neighbours. It counts when nothing
    /// follows.
    pub reset_doubtful: bool,
    /// Its RST answers a SYN: the connection is refused.
    pub refused: bool,
    /// Which of its bytes are not what was seen of the same place before (from the first to the last, as far as the bytes
    /// seen last are remembered). Those that the receiver accepted count: those that came first, unless they are
    /// [`Doubtful`](DataFact::Doubtful).
    pub different: Option<Range<u64>>,
    /// Fragments of its datagram overlapped with different bytes.
    pub fragments_differ: bool,
    /// Where the byte before the end of urgent data is (RFC 9293 §3.8.5): receivers take it out of the stream unless they
    /// are told not to, so what they read may be one byte shorter than what is told here.
    pub urgent: Option<u64>,
    /// It came when the connection was over.
    pub late: bool,
}

/// What one direction of a connection brings, in order.
#[derive(Debug, Clone, Copy)]
pub enum StreamEvent<'a> {
    /// The next bytes.
    Data {
        /// Offset of the first byte in the direction's stream.
        offset: u64,
        /// The bytes; never empty.
        bytes: &'a [u8],
        /// The packet that carried them (not the current one when they had to wait).
        from: PacketRef,
    },
    /// Bytes that will not come; the next data follows behind it.
    Gap(Gap),
    /// The direction has ended: all before its FIN was delivered.
    Fin,
    /// The sender has reset the connection, perhaps after its FIN.
    Reset,
}

/// How a connection ended, as TCP sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TcpEnd {
    /// Both directions ended with FIN. `by` sent the first one.
    Fin {
        /// Who sent the first FIN.
        by: Side,
    },
    /// A reset.
    Reset {
        /// Who sent it.
        by: Side,
    },
    /// Nothing came for [`crate::base::Limits::idle_seconds`].
    Idle,
    /// There were too many connections, or memory was short.
    Evicted,
    /// A new connection took its ports, though no FIN or RST had ended this one.
    Reused,
    /// The capture ended first.
    CaptureEnd,
}

/// What lies above TCP: reads the two streams of every connection. `U` is what it keeps for each.
pub trait StreamHandler {
    /// What is kept for each connection. It should be small until it is used.
    type State: Default;

    /// A segment of the connection came; called before what its bytes bring.
    fn segment(&mut self, state: &mut Self::State, connection: &Connection, facts: &SegmentFacts, at: PacketRef);

    /// The direction that `side` sends brings this.
    fn stream(
        &mut self,
        state: &mut Self::State,
        connection: &Connection,
        side: Side,
        event: StreamEvent<'_>,
        at: PacketRef,
    );

    /// Bytes of memory that are kept for the connection beside the size of `State` itself: what its boxes, vectors and shares of pools
    /// take, by capacity. Asked after each of the connection's segments, so it must be a sum of numbers that are at hand, and the only
    /// account: nothing is reported when bytes come or go, so nothing can be forgotten.
    #[inline]
    fn cost(_state: &Self::State) -> usize {
        0
    }

    /// Whether the connection has shown that it is worth keeping (a handshake, frames): while it has not, it is the first to go when
    /// memory is short. Asked after each of its segments.
    #[inline]
    fn is_proven(_state: &Self::State) -> bool {
        true
    }

    /// Memory is short: drops what is held for the connection (buffered bytes, histories, unfinished messages), but goes on with it. What
    /// was dropped is told as a gap or hole of the cause [`GapCause::Evicted`](crate::base::GapCause::Evicted). [`cost`](Self::cost) is
    /// asked again afterwards, and what it then says is taken for what cannot be dropped.
    fn shed(&mut self, _state: &mut Self::State, _connection: &Connection, _at: PacketRef) {}

    /// The connection is over (called once; late segments may follow).
    fn end(&mut self, state: &mut Self::State, connection: &Connection, end: TcpEnd, at: PacketRef);

    /// The connection is kept no longer (called once, last).
    fn forget(&mut self, _connection: &Connection) {}
}
