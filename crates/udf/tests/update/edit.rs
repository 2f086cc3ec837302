//! A disc in memory that is edited, with everything that an edit must obey checked on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use crate::image::Image;
use bytes::Bytes;
use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, Lba, ReadError, WriteUnit,
};
use reburn_record::{Record, Sheet};
use reburn_tree::{Changes, Content, InodeId, Kind, Timestamp, Tree, read_extents};
use reburn_udf::records::{ExtendedFileEntry, FileEntry, ShortAd, icb_flags, tag_id};
use reburn_udf::{
    FilePlacement, ImportedTree, Inspector, NoteKind, Session, UdfOptions, Update, UpdateError,
    UpdateOptions, UpdatePlaces, UpdateRole, Volume, VolumeSize, file_extents,
};

/// An image with at least so many blocks more than it needs.
pub fn with_room<'a>(tree: &'a Tree, options: &UdfOptions, room: u32) -> Image<'a> {
    let blocks = Image::new(tree, options).arrangement.volume_blocks;
    // On a medium the volume's own structures begin further behind.
    let blocks = blocks + BlockCount::new(2048 + room);
    Image::sized(tree, options, VolumeSize::Whole(blocks))
}

/// A disc.
pub type Disc = Vec<u8>;

/// Opens and reads a volume, from which at most deleted names may be missing.
pub fn read(disc: &Disc) -> (Volume, ImportedTree) {
    let volume = Volume::open(disc, Session::default()).unwrap();
    let read = volume.read_tree(disc).unwrap();
    (volume, read)
}

/// The kinds of notes but for deleted names, which edits leave behind.
pub fn notes(read: &ImportedTree) -> Vec<NoteKind> {
    let kinds = read.notes.iter().map(|note| note.kind);
    kinds.filter(|kind| *kind != NoteKind::Deleted).collect()
}

/// The bytes of a file.
pub fn content(disc: &Disc, tree: &Tree, inode: InodeId) -> Bytes {
    content_if_whole(disc, tree, inode).expect("the file is on the disc")
}

/// The bytes of a file, if the disc has them all.
pub fn content_if_whole(disc: &Disc, tree: &Tree, inode: InodeId) -> Option<Bytes> {
    let Kind::File { size, content } = tree.kind(inode) else {
        return Some(Bytes::new());
    };
    match content {
        Content::Bytes(bytes) => Some(bytes.clone()),
        Content::Base(extents) => {
            // Holes may make it longer than the disc.
            let size = usize::try_from(size).ok().filter(|&size| size < 1 << 26)?;
            let mut bytes = vec![0; size];
            read_extents(disc, extents, 0, &mut bytes).ok()?;
            Some(bytes.into())
        }
        other => panic!("{other:?} is not on the disc"),
    }
}

/// All that a volume keeps of a tree: a line a path, and one a stream.
pub fn snapshot(disc: &Disc, tree: &Tree) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    for (node, _) in tree.walk(Tree::ROOT) {
        let inode = tree.inode(node);
        let path = tree.display_path(node);
        for (name, stream) in tree.streams(inode) {
            let path = format!("{path}:{}", String::from_utf8_lossy(name));
            lines.insert(path, describe(disc, tree, stream));
        }
        lines.insert(path, describe(disc, tree, inode));
    }
    lines
}

fn describe(disc: &Disc, tree: &Tree, inode: InodeId) -> String {
    let what = match tree.kind(inode) {
        Kind::File { size, .. } => {
            let bytes = content(disc, tree, inode);
            let sum = bytes.iter().fold(0u64, |sum, &byte| {
                sum.wrapping_mul(31).wrapping_add(byte.into())
            });
            format!("file of {size}, sum {sum:x}")
        }
        other => format!("{other:?}"),
    };
    let m = tree.metadata(inode);
    let times = [m.accessed, m.changed].map(|time| time.unwrap_or(m.modified));
    let oldest = times.into_iter().fold(m.modified, Timestamp::min);
    let created = m.created.unwrap_or(oldest);
    let links = match tree.kind(inode) {
        Kind::Directory => 0,
        _ => tree.links(inode),
    };
    format!(
        "{:o} {}:{} {} {times:?} {} {} x{links} {what} {:?}",
        m.permissions,
        m.uid,
        m.gid,
        m.modified.micros(),
        created.micros(),
        m.real_time,
        tree.attributes(inode),
    )
}

