//! Write units and every content that each of them can have, by number.
//!
//! A state is a number for each unit, so that a million of them cost little; blocks with the same
//! bytes have the same number, so that two contents that a reader cannot tell apart are one.
//!
//! Invariants: content 0 of a unit is what the base has there, content 1 is unreadable; no two
//! contents of a unit have the same bytes; numbers never change.

use std::collections::HashMap;
use std::sync::Arc;

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRead, Lba, ReadError, WriteUnit};

use crate::content::{Content, CrashState};
use crate::trace::Trace;

/// Bytes that tear apart in a file: a sector of its disk.
const FILE_SECTOR: usize = 512;

/// The number of a unit.
pub(crate) type UnitId = usize;
/// The number of a content of a unit.
pub(crate) type ContentId = u16;
/// The number of a block's bytes.
pub(crate) type BlockId = u32;

/// What stands for a block that cannot be read.
pub(crate) const NO_BLOCK: BlockId = BlockId::MAX;
const OLD: ContentId = 0;
/// The content of a unit that cannot be read.
pub(crate) const UNREADABLE: ContentId = 1;

/// A content for each unit; those behind the end are old.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct State(Vec<ContentId>);

impl State {
    pub(crate) fn get(&self, unit: UnitId) -> ContentId {
        self.0.get(unit).copied().unwrap_or(OLD)
    }

    pub(crate) fn set(&mut self, unit: UnitId, content: ContentId) {
        if self.0.len() <= unit {
            self.0.resize(unit + 1, OLD);
        }
        self.0[unit] = content;
    }

    /// The same without what only says that units are old.
    pub(crate) fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&OLD) {
            self.0.pop();
        }
        self
    }
}

/// One content of a unit; `None` if it cannot be read.
#[derive(Debug)]
struct Variant {
    name: Content,
    blocks: Option<Box<[BlockId]>>,
}

#[derive(Debug)]
struct Unit {
    start: Lba,
    variants: Vec<Variant>,
}

/// The units that anything was written to.
pub(crate) struct Units<'b> {
    base: &'b dyn BlockRead,
    size: WriteUnit,
    seed: u64,
    all: Vec<Unit>,
    by_start: HashMap<Lba, UnitId>,
    ids: HashMap<Arc<[u8]>, BlockId>,
    blocks: Vec<Arc<[u8]>>,
    tears: HashMap<(UnitId, ContentId, ContentId), Arc<[ContentId]>>,
    /// Whether a unit reaches past the end of the base.
    grows: bool,
}

impl<'b> Units<'b> {
    /// No units of `base` yet. The seed decides what garbage is.
    pub(crate) fn new(base: &'b dyn BlockRead, size: WriteUnit, seed: u64) -> Self {
        Self {
            base,
            size,
            seed,
            all: Vec::new(),
            by_start: HashMap::new(),
            ids: HashMap::new(),
            blocks: Vec::new(),
            tears: HashMap::new(),
            grows: false,
        }
    }

