//! The plan's header: fields one after the other, little-endian; text and lists with their
//! length in front. Version 2 has one more field at the end, the next writable address, without
//! which a plan that is appended could be taken for one that overwrites.

use super::{PlanFileError, damaged};
use crate::{
    BlockCount, BlockRange, BlockRangeList, CrashClass, Digest, Epoch, EpochRole, Fingerprint,
    FingerprintPart, Lba, ModifiedBlocks, Plan, Protocol, WriteUnit,
};

/// The version of plans that overwrite.
pub(super) const PLAIN: u32 = 1;
/// The version of plans with a next writable address.
pub(super) const APPENDED: u32 = 2;

/// The oldest version that can say all of a plan.
pub(super) fn version(plan: &Plan) -> u32 {
    match plan.next_writable {
        None => PLAIN,
        Some(_) => APPENDED,
    }
}

pub(super) fn encode(plan: &Plan) -> Vec<u8> {
    let mut out = Vec::new();
    text(&mut out, &plan.volume);
    out.push(match plan.protocol {
        Protocol::HeadSwap => 1,
        Protocol::Difference => 2,
        Protocol::MirrorFlip => 3,
        Protocol::VdsFlip => 4,
        Protocol::Bridge => 5,
        Protocol::SparingRedo => 6,
        Protocol::SparingFold => 7,
        Protocol::InPlace => 8,
        Protocol::Repair => 9,
        Protocol::SessionAppend => 10,
        Protocol::VatAppend => 11,
    });
    out.push(match plan.class {
        CrashClass::Atomic => 1,
        CrashClass::Recoverable => 2,
        CrashClass::None => 3,
    });
    text(&mut out, &plan.class_reason);
    number(&mut out, plan.modified.write_unit().blocks().get());
    number(&mut out, plan.lower_bound.get());
    number(&mut out, plan.total_blocks.get());
    length(&mut out, plan.base.parts.len());
    for part in &plan.base.parts {
        range(&mut out, part.range);
        out.extend_from_slice(&part.digest.0);
    }
    length(&mut out, plan.modified.epochs().len());
    for epoch in plan.modified.epochs() {
        out.push(match epoch.role {
            EpochRole::Shadow => 1,
            EpochRole::Commit => 2,
        });
        length(&mut out, epoch.ranges.ranges().len());
        for listed in &epoch.ranges {
            range(&mut out, listed);
        }
    }
    if let Some(next_writable) = plan.next_writable {
        number(&mut out, next_writable.get());
    }
    out
}

