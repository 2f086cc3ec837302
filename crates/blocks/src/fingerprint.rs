//! How a plan recognises the disc that it was made for.
//!
//! A fingerprint covers a few ranges, each with its own digest, so that a mismatch can say
//! where the disc differs.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{BLOCK_SIZE, BlockCount, BlockRange, BlockRead, ReadError};

/// Bytes hashed at a time.
const CHUNK_BLOCKS: BlockCount = BlockCount::new(512);

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of a range of blocks; blocks past the end of the source count as zeros.
    pub fn of_blocks(source: &dyn BlockRead, range: BlockRange) -> Result<Self, ReadError> {
        let mut hash = Sha256::new();
        let mut buf = vec![0; CHUNK_BLOCKS.as_usize() * BLOCK_SIZE];
        for piece in range.pieces(CHUNK_BLOCKS) {
            let bytes = &mut buf[..piece.block_count().as_usize() * BLOCK_SIZE];
            source.read_filled(piece.start_lba(), bytes)?;
            hash.update(bytes);
        }
        Ok(Self(hash.finalize().into()))
    }
}

/// Lower-case hexadecimal.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// One range of the base and the digest of its blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FingerprintPart {
    /// The blocks.
    pub range: BlockRange,
    /// Their digest.
    pub digest: Digest,
}

/// What a disc must look like for a plan to be recorded on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fingerprint {
    /// The ranges, ascending.
    pub parts: Vec<FingerprintPart>,
}

/// Where a disc differs from the one a plan was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch {
    /// The first range whose digest differs.
    pub range: BlockRange,
}

impl Fingerprint {
    /// The fingerprint of `base` over these ranges.
    pub fn take(
        base: &dyn BlockRead,
        ranges: impl IntoIterator<Item = BlockRange>,
    ) -> Result<Self, ReadError> {
        let parts = ranges.into_iter().map(|range| {
            Ok(FingerprintPart {
                range,
                digest: Digest::of_blocks(base, range)?,
            })
        });
        Ok(Self {
            parts: parts.collect::<Result<_, ReadError>>()?,
        })
    }

    /// Compares a disc with the fingerprint; `None` if it is the same.
    pub fn mismatch(&self, disc: &dyn BlockRead) -> Result<Option<Mismatch>, ReadError> {
        for part in &self.parts {
            if Digest::of_blocks(disc, part.range)? != part.digest {
                return Ok(Some(Mismatch { range: part.range }));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lba;

    #[test]
    fn a_changed_block_is_found_in_its_range() {
        let mut disc = vec![1u8; 8 * BLOCK_SIZE];
        let range = |start, end| BlockRange::new(Lba::new(start), Lba::new(end)).unwrap();
        let fingerprint = Fingerprint::take(&disc, [range(0, 1), range(4, 9)]).unwrap();
        assert_eq!(fingerprint.mismatch(&disc).unwrap(), None);
        disc[2 * BLOCK_SIZE] = 2; // not covered
        assert_eq!(fingerprint.mismatch(&disc).unwrap(), None);
        disc[5 * BLOCK_SIZE] = 2;
        assert_eq!(
            fingerprint.mismatch(&disc).unwrap(),
            Some(Mismatch { range: range(4, 9) })
        );
    }

    #[test]
    fn digest_is_sha256() {
        let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), expected);
    }
}
