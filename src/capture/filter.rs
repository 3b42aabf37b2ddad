//! Filter expressions: libpcap compiles them, once for each link type that the inputs have.

use super::bpf::{Instruction, Program};
use super::error::libpcap as said;
use super::{Error, Raw};
use crate::wire::LinkType;

/// The snapshot length that the `pcap` crate gives a handle that captures nothing. It shows in `ret #…` of what is compiled.
const DEAD_SNAPLEN: u32 = 65_535;

/// A filter expression with its programs.
#[derive(Debug)]
pub struct Filter {
    expression: String,
    optimize: bool,
    programs: Vec<(LinkType, Program)>,
}

impl Filter {
    /// A filter for all of these link types. The empty expression matches everything.
    pub fn new(expression: &str, optimize: bool, links: &[LinkType]) -> Result<Self, Error> {
        let mut filter = Self {
            expression: expression.trim().to_owned(),
            optimize,
            programs: Vec::new(),
        };
        if !filter.expression.is_empty() {
            for &link in links {
                filter.program(link)?;
            }
        }
        Ok(filter)
    }

    /// What the kernel has filtered already.
    pub fn everything() -> Self {
        Self {
            expression: String::new(),
            optimize: true,
            programs: Vec::new(),
        }
    }

    /// Everything matches.
    pub fn is_empty(&self) -> bool {
        self.expression.is_empty()
    }

    /// Whether the packet matches. An error when the expression makes no sense on its link type.
    #[inline]
    pub fn matches(&mut self, packet: &Raw<'_>) -> Result<bool, Error> {
        if self.expression.is_empty() {
            return Ok(true);
        }
        let program = self.program(packet.link)?;
        Ok(program.matches(packet.data.bytes, packet.data.wire_len))
    }

    fn program(&mut self, link: LinkType) -> Result<&Program, Error> {
        // Nearly always there is one.
        let at = match self.programs.iter().position(|(l, _)| *l == link) {
            Some(at) => at,
            None => {
                let program = compile(&self.expression, self.optimize, link, 262_144)?;
                self.programs.push((link, program));
                self.programs.len() - 1
            }
        };
        Ok(&self.programs[at].1)
    }
}

/// Compiles `expression` for packets of this link type, of which at most `snaplen` bytes are captured.
pub fn compile(expression: &str, optimize: bool, link: LinkType, snaplen: u32) -> Result<Program, Error> {
    let wrong = |error: &pcap::Error| Error::Filter {
        expression: expression.to_owned(),
        reason: said(error),
    };
    let dead = pcap::Capture::dead(pcap::Linktype(link.0)).map_err(|error| wrong(&error))?;
    let compiled = dead.compile(expression, optimize).map_err(|error| wrong(&error))?;
    let mut instructions = instructions(&compiled);
    for instruction in &mut instructions {
        if instruction.code == 0x06 && instruction.k == DEAD_SNAPLEN {
            instruction.k = snaplen;
        }
    }
    Ok(Program::new(instructions))
}

/// The `pcap` crate shows an instruction as its four numbers in decimal and has no other way to it.
pub(super) fn instructions(program: &pcap::BpfProgram) -> Vec<Instruction> {
    program
        .get_instructions()
        .iter()
        .filter_map(|instruction| {
            let text = instruction.to_string();
            let mut numbers = text.split(' ').map(str::parse::<u32>);
            let mut next = || numbers.next()?.ok();
            let (code, jt, jf, k) = (next()? as u16, next()? as u8, next()? as u8, next()?);
            Some(Instruction { code, jt, jf, k })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Captured, Timestamp};
    use proptest::prelude::*;

    #[test]
    fn lengths_are_those_on_the_wire() {
        let mut filter = Filter::new("greater 1000", true, &[LinkType(1)]).unwrap();
        let cut = Raw {
            time: Timestamp::default(),
            link: LinkType(1),
            data: Captured::new(&[0; 60], 1514),
        };
        assert!(filter.matches(&cut).unwrap());
    }

    #[test]
    fn an_error_quotes_the_expression() {
        let error = Filter::new("port http or", true, &[LinkType(1)])
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("filter `port http or`: "), "{error}");
        assert!(!error.contains('\n'));
    }

    proptest! {
        /// libpcap's own machine is the oracle, where it can be asked: on whole packets.
        #[test]
        fn the_machine_decides_as_libpcaps_does(
            expression in prop::sample::select(vec![
                "tcp port 7272 or udp port 53",
                "tcp[13] & 8 != 0 and greater 60",
                "ip[2:2] - ((ip[0] & 0xf) << 2) > 40 or ip6",
                "len % 7 == 3 or ether[len - 1] == 0",
                "host 10.0.0.1 or net 10.0.0.0/8",
                "vlan 5 and tcp or mpls",
                "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420",
                "(1 + 2 * ip[3] / ip[2]) ^ 3 | 4 << ip[1] > -ip[0]",
                "ip6 protochain 6 or ip proto 6",
            ]),
            optimize: bool,
            head in prop::sample::select(vec![&[8u8, 0, 0x45, 0][..], &[8, 0, 0x46, 0], &[0x86, 0xdd, 0x60, 0], &[0x81, 0, 0, 5, 8, 0, 0x45]]),
            rest in prop::collection::vec(prop_oneof![Just(0u8), Just(6), Just(10), any::<u8>()], 0..90),
        ) {
            let packet = [&[2u8; 12][..], head, &rest].concat();
            let dead = pcap::Capture::dead(pcap::Linktype(1)).unwrap();
            let theirs = dead.compile(expression, optimize).unwrap().filter(&packet);
            let ours = compile(expression, optimize, LinkType(1), 262_144).unwrap();
            prop_assert_eq!(ours.matches(&packet, packet.len()), theirs);
        }
    }
}
