//! The same plan recorded again goes on where the disc stands.

use reburn_blocks::{BlockCount, EpochRole};
use reburn_emulator::MediumKind;
use reburn_image::Medium;
use reburn_recorder::{RecordError, Recorder};

use crate::drive::{Cut, FATES, contents, edit, go_on, holds, import, recorded, shown, volumes};

#[test]
fn a_cut_plan_is_finished_by_recording_it_again() {
    for kind in [MediumKind::DvdPlusRw, MediumKind::BdRe] {
        let medium = Medium::from_name(kind.name()).unwrap();
        for (name, systems) in volumes() {
            let drive = recorded(kind, systems);
            let base = drive.snapshot().unwrap();
            let base = base.disc().unwrap();
            let mut image = import(base, medium);
            edit(&mut image);
            let wanted = contents(image.tree(), base);
            let result = image.result().unwrap();
            let plan = result.plan().unwrap();
            let shadow: BlockCount = plan
                .modified
                .epochs()
                .iter()
                .filter(|epoch| epoch.role == EpochRole::Shadow)
                .map(|epoch| epoch.ranges.block_count())
                .sum();
            let (mut cuts, mut resumed) = (0, 0);
            for at in 0.. {
                let mut whole = false;
                for fate in FATES {
                    let mut cut = Cut::new(&drive, at, fate);
                    if Recorder::new(&mut cut)
                        .record_plan(&plan, &result, &mut go_on)
                        .is_ok()
                    {
                        whole = true;
                        break;
                    }
                    let mut drive = cut.drive;
                    drive.power_on();
                    cuts += 1;
                    let again = Recorder::new(&mut drive).record_plan(&plan, &result, &mut go_on);
                    match again {
                        Ok(outcome) => {
                            let there = outcome.resumed;
                            assert!(there.is_zero() || there >= shadow, "{outcome}");
                            assert_eq!(
                                there + outcome.recorded,
                                plan.modified.block_count(),
                                "{outcome}"
                            );
                            let said = outcome.to_string();
                            assert_eq!(!there.is_zero(), said.contains("resumed: "), "{said}");
                            resumed += usize::from(!there.is_zero());
                        }
                        Err(failure) => assert!(
                            matches!(failure.error, RecordError::AlreadyRecorded { .. }),
                            "{kind} {name}, cut at {at}: {failure}"
                        ),
                    }
                    let disc = drive.disc().unwrap();
                    assert!(holds(disc, &plan, &result), "{kind} {name}, cut at {at}");
                    for shown in shown(disc, name) {
                        assert!(shown == wanted, "{kind} {name}, cut at {at}");
                    }
                }
                if whole {
                    break;
                }
            }
            assert!(
                cuts > 10 && resumed > 0,
                "{name}: {cuts} cuts, {resumed} resumed"
            );
        }
    }
}

#[test]
fn an_older_plan_is_not_recorded_over_a_newer_one() {
    for (name, systems) in volumes() {
        let kind = MediumKind::DvdPlusRw;
        let medium = Medium::DvdPlusRw;
        let mut drive = recorded(kind, systems);
        let base = drive.snapshot().unwrap();
        let mut image = import(base.disc().unwrap(), medium);
        edit(&mut image);
        let result = image.result().unwrap();
        let plan = result.plan().unwrap();
        Recorder::new(&mut drive)
            .record_plan(&plan, &result, &mut go_on)
            .unwrap();
        let middle = drive.snapshot().unwrap();
        let mut newer = import(middle.disc().unwrap(), medium);
        newer.remove(b"/two").unwrap();
        let newest = newer.result().unwrap();
        Recorder::new(&mut drive)
            .record_plan(&newest.plan().unwrap(), &newest, &mut go_on)
            .unwrap();
        let failure = Recorder::new(&mut drive)
            .record_plan(&plan, &result, &mut go_on)
            .unwrap_err();
        assert!(
            matches!(failure.error, RecordError::WrongDisc { .. }),
            "{name}: {failure}"
        );
    }
}
