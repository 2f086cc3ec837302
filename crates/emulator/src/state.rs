//! What a medium remembers besides its content, and how that stands in a disc's file.
//!
//! | offset | bytes | holds |
//! |---:|---:|---|
//! | 0 | 1 | format: 0 none, 1 formatted, 2 interrupted |
//! | 1 | 1 | 1 if write-protected |
//! | 2 | 1 | background format: 0 none, 1 stopped, 2 running, 3 complete |
//! | 4 | 4 | blocks for data, if formatted |
//! | 8 | 4 | blocks that the background format has passed |
//! | 12 | 52 | zeros |

use reburn_blocks::BlockCount;

use crate::MediumKind;

/// How a medium is formatted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatState {
    /// As it came from the factory.
    Unformatted,
    /// With so many blocks for data.
    Formatted(BlockCount),
    /// A format was interrupted: nothing can be read or written before the next one.
    Interrupted,
}

/// How far the background format of a DVD+RW got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// Not begun, or not that kind of medium.
    None,
    /// Stopped after so many blocks.
    Stopped(BlockCount),
    /// Running, past so many blocks.
    Running(BlockCount),
    /// Done.
    Complete,
}

/// What a medium remembers besides its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediumState {
    /// How it is formatted.
    pub format: FormatState,
    /// How far its background format got.
    pub background: Background,
    /// Whether a tab or a command forbids writing.
    pub write_protected: bool,
}

impl MediumState {
    /// Bytes in the file.
    pub(crate) const LEN: usize = 64;

    /// As a medium is sold: DVD-RAM formatted, the others not.
    pub const fn factory(kind: MediumKind) -> Self {
        Self {
            format: match kind {
                MediumKind::DvdRam => FormatState::Formatted(kind.capacity()),
                _ => FormatState::Unformatted,
            },
            background: Background::None,
            write_protected: false,
        }
    }

    /// Formatted in the ordinary way, with nothing left to be done.
    pub const fn formatted(kind: MediumKind) -> Self {
        Self {
            format: FormatState::Formatted(kind.capacity()),
            background: match kind {
                MediumKind::DvdPlusRw => Background::Complete,
                _ => Background::None,
            },
            write_protected: false,
        }
    }

    /// Blocks that hold data: none unless formatted.
    pub const fn blocks(&self) -> BlockCount {
        match self.format {
            FormatState::Formatted(blocks) => blocks,
            FormatState::Unformatted | FormatState::Interrupted => BlockCount::ZERO,
        }
    }

    /// The state after the power failed: a background format loses its place.
    #[must_use]
    pub const fn after_power_cut(mut self) -> Self {
        if let Background::Running(_) = self.background {
            self.background = Background::Stopped(BlockCount::ZERO);
        }
        self
    }

    pub(crate) fn encode(self) -> [u8; Self::LEN] {
        let (format, blocks) = match self.format {
            FormatState::Unformatted => (0, BlockCount::ZERO),
            FormatState::Formatted(blocks) => (1, blocks),
            FormatState::Interrupted => (2, BlockCount::ZERO),
        };
        let (background, passed) = match self.background {
            Background::None => (0, BlockCount::ZERO),
            Background::Stopped(passed) => (1, passed),
            Background::Running(passed) => (2, passed),
            Background::Complete => (3, BlockCount::ZERO),
        };
        let mut bytes = [0; Self::LEN];
        bytes[..3].copy_from_slice(&[format, u8::from(self.write_protected), background]);
        bytes[4..8].copy_from_slice(&blocks.get().to_be_bytes());
        bytes[8..12].copy_from_slice(&passed.get().to_be_bytes());
        bytes
    }

    /// The state in `bytes`; the error says what makes no sense.
    pub(crate) fn decode(bytes: &[u8; Self::LEN], kind: MediumKind) -> Result<Self, String> {
        let count = |offset: usize| {
            let field = [0, 1, 2, 3].map(|index| bytes[offset + index]);
            BlockCount::new(u32::from_be_bytes(field))
        };
        let (blocks, passed) = (count(4), count(8));
        let max = kind.blocks_max();
        if blocks > max || passed > max {
            return Err(format!(
                "{blocks} blocks, {passed} of them formatted, of at most {max}"
            ));
        }
        if blocks.round_up(kind.write_unit()) != blocks {
            return Err(format!("{blocks} blocks are not whole write units"));
        }
        let format = match bytes[0] {
            0 => FormatState::Unformatted,
            1 if !blocks.is_zero() => FormatState::Formatted(blocks),
            2 => FormatState::Interrupted,
            other => return Err(format!("format state {other} with {blocks} blocks")),
        };
        let background = match bytes[2] {
            0 => Background::None,
            1 => Background::Stopped(passed),
            2 => Background::Running(passed),
            3 => Background::Complete,
            other => return Err(format!("background format state {other}")),
        };
        Ok(Self {
            format,
            background,
            write_protected: bytes[1] != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_bytes() {
        let state = MediumState {
            format: FormatState::Formatted(BlockCount::new(0x23_0540)),
            background: Background::Running(BlockCount::new(0x10)),
            write_protected: true,
        };
        let mut bytes = [0; MediumState::LEN];
        bytes[..12].copy_from_slice(&[1, 1, 2, 0, 0, 0x23, 5, 0x40, 0, 0, 0, 0x10]);
        assert_eq!(state.encode(), bytes);
        assert_eq!(
            MediumState::decode(&bytes, MediumKind::DvdPlusRw),
            Ok(state)
        );
        let cut = state.after_power_cut();
        assert_eq!(cut.background, Background::Stopped(BlockCount::ZERO));
    }

    #[test]
    fn nonsense_is_refused() {
        let good = MediumState::formatted(MediumKind::BdRe).encode();
        for (offset, value) in [(0, 3), (2, 4), (4, 0xff), (7, 1), (8, 0xff)] {
            let mut bytes = good;
            bytes[offset] = value;
            let result = MediumState::decode(&bytes, MediumKind::BdRe);
            assert!(result.is_err(), "byte {offset} as {value}: {result:?}");
        }
        for state in [MediumState::factory, MediumState::formatted] {
            for kind in MediumKind::ALL {
                let state = state(kind);
                assert_eq!(MediumState::decode(&state.encode(), kind), Ok(state));
            }
        }
    }
}
