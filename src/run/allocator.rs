//! How memory goes back to the system.
//!
//! glibc takes each large buffer from the system and gives it back. But the first one that is given back teaches it to take the next ones
//! of that size from its heap, among small allocations that stay: what the buffers of a few huge messages leave there is seldom of use to
//! others, and counts as ours for ever (mallopt(3), "Dynamic mmap threshold").

/// Gives buffers of a megabyte and more back to the system as soon as they are free. To be called before there is a second thread.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
pub(super) fn return_large_buffers() {
    use std::ffi::c_int;

    unsafe extern "C" {
        fn mallopt(parameter: c_int, value: c_int) -> c_int;
    }
    // `malloc.h`.
    const M_TRIM_THRESHOLD: c_int = -1;
    const M_MMAP_THRESHOLD: c_int = -3;
    const LARGE: c_int = 1 << 20;
    // SAFETY: these calls set numbers of the allocator, which takes any.
    unsafe {
        mallopt(M_MMAP_THRESHOLD, LARGE);
        mallopt(M_TRIM_THRESHOLD, 2 * LARGE);
    }
}

/// Of other allocators it is not known that they need it.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn return_large_buffers() {}
