//! UDP (RFC 768), in short.

use super::demux::Payload;
use super::line::{Line, Printed};

/// Prints a datagram: `10.0.0.1.53 > 10.0.0.2.4000: UDP, length 60`.
pub(super) fn print(line: &mut Line<'_>, payload: Payload) -> Printed {
    line.protocol = "udp";
    let Payload {
        at, header, version, ..
    } = payload;
    let captured = line.has(at, 8);
    let end = |line: &mut Line<'_>, v4: usize, v6: usize, port: usize| -> Printed {
        match version {
            6 => line.v6(header + v6)?,
            _ => line.v4(header + v4)?,
        }
        if captured {
            line.dec(".", line.u16(port)?);
        }
        Ok(())
    };
    end(line, 12, 8, at)?;
    line.text(" > ");
    end(line, 16, 24, at + 2)?;
    if !captured {
        line.byte(b':');
        line.truncated();
        return Ok(());
    }
    line.dec(": UDP, length ", payload.length.saturating_sub(8));
    Ok(())
}
