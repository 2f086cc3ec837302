//! Where VDS flip finds and leaves the parts of a UDF volume, and what stands against it.
//!
//! Invariants: no two parts share a block, and none is in the partition; the next integrity
//! descriptor goes where the old tree does not lead; whatever a disc says, the outcome is a reason
//! or places that the layouter takes.

use reburn_blocks::{BLOCK_SIZE, BlockRange, BlockRangeList, Lba, WriteUnit};
use reburn_udf::{
    Layout, PartitionKind, SparingAddresses, SparingStructures, UdfOptions, VolumeStructures,
};

use crate::EntireImageRequired;
use crate::base::{Base, UdfBase};

/// Where an edit finds and leaves the parts of a volume.
pub(crate) struct Places {
    pub(crate) partition: BlockRange,
    pub(crate) main: Lba,
    pub(crate) reserve: Lba,
    pub(crate) integrity: BlockRange,
    pub(crate) spare_integrity: Option<BlockRange>,
    pub(crate) integrity_descriptor: Lba,
    pub(crate) sparing: Option<SparingAddresses>,
}

impl Places {
    /// Where the volume has its parts, if this protocol can change them.
    pub(crate) fn find(
        structures: &VolumeStructures,
        live: &BlockRangeList,
        layout: &Layout,
    ) -> Result<Self, EntireImageRequired> {
        let cannot = |reason| EntireImageRequired::UdfStructure { reason };
        let [partition] = structures.partitions[..] else {
            return Err(cannot("it has several partitions"));
        };
        let sparing = structures.sparing.as_ref();
        if sparing.is_none() && layout.options().partition == PartitionKind::Sparable {
            return Err(cannot("its sparing tables name blocks that no disc has"));
        }
        let sparing = sparing.map(|sparing| sparing_place(sparing, partition, layout));
        let sparing = sparing.transpose().map_err(cannot)?;
        let sequences = structures.main_sequence.zip(structures.reserve_sequence);
        let (main, reserve) = sequences.ok_or(cannot("it has no reserve descriptor sequence"))?;
        if [main, reserve]
            .iter()
            .any(|s| s.block_count() < layout.sequence_blocks())
        {
            return Err(cannot(
                "its descriptor sequences are shorter than a write unit",
            ));
        }
        let unit = layout.options().write_unit;
        let (integrity, spare_integrity, integrity_descriptor) =
            integrity_place(structures, live, unit).map_err(cannot)?;
        let places = Self {
            partition,
            main: main.start_lba(),
            reserve: reserve.start_lba(),
            integrity,
            spare_integrity,
            integrity_descriptor,
            sparing,
        };
        if places.are_apart(layout) {
            Ok(places)
        } else {
            Err(cannot(
                "its descriptors lie in the partition or in each other",
            ))
        }
    }

    /// Checks that the sequences are alone in their write units: a torn one takes nothing with it.
    pub(crate) fn check_alone(
        &self,
        base: &Base<'_>,
        layout: &Layout,
    ) -> Result<(), EntireImageRequired> {
        let sequences = [self.main, self.reserve];
        let own = sequences.map(|start| BlockRange::with_count(start, layout.sequence_blocks()));
        let own: BlockRangeList = own.into_iter().flatten().collect();
        let neighbours = own.align_outward(layout.alignment()).difference(&own);
        if base.live.intersection(&neighbours).is_empty() {
            return Ok(());
        }
        Err(EntireImageRequired::UdfStructure {
            reason: "its descriptor sequences share write units with other structures",
        })
    }

    /// Everything outside the partition that an edit leaves where it is or rewrites there.
    pub(crate) fn outside(&self, layout: &Layout) -> Vec<BlockRange> {
        let sequences = [self.main, self.reserve];
        let mut all: Vec<_> = sequences
            .into_iter()
            .filter_map(|start| BlockRange::with_count(start, layout.sequence_blocks()))
            .collect();
        all.push(self.integrity);
        all.extend(self.spare_integrity);
        if let Some(sparing) = &self.sparing {
            all.push(sparing.spares);
            all.extend(sparing.tables.iter().copied().map(BlockRange::single));
        }
        all
    }

