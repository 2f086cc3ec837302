//! Sense data: why a drive refused a command, or what it is busy with.
//!
//! Only the fixed format of 18 bytes is used (response codes 70h and 71h, SPC-3 section 4.5.3);
//! programs that record discs read no other one.

use std::fmt;

use reburn_record::big_endian::{U16, U32};
use reburn_record::{Record, record};

use crate::DecodeError;
use crate::bytes::len8;
use crate::sense_table::meaning_of;

/// The class of a sense: its first figure (SPC-3 section 4.5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SenseKey {
    /// Nothing to report, or the progress of something that runs.
    NoSense = 0,
    /// Done, with an effort.
    RecoveredError = 1,
    /// Not now: no medium, or busy.
    NotReady = 2,
    /// The medium, or data on it, is bad.
    MediumError = 3,
    /// The drive is bad.
    HardwareError = 4,
    /// The command makes no sense here.
    IllegalRequest = 5,
    /// Something changed since the last command: a medium, a reset.
    UnitAttention = 6,
    /// Writing is forbidden.
    DataProtect = 7,
    /// Unwritten blocks met where written ones were expected, or the other way round.
    BlankCheck = 8,
    /// For vendors.
    VendorSpecific = 9,
    /// COPY gave up.
    CopyAborted = 10,
    /// The drive gave up.
    AbortedCommand = 11,
    /// No longer used.
    Obsolete = 12,
    /// A partition of the medium is full.
    VolumeOverflow = 13,
    /// What was compared differs.
    Miscompare = 14,
    /// Reserved, or done (later standards).
    Reserved = 15,
}

impl SenseKey {
    const ALL: [Self; 16] = [
        Self::NoSense,
        Self::RecoveredError,
        Self::NotReady,
        Self::MediumError,
        Self::HardwareError,
        Self::IllegalRequest,
        Self::UnitAttention,
        Self::DataProtect,
        Self::BlankCheck,
        Self::VendorSpecific,
        Self::CopyAborted,
        Self::AbortedCommand,
        Self::Obsolete,
        Self::VolumeOverflow,
        Self::Miscompare,
        Self::Reserved,
    ];

    /// The key of the low four bits of `code`.
    pub const fn from_low_bits(code: u8) -> Self {
        Self::ALL[(code & 0x0f) as usize]
    }
}

impl fmt::Display for SenseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSense => "no sense",
            Self::RecoveredError => "recovered error",
            Self::NotReady => "not ready",
            Self::MediumError => "medium error",
            Self::HardwareError => "hardware error",
            Self::IllegalRequest => "illegal request",
            Self::UnitAttention => "unit attention",
            Self::DataProtect => "data protect",
            Self::BlankCheck => "blank check",
            Self::VendorSpecific => "vendor specific",
            Self::CopyAborted => "copy aborted",
            Self::AbortedCommand => "aborted command",
            Self::Obsolete => "obsolete",
            Self::VolumeOverflow => "volume overflow",
            Self::Miscompare => "miscompare",
            Self::Reserved => "reserved",
        })
    }
}

/// Why a command failed, or what a drive is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sense {
    /// The class.
    pub key: SenseKey,
    /// Additional sense code.
    pub asc: u8,
    /// Additional sense code qualifier.
    pub ascq: u8,
    /// Whether an earlier command failed and not the one that carries this (71h).
    pub deferred: bool,
    /// With errors of the medium, the block concerned.
    pub information: Option<u32>,
    /// How far a long operation got, in 1/65536.
    pub progress: Option<u16>,
}

impl Sense {
    /// Bytes of encoded sense.
    pub const LEN: usize = 18;

    /// A sense of the command that carries it, with nothing but its three figures.
    pub const fn new(key: SenseKey, asc: u8, ascq: u8) -> Self {
        Self {
            key,
            asc,
            ascq,
            deferred: false,
            information: None,
            progress: None,
        }
    }

    /// The same, of an earlier command.
    #[must_use]
    pub const fn as_deferred(self) -> Self {
        Self {
            deferred: true,
            ..self
        }
    }

    /// The same, naming a block.
    #[must_use]
    pub const fn at(self, block: u32) -> Self {
        Self {
            information: Some(block),
            ..self
        }
    }

    /// The same, with how far the operation got, in 1/65536.
    #[must_use]
    pub const fn with_progress(self, progress: u16) -> Self {
        Self {
            progress: Some(progress),
            ..self
        }
    }

    /// Whether the three figures agree, whatever stands beside them.
    pub fn is(&self, other: &Self) -> bool {
        (self.key, self.asc, self.ascq) == (other.key, other.asc, other.ascq)
    }

