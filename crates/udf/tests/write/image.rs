//! Whole images in memory, and the trees that they are made of.

use bytes::Bytes;
use reburn_blocks::{BLOCK_SIZE, BlockCount, Lba, ReadError};
use reburn_tree::{InodeId, Kind, Metadata, NewKind, NodeId, Timestamp, Tree};
use reburn_udf::{
    Arrangement, FilePlacement, Layout, Placed, RenderCache, UdfOptions, file_extents,
};

/// Every file in one run, by inode.
pub struct Runs(pub Vec<Option<Lba>>);

impl FilePlacement for Runs {
    fn extent_start(&self, inode: InodeId, extent: usize) -> Lba {
        assert_eq!(extent, 0, "files of these tests are small");
        self.0[inode.index()].expect("the file is not embedded")
    }

    fn read_embedded(&self, _: InodeId, _: &mut [u8]) -> Result<(), ReadError> {
        unreachable!("all content of these tests is in memory")
    }
}

/// An image with its layout.
pub struct Image {
    pub layout: Layout,
    pub arrangement: Arrangement,
    pub runs: Runs,
    pub bytes: Vec<u8>,
}

impl Image {
    pub fn new(tree: &Tree, options: &UdfOptions) -> Self {
        let layout = Layout::new(tree, options).unwrap();
        let mut runs = Runs(vec![None; tree.inode_limit()]);
        let mut data = BlockCount::ZERO;
        for (_, inode, content) in files(tree) {
            let needs_blocks = !layout.is_embedded(tree, inode);
            if needs_blocks && runs.0[inode.index()].is_none() {
                assert_eq!(file_extents(tree, inode).count(), 1);
                // Still counted from the start of the data.
                runs.0[inode.index()] = Some(Lba::new(data.get()));
                data += BlockCount::for_bytes(content.len() as u64).unwrap();
            }
        }
        let arrangement = Arrangement::new(&layout, Layout::RECOGNITION, data).unwrap();
        let data_start = arrangement.data_start;
        for start in runs.0.iter_mut().flatten() {
            *start += BlockCount::new(data_start.get());
        }
        let bytes = vec![0; arrangement.volume_blocks.as_usize() * BLOCK_SIZE];
        let mut image = Self {
            layout,
            arrangement,
            runs,
            bytes,
        };
        image.fill(tree);
        image
    }

    pub fn placed<'a>(&'a self, tree: &'a Tree) -> Placed<'a> {
        self.layout
            .place(tree, &self.arrangement.addresses, &self.runs)
    }

    fn fill(&mut self, tree: &Tree) {
        let mut bytes = std::mem::take(&mut self.bytes);
        let mut put = |start: Lba, data: &[u8]| {
            let at = start.get() as usize * BLOCK_SIZE;
            assert!(
                bytes[at..at + data.len()].iter().all(|byte| *byte == 0),
                "something is at {start} already"
            );
            bytes[at..at + data.len()].copy_from_slice(data);
        };
        let placed = self.placed(tree);
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
        let mut done = vec![false; tree.inode_limit()];
        for (_, inode, content) in files(tree) {
            if let Some(start) = self.runs.0[inode.index()]
                && !std::mem::replace(&mut done[inode.index()], true)
            {
                put(start, content);
            }
        }
        self.bytes = bytes;
    }
}

/// Every name of a file with the file's bytes.
pub fn files(tree: &Tree) -> impl Iterator<Item = (NodeId, InodeId, &Bytes)> {
    tree.walk(Tree::ROOT).filter_map(|(node, _)| {
        let inode = tree.inode(node);
        match tree.kind(inode) {
            Kind::File {
                content: reburn_tree::Content::Bytes(bytes),
                ..
            } => Some((node, inode, bytes)),
            _ => None,
        }
    })
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
