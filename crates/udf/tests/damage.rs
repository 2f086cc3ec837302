//! Damaged volumes: second copies are used and noted; loops and nonsense are errors; a valid
//! volume with bytes changed, its checks mended, is read as an error or as a tree, never with a
//! panic, a loop, or more nodes than identifiers can stand on the disc.

mod corners;
mod disc;
mod fixture;
mod inspect;

use disc::{content, listing};
use fixture::{CONTENT_A, PARTITION, SEQUENCES, identifier, seal, volume};
use proptest::prelude::*;
use proptest::sample::Index;
use reburn_blocks::{BLOCK_SIZE, BlockRead};
use reburn_record::{Record, crc16};
use reburn_tree::{Kind, Tree};
use reburn_udf::records::{FileIdentifier, Tag, characteristics, tag_id};
use reburn_udf::{ImportedTree, NoteKind, Session, UdfError, Volume};

fn read(disc: &dyn BlockRead) -> Result<ImportedTree, UdfError> {
    Volume::open(disc, Session::default())?.read_tree(disc)
}

fn at(sector: u32) -> usize {
    sector as usize * BLOCK_SIZE
}

#[test]
fn the_volume_is_whole_before_it_is_damaged() {
    let disc = volume();
    let found = read(&disc).unwrap();
    let kinds: Vec<_> = found.notes.iter().map(|note| note.kind).collect();
    assert_eq!(kinds, [NoteKind::Deleted]);
    let paths: Vec<_> = listing(&disc, &found.tree).into_keys().collect();
    let expected = [
        "/",
        "/a",
        "/chained",
        "/folder",
        "/folder/another a",
        "/link",
        "/tty",
    ];
    assert_eq!(paths, expected);
    let inode = |path: &[u8]| found.tree.inode(found.tree.lookup(path).unwrap());
    assert_eq!(inode(b"/a"), inode(b"/folder/another a"));
    assert_eq!(content(&disc, &found.tree, inode(b"/a")), CONTENT_A);
    let chained = [vec![b'x'; 2048], vec![0; 2048], vec![b'y'; 100]].concat();
    assert_eq!(content(&disc, &found.tree, inode(b"/chained")), chained);
    assert!(matches!(
        found.tree.kind(inode(b"/link")),
        Kind::Symlink(b"../z")
    ));
    let (major, minor) = match found.tree.kind(inode(b"/tty")) {
        Kind::CharDevice { major, minor } => (major, minor),
        other => panic!("{other:?}"),
    };
    assert_eq!((major, minor), (4, 64));
    assert_eq!(found.data_ranges.to_string(), "120-121 130-131");
    assert_eq!(
        found.metadata_ranges.to_string(),
        "16-18 32-65 100-108 256 299"
    );
}

#[test]
fn second_copies_are_used_and_noted() {
    let mut disc = volume();
    disc[at(SEQUENCES[0] + 2) + 300] ^= 1;
    let found = read(&disc).unwrap();
    let kinds: Vec<_> = found.notes.iter().map(|note| note.kind).collect();
    assert!(kinds.contains(&NoteKind::ReserveSequence), "{kinds:?}");
    // The other anchor alone leads to the volume too.
    let mut disc = volume();
    disc[at(256)..at(257)].fill(0);
    assert!(read(&disc).is_ok());
    disc[at(299)..at(300)].fill(0);
    let error = read(&disc).unwrap_err().to_string();
    assert_eq!(
        error,
        "block 16, byte 1 (VolumeStructure.standard_identifier, ECMA-167 2/9.1.2): the volume \
         begins here, but none of the places for an anchor has one"
    );
}

#[test]
fn a_directory_below_itself_is_an_error() {
    let mut disc = volume();
    let folder = identifier("folder", characteristics::DIRECTORY, 1, 2);
    let start = at(PARTITION + 2);
    let end = start + BLOCK_SIZE;
    let name = disc[start..end]
        .windows(6)
        .position(|bytes| bytes == b"folder")
        .unwrap();
    let begin = start + name - FileIdentifier::SIZE - 1;
    disc[begin..begin + folder.len()].copy_from_slice(&folder);
    let error = read(&disc).unwrap_err().to_string();
    assert!(
        error.ends_with("the directory was reached another way before"),
        "{error}"
    );
}

