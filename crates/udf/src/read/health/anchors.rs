//! Anchors (ECMA-167 3/8.4.2.1, UDF 2.2.3): two of blocks 256, N and N-256, N the volume's last.

use reburn_blocks::{BlockCount, BlockRange, Lba};
use reburn_record::Record;

use super::{Examined, Flaw, FlawKind, Mend};
use crate::Place;
use crate::read::note::Notes;
use crate::read::sequence::SequenceReader;
use crate::records::{AnchorPointer, Tag, tag_id};
use crate::update::tags;

/// The first anchor, and how far another one is from the last block.
const FIRST: u32 = 256;

/// Blocks that a volume may have behind its partition before nothing there is expected to be an
/// anchor of it: the reserve sequence, sparing tables, and what fills the last write units up.
const BEHIND_MAX: u32 = 4096;

/// What stands where an anchor may be.
enum Found {
    Sound,
    Lost,
    /// It leads elsewhere, to descriptors that can be read.
    Other,
    /// Something else, or nothing.
    None,
}

impl Examined<'_> {
    pub(super) fn anchors(&self) -> Vec<Flaw> {
        let end = self.source.block_count().get();
        let from_end = [1, FIRST + 1].map(|back| end.checked_sub(back));
        let places = [Some(FIRST), from_end[1], from_end[0]]
            .into_iter()
            .flatten();
        let mut places: Vec<_> = places.filter_map(|lba| Lba::checked(lba.into())).collect();
        places.dedup();
        let mut flaws = Vec::new();
        let mut sound = 0;
        for &lba in &places {
            let kind = match self.anchor(lba) {
                Found::Sound => {
                    sound += 1;
                    continue;
                }
                Found::None => continue,
                Found::Lost => FlawKind::Anchor,
                Found::Other => FlawKind::OtherAnchor,
            };
            let mends = match kind {
                FlawKind::Anchor => self.new_anchor(lba).into_iter().collect(),
                _ => Vec::new(),
            };
            flaws.push(Flaw {
                kind,
                range: BlockRange::single(lba),
                mends,
            });
        }
        // An image that was cut while it grew still has those at its old end.
        let others = self
            .old_end()
            .into_iter()
            .filter(|lba| !places.contains(lba));
        sound += others
            .filter(|&lba| matches!(self.anchor(lba), Found::Sound))
            .count();
        if let [used, ..] = self.volume.anchors[..]
            && flaws.is_empty()
            && sound < 2
        {
            flaws.push(Flaw {
                kind: FlawKind::SingleAnchor,
                range: BlockRange::single(used),
                mends: Vec::new(),
            });
        }
        flaws
    }

    /// Where anchors of our own volumes are behind their partition.
    fn old_end(&self) -> Vec<Lba> {
        let last = self.partition_end().and_then(|end| {
            let far = end.checked_add(BlockCount::new(FIRST + 1))?;
            Some(far.align_up(self.unit)?.get() - 1)
        });
        let lbas = last.map_or(Vec::new(), |last| vec![last - FIRST, last]);
        lbas.into_iter().map(Lba::new).collect()
    }

    /// The first block behind all partitions.
    fn partition_end(&self) -> Option<Lba> {
        let partitions = self.volume.structures().partitions;
        let end = partitions.iter().map(|range| range.end_exclusive()).max()?;
        Lba::checked(end.into())
    }

    fn anchor(&self, lba: Lba) -> Found {
        // Far behind the partition nothing of the volume is expected: the medium may be blank.
        let end = self.partition_end().map_or(0, Lba::get);
        let is_expected =
            lba.get() == FIRST || (end..end.saturating_add(BEHIND_MAX)).contains(&lba.get());
        let Some(block) = self.block(lba) else {
            return if is_expected {
                Found::Lost
            } else {
                Found::None
            };
        };
        let Ok((pointer, _)) = AnchorPointer::view(&block) else {
            return Found::None;
        };
        if pointer.tag.tag_identifier.get() != tag_id::ANCHOR {
            return Found::None;
        }
        if Tag::expect(&block, tag_id::ANCHOR, lba.get()).is_err() {
            // Outside the partition it is no file that looks like one.
            return if is_expected {
                Found::Lost
            } else {
                Found::None
            };
        }
        let used = &self.volume.pointer;
        let extents = |p: &AnchorPointer| [p.main_sequence, p.reserve_sequence];
        if extents(pointer) == extents(used) {
            return Found::Sound;
        }
        let mut reader = SequenceReader {
            disc: &self.disc,
            sector_size: self.volume.block_size(),
            notes: &mut Notes::default(),
        };
        let place = Place::of::<AnchorPointer>(lba.byte_offset(), "main_sequence");
        let leads_somewhere = extents(pointer)
            .into_iter()
            .any(|extent| reader.read(extent, place).is_ok());
        if leads_somewhere {
            Found::Other
        } else if is_expected {
            Found::Lost
        } else {
            Found::None
        }
    }

    /// An anchor for a block, as the one that was used.
    fn new_anchor(&self, lba: Lba) -> Option<Mend> {
        let mut bytes = self.block(*self.volume.anchors.first()?)?;
        tags::set_location(&mut bytes, lba.get());
        Some(Mend { start: lba, bytes })
    }
}
