//! Sessions of ISO 9660 on a disc whose head is lost, and with it the note of them.
//!
//! A session's descriptors stand at block 48, where the first one is, or begin a write unit. Each
//! primary descriptor has a note of its own session and of those before it: so one that says that
//! it is where it is, and whose older sessions are of the same volume, is no stored image, nor
//! what a disc held before it was recorded anew.
//!
//! Invariants: memory is bounded, whatever is on the disc; a session counts only if its whole tree
//! can be read.

use std::collections::BTreeSet;

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRead, Lba, WriteUnit};
use reburn_iso9660::records::VolumeDescriptor;
use reburn_iso9660::{ImportedTree, Volume, change_volume_space, primary_descriptor};
use reburn_tree::Timestamp;

use crate::session::{self, Sessions};

/// Sessions kept while the disc is searched: more than a note lists.
const FOUND_MAX: usize = 256;

/// A session whose tree was read.
pub(super) struct Session {
    pub(super) start: Lba,
    pub(super) volume: Volume,
    pub(super) imported: ImportedTree,
    pub(super) sessions: Sessions,
}

/// A session that may be one, ordered by age.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    recorded: u32,
    modified: Option<Timestamp>,
    start: Lba,
}

/// The sessions of a disc that are whole, the newest first; read one by one.
pub(super) fn sessions(
    disc: &dyn BlockRead,
    unit: WriteUnit,
) -> impl Iterator<Item = Session> + '_ {
    // Nothing is searched before the first one is asked for.
    let found = std::iter::once(()).flat_map(move |()| search(disc, unit).into_iter().rev());
    found.filter_map(move |candidate| session_at(disc, candidate.start))
}

/// The session that starts at a block, if it is whole and its own note leads there.
pub(super) fn session_at(disc: &dyn BlockRead, start: Lba) -> Option<Session> {
    let volume = Volume::open(disc, start).ok()?;
    let sessions = Sessions::decode(&volume.primary().application_use)?;
    let is_own = sessions.starts.first() == Some(&start);
    let is_one_volume = is_own && older_agree(disc, volume.primary(), &sessions);
    if !is_one_volume {
        return None;
    }
    let imported = volume.read_tree(disc, volume.best()).ok()?;
    Some(Session {
        start,
        volume,
        imported,
        sessions,
    })
}

/// Every place where a session of the disc may be, the newest last.
fn search(disc: &dyn BlockRead, unit: WriteUnit) -> BTreeSet<Candidate> {
    let mut found = BTreeSet::new();
    let first = session::FIRST_START + session::SYSTEM_AREA;
    let end = disc.block_count().get();
    let step = unit.blocks().get() as usize;
    let units = (0..end).step_by(step).filter(|&lba| lba > first.get());
    let mut block = vec![0; BLOCK_SIZE];
    for lba in std::iter::once(first.get()).chain(units) {
        let lba = Lba::new(lba);
        if disc.read_blocks(lba, &mut block).is_err() {
            continue;
        }
        found.extend(candidate(lba, &block));
        if found.len() > FOUND_MAX {
            found.pop_first();
        }
    }
    found
}

/// The session whose primary descriptor a block is.
fn candidate(lba: Lba, block: &[u8]) -> Option<Candidate> {
    let descriptor = primary_descriptor(block)?;
    let sessions = Sessions::decode(&descriptor.application_use)?;
    let start = lba.get().checked_sub(session::SYSTEM_AREA.get())?;
    let start = Lba::new(start);
    (sessions.starts.first() == Some(&start)).then_some(Candidate {
        recorded: sessions.recorded,
        modified: descriptor.modification_date.timestamp(),
        start,
    })
}

/// Whether the older sessions that a note lists are of the same volume, as far as they can be
/// read.
fn older_agree(disc: &dyn BlockRead, newest: &VolumeDescriptor, sessions: &Sessions) -> bool {
    let mut block = vec![0; BLOCK_SIZE];
    sessions.starts.iter().skip(1).all(|start| {
        let Some(lba) = start.checked_add(session::SYSTEM_AREA) else {
            return false;
        };
        if lba.get() >= disc.block_count().get() {
            return false;
        }
        if disc.read_blocks(lba, &mut block).is_err() {
            return true;
        }
        let created = |volume: &VolumeDescriptor| volume.creation_date.timestamp();
        primary_descriptor(&block).is_some_and(|found| created(found) == created(newest))
    })
}

/// The head that leads to a session: its descriptors, which count the volume from block 0 there
/// (ECMA-119 8.4.8).
pub(super) fn head_of(disc: &dyn BlockRead, session: &Session) -> Option<Vec<u8>> {
    let blocks = session.volume.descriptor_blocks();
    let mut head = vec![0; blocks.block_count().as_usize() * BLOCK_SIZE];
    disc.read_blocks(blocks.start_lba(), &mut head).ok()?;
    change_volume_space(&mut head, |size| {
        size.checked_add(BlockCount::new(session.start.get()))
    })?;
    Some(head)
}