#[test]
fn a_chain_that_leads_to_itself_is_an_error() {
    let mut disc = volume();
    let start = at(PARTITION + 5);
    // Its first extent becomes the block itself.
    disc[start + 24..start + 32].copy_from_slice(&[0, 8, 0, 0xc0, 5, 0, 0, 0]);
    seal(&mut disc[start..start + 48], tag_id::ALLOCATION_EXTENT, 5);
    let error = read(&disc).unwrap_err().to_string();
    assert!(error.contains("read as such before"), "{error}");
}

/// A change to a block of metadata.
#[derive(Debug, Clone)]
enum Damage {
    Byte(Index, u8),
    Number(Index, u32),
    Copy(Index, Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let number = prop_oneof![0u32..300, Just(u32::MAX), any::<u32>()];
    prop_oneof![
        8 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        4 => (any::<Index>(), number).prop_map(|(at, number)| Damage::Number(at, number)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Copy(from, to)),
    ]
}

/// What is done to the bytes of a disc.
type Change<'a> = &'a dyn Fn(&mut [u8]);

/// Changes blocks, and mends the checks of descriptors that were whole before.
fn apply(disc: &mut [u8], damages: &[Damage], blocks: &[u32]) {
    for damage in damages {
        let place = |index: &Index, len: usize| {
            let offset = index.index(blocks.len() * len);
            at(blocks[offset / len]) + (offset % len).min(len - 4)
        };
        // Descriptors take little of their blocks: most changes go there.
        let (block, change): (usize, Change<'_>) = match damage {
            Damage::Byte(index, byte) => {
                let at = place(index, 512);
                (at, &move |disc| disc[at] = *byte)
            }
            Damage::Number(index, number) => {
                let at = place(index, 512) & !3;
                (at, &move |disc| {
                    disc[at..at + 4].copy_from_slice(&number.to_le_bytes());
                })
            }
            Damage::Copy(from, to) => {
                let (from, to) = (place(from, 512), place(to, 512));
                let (from, to) = (from - from % BLOCK_SIZE, to - to % BLOCK_SIZE);
                (to, &move |disc| {
                    disc.copy_within(from..from + BLOCK_SIZE, to);
                })
            }
        };
        let start = block - block % BLOCK_SIZE;
        let whole: Vec<usize> = (start..start + BLOCK_SIZE)
            .step_by(4)
            .filter(|&at| Tag::check(&disc[at..start + BLOCK_SIZE]).is_ok())
            .collect();
        change(disc);
        // Inner descriptors first, as the outer checks are over them.
        for at in whole.into_iter().rev() {
            mend(&mut disc[at..start + BLOCK_SIZE]);
        }
    }
}

fn mend(bytes: &mut [u8]) {
    let (tag, rest) = Tag::view(bytes).unwrap();
    let mut tag = *tag;
    if let Some(covered) = rest.get(..tag.descriptor_crc_length.get().into()) {
        tag.descriptor_crc.set(crc16(covered));
    }
    tag.tag_checksum = tag.checksum();
    bytes[..Tag::SIZE].copy_from_slice(tag.bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn damaged_volumes_are_errors_or_trees(
        damages in prop::collection::vec(damage(), 1..8),
        cut in prop::option::weighted(0.1, any::<Index>()),
    ) {
        thread_local! {
            static DISC: Vec<u8> = volume();
        }
        let blocks: Vec<u32> = [16, 17, 32, 33, 34, 48, 49, 50, 64, 256]
            .into_iter()
            .chain(PARTITION..PARTITION + 9)
            .collect();
        DISC.with(|disc| {
            let mut disc = disc.clone();
            apply(&mut disc, &damages, &blocks);
            if let Some(cut) = cut {
                disc.truncate(cut.index(disc.len()));
            }
            inspect::walk_everything(&disc);
            match read(&disc) {
                Ok(found) => {
                    let most = disc.len() / FileIdentifier::SIZE;
                    assert!(found.tree.walk(Tree::ROOT).count() <= most);
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        });
    }
}
