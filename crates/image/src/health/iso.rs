//! What there is of ISO 9660: the head at block 16, and the sessions that it leads to.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba};
use reburn_iso9660::records::{STANDARD_IDENTIFIER, TERMINATOR};
use reburn_iso9660::{
    Hierarchy, ImportedTree, IsoError, Note, NoteKind, Volume, change_volume_space,
    primary_descriptor,
};
use reburn_tree::Tree;

use super::repair::Job;
use super::search::{self, Session};
use super::{Diagnosis, Finding, Shown, UdfFound, counts};
use crate::View;
use crate::base::{check_same, is_same_metadata};
use crate::session::{self, Sessions};

/// A volume of ISO 9660 and its tree: what readers show, or what a lost head led to.
pub(super) struct IsoFound {
    pub(super) volume: Volume,
    pub(super) imported: ImportedTree,
    pub(super) sessions: Option<Sessions>,
}

impl IsoFound {
    /// The volume's name.
    pub(super) fn label(&self) -> String {
        let volume = &self.volume;
        volume.volume_identifier(volume.best()).unwrap_or_default()
    }

    /// Blocks of the descriptors at block 16.
    pub(super) fn descriptors(&self) -> BlockCount {
        self.volume.descriptor_blocks().block_count()
    }
}

impl From<Session> for IsoFound {
    fn from(session: Session) -> Self {
        Self {
            volume: session.volume,
            imported: session.imported,
            sessions: Some(session.sessions),
        }
    }
}