    /// Whether no two of them share a block, and none lies in the partition.
    fn are_apart(&self, layout: &Layout) -> bool {
        let mut all = self.outside(layout);
        all.push(self.partition);
        all.sort_unstable_by_key(|range| range.start_lba());
        all.windows(2)
            .all(|two| two[0].end_exclusive() <= two[1].start_lba().get())
    }
}

/// Whether the volume has one partition of a kind whose blocks are where it is, but for packets
/// that are damaged.
pub(crate) fn check_kind(udf: &UdfBase, options: &UdfOptions) -> Result<(), EntireImageRequired> {
    let cannot = |reason| Err(EntireImageRequired::UdfStructure { reason });
    let partitions = udf.volume.partitions();
    let kinds: Vec<_> = partitions.iter().map(|partition| partition.kind).collect();
    match kinds[..] {
        _ if udf.volume.block_size() as usize != BLOCK_SIZE => {
            cannot("its blocks are not those of the disc")
        }
        [kind @ (PartitionKind::Plain | PartitionKind::Sparable)] if kind == options.partition => {
            Ok(())
        }
        [PartitionKind::Plain | PartitionKind::Sparable] => {
            cannot("its revision has no partition of the kind that it has")
        }
        _ => cannot("only plain and sparable partitions are edited this way"),
    }
}

/// What a sparable partition has outside it, if a volume of ours can have it so: tables stay as
/// they are.
fn sparing_place(
    sparing: &SparingStructures,
    partition: BlockRange,
    layout: &Layout,
) -> Result<SparingAddresses, &'static str> {
    let packet = layout.packet();
    if sparing.packet != packet.blocks() {
        return Err("its packets are of another size than the medium's");
    }
    let unlike = "its spare packets are not one run, or its sparing tables do not fit it";
    let found = sparing.addresses().ok_or(unlike)?;
    let is_whole = |range: BlockRange| range.align_outward(packet) == range;
    if !is_whole(partition) || !is_whole(found.spares) {
        return Err("its partition or its spare packets are not whole packets");
    }
    let fits = |(from, to): (&Lba, &Lba)| {
        let is_packet = from.is_aligned(packet) && to.is_aligned(packet);
        is_packet && partition.contains(*from) && found.spares.contains(*to)
    };
    if !found.moved.iter().all(fits) {
        return Err("its sparing tables name packets that are none");
    }
    Ok(found)
}

/// The extent beside the integrity sequence where that can go on: whole write units that nothing
/// is in.
pub(crate) fn spare_integrity(
    structures: &VolumeStructures,
    live: &BlockRangeList,
    unit: WriteUnit,
) -> Option<BlockRange> {
    structures.spare_integrity.filter(|spare| {
        let mut others = structures.partitions.iter();
        let is_whole = spare.align_outward(unit) == *spare;
        is_whole && !live.intersects(*spare) && others.all(|p| p.intersection(*spare).is_none())
    })
}

/// The integrity sequence, the blocks kept for another one, and where the next descriptor goes:
/// behind the last one, or where nothing is left there to the start of the other sequence, which
/// the old tree does not lead to.
fn integrity_place(
    structures: &VolumeStructures,
    live: &BlockRangeList,
    unit: WriteUnit,
) -> Result<(BlockRange, Option<BlockRange>, Lba), &'static str> {
    if structures.integrity_descriptor.is_none() {
        return Err("it has no integrity descriptor, so the next unique id is not known");
    }
    let spare = spare_integrity(structures, live, unit);
    let is_free = |next: &Lba| {
        let range = BlockRange::with_count(*next, unit.blocks());
        range.is_some_and(|range| !live.intersects(range))
    };
    let next = structures.next_integrity_unit(unit).filter(is_free);
    let holds = |range: &&BlockRange| next.is_some_and(|next| range.contains(next));
    match (structures.integrity.iter().find(holds), next, spare) {
        (Some(integrity), Some(next), _) => Ok((*integrity, spare, next)),
        (_, _, Some(spare)) => {
            let used = structures.integrity.first().copied();
            Ok((spare, used, spare.start_lba()))
        }
        _ => Err("its integrity sequence has no room for another descriptor"),
    }
}
