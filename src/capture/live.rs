//! Captures from an interface, through libpcap.
//!
//! In: an interface, and how to capture on it. Out: packets as they come. Nothing here blocks but [`Live::wait`], which also
//! ends when a signal comes.

use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
pub use pcap::Direction;
use pcap::{Active, Capture, Linktype, Precision, TimestampType};

use super::bpf::Program;
use super::error::{libpcap as said, reason as system_reason};
use super::filter::{Expression, instructions};
use super::{Error, Raw, devices, link_types};
use crate::base::{Captured, Timestamp};
use crate::wire::LinkType;

/// How to capture.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Bytes of a packet that are captured at most.
    pub snaplen: u32,
    /// Also packets that are not for this machine.
    pub promiscuous: bool,
    /// Only packets that were received, or sent.
    pub direction: Option<Direction>,
    /// Size of the kernel's buffer.
    pub buffer_kib: Option<u32>,
    /// The link type, by name.
    pub link_type: Option<String>,
    /// How packets are stamped, by name.
    pub time_stamp_type: Option<String>,
    /// Packets are delivered one by one.
    pub immediate: bool,
    /// How long the kernel may gather packets before it delivers them.
    pub delay: Duration,
    /// Times have nanoseconds.
    pub nano: bool,
}

/// A capture that is running.
pub struct Live {
    capture: Capture<Active>,
    device: String,
    link: LinkType,
    snaplen: u32,
    /// Nanoseconds of one unit of the time's fraction.
    unit: i64,
    /// What was counted before the filter was in force.
    unfiltered: Counters,
}

/// The kernel's counters. Packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Received by the filter.
    pub received: u32,
    /// Dropped by the kernel, because its buffer was full.
    pub dropped: u32,
    /// Dropped by the interface or its driver.
    pub dropped_by_interface: u32,
}

