//! What is found on discs that were cut or scratched, and what a repair makes of them.

use reburn_blocks::{BlockRange, CrashClass, Protocol};

use super::damage::{MEDIA, kinds};
use super::disc::{self, Contents, Disc};
use super::torn::{
    Torn, assert_mended, assert_whole, cut_states, edited, grown, said, shown, views_of,
};
use super::udf::small_volume;
use super::*;
use crate::{Health, Repair, View};

/// Repairs a disc, cutting the repair in each of its units on the way, and checks that it is whole
/// then; gives back the disc.
fn repaired(disc: &Torn, medium: Medium, repair: &Repair<'_>) -> Torn {
    let plan = repair.plan();
    assert_eq!(plan.protocol, Protocol::Repair);
    assert_ne!(plan.class, CrashClass::None);
    assert_eq!(plan.base.mismatch(disc).unwrap(), None);
    let unit = plan.modified.write_unit();
    let mut cut = disc.clone();
    for epoch in plan.modified.epochs() {
        assert_eq!(epoch.ranges.block_count(), unit.blocks(), "one write unit");
        let range = epoch.ranges.iter().next().unwrap();
        let mut torn = cut.clone();
        torn.lose(range);
        let again = Health::check(&torn, medium).unwrap();
        let again = again.repair().expect("a torn repair is repaired");
        assert_mended(&torn.records(again.plan(), again), medium);
        cut.record(range, repair);
    }
    assert_mended(&cut, medium);
    cut
}

#[test]
fn discs_that_nothing_happened_to_are_whole() {
    for medium in MEDIA {
        for systems in kinds() {
            for edits in [0, 1, 3] {
                let disc = grown(medium, systems.clone(), edits);
                assert_whole(&Torn::new(&disc), medium);
            }
        }
    }
}

#[test]
fn cut_plans_are_repaired_to_the_old_tree_or_the_new_one() {
    for medium in MEDIA {
        for systems in kinds() {
            for edits in [0, 2] {
                let disc = grown(medium, systems.clone(), edits);
                let views = views_of(&systems);
                let mut image = import(&disc, medium);
                edited(&mut image, 7);
                let result = image.result().unwrap();
                let plan = result.plan().unwrap();
                let old = contents_of(import(&disc, medium).tree(), &disc);
                let new = contents_of(image.tree(), &disc);
                for (state, torn) in cut_states(&disc, &plan, &result) {
                    check_cut(
                        &torn,
                        medium,
                        &views,
                        [&old, &new],
                        &format!("{medium}, {} edits, {}, {state}", edits, plan.protocol),
                    );
                }
            }
        }
    }
}

fn check_cut(torn: &Torn, medium: Medium, views: &[View], trees: [&Contents; 2], state: &str) {
    let health = Health::check(torn, medium).unwrap_or_else(|error| panic!("{state}: {error}"));
    let mended = match health.repair() {
        Some(repair) => {
            assert!(!health.is_whole());
            repaired(torn, medium, repair)
        }
        None => torn.clone(),
    };
    let after = Health::check(&mended, medium).unwrap();
    assert!(after.is_whole(), "{state}: {}", said(&after));
    let shown = shown(&mended, views);
    let is = |tree: &Contents| {
        shown
            .iter()
            .all(|shown| shown.as_ref().is_ok_and(|shown| shown == tree))
    };
    assert!(
        trees.into_iter().any(is),
        "{state}: neither tree is shown\n{}",
        said(&health)
    );
}

