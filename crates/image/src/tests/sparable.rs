//! Edits of UDF volumes with a sparable partition, some of whose packets are in spare packets.

use std::collections::BTreeMap;

use reburn_blocks::{CrashClass, Protocol, ReadError};
use reburn_tree::InodeId;
use reburn_udf::{
    FilePlacement, PartitionKind, Session, SparingStructures, StructureKind, UdfOptions,
    UdfRevision, Volume,
};

use super::disc::{self, Disc};
use super::udf::{small_image, small_volume};
use super::*;
use crate::new_udf_volume;

fn sparable(revision: UdfRevision) -> UdfOptions {
    let texts = new_udf_volume("FIRST", revision, THEN).texts;
    UdfOptions {
        time: THEN,
        texts,
        ..UdfOptions::with_partition(revision, PartitionKind::Sparable)
    }
}

/// Where files were placed.
struct At(BTreeMap<InodeId, Lba>);

impl FilePlacement for At {
    fn extent_start(&self, inode: InodeId, _: usize) -> Lba {
        self.0[&inode]
    }

    fn read_embedded(&self, _: InodeId, _: &mut [u8]) -> Result<(), ReadError> {
        unreachable!("tables hold no files")
    }
}

/// The small volume with those packets of the partition in spare packets, and nonsense where
/// they were.
fn with_moved_packets(medium: Medium, options: UdfOptions, packets: &[u32]) -> Disc {
    let image = small_image(medium, options);
    let result = image.result().unwrap();
    let mut disc = Disc::of(&result);
    let udf = result.new.as_ref().unwrap().udf.as_ref().unwrap();
    let packet = udf.layout.packet().blocks();
    let mut addresses = udf.addresses.clone();
    let sparing = addresses.sparing.as_mut().unwrap();
    sparing.sequence_number = 2;
    let mut spares = sparing.spares.pieces(packet);
    for &index in packets {
        let from = addresses.partition.start_lba() + BlockCount::new(index * packet.get());
        let to = spares.next().unwrap().start_lba();
        sparing.moved.insert(from, to);
        let mut data = vec![0; packet.as_usize() * BLOCK_SIZE];
        disc.read_blocks(from, &mut data).unwrap();
        disc.write_blocks(to, &data).unwrap();
        data.fill(0xee);
        disc.write_blocks(from, &data).unwrap();
    }
    let tree = image.tree();
    let at = result.files().filter_map(|(node, ranges)| {
        let first = ranges.first().map(|range| range.start_lba());
        Some((tree.inode(node), first?))
    });
    let at = At(at.collect());
    for structure in udf.layout.place(tree, &addresses, &at).structures() {
        if structure.kind == StructureKind::SparingTable {
            disc.write_blocks(structure.start, &structure.bytes)
                .unwrap();
        }
    }
    disc
}

fn sparing(disc: &Disc) -> SparingStructures {
    let volume = Volume::open(disc, Session::default()).unwrap();
    assert_eq!(volume.notes(), []);
    volume.structures().sparing.unwrap()
}

/// The changes of a round, on the small volume.
fn change_in(image: &mut FileSystemImage<'_>, round: u8) {
    match round % 4 {
        0 => image
            .replace(b"/small", file(), bytes(7 + round, 700))
            .map(drop),
        1 => {
            let (from, to) = (b"/docs/two", b"/two");
            let is_there = image.tree().lookup(from).is_some();
            let (from, to) = if is_there {
                (&from[..], &to[..])
            } else {
                (&to[..], &from[..])
            };
            image.rename(from, to)
        }
        2 => {
            let node = image.tree().lookup(b"/three").unwrap();
            let inode = image.tree().inode(node);
            let time = Timestamp::from_seconds(1_650_000_000 + i64::from(round));
            let metadata = Metadata::file().modified_at(time);
            image.tree_mut().set_metadata(inode, metadata);
            Ok(())
        }
        _ => {
            let path = format!("/new-{round}");
            image
                .add(path.as_bytes(), file(), bytes(9, 60_000))
                .map(drop)
        }
    }
    .unwrap();
}

