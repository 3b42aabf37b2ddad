//! IPsec: the authentication header (RFC 4302), behind which everything can still be read, and ESP (RFC 4303).

use super::line::{Line, Printed};
use super::number;

/// Prints an authentication header; returns its length, `None` when the capture ends before it.
pub(super) fn authentication(line: &mut Line<'_>, at: usize) -> Printed<Option<u32>> {
    line.protocol = "ah";
    if !line.has(at, 1) {
        line.truncated();
        return Ok(None);
    }
    line.text("AH");
    let words = line.u8(at + 1)?;
    let length = (u32::from(words) + 2) * 4;
    line.byte(b'(');
    if line.options.verbose > 0 {
        line.dec("length=", words);
        line.dec("(", length);
        line.text("-bytes),");
    }
    let reserved = line.u16(at + 2)?;
    if reserved != 0 {
        line.hex("reserved=0x", reserved);
        line.text("[MustBeZero],");
    }
    line.hex_padded("spi=0x", line.u32(at + 4)?, 8);
    line.byte(b',');
    line.hex("seq=0x", line.u32(at + 8)?);
    line.text(",icv=0x");
    for n in 12..length as usize {
        let byte = line.u8(at + n)?;
        number::push_hex_bytes(line.out, &[byte]);
    }
    line.text("): ");
    Ok(Some(length))
}

/// Prints what ESP leaves readable.
pub(super) fn encapsulated(line: &mut Line<'_>, at: usize, length: u32) -> Printed {
    line.protocol = "esp";
    if !line.has(at, 9) {
        line.truncated();
        return Ok(());
    }
    line.hex_padded("ESP(spi=0x", line.u32(at)?, 8);
    line.hex(",seq=0x", line.u32(at + 4)?);
    line.dec("), length ", length);
    Ok(())
}
