//! What fields of UDF's records mean: a word beside a number, or one line for a whole record.
//!
//! Invariant: a record is folded into one line only if the line says every bit of it; whatever
//! is odd about it leaves it field by field.

use std::fmt::Write as _;

use reburn_record::{Reading, Record, Spot};

use super::Inspector;
use super::words;
use crate::Revision;
use crate::read::Address;
use crate::records::{
    AttributeHead, CharSpec, DiscTime, EntityId, ExtAd, ExtentAd, ExtentKind, LbAddr, LongAd,
    PathComponent, ShortAd, Tag, attribute_type,
};

/// What is known around a record when its fields are explained.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Context {
    /// Whether the record's tag is whole and in its place.
    pub(super) tag_is_sound: bool,
    /// The partition that short allocation descriptors mean.
    pub(super) partition: Option<u16>,
}

/// The number that stands for nothing in many fields of four bytes.
const NONE: u64 = 0xffff_ffff;

impl Inspector<'_> {
    /// What a field means.
    pub(super) fn meaning(&self, context: Context, spot: &Spot<'_>) -> Reading {
        if let Some(kind) = spot.declared {
            let line = self.one_line(context, kind, spot.bytes);
            return line.map_or(Reading::Plain, Reading::Instead);
        }
        let number = spot.number().unwrap_or(0);
        let (low16, low8) = (low16(number), spot.bytes.first().copied().unwrap_or(0));
        let word = match (spot.holder, spot.field.name) {
            (_, "tag_identifier") => words::descriptor(low16).unwrap_or("not known").into(),
            (_, name) if name.ends_with("_revision") => format!("UDF {}", Revision(low16)),
            (_, "file_type") => words::file(low8).into(),
            ("IcbTag", "flags") => words::icb(low16),
            (_, "permissions") => words::permissions(low32(number)),
            (_, "access_type") => words::access_type(low32(number)).into(),
            (_, "file_characteristics") => words::characteristics(low8),
            ("Partition", "partition_flags") => words::named(number, &[(1, "allocated")]),
            ("MetadataMap", "flags") => words::named(number, &[(1, "mirror has its own blocks")]),
            (
                _,
                "uid"
                | "gid"
                | "metadata_bitmap_file_location"
                | "previous_vat_icb_location"
                | "implementation_attributes_location"
                | "application_attributes_location",
            ) if number == NONE => "none".into(),
            (_, "integrity_type") => match number {
                0 => "open".into(),
                1 => "closed".into(),
                _ => "not known".into(),
            },
            ("AttributeHead", "attribute_type") => attribute(low32(number)).into(),
            ("FileTimes", "file_time_existence") => words::named(
                number,
                &[
                    (1, "creation"),
                    (4, "deletion"),
                    (8, "effective"),
                    (0x20, "backup"),
                ],
            ),
            ("PathComponent", "component_type") => component(low8).into(),
            ("ShortAd" | "LongAd" | "ExtAd", "extent_length") => kind_and_bytes(low32(number)),
            ("LongAd", "flags") => words::named(number, &[(1, "erased")]),
            ("DiscTime", "type_and_zone") => {
                format!("type {}, zone {}", number >> 12, zone(spot.bytes))
            }
            _ => String::new(),
        };
        if word.is_empty() {
            Reading::Plain
        } else {
            Reading::Beside(word)
        }
    }

    /// A record inside a record as one line, if that says all of it.
    fn one_line(&self, context: Context, kind: &str, bytes: &[u8]) -> Option<String> {
        match kind {
            "Tag" if context.tag_is_sound => {
                Tag::view(bytes).ok().and_then(|(tag, _)| line_of_tag(tag))
            }
            "DiscTime" => DiscTime::view(bytes)
                .ok()
                .and_then(|(time, _)| line_of_time(time)),
            "CharSpec" => CharSpec::view(bytes)
                .ok()
                .and_then(|(set, _)| line_of_set(set)),
            "EntityId" => EntityId::view(bytes)
                .ok()
                .and_then(|(id, _)| line_of_entity(id)),
            "ExtentAd" => ExtentAd::view(bytes)
                .ok()
                .map(|(extent, _)| self.line_of_extent(*extent)),
            "LbAddr" => LbAddr::view(bytes).ok().map(|(address, _)| {
                let zero = address.bytes().iter().all(|&byte| byte == 0);
                if zero {
                    "0".into()
                } else {
                    self.place(Address::of(*address))
                }
            }),
            "ShortAd" => ShortAd::view(bytes)
                .ok()
                .map(|(short, _)| self.line_of_short(context, *short)),
            "LongAd" => LongAd::view(bytes)
                .ok()
                .map(|(long, _)| self.line_of_long(long)),
            "ExtAd" => ExtAd::view(bytes)
                .ok()
                .map(|(extended, _)| self.line_of_extended(extended)),
            _ => None,
        }
    }

    /// A short allocation descriptor as a line.
    pub(super) fn line_of_short(&self, context: Context, short: ShortAd) -> String {
        let length = short.extent_length.get();
        let block = short.extent_position.get();
        if length == 0 && block == 0 {
            return "none".into();
        }
        let partition = context.partition;
        let place = match (ExtentKind::split(length).0, partition) {
            (ExtentKind::Hole, _) if block == 0 => String::new(),
            (_, Some(partition)) => format!(" at {}", self.place(Address { partition, block })),
            (_, None) => format!(" at block {block} of the partition"),
        };
        format!("{}{place}", kind_and_bytes(length))
    }

    /// A long allocation descriptor as a line.
    pub(super) fn line_of_long(&self, long: &LongAd) -> String {
        if long.bytes().iter().all(|&byte| byte == 0) {
            return "none".into();
        }
        let mut line = self.line_of(long.extent_length.get(), long.extent_location);
        let flags = words::named(long.flags.get().into(), &[(1, "erased")]);
        if !flags.is_empty() {
            let _ = write!(line, ", flags {flags}");
        }
        if long.unique_id.get() != 0 {
            let _ = write!(line, ", unique id {}", long.unique_id);
        }
        line
    }

    /// An extended allocation descriptor as a line.
    pub(super) fn line_of_extended(&self, extended: &ExtAd) -> String {
        format!(
            "{}; {} bytes recorded, {} of information",
            self.line_of(extended.extent_length.get(), extended.extent_location),
            ExtentKind::split(extended.recorded_length.get()).1,
            extended.information_length,
        )
    }

    fn line_of(&self, length: u32, location: LbAddr) -> String {
        let is_hole = ExtentKind::split(length).0 == ExtentKind::Hole;
        let is_zero = location.bytes().iter().all(|&byte| byte == 0);
        if is_hole && is_zero {
            return kind_and_bytes(length);
        }
        let place = self.place(Address::of(location));
        format!("{} at {place}", kind_and_bytes(length))
    }

    pub(super) fn line_of_extent(&self, extent: ExtentAd) -> String {
        let (length, sector) = (extent.extent_length.get(), extent.extent_location.get());
        if (length, sector) == (0, 0) {
            return "none".into();
        }
        let end = self.raw.sector_at(sector).saturating_add(length.into());
        let past = if end > self.raw.len() {
            ", past the end of the disc"
        } else {
            ""
        };
        format!("{length} bytes at sector {sector}{past}")
    }

    /// A block as a partition counts it, and as the disc does.
    pub(super) fn place(&self, address: Address) -> String {
        let Address { partition, block } = address;
        match self.raw.piece(address, 1) {
            Ok((at, _)) => {
                let on_disc = at / 2048;
                let byte = match at % 2048 {
                    0 => String::new(),
                    byte => format!(", byte {byte}"),
                };
                let past = if at >= self.raw.len() {
                    ", past its end"
                } else {
                    ""
                };
                format!("block {block} of partition {partition} (disc block {on_disc}{byte}{past})")
            }
            Err(_) => format!("block {block} of partition {partition} (nowhere on the disc)"),
        }
    }
}

