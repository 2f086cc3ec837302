//! Extended attributes of a file (ECMA-167 4/9.1, 4/14.10): times of creation and device numbers,
//! and what implementations and applications keep there, which the tree holds as it is.

use bytes::Bytes;
use reburn_blocks::BlockRange;
use reburn_record::Record;
use reburn_tree::{Attribute, Timestamp};

use super::body::push_range;
use super::entry::{Entry, Reader};
use super::note::NoteKind;
use super::partitions::Address;
use crate::records::{
    AttributeHead, DeviceSpecification, DiscTime, EntityId, ExtendedAttributeHeader, FileTimes,
    UseAttribute, attribute_type, file_type,
};
use crate::{Place, UdfError};

/// Bytes of an attribute file that are looked at.
const ATTRIBUTE_FILE_MAX: u64 = 64 * 1024;

/// What a file's attributes say.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) created: Option<Timestamp>,
    pub(super) device: Option<(u32, u32)>,
    /// What other systems keep with the file.
    pub(super) others: Vec<Attribute>,
    /// Blocks of an attribute file.
    pub(super) blocks: Vec<BlockRange>,
}

/// What is in a space of attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    Understood,
    /// Some attributes are of no use here.
    LeftOut,
    Damaged,
}

impl Reader<'_> {
    /// What the attributes of a file say, wherever they are.
    pub(super) fn attributes(&self, entry: &Entry) -> Result<Attributes, UdfError> {
        let mut found = Attributes::default();
        let space = &entry.block.bytes[entry.attributes.clone()];
        let place = || entry.place("length_of_extended_attributes");
        self.note_space(found.take_space(space), place);
        if entry.attribute_icb.is_none() {
            return Ok(found);
        }
        let place = entry.place("extended_attribute_icb");
        let address = Address::of(entry.attribute_icb.extent_location);
        let file = self.entry(address, place)?;
        if file.icb.file_type != file_type::ATTRIBUTES {
            self.note(NoteKind::DamagedAttributes, || file.icb_place("file_type"));
            return Ok(found);
        }
        let body = self.body(&file)?;
        for &range in file.blocks.iter().chain(&body.chain).chain(&body.data) {
            push_range(&mut found.blocks, Some(range));
        }
        let place = file.place("information_length");
        let space = self.whole_body("extended attributes", &body, ATTRIBUTE_FILE_MAX, place)?;
        self.note_space(found.take_space(&space), || place);
        Ok(found)
    }

    fn note_space(&self, space: Space, place: impl FnOnce() -> Place) {
        match space {
            Space::Understood => {}
            Space::LeftOut => self.note(NoteKind::ExtendedAttributes, place),
            Space::Damaged => self.note(NoteKind::DamagedAttributes, place),
        }
    }
}

impl Attributes {
    /// Takes in a space of attributes.
    fn take_space(&mut self, space: &[u8]) -> Space {
        if space.is_empty() {
            return Space::Understood;
        }
        let Ok((_, mut rest)) = ExtendedAttributeHeader::view(space) else {
            return Space::Damaged;
        };
        let mut result = Space::Understood;
        // Zeros fill up what is left.
        while rest.iter().any(|&byte| byte != 0) {
            let Ok((head, _)) = AttributeHead::view(rest) else {
                return Space::Damaged;
            };
            let length = head.attribute_length.get() as usize;
            if length < AttributeHead::SIZE || length > rest.len() {
                return Space::Damaged;
            }
            let (attribute, later) = rest.split_at(length);
            match head.attribute_type.get() {
                attribute_type::FILE_TIMES => self.take_times(attribute),
                attribute_type::DEVICE => self.take_device(attribute),
                attribute_type::IMPLEMENTATION_USE | attribute_type::APPLICATION_USE => {
                    self.take_other(attribute);
                }
                _ => result = Space::LeftOut,
            }
            rest = later;
        }
        result
    }

    fn take_times(&mut self, attribute: &[u8]) {
        if let Ok((times, rest)) = FileTimes::view(attribute)
            && times.file_time_existence.get() & FileTimes::CREATION != 0
            && let Ok((time, _)) = DiscTime::view(rest)
        {
            self.created = time.timestamp();
        }
    }

    /// Takes in an attribute whose identifier says what it means.
    fn take_other(&mut self, attribute: &[u8]) {
        let mut bytes = attribute.to_vec();
        // Without content there is nothing behind the identifier.
        bytes.resize(bytes.len().max(UseAttribute::SIZE), 0);
        let Ok((record, _)) = UseAttribute::view(&bytes) else {
            return;
        };
        let name = record.identifier.name();
        // Those that only keep space free (UDF 3.3.4.5.1.1, 3.3.4.6.1).
        if matches!(name, b"*UDF FreeEASpace" | b"*UDF FreeAppEASpace") {
            return;
        }
        let content = attribute.get(UseAttribute::SIZE - 2..).unwrap_or_default();
        let stated = usize::try_from(record.use_length.get()).unwrap_or(usize::MAX);
        let mut value = &content[..stated.min(content.len())];
        if name.starts_with(EntityId::UDF_DEFINED) {
            value = value.get(2..).unwrap_or_default();
        }
        self.others.push(Attribute {
            is_application: record.head.attribute_type.get() == attribute_type::APPLICATION_USE,
            name: name.to_vec(),
            suffix: record.identifier.suffix,
            value: Bytes::copy_from_slice(value),
        });
    }

    fn take_device(&mut self, attribute: &[u8]) {
        if let Ok((device, _)) = DeviceSpecification::view(attribute) {
            let major = device.major_device_identification.get();
            self.device = Some((major, device.minor_device_identification.get()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::golden;

    #[test]
    fn times_and_devices_are_taken() {
        let mut space = vec![0; 24];
        space.extend(golden(
            "05000000 01000000 20000000 0c000000 01000000 3c10df07 0108103a 3b3b0000",
        ));
        space.extend(golden(
            "0c000000 01000000 18000000 00000000 08000000 01000000",
        ));
        space.extend([0; 8]);
        let mut found = Attributes::default();
        assert_eq!(found.take_space(&space), Space::Understood);
        assert_eq!(found.device, Some((8, 1)));
        assert_eq!(found.created.unwrap().to_string(), "2015-01-08 15:58:59");
    }

    #[test]
    fn damage_ends_the_space() {
        let mut space = vec![0; 24];
        space.extend(golden("0c000000 01000000 ff000000"));
        assert_eq!(Attributes::default().take_space(&space), Space::Damaged);
        assert_eq!(Attributes::default().take_space(&[1; 9]), Space::Damaged);
        let mut space = vec![0; 24];
        space.extend(golden("01000000 01000000 0c000000"));
        assert_eq!(Attributes::default().take_space(&space), Space::LeftOut);
    }
}