fn number(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn length(out: &mut Vec<u8>, len: usize) {
    number(
        out,
        u32::try_from(len).expect("no list is longer than a disc has blocks"),
    );
}

fn text(out: &mut Vec<u8>, text: &str) {
    length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn range(out: &mut Vec<u8>, range: BlockRange) {
    number(out, range.start_lba().get());
    number(out, range.end_lba().get());
}

pub(super) fn decode(bytes: &[u8], version: u32) -> Result<Plan, PlanFileError> {
    let mut fields = Fields { rest: bytes };
    let volume = fields.text()?;
    let protocol = match fields.byte()? {
        1 => Protocol::HeadSwap,
        2 => Protocol::Difference,
        3 => Protocol::MirrorFlip,
        4 => Protocol::VdsFlip,
        5 => Protocol::Bridge,
        6 => Protocol::SparingRedo,
        7 => Protocol::SparingFold,
        8 => Protocol::InPlace,
        9 => Protocol::Repair,
        10 => Protocol::SessionAppend,
        11 => Protocol::VatAppend,
        other => return Err(damaged(format!("{other} is no protocol"))),
    };
    let class = match fields.byte()? {
        1 => CrashClass::Atomic,
        2 => CrashClass::Recoverable,
        3 => CrashClass::None,
        other => return Err(damaged(format!("{other} is no class"))),
    };
    let class_reason = fields.text()?;
    let write_unit =
        WriteUnit::new(fields.number()?).ok_or_else(|| damaged("its write unit has no blocks"))?;
    let lower_bound = BlockCount::new(fields.number()?);
    let total_blocks = BlockCount::new(fields.number()?);
    let mut parts = Vec::new();
    for _ in 0..fields.length(40)? {
        let range = fields.range()?;
        let digest = Digest(*fields.take::<32>()?);
        parts.push(FingerprintPart { range, digest });
    }
    let mut epochs = Vec::new();
    for _ in 0..fields.length(5)? {
        epochs.push(fields.epoch(write_unit)?);
    }
    let next_writable = match version {
        PLAIN => None,
        _ => Some(fields.lba()?),
    };
    if !fields.rest.is_empty() {
        return Err(damaged(format!(
            "{} bytes follow its last field",
            fields.rest.len()
        )));
    }
    check_disjoint(&epochs)?;
    let modified = ModifiedBlocks::new(write_unit, epochs);
    if let Some(start) = next_writable.filter(|&start| !modified.is_one_run_from(start)) {
        return Err(damaged(format!(
            "what it appends is not one run of blocks from {start} on"
        )));
    }
    let base = Fingerprint { parts };
    Ok(Plan {
        volume,
        base,
        protocol,
        next_writable,
        class,
        class_reason,
        modified,
        lower_bound,
        total_blocks,
    })
}

fn check_disjoint(epochs: &[Epoch]) -> Result<(), PlanFileError> {
    let mut seen = BlockRangeList::new();
    for epoch in epochs {
        if let Some(range) = epoch.ranges.iter().find(|&range| seen.intersects(range)) {
            return Err(damaged(format!("it lists blocks {range} twice")));
        }
        seen = seen.union(&epoch.ranges);
    }
    Ok(())
}

/// What is left of the header.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], PlanFileError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, PlanFileError> {
        self.take::<1>().map(|&[byte]| byte)
    }

    fn number(&mut self) -> Result<u32, PlanFileError> {
        self.take().map(|bytes| u32::from_le_bytes(*bytes))
    }

    /// The length of a list whose items take at least `item_len` bytes each.
    fn length(&mut self, item_len: usize) -> Result<usize, PlanFileError> {
        let count = self.number()? as usize;
        if count > self.rest.len() / item_len {
            Err(short())
        } else {
            Ok(count)
        }
    }

    fn text(&mut self) -> Result<String, PlanFileError> {
        let len = self.length(1)?;
        let (text, rest) = self.rest.split_at(len);
        self.rest = rest;
        String::from_utf8(text.to_vec()).map_err(|_| damaged("a text in it is not UTF-8"))
    }

    fn lba(&mut self) -> Result<Lba, PlanFileError> {
        let number = self.number()?;
        Lba::checked(number.into()).ok_or_else(|| damaged(format!("{number} is no block")))
    }

    fn range(&mut self) -> Result<BlockRange, PlanFileError> {
        let (start, end) = (self.number()?, self.number()?);
        Lba::checked(start.into())
            .zip(Lba::checked(end.into()))
            .and_then(|(start, end)| BlockRange::new(start, end))
            .ok_or_else(|| damaged(format!("{start}-{end} is no range of blocks")))
    }

    fn epoch(&mut self, unit: WriteUnit) -> Result<Epoch, PlanFileError> {
        let role = match self.byte()? {
            1 => EpochRole::Shadow,
            2 => EpochRole::Commit,
            other => return Err(damaged(format!("{other} is no role of an epoch"))),
        };
        let mut ranges = BlockRangeList::new();
        for _ in 0..self.length(8)? {
            let range = self.range()?;
            if range != range.align_outward(unit) {
                return Err(damaged(format!("blocks {range} are not whole write units")));
            }
            if ranges
                .last_lba()
                .is_some_and(|last| last >= range.start_lba())
            {
                return Err(damaged(format!("blocks {range} are out of order")));
            }
            ranges.insert(range);
        }
        Ok(Epoch { role, ranges })
    }
}

fn short() -> PlanFileError {
    damaged("its header ends too early")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::tests::sample_plan;

    #[test]
    fn round_trip() {
        let plan = sample_plan();
        assert_eq!(decode(&encode(&plan), PLAIN).unwrap(), plan);
    }

    #[test]
    fn what_is_appended_round_trips_and_is_one_run() {
        let plan = appended();
        assert_eq!(version(&plan), APPENDED);
        assert_eq!(decode(&encode(&plan), APPENDED).unwrap(), plan);
        let elsewhere = Plan {
            next_writable: Some(Lba::new(48)),
            ..plan
        };
        let refused = decode(&encode(&elsewhere), APPENDED).unwrap_err();
        assert!(refused.to_string().contains("from 48 on"), "{refused}");
    }

    /// DVD units 64-79 on a disc that goes on there.
    fn appended() -> Plan {
        let plan = sample_plan();
        let unit = plan.modified.write_unit();
        let first = plan.modified.epochs()[0].clone();
        Plan {
            modified: ModifiedBlocks::new(unit, [first]),
            next_writable: Some(Lba::new(64)),
            protocol: Protocol::SessionAppend,
            ..plan
        }
    }

    proptest! {
        /// The digest keeps accidents out; this keeps malice from panicking.
        #[test]
        fn nonsense_is_refused(at in 0usize..200, value: u8, cut in 0usize..200) {
            let mut bytes = encode(&sample_plan());
            let len = bytes.len();
            bytes[at % len] = value;
            let _ = decode(&bytes, PLAIN);
            let _ = decode(&bytes, APPENDED);
            bytes.truncate(cut % len);
            prop_assert!(decode(&bytes, PLAIN).is_err());
        }
    }
}
