//! What the stat calls say of the drive: a block device 11:0, readable and writable by its
//! owner.
//!
//! Results are laid out as this machine's kernel does, its low bytes first.

use std::mem::offset_of;
use std::os::unix::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::makedev;

/// Permissions: read and write for owner and group.
const PERMISSIONS: u32 = 0o660;
/// An inode number that no file in `/dev` has.
const INODE: u64 = 0x7265_6275_726e;
/// What the kernel recommends to read at once.
const BLOCK_SIZE: u32 = 4096;

/// What the drive is to stat.
#[derive(Debug, Clone, Copy)]
pub struct DeviceNode {
    major: u32,
    minor: u32,
    folder_device: u64,
    owner: u32,
    group: u32,
    seconds: u64,
}

impl DeviceNode {
    /// A node for the device with these numbers, made now and owned by the user.
    pub fn new(major: u32, minor: u32) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let folder = std::fs::metadata("/dev");
        Self {
            major,
            minor,
            folder_device: folder.map(|found| found.dev()).unwrap_or_default(),
            owner: rustix::process::geteuid().as_raw(),
            group: rustix::process::getegid().as_raw(),
            seconds: since.map(|since| since.as_secs()).unwrap_or_default(),
        }
    }

    /// The result of stat, lstat and fstat.
    pub fn stat(&self) -> [u8; size_of::<libc::stat>()] {
        let mut result = [0; size_of::<libc::stat>()];
        let mut put = |offset: usize, bytes: &[u8]| {
            result[offset..offset + bytes.len()].copy_from_slice(bytes);
        };
        // Fields that some machines have wider are zero above.
        put(
            offset_of!(libc::stat, st_dev),
            &self.folder_device.to_le_bytes(),
        );
        put(offset_of!(libc::stat, st_ino), &INODE.to_le_bytes());
        put(offset_of!(libc::stat, st_mode), &mode().to_le_bytes());
        put(offset_of!(libc::stat, st_nlink), &1u32.to_le_bytes());
        put(offset_of!(libc::stat, st_uid), &self.owner.to_le_bytes());
        put(offset_of!(libc::stat, st_gid), &self.group.to_le_bytes());
        let device = makedev(self.major, self.minor);
        put(offset_of!(libc::stat, st_rdev), &device.to_le_bytes());
        put(
            offset_of!(libc::stat, st_blksize),
            &BLOCK_SIZE.to_le_bytes(),
        );
        for offset in [
            offset_of!(libc::stat, st_atime),
            offset_of!(libc::stat, st_mtime),
            offset_of!(libc::stat, st_ctime),
        ] {
            put(offset, &self.seconds.to_le_bytes());
        }
        result
    }

    /// The result of statx; the basic fields, whatever was asked for.
    pub fn statx(&self) -> [u8; size_of::<libc::statx>()] {
        let mut result = [0; size_of::<libc::statx>()];
        let mut put = |offset: usize, bytes: &[u8]| {
            result[offset..offset + bytes.len()].copy_from_slice(bytes);
        };
        put(
            offset_of!(libc::statx, stx_mask),
            &libc::STATX_BASIC_STATS.to_le_bytes(),
        );
        put(
            offset_of!(libc::statx, stx_blksize),
            &BLOCK_SIZE.to_le_bytes(),
        );
        put(offset_of!(libc::statx, stx_nlink), &1u32.to_le_bytes());
        put(offset_of!(libc::statx, stx_uid), &self.owner.to_le_bytes());
        put(offset_of!(libc::statx, stx_gid), &self.group.to_le_bytes());
        let [low, high, ..] = mode().to_le_bytes();
        put(offset_of!(libc::statx, stx_mode), &[low, high]);
        put(offset_of!(libc::statx, stx_ino), &INODE.to_le_bytes());
        for offset in [
            offset_of!(libc::statx, stx_atime),
            offset_of!(libc::statx, stx_mtime),
            offset_of!(libc::statx, stx_ctime),
        ] {
            put(offset, &self.seconds.to_le_bytes());
        }
        put(
            offset_of!(libc::statx, stx_rdev_major),
            &self.major.to_le_bytes(),
        );
        put(
            offset_of!(libc::statx, stx_rdev_minor),
            &self.minor.to_le_bytes(),
        );
        let (major, minor) = (
            rustix::fs::major(self.folder_device),
            rustix::fs::minor(self.folder_device),
        );
        put(offset_of!(libc::statx, stx_dev_major), &major.to_le_bytes());
        put(offset_of!(libc::statx, stx_dev_minor), &minor.to_le_bytes());
        result
    }
}

fn mode() -> u32 {
    libc::S_IFBLK | PERMISSIONS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let node = DeviceNode::new(11, 0);
        let (stat, statx) = (node.stat(), node.statx());
        let at = |bytes: &[u8], offset: usize| {
            u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap())
        };
        assert_eq!(at(&stat, offset_of!(libc::stat, st_mode)), 0o060_660);
        assert_eq!(at(&statx, offset_of!(libc::statx, stx_mode)), 0o060_660);
        assert_eq!(at(&stat, offset_of!(libc::stat, st_rdev)), 0x0b00);
        assert_eq!(at(&statx, offset_of!(libc::statx, stx_rdev_major)), 11);
        assert_eq!(at(&stat, offset_of!(libc::stat, st_ino)), 0x6275_726e);
        assert_eq!(at(&statx, offset_of!(libc::statx, stx_ino)), 0x6275_726e);
    }
}
