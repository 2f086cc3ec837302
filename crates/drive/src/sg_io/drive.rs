//! A drive of this machine.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use reburn_blocks::BLOCK_SIZE;
use reburn_mmc::reply::InquiryData;
use reburn_mmc::{Cdb, Sense};

use super::header::{CHECK_CONDITION, SgIoHeader};
use super::mounts::{Numbers, mount_point};
use super::timeouts::timeout;
use super::{sense, system};
use crate::{CommandError, Data, Drive, DriveExt, Reply, TransportError};

/// Why a drive was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The device cannot be opened.
    #[error("{path}: {source}")]
    Device {
        /// The device.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The user may not use the device.
    #[error(
        "{path}: this user may not use the drive; become a member of the group that owns it \
         (often cdrom), or of root's"
    )]
    Forbidden {
        /// The device.
        path: PathBuf,
    },
    /// Somebody else uses the drive.
    #[error("{path}: another program has the drive for itself; wait for it to end, or close it")]
    Busy {
        /// The device.
        path: PathBuf,
    },
    /// The disc is mounted.
    #[error("{path}: its disc is mounted at {mount_point}; unmount it first")]
    Mounted {
        /// The device.
        path: PathBuf,
        /// Where.
        mount_point: PathBuf,
    },
    /// It is not an optical drive.
    #[error("{path} is no optical drive")]
    NotOptical {
        /// The device, or whatever it is.
        path: PathBuf,
    },
    /// The drive does not say what it is.
    #[error("{path}: {source}")]
    Silent {
        /// The device.
        path: PathBuf,
        /// Why.
        source: CommandError,
    },
}

/// A drive of this machine, by its device file: `/dev/sr0` or `/dev/sg0`.
#[derive(Debug)]
pub struct SgIoDrive {
    device: File,
    limit: usize,
}

impl SgIoDrive {
    /// Opens a drive to record on. No other program that asks so politely may have it, and its
    /// disc must not be mounted: what is written behind a mounted file system ruins it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let metadata = device(path)?;
        if let Some(mount_point) = numbers(path, &metadata).and_then(mount_point) {
            let path = path.to_owned();
            return Err(OpenError::Mounted { path, mount_point });
        }
        let mut options = File::options();
        options.read(true).write(true);
        Self::start(path, options.custom_flags(libc::O_NONBLOCK | libc::O_EXCL))
    }

    /// Opens a drive to read from, beside others.
    pub fn open_to_read(path: &Path) -> Result<Self, OpenError> {
        device(path)?;
        Self::start(
            path,
            File::options().read(true).custom_flags(libc::O_NONBLOCK),
        )
    }

    fn start(path: &Path, options: &OpenOptions) -> Result<Self, OpenError> {
        let opened = options.open(path).map_err(|source| {
            let path = path.to_owned();
            match source.kind() {
                io::ErrorKind::PermissionDenied => OpenError::Forbidden { path },
                io::ErrorKind::ResourceBusy => OpenError::Busy { path },
                _ => OpenError::Device { path, source },
            }
        });
        let device = opened?;
        let limit = transfer_limit(system::request_limit(&device));
        let mut drive = Self { device, limit };
        let source = match drive.inquiry() {
            Ok(found) if found.device_type == InquiryData::OPTICAL => return Ok(drive),
            Ok(_) => return Err(OpenError::NotOptical { path: path.into() }),
            Err(source) => source,
        };
        let path = path.to_owned();
        if knows_no_commands(&source) {
            Err(OpenError::NotOptical { path })
        } else {
            Err(OpenError::Silent { path, source })
        }
    }
}

/// Whether a device failed as one that has nothing to do with SCSI.
fn knows_no_commands(error: &CommandError) -> bool {
    let CommandError::Transport { source, .. } = error else {
        return false;
    };
    let TransportError::Lost(error) = source else {
        return false;
    };
    matches!(error.raw_os_error(), Some(libc::ENOTTY | libc::EINVAL))
}

/// What the file system says of a device.
fn device(path: &Path) -> Result<Metadata, OpenError> {
    let metadata = std::fs::metadata(path).map_err(|source| OpenError::Device {
        path: path.to_owned(),
        source,
    })?;
    let kind = metadata.file_type();
    if kind.is_block_device() || kind.is_char_device() {
        Ok(metadata)
    } else {
        Err(OpenError::NotOptical { path: path.into() })
    }
}

/// The numbers of the block device that a disc in this drive is mounted by.
fn numbers(path: &Path, metadata: &Metadata) -> Option<Numbers> {
    if metadata.file_type().is_block_device() {
        return Some(Numbers {
            major: libc::major(metadata.rdev()),
            minor: libc::minor(metadata.rdev()),
        });
    }
    let target = path.canonicalize().ok()?;
    Numbers::of_generic(target.file_name()?.to_str()?)
}

