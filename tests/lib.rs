//! Helpers that tests across the crates share.
#![forbid(unsafe_code)]
