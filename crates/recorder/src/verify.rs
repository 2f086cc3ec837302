//! Reading back what was recorded.
//!
//! Invariant: every block asked for is compared or counted as unreadable; the first bad one is
//! named.

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Lba, WriteUnit,
};
use reburn_drive::{CommandError, Data, Drive, DriveExt};
use reburn_mmc::command::Read10;
use reburn_mmc::{Sense, SenseKey};

use crate::link::Link;
use crate::{Event, RecordError};

/// What comparing found so far.
#[derive(Debug, Default)]
struct Findings {
    first: Option<Lba>,
    differing: BlockCount,
    unreadable: BlockCount,
    compared: BlockCount,
}

impl Findings {
    fn verdict(self) -> Result<BlockCount, RecordError> {
        match self.first {
            None => Ok(self.compared),
            Some(first) => Err(RecordError::VerificationFailed {
                first,
                differing: self.differing,
                unreadable: self.unreadable,
                compared: self.compared,
            }),
        }
    }
}

/// Compares blocks of the disc with the source; how many were compared.
///
/// If the caller stops it after a difference was found, the difference is the result.
pub(crate) fn verify(
    link: &mut Link<'_>,
    source: &dyn BlockRead,
    ranges: &BlockRangeList,
    unit: WriteUnit,
    transfer: BlockCount,
) -> Result<BlockCount, RecordError> {
    let total = ranges.block_count();
    let mut findings = Findings::default();
    let mut comparison = Comparison {
        from_medium: true,
        unit,
        disc: vec![0; transfer.as_usize() * BLOCK_SIZE],
        expected: vec![0; transfer.as_usize() * BLOCK_SIZE],
    };
    for piece in ranges.iter().flat_map(|range| range.pieces(transfer)) {
        comparison.compare(link, source, piece, &mut findings)?;
        let progress = Event::Verifying {
            done: findings.compared,
            total,
        };
        match link.emit(progress) {
            Err(RecordError::Cancelled) if findings.first.is_some() => break,
            result => result?,
        }
    }
    findings.verdict()
}

struct Comparison {
    /// Whether the drive reads the medium when asked to, and not its buffer.
    from_medium: bool,
    unit: WriteUnit,
    disc: Vec<u8>,
    expected: Vec<u8>,
}

impl Comparison {
    fn compare(
        &mut self,
        link: &mut Link<'_>,
        source: &dyn BlockRead,
        piece: BlockRange,
        findings: &mut Findings,
    ) -> Result<(), RecordError> {
        let expected = &mut self.expected[..piece.block_count().as_usize() * BLOCK_SIZE];
        source
            .read_filled(piece.start_lba(), expected)
            .map_err(RecordError::Source)?;
        findings.compared += piece.block_count();
        match self.read(link, piece, piece.start_lba()) {
            Ok(()) => {
                self.count_differing(piece, piece, findings);
                return Ok(());
            }
            Err(error) if !is_unreadable(&error) => return Err(error),
            Err(_) => {}
        }
        // One bad write unit hides its neighbours: they are read one by one.
        for part in piece.pieces(self.unit.blocks()) {
            match self.read(link, part, piece.start_lba()) {
                Ok(()) => self.count_differing(piece, part, findings),
                Err(error) if is_unreadable(&error) => {
                    findings.unreadable += part.block_count();
                    findings.first.get_or_insert(part.start_lba());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads `part` into its place in a buffer that starts at `origin`.
    fn read(
        &mut self,
        link: &mut Link<'_>,
        part: BlockRange,
        origin: Lba,
    ) -> Result<(), RecordError> {
        let offset = part.start_lba().blocks_since(origin).as_usize() * BLOCK_SIZE;
        let len = part.block_count().as_usize() * BLOCK_SIZE;
        let room = &mut self.disc[offset..offset + len];
        if self.from_medium {
            match link.ask(|drive| read_medium(drive, part, room)) {
                Err(RecordError::Command(error)) if error.is(&Sense::INVALID_FIELD_IN_CDB) => {
                    self.from_medium = false;
                }
                result => return result,
            }
        }
        link.ask(|drive| drive.read(part.start_lba(), room))
    }

    fn count_differing(&self, piece: BlockRange, part: BlockRange, findings: &mut Findings) {
        for block in part.pieces(BlockCount::ONE) {
            let lba = block.start_lba();
            let offset = lba.blocks_since(piece.start_lba()).as_usize() * BLOCK_SIZE;
            let bytes = offset..offset + BLOCK_SIZE;
            if self.disc[bytes.clone()] != self.expected[bytes] {
                findings.differing += BlockCount::ONE;
                findings.first.get_or_insert(lba);
            }
        }
    }
}

/// Reads past the drive's buffer (force unit access), which may still hold what it was sent.
fn read_medium(
    drive: &mut dyn Drive,
    range: BlockRange,
    room: &mut [u8],
) -> Result<(), CommandError> {
    let command = Read10 {
        lba: range.start_lba(),
        blocks: u16::try_from(range.block_count().get()).unwrap_or(u16::MAX),
        force_unit_access: true,
    };
    let needed = room.len();
    let present = drive.command(command, Data::In(room))?;
    if present == needed {
        return Ok(());
    }
    let what = "READ (10)";
    let source = reburn_mmc::DecodeError::TooShort {
        what,
        needed,
        present,
    };
    Err(CommandError::Reply {
        command: what,
        source,
    })
}

/// Whether the drive works, but cannot read the blocks.
pub(crate) fn is_unreadable(error: &RecordError) -> bool {
    let RecordError::Command(CommandError::Sense { sense, .. }) = error else {
        return false;
    };
    matches!(sense.key, SenseKey::MediumError | SenseKey::BlankCheck)
        || sense.is(&Sense::LBA_OUT_OF_RANGE)
}