/// Shows where two snapshots differ first.
pub fn assert_same(found: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) {
    for (path, line) in wanted {
        assert_eq!(found.get(path), Some(line), "{path}");
    }
    let more = found.keys().find(|path| !wanted.contains_key(*path));
    assert_eq!(more, None);
}

/// Where the test puts new files: each extent of a file by itself.
struct Files {
    starts: BTreeMap<(InodeId, usize), Lba>,
    embedded: BTreeMap<InodeId, Bytes>,
}

impl FilePlacement for Files {
    fn extent_start(&self, inode: InodeId, extent: usize) -> Lba {
        self.starts[&(inode, extent)]
    }

    fn read_embedded(&self, inode: InodeId, content: &mut [u8]) -> Result<(), ReadError> {
        content.copy_from_slice(&self.embedded[&inode]);
        Ok(())
    }
}

/// An edit that was worked out and placed.
pub struct Planned {
    /// What is written in each epoch.
    pub writes: [Vec<(Lba, Vec<u8>)>; 3],
    /// Units of the metadata that change, and those of their second copy.
    pub units: usize,
    pub mirror_units: usize,
    pub continuations: usize,
    pub freed: BlockRangeList,
    /// The tree before and after.
    pub before: BTreeMap<String, String>,
    pub wanted: BTreeMap<String, String>,
    pub time: Timestamp,
    pub changes: Changes,
    pub base: ImportedTree,
    pub volume: Volume,
}

/// Free room of a disc, in whole write units.
struct Room {
    free: BlockRangeList,
    unit: WriteUnit,
    /// Whether what is taken shall be apart from what was taken before.
    is_scattered: bool,
}

impl Room {
    /// What neither tree nor structures use.
    fn of(volume: &Volume, base: &ImportedTree, update: &Update, how: How) -> Self {
        let structures = volume.structures();
        let packet = structures.sparing.map(|sparing| sparing.packet.get());
        let unit = packet.map_or(how.options.write_unit, |blocks| {
            WriteUnit::new(blocks).unwrap()
        });
        let live = base.metadata_ranges.union(&base.data_ranges);
        let mut live = live.union(&update.reserved());
        // An entry that is lost is read from the other file, and comes back where it was.
        let metadata = structures.metadata.iter();
        live.extend(metadata.flat_map(|it| [it.entry, it.mirror_entry].map(BlockRange::single)));
        let partition: BlockRangeList = structures.partitions.into_iter().collect();
        let free = partition.difference(&live.align_outward(unit));
        Self {
            free: free.align_inward(unit),
            unit,
            is_scattered: how.is_scattered,
        }
    }

    fn take(&mut self, count: BlockCount) -> Option<Lba> {
        let range = self.free.first_fit(count, self.unit)?;
        let mut taken = range.align_outward(self.unit);
        if self.is_scattered {
            let more =
                BlockRange::with_count(taken.start_lba(), taken.block_count() + self.unit.blocks());
            taken = more.unwrap();
        }
        self.free = self.free.difference(&[taken].into_iter().collect());
        Some(range.start_lba())
    }
}

/// How [`edit`] goes about it.
#[derive(Clone, Copy)]
pub struct How {
    pub options: UpdateOptions,
    pub is_scattered: bool,
}

impl How {
    pub fn new(write_unit: WriteUnit) -> Self {
        Self {
            options: UpdateOptions {
                write_unit,
                time: Timestamp::from_seconds(1_750_000_000),
                ..UpdateOptions::default()
            },
            is_scattered: false,
        }
    }
}

