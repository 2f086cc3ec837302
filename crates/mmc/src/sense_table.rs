//! The senses that optical drives give, by name, and what each pair of codes means
//! (SPC-3 annex D).

use crate::{Sense, SenseKey};

/// Declares senses once: constant, key, codes and meaning.
macro_rules! senses {
    ($($name:ident: $key:ident $asc:literal/$ascq:literal, $meaning:literal;)+) => {
        impl Sense {
            $(
                #[doc = concat!(
                    stringify!($key), " ", stringify!($asc), "/", stringify!($ascq), ": ",
                    $meaning, ".",
                )]
                pub const $name: Self = Self::new(SenseKey::$key, $asc, $ascq);
            )+
        }

        /// Every named sense with its meaning.
        const NAMED: &[(Sense, &str)] = &[$((Sense::$name, $meaning),)+];
    };
}

senses! {
    NONE: NoSense 0x00/0x00, "no additional sense information";
    BECOMING_READY: NotReady 0x04/0x01, "logical unit is in process of becoming ready";
    START_NEEDED: NotReady 0x04/0x02, "logical unit not ready, initializing command required";
    FORMAT_IN_PROGRESS: NotReady 0x04/0x04, "logical unit not ready, format in progress";
    OPERATION_IN_PROGRESS: NotReady 0x04/0x07, "logical unit not ready, operation in progress";
    LONG_WRITE_IN_PROGRESS: NotReady 0x04/0x08,
        "logical unit not ready, long write in progress";
    NO_MEDIUM: NotReady 0x3a/0x00, "medium not present";
    NO_MEDIUM_TRAY_CLOSED: NotReady 0x3a/0x01, "medium not present, tray closed";
    NO_MEDIUM_TRAY_OPEN: NotReady 0x3a/0x02, "medium not present, tray open";
    NO_REFERENCE_POSITION: NotReady 0x06/0x00, "no reference position found";
    NOT_READY_INCOMPATIBLE: NotReady 0x30/0x00, "incompatible medium installed";
    NOT_READY_UNKNOWN_FORMAT: NotReady 0x30/0x01, "cannot read medium, unknown format";
    NOT_READY_OTHER_FORMAT: NotReady 0x30/0x02, "cannot read medium, incompatible format";

    RECOVERED_WITH_RETRIES: RecoveredError 0x17/0x01, "recovered data with retries";
    RECOVERED_WITH_CORRECTION: RecoveredError 0x18/0x00,
        "recovered data with error correction applied";
    POWER_CALIBRATION_ALMOST_FULL: RecoveredError 0x73/0x01,
        "power calibration area almost full";
    PROGRAM_MEMORY_ALMOST_FULL: RecoveredError 0x73/0x06, "RMA/PMA is almost full";

    WRITE_ERROR: MediumError 0x0c/0x00, "write error";
    AUTO_REALLOCATION_FAILED: MediumError 0x0c/0x02, "write error, auto reallocation failed";
    REASSIGNMENT_RECOMMENDED: MediumError 0x0c/0x03, "write error, recommend reassignment";
    WRITE_RECOVERY_NEEDED: MediumError 0x0c/0x07, "write error, recovery needed";
    WRITE_RECOVERY_FAILED: MediumError 0x0c/0x08, "write error, recovery failed";
    LOSS_OF_STREAMING: MediumError 0x0c/0x09, "write error, loss of streaming";
    PADDING_ADDED: MediumError 0x0c/0x0a, "write error, padding blocks added";
    UNRECOVERED_READ_ERROR: MediumError 0x11/0x00, "unrecovered read error";
    READ_RETRIES_EXHAUSTED: MediumError 0x11/0x01, "read retries exhausted";
    ERROR_TOO_LONG: MediumError 0x11/0x02, "error too long to correct";
    UNCORRECTABLE_ERROR: MediumError 0x11/0x05, "L-EC uncorrectable error";
    CIRC_ERROR: MediumError 0x11/0x06, "CIRC unrecovered error";
    NO_SEEK_COMPLETE: MediumError 0x02/0x00, "no seek complete";
    TRACK_FOLLOWING_ERROR: MediumError 0x09/0x00, "track following error";
    MEDIUM_FORMAT_CORRUPTED: MediumError 0x31/0x00, "medium format corrupted";
    FORMAT_FAILED: MediumError 0x31/0x01, "format command failed";
    NO_DEFECT_SPARE: MediumError 0x32/0x00, "no defect spare location available";
    TOC_UNRECOVERABLE: MediumError 0x57/0x00, "unable to recover table of contents";
    SESSION_FIXATION_ERROR: MediumError 0x72/0x00, "session fixation error";
    LEAD_IN_WRITE_ERROR: MediumError 0x72/0x01, "session fixation error writing lead-in";
    LEAD_OUT_WRITE_ERROR: MediumError 0x72/0x02, "session fixation error writing lead-out";
    CD_CONTROL_ERROR: MediumError 0x73/0x00, "CD control error";
    POWER_CALIBRATION_FULL: MediumError 0x73/0x02, "power calibration area is full";
    POWER_CALIBRATION_ERROR: MediumError 0x73/0x03, "power calibration area error";
    PROGRAM_MEMORY_UPDATE_FAILURE: MediumError 0x73/0x04, "program memory area update failure";
    PROGRAM_MEMORY_FULL: MediumError 0x73/0x05, "program memory area is full";

    TRACKING_SERVO_FAILURE: HardwareError 0x09/0x01, "tracking servo failure";
    FOCUS_SERVO_FAILURE: HardwareError 0x09/0x02, "focus servo failure";
    SPINDLE_SERVO_FAILURE: HardwareError 0x09/0x03, "spindle servo failure";
    HEAD_SELECT_FAULT: HardwareError 0x09/0x04, "head select fault";
    COMMUNICATION_FAILURE: HardwareError 0x08/0x00, "logical unit communication failure";
    COMMUNICATION_TIMEOUT: HardwareError 0x08/0x01, "logical unit communication time-out";
    COMMUNICATION_PARITY: HardwareError 0x08/0x02, "logical unit communication parity error";
    COMMUNICATION_CRC: HardwareError 0x08/0x03, "logical unit communication CRC error";
    NOT_CONFIGURED: HardwareError 0x3e/0x00, "logical unit has not self-configured yet";
    UNIT_FAILURE: HardwareError 0x3e/0x01, "logical unit failure";
    UNIT_TIMEOUT: HardwareError 0x3e/0x02, "timeout on logical unit";
    INTERNAL_FAILURE: HardwareError 0x44/0x00, "internal target failure";

    PARAMETER_LIST_LENGTH: IllegalRequest 0x1a/0x00, "parameter list length error";
    INVALID_COMMAND: IllegalRequest 0x20/0x00, "invalid command operation code";
    LBA_OUT_OF_RANGE: IllegalRequest 0x21/0x00, "logical block address out of range";
    INVALID_ADDRESS_FOR_WRITE: IllegalRequest 0x21/0x02, "invalid address for write";
    INVALID_WRITE_AT_LAYER_JUMP: IllegalRequest 0x21/0x03, "invalid write crossing layer jump";
    INVALID_FIELD_IN_CDB: IllegalRequest 0x24/0x00, "invalid field in CDB";
    INVALID_FIELD_IN_PARAMETERS: IllegalRequest 0x26/0x00, "invalid field in parameter list";
    COMMAND_SEQUENCE_ERROR: IllegalRequest 0x2c/0x00, "command sequence error";
    PROGRAM_AREA_NOT_EMPTY: IllegalRequest 0x2c/0x03, "current program area is not empty";
    PROGRAM_AREA_EMPTY: IllegalRequest 0x2c/0x04, "current program area is empty";
    SAVING_NOT_SUPPORTED: IllegalRequest 0x39/0x00, "saving parameters not supported";
    INCOMPATIBLE_MEDIUM: IllegalRequest 0x30/0x00, "incompatible medium installed";
    CANNOT_READ_FORMAT: IllegalRequest 0x30/0x02,
        "cannot read medium, incompatible format";
    CANNOT_WRITE_FORMAT: IllegalRequest 0x30/0x05,
        "cannot write medium, incompatible format";
    CANNOT_FORMAT_MEDIUM: IllegalRequest 0x30/0x06,
        "cannot format medium, incompatible medium";
    APPLICATION_CODE_MISMATCH: IllegalRequest 0x30/0x08,
        "cannot write, application code mismatch";
    SESSION_NOT_FIXATED: IllegalRequest 0x30/0x09, "current session not fixated for append";
    NOT_FORMATTED: IllegalRequest 0x30/0x10, "medium not formatted";
    REMOVAL_PREVENTED: IllegalRequest 0x53/0x02, "medium removal prevented";
    ILLEGAL_MODE_FOR_TRACK: IllegalRequest 0x64/0x00, "illegal mode for this track";
    INVALID_PACKET_SIZE: IllegalRequest 0x64/0x01, "invalid packet size";
    END_OF_USER_AREA: IllegalRequest 0x63/0x00, "end of user area encountered on this track";
    PACKET_DOES_NOT_FIT: IllegalRequest 0x63/0x01, "packet does not fit in available space";
    INCOMPLETE_TRACK_IN_SESSION: IllegalRequest 0x72/0x03,
        "session fixation error, incomplete track in session";
    RESERVED_TRACK_NOT_FULL: IllegalRequest 0x72/0x04,
        "empty or partially written reserved track";
    NO_MORE_RESERVATIONS: IllegalRequest 0x72/0x05, "no more track reservations allowed";
    AUTHENTICATION_FAILURE: IllegalRequest 0x6f/0x00,
        "copy protection key exchange failure, authentication failure";
    KEY_NOT_PRESENT: IllegalRequest 0x6f/0x01,
        "copy protection key exchange failure, key not present";
    KEY_NOT_ESTABLISHED: IllegalRequest 0x6f/0x02,
        "copy protection key exchange failure, key not established";
    SCRAMBLED_SECTOR: IllegalRequest 0x6f/0x03,
        "read of scrambled sector without authentication";
    REGION_MISMATCH: IllegalRequest 0x6f/0x04,
        "media region code is mismatched to logical unit region";
    REGION_PERMANENT: IllegalRequest 0x6f/0x05, "drive region must be permanent";

    MEDIUM_CHANGED: UnitAttention 0x28/0x00,
        "not ready to ready change, medium may have changed";
    POWER_ON_RESET: UnitAttention 0x29/0x00, "power on, reset, or bus device reset occurred";
    POWER_ON: UnitAttention 0x29/0x01, "power on occurred";
    BUS_RESET: UnitAttention 0x29/0x02, "SCSI bus reset occurred";
    DEVICE_RESET: UnitAttention 0x29/0x03, "bus device reset function occurred";
    INTERNAL_RESET: UnitAttention 0x29/0x04, "device internal reset";
    MODE_PARAMETERS_CHANGED: UnitAttention 0x2a/0x01, "mode parameters changed";

    WRITE_PROTECTED: DataProtect 0x27/0x00, "write protected";
    SPACE_ALLOCATION_FAILED: DataProtect 0x27/0x07, "space allocation failed write protect";

    COMMAND_ABORTED: AbortedCommand 0x00/0x00, "no additional sense information";

    MISCOMPARE: Miscompare 0x1d/0x00, "miscompare during verify operation";
}

