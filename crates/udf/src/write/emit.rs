//! What all descriptors have in common: tags, identifiers and texts.

use reburn_record::little_endian::{U16, U32};
use reburn_record::{Record, Text, crc16};
use reburn_tree::{CivilTime, Timestamp};

use super::names::{encode, encoded_len};
use super::{LayoutError, UdfOptions, UdfRevision};
use crate::records::{CharSpec, DString, DiscTime, EntityId, ExtentAd, Tag};

/// The serial number of every tag (UDF 2.2.1.1): one generation, and not the zero that would
/// rule out recovery.
const TAG_SERIAL: u16 = 1;

/// Makes the tag at the start of `descriptor`, which vouches for all bytes after it
/// (ECMA-167 3/7.2).
pub(super) fn seal(descriptor: &mut [u8], identifier: u16, revision: UdfRevision, location: u32) {
    let (head, covered) = descriptor.split_at_mut(Tag::SIZE);
    let covered = &covered[..covered.len().min(u16::MAX.into())];
    seal_over(head, covered, identifier, revision, location);
}

/// [`seal`] for a tag that vouches for the first `covered` bytes after it only.
pub(super) fn seal_part(
    descriptor: &mut [u8],
    covered: usize,
    identifier: u16,
    revision: UdfRevision,
    location: u32,
) {
    let (head, rest) = descriptor.split_at_mut(Tag::SIZE);
    seal_over(head, &rest[..covered], identifier, revision, location);
}

fn seal_over(
    head: &mut [u8],
    covered: &[u8],
    identifier: u16,
    revision: UdfRevision,
    location: u32,
) {
    let mut tag = Tag::zeroed();
    tag.tag_identifier = U16::new(identifier);
    tag.descriptor_version = U16::new(if revision.is_third_edition() { 3 } else { 2 });
    tag.tag_serial_number = U16::new(TAG_SERIAL);
    tag.descriptor_crc = U16::new(crc16(covered));
    tag.descriptor_crc_length = U16::new(covered.len() as u16);
    tag.tag_location = U32::new(location);
    tag.tag_checksum = tag.checksum();
    head.copy_from_slice(tag.bytes());
}

/// The character set of every field: OSTA compressed Unicode (UDF 2.1.2).
pub(super) fn char_spec() -> CharSpec {
    let mut spec = CharSpec::zeroed();
    spec.character_set_information = zero_filled(b"OSTA Compressed Unicode");
    spec
}

/// The identifier of the domain, without write protection (UDF 2.1.5.3).
pub(super) fn domain(revision: UdfRevision) -> EntityId {
    udf_identifier(EntityId::DOMAIN, revision)
}

/// An identifier that UDF defines (UDF 2.1.5.3). Its system is not stated.
pub(super) fn udf_identifier(name: &[u8], revision: UdfRevision) -> EntityId {
    let mut id = identifier(name);
    id.suffix[..2].copy_from_slice(&revision.code().to_le_bytes());
    id
}

/// Who wrote the volume (UDF 2.1.5.2). Its system is not stated.
pub(crate) fn developer(options: &UdfOptions) -> EntityId {
    identifier(options.texts.developer.as_bytes())
}

/// An identifier with an empty suffix. `name` has at most 23 bytes.
pub(super) fn identifier(name: &[u8]) -> EntityId {
    let mut id = EntityId::zeroed();
    id.identifier = zero_filled(name);
    id
}

/// Text of one byte a character with zeros after it.
pub(super) fn zero_filled<const N: usize>(text: &[u8]) -> Text<N> {
    let mut field = [0; N];
    field[..text.len()].copy_from_slice(text);
    Text::from_raw(field)
}

/// Checks that a text can stand in a field of `field_bytes`: one for its length and the rest
/// for compressed Unicode (UDF 2.1.3).
pub(super) fn check_dstring(
    field: &'static str,
    text: &str,
    field_bytes: usize,
) -> Result<(), LayoutError> {
    if !super::names::is_recordable(&text.replace('/', "_")) {
        let text = text.into();
        return Err(LayoutError::TextNotRecordable { field, text });
    }
    // The length counts the compression id, which is no character of the text.
    let (len, max) = (encoded_len(text).saturating_sub(1), field_bytes - 2);
    if len > max {
        let text = text.into();
        return Err(LayoutError::TextTooLong {
            field,
            text,
            len,
            max,
        });
    }
    Ok(())
}