impl Diagnosis<'_> {
    /// Looks for ISO 9660, and for what of it is not whole. `udf` is over the same files.
    pub(super) fn examine_iso(&mut self, udf: Option<&UdfFound>) -> Option<IsoFound> {
        let opened = Volume::open(self.disc, self.session().start);
        let read = opened.and_then(|volume| {
            let imported = volume.read_tree(self.disc, volume.best())?;
            let sessions = Sessions::decode(&volume.primary().application_use);
            Ok(IsoFound {
                volume,
                imported,
                sessions,
            })
        });
        match read {
            Ok(found) => {
                self.take_iso(&found);
                if self.append.is_none() {
                    self.compare_with_session(&found, udf);
                }
                Some(found)
            }
            Err(error) => self.mend_iso(&error, udf),
        }
    }

    fn take_iso(&mut self, found: &IsoFound) {
        let (files, folders) = counts(&found.imported.tree);
        let shown = Shown {
            label: found.label(),
            time: found.volume.primary().modification_date.timestamp(),
            session: found.sessions.as_ref().map(|sessions| sessions.recorded),
            files,
            folders,
        };
        self.show(View::Iso, Ok(shown));
        self.need_iso(&found.imported);
        for note in found.imported.notes.iter().filter(|note| is_flaw(note)) {
            let blocks = Some(super::single(note.first.block));
            self.find(Finding::new(View::Iso, blocks, note.to_string()));
        }
    }

    /// What is left of a volume that readers do not show, if there was one.
    fn mend_iso(&mut self, error: &IsoError, udf: Option<&UdfFound>) -> Option<IsoFound> {
        let first = self.session().start.checked_add(session::SYSTEM_AREA)?;
        let range = BlockRange::with_count(first, session::SYSTEM_AREA)?;
        let lbas = || range.pieces(BlockCount::ONE).map(BlockRange::start_lba);
        let has_descriptors = lbas().any(|lba| {
            let block = self.block(lba);
            block.is_some_and(|block| block[1..].starts_with(b"CD001"))
        });
        if !has_descriptors && !lbas().any(|lba| self.is_lost(lba)) {
            return None;
        }
        if self.append.is_some() {
            self.show_no_iso(error);
            return None;
        }
        if self.has_sound_head() {
            // Something else is damaged, and an older session would lose what is newer.
            self.show_no_iso(error);
            return None;
        }
        let tree = udf.and_then(|udf| Some(&udf.imported.as_ref()?.tree));
        let mut newest = None;
        let mut same = None;
        for session in search::sessions(self.disc, self.medium.write_unit()) {
            if tree.is_none_or(|tree| shows(&session, tree)) {
                same = Some(session);
                break;
            }
            newest.get_or_insert(session);
        }
        let Some(session) = same.or(newest) else {
            if has_descriptors {
                self.show_no_iso(error);
            }
            return None;
        };
        self.show(View::Iso, Err(error.to_string()));
        let number = session.sessions.recorded;
        let what = format!(
            "the descriptors where readers begin are lost, so they see no volume; session {number} \
             is whole"
        );
        self.need_iso(&session.imported);
        self.lead_to(&session, what);
        Some(session.into())
    }

    fn need_iso(&mut self, imported: &ImportedTree) {
        let (metadata, data) = (&imported.metadata_ranges, &imported.data_ranges);
        self.need(metadata, data);
        self.of_iso = metadata.union(data);
    }

    fn show_no_iso(&mut self, error: &IsoError) {
        self.show(View::Iso, Err(error.to_string()));
        let what = format!("readers see no files: {error}");
        self.find(Finding::new(View::Iso, None, what));
        // Nobody knows which blocks the files are in.
        self.live = None;
    }

    /// Whether the descriptors at block 16 are all there, and those of the session that they name.
    fn has_sound_head(&self) -> bool {
        let mut head = Vec::new();
        for lba in (session::HEAD.get()..session::FIRST_START.get()).map(Lba::new) {
            let block = self.block(lba).unwrap_or_default();
            if block.get(1..6).is_none_or(|id| id != STANDARD_IDENTIFIER) {
                return false;
            }
            head.extend_from_slice(&block);
            if block[0] == TERMINATOR {
                break;
            }
        }
        let sessions = primary_descriptor(&head).map(|found| &found.application_use);
        let Some(sessions) = sessions.and_then(Sessions::decode) else {
            return false;
        };
        let Some(start) = sessions.starts.first().copied() else {
            return false;
        };
        let copy = start.checked_add(session::SYSTEM_AREA);
        let copy = copy.map(|lba| self.descriptors(lba, BlockCount::in_buffer(head.len())));
        match (copy, smaller_by(&head, start)) {
            (Some(Some(copy)), Some(wanted)) => copy == wanted,
            // What cannot be compared is not torn: it can be read.
            (Some(None), Some(_)) => true,
            _ => false,
        }
    }

    /// Notes a head that leads to the wrong place, and how it is made to lead to a session.
    fn lead_to(&mut self, session: &Session, what: String) {
        let count = session.volume.descriptor_blocks().block_count();
        let Some(range) = BlockRange::with_count(session::HEAD, count) else {
            return;
        };
        let finding = Finding::new(View::Iso, Some(range), what);
        match search::head_of(self.disc, session) {
            Some(head) => {
                let job = Job {
                    finding: 0,
                    range,
                    mends: vec![(session::HEAD, head)],
                    is_second_copy: false,
                };
                self.find_and_mend(finding, job);
            }
            None => self.find(finding),
        }
    }

    /// Compares what readers show with its session's own descriptors, and with UDF.
    fn compare_with_session(&mut self, found: &IsoFound, udf: Option<&UdfFound>) {
        let Some(sessions) = &found.sessions else {
            return self.compare_with_udf(found, udf);
        };
        let Some(&start) = sessions.starts.first() else {
            return;
        };
        let tree = udf.and_then(|udf| Some(&udf.imported.as_ref()?.tree));
        if let Some(tree) = tree
            && is_comparable(&found.volume)
            && !is_same(&found.imported.tree, tree)
        {
            return self.go_back_to(sessions, tree);
        }
        let head = self.descriptors(session::HEAD, found.descriptors());
        let Some(head) = head else { return };
        let copy_at = start.checked_add(session::SYSTEM_AREA);
        let copy = copy_at.and_then(|lba| self.descriptors(lba, found.descriptors()));
        let (Some(copy_at), Some(wanted)) = (copy_at, smaller_by(&head, start)) else {
            return;
        };
        match copy {
            Some(copy) if copy == wanted => {}
            Some(copy) if copy[..BLOCK_SIZE] != wanted[..BLOCK_SIZE] => self.half_head(found),
            Some(_) => match search::session_at(self.disc, start) {
                Some(session) => self.lead_to(
                    &session,
                    "descriptors behind the primary one are of another session, so readers show \
                     different files"
                        .into(),
                ),
                None => self.half_head(found),
            },
            None => self.lost_copy(copy_at, wanted),
        }
    }

    /// The head is neither that of its session nor lost: where a session has its root, it was
    /// being written.
    fn half_head(&mut self, found: &IsoFound) {
        let root = |volume: &Volume| volume.primary().root.head.extent_location.le();
        let shown = root(&found.volume);
        let mut sessions = search::sessions(self.disc, self.medium.write_unit());
        if let Some(session) = sessions.find(|session| root(&session.volume) == shown) {
            let number = session.sessions.recorded;
            let what = format!(
                "the descriptors where readers begin are partly those of session {number} and \
                 partly others"
            );
            return self.lead_to(&session, what);
        }
        let range = BlockRange::with_count(session::HEAD, found.descriptors());
        let what = "the descriptors where readers begin are those of no session; another program may \
                    have changed them";
        self.find(Finding::new(View::Iso, range, what));
    }

    fn lost_copy(&mut self, start: Lba, bytes: Vec<u8>) {
        let Some(range) = BlockRange::with_count(start, BlockCount::in_buffer(bytes.len())) else {
            return;
        };
        let what = "the session's own descriptors are lost; if the head at block 16 is torn, nothing \
                    brings it back";
        let finding = Finding::new(View::Iso, Some(range), what);
        let job = Job {
            finding: 0,
            range,
            mends: vec![(start, bytes)],
            is_second_copy: true,
        };
        self.find_and_mend(finding, job);
    }

    /// Both file systems can be read and show different trees: a plan stopped between its commits,
    /// or within the first one, whose note is that of the old session then.
    fn go_back_to(&mut self, sessions: &Sessions, tree: &Tree) {
        let disc = self.disc;
        let listed = sessions.starts.iter();
        let listed = listed.filter_map(|&start| search::session_at(disc, start));
        let mut all = listed.chain(search::sessions(disc, self.medium.write_unit()));
        if let Some(session) = all.find(|session| shows(session, tree)) {
            let number = session.sessions.recorded;
            let what = format!(
                "it shows other files than UDF, which has those of session {number}: a plan stopped \
                 between the two; repaired, both show session {number}"
            );
            return self.lead_to(&session, what);
        }
        let what = "it shows other files than UDF, and no session has those of UDF";
        self.find(Finding::new(View::Iso, None, what));
    }

    /// A disc of another program shows the same files in both file systems, if they can be
    /// compared.
    fn compare_with_udf(&mut self, found: &IsoFound, udf: Option<&UdfFound>) {
        let tree = udf.and_then(|udf| Some(&udf.imported.as_ref()?.tree));
        let Some(tree) = tree.filter(|_| is_comparable(&found.volume)) else {
            return;
        };
        if let Err(error) = check_same(&found.imported.tree, tree) {
            self.find(Finding::new(View::Iso, None, error.to_string()));
        }
    }

    fn descriptors(&self, start: Lba, count: BlockCount) -> Option<Vec<u8>> {
        let mut bytes = vec![0; count.as_usize() * BLOCK_SIZE];
        self.disc.read_blocks(start, &mut bytes).ok()?;
        Some(bytes)
    }
}

