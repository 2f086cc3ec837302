//! Damaged volumes: second copies are used and noted; loops and nonsense are errors; a valid
//! volume with bytes changed, its checks mended, is read as an error or as a tree, never with a
//! panic, a loop, or more nodes than identifiers can stand on the disc.

mod corners;
mod disc;
mod fixture;
mod inspect;
mod mutate;

use disc::{content, listing};
use fixture::{CONTENT_A, PARTITION, SEQUENCES, identifier, seal, volume};
use mutate::{apply, damage};
use proptest::prelude::*;
use proptest::sample::Index;
use reburn_blocks::{BLOCK_SIZE, BlockRead};
use reburn_record::Record;
use reburn_tree::{Kind, Tree};
use reburn_udf::records::{FileIdentifier, characteristics, tag_id};
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
