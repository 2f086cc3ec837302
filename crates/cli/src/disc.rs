//! Discs and images as they are named on the command line.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use reburn_blocks::{BlockRead, ImageFile};
use reburn_image::Medium;

use crate::failure::Failure;

/// A disc or image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiscName {
    /// An image file.
    File(PathBuf),
}

impl FromStr for DiscName {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(Self::File(name.into()))
    }
}

impl fmt::Display for DiscName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// A disc or image that is open for reading.
pub struct OpenDisc {
    /// Its blocks.
    pub blocks: Box<dyn BlockRead>,
    /// What it is, if it says so itself.
    pub medium: Option<Medium>,
}

impl DiscName {
    /// Opens the disc for reading.
    pub fn open(&self) -> Result<OpenDisc, Failure> {
        match self {
            Self::File(path) => {
                let file = open_image(path)?;
                Ok(OpenDisc {
                    blocks: Box::new(file),
                    medium: None,
                })
            }
        }
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
