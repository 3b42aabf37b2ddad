//! Packets from libpcap, savefiles to disk, and the privileges for it.
