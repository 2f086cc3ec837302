//! System use entries of a directory record, a row an entry (SUSP 4, RRIP 4.1).
//!
//! Invariant: an entry is folded into one line only if the line says every bit of it.

use std::fmt::Write as _;

use reburn_record::{Both32, Record, Sheet, Spot};

use super::meaning::{Context, line_of_date, line_of_long_date, meaning};
use super::note_halves;
use crate::records::{
    AlHead, Ce, Cl, ComponentFlags, ComponentHead, DirectoryDate, ErHead, Es, NameFlags, NmHead,
    Pl, Pn, Px, Px36, Rr, Sf, SlHead, Sp, SuspHead, TfHead, TimeFlags, VolumeDate, Zf,
};
use crate::susp::{Entries, Entry};

/// Adds the entries of an area that starts `offset` bytes into the sheet's record. Where they
/// go on, if they do.
pub(super) fn rows(sheet: &mut Sheet, offset: usize, area: &[u8]) -> Option<Ce> {
    let mut next = None;
    let mut end = 0;
    for entry in Entries::new(area) {
        match entry {
            Ok(entry) => {
                end = entry.offset + entry.bytes.len();
                row(sheet, offset + entry.offset, &entry);
                if entry.signature == *b"CE" {
                    next = Ce::view(entry.bytes).ok().map(|(ce, _)| *ce);
                }
            }
            Err(error) => {
                let bytes = &area[error.offset..];
                sheet.note(error);
                sheet.hex(offset + error.offset, "bytes", "SUSP 4.1", bytes);
                return next;
            }
        }
    }
    let rest = area.get(end..).unwrap_or_default();
    if rest.starts_with(b"ST") {
        sheet.row(offset + end, 4, "ST", "SUSP 5.4", "the entries end");
    } else if rest.iter().any(|&byte| byte != 0) {
        sheet.hex(offset + end, "bytes", "", rest);
    }
    next
}

/// Adds an entry; one that is too short for its kind as bytes.
fn row(sheet: &mut Sheet, at: usize, entry: &Entry<'_>) {
    let first = sheet.rows.len();
    let known = rock_ridge(sheet, at, entry).or_else(|| sharing(sheet, at, entry));
    let known = known.unwrap_or_else(|| {
        with::<SuspHead>(sheet, at, entry, |_, data| format!("{} bytes", data.len()))
    });
    if known {
        let len = entry.bytes.len();
        let differs = note_halves(sheet, first);
        if let Some(row) = sheet.rows.get_mut(first) {
            row.len = len;
        }
        if differs {
            for row in &mut sheet.rows[first..] {
                row.folded = false;
            }
        }
    } else {
        let signature = entry.signature.escape_ascii();
        sheet.note(format!(
            "the entry {signature} is too short for what it must hold"
        ));
        sheet.hex(at, &signature.to_string(), "", entry.bytes);
    }
}

