//! Discs with a small volume, edits of them, and a drive that loses power.

use std::ops::ControlFlow;
use std::time::Duration;

use bytes::Bytes;
use reburn_blocks::{BLOCK_SIZE, BlockRange, BlockRead, Lba, Plan};
use reburn_drive::{Data, Drive, Reply, TransportError};
use reburn_emulator::{Emulator, Fate, MediumKind, VirtualDisc};
use reburn_image::{
    FileSystemImage, FileSystems, ImportOptions, Medium, UdfRevision, View, new_udf_volume,
    new_volume,
};
use reburn_mmc::Cdb;
use reburn_recorder::{Event, Recorder};
use reburn_tree::{Content, Kind, Metadata, NewKind, Timestamp, Tree, read_extents};

pub const THEN: Timestamp = Timestamp::from_seconds(1_600_000_000);

/// Every path with the bytes of its file.
pub type Contents = Vec<(String, Vec<u8>)>;

pub fn go_on(_: Event) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A volume for each protocol.
pub fn volumes() -> Vec<(&'static str, FileSystems)> {
    let iso = || new_volume("CUT", THEN);
    let udf = |revision| new_udf_volume("CUT", revision, THEN);
    vec![
        ("head swap", iso().into()),
        ("VDS flip", udf(UdfRevision::V2_01).into()),
        ("mirror flip", udf(UdfRevision::V2_50).into()),
        (
            "bridge",
            FileSystems::Bridge(iso(), udf(UdfRevision::V1_02)),
        ),
    ]
}

fn bytes(seed: u8, len: usize) -> NewKind {
    NewKind::Bytes(Bytes::from(vec![seed; len]))
}

/// A drive with a disc that holds a volume with a folder and two files.
pub fn recorded(kind: MediumKind, systems: FileSystems) -> Emulator {
    let medium = Medium::from_name(kind.name()).unwrap();
    let mut image = FileSystemImage::new(medium, systems, THEN);
    let folder = Metadata::directory().modified_at(THEN);
    let file = Metadata::file().modified_at(THEN);
    image.add(b"/docs", folder, NewKind::Directory).unwrap();
    image.add(b"/docs/one", file, bytes(1, 5000)).unwrap();
    image.add(b"/two", file, bytes(2, 70_000)).unwrap();
    let mut drive = Emulator::with_disc(VirtualDisc::formatted(kind));
    Recorder::new(&mut drive)
        .record_image(&image.result().unwrap(), &mut go_on)
        .unwrap();
    drive
}

pub fn import(disc: &dyn BlockRead, medium: Medium) -> FileSystemImage<'_> {
    let options = ImportOptions {
        medium,
        hierarchy: None,
        time: Timestamp::from_seconds(1_700_000_000),
        accept_losses: false,
        append: None,
    };
    FileSystemImage::import(disc, &options).unwrap()
}

/// Changes something of everything.
pub fn edit(image: &mut FileSystemImage<'_>) {
    let file = Metadata::file().modified_at(THEN);
    image.add(b"/docs/new", file, bytes(3, 100_000)).unwrap();
    image.replace(b"/docs/one", file, bytes(4, 300)).unwrap();
}

pub fn contents(tree: &Tree, disc: &dyn BlockRead) -> Contents {
    let read = |(node, _)| {
        let inode = tree.inode(node);
        let data = match tree.kind(inode) {
            Kind::File { size, content } => {
                let mut data = vec![0; usize::try_from(size).unwrap()];
                match content {
                    Content::Base(extents) => read_extents(disc, extents, 0, &mut data).unwrap(),
                    Content::Bytes(bytes) => data.copy_from_slice(bytes),
                    other => panic!("{other:?}"),
                }
                data
            }
            _ => Vec::new(),
        };
        (tree.display_path(node), data)
    };
    tree.walk(Tree::ROOT).map(read).collect()
}

/// What each file system of the disc shows.
pub fn shown(disc: &dyn BlockRead, name: &str) -> Vec<Contents> {
    let views = match name {
        "head swap" => &[View::Iso][..],
        "bridge" => &View::ALL,
        _ => &[View::Udf],
    };
    let read = |view: &View| contents(&view.read(disc).unwrap(), disc);
    views.iter().map(read).collect()
}

/// Whether the disc has every block of the plan.
pub fn holds(disc: &VirtualDisc, plan: &Plan, source: &dyn BlockRead) -> bool {
    plan.modified.ranges().all(|range| {
        let len = range.block_count().as_usize() * BLOCK_SIZE;
        let (mut is, mut wanted) = (vec![0; len], vec![0; len]);
        let start: Lba = range.start_lba();
        disc.read_blocks(start, &mut is).is_ok()
            && source.read_filled(start, &mut wanted).is_ok()
            && is == wanted
    })
}

/// What becomes of the write units in the buffer, the oldest first.
pub const FATES: [fn(usize) -> Fate; 5] = [
    |_| Fate::Old,
    |_| Fate::New,
    |at| if at == 0 { Fate::Unreadable } else { Fate::Old },
    |at| if at == 0 { Fate::Old } else { Fate::New },
    |at| if at == 0 { Fate::New } else { Fate::Unreadable },
];

/// A drive that loses power before its `at`th command of those that write.
pub struct Cut {
    pub drive: Emulator,
    pub at: usize,
    pub fate: fn(usize) -> Fate,
    seen: usize,
}

impl Cut {
    pub fn new(drive: &Emulator, at: usize, fate: fn(usize) -> Fate) -> Self {
        Self {
            drive: drive.snapshot().unwrap(),
            at,
            fate,
            seen: 0,
        }
    }
}

impl Drive for Cut {
    fn execute(&mut self, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError> {
        const WRITE_10: u8 = 0x2a;
        const SYNCHRONIZE_CACHE: u8 = 0x35;
        if matches!(cdb.opcode(), WRITE_10 | SYNCHRONIZE_CACHE) {
            if self.seen == self.at {
                let mut number = 0;
                let fate = |_: BlockRange| {
                    number += 1;
                    (self.fate)(number - 1)
                };
                self.drive.power_cut(fate).unwrap();
            }
            self.seen += 1;
        }
        self.drive.execute(cdb, data)
    }

    fn wait(&mut self, time: Duration) {
        self.drive.wait(time);
    }
}