/// The structures of a volume that exist twice or follow from others, by what a finding about them
/// says.
fn structures(disc: &Disc, views: &[View], medium: Medium) -> Vec<(&'static str, BlockRange)> {
    let mut found = Vec::new();
    let single = BlockRange::single;
    if views.contains(&View::Iso) {
        let sessions = import(disc, medium).sessions().unwrap().clone();
        let copy = sessions.starts[0] + BlockCount::new(16);
        found.push((
            "descriptors where readers begin are lost",
            single(Lba::new(16)),
        ));
        if medium == Medium::File {
            found.push(("session's own descriptors", single(copy)));
        }
    }
    if !views.contains(&View::Udf) {
        return found;
    }
    let volume = reburn_udf::Volume::open(disc, reburn_udf::Session::default()).unwrap();
    let places = volume.structures();
    // Behind the descriptors of ISO 9660, where there are some.
    let mut recognition = Lba::new(16);
    while &disc.block(recognition)[1..6] == b"CD001" {
        recognition += BlockCount::ONE;
    }
    found.push(("recognition sequence", single(recognition)));
    let anchors = places
        .anchors
        .iter()
        .map(|&lba| ("an anchor is lost", single(lba)));
    found.extend(anchors);
    found.push((
        "main volume descriptor sequence",
        places.main_sequence.unwrap(),
    ));
    found.push((
        "reserve volume descriptor sequence",
        places.reserve_sequence.unwrap(),
    ));
    let next = places.next_integrity_unit(medium.write_unit()).unwrap();
    found.push(("integrity sequence breaks off", single(next)));
    if let Some(metadata) = &places.metadata {
        found.push(("the entry of the metadata file", single(metadata.entry)));
        found.push((
            "metadata mirror file is lost",
            single(metadata.mirror_entry),
        ));
        if let Some(mirror) = &metadata.mirror_extents {
            found.push(("blocks of the metadata file are lost", metadata.extents[0]));
            found.push(("blocks of the metadata mirror file", mirror[0]));
        }
    }
    for &table in places.sparing.iter().flat_map(|sparing| &sparing.tables) {
        found.push(("a sparing table is lost", single(table)));
    }
    found
}

#[test]
fn each_lost_structure_is_named_and_brought_back_as_it_was() {
    let duplicate = reburn_udf::UdfOptions {
        duplicate_metadata: true,
        ..crate::new_udf_volume("FIRST", reburn_udf::UdfRevision::V2_60, THEN)
    };
    for medium in MEDIA {
        let unit = medium.write_unit();
        for systems in kinds().into_iter().chain([duplicate.clone().into()]) {
            let views = views_of(&systems);
            let disc = grown(medium, systems, 2);
            let wanted = shown(&Torn::new(&disc), &views);
            for (name, range) in structures(&disc, &views, medium) {
                let mut torn = Torn::new(&disc);
                torn.lose(range.align_outward(unit));
                let health = Health::check(&torn, medium).unwrap();
                let finding = health
                    .findings()
                    .iter()
                    .find(|f| f.to_string().contains(name));
                let finding = finding
                    .unwrap_or_else(|| panic!("{medium}, {range}: no {name} in {}", said(&health)));
                assert!(finding.is_mended, "{medium}: {finding}");
                let blocks = finding.blocks.unwrap().align_outward(unit);
                assert!(blocks.intersection(range.align_outward(unit)).is_some());
                let mended = repaired(&torn, medium, health.repair().unwrap());
                let is_whole = Health::check(&mended, medium).unwrap().is_whole();
                assert!(
                    mended.disc == disc || !is_whole,
                    "{medium}, {range}: {name} is another now"
                );
                assert_eq!(shown(&mended, &views), wanted);
            }
        }
    }
}

#[test]
fn a_lost_integrity_descriptor_is_taken_from_a_newer_one() {
    use reburn_udf::{Session, UdfRevision, Volume};
    for medium in MEDIA {
        let disc = grown(
            medium,
            crate::new_udf_volume("FIRST", UdfRevision::V2_50, THEN).into(),
            2,
        );
        let volume = Volume::open(&disc, Session::default()).unwrap();
        let before = volume.integrity().cloned();
        let first = BlockRange::single(volume.structures().integrity[0].start_lba());
        let mut torn = Torn::new(&disc);
        torn.lose(first.align_outward(medium.write_unit()));
        let health = Health::check(&torn, medium).unwrap();
        let mended = repaired(&torn, medium, health.repair().unwrap());
        let volume = Volume::open(&mended, Session::default()).unwrap();
        assert_eq!(volume.integrity().cloned(), before);
        // With none left nobody knows the next unique id.
        let mut torn = Torn::new(&disc);
        torn.lose(volume.structures().integrity[0]);
        let health = Health::check(&torn, medium).unwrap();
        assert!(
            !health.is_whole() && health.repair().is_none(),
            "{}",
            said(&health)
        );
    }
}

#[test]
fn what_is_in_use_is_not_written_over() {
    // In a volume for files, the head shares a write unit of a DVD with the session.
    let disc = small_volume(Medium::File, new_volume("FIRST", THEN));
    let mut torn = Torn::new(&disc);
    torn.lose(BlockRange::new(Lba::new(48), Lba::new(63)).unwrap());
    let health = Health::check(&torn, Medium::DvdPlusRw).unwrap();
    assert!(!health.is_whole());
    assert!(health.repair().is_none(), "{}", said(&health));
}

