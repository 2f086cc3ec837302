//! What is simulated: a medium, file systems, a kind of edit, and a seed that decides everything
//! else.

use std::fmt;
use std::str::FromStr;

use reburn_image::{FileSystems, Medium, UdfOptions, UdfRevision, new_udf_volume, new_volume};
use reburn_tree::Timestamp;
use reburn_udf::{Access, PartitionKind};

/// The file systems of a disc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// ISO 9660.
    Iso,
    /// UDF, on that partition, with that access.
    Udf(UdfRevision, PartitionKind, Access),
    /// Both, over the same file data.
    Bridge(UdfRevision),
}

impl Format {
    /// UDF as it usually is in a revision.
    pub fn usual(revision: UdfRevision) -> Self {
        let usual = UdfOptions::new(revision);
        Self::Udf(revision, usual.partition, usual.access)
    }

    /// Every file system, in the order of the table.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Iso];
        for revision in UdfRevision::ALL {
            for &kind in revision.partitions() {
                let usual = UdfOptions::with_partition(revision, kind).access;
                all.push(Self::Udf(revision, kind, usual));
                let others = match kind {
                    PartitionKind::Plain => &[Access::Overwritable][..],
                    PartitionKind::Metadata if revision == UdfRevision::V2_60 => {
                        &[Access::Overwritable, Access::PseudoOverwritable]
                    }
                    PartitionKind::Metadata => &[Access::Overwritable],
                    _ => &[],
                };
                all.extend(
                    others
                        .iter()
                        .map(|&access| Self::Udf(revision, kind, access)),
                );
            }
        }
        all.extend([UdfRevision::V1_02, UdfRevision::V2_50].map(Self::Bridge));
        all
    }

    /// A volume of that kind.
    pub fn volume(self, name: &str, time: Timestamp) -> FileSystems {
        match self {
            Self::Iso => FileSystems::Iso(new_volume(name, time)),
            Self::Udf(revision, partition, access) => FileSystems::Udf(UdfOptions {
                partition,
                access,
                ..new_udf_volume(name, revision, time)
            }),
            Self::Bridge(revision) => {
                let udf = new_udf_volume(name, revision, time);
                FileSystems::Bridge(new_volume(name, time), udf)
            }
        }
    }

    /// Whether there is such a disc: virtual partitions are for write-once media, and files;
    /// nothing else but sessions of ISO 9660 is for write-once media.
    fn is_for(self, medium: Medium) -> bool {
        match self {
            Self::Iso => true,
            Self::Udf(_, PartitionKind::Virtual, _) => {
                medium == Medium::File || medium.is_sequential()
            }
            _ => !medium.is_sequential(),
        }
    }

    /// Whether a disc can be changed after it was recorded.
    fn can_be_edited(self, medium: Medium) -> bool {
        match self {
            Self::Iso | Self::Udf(_, PartitionKind::Plain | PartitionKind::Sparable, _) => true,
            Self::Bridge(revision) => revision.usual_partition() == PartitionKind::Plain,
            // Bitmaps of free space are not edited yet.
            Self::Udf(_, PartitionKind::Metadata, access) => access != Access::Overwritable,
            Self::Udf(_, PartitionKind::Virtual, _) => medium.is_sequential(),
        }
    }
}

/// As the program names them, with partition and access where these are not the usual ones.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Iso => f.write_str("iso"),
            Self::Udf(revision, partition, access) => {
                write!(f, "udf-{}", revision.name())?;
                if partition != revision.usual_partition() {
                    write!(f, "-{partition}")?;
                }
                let usual = UdfOptions::with_partition(revision, partition).access;
                if access != usual {
                    write!(f, "-{access}")?;
                }
                Ok(())
            }
            Self::Bridge(revision) => write!(f, "iso,udf-{}", revision.name()),
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::all().into_iter();
        { known }
            .find(|format| format.to_string() == name)
            .ok_or_else(|| format!("{name} is none of the file systems that are simulated"))
    }
}

