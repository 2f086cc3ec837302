//! Blocks to and from the medium, and the drive's buffer between.

use reburn_blocks::{BlockCount, Lba};

use super::Fields;
use crate::{Cdb, SectorAddress, Sense};

/// Reads up to 65,535 blocks (MMC-6, READ (10)). Zero blocks read nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read10 {
    /// The first block.
    pub lba: Lba,
    /// How many blocks.
    pub blocks: u16,
    /// Whether to read the medium even if the buffer has the block.
    pub force_unit_access: bool,
}

impl Fields for Read10 {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 3, self.force_unit_access);
        cdb.set_u32(2, self.lba.get());
        cdb.set_u16(7, self.blocks);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            lba: cdb.lba(2)?,
            blocks: cdb.u16(7),
            force_unit_access: cdb.bit(1, 3),
        })
    }
}

/// Reads blocks (MMC-6, READ (12)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read12 {
    /// The first block.
    pub lba: Lba,
    /// How many blocks.
    pub blocks: BlockCount,
    /// Whether to read the medium even if the buffer has the block.
    pub force_unit_access: bool,
    /// Whether speed counts for more than retries.
    pub streaming: bool,
}

impl Fields for Read12 {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 3, self.force_unit_access);
        cdb.set_u32(2, self.lba.get());
        cdb.set_u32(6, self.blocks.get());
        cdb.set_bit(10, 7, self.streaming);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        let (force_unit_access, streaming) = access(cdb)?;
        Ok(Self {
            lba: cdb.lba(2)?,
            blocks: BlockCount::new(cdb.u32(6)),
            force_unit_access,
            streaming,
        })
    }
}

/// The bits of a 12-byte transfer that exclude each other: streaming and forced unit access.
fn access(cdb: &Cdb) -> Result<(bool, bool), Sense> {
    match (cdb.bit(1, 3), cdb.bit(10, 7)) {
        (true, true) => Err(Sense::INVALID_FIELD_IN_CDB),
        bits => Ok(bits),
    }
}

/// Writes up to 65,535 blocks (MMC-6, WRITE (10)). Zero blocks write nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Write10 {
    /// The first block, or on CD a sector before block 0.
    pub address: SectorAddress,
    /// How many blocks.
    pub blocks: u16,
    /// Whether to answer only when the medium has the blocks.
    pub force_unit_access: bool,
}

impl Fields for Write10 {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 3, self.force_unit_access);
        cdb.set_u32(2, self.address.field());
        cdb.set_u16(7, self.blocks);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            address: cdb.address(2),
            blocks: cdb.u16(7),
            force_unit_access: cdb.bit(1, 3),
        })
    }
}

/// Writes blocks (MMC-6, WRITE (12)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Write12 {
    /// The first block, or on CD a sector before block 0.
    pub address: SectorAddress,
    /// How many blocks.
    pub blocks: BlockCount,
    /// Whether to answer only when the medium has the blocks.
    pub force_unit_access: bool,
    /// Whether speed counts for more than the drive's own checking of what it wrote.
    pub streaming: bool,
}

impl Fields for Write12 {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 3, self.force_unit_access);
        cdb.set_u32(2, self.address.field());
        cdb.set_u32(6, self.blocks.get());
        cdb.set_bit(10, 7, self.streaming);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        let (force_unit_access, streaming) = access(cdb)?;
        Ok(Self {
            address: cdb.address(2),
            blocks: BlockCount::new(cdb.u32(6)),
            force_unit_access,
            streaming,
        })
    }
}

/// Declares commands that hold a first block and a 16-bit count.
macro_rules! extents {
    ($($(#[$doc:meta])* $name:ident;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub struct $name {
                /// The first block.
                pub lba: Lba,
                /// How many blocks.
                pub blocks: u16,
            }

            impl Fields for $name {
                fn put(&self, cdb: &mut Cdb) {
                    cdb.set_u32(2, self.lba.get());
                    cdb.set_u16(7, self.blocks);
                }

                /// Comparing with data of the host (byte check) is refused: no optical drive
                /// has it.
                fn get(cdb: &Cdb) -> Result<Self, Sense> {
                    if cdb.bit(1, 1) {
                        return Err(Sense::INVALID_FIELD_IN_CDB);
                    }
                    Ok(Self { lba: cdb.lba(2)?, blocks: cdb.u16(7) })
                }
            }
        )+
    };
}

extents! {
    /// Writes blocks to the medium and reads them back there (MMC-6, WRITE AND VERIFY (10)).
    WriteAndVerify;
    /// Reads blocks without sending them to the host (MMC-6, VERIFY (10)).
    Verify10;
}

/// Writes what the buffer holds to the medium (MMC-6, SYNCHRONIZE CACHE). Done without
/// `immediate`, everything written before is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SynchronizeCache {
    /// Whether to answer before it is done.
    pub immediate: bool,
    /// The first block.
    pub lba: Lba,
    /// How many blocks; zero for all that follow.
    pub blocks: u16,
}

impl SynchronizeCache {
    /// Everything, answered when done.
    pub const ALL: Self = Self {
        immediate: false,
        lba: Lba::ZERO,
        blocks: 0,
    };
}