#[test]
fn unreadable_data_are_found_if_asked_for() {
    let disc = small_volume(Medium::File, new_volume("FIRST", THEN));
    let image = import(&disc, Medium::File);
    let two = image.tree().lookup(b"/docs/two").unwrap();
    let range = image.result().unwrap().ranges_of(two)[0];
    let mut torn = Torn::new(&disc);
    torn.lose(BlockRange::single(range.start_lba() + BlockCount::new(3)));
    assert!(Health::check(&torn, Medium::File).unwrap().is_whole());
    let options = crate::CheckOptions {
        read_data: true,
        ..crate::CheckOptions::default()
    };
    let health = Health::check_with(&torn, Medium::File, options).unwrap();
    assert!(
        said(&health).contains("data of /docs/two cannot be read"),
        "{}",
        said(&health)
    );
    assert!(health.repair().is_none());
}

#[test]
fn a_disc_without_a_file_system_is_no_finding() {
    let blank = vec![0; 600 * BLOCK_SIZE];
    let error = Health::check(&blank, Medium::File).unwrap_err();
    assert!(matches!(
        error,
        ImageError::EntireImageRequired(EntireImageRequired::BlankMedium)
    ));
}

/// A scratch in a folder must not bring back an older session, which lacks what is newer.
#[test]
fn a_scratched_folder_is_no_torn_head() {
    for medium in MEDIA {
        let disc = grown(medium, new_volume("FIRST", THEN).into(), 2);
        let volume = reburn_iso9660::Volume::open(&disc, Lba::ZERO).unwrap();
        let root = Lba::new(volume.primary().root.head.extent_location.le());
        let mut torn = Torn::new(&disc);
        torn.lose(BlockRange::single(root));
        let health = Health::check(&torn, medium).unwrap();
        assert!(
            !health.is_whole() && health.repair().is_none(),
            "{}",
            said(&health)
        );
    }
}

#[test]
fn an_older_session_becomes_the_one_that_is_shown() {
    for medium in MEDIA {
        let mut discs = vec![small_volume(medium, new_volume("FIRST", THEN))];
        for round in 0..2 {
            let before = discs.last().unwrap();
            let mut image = import(before, medium);
            edited(&mut image, round);
            let result = image.result().unwrap();
            let states = disc::record(before, &result.plan().unwrap(), &result);
            discs.push(states.last().unwrap().clone());
        }
        let newest = Torn::new(discs.last().unwrap());
        let back = Repair::return_to(&newest, medium, 2).unwrap().unwrap();
        let most = medium.write_unit().blocks().max(BlockCount::new(3));
        assert!(back.plan().modified.block_count() <= most);
        let now = newest.records(back.plan(), &back);
        assert_whole(&now, medium);
        assert_eq!(
            shown(&now, &[View::Iso]),
            shown(&Torn::new(&discs[1]), &[View::Iso])
        );
        assert!(Repair::return_to(&newest, medium, 3).unwrap().is_none());
        for number in [0, 4] {
            let error = Repair::return_to(&newest, medium, number).unwrap_err();
            assert!(
                error.to_string().contains("lists no such session"),
                "{error}"
            );
        }
    }
}

/// A disc that was recorded anew with ISO 9660 still has the anchors and the reserve sequence of
/// the UDF volume that was there before.
#[test]
fn what_a_disc_held_before_is_not_brought_back() {
    let medium = Medium::DvdPlusRw;
    let udf = crate::new_udf_volume("BEFORE", reburn_udf::UdfRevision::V2_50, THEN);
    let mut disc = small_volume(medium, udf);
    let now = small_volume(medium, new_volume("NOW", THEN));
    let end = now.recorded().last().copied().unwrap();
    disc.copy(BlockRange::new(Lba::ZERO, end).unwrap(), &now);
    let mut torn = Torn::new(&disc);
    assert_whole(&torn, medium);
    assert_eq!(Health::check(&torn, medium).unwrap().views().len(), 1);
    // With its head lost nothing says at once that it is ISO 9660 alone.
    torn.lose(BlockRange::new(Lba::new(16), Lba::new(31)).unwrap());
    let health = Health::check(&torn, medium).unwrap();
    let repair = health.repair().expect("the head comes back");
    let mended = torn.records(repair.plan(), repair);
    assert_eq!(
        shown(&mended, &[View::Iso]),
        shown(&Torn::new(&now), &[View::Iso])
    );
}
