//! Where a disc goes on whose blocks are recorded once, one after the other.
//!
//! A drive tells it: the sessions from READ TOC, the next writable address from READ TRACK
//! INFORMATION (MMC-6). For a disc in a file somebody who knows the disc has to.

use crate::Lba;

/// What can still be recorded on a disc that can only be appended to.
///
/// Readers begin in the last session that is closed. What is recorded next begins at one address,
/// and nothing there or behind it was ever recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Appendable {
    /// The first block of the last closed session, where readers look for its descriptors; block 0
    /// while none is closed.
    pub session_start: Lba,
    /// The last block that is recorded; none on a blank disc. Before a new session there is a gap
    /// between it and the next writable one.
    pub last_recorded: Option<Lba>,
    /// The next writable address: the one block that the drive records next.
    pub next_writable: Lba,
    /// Whether a new session begins there. If not, the session is still open, and what is recorded
    /// becomes a part of it.
    pub begins_session: bool,
}

impl Appendable {
    /// A disc with nothing on it.
    pub const BLANK: Self = Self {
        session_start: Lba::ZERO,
        last_recorded: None,
        next_writable: Lba::ZERO,
        begins_session: true,
    };
}
