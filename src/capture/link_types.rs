//! The names of link types, as libpcap gives them.

use crate::wire::LinkType;

/// `EN10MB`; the number when libpcap has no name for it.
pub fn name(link: LinkType) -> String {
    pcap::Linktype(link.0).get_name().unwrap_or_else(|_| link.0.to_string())
}

/// `EN10MB (Ethernet)`, as in tcpdump's first line; the bare number when libpcap has no name for it.
pub fn described(link: LinkType) -> String {
    match pcap::Linktype(link.0).get_name() {
        Ok(name) => match pcap::Linktype(link.0).get_description() {
            Ok(description) => format!("{name} ({description})"),
            Err(_) => name,
        },
        Err(_) => link.0.to_string(),
    }
}

/// The names of all link types that can be read.
pub fn readable() -> String {
    let mut names: Vec<String> = LinkType::TABLE.iter().map(|&link| name(link)).collect();
    names.sort();
    names.dedup();
    names.join(", ")
}

/// The link type of this name (`EN10MB`, in any case), if libpcap knows it.
pub fn from_name(name: &str) -> Option<LinkType> {
    pcap::Linktype::from_name(name).ok().map(|link| LinkType(link.0))
}

/// From the number in a savefile (`LINKTYPE_`) to the one that libpcap uses (`DLT_`), which differ for a few.
///
/// <https://www.tcpdump.org/linktypes.html>: those below 104 are the same but for the ones here; on Linux, `DLT_RAW` is 12.
pub fn from_file(number: u32) -> LinkType {
    LinkType(match number {
        100 => 11, // ATM_RFC1483
        101 => 12, // RAW
        102 => 15, // SLIP_BSDOS
        103 => 16, // PPP_BSDOS
        other => other as i32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libpcap_names_the_link_types_that_matter() {
        assert_eq!(described(LinkType(1)), "EN10MB (Ethernet)");
        assert_eq!(described(LinkType(276)), "LINUX_SLL2 (Linux cooked v2)");
        assert_eq!(described(from_file(101)), "RAW (Raw IP)");
        assert_eq!(from_name("linux_sll"), Some(LinkType(113)));
        assert_eq!(from_name("nonsense"), None);
        assert_eq!(from_file(101).to_file(), 101);
    }
}