/// Works out an edit of a disc by `change`.
pub fn try_plan(
    disc: &Disc,
    how: How,
    change: impl FnOnce(&mut Tree),
) -> Result<Planned, UpdateError> {
    let (volume, mut base) = read(disc);
    let before = snapshot(disc, &base.tree);
    let point = base.tree.change_point();
    change(&mut base.tree);
    let changes = base.tree.changes_since(point).unwrap();
    let wanted = snapshot(disc, &base.tree);
    let (tree, entries) = (&base.tree, &base.entries);
    let mut update = Update::new(&volume, disc, tree, entries, &changes, &how.options)?;
    let (writes, continuations, freed) =
        written(disc, &volume, &base, &mut update, how)?.expect("room on the disc");
    Ok(Planned {
        writes,
        units: update.units(),
        mirror_units: update.mirror_units(),
        continuations,
        freed,
        before,
        wanted,
        time: update.time(),
        changes,
        base,
        volume,
    })
}

/// What is written in each epoch.
pub type Writes = [Vec<(Lba, Vec<u8>)>; 3];

/// Places an update: what is written, how many blocks the metadata file goes on in, and which
/// blocks are freed; `None` if the disc has no room, or something on it cannot be read.
fn written(
    disc: &Disc,
    volume: &Volume,
    base: &ImportedTree,
    update: &mut Update,
    how: How,
) -> Result<Option<(Writes, usize, BlockRangeList)>, UpdateError> {
    let tree = &base.tree;
    let mut room = Room::of(volume, base, update, how);
    let mut writes = Writes::default();
    let Some(files) = place_files(disc, tree, update, &mut room, &mut writes[0]) else {
        return Ok(None);
    };
    update.note_data(disc, &ranges(&writes[0]))?;
    let own_places = update.own_places()?;
    Ok(written_at(
        disc,
        tree,
        update,
        (room, own_places),
        &files,
        writes,
    ))
}

fn written_at(
    disc: &Disc,
    tree: &Tree,
    update: &Update,
    (mut room, own_places): (Room, Option<UpdatePlaces>),
    files: &Files,
    mut writes: Writes,
) -> Option<(Writes, usize, BlockRangeList)> {
    let mut take = |count: usize, blocks: BlockCount| -> Option<Vec<Lba>> {
        (0..count).map(|_| room.take(blocks)).collect()
    };
    let places = match own_places {
        Some(places) => places,
        None => UpdatePlaces {
            units: take(update.units(), update.unit_blocks())?,
            mirror_units: take(update.mirror_units(), update.unit_blocks())?,
            continuations: take(update.continuation_blocks(), BlockCount::ONE)?,
            mirror_continuations: take(update.continuation_blocks(), BlockCount::ONE)?,
        },
    };
    let update_placed = update.place(tree, disc, &places, files);
    for range in &update_placed.ranges() {
        let mut bytes = vec![0; range.block_count().as_usize() * BLOCK_SIZE];
        update_placed.read(range.start_lba(), &mut bytes).ok()?;
        writes[0].push((range.start_lba(), bytes));
    }
    let structures = update_placed.structures();
    assert!(structures.is_sorted_by_key(|structure| structure.role.epoch() > 0));
    let is_more = |role: &UpdateRole| *role == UpdateRole::Continuation;
    let continuations = structures.iter().filter(|s| is_more(&s.role)).count();
    // What readers do not use is committed first, whichever of the two that is.
    let mut epoch = 0;
    for structure in structures {
        epoch += usize::from(structure.role.epoch() > 0);
        writes[epoch].push((structure.start, structure.bytes));
    }
    Some((writes, continuations, update_placed.freed()))
}

/// Edits a disc that may be damaged, in which case there may be no edit.
pub fn try_edit(disc: &Disc, how: How, change: impl FnOnce(&mut Tree)) -> Option<Disc> {
    let volume = Volume::open(disc, Session::default()).ok()?;
    let mut base = volume.read_tree(disc).ok()?;
    let point = base.tree.change_point();
    change(&mut base.tree);
    let changes = base.tree.changes_since(point)?;
    let (tree, entries) = (&base.tree, &base.entries);
    let mut update = Update::new(&volume, disc, tree, entries, &changes, &how.options).ok()?;
    let (writes, ..) = written(disc, &volume, &base, &mut update, how).ok()??;
    let mut now = disc.clone();
    for writes in &writes {
        write(&mut now, writes);
    }
    Some(now)
}

