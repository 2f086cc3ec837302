//! Identifiers: from the names of a tree to what each hierarchy can hold.
//!
//! Invariants: within a directory no two identifiers are equal; they depend on nothing but the
//! names in that directory; they come out in the order of directory records (ECMA-119 9.3).
//!
//! A file and a directory never get identifiers that differ only in the `.;1` of the file,
//! since readers cut that off.

// An identifier has at most 207 bytes, and all of a directory fit into 32 bits; see `Names`.
#![allow(clippy::cast_possible_truncation)]

mod mangle;
mod order;
mod text;

pub(crate) use mangle::{DIGITS_MAX, NameRules, PlainLevel};
pub(crate) use order::Names;
pub(crate) use text::{a_characters, d_characters, ucs2_text};
