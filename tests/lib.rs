//! Helpers that tests across the crates share: a tree that has every difficulty a disc can
//! meet, edits of it, walks of folders, and a comparison of walks that says what differs.
//!
//! - [`DifficultTree`] makes the tree on disk, the same one from the same seed.
//! - [`edit`] changes such a tree, round after round.
//! - [`Walk`] is what a folder holds: every name with its kind, size, mode, times and digest.
//! - [`compare`] sets two walks against each other. What may differ is a list of named
//!   [`Tolerance`]s, each with its reason, and what they forgave is counted.
//! - [`compare_contents`] is for file systems that cannot carry every name.
#![forbid(unsafe_code)]

#[cfg(unix)]
mod difficult_tree;
#[cfg(unix)]
mod edits;

mod comparison;
mod text;
mod walk;

pub use comparison::{Aspect, Comparison, Difference, Tolerance, compare, compare_contents};
#[cfg(unix)]
pub use difficult_tree::DifficultTree;
#[cfg(unix)]
pub use edits::{ROUNDS, edit};
pub use text::{escape, hex, unescape};
pub use walk::{Entry, Kind, Walk};
