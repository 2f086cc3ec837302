//! What several initiators see of one drive.

use reburn_emulator::{Emulator, MediumKind, VirtualDisc};
use reburn_mmc::command::{
    Inquiry, PreventAllow, RequestSense, StartStop, StartStopUnit, TestUnitReady,
};
use reburn_mmc::reply::InquiryData;

use super::*;
use crate::Pace;

fn unit() -> Unit {
    let disc = VirtualDisc::formatted(MediumKind::DvdRam);
    let drive = SharedDrive::new(Emulator::with_disc(disc), Pace::times(100_000));
    Unit::new(drive, "iqn.drive".to_owned())
}

/// The sense that a command ends with.
fn sense(unit: &Unit, id: NexusId, command: impl Into<Command>) -> Option<Sense> {
    let cdb = command.into().encode();
    unit.execute(id, Some(0), &cdb, Data::None).unwrap().sense
}

/// The data that a command brings.
fn data(unit: &Unit, id: NexusId, lun: u16, cdb: &Cdb) -> Vec<u8> {
    let mut room = vec![0; 255];
    let reply = unit
        .execute(id, Some(lun), cdb, Data::In(&mut room))
        .unwrap();
    assert_eq!(reply.sense, None, "{cdb}");
    room.truncate(reply.transferred);
    room
}

/// An initiator that heard of the start.
fn ready(unit: &Unit) -> NexusId {
    let id = unit.attach();
    assert_eq!(sense(unit, id, TestUnitReady), Some(Sense::POWER_ON_RESET));
    assert_eq!(sense(unit, id, TestUnitReady), None);
    id
}

fn eject(immediate: bool) -> StartStopUnit {
    let action = StartStop::Eject;
    StartStopUnit { immediate, action }
}

fn prevent(prevent: bool) -> PreventAllow {
    let persistent = false;
    PreventAllow {
        prevent,
        persistent,
    }
}

#[test]
fn every_initiator_hears_of_a_new_medium() {
    let unit = unit();
    let (one, other) = (ready(&unit), ready(&unit));
    let disc = VirtualDisc::formatted(MediumKind::BdRe);
    drop(unit.drive.with(|drive| drive.insert(disc)));
    unit.drive.clone().wait(std::time::Duration::from_mins(1)); // until it is loaded
    assert_eq!(
        sense(&unit, one, TestUnitReady),
        Some(Sense::MEDIUM_CHANGED)
    );
    assert_eq!(sense(&unit, one, TestUnitReady), None);
    let identify = Command::from(Inquiry {
        page: None,
        allocation: 36,
    })
    .encode();
    assert_eq!(
        data(&unit, other, 0, &identify).len(),
        36,
        "an identity waits for nothing"
    );
    assert_eq!(
        sense(&unit, other, TestUnitReady),
        Some(Sense::MEDIUM_CHANGED)
    );
    assert_eq!(sense(&unit, other, TestUnitReady), None);
}

#[test]
fn sense_that_is_asked_for_is_told_once() {
    let unit = unit();
    let id = unit.attach();
    let ask = Command::from(RequestSense { allocation: 18 }).encode();
    let told = Sense::decode(&data(&unit, id, 0, &ask)).unwrap();
    assert_eq!(told, Sense::POWER_ON_RESET);
    assert_eq!(sense(&unit, id, TestUnitReady), None);
}

#[test]
fn the_tray_is_locked_as_long_as_one_wants_it() {
    let unit = unit();
    let (one, other, third) = (ready(&unit), ready(&unit), ready(&unit));
    assert_eq!(sense(&unit, one, prevent(true)), None);
    assert_eq!(sense(&unit, other, prevent(true)), None);
    assert_eq!(sense(&unit, one, prevent(false)), None);
    assert_eq!(
        sense(&unit, third, eject(false)),
        Some(Sense::REMOVAL_PREVENTED)
    );
    unit.detach(other);
    assert_eq!(sense(&unit, third, eject(false)), None);
}

#[test]
fn a_reset_unlocks_and_is_told() {
    let unit = unit();
    let (one, other) = (ready(&unit), ready(&unit));
    let reset = Sense::new(SenseKey::UnitAttention, 0x29, 0x03);
    assert_eq!(sense(&unit, one, prevent(true)), None);
    unit.reset(reset);
    assert_eq!(sense(&unit, one, TestUnitReady), Some(reset));
    assert_eq!(sense(&unit, other, TestUnitReady), Some(reset));
    assert_eq!(sense(&unit, other, eject(false)), None);
}

#[test]
fn pages_name_the_drive_and_the_target() {
    let unit = unit();
    let id = unit.attach();
    let page = |page| {
        let page = Some(page);
        Command::from(Inquiry {
            page,
            allocation: 255,
        })
        .encode()
    };
    assert_eq!(data(&unit, id, 0, &page(0)), [5, 0, 0, 3, 0, 0x80, 0x83]);
    let serial = unit.drive.with(|drive| drive.profile().serial.clone());
    assert_eq!(data(&unit, id, 0, &page(0x80))[4..], *serial.as_bytes());
    let identification = data(&unit, id, 0, &page(0x83));
    assert_eq!(identification.len(), 4 + usize::from(identification[3]));
    let text = String::from_utf8_lossy(&identification);
    assert!(text.contains("iqn.drive,t,0x0001\0"), "{text:?}");
    let unknown = unit.execute(id, Some(0), &page(0xb0), Data::None).unwrap();
    assert!(unknown.sense.is_some());
}

#[test]
fn there_is_one_unit_and_the_others_say_so() {
    let unit = unit();
    let id = ready(&unit);
    let list = Cdb::new(&[REPORT_LUNS, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0]).unwrap();
    let mut expected = [0; 16];
    expected[3] = 8;
    assert_eq!(data(&unit, id, 0, &list), expected);
    assert_eq!(data(&unit, id, 5, &list), expected, "any unit knows");
    let short = Cdb::new(&[REPORT_LUNS, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0]).unwrap();
    let refused = unit.execute(id, Some(0), &short, Data::None).unwrap();
    assert_eq!(refused.sense, Some(Sense::INVALID_FIELD_IN_CDB));

    let identify = Command::from(Inquiry {
        page: None,
        allocation: 36,
    })
    .encode();
    assert_eq!(data(&unit, id, 1, &identify)[0], NO_DEVICE);
    assert_eq!(data(&unit, id, 0, &identify)[0], InquiryData::OPTICAL);
    let ready = Command::from(TestUnitReady).encode();
    for lun in [Some(1), None] {
        let reply = unit.execute(id, lun, &ready, Data::None).unwrap();
        assert_eq!(reply.sense, Some(NO_SUCH_UNIT));
    }
}