/// What happens to the folder between two recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edit {
    /// Files get other content of the same size.
    Content,
    /// Files grow.
    Growth,
    /// Files shrink, some to nothing.
    Shrinking,
    /// Files and folders are added.
    Addition,
    /// Files and folders are removed.
    Removal,
    /// Files and folders are renamed and moved.
    Rename,
    /// Nothing changes.
    Nothing,
    /// All of the above but nothing, mixed.
    Mixed,
}

impl Edit {
    /// Every kind, in the order of the table.
    pub const ALL: [Self; 8] = [
        Self::Content,
        Self::Growth,
        Self::Shrinking,
        Self::Addition,
        Self::Removal,
        Self::Rename,
        Self::Nothing,
        Self::Mixed,
    ];

    /// The kinds that one change can be of.
    pub const SINGLE: [Self; 6] = [
        Self::Content,
        Self::Growth,
        Self::Shrinking,
        Self::Addition,
        Self::Removal,
        Self::Rename,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Growth => "growth",
            Self::Shrinking => "shrinking",
            Self::Addition => "addition",
            Self::Removal => "removal",
            Self::Rename => "rename",
            Self::Nothing => "nothing",
            Self::Mixed => "mixed",
        }
    }
}

/// One row of the table. As text, `MEDIUM/FILE SYSTEMS/EDIT/SEED`, it replays the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario {
    /// The medium recorded on.
    pub medium: Medium,
    /// What is on it.
    pub format: Format,
    /// What changes before each recording but the first.
    pub edit: Edit,
    /// Decides the tree and the details of every edit.
    pub seed: u64,
}

impl Scenario {
    /// How often the disc is changed: mixed edits come in chains, so that space freed by one
    /// plan is used by the next.
    pub fn rounds(self) -> u32 {
        match self.edit {
            _ if !self.format.can_be_edited(self.medium) => 0,
            Edit::Mixed => 4,
            _ => 1,
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (medium, format, edit) = (self.medium, self.format, self.edit.name());
        write!(f, "{medium}/{format}/{edit}/{}", self.seed)
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(id: &str) -> Result<Self, String> {
        let wrong = || format!("{id} is not MEDIUM/FS/EDIT/SEED, as in bd-re/udf-2.50/growth/1");
        let mut parts = id.split('/');
        let mut part = || parts.next().ok_or_else(wrong);
        let (medium, format, edit, seed) = (part()?, part()?, part()?, part()?);
        Ok(Self {
            medium: Medium::from_name(medium).ok_or_else(wrong)?,
            format: format.parse()?,
            edit: Edit::ALL
                .into_iter()
                .find(|e| e.name() == edit)
                .ok_or_else(wrong)?,
            seed: seed.parse().map_err(|_| wrong())?,
        })
    }
}

/// The built-in set: every edit on ISO 9660 and the usual UDF, and mixed edits on everything else.
/// Of rewritable media, one of each kind; what is recorded in order in every size.
pub fn built_in(media: Option<Medium>, seed: u64) -> Vec<Scenario> {
    let every = || {
        let rewritable = [
            Medium::File,
            Medium::DvdPlusRw,
            Medium::DvdRam,
            Medium::BdRe,
        ];
        let in_order = Medium::ALL.into_iter().filter(|m| m.is_sequential());
        rewritable.into_iter().chain(in_order).collect()
    };
    let media: Vec<_> = media.map_or_else(every, |medium| vec![medium]);
    let usual = [UdfRevision::V2_01, UdfRevision::V2_50].map(Format::usual);
    let usual = [Format::Iso, usual[0], usual[1]];
    let mut all = Vec::new();
    for medium in media {
        for format in Format::all() {
            if !format.is_for(medium) {
                continue;
            }
            let every = usual.contains(&format);
            let edits = Edit::ALL
                .into_iter()
                .filter(|&edit| every || edit == Edit::Mixed);
            all.extend(edits.map(|edit| Scenario {
                medium,
                format,
                edit,
                seed,
            }));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_replay_their_scenario() {
        for scenario in built_in(None, 7) {
            assert_eq!(scenario.to_string().parse(), Ok(scenario));
        }
        for wrong in [
            "bd-re/iso/growth",
            "floppy/iso/growth/1",
            "file/fat/growth/1",
        ] {
            assert!(wrong.parse::<Scenario>().is_err());
        }
    }
}
