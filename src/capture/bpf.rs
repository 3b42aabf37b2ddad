//! The classic BPF machine (McCanne and Jacobson, "The BSD Packet Filter", 1993; opcodes as in Linux' `filter.rst`).
//!
//! In: the program that libpcap compiled, and a packet. Out: does it match; and the program as text.
//!
//! Why not libpcap's own machine: the `pcap` crate hands it the captured bytes only, so that `len`, `greater` and `less` would
//! see the length of a cut packet instead of the one on the wire. This one is also free of calls into C for each packet.

use std::fmt::Write as _;

/// A compiled filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    instructions: Vec<Instruction>,
}

/// One instruction: what to do, where to jump when true and false, and a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Class, size or operation, mode or source.
    pub code: u16,
    /// Jump this far when true.
    pub jt: u8,
    /// Jump this far when false.
    pub jf: u8,
    /// The constant.
    pub k: u32,
}

/// How many words of scratch memory a program has (`BPF_MEMWORDS`).
const MEMORY: usize = 16;

impl Program {
    /// A program of these instructions.
    pub fn new(instructions: Vec<Instruction>) -> Self {
        Self { instructions }
    }

    /// The instructions.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// Whether a packet matches, of which `bytes` were captured and which was `wire_len` long.
    ///
    /// As in libpcap, looking beyond the captured bytes, dividing by zero and running off the program all mean: no match.
    #[inline]
    pub fn matches(&self, bytes: &[u8], wire_len: usize) -> bool {
        self.run(bytes, wire_len).is_some_and(|accepted| accepted != 0)
    }

    fn run(&self, bytes: &[u8], wire_len: usize) -> Option<u32> {
        let (mut a, mut x) = (0u32, 0u32);
        let mut memory = [0u32; MEMORY];
        let mut pc = 0usize;
        loop {
            let Instruction { code, jt, jf, k } = *self.instructions.get(pc)?;
            pc += 1;
            match code {
                0x20 => a = word(bytes, k as usize)?,                            // ld [k]
                0x28 => a = half(bytes, k as usize)?,                            // ldh [k]
                0x30 => a = byte(bytes, k as usize)?,                            // ldb [k]
                0x80 => a = wire_len as u32,                                     // ld #pktlen
                0x81 => x = wire_len as u32,                                     // ldx #pktlen
                0x40 => a = word(bytes, (x as usize).checked_add(k as usize)?)?, // ld [x + k]
                0x48 => a = half(bytes, (x as usize).checked_add(k as usize)?)?, // ldh [x + k]
                0x50 => a = byte(bytes, (x as usize).checked_add(k as usize)?)?, // ldb [x + k]
                0xb1 => x = (byte(bytes, k as usize)? & 0xf) << 2,               // ldxb 4*([k]&0xf)
                0x00 => a = k,                                                   // ld #k
                0x01 => x = k,                                                   // ldx #k
                0x60 => a = *memory.get(k as usize)?,                            // ld M[k]
                0x61 => x = *memory.get(k as usize)?,                            // ldx M[k]
                0x02 => *memory.get_mut(k as usize)? = a,                        // st M[k]
                0x03 => *memory.get_mut(k as usize)? = x,                        // stx M[k]
                0x05 => pc = pc.checked_add_signed(k as i32 as isize)?,          // ja
                0x15 => pc += usize::from(if a == k { jt } else { jf }),         // jeq #k
                0x25 => pc += usize::from(if a > k { jt } else { jf }),          // jgt #k
                0x35 => pc += usize::from(if a >= k { jt } else { jf }),         // jge #k
                0x45 => pc += usize::from(if a & k != 0 { jt } else { jf }),     // jset #k
                0x1d => pc += usize::from(if a == x { jt } else { jf }),         // jeq x
                0x2d => pc += usize::from(if a > x { jt } else { jf }),          // jgt x
                0x3d => pc += usize::from(if a >= x { jt } else { jf }),         // jge x
                0x4d => pc += usize::from(if a & x != 0 { jt } else { jf }),     // jset x
                0x04 => a = a.wrapping_add(k),                                   // add #k
                0x14 => a = a.wrapping_sub(k),                                   // sub #k
                0x24 => a = a.wrapping_mul(k),                                   // mul #k
                0x34 => a = a.checked_div(k)?,                                   // div #k
                0x44 => a |= k,                                                  // or #k
                0x54 => a &= k,                                                  // and #k
                0x64 => a = a.checked_shl(k).unwrap_or(0),                       // lsh #k
                0x74 => a = a.checked_shr(k).unwrap_or(0),                       // rsh #k
                0x94 => a = a.checked_rem(k)?,                                   // mod #k
                0xa4 => a ^= k,                                                  // xor #k
                0x0c => a = a.wrapping_add(x),                                   // add x
                0x1c => a = a.wrapping_sub(x),                                   // sub x
                0x2c => a = a.wrapping_mul(x),                                   // mul x
                0x3c => a = a.checked_div(x)?,                                   // div x
                0x4c => a |= x,                                                  // or x
                0x5c => a &= x,                                                  // and x
                0x6c => a = a.checked_shl(x).unwrap_or(0),                       // lsh x
                0x7c => a = a.checked_shr(x).unwrap_or(0),                       // rsh x
                0x9c => a = a.checked_rem(x)?,                                   // mod x
                0xac => a ^= x,                                                  // xor x
                0x84 => a = a.wrapping_neg(),                                    // neg
                0x06 => return Some(k),                                          // ret #k
                0x16 => return Some(a),                                          // ret a
                0x07 => x = a,                                                   // tax
                0x87 => a = x,                                                   // txa
                _ => return None,
            }
        }
    }

