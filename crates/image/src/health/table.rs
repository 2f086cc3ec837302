//! Discs that can only be appended to: a virtual allocation table that is not where readers look.
//!
//! A recording that was cut leaves blocks behind the last table that is whole. Kernels look at the
//! last four blocks and mount nothing; the table, recorded once more as the last block, brings back
//! what it showed. Its entry leads to the same blocks as before, so that one is all.
//!
//! Invariant: nothing is recorded but where the disc goes on.

use std::collections::BTreeMap;

use reburn_blocks::{
    Appendable, BLOCK_SIZE, BlockRange, BlockRangeList, CrashClass, Epoch, EpochRole, Lba,
    ModifiedBlocks, Plan, Protocol,
};
use reburn_udf::{Session, UdfError, Volume};

use super::{Diagnosis, Finding, Health, Repair, UdfFound};
use crate::{ImageError, View, fingerprint, vat_append};

/// Blocks from the last one back that kernels look at.
const LOOKED_AT: u32 = 4;

impl<'d> Diagnosis<'d> {
    /// Which part of the disc is looked at.
    pub(super) fn session(&self) -> Session {
        self.append.map_or_else(Session::default, |append| Session {
            start: append.session_start,
            last_recorded: append.last_recorded,
        })
    }

    /// Notes a table that is further back than readers look.
    pub(super) fn compare_with_end(&mut self, volume: &Volume) {
        let last = self.session().last_recorded;
        let (Some(last), Some(table)) = (last, volume.virtual_table_entry()) else {
            return;
        };
        if last.blocks_since(table).get() >= LOOKED_AT
            && let Ok(volume) = Volume::open(self.disc, self.at(table))
        {
            self.find_table(volume, table);
        }
    }

    /// Looks for a table where the recorded blocks do not end with one.
    pub(super) fn find_earlier_table(&mut self, error: &UdfError) -> Option<UdfFound> {
        self.append?;
        let volume = Volume::open_by_earlier_table(self.disc, self.session())?;
        let imported = volume.read_tree(self.disc).ok()?;
        let table = volume.virtual_table_entry()?;
        let again = Volume::open(self.disc, self.at(table)).ok()?;
        let found = self.take_udf(volume, imported);
        self.views.pop();
        self.show(View::Udf, Err(error.to_string()));
        self.find_table(again, table);
        Some(found)
    }

    fn at(&self, table: Lba) -> Session {
        Session {
            last_recorded: Some(table),
            ..self.session()
        }
    }

    fn find_table(&mut self, volume: Volume, table: Lba) {
        let what = format!(
            "the disc does not end with its virtual allocation table, so kernels mount nothing; the \
             one at block {table} leads to what was there before a recording was cut"
        );
        self.table = Some((self.findings.len(), volume));
        self.find(Finding::new(View::Udf, Some(super::single(table)), what));
    }

    /// What a check of a disc comes to that can only be appended to.
    pub(super) fn end_appendable(
        self,
        label: String,
        append: Appendable,
    ) -> Result<Health<'d>, ImageError> {
        let Self {
            disc,
            medium,
            views,
            mut findings,
            jobs,
            metadata,
            table,
            ..
        } = self;
        for job in &jobs {
            if let Some(finding) = findings.get_mut(job.finding) {
                finding.obstacle = Some("the disc can only be appended to".into());
            }
        }
        let mut repair = None;
        if let Some((finding, volume)) = table {
            let (run, structures) = vat_append::table_again(&volume, disc, (medium, append))?;
            let unit = medium.write_unit();
            let mut blocks: BTreeMap<Lba, Vec<u8>> = run
                .pieces(unit.blocks())
                .map(|piece| (piece.start_lba(), vec![0; unit.bytes()]))
                .collect();
            for structure in structures {
                let bytes = structure.bytes.chunks(BLOCK_SIZE);
                for (lba, block) in (structure.start.get()..).map(Lba::new).zip(bytes) {
                    let start = lba.align_down(unit);
                    if let Some(bytes) = blocks.get_mut(&start) {
                        let at = lba.blocks_since(start).as_usize() * BLOCK_SIZE;
                        bytes[at..at + BLOCK_SIZE].copy_from_slice(block);
                    }
                }
            }
            let plan = Plan {
                volume: label,
                base: fingerprint::take(disc, &metadata, &BlockRangeList::new(), unit)?,
                protocol: Protocol::Repair,
                next_writable: Some(append.next_writable),
                class: CrashClass::Recoverable,
                class_reason:
                    "readers find the table again once all is recorded; if that stops half \
                               way, check the disc and repair it again"
                        .into(),
                lower_bound: run.block_count(),
                total_blocks: reburn_blocks::BlockCount::new(run.end_exclusive()),
                modified: one_run(unit, run),
            };
            findings[finding].is_mended = true;
            repair = Some(Repair::of_units(disc, plan, blocks));
        }
        Ok(Health {
            views,
            findings,
            repair,
        })
    }
}

fn one_run(unit: reburn_blocks::WriteUnit, run: BlockRange) -> ModifiedBlocks {
    let epoch = Epoch {
        role: EpochRole::Commit,
        ranges: BlockRangeList::from_iter([run]),
    };
    ModifiedBlocks::new(unit, [epoch])
}
