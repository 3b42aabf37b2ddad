//! Filter expressions: libpcap compiles them, once for each kind of packet that the inputs have.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::bpf::{Instruction, Program};
use super::error::libpcap as said;
use super::filter_hints::Hints;
use super::{Error, Raw, libpcap};
use crate::wire::LinkType;

/// The snapshot length that the `pcap` crate gives a handle that captures nothing. It shows in `ret #…` of what is compiled.
const DEAD_SNAPLEN: u32 = 65_535;

/// libpcap's largest snapshot length (`MAXIMUM_SNAPLEN`).
const MAX_SNAPLEN: u32 = 262_144;

/// A filter expression. The empty one matches everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    text: String,
    /// The file that it stands in, which errors name instead of quoting from it.
    file: Option<PathBuf>,
}

impl Expression {
    /// One that was typed.
    pub fn typed(text: &str) -> Self {
        Self {
            text: text.trim().to_owned(),
            file: None,
        }
    }

    /// What the file of `-F` holds.
    pub fn from_file(path: &Path, text: &str) -> Self {
        Self {
            text: text.trim().to_owned(),
            file: Some(path.to_owned()),
        }
    }

    /// For libpcap.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The expression that looks behind a tag, for people; of a file only how to change it.
    pub(super) fn behind(&self, keyword: &str) -> String {
        match &self.file {
            Some(path) => format!("begin that of -F {} with \"{keyword} and\"", path.display()),
            // `or` binds as `and` does.
            None if self.text.split_whitespace().any(|word| word == "or" || word == "||") => {
                format!("\"{keyword} and ({})\"", self.text)
            }
            None => format!("\"{keyword} and {}\"", self.text),
        }
    }

    /// Why it does not compile.
    pub(super) fn error(&self, error: &pcap::Error) -> Error {
        match &self.file {
            Some(path) => Error::FilterFile { path: path.clone() },
            None => Error::Filter {
                expression: self.text.clone(),
                reason: said(error),
            },
        }
    }
}

/// A filter expression with its programs.
#[derive(Debug)]
pub struct Filter {
    expression: Expression,
    optimize: bool,
    programs: Vec<((LinkType, bool), Program)>,
    matched: u64,
    hints: Hints,
}

impl Filter {
    /// A filter for packets of savefiles.
    pub fn new(expression: Expression, optimize: bool) -> Self {
        Self {
            expression,
            optimize,
            programs: Vec::new(),
            matched: 0,
            hints: Hints::default(),
        }
    }

    /// What the kernel has filtered already.
    pub fn everything() -> Self {
        Self::new(Expression::typed(""), true)
    }

    /// Whether the packet matches.
    ///
    /// # Errors
    ///
    /// The expression makes no sense for packets of its kind.
    #[inline]
    pub fn matches(&mut self, packet: &Raw<'_>) -> Result<bool, Error> {
        if self.expression.text.is_empty() {
            return Ok(true);
        }
        let program = self.program(packet.link, packet.swapped)?;
        let matches = program.matches(packet.data.bytes, packet.data.wire_len);
        if matches {
            self.matched += 1;
        } else {
            self.hints.passed_over(packet);
        }
        Ok(matches)
    }

    /// A line for each kind of packets that the filter probably means and does not match.
    pub fn hints(&self) -> Vec<String> {
        self.hints.lines(&self.expression, self.matched)
    }

    /// Compiles for packets of this kind, from a file of this byte order.
    ///
    /// # Errors
    ///
    /// The expression makes no sense for them.
    pub fn prepare(&mut self, link: LinkType, swapped: bool) -> Result<(), Error> {
        if self.expression.text.is_empty() {
            return Ok(());
        }
        self.program(link, swapped)?;
        self.hints.prepare(&self.expression, link, swapped);
        Ok(())
    }

    fn program(&mut self, link: LinkType, swapped: bool) -> Result<&Program, Error> {
        // Nearly always there is one.
        let at = match self.programs.iter().position(|(kind, _)| *kind == (link, swapped)) {
            Some(at) => at,
            None => {
                let program = compile_for_file(&self.expression, self.optimize, link, swapped, MAX_SNAPLEN)?;
                self.programs.push(((link, swapped), program));
                self.programs.len() - 1
            }
        };
        Ok(&self.programs[at].1)
    }
}

