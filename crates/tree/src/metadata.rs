//! What is known of a file besides its name and content.

use crate::Timestamp;

/// Permissions, owner and times of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// The twelve permission bits of POSIX (`07777`).
    pub permissions: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// When the content last changed.
    pub modified: Timestamp,
    /// When the content was last read, if recorded.
    pub accessed: Option<Timestamp>,
    /// When the metadata last changed, if recorded.
    pub changed: Option<Timestamp>,
    /// When the file was created, if recorded.
    pub created: Option<Timestamp>,
    /// Whether a drive shall read the file at a steady rate rather than try again where it is
    /// damaged: film and sound, for recorders (UDF 2.3.5.2.1).
    pub real_time: bool,
}

impl Metadata {
    /// `rwxr-xr-x`, owner 0, modified in 1970.
    pub const fn directory() -> Self {
        Self::with_permissions(0o755)
    }

    /// `rw-r--r--`, owner 0, modified in 1970.
    pub const fn file() -> Self {
        Self::with_permissions(0o644)
    }

    /// These permissions, owner 0, modified in 1970.
    pub const fn with_permissions(permissions: u16) -> Self {
        Self {
            permissions,
            uid: 0,
            gid: 0,
            modified: Timestamp::EPOCH,
            accessed: None,
            changed: None,
            created: None,
            real_time: false,
        }
    }

    /// The same with another modification time.
    #[must_use]
    pub const fn modified_at(mut self, modified: Timestamp) -> Self {
        self.modified = modified;
        self
    }
}
