//! The program as its user meets it: flags, errors, exit codes, files, interfaces. tcpdump and tshark are the oracles.

mod as_root;
mod extracting;
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
mod selectors;
mod sessions;
mod usage;
mod writing;