/// Adds an entry of Rock Ridge. Whether it is whole; `None` for other entries.
fn rock_ridge(sheet: &mut Sheet, at: usize, entry: &Entry<'_>) -> Option<bool> {
    Some(match &entry.signature {
        b"PX" => match Px::view(entry.bytes) {
            Ok((px, rest)) => {
                let text = posix([px.mode, px.links, px.user, px.group]);
                let text = format!("{text}, serial {}", px.serial.le());
                record(sheet, at, px, rest, text)
            }
            Err(_) => with::<Px36>(sheet, at, entry, |px, _| {
                let text = |px: &Px36| {
                    let (mode, links) = (px.mode.le(), px.links.le());
                    let (user, group) = (px.user.le(), px.group.le());
                    format!(
                        "{}, {links} links, user {user}, group {group}",
                        self::mode(mode)
                    )
                };
                text(px)
            }),
        },
        b"PN" => with::<Pn>(sheet, at, entry, |pn, _| {
            format!("high {}, low {}", pn.high.le(), pn.low.le())
        }),
        b"SL" => with::<SlHead>(sheet, at, entry, |sl, components| {
            format!(
                "{}{}",
                target(components),
                flags(sl.flags, &[(1, "goes on")])
            )
        }),
        b"NM" => with::<NmHead>(sheet, at, entry, |nm, name| {
            let bits = [
                (NameFlags::CONTINUE, "goes on"),
                (NameFlags::CURRENT, "the directory itself"),
                (NameFlags::PARENT, "its parent"),
            ];
            format!(
                "{:?}{}",
                String::from_utf8_lossy(name),
                flags(nm.flags, &bits)
            )
        }),
        b"CL" => with::<Cl>(sheet, at, entry, |cl, _| {
            format!("the directory is at block {}", cl.location.le())
        }),
        b"PL" => with::<Pl>(sheet, at, entry, |pl, _| {
            format!("its parent is at block {}", pl.location.le())
        }),
        b"RE" => with::<SuspHead>(sheet, at, entry, |_, _| {
            "the directory was moved here".into()
        }),
        b"TF" => with::<TfHead>(sheet, at, entry, |tf, stamps| times(tf.flags, stamps)),
        b"SF" => with::<Sf>(sheet, at, entry, |sf, _| {
            let (high, low) = (sf.virtual_size_high.le(), sf.virtual_size_low.le());
            let size = u64::from(high) << 32 | u64::from(low);
            format!("{size} bytes, table depth {}", sf.table_depth)
        }),
        b"RR" => with::<Rr>(sheet, at, entry, |rr, _| {
            format!("entries {:#04x}", rr.flags)
        }),
        _ => return None,
    })
}

/// Adds an entry of SUSP, of zisofs or of AAIP. Whether it is whole; `None` for other entries.
fn sharing(sheet: &mut Sheet, at: usize, entry: &Entry<'_>) -> Option<bool> {
    Some(match &entry.signature {
        b"SP" => with::<Sp>(sheet, at, entry, |sp, _| {
            let check = match sp.check_bytes {
                Sp::CHECK_BYTES => String::new(),
                other => format!(", check bytes {other:02x?} instead of be ef"),
            };
            format!("entries begin after {} bytes{check}", sp.skipped)
        }),
        b"CE" => with::<Ce>(sheet, at, entry, |ce, _| {
            let (block, offset) = (ce.block.le(), ce.offset.le());
            format!(
                "{} bytes more at block {block}, byte {offset}",
                ce.length.le()
            )
        }),
        b"ER" => with::<ErHead>(sheet, at, entry, |er, text| {
            let length = usize::from(er.identifier_length).min(text.len());
            let (identifier, rest) = text.split_at(length);
            format!(
                "\"{}\", version {}: \"{}\"",
                identifier.escape_ascii(),
                er.extension_version,
                rest.escape_ascii()
            )
        }),
        b"ES" => with::<Es>(sheet, at, entry, |es, _| {
            format!("entries of extension {} follow", es.extension_sequence)
        }),
        b"ZF" => with::<Zf>(sheet, at, entry, |zf, _| {
            format!(
                "{} bytes uncompressed, algorithm \"{}\", head {} x 4 bytes, blocks of 2^{} bytes",
                zf.uncompressed_size.le(),
                zf.algorithm.escape_ascii(),
                zf.header_size_quarter,
                zf.block_size_log2
            )
        }),
        b"AL" => with::<AlHead>(sheet, at, entry, |al, attributes| {
            let bytes = attributes.len();
            format!(
                "{bytes} bytes of attributes{}",
                flags(al.flags, &[(1, "go on")])
            )
        }),
        _ => return None,
    })
}

/// Adds an entry as a record of its kind. Whether it has as many bytes as that takes.
fn with<R: Record>(
    sheet: &mut Sheet,
    at: usize,
    entry: &Entry<'_>,
    text: impl FnOnce(&R, &[u8]) -> String,
) -> bool {
    match R::view(entry.bytes) {
        Ok((found, rest)) => record(sheet, at, found, rest, text(found, rest)),
        Err(_) => false,
    }
}

