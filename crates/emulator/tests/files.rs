//! What a file keeps of a disc that is recorded in sequence, however the process ended.

mod common;

use std::path::Path;

use common::script::{step, summary};
use common::{blocks, first_byte, ready};
use reburn_blocks::Lba;
use reburn_drive::DriveExt;
use reburn_emulator::{DriveProfile, Emulator, MediumKind, Replacement, TrackState, VirtualDisc};

/// A disc in a new file, in a drive that carries out the lines of a script, and is then
/// forgotten as a killed process forgets it.
fn killed_after(
    path: &Path,
    kind: MediumKind,
    profile: DriveProfile,
    script: &[&str],
) -> VirtualDisc {
    let mut drive = Emulator::with_profile(profile, VirtualDisc::create(path, kind).unwrap());
    drive.clear_attentions().unwrap();
    for line in script {
        assert_eq!(step(&mut drive, line), "good", "{line}");
    }
    drop(drive);
    VirtualDisc::open(path).unwrap()
}

/// A drive whose buffer has room for so many write units of a DVD, or half as many of a BD.
fn small_buffer(units: usize) -> DriveProfile {
    DriveProfile {
        dvd_buffer: units * 0x8000,
        bd_buffer: units * 0x8000,
        ..DriveProfile::default()
    }
}

#[test]
fn a_track_goes_on_where_a_killed_process_got() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disc");
    let profile = small_buffer(4);
    // Ten units, of which four are in the buffer.
    let disc = killed_after(&path, MediumKind::DvdPlusR, profile, &["write 0 160"]);
    let mut drive = ready(disc);
    assert_eq!(
        summary(&mut drive),
        "appendable, session 1 incomplete; [0+2295104 - next 96 free 2295008] last 0; \
         toc 5/24/00"
    );
    assert_eq!(first_byte(&mut drive, 95), 0x55);
    assert_eq!(step(&mut drive, "write 96 16"), "good");
    assert_eq!(step(&mut drive, "close 2"), "good");
    let before = summary(&mut drive);
    drop(drive);
    let mut drive = ready(VirtualDisc::open(&path).unwrap());
    assert_eq!(summary(&mut drive), before);
    assert_eq!(first_byte(&mut drive, 111), 0x55);
}

#[test]
fn a_killed_process_damages_a_dvd_r_that_it_was_recording() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disc");
    let script = ["page 0 3", "write 0 32", "sync", "write 32 160"];
    let disc = killed_after(&path, MediumKind::DvdR, small_buffer(4), &script);
    let track = disc.state().tracks.tracks[0];
    assert_eq!(track.state, TrackState::Damaged { repairable: true });
    assert_eq!(track.next_writable, Lba::new(128));
    drop(disc);
    std::fs::remove_file(&path).unwrap();
    let disc = killed_after(&path, MediumKind::DvdR, small_buffer(4), &script[..3]);
    let track = disc.state().tracks.tracks[0];
    assert_eq!(
        track.state,
        TrackState::Incomplete,
        "nothing was being recorded"
    );
}

#[test]
fn replaced_clusters_outlive_the_process() {
    let dir = tempfile::tempdir().unwrap();
    for (name, replacement) in [
        ("next", Replacement::NextWritable),
        ("spare", Replacement::Spare),
    ] {
        let path = dir.path().join(name);
        let mut profile = small_buffer(2);
        profile.sequential.replacement = replacement;
        let kind = MediumKind::BdR;
        let format = "format 0 0 0 0";
        let disc = killed_after(
            &path,
            kind,
            profile.clone(),
            &[format, "write 0 128", "sync"],
        );
        let mut drive = Emulator::with_profile(profile, disc);
        drive.clear_attentions().unwrap();
        // One cluster is on the disc, the other one in the buffer.
        drive.write(Lba::new(32), &blocks(1, 64)).unwrap();
        assert_eq!(drive.buffered().len(), 1);
        drop(drive);
        let disc = VirtualDisc::open(&path).unwrap();
        assert_eq!(disc.replaced_units(), 1);
        let state = disc.state().clone();
        let takes_next = replacement == Replacement::NextWritable;
        assert_eq!(state.replacements, 1);
        assert_eq!(state.spares_used, u32::from(!takes_next));
        let next = if takes_next { 160 } else { 128 };
        assert_eq!(
            state.tracks.tracks[0].next_writable,
            Lba::new(next),
            "{name}"
        );
        let mut drive = ready(disc);
        let seen = [0, 32, 64].map(|lba| first_byte(&mut drive, lba));
        assert_eq!(seen, [0x55, 1, 0x55], "{name}");
    }
}

#[test]
fn what_is_recorded_once_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disc");
    let script = ["format 0 2 0 0", "write 3200 32", "sync"];
    let disc = killed_after(&path, MediumKind::BdR, DriveProfile::default(), &script);
    let mut drive = ready(disc);
    assert_eq!(step(&mut drive, "write 3200 32"), "5/21/02");
    assert_eq!(step(&mut drive, "write 3232 32"), "good");
}

#[test]
fn a_blanked_disc_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disc");
    let script = ["page 0 3", "write 0 160", "sync", "blank 0", "write 0 16"];
    let disc = killed_after(&path, MediumKind::DvdRw, small_buffer(4), &script);
    let track = disc.state().tracks.tracks[0];
    assert_eq!(track.next_writable, Lba::ZERO, "that was in the buffer");
    let mut drive = ready(disc);
    assert_eq!(step(&mut drive, "write 0 32"), "good");
    assert_eq!(step(&mut drive, "sync"), "good");
    let before = summary(&mut drive);
    drop(drive);
    let scratch = VirtualDisc::open_scratch(&path).unwrap();
    assert_eq!(summary(&mut ready(scratch)), before);
}
