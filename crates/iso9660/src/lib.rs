//! ISO 9660 (ECMA-119) with Joliet and Rock Ridge: records, reader and layouter.
#![forbid(unsafe_code)]

mod error;
pub mod names;
mod read;
pub mod records;
pub mod susp;
mod write;

pub use error::{Corrupt, Incompatible, IsoError, Place};
pub use read::Hierarchy;
