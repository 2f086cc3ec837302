//! Helpers that tests across the crates share.