    pub(crate) fn size(&self) -> WriteUnit {
        self.size
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn range(&self, unit: UnitId) -> BlockRange {
        Trace::range(self.size, self.all[unit].start)
    }

    /// The unit that holds a block, if it is one of these.
    pub(crate) fn at(&self, lba: Lba) -> Option<UnitId> {
        self.by_start.get(&lba.align_down(self.size)).copied()
    }

    /// The unit that starts there, which becomes one of these.
    pub(crate) fn unit(&mut self, start: Lba) -> UnitId {
        if let Some(&unit) = self.by_start.get(&start) {
            return unit;
        }
        let id = self.all.len();
        let range = Trace::range(self.size, start);
        self.grows |= range.end_exclusive() > self.base.block_count().get();
        let mut bytes = vec![0; self.size.bytes()];
        let old = self.base.read_filled(start, &mut bytes);
        let old = old.is_ok().then(|| self.blocks_of(&bytes));
        let variant = |name, blocks| Variant { name, blocks };
        let variants = vec![
            variant(Content::Old, old),
            variant(Content::Unreadable, None),
        ];
        self.all.push(Unit { start, variants });
        self.by_start.insert(start, id);
        id
    }

    /// The content of a unit that has these bytes; one that is not known yet is called `name`, if
    /// no other is.
    pub(crate) fn content(&mut self, unit: UnitId, bytes: &[u8], name: Content) -> ContentId {
        let blocks = self.blocks_of(bytes);
        self.variant(unit, blocks, name)
    }

    /// How many blocks a reader finds: a file grows by what is written behind its end.
    pub(crate) fn block_count(&self, state: &State) -> BlockCount {
        let base = self.base.block_count();
        if !self.grows {
            return base;
        }
        let written = (0..self.all.len()).filter(|&unit| state.get(unit) != OLD);
        let ends = written.map(|unit| BlockCount::new(self.range(unit).end_exclusive()));
        ends.max().map_or(base, |end| end.max(base))
    }

    /// Pushes the numbers of some blocks of a unit: one [`NO_BLOCK`] if they cannot be read.
    pub(crate) fn push_key(
        &self,
        state: &State,
        (unit, first, count): (UnitId, u16, u16),
        key: &mut Vec<BlockId>,
    ) {
        let variant = &self.all[unit].variants[usize::from(state.get(unit))];
        match &variant.blocks {
            None => key.push(NO_BLOCK),
            Some(blocks) => {
                let first = usize::from(first);
                key.extend_from_slice(&blocks[first..first + usize::from(count)]);
            }
        }
    }

    /// The first block of a range that is in one of these units.
    pub(crate) fn touches(&self, range: BlockRange) -> Option<Lba> {
        let unit_of = |lba: Lba| self.size.index_of(lba);
        let units = unit_of(range.end_lba()) - unit_of(range.start_lba()) + 1;
        if units as usize > self.all.len() {
            let mut ranges = (0..self.all.len()).map(|unit| self.range(unit));
            return ranges.find_map(|unit| Some(unit.intersection(range)?.start_lba()));
        }
        let mut wholes = range.align_outward(self.size).pieces(self.size.blocks());
        let whole = wholes.find(|whole| self.at(whole.start_lba()).is_some())?;
        Some(whole.intersection(range)?.start_lba())
    }

    /// The parts of units in a range: unit, first block in it, blocks.
    pub(crate) fn parts(&self, range: BlockRange) -> Vec<(UnitId, u16, u16)> {
        let wholes = range.align_outward(self.size).pieces(self.size.blocks());
        let parts = wholes.filter_map(|whole| {
            let unit = self.at(whole.start_lba())?;
            let part = whole.intersection(range)?;
            let first = part.start_lba().blocks_since(whole.start_lba()).get();
            let count = part.block_count().get();
            Some((unit, u16::try_from(first).ok()?, u16::try_from(count).ok()?))
        });
        parts.collect()
    }

    /// What a write of `to` over `from` leaves that is cut while it is under way, old and new left
    /// out.
    pub(crate) fn tears(
        &mut self,
        unit: UnitId,
        from: ContentId,
        to: ContentId,
    ) -> Arc<[ContentId]> {
        if let Some(known) = self.tears.get(&(unit, from, to)) {
            return Arc::clone(known);
        }
        let garbage = self.garbage();
        let garbage = vec![garbage; self.size.blocks().as_usize()].into();
        let garbage = self.variant(unit, garbage, Content::Garbage);
        let mut all = vec![UNREADABLE, garbage];
        let blocks = |content: ContentId| {
            let variant = &self.all[unit].variants[usize::from(content)];
            variant.blocks.clone()
        };
        if let (Some(old), Some(new)) = (blocks(from), blocks(to)) {
            for (prefix, name) in self.prefixes(&old, &new) {
                let prefix = self.variant(unit, prefix, name);
                if prefix != from && prefix != to && !all.contains(&prefix) {
                    all.push(prefix);
                }
            }
        }
        let all: Arc<[ContentId]> = all.into();
        self.tears.insert((unit, from, to), Arc::clone(&all));
        all
    }

    fn prefixes(&mut self, old: &[BlockId], new: &[BlockId]) -> Vec<(Box<[BlockId]>, Content)> {
        if let ([old], [new]) = (old, new) {
            return (1..BLOCK_SIZE / FILE_SECTOR)
                .map(|sectors| {
                    let mut bytes = self.blocks[*old as usize].to_vec();
                    let len = sectors * FILE_SECTOR;
                    bytes[..len].copy_from_slice(&self.blocks[*new as usize][..len]);
                    (self.blocks_of(&bytes), prefix(sectors))
                })
                .collect();
        }
        let cut = |blocks: usize| [&new[..blocks], &old[blocks..]].concat().into();
        (1..new.len())
            .map(|blocks| (cut(blocks), prefix(blocks)))
            .collect()
    }

    /// What a state is called.
    pub(crate) fn describe(&self, state: &State) -> CrashState {
        let units = (0..self.all.len()).map(|unit| {
            let name = self.all[unit].variants[usize::from(state.get(unit))].name;
            (self.range(unit), name)
        });
        let mut units: Vec<_> = units.filter(|(_, name)| *name != Content::Old).collect();
        units.sort_unstable_by_key(|(range, _)| range.start_lba());
        CrashState { units }
    }

    /// The state that is called so; `None` if it is none of this disc.
    pub(crate) fn find(&self, called: &CrashState) -> Option<State> {
        let mut state = State::default();
        for (range, name) in &called.units {
            let unit = self.by_start.get(&range.start_lba())?;
            let mut variants = self.all[*unit].variants.iter();
            let content = variants.position(|variant| variant.name == *name)?;
            state.set(*unit, ContentId::try_from(content).ok()?);
        }
        Some(state)
    }

    /// Reads blocks of a state.
    pub(crate) fn read(&self, state: &State, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let mut lba = start;
        let mut rest = buf;
        while !rest.is_empty() {
            let inside = lba.blocks_since(lba.align_down(self.size)).as_usize();
            let here = (self.size.blocks().as_usize() - inside).min(rest.len() / BLOCK_SIZE);
            let (part, behind) = rest.split_at_mut(here * BLOCK_SIZE);
            match self.at(lba) {
                None => self.base.read_filled(lba, part)?,
                Some(unit) => self.read_unit(state, unit, inside, part)?,
            }
            lba += BlockCount::in_buffer(part.len());
            rest = behind;
        }
        Ok(())
    }

    fn read_unit(
        &self,
        state: &State,
        unit: UnitId,
        first: usize,
        part: &mut [u8],
    ) -> Result<(), ReadError> {
        let content = state.get(unit);
        let variant = &self.all[unit].variants[usize::from(content)];
        let lba = self.all[unit].start + BlockCount::in_buffer(first * BLOCK_SIZE);
        match &variant.blocks {
            Some(blocks) => {
                for (block, id) in part.chunks_mut(BLOCK_SIZE).zip(&blocks[first..]) {
                    block.copy_from_slice(&self.blocks[*id as usize]);
                }
                Ok(())
            }
            // The base knows best why.
            None if content == OLD => self.base.read_filled(lba, part),
            None => Err(ReadError::Unreadable {
                lba,
                reason: "its write unit was being recorded when the power failed".into(),
            }),
        }
    }

    fn variant(&mut self, unit: UnitId, blocks: Box<[BlockId]>, name: Content) -> ContentId {
        let variants = &mut self.all[unit].variants;
        let known =
            { variants.iter() }.position(|variant| variant.blocks.as_ref() == Some(&blocks));
        let number = known.unwrap_or(variants.len());
        let id = ContentId::try_from(number).expect("a unit has few contents");
        if known.is_none() {
            let taken = variants.iter().any(|variant| variant.name == name);
            let is_other = matches!(name, Content::Other(_));
            let name = if taken || is_other {
                Content::Other(id)
            } else {
                name
            };
            let blocks = Some(blocks);
            variants.push(Variant { name, blocks });
        }
        id
    }

    fn blocks_of(&mut self, bytes: &[u8]) -> Box<[BlockId]> {
        bytes
            .chunks(BLOCK_SIZE)
            .map(|block| self.block(block))
            .collect()
    }

    fn block(&mut self, bytes: &[u8]) -> BlockId {
        if let Some(&id) = self.ids.get(bytes) {
            return id;
        }
        let id = BlockId::try_from(self.blocks.len()).expect("fewer blocks than a disc has");
        let bytes: Arc<[u8]> = bytes.into();
        self.blocks.push(Arc::clone(&bytes));
        self.ids.insert(bytes, id);
        id
    }

    /// A block of bytes that mean nothing.
    fn garbage(&mut self) -> BlockId {
        let mut state = self.seed | 1;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            // Marsaglia's xorshift: any bytes do.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .take(BLOCK_SIZE / 8)
        .flatten()
        .collect();
        self.block(&bytes)
    }
}

fn prefix(sectors: usize) -> Content {
    Content::Prefix(u16::try_from(sectors).expect("a unit has few sectors"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_with_the_same_bytes_are_one() {
        let base = vec![1; 64 * BLOCK_SIZE];
        let mut units = Units::new(&base, WriteUnit::DVD, 7);
        let unit = units.unit(Lba::new(16));
        assert_eq!(units.unit(Lba::new(16)), unit);
        let mut bytes = vec![1; 16 * BLOCK_SIZE];
        assert_eq!(units.content(unit, &bytes, Content::New), OLD);
        bytes[3 * BLOCK_SIZE] = 2;
        let new = units.content(unit, &bytes, Content::New);
        // Every prefix is either the old unit or the new one.
        let tears = units.tears(unit, OLD, new);
        assert_eq!(tears.len(), 2, "unreadable and garbage");
        bytes[9 * BLOCK_SIZE] = 2;
        let newer = units.content(unit, &bytes, Content::New);
        assert_eq!(units.tears(unit, OLD, newer).len(), 3);
        let mut state = State::default();
        state.set(unit, newer);
        assert_eq!(units.describe(&state).to_string(), "content 4: 16-31");
        assert_eq!(units.find(&units.describe(&state)), Some(state));
    }

    #[test]
    fn blocks_of_files_tear_at_sectors_and_files_grow() {
        let base = vec![1; 4 * BLOCK_SIZE];
        let mut units = Units::new(&base, WriteUnit::FILE, 7);
        let unit = units.unit(Lba::new(6));
        let new = units.content(unit, &[2; BLOCK_SIZE], Content::New);
        assert_eq!(units.tears(unit, OLD, new).len(), 5);
        let mut state = State::default();
        assert_eq!(units.block_count(&state).get(), 4);
        state.set(unit, new);
        assert_eq!(units.block_count(&state).get(), 7);
        let mut buf = [9; 2 * BLOCK_SIZE];
        units.read(&state, Lba::new(5), &mut buf).unwrap();
        assert_eq!([buf[0], buf[BLOCK_SIZE]], [0, 2]);
    }
}
