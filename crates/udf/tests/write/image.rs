//! Whole images in memory, and the trees that they are made of.

use std::collections::BTreeMap;

use bytes::Bytes;
use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRead, Lba, ReadError};
use reburn_tree::{
    Content, InodeId, Kind, Metadata, NewKind, NodeId, Timestamp, Tree, read_extents,
};
use reburn_udf::{
    Arrangement, FilePlacement, Layout, Placed, RenderCache, UdfOptions, VolumeSize, file_extents,
};

/// Where the extents of files are, holes left out, and the disc that content may come from.
pub struct Runs<'a> {
    pub starts: BTreeMap<(InodeId, usize), Lba>,
    tree: &'a Tree,
    base: &'a Vec<u8>,
}

impl FilePlacement for Runs<'_> {
    fn extent_start(&self, inode: InodeId, extent: usize) -> Lba {
        self.starts[&(inode, extent)]
    }

    fn read_embedded(&self, inode: InodeId, content: &mut [u8]) -> Result<(), ReadError> {
        content.copy_from_slice(&content_of(self.base, self.tree.kind(inode)));
        Ok(())
    }
}

/// A file's bytes, in memory or on the disc.
pub fn content_of(disc: &dyn BlockRead, kind: Kind<'_>) -> Bytes {
    let Kind::File { size, content } = kind else {
        return Bytes::new();
    };
    match content {
        Content::Bytes(bytes) => bytes.clone(),
        Content::Base(extents) => {
            let mut bytes = vec![0; usize::try_from(size).unwrap()];
            read_extents(disc, extents, 0, &mut bytes).unwrap();
            bytes.into()
        }
        other => panic!("{other:?} is not on the disc"),
    }
}

/// An image with its layout.
pub struct Image<'a> {
    pub tree: &'a Tree,
    pub layout: Layout,
    pub arrangement: Arrangement,
    pub runs: Runs<'a>,
    pub bytes: Vec<u8>,
}

static NO_BASE: Vec<u8> = Vec::new();

impl<'a> Image<'a> {
    pub fn new(tree: &'a Tree, options: &UdfOptions) -> Self {
        Self::sized(tree, options, VolumeSize::Compact)
    }

    pub fn sized(tree: &'a Tree, options: &UdfOptions, size: VolumeSize) -> Self {
        Self::from_base(tree, &NO_BASE, options, size)
    }

    /// An image of a tree whose files may have content on the disc `base`.
    pub fn from_base(
        tree: &'a Tree,
        base: &'a Vec<u8>,
        options: &UdfOptions,
        size: VolumeSize,
    ) -> Self {
        let layout = Layout::new(tree, options).unwrap();
        let mut starts = BTreeMap::new();
        let mut data = BlockCount::ZERO;
        for inode in inodes(tree) {
            if layout.is_embedded(tree, inode) {
                continue;
            }
            for (index, extent) in file_extents(tree, inode).enumerate() {
                if !extent.is_hole {
                    // Still counted from the start of the data.
                    starts.insert((inode, index), Lba::new(data.get()));
                    data += BlockCount::for_bytes(extent.bytes).unwrap();
                }
            }
        }
        let arrangement = Arrangement::new(&layout, Layout::RECOGNITION, data, size).unwrap();
        for start in starts.values_mut() {
            *start += BlockCount::new(arrangement.data_start.get());
        }
        let bytes = vec![0; arrangement.volume_blocks.as_usize() * BLOCK_SIZE];
        let mut image = Self {
            tree,
            layout,
            arrangement,
            runs: Runs { starts, tree, base },
            bytes,
        };
        image.fill();
        image
    }

    pub fn placed(&self) -> Placed<'_> {
        let addresses = &self.arrangement.addresses;
        self.layout.place(self.tree, addresses, &self.runs)
    }

    /// Makes everything anew after a change to the addresses.
    pub fn rewrite(&mut self) {
        self.bytes.fill(0);
        self.fill();
    }

    fn fill(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        let mut put = |start: Lba, data: &[u8]| {
            let at = start.get() as usize * BLOCK_SIZE;
            assert!(
                bytes[at..at + data.len()].iter().all(|byte| *byte == 0),
                "something is at {start} already"
            );
            bytes[at..at + data.len()].copy_from_slice(data);
        };
        let placed = self.placed();
        for structure in placed.structures() {
            put(structure.start, &structure.bytes);
        }
        for range in [Some(placed.metadata_range()), placed.mirror_range()] {
            let Some(range) = range else { continue };
            let mut metadata = vec![0; range.block_count().as_usize() * BLOCK_SIZE];
            let mut cache = RenderCache::default();
            placed
                .read_metadata(range.start_lba(), &mut metadata, &mut cache)
                .unwrap();
            put(range.start_lba(), &metadata);
        }
        for inode in inodes(self.tree) {
            if self.layout.is_embedded(self.tree, inode) {
                continue;
            }
            let content = content_of(self.runs.base, self.tree.kind(inode));
            let mut at = 0;
            for (index, extent) in file_extents(self.tree, inode).enumerate() {
                let end = at + usize::try_from(extent.bytes).unwrap();
                if let Some(&start) = self.runs.starts.get(&(inode, index)) {
                    put(start, &content[at..end]);
                }
                at = end;
            }
        }
        self.bytes = bytes;
    }
}

