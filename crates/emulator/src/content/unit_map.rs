//! A persistent map from write unit to content: copies share everything until written.
//!
//! A tree of three levels. A copy costs one reference; a change after a copy costs the three
//! nodes on the path to one unit, each of 128 entries.

use std::array;
use std::sync::Arc;

const FANOUT: usize = 128;

/// What is known of one write unit.
#[derive(Debug, Clone, Default)]
pub(crate) enum Unit {
    /// Nothing: it is as it was below this map.
    #[default]
    Untouched,
    /// It holds these bytes, a whole write unit.
    Recorded(Arc<[u8]>),
    /// It cannot be read.
    Unreadable,
}

type Leaf = [Unit; FANOUT];
type Branch = [Option<Arc<Leaf>>; FANOUT];
type Root = [Option<Arc<Branch>>; FANOUT];

/// A persistent map from the number of a write unit to its content.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnitMap {
    root: Option<Arc<Root>>,
}

/// The places of a unit in a root, its branch and its leaf.
fn places(unit: u32) -> [usize; 3] {
    let unit = unit as usize;
    [
        unit / FANOUT / FANOUT,
        unit / FANOUT % FANOUT,
        unit % FANOUT,
    ]
}

impl UnitMap {
    /// Units that the map has room for: more than any medium has.
    pub const CAPACITY: u32 = 128 * 128 * 128;

    /// What is known of a unit.
    pub fn get(&self, unit: u32) -> &Unit {
        let [in_root, in_branch, in_leaf] = places(unit);
        let branch = self.root.as_ref().and_then(|root| root[in_root].as_ref());
        let leaf = branch.and_then(|branch| branch[in_branch].as_ref());
        leaf.map_or(&Unit::Untouched, |leaf| &leaf[in_leaf])
    }

    /// Sets what is known of a unit; nodes shared with copies are copied first.
    ///
    /// # Panics
    /// If the unit is past [`UnitMap::CAPACITY`].
    pub fn set(&mut self, unit: u32, content: Unit) {
        let [in_root, in_branch, in_leaf] = places(unit);
        let root = self
            .root
            .get_or_insert_with(|| Arc::new([const { None }; FANOUT]));
        let branch =
            Arc::make_mut(root)[in_root].get_or_insert_with(|| Arc::new([const { None }; FANOUT]));
        let leaf = Arc::make_mut(branch)[in_branch]
            .get_or_insert_with(|| Arc::new(array::from_fn(|_| Unit::Untouched)));
        Arc::make_mut(leaf)[in_leaf] = content;
    }

    /// The units that something is known of, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Unit)> {
        /// Counts in steps of as many units as an entry holds.
        fn numbered<T>(
            entries: &[T; FANOUT],
            first: u32,
            step: usize,
        ) -> impl Iterator<Item = (u32, &T)> {
            (first..).step_by(step).zip(entries)
        }
        let roots = self.root.iter();
        let branches = roots.flat_map(|root| numbered(root, 0, FANOUT * FANOUT));
        let leaves = branches
            .filter_map(|(first, branch)| Some((first, branch.as_deref()?)))
            .flat_map(|(first, branch)| numbered(branch, first, FANOUT));
        leaves
            .filter_map(|(first, leaf)| Some((first, leaf.as_deref()?)))
            .flat_map(|(first, leaf)| numbered(leaf, first, 1))
            .filter(|(_, unit)| !matches!(unit, Unit::Untouched))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn recorded(value: u8) -> Unit {
        Unit::Recorded(Arc::from([value]))
    }

    fn listed(map: &UnitMap) -> BTreeMap<u32, Option<u8>> {
        map.iter()
            .map(|(unit, content)| match content {
                Unit::Recorded(bytes) => (unit, Some(bytes[0])),
                Unit::Unreadable | Unit::Untouched => (unit, None),
            })
            .collect()
    }

    #[test]
    fn a_copy_stays_as_it_was() {
        let mut map = UnitMap::default();
        map.set(5, recorded(1));
        map.set(1_000_000, recorded(2));
        let copy = map.clone();
        map.set(5, recorded(9));
        map.set(6, Unit::Unreadable);
        map.set(1_000_000, Unit::Untouched);
        assert_eq!(
            listed(&copy),
            BTreeMap::from([(5, Some(1)), (1_000_000, Some(2))])
        );
        assert_eq!(listed(&map), BTreeMap::from([(5, Some(9)), (6, None)]));
    }

    proptest! {
        #[test]
        fn behaves_as_a_map(
            writes in prop::collection::vec((0..UnitMap::CAPACITY, any::<u8>()), 0..60),
            copied_after in 0usize..60,
        ) {
            let (mut map, mut expected) = (UnitMap::default(), BTreeMap::new());
            let mut copy = None;
            for (index, (unit, value)) in writes.into_iter().enumerate() {
                if index == copied_after {
                    copy = Some((map.clone(), expected.clone()));
                }
                map.set(unit, recorded(value));
                expected.insert(unit, Some(value));
                prop_assert!(matches!(map.get(unit), Unit::Recorded(bytes) if bytes[0] == value));
            }
            prop_assert_eq!(listed(&map), expected);
            if let Some((copy, expected)) = copy {
                prop_assert_eq!(listed(&copy), expected);
            }
        }
    }
}
