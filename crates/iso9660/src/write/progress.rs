//! How far a directory is written, and where writing can start anew.
//!
//! Invariant: what is added lies within one block (ECMA-119 6.8.1.1, SUSP 5.1).

use reburn_blocks::BLOCK_SIZE;

const BLOCK: u64 = BLOCK_SIZE as u64;

/// Blocks of a directory between two places that writing can start from.
const CHECKPOINT_BLOCKS: u64 = 64;

/// How far a directory is written, in bytes of its two areas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) records: u64,
    pub(super) continuations: u64,
}

impl Size {
    /// Finds `len` bytes within a block of the records; where they start.
    pub(super) fn add_record(&mut self, len: usize) -> u64 {
        add_within_block(&mut self.records, len)
    }

    /// Finds `len` bytes within a block of the continuations; where they start.
    pub(super) fn add_continuation(&mut self, len: usize) -> u64 {
        add_within_block(&mut self.continuations, len)
    }
}

fn add_within_block(end: &mut u64, len: usize) -> u64 {
    if *end % BLOCK + len as u64 > BLOCK {
        *end = end.next_multiple_of(BLOCK);
    }
    let start = *end;
    *end += len as u64;
    start
}

/// Where writing stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cursor {
    /// The next record: 0 for the directory itself, 1 for its parent, then its members.
    pub(super) place: usize,
    /// How many of the members before were directories.
    pub(super) directories: u32,
    pub(super) size: Size,
}

/// Cursors at which writing has passed by, some way apart, so that it need not start anew for
/// every part of a large directory.
#[derive(Debug, Default)]
pub(super) struct Checkpoints(Vec<Cursor>);

impl Checkpoints {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The last cursor of those known whose size is as `before` wants it. That is true of all
    /// cursors up to some place.
    pub(super) fn last_with(&self, before: impl Fn(&Size) -> bool) -> Cursor {
        let after = self.0.partition_point(|cursor| before(&cursor.size));
        match after.checked_sub(1) {
            Some(at) => self.0[at],
            None => Cursor::default(),
        }
    }

    pub(super) fn note(&mut self, cursor: Cursor) {
        let last = self.0.last().copied().unwrap_or_default();
        let records = cursor.size.records.saturating_sub(last.size.records);
        let continuations = cursor
            .size
            .continuations
            .saturating_sub(last.size.continuations);
        if records.max(continuations) >= CHECKPOINT_BLOCKS * BLOCK {
            self.0.push(cursor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_crosses_a_block() {
        let mut size = Size::default();
        assert_eq!(size.add_record(2000), 0);
        assert_eq!(size.add_record(48), 2000);
        assert_eq!(size.add_record(34), 2048);
        assert_eq!(size.add_record(2015), 4096);
        assert_eq!(size.add_continuation(2048), 0);
        assert_eq!(size.add_continuation(1), 2048);
    }

    #[test]
    fn checkpoints_are_found_by_size() {
        let mut known = Checkpoints::default();
        let cursor = |place, blocks: u64| Cursor {
            place,
            directories: 0,
            size: Size {
                records: blocks * BLOCK,
                continuations: 0,
            },
        };
        for place in 0..1000 {
            known.note(cursor(place, place as u64));
            // Going over the same part again changes nothing.
            known.note(cursor(place / 2, place as u64 / 2));
        }
        assert_eq!(known.0.len(), 1000 / CHECKPOINT_BLOCKS as usize);
        let found = |blocks| known.last_with(|size| size.records <= blocks * BLOCK).place;
        assert_eq!(
            [found(0), found(63), found(64), found(200)],
            [0, 0, 64, 192]
        );
    }
}
