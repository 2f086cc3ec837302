//! Volumes of other programs: edited where that can be, and if not, with a reason.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use reburn_blocks::{BLOCK_SIZE, WriteUnit};
use reburn_record::{Record, crc16};
use reburn_tree::{Metadata, NewKind, Timestamp, Tree};
use reburn_udf::EditObstacle;
use reburn_udf::records::{Partition, Tag, tag_id};

use crate::edit::{Disc, How, edit, read, try_plan};

/// An image that another program wrote; `None` with a word about it where it is missing.
fn foreign(name: &str) -> Option<Disc> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/images");
    let images = std::env::var_os("REBURN_FOREIGN_IMAGES").map_or(beside, PathBuf::from);
    let packed = images.join(format!("{name}.img.xz"));
    if !packed.is_file() {
        println!("skipped: no file {}", packed.display());
        return None;
    }
    match Command::new("xz").arg("-dc").arg(&packed).output() {
        Ok(unpacked) => {
            assert!(unpacked.status.success(), "{}", packed.display());
            Some(unpacked.stdout)
        }
        Err(error) => {
            let is_ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
            assert!(!is_ci, "xz cannot be run: {error}");
            println!("skipped: xz cannot be run: {error}");
            None
        }
    }
}

#[test]
fn blocks_of_4096_bytes_are_an_obstacle() {
    let Some(disc) = foreign("udf-hdd-macosx-2.60-4096") else {
        return;
    };
    let (volume, _) = read(&disc);
    let structures = volume.structures();
    assert_eq!(structures.obstacle, Some(EditObstacle::BlockSize(4096)));
    let metadata = structures.metadata.unwrap();
    assert_eq!(metadata.entry.get(), (257 + 1) * 2);
    assert_eq!(metadata.mirror_entry.get(), (257 + 2045) * 2);
}

/// A disc whose partition goes on for some blocks that nobody uses: the writer left none.
fn with_room(mut disc: Disc, blocks: u32) -> Disc {
    let (volume, _) = read(&disc);
    let structures = volume.structures();
    disc.resize(disc.len() + blocks as usize * BLOCK_SIZE, 0);
    let end = u32::try_from(disc.len() / BLOCK_SIZE).unwrap();
    let sequences = [structures.main_sequence, structures.reserve_sequence];
    for lba in sequences.into_iter().flatten().flat_map(|range| {
        let start = range.start_lba().get();
        start..start + range.block_count().get()
    }) {
        let at = lba as usize * BLOCK_SIZE;
        let block = &mut disc[at..at + Partition::SIZE];
        let Ok(tag) = Tag::expect(block, tag_id::PARTITION, lba) else {
            continue;
        };
        let mut tag = *tag;
        let mut partition = *Partition::view(block).unwrap().0;
        partition.partition_length = (end - partition.starting_location.get()).into();
        block.copy_from_slice(partition.bytes());
        tag.descriptor_crc = crc16(&block[Tag::SIZE..]).into();
        tag.tag_checksum = tag.checksum();
        block[..Tag::SIZE].copy_from_slice(tag.bytes());
    }
    disc
}

/// An edit.
type Change<'a> = &'a dyn Fn(&mut Tree);

#[test]
fn a_volume_of_tsmuxer_is_edited() {
    let Some(disc) = foreign("udf-2.50-metadata-tsmuxer") else {
        return;
    };
    let (volume, _) = read(&disc);
    assert!(volume.structures().metadata.unwrap().is_duplicate);
    let mut disc = with_room(disc, 2000);
    // Its integrity sequence goes on in the next block, so the write unit must be one.
    let how = How::new(WriteUnit::FILE);
    let metadata = Metadata::file().modified_at(Timestamp::from_seconds(1_700_000_000));
    let text = |text: &'static [u8]| NewKind::Bytes(Bytes::from_static(text));
    let find = |tree: &Tree, path: &str| tree.lookup(path.as_bytes()).unwrap();
    let changes: [(usize, Change<'_>); 4] = [
        (1, &|tree| {
            let index = find(tree, "/BDMV/index.bdmv");
            tree.replace(index, metadata, text(b"INDX0200")).unwrap();
        }),
        (2, &|tree| {
            let folder = find(tree, "/BDMV/META");
            let folder = tree.add(folder, b"DL", Metadata::directory(), NewKind::Directory);
            let long = Bytes::from(vec![b'x'; 5000]);
            tree.add(
                folder.unwrap(),
                b"bdmt_eng.xml",
                metadata,
                NewKind::Bytes(long),
            )
            .unwrap();
        }),
        (3, &|tree| {
            let backup = find(tree, "/BDMV/BACKUP");
            tree.rename(backup, Tree::ROOT, b"moved").unwrap();
            tree.remove_tree(find(tree, "/CERTIFICATE")).unwrap();
        }),
        (3, &|tree| {
            let inode = tree.inode(find(tree, "/BDMV/STREAM/00000.m2ts"));
            let mut own = *tree.metadata(inode);
            (own.permissions, own.uid) = (0o640, 1000);
            tree.set_metadata(inode, own);
            tree.set_stream(inode, b"note", metadata, text(b"seen"))
                .unwrap();
        }),
    ];
    for (units_max, change) in changes {
        let (after, planned) = edit(&disc, how, change);
        assert!(
            (1..=units_max).contains(&planned.units),
            "{}",
            planned.units
        );
        assert_eq!(planned.mirror_units, planned.units);
        disc = after;
    }
    let full = try_plan(&disc, How::new(WriteUnit::BLU_RAY), |_| ());
    assert!(full.err().unwrap().needs_entire_image());
}