/// Adds a record as a row under its signature. Bytes that follow it are in the text, or shown
/// below.
fn record<R: Record>(sheet: &mut Sheet, at: usize, found: &R, rest: &[u8], text: String) -> bool {
    let bytes = found.bytes();
    let signature = bytes[..2].escape_ascii().to_string();
    let text = match bytes[3] {
        1 => text,
        version => format!("{text}, version {version}"),
    };
    let explain = |spot: &Spot<'_>| meaning(Context::default(), spot);
    sheet.folded(at, found, signature, text, &explain);
    let has_tail = matches!(&bytes[..2], b"SL" | b"NM" | b"TF" | b"ER");
    if !has_tail && !rest.is_empty() {
        sheet.hex(at + R::SIZE, "", "", rest);
    }
    true
}

/// What both forms of PX have.
fn posix(numbers: [Both32; 4]) -> String {
    let [mode, links, user, group] = numbers.map(Both32::le);
    let mode = self::mode(mode);
    format!("{mode}, links {links}, user {user}, group {group}")
}

/// A mode as a number, and what kind of file it is.
fn mode(mode: u32) -> String {
    let kind = match mode & 0o170_000 {
        0o140_000 => "socket",
        0o120_000 => "symbolic link",
        0o100_000 => "file",
        0o060_000 => "block device",
        0o040_000 => "directory",
        0o020_000 => "character device",
        0o010_000 => "pipe",
        _ => "of no known kind",
    };
    format!("mode {mode:o} {kind}")
}

/// Names of the bits that are set, each after a comma.
fn flags(bits: u8, names: &[(u8, &str)]) -> String {
    let mut text = String::new();
    let mut left = bits;
    for (bit, name) in names.iter().filter(|(bit, _)| bits & bit != 0) {
        left &= !bit;
        text += ", ";
        text += name;
    }
    if left != 0 {
        let _ = write!(text, ", flags {left:#04x}");
    }
    text
}

/// The components of a link's target.
fn target(mut components: &[u8]) -> String {
    let mut parts = Vec::new();
    while let Ok((head, rest)) = ComponentHead::view(components) {
        let length = usize::from(head.length).min(rest.len());
        let (name, after) = rest.split_at(length);
        let cut = if length < head.length.into() {
            ", cut off"
        } else {
            ""
        };
        let what = match head.flags & !ComponentFlags::CONTINUE {
            0 => format!("{:?}", String::from_utf8_lossy(name)),
            ComponentFlags::CURRENT => ".".into(),
            ComponentFlags::PARENT => "..".into(),
            ComponentFlags::ROOT => "the root".into(),
            other => format!("flags {other:#04x} {:?}", String::from_utf8_lossy(name)),
        };
        let joined = if head.flags & ComponentFlags::CONTINUE == 0 {
            ""
        } else {
            " (goes on)"
        };
        parts.push(format!("{what}{joined}{cut}"));
        components = after;
    }
    if !components.is_empty() {
        parts.push(format!("{} bytes more", components.len()));
    }
    parts.join(", ")
}

/// The stamps of a TF entry.
fn times(bits: u8, mut stamps: &[u8]) -> String {
    const NAMES: [&str; 7] = [
        "created",
        "modified",
        "accessed",
        "attributes changed",
        "backed up",
        "expires",
        "effective",
    ];
    let is_long = bits & TimeFlags::LONG_FORM != 0;
    let len = if is_long {
        VolumeDate::SIZE
    } else {
        DirectoryDate::SIZE
    };
    let mut parts = Vec::new();
    for (_, name) in (0..7).zip(NAMES).filter(|(bit, _)| bits >> bit & 1 == 1) {
        let Some((stamp, rest)) = stamps.split_at_checked(len) else {
            parts.push(format!("{name} is not there"));
            break;
        };
        stamps = rest;
        let line = if is_long {
            VolumeDate::view(stamp)
                .ok()
                .and_then(|(date, _)| line_of_long_date(date))
        } else {
            DirectoryDate::view(stamp)
                .ok()
                .and_then(|(date, _)| line_of_date(*date))
        };
        let line = line.unwrap_or_else(|| format!("no such date {stamp:02x?}"));
        parts.push(format!("{name} {line}"));
    }
    if !stamps.is_empty() {
        parts.push(format!("{} bytes more", stamps.len()));
    }
    parts.join(", ")
}