/// Codes that are told apart only to be shown.
const SHOWN: &[(u8, u8, &str)] = &[
    (0x04, 0x00, "logical unit not ready, cause not reportable"),
    (0x15, 0x00, "random positioning error"),
    (0x1b, 0x00, "synchronous data transfer error"),
    (0x25, 0x00, "logical unit not supported"),
    (0x27, 0x01, "hardware write protected"),
    (0x30, 0x04, "cannot write medium, unknown format"),
    (0x53, 0x00, "media load or eject failed"),
    (0x55, 0x00, "system resource failure"),
];

/// What the codes mean, in the standard's words.
pub(crate) fn meaning_of(asc: u8, ascq: u8) -> Option<&'static str> {
    let named = NAMED
        .iter()
        .find(|(sense, _)| (sense.asc, sense.ascq) == (asc, ascq))
        .map(|(_, meaning)| *meaning);
    named.or_else(|| {
        SHOWN
            .iter()
            .find(|(shown_asc, shown_ascq, _)| (*shown_asc, *shown_ascq) == (asc, ascq))
            .map(|(_, _, meaning)| *meaning)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn no_pair_of_codes_has_two_meanings() {
        let mut meanings = BTreeMap::new();
        let named = NAMED
            .iter()
            .map(|(sense, text)| (sense.asc, sense.ascq, *text));
        for (asc, ascq, meaning) in named.chain(SHOWN.iter().copied()) {
            let other = meanings.insert((asc, ascq), meaning);
            assert!(
                other.is_none_or(|other| other == meaning),
                "{asc:02x}/{ascq:02x}"
            );
        }
    }
}
