//! Basic header segments, one record a kind of PDU, one line a field.
//!
//! Every record is 48 bytes long, holds any 48 bytes, and has no padding: the compiler checks
//! offsets and size. Byte order is big-endian throughout.
//!
//! Source: RFC 7143, section 11.

use zerocopy::byteorder::big_endian::{U16, U32};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of a basic header segment.
pub(super) const HEADER_LEN: usize = 48;

/// A tag that stands for no task: `ffffffff`.
pub(super) const NO_TAG: u32 = u32::MAX;

/// The first byte of a request: this operation may overtake others (11.2.1.1).
pub(super) const IMMEDIATE: u8 = 0x40;

/// The first bit of the second byte: the last PDU of a sequence.
pub(super) const FINAL: u8 = 0x80;

/// Declares the headers once: name, operation code, clause, and the fields with their offsets.
macro_rules! headers {
    ($($(#[$doc:meta])* $name:ident $opcode:literal $clause:literal {
        $($offset:literal $field:ident: $type:ty;)+
    })+) => {$(
        $(#[$doc])*
        #[doc = concat!("\n\nRFC 7143, ", $clause, ".")]
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq,
            FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
        )]
        #[repr(C)]
        pub(super) struct $name {
            $(pub $field: $type,)+
        }

        const _: () = {
            assert!(size_of::<$name>() == HEADER_LEN);
            $(assert!(std::mem::offset_of!($name, $field) == $offset);)+
        };

        impl $name {
            /// The operation code.
            pub const OPCODE: u8 = $opcode;

            /// All fields zero but the operation code.
            #[allow(dead_code)] // requests are made in tests only, responses read in tests only
            pub fn empty() -> Self {
                let mut header = Self::new_zeroed();
                header.opcode = Self::OPCODE;
                header
            }

            /// The record in a header.
            #[allow(dead_code)]
            pub fn of(header: &[u8; HEADER_LEN]) -> Self {
                zerocopy::transmute!(*header)
            }
        }

        impl From<$name> for [u8; HEADER_LEN] {
            fn from(header: $name) -> Self {
                zerocopy::transmute!(header)
            }
        }
    )+};
}

