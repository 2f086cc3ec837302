//! Where the system use entries of a record go on (SUSP 5.1), and what they say of its name.

use std::ops::ControlFlow;

use reburn_record::{Record, Sheet};

use super::system_use::rows;
use super::{CONTINUATIONS_MAX, Inspector, Show, say};
use crate::records::{Ce, Cl, NameFlags, NmHead};
use crate::susp::Entries;

impl Inspector<'_> {
    /// Shows the areas where the entries of a record go on.
    pub(super) fn continuations(&self, first: Option<Ce>, show: Show<'_>) -> ControlFlow<()> {
        let mut next = first;
        for _ in 0..CONTINUATIONS_MAX {
            let Some(ce) = next.take() else {
                return ControlFlow::Continue(());
            };
            let (block, offset) = (ce.block.le(), ce.offset.le() as usize);
            let title = "Continuation of the system use area";
            let bytes = match self.read(block) {
                Ok(bytes) => bytes,
                Err(problem) => return say(title, block, 0, problem, show),
            };
            let end = offset.saturating_add(ce.length.le() as usize);
            let mut sheet = Sheet::new(title, block, offset.min(bytes.len()));
            sheet.clause = Ce::CLAUSE;
            if end > bytes.len() {
                sheet.note(format!(
                    "it ends at byte {end} of the block, which has 2048"
                ));
            }
            let area = bytes.get(offset..end.min(bytes.len())).unwrap_or_default();
            next = rows(&mut sheet, 0, area);
            show(&sheet)?;
        }
        match next {
            Some(ce) => {
                let problem = format!("it goes on more than {CONTINUATIONS_MAX} times");
                say("The system use area", ce.block.le(), 0, problem, show)
            }
            None => ControlFlow::Continue(()),
        }
    }

    /// The name that a record's NM entries give it; `None` if there are none. And where the
    /// directory is that a CL entry names.
    pub(super) fn posix_name(&self, area: &[u8]) -> (Option<Vec<u8>>, Option<u32>) {
        let (mut name, mut child) = (None::<Vec<u8>>, None);
        let mut take = |area: &[u8]| {
            let mut next = None;
            for entry in Entries::new(area).map_while(Result::ok) {
                match &entry.signature {
                    b"NM" => {
                        if let Ok((nm, part)) = NmHead::view(entry.bytes)
                            && nm.flags & (NameFlags::CURRENT | NameFlags::PARENT) == 0
                        {
                            name.get_or_insert_default().extend_from_slice(part);
                        }
                    }
                    b"CL" => child = Cl::view(entry.bytes).ok().map(|(cl, _)| cl.location.le()),
                    b"CE" => next = Ce::view(entry.bytes).ok().map(|(ce, _)| *ce),
                    _ => {}
                }
            }
            next
        };
        let mut next = take(area);
        for _ in 0..CONTINUATIONS_MAX {
            let Some(ce) = next.take() else { break };
            let Ok(bytes) = self.read(ce.block.le()) else {
                break;
            };
            let offset = ce.offset.le() as usize;
            let end = offset.saturating_add(ce.length.le() as usize);
            next = bytes.get(offset..end).and_then(&mut take);
        }
        (name, child)
    }
}