impl Live {
    /// Begins to capture on `device`.
    pub fn open(device: &str, settings: &Settings) -> Result<Self, Error> {
        let wrong = |error: pcap::Error| failure(device, &said(&error));
        // `any` cannot be promiscuous.
        let mut inactive = Capture::from_device(device)
            .map_err(wrong)?
            .snaplen(settings.snaplen as i32)
            .promisc(settings.promiscuous && device != "any")
            .timeout(settings.delay.as_millis() as i32)
            .immediate_mode(settings.immediate)
            .precision(if settings.nano {
                Precision::Nano
            } else {
                Precision::Micro
            });
        if let Some(kib) = settings.buffer_kib {
            inactive = inactive.buffer_size(i32::try_from(kib.saturating_mul(1024)).unwrap_or(i32::MAX));
        }
        if let Some(name) = &settings.time_stamp_type {
            let wanted = time_stamp_type(device, &inactive, name)?;
            inactive = inactive.tstamp_type(wanted);
        }
        let mut capture = inactive.open().map_err(wrong)?;
        match &settings.link_type {
            Some(name) => set_link_type(device, &mut capture, name)?,
            // As tcpdump: version 2 tells the interfaces apart. Without it (libpcap before 1.10), version 1.
            None if device == "any" => {
                let _ = capture.set_datalink(Linktype(LinkType::LINUX_SLL2.0));
            }
            None => {}
        }
        if let Some(direction) = settings.direction {
            capture
                .direction(direction)
                .map_err(|error| Error::Other(format!("-Q: {device} does not tell directions: {}", said(&error))))?;
        }
        // libpcap leaves its socket open to every program that is run.
        fcntl(capture.as_fd(), FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map_err(|error| failure(device, error.desc()))?;
        let link = LinkType(capture.get_datalink().0);
        Ok(Self {
            capture: capture.setnonblock().map_err(wrong)?,
            device: device.to_owned(),
            link,
            snaplen: settings.snaplen,
            unit: if settings.nano { 1 } else { 1_000 },
            unfiltered: Counters::default(),
        })
    }

    /// The interface.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// The link type of its packets.
    pub fn link_type(&self) -> LinkType {
        self.link
    }

    /// Bytes of a packet that are captured at most.
    pub fn snaplen(&self) -> u32 {
        self.snaplen
    }

    /// The link types that can be set.
    pub fn link_types(&self) -> Result<Vec<LinkType>, Error> {
        let types = self
            .capture
            .list_datalinks()
            .map_err(|error| failure(&self.device, &said(&error)))?;
        Ok(types.into_iter().map(|link| LinkType(link.0)).collect())
    }

    /// Has the kernel drop what does not match.
    pub fn filter(&mut self, expression: &Expression, optimize: bool) -> Result<(), Error> {
        self.capture
            .filter(expression.text(), optimize)
            .map_err(|error| expression.error(&error))?;
        // What came between the opening and the filter was received by no filter.
        self.unfiltered = self.counters()?;
        Ok(())
    }

    /// Delivers the packets that wait, at most about `limit`, and tells how many they were. Does not block.
    pub fn deliver(&mut self, limit: usize, mut each: impl FnMut(&Raw<'_>)) -> Result<usize, Error> {
        let (link, unit) = (self.link, self.unit);
        let delivered = self.capture.dispatch(Some(limit), |packet| {
            let header = packet.header;
            each(&Raw {
                time: Timestamp::from_parts(header.ts.tv_sec, header.ts.tv_usec * unit),
                link,
                swapped: false,
                data: Captured {
                    bytes: packet.data,
                    wire_len: header.len as usize,
                },
            });
        });
        match delivered {
            Ok(count) => Ok(count),
            Err(error) => match said(&error) {
                reason if says_nothing_waits(&reason) => Ok(0),
                reason => Err(Error::Other(format!("{}: the capture ended: {reason}", self.device))),
            },
        }
    }

    /// Waits until a packet or a signal (a byte in `wake`) comes or the time is over, or nobody reads `output` any more: then it
    /// says stop.
    pub fn wait(
        &self,
        wake: BorrowedFd<'_>,
        output: Option<BorrowedFd<'_>>,
        timeout: Option<Duration>,
    ) -> Result<ControlFlow<()>, Error> {
        let timeout = timeout.map_or(PollTimeout::NONE, |time| {
            PollTimeout::try_from(time.as_millis().saturating_add(1)).unwrap_or(PollTimeout::MAX)
        });
        let mut polled = [
            PollFd::new(self.capture.as_fd(), PollFlags::POLLIN),
            PollFd::new(wake, PollFlags::POLLIN),
            // Errors are always told.
            PollFd::new(output.unwrap_or(wake), PollFlags::empty()),
        ];
        match poll(&mut polled, timeout) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(ControlFlow::Continue(())),
            Err(error) => return Err(Error::Other(format!("{}: {}", self.device, error.desc()))),
        }
        match polled[2].revents() {
            Some(events) if events.intersects(PollFlags::POLLERR | PollFlags::POLLNVAL) => Ok(ControlFlow::Break(())),
            _ => Ok(ControlFlow::Continue(())),
        }
    }

    /// Compiles `expression` as the kernel would run it.
    pub fn compile(&self, expression: &Expression, optimize: bool) -> Result<Program, Error> {
        match self.capture.compile(expression.text(), optimize) {
            Ok(program) => Ok(Program::new(instructions(&program))),
            Err(error) => Err(expression.error(&error)),
        }
    }

    /// What the kernel counted so far.
    pub fn counters(&mut self) -> Result<Counters, Error> {
        let stat = self
            .capture
            .stats()
            .map_err(|error| failure(&self.device, &said(&error)))?;
        Ok(Counters {
            received: stat.received.wrapping_sub(self.unfiltered.received),
            dropped: stat.dropped.wrapping_sub(self.unfiltered.dropped),
            dropped_by_interface: stat.if_dropped.wrapping_sub(self.unfiltered.dropped_by_interface),
        })
    }
}

impl AsFd for Live {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.capture.as_fd()
    }
}

/// `-J`: the ways in which `device` can stamp packets, as tcpdump prints them.
pub fn list_time_stamp_types(device: &str) -> Result<String, Error> {
    let inactive = Capture::from_device(device).map_err(|error| failure(device, &said(&error)))?;
    let types = super::libpcap::time_stamp_types(&inactive);
    if types.is_empty() {
        return Ok(format!("Time stamp type cannot be set for {device}\n"));
    }
    let mut text = format!("Time stamp types for {device} (use option -j to set):\n");
    for value in types {
        match super::libpcap::time_stamp_type(value) {
            Some((name, description)) => text.push_str(&format!("  {name} ({description})\n")),
            None => text.push_str(&format!("  {value}\n")),
        }
    }
    Ok(text)
}

