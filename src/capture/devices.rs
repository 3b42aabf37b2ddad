//! The interfaces of this machine: `-D`, `-i` by name and number, the default one.

use pcap::{ConnectionStatus, Device};

use super::Error;
use super::error::libpcap as said;

/// `-D`: one line an interface, as tcpdump prints them.
pub fn list() -> Result<String, Error> {
    let mut text = String::new();
    for (number, device) in all()?.iter().enumerate() {
        let description = device.desc.as_ref().map(|d| format!(" ({d})")).unwrap_or_default();
        text.push_str(&format!(
            "{}.{}{description}{}\n",
            number + 1,
            device.name,
            flags(device)
        ));
    }
    Ok(text)
}

/// The name of the interface that the user means: `wanted` is a name or a number of [`list`]; without it, the first one.
pub fn find(wanted: Option<&str>) -> Result<String, Error> {
    let Some(wanted) = wanted else {
        return match all()?.first() {
            Some(first) => Ok(first.name.clone()),
            None => Err(Error::Other(
                "there is no interface to listen on; -r FILE reads a capture".to_owned(),
            )),
        };
    };
    // A number, unless an interface has it as its name; libpcap itself says when a name does not exist.
    if !wanted.is_empty() && wanted.bytes().all(|b| b.is_ascii_digit()) {
        let devices = all()?;
        if devices.iter().any(|device| device.name == wanted) {
            return Ok(wanted.to_owned());
        }
        let number: usize = wanted.parse().unwrap_or(0);
        return match number.checked_sub(1).and_then(|index| devices.get(index)) {
            Some(device) => Ok(device.name.clone()),
            None => Err(Error::Other(format!(
                "-i {wanted}: there is no interface of this number; -D lists 1 to {}",
                devices.len()
            ))),
        };
    }
    Ok(wanted.to_owned())
}

/// `: this machine has lo, eth0 and any`, for errors about an interface that does not exist.
pub(super) fn names() -> String {
    match all() {
        Ok(devices) => {
            let names: Vec<&str> = devices
                .iter()
                .filter(|device| device.flags.is_up())
                .map(|device| device.name.as_str())
                .collect();
            format!("those that are up: {}; -D lists all", names.join(", "))
        }
        Err(_) => "-D lists them".to_owned(),
    }
}

fn all() -> Result<Vec<Device>, Error> {
    Device::list().map_err(|error| Error::Other(format!("the interfaces cannot be listed: {}", said(&error))))
}

/// ` [Up, Running, Connected]`; nothing when libpcap knows nothing at all of the interface.
fn flags(device: &Device) -> String {
    let set = [
        (device.flags.is_up(), "Up"),
        (device.flags.is_running(), "Running"),
        (device.flags.is_loopback(), "Loopback"),
        (device.flags.is_wireless(), "Wireless"),
    ];
    let mut names: Vec<&str> = set.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
    let wireless = device.flags.is_wireless();
    let status = match device.flags.connection_status {
        ConnectionStatus::NotApplicable => None,
        ConnectionStatus::Connected if wireless => Some("Associated"),
        ConnectionStatus::Connected => Some("Connected"),
        ConnectionStatus::Disconnected if wireless => Some("Not associated"),
        ConnectionStatus::Disconnected => Some("Disconnected"),
        ConnectionStatus::Unknown if names.is_empty() => return String::new(),
        ConnectionStatus::Unknown if wireless => Some("Association status unknown"),
        ConnectionStatus::Unknown => Some("Connection status unknown"),
    };
    if names.is_empty() {
        names.push("none");
    }
    names.extend(status);
    format!(" [{}]", names.join(", "))
}
