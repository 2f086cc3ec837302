//! A virtual disc: a medium with its state and content, in memory or in a file.

use std::io;
use std::path::Path;
use std::sync::Arc;

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRead, Lba, ReadError, WriteUnit};

use crate::content::{Content, DiscFile, Opened, UnitError};
use crate::state::{FormatState, MediumState};
use crate::{DiscError, MediumKind};

/// A virtual disc. What stands on it is durable: a drive's buffer is not part of it.
///
/// As a [`BlockRead`] it shows its blocks without a drive, for tests and tools.
#[derive(Debug)]
pub struct VirtualDisc {
    kind: MediumKind,
    state: MediumState,
    content: Content,
}

impl VirtualDisc {
    /// A new disc in memory, as it is sold: DVD-RAM formatted, the others not.
    pub fn in_memory(kind: MediumKind) -> Self {
        Self {
            kind,
            state: MediumState::factory(kind),
            content: Content::in_memory(kind.write_unit()),
        }
    }

    /// A new disc in memory, formatted in the ordinary way.
    pub fn formatted(kind: MediumKind) -> Self {
        Self {
            state: MediumState::formatted(kind),
            ..Self::in_memory(kind)
        }
    }

    /// A new disc in a new file, as it is sold. The file takes room as the disc is recorded.
    pub fn create(path: &Path, kind: MediumKind) -> Result<Self, DiscError> {
        let state = MediumState::factory(kind);
        let file = DiscFile::create(path, kind, &state)?;
        let content = Content::in_new_file(kind.write_unit(), file);
        Ok(Self {
            kind,
            state,
            content,
        })
    }

    /// The disc in a file. Only what a drive has made durable is in it: a process that ended
    /// before it synchronized left the disc as a power cut would have. A track that it was
    /// recording goes on after the last unit that it recorded.
    pub fn open(path: &Path) -> Result<Self, DiscError> {
        Ok(Self::from_opened(DiscFile::open(path)?, false))
    }

    /// The disc in a file, to be recorded on without changing the file: the changes stay in
    /// memory.
    pub fn open_scratch(path: &Path) -> Result<Self, DiscError> {
        let opened = DiscFile::open_read_only(path)?;
        Ok(Self::from_opened(opened, true))
    }

    fn from_opened(opened: Opened, scratch: bool) -> Self {
        let kind = opened.file.kind();
        let (content, state) = Content::opened(opened, scratch);
        Self {
            kind,
            state,
            content,
        }
    }

    /// A copy that shares all content with this disc until either is recorded on: it costs a
    /// few references. [`DiscError::NotShareable`] for a disc that records into a file.
    pub fn snapshot(&self) -> Result<Self, DiscError> {
        Ok(Self {
            kind: self.kind,
            state: self.state.clone(),
            content: self.content.share().ok_or(DiscError::NotShareable)?,
        })
    }

    /// What kind of medium it is.
    pub fn kind(&self) -> MediumKind {
        self.kind
    }

    /// What it remembers besides its content.
    pub fn state(&self) -> &MediumState {
        &self.state
    }

    /// Forbids writing, or allows it again.
    pub fn set_write_protected(&mut self, write_protected: bool) -> io::Result<()> {
        self.set_state(MediumState {
            write_protected,
            ..self.state.clone()
        })
    }

    /// Makes the write unit that holds `lba` unreadable until it is recorded again as a whole:
    /// a scratch, or age.
    ///
    /// # Panics
    /// If the medium has no such block.
    pub fn make_unreadable(&mut self, lba: Lba) -> io::Result<()> {
        assert!(
            lba.get() < self.kind.blocks_max().get(),
            "block {lba} is past the medium"
        );
        let unit = self.kind.write_unit().index_of(lba);
        self.content.lose(self.content.place_of(unit))
    }

    /// The write units that cannot be read, as blocks, ascending.
    pub fn unreadable(&self) -> impl Iterator<Item = BlockRange> {
        let unit = self.kind.write_unit();
        self.content
            .unreadable()
            .filter_map(move |number| unit_range(unit, number))
    }

    /// Stores another state.
    pub(crate) fn set_state(&mut self, state: MediumState) -> io::Result<()> {
        debug_assert_eq!(state.check(self.kind), Ok(()));
        if state == self.state {
            return Ok(());
        }
        self.state = state;
        match self.content.file() {
            Some(file) => file.write_state(&self.state),
            None => Ok(()),
        }
    }

    /// Stores what recording has changed of the state.
    pub(crate) fn store_state(&self) -> io::Result<()> {
        match self.content.file() {
            Some(file) => file.write_state(&self.state),
            None => Ok(()),
        }
    }

    /// Makes the whole content zeros and readable, as a format does.
    pub(crate) fn erase(&mut self) -> io::Result<()> {
        self.content.erase()
    }

