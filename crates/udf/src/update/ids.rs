//! Unique ids for what is new (UDF 3.2.1.1).

/// The lowest number that the lower half of an id may have, but for the root's zero.
const FIRST: u64 = 16;

/// Gives ids, ascending.
#[derive(Debug, Clone, Copy)]
pub(super) struct UniqueIds {
    next: u64,
}

impl UniqueIds {
    /// Ids from `next` on.
    pub(super) fn from(next: u64) -> Self {
        Self { next: legal(next) }
    }

    /// A new id.
    pub(super) fn take(&mut self) -> u64 {
        let id = self.next;
        self.next = legal(id.saturating_add(1));
        id
    }

    /// The id that the next new file will get.
    pub(super) fn next(self) -> u64 {
        self.next
    }
}

/// The next id whose lower half is not reserved.
fn legal(id: u64) -> u64 {
    id - id % (1 << 32) + (id % (1 << 32)).max(FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_halves_skip_what_is_reserved() {
        let mut ids = UniqueIds::from(0);
        assert_eq!((ids.take(), ids.take(), ids.next()), (16, 17, 18));
        let mut ids = UniqueIds::from(0xffff_ffff);
        assert_eq!(ids.take(), 0xffff_ffff);
        assert_eq!(ids.take(), 0x1_0000_0010);
    }
}
