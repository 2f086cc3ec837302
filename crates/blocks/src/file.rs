//! An image file as a source and a sink of blocks.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::io::{read_range, transfer_range};
use crate::positioned::{read_exact_at, write_all_at};
use crate::{BLOCK_SIZE, BlockCount, BlockRead, BlockWrite, Lba, ReadError, WriteError};

/// A file of blocks. A last partial block reads as if filled up with zeros.
#[derive(Debug)]
pub struct ImageFile {
    file: File,
    len: u64,
}

impl ImageFile {
    /// Opens an existing image for reading.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::from_file(File::open(path)?)
    }

    /// Opens an existing image for reading and writing. Writing past the end makes it grow.
    pub fn open_writable(path: &Path) -> io::Result<Self> {
        Self::from_file(File::options().read(true).write(true).open(path)?)
    }

    /// Takes an open file.
    pub fn from_file(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file, len })
    }

    /// The file.
    pub fn as_file(&self) -> &File {
        &self.file
    }

    /// The file's size in bytes, which need not be whole blocks.
    pub fn byte_len(&self) -> u64 {
        self.len
    }
}

impl BlockRead for ImageFile {
    fn block_count(&self) -> BlockCount {
        BlockCount::for_bytes(self.len).unwrap_or(BlockCount::MAX)
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        if read_range(start, buf.len(), self.block_count())?.is_none() {
            return Ok(());
        }
        let available = self.len.saturating_sub(start.byte_offset());
        let present = usize::try_from(available).map_or(buf.len(), |n| n.min(buf.len()));
        let (data, beyond) = buf.split_at_mut(present);
        beyond.fill(0);
        read_exact_at(&self.file, data, start.byte_offset())
            .map_err(|source| ReadError::Io { lba: start, source })
    }
}

impl BlockWrite for ImageFile {
    fn write_blocks(&mut self, start: Lba, data: &[u8]) -> Result<(), WriteError> {
        transfer_range(start, data.len(), BlockCount::MAX)
            .map_err(|(range, available)| WriteError::OutOfRange { range, available })?;
        write_all_at(&self.file, data, start.byte_offset())
            .map_err(|source| WriteError::Io { lba: start, source })?;
        self.len = self.len.max(start.byte_offset() + data.len() as u64);
        Ok(())
    }

    fn barrier(&mut self) -> Result<(), WriteError> {
        let last = (self.len / BLOCK_SIZE as u64).saturating_sub(1);
        self.file.sync_data().map_err(|source| WriteError::Io {
            lba: Lba::checked(last).unwrap_or(Lba::MAX),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_last_block_is_filled_with_zeros() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("odd.img");
        std::fs::write(&path, vec![7u8; BLOCK_SIZE + 3]).unwrap();
        let mut image = ImageFile::open_writable(&path).unwrap();
        assert_eq!(image.block_count().get(), 2);
        let mut block = vec![1u8; BLOCK_SIZE];
        image.read_blocks(Lba::new(1), &mut block).unwrap();
        assert_eq!(&block[..4], [7, 7, 7, 0]);
        assert!(image.read_blocks(Lba::new(2), &mut block).is_err());

        image
            .write_blocks(Lba::new(4), &vec![9u8; BLOCK_SIZE])
            .unwrap();
        image.barrier().unwrap();
        assert_eq!(image.block_count().get(), 5);
    }
}
