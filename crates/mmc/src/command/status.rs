//! Identity, readiness, motion: what a host asks before anything else.

use super::{Fields, bare_commands};
use crate::{Cdb, Sense};

bare_commands! {
    /// Whether the drive can work on its medium (SPC-3 6.33).
    TestUnitReady;
}

/// The sense that is pending, or what the drive is busy with (SPC-3 6.27).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestSense {
    /// Bytes of reply that the host has room for.
    pub allocation: u8,
}

impl Fields for RequestSense {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set(4, self.allocation);
    }

    /// Bit 0 of byte 1 asks for the descriptor format, which optical drives don't have.
    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        if cdb.bit(1, 0) {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        Ok(Self {
            allocation: cdb.u8(4),
        })
    }
}

/// Who the drive is (SPC-3 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inquiry {
    /// The page of vital product data to return instead of the standard data.
    pub page: Option<u8>,
    /// Bytes of reply that the host has room for.
    pub allocation: u16,
}

impl Fields for Inquiry {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 0, self.page.is_some());
        cdb.set(2, self.page.unwrap_or_default());
        cdb.set_u16(3, self.allocation);
    }

    /// A page without the bit that asks for pages is an error (SPC-3 6.4.1).
    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        let page = cdb.bit(1, 0).then_some(cdb.u8(2));
        if page.is_none() && cdb.u8(2) != 0 {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        let allocation = cdb.u16(3);
        Ok(Self { page, allocation })
    }
}

/// What START STOP UNIT shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartStop {
    /// Finish what is in the buffer and stop spinning.
    Stop,
    /// Spin up.
    Start,
    /// Eject the medium.
    Eject,
    /// Load the medium.
    Load,
    /// Turn to a layer of a hybrid disc that has a format of its own.
    FormatLayer(u8),
    /// Change to a power condition: active, idle, standby, sleep (MMC-6, START STOP UNIT).
    Power(u8),
}

/// Spins up or down, ejects or loads (MMC-6, START STOP UNIT).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartStopUnit {
    /// Whether to answer before it is done.
    pub immediate: bool,
    /// What to do.
    pub action: StartStop,
}

impl Fields for StartStopUnit {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 0, self.immediate);
        let (layer, motion) = match self.action {
            StartStop::Stop => (0, 0),
            StartStop::Start => (0, 1),
            StartStop::Eject => (0, 2),
            StartStop::Load => (0, 3),
            StartStop::FormatLayer(layer) => (layer & 3, 5),
            StartStop::Power(condition) => (0, condition << 4),
        };
        cdb.set(3, layer);
        cdb.set(4, motion);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        let action = match (cdb.u8(4) >> 4, cdb.u8(4) & 7) {
            (0, 5) => StartStop::FormatLayer(cdb.u8(3) & 3),
            (0, 4 | 6 | 7) => return Err(Sense::INVALID_FIELD_IN_CDB),
            (0, 0) => StartStop::Stop,
            (0, 1) => StartStop::Start,
            (0, 2) => StartStop::Eject,
            (0, _) => StartStop::Load,
            (condition, _) => StartStop::Power(condition),
        };
        let immediate = cdb.bit(1, 0);
        Ok(Self { immediate, action })
    }
}

/// Locks or unlocks the tray (MMC-6, PREVENT ALLOW MEDIUM REMOVAL).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreventAllow {
    /// Whether the medium must stay.
    pub prevent: bool,
    /// Whether this is about the lock that outlives a reset.
    pub persistent: bool,
}

impl Fields for PreventAllow {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(4, 0, self.prevent);
        cdb.set_bit(4, 1, self.persistent);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        let (prevent, persistent) = (cdb.bit(4, 0), cdb.bit(4, 1));
        Ok(Self {
            prevent,
            persistent,
        })
    }
}

/// What happened since the last question (MMC-6, GET EVENT STATUS NOTIFICATION). Always
/// polled: drives refuse the asynchronous form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetEventStatus {
    /// The classes of events asked for, a bit each: bit 4 for the medium.
    pub classes: u8,
    /// Bytes of reply that the host has room for.
    pub allocation: u16,
}

impl Fields for GetEventStatus {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 0, true);
        cdb.set(4, self.classes);
        cdb.set_u16(7, self.allocation);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        if !cdb.bit(1, 0) {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        let (classes, allocation) = (cdb.u8(4), cdb.u16(7));
        Ok(Self {
            classes,
            allocation,
        })
    }
}

/// What the mechanism is doing (MMC-6, MECHANISM STATUS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MechanismStatus {
    /// Bytes of reply that the host has room for.
    pub allocation: u16,
}

impl Fields for MechanismStatus {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_u16(8, self.allocation);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            allocation: cdb.u16(8),
        })
    }
}

