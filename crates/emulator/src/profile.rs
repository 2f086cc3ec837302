//! What differs from drive to drive: figures and habits, each a field.
//!
//! Where the standards leave a choice, or where its text could not be checked, the choice is a
//! field here and not a constant in the code.

use std::time::Duration;

use reburn_blocks::BlockCount;
use reburn_mmc::{Sense, Speed};
use serde::{Deserialize, Serialize};

use crate::MediumKind;
use crate::kind::BD_SPARE_CLUSTERS_PER_LAYER;
use crate::profile_values as values;

/// What a drive does with a write that covers part of a write unit that cannot be read: the
/// rest of the unit is lost either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartialWrite {
    /// The write fails with 3/0C/00 when it reaches the medium; the unit stays unreadable.
    Fails,
    /// The rest of the unit becomes zeros.
    FillsWithZeros,
}

/// How a drive tells of an error of an earlier write that it meets when it makes room in its
/// buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LateErrors {
    /// As deferred (71h).
    Deferred,
    /// As if the command that it came with had failed (70h), with the address of the failure.
    Current,
}

/// What a drive does with a write for which its buffer has no room now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// It takes its time: the command ends when there was room.
    Holds,
    /// It refuses the command with 2/04/08 on media that are recorded in sequence, and takes its
    /// time on the others.
    RefusesSequential,
    /// It refuses the command with 2/04/08; the host has to send it again.
    Refuses,
}

/// The speeds of one kind of medium in a drive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediumSpeeds {
    /// Reading.
    #[serde(with = "values::speed")]
    pub read: Speed,
    /// Writing, as the drive starts with: the first of `write_choices`.
    #[serde(with = "values::speed")]
    pub write: Speed,
    /// The speeds of writing that a host can set, fastest first.
    #[serde(with = "values::speed::list")]
    pub write_choices: Vec<Speed>,
    /// Whether the drive reads back every write unit that it wrote, which halves the speed of
    /// writing. A host avoids it with the Streaming bit of WRITE (12).
    pub verifies_writes: bool,
}

/// How long the mechanics take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mechanics {
    /// From command to status, over and above what the medium takes.
    #[serde(with = "values::duration")]
    pub command: Duration,
    /// The shortest seek, with the wait for the right place to come round.
    #[serde(with = "values::duration")]
    pub seek_min: Duration,
    /// From the first block to the last.
    #[serde(with = "values::duration")]
    pub seek_max: Duration,
    /// From stopping a run of writes to having its end on the medium, at a barrier.
    #[serde(with = "values::duration")]
    pub write_end: Duration,
    /// From closing the tray to being ready.
    #[serde(with = "values::duration")]
    pub load: Duration,
    /// Opening the tray, or spinning down.
    #[serde(with = "values::duration")]
    pub eject: Duration,
    /// Calibrating the laser's power.
    #[serde(with = "values::duration")]
    pub calibrate: Duration,
    /// The part of a format that a host must wait for: lead-in, tables, lead-out.
    #[serde(with = "values::duration")]
    pub format: Duration,
    /// Writing a temporary or final lead-out.
    #[serde(with = "values::duration")]
    pub close: Duration,
    /// How long the drive holds writes in its buffer when no command comes.
    #[serde(with = "values::duration")]
    pub idle_flush: Duration,
}

/// Where a drive records what replaces a cluster of a BD-R.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replacement {
    /// At the next writable block of an open track; in a spare cluster if there is no room.
    NextWritable,
    /// In a spare cluster; at the next writable block if there is none left.
    Spare,
}

