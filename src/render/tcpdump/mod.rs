//! The `tcpdump` view: byte for byte what tcpdump 4.99 prints.
