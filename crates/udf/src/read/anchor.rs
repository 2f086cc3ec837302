//! Where a volume begins: recognition sequence, anchors and with them the size of sectors
//! (ECMA-167 2/8.3, 3/8.4.2; UDF 2.2.3).

use reburn_blocks::BLOCK_SIZE;
use reburn_record::Record;

use super::Session;
use super::disc::Disc;
use crate::records::{AnchorPointer, Tag, VolumeStructure, tag_id};

/// Sizes of sectors, the likeliest first.
const SECTOR_SIZES: [u32; 4] = [2048, 512, 4096, 1024];

/// Bytes before the recognition sequence (ECMA-167 2/8.3).
const SYSTEM_AREA: u64 = 32768;

/// Structures of the sequence that are looked at.
const STRUCTURES_MAX: u64 = 64;

/// An anchor that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Anchor {
    pub(super) sector_size: u32,
    /// Where it is on the disc, in bytes.
    pub(super) at: u64,
    pub(super) pointer: AnchorPointer,
}

/// The recognition sequence of a session.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Recognition {
    /// The structure that announces ECMA-167.
    pub(super) nsr: Option<[u8; 5]>,
    /// Bytes from the start of the disc to the end of the sequence.
    pub(super) end: u64,
}

impl Recognition {
    /// Where the sequence of a session begins, in bytes.
    pub(super) fn start(session: Session) -> u64 {
        session.start.byte_offset() + SYSTEM_AREA
    }

    /// Looks for the structures. They stand a sector apart, and at least 2048 bytes.
    pub(super) fn scan(disc: &Disc<'_>, session: Session) -> Self {
        let mut found = Self {
            nsr: None,
            end: Self::start(session),
        };
        // Sectors of 4096 bytes leave gaps; some writers of such volumes do not.
        let (mut at, mut gap) = (found.end, 0);
        for _ in 0..STRUCTURES_MAX {
            let Ok(bytes) = disc.bytes("the recognition sequence", at, BLOCK_SIZE) else {
                break;
            };
            at += BLOCK_SIZE as u64;
            let Ok((structure, _)) = VolumeStructure::view(&bytes) else {
                break;
            };
            match &structure.standard_identifier {
                id @ (VolumeStructure::NSR02 | VolumeStructure::NSR03) => found.nsr = Some(*id),
                VolumeStructure::BEGIN
                | VolumeStructure::BOOT
                | VolumeStructure::END
                | b"CD001"
                | b"CDW02" => {}
                _ if gap == 0 => {
                    gap += 1;
                    continue;
                }
                _ => break,
            }
            gap = 0;
            found.end = at;
        }
        found
    }
}

/// All anchors of a session, the preferred one first. Those of the disc's end come last.
pub(super) fn find(disc: &Disc<'_>, session: Session) -> Vec<Anchor> {
    let mut found = Vec::new();
    for sector_size in SECTOR_SIZES {
        for sector in places(disc, session, sector_size) {
            let anchor = read(disc, sector, sector_size);
            let is_new = |anchor: &Anchor| found.iter().all(|old: &Anchor| old.at != anchor.at);
            found.extend(anchor.filter(is_new));
        }
    }
    found
}

/// The sectors of a session where anchors can be (ECMA-167 3/8.4.2.1, UDF 2.2.3).
pub(super) fn places(disc: &Disc<'_>, session: Session, sector_size: u32) -> Vec<u64> {
    let sectors = disc.len() / u64::from(sector_size);
    let start = session.start.byte_offset() / u64::from(sector_size);
    let recorded = session.last_recorded.map_or(sectors, |last| {
        (last.byte_offset() + BLOCK_SIZE as u64) / u64::from(sector_size)
    });
    let from_start = [256, 512].map(|sector| start.checked_add(sector));
    let from_end = [1, 257, 2, 258].map(|sector| recorded.min(sectors).checked_sub(sector));
    let places = from_start.into_iter().chain(from_end).flatten();
    places
        .filter(|&sector| sector < sectors && sector >= start)
        .collect()
}

/// The anchor in a sector, if there is one. Sectors that cannot be read have none.
fn read(disc: &Disc<'_>, sector: u64, sector_size: u32) -> Option<Anchor> {
    let at = sector * u64::from(sector_size);
    let bytes = disc.bytes("an anchor", at, AnchorPointer::SIZE).ok()?;
    Tag::expect(&bytes, tag_id::ANCHOR, u32::try_from(sector).ok()?).ok()?;
    let (pointer, _) = AnchorPointer::view(&bytes).ok()?;
    Some(Anchor {
        sector_size,
        at,
        pointer: *pointer,
    })
}