impl Planned {
    /// Checks what is written when: nothing of the old tree before the commit, and each commit
    /// write alone in its write unit.
    fn check_epochs(&self, unit: WriteUnit) {
        let epochs = [0, 1, 2].map(|epoch| ranges(&self.writes[epoch]));
        for (epoch, list) in epochs.iter().enumerate().skip(1) {
            assert_eq!(list.block_count(), unit.blocks(), "epoch {epoch}");
            assert_eq!(&list.align_outward(unit), list);
        }
        let live = self.base.metadata_ranges.union(&self.base.data_ranges);
        let live = live.difference(&free_spares(&self.volume));
        let first = epochs[0].align_outward(unit);
        let shared = first.intersection(&live.align_outward(unit));
        let integrity: BlockRangeList = self.volume.structures().integrity.into_iter().collect();
        assert!(
            shared.difference(&integrity).is_empty(),
            "{shared} are written before the commit and read by the old tree"
        );
    }
}

/// Edits the tree of a disc with `change` and writes what the edit says, epoch by epoch, with
/// all that must hold on the way checked. Returns the disc as it is then.
pub fn edit(disc: &Disc, how: How, change: impl FnOnce(&mut Tree)) -> (Disc, Planned) {
    let planned = try_plan(disc, how, change).unwrap_or_else(|error| panic!("{error}"));
    (record(disc, how, &planned), planned)
}

/// Writes what an edit says, epoch by epoch, with all that must hold on the way checked.
pub fn record(disc: &Disc, how: How, planned: &Planned) -> Disc {
    let (before, wanted) = (&planned.before, &planned.wanted);
    planned.check_epochs(how.options.write_unit);
    let mut now = disc.clone();
    // Where readers use the mirror, the file's entry is written first, and counts at once.
    let entry = planned.volume.structures().metadata.map(|it| it.entry);
    let holds_entry = |(start, bytes): &(Lba, Vec<u8>)| {
        let range = BlockRange::with_count(*start, BlockCount::in_buffer(bytes.len()));
        range
            .zip(entry)
            .is_some_and(|(range, entry)| range.contains(entry))
    };
    let is_by_mirror = planned.writes[1].iter().any(holds_entry);
    for (epoch, shown) in [(0, before), (1, if is_by_mirror { wanted } else { before })] {
        write(&mut now, &planned.writes[epoch]);
        let (_, found) = read(&now);
        assert_same(&snapshot(&now, &found.tree), shown);
    }
    // What is written last is lost: the other has the new tree.
    let mut torn = now.clone();
    for (lba, bytes) in &planned.writes[2] {
        write(&mut torn, &[(*lba, vec![0xa5; bytes.len()])]);
    }
    let (_, new) = read(&torn);
    let lost = match planned.volume.structures().sparing {
        Some(_) => NoteKind::SparingTable,
        None => NoteKind::MetadataMirror,
    };
    if !is_by_mirror {
        assert_eq!(notes(&new), [lost]);
    }
    assert_same(&snapshot(&torn, &new.tree), wanted);
    write(&mut now, &planned.writes[2]);
    check(&now, wanted, planned.time);
    let base = (&planned.volume, &planned.base);
    assert_kept(disc, base, &planned.changes, &now);
    now
}

/// Blocks of the spare packets that an edit may use.
pub fn free_spares(volume: &Volume) -> BlockRangeList {
    let structures = volume.structures();
    let packet = structures.sparing.as_ref().map(|sparing| sparing.packet);
    let spares = structures.free_spares().into_iter();
    spares
        .filter_map(|start| BlockRange::with_count(start, packet?))
        .collect()
}

