//! Packets and events become notes: who does what to whom, why, in no language yet.
