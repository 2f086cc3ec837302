//! Extended attributes, one by one (ECMA-167 4/14.10, UDF 3.3.4).

use std::ops::ControlFlow;

use reburn_record::Record;

use super::meaning::{ATTRIBUTE_MIN, Context, attribute};
use super::{Found, Inspector, Show};
use crate::records::{
    AttributeHead, DeviceSpecification, DiscTime, ExtendedAttributeHeader, FileTimes, UseAttribute,
    attribute_type, tag_id,
};

impl Inspector<'_> {
    /// Shows a space of extended attributes.
    pub(super) fn attributes(&self, found: &Found<'_>, show: Show<'_>) -> ControlFlow<()> {
        let (mut sheet, head, _) = self.begin::<ExtendedAttributeHeader>("", found, None);
        // It must be one, whatever its tag says.
        if let Some((head, _)) = head
            && let Err(fault) = head.tag.is(tag_id::ATTRIBUTE_HEADER)
        {
            sheet.title = "Extended attribute header descriptor".into();
            sheet.note(fault);
        }
        show(&sheet)?;
        let Some((_, mut rest)) = head else {
            return ControlFlow::Continue(());
        };
        // Zeros fill up what is left.
        while rest.iter().any(|&byte| byte != 0) {
            let at = found.at + (found.bytes.len() - rest.len()) as u64;
            let length = AttributeHead::view(rest).ok();
            let length = length.map(|(head, _)| head.attribute_length.get() as usize);
            let is_sound = |&length: &usize| length >= ATTRIBUTE_MIN && length <= rest.len();
            let Some(length) = length.filter(is_sound) else {
                let mut sheet = self.sheet("Extended attribute that cannot be", at, found.address);
                self.add::<AttributeHead>(&mut sheet, 0, rest, Context::default());
                sheet.note(format!(
                    "its length does not fit into the {} bytes that are left; what follows \
                     cannot be told apart",
                    rest.len()
                ));
                return show(&sheet);
            };
            let (attribute, later) = rest.split_at(length);
            let found = Found {
                bytes: attribute,
                at,
                ..*found
            };
            self.attribute(&found, show)?;
            rest = later;
        }
        ControlFlow::Continue(())
    }

    fn attribute(&self, found: &Found<'_>, show: Show<'_>) -> ControlFlow<()> {
        let kind =
            AttributeHead::view(found.bytes).map_or(0, |(head, _)| head.attribute_type.get());
        let title = format!("Extended attribute, {}", attribute(kind));
        let mut sheet = self.sheet(title, found.at, found.address);
        let context = Context::default();
        let (sheet_ref, bytes) = (&mut sheet, found.bytes);
        let after = match kind {
            attribute_type::FILE_TIMES => {
                let added = self.add::<FileTimes>(sheet_ref, 0, bytes, context);
                added.map(|(times, rest)| self.times(sheet_ref, times, rest))
            }
            attribute_type::DEVICE => {
                let added = self.add::<DeviceSpecification>(sheet_ref, 0, bytes, context);
                added.map(|(_, rest)| rest)
            }
            attribute_type::IMPLEMENTATION_USE | attribute_type::APPLICATION_USE => {
                // One without content ends with its identifier.
                let mut padded = bytes.to_vec();
                padded.resize(bytes.len().max(UseAttribute::SIZE), 0);
                let shown = if bytes.len() == UseAttribute::CONTENT {
                    &padded
                } else {
                    bytes
                };
                let added = self.add::<UseAttribute>(sheet_ref, 0, shown, context);
                added.map(|(used, _)| {
                    sheet_ref.title = format!("{}, {:?}", sheet_ref.title, used.identifier.text());
                    let stated = used.header_checksum.get();
                    let sum = shown[..UseAttribute::CONTENT]
                        .iter()
                        .map(|&byte| u16::from(byte));
                    let sum = sum.fold(0, u16::wrapping_add);
                    if used.identifier.name().starts_with(b"*UDF ") && sum != stated {
                        sheet_ref.note(format!(
                            "the header's checksum is {sum:#06x}, not {stated:#06x} as it says"
                        ));
                    }
                    bytes.get(UseAttribute::SIZE..).unwrap_or_default()
                })
            }
            _ => {
                let added = self.add::<AttributeHead>(sheet_ref, 0, bytes, context);
                added.map(|(_, rest)| rest)
            }
        };
        if let Some(rest) = after.filter(|rest| !rest.is_empty()) {
            let offset = bytes.len() - rest.len();
            let clause = "ECMA-167 4/14.10.2.5";
            sheet.hex(offset, "attribute_data", clause, rest);
        }
        show(&sheet)
    }

    /// Adds the times that the bits announce. What follows them.
    fn times<'b>(
        &self,
        sheet: &mut reburn_record::Sheet,
        times: &FileTimes,
        mut rest: &'b [u8],
    ) -> &'b [u8] {
        const NAMES: [(u32, &str); 4] = [
            (1, "creation_time"),
            (4, "deletion_time"),
            (8, "effective_time"),
            (0x20, "backup_time"),
        ];
        let mut offset = FileTimes::SIZE;
        for bit in (0..32).map(|bit| 1 << bit) {
            if times.file_time_existence.get() & bit == 0 {
                continue;
            }
            let Ok((time, later)) = DiscTime::view(rest) else {
                sheet.note("not all times that the bits announce are there");
                break;
            };
            let name = NAMES.iter().find(|(known, _)| *known == bit);
            let name = name.map_or("time", |(_, name)| name);
            let explain = |spot: &reburn_record::Spot<'_>| self.meaning(Context::default(), spot);
            let line = super::meaning::line_of_time(time).unwrap_or("no such time".into());
            sheet.folded(offset, time, name, line, &explain);
            offset += DiscTime::SIZE;
            rest = later;
        }
        rest
    }
}