/// Every file and stream, once.
fn inodes(tree: &Tree) -> Vec<InodeId> {
    let nodes = tree.walk(Tree::ROOT);
    let named = nodes.map(|(node, _): (NodeId, u32)| tree.inode(node));
    let mut all: Vec<InodeId> = named
        .flat_map(|inode| {
            let streams = tree.streams(inode).map(|(_, stream)| stream);
            std::iter::once(inode).chain(streams.collect::<Vec<_>>())
        })
        .filter(|&inode| matches!(tree.kind(inode), Kind::File { .. }))
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|inode| seen.insert(*inode));
    all
}

/// A tree with one of everything.
pub fn difficult_tree() -> Tree {
    let time = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000 + 123_456);
    let mut tree = Tree::new(Metadata::directory().modified_at(time(1_500_000_000)));
    let bytes = |len: usize| {
        let pattern = (0..len).map(|at| ((at * 7 + at / 251) % 256).try_into().unwrap_or(0));
        NewKind::Bytes(pattern.collect())
    };
    let mut metadata = Metadata::file().modified_at(time(1_600_000_000));
    (metadata.uid, metadata.gid) = (1000, 100);
    metadata.accessed = Some(time(1_600_000_001));
    metadata.changed = Some(time(1_600_000_002));
    for len in [0, 1, 1700, 1832, 1833, 1872, 1873, 2048, 2049, 100_000] {
        let name = format!("file-{len}");
        let added = tree.add(Tree::ROOT, name.as_bytes(), metadata, bytes(len));
        added.unwrap();
    }
    metadata.created = Some(time(1_400_000_000));
    metadata.permissions = 0o6751;
    tree.add(Tree::ROOT, b"created", metadata, bytes(1800))
        .unwrap();
    let many = Metadata::with_permissions(0o1777).modified_at(time(1_650_000_000));
    let many = tree
        .add(Tree::ROOT, b"many", many, NewKind::Directory)
        .unwrap();
    for number in 0..3000 {
        let name = format!("{number:05}-{}", "\u{20ac}".repeat(number % 80));
        tree.add(many, name.as_bytes(), metadata, bytes(number % 40))
            .unwrap();
    }
    let folder = tree
        .add(many, b"folder", Metadata::directory(), NewKind::Directory)
        .unwrap();
    let original = tree.inode(tree.lookup(b"/file-100000").unwrap());
    tree.link(folder, b"link", original).unwrap();
    tree.link(Tree::ROOT, b"zz-link", original).unwrap();
    let specials = [
        (
            "absolute",
            NewKind::Symlink(b"/usr/../etc/./passwd".to_vec()),
        ),
        ("relative", NewKind::Symlink("../\u{e9}\u{20ac}".into())),
        ("root", NewKind::Symlink(b"/".to_vec())),
        (
            "tty",
            NewKind::CharDevice {
                major: 4,
                minor: 70,
            },
        ),
        (
            "disk",
            NewKind::BlockDevice {
                major: 259,
                minor: 3,
            },
        ),
        ("pipe", NewKind::Fifo),
        ("socket", NewKind::Socket),
    ];
    for (name, kind) in specials {
        tree.add(folder, name.as_bytes(), metadata, kind).unwrap();
    }
    let mut deep = folder;
    for _ in 0..30 {
        deep = tree
            .add(deep, b"d", Metadata::directory(), NewKind::Directory)
            .unwrap();
    }
    let names = [
        "x".repeat(254),
        "\u{20ac}".repeat(85),
        "\u{1f600}".repeat(60),
        "\u{fc}".into(),
    ];
    for name in names {
        tree.add(deep, name.as_bytes(), metadata, bytes(3)).unwrap();
    }
    tree
}