headers! {
    /// Whether the target is there; or the answer to its own question.
    NopOut 0x00 "11.18" {
        0  opcode: u8;
        1  flags: u8;
        2  reserved2: [u8; 2];
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  lun: [u8; 8];
        16 task_tag: U32;
        20 target_tag: U32;
        24 cmd_sn: U32;
        28 exp_stat_sn: U32;
        32 reserved32: [u8; 16];
    }
    /// A command of the device.
    ScsiCommand 0x01 "11.3" {
        0  opcode: u8;
        1  flags: u8;
        2  reserved2: [u8; 2];
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  lun: [u8; 8];
        16 task_tag: U32;
        20 expected_length: U32;
        24 cmd_sn: U32;
        28 exp_stat_sn: U32;
        32 cdb: [u8; 16];
    }
    /// A request about commands: to abort some, or to reset.
    TaskManagement 0x02 "11.5" {
        0  opcode: u8;
        1  function: u8;
        2  reserved2: [u8; 2];
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  lun: [u8; 8];
        16 task_tag: U32;
        20 referenced_tag: U32;
        24 cmd_sn: U32;
        28 exp_stat_sn: U32;
        32 ref_cmd_sn: U32;
        36 exp_data_sn: U32;
        40 reserved40: [u8; 8];
    }
    /// A request to open a session.
    LoginRequest 0x03 "11.12" {
        0  opcode: u8;
        1  flags: u8;
        2  version_max: u8;
        3  version_min: u8;
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  isid: [u8; 6];
        14 tsih: U16;
        16 task_tag: U32;
        20 cid: U16;
        22 reserved22: [u8; 2];
        24 cmd_sn: U32;
        28 exp_stat_sn: U32;
        32 reserved32: [u8; 16];
    }
    /// Keys to negotiate, or a question for targets.
    TextRequest 0x04 "11.10" {
        0  opcode: u8;
        1  flags: u8;
        2  reserved2: [u8; 2];
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  lun: [u8; 8];
        16 task_tag: U32;
        20 target_tag: U32;
        24 cmd_sn: U32;
        28 exp_stat_sn: U32;
        32 reserved32: [u8; 16];
    }
    /// Data of a command that writes.
    DataOut 0x05 "11.7" {
        0  opcode: u8;
        1  flags: u8;
        2  reserved2: [u8; 2];
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  lun: [u8; 8];
        16 task_tag: U32;
        20 target_tag: U32;
        24 reserved24: [u8; 4];
        28 exp_stat_sn: U32;
        32 reserved32: [u8; 4];
        36 data_sn: U32;
        40 buffer_offset: U32;
        44 reserved44: [u8; 4];
    }
    /// A request to close the session or its connection.
    LogoutRequest 0x06 "11.14" {
        0  opcode: u8;
        1  reason: u8;
        2  reserved2: [u8; 2];
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  reserved8: [u8; 8];
        16 task_tag: U32;
        20 cid: U16;
        22 reserved22: [u8; 2];
        24 cmd_sn: U32;
        28 exp_stat_sn: U32;
        32 reserved32: [u8; 16];
    }
    /// Whether the initiator is there; or the answer to its question.
    NopIn 0x20 "11.19" {
        0  opcode: u8;
        1  flags: u8;
        2  reserved2: [u8; 2];
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  lun: [u8; 8];
        16 task_tag: U32;
        20 target_tag: U32;
        24 stat_sn: U32;
        28 exp_cmd_sn: U32;
        32 max_cmd_sn: U32;
        36 reserved36: [u8; 12];
    }
    /// How a command ended, with its sense behind it.
    ScsiResponse 0x21 "11.4" {
        0  opcode: u8;
        1  flags: u8;
        2  response: u8;
        3  status: u8;
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  reserved8: [u8; 8];
        16 task_tag: U32;
        20 snack_tag: U32;
        24 stat_sn: U32;
        28 exp_cmd_sn: U32;
        32 max_cmd_sn: U32;
        36 exp_data_sn: U32;
        40 bidirectional_residual: U32;
        44 residual: U32;
    }
    /// What became of a request about commands.
    TaskManagementResponse 0x22 "11.6" {
        0  opcode: u8;
        1  flags: u8;
        2  response: u8;
        3  reserved3: u8;
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  reserved8: [u8; 8];
        16 task_tag: U32;
        20 reserved20: [u8; 4];
        24 stat_sn: U32;
        28 exp_cmd_sn: U32;
        32 max_cmd_sn: U32;
        36 reserved36: [u8; 12];
    }
    /// A step of a login.
    LoginResponse 0x23 "11.13" {
        0  opcode: u8;
        1  flags: u8;
        2  version_max: u8;
        3  version_active: u8;
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  isid: [u8; 6];
        14 tsih: U16;
        16 task_tag: U32;
        20 reserved20: [u8; 4];
        24 stat_sn: U32;
        28 exp_cmd_sn: U32;
        32 max_cmd_sn: U32;
        36 status: [u8; 2];
        38 reserved38: [u8; 10];
    }
    /// Keys negotiated, or names of targets.
    TextResponse 0x24 "11.11" {
        0  opcode: u8;
        1  flags: u8;
        2  reserved2: [u8; 2];
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  lun: [u8; 8];
        16 task_tag: U32;
        20 target_tag: U32;
        24 stat_sn: U32;
        28 exp_cmd_sn: U32;
        32 max_cmd_sn: U32;
        36 reserved36: [u8; 12];
    }
    /// Data of a command that reads, and its status if that is good.
    DataIn 0x25 "11.7" {
        0  opcode: u8;
        1  flags: u8;
        2  reserved2: u8;
        3  status: u8;
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  lun: [u8; 8];
        16 task_tag: U32;
        20 target_tag: U32;
        24 stat_sn: U32;
        28 exp_cmd_sn: U32;
        32 max_cmd_sn: U32;
        36 data_sn: U32;
        40 buffer_offset: U32;
        44 residual: U32;
    }
    /// The session is closed.
    LogoutResponse 0x26 "11.15" {
        0  opcode: u8;
        1  flags: u8;
        2  response: u8;
        3  reserved3: u8;
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  reserved8: [u8; 8];
        16 task_tag: U32;
        20 reserved20: [u8; 4];
        24 stat_sn: U32;
        28 exp_cmd_sn: U32;
        32 max_cmd_sn: U32;
        36 reserved36: [u8; 4];
        40 time_to_wait: U16;
        42 time_to_retain: U16;
        44 reserved44: [u8; 4];
    }
    /// The target is ready for so much more of a command's data.
    ReadyToTransfer 0x31 "11.8" {
        0  opcode: u8;
        1  flags: u8;
        2  reserved2: [u8; 2];
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  lun: [u8; 8];
        16 task_tag: U32;
        20 target_tag: U32;
        24 stat_sn: U32;
        28 exp_cmd_sn: U32;
        32 max_cmd_sn: U32;
        36 r2t_sn: U32;
        40 buffer_offset: U32;
        44 desired_length: U32;
    }
    /// A PDU that was refused; its header stands behind this one.
    Reject 0x3f "11.17" {
        0  opcode: u8;
        1  flags: u8;
        2  reason: u8;
        3  reserved3: u8;
        4  ahs_words: u8;
        5  data_length: [u8; 3];
        8  reserved8: [u8; 8];
        16 task_tag: U32;
        20 reserved20: [u8; 4];
        24 stat_sn: U32;
        28 exp_cmd_sn: U32;
        32 max_cmd_sn: U32;
        36 data_sn: U32;
        40 reserved40: [u8; 8];
    }
}

