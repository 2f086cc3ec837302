//! What drives made of software have in common: moving replies and blocks within the room
//! that a command gives them.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba};
use reburn_mmc::{Cdb, Sense};

use crate::{Data, Reply, TransportError};

/// What a command came to: an answer to send, or a refusal.
pub type Outcome = Result<Answer, Sense>;

/// What a drive sends back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing but that it is done; so many bytes were taken in.
    Done(usize),
    /// A reply of these bytes, of which the host has room for so many.
    Bytes(Vec<u8>, usize),
}

impl Answer {
    /// Done, with nothing moved.
    pub const DONE: Self = Self::Done(0);

    /// Bytes as a reply to a command with this allocation length.
    pub fn bytes(bytes: Vec<u8>, allocation: impl Into<u32>) -> Self {
        Self::Bytes(bytes, allocation.into() as usize)
    }
}

/// Turns an outcome into what the transport carries. A reply is cut to the allocation length
/// and to the room given.
pub fn deliver(cdb: &Cdb, outcome: Outcome, data: Data<'_>) -> Result<Reply, TransportError> {
    match (outcome, data) {
        (Err(sense), _) => Ok(Reply::refused(sense)),
        (Ok(Answer::Done(moved)), _) => Ok(Reply::good(moved)),
        (Ok(Answer::Bytes(bytes, allocation)), Data::In(room)) => {
            let len = bytes.len().min(allocation).min(room.len());
            room[..len].copy_from_slice(&bytes[..len]);
            Ok(Reply::good(len))
        }
        (Ok(Answer::Bytes(bytes, allocation)), _) if bytes.len().min(allocation) == 0 => {
            Ok(Reply::good(0))
        }
        (Ok(Answer::Bytes(..)), _) => Err(TransportError::Data {
            cdb: *cdb,
            reason: "it has a reply, for which there is no room",
        }),
    }
}

/// The blocks of a transfer; `None` for zero blocks at an address that exists.
///
/// `end` is the number of blocks of the medium. Anything past it, zero blocks included, is
/// [`Sense::LBA_OUT_OF_RANGE`] (5/21/00).
pub fn extent(lba: Lba, count: BlockCount, end: BlockCount) -> Result<Option<BlockRange>, Sense> {
    if lba.get() >= end.get() {
        return Err(Sense::LBA_OUT_OF_RANGE);
    }
    if count.is_zero() {
        return Ok(None);
    }
    BlockRange::with_count(lba, count)
        .filter(|range| range.end_exclusive() <= end.get())
        .map(Some)
        .ok_or(Sense::LBA_OUT_OF_RANGE)
}

/// The host's room for the blocks of a read: whole blocks, fewer than asked for if the room
/// ends before. The error is the transport's: no room at all.
pub fn room<'a>(
    cdb: &Cdb,
    data: &'a mut Data<'_>,
    count: BlockCount,
) -> Result<&'a mut [u8], TransportError> {
    let Data::In(room) = data else {
        return Err(TransportError::Data {
            cdb: *cdb,
            reason: "it reads blocks, for which there is no room",
        });
    };
    let blocks = (room.len() / BLOCK_SIZE).min(count.as_usize());
    Ok(&mut room[..blocks * BLOCK_SIZE])
}

/// The host's data for the blocks of a write, all of them.
pub fn sent<'a>(cdb: &Cdb, data: &Data<'a>, count: BlockCount) -> Result<&'a [u8], TransportError> {
    match data {
        Data::Out(sent) if sent.len() as u64 >= count.bytes() => {
            Ok(&sent[..count.as_usize() * BLOCK_SIZE])
        }
        _ => Err(TransportError::Data {
            cdb: *cdb,
            reason: "it writes more blocks than were sent",
        }),
    }
}

/// The host's parameter list, as much of it as was sent.
pub fn list<'a>(cdb: &Cdb, data: &Data<'a>) -> Result<&'a [u8], TransportError> {
    match data {
        Data::Out(sent) => Ok(sent),
        Data::None => Ok(&[]),
        Data::In(_) => Err(TransportError::Data {
            cdb: *cdb,
            reason: "it takes a parameter list, but none was sent",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_end_with_the_medium() {
        let end = BlockCount::new(100);
        let at = |lba, count| extent(Lba::new(lba), BlockCount::new(count), end);
        assert_eq!(at(99, 1).unwrap().unwrap().to_string(), "99");
        assert_eq!(at(99, 0), Ok(None));
        for (lba, count) in [
            (99, 2),
            (100, 0),
            (100, 1),
            (0, 101),
            (u32::MAX - 1, u32::MAX),
        ] {
            assert_eq!(
                at(lba, count),
                Err(Sense::LBA_OUT_OF_RANGE),
                "{lba} + {count}"
            );
        }
    }

    #[test]
    fn replies_are_cut_to_allocation_and_room() {
        let cdb = Cdb::new(&[0x12, 0, 0, 0, 4, 0]).unwrap();
        let mut room = [9; 8];
        let answer = || Ok(Answer::bytes(vec![1, 2, 3, 4, 5, 6], 4u8));
        let reply = deliver(&cdb, answer(), Data::In(&mut room)).unwrap();
        assert_eq!(reply, Reply::good(4));
        assert_eq!(room, [1, 2, 3, 4, 9, 9, 9, 9]);
        let reply = deliver(&cdb, answer(), Data::In(&mut room[..2])).unwrap();
        assert_eq!(reply, Reply::good(2));
        assert!(deliver(&cdb, answer(), Data::None).is_err());
    }
}
