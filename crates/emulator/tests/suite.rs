//! The suite that every drive passes, with each kind of medium, in memory and in a file.

use reburn_drive::testing::check_drive;
use reburn_emulator::{DriveProfile, Emulator, MediumKind, VirtualDisc};

#[test]
fn discs_in_memory() {
    for kind in MediumKind::OVERWRITABLE {
        check_drive(&mut Emulator::with_disc(VirtualDisc::formatted(kind)));
    }
}

#[test]
fn a_disc_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disc");
    let disc = VirtualDisc::create(&path, MediumKind::DvdRam).unwrap();
    check_drive(&mut Emulator::with_disc(disc));
}

/// Each drive that comes with the crate, with each medium that the suite can use in it.
#[test]
fn drives_of_every_profile() {
    for name in DriveProfile::BUILT_IN {
        let profile = DriveProfile::built_in(name).unwrap();
        for kind in MediumKind::OVERWRITABLE {
            if profile.media.contains(&kind) {
                let disc = VirtualDisc::formatted(kind);
                check_drive(&mut Emulator::with_profile(profile.clone(), disc));
            }
        }
    }
}
