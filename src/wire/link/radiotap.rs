//! Radiotap: measurements of the receiver before an 802.11 frame (<https://www.radiotap.org>). All numbers are little-endian, and
//! each field is aligned to its size, counted from the header's start.

use super::ieee802_11;
use crate::wire::reader::{Listener, Read, Reader};

/// Version, pad, length and the first word of presence bits.
const FIXED: usize = 8;

const CHANNEL: u32 = 3;
const XCHANNEL: u32 = 18;
const MCS: u32 = 19;
/// From here on a bit is about the presence words themselves.
const NAMESPACE: u32 = 29;
const VENDOR: u32 = 30;
const MORE: u32 = 31;

/// Bits of the field of flags: the frame ends with its checksum, and its header is padded to words.
const HAS_FCS: u8 = 0x10;
const IS_PADDED: u8 = 0x20;

pub(super) fn read<L: Listener>(reader: &mut Reader<'_, L>, start: usize, length: u32) -> Read<usize> {
    reader.protocol = "802.11_radio";
    let captured = reader.available(start) as usize;
    let header = match reader.array::<FIXED>(start) {
        Ok(bytes) => usize::from(u16::from_le_bytes([bytes[2], bytes[3]])),
        Err(_) => 0,
    };
    let mut words = 1;
    let word = |reader: &Reader<'_, L>, n: usize| Ok(u32::from_le_bytes(*reader.array(start + 4 * n)?));
    while FIXED + 4 * (words - 1) <= header && captured >= header && word(reader, words)? & 1 << MORE != 0 {
        words += 1;
    }
    if header < FIXED || captured < header || 4 + 4 * words > header {
        reader.truncated();
        return Ok(captured);
    }
    let mut fields = Fields {
        start,
        at: start + 4 + 4 * words,
        end: start + header,
        flags: 0,
    };
    let mut first_bit = 0;
    let mut vendor_length = None;
    for n in 1..=words {
        let present = word(reader, n)?;
        match vendor_length.take() {
            Some(skip) if fields.at + skip <= fields.end => fields.at += skip,
            Some(_) => break,
            None => {
                let bits = (0..NAMESPACE).filter(|bit| present & 1 << bit != 0);
                let shown = bits
                    .map(|bit| (first_bit + bit, bit))
                    .try_for_each(|(field, _)| fields.read(reader, field, present));
                match shown {
                    Ok(()) => {}
                    Err(Stop::Unknown) => break,
                    Err(Stop::Short) => {
                        reader.truncated();
                        break;
                    }
                }
            }
        }
        match present & (1 << NAMESPACE | 1 << VENDOR) {
            0 => first_bit += 32,
            bits if bits == 1 << VENDOR => {
                first_bit = 0;
                match fields.vendor(reader) {
                    Ok(length) => vendor_length = Some(length),
                    Err(_) => reader.truncated(),
                }
            }
            _ => first_bit = 0,
        }
    }
    let fcs = if fields.flags & HAS_FCS != 0 { 4 } else { 0 };
    let padded = fields.flags & IS_PADDED != 0;
    let rest = length.wrapping_sub(header as u32);
    Ok(header + ieee802_11::frame(reader, start + header, rest, padded, fcs)?)
}

/// Why the rest of the fields is not read.
enum Stop {
    /// A field of unknown size.
    Unknown,
    /// The header is too short.
    Short,
}

/// The fields, in the order of their bits.
struct Fields {
    start: usize,
    at: usize,
    end: usize,
    flags: u8,
}

impl Fields {
    fn take<const N: usize, L: Listener>(&mut self, reader: &Reader<'_, L>, align: usize) -> Result<[u8; N], Stop> {
        let at = self.start + (self.at - self.start).next_multiple_of(align);
        if at + N > self.end {
            return Err(Stop::Short);
        }
        self.at = at + N;
        reader.array(at).copied().map_err(|_| Stop::Short)
    }

    /// The header of a vendor's namespace; returns how many bytes of it follow.
    fn vendor<L: Listener>(&mut self, reader: &Reader<'_, L>) -> Result<usize, Stop> {
        let [_, _, _, _, low, high] = self.take(reader, 2)?;
        Ok(u16::from_le_bytes([low, high]).into())
    }

