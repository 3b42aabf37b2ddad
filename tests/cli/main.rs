//! The program as its user meets it: flags, errors, exit codes, files, interfaces. tcpdump and tshark are the oracles.

mod files;
mod filters;
mod live;
mod program;
mod selection;
mod usage;
mod writing;
