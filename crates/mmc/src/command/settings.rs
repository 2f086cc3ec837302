//! What the drive can do and how fast it shall do it.

use reburn_blocks::Lba;

use super::Fields;
use crate::{Cdb, Sense, Speed};

/// Which features GET CONFIGURATION returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeatureScope {
    /// Every one from the start on.
    All = 0,
    /// Every current one from the start on.
    Current = 1,
    /// The one at the start.
    One = 2,
}

/// Features and profiles (MMC-6, GET CONFIGURATION).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetConfiguration {
    /// Which features.
    pub scope: FeatureScope,
    /// The code of the first feature.
    pub start: u16,
    /// Bytes of reply that the host has room for.
    pub allocation: u16,
}

impl Fields for GetConfiguration {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set(1, self.scope as u8);
        cdb.set_u16(2, self.start);
        cdb.set_u16(7, self.allocation);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        let scope = match cdb.u8(1) & 3 {
            0 => FeatureScope::All,
            1 => FeatureScope::Current,
            2 => FeatureScope::One,
            _ => return Err(Sense::INVALID_FIELD_IN_CDB),
        };
        Ok(Self {
            scope,
            start: cdb.u16(2),
            allocation: cdb.u16(7),
        })
    }
}

/// Which values of a mode page are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageControl {
    /// Those in force.
    Current = 0,
    /// Ones where a bit can be changed.
    Changeable = 1,
    /// Those after a reset.
    Default = 2,
    /// Those that were saved; optical drives save none.
    Saved = 3,
}

/// Mode pages (SPC-3 6.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModeSense {
    /// Which values.
    pub control: PageControl,
    /// The page, or [`ModeSense::ALL_PAGES`].
    pub page: u8,
    /// Whether block descriptors are unwanted. Optical drives have none.
    pub no_descriptors: bool,
    /// Bytes of reply that the host has room for.
    pub allocation: u16,
}

impl ModeSense {
    /// The page code that asks for every page.
    pub const ALL_PAGES: u8 = 0x3f;
}

/// What MODE SENSE says besides its allocation, which both its lengths have in common.
fn put_page(cdb: &mut Cdb, control: PageControl, page: u8, no_descriptors: bool) {
    cdb.set_bit(1, 3, no_descriptors);
    cdb.set(2, (control as u8) << 6 | page & 0x3f);
}

/// Subpages, which no optical drive has, are refused.
fn page_of(cdb: &Cdb) -> Result<(PageControl, u8, bool), Sense> {
    if cdb.u8(3) != 0 {
        return Err(Sense::INVALID_FIELD_IN_CDB);
    }
    let control = match cdb.u8(2) >> 6 {
        0 => PageControl::Current,
        1 => PageControl::Changeable,
        2 => PageControl::Default,
        _ => PageControl::Saved,
    };
    Ok((control, cdb.u8(2) & 0x3f, cdb.bit(1, 3)))
}

impl Fields for ModeSense {
    fn put(&self, cdb: &mut Cdb) {
        put_page(cdb, self.control, self.page, self.no_descriptors);
        cdb.set_u16(7, self.allocation);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        let (control, page, no_descriptors) = page_of(cdb)?;
        Ok(Self {
            control,
            page,
            no_descriptors,
            allocation: cdb.u16(7),
        })
    }
}

/// Mode pages in the older, shorter form (SPC-3 6.9), which optical drives need not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModeSense6 {
    /// Which values.
    pub control: PageControl,
    /// The page, or [`ModeSense::ALL_PAGES`].
    pub page: u8,
    /// Whether block descriptors are unwanted. Optical drives have none.
    pub no_descriptors: bool,
    /// Bytes of reply that the host has room for.
    pub allocation: u8,
}

impl Fields for ModeSense6 {
    fn put(&self, cdb: &mut Cdb) {
        put_page(cdb, self.control, self.page, self.no_descriptors);
        cdb.set(4, self.allocation);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        let (control, page, no_descriptors) = page_of(cdb)?;
        Ok(Self {
            control,
            page,
            no_descriptors,
            allocation: cdb.u8(4),
        })
    }
}

