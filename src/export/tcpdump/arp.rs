//! ARP (RFC 826) and its reverse (RFC 903).

use super::ethertype;
use super::line::{Line, Printed};

const HEADER: usize = 8;
/// Frames of Alteon's, which reuse the number of IPv4 in ARP.
const TRAILER: u16 = 0x1000;

/// Prints a packet.
pub(super) fn print(line: &mut Line<'_>, at: usize, length: u32) -> Printed {
    line.protocol = "arp";
    line.need(at, HEADER)?;
    let packet = Packet {
        at,
        protocol: line.u16(at + 2)?,
        hardware_length: line.u8(at + 4)?.into(),
        protocol_length: line.u8(at + 5)?.into(),
    };
    let hardware = line.u16(at)?;
    line.need(packet.target_protocol(), packet.protocol_length)?;
    if !line.options.link_header {
        line.text("ARP, ");
    }
    let verbose = line.options.verbose > 0;
    let known = packet.is_ip() && packet.protocol_length == 4 && packet.hardware_length != 0;
    if !known || verbose {
        match hardware {
            1 => line.text("Ethernet"),
            6 => line.text("TokenRing"),
            7 => line.text("ArcNet"),
            15 => line.text("FrameRelay"),
            19 => line.text("ATM"),
            23 => line.text("Strip"),
            24 => line.text("IEEE 1394"),
            32 => line.text("InfiniBand"),
            other => {
                line.dec("Unknown Hardware (", other);
                line.byte(b')');
            }
        }
        line.dec(" (len ", packet.hardware_length);
        line.text("), ");
        match ethertype::name(packet.protocol) {
            Some(name) => line.text(name),
            None => {
                line.hex_padded("Unknown Protocol (0x", packet.protocol, 4);
                line.byte(b')');
            }
        }
        line.dec(" (len ", packet.protocol_length);
        line.byte(b')');
    }
    if known || verbose {
        line.text(if verbose { ", " } else { "" });
        if !packet.operation(line)? {
            return line.dump_payload(at, line.available(at));
        }
    }
    line.dec(", length ", length);
    Ok(())
}

struct Packet {
    at: usize,
    protocol: u16,
    hardware_length: usize,
    protocol_length: usize,
}

impl Packet {
    fn is_ip(&self) -> bool {
        matches!(self.protocol, ethertype::IPV4 | TRAILER)
    }

    fn sender_hardware(&self) -> usize {
        self.at + HEADER
    }

    fn sender_protocol(&self) -> usize {
        self.sender_hardware() + self.hardware_length
    }

    fn target_hardware(&self) -> usize {
        self.sender_protocol() + self.protocol_length
    }

    fn target_protocol(&self) -> usize {
        self.target_hardware() + self.hardware_length
    }

    /// Prints what is asked or answered; `false` when the operation is unknown.
    fn operation(&self, line: &mut Line<'_>) -> Printed<bool> {
        let operation = line.u16(self.at + 6)?;
        match operation {
            1 => line.text("Request "),
            2 => line.text("Reply "),
            3 => line.text("Reverse Request "),
            4 => line.text("Reverse Reply "),
            8 => line.text("Inverse Request "),
            9 => line.text("Inverse Reply "),
            10 => line.text("NACK Reply "),
            other => {
                line.dec("Unknown (", other);
                line.text(") ");
            }
        }
        match operation {
            1 => {
                line.text("who-has ");
                self.protocol_address(line, self.target_protocol())?;
                let asked = line.slice(self.target_hardware(), self.hardware_length)?;
                if asked.iter().any(|&b| b != 0) {
                    self.hardware_address(line, " (", self.target_hardware())?;
                    line.byte(b')');
                }
                line.text(" tell ");
                self.protocol_address(line, self.sender_protocol())?;
            }
            2 => {
                self.protocol_address(line, self.sender_protocol())?;
                self.hardware_address(line, " is-at ", self.sender_hardware())?;
            }
            3 | 8 => {
                self.hardware_address(line, "who-is ", self.target_hardware())?;
                self.hardware_address(line, " tell ", self.sender_hardware())?;
            }
            4 => {
                self.hardware_address(line, "", self.target_hardware())?;
                line.text(" at ");
                self.protocol_address(line, self.target_protocol())?;
            }
            9 => {
                self.hardware_address(line, "", self.sender_hardware())?;
                line.text(" at ");
                self.protocol_address(line, self.sender_protocol())?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn protocol_address(&self, line: &mut Line<'_>, at: usize) -> Printed {
        if !self.is_ip() {
            line.text("<wrong proto type>");
        } else if self.protocol_length != 4 {
            line.text("<wrong len>");
        } else {
            line.v4(at)?;
        }
        Ok(())
    }

    fn hardware_address(&self, line: &mut Line<'_>, before: &str, at: usize) -> Printed {
        line.need(at, self.hardware_length)?;
        line.text(before);
        if self.hardware_length == 0 {
            line.text("<empty>");
        }
        line.mac(at, self.hardware_length)
    }
}
