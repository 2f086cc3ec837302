//! What the typed calls are made of: sense as an error, replies of unknown length, transfers in
//! pieces.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba};
use reburn_mmc::command::Command;
use reburn_mmc::{DecodeError, SectorAddress, Sense, SenseKey};

use crate::{CommandError, Data, Drive};

/// Carries out a command and turns sense into an error.
pub(crate) fn execute<D: Drive + ?Sized>(
    drive: &mut D,
    command: Command,
    range: Option<BlockRange>,
    data: Data<'_>,
) -> Result<usize, CommandError> {
    let name = command.name();
    let reply =
        drive
            .execute(&command.encode(), data)
            .map_err(|source| CommandError::Transport {
                command: name,
                source,
            })?;
    match reply.sense {
        None => Ok(reply.transferred),
        // Done, with an effort. Deferred, it is of an earlier command, and this one was not
        // carried out (SPC-3 4.5.7).
        Some(sense) if sense.key == SenseKey::RecoveredError && !sense.deferred => {
            Ok(reply.transferred)
        }
        Some(sense) => Err(CommandError::Sense {
            command: name,
            range,
            sense,
        }),
    }
}

/// A reply that announces its length: its first bytes, then all of it. Some devices take an
/// allocation larger than the reply badly.
pub(crate) fn sized<D: Drive + ?Sized, C: Into<Command>>(
    drive: &mut D,
    header: u16,
    announced_len: fn(&[u8]) -> Result<usize, DecodeError>,
    command: impl Fn(u16) -> C,
) -> Result<Vec<u8>, CommandError> {
    let mut reply = vec![0; usize::from(header)];
    let first: Command = command(header).into();
    let present = execute(drive, first, None, Data::In(&mut reply))?;
    let len = decoded(first.name(), announced_len(&reply[..present]))?;
    let allocation = u16::try_from(len.max(usize::from(header))).unwrap_or(u16::MAX - 3);
    reply.resize(usize::from(allocation), 0);
    let present = execute(
        drive,
        command(allocation).into(),
        None,
        Data::In(&mut reply),
    )?;
    reply.truncate(present);
    Ok(reply)
}

pub(crate) fn decoded<T>(
    command: &'static str,
    result: Result<T, DecodeError>,
) -> Result<T, CommandError> {
    result.map_err(|source| CommandError::Reply { command, source })
}

/// Whether a drive that says this may be ready soon.
pub(crate) fn may_pass(sense: &Sense) -> bool {
    const NOT_READY: u8 = 0x04;
    sense.key == SenseKey::UnitAttention
        || sense.key == SenseKey::NotReady
            && sense.asc == NOT_READY
            && !sense.is(&Sense::START_NEEDED)
}

/// How many blocks a piece has; pieces are never longer than the field.
pub(crate) fn blocks16(range: BlockRange) -> u16 {
    u16::try_from(range.block_count().get()).unwrap_or(u16::MAX)
}

/// A transfer of `len` bytes at `start` in pieces of at most `limit` bytes, each with its
/// place in the buffer. All but the first start at a multiple of the limit, so that no piece
/// cuts a write unit that it need not cut.
pub(crate) fn pieces(
    start: Lba,
    len: usize,
    limit: usize,
) -> Result<impl Iterator<Item = (BlockRange, std::ops::Range<usize>)>, CommandError> {
    assert!(
        len.is_multiple_of(BLOCK_SIZE),
        "a transfer of {len} bytes is not whole blocks"
    );
    let past_the_end = CommandError::Sense {
        command: "a transfer",
        range: None,
        sense: Sense::LBA_OUT_OF_RANGE,
    };
    let count = BlockCount::checked((len / BLOCK_SIZE) as u64);
    if count.is_none_or(|count| start.checked_add(count).is_none()) {
        return Err(past_the_end);
    }
    let per_piece = (limit / BLOCK_SIZE).clamp(1, usize::from(u16::MAX));
    let mut offset = 0;
    let mut lba = start;
    Ok(std::iter::from_fn(move || {
        let left = (len - offset) / BLOCK_SIZE;
        let to_boundary = per_piece - lba.get() as usize % per_piece;
        let count = BlockCount::checked(left.min(to_boundary) as u64)?;
        let range = BlockRange::with_count(lba, count)?;
        let bytes = offset..offset + count.as_usize() * BLOCK_SIZE;
        offset = bytes.end;
        lba += count;
        Some((range, bytes))
    }))
}

/// How many of the blocks in `len` bytes one transfer takes that starts before block 0, and
/// where the next one starts. No transfer crosses block 0.
pub(crate) fn piece_before_block_0(
    start: SectorAddress,
    len: usize,
    limit: usize,
) -> (u16, SectorAddress) {
    assert!(
        len.is_multiple_of(BLOCK_SIZE),
        "a transfer of {len} bytes is not whole blocks"
    );
    let to_block_0 = usize::try_from(-start.get()).unwrap_or(usize::MAX);
    let blocks = (limit / BLOCK_SIZE)
        .clamp(1, usize::from(u16::MAX))
        .min(to_block_0)
        .min(len / BLOCK_SIZE);
    let blocks = u16::try_from(blocks).expect("clamped");
    let next = start.checked_add(u32::from(blocks));
    (blocks, next.expect("at most block 0"))
}

/// Checks that a drive sent every block it was asked for.
pub(crate) fn whole(
    command: &'static str,
    needed: usize,
    present: usize,
) -> Result<(), CommandError> {
    if present == needed {
        return Ok(());
    }
    let source = DecodeError::TooShort {
        what: command,
        needed,
        present,
    };
    Err(CommandError::Reply { command, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DriveExt;

    #[test]
    fn pieces_meet_multiples_of_the_limit() {
        let listed: Vec<_> = pieces(Lba::new(30), 40 * BLOCK_SIZE, 64 * 1024)
            .unwrap()
            .map(|(range, bytes)| (range.to_string(), bytes.len() / BLOCK_SIZE))
            .collect();
        let expected = [("30-31", 2), ("32-63", 32), ("64-69", 6)];
        assert_eq!(listed, expected.map(|(range, len)| (range.to_owned(), len)));
        assert_eq!(pieces(Lba::ZERO, 0, 64 * 1024).unwrap().count(), 0);
        assert!(pieces(Lba::MAX, 2 * BLOCK_SIZE, 64 * 1024).is_err());
    }

    #[test]
    fn no_transfer_crosses_block_0() {
        let start = SectorAddress::PAUSE;
        let mut lens = Vec::new();
        let (mut start, mut left) = (start, 160);
        while start.lba().is_none() {
            let (blocks, next) = piece_before_block_0(start, left * BLOCK_SIZE, 64 * 1024);
            lens.push(blocks);
            (start, left) = (next, left - usize::from(blocks));
        }
        assert_eq!((lens, left), (vec![32, 32, 32, 32, 22], 10));
    }

    /// A drive that says the same to everything.
    struct Says(Sense);

    impl Drive for Says {
        fn execute(
            &mut self,
            _: &reburn_mmc::Cdb,
            _: Data<'_>,
        ) -> Result<crate::Reply, crate::TransportError> {
            Ok(crate::Reply::refused(self.0))
        }
    }

    #[test]
    fn an_effort_is_success_unless_it_was_of_an_earlier_command() {
        let effort = Sense::new(SenseKey::RecoveredError, 0x17, 0x01);
        assert!(Says(effort).synchronize_cache().is_ok());
        assert!(Says(effort.as_deferred()).synchronize_cache().is_err());
    }
}