    fn read<L: Listener>(&mut self, reader: &mut Reader<'_, L>, field: u32, present: u32) -> Result<(), Stop> {
        match field {
            0 => {
                let time = u64::from_le_bytes(self.take(reader, 8)?);
                reader.dec("", time);
                reader.text("us tsft ");
            }
            1 => {
                let [flags] = self.take(reader, 1)?;
                self.flags = flags;
                let names = ["cfp ", "short preamble ", "wep ", "fragmented ", "", "", "bad-fcs "];
                for (bit, name) in names.iter().enumerate() {
                    if flags & 1 << bit != 0 {
                        reader.text(name);
                    }
                }
            }
            2 => {
                let [rate] = self.take(reader, 1)?;
                // What FreeBSD writes for an index into the rates of 802.11n.
                if (0x80..=0x8f).contains(&rate) {
                    reader.dec("MCS ", rate & 0x7f);
                    reader.text(" ");
                } else {
                    reader.dec("", rate / 2);
                    reader.text(if rate % 2 == 0 { ".0 Mb/s " } else { ".5 Mb/s " });
                }
            }
            CHANNEL => {
                let [a, b, c, d] = self.take(reader, 2)?;
                if present & 1 << XCHANNEL == 0 {
                    let flags = u16::from_le_bytes([c, d]).into();
                    channel(reader, u16::from_le_bytes([a, b]), flags, present);
                }
            }
            4 => {
                let [set, pattern] = self.take(reader, 1)?;
                reader.dec("fhset ", set);
                reader.dec(" fhpat ", pattern);
                reader.text(" ");
            }
            5 | 6 | 10 => {
                let [value] = self.take(reader, 1)?;
                signed(reader, i32::from(value as i8));
                reader.text(match field {
                    5 => "dBm signal ",
                    6 => "dBm noise ",
                    _ => "dBm tx power ",
                });
            }
            7 => {
                reader.dec("", u16::from_le_bytes(self.take(reader, 2)?));
                reader.text(" sq ");
            }
            8 => {
                signed(reader, -i32::from(i16::from_le_bytes(self.take(reader, 2)?)));
                reader.text(" tx power ");
            }
            9 => {
                let [value] = self.take(reader, 1)?;
                signed(reader, -i32::from(value as i8));
                reader.text("dB tx attenuation ");
            }
            11..=13 => {
                let [value] = self.take(reader, 1)?;
                reader.dec(if field == 11 { "antenna " } else { "" }, value);
                reader.text([" ", "dB signal ", "dB noise "][field as usize - 11]);
            }
            14 => _ = self.take::<2, L>(reader, 2)?,
            XCHANNEL => {
                let [a, b, c, d, low, high, _, _] = self.take(reader, 4)?;
                let flags = u32::from_le_bytes([a, b, c, d]);
                channel(reader, u16::from_le_bytes([low, high]), flags, present);
            }
            MCS => {
                let [known, flags, index] = self.take(reader, 1)?;
                high_throughput(reader, known, flags, index);
            }
            20 => _ = self.take::<8, L>(reader, 4)?,
            21 => {
                let bytes = self.take(reader, 2)?;
                very_high_throughput(reader, &bytes);
            }
            unknown => {
                reader.dec("[bit ", unknown);
                reader.text("] ");
                return Err(Stop::Unknown);
            }
        }
        Ok(())
    }
}

fn signed<L: Listener>(reader: &mut Reader<'_, L>, n: i32) {
    reader.dec(if n < 0 { "-" } else { "" }, n.unsigned_abs());
}

/// `2412 MHz 11b `
fn channel<L: Listener>(reader: &mut Reader<'_, L>, frequency: u16, flags: u32, present: u32) {
    let is = |mask: u32| flags & mask == mask;
    reader.dec("", frequency);
    reader.text(" MHz");
    let width = match () {
        () if is(0x4000) => "/10Mhz",
        () if is(0x8000) => "/5Mhz",
        () => "",
    };
    if present & 1 << MCS != 0 {
        reader.text(" 11n");
    } else {
        // Frequency hopping at 2 GHz; OFDM at 5 GHz; OFDM or dynamic at 2 GHz; CCK at 2 GHz.
        if is(0x0880) {
            reader.text(" FHSS");
        }
        if is(0x0140) {
            reader.text(" 11a");
            reader.text(width);
        }
        if is(0x00c0) || is(0x0480) {
            reader.text(" 11g");
            reader.text(width);
        } else if is(0x00a0) {
            reader.text(" 11b");
        }
        if is(0x0010) {
            reader.text(" Turbo");
        }
    }
    reader.text(match () {
        () if is(0x1_0000) => " ht/20 ",
        () if is(0x4_0000) => " ht/40- ",
        () if is(0x2_0000) => " ht/40+ ",
        () => " ",
    });
}

