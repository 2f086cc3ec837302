//! The volume descriptors of a session, and which trees they lead to.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRead, Lba};
use reburn_record::Record;

use super::area::SystemUseReader;
use super::directory::RawRecord;
use super::disc::Disc;
use super::name::append_ucs2;
use super::system_use::SystemUse;
use super::{Hierarchy, Nsr};
use crate::records::{
    BOOT_RECORD, BootRecord, DirectoryRecord, PRIMARY, STANDARD_IDENTIFIER, SUPPLEMENTARY,
    SYSTEM_AREA_BLOCKS, TERMINATOR, VolumeDescriptor, VolumeDescriptorHead,
};
use crate::{Corrupt, Incompatible, IsoError, Place};

/// Descriptors looked at, as many as Linux does.
const DESCRIPTORS_MAX: u32 = 84;

/// Escape sequences of Joliet levels 1 to 3.
const JOLIET_ESCAPES: [&[u8]; 3] = [b"%/@", b"%/C", b"%/E"];

/// An ISO 9660 volume: the descriptors of one session.
#[derive(Debug, Clone)]
pub struct Volume {
    start: Lba,
    blocks: BlockRange,
    primary: Placed,
    supplementary: Vec<Placed>,
    hierarchies: Vec<Hierarchy>,
    susp: Option<Susp>,
    boot_catalog: Option<Lba>,
    udf: Option<Nsr>,
}

/// A descriptor and the block that it is in.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) lba: Lba,
    pub(super) descriptor: Box<VolumeDescriptor>,
}

impl Volume {
    /// Reads the descriptors of the session that starts at `start`: block 0 on a disc with one
    /// session. The descriptors themselves begin 16 blocks later.
    ///
    /// # Errors
    /// [`IsoError::Incompatible`] where no ISO 9660 volume is, [`IsoError::Corrupt`] where its
    /// descriptors lack the primary one.
    pub fn open(disc: &dyn BlockRead, start: Lba) -> Result<Self, IsoError> {
        let disc = Disc::new(disc);
        let mut found = Found::scan(disc, start)?;
        let first = found.first;
        let head = |field| Place::of::<VolumeDescriptorHead>(first, 0, field);
        let Some(primary) = found.primary.take() else {
            return Err(head("descriptor_type").corrupt(Corrupt::NoPrimary));
        };
        let block_size = primary.descriptor.logical_block_size.le();
        if usize::from(block_size) != BLOCK_SIZE {
            return Err(primary
                .place("logical_block_size")
                .incompatible(Incompatible::LogicalBlockSize(block_size)));
        }
        let rock_ridge = find_rock_ridge(disc, &primary)?;
        let mut volume = Self {
            start,
            blocks: BlockRange::new(first, found.last).unwrap_or(BlockRange::single(first)),
            primary,
            supplementary: found.supplementary,
            hierarchies: Vec::new(),
            susp: rock_ridge.susp,
            boot_catalog: found.boot_catalog,
            udf: found.udf,
        };
        let by_preference = [
            Hierarchy::RockRidge,
            Hierarchy::Joliet,
            Hierarchy::Enhanced,
            Hierarchy::Plain,
        ];
        volume.hierarchies = by_preference
            .into_iter()
            .filter(|&hierarchy| match hierarchy {
                Hierarchy::RockRidge => rock_ridge.is_used,
                _ => volume.placed(hierarchy).is_some(),
            })
            .collect();
        Ok(volume)
    }

    /// The first block of the session.
    pub fn start(&self) -> Lba {
        self.start
    }

    /// The trees that the volume has, the best first: Rock Ridge, Joliet, ISO 9660:1999, plain.
    /// Never empty.
    pub fn hierarchies(&self) -> &[Hierarchy] {
        &self.hierarchies
    }

    /// The tree that says most about its files.
    pub fn best(&self) -> Hierarchy {
        self.hierarchies
            .first()
            .copied()
            .unwrap_or(Hierarchy::Plain)
    }

    /// The primary volume descriptor as it stands on disc (ECMA-119 8.4).
    pub fn primary(&self) -> &VolumeDescriptor {
        &self.primary.descriptor
    }

    /// The descriptor that leads to a tree; Rock Ridge shares the primary one.
    pub fn descriptor(&self, hierarchy: Hierarchy) -> Option<&VolumeDescriptor> {
        self.placed(hierarchy).map(|placed| &*placed.descriptor)
    }

