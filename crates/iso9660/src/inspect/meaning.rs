//! What fields of ISO 9660's records mean: a word beside a number, or one line for a date.

use reburn_record::{Reading, Record, Spot};

use crate::read::append_ucs2;
use crate::records::{
    BOOT_RECORD, BootEntry, DirectoryDate, PARTITION, PRIMARY, SUPPLEMENTARY, SectionHeader,
    TERMINATOR, VolumeDate,
};

/// What is known around a record when its fields are explained.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Context {
    /// Text is in UCS-2 (Joliet).
    pub(super) is_joliet: bool,
}

/// What a field means.
pub(super) fn meaning(context: Context, spot: &Spot<'_>) -> Reading {
    match spot.declared {
        Some("DirectoryDate") => {
            let date = DirectoryDate::view(spot.bytes).ok();
            let line = date.and_then(|(date, _)| line_of_date(*date));
            return line.map_or(Reading::Plain, Reading::Instead);
        }
        Some("VolumeDate") => {
            let date = VolumeDate::view(spot.bytes).ok();
            let line = date.and_then(|(date, _)| line_of_long_date(date));
            return line.map_or(Reading::Plain, Reading::Instead);
        }
        Some(_) => return Reading::Plain,
        None => {}
    }
    let byte = spot.bytes.first().copied().unwrap_or(0);
    let word = match (spot.holder, spot.field.name) {
        (_, "descriptor_type") => descriptor_type(byte).into(),
        (_, "standard_identifier" | "check_bytes" | "signature") => {
            format!("\"{}\"", spot.bytes.escape_ascii())
        }
        ("VolumeDescriptor", name) if context.is_joliet && name.ends_with("_identifier") => {
            return Reading::Instead(format!("{:?}", ucs2(spot.bytes)));
        }
        ("VolumeDescriptor", "escape_sequences") => match joliet_level(spot.bytes) {
            Some(level) => format!("Joliet level {level}"),
            None => String::new(),
        },
        (_, "boot_indicator") => match byte {
            BootEntry::BOOTABLE => "can be started".into(),
            BootEntry::NOT_BOOTABLE => "cannot be started".into(),
            _ => "not known".into(),
        },
        (_, "boot_media_type") => media(byte).into(),
        (_, "platform_id") => platform(byte).into(),
        (_, "header_indicator") => match byte {
            SectionHeader::MORE => "more sections follow".into(),
            SectionHeader::LAST => "the last section".into(),
            _ => "not known".into(),
        },
        (_, "load_segment") if spot.number() == Some(0) => "the usual one, 0x07c0".into(),
        (_, "sector_count") => "of 512 bytes".into(),
        _ => String::new(),
    };
    if word.is_empty() {
        Reading::Plain
    } else {
        Reading::Beside(word)
    }
}

/// What a volume descriptor of this type is (ECMA-119 8.1.1).
pub(super) const fn descriptor_type(kind: u8) -> &'static str {
    match kind {
        BOOT_RECORD => "boot record",
        PRIMARY => "primary volume descriptor",
        SUPPLEMENTARY => "supplementary volume descriptor",
        PARTITION => "volume partition descriptor",
        TERMINATOR => "volume descriptor set terminator",
        _ => "not known",
    }
}

/// The level of Joliet that escape sequences announce.
pub(super) fn joliet_level(escapes: &[u8]) -> Option<u8> {
    match escapes {
        [b'%', b'/', b'@', ..] => Some(1),
        [b'%', b'/', b'C', ..] => Some(2),
        [b'%', b'/', b'E', ..] => Some(3),
        _ => None,
    }
}

/// Text in UCS-2 without what fills it up.
pub(super) fn ucs2(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    append_ucs2(bytes, &mut text);
    let text = String::from_utf8_lossy(&text);
    text.trim_end_matches([' ', '\0']).to_owned()
}

const fn media(kind: u8) -> &'static str {
    match kind & 0x0f {
        0 => "no emulation",
        1 => "floppy disk of 1.2 MB",
        2 => "floppy disk of 1.44 MB",
        3 => "floppy disk of 2.88 MB",
        4 => "hard disk",
        _ => "not known",
    }
}

const fn platform(id: u8) -> &'static str {
    match id {
        0 => "x86 BIOS",
        1 => "PowerPC",
        2 => "Macintosh",
        0xef => "UEFI",
        _ => "not known",
    }
}

/// A date as a line; `None` for one that does not exist.
pub(super) fn line_of_date(date: DirectoryDate) -> Option<String> {
    if date.bytes() == [0; 7] {
        return Some("not given".into());
    }
    date.timestamp()?;
    Some(format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02} {}",
        1900 + u32::from(date.years_since_1900),
        date.month,
        date.day,
        date.hour,
        date.minute,
        date.second,
        zone(date.zone)?,
    ))
}

/// A date of volume descriptors as a line; `None` for one that does not exist.
pub(super) fn line_of_long_date(date: &VolumeDate) -> Option<String> {
    if *date == VolumeDate::UNSET {
        return Some("not given".into());
    }
    date.timestamp()?;
    let text = |digits: &[u8]| String::from_utf8_lossy(digits).into_owned();
    Some(format!(
        "{}-{}-{} {}:{}:{}.{} {}",
        text(&date.year),
        text(&date.month),
        text(&date.day),
        text(&date.hour),
        text(&date.minute),
        text(&date.second),
        text(&date.hundredths),
        zone(date.zone)?,
    ))
}

/// Quarters of an hour east of Greenwich; `None` for more than there can be.
fn zone(quarters: i8) -> Option<String> {
    let sign = if quarters < 0 { '-' } else { '+' };
    let minutes = u32::from(quarters.unsigned_abs()) * 15;
    let exists = (-48..=52).contains(&quarters);
    exists.then(|| format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))
}
