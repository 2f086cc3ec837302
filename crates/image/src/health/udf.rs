//! What there is of UDF.

use reburn_blocks::{BlockRangeList, Lba};
use reburn_iso9660::records::TERMINATOR;
use reburn_udf::{Flaw, FlawKind, ImportedTree, Note, NoteKind, UdfError, Volume};

use super::repair::Job;
use super::{Diagnosis, Finding, Shown, counts};
use crate::base::{is_udf_absent, unused_integrity};
use crate::{View, session};

/// A UDF volume that could be opened, and its tree if that could be read.
pub(super) struct UdfFound {
    pub(super) volume: Volume,
    pub(super) imported: Option<ImportedTree>,
    /// Blocks of metadata that readers need.
    pub(super) metadata: BlockRangeList,
}

impl Diagnosis<'_> {
    /// Looks for UDF, and for what of it is not whole.
    pub(super) fn examine_udf(&mut self) -> Option<UdfFound> {
        if !self.may_have_udf() {
            return None;
        }
        let opened = Volume::open(self.disc, self.session());
        let read = opened.and_then(|volume| {
            let imported = volume.read_tree(self.disc);
            imported.map(|imported| (volume, imported))
        });
        match read {
            Ok((volume, imported)) => {
                let found = self.take_udf(volume, imported);
                self.compare_with_end(&found.volume);
                Some(found)
            }
            Err(error) if is_udf_absent(&error) => None,
            Err(error) => self
                .find_earlier_table(&error)
                .or_else(|| self.mend_udf(&error)),
        }
    }

    /// Whether UDF is announced, or may have been, or nothing else is: a disc that was recorded
    /// anew with ISO 9660 may still have the anchors of what was there before.
    fn may_have_udf(&self) -> bool {
        /// Blocks of recognition sequences that are looked at.
        const LOOKED_AT: u32 = 64;
        let start = self.session().start.get() + session::HEAD.get();
        let end = (start + LOOKED_AT).min(self.disc.block_count().get());
        let (mut has_iso, mut has_ended) = (false, false);
        for lba in (start..end).map(Lba::new) {
            let Some(block) = self.block(lba) else {
                return true;
            };
            match &block[1..6] {
                b"NSR02" | b"NSR03" => return true,
                b"CD001" => (has_iso, has_ended) = (true, block[0] == TERMINATOR),
                b"BEA01" | b"TEA01" | b"BOOT2" | b"CDW02" => {}
                // A descriptor of which something else is left hides nothing behind it.
                _ if has_iso && !has_ended => {}
                _ => break,
            }
        }
        !has_iso
    }

    /// What is left of a volume that readers do not show.
    fn mend_udf(&mut self, error: &UdfError) -> Option<UdfFound> {
        let volume = Volume::open_by_reserve(self.disc, self.session()).ok();
        let imported = volume.as_ref().and_then(|v| v.read_tree(self.disc).ok());
        if let Some((volume, imported)) = volume.zip(imported) {
            let found = self.take_udf(volume, imported);
            // What the reserve sequence leads to is not what readers show.
            self.views.pop();
            self.show(View::Udf, Err(error.to_string()));
            return Some(found);
        }
        self.show(View::Udf, Err(error.to_string()));
        let what = format!("readers see no files: {error}");
        self.find(Finding::new(View::Udf, None, what));
        // Nobody knows which blocks the files are in.
        self.live = None;
        let volume = Volume::open(self.disc, self.session()).ok()?;
        self.take_flaws(&volume);
        Some(UdfFound {
            volume,
            imported: None,
            metadata: BlockRangeList::new(),
        })
    }

    pub(super) fn take_udf(&mut self, volume: Volume, imported: ImportedTree) -> UdfFound {
        let (files, folders) = counts(&imported.tree);
        let shown = Shown {
            label: volume.label(),
            time: volume.integrity().and_then(|last| last.recorded),
            session: None,
            files,
            folders,
        };
        self.show(View::Udf, Ok(shown));
        let structures = volume.structures();
        let unused: BlockRangeList = unused_integrity(&structures).collect();
        // Spare packets that nothing is in need not be readable.
        let spares = structures.sparing.iter().flat_map(|sparing| {
            let used: Vec<_> = sparing.moved.values().copied().collect();
            let spares = sparing.spares.clone().into_iter();
            let unused = spares.filter(move |lba| !used.contains(lba));
            unused.filter_map(|lba| reburn_blocks::BlockRange::with_count(lba, sparing.packet))
        });
        let unused = unused.union(&spares.collect());
        let metadata = imported.metadata_ranges.difference(&unused);
        self.need(&metadata, &imported.data_ranges);
        // What of the metadata ISO 9660 has, too, is its head.
        self.of_udf = imported.data_ranges.clone();
        let mended = self.take_flaws(&volume);
        for note in imported.notes.iter().filter(|note| is_flaw(note)) {
            if !mended.contains(&note.kind) {
                let blocks = Some(super::single(note.first.block));
                self.find(Finding::new(View::Udf, blocks, note.to_string()));
            }
        }
        UdfFound {
            volume,
            imported: Some(imported),
            metadata,
        }
    }

    /// Notes what is not whole; the kinds of reader's notes that say the same.
    fn take_flaws(&mut self, volume: &Volume) -> Vec<NoteKind> {
        let flaws = volume.flaws(self.disc, self.medium.write_unit());
        let kinds = flaws.iter().filter_map(|flaw| flaw.kind.note()).collect();
        // A session has one anchor until it is known where the disc ends (UDF 2.2.3).
        let is_usual = |flaw: &Flaw| self.append.is_some() && flaw.kind == FlawKind::SingleAnchor;
        let flaws: Vec<_> = flaws.into_iter().filter(|flaw| !is_usual(flaw)).collect();
        for flaw in flaws {
            self.take_flaw(flaw);
        }
        kinds
    }

    fn take_flaw(&mut self, flaw: Flaw) {
        let finding = Finding::new(View::Udf, Some(flaw.range), flaw.kind.to_string());
        if flaw.mends.is_empty() {
            return self.find(finding);
        }
        let mends = flaw.mends.into_iter();
        let job = Job {
            finding: 0,
            range: flaw.range,
            mends: mends.map(|mend| (mend.start, mend.bytes)).collect(),
            is_second_copy: flaw.kind.is_second_copy(),
        };
        self.find_and_mend(finding, job);
    }
}

/// Whether a note is of something that is wrong with the disc, not with what a tree can hold. A
/// lost recognition sequence is looked for elsewhere.
fn is_flaw(note: &Note) -> bool {
    !note.is_usual()
        && !matches!(
            note.kind,
            NoteKind::ExtendedAttributes
                | NoteKind::FileType
                | NoteKind::NoRecognition
                | NoteKind::VirtualTableEarlier
        )
}
