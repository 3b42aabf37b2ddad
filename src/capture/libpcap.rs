//! The calls of libpcap that the `pcap` crate does not offer, or only as unsafe: how an interface can stamp packets (`-J`, `-j`), and
//! a savefile that is open already.
//!
//! This is the only unsafe code of this module. What makes it sound: the handle is borrowed from the crate for the length
//! of the call; the list is copied and freed before anything else happens; names are static strings inside libpcap; a file
//! descriptor is handed over for good.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::os::fd::{IntoRawFd, OwnedFd};
use std::{ptr, slice};

use pcap::{Capture, Inactive, Offline};

unsafe extern "C" {
    fn pcap_list_tstamp_types(handle: *mut c_void, list: *mut *mut c_int) -> c_int;
    fn pcap_free_tstamp_types(list: *mut c_int);
    fn pcap_tstamp_type_val_to_name(value: c_int) -> *const c_char;
    fn pcap_tstamp_type_val_to_description(value: c_int) -> *const c_char;
    fn pcap_lib_version() -> *const c_char;
}

/// The numbers of the time stamp types that can be set; empty when none can.
pub(super) fn time_stamp_types(capture: &Capture<Inactive>) -> Vec<c_int> {
    let mut list: *mut c_int = ptr::null_mut();
    // SAFETY: the handle is valid as long as `capture` is borrowed; on success libpcap points `list` to as many numbers as it
    // returns, ours until they are freed with its own function.
    unsafe {
        let count = pcap_list_tstamp_types(capture.as_ptr().cast(), &mut list);
        if list.is_null() {
            return Vec::new();
        }
        let types = slice::from_raw_parts(list, usize::try_from(count).unwrap_or(0)).to_vec();
        pcap_free_tstamp_types(list);
        types
    }
}

/// `host` and `Host`, for one of those numbers.
pub(super) fn time_stamp_type(value: c_int) -> Option<(String, String)> {
    // SAFETY: any number may be asked for; the answer is null or a string literal of libpcap's.
    unsafe {
        Some((
            text(pcap_tstamp_type_val_to_name(value))?,
            text(pcap_tstamp_type_val_to_description(value))?,
        ))
    }
}

/// Reads the header of the savefile that `file` is.
pub(super) fn savefile(file: OwnedFd) -> Result<Capture<Offline>, pcap::Error> {
    // SAFETY: nobody else owns the descriptor from here on. (libpcap does not close it when it fails.)
    unsafe { Capture::from_raw_fd(file.into_raw_fd()) }
}

/// `libpcap version 1.10.3 (with TPACKET_V3)`.
pub fn version() -> String {
    // SAFETY: libpcap returns a string that lives as long as the program.
    unsafe { text(pcap_lib_version()) }.unwrap_or_default()
}

/// # Safety
///
/// `pointer` is null or points to a string that ends with a zero byte.
unsafe fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: not null; the rest is the caller's promise.
    Some(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libpcap_has_a_version_and_names_its_time_stamp_types() {
        assert!(version().starts_with("libpcap version 1."), "{}", version());
        assert_eq!(time_stamp_type(0), Some(("host".to_owned(), "Host".to_owned())));
        assert_eq!(time_stamp_type(9_999), None);
    }

    #[test]
    fn asking_an_interface_is_sound_with_and_without_privilege() {
        let capture = Capture::from_device("lo").unwrap();
        for value in time_stamp_types(&capture) {
            assert!(time_stamp_type(value).is_some());
        }
    }
}