    /// Reads `buf.len()` bytes of a write unit from byte `offset` on.
    pub(crate) fn read_unit(
        &self,
        unit: u32,
        offset: usize,
        buf: &mut [u8],
    ) -> Result<(), UnitError> {
        self.content.read(unit, offset, buf)
    }

    /// Records a whole write unit. [`VirtualDisc::settle`] follows the last one of a run.
    pub(crate) fn record_unit(&mut self, unit: u32, data: Arc<[u8]>) -> io::Result<()> {
        self.content.record(unit, data)
    }

    /// Records a unit, or leaves it unreadable (`None`), at the next writable block of the track
    /// that is being recorded, which moves behind it. The state is stored with the next
    /// [`VirtualDisc::set_state`].
    pub(crate) fn append_unit(&mut self, unit: u32, data: Option<Arc<[u8]>>) -> io::Result<()> {
        match data {
            Some(data) => self.content.append(unit, data)?,
            None => self.content.append_torn(unit)?,
        }
        self.state.reached(end_of_unit(self.kind, unit));
        Ok(())
    }

    /// Records a unit in place of one that was recorded before, or fails to (`None`), which
    /// leaves that one as it was. `target` is what takes it.
    pub(crate) fn replace_unit(
        &mut self,
        unit: u32,
        target: u32,
        data: Option<Arc<[u8]>>,
    ) -> io::Result<()> {
        let area = self
            .state
            .user_area(self.kind)
            .units(self.kind.write_unit());
        match data {
            Some(data) => {
                self.content.replace(unit, target, data)?;
                self.state.replacements += 1;
            }
            None => self.content.lose(target)?,
        }
        if target < area {
            self.state.reached(end_of_unit(self.kind, target));
        } else {
            self.state.spares_used = self.state.spares_used.max(target + 1 - area);
        }
        Ok(())
    }

    /// Counts a unit as taken: a spare one, or the next one of the track that is being recorded.
    pub(crate) fn use_up(&mut self, unit: u32) {
        let area = self
            .state
            .user_area(self.kind)
            .units(self.kind.write_unit());
        if unit < area {
            self.state.reached(end_of_unit(self.kind, unit));
        } else {
            self.state.spares_used = self.state.spares_used.max(unit + 1 - area);
        }
    }

    /// Records a unit, or leaves it unreadable (`None`), on a medium whose units are recorded
    /// once.
    pub(crate) fn record_once(&mut self, unit: u32, data: Option<Arc<[u8]>>) -> io::Result<()> {
        self.content.mark_recorded(unit)?;
        match data {
            Some(data) => self.content.record(unit, data)?,
            None => self.content.lose(unit)?,
        }
        let end = end_of_unit(self.kind, unit);
        self.state
            .reached(end.max(self.state.tracks.recorded_end()));
        Ok(())
    }

    /// Whether a unit of such a medium was recorded.
    pub(crate) fn is_recorded(&self, unit: u32) -> bool {
        self.content.is_recorded(unit)
    }

    /// How many units show what is recorded elsewhere.
    pub fn replaced_units(&self) -> usize {
        self.content.replaced()
    }

    /// Records a unit at the end of a border that grows.
    pub(crate) fn grow_to(&mut self, unit: u32) {
        if let FormatState::Formatted(blocks) = &mut self.state.format {
            *blocks = (*blocks).max(BlockCount::new(end_of_unit(self.kind, unit).get()));
        }
    }

    /// Leaves a write unit unreadable, as a torn or failed write does.
    pub(crate) fn lose_unit(&mut self, unit: u32) -> io::Result<()> {
        self.content.lose(unit)
    }

    /// Ends a run of recorded units.
    pub(crate) fn settle(&self) -> io::Result<()> {
        self.content.settle()
    }

    /// Waits until the host has stored what was recorded.
    pub(crate) fn sync(&self) -> io::Result<()> {
        match self.content.file() {
            Some(file) => file.sync(),
            None => Ok(()),
        }
    }
}

/// The block after a write unit of a medium.
pub(crate) fn end_of_unit(kind: MediumKind, unit: u32) -> Lba {
    Lba::new((unit + 1) * kind.write_unit().blocks().get())
}

/// The blocks of a write unit; `None` past the address space.
pub(crate) fn unit_range(unit: WriteUnit, number: u32) -> Option<BlockRange> {
    let first = u64::from(number) * u64::from(unit.blocks().get());
    BlockRange::with_count(Lba::checked(first)?, unit.blocks())
}

