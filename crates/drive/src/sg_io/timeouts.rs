//! How long commands may take before the host gives the drive up.
//!
//! A command that a drive answers late is worse off than one that is waited for: when its time is
//! over the kernel resets the drive, which may cost the disc. So these are far beyond what drives
//! take; the groups are those of the timeouts that MMC-6 has drives report (mode page 1Dh).

use std::time::Duration;

/// Questions, and what moves no medium.
const QUESTION: Duration = Duration::from_secs(30);
/// Spinning up, reading with retries, loading.
const MEDIUM: Duration = Duration::from_mins(2);
/// Writing and emptying the buffer, with a calibration or a change of layers in it.
const RECORD: Duration = Duration::from_mins(10);
/// Closing, which writes lead-outs and may fill the disc, and whole passes over it.
const WHOLE_DISC: Duration = Duration::from_hours(6);

/// The time for a command with this operation code.
pub fn timeout(opcode: u8) -> Duration {
    match opcode {
        // TEST UNIT READY, REQUEST SENSE, INQUIRY, MODE SENSE and the like.
        0x00 | 0x03 | 0x12 | 0x1e | 0x46 | 0x4a | 0x55 | 0x5a | 0x5c | 0xac | 0xb6 | 0xbb
        | 0xbd => QUESTION,
        // WRITE (10), (12), WRITE AND VERIFY, SEND CUE SHEET, RESERVE TRACK, SEND OPC.
        0x2a | 0xaa | 0x2e | 0x5d | 0x53 | 0x54 | 0x35 => RECORD,
        // FORMAT UNIT, BLANK, CLOSE TRACK SESSION, REPAIR TRACK, VERIFY.
        0x04 | 0xa1 | 0x5b | 0x58 | 0x2f => WHOLE_DISC,
        _ => MEDIUM,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_may_take_long() {
        let (blank, read, inquiry) = (timeout(0xa1), timeout(0x28), timeout(0x12));
        assert!(blank > read && read > inquiry);
        assert!(timeout(0x5b) >= Duration::from_hours(1));
        assert!(timeout(0x2a) >= Duration::from_mins(2));
    }
}