/// Why a PDU was refused (RFC 7143, 11.17.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum RejectReason {
    DataDigest = 0x02,
    ProtocolError = 0x04,
    NotSupported = 0x05,
    TooManyImmediate = 0x06,
    TaskInProgress = 0x07,
    InvalidField = 0x09,
}

/// What a header says of its own kind and length, whatever kind it is.
pub(super) fn opcode(header: &[u8; HEADER_LEN]) -> u8 {
    header[0] & 0x3f
}

/// Whether a request may overtake others.
pub(super) fn is_immediate(header: &[u8; HEADER_LEN]) -> bool {
    header[0] & IMMEDIATE != 0
}

/// The CmdSN of a request that has one.
pub(super) fn cmd_sn(header: &[u8; HEADER_LEN]) -> u32 {
    NopOut::of(header).cmd_sn.get()
}

/// Bytes of additional header segments.
pub(super) fn ahs_length(header: &[u8; HEADER_LEN]) -> usize {
    usize::from(header[4]) * 4
}

/// Bytes of the data segment, without the zeros that fill it up to four.
pub(super) fn data_length(header: &[u8; HEADER_LEN]) -> usize {
    let [high, middle, low] = [header[5], header[6], header[7]].map(usize::from);
    high << 16 | middle << 8 | low
}

/// Puts the length of the data segment where every header has it.
///
/// # Panics
/// If the length does not fit 24 bits; no segment that is sent is as long.
pub(super) fn set_data_length(header: &mut [u8; HEADER_LEN], length: usize) {
    let length = u32::try_from(length)
        .ok()
        .filter(|length| *length < 1 << 24);
    let bytes = length
        .expect("a data segment of less than 16 MiB")
        .to_be_bytes();
    header[5..8].copy_from_slice(&bytes[1..]);
}

/// Puts the three counters where every response has them.
pub(super) fn set_counters(header: &mut [u8; HEADER_LEN], stat_sn: u32, exp: u32, max: u32) {
    let mut response = NopIn::of(header);
    response.stat_sn = U32::new(stat_sn);
    response.exp_cmd_sn = U32::new(exp);
    response.max_cmd_sn = U32::new(max);
    *header = response.into();
}

/// The bytes of a big-endian field.
pub(super) fn be32(value: u32) -> U32 {
    U32::new(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_as_it_is_on_the_wire() {
        let mut bytes = [0; HEADER_LEN];
        bytes[..8].copy_from_slice(&[0x41, 0xa1, 0, 0, 0, 0, 0x02, 0x05]);
        bytes[16..32].copy_from_slice(&[
            0x12, 0x34, 0x56, 0x78, 0, 0, 0x08, 0, 0, 0, 0, 7, 0, 0, 0, 9,
        ]);
        bytes[32] = 0x2a;
        assert_eq!(opcode(&bytes), ScsiCommand::OPCODE);
        assert!(is_immediate(&bytes));
        assert_eq!(data_length(&bytes), 0x205);
        let command = ScsiCommand::of(&bytes);
        assert_eq!(command.flags, FINAL | 0x21);
        assert_eq!(command.task_tag.get(), 0x12345678);
        assert_eq!(command.expected_length.get(), 2048);
        assert_eq!(cmd_sn(&bytes), 7);
        assert_eq!(command.cdb[0], 0x2a);
        assert_eq!(<[u8; HEADER_LEN]>::from(command), bytes);
    }

    #[test]
    fn counters_and_length_stand_at_one_place_in_all_responses() {
        let mut header = ReadyToTransfer::empty().into();
        set_counters(&mut header, 1, 2, 3);
        set_data_length(&mut header, 0x010203);
        let response = ScsiResponse::of(&header);
        let counters = [response.stat_sn, response.exp_cmd_sn, response.max_cmd_sn];
        assert_eq!(counters.map(U32::get), [1, 2, 3]);
        assert_eq!(response.data_length, [1, 2, 3]);
        assert_eq!(opcode(&header), 0x31);
    }
}
