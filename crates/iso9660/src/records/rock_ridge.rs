//! Entries of the Rock Ridge Interchange Protocol (RRIP): POSIX names, attributes and times.

use reburn_record::{Both32, record};

use super::SuspHead;

record! {
    /// `PX`: POSIX attributes, with the file's serial number since version 1.12.
    pub struct Px: 44, "RRIP 4.1.1" {
        0  head: SuspHead, "RRIP 4.1.1";
        4  mode: Both32, "RRIP 4.1.1";
        12 links: Both32, "RRIP 4.1.1";
        20 user: Both32, "RRIP 4.1.1";
        28 group: Both32, "RRIP 4.1.1";
        36 serial: Both32, "RRIP 4.1.1";
    }
}

record! {
    /// `PX` up to version 1.10.
    pub struct Px36: 36, "RRIP 1.10 4.1.1" {
        0  head: SuspHead, "RRIP 4.1.1";
        4  mode: Both32, "RRIP 4.1.1";
        12 links: Both32, "RRIP 4.1.1";
        20 user: Both32, "RRIP 4.1.1";
        28 group: Both32, "RRIP 4.1.1";
    }
}

record! {
    /// `PN`: a device's numbers. By custom, `high` is the major and `low` the minor one.
    pub struct Pn: 20, "RRIP 4.1.2" {
        0  head: SuspHead, "RRIP 4.1.2";
        4  high: Both32, "RRIP 4.1.2";
        12 low: Both32, "RRIP 4.1.2";
    }
}

record! {
    /// `SL`: (part of) a symbolic link's target. Components follow.
    pub struct SlHead: 5, "RRIP 4.1.3" {
        0 head: SuspHead, "RRIP 4.1.3";
        4 flags: u8, "RRIP 4.1.3";
    }
}

impl SlHead {
    /// Bit of `flags`: the target continues in the next `SL` entry.
    pub const CONTINUE: u8 = 1;
}

record! {
    /// A component of a target; `length` bytes of name follow.
    pub struct ComponentHead: 2, "RRIP 4.1.3.1" {
        0 flags: u8, "RRIP 4.1.3.1";
        1 length: u8, "RRIP 4.1.3.1";
    }
}

/// Bits of [`ComponentHead::flags`] (RRIP 4.1.3.1).
#[derive(Debug, Clone, Copy)]
pub struct ComponentFlags;

impl ComponentFlags {
    /// The name continues in the next component.
    pub const CONTINUE: u8 = 0x01;
    /// Stands for `.`.
    pub const CURRENT: u8 = 0x02;
    /// Stands for `..`.
    pub const PARENT: u8 = 0x04;
    /// Stands for `/` at the start.
    pub const ROOT: u8 = 0x08;
    /// Formerly the place where the volume is mounted.
    pub const VOLUME_ROOT: u8 = 0x10;
    /// Formerly the host's name.
    pub const HOST: u8 = 0x20;
}

record! {
    /// `NM`: (part of) an alternate name, which follows.
    pub struct NmHead: 5, "RRIP 4.1.4" {
        0 head: SuspHead, "RRIP 4.1.4";
        4 flags: u8, "RRIP 4.1.4";
    }
}

/// Bits of [`NmHead::flags`] (RRIP 4.1.4).
#[derive(Debug, Clone, Copy)]
pub struct NameFlags;

impl NameFlags {
    /// The name continues in the next `NM` entry.
    pub const CONTINUE: u8 = 0x01;
    /// Stands for `.`.
    pub const CURRENT: u8 = 0x02;
    /// Stands for `..`.
    pub const PARENT: u8 = 0x04;
}

record! {
    /// `CL`: the directory of this name is at `location`; the record is only its place.
    pub struct Cl: 12, "RRIP 4.1.5.1" {
        0 head: SuspHead, "RRIP 4.1.5.1";
        4 location: Both32, "RRIP 4.1.5.1";
    }
}

record! {
    /// `PL`: the directory that a moved directory belongs in, in its parent record.
    pub struct Pl: 12, "RRIP 4.1.5.2" {
        0 head: SuspHead, "RRIP 4.1.5.2";
        4 location: Both32, "RRIP 4.1.5.2";
    }
}

record! {
    /// `TF`: time stamps, which follow in the order of the bits.
    pub struct TfHead: 5, "RRIP 4.1.6" {
        0 head: SuspHead, "RRIP 4.1.6";
        4 flags: u8, "RRIP 4.1.6";
    }
}

/// Bits of [`TfHead::flags`] (RRIP 4.1.6).
#[derive(Debug, Clone, Copy)]
pub struct TimeFlags;