fn place_files(
    disc: &Disc,
    tree: &Tree,
    update: &Update,
    room: &mut Room,
    writes: &mut Vec<(Lba, Vec<u8>)>,
) -> Option<Files> {
    let mut files = Files {
        starts: BTreeMap::new(),
        embedded: BTreeMap::new(),
    };
    let inodes = tree.walk(Tree::ROOT).flat_map(|(node, _)| {
        let inode = tree.inode(node);
        let streams = tree.streams(inode).map(|(_, stream)| stream);
        std::iter::once(inode).chain(streams)
    });
    for inode in inodes {
        let Kind::File {
            content: source, ..
        } = tree.kind(inode)
        else {
            continue;
        };
        if update.is_embedded(tree, inode) {
            files
                .embedded
                .insert(inode, content_if_whole(disc, tree, inode)?);
            continue;
        }
        let is_placed = files.starts.contains_key(&(inode, 0));
        let stays = matches!(source, Content::Base(extents)
            if reburn_udf::stays_in_place(extents));
        if is_placed || stays {
            continue;
        }
        let bytes = content_if_whole(disc, tree, inode)?;
        let mut at = 0;
        for (index, extent) in file_extents(tree, inode).enumerate() {
            let start = room.take(BlockCount::for_bytes(extent.bytes)?)?;
            files.starts.insert((inode, index), start);
            let end = at + usize::try_from(extent.bytes).unwrap();
            let mut data = bytes[at..end].to_vec();
            data.resize(data.len().next_multiple_of(BLOCK_SIZE), 0);
            writes.push((start, data));
            at = end;
        }
    }
    Some(files)
}

fn ranges(writes: &[(Lba, Vec<u8>)]) -> BlockRangeList {
    let ranges = writes.iter().filter_map(|(lba, bytes)| {
        BlockRange::with_count(*lba, BlockCount::in_buffer(bytes.len()))
    });
    ranges.collect()
}

