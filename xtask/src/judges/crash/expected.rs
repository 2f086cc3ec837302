//! What readers answer where a structure is lost: the facts that the commit protocols stand on,
//! as measured with Linux 6.1, libblkid 2.38 and 7-Zip 26.02.

use reburn_blocks::Lba;
use reburn_image::{Medium, UdfRevision};
use reburn_udf::{Access, PartitionKind};

use super::answer::Reader;
use super::places::Structure;
use super::volumes::Kind;
use crate::simulate::scenario::Format;

/// How a structure is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The drive reports an error.
    Unreadable,
    /// It gives other bytes than were written, without an error.
    Garbage,
}

impl Fault {
    pub const ALL: [Self; 2] = [Self::Unreadable, Self::Garbage];

    /// A word for tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Garbage => "garbage",
        }
    }
}

/// Volumes that have the same structures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Metadata,
    Plain,
    Sparable,
    Iso,
}

impl Group {
    pub const ALL: [Self; 4] = [Self::Metadata, Self::Plain, Self::Sparable, Self::Iso];

    /// Their volume on a medium.
    pub fn kind(self, medium: Medium) -> Kind {
        use PartitionKind::{Metadata, Plain, Sparable};
        let format = match self {
            Self::Metadata => Format::Udf(UdfRevision::V2_50, Metadata, Access::ReadOnly),
            Self::Plain => Format::Udf(UdfRevision::V2_01, Plain, Access::ReadOnly),
            Self::Sparable => Format::Udf(UdfRevision::V2_01, Sparable, Access::Rewritable),
            Self::Iso => Format::Iso,
        };
        Kind { format, medium }
    }
}

/// The answers of the kernel, libblkid, 7-Zip and reburn, in words.
type Words = [&'static str; 4];

/// What is lost, and what readers make of it.
pub struct Row {
    pub group: Group,
    pub structure: Structure,
    unreadable: Words,
    garbage: Words,
    /// Why they answer so.
    pub because: &'static str,
}

impl Row {
    /// The word that a reader must answer.
    pub fn word(&self, fault: Fault, reader: Reader) -> &'static str {
        let words = match fault {
            Fault::Unreadable => self.unreadable,
            Fault::Garbage => self.garbage,
        };
        let place = Reader::ALL.iter().position(|&other| other == reader);
        place.map_or("", |place| words[place])
    }
}

const NEW: &str = "new";
const OLD: &str = "old";
const KNOWN: &str = "known";
const UNNAMED: &str = "unnamed";
const NO: &str = "refused";

use Group::{Iso, Metadata, Plain, Sparable};
use Structure::{
    Anchor, FileSet, FirstIntegrity, Free, FreeFromEnd, Head, LaterIntegrity, LogicalVolume,
    MainSequence, MetadataEntry, MirrorEntry, ReserveSequence, SparingTable,
};

const fn row(
    group: Group,
    structure: Structure,
    unreadable: Words,
    garbage: Words,
    because: &'static str,
) -> Row {
    Row {
        group,
        structure,
        unreadable,
        garbage,
        because,
    }
}

/// libblkid asks for every file system that it knows, and gives up at a read that fails: for ZFS at
/// block 128, for others at single blocks.
const PROBED: &str = "libblkid reads it in search of other file systems, and ends at an error";

const END: &str = "libblkid and 7-Zip read the last blocks, whatever is there, and end at an error";

const SHORT: &str = "libblkid reads it with many others before it, and takes what it gets of those";

/// Control of what it does not read.
const UNREAD: &str = "nothing is there, and nobody looks";

const HEAD: &str = "Linux takes an unreadable block 16 for an open disc, but garbage for no UDF; \
                    libblkid needs the sequence; 7-Zip begins at the anchor";
const FIRST_ANCHOR: &str = "Linux tries the last blocks too, libblkid only block 512, 7-Zip none";
const MAIN: &str = "Linux takes the reserve sequence, 7-Zip does not; libblkid gives up at an \
                    error, and takes no name from garbage";
const LOGICAL: &str = "the descriptor comes first, so that Linux finds nothing in the main \
                       sequence and takes the reserve, rather than half of each";
const RESERVE: &str = "nobody reads it while the main sequence is whole";
const FIRST_LVID: &str = "Linux reads without one; libblkid reads the first for the revision, and \
                          ends at an error";
const LATER_LVID: &str = "the one before prevails";
const ROOT: &str = "there is one copy of the file set, so this fault is told, not survived; \
                    libblkid does not read so far";
