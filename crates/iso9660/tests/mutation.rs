//! Damaged volumes: a valid one with bytes changed is read as an error or as a tree, never with
//! a panic, a loop, or more nodes than records can stand in its directories.

mod inspect;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;
use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRead, Lba};
use reburn_iso9660::{DeepDirectories, Hierarchy, IsoOptions, Joliet, Layout, RenderCache, Volume};
use reburn_tree::{InodeId, Kind, Metadata, NewKind, Tree};

/// The shortest directory record (ECMA-119 9.1).
const RECORD_MIN: usize = 34;

/// A tree with something of everything.
pub fn tree() -> Tree {
    let mut tree = Tree::new(Metadata::directory());
    let mut add = |path: &str, kind: NewKind| {
        let (parent, name) = path.rsplit_once('/').unwrap();
        let parent = tree.lookup(parent.as_bytes()).unwrap();
        tree.add(parent, name.as_bytes(), Metadata::file(), kind)
            .unwrap()
    };
    let mut path = String::new();
    for depth in 0..11 {
        path = format!("{path}/depth {depth}");
        add(&path, NewKind::Directory);
        add(
            &format!("{path}/file"),
            NewKind::Bytes(Bytes::from_static(b"content")),
        );
    }
    add(
        "/link",
        NewKind::Symlink(format!("../{}/x", "c".repeat(300)).into_bytes()),
    );
    add("/device", NewKind::CharDevice { major: 5, minor: 1 });
    add("/pipe", NewKind::Fifo);
    add(
        &format!("/{}", "n".repeat(250)),
        NewKind::Bytes(Bytes::new()),
    );
    for number in 0..40 {
        add(
            &format!("/many {number}"),
            NewKind::Bytes(Bytes::from(vec![1; number * 100])),
        );
    }
    let file = tree.inode(tree.lookup(b"/many 7").unwrap());
    tree.link(Tree::ROOT, b"another name", file).unwrap();
    tree
}

/// A disc with that tree in every hierarchy.
pub fn disc() -> Vec<u8> {
    let tree = tree();
    let options = IsoOptions {
        joliet: Joliet::Relaxed103,
        rock_ridge: true,
        deep: DeepDirectories::Relocate,
        enhanced: true,
        ..IsoOptions::default()
    };
    let layout = Layout::new(&tree, &options).unwrap();
    let metadata_start = Layout::descriptors_start(Lba::ZERO) + layout.descriptor_blocks();
    let data_start = metadata_start + layout.metadata_blocks();
    // Two blocks for each file hold the longest one here.
    let place =
        |inode: InodeId, _| data_start + BlockCount::new(u32::try_from(inode.index() * 2).unwrap());
    let end = data_start + BlockCount::new(u32::try_from(tree.inode_limit() * 2).unwrap());
    let mut disc = vec![0; end.get() as usize * BLOCK_SIZE];
    let placed = layout.place(&tree, metadata_start, &place);
    let descriptors = placed.descriptors(BlockCount::new(end.get()), &[0; 512]);
    let at = |lba: Lba| lba.get() as usize * BLOCK_SIZE;
    let start = at(Layout::descriptors_start(Lba::ZERO));
    disc[start..start + descriptors.len()].copy_from_slice(&descriptors);
    let metadata = &mut disc[at(metadata_start)..at(data_start)];
    placed.read_metadata(metadata_start, metadata, &mut RenderCache::default());
    disc
}