impl Fields for SynchronizeCache {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 1, self.immediate);
        cdb.set_u32(2, self.lba.get());
        cdb.set_u16(7, self.blocks);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            immediate: cdb.bit(1, 1),
            lba: cdb.lba(2)?,
            blocks: cdb.u16(7),
        })
    }
}

/// Moves the head (MMC-6, SEEK (10)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seek10 {
    /// Where to.
    pub lba: Lba,
}

impl Fields for Seek10 {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_u32(2, self.lba.get());
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self { lba: cdb.lba(2)? })
    }
}

/// Reads the drive's buffer memory, for tests of the transport (SPC-3 6.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadBuffer {
    /// What to read: 0 header and data, 2 data, 3 descriptor.
    pub mode: u8,
    /// Which buffer.
    pub buffer: u8,
    /// The first byte, at most 24 bits.
    pub offset: u32,
    /// Bytes of reply that the host has room for, at most 24 bits.
    pub allocation: u32,
}

impl Fields for ReadBuffer {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set(1, self.mode & 0x1f);
        cdb.set(2, self.buffer);
        cdb.set_u24(3, self.offset);
        cdb.set_u24(6, self.allocation);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            mode: cdb.u8(1) & 0x1f,
            buffer: cdb.u8(2),
            offset: cdb.u24(3),
            allocation: cdb.u24(6),
        })
    }
}

/// How much of the write buffer is free (MMC-6, READ BUFFER CAPACITY).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadBufferCapacity {
    /// Whether to count in blocks and not in bytes.
    pub in_blocks: bool,
    /// Bytes of reply that the host has room for.
    pub allocation: u16,
}

impl Fields for ReadBufferCapacity {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 0, self.in_blocks);
        cdb.set_u16(7, self.allocation);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            in_blocks: cdb.bit(1, 0),
            allocation: cdb.u16(7),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, check};
    use super::*;

    const LBA: Lba = Lba::new(0x0102_0304);

    #[test]
    fn golden_bytes_of_reads_and_writes() {
        let read = Read10 {
            lba: LBA,
            blocks: 0x20,
            force_unit_access: true,
        };
        check(read, &[0x28, 8, 1, 2, 3, 4, 0, 0, 0x20, 0]);
        let read = Read12 {
            lba: LBA,
            blocks: BlockCount::new(0x0506_0708),
            force_unit_access: false,
            streaming: true,
        };
        check(read, &[0xa8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x80, 0]);
        let write = Write10 {
            address: LBA.into(),
            blocks: 0x1020,
            force_unit_access: false,
        };
        check(write, &[0x2a, 0, 1, 2, 3, 4, 0, 0x10, 0x20, 0]);
        let write = Write12 {
            address: LBA.into(),
            blocks: BlockCount::new(32),
            force_unit_access: true,
            streaming: false,
        };
        check(write, &[0xaa, 8, 1, 2, 3, 4, 0, 0, 0, 32, 0, 0]);
        let verified = WriteAndVerify {
            lba: LBA,
            blocks: 16,
        };
        check(verified, &[0x2e, 0, 1, 2, 3, 4, 0, 0, 16, 0]);
        check(
            Verify10 {
                lba: LBA,
                blocks: 16,
            },
            &[0x2f, 0, 1, 2, 3, 4, 0, 0, 16, 0],
        );
    }

    #[test]
    fn a_cd_session_at_once_begins_before_block_0() {
        let write = Write10 {
            address: SectorAddress::PAUSE,
            blocks: 16,
            force_unit_access: false,
        };
        check(write, &[0x2a, 0, 0xff, 0xff, 0xff, 0x6a, 0, 0, 16, 0]);
        let last = Command::decode(&[0x2a, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1, 0]);
        let Ok(Command::Write10(last)) = last else {
            panic!("{last:?}");
        };
        assert_eq!(last.address.get(), -1);
    }

    #[test]
    fn golden_bytes_of_the_buffer() {
        check(SynchronizeCache::ALL, &[0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let some = SynchronizeCache {
            immediate: true,
            lba: LBA,
            blocks: 7,
        };
        check(some, &[0x35, 2, 1, 2, 3, 4, 0, 0, 7, 0]);
        check(Seek10 { lba: LBA }, &[0x2b, 0, 1, 2, 3, 4, 0, 0, 0, 0]);
        let buffer = ReadBuffer {
            mode: 2,
            buffer: 1,
            offset: 0x0a0b0c,
            allocation: 0x010000,
        };
        check(buffer, &[0x3c, 2, 1, 0x0a, 0x0b, 0x0c, 1, 0, 0, 0]);
        let capacity = ReadBufferCapacity {
            in_blocks: true,
            allocation: 12,
        };
        check(capacity, &[0x5c, 1, 0, 0, 0, 0, 0, 0, 12, 0]);
    }

    #[test]
    fn what_no_drive_accepts_is_refused() {
        for (bytes, sense) in [
            (
                &[0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0][..],
                Sense::LBA_OUT_OF_RANGE,
            ),
            (
                &[0x2f, 2, 0, 0, 0, 0, 0, 0, 1, 0],
                Sense::INVALID_FIELD_IN_CDB,
            ),
            (
                &[0xaa, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0x80, 0],
                Sense::INVALID_FIELD_IN_CDB,
            ),
        ] {
            assert_eq!(Command::decode(bytes), Err(sense), "{bytes:02x?}");
        }
    }
}
