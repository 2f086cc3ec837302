//! Which file systems a volume has.

use reburn_iso9660::IsoOptions;
use reburn_tree::Timestamp;
use reburn_udf::{UdfOptions, UdfRevision, UdfTexts};

/// The file systems of an image, and how each is written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileSystems {
    /// ISO 9660 alone.
    Iso(IsoOptions),
    /// UDF alone.
    Udf(UdfOptions),
    /// Both, over the same file data.
    Bridge(IsoOptions, UdfOptions),
    /// Both, as players of DVD-Video want it: `VIDEO_TS` first, in the order of its films.
    DvdVideo(IsoOptions, UdfOptions),
}

impl FileSystems {
    /// How ISO 9660 is written, if it is.
    pub fn iso(&self) -> Option<&IsoOptions> {
        match self {
            Self::Iso(iso) | Self::Bridge(iso, _) | Self::DvdVideo(iso, _) => Some(iso),
            Self::Udf(_) => None,
        }
    }

    /// How UDF is written, if it is.
    pub fn udf(&self) -> Option<&UdfOptions> {
        match self {
            Self::Udf(udf) | Self::Bridge(_, udf) | Self::DvdVideo(_, udf) => Some(udf),
            Self::Iso(_) => None,
        }
    }
}

impl From<IsoOptions> for FileSystems {
    fn from(iso: IsoOptions) -> Self {
        Self::Iso(iso)
    }
}

impl From<UdfOptions> for FileSystems {
    fn from(udf: UdfOptions) -> Self {
        Self::Udf(udf)
    }
}

/// A new UDF volume of that name, dated `time` or as its newest file.
pub fn new_udf_volume(name: &str, revision: UdfRevision, time: Timestamp) -> UdfOptions {
    UdfOptions {
        time,
        texts: UdfTexts {
            label: name.into(),
            ..UdfTexts::default()
        },
        ..UdfOptions::new(revision)
    }
}
