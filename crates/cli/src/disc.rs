//! Discs and images as they are named on the command line.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use reburn_blocks::{Appendable, BlockRead, ImageFile, Lba};
use reburn_drive::{Drive, DriveExt, DriveReader, ImageFileDrive};
use reburn_emulator::{Emulator, MediumKind, VirtualDisc};
use reburn_image::{Medium, Session};
use reburn_recorder::{Sequence, inspect};

use crate::device;
use crate::failure::Failure;

/// What a virtual disc's name begins with.
const VIRTUAL: &str = "virtual:";

/// A disc or image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiscName {
    /// An image file.
    File(PathBuf),
    /// An emulated disc that lies in a file.
    Virtual(PathBuf),
    /// The disc in a drive of this machine.
    Device(PathBuf),
}

impl FromStr for DiscName {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(match name.strip_prefix(VIRTUAL) {
            Some(path) => Self::Virtual(path.into()),
            None if device::is_drive(Path::new(name)) => Self::Device(name.into()),
            None => Self::File(name.into()),
        })
    }
}

impl fmt::Display for DiscName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::Device(path) => path.display().fmt(f),
            Self::Virtual(path) => write!(f, "{VIRTUAL}{}", path.display()),
        }
    }
}

/// A disc or image that is open for reading.
pub struct OpenDisc {
    /// Its blocks.
    pub blocks: Box<dyn BlockRead>,
    /// What it is, if it says so itself.
    pub medium: Option<Medium>,
    /// The session that readers begin in, as its drive tells them.
    pub session: Session,
    /// Where it goes on, if it can only be appended to.
    pub append: Option<Appendable>,
    /// Whether nothing can be recorded on it any more, or only once it is closed.
    pub sequence: Option<Sequence>,
}

impl OpenDisc {
    /// The disc in a drive; `medium` says what kind it is, given what the drive says of it.
    pub fn in_drive(
        mut drive: impl Drive + 'static,
        medium: impl FnOnce(&reburn_recorder::Medium) -> Option<Medium>,
    ) -> Result<Self, Failure> {
        let found = inspect(&mut drive).map_err(|error| Failure::drive(error.to_string()))?;
        let reader = match found.sequence {
            // What a drive calls its capacity ends with the last closed session.
            Some(_) => DriveReader::with_count(drive, found.capacity),
            None => DriveReader::new(drive).map_err(|error| Failure::drive(error.to_string()))?,
        };
        Ok(Self {
            blocks: Box::new(reader),
            medium: medium(&found),
            session: session_of(&found),
            append: found.appendable(),
            sequence: found.sequence,
        })
    }
}

impl DiscName {
    /// Opens the disc for reading.
    pub fn open(&self) -> Result<OpenDisc, Failure> {
        match self {
            Self::Device(path) => device::to_read(path),
            Self::File(path) => {
                let file = open_image(path)?;
                Ok(OpenDisc {
                    blocks: Box::new(file),
                    medium: None,
                    session: Session::default(),
                    append: None,
                    sequence: None,
                })
            }
            Self::Virtual(path) => {
                let disc = self.virtual_disc(path)?;
                let medium = Medium::from_name(disc.kind().name());
                let mut drive = Emulator::with_disc(disc);
                drive
                    .clear_attentions()
                    .map_err(|error| Failure::drive(error.to_string()).of(self))?;
                OpenDisc::in_drive(drive, |_| medium).map_err(|failure| failure.of(self))
            }
        }
    }

    /// The disc in a drive that can record. A file that does not exist becomes an image, or a
    /// virtual disc of the kind `new`.
    pub fn drive(&self, new: Option<Medium>) -> Result<Box<dyn Drive>, Failure> {
        match self {
            Self::Device(path) => device::to_record(path),
            Self::File(path) => {
                let opened = match std::fs::metadata(path) {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                        ImageFileDrive::create(path)
                    }
                    Ok(found) if found.is_dir() => {
                        return Err(Failure::usage(format!("{self} is a folder; name an image")));
                    }
                    Ok(found) if found.permissions().readonly() => {
                        ImageFileDrive::open_read_only(path)
                    }
                    _ => ImageFileDrive::open(path),
                };
                let drive = opened.map_err(|error| Failure::host(path, &error))?;
                Ok(Box::new(drive))
            }
            Self::Virtual(path) => {
                let disc = if path.exists() {
                    self.virtual_disc(path)?
                } else {
                    self.create(path, new)?
                };
                let mut drive = Emulator::with_disc(disc);
                drive
                    .clear_attentions()
                    .map_err(|error| Failure::drive(error.to_string()).of(self))?;
                Ok(Box::new(drive))
            }
        }
    }

    fn virtual_disc(&self, path: &Path) -> Result<VirtualDisc, Failure> {
        VirtualDisc::open(path).map_err(|error| Failure::usage(error.to_string()).of(self))
    }

    fn create(&self, path: &Path, kind: Option<Medium>) -> Result<VirtualDisc, Failure> {
        let kind = kind
            .and_then(|medium| MediumKind::from_name(medium.name()))
            .ok_or_else(|| {
                Failure::usage(format!(
                    "{self} does not exist; to make a blank one say which kind, as in --media bd-re"
                ))
            })?;
        VirtualDisc::create(path, kind).map_err(|error| Failure::usage(error.to_string()).of(self))
    }
}

/// The session that readers begin in.
fn session_of(found: &reburn_recorder::Medium) -> Session {
    let Some(sequence) = found.sequence else {
        return Session::default();
    };
    let last = found.capacity.get().checked_sub(1);
    Session {
        start: sequence.session_start,
        last_recorded: last.map(Lba::new),
    }
}

/// Opens an image file for reading.
pub fn open_image(path: &Path) -> Result<ImageFile, Failure> {
    let image = ImageFile::open(path).map_err(|error| Failure::host(path, &error))?;
    if image.as_file().metadata().is_ok_and(|found| found.is_dir()) {
        let what = path.display();
        return Err(Failure::usage(format!(
            "{what} is a folder; name an image or a disc"
        )));
    }
    Ok(image)
}
