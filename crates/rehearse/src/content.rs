//! What a power cut leaves in each write unit.

use std::fmt;

use reburn_blocks::{BlockRange, BlockRangeList};

/// What a write unit holds after a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Content {
    /// What it held before the recording.
    Old,
    /// What the recording gives it.
    New,
    /// Nothing that a drive can read.
    Unreadable,
    /// Bytes that nobody wrote.
    Garbage,
    /// The first so many sectors are new, the others as they were. Sectors are blocks on a medium,
    /// and 512 bytes in a file.
    Prefix(u16),
    /// Something else, with a number: what a repair wrote, or an earlier write of the same unit.
    Other(u16),
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Old => f.write_str("old"),
            Self::New => f.write_str("new"),
            Self::Unreadable => f.write_str("unreadable"),
            Self::Garbage => f.write_str("garbage"),
            Self::Prefix(count) => write!(f, "new in {count} sectors"),
            Self::Other(number) => write!(f, "content {number}"),
        }
    }
}

/// What a cut left on a disc: every write unit that is not as before, ascending. It replays the
/// state with the same base and plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CrashState {
    /// Units and what each of them holds.
    pub units: Vec<(BlockRange, Content)>,
}

/// Blocks by what they hold, in the order of the contents: `new: 64-95; unreadable: 16-31`.
impl fmt::Display for CrashState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds: Vec<Content> = self.units.iter().map(|(_, content)| *content).collect();
        kinds.sort_unstable();
        kinds.dedup();
        if kinds.is_empty() {
            return f.write_str("everything is old");
        }
        for (index, kind) in kinds.iter().enumerate() {
            let of_kind = self.units.iter().filter(|(_, content)| content == kind);
            let blocks: BlockRangeList = of_kind.map(|(range, _)| *range).collect();
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{kind}: {blocks}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reburn_blocks::{BlockCount, Lba};

    #[test]
    fn states_read_well() {
        let unit = |start| BlockRange::with_count(Lba::new(start), BlockCount::new(16)).unwrap();
        let state = CrashState {
            units: vec![
                (unit(16), Content::Unreadable),
                (unit(64), Content::New),
                (unit(80), Content::New),
                (unit(112), Content::Prefix(3)),
            ],
        };
        assert_eq!(
            state.to_string(),
            "new: 64-95; unreadable: 16-31; new in 3 sectors: 112-127"
        );
        assert_eq!(CrashState::default().to_string(), "everything is old");
    }
}
