//! Commands, one struct each, one file a family.
//!
//! Every struct holds what its command descriptor block says and nothing else. Decoding
//! ignores reserved bits, as drives do, and refuses a value that no drive accepts with the
//! sense a drive gives: [`Sense::INVALID_FIELD_IN_CDB`] (5/24/00), or
//! [`Sense::LBA_OUT_OF_RANGE`] (5/21/00) for an address that no medium reaches.

mod cd;
mod medium;
mod recording;
mod settings;
mod status;
mod transfer;

pub use cd::{ReadCd, ReadCdMsf, SectorParts, SectorType, SendCueSheet};
pub use medium::{
    DiscInformationType, MediaType, ReadCapacity, ReadDiscInformation, ReadDiscStructure,
    ReadFormatCapacities, ReadToc, ReadTrackInformation, TocFormat, TrackAddress,
};
pub use recording::{
    Blank, CloseFunction, CloseTrackSession, FormatUnit, RepairTrack, Reservation, ReserveTrack,
    SendDiscStructure, SendOpc,
};
pub use settings::{
    FeatureScope, GetConfiguration, GetPerformance, ModeSelect, ModeSelect6, ModeSense, ModeSense6,
    PageControl, PerformanceType, SetCdSpeed, SetReadAhead, SetStreaming,
};
pub use status::{
    GetEventStatus, Inquiry, LoadUnload, MechanismStatus, PreventAllow, ReportKey, RequestSense,
    StartStop, StartStopUnit, TestUnitReady,
};
pub use transfer::{
    Read10, Read12, ReadBuffer, ReadBufferCapacity, Seek10, SynchronizeCache, Verify10, Write10,
    Write12, WriteAndVerify,
};

use crate::{Cdb, Sense};

/// How one command's fields stand in its block.
trait Fields: Sized {
    fn put(&self, cdb: &mut Cdb);
    fn get(cdb: &Cdb) -> Result<Self, Sense>;
}

/// Declares the commands once: operation code, length of the block, struct, the standard's
/// name.
macro_rules! commands {
    ($($opcode:literal $len:literal $name:ident $title:literal;)+) => {
        /// A command to a drive.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Command {
            $(
                #[doc = concat!($title, " (", stringify!($opcode), ").")]
                $name($name),
            )+
            /// A command without a struct here.
            Unknown(Cdb),
        }

        impl Command {
            /// The block that carries the command.
            pub fn encode(&self) -> Cdb {
                match self {
                    $(Self::$name(command) => {
                        let mut cdb = Cdb::zeroed($opcode, $len);
                        command.put(&mut cdb);
                        cdb
                    })+
                    Self::Unknown(cdb) => *cdb,
                }
            }

            /// The command in `bytes`, or the sense to refuse it with.
            ///
            /// Bytes that the block has beyond the command's own length are ignored, missing
            /// ones are zero: transports pad.
            pub fn decode(bytes: &[u8]) -> Result<Self, Sense> {
                let cdb = Cdb::new(bytes).ok_or(Sense::INVALID_FIELD_IN_CDB)?;
                Self::from_cdb(&cdb)
            }

            /// The command in a block, or the sense to refuse it with.
            pub fn from_cdb(cdb: &Cdb) -> Result<Self, Sense> {
                match cdb.opcode() {
                    $($opcode => $name::get(cdb).map(Self::$name),)+
                    _ => Ok(Self::Unknown(*cdb)),
                }
            }

            /// The command's name in the standard.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $title,)+
                    Self::Unknown(_) => "an unknown command",
                }
            }
        }

        $(
            impl From<$name> for Command {
                fn from(command: $name) -> Self {
                    Self::$name(command)
                }
            }
        )+
    };
}