/// Sets mode pages in the older, shorter form (SPC-3 6.7), always in the page format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModeSelect6 {
    /// Whether to keep them over a reset.
    pub save: bool,
    /// Bytes of the parameter list.
    pub list_length: u8,
}

impl Fields for ModeSelect6 {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 4, true);
        cdb.set_bit(1, 0, self.save);
        cdb.set(4, self.list_length);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        if !cdb.bit(1, 4) {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        Ok(Self {
            save: cdb.bit(1, 0),
            list_length: cdb.u8(4),
        })
    }
}

/// Sets mode pages from a parameter list (SPC-3 6.8), always in the page format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModeSelect {
    /// Whether to keep them over a reset.
    pub save: bool,
    /// Bytes of the parameter list.
    pub list_length: u16,
}

impl Fields for ModeSelect {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 4, true);
        cdb.set_bit(1, 0, self.save);
        cdb.set_u16(7, self.list_length);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        if !cdb.bit(1, 4) {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        Ok(Self {
            save: cdb.bit(1, 0),
            list_length: cdb.u16(7),
        })
    }
}

/// Sets the speeds of reading and writing (MMC-6, SET CD SPEED), for DVD and Blu-ray too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetCdSpeed {
    /// How the disc turns: 0 as the drive likes, 1 at a constant angular velocity.
    pub rotation: u8,
    /// For reading; at most 16 bits, [`Speed::MAX`] for the fastest.
    pub read: Speed,
    /// For writing; at most 16 bits, [`Speed::MAX`] for the fastest.
    pub write: Speed,
}

/// The speed's 16-bit field; what it cannot hold is as fast as can be.
fn speed_field(speed: Speed) -> u16 {
    u16::try_from(speed.kilobytes()).unwrap_or(u16::MAX)
}

impl Fields for SetCdSpeed {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set(1, self.rotation & 3);
        cdb.set_u16(2, speed_field(self.read));
        cdb.set_u16(4, speed_field(self.write));
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            rotation: cdb.u8(1) & 3,
            read: Speed::from_kilobytes(u32::from(cdb.u16(2))),
            write: Speed::from_kilobytes(u32::from(cdb.u16(4))),
        })
    }
}

/// Sets speeds for a range of blocks by a [descriptor](crate::reply::StreamingDescriptor)
/// (MMC-6, SET STREAMING).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetStreaming {
    /// What is sent: 0 for a performance descriptor.
    pub kind: u8,
    /// Bytes of the parameter list.
    pub list_length: u16,
}

impl Fields for SetStreaming {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set(8, self.kind);
        cdb.set_u16(9, self.list_length);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            kind: cdb.u8(8),
            list_length: cdb.u16(9),
        })
    }
}

/// Which performance GET PERFORMANCE returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PerformanceType {
    /// Speed over ranges of blocks: for reading or for writing, nominal or with exceptions.
    Performance {
        /// Whether for writing.
        write: bool,
        /// Bits 1-0 of byte 1: 0 nominal, 1 all of it, 2 exceptions only.
        exceptions: u8,
    },
    /// The write speeds that can be set.
    WriteSpeeds,
    /// A type without a name here.
    Other(u8),
}

/// Speeds (MMC-6, GET PERFORMANCE).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetPerformance {
    /// Which.
    pub kind: PerformanceType,
    /// The first block.
    pub lba: Lba,
    /// How many descriptors the host has room for, after the header of 8 bytes.
    pub descriptors: u16,
}

impl Fields for GetPerformance {
    fn put(&self, cdb: &mut Cdb) {
        match self.kind {
            PerformanceType::Performance { write, exceptions } => {
                // Tolerance 10b: the only value the standard allows.
                cdb.set(1, 0x10 | u8::from(write) << 2 | exceptions & 3);
            }
            PerformanceType::WriteSpeeds => cdb.set(10, 3),
            PerformanceType::Other(kind) => cdb.set(10, kind),
        }
        cdb.set_u32(2, self.lba.get());
        cdb.set_u16(8, self.descriptors);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        let kind = match cdb.u8(10) {
            0 => PerformanceType::Performance {
                write: cdb.bit(1, 2),
                exceptions: cdb.u8(1) & 3,
            },
            3 => PerformanceType::WriteSpeeds,
            other => PerformanceType::Other(other),
        };
        Ok(Self {
            kind,
            lba: cdb.lba(2)?,
            descriptors: cdb.u16(8),
        })
    }
}

