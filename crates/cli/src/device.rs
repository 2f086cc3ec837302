//! Optical drives of this machine, as they are named on the command line: `/dev/sr0`.

use std::path::Path;

/// What the names of device files of optical drives begin with.
const DEVICES: [&str; 3] = ["sr", "scd", "sg"];

/// Whether a path is, or leads to, the device file of an optical drive.
pub fn is_drive(path: &Path) -> bool {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = target.file_name().and_then(|name| name.to_str());
    let numbered = |name: &str| {
        let number = DEVICES.iter().find_map(|kind| name.strip_prefix(kind));
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    target.parent() == Some(Path::new("/dev")) && name.is_some_and(numbered)
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub use linux::{to_read, to_record};
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub use others::{to_read, to_record};

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod linux {
    use std::path::Path;
    use std::time::Duration;

    use reburn_blocks::BlockCount;
    use reburn_drive::sg_io::{OpenError, SgIoDrive};
    use reburn_drive::{CommandError, Drive, DriveExt};
    use reburn_image::Medium;
    use reburn_mmc::Profile;

    use crate::disc::OpenDisc;
    use crate::failure::Failure;

    /// How long a drive may take to find its disc.
    const READY_LIMIT: Duration = Duration::from_mins(1);

    /// The drive, for reading.
    pub fn to_read(path: &Path) -> Result<OpenDisc, Failure> {
        let mut drive = SgIoDrive::open_to_read(path).map_err(|error| not_opened(&error))?;
        let failed = |error: CommandError| Failure::drive(error.to_string()).of(path.display());
        drive
            .wait_until_ready(READY_LIMIT, &mut |_| ())
            .map_err(failed)?;
        OpenDisc::in_drive(drive, |found| {
            let track = found.sequence.and_then(|sequence| sequence.track);
            let end = track.and_then(|track| Some(track.next_writable? + track.free));
            let count = end.map_or(found.capacity, |end| BlockCount::new(end.get()));
            medium(found.profile, count)
        })
        .map_err(|failure| failure.of(path.display()))
    }

    /// The drive, for itself, to record.
    pub fn to_record(path: &Path) -> Result<Box<dyn Drive>, Failure> {
        let mut drive = SgIoDrive::open(path).map_err(|error| not_opened(&error))?;
        let failed = |error: CommandError| Failure::drive(error.to_string()).of(path.display());
        drive
            .wait_until_ready(READY_LIMIT, &mut |_| ())
            .map_err(failed)?;
        Ok(Box::new(drive))
    }

    fn not_opened(error: &OpenError) -> Failure {
        match error {
            OpenError::Silent { .. } => Failure::drive(error.to_string()),
            _ => Failure::usage(error.to_string()),
        }
    }

    /// The kind of disc, told by its profile and, for Blu-ray, by its size.
    fn medium(profile: Profile, count: BlockCount) -> Option<Medium> {
        let one_of = |kinds: &[Medium]| {
            let holds = |kind: &Medium| kind.capacity().is_some_and(|most| count <= most);
            kinds.iter().copied().find(holds)
        };
        Some(match profile {
            Profile::CD_R => Medium::CdR,
            Profile::CD_RW => Medium::CdRw,
            Profile::DVD_R => Medium::DvdR,
            Profile::DVD_R_DL_SEQUENTIAL | Profile::DVD_R_DL_JUMP => Medium::DvdRDl,
            Profile::DVD_RW_SEQUENTIAL | Profile::DVD_RW_OVERWRITE => Medium::DvdRw,
            Profile::DVD_RAM => Medium::DvdRam,
            Profile::DVD_PLUS_RW => Medium::DvdPlusRw,
            Profile::DVD_PLUS_R => Medium::DvdPlusR,
            Profile::DVD_PLUS_R_DL => Medium::DvdPlusRDl,
            Profile::BD_R_SEQUENTIAL | Profile::BD_R_RANDOM => {
                let kinds = [Medium::BdR, Medium::BdRDl, Medium::BdRTl, Medium::BdRQl];
                one_of(&kinds)?
            }
            Profile::BD_RE => {
                let kinds = [Medium::BdRe, Medium::BdReDl, Medium::BdReTl, Medium::BdReQl];
                one_of(&kinds)?
            }
            _ => return None,
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn layers_are_told_by_the_size() {
            let blocks = BlockCount::new;
            assert_eq!(
                medium(Profile::BD_RE, blocks(11_826_176)),
                Some(Medium::BdRe)
            );
            assert_eq!(
                medium(Profile::BD_RE, blocks(23_652_352)),
                Some(Medium::BdReDl)
            );
            assert_eq!(medium(Profile::DVD_RAM, blocks(0)), Some(Medium::DvdRam));
            assert_eq!(medium(Profile::DVD_ROM, blocks(9)), None);
        }
    }
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
mod others {
    use std::path::Path;

    use reburn_drive::Drive;

    use crate::disc::OpenDisc;
    use crate::failure::Failure;

    fn no_drives(path: &Path) -> Failure {
        let path = path.display();
        Failure::usage(format!(
            "{path}: drives are used on Linux only; name an image, or a virtual disc"
        ))
    }

    /// Says that there is no such thing here.
    pub fn to_read(path: &Path) -> Result<OpenDisc, Failure> {
        Err(no_drives(path))
    }

    /// Says that there is no such thing here.
    pub fn to_record(path: &Path) -> Result<Box<dyn Drive>, Failure> {
        Err(no_drives(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drives_are_known_by_their_names() {
        for name in ["/dev/sr0", "/dev/sg12", "/dev/scd1"] {
            assert!(is_drive(Path::new(name)), "{name}");
        }
        for name in ["sr0", "/dev/sr", "/dev/srx", "/dev/loop0", "/mnt/sr0"] {
            assert!(!is_drive(Path::new(name)), "{name}");
        }
    }
}
