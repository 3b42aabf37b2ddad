//! Filter expressions: libpcap compiles them, once for each link type that the inputs have.

use super::bpf::{Instruction, Program};
use super::error::libpcap as said;
use super::{Error, Raw};
use crate::net::LinkType;

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
}
