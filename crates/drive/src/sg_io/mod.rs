//! Optical drives of Linux: commands by the system call `SG_IO`.
//!
//! [`SgIoDrive`] opens `/dev/sr0` or `/dev/sg0` and is a [`Drive`](crate::Drive) like any other.
//! A drive to record on is opened alone, and not while its disc is mounted. [`header`] is the
//! call's argument, for whoever answers such calls.
//!
//! Invariant: the buffers of a call outlive it; only `system` holds `unsafe`.

mod drive;
pub mod header;
mod mounts;
mod sense;
mod system;
mod timeouts;

pub use drive::{OpenError, SgIoDrive};
