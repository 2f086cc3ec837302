//! Edits of UDF volumes with a sparable partition, some of whose packets are in spare packets.

use std::collections::BTreeMap;

use reburn_blocks::{BlockRange, ReadError};
use reburn_tree::InodeId;
use reburn_udf::{
    FilePlacement, PartitionKind, Session, StructureKind, UdfOptions, UdfRevision, Volume,
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

#[test]
fn moved_packets_get_nothing_new() {
    for medium in [Medium::File, Medium::DvdPlusRw, Medium::BdRe] {
        for revision in [UdfRevision::V1_50, UdfRevision::V2_01] {
            let mut disc = with_moved_packets(medium, sparable(revision), &[0, 1]);
            let open = |disc: &Disc| {
                let volume = Volume::open(disc, Session::default()).unwrap();
                volume.structures().sparing.unwrap()
            };
            let sparing = open(&disc);
            assert_eq!(sparing.moved.len(), 2);
            let packets = sparing.moved.iter().flat_map(|(&from, &to)| [from, to]);
            let packets: BlockRangeList = packets
                .filter_map(|start| BlockRange::with_count(start, sparing.packet))
                .collect();
            for round in 0..4u8 {
                let mut image = import(&disc, medium);
                match round {
                    0 => image.replace(b"/small", file(), bytes(7, 700)).map(drop),
                    // Entries are new, and their data cannot stay in a spare packet.
                    1 => image.rename(b"/docs/two", b"/two"),
                    2 => {
                        let node = image.tree().lookup(b"/two").unwrap();
                        let inode = image.tree().inode(node);
                        let metadata = Metadata::file().modified_at(NOW);
                        image.tree_mut().set_metadata(inode, metadata);
                        Ok(())
                    }
                    _ => image.add(b"/new", file(), bytes(9, 60_000)).map(drop),
                }
                .unwrap();
                let result = image.result().unwrap();
                let written: BlockRangeList = result.modified_blocks().unwrap().ranges().collect();
                let shared = written.intersection(&packets);
                assert!(
                    shared.is_empty(),
                    "blocks {shared} of moved packets are new"
                );
                disc = disc::check_contract(&disc, &result);
                assert_eq!(open(&disc), sparing, "the tables stay");
            }
        }
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