commands! {
    0x00 6 TestUnitReady "TEST UNIT READY";
    0x03 6 RequestSense "REQUEST SENSE";
    0x04 6 FormatUnit "FORMAT UNIT";
    0x12 6 Inquiry "INQUIRY";
    0x15 6 ModeSelect6 "MODE SELECT (6)";
    0x1a 6 ModeSense6 "MODE SENSE (6)";
    0x1b 6 StartStopUnit "START STOP UNIT";
    0x1e 6 PreventAllow "PREVENT ALLOW MEDIUM REMOVAL";
    0x23 10 ReadFormatCapacities "READ FORMAT CAPACITIES";
    0x25 10 ReadCapacity "READ CAPACITY";
    0x28 10 Read10 "READ (10)";
    0x2a 10 Write10 "WRITE (10)";
    0x2b 10 Seek10 "SEEK (10)";
    0x2e 10 WriteAndVerify "WRITE AND VERIFY (10)";
    0x2f 10 Verify10 "VERIFY (10)";
    0x35 10 SynchronizeCache "SYNCHRONIZE CACHE";
    0x3c 10 ReadBuffer "READ BUFFER";
    0x43 10 ReadToc "READ TOC/PMA/ATIP";
    0x46 10 GetConfiguration "GET CONFIGURATION";
    0x4a 10 GetEventStatus "GET EVENT STATUS NOTIFICATION";
    0x51 10 ReadDiscInformation "READ DISC INFORMATION";
    0x52 10 ReadTrackInformation "READ TRACK INFORMATION";
    0x53 10 ReserveTrack "RESERVE TRACK";
    0x54 10 SendOpc "SEND OPC INFORMATION";
    0x55 10 ModeSelect "MODE SELECT (10)";
    0x58 10 RepairTrack "REPAIR TRACK";
    0x5a 10 ModeSense "MODE SENSE (10)";
    0x5b 10 CloseTrackSession "CLOSE TRACK SESSION";
    0x5c 10 ReadBufferCapacity "READ BUFFER CAPACITY";
    0x5d 10 SendCueSheet "SEND CUE SHEET";
    0xa1 12 Blank "BLANK";
    0xa4 12 ReportKey "REPORT KEY";
    0xa6 12 LoadUnload "LOAD/UNLOAD MEDIUM";
    0xa7 12 SetReadAhead "SET READ AHEAD";
    0xa8 12 Read12 "READ (12)";
    0xaa 12 Write12 "WRITE (12)";
    0xac 12 GetPerformance "GET PERFORMANCE";
    0xad 12 ReadDiscStructure "READ DISC STRUCTURE";
    0xb6 12 SetStreaming "SET STREAMING";
    0xb9 12 ReadCdMsf "READ CD MSF";
    0xbb 12 SetCdSpeed "SET CD SPEED";
    0xbd 12 MechanismStatus "MECHANISM STATUS";
    0xbe 12 ReadCd "READ CD";
    0xbf 12 SendDiscStructure "SEND DISC STRUCTURE";
}

/// A command whose block holds nothing but its operation code.
macro_rules! bare_commands {
    ($($(#[$doc:meta])* $name:ident;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
            pub struct $name;

            impl crate::command::Fields for $name {
                fn put(&self, _cdb: &mut crate::Cdb) {}

                fn get(_cdb: &crate::Cdb) -> Result<Self, crate::Sense> {
                    Ok(Self)
                }
            }
        )+
    };
}
use bare_commands;

/// Checks an encoding against golden bytes, in both directions.
#[cfg(test)]
#[track_caller]
fn check(command: impl Into<Command>, bytes: &[u8]) {
    let command = command.into();
    let cdb = command.encode();
    assert_eq!(cdb.as_bytes(), bytes, "{command:?}");
    assert_eq!(Command::decode(bytes), Ok(command));
    let padded = [bytes, &[0; Cdb::MAX_LEN][bytes.len()..]].concat();
    assert_eq!(
        Command::decode(&padded),
        Ok(command),
        "padded by a transport"
    );
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn unknown_commands_survive() {
        let bytes = [0xf3, 1, 2, 3, 4, 5];
        let command = Command::decode(&bytes).unwrap();
        assert!(matches!(command, Command::Unknown(_)));
        assert_eq!(command.encode().as_bytes(), bytes);
    }

    #[test]
    fn no_bytes_are_no_command() {
        assert_eq!(Command::decode(&[]), Err(Sense::INVALID_FIELD_IN_CDB));
        assert_eq!(Command::decode(&[0; 17]), Err(Sense::INVALID_FIELD_IN_CDB));
    }

    proptest! {
        /// What a block means survives another encoding, for any bytes of any command.
        #[test]
        fn meaning_survives_encoding(bytes in prop::collection::vec(any::<u8>(), 1..=16)) {
            if let Ok(command) = Command::decode(&bytes) {
                prop_assert_eq!(Command::decode(command.encode().as_bytes()), Ok(command));
            }
        }

        #[test]
        fn meaning_survives_encoding_of_known_commands(
            opcode in prop::sample::select(
                &[
                    0x04u8, 0x12, 0x1a, 0x1b, 0x28, 0x2a, 0x35, 0x43, 0x46, //
                    0x51, 0x52, 0x53, 0x5a, 0x5b, 0xac, 0xb9, 0xbe,
                ][..],
            ),
            rest in prop::collection::vec(any::<u8>(), 0..=15),
        ) {
            let bytes = [&[opcode][..], &rest].concat();
            if let Ok(command) = Command::decode(&bytes) {
                prop_assert_eq!(Command::decode(command.encode().as_bytes()), Ok(command));
            }
        }
    }
}
