//! What is found on discs that were cut or scratched, and what a repair makes of them.

use reburn_blocks::{BlockRange, CrashClass, Protocol, ReadError, WriteUnit};

use super::damage::{MEDIA, kinds};
use super::disc::{self, Contents, Disc};
use super::udf::small_volume;
use super::*;
use crate::{FileSystems, Health, Repair, View};

/// A disc of which some blocks cannot be read.
#[derive(Debug, Clone)]
struct Torn {
    disc: Disc,
    lost: BlockRangeList,
}

impl Torn {
    fn new(disc: &Disc) -> Self {
        Self {
            disc: disc.clone(),
            lost: BlockRangeList::new(),
        }
    }

    fn lose(&mut self, range: BlockRange) {
        self.lost.insert(range);
    }

    /// Records a write unit.
    fn record(&mut self, range: BlockRange, from: &dyn BlockRead) {
        self.lost = self.lost.difference(&BlockRangeList::from_iter([range]));
        self.disc.copy(range, from);
    }

    /// The same with the first bytes of a block recorded.
    fn half_recorded(&self, lba: Lba, bytes: usize, from: &dyn BlockRead) -> Self {
        let mut block = vec![0; BLOCK_SIZE];
        from.read_filled(lba, &mut block).unwrap();
        block[bytes..].copy_from_slice(&self.disc.block(lba)[bytes..]);
        let mut half = self.clone();
        half.disc.write_blocks(lba, &block).unwrap();
        half
    }

    fn records(&self, plan: &Plan, from: &dyn BlockRead) -> Self {
        let mut new = self.clone();
        for range in plan.modified.ranges() {
            new.record(range, from);
        }
        new
    }
}

impl BlockRead for Torn {
    fn block_count(&self) -> BlockCount {
        self.disc.block_count()
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let range = BlockRange::with_count(start, BlockCount::in_buffer(buf.len()));
        let lost = self.lost.intersection(&range.into_iter().collect());
        match lost.iter().next() {
            Some(range) => Err(ReadError::Unreadable {
                lba: range.start_lba(),
                reason: "torn".into(),
            }),
            None => self.disc.read_blocks(start, buf),
        }
    }
}

/// What readers of each file system that the disc has show.
fn shown(disc: &Torn, views: &[View]) -> Vec<Result<Contents, String>> {
    let read = |view: &View| match view.read(disc) {
        Ok(tree) => Ok(contents_of(&tree, disc)),
        Err(error) => Err(error.to_string()),
    };
    views.iter().map(read).collect()
}

fn views_of(systems: &FileSystems) -> Vec<View> {
    match systems {
        FileSystems::Iso(_) => vec![View::Iso],
        FileSystems::Udf(_) => vec![View::Udf],
        _ => vec![View::Iso, View::Udf],
    }
}

fn said(health: &Health<'_>) -> String {
    let findings = health.findings().iter().map(ToString::to_string);
    findings.collect::<Vec<_>>().join("\n")
}

/// Checks a disc that must be whole.
fn assert_whole(disc: &Torn, medium: Medium) {
    let health = Health::check(disc, medium).unwrap();
    assert!(health.is_whole(), "{medium}: {}", said(&health));
    assert!(health.repair().is_none());
    assert!(health.views().iter().all(|view| view.shown.is_ok()));
}

/// Checks a disc of which nothing is left to repair. A second copy of all metadata is made by the
/// next edit.
fn assert_mended(disc: &Torn, medium: Medium) {
    let health = Health::check(disc, medium).unwrap();
    let is_left = |finding: &&crate::Finding| !finding.what.contains("no blocks of its own");
    let left = health.findings().iter().find(is_left);
    assert!(left.is_none(), "{medium}: {}", said(&health));
    assert!(health.repair().is_none());
}

/// One change of everything that a tree has.
fn edited(image: &mut FileSystemImage<'_>, round: u8) {
    let path = [b"/docs/new-", &[b'a' + round][..]].concat();
    image.add(&path, file(), bytes(round, 5000)).unwrap();
    image.replace(b"/small", file(), bytes(round, 700)).unwrap();
}

/// A disc with some edits, so that nothing is new anymore.
fn grown(medium: Medium, systems: FileSystems, edits: u8) -> Disc {
    let mut disc = small_volume(medium, systems);
    for round in 0..edits {
        let mut image = import(&disc, medium);
        edited(&mut image, round);
        let result = image.result().unwrap();
        let states = disc::record(&disc, &result.plan().unwrap(), &result);
        disc = states.last().unwrap().clone();
    }
    disc
}

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

/// Every state that a power cut in a commit can leave, one write unit in flight.
fn cut_states(disc: &Disc, plan: &Plan, result: &ResultImage<'_>) -> Vec<(String, Torn)> {
    let unit: WriteUnit = plan.modified.write_unit();
    let mut now = Torn::new(disc);
    let mut states = vec![("before".into(), now.clone())];
    for (index, epoch) in plan.modified.epochs().iter().enumerate() {
        for range in &epoch.ranges {
            for one in range.pieces(unit.blocks()) {
                let mut torn = now.clone();
                torn.lose(one);
                states.push((format!("epoch {index}, {one} torn"), torn));
                if unit == WriteUnit::FILE {
                    // A host writes sectors of 512 bytes.
                    for bytes in [512, 1024, 1536] {
                        let half = now.half_recorded(one.start_lba(), bytes, result);
                        states.push((format!("epoch {index}, {bytes} bytes of {one}"), half));
                    }
                }
                now.record(one, result);
                if epoch.role == EpochRole::Commit {
                    states.push((format!("epoch {index}, {one} done"), now.clone()));
                }
            }
        }
    }
    states
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
    let options = crate::CheckOptions { read_data: true };
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
