//! The memory of a process whose system call waits.
//!
//! Invariant: what is read through a [`Memory`] counts only once the listener says that the call
//! still waits, for the number of a thread is used again when the thread is gone.

use std::fs::File;
use std::os::unix::fs::FileExt;

use rustix::io::Errno;

use super::calls::Place;

/// The longest path that the kernel takes, its end included.
const PATH_MAX: usize = 4096;
/// No read crosses more than one page, so that a path at the end of a mapping can be read.
const PAGE: usize = 4096;
/// The most parts that the kernel takes.
const PARTS_MAX: u64 = 1024;
/// The most bytes that one call moves here. A read or write may move fewer than it was asked
/// to.
pub const TRANSFER_MAX: usize = 1 << 20;

/// The memory of one thread's process.
#[derive(Debug)]
pub struct Memory(File);

impl Memory {
    /// The memory of a thread that is stopped in a call.
    pub fn of(thread: u32) -> Result<Self, Errno> {
        let path = format!("/proc/{thread}/mem");
        let file = File::options().read(true).write(true).open(path);
        file.map(Self).map_err(|_| Errno::FAULT)
    }

    /// Fills `buf` from `address` on.
    pub fn read(&self, address: u64, buf: &mut [u8]) -> Result<(), Errno> {
        self.0.read_exact_at(buf, address).map_err(|_| Errno::FAULT)
    }

    /// Stores `bytes` at `address`.
    pub fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Errno> {
        self.0
            .write_all_at(bytes, address)
            .map_err(|_| Errno::FAULT)
    }

    /// The text up to the first zero byte.
    pub fn path(&self, address: u64) -> Result<Vec<u8>, Errno> {
        let mut path = Vec::new();
        let mut at = address;
        while path.len() < PATH_MAX {
            let mut piece = [0; PAGE];
            let behind = usize::try_from(at % PAGE as u64).unwrap_or(0);
            let piece = &mut piece[behind..];
            self.read(at, piece)?;
            if let Some(end) = piece.iter().position(|byte| *byte == 0) {
                path.extend_from_slice(&piece[..end]);
                return Ok(path);
            }
            path.extend_from_slice(piece);
            at += piece.len() as u64;
        }
        Err(Errno::NAMETOOLONG)
    }

    /// The runs of bytes that a place is made of, [`TRANSFER_MAX`] bytes at most in all.
    pub fn runs(&self, place: Place) -> Result<Runs, Errno> {
        let listed = match place {
            Place::Whole(address, length) => vec![(address, length)],
            Place::Parts(_, count) if count > PARTS_MAX => return Err(Errno::INVAL),
            Place::Parts(address, count) => {
                let mut list = vec![0; usize::try_from(count).unwrap_or(0) * 16];
                self.read(address, &mut list)?;
                let (parts, _) = list.as_chunks::<8>();
                let numbers: Vec<_> = parts.iter().map(|part| u64::from_ne_bytes(*part)).collect();
                numbers
                    .chunks_exact(2)
                    .map(|pair| (pair[0], pair[1]))
                    .collect()
            }
        };
        let mut left = TRANSFER_MAX;
        let mut runs = Vec::with_capacity(listed.len());
        for (address, length) in listed {
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(left);
            left -= length;
            runs.push((address, length));
        }
        Ok(Runs(runs))
    }

    /// Brings in the bytes of all runs.
    pub fn gather(&self, runs: &Runs) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; runs.length()];
        let mut rest = &mut bytes[..];
        for (address, length) in &runs.0 {
            let (part, behind) = rest.split_at_mut(*length);
            self.read(*address, part)?;
            rest = behind;
        }
        Ok(bytes)
    }

    /// Spreads bytes over the runs, as many as there are.
    pub fn scatter(&self, runs: &Runs, mut bytes: &[u8]) -> Result<(), Errno> {
        for (address, length) in &runs.0 {
            let (part, behind) = bytes.split_at((*length).min(bytes.len()));
            self.write(*address, part)?;
            bytes = behind;
        }
        Ok(())
    }
}

/// Runs of bytes in the memory of a process: address and length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs(Vec<(u64, usize)>);

impl Runs {
    /// How many bytes they are together.
    pub fn length(&self) -> usize {
        self.0.iter().map(|(_, length)| length).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Memory {
        Memory::of(std::process::id()).unwrap()
    }

    #[test]
    fn paths_end_with_a_zero() {
        let path = c"/dev/sr0";
        let found = own().path(path.as_ptr().addr() as u64).unwrap();
        assert_eq!(found, path.to_bytes());
        assert_eq!(own().path(0), Err(Errno::FAULT));
        let endless = vec![b'a'; 3 * PATH_MAX];
        let found = own().path(endless.as_ptr().addr() as u64);
        assert_eq!(found, Err(Errno::NAMETOOLONG));
    }

    #[test]
    fn parts_are_gathered_and_scattered() {
        let (one, other) = ([1u8, 2], [3u8]);
        let address = |bytes: &[u8]| bytes.as_ptr().addr() as u64;
        let list = [address(&one), 2, address(&other), 1];
        let place = Place::Parts(list.as_ptr().addr() as u64, 2);
        let runs = own().runs(place).unwrap();
        assert_eq!(runs.length(), 3);
        assert_eq!(own().gather(&runs).unwrap(), [1, 2, 3]);
        own().scatter(&runs, &[7, 8]).unwrap();
        assert_eq!(own().gather(&runs).unwrap(), [7, 8, 3]);
        assert_eq!(own().runs(Place::Parts(0, 2000)), Err(Errno::INVAL));
    }

    #[test]
    fn long_transfers_are_cut() {
        let runs = own().runs(Place::Whole(0, u64::MAX)).unwrap();
        assert_eq!(runs.length(), TRANSFER_MAX);
    }
}
