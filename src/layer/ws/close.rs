//! Close frames (RFC 6455 §5.5.1, §7.4).

use crate::base::{Rule, Violation};
use crate::record::Close;

impl<'a> Close<'a> {
    /// Reads a close frame's payload; what breaks a rule is handed to `violation`. `None` when there is no code.
    pub fn read(payload: &'a [u8], mut violation: impl FnMut(Violation)) -> Option<Self> {
        let Some((code, reason)) = payload.split_first_chunk::<2>() else {
            if !payload.is_empty() {
                violation(Violation::new(
                    Rule::CloseOneByte,
                    "the payload of a close frame is a single byte",
                ));
            }
            return None;
        };
        let code = u16::from_be_bytes(*code);
        if !may_be_sent(code) {
            let detail = format!("close code {code}{}", why_not(code));
            violation(Violation::new(Rule::CloseCode, detail).about(code.to_string()));
        }
        let reason = match simdutf8::compat::from_utf8(reason) {
            Ok(reason) => reason,
            Err(error) => {
                let good = error.valid_up_to();
                violation(Violation::new(
                    Rule::CloseReasonUtf8,
                    format!("byte {good} of the close reason is not UTF-8"),
                ));
                std::str::from_utf8(&reason[..good]).unwrap_or_default()
            }
        };
        Some(Self { code, reason })
    }
}

/// Whether an endpoint may send this code: the registered ones (RFC 6455 §11.7, the IANA registry: 1012 to 1014 were added
/// later) and the ranges left to libraries and applications.
pub const fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

fn why_not(code: u16) -> &'static str {
    match code {
        1005 | 1006 | 1015 => " is for use inside a program only and may not be sent",
        0..=999 => " is below the range that is in use",
        1000..=2999 => " is reserved and not registered",
        _ => " is above the range that is in use",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(payload: &[u8]) -> (Option<Close<'_>>, Vec<Rule>) {
        let mut rules = Vec::new();
        let close = Close::read(payload, |v| rules.push(v.rule));
        (close, rules)
    }

    #[test]
    fn what_a_close_frame_may_hold() {
        assert_eq!(read(b""), (None, vec![]));
        assert_eq!(read(b"\x03"), (None, vec![Rule::CloseOneByte]));
        let bye = Close {
            code: 1001,
            reason: "bye",
        };
        assert_eq!(read(b"\x03\xe9bye"), (Some(bye), vec![]));
        assert_eq!(read(b"\x03\xedx").1, [Rule::CloseCode]);
        let (close, rules) = read(b"\x03\xe8ok\xff");
        assert_eq!((close.unwrap().reason, rules), ("ok", vec![Rule::CloseReasonUtf8]));
    }

    #[test]
    fn the_registry() {
        let sent: Vec<u16> = (0..=u16::MAX).filter(|&c| may_be_sent(c)).collect();
        assert_eq!(sent.len(), 4 + 8 + 2000);
        for code in [999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
            assert!(!may_be_sent(code), "{code}");
        }
    }
}