/// The way of stamping packets that `-j` names.
///
/// # Errors
///
/// There is none of this name.
pub fn time_stamp_type_from_name(name: &str) -> Result<TimestampType, Error> {
    const TYPES: [(&str, TimestampType); 5] = [
        ("host", TimestampType::Host),
        ("host_lowprec", TimestampType::HostLowPrec),
        ("host_hiprec", TimestampType::HostHighPrec),
        ("adapter", TimestampType::Adapter),
        ("adapter_unsynced", TimestampType::AdapterUnsynced),
    ];
    match TYPES.into_iter().find(|(known, _)| *known == name) {
        Some((_, found)) => Ok(found),
        None => Err(Error::Other(format!(
            "-j {name}: unknown; expected host, host_lowprec, host_hiprec, adapter or adapter_unsynced"
        ))),
    }
}

fn time_stamp_type(device: &str, inactive: &Capture<pcap::Inactive>, name: &str) -> Result<TimestampType, Error> {
    let wanted = time_stamp_type_from_name(name)?;
    // Without a list libpcap knows of no choice, and `host` is what there is.
    let possible = super::libpcap::time_stamp_types(inactive);
    if possible.contains(&(wanted as i32)) || (possible.is_empty() && wanted == TimestampType::Host) {
        return Ok(wanted);
    }
    let names: Vec<String> = possible
        .iter()
        .filter_map(|value| Some(super::libpcap::time_stamp_type(*value)?.0))
        .collect();
    Err(Error::Other(format!(
        "-j {name}: {device} cannot; it can {}",
        if names.is_empty() {
            "host".to_owned()
        } else {
            names.join(", ")
        }
    )))
}

fn set_link_type(device: &str, capture: &mut Capture<Active>, name: &str) -> Result<(), Error> {
    let Some(link) = link_types::from_name(name) else {
        return Err(Error::Other(format!(
            "-y {name}: there is no such link type; -L lists those of {device}"
        )));
    };
    capture.set_datalink(Linktype(link.0)).map_err(|_| {
        let possible: Vec<String> = capture
            .list_datalinks()
            .unwrap_or_default()
            .into_iter()
            .map(|link| link_types::name(LinkType(link.0)))
            .collect();
        Error::Other(format!("-y {name}: {device} has {} only", possible.join(", ")))
    })
}

/// Whether an error of libpcap's only says that no packet has come yet, which it takes for one with `nflog` and `nfqueue`.
fn says_nothing_waits(reason: &str) -> bool {
    reason.ends_with(&system_reason(&Errno::EAGAIN.into()))
}

/// Why the interface cannot be opened, in one line that says what to do.
fn failure(device: &str, reason: &str) -> Error {
    let lower = reason.to_ascii_lowercase();
    if lower.contains("permission") || lower.contains("not permitted") || lower.contains("cap_net_raw") {
        return Error::Other(format!(
            "{device}: no permission to capture; run it with sudo, or give the program the right: \
             sudo setcap cap_net_raw,cap_net_admin=eip {}",
            std::env::current_exe().map_or_else(|_| "wschat-sniff".to_owned(), |path| path.display().to_string())
        ));
    }
    if lower.contains("no such device") {
        return Error::Other(format!("{device}: there is no such interface; {}", devices::names()));
    }
    if lower.contains("not up") || lower.contains("network is down") {
        return Error::Other(format!(
            "{device}: the interface is down; `ip link set {device} up` raises it"
        ));
    }
    let reason = if reason.is_empty() {
        "it cannot be opened"
    } else {
        reason
    };
    Error::Other(format!("{device}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_packet_yet_is_told_from_the_end_of_the_capture() {
        assert!(says_nothing_waits(
            "Can't receive packet: Resource temporarily unavailable"
        ));
        assert!(!says_nothing_waits("The interface disappeared"));
        assert!(!says_nothing_waits("Can't receive packet: Bad file descriptor"));
    }
}