const MAIN_ENTRY: &str = "Linux takes the mirror's entry, 7-Zip does not know it";
const MIRROR: &str = "nobody reads it while the metadata file's entry is whole";
const TABLE: &str = "Linux takes any table that it can read";
const ISO_HEAD: &str = "there is no second place to begin; past garbage Linux goes on, up to block \
                        100, and finds the descriptors of the first session";

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row(Metadata, Head, [NEW, NO, NEW, NEW], [NO, NO, NEW, NEW], HEAD),
    row(Metadata, Anchor, [NEW, NO, NO, NEW], [NEW, NO, NO, NEW], FIRST_ANCHOR),
    row(Metadata, MainSequence, [NEW, NO, NO, NEW], [NEW, UNNAMED, NO, NEW], MAIN),
    row(Metadata, LogicalVolume, [NEW, NO, NO, NEW], [NEW, UNNAMED, NO, NEW], LOGICAL),
    row(Metadata, ReserveSequence, [NEW, KNOWN, NEW, NEW], [NEW, KNOWN, NEW, NEW], RESERVE),
    row(Metadata, FirstIntegrity, [NEW, NO, NEW, NEW], [NEW, KNOWN, NEW, NEW], FIRST_LVID),
    row(Metadata, LaterIntegrity, [NEW, KNOWN, NEW, NEW], [NEW, KNOWN, NEW, NEW], LATER_LVID),
    row(Metadata, FileSet, [NO, KNOWN, NO, NO], [NO, KNOWN, NO, NO], ROOT),
    row(Metadata, MetadataEntry, [NEW, KNOWN, NO, NEW], [NEW, KNOWN, NO, NEW], MAIN_ENTRY),
    row(Metadata, MirrorEntry, [NEW, KNOWN, NEW, NEW], [NEW, KNOWN, NEW, NEW], MIRROR),
    row(Metadata, Free(Lba::new(128)), [NEW, NO, NEW, NEW], [NEW, KNOWN, NEW, NEW], PROBED),
    row(Metadata, Free(Lba::new(224)), [NEW, KNOWN, NEW, NEW], [NEW, KNOWN, NEW, NEW], SHORT),
    row(Metadata, Free(Lba::new(512)), [NEW, NO, NEW, NEW], [NEW, KNOWN, NEW, NEW], PROBED),
    row(Metadata, Free(Lba::new(1024)), [NEW, NO, NEW, NEW], [NEW, KNOWN, NEW, NEW], PROBED),
    row(Metadata, Free(Lba::new(2048)), [NEW, NO, NEW, NEW], [NEW, KNOWN, NEW, NEW], PROBED),
    row(Metadata, FreeFromEnd(772), [NEW, NO, NEW, NEW], [NEW, KNOWN, NEW, NEW], PROBED),
    row(Metadata, FreeFromEnd(100), [NEW, NO, NO, NEW], [NEW, KNOWN, NEW, NEW], END),
    row(Metadata, Free(Lba::new(1536)), [NEW, KNOWN, NEW, NEW], [NEW, KNOWN, NEW, NEW], UNREAD),
    row(Metadata, FreeFromEnd(1000), [NEW, KNOWN, NEW, NEW], [NEW, KNOWN, NEW, NEW], UNREAD),
    row(Plain, Head, [NEW, NO, NEW, NEW], [NO, NO, NEW, NEW], HEAD),
    row(Plain, Anchor, [NEW, NO, NO, NEW], [NEW, NO, NO, NEW], FIRST_ANCHOR),
    row(Plain, MainSequence, [NEW, NO, NO, NEW], [NEW, UNNAMED, NO, NEW], MAIN),
    row(Plain, LogicalVolume, [NEW, NO, NO, NEW], [NEW, UNNAMED, NO, NEW], LOGICAL),
    row(Plain, ReserveSequence, [NEW, KNOWN, NEW, NEW], [NEW, KNOWN, NEW, NEW], RESERVE),
    row(Plain, FirstIntegrity, [NEW, NO, NEW, NEW], [NEW, KNOWN, NEW, NEW], FIRST_LVID),
    row(Plain, LaterIntegrity, [NEW, KNOWN, NEW, NEW], [NEW, KNOWN, NEW, NEW], LATER_LVID),
    row(Plain, FileSet, [NO, KNOWN, NO, NO], [NO, KNOWN, NO, NO], ROOT),
    // 7-Zip knows no sparable partitions, so it refuses all of these.
    row(Sparable, Head, [NEW, NO, NO, NEW], [NO, NO, NO, NEW], HEAD),
    row(Sparable, Anchor, [NEW, NO, NO, NEW], [NEW, NO, NO, NEW], FIRST_ANCHOR),
    row(Sparable, MainSequence, [NEW, NO, NO, NEW], [NEW, UNNAMED, NO, NEW], MAIN),
    row(Sparable, LogicalVolume, [NEW, NO, NO, NEW], [NEW, UNNAMED, NO, NEW], LOGICAL),
    row(Sparable, ReserveSequence, [NEW, KNOWN, NO, NEW], [NEW, KNOWN, NO, NEW], RESERVE),
    row(Sparable, FirstIntegrity, [NEW, NO, NO, NEW], [NEW, KNOWN, NO, NEW], FIRST_LVID),
    row(Sparable, LaterIntegrity, [NEW, KNOWN, NO, NEW], [NEW, KNOWN, NO, NEW], LATER_LVID),
    row(Sparable, FileSet, [NO, KNOWN, NO, NO], [NO, KNOWN, NO, NO], ROOT),
    row(Sparable, SparingTable(0), [NEW, KNOWN, NO, NEW], [NEW, KNOWN, NO, NEW], TABLE),
    row(Sparable, SparingTable(1), [NEW, KNOWN, NO, NEW], [NEW, KNOWN, NO, NEW], TABLE),
    row(Iso, Head, [NO, NO, NO, NO], [OLD, NO, NO, NO], ISO_HEAD),
];
