//! The body of a hello message, or its beginning. Beside not panicking: what is read of a part of one is what is read of all of it.

use wschat_sniff::layer::tls::{ClientHello, ServerHello};

/// One input.
pub(crate) fn run(data: &[u8]) {
    if let Some(hello) = ClientHello::read(data) {
        assert!(hello.server_name.is_none_or(|name| name.len() <= 3 * 255));
        let cut = ClientHello::read(&data[..34]);
        assert_eq!(cut.map(|cut| cut.random), Some(hello.random));
    }
    if let Some(hello) = ServerHello::read(data, true) {
        let cut = ServerHello::read(&data[..34], false).map(|cut| (cut.random, cut.suite, cut.version));
        assert_eq!(cut, Some((hello.random, None, None)));
    }
}
