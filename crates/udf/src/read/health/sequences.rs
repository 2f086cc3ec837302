//! The two volume descriptor sequences (ECMA-167 3/8.4.2), which shall say the same.
//!
//! Readers show what the main one says where it can be used, so that is what the reserve becomes;
//! where it cannot, the reserve becomes the main one. Descriptors carry the number of their own
//! block.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba};
use reburn_record::Record;

use super::{Examined, Flaw, FlawKind, Mend};
use crate::Place;
use crate::read::note::Notes;
use crate::read::sequence::{Sequence, SequenceReader};
use crate::records::{AnchorPointer, ExtentAd, Tag, tag_id};
use crate::update::tags;

/// One of the two.
struct Copy {
    extent: BlockRange,
    /// What it says, if it can be used.
    sequence: Option<Sequence>,
    /// Whether none of its descriptors is damaged.
    is_whole: bool,
}

impl Examined<'_> {
    pub(super) fn sequences(&self) -> Vec<Flaw> {
        let structures = self.volume.structures();
        let pointer = &self.volume.pointer;
        let (Some(main), Some(reserve)) = (structures.main_sequence, structures.reserve_sequence)
        else {
            return Vec::new();
        };
        let main = self.copy(main, pointer.main_sequence, "main_sequence");
        let reserve = self.copy(reserve, pointer.reserve_sequence, "reserve_sequence");
        let is_by_reserve = self.volume.is_read_by_reserve();
        let (kind, from, to) = match (&main.sequence, &reserve.sequence) {
            (_, Some(_)) if is_by_reserve => (FlawKind::MainSequence, &reserve, &main),
            (Some(_), None) => (FlawKind::ReserveSequence, &main, &reserve),
            (Some(in_main), Some(in_reserve)) => {
                let is_same = is_same_volume(in_main, in_reserve);
                match (main.is_whole, reserve.is_whole) {
                    (true, true) if is_same && is_same_text(in_main, in_reserve) => {
                        return Vec::new();
                    }
                    (false, true) if is_same => (FlawKind::DamagedSequence, &reserve, &main),
                    (true, false) if is_same => (FlawKind::ReserveSequence, &main, &reserve),
                    _ => (FlawKind::SequencesDiffer, &main, &reserve),
                }
            }
            _ => return Vec::new(),
        };
        // Damage is not spread.
        let mends = if from.is_whole {
            self.moved(from.extent, to.extent).into_iter().collect()
        } else {
            Vec::new()
        };
        vec![Flaw {
            kind,
            range: to.extent,
            mends,
        }]
    }

    fn copy(&self, extent: BlockRange, pointer: ExtentAd, field: &'static str) -> Copy {
        let mut notes = Notes::default();
        let mut reader = SequenceReader {
            disc: &self.disc,
            sector_size: self.volume.block_size(),
            notes: &mut notes,
        };
        let anchor = self
            .volume
            .anchors
            .first()
            .map_or(0, |lba| lba.byte_offset());
        let place = Place::of::<AnchorPointer>(anchor, field);
        let sequence = reader.read(pointer, place).ok();
        Copy {
            extent,
            is_whole: sequence.is_some() && notes.as_slice().is_empty(),
            sequence,
        }
    }

    /// A sequence as it stands in another extent; `None` if it does not fit there, or goes on
    /// elsewhere.
    fn moved(&self, from: BlockRange, to: BlockRange) -> Option<Mend> {
        let mut bytes = Vec::new();
        let mut is_ended = false;
        for (from, to) in lbas(from).zip(lbas(to)) {
            let mut block = vec![0; BLOCK_SIZE];
            if !is_ended {
                block = self.block(from)?;
            }
            if let Ok((tag, _)) = Tag::view(&block)
                && !is_ended
                && tag.tag_checksum == tag.checksum()
                && tag.tag_location.get() == from.get()
            {
                match tag.tag_identifier.get() {
                    tag_id::VOLUME_POINTER => return None,
                    tag_id::TERMINATING => is_ended = true,
                    _ => {}
                }
                tags::set_location(&mut block, to.get());
            }
            is_ended |= block.iter().all(|&byte| byte == 0);
            bytes.extend(block);
        }
        is_ended |= from.block_count() <= to.block_count();
        // The rest of a longer extent ends the sequence.
        bytes.resize(to.block_count().as_usize() * BLOCK_SIZE, 0);
        is_ended.then_some(Mend {
            start: to.start_lba(),
            bytes,
        })
    }
}

fn lbas(range: BlockRange) -> impl Iterator<Item = Lba> {
    range.pieces(BlockCount::ONE).map(BlockRange::start_lba)
}

/// Whether two sequences lead to the same files.
fn is_same_volume(one: &Sequence, other: &Sequence) -> bool {
    let logical = |sequence: &Sequence| {
        let found = sequence.logical.as_ref()?;
        Some((body(&found.record).to_vec(), found.maps.clone()))
    };
    let partitions = |sequence: &Sequence| -> Vec<_> {
        let found = sequence.partitions.iter();
        found
            .map(|(number, (record, _))| (*number, body(record).to_vec()))
            .collect()
    };
    logical(one) == logical(other) && partitions(one) == partitions(other)
}

/// Whether two sequences say the same of the volume besides.
fn is_same_text(one: &Sequence, other: &Sequence) -> bool {
    let primary = |sequence: &Sequence| sequence.primary.as_ref().map(|found| body(found).to_vec());
    let information = |sequence: &Sequence| {
        let found = sequence.information.as_ref();
        found.map(|found| body(found).to_vec())
    };
    primary(one) == primary(other) && information(one) == information(other)
}

/// A descriptor without its tag, which says where it is.
fn body<R: Record>(record: &R) -> &[u8] {
    &record.bytes()[Tag::SIZE..]
}