impl TimeFlags {
    /// When the file was created.
    pub const CREATION: u8 = 0x01;
    /// When the content last changed.
    pub const MODIFY: u8 = 0x02;
    /// When the content was last read.
    pub const ACCESS: u8 = 0x04;
    /// When the attributes last changed.
    pub const ATTRIBUTES: u8 = 0x08;
    /// When the file was last backed up.
    pub const BACKUP: u8 = 0x10;
    /// When the file expires.
    pub const EXPIRATION: u8 = 0x20;
    /// When the file becomes effective.
    pub const EFFECTIVE: u8 = 0x40;
    /// Stamps have 17 bytes (ECMA-119 8.4.26.1), not 7 (9.1.5).
    pub const LONG_FORM: u8 = 0x80;
}

record! {
    /// `SF`: a sparse file, hardly ever written.
    pub struct Sf: 21, "RRIP 4.1.7" {
        0  head: SuspHead, "RRIP 4.1.7";
        4  virtual_size_high: Both32, "RRIP 4.1.7";
        12 virtual_size_low: Both32, "RRIP 4.1.7";
        20 table_depth: u8, "RRIP 4.1.7";
    }
}

record! {
    /// `RR`: which other entries a record has; dropped after version 1.09.
    pub struct Rr: 5, "RRIP 1.09" {
        0 head: SuspHead, "RRIP 1.09";
        4 flags: u8, "RRIP 1.09";
    }
}

record! {
    /// `ZF`: the file is compressed block by block (zisofs).
    pub struct Zf: 16, "zisofs" {
        0 head: SuspHead, "zisofs";
        4 algorithm: [u8; 2], "zisofs";
        6 header_size_quarter: u8, "zisofs";
        7 block_size_log2: u8, "zisofs";
        8 uncompressed_size: Both32, "zisofs";
    }
}

record! {
    /// `AL`: (part of) extended attributes or an access control list (AAIP).
    pub struct AlHead: 5, "AAIP 2.0" {
        0 head: SuspHead, "AAIP 2.0";
        4 flags: u8, "AAIP 2.0";
    }
}

impl Px {
    /// Attributes in version 1.12.
    pub const fn new(mode: u32, links: u32, user: u32, group: u32, serial: u32) -> Self {
        Self {
            head: SuspHead::new(*b"PX", 44),
            mode: Both32::new(mode),
            links: Both32::new(links),
            user: Both32::new(user),
            group: Both32::new(group),
            serial: Both32::new(serial),
        }
    }
}

impl Pn {
    /// A device with these numbers.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self {
            head: SuspHead::new(*b"PN", 20),
            high: Both32::new(major),
            low: Both32::new(minor),
        }
    }

    /// Major and minor number. Writers that leave `high` zero have both in `low`, packed as
    /// Linux packs 32 bits: minor in the low 8 and the high 12, major between them.
    pub const fn numbers(&self) -> (u32, u32) {
        match (self.high.le(), self.low.le()) {
            (0, low) if low > 0xff => (low >> 8 & 0xfff, low & 0xff | low >> 12 & 0xf_ff00),
            numbers => numbers,
        }
    }
}

impl Cl {
    /// The directory is at `location`.
    pub const fn new(location: u32) -> Self {
        Self {
            head: SuspHead::new(*b"CL", 12),
            location: Both32::new(location),
        }
    }
}

impl Pl {
    /// The parent is at `location`.
    pub const fn new(location: u32) -> Self {
        Self {
            head: SuspHead::new(*b"PL", 12),
            location: Both32::new(location),
        }
    }
}

#[cfg(test)]
mod tests {
    use reburn_record::Record;

    use super::*;

    #[test]
    fn golden_bytes() {
        let px = Px::new(0o100_644, 2, 3, 4, 0x01020304);
        assert_eq!(&px.bytes()[..12], b"PX\x2c\x01\xa4\x81\0\0\0\0\x81\xa4");
        assert_eq!(&px.bytes()[36..], [4, 3, 2, 1, 1, 2, 3, 4]);
        assert_eq!(
            Cl::new(0x0506).bytes(),
            b"CL\x0c\x01\x06\x05\0\0\0\0\x05\x06"
        );
        assert_eq!(&Pl::new(1).bytes()[..5], b"PL\x0c\x01\x01");
    }

    #[test]
    fn both_customs_of_device_numbers_are_read() {
        assert_eq!(Pn::new(8, 1).numbers(), (8, 1));
        assert_eq!(Pn::new(0, 0x0801).numbers(), (8, 1));
        assert_eq!(Pn::new(0, 7).numbers(), (0, 7));
        assert_eq!(Pn::new(0, 0x0031_03e8).numbers(), (259, 1000));
    }
}