/// Makes the drive read on from one block to another (MMC-6, SET READ AHEAD). A hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetReadAhead {
    /// When this block has been read,
    pub trigger: Lba,
    /// have this one ready.
    pub target: Lba,
}

impl Fields for SetReadAhead {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_u32(2, self.trigger.get());
        cdb.set_u32(6, self.target.get());
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            trigger: cdb.lba(2)?,
            target: cdb.lba(6)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, check};
    use super::*;

    #[test]
    fn golden_bytes_of_questions() {
        let one = GetConfiguration {
            scope: FeatureScope::One,
            start: 0x0020,
            allocation: 0x0110,
        };
        check(one, &[0x46, 2, 0, 0x20, 0, 0, 0, 1, 0x10, 0]);
        let page = ModeSense {
            control: PageControl::Default,
            page: 0x2a,
            no_descriptors: true,
            allocation: 252,
        };
        check(page, &[0x5a, 8, 0xaa, 0, 0, 0, 0, 0, 252, 0]);
        let short = ModeSense6 {
            control: PageControl::Changeable,
            page: ModeSense::ALL_PAGES,
            no_descriptors: false,
            allocation: 192,
        };
        check(short, &[0x1a, 0, 0x7f, 0, 192, 0]);
        let lba = Lba::new(0x01020304);
        for (kind, byte_1, byte_10) in [
            (
                PerformanceType::Performance {
                    write: true,
                    exceptions: 0,
                },
                0x14,
                0,
            ),
            (PerformanceType::WriteSpeeds, 0, 3),
            (PerformanceType::Other(4), 0, 4),
        ] {
            check(
                GetPerformance {
                    kind,
                    lba,
                    descriptors: 5,
                },
                &[0xac, byte_1, 1, 2, 3, 4, 0, 0, 0, 5, byte_10, 0],
            );
        }
    }

    #[test]
    fn golden_bytes_of_settings() {
        let select = ModeSelect {
            save: false,
            list_length: 60,
        };
        check(select, &[0x55, 0x10, 0, 0, 0, 0, 0, 0, 60, 0]);
        let short = ModeSelect6 {
            save: true,
            list_length: 56,
        };
        check(short, &[0x15, 0x11, 0, 0, 56, 0]);
        let speeds = SetCdSpeed {
            rotation: 0,
            read: Speed::MAX,
            write: Speed::BD_1X.times(2),
        };
        check(speeds, &[0xbb, 0, 0xff, 0xff, 0x23, 0x1e, 0, 0, 0, 0, 0, 0]);
        let streaming = SetStreaming {
            kind: 0,
            list_length: 28,
        };
        check(streaming, &[0xb6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 28, 0]);
        let ahead = SetReadAhead {
            trigger: Lba::new(1),
            target: Lba::new(2),
        };
        check(ahead, &[0xa7, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0]);
    }

    #[test]
    fn what_no_drive_accepts_is_refused() {
        for bytes in [
            [0x46, 3, 0, 0, 0, 0, 0, 0, 8, 0],
            [0x55, 0, 0, 0, 0, 0, 0, 0, 60, 0],
            [0x5a, 0, 0x2a, 1, 0, 0, 0, 0, 60, 0],
        ] {
            assert_eq!(
                Command::decode(&bytes),
                Err(Sense::INVALID_FIELD_IN_CDB),
                "{bytes:02x?}"
            );
        }
    }

    #[test]
    fn a_speed_too_fast_for_its_field_is_the_fastest() {
        let speeds = SetCdSpeed {
            rotation: 0,
            read: Speed::from_kilobytes(100_000),
            write: Speed::MAX,
        };
        assert_eq!(
            Command::from(speeds).encode().as_bytes()[2..4],
            [0xff, 0xff]
        );
    }
}