/// Checks that the old tree stays until the last epoch, and what an atomic edit costs; the disc
/// with the new one.
fn check_redo(disc: &Disc, image: &FileSystemImage<'_>) -> Disc {
    let medium = image.medium();
    let unit = medium.write_unit();
    let result = image.result().unwrap();
    let plan = result.plan().unwrap();
    assert_eq!(
        plan.protocol,
        Protocol::SparingRedo,
        "{}",
        plan.class_reason
    );
    assert_eq!(plan.class, CrashClass::Atomic, "{}", plan.class_reason);
    let epochs = plan.modified.epochs();
    let roles: Vec<_> = epochs.iter().map(|epoch| epoch.role).collect();
    assert_eq!(
        roles,
        [EpochRole::Shadow, EpochRole::Commit, EpochRole::Commit]
    );
    let tables = sparing(disc).tables;
    for (epoch, table) in epochs[1..].iter().zip([tables[1], tables[0]]) {
        assert_eq!(epoch.ranges.block_count(), unit.blocks());
        assert!(epoch.ranges.contains(table));
    }
    // The tables alone are written over what the old tree needs.
    let live = &image.base.as_ref().unwrap().live;
    let all: BlockRangeList = plan.modified.ranges().collect();
    let over = all.intersection(&live.align_outward(unit));
    assert_eq!(over.block_count(), unit.blocks() + unit.blocks());
    // Data, changed packets, the two tables and an integrity descriptor.
    let new = result.new.as_ref().unwrap();
    let packets = new.update.as_ref().unwrap().units;
    let cost = new.data.round_up(unit) + packets + BlockCount::new(3 * unit.blocks().get());
    assert!(plan.modified.block_count() <= cost);
    assert_eq!(plan.lower_bound, plan.modified.block_count());
    let states = disc::record(disc, &plan, &result);
    for state in &states[..2] {
        assert_eq!(disc::contents(state, medium), disc::contents(disc, medium));
    }
    // The first table is lost: the second one has the new tree.
    let mut torn = states[1].clone();
    let nonsense = vec![0xa5; unit.bytes()];
    torn.write_blocks(tables[0].align_down(unit), &nonsense)
        .unwrap();
    let wanted = contents_of(result.tree(), disc);
    assert_eq!(disc::contents(&torn, medium), wanted);
    disc::check_contract(disc, &result)
}

#[test]
fn edits_of_discs_exchange_packets() {
    for medium in [Medium::DvdPlusRw, Medium::BdRe] {
        for revision in [UdfRevision::V1_50, UdfRevision::V2_00, UdfRevision::V2_01] {
            let mut disc = small_volume(medium, sparable(revision));
            for round in 0..7 {
                let before = sparing(&disc);
                let mut image = import(&disc, medium);
                change_in(&mut image, round);
                disc = check_redo(&disc, &image);
                let now = sparing(&disc);
                assert_eq!(now.sequence_number, before.sequence_number + 1);
                assert_eq!(now.spares.len(), before.spares.len());
                assert_eq!(now.free.len() + now.moved.len(), now.spares.len());
                assert!(now.moved.len() < 4, "a small volume is in few packets");
            }
        }
    }
}

#[test]
fn moved_packets_move_again() {
    for medium in [Medium::DvdPlusRw, Medium::BdRe] {
        for revision in [UdfRevision::V1_50, UdfRevision::V2_01] {
            let mut disc = with_moved_packets(medium, sparable(revision), &[0, 1]);
            for round in 0..4 {
                let moved = sparing(&disc).moved;
                let mut image = import(&disc, medium);
                change_in(&mut image, round);
                disc = check_redo(&disc, &image);
                let now = sparing(&disc).moved;
                assert!(moved.keys().eq(now.keys()));
                assert_ne!(moved, now);
            }
        }
    }
}

/// The small volume with as few free spare packets as that.
fn with_few_spares(medium: Medium, options: UdfOptions, free: u32) -> Disc {
    let image = small_image(medium, options.clone());
    let result = image.result().unwrap();
    let udf = result.new.as_ref().unwrap().udf.as_ref().unwrap();
    let sparing = udf.addresses.sparing.as_ref().unwrap();
    let packets = sparing.spares.block_count().units(udf.layout.packet());
    let last = udf
        .addresses
        .partition
        .block_count()
        .units(udf.layout.packet())
        - 1;
    drop(result);
    let moved: Vec<u32> = (0..packets - free).map(|n| last - n).collect();
    with_moved_packets(medium, options, &moved)
}

#[test]
fn a_flip_of_descriptors_says_why_packets_are_not_exchanged() {
    let medium = Medium::DvdPlusRw;
    let disc = with_few_spares(medium, sparable(UdfRevision::V2_01), 0);
    // Nothing is in the moved packets, but what changes is in none of them.
    let mut image = import(&disc, medium);
    change_in(&mut image, 0);
    let result = image.result().unwrap();
    let plan = result.plan().unwrap();
    assert_eq!(plan.protocol, Protocol::VdsFlip);
    assert_eq!(plan.class, CrashClass::Recoverable);
    let said = plan.class_reason.as_str();
    assert!(
        said.contains("0 spare packets are free: fold back"),
        "{said}"
    );
    disc::check_contract(&disc, &result);

    let mut disc = small_volume(medium, sparable(UdfRevision::V2_01));
    let tables = sparing(&disc).tables;
    disc.write_blocks(tables[0], &[0xa5; BLOCK_SIZE]).unwrap();
    let mut image = import(&disc, medium);
    change_in(&mut image, 0);
    let result = image.result().unwrap();
    let plan = result.plan().unwrap();
    assert_eq!(plan.protocol, Protocol::VdsFlip);
    let said = plan.class_reason.as_str();
    assert!(said.contains("repair it first"), "{said}");
    disc::check_contract(&disc, &result);
}

