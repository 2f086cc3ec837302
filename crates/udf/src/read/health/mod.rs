//! What of a volume is not whole, though it can be read: structures that stand on the disc twice
//! and differ, or of which a copy is lost; and what to write over them.
//!
//! Invariants: nothing is mended but from a copy that passed the reader's checks; what readers show
//! of the volume is what a mend leads to; no mend names a block that is not of the structure that
//! it mends.

mod anchors;
mod integrity;
mod metadata;
mod sequences;
mod sparing;

use std::cell::RefCell;

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRead, Lba, WriteUnit};
use reburn_record::Record;

use super::disc::Disc;
use super::entry::Reader;
use super::note::NoteKind;
use super::partitions::Kind;
use super::volume::Volume;
use crate::UdfRevision;
use crate::records::VolumeStructure;

/// Something of a volume that is not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// What it is.
    pub kind: FlawKind,
    /// The blocks of the structure.
    pub range: BlockRange,
    /// What to write there; none where nothing on the disc says what should stand there.
    pub mends: Vec<Mend>,
}

/// Blocks as they should stand on the disc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mend {
    /// The first of them.
    pub start: Lba,
    /// Their bytes, whole blocks.
    pub bytes: Vec<u8>,
}

/// What is not whole, and what that means to readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlawKind {
    /// An anchor is lost (ECMA-167 3/10.2).
    #[error("an anchor is lost; programs that look for the volume there alone do not find it")]
    Anchor,
    /// Fewer anchors than UDF 2.2.3 asks for.
    #[error("the volume has a single anchor; if that is lost, so is the volume")]
    SingleAnchor,
    /// An anchor leads to another description of the volume, which can be read too.
    #[error("an anchor leads to other descriptors, so programs may show another volume")]
    OtherAnchor,
    /// The main volume descriptor sequence (ECMA-167 3/8.4.2).
    #[error(
        "the main volume descriptor sequence cannot be used; programs that do not try the reserve \
         sequence see no volume"
    )]
    MainSequence,
    /// A damaged descriptor in the main sequence.
    #[error(
        "the main volume descriptor sequence has damaged descriptors, of which the reserve sequence \
         has whole ones"
    )]
    DamagedSequence,
    /// The reserve volume descriptor sequence.
    #[error(
        "the reserve volume descriptor sequence is lost; if the main one is too, so is the volume"
    )]
    ReserveSequence,
    /// Both can be read, and are of two states of the volume.
    #[error(
        "the reserve volume descriptor sequence is of another state of the volume than the main \
         one, which readers show"
    )]
    SequencesDiffer,
    /// The entry of the metadata file (UDF 2.2.13).
    #[error(
        "the entry of the metadata file cannot be used; programs that do not try its mirror see no \
         files"
    )]
    MetadataEntry,
    /// The entry of its mirror.
    #[error(
        "the entry of the metadata mirror file is lost; if the file's own is too, so are all names"
    )]
    MirrorEntry,
    /// Both can be read, and are of two states of the volume.
    #[error(
        "the metadata mirror file is of another state of the volume than the metadata file, which \
         readers show"
    )]
    MirrorDiffers,
    /// A volume that has all metadata twice has them once.
    #[error(
        "the metadata mirror file has no blocks of its own, though the volume says so; the next edit \
         writes them"
    )]
    NoSecondCopy,
    /// Blocks of the metadata file whose second copy is good.
    #[error(
        "blocks of the metadata file are lost; readers that do not try the mirror see no such files"
    )]
    MetadataBlocks,
    /// Blocks of the mirror file whose first copy is good.
    #[error(
        "blocks of the metadata mirror file are lost, or differ from those of the metadata file"
    )]
    MirrorBlocks,
    /// A sparing table (UDF 2.2.12).
    #[error("a sparing table is lost; if the others are too, so is what is in spare packets")]
    SparingTable,
    /// Two tables are of two states of the volume.
    #[error("a sparing table says something else than the first one, which readers use")]
    SparingDiffers,
    /// A place for an integrity descriptor (ECMA-167 3/10.10).
    #[error(
        "the integrity sequence breaks off in a block that cannot be read; some systems refuse the \
         volume then"
    )]
    Integrity,
    /// The bitmap of free space (ECMA-167 4/14.12).
    #[error("the bitmap of free space cannot be read; the volume can be read but not written")]
    SpaceBitmap,
}

impl FlawKind {
    /// Whether readers, which look at the first copy first, show the same with a structure like
    /// this lost, so that it may be torn while it is written.
    pub const fn is_second_copy(self) -> bool {
        matches!(
            self,
            Self::ReserveSequence
                | Self::SequencesDiffer
                | Self::MirrorEntry
                | Self::MirrorDiffers
                | Self::NoSecondCopy
                | Self::MirrorBlocks
                | Self::SparingDiffers
        )
    }

