//! Names of values that are credentials.

/// In JSON, in queries, in headers. Case, `-`, `_` and `.` do not count: `api_key` is `Api-Key`, too.
pub(crate) const NAMES: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "api_key",
    "apikey",
    "authorization",
    "cookie",
    "session",
    "sid",
];