/// The parts of write units that a run of blocks covers: unit, first byte in it, bytes.
pub(crate) fn unit_parts(
    unit: WriteUnit,
    range: BlockRange,
) -> impl Iterator<Item = (u32, usize, usize)> {
    let (first, last) = (
        unit.index_of(range.start_lba()),
        unit.index_of(range.end_lba()),
    );
    (first..=last).filter_map(move |number| {
        let part = unit_range(unit, number)?.intersection(range)?;
        let skipped = part.start_lba().get() % unit.blocks().get();
        let offset = skipped as usize * BLOCK_SIZE;
        Some((number, offset, part.block_count().as_usize() * BLOCK_SIZE))
    })
}

impl BlockRead for VirtualDisc {
    fn block_count(&self) -> BlockCount {
        self.state.blocks()
    }

    fn read_blocks(&self, start: Lba, mut buf: &mut [u8]) -> Result<(), ReadError> {
        let count = BlockCount::checked((buf.len() / BLOCK_SIZE) as u64);
        if count == Some(BlockCount::ZERO) {
            return Ok(());
        }
        let available = self.block_count();
        let range = count.and_then(|count| BlockRange::with_count(start, count));
        let Some(range) = range.filter(|range| range.end_exclusive() <= available.get()) else {
            return Err(ReadError::OutOfRange {
                range: range.unwrap_or(BlockRange::single(start)),
                available,
            });
        };
        let unit = self.kind.write_unit();
        for (number, offset, len) in unit_parts(unit, range) {
            let (part, rest) = buf.split_at_mut(len);
            let lba = || {
                let first = unit_range(unit, number).map_or(start, BlockRange::start_lba);
                first.max(start)
            };
            self.read_unit(number, offset, part)
                .map_err(|error| match error {
                    UnitError::Unreadable => ReadError::Unreadable {
                        lba: lba(),
                        reason: "its write unit is damaged".into(),
                    },
                    UnitError::Host(source) => ReadError::Io { lba: lba(), source },
                })?;
            buf = rest;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn units(value: u8, unit: WriteUnit) -> Arc<[u8]> {
        vec![value; unit.bytes()].into()
    }

    #[test]
    fn a_snapshot_stays_as_it_was() {
        let kind = MediumKind::BdRe;
        let mut disc = VirtualDisc::formatted(kind);
        disc.record_unit(3, units(1, kind.write_unit())).unwrap();
        let copy = disc.snapshot().unwrap();
        disc.record_unit(3, units(2, kind.write_unit())).unwrap();
        disc.make_unreadable(Lba::new(320)).unwrap();
        let mut block = [0; BLOCK_SIZE];
        copy.read_blocks(Lba::new(97), &mut block).unwrap();
        assert_eq!(block, [1; BLOCK_SIZE]);
        copy.read_blocks(Lba::new(320), &mut block).unwrap();
        disc.read_blocks(Lba::new(97), &mut block).unwrap();
        assert_eq!(block, [2; BLOCK_SIZE]);
        let error = disc.read_blocks(Lba::new(335), &mut block).unwrap_err();
        assert_snapshot!(error, @"block 335 cannot be read: its write unit is damaged");
    }

    #[test]
    fn a_disc_persists_in_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disc");
        let kind = MediumKind::DvdPlusRw;
        let mut disc = VirtualDisc::create(&path, kind).unwrap();
        assert_eq!(disc.state().format, FormatState::Unformatted);
        disc.set_state(MediumState::formatted(kind)).unwrap();
        disc.record_unit(2, units(7, kind.write_unit())).unwrap();
        disc.settle().unwrap();
        disc.make_unreadable(Lba::new(50)).unwrap();
        assert!(matches!(disc.snapshot(), Err(DiscError::NotShareable)));
        assert!(matches!(
            VirtualDisc::open(&path),
            Err(DiscError::InUse { .. })
        ));
        drop(disc);

        let mut disc = VirtualDisc::open(&path).unwrap();
        assert_eq!(disc.kind(), kind);
        assert_eq!(disc.block_count(), kind.capacity());
        let mut block = [0; BLOCK_SIZE];
        disc.read_blocks(Lba::new(47), &mut block).unwrap();
        assert_eq!(block, [7; BLOCK_SIZE]);
        let lost: Vec<_> = disc.unreadable().map(|range| range.to_string()).collect();
        assert_eq!(lost, ["48-63"]);
        disc.record_unit(3, units(8, kind.write_unit())).unwrap();
        disc.settle().unwrap();
        drop(disc);
        let disc = VirtualDisc::open(&path).unwrap();
        assert_eq!(
            disc.unreadable().count(),
            0,
            "recorded again, it is readable"
        );
    }

    #[test]
    fn a_unit_in_flight_when_the_process_died_is_unreadable() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disc");
        let kind = MediumKind::DvdRam;
        let mut disc = VirtualDisc::create(&path, kind).unwrap();
        disc.record_unit(5, units(1, kind.write_unit())).unwrap();
        drop(disc); // without settling: killed while recording
        let disc = VirtualDisc::open(&path).unwrap();
        let lost: Vec<_> = disc.unreadable().map(|range| range.to_string()).collect();
        assert_eq!(lost, ["80-95"]);
    }

