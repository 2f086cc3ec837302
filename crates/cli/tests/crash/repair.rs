//! A repair recorded through a drive, after a power cut and through further ones.

use reburn_blocks::{BlockRead, Lba};
use reburn_emulator::{Emulator, MediumKind};
use reburn_image::{Health, Medium};
use reburn_recorder::Recorder;

use crate::drive::{Cut, FATES, contents, edit, go_on, import, recorded, shown, volumes};

/// Repairs the disc until nothing is left to repair; how many plans that took.
fn repair(drive: &mut Emulator, medium: Medium) -> usize {
    for count in 0..3 {
        let before = drive.snapshot().unwrap();
        let health = Health::check(before.disc().unwrap(), medium).unwrap();
        let Some(repair) = health.repair() else {
            assert!(health.is_whole(), "{:?}", health.findings());
            return count;
        };
        Recorder::new(drive)
            .record_plan(repair.plan(), repair, &mut go_on)
            .unwrap();
    }
    panic!("three repairs are not enough");
}

#[test]
fn a_cut_plan_is_repaired_and_so_is_a_cut_repair() {
    let kind = MediumKind::BdRe;
    let medium = Medium::BdRe;
    for (name, systems) in volumes() {
        let drive = recorded(kind, systems);
        let base = drive.snapshot().unwrap();
        let base = base.disc().unwrap();
        let mut image = import(base, medium);
        edit(&mut image);
        let trees = [
            contents(import(base, medium).tree(), base),
            contents(image.tree(), base),
        ];
        let result = image.result().unwrap();
        let plan = result.plan().unwrap();
        let mut repairs = 0;
        'cuts: for at in 0.. {
            for fate in FATES {
                let mut cut = Cut::new(&drive, at, fate);
                let recorded = Recorder::new(&mut cut).record_plan(&plan, &result, &mut go_on);
                if recorded.is_ok() {
                    break 'cuts;
                }
                cut.drive.power_on();
                let torn = cut.drive.snapshot().unwrap();
                let health = Health::check(torn.disc().unwrap(), medium).unwrap();
                if let Some(mending) = health.repair() {
                    let mut again = Cut::new(&torn, 0, |_| reburn_emulator::Fate::Unreadable);
                    again.at = 1;
                    let plan = mending.plan();
                    let failed = Recorder::new(&mut again).record_plan(plan, mending, &mut go_on);
                    failed.unwrap_err();
                    cut.drive = again.drive;
                    cut.drive.power_on();
                }
                repairs += repair(&mut cut.drive, medium);
                let disc = cut.drive.disc().unwrap();
                let shown = shown(disc, name);
                let is = |tree| shown.iter().all(|shown| shown == tree);
                assert!(trees.iter().any(is), "{name}, cut at {at}");
            }
        }
        assert!(repairs > 0, "{name}: nothing was repaired");
    }
}

#[test]
fn a_scratch_is_named_and_the_rest_stays_readable() {
    let mut drive = recorded(MediumKind::BdRe, volumes().swap_remove(2).1);
    let structures = {
        let disc = drive.disc().unwrap();
        let volume = reburn_udf::Volume::open(disc, reburn_udf::Session::default()).unwrap();
        volume.structures()
    };
    let entry = structures.metadata.unwrap().entry;
    drive.disc_mut().unwrap().make_unreadable(entry).unwrap();
    let before = drive.snapshot().unwrap();
    let health = Health::check(before.disc().unwrap(), Medium::BdRe).unwrap();
    assert_eq!(health.findings().len(), 1);
    assert!(
        health.findings()[0]
            .to_string()
            .contains("entry of the metadata file")
    );
    repair(&mut drive, Medium::BdRe);
    let mut block = vec![0; 2048];
    drive
        .disc()
        .unwrap()
        .read_blocks(Lba::new(entry.get()), &mut block)
        .unwrap();
}