    /// The volume identifier that goes with a tree, without the spaces after it.
    pub fn volume_identifier(&self, hierarchy: Hierarchy) -> Option<String> {
        let field = self.descriptor(hierarchy)?.volume_identifier;
        let mut text = Vec::new();
        if hierarchy == Hierarchy::Joliet {
            append_ucs2(field.raw(), &mut text);
        } else {
            text.extend_from_slice(field.raw());
        }
        let text = String::from_utf8_lossy(&text);
        Some(text.trim_end_matches([' ', '\0']).to_owned())
    }

    /// The size of the volume as the primary descriptor states it, counted from the start of
    /// the session on (ECMA-119 8.4.8).
    pub fn volume_space(&self) -> BlockCount {
        BlockCount::new(self.primary().volume_space_size.le())
    }

    /// The blocks of the descriptors, terminator included.
    pub fn descriptor_blocks(&self) -> BlockRange {
        self.blocks
    }

    /// The block of the boot catalog, if a boot record of El Torito names one.
    pub fn boot_catalog(&self) -> Option<Lba> {
        self.boot_catalog
    }

    /// Which recognition sequence of UDF follows the descriptors, if one does: then the disc
    /// is a bridge, and UDF has blocks of its own in use that ISO 9660 knows nothing about.
    pub fn udf(&self) -> Option<Nsr> {
        self.udf
    }

    /// The root's record in a hierarchy, and where SUSP entries begin in the system use area of
    /// the root's own record and in all others, where there are any.
    pub(crate) fn raw_root(
        &self,
        hierarchy: Hierarchy,
    ) -> Option<(&DirectoryRecord, Option<[usize; 2]>)> {
        let placed = self.placed(hierarchy)?;
        let susp = self.susp(placed);
        let susp = susp.map(|susp| [susp.root_offset, susp.offset]);
        Some((&placed.descriptor.root.head, susp))
    }

    pub(super) fn placed(&self, hierarchy: Hierarchy) -> Option<&Placed> {
        let mut supplementary = self.supplementary.iter();
        match hierarchy {
            Hierarchy::RockRidge | Hierarchy::Plain => Some(&self.primary),
            Hierarchy::Joliet => supplementary.find(|placed| placed.is_joliet()),
            Hierarchy::Enhanced => supplementary.find(|placed| placed.is_enhanced()),
        }
    }

    /// How the system use areas of a tree are to be read, if they are.
    pub(super) fn susp(&self, placed: &Placed) -> Option<Susp> {
        let shares_root = |root: &VolumeDescriptor| {
            root.root.head.extent_location.le() == self.primary().root.head.extent_location.le()
        };
        self.susp.filter(|_| shares_root(&placed.descriptor))
    }

    /// All descriptors that lead to a tree, the primary one first.
    pub(super) fn all_placed(&self) -> impl Iterator<Item = &Placed> {
        std::iter::once(&self.primary).chain(&self.supplementary)
    }
}

impl Placed {
    pub(super) fn place(&self, field: &'static str) -> Place {
        Place::of::<VolumeDescriptor>(self.lba, 0, field)
    }

    fn is_joliet(&self) -> bool {
        let escapes = &self.descriptor.escape_sequences;
        JOLIET_ESCAPES
            .iter()
            .any(|joliet| escapes.starts_with(joliet))
    }

    /// Version 2 tells an enhanced descriptor from a supplementary one (ISO 9660:1999 8.5).
    pub(super) fn is_enhanced(&self) -> bool {
        self.descriptor.version == 2
    }
}

/// What a scan of the descriptors comes upon.
struct Found {
    first: Lba,
    last: Lba,
    primary: Option<Placed>,
    supplementary: Vec<Placed>,
    boot_catalog: Option<Lba>,
    udf: Option<Nsr>,
}

