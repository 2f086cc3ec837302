//! Going back to an older session of ISO 9660: a head that leads there.

use reburn_blocks::{BlockRange, BlockRead, Lba};
use reburn_iso9660::Volume;

use super::repair::Job;
use super::{Finding, Repair, search};
use crate::session::{self, Sessions};
use crate::{ImageError, Medium, View};

impl<'d> Repair<'d> {
    /// What makes an older session the one that readers show: its descriptors at block 16. What is
    /// newer stays on the disc, is listed no more, and counts as free for the next edit. None if
    /// the session is the one that readers show.
    ///
    /// # Errors
    /// [`ImageError::Session`] if the disc does not list the session, if its tree cannot be read,
    /// or if there is UDF too, which has its present state only.
    pub fn return_to(
        disc: &'d dyn BlockRead,
        medium: Medium,
        number: u32,
    ) -> Result<Option<Self>, ImageError> {
        let cannot = |reason: &'static str| ImageError::Session { number, reason };
        let volume = match Volume::open(disc, Lba::ZERO) {
            Ok(volume) if volume.udf().is_some() => {
                return Err(cannot(
                    "the disc has UDF over the same files, which has its present state only",
                ));
            }
            Ok(volume) => volume,
            Err(error) => {
                let udf = reburn_udf::Volume::open(disc, reburn_udf::Session::default());
                return Err(match udf {
                    Ok(_) => cannot("sessions are of ISO 9660, and UDF has its present state only"),
                    Err(_) => error.into(),
                });
            }
        };
        let sessions = Sessions::decode(&volume.primary().application_use);
        let start = sessions.and_then(|sessions| sessions.start_of(number));
        let start = start.ok_or(cannot("the disc lists no such session"))?;
        let session = search::session_at(disc, start);
        let session = session.ok_or(cannot("its folders cannot be read"))?;
        let head = search::head_of(disc, &session);
        let head = head.ok_or(cannot("its descriptors cannot be read"))?;
        let current = volume.read_tree(disc, volume.best())?;
        let metadata = current
            .metadata_ranges
            .union(&session.imported.metadata_ranges);
        let data = current.data_ranges.union(&session.imported.data_ranges);
        let count = session.volume.descriptor_blocks().block_count();
        let range = BlockRange::with_count(session::HEAD, count);
        let job = Job {
            finding: 0,
            range: range.ok_or(cannot("its descriptors cannot be read"))?,
            mends: vec![(session::HEAD, head)],
            is_second_copy: false,
        };
        let mut findings = [Finding::new(View::Iso, range, "")];
        let label = volume.volume_identifier(volume.best()).unwrap_or_default();
        let live = metadata.union(&data);
        Self::new(
            disc,
            medium,
            label,
            &[job],
            Some(&live),
            &metadata,
            &mut findings,
        )
    }
}
