//! Entries of the System Use Sharing Protocol (SUSP): how extensions share the system use
//! area of directory records.

use reburn_record::{Both32, record};

record! {
    /// What all entries begin with.
    pub struct SuspHead: 4, "SUSP 4.1" {
        0 signature: [u8; 2], "SUSP 4.1";
        2 length: u8, "SUSP 4.1";
        3 version: u8, "SUSP 4.1";
    }
}

impl SuspHead {
    /// The head of an entry of `length` bytes, head included, in version 1.
    pub const fn new(signature: [u8; 2], length: u8) -> Self {
        Self {
            signature,
            length,
            version: 1,
        }
    }
}

record! {
    /// `CE`: the system use area continues elsewhere.
    pub struct Ce: 28, "SUSP 5.1" {
        0  head: SuspHead, "SUSP 5.1";
        4  block: Both32, "SUSP 5.1";
        12 offset: Both32, "SUSP 5.1";
        20 length: Both32, "SUSP 5.1";
    }
}

record! {
    /// `SP`: the volume uses the protocol. First in the root directory's own record.
    pub struct Sp: 7, "SUSP 5.3" {
        0 head: SuspHead, "SUSP 5.3";
        4 check_bytes: [u8; 2], "SUSP 5.3";
        6 skipped: u8, "SUSP 5.3";
    }
}

record! {
    /// `ER`: an extension that the volume uses. Identifier, descriptor and source follow.
    pub struct ErHead: 8, "SUSP 5.5" {
        0 head: SuspHead, "SUSP 5.5";
        4 identifier_length: u8, "SUSP 5.5";
        5 descriptor_length: u8, "SUSP 5.5";
        6 source_length: u8, "SUSP 5.5";
        7 extension_version: u8, "SUSP 5.5";
    }
}

record! {
    /// `ES`: whose entries follow.
    pub struct Es: 5, "SUSP 5.6" {
        0 head: SuspHead, "SUSP 5.6";
        4 extension_sequence: u8, "SUSP 5.6";
    }
}

impl Ce {
    /// Continues `length` bytes long at `offset` in `block`.
    pub const fn new(block: u32, offset: u32, length: u32) -> Self {
        Self {
            head: SuspHead::new(*b"CE", 28),
            block: Both32::new(block),
            offset: Both32::new(offset),
            length: Both32::new(length),
        }
    }
}

impl Sp {
    /// The two bytes that tell the entry from chance (SUSP 5.3).
    pub const CHECK_BYTES: [u8; 2] = [0xbe, 0xef];

    /// The protocol is used from the first byte of every system use area on.
    pub const fn new() -> Self {
        Self {
            head: SuspHead::new(*b"SP", 7),
            check_bytes: Self::CHECK_BYTES,
            skipped: 0,
        }
    }
}

impl Default for Sp {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use reburn_record::Record;

    use super::*;

    #[test]
    fn golden_bytes() {
        assert_eq!(Sp::new().bytes(), b"SP\x07\x01\xbe\xef\0");
        assert_eq!(
            Ce::new(21, 0, 237).bytes(),
            b"CE\x1c\x01\x15\0\0\0\0\0\0\x15\0\0\0\0\0\0\0\0\xed\0\0\0\0\0\0\xed"
        );
    }
}
