//! Damaged discs are edited as far as they can be read, or refused; nothing panics.

use std::sync::OnceLock;

use reburn_udf::{Access, PartitionKind, UdfOptions};

use super::disc::Disc;
use super::udf::small_volume;
use super::*;
use crate::{FileSystems, UdfRevision, new_udf_volume};

pub(super) const MEDIA: [Medium; 3] = [Medium::File, Medium::DvdPlusRw, Medium::BdRe];

/// Every kind of volume that is edited.
pub(super) fn kinds() -> Vec<FileSystems> {
    let udf = |revision, partition, access| UdfOptions {
        access,
        ..UdfOptions {
            texts: new_udf_volume("FIRST", revision, THEN).texts,
            time: THEN,
            ..UdfOptions::with_partition(revision, partition)
        }
    };
    let plain = udf(
        UdfRevision::V1_02,
        PartitionKind::Plain,
        Access::Overwritable,
    );
    let bridge = new_udf_volume("FIRST", UdfRevision::V1_02, THEN);
    vec![
        new_volume("FIRST", THEN).into(),
        plain.into(),
        new_udf_volume("FIRST", UdfRevision::V2_01, THEN).into(),
        udf(
            UdfRevision::V2_01,
            PartitionKind::Sparable,
            Access::Rewritable,
        )
        .into(),
        new_udf_volume("FIRST", UdfRevision::V2_50, THEN).into(),
        FileSystems::Bridge(new_volume("FIRST", THEN), bridge),
    ]
}

/// One volume of each kind on each medium, with the blocks that hold anything.
fn discs() -> &'static [(Medium, Disc, Vec<Lba>)] {
    static DISCS: OnceLock<Vec<(Medium, Disc, Vec<Lba>)>> = OnceLock::new();
    DISCS.get_or_init(|| {
        let all = MEDIA.into_iter().flat_map(|medium| {
            let systems = kinds().into_iter();
            systems.map(move |systems| {
                let disc = small_volume(medium, systems);
                let blocks = disc.recorded();
                (medium, disc, blocks)
            })
        });
        all.collect()
    })
}

/// Imports, edits and plans; whether there was a plan.
fn edit(disc: &Disc, medium: Medium) -> bool {
    let accept_losses = true;
    let options = ImportOptions {
        medium,
        hierarchy: None,
        time: NOW,
        accept_losses,
        append: None,
    };
    let Ok(mut image) = FileSystemImage::import(disc, &options) else {
        return false;
    };
    let _ = image.add(b"/added", file(), bytes(5, 3000));
    let _ = image.rename(b"/docs/two", b"/two");
    let Ok(result) = image.result() else {
        return false;
    };
    let mut block = [0; BLOCK_SIZE];
    for range in result.used_ranges().iter().take(50) {
        let _ = result.read_blocks(range.start_lba(), &mut block);
    }
    result.plan().is_ok()
}

#[test]
fn sound_discs_are_edited() {
    for (medium, disc, _) in discs() {
        assert!(edit(disc, *medium), "{medium}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1500)
    })]
    #[test]
    fn damaged_discs_are_edited_or_refused(
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec(
            (any::<prop::sample::Index>(), 0usize..BLOCK_SIZE, any::<u8>(), any::<bool>()), 1..8),
    ) {
        let discs = discs();
        let (medium, disc, blocks) = &discs[which.index(discs.len())];
        let mut disc = disc.clone();
        for (block, offset, value, is_sealed) in damage {
            let lba = blocks[block.index(blocks.len())];
            let mut block = disc.block(lba);
            // Most of what matters stands near the start of a block.
            block[if is_sealed { offset % 512 } else { offset }] = value;
            if is_sealed {
                seal(&mut block);
            }
            disc.write_blocks(lba, &block).unwrap();
        }
        edit(&disc, *medium);
    }
}

/// Makes the checks of a descriptor of ECMA-167 true again (3/7.2), so that what it says is
/// looked at.
fn seal(block: &mut [u8]) {
    let length = usize::from(u16::from_le_bytes([block[10], block[11]]));
    let Some(covered) = block.get(16..16 + length) else {
        return;
    };
    let crc = covered.iter().fold(0u16, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
            crc << 1 ^ if crc >> 15 == 1 { 0x1021 } else { 0 }
        })
    });
    block[8..10].copy_from_slice(&crc.to_le_bytes());
    block[4] = 0;
    block[4] = block[..16]
        .iter()
        .fold(0, |sum: u8, &byte| sum.wrapping_add(byte));
}