/// Descriptors at block 16 as they stand in the session that starts at a block, where the volume
/// counts from.
fn smaller_by(head: &[u8], start: Lba) -> Option<Vec<u8>> {
    let mut wanted = head.to_vec();
    let smaller = |size: BlockCount| size.get().checked_sub(start.get()).map(BlockCount::new);
    change_volume_space(&mut wanted, smaller)?;
    Some(wanted)
}

/// Whether a session has the files of a tree of UDF.
fn shows(session: &Session, tree: &Tree) -> bool {
    is_comparable(&session.volume) && is_same(&session.imported.tree, tree)
}

/// Only Rock Ridge says enough of files to be compared.
fn is_comparable(volume: &Volume) -> bool {
    volume.best() == Hierarchy::RockRidge
}

/// Whether trees have the same names, the same files in the same blocks, and the same attributes.
fn is_same(iso: &Tree, udf: &Tree) -> bool {
    check_same(iso, udf).is_ok() && is_same_metadata(iso, udf)
}

/// Whether a note is of something that is wrong with the disc, not with what a tree can hold.
fn is_flaw(note: &Note) -> bool {
    !matches!(
        note.kind,
        NoteKind::AssociatedFile
            | NoteKind::AttributeRecord
            | NoteKind::ExtendedAttributes
            | NoteKind::Compressed
            | NoteKind::Sparse
    )
}
