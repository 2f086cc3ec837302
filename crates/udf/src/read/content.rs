//! What a tree is told of a file's bytes: where they are, if they are in whole blocks of the
//! disc; else the bytes themselves, if they are few.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_tree::{ContentRead, Extent, NewKind};

use super::body::{Body, Run, Source};
use super::entry::{Entry, Reader};
use crate::records::ExtentKind;
use crate::{Incompatible, UdfError};

/// Bytes of one file that are held in memory.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Bytes of all files that are held in memory.
pub(super) const HELD_BYTES_MAX: u64 = 256 << 20;

/// A file with holes, of which the recorded bytes are in memory.
#[derive(Debug)]
struct Sparse {
    len: u64,
    /// Where pieces start and what they are; ascending.
    pieces: Vec<(u64, Bytes)>,
}

impl ContentRead for Sparse {
    fn byte_len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buf.len() as u64);
        if end.is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buf.fill(0);
        let end = offset + buf.len() as u64;
        for (start, bytes) in &self.pieces {
            let (from, to) = ((*start).max(offset), (start + bytes.len() as u64).min(end));
            let index = |at: u64, base: u64| usize::try_from(at - base).unwrap_or(usize::MAX);
            if from < to {
                buf[index(from, offset)..index(to, offset)]
                    .copy_from_slice(&bytes[index(from, *start)..index(to, *start)]);
            }
        }
        Ok(())
    }
}

impl Reader<'_> {
    /// A file's content, as a tree takes it. `held` counts bytes in memory.
    pub(super) fn content(
        &self,
        entry: &Entry,
        body: &Body,
        held: &mut u64,
    ) -> Result<NewKind, UdfError> {
        let runs = match &body.source {
            Source::Runs(runs) => runs,
            Source::Embedded(_) => {
                let bytes = &entry.block.bytes[entry.descriptors.clone()];
                let len = usize::try_from(body.length).unwrap_or(bytes.len());
                return Ok(NewKind::Bytes(Bytes::copy_from_slice(&bytes[..len])));
            }
        };
        if let Some(extents) = extents(runs) {
            return Ok(NewKind::Base(extents));
        }
        let recorded = |run: &&Run| run.kind == ExtentKind::Recorded;
        let bytes: u64 = runs.iter().filter(recorded).map(|run| run.bytes).sum();
        *held = held.saturating_add(bytes);
        if bytes > FILE_BYTES_MAX || *held > HELD_BYTES_MAX {
            let max = if bytes > FILE_BYTES_MAX {
                FILE_BYTES_MAX
            } else {
                HELD_BYTES_MAX
            };
            let place = entry.place("information_length");
            return Err(place.incompatible(Incompatible::NotInBlocks { bytes, max }));
        }
        let mut pieces = Vec::new();
        for run in runs.iter().filter(recorded) {
            let len = usize::try_from(run.bytes).unwrap_or(0);
            let bytes = self.disc.bytes("a file", run.at, len)?;
            pieces.push((run.offset, Bytes::from(bytes)));
        }
        let len = body.length;
        Ok(match pieces.as_slice() {
            [(0, bytes)] if bytes.len() as u64 == len => NewKind::Bytes(bytes.clone()),
            _ => NewKind::Custom(Arc::new(Sparse { len, pieces })),
        })
    }
}

/// The runs as extents of whole blocks, if they are that.
fn extents(runs: &[Run]) -> Option<Vec<Extent>> {
    let block = BLOCK_SIZE as u64;
    let last = runs.len().saturating_sub(1);
    let mut extents = Vec::with_capacity(runs.len());
    for (index, run) in runs.iter().enumerate() {
        let is_whole = index == last || run.bytes.is_multiple_of(block);
        if run.kind != ExtentKind::Recorded || !run.at.is_multiple_of(block) || !is_whole {
            return None;
        }
        extents.push(Extent {
            start: Lba::checked(run.at / block)?,
            bytes: run.bytes,
        });
    }
    Some(extents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_read_as_zeros() {
        let sparse = Sparse {
            len: 10,
            pieces: vec![
                (2, Bytes::from_static(b"ab")),
                (7, Bytes::from_static(b"cde")),
            ],
        };
        let read = |offset, len| {
            let mut buf = vec![9; len];
            sparse.read_exact_at(offset, &mut buf).map(|()| buf)
        };
        assert_eq!(read(0, 10).unwrap(), b"\0\0ab\0\0\0cde");
        assert_eq!(read(3, 5).unwrap(), b"b\0\0\0c");
        assert!(read(8, 3).is_err());
        assert!(read(u64::MAX, 3).is_err());
    }
}