/// The kind of an extent and its bytes.
pub(super) fn kind_and_bytes(length: u32) -> String {
    let (kind, bytes) = ExtentKind::split(length);
    match kind {
        ExtentKind::Recorded => format!("{bytes} bytes"),
        ExtentKind::Allocated => format!("{bytes} bytes, allocated but not recorded"),
        ExtentKind::Hole => format!("{bytes} bytes, neither allocated nor recorded"),
        ExtentKind::Continuation => format!("descriptors go on, {bytes} bytes"),
    }
}

fn line_of_tag(tag: &Tag) -> Option<String> {
    let id = tag.tag_identifier.get();
    words::descriptor(id)?;
    (tag.reserved == 0).then(|| {
        format!(
            "{id}, version {}, serial {}, checksum {:#04x}, CRC {:#06x} of {} bytes, location {}",
            tag.descriptor_version,
            tag.tag_serial_number,
            tag.tag_checksum,
            tag.descriptor_crc.get(),
            tag.descriptor_crc_length,
            tag.tag_location,
        )
    })
}

pub(super) fn line_of_time(time: &DiscTime) -> Option<String> {
    if time.is_none() {
        return Some("not given".into());
    }
    time.timestamp()?;
    let fractions = [
        time.centiseconds,
        time.hundreds_of_microseconds,
        time.microseconds,
    ];
    let odd = fractions.iter().any(|&part| part > 99);
    // Local time is the one type that UDF allows (UDF 2.1.4.1).
    if time.type_and_zone.get() >> 12 != 1 || odd || time.second > 59 {
        return None;
    }
    let [centi, hundreds, micros] = fractions;
    Some(format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{centi:02}{hundreds:02}{micros:02} {}",
        time.year,
        time.month,
        time.day,
        time.hour,
        time.minute,
        time.second,
        zone(time.bytes()),
    ))
}

