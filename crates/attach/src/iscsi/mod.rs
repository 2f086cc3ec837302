//! The drive as an iSCSI target: a network disc drive for hosts that know no reburn.
//!
//! - [`Target`] listens, with a thread or two a connection; each has one session.
//! - Login (`login`, `chap`, `parameters`, `text`) and the order of commands (`queue`) know no
//!   connection; `wire` and `link` know no command.
//! - `unit` is the drive as SCSI shows it to several initiators.
//! - Hosts are hostile: lengths are checked before memory is taken, and silence has an end.
//!
//! Errors are not recovered from (ErrorRecoveryLevel 0): a broken connection ends its session,
//! and the host logs in again.
//!
//! Source: RFC 7143.

mod chap;
mod header;
mod link;
mod login;
mod options;
mod parameters;
mod queue;
mod session;
mod target;
mod text;
mod transfer;
mod unit;
mod wire;
mod worker;

#[cfg(test)]
mod tests;

pub use chap::{Chap, Credentials};
pub use options::{OptionsError, TargetOptions};
pub use target::Target;
