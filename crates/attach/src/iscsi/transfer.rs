//! Which way a command moves data, and how much it would move if nothing cut it short.
//!
//! The initiator says beside the command how much it expects. Where that is not what the
//! command's own fields say, the difference is reported as a residual.
//!
//! Source: MMC-6 and SPC-3, the commands' own sections.

use reburn_blocks::BLOCK_SIZE;
use reburn_mmc::Cdb;

/// The most data that a command may move. One that names more blocks is refused, as if the
/// drive said so in its block limits.
pub(super) const TRANSFER_MAX: usize = 16 * 1024 * 1024;

/// What a command moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transfer {
    /// To the host; so many bytes at most, and the drive may have less.
    In(u64),
    /// To the drive, so many bytes.
    Out(u64),
    /// The command's fields do not say, or it is not known here: what the host says counts.
    Unknown,
}

/// Where a command says how much it moves.
#[derive(Debug, Clone, Copy)]
enum Length {
    Bytes(u32),
    /// A number of bytes at an offset, in one to four bytes.
    At(usize, usize),
    /// A number of blocks at an offset, in two to four bytes.
    BlocksAt(usize, usize),
}

use Length::{At, BlocksAt, Bytes};

const IN: bool = true;
const OUT: bool = false;

/// Operation code, way, length.
const TRANSFERS: [(u8, bool, Length); 32] = [
    (0x03, IN, At(4, 1)),
    (0x12, IN, At(3, 2)),
    (0x15, OUT, At(4, 1)),
    (0x1a, IN, At(4, 1)),
    (0x23, IN, At(7, 2)),
    (0x25, IN, Bytes(8)),
    (0x28, IN, BlocksAt(7, 2)),
    (0x2a, OUT, BlocksAt(7, 2)),
    (0x2e, OUT, BlocksAt(7, 2)),
    (0x3b, OUT, At(6, 3)),
    (0x3c, IN, At(6, 3)),
    (0x43, IN, At(7, 2)),
    (0x46, IN, At(7, 2)),
    (0x4a, IN, At(7, 2)),
    (0x51, IN, At(7, 2)),
    (0x52, IN, At(7, 2)),
    (0x55, OUT, At(7, 2)),
    (0x5a, IN, At(7, 2)),
    (0x5c, IN, At(7, 2)),
    (0x5d, OUT, At(6, 3)),
    (0x5e, IN, At(7, 2)),
    (0x5f, OUT, At(5, 4)),
    (0xa0, IN, At(6, 4)),
    (0xa3, OUT, At(8, 2)),
    (0xa4, IN, At(8, 2)),
    (0xa8, IN, BlocksAt(6, 4)),
    (0xaa, OUT, BlocksAt(6, 4)),
    (0xab, IN, At(6, 4)),
    (0xad, IN, At(8, 2)),
    (0xb6, OUT, At(9, 2)),
    (0xbd, IN, At(8, 2)),
    (0xbf, OUT, At(8, 2)),
];

impl Transfer {
    /// What the command in `cdb` moves.
    pub fn of(cdb: &Cdb) -> Self {
        let known = TRANSFERS
            .iter()
            .find(|(opcode, ..)| *opcode == cdb.opcode());
        let Some((_, to_host, length)) = known else {
            return Self::Unknown;
        };
        let number = |at: usize, width: usize| {
            let bytes = cdb.as_bytes().iter().skip(at).take(width);
            bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        let length = match *length {
            Bytes(length) => u64::from(length),
            At(at, width) => number(at, width),
            BlocksAt(at, width) => number(at, width) * BLOCK_SIZE as u64,
        };
        if *to_host {
            Self::In(length)
        } else {
            Self::Out(length)
        }
    }
}

/// The bytes that a command's block has by its group (SPC-3 4.3.3); the transport always sends
/// sixteen.
pub(super) fn trimmed(cdb: &[u8; 16]) -> &[u8] {
    let length = match cdb[0] >> 5 {
        0 => 6,
        1 | 2 => 10,
        5 => 12,
        _ => 16,
    };
    &cdb[..length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_stand_where_the_commands_have_them() {
        let of = |bytes: &[u8]| Transfer::of(&Cdb::new(bytes).unwrap());
        assert_eq!(of(&[0; 6]), Transfer::Unknown, "TEST UNIT READY");
        assert_eq!(of(&[0x12, 0, 0, 1, 2, 0]), Transfer::In(0x102));
        assert_eq!(
            of(&[0x28, 0, 0, 0, 0, 9, 0, 1, 2, 0]),
            Transfer::In(0x102 * 2048)
        );
        let write = [0xaa, 0, 0, 0, 0, 9, 1, 0, 0, 2, 0, 0];
        assert_eq!(of(&write), Transfer::Out(0x01000002 * 2048));
        assert_eq!(of(&[0x5d, 0, 0, 0, 0, 0, 0, 0, 24, 0]), Transfer::Out(24));
        assert_eq!(of(&[0x25]), Transfer::In(8));
        assert_eq!(
            of(&[0x28]),
            Transfer::In(0),
            "what was not sent reads as zero"
        );
    }

    #[test]
    fn the_table_is_in_order_and_names_each_command_once() {
        assert!(TRANSFERS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn blocks_are_as_long_as_their_groups() {
        let length = |opcode: u8| {
            let mut cdb = [0; 16];
            cdb[0] = opcode;
            trimmed(&cdb).len()
        };
        assert_eq!(
            [0x12, 0x28, 0x5c, 0xa8, 0x9e, 0xc1].map(length),
            [6, 10, 10, 12, 16, 16]
        );
    }
}