/// A change to the blocks of descriptors, path tables and directories.
#[derive(Debug, Clone)]
enum Damage {
    Byte(Index, u8),
    /// A number in little-endian, as readers take it.
    Number(Index, u32),
    /// A block that has another one's content.
    Copy(Index, Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let number = prop_oneof![0u32..300, Just(u32::MAX), Just(u32::MAX - 1), any::<u32>()];
    prop_oneof![
        8 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        4 => (any::<Index>(), number).prop_map(|(at, number)| Damage::Number(at, number)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Copy(from, to)),
    ]
}

impl Damage {
    fn apply(&self, disc: &mut [u8], metadata_blocks: usize) {
        let descriptors = 16 * BLOCK_SIZE;
        let len = metadata_blocks * BLOCK_SIZE;
        match self {
            Self::Byte(at, byte) => disc[descriptors + at.index(len)] = *byte,
            Self::Number(at, number) => {
                let at = descriptors + at.index(len - 3);
                disc[at..at + 4].copy_from_slice(&number.to_le_bytes());
            }
            Self::Copy(from, to) => {
                let at = |block: &Index| descriptors + block.index(metadata_blocks) * BLOCK_SIZE;
                disc.copy_within(at(from)..at(from) + BLOCK_SIZE, at(to));
            }
        }
    }
}

/// Reads every tree, whatever is wrong with it, and counts those that could be read.
fn read_all(disc: &dyn BlockRead) -> usize {
    let Ok(volume) = Volume::open(disc, Lba::ZERO) else {
        return 0;
    };
    let mut count = 0;
    for &hierarchy in volume.hierarchies() {
        match volume.read_tree(disc, hierarchy) {
            Ok(found) => {
                let records = disc.block_count().as_usize() * BLOCK_SIZE / RECORD_MIN;
                assert!(found.tree.node_limit() <= records + 1);
                assert_eq!(found.tree.walk(Tree::ROOT).count(), found.tree.links_sum());
                count += 1;
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    count
}

trait LinksSum {
    /// The number of names, counted by the files that they lead to.
    fn links_sum(&self) -> usize;
}

impl LinksSum for Tree {
    fn links_sum(&self) -> usize {
        let mut seen = vec![false; self.inode_limit()];
        let mut sum = 0;
        for (node, _) in self.walk(Tree::ROOT) {
            let inode = self.inode(node);
            if !std::mem::replace(&mut seen[inode.index()], true) {
                sum += self.links(inode) as usize;
            }
        }
        sum
    }
}

#[test]
fn the_volume_is_whole_before_it_is_damaged() {
    let disc = disc();
    let volume = Volume::open(&disc, Lba::ZERO).unwrap();
    assert_eq!(
        volume.hierarchies(),
        [
            Hierarchy::RockRidge,
            Hierarchy::Joliet,
            Hierarchy::Enhanced,
            Hierarchy::Plain
        ]
    );
    assert_eq!(read_all(&disc), 4);
    let found = volume.read_tree(&disc, Hierarchy::RockRidge).unwrap();
    assert_eq!(found.notes, []);
    let expected = tree();
    let paths = |tree: &Tree| -> Vec<_> {
        tree.walk(Tree::ROOT)
            .map(|(node, _)| {
                let kind = tree.kind(tree.inode(node));
                let target = match kind {
                    Kind::Symlink(target) => target.to_vec(),
                    Kind::File { size, .. } => size.to_string().into_bytes(),
                    _ => Vec::new(),
                };
                (tree.path(node), target)
            })
            .collect()
    };
    assert_eq!(paths(&found.tree), paths(&expected));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn damaged_volumes_are_errors_or_trees(
        damages in prop::collection::vec(damage(), 1..12),
        cut in prop::option::weighted(0.1, any::<Index>()),
    ) {
        thread_local! {
            static DISC: (Vec<u8>, usize) = disc_and_metadata_blocks();
        }
        DISC.with(|(disc, metadata_blocks)| {
            let mut disc = disc.clone();
            for damage in &damages {
                damage.apply(&mut disc, *metadata_blocks);
            }
            if let Some(cut) = cut {
                disc.truncate(cut.index(disc.len()));
            }
            inspect::walk_everything(&disc);
            read_all(&disc);
        });
    }
}

/// The disc, and how many blocks from block 16 on are not file data.
fn disc_and_metadata_blocks() -> (Vec<u8>, usize) {
    let disc = disc();
    let volume = Volume::open(&disc, Lba::ZERO).unwrap();
    let found = volume.read_tree(&disc, Hierarchy::RockRidge).unwrap();
    let end = found.metadata_ranges.last_lba().unwrap().get() as usize + 1;
    (disc, end - 16)
}