/// Compiles `expression` for packets of a savefile. `swapped`: it was written in the other byte order than this machine's.
///
/// libpcap has to believe that it reads such a file: the family in DLT_NULL's header is in the byte order of the machine that wrote
/// it, and has three numbers for IPv6; a direction is known of live packets only.
///
/// # Errors
///
/// The expression makes no sense for such packets.
pub fn compile_for_file(
    expression: &Expression,
    optimize: bool,
    link: LinkType,
    swapped: bool,
    snaplen: u32,
) -> Result<Program, Error> {
    let failed = |error| Error::Other(format!("the filter cannot be compiled: {error}"));
    let (reader, mut writer) = std::io::pipe().map_err(failed)?;
    let header = [
        0xa1b2_c3d4,
        if cfg!(target_endian = "little") != swapped {
            0x0004_0002
        } else {
            0x0002_0004
        },
        0,
        0,
        snaplen,
        link.to_file(),
    ];
    for word in header {
        let word: u32 = if swapped { word.swap_bytes() } else { word };
        writer.write_all(&word.to_ne_bytes()).map_err(failed)?;
    }
    drop(writer);
    let file = libpcap::savefile(reader.into()).map_err(|error| expression.error(&error))?;
    let program = file
        .compile(&expression.text, optimize)
        .map_err(|error| expression.error(&error))?;
    Ok(Program::new(instructions(&program)))
}

/// Compiles `expression` for packets of this link type, of which at most `snaplen` bytes are captured, from nowhere in particular.
///
/// # Errors
///
/// The expression makes no sense for such packets.
pub fn compile(expression: &Expression, optimize: bool, link: LinkType, snaplen: u32) -> Result<Program, Error> {
    let wrong = |error: pcap::Error| expression.error(&error);
    let dead = pcap::Capture::dead(pcap::Linktype(link.0)).map_err(wrong)?;
    let compiled = dead.compile(&expression.text, optimize).map_err(wrong)?;
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
        let mut filter = Filter::new(Expression::typed("greater 1000"), true);
        let cut = Raw {
            time: Timestamp::default(),
            link: LinkType(1),
            swapped: false,
            data: Captured::new(&[0; 60], 1514),
        };
        assert!(filter.matches(&cut).unwrap());
    }

    #[test]
    fn an_error_quotes_the_expression() {
        let error = compile_for_file(&Expression::typed("port http or"), true, LinkType(1), false, 96)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("filter `port http or`: "), "{error}");
        assert!(!error.contains('\n'));
    }

    #[test]
    fn an_error_does_not_quote_from_a_file() {
        let secret = Expression::from_file(Path::new("/etc/secret"), "host no-such-secret.invalid and");
        for error in [
            compile(&secret, true, LinkType(1), 96).unwrap_err(),
            compile_for_file(&secret, true, LinkType(1), false, 96).unwrap_err(),
        ] {
            let error = error.to_string();
            assert!(
                error.contains("-F /etc/secret") && !error.contains("no-such-secret"),
                "{error}"
            );
        }
    }

    /// The family is a word in the byte order of the machine that wrote the file; IPv6 is 24, 28 or 30 on BSD and macOS.
    #[test]
    fn dlt_null_has_the_byte_order_of_the_file() {
        let mut packet = [0; 44];
        packet[4] = 0x60;
        for family in [24u32, 28, 30] {
            for swapped in [false, true] {
                let family = if swapped { family.swap_bytes() } else { family };
                packet[..4].copy_from_slice(&family.to_ne_bytes());
                let matches = |swapped| {
                    compile_for_file(&Expression::typed("ip6"), true, LinkType(0), swapped, 96)
                        .unwrap()
                        .matches(&packet, packet.len())
                };
                assert!(matches(swapped) && !matches(!swapped));
            }
        }
    }

    #[test]
    fn the_direction_of_an_ethernet_packet_in_a_file_is_not_known() {
        let error = compile_for_file(&Expression::typed("inbound"), true, LinkType(1), false, 96).unwrap_err();
        assert!(error.to_string().contains("inbound"), "{error}");
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
            let ours = compile_for_file(&Expression::typed(expression), optimize, LinkType(1), false, 262_144).unwrap();
            prop_assert_eq!(ours.matches(&packet, packet.len()), theirs);
        }
    }
}