    /// `-d`: readable, line by line what tcpdump prints.
    pub fn readable(&self) -> String {
        let mut text = String::new();
        for (number, instruction) in self.instructions.iter().enumerate() {
            text.push_str(&instruction.image(number));
            text.push('\n');
        }
        text
    }

    /// `-dd`: the inside of a C array.
    pub fn as_c(&self) -> String {
        let mut text = String::new();
        for Instruction { code, jt, jf, k } in &self.instructions {
            let _ = writeln!(text, "{{ 0x{code:x}, {jt}, {jf}, 0x{k:08x} }},");
        }
        text
    }

    /// `-ddd`: decimal numbers, their count first.
    pub fn as_numbers(&self) -> String {
        let mut text = format!("{}\n", self.instructions.len());
        for Instruction { code, jt, jf, k } in &self.instructions {
            let _ = writeln!(text, "{code} {jt} {jf} {k}");
        }
        text
    }
}

impl Instruction {
    /// The line that libpcap's `bpf_image` makes of it. `number` is its place in the program.
    fn image(&self, number: usize) -> String {
        let k = self.k;
        let (operation, operand) = match self.code {
            0x06 => ("ret", format!("#{}", k as i32)),
            0x16 => ("ret", String::new()),
            0x20 => ("ld", at(k)),
            0x28 => ("ldh", at(k)),
            0x30 => ("ldb", at(k)),
            0x80 => ("ld", "#pktlen".to_owned()),
            0x40 => ("ld", format!("[x + {}]", k as i32)),
            0x48 => ("ldh", format!("[x + {}]", k as i32)),
            0x50 => ("ldb", format!("[x + {}]", k as i32)),
            0x00 => ("ld", format!("#0x{k:x}")),
            0x01 => ("ldx", format!("#0x{k:x}")),
            0xb1 => ("ldxb", format!("4*([{}]&0xf)", k as i32)),
            0x60 => ("ld", format!("M[{}]", k as i32)),
            0x61 => ("ldx", format!("M[{}]", k as i32)),
            0x02 => ("st", format!("M[{}]", k as i32)),
            0x03 => ("stx", format!("M[{}]", k as i32)),
            0x05 => ("ja", format!("{}", (number + 1).wrapping_add_signed(k as i32 as isize))),
            0x25 => ("jgt", format!("#0x{k:x}")),
            0x35 => ("jge", format!("#0x{k:x}")),
            0x15 => ("jeq", format!("#0x{k:x}")),
            0x45 => ("jset", format!("#0x{k:x}")),
            0x2d => ("jgt", "x".to_owned()),
            0x3d => ("jge", "x".to_owned()),
            0x1d => ("jeq", "x".to_owned()),
            0x4d => ("jset", "x".to_owned()),
            0x0c => ("add", "x".to_owned()),
            0x1c => ("sub", "x".to_owned()),
            0x2c => ("mul", "x".to_owned()),
            0x3c => ("div", "x".to_owned()),
            0x9c => ("mod", "x".to_owned()),
            0x5c => ("and", "x".to_owned()),
            0x4c => ("or", "x".to_owned()),
            0xac => ("xor", "x".to_owned()),
            0x6c => ("lsh", "x".to_owned()),
            0x7c => ("rsh", "x".to_owned()),
            0x04 => ("add", format!("#{}", k as i32)),
            0x14 => ("sub", format!("#{}", k as i32)),
            0x24 => ("mul", format!("#{}", k as i32)),
            0x34 => ("div", format!("#{}", k as i32)),
            0x94 => ("mod", format!("#{}", k as i32)),
            0x54 => ("and", format!("#0x{k:x}")),
            0x44 => ("or", format!("#0x{k:x}")),
            0xa4 => ("xor", format!("#0x{k:x}")),
            0x64 => ("lsh", format!("#{}", k as i32)),
            0x74 => ("rsh", format!("#{}", k as i32)),
            0x84 => ("neg", String::new()),
            0x07 => ("tax", String::new()),
            0x87 => ("txa", String::new()),
            code => ("unimp", format!("0x{code:x}")),
        };
        // Jumps on a condition name both targets; `ja` does not.
        if self.code & 0x07 == 0x05 && self.code & 0xf0 != 0 {
            let yes = number + 1 + usize::from(self.jt);
            let no = number + 1 + usize::from(self.jf);
            format!("({number:03}) {operation:<8} {operand:<16} jt {yes}\tjf {no}")
        } else {
            format!("({number:03}) {operation:<8} {operand}")
        }
    }
}

/// `[12]`, and what the kernel's extensions at negative offsets are called (`SKF_AD_OFF`).
fn at(k: u32) -> String {
    format!("[{}]", k as i32)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u32> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(two.try_into().ok()?).into())
}

fn byte(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at).map(|&byte| byte.into())
}
