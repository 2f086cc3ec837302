//! How programs and hosts reach an emulated drive.
//!
//! One process holds the drive, whatever front ends it has: each keeps a [`SharedDrive`], and
//! commands of all of them come to the drive one by one, as on a bus. A [`Pace`] says how fast
//! the drive's modelled time goes for hosts that live in real time. A [`TracedDrive`] writes down
//! what a host says. On Linux, [`run`] lets a program and all that it starts see the drive as a
//! block device.
#![deny(unsafe_code)]

pub mod iscsi;
mod pace;
#[cfg(all(
    target_os = "linux",
    target_pointer_width = "64",
    target_endian = "little"
))]
pub mod run;
mod shared;
mod trace;

pub use pace::Pace;
pub use shared::SharedDrive;
pub use trace::TracedDrive;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
