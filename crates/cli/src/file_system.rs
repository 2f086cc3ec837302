//! Which file systems an image gets, as the command line says it.

use std::fmt;
use std::str::FromStr;

use reburn_image::{
    FileSystems, IsoOptions, Medium, UdfOptions, UdfRevision, new_udf_volume, new_volume,
};
use reburn_iso9660::{DeepDirectories, Joliet, Level};
use reburn_tree::Timestamp;
use reburn_udf::{Access, PartitionKind};

use crate::args::VolumeArgs;
use crate::choices::{AccessArg, DeepArg, JolietArg, LevelArg, PartitionArg, Switch};

/// The file systems of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileSystemArg {
    /// ISO 9660 with Rock Ridge and Joliet.
    Iso,
    /// UDF.
    Udf(UdfRevision),
    /// Both, over the same files.
    Bridge(UdfRevision),
}

impl FromStr for FileSystemArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let revision = |name: &str, usual| match name.strip_prefix("udf") {
            Some("") => Some(usual),
            Some(rest) => {
                let known = UdfRevision::ALL.into_iter();
                let name = rest.strip_prefix('-')?;
                { known }.find(|revision| revision.name() == name)
            }
            None => None,
        };
        let found = match text.split_once(',') {
            Some(("iso", udf) | (udf, "iso")) => {
                revision(udf, UdfRevision::V1_02).map(Self::Bridge)
            }
            Some(_) => None,
            None if text == "iso" => Some(Self::Iso),
            None => revision(text, UdfRevision::V2_50).map(Self::Udf),
        };
        found.ok_or_else(|| {
            let revisions = UdfRevision::ALL.map(|revision| format!("udf-{}", revision.name()));
            format!(
                "known file systems are iso, udf (2.50), {}, and iso with one of them, as in \
                 iso,udf-1.02",
                revisions.join(", ")
            )
        })
    }
}

impl fmt::Display for FileSystemArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Iso => f.write_str("iso"),
            Self::Udf(revision) => write!(f, "udf-{}", revision.name()),
            Self::Bridge(revision) => write!(f, "iso,udf-{}", revision.name()),
        }
    }
}

impl VolumeArgs {
    /// The file systems that are wanted, dated `time`, on a medium. One that is recorded once gets
    /// a virtual partition of UDF, which can be appended to.
    pub fn file_systems(&self, time: Timestamp, medium: Medium) -> FileSystems {
        if self.dvd_video {
            let udf = self.udf(UdfRevision::V1_02, time);
            return FileSystems::DvdVideo(self.dvd_iso(time), udf);
        }
        match self.fs {
            FileSystemArg::Iso => FileSystems::Iso(self.iso(time)),
            FileSystemArg::Udf(revision) => {
                let udf = self.udf(revision, time);
                let can_be = revision.partitions().contains(&PartitionKind::Virtual);
                let is_free = self.partition.is_none() && self.access.is_none();
                if medium.is_sequential() && can_be && is_free {
                    let partition = PartitionKind::Virtual;
                    let UdfOptions { access, .. } = UdfOptions::with_partition(revision, partition);
                    return FileSystems::Udf(UdfOptions {
                        partition,
                        access,
                        ..udf
                    });
                }
                FileSystems::Udf(udf)
            }
            FileSystemArg::Bridge(revision) => {
                FileSystems::Bridge(self.iso(time), self.udf(revision, time))
            }
        }
    }

    fn iso(&self, time: Timestamp) -> IsoOptions {
        IsoOptions {
            level: match self.level {
                LevelArg::One => Level::One,
                LevelArg::Two => Level::Two,
                LevelArg::Three | LevelArg::Enhanced => Level::Three,
            },
            joliet: match self.joliet {
                JolietArg::Off => Joliet::Off,
                JolietArg::Strict => Joliet::Strict64,
                JolietArg::Relaxed => Joliet::Relaxed103,
            },
            rock_ridge: self.rock_ridge == Switch::On,
            deep: match self.deep {
                DeepArg::Relocate => DeepDirectories::Relocate,
                DeepArg::InPlace => DeepDirectories::InPlace,
            },
            enhanced: self.level == LevelArg::Enhanced,
            ..new_volume(&self.volume, time)
        }
    }

    /// What players of DVD-Video know of ISO 9660: short names, nothing else.
    fn dvd_iso(&self, time: Timestamp) -> IsoOptions {
        IsoOptions {
            level: Level::One,
            joliet: Joliet::Off,
            rock_ridge: false,
            ..new_volume(&self.volume, time)
        }
    }

    fn udf(&self, revision: UdfRevision, time: Timestamp) -> UdfOptions {
        let usual = new_udf_volume(&self.volume, revision, time);
        let by_kind = match self.partition {
            Some(kind) => UdfOptions::with_partition(revision, kind.into()),
            None => UdfOptions::new(revision),
        };
        UdfOptions {
            partition: by_kind.partition,
            access: self.access.map_or(by_kind.access, Into::into),
            duplicate_metadata: self.duplicate_metadata,
            ..usual
        }
    }
}

impl From<PartitionArg> for PartitionKind {
    fn from(kind: PartitionArg) -> Self {
        match kind {
            PartitionArg::Plain => Self::Plain,
            PartitionArg::Sparable => Self::Sparable,
            PartitionArg::Virtual => Self::Virtual,
            PartitionArg::Metadata => Self::Metadata,
        }
    }
}

impl From<AccessArg> for Access {
    fn from(access: AccessArg) -> Self {
        match access {
            AccessArg::ReadOnly => Self::ReadOnly,
            AccessArg::Overwritable => Self::Overwritable,
            AccessArg::PseudoOverwritable => Self::PseudoOverwritable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_read_as_they_are_written() {
        use FileSystemArg::{Bridge, Iso, Udf};
        for (text, wanted) in [
            ("iso", Iso),
            ("udf", Udf(UdfRevision::V2_50)),
            ("udf-2.01", Udf(UdfRevision::V2_01)),
            ("iso,udf", Bridge(UdfRevision::V1_02)),
            ("udf-2.60,iso", Bridge(UdfRevision::V2_60)),
        ] {
            let parsed: FileSystemArg = text.parse().unwrap();
            assert_eq!(parsed, wanted);
            assert_eq!(parsed.to_string().parse(), Ok(wanted));
        }
        for wrong in ["", "udf-", "udf2", "udf-2.02", "iso,iso", "udf,udf", "iso,"] {
            assert!(wrong.parse::<FileSystemArg>().is_err(), "{wrong:?}");
        }
    }
}