    /// What the codes mean, in the standard's words; `None` for codes without a line here.
    pub fn meaning(&self) -> Option<&'static str> {
        meaning_of(self.asc, self.ascq)
    }

    /// The sense as a drive returns it.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let record = FixedSense {
            response_code: u8::from(self.information.is_some()) << 7
                | if self.deferred { DEFERRED } else { CURRENT },
            obsolete: 0,
            sense_key: self.key as u8,
            information: U32::new(self.information.unwrap_or_default()),
            additional_length: len8(Self::LEN - 8),
            command_specific: U32::new(0),
            asc: self.asc,
            ascq: self.ascq,
            field_replaceable_unit: 0,
            key_specific_valid: u8::from(self.progress.is_some()) << 7,
            progress: U16::new(self.progress.unwrap_or_default()),
        };
        let mut bytes = [0; Self::LEN];
        bytes.copy_from_slice(record.bytes());
        bytes
    }

    /// The sense in bytes that a drive returned. Data that end early (14 bytes at least) lack
    /// the progress; bytes past the 18th are a vendor's own.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut whole = [0; Self::LEN];
        let present = bytes.len().min(Self::LEN);
        whole[..present].copy_from_slice(&bytes[..present]);
        let needed = if bytes.len() < 14 { bytes } else { &whole[..] };
        let (record, _) = FixedSense::view(needed)?;
        let code = record.response_code & 0x7f;
        if code != CURRENT && code != DEFERRED {
            return Err(DecodeError::Field {
                what: "sense",
                offset: 0,
                value: u32::from(record.response_code),
            });
        }
        let key = SenseKey::from_low_bits(record.sense_key);
        let reports_progress = matches!(key, SenseKey::NoSense | SenseKey::NotReady);
        Ok(Self {
            key,
            asc: record.asc,
            ascq: record.ascq,
            deferred: code == DEFERRED,
            information: (record.response_code >> 7 == 1).then_some(record.information.get()),
            progress: (reports_progress && record.key_specific_valid >> 7 == 1)
                .then_some(record.progress.get()),
        })
    }
}

const CURRENT: u8 = 0x70;
const DEFERRED: u8 = 0x71;

record! {
    /// Sense in the fixed format.
    struct FixedSense: 18, "SPC-3 4.5.3" {
        0  response_code: u8, "4.5.3";
        1  obsolete: u8, "4.5.3";
        2  sense_key: u8, "4.5.6";
        3  information: U32, "4.5.2.2";
        7  additional_length: u8, "4.5.3";
        8  command_specific: U32, "4.5.2.3";
        12 asc: u8, "4.5.6";
        13 ascq: u8, "4.5.6";
        14 field_replaceable_unit: u8, "4.5.2.5";
        15 key_specific_valid: u8, "4.5.2.4";
        16 progress: U16, "4.5.2.4.4";
    }
}

/// A sentence with the three figures at its end, and the block or the progress if known.
impl fmt::Display for Sense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, asc, ascq) = (self.key, self.asc, self.ascq);
        if self.deferred {
            f.write_str("deferred ")?;
        }
        match self.meaning() {
            Some(meaning) => write!(f, "{key}: {meaning}")?,
            None => write!(f, "{key}, of an unlisted kind")?,
        }
        write!(f, " ({:X}/{asc:02X}/{ascq:02X})", key as u8)?;
        if let Some(block) = self.information {
            write!(f, " at block {block}")?;
        }
        if let Some(progress) = self.progress {
            write!(f, ", {} % done", u32::from(progress) * 100 / 65536)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    const BUSY: [u8; 18] = [
        0x70, 0, 2, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x04, 0x04, 0, 0x80, 0x80, 0,
    ];

    #[test]
    fn progress_stands_in_the_key_specific_bytes() {
        let sense = Sense::FORMAT_IN_PROGRESS.with_progress(0x8000);
        assert_eq!(sense.encode(), BUSY);
        assert_eq!(Sense::decode(&BUSY), Ok(sense));
        assert_snapshot!(
            sense,
            @"not ready: logical unit not ready, format in progress (2/04/04), 50 % done"
        );
    }

    #[test]
    fn a_late_write_error_names_its_block() {
        let sense = Sense::WRITE_ERROR.as_deferred().at(0x5750);
        let bytes = sense.encode();
        assert_eq!(bytes[..8], [0xf1, 0, 3, 0, 0, 0x57, 0x50, 10]);
        assert_eq!(Sense::decode(&bytes), Ok(sense));
        assert_snapshot!(
            sense,
            @"deferred medium error: write error (3/0C/00) at block 22352"
        );
    }

    #[test]
    fn sentences_end_in_the_three_figures() {
        assert_snapshot!(
            Sense::LBA_OUT_OF_RANGE,
            @"illegal request: logical block address out of range (5/21/00)"
        );
        assert_snapshot!(
            Sense::new(SenseKey::HardwareError, 0xab, 0xcd),
            @"hardware error, of an unlisted kind (4/AB/CD)"
        );
    }

    #[test]
    fn descriptor_format_and_short_data_are_refused() {
        let mut bytes = BUSY;
        bytes[0] = 0x72;
        assert!(Sense::decode(&bytes).is_err());
        assert!(Sense::decode(&BUSY[..13]).is_err());
        let short = Sense::decode(&BUSY[..14]).unwrap();
        assert_eq!(short, Sense::FORMAT_IN_PROGRESS);
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(sense) = Sense::decode(&bytes) {
                prop_assert_eq!(Sense::decode(&sense.encode()), Ok(sense));
            }
        }
    }
}
