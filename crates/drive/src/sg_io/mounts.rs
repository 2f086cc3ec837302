//! Where a disc is mounted: a line of `/proc/self/mountinfo` that has the device's numbers.
//!
//! Source: proc_pid_mountinfo(5) of the Linux manual.

use std::path::{Path, PathBuf};

/// The numbers of a block device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// The driver.
    pub major: u32,
    /// The device.
    pub minor: u32,
}

impl Numbers {
    /// The numbers in `11:0`.
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.trim().split_once(':')?;
        Some(Self {
            major: major.parse().ok()?,
            minor: minor.parse().ok()?,
        })
    }

    /// The numbers of the block device of a generic one (`sg0`), as the system lists it.
    pub fn of_generic(name: &str) -> Option<Self> {
        let folder = Path::new("/sys/class/scsi_generic")
            .join(name)
            .join("device/block");
        let block = std::fs::read_dir(folder).ok()?.flatten().next()?;
        Self::parse(&std::fs::read_to_string(block.path().join("dev")).ok()?)
    }
}

/// Where the device is mounted, if it is.
pub fn mount_point(numbers: Numbers) -> Option<PathBuf> {
    find(
        &std::fs::read_to_string("/proc/self/mountinfo").ok()?,
        numbers,
    )
}

fn find(mounts: &str, numbers: Numbers) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let mut words = line.split(' ').skip(2);
        let found = Numbers::parse(words.next()?)?;
        let point = words.nth(1)?;
        (found == numbers).then(|| PathBuf::from(unescape(point)))
    })
}

/// Spaces and the like stand as a backslash and three octal digits.
fn unescape(word: &str) -> String {
    let mut parts = word.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part
            .get(..3)
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match digits {
            Some(code) if code.is_ascii() => {
                text.push(char::from(code));
                text.push_str(&part[3..]);
            }
            _ => {
                text.push('\\');
                text.push_str(part);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mounted_disc_is_found_by_its_numbers() {
        let mounts = "24 30 0:22 / /proc rw,nosuid shared:5 - proc proc rw\n\
                      90 30 11:0 / /media/my\\040disc ro,nosuid - iso9660 /dev/sr0 ro\n";
        let at = |major, minor| find(mounts, Numbers { major, minor });
        assert_eq!(at(11, 0), Some(PathBuf::from("/media/my disc")));
        assert_eq!(at(11, 1), None);
        assert_eq!(find("short\n1 2 x:y", Numbers { major: 0, minor: 0 }), None);
        assert_eq!(unescape("a\\b\\"), "a\\b\\");
    }
}
