//! The program as its user meets it: flags, errors, exit codes, files, interfaces. tcpdump and tshark are the oracles.

mod as_root;
mod extracting;
mod files;
mod filters;
mod program;
mod selection;
mod selectors;
mod sessions;
mod usage;
mod writing;
