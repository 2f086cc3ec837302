//! On-disc records, declared once: layout, view, emit, field table, dump and documentation.
//!
//! [`record!`] takes one line a field (offset, name, type, clause of the standard) and refuses
//! to compile when an offset or the size is wrong, or when padding would hide between fields.
//! Byte order lives in the field's type, so a record is valid for any bytes: viewing copies
//! nothing and can show even nonsense. What the fields mean is the business of the crates that
//! declare them.
//!
//! ```
//! use reburn_record::{Both32, Record, Text, record};
//!
//! record! {
//!     /// The start of a partition descriptor.
//!     pub struct Partition: 80, "ECMA-119 8.6" {
//!         0  descriptor_type: u8, "8.6.1";
//!         1  standard_identifier: Text<5>, "8.6.2";
//!         6  version: u8, "8.6.3";
//!         7  unused: u8, "8.6.4";
//!         8  system_identifier: Text<32>, "8.6.5";
//!         40 partition_identifier: Text<32>, "8.6.6";
//!         72 location: Both32, "8.6.7";
//!     }
//! }
//!
//! let mut disc = vec![0; 2048];
//! disc[..6].copy_from_slice(b"\x03CD001");
//! disc[72..80].copy_from_slice(&[16, 0, 0, 0, 0, 0, 0, 17]);
//! let (partition, rest) = Partition::view(&disc)?;
//! assert_eq!(partition.standard_identifier.trimmed(), b"CD001");
//! assert_eq!(partition.location.le(), 16);
//! assert!(partition.location.get().is_err(), "the halves differ");
//! assert_eq!(rest.len(), 2048 - 80);
//!
//! let dump = partition.dump().to_string();
//! let location = "    72    8  location                         8.6.7     16 LE, 17 BE";
//! assert!(dump.lines().any(|line| line == location));
//! # Ok::<(), reburn_record::TooShort>(())
//! ```
#![forbid(unsafe_code)]

// So that the paths that `record!` writes hold inside this crate too.
extern crate self as reburn_record;

mod both;
mod crc;
mod dump;
mod record;
mod sheet;
mod text;

pub use both::{Both16, Both32, HalvesDiffer};
pub use crc::crc16;
pub use dump::{Dump, FieldValue};
pub use record::{Field, Record, TooShort};
pub use sheet::{Reading, Row, Sheet, Spot};
pub use text::{Text, TextTooLong};

/// Integers whose most significant byte comes first.
pub use zerocopy::byteorder::big_endian;
/// Integers whose least significant byte comes first.
pub use zerocopy::byteorder::little_endian;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// For [`record!`] alone.
#[doc(hidden)]
pub use zerocopy;