/// Habits with media that are recorded in sequence, where drives differ or no text was at hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequentialHabits {
    /// Blocks that a border of a DVD-R or DVD-RW takes.
    #[serde(with = "values::blocks")]
    pub dvd_minus_border: BlockCount,
    /// Blocks of a link where a DVD-R or DVD-RW goes on behind something closed.
    #[serde(with = "values::blocks")]
    pub dvd_minus_link: BlockCount,
    /// The border whose closing closes a DVD-R or DVD-RW.
    pub dvd_minus_sessions_max: u16,
    /// Blocks between two sessions of a DVD+R.
    #[serde(with = "values::blocks")]
    pub dvd_plus_r_session_gap: BlockCount,
    /// The session whose closing closes a DVD+R.
    pub dvd_plus_r_sessions_max: u16,
    /// The session whose closing closes a DVD+R with two layers.
    pub dvd_plus_r_dl_sessions_max: u16,
    /// Blocks between two sessions of a BD-R.
    #[serde(with = "values::blocks")]
    pub bd_r_session_gap: BlockCount,
    /// The session whose closing closes a BD-R.
    pub bd_r_sessions_max: u16,
    /// Whether closing a session of a DVD+R with one layer or of a BD-R closes the track that
    /// is open in it; otherwise it is refused with 5/72/03.
    pub session_close_closes_track: bool,
    /// How a write to a disc is refused that is closed for good.
    #[serde(with = "values::sense")]
    pub complete_write: Sense,
    /// How a read of a DVD behind its last recorded block is refused; `None` gives zeros.
    #[serde(with = "values::sense::or_zeros")]
    pub unwritten_dvd_read: Option<Sense>,
    /// How a read of a BD-R behind its last recorded block is refused; `None` gives zeros.
    #[serde(with = "values::sense::or_zeros")]
    pub unwritten_bd_read: Option<Sense>,
    /// How a read of what lies between the tracks of a CD is refused: run-out, pause, link,
    /// lead-out and lead-in.
    #[serde(with = "values::sense")]
    pub between_cd_tracks_read: Sense,
    /// Whether READ TOC of a disc without a closed track is refused with 5/24/00; otherwise the
    /// table is empty.
    pub blank_toc_is_refused: bool,
    /// Whether a DVD-R or DVD-RW that a power cut interrupted can be recorded on.
    pub damage_is_repairable: bool,
    /// How a write of parts of write units is refused on a DVD-RW in restricted overwrite mode.
    #[serde(with = "values::sense")]
    pub misaligned_overwrite: Sense,
    /// How a second write of a cluster is refused on a BD-R that is recorded in any order.
    #[serde(with = "values::sense")]
    pub second_write: Sense,
    /// How a format of a BD-R is refused on which something is recorded.
    #[serde(with = "values::sense")]
    pub written_format: Sense,
    /// Where replaced clusters of a BD-R go.
    pub replacement: Replacement,
    /// How many clusters of a BD-R can be replaced. What drives have room for is not known; the
    /// default is every cluster of a disc with one layer.
    pub replacements_max: u32,
}

/// Figures of 5/24/00 and its kin stand in MMC-6; the others were seen on drives, or are the
/// most that a host has to expect.
impl Default for SequentialHabits {
    fn default() -> Self {
        Self {
            dvd_minus_border: BlockCount::new(28_672),
            dvd_minus_link: BlockCount::new(16),
            dvd_minus_sessions_max: 254,
            dvd_plus_r_session_gap: BlockCount::new(2048),
            dvd_plus_r_sessions_max: 191,
            dvd_plus_r_dl_sessions_max: 127,
            bd_r_session_gap: BlockCount::ZERO,
            bd_r_sessions_max: 1000,
            session_close_closes_track: true,
            complete_write: Sense::ILLEGAL_MODE_FOR_TRACK,
            unwritten_dvd_read: Some(Sense::LBA_OUT_OF_RANGE),
            unwritten_bd_read: None,
            between_cd_tracks_read: Sense::ILLEGAL_MODE_FOR_TRACK,
            blank_toc_is_refused: true,
            damage_is_repairable: true,
            misaligned_overwrite: Sense::INVALID_ADDRESS_FOR_WRITE,
            second_write: Sense::INVALID_ADDRESS_FOR_WRITE,
            written_format: Sense::CANNOT_FORMAT_MEDIUM,
            replacement: Replacement::NextWritable,
            replacements_max: 381_856,
        }
    }
}

/// A model of a drive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriveProfile {
    /// Maker, at most 8 characters.
    pub vendor: String,
    /// Model, at most 16 characters.
    pub product: String,
    /// Version of the firmware, at most 4 characters.
    pub revision: String,
    /// Serial number.
    pub serial: String,
    /// The kinds of media that the drive takes. It loads others too, and can do nothing with them.
    #[serde(with = "values::kinds")]
    pub media: Vec<MediumKind>,
    /// Bytes of the write buffer with a CD loaded.
    pub cd_buffer: usize,
    /// Bytes of the write buffer with a DVD loaded. The drive records the oldest write units
    /// when it is full. A test that wants every subset of the writes since a barrier to be
    /// what a power cut leaves gives it a buffer that holds them all.
    pub dvd_buffer: usize,
    /// Bytes of the write buffer with a Blu-ray disc or nothing loaded.
    pub bd_buffer: usize,
    /// Speeds with DVD+RW.
    pub dvd_plus_rw: MediumSpeeds,
    /// Speeds with DVD-RAM.
    pub dvd_ram: MediumSpeeds,
    /// Speeds with BD-RE.
    pub bd_re: MediumSpeeds,
    /// Speeds with CD-R and CD-RW.
    pub cd: MediumSpeeds,
    /// Speeds with DVD-R, DVD+R and DVD-RW.
    pub dvd_r: MediumSpeeds,
    /// Speeds with BD-R.
    pub bd_r: MediumSpeeds,
    /// How long the mechanics take.
    pub mechanics: Mechanics,
    /// What happens to part of a write unit that cannot be read.
    pub partial_write: PartialWrite,
    /// How a write to an unformatted medium is refused.
    #[serde(with = "values::sense")]
    pub unformatted_write: Sense,
    /// How a read of an unformatted medium is refused.
    #[serde(with = "values::sense")]
    pub unformatted_read: Sense,
    /// Whether TEST UNIT READY tells that a SYNCHRONIZE CACHE still runs that was answered at
    /// once. Some drives say they are ready all the while.
    pub ready_tells_of_flush: bool,
    /// What happens to a write that finds the buffer full.
    pub when_full: WhenFull,
    /// How an error of an earlier write is told.
    pub late_errors: LateErrors,
    /// Whether what the buffer holds survives a reset.
    pub reset_keeps_buffer: bool,
    /// Whether CLOSE TRACK SESSION is accepted, without effect, on DVD-RAM and BD-RE.
    pub close_is_ignored: bool,
    /// Spare clusters that a BD-RE or BD-R gets on each layer by default.
    pub spare_clusters_per_layer: u32,
    /// Habits with media that are recorded in sequence.
    pub sequential: SequentialHabits,
}

