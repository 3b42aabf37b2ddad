//! How much what is captured can make us keep.

/// The bounds. Each has a default, a flag of the command line, and an event or a note when it bites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory for all that is kept for all connections together; the other bounds remain within it. When it is reached (`tcp::Table`
    /// sees to it), what has proven nothing (no handshake, no frames) is given up first, then those that hold most drop what they hold
    /// (gaps of the cause `evicted`), and only last the connections that were silent longest end (`evicted`).
    pub memory_bytes: usize,
    /// Connections known at once; those that have proven nothing and those that are over are given up first, then the longest idle.
    pub flows: usize,
    /// Bytes of one direction that wait behind a gap for their turn.
    pub waiting_bytes: usize,
    /// Bytes of fragmented IP datagrams kept, in all.
    pub fragment_bytes: usize,
    /// Seconds until an incomplete IP datagram is given up (RFC 791 §3.2 and RFC 8200 §4.5 give 15 to 60).
    pub fragment_seconds: u32,
    /// Bytes of an HTTP head (request or response, RFC 9112 §2.1).
    pub head_bytes: usize,
    /// Application bytes of one message that are kept; more are counted, not kept.
    pub message_bytes: usize,
    /// Bytes that one message may become when it is inflated.
    pub inflated_bytes: usize,
    /// Keys and sequence numbers that one TLS connection may try in a row without finding one.
    pub tls_trials: u32,
    /// Bytes of packets that are held until it is known whether they are selected.
    pub held_bytes: usize,
    /// Seconds of silence after which a connection is given up.
    pub idle_seconds: u32,
}

impl Limits {
    /// The defaults, as far as they fit into `memory_bytes`.
    pub fn within(memory_bytes: usize) -> Self {
        let quarter = memory_bytes / 4;
        let message = (memory_bytes / 16).min(16 << 20);
        Self {
            memory_bytes,
            flows: 100_000,
            waiting_bytes: quarter.min(1 << 20),
            fragment_bytes: quarter.min(4 << 20),
            fragment_seconds: 30,
            head_bytes: quarter.min(64 << 10),
            message_bytes: message,
            inflated_bytes: message,
            tls_trials: 250_000,
            held_bytes: quarter.min(64 << 20),
            idle_seconds: 86_400,
        }
    }

    /// Bytes of HTTP heads that are not complete, in all.
    pub(crate) const fn head_total(&self) -> usize {
        self.memory_bytes / 8
    }

    /// Bytes of the first sequence numbers of connections, from which printed ones count.
    pub(crate) const fn sequence_total(&self) -> usize {
        self.memory_bytes / 16
    }

    /// Bytes of what dissectors keep of sessions.
    pub(crate) const fn meaning_total(&self) -> usize {
        self.memory_bytes / 16
    }

    /// Encrypted bytes that wait for keys, in all, and what is kept of connections that have ended before their keys came.
    pub(crate) const fn tls_total(&self) -> usize {
        self.memory_bytes / 8
    }

    /// Bytes of TLS secrets.
    pub(crate) const fn secrets_total(&self) -> usize {
        self.memory_bytes / 2
    }

    /// Bytes that are left for what no connection counts: room to inflate one message, with two bytes for each of its own where not all is known
    /// that it refers to; decompressors; buffers for reuse; what the allocator loses between all that is kept. A few of them the program has
    /// in any case.
    pub(crate) fn shared_total(&self) -> usize {
        const IN_ANY_CASE: usize = 4 << 20;
        let message = self.message_bytes.max(self.inflated_bytes);
        let others = self.decompressors_total() + self.pool_total() + self.memory_bytes / 32;
        let all = message.saturating_mul(3).saturating_add(others);
        all.saturating_sub(IN_ANY_CASE).min(self.memory_bytes / 2)
    }

    /// Bytes of decompressors.
    pub(crate) const fn decompressors_total(&self) -> usize {
        self.memory_bytes / 16
    }

    /// Bytes of buffers for messages in pieces that are kept for reuse.
    pub(crate) const fn pool_total(&self) -> usize {
        self.memory_bytes / 64
    }

    /// The same, where something else takes so many of the bytes.
    pub(crate) const fn beside(self, taken: usize) -> Self {
        Self {
            memory_bytes: self.memory_bytes.saturating_sub(taken),
            ..self
        }
    }

    /// Bytes of the last packets, among which copies are looked for.
    pub(crate) const fn recent_total(&self) -> usize {
        self.memory_bytes / 16
    }

    /// Bytes of what a view keeps until the end.
    pub(crate) const fn view_total(&self) -> usize {
        self.memory_bytes / 8
    }

    /// Bytes that wait for a response or to be recognised, in all.
    pub(crate) const fn held_total(&self) -> usize {
        self.memory_bytes / 8
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::within(256 << 20)
    }
}
