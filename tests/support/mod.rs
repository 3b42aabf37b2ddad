//! What several tests share. Each test binary uses its own part of it.
#![allow(dead_code, unreachable_pub)]

pub mod builder;
pub mod cases;
pub mod damage;
pub mod oracle;
pub mod random;
pub mod savefile;
