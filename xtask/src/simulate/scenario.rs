//! What is simulated: a medium, a kind of edit, and a seed that decides everything else.

use std::fmt;
use std::str::FromStr;

use reburn_image::Medium;

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

/// One row of the table. As text, `MEDIUM/EDIT/SEED`, it replays the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario {
    /// The medium recorded on.
    pub medium: Medium,
    /// What changes before each recording but the first.
    pub edit: Edit,
    /// Decides the tree and the details of every edit.
    pub seed: u64,
}

impl Scenario {
    /// How often the disc is changed: mixed edits come in chains, so that space freed by one
    /// plan is used by the next.
    pub fn rounds(self) -> u32 {
        if self.edit == Edit::Mixed { 4 } else { 1 }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.medium, self.edit.name(), self.seed)
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(id: &str) -> Result<Self, String> {
        let wrong = || format!("{id} is not MEDIUM/EDIT/SEED, as in bd-re/growth/1");
        let mut parts = id.split('/');
        let mut part = || parts.next().ok_or_else(wrong);
        let (medium, edit, seed) = (part()?, part()?, part()?);
        Ok(Self {
            medium: Medium::from_name(medium).ok_or_else(wrong)?,
            edit: Edit::ALL
                .into_iter()
                .find(|e| e.name() == edit)
                .ok_or_else(wrong)?,
            seed: seed.parse().map_err(|_| wrong())?,
        })
    }
}

/// The built-in set: every medium with every edit.
pub fn built_in(media: Option<Medium>, seed: u64) -> Vec<Scenario> {
    let media = media.map_or_else(
        || {
            vec![
                Medium::File,
                Medium::DvdPlusRw,
                Medium::DvdRam,
                Medium::BdRe,
            ]
        },
        |medium| vec![medium],
    );
    let with = |medium| Edit::ALL.map(|edit| Scenario { medium, edit, seed });
    media.into_iter().flat_map(with).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_replay_their_scenario() {
        for scenario in built_in(None, 7) {
            assert_eq!(scenario.to_string().parse(), Ok(scenario));
        }
        assert!("bd-re/growth".parse::<Scenario>().is_err());
        assert!("floppy/growth/1".parse::<Scenario>().is_err());
    }
}