    /// The note that a reader makes of it, if it makes one.
    pub const fn note(self) -> Option<NoteKind> {
        Some(match self {
            Self::MainSequence => NoteKind::ReserveSequence,
            Self::DamagedSequence => NoteKind::DamagedDescriptor,
            Self::MetadataEntry => NoteKind::MetadataMirror,
            Self::MirrorEntry => NoteKind::NoMirror,
            Self::MetadataBlocks => NoteKind::MirrorBlock,
            Self::SparingTable => NoteKind::SparingTable,
            Self::Integrity => NoteKind::NoIntegrity,
            _ => return None,
        })
    }
}

impl Volume {
    /// What is not whole, the structures that lead to others first. `unit` is what the medium
    /// loses at once.
    ///
    /// The recognition sequence is not looked at: other file systems decide where it stands.
    pub fn flaws(&self, disc: &dyn BlockRead, unit: WriteUnit) -> Vec<Flaw> {
        let examined = Examined {
            volume: self,
            source: disc,
            disc: Disc::new(disc),
            unit,
        };
        let mut flaws = examined.anchors();
        flaws.extend(examined.sequences());
        flaws.extend(examined.sparing_tables());
        flaws.extend(examined.metadata_file());
        flaws.extend(examined.integrity());
        flaws.extend(examined.space_bitmaps());
        // What else is in the blocks of other sizes is not looked at.
        if self.block_size() as usize != BLOCK_SIZE {
            for flaw in &mut flaws {
                flaw.mends.clear();
            }
        }
        flaws
    }

    /// The descriptor sequence that is not as the one that readers take.
    pub(crate) fn flawed_sequence(&self, disc: &dyn BlockRead) -> Option<Flaw> {
        let examined = Examined {
            volume: self,
            source: disc,
            disc: Disc::new(disc),
            unit: WriteUnit::FILE,
        };
        examined.sequences().pop()
    }

    /// Whether the main descriptor sequence cannot be used, so that readers take the reserve one.
    pub fn is_read_by_reserve(&self) -> bool {
        let mut notes = self.notes().iter();
        notes.any(|note| note.kind == NoteKind::ReserveSequence)
    }

    /// The recognition sequence of the volume (ECMA-167 2/8.3, UDF 2.1.7): three blocks.
    pub fn recognition_blocks(&self) -> Vec<u8> {
        let is_second = self.revision().0 < UdfRevision::V2_00.code();
        let edition = if is_second {
            VolumeStructure::NSR02
        } else {
            VolumeStructure::NSR03
        };
        let mut out = Vec::with_capacity(3 * BLOCK_SIZE);
        for identifier in [VolumeStructure::BEGIN, edition, VolumeStructure::END] {
            let mut structure = VolumeStructure::zeroed();
            structure.standard_identifier = *identifier;
            structure.structure_version = 1;
            out.extend_from_slice(structure.bytes());
        }
        out
    }
}

/// A volume that is looked at.
struct Examined<'a> {
    volume: &'a Volume,
    source: &'a dyn BlockRead,
    disc: Disc<'a>,
    unit: WriteUnit,
}

impl Examined<'_> {
    /// A block, if it can be read.
    fn block(&self, lba: Lba) -> Option<Vec<u8>> {
        let mut block = vec![0; BLOCK_SIZE];
        self.source.read_blocks(lba, &mut block).ok()?;
        Some(block)
    }

    /// Bitmaps and tables of free space that cannot be read.
    fn space_bitmaps(&self) -> Vec<Flaw> {
        let partitions = &self.volume.partitions;
        let notes = RefCell::default();
        let reader = Reader::new(&self.disc, partitions, &notes);
        let mut flaws = Vec::new();
        for (index, map) in (0u16..).zip(&partitions.maps) {
            if matches!(map.kind, Kind::Plain | Kind::Sparable(_))
                && let Some((descriptor, at)) = self.volume.sequence.partitions.get(&map.number)
                && reader.free_space(index, descriptor, *at).is_err()
                && let Some(lba) = Lba::checked(at / BLOCK_SIZE as u64)
            {
                flaws.push(Flaw {
                    kind: FlawKind::SpaceBitmap,
                    range: BlockRange::single(lba),
                    mends: Vec::new(),
                });
            }
        }
        flaws
    }
}

/// The blocks from `start` on that some bytes fill.
fn range_of(start: Lba, bytes: &[u8]) -> BlockRange {
    BlockRange::with_count(start, BlockCount::in_buffer(bytes.len()))
        .unwrap_or(BlockRange::single(start))
}
