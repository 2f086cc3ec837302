//! What is rehearsed: a medium, a volume, and what happens to it before and in the plan. As text,
//! `MEDIUM/VOLUME/CASE`, it replays the scenario.

use std::fmt;
use std::str::FromStr;

use reburn_image::{FileSystems, Medium, UdfOptions, UdfRevision, new_udf_volume, new_volume};
use reburn_tree::Timestamp;
use reburn_udf::PartitionKind;

use super::edits::Change;

/// Changes of one scenario, at most.
const CHANGES_MAX: usize = 3;
/// Edits that fill an integrity sequence of a disc and more.
const EDITS_MAX: u8 = 20;

/// What is on a disc, by which protocols differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Volume {
    /// ISO 9660: head swap.
    Iso,
    /// UDF 2.50: mirror flip.
    Metadata,
    /// The same with every entry and folder twice.
    Duplicate,
    /// UDF 2.01: VDS flip.
    Plain,
    /// The same on a sparable partition.
    Sparable,
    /// ISO 9660 and UDF 2.01 over the same files.
    Bridge,
}

impl Volume {
    /// Every kind, in the order of the table.
    pub const ALL: [Self; 6] = [
        Self::Iso,
        Self::Metadata,
        Self::Duplicate,
        Self::Plain,
        Self::Sparable,
        Self::Bridge,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Iso => "iso",
            Self::Metadata => "udf-2.50",
            Self::Duplicate => "udf-2.50-duplicate",
            Self::Plain => "udf-2.01",
            Self::Sparable => "udf-2.01-sparable",
            Self::Bridge => "iso,udf-2.01",
        }
    }

    /// A volume of that kind.
    pub fn file_systems(self, time: Timestamp) -> FileSystems {
        let udf = |revision| new_udf_volume("REHEARSE", revision, time);
        let iso = new_volume("REHEARSE", time);
        match self {
            Self::Iso => iso.into(),
            Self::Metadata => udf(UdfRevision::V2_50).into(),
            Self::Duplicate => FileSystems::Udf(UdfOptions {
                duplicate_metadata: true,
                ..udf(UdfRevision::V2_50)
            }),
            Self::Plain => udf(UdfRevision::V2_01).into(),
            Self::Sparable => {
                let partition = PartitionKind::Sparable;
                let usual = UdfOptions::with_partition(UdfRevision::V2_01, partition);
                FileSystems::Udf(UdfOptions {
                    partition,
                    access: usual.access,
                    ..udf(UdfRevision::V2_01)
                })
            }
            Self::Bridge => FileSystems::Bridge(iso, udf(UdfRevision::V2_01)),
        }
    }
}

impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What happens to the disc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Case {
    /// These changes of the small tree, in one plan.
    Changes(Vec<Change>),
    /// A tree of so many files, folders at the root, and folders in each other; so many files
    /// change all over it.
    Large(usize, usize, usize, usize),
    /// After so many edits another one.
    Edit(u8),
    /// A change after the recording of another was cut, in the distinct state of that number.
    Cut(usize),
}

/// Names of the changes, joined by `+`, or the kind of a hand-picked case with its numbers.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changes(changes) => {
                let names: Vec<_> = changes.iter().map(ToString::to_string).collect();
                f.write_str(&names.join("+"))
            }
            Self::Large(files, folders, depth, changes) => {
                write!(f, "large-{files}-{folders}-{depth}-{changes}")
            }
            Self::Edit(number) => write!(f, "after-{number}"),
            Self::Cut(state) => write!(f, "cut-{state}"),
        }
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text} is no case: try grow, or add+rename");
        let (kind, numbers) = text.split_once('-').unwrap_or((text, ""));
        let numbers: Result<Vec<usize>, _> = numbers.split('-').map(str::parse).collect();
        match (kind, numbers.as_deref()) {
            ("large", Ok(&[files, folders, depth, changes])) => {
                Ok(Self::Large(files, folders, depth, changes))
            }
            ("after", Ok(&[number])) => Ok(Self::Edit(number.try_into().map_err(|_| wrong())?)),
            ("cut", Ok(&[state])) => Ok(Self::Cut(state)),
            _ => {
                let changes = text.split('+').map(str::parse);
                Ok(Self::Changes(changes.collect::<Result<_, _>>()?))
            }
        }
    }
}

