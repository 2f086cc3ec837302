//! What a tree is told of a file's bytes: where on the disc they are, and where holes are.

use reburn_blocks::Lba;
use reburn_tree::{Extent, NewKind};

use super::body::{Body, Run, Source};
use crate::records::ExtentKind;

/// A file's content, as a tree takes it.
pub(super) fn content(body: &Body) -> NewKind {
    NewKind::Base(match &body.source {
        Source::Embedded(at) if body.length > 0 => vec![recorded(*at, body.length)],
        Source::Embedded(_) => Vec::new(),
        Source::Runs(runs) => runs.iter().map(extent).collect(),
    })
}

/// Space that is allocated but not recorded reads as zeros too (ECMA-167 4/14.14.1.1).
fn extent(run: &Run) -> Extent {
    match run.kind {
        ExtentKind::Recorded => recorded(run.at, run.bytes),
        _ => Extent::hole(run.bytes),
    }
}

/// A place past the last address of any disc stays one: reading there fails, as it must.
fn recorded(at: u64, bytes: u64) -> Extent {
    Extent::from_byte(at, bytes).unwrap_or(Extent::new(Lba::MAX, bytes))
}