/// A field of text (UDF 2.1.3); the text is checked to fit.
pub(super) fn dstring<const N: usize>(text: &str) -> DString<N> {
    let mut encoded = Vec::with_capacity(N);
    encode(text, &mut encoded);
    let mut field = [0; N];
    field[..encoded.len()].copy_from_slice(&encoded);
    field[N - 1] = encoded.len() as u8;
    DString::from_raw(field)
}

/// A time in UTC (ECMA-167 1/7.3). Years that the field does not hold become the nearest that
/// it does.
pub(crate) fn disc_time(time: Timestamp) -> DiscTime {
    const LOCAL_TIME: u16 = 1 << 12;
    let mut civil = time.civil();
    if !(1..=9999).contains(&civil.year) {
        civil = if civil.year < 1 {
            FIRST_TIME
        } else {
            LAST_TIME
        };
    }
    let mut out = DiscTime::zeroed();
    out.type_and_zone = U16::new(LOCAL_TIME);
    out.year = U16::new(civil.year.cast_unsigned() as u16);
    (out.month, out.day) = (civil.month, civil.day);
    (out.hour, out.minute, out.second) = (civil.hour, civil.minute, civil.second);
    out.centiseconds = (civil.micros / 10_000) as u8;
    out.hundreds_of_microseconds = (civil.micros / 100 % 100) as u8;
    out.microseconds = (civil.micros % 100) as u8;
    out
}

const FIRST_TIME: CivilTime = CivilTime {
    year: 1,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    micros: 0,
};

const LAST_TIME: CivilTime = CivilTime {
    year: 9999,
    month: 12,
    day: 31,
    hour: 23,
    minute: 59,
    second: 59,
    micros: 999_999,
};

/// An extent of the volume.
pub(super) fn extent(bytes: u64, sector: u32) -> ExtentAd {
    ExtentAd {
        extent_length: U32::new(bytes as u32),
        extent_location: U32::new(sector),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_descriptors_pass_the_readers_checks() {
        let mut bytes = [7; 40];
        seal(&mut bytes, 257, UdfRevision::V2_60, 9);
        let tag = Tag::expect(&bytes, 257, 9).unwrap();
        assert_eq!(tag.descriptor_version.get(), 3);
        assert_eq!(tag.descriptor_crc_length.get(), 24);
        seal_part(&mut bytes, 8, 264, UdfRevision::V1_02, 1);
        let tag = Tag::expect(&bytes, 264, 1).unwrap();
        assert_eq!(
            (
                tag.descriptor_version.get(),
                tag.descriptor_crc_length.get()
            ),
            (2, 8)
        );
    }

    #[test]
    fn texts_carry_their_length() {
        assert_eq!(dstring::<8>("Caf\u{e9}").raw(), b"\x08Caf\xe9\0\0\x05");
        assert_eq!(dstring::<8>("").raw(), &[0; 8]);
        assert_eq!(check_dstring("f", "123456", 8), Ok(()));
        assert!(check_dstring("f", "1234567", 8).is_err());
        assert!(check_dstring("f", "\u{20ac}\u{20ac}\u{20ac}\u{20ac}", 8).is_err());
        assert!(check_dstring("f", "\0", 8).is_err());
    }

    #[test]
    fn times_are_read_back() {
        for micros in [0, 1, -1, 1_700_000_000_123_456] {
            let time = Timestamp::from_micros(micros);
            assert_eq!(disc_time(time).timestamp(), Some(time));
        }
        let far = disc_time(Timestamp::from_micros(i64::MAX));
        assert_eq!(far.timestamp().unwrap().to_string(), "9999-12-31 23:59:59");
        let past = disc_time(Timestamp::from_micros(i64::MIN));
        assert_eq!(past.timestamp().unwrap().to_string(), "0001-01-01 00:00:00");
    }
}