/// The rate of 802.11n that an index stands for, in tenths of Mb/s; `None` where tcpdump has none. Those of unequal modulation
/// (33 to 76) are left out: nobody uses them.
fn rate(index: u8, wide: bool, short_guard: bool) -> Option<u32> {
    // Data bits of a symbol a stream and subcarrier, in twelfths.
    const BITS: [u32; 8] = [6, 12, 18, 24, 36, 48, 54, 60];
    let bits = match index {
        0..=31 => (u32::from(index) / 8 + 1) * BITS[usize::from(index % 8)] * if wide { 108 } else { 52 },
        // BPSK in both halves of 40 MHz, sent twice.
        32 if wide => 6 * 48,
        _ => return None,
    };
    // A symbol takes 4 µs, or 3.6.
    let twelfths_of_tenths = if short_guard { bits * 100 / 36 } else { bits * 10 / 4 };
    let exact = if short_guard {
        bits * 1000 / 36
    } else {
        twelfths_of_tenths * 10
    };
    Some((exact + 60) / 120)
}

fn high_throughput<L: Listener>(reader: &mut Reader<'_, L>, known: u8, flags: u8, index: u8) {
    let short_guard = flags & 0x04 != 0;
    if known & 0x02 != 0 {
        if let Some(tenths) = rate(index, flags & 0x03 == 1, short_guard).filter(|_| known & 0x05 != 0) {
            reader.dec("", tenths / 10);
            reader.dec(".", tenths % 10);
            reader.text(" Mb/s ");
        }
        reader.dec("MCS ", index);
        reader.text(" ");
    }
    if known & 0x01 != 0 {
        reader.text(["20 MHz ", "40 MHz ", "20 MHz (L) ", "20 MHz (U) "][usize::from(flags & 0x03)]);
    }
    if known & 0x04 != 0 {
        reader.text(if short_guard { "short GI " } else { "long GI " });
    }
    if known & 0x08 != 0 {
        reader.text(if flags & 0x08 != 0 { "greenfield " } else { "mixed " });
    }
    if known & 0x10 != 0 {
        reader.text(if flags & 0x10 != 0 { "LDPC FEC " } else { "BCC FEC " });
    }
    if known & 0x20 != 0 {
        reader.dec("RX-STBC", flags >> 5 & 3);
        reader.text(" ");
    }
}

/// As tcpdump names them.
const WIDTHS: [&str; 26] = [
    "20 MHz",
    "40 MHz",
    "20 MHz (L)",
    "20 MHz (U)",
    "80 MHz",
    "80 MHz (L)",
    "80 MHz (U)",
    "80 MHz (LL)",
    "80 MHz (LU)",
    "80 MHz (UL)",
    "80 MHz (UU)",
    "160 MHz",
    "160 MHz (L)",
    "160 MHz (U)",
    "160 MHz (LL)",
    "160 MHz (LU)",
    "160 MHz (UL)",
    "160 MHz (UU)",
    "160 MHz (LLL)",
    "160 MHz (LLU)",
    "160 MHz (LUL)",
    "160 MHz (UUU)",
    "160 MHz (ULL)",
    "160 MHz (ULU)",
    "160 MHz (UUL)",
    "160 MHz (UUU)",
];

fn very_high_throughput<L: Listener>(reader: &mut Reader<'_, L>, bytes: &[u8; 12]) {
    let [known, _, flags, width, users @ .., coding, _, _, _] = bytes;
    for (user, streams) in users.iter().enumerate() {
        if streams & 0x0f != 0 {
            reader.dec("User ", user as u64);
            reader.dec(" MCS ", streams >> 4);
            reader.text(if coding & 1 << user != 0 {
                " LDPC FEC "
            } else {
                " BCC FEC "
            });
        }
    }
    if known & 0x40 != 0 {
        let width = width & 0x1f;
        match WIDTHS.get(usize::from(width)) {
            Some(name) => reader.text(name),
            None => {
                reader.dec("unknown (", width);
                reader.text(")");
            }
        }
        reader.text(" ");
    }
    if known & 0x04 != 0 {
        reader.text(if flags & 0x04 != 0 { "short GI " } else { "long GI " });
    }
}