/// How much one command moves: what the kernel takes in one request, and no more than the 64 KiB
/// that all bridges between drives and buses were built for.
fn transfer_limit(of_request: Option<usize>) -> usize {
    const USUAL: usize = 64 * 1024;
    let limit = of_request.unwrap_or(USUAL).min(USUAL);
    // Halves of it keep write units in one piece as long as can be.
    let even = if limit.is_power_of_two() {
        limit
    } else {
        limit.next_power_of_two() / 2
    };
    even.max(BLOCK_SIZE)
}

impl Drive for SgIoDrive {
    fn execute(&mut self, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError> {
        let mut sense = [0; 64];
        let bytes = cdb.as_bytes();
        let header = system::send(&self.device, bytes, data, &mut sense, timeout(cdb.opcode()))?;
        understand(&header, &sense)
    }

    fn transfer_limit(&self) -> usize {
        self.limit
    }
}

/// What the kernel's answer means.
fn understand(header: &SgIoHeader, sense: &[u8]) -> Result<Reply, TransportError> {
    let lost = |kind, text: String| Err(TransportError::Lost(io::Error::new(kind, text)));
    if header.host_status != 0 {
        let (kind, words) = adapter_says(header.host_status);
        return lost(
            kind,
            format!("{words} (host status {:#04x})", header.host_status),
        );
    }
    let residual = usize::try_from(header.residual).unwrap_or(0);
    let transferred = (header.data_length as usize).saturating_sub(residual);
    match header.status {
        0 => Ok(Reply::good(transferred)),
        CHECK_CONDITION => {
            let stored = sense.len().min(usize::from(header.sense_length));
            match sense::decode(&sense[..stored]) {
                Ok(sense) => Ok(Reply {
                    transferred,
                    sense: Some(sense),
                }),
                Err(error) => lost(
                    io::ErrorKind::InvalidData,
                    format!("it failed without a readable reason: {error}"),
                ),
            }
        }
        // BUSY, TASK SET FULL: it may work later, as a drive that becomes ready does.
        0x08 | 0x28 => Ok(Reply::refused(Sense::BECOMING_READY)),
        0x18 => lost(
            io::ErrorKind::ResourceBusy,
            "another host has reserved the drive".into(),
        ),
        other => lost(
            io::ErrorKind::Other,
            format!("it answered with the status {other:#04x}"),
        ),
    }
}

/// What the host's adapter means (`DID_` of the kernel).
fn adapter_says(host_status: u16) -> (io::ErrorKind, &'static str) {
    match host_status {
        1 => (io::ErrorKind::NotConnected, "nothing is connected there"),
        2 => (io::ErrorKind::ResourceBusy, "the bus stayed busy"),
        3 => (io::ErrorKind::TimedOut, "the drive did not answer in time"),
        4 => (
            io::ErrorKind::NotConnected,
            "nothing answers at this address",
        ),
        5 => (io::ErrorKind::Interrupted, "the command was aborted"),
        8 => (io::ErrorKind::ConnectionReset, "the bus was reset"),
        _ => (io::ErrorKind::Other, "the host's adapter reports an error"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(header: &SgIoHeader, sense: &[u8]) -> String {
        match understand(header, sense) {
            Ok(Reply { transferred, sense }) => match sense {
                Some(sense) => format!("{transferred} bytes, {sense}"),
                None => format!("{transferred} bytes"),
            },
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn answers_are_bytes_sense_or_loss() {
        let asked = SgIoHeader {
            data_length: 96,
            ..SgIoHeader::default()
        };
        let mut good = asked;
        good.answer(36, None);
        assert_eq!(says(&good, &[]), "36 bytes");
        let mut refused = asked;
        let sense = Sense::INVALID_FIELD_IN_CDB.encode();
        refused.answer(0, Some(18));
        assert_eq!(
            says(&refused, &sense),
            "0 bytes, illegal request: invalid field in CDB (5/24/00)"
        );
        assert!(says(&refused, &[0; 18]).contains("without a readable reason"));
        let mut late = asked;
        late.lose(3);
        assert_eq!(
            says(&late, &[]),
            "the drive does not answer: the drive did not answer in time (host status 0x03)"
        );
        let busy = SgIoHeader { status: 8, ..asked };
        assert!(says(&busy, &[]).contains("2/04/01"));
    }

    #[test]
    fn limits_are_powers_of_two_up_to_the_usual_one() {
        let limits = [
            None,
            Some(1 << 20),
            Some(120 * 1024),
            Some(60 * 1024),
            Some(512),
        ];
        let expected = [65536, 65536, 65536, 32768, 2048];
        assert_eq!(limits.map(transfer_limit), expected);
    }

    #[test]
    fn what_is_no_drive_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "x").unwrap();
        let refused = |path: &Path| SgIoDrive::open(path).unwrap_err();
        assert!(matches!(refused(&file), OpenError::NotOptical { .. }));
        assert!(matches!(
            refused(Path::new("/dev/null")),
            OpenError::NotOptical { .. }
        ));
        let none = refused(&dir.path().join("none"));
        assert!(matches!(none, OpenError::Device { .. }), "{none}");
    }
}
