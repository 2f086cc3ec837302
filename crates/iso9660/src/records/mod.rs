//! The records of ISO 9660 and its extensions as they stand on disc, valid for any bytes.
//!
//! Nothing here judges: a dump can show a broken disc with these types. What the values mean
//! is the business of the reader and the writer, which share them.
//!
//! Clause numbers are those of ECMA-119, 2nd edition (ISO 9660:1988), of the System Use
//! Sharing Protocol (SUSP) 1.12, of the Rock Ridge Interchange Protocol (RRIP) 1.12 and of El
//! Torito 1.0.

mod date;
mod directory;
mod el_torito;
mod path_table;
mod rock_ridge;
mod susp;
mod volume;

pub use date::{DirectoryDate, VolumeDate};
pub use directory::{DirectoryRecord, FileFlags, RootDirectoryRecord};
pub use el_torito::{BootEntry, SectionExtension, SectionHeader, ValidationEntry};
pub use path_table::{PathTableRecordL, PathTableRecordM};
pub use rock_ridge::{
    AlHead, Cl, ComponentFlags, ComponentHead, NameFlags, NmHead, Pl, Pn, Px, Px36, Rr, Sf, SlHead,
    TfHead, TimeFlags, Zf,
};
pub use susp::{Ce, ErHead, Es, Sp, SuspHead};
pub use volume::{BootRecord, VolumeDescriptor, VolumeDescriptorHead};

/// Value of [`VolumeDescriptorHead::descriptor_type`] for a boot record (ECMA-119 8.2.1).
pub const BOOT_RECORD: u8 = 0;
/// Descriptor type of the primary volume descriptor (ECMA-119 8.4.1).
pub const PRIMARY: u8 = 1;
/// Descriptor type of a supplementary or enhanced volume descriptor (ECMA-119 8.5.1).
pub const SUPPLEMENTARY: u8 = 2;
/// Descriptor type of a volume partition descriptor (ECMA-119 8.6.1).
pub const PARTITION: u8 = 3;
/// Descriptor type of the volume descriptor set terminator (ECMA-119 8.3.1).
pub const TERMINATOR: u8 = 255;
/// The standard identifier of every descriptor (ECMA-119 8.1.2).
pub const STANDARD_IDENTIFIER: [u8; 5] = *b"CD001";

/// Blocks before the first volume descriptor of a session: the system area (ECMA-119 6.2.1).
pub const SYSTEM_AREA_BLOCKS: u32 = 16;
/// The identifier of the first record of a directory, which stands for the directory itself
/// (ECMA-119 6.8.2.2).
pub const SELF_IDENTIFIER: u8 = 0;
/// The identifier of the second record of a directory, which stands for its parent
/// (ECMA-119 6.8.2.2).
pub const PARENT_IDENTIFIER: u8 = 1;
/// The most bytes a directory record can have: the length field holds a byte, and lengths are
/// even (ECMA-119 9.1.1, 9.1.13).
pub const DIRECTORY_RECORD_MAX: usize = 254;
