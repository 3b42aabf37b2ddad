//! The program as its user meets it: flags, errors, exit codes, files, interfaces. tcpdump and tshark are the oracles.

mod as_root;
#[path = "../support/builder.rs"]
#[allow(dead_code, unreachable_pub)]
mod builder;
mod conversation;
mod exports;
mod files;
mod filters;
mod program;
mod redaction;
#[path = "../support/savefile.rs"]
#[allow(dead_code, unreachable_pub)]
mod savefile;
mod selection;
mod usage;
mod writing;