pub fn write(disc: &mut Disc, writes: &[(Lba, Vec<u8>)]) {
    for (lba, bytes) in writes {
        let at = lba.get() as usize * BLOCK_SIZE;
        disc[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

/// Checks a volume against the tree that it shall hold, and what it says of itself.
pub fn check(disc: &Disc, wanted: &BTreeMap<String, String>, time: Timestamp) {
    let (volume, found) = read(disc);
    assert_eq!(notes(&found), []);
    assert_same(&snapshot(disc, &found.tree), wanted);
    let integrity = volume.integrity().unwrap();
    assert!(integrity.is_closed);
    assert_eq!(integrity.recorded, Some(time));
    let tree = &found.tree;
    let nodes: Vec<_> = tree.walk(Tree::ROOT).map(|(node, _)| node).collect();
    let folders = nodes
        .iter()
        .filter(|node| tree.is_directory(**node))
        .count();
    assert_eq!(integrity.directories as usize, folders);
    // Before UDF 2.00 a sparable volume has a file of its own.
    let own = volume.structures().sparing.is_some() && volume.revision().0 < 0x0200;
    assert_eq!(
        integrity.files as usize,
        nodes.len() - folders + usize::from(own)
    );
    if let Some(metadata) = volume.structures().metadata {
        let extents = metadata.extents.iter();
        let blocks: u32 = extents.map(|range| range.block_count().get()).sum();
        assert_eq!(integrity.size_blocks[1], Some(blocks));
    } else {
        let free = volume.free_blocks(disc).unwrap().unwrap();
        assert_eq!(integrity.free_blocks[0].map(u64::from), Some(free));
    }
    let mut ids = BTreeMap::new();
    for &node in &nodes {
        let inode = tree.inode(node);
        let entry = found.entries.get(inode).unwrap();
        let id = entry.unique_id;
        assert!(id < integrity.next_unique_id);
        let first = *ids.entry(id).or_insert(inode);
        assert_eq!(first, inode, "two files with id {id}");
        let children = tree.children(node).iter();
        let folders = children.filter(|child| tree.is_directory(**child)).count();
        let links = tree.links(inode) as usize + folders;
        let block = at_address(disc, &volume, entry.block);
        // ECMA-167 4/14.17.6.
        let stated = u16::from_le_bytes([block[48], block[49]]);
        assert_eq!(usize::from(stated), links, "{}", tree.display_path(node));
        if tree.is_directory(node) {
            assert_untorn(&volume, block, &tree.display_path(node));
        }
    }
    let inspector = Inspector::new(disc, Session::default());
    let mut sound = |sheet: &Sheet| {
        assert!(sheet.notes.is_empty(), "{sheet}");
        ControlFlow::Continue(())
    };
    let _ = inspector.volume(&mut sound);
    for &node in nodes.iter().step_by(17) {
        let shown = inspector.file(&tree.path(node), &mut sound);
        assert!(shown.is_ok(), "{}", tree.display_path(node));
    }
}

/// Checks that the blocks of each of a directory's descriptors follow each other on the disc:
/// Linux looks up the first of them alone.
fn assert_untorn(volume: &Volume, block: &[u8], path: &str) {
    for (address, count) in directory_extents(block) {
        let first = lba_of(volume, address);
        let last = lba_of(volume, address + count - 1);
        let distance = BlockCount::new(count - 1);
        assert_eq!(
            last,
            first + distance,
            "{path}: {count} blocks at {address}"
        );
    }
}

/// The extents of a directory by its entry: first block, and how many.
pub fn directory_extents(block: &[u8]) -> Vec<(u32, u32)> {
    macro_rules! parts {
        ($form:ty) => {{
            let (entry, rest) = <$form>::view(block).unwrap();
            let attributes = entry.length_of_extended_attributes.get() as usize;
            let len = entry.length_of_allocation_descriptors.get() as usize;
            (entry.icb_tag, attributes, len, rest)
        }};
    }
    let is_extended = block[..2] == tag_id::EXTENDED_FILE_ENTRY.to_le_bytes();
    let (icb_tag, skipped, len, rest) = if is_extended {
        parts!(ExtendedFileEntry)
    } else {
        parts!(FileEntry)
    };
    let is_embedded = icb_tag.flags.get() & icb_flags::DESCRIPTORS == icb_flags::EMBEDDED;
    if is_embedded {
        return Vec::new();
    }
    let ads = rest[skipped..skipped + len].chunks_exact(ShortAd::SIZE);
    let ads = ads.map(|ad| *ShortAd::view(ad).unwrap().0);
    ads.map(|ad| {
        let blocks = BlockCount::for_bytes(ad.extent_length.get().into()).unwrap();
        (ad.extent_position.get(), blocks.get())
    })
    .collect()
}

/// The block of the disc that an address of the partition of entries is.
pub fn lba_of(volume: &Volume, address: u32) -> Lba {
    let structures = volume.structures();
    if let Some(sparing) = structures.sparing {
        let within = address % sparing.packet.get();
        let start = structures.partitions[0].start_lba();
        let home = start + BlockCount::new(address - within);
        let packet = sparing.moved.get(&home).copied().unwrap_or(home);
        return packet + BlockCount::new(within);
    }
    let mut left = address;
    for extent in structures.metadata.unwrap().extents {
        let count = extent.block_count().get();
        if left < count {
            return extent.start_lba() + BlockCount::new(left);
        }
        left -= count;
    }
    panic!("no address {address}")
}

/// The bytes at an address of the metadata partition.
pub fn at_address<'a>(disc: &'a Disc, volume: &Volume, address: u32) -> &'a [u8] {
    let at = lba_of(volume, address).get() as usize * BLOCK_SIZE;
    &disc[at..at + BLOCK_SIZE]
}

/// Whether a directory has other descriptors of the same blocks: they are cut where units end that
/// moved apart.
fn is_only_cut(was: &[u8], is: &[u8]) -> bool {
    let blocks = |entry: &[u8]| -> Vec<u32> {
        let extents = directory_extents(entry).into_iter();
        extents
            .flat_map(|(first, count)| first..first + count)
            .collect()
    };
    let differs = directory_extents(was) != directory_extents(is);
    differs && blocks(was) == blocks(is)
}

/// Checks that entries of what did not change are where they were, byte for byte.
pub fn assert_kept(
    disc: &Disc,
    (volume, base): (&Volume, &ImportedTree),
    changes: &Changes,
    now: &Disc,
) {
    let new = Volume::open(now, Session::default()).unwrap();
    let folders = changes.folders.iter();
    let folders: BTreeSet<_> = folders.map(|node| base.tree.inode(*node)).collect();
    for (node, _) in base.tree.walk(Tree::ROOT) {
        let inode = base.tree.inode(node);
        if changes.inodes.contains(&inode) || folders.contains(&inode) {
            continue;
        }
        let address = base.entries.get(inode).unwrap().block;
        let (was, is) = (
            at_address(disc, volume, address),
            at_address(now, &new, address),
        );
        if base.tree.is_directory(node) && is_only_cut(was, is) {
            continue;
        }
        assert!(was == is, "{}", base.tree.display_path(node));
    }
}
