//! How programs and hosts reach an emulated drive.
//!
//! One process holds the drive, whatever front ends it has: each keeps a [`SharedDrive`], and
//! commands of all of them come to the drive one by one, as on a bus. A [`Pace`] says how fast
//! the drive's modelled time goes for hosts that live in real time.
#![forbid(unsafe_code)]

mod pace;
mod shared;

pub use pace::Pace;
pub use shared::SharedDrive;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