impl DriveProfile {
    /// The speeds with this kind of medium.
    pub fn speeds(&self, kind: MediumKind) -> &MediumSpeeds {
        match kind {
            kind if kind.is_cd() => &self.cd,
            kind if kind.is_bd_r() => &self.bd_r,
            kind if kind.is_blu_ray() => &self.bd_re,
            MediumKind::DvdPlusRw => &self.dvd_plus_rw,
            MediumKind::DvdRam => &self.dvd_ram,
            _ => &self.dvd_r,
        }
    }

    /// Bytes of the write buffer with this kind of medium loaded.
    pub fn buffer(&self, kind: Option<MediumKind>) -> usize {
        match kind {
            Some(kind) if kind.is_cd() => self.cd_buffer,
            Some(kind) if !kind.is_blu_ray() => self.dvd_buffer,
            _ => self.bd_buffer,
        }
    }
}

/// A half-height drive of about 2009: BD-RE at 2x and DVD+RW at 4x as the media allow, DVD-RAM
/// at 3x; DVD-RAM and BD-RE are read back after writing. Buffer sizes are those of a Pioneer
/// BDR-203.
impl Default for DriveProfile {
    fn default() -> Self {
        let speeds = |single: Speed, read: u32, write: &[u32], verifies_writes| MediumSpeeds {
            read: single.times(read),
            write: single.times(write[0]),
            write_choices: write.iter().map(|factor| single.times(*factor)).collect(),
            verifies_writes,
        };
        Self {
            vendor: "REBURN".into(),
            product: "VIRTUAL DRIVE".into(),
            revision: "0.1".into(),
            serial: "VIRTUAL00001".into(),
            media: MediumKind::ALL.to_vec(),
            cd_buffer: 0x12_6800,
            dvd_buffer: 0x11_8000,
            bd_buffer: 0x18_0000,
            dvd_plus_rw: speeds(Speed::DVD_1X, 8, &[4, 2], false),
            dvd_ram: speeds(Speed::DVD_1X, 5, &[3, 2], true),
            bd_re: speeds(Speed::BD_1X, 6, &[2, 1], true),
            cd: speeds(Speed::CD_1X, 40, &[24, 16, 8, 4], false),
            dvd_r: speeds(Speed::DVD_1X, 8, &[8, 4, 2], false),
            bd_r: speeds(Speed::BD_1X, 6, &[4, 2], false),
            mechanics: Mechanics {
                command: Duration::from_micros(100),
                seek_min: Duration::from_millis(40),
                seek_max: Duration::from_millis(220),
                write_end: Duration::from_millis(250),
                load: Duration::from_secs(8),
                eject: Duration::from_secs(2),
                calibrate: Duration::from_secs(2),
                format: Duration::from_secs(45),
                close: Duration::from_secs(20),
                idle_flush: Duration::from_secs(5),
            },
            partial_write: PartialWrite::Fails,
            unformatted_write: Sense::CANNOT_WRITE_FORMAT,
            unformatted_read: Sense::LBA_OUT_OF_RANGE,
            ready_tells_of_flush: true,
            when_full: WhenFull::Holds,
            late_errors: LateErrors::Deferred,
            reset_keeps_buffer: true,
            close_is_ignored: false,
            spare_clusters_per_layer: BD_SPARE_CLUSTERS_PER_LAYER,
            sequential: SequentialHabits::default(),
        }
    }
}