/// One rehearsal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// What is recorded on.
    pub medium: Medium,
    /// What is on it.
    pub volume: Volume,
    /// What happens to it.
    pub case: Case,
}

impl Scenario {
    /// Whether repairs are cut too. They look for sessions all over a disc, which takes long where
    /// there is ISO 9660 beside UDF.
    pub fn is_repaired(&self) -> bool {
        match (&self.case, self.volume) {
            (Case::Changes(changes), Volume::Bridge) => *changes == [Change::Add],
            (Case::Changes(changes), _) => changes.len() == 1,
            _ => false,
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.medium, self.volume, self.case)
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(id: &str) -> Result<Self, String> {
        let wrong = || format!("{id} is not MEDIUM/VOLUME/CASE, as in bd-re/udf-2.50/add+grow");
        let [medium, volume, case] = { id.split('/').collect::<Vec<_>>() }
            .try_into()
            .map_err(|_| wrong())?;
        let mut volumes = Volume::ALL.into_iter();
        Ok(Self {
            medium: Medium::from_name(medium).ok_or_else(wrong)?,
            volume: volumes
                .find(|known| known.name() == volume)
                .ok_or_else(wrong)?,
            case: case.parse()?,
        })
    }
}

/// The built-in set: every volume on every medium has all sequences of two changes, and its share
/// of those of three, so that each of these is rehearsed on either medium; and one large tree. The
/// full one has all sequences of three everywhere.
pub fn built_in(media: Option<Medium>, full: bool) -> Vec<Scenario> {
    let all = [Medium::DvdPlusRw, Medium::BdRe, Medium::File];
    let shares = Volume::ALL.len();
    let mut share = 0;
    let mut found = Vec::new();
    for medium in all
        .into_iter()
        .filter(|&one| media.is_none_or(|only| only == one))
    {
        // A file is edited as a disc is; what differs is how it tears.
        let longest = match (full, medium) {
            (false, Medium::File) => 1,
            (false, _) | (true, Medium::File) => 2,
            (true, _) => CHANGES_MAX,
        };
        for volume in Volume::ALL {
            let mut cases: Vec<_> = sequences(longest).map(Case::Changes).collect();
            if longest == CHANGES_MAX - 1 && !full {
                let longer = sequences(CHANGES_MAX).filter(|changes| changes.len() == CHANGES_MAX);
                let first = (share + share / shares) % shares;
                cases.extend(longer.skip(first).step_by(shares).map(Case::Changes));
                share += 1;
            }
            cases.extend(hand_picked(medium, full));
            found.extend(cases.into_iter().map(|case| Scenario {
                medium,
                volume,
                case,
            }));
        }
    }
    found
}

/// Every sequence of up to so many changes, the short ones first.
fn sequences(longest: usize) -> impl Iterator<Item = Vec<Change>> {
    let kinds = Change::ALL.len();
    (1..=longest).flat_map(move |len| {
        let count = kinds.pow(u32::try_from(len).expect("short sequences"));
        (0..count).map(move |number| {
            let digit = |place| number / kinds.pow(place) % kinds;
            let places = 0..u32::try_from(len).expect("short sequences");
            places.map(|place| Change::ALL[digit(place)]).collect()
        })
    })
}

fn hand_picked(medium: Medium, full: bool) -> Vec<Case> {
    let mut cases = vec![Case::Large(2000, 100, 0, 3), Case::Edit(1), Case::Edit(2)];
    // What a cut leaves of a file differs from sector to sector: a few of the states.
    cases.extend((0..if medium == Medium::File { 10 } else { 30 }).map(Case::Cut));
    if full {
        cases.extend([
            Case::Large(2000, 100, 0, 400),
            Case::Large(3000, 10, 60, 60),
            Case::Large(4000, 1000, 0, 10),
            Case::Large(500, 0, 0, 500),
        ]);
        cases.extend((3..EDITS_MAX).map(Case::Edit));
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_replay_their_scenario() {
        let all = built_in(None, true);
        assert!(all.len() > 2000, "{} scenarios", all.len());
        assert!(built_in(None, false).len() > 2000);
        for scenario in all.iter().step_by(7) {
            assert_eq!(scenario.to_string().parse().as_ref(), Ok(scenario));
        }
        for wrong in [
            "bd-re/iso",
            "bd-re/iso/sing",
            "floppy/iso/add",
            "file/fat/add",
        ] {
            assert!(wrong.parse::<Scenario>().is_err());
        }
    }
}