/// The zone in the first bytes of a time.
fn zone(bytes: &[u8]) -> String {
    let zone = DiscTime::view(bytes)
        .ok()
        .map(|(time, _)| time.zone_minutes());
    // A field of two bytes alone is not a whole time.
    let zone = zone.unwrap_or_else(|| {
        let mut time = DiscTime::zeroed();
        if let [low, high, ..] = *bytes {
            time.type_and_zone.set(u16::from_le_bytes([low, high]));
        }
        time.zone_minutes()
    });
    match zone {
        None => "of no known zone".into(),
        Some(minutes) => {
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.unsigned_abs();
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        }
    }
}

fn line_of_set(set: &CharSpec) -> Option<String> {
    let information = set.character_set_information.raw();
    let name = b"OSTA Compressed Unicode";
    let (head, rest) = information.split_at(name.len());
    let is_osta = head == name && rest.iter().all(|&byte| byte == 0);
    match set.character_set_type {
        0 if is_osta => Some("0 OSTA Compressed Unicode".into()),
        0 if information.iter().all(|&byte| byte == 0) => Some("0, not named".into()),
        _ => None,
    }
}

pub(super) fn line_of_entity(id: &EntityId) -> Option<String> {
    if id.bytes().iter().all(|&byte| byte == 0) {
        return Some("none".into());
    }
    let raw = id.identifier.raw();
    let name = id.name();
    let is_text = name.iter().all(|&byte| matches!(byte, b' '..=b'~'));
    let is_filled = raw[name.len()..].iter().all(|&byte| byte == 0);
    if id.flags != 0 || !is_text || !is_filled {
        return None;
    }
    let suffix = if name == EntityId::DOMAIN {
        let domain = id.domain();
        if domain.reserved != [0; 5] {
            return None;
        }
        let flags = words::named(
            domain.domain_flags.into(),
            &[(1, "hard write-protected"), (2, "soft write-protected")],
        );
        let separator = if flags.is_empty() { "" } else { ", " };
        format!(
            " UDF {}{separator}{flags}",
            Revision(domain.udf_revision.get())
        )
    } else if name.starts_with(b"*UDF ") {
        let udf = id.udf();
        if udf.reserved != [0; 4] {
            return None;
        }
        let system = words::system(udf.os_class, udf.os_identifier);
        let separator = if system.is_empty() { "" } else { ", " };
        format!(
            " UDF {}{separator}{system}",
            Revision(udf.udf_revision.get())
        )
    } else if id.suffix == [0; 8] {
        String::new()
    } else {
        let [class, identifier, rest @ ..] = id.suffix;
        let system = words::system(class, identifier);
        let mut suffix = String::new();
        if !system.is_empty() {
            suffix = format!(" {system}");
        }
        if rest != [0; 6] {
            suffix += ", ";
            suffix.extend(rest.iter().map(|byte| format!("{byte:02x} ")));
        }
        suffix.trim_end().to_owned()
    };
    Some(format!("{:?}{suffix}", id.text()))
}

/// An attribute's type (ECMA-167 4/14.10.2.1).
pub(super) const fn attribute(number: u32) -> &'static str {
    match number {
        attribute_type::CHARACTER_SET => "character set information",
        3 => "alternate permissions",
        attribute_type::FILE_TIMES => "file times",
        attribute_type::INFORMATION_TIMES => "information times",
        attribute_type::DEVICE => "device specification",
        attribute_type::IMPLEMENTATION_USE => "implementation use",
        attribute_type::APPLICATION_USE => "application use",
        _ => "not known",
    }
}

const fn component(number: u8) -> &'static str {
    match number {
        PathComponent::VOLUME_ROOT => "root of the volume set",
        PathComponent::ROOT => "root",
        PathComponent::PARENT => "parent",
        PathComponent::CURRENT => "the directory itself",
        PathComponent::NAME => "name",
        _ => "not known",
    }
}

/// The least length of an attribute.
pub(super) const ATTRIBUTE_MIN: usize = AttributeHead::SIZE;

#[allow(clippy::cast_possible_truncation)] // a field of two bytes
const fn low16(number: u64) -> u16 {
    number as u16
}

#[allow(clippy::cast_possible_truncation)] // a field of four bytes
const fn low32(number: u64) -> u32 {
    number as u32
}