#[test]
fn folding_frees_the_spare_packets() {
    for medium in [Medium::File, Medium::DvdPlusRw, Medium::BdRe] {
        let unit = medium.write_unit();
        for revision in [UdfRevision::V1_50, UdfRevision::V2_01] {
            let mut disc = with_moved_packets(medium, sparable(revision), &[0, 1]);
            for round in 0..3 {
                let before = sparing(&disc);
                let mut image = import(&disc, medium);
                image.fold();
                let result = image.result().unwrap();
                let plan = result.plan().unwrap();
                assert_eq!(plan.protocol, Protocol::SparingFold);
                assert_eq!(plan.class, CrashClass::Atomic, "{}", plan.class_reason);
                let epochs = plan.modified.epochs().iter();
                let sizes: Vec<_> = epochs.map(|epoch| epoch.ranges.block_count()).collect();
                let packets = u32::try_from(before.moved.len()).unwrap() * before.packet.get();
                assert!(sizes[0].get() <= packets && sizes[1..] == [unit.blocks(); 2]);
                let states = disc::record(&disc, &plan, &result);
                for state in &states {
                    assert_eq!(disc::contents(state, medium), disc::contents(&disc, medium));
                }
                disc = disc::check_contract(&disc, &result);
                let now = sparing(&disc);
                assert_eq!((now.moved.len(), now.free), (0, now.spares));
                assert_eq!(now.sequence_number, before.sequence_number + 1);
                let mut image = import(&disc, medium);
                image.fold();
                assert!(
                    image
                        .result()
                        .unwrap()
                        .modified_blocks()
                        .unwrap()
                        .is_empty()
                );
                let mut image = import(&disc, medium);
                change_in(&mut image, 0);
                change_in(&mut image, 2 + 4 * round);
                let result = image.result().unwrap();
                disc = disc::check_contract(&disc, &result);
                assert!(!sparing(&disc).moved.is_empty());
            }
        }
    }
}

#[test]
fn folding_goes_with_nothing_else() {
    let medium = Medium::DvdPlusRw;
    let disc = small_volume(medium, sparable(UdfRevision::V2_01));
    let mut image = import(&disc, medium);
    change_in(&mut image, 0);
    image.fold();
    let error = image.result().unwrap_err().to_string();
    assert!(error.contains("something else changes too"), "{error}");
    let disc = small_volume(medium, new_udf_volume("FIRST", UdfRevision::V2_01, THEN));
    let mut image = import(&disc, medium);
    image.fold();
    let error = image.result().unwrap_err().to_string();
    assert!(error.contains("no sparable partition"), "{error}");
}

#[test]
fn folding_makes_an_edit_atomic_again() {
    let medium = Medium::DvdPlusRw;
    let mut disc = with_few_spares(medium, sparable(UdfRevision::V2_01), 0);
    for folds in [true, false] {
        let mut image = import(&disc, medium);
        if folds {
            image.fold();
        } else {
            change_in(&mut image, 0);
        }
        let result = image.result().unwrap();
        assert_eq!(result.plan().unwrap().class, CrashClass::Atomic);
        disc = disc::check_contract(&disc, &result);
    }
}

#[test]
fn images_whose_partition_is_full_grow() {
    for revision in [UdfRevision::V1_50, UdfRevision::V2_01] {
        let mut disc = small_volume(Medium::File, sparable(revision));
        let mut protocols = Vec::new();
        for round in 0..6 {
            let mut image = import(&disc, Medium::File);
            change_in(&mut image, if round == 0 { 7 } else { round });
            let result = image.result().unwrap();
            protocols.push(result.plan().unwrap().protocol);
            disc = disc::check_contract(&disc, &result);
        }
        assert_eq!(protocols[0], Protocol::VdsFlip);
        assert!(protocols.contains(&Protocol::SparingRedo), "{protocols:?}");
    }
}

#[test]
fn packets_of_another_size_are_refused() {
    let disc = small_volume(Medium::DvdPlusRw, sparable(UdfRevision::V2_01));
    let mut image = import(&disc, Medium::BdRe);
    image.remove(b"/three").unwrap();
    let error = image.result().unwrap_err().to_string();
    assert!(error.contains("packets are of another size"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(24)
    })]
    #[test]
    fn the_contract_holds_for_any_chain_of_edits(
        medium in prop::sample::select(vec![Medium::File, Medium::DvdPlusRw, Medium::BdRe]),
        revision in prop::sample::select(vec![
            UdfRevision::V1_50, UdfRevision::V2_00, UdfRevision::V2_01,
        ]),
        packets in prop::sample::subsequence(vec![0u32, 1], 0..3),
        rounds in prop::collection::vec(
            prop::collection::vec((any::<u8>(), any::<usize>(), 0usize..40_000), 1..6), 1..4),
    ) {
        let mut disc = with_moved_packets(medium, sparable(revision), &packets);
        for edits in rounds {
            let mut image = import(&disc, medium);
            for edit in edits {
                change(&mut image, edit);
            }
            let result = image.result().unwrap();
            disc = disc::check_contract(&disc, &result);
        }
    }
}
