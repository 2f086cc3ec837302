//! The integrity sequence (ECMA-167 3/8.8.2): readers go from descriptor to descriptor and take the
//! last one, so a block that cannot be read ends it before its time.
//!
//! A place that is lost becomes what ends the sequence, zeros, where the descriptor before it is
//! the newest; where a newer one follows, a copy of that.

use reburn_blocks::{BLOCK_SIZE, BlockRange, Lba};
use reburn_record::Record;

use super::{Examined, Flaw, FlawKind, Mend};
use crate::records::{LogicalVolumeIntegrity, Tag, tag_id};
use crate::update::tags;

/// Blocks behind the lost one that are looked at for a newer descriptor.
const AHEAD_MAX: u32 = 4096;

impl Examined<'_> {
    pub(super) fn integrity(&self) -> Vec<Flaw> {
        let sequence = &self.volume.integrity_sequence;
        let (Some(&extent), Some(&first)) = (sequence.extents.last(), sequence.extents.first())
        else {
            return Vec::new();
        };
        let Some(lost) = self.lost(extent, first) else {
            return Vec::new();
        };
        let extent = if extent.contains(lost) { extent } else { first };
        let Some(whole) = BlockRange::single(lost)
            .align_outward(self.unit)
            .intersection(extent)
        else {
            return Vec::new();
        };
        // What stands before it in the same write unit is not lost.
        let Some(range) = BlockRange::new(lost, whole.end_lba()) else {
            return Vec::new();
        };
        let newer = self.newer(range, extent);
        let mends = if newer.is_none() && self.volume.integrity.is_none() {
            // Nothing says what the next unique id is.
            Vec::new()
        } else {
            vec![rendered(range, newer.as_deref())]
        };
        vec![Flaw {
            kind: FlawKind::Integrity,
            range,
            mends,
        }]
    }

    /// The block that ends the sequence because it is lost: unreadable, or a descriptor that is
    /// not whole.
    fn lost(&self, last: BlockRange, first: BlockRange) -> Option<Lba> {
        let next = match self.volume.integrity_sequence.prevailing {
            Some(lba) => Lba::checked(u64::from(lba.get()) + 1)?,
            None => first.start_lba(),
        };
        if !last.contains(next) && !first.contains(next) {
            return None;
        }
        let is_lost = match self.block(next) {
            None => true,
            Some(block) => {
                let tag = Tag::view(&block).ok()?.0;
                tag.tag_identifier.get() == tag_id::INTEGRITY
                    && Tag::expect(&block, tag_id::INTEGRITY, next.get()).is_err()
            }
        };
        is_lost.then_some(next)
    }

    /// The newest descriptor behind a lost place, if it is newer than the one before that.
    fn newer(&self, lost: BlockRange, extent: BlockRange) -> Option<Vec<u8>> {
        let before = self.volume.integrity.as_ref();
        let key = |block: &[u8]| {
            let (record, _) = LogicalVolumeIntegrity::view(block).ok()?;
            let time = record.recording_date_and_time.timestamp();
            Some((time, record.next_unique_id.get()))
        };
        let mut newest = None;
        let mut best = before.map(|before| (before.recorded, before.next_unique_id));
        let end = extent
            .end_exclusive()
            .min(lost.end_exclusive().saturating_add(AHEAD_MAX));
        for lba in (lost.end_exclusive()..end).filter_map(|lba| Lba::checked(lba.into())) {
            let Some(block) = self.block(lba) else {
                continue;
            };
            if Tag::expect(&block, tag_id::INTEGRITY, lba.get()).is_err() {
                break;
            }
            let found = key(&block);
            if found > best {
                best = found;
                newest = Some(block);
            }
        }
        newest
    }
}

/// The blocks of a lost place: copies of a descriptor, or what ends the sequence.
fn rendered(range: BlockRange, newer: Option<&[u8]>) -> Mend {
    let mut bytes = vec![0; range.block_count().as_usize() * BLOCK_SIZE];
    if let Some(newer) = newer {
        for (block, lba) in bytes.chunks_mut(BLOCK_SIZE).zip(range.start_lba().get()..) {
            block.copy_from_slice(newer);
            tags::set_location(block, lba);
        }
    }
    Mend {
        start: range.start_lba(),
        bytes,
    }
}
