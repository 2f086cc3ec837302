//! Partition maps (ECMA-167 3/10.7, UDF 2.2.8 to 2.2.10).

use std::ops::ControlFlow;

use reburn_record::Record;

use super::meaning::Context;
use super::{Found, Inspector, Show};
use crate::records::{
    EntityId, LogicalVolume, MapHead, MetadataMap, SparableMap, TypeOneMap, TypeTwoMap, VirtualMap,
    map_identifier,
};

/// Partition maps that are shown.
pub(super) const MAPS_MAX: u32 = 128;

impl Inspector<'_> {
    /// Shows the partition maps behind a logical volume descriptor.
    pub(super) fn maps(
        &self,
        found: &Found<'_>,
        stated: u32,
        mut maps: &[u8],
        show: Show<'_>,
    ) -> ControlFlow<()> {
        let mut offset = LogicalVolume::SIZE;
        for index in 0..stated.min(MAPS_MAX) {
            let at = found.at + offset as u64;
            let length = MapHead::view(maps).map_or(0, |(head, _)| head.partition_map_length);
            let Some((map, rest)) = maps.split_at_checked(length.into()).filter(|_| length >= 2)
            else {
                let problem = format!("map {index} of {stated} is not there as a whole");
                return self.say("The partition maps break off", at, problem, show);
            };
            self.map(index, at, map, show)?;
            offset += map.len();
            maps = rest;
        }
        ControlFlow::Continue(())
    }

    fn map(&self, index: u32, at: u64, bytes: &[u8], show: Show<'_>) -> ControlFlow<()> {
        let context = Context::default();
        let identifier = TypeTwoMap::view(bytes).ok();
        let identifier = identifier.map(|(map, _)| map.partition_type_identifier);
        let name = identifier.as_ref().map_or(&b""[..], EntityId::name);
        let mut sheet = self.sheet("", at, None);
        let kind = match (bytes[0], name) {
            (1, _) => {
                self.add::<TypeOneMap>(&mut sheet, 0, bytes, context);
                "a partition as its descriptor says"
            }
            (2, map_identifier::VIRTUAL) => {
                self.add::<VirtualMap>(&mut sheet, 0, bytes, context);
                "a virtual partition"
            }
            (2, map_identifier::SPARABLE) => {
                self.add::<SparableMap>(&mut sheet, 0, bytes, context);
                "a sparable partition"
            }
            (2, map_identifier::METADATA) => {
                self.add::<MetadataMap>(&mut sheet, 0, bytes, context);
                "a metadata partition"
            }
            (2, _) => {
                self.add::<TypeTwoMap>(&mut sheet, 0, bytes, context);
                sheet.note("the partition's type identifier is none that UDF defines");
                "type 2"
            }
            (kind, _) => {
                self.add::<MapHead>(&mut sheet, 0, bytes, context);
                sheet.note(format!("partition maps of type {kind} are not known"));
                "of no known type"
            }
        };
        sheet.title = format!("Partition map {index}, {kind}");
        show(&sheet)
    }
}
