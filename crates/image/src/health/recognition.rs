//! The recognition sequence of UDF (ECMA-167 2/8.3): behind the descriptors of ISO 9660, or where
//! these would be. It stands on the disc once, but what it says follows from the revision.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange};
use reburn_udf::NoteKind;

use super::repair::Job;
use super::{Diagnosis, Finding, IsoFound, UdfFound};
use crate::{View, session};

impl Diagnosis<'_> {
    pub(super) fn examine_recognition(&mut self, udf: &UdfFound, iso: Option<&IsoFound>) {
        let start = iso.map_or(session::HEAD, |iso| session::HEAD + iso.descriptors());
        let wanted = udf.volume.recognition_blocks();
        let count = BlockCount::in_buffer(wanted.len());
        let Some(range) = BlockRange::with_count(start, count) else {
            return;
        };
        let is_missing = |note: &reburn_udf::Note| note.kind == NoteKind::NoRecognition;
        let is_missing = udf.volume.notes().iter().any(is_missing);
        let lbas = range.pieces(BlockCount::ONE).map(BlockRange::start_lba);
        let found: Vec<_> = lbas.map(|lba| self.block(lba)).collect();
        if !is_missing && found.iter().all(Option::is_some) {
            return;
        }
        let what = "the recognition sequence is lost; many systems, and programs that mount discs by \
                    themselves, see no UDF volume";
        let finding = Finding::new(View::Udf, Some(range), what);
        let is_ours = found
            .iter()
            .zip(wanted.chunks(BLOCK_SIZE))
            .all(|(found, wanted)| {
                found
                    .as_ref()
                    .is_none_or(|found| found == wanted || found.iter().all(|&byte| byte == 0))
            });
        if !is_ours || udf.volume.block_size() as usize != BLOCK_SIZE {
            return self.find(finding);
        }
        let job = Job {
            finding: 0,
            range,
            mends: vec![(start, wanted)],
            is_second_copy: false,
        };
        self.find_and_mend(finding, job);
    }
}
