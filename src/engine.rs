//! Packet in, events out: the floors below, wired together.
