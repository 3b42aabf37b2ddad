//! Which messages and packets the user wants to see.