impl Found {
    fn scan(disc: Disc<'_>, start: Lba) -> Result<Self, IsoError> {
        let at = |index| Lba::checked(u64::from(start.get()) + u64::from(index));
        let first = at(SYSTEM_AREA_BLOCKS).unwrap_or(start);
        let mut found = Self {
            first,
            last: first,
            primary: None,
            supplementary: Vec::new(),
            boot_catalog: None,
            udf: None,
        };
        let mut bytes = [0; BLOCK_SIZE];
        let mut terminated = false;
        for lba in (SYSTEM_AREA_BLOCKS..SYSTEM_AREA_BLOCKS + DESCRIPTORS_MAX).map_while(at) {
            if lba.get() >= disc.end().get() {
                break;
            }
            match disc.read("the volume descriptors", lba, &mut bytes) {
                // What follows the descriptors may be of another file system.
                Err(_) if terminated => break,
                read => read?,
            }
            match &bytes[1..6] {
                id if *id == STANDARD_IDENTIFIER && !terminated => {
                    found.last = lba;
                    terminated = bytes[0] == TERMINATOR;
                    found.take(lba, &bytes);
                }
                b"NSR02" => found.udf = Some(Nsr::Nsr02),
                b"NSR03" => found.udf = Some(Nsr::Nsr03),
                b"BEA01" | b"TEA01" | b"BOOT2" | b"CDW02" => {}
                _ if lba == first => {
                    let feature = match &bytes[9..14] {
                        b"CDROM" => Incompatible::HighSierra,
                        _ => Incompatible::NotIso9660,
                    };
                    return Err(not_iso(lba).incompatible(feature));
                }
                _ => break,
            }
        }
        if found.first.get() >= disc.end().get() {
            return Err(not_iso(first).incompatible(Incompatible::NotIso9660));
        }
        Ok(found)
    }

    /// Takes in a block with the standard identifier.
    fn take(&mut self, lba: Lba, bytes: &[u8]) {
        let descriptor = || {
            let (descriptor, _) = VolumeDescriptor::view(bytes).ok()?;
            let descriptor = Box::new(*descriptor);
            Some(Placed { lba, descriptor })
        };
        match bytes[0] {
            // As everywhere, the first one counts.
            PRIMARY if self.primary.is_none() => self.primary = descriptor(),
            SUPPLEMENTARY => self.supplementary.extend(descriptor()),
            BOOT_RECORD => {
                if let Ok((record, _)) = BootRecord::view(bytes)
                    && record.boot_system_identifier.trimmed() == BootRecord::EL_TORITO
                {
                    self.boot_catalog = Lba::checked(record.boot_catalog.get().into());
                }
            }
            _ => {}
        }
    }
}

fn not_iso(lba: Lba) -> Place {
    Place::of::<VolumeDescriptorHead>(lba, 0, "standard_identifier")
}

/// Where SUSP entries begin in system use areas.
#[derive(Debug, Clone, Copy)]
pub(super) struct Susp {
    /// In the root's own record.
    pub(super) root_offset: usize,
    /// In every other record (SUSP 5.3, LEN_SKP).
    pub(super) offset: usize,
}

/// What the root directory's own record says of SUSP and Rock Ridge.
struct RockRidge {
    is_used: bool,
    susp: Option<Susp>,
}

/// Bytes that CD-ROM XA puts before the entries of SUSP.
const XA_BYTES: usize = 14;

/// Whether the primary tree has Rock Ridge entries, by the first record of its root (SUSP 5.3).
/// A record that cannot be read has none; reading the tree will say what is wrong.
fn find_rock_ridge(disc: Disc<'_>, primary: &Placed) -> Result<RockRidge, IsoError> {
    const NONE: RockRidge = RockRidge {
        is_used: false,
        susp: None,
    };
    let root = &primary.descriptor.root.head;
    let at = u64::from(root.extent_location.le()) + u64::from(root.extended_attribute_length);
    let Some(block) = Lba::checked(at).filter(|lba| lba.get() < disc.end().get()) else {
        return Ok(NONE);
    };
    let mut bytes = [0; BLOCK_SIZE];
    disc.read("the root directory", block, &mut bytes)?;
    let Ok(Some(record)) = RawRecord::parse(block, &bytes, 0) else {
        return Ok(NONE);
    };
    let mut found = SystemUse::default();
    for root_offset in [0, XA_BYTES] {
        let area = record.system_use.get(root_offset..).unwrap_or_default();
        let start = record.system_use_offset() + root_offset;
        let read = SystemUseReader::new(disc).read(block, start, area, &mut found);
        if let Err(error @ IsoError::Io { .. }) = read {
            return Err(error);
        }
        let is_used = found.posix.is_some() || found.announces_rock_ridge;
        // Some old writers forgot the SP entry. An error after that much is for the reader of
        // the tree to report.
        let offset = match found.skipped {
            Some(skipped) => usize::from(skipped),
            None if is_used && root_offset == 0 => 0,
            None => continue,
        };
        return Ok(RockRidge {
            is_used,
            susp: Some(Susp {
                root_offset,
                offset,
            }),
        });
    }
    Ok(NONE)
}