/// Changes the disc of a changer (MMC-6, LOAD/UNLOAD MEDIUM).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadUnload {
    /// Whether to answer before it is done.
    pub immediate: bool,
    /// Whether to load the disc, or to put it back.
    pub load: bool,
    /// The slot.
    pub slot: u8,
}

impl Fields for LoadUnload {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 0, self.immediate);
        cdb.set(4, 0x02 | u8::from(self.load));
        cdb.set(8, self.slot);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        if !cdb.bit(4, 1) {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        Ok(Self {
            immediate: cdb.bit(1, 0),
            load: cdb.bit(4, 0),
            slot: cdb.u8(8),
        })
    }
}

/// What copy protection keeps (MMC-6, REPORT KEY). Of its formats only the drive's
/// [region](crate::reply::RegionState) has a type here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportKey {
    /// The system of protection, 0 for that of DVD.
    pub class: u8,
    /// What is asked for, 6 bits.
    pub format: u8,
    /// The authentication that this belongs to, 2 bits.
    pub grant: u8,
    /// A block, where a key belongs to one.
    pub address: u32,
    /// Bytes of reply that the host has room for.
    pub allocation: u16,
}

impl ReportKey {
    /// The format that asks for the drive's region.
    pub const REGION: u8 = 0x08;
}

impl Fields for ReportKey {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_u32(2, self.address);
        cdb.set(7, self.class);
        cdb.set_u16(8, self.allocation);
        cdb.set(10, self.grant << 6 | self.format & 0x3f);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            class: cdb.u8(7),
            format: cdb.u8(10) & 0x3f,
            grant: cdb.u8(10) >> 6,
            address: cdb.u32(2),
            allocation: cdb.u16(8),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, check};
    use super::*;

    #[test]
    fn golden_bytes() {
        check(TestUnitReady, &[0, 0, 0, 0, 0, 0]);
        check(RequestSense { allocation: 18 }, &[3, 0, 0, 0, 18, 0]);
        let standard = Inquiry {
            page: None,
            allocation: 36,
        };
        check(standard, &[0x12, 0, 0, 0, 36, 0]);
        let serial = Inquiry {
            page: Some(0x80),
            allocation: 255,
        };
        check(serial, &[0x12, 1, 0x80, 0, 255, 0]);
        let lock = PreventAllow {
            prevent: true,
            persistent: false,
        };
        check(lock, &[0x1e, 0, 0, 0, 1, 0]);
        let events = GetEventStatus {
            classes: 0x10,
            allocation: 8,
        };
        check(events, &[0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0]);
        let mechanism = MechanismStatus { allocation: 8 };
        check(mechanism, &[0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0]);
    }

    #[test]
    fn every_motion_has_its_bits() {
        for (action, bits) in [
            (StartStop::Stop, 0),
            (StartStop::Start, 1),
            (StartStop::Eject, 2),
            (StartStop::Load, 3),
            (StartStop::Power(5), 0x50),
        ] {
            check(
                StartStopUnit {
                    immediate: true,
                    action,
                },
                &[0x1b, 1, 0, 0, bits, 0],
            );
        }
    }

    #[test]
    fn a_layer_is_named_beside_the_motion() {
        let layer = StartStopUnit {
            immediate: false,
            action: StartStop::FormatLayer(1),
        };
        check(layer, &[0x1b, 0, 0, 1, 5, 0]);
        let ejected_layer = Command::decode(&[0x1b, 0, 0, 1, 6, 0]);
        assert_eq!(ejected_layer, Err(Sense::INVALID_FIELD_IN_CDB));
    }

    #[test]
    fn golden_bytes_of_changers_and_keys() {
        let load = LoadUnload {
            immediate: true,
            load: true,
            slot: 3,
        };
        check(load, &[0xa6, 1, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0]);
        let region = ReportKey {
            class: 0,
            format: ReportKey::REGION,
            grant: 1,
            address: 0x0102_0304,
            allocation: 8,
        };
        check(region, &[0xa4, 0, 1, 2, 3, 4, 0, 0, 0, 8, 0x48, 0]);
    }

    #[test]
    fn what_no_drive_accepts_is_refused() {
        let refused = Err(Sense::INVALID_FIELD_IN_CDB);
        assert_eq!(
            Command::decode(&[0x12, 0, 0x80, 0, 36, 0]),
            refused,
            "page without EVPD"
        );
        assert_eq!(
            Command::decode(&[0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8, 0]),
            refused,
            "not polled"
        );
        assert_eq!(
            Command::decode(&[3, 1, 0, 0, 18, 0]),
            refused,
            "descriptor format"
        );
    }
}