    #[test]
    fn a_scratch_disc_leaves_its_file_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disc");
        let kind = MediumKind::DvdRam;
        let mut disc = VirtualDisc::create(&path, kind).unwrap();
        disc.record_unit(0, units(1, kind.write_unit())).unwrap();
        disc.settle().unwrap();
        drop(disc);
        let before = std::fs::metadata(&path).unwrap().modified().unwrap();
        let mut scratch = VirtualDisc::open_scratch(&path).unwrap();
        scratch.record_unit(0, units(2, kind.write_unit())).unwrap();
        scratch.make_unreadable(Lba::new(16)).unwrap();
        let copy = scratch.snapshot().unwrap();
        let mut block = [0; BLOCK_SIZE];
        copy.read_blocks(Lba::ZERO, &mut block).unwrap();
        assert_eq!(block, [2; BLOCK_SIZE]);
        drop((scratch, copy));
        assert_eq!(
            std::fs::metadata(&path).unwrap().modified().unwrap(),
            before
        );
        let disc = VirtualDisc::open(&path).unwrap();
        disc.read_blocks(Lba::ZERO, &mut block).unwrap();
        assert_eq!(block, [1; BLOCK_SIZE]);
    }

    #[test]
    fn a_state_that_was_not_written_whole_leaves_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disc");
        let kind = MediumKind::BdRe;
        let mut disc = VirtualDisc::create(&path, kind).unwrap();
        disc.set_state(MediumState::formatted(kind)).unwrap();
        drop(disc);
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        // The second state is in the first slot.
        reburn_blocks::positioned::write_all_at(&file, &[9], 0x1000 + 20).unwrap();
        let disc = VirtualDisc::open(&path).unwrap();
        assert_eq!(disc.state(), &MediumState::factory(kind));
    }

    #[test]
    fn files_that_are_no_discs_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disc");
        let says = |result: Result<VirtualDisc, DiscError>| {
            let text = result.map(drop).unwrap_err().to_string();
            text.replace(&dir.path().display().to_string(), "DIR")
        };
        std::fs::write(&path, b"REBURN").unwrap();
        assert_snapshot!(
            says(VirtualDisc::open(&path)),
            @"DIR/disc: this file is not a virtual disc; create one first, under another name"
        );
        std::fs::write(&path, vec![0; 100_000]).unwrap();
        assert!(says(VirtualDisc::open(&path)).contains("not a virtual disc"));
        assert!(says(VirtualDisc::create(&path, MediumKind::BdRe)).contains("exists"));
        assert!(says(VirtualDisc::open(&dir.path().join("none"))).contains("none: "));
    }

    #[test]
    fn damaged_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disc");
        drop(VirtualDisc::create(&path, MediumKind::DvdPlusRw).unwrap());
        let patched = |offset: u64, bytes: &[u8]| {
            use std::io::{Read, Seek, SeekFrom, Write};
            let mut file = std::fs::File::options()
                .read(true)
                .write(true)
                .open(&path)
                .unwrap();
            let mut swap = |bytes: &[u8]| {
                let mut before = vec![0; bytes.len()];
                file.seek(SeekFrom::Start(offset)).unwrap();
                file.read_exact(&mut before).unwrap();
                file.seek(SeekFrom::Start(offset)).unwrap();
                file.write_all(bytes).unwrap();
                before
            };
            let before = swap(bytes);
            let text = VirtualDisc::open(&path).map(drop).unwrap_err().to_string();
            swap(&before);
            text.replace(&dir.path().display().to_string(), "DIR")
        };
        assert_snapshot!(
            patched(16, &[0, 0, 0, 1]),
            @"DIR/disc: this virtual disc has version 1; only version 2 is known here"
        );
        assert_snapshot!(
            patched(20, &[0, 0, 0, 99]),
            @"DIR/disc: this virtual disc is damaged: kind of medium 99"
        );
        let geometry = patched(20, &[0, 0, 0, 3]);
        assert!(
            geometry
                .ends_with("143444 write units of 32768 bytes, where a bd-re has 381856 of 65536"),
            "{geometry}"
        );
        assert_snapshot!(
            patched(0x11010, &[7]),
            @"DIR/disc: this virtual disc is damaged: neither copy of its state is whole"
        );
        assert_snapshot!(
            patched(1024, &[0xff; 4]),
            @"DIR/disc: this virtual disc is damaged: write unit 4294967294 in flight, of 143444"
        );
    }
}
