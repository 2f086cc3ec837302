//! What the entries of a record say, by SUSP and RRIP.

use reburn_blocks::Lba;
use reburn_record::Record;
use reburn_tree::Timestamp;

use super::batch::{Location, RecordRef};
use crate::records::{
    Cl, ComponentFlags, ComponentHead, DirectoryDate, ErHead, NameFlags, NmHead, Pn, Px, Px36,
    SlHead, Sp, SuspHead, TfHead, TimeFlags, VolumeDate,
};
use crate::susp::{Entry, EntryError};
use crate::{Corrupt, Incompatible, IsoError, Place};

/// Identifiers by which Rock Ridge announces itself (RRIP 4.3 and its drafts).
const ROCK_RIDGE_IDENTIFIERS: [&[u8]; 3] = [b"RRIP_1991A", b"IEEE_P1282", b"IEEE_1282"];

/// What the entries of one record say.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // each stands for an entry that is there or is not
pub(super) struct SystemUse {
    /// Bytes to pass over in every other area, from SP.
    pub(super) skipped: Option<u8>,
    /// ER names Rock Ridge.
    pub(super) announces_rock_ridge: bool,
    pub(super) posix: Option<Posix>,
    pub(super) device: Option<(u32, u32)>,
    /// From NM; empty if there is none.
    pub(super) name: Vec<u8>,
    pub(super) target: Target,
    /// Where the directory of this name is, from CL.
    pub(super) child: Option<Location>,
    /// The directory was moved here, from RE.
    pub(super) relocated: bool,
    pub(super) times: Times,
    /// ZF is present.
    pub(super) compressed: bool,
    /// AL is present.
    pub(super) attributes: bool,
    /// SF is present.
    pub(super) sparse: bool,
}

/// What PX says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posix {
    pub(super) mode: u32,
    pub(super) links: u32,
    pub(super) user: u32,
    pub(super) group: u32,
    /// Missing before RRIP 1.12.
    pub(super) serial: Option<u32>,
    /// Where the entry stands.
    pub(super) entry: RecordRef,
}

impl Posix {
    /// An error about the mode.
    pub(super) fn corrupt(&self, problem: Corrupt) -> IsoError {
        Place::of::<Px>(self.entry.block, self.entry.offset.into(), "mode").corrupt(problem)
    }
}

/// What TF says, as far as a tree has a place for it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    pub(super) created: Option<Timestamp>,
    pub(super) modified: Option<Timestamp>,
    pub(super) accessed: Option<Timestamp>,
    pub(super) changed: Option<Timestamp>,
}

/// A symbolic link's target, put together from SL entries.
#[derive(Debug, Default)]
pub(super) struct Target {
    pub(super) path: Vec<u8>,
    pub(super) present: bool,
    /// A component ended, and another one would need a slash before it.
    separate: bool,
}

impl SystemUse {
    pub(super) fn clear(&mut self) {
        let (mut name, mut path) = (
            std::mem::take(&mut self.name),
            std::mem::take(&mut self.target.path),
        );
        name.clear();
        path.clear();
        let target = Target {
            path,
            ..Target::default()
        };
        *self = Self {
            name,
            target,
            ..Self::default()
        };
    }

    /// Takes in one entry, which starts at `offset` in `block`.
    pub(super) fn take(
        &mut self,
        block: Lba,
        offset: usize,
        entry: &Entry<'_>,
    ) -> Result<(), IsoError> {
        let corrupt = |error| entry_error(block, offset - entry.offset, error);
        match &entry.signature {
            b"SP" => {
                let (sp, _) = entry.view::<Sp>().map_err(corrupt)?;
                if sp.check_bytes == Sp::CHECK_BYTES {
                    self.skipped = Some(sp.skipped);
                }
            }
            b"ER" => {
                let (er, text) = entry.view::<ErHead>().map_err(corrupt)?;
                let identifier = text.get(..er.identifier_length.into()).unwrap_or_default();
                self.announces_rock_ridge |= ROCK_RIDGE_IDENTIFIERS.contains(&identifier);
            }
            b"PX" => self.posix = Some(posix(block, offset, entry).map_err(corrupt)?),
            b"PN" => self.device = Some(entry.view::<Pn>().map_err(corrupt)?.0.numbers()),
            b"NM" => {
                let (nm, name) = entry.view::<NmHead>().map_err(corrupt)?;
                if nm.flags & (NameFlags::CURRENT | NameFlags::PARENT) == 0 {
                    self.name.extend_from_slice(name);
                }
            }
            b"SL" => {
                let (_, components) = entry.view::<SlHead>().map_err(corrupt)?;
                self.target.extend(components, block, offset)?;
            }
            b"CL" => {
                let (cl, _) = entry.view::<Cl>().map_err(corrupt)?;
                self.child = Some(Location {
                    start: cl.location.le(),
                    length: None,
                    from: RecordRef::new(block, offset),
                });
            }
            b"RE" => self.relocated = true,
            b"TF" => self.times.take(entry).map_err(corrupt)?,
            b"ZF" => self.compressed = true,
            b"AL" => self.attributes = true,
            b"SF" => self.sparse = true,
            // PD, ES, RR, PL and what other extensions have.
            _ => {}
        }
        Ok(())
    }
}

fn posix(block: Lba, offset: usize, entry: &Entry<'_>) -> Result<Posix, EntryError> {
    let (px, _) = entry.view::<Px36>()?;
    Ok(Posix {
        mode: px.mode.le(),
        links: px.links.le(),
        user: px.user.le(),
        group: px.group.le(),
        serial: entry.view::<Px>().ok().map(|(px, _)| px.serial.le()),
        entry: RecordRef::new(block, offset),
    })
}

impl Times {
    /// Takes the stamps of a TF entry, which stand in the order of their bits.
    fn take(&mut self, entry: &Entry<'_>) -> Result<(), EntryError> {
        let (tf, mut stamps) = entry.view::<TfHead>()?;
        let long = tf.flags & TimeFlags::LONG_FORM != 0;
        let len = if long {
            VolumeDate::SIZE
        } else {
            DirectoryDate::SIZE
        };
        let count = (tf.flags & !TimeFlags::LONG_FORM).count_ones() as usize;
        if stamps.len() < count * len {
            let problem = Corrupt::EntryLength {
                signature: entry.signature,
                length: entry.bytes.len(),
                needed: TfHead::SIZE + count * len,
                left: entry.bytes.len(),
            };
            let offset = entry.offset;
            return Err(EntryError { offset, problem });
        }
        for bit in (0..7).map(|bit| 1 << bit).filter(|bit| tf.flags & bit != 0) {
            let (stamp, rest) = stamps.split_at(len);
            stamps = rest;
            let time = if long {
                VolumeDate::view(stamp)
                    .ok()
                    .and_then(|(date, _)| date.timestamp())
            } else {
                DirectoryDate::view(stamp)
                    .ok()
                    .and_then(|(date, _)| date.timestamp())
            };
            match bit {
                TimeFlags::CREATION => self.created = time,
                TimeFlags::MODIFY => self.modified = time,
                TimeFlags::ACCESS => self.accessed = time,
                TimeFlags::ATTRIBUTES => self.changed = time,
                _ => {}
            }
        }
        Ok(())
    }
}

impl Target {
    /// Appends the components of an SL entry, which starts at `offset` in `block`.
    fn extend(&mut self, components: &[u8], block: Lba, offset: usize) -> Result<(), IsoError> {
        self.present = true;
        let mut rest = components;
        while let Ok((component, tail)) = ComponentHead::view(rest) {
            let at = offset + SlHead::SIZE + components.len() - rest.len();
            let place = |field| Place::of::<ComponentHead>(block, at, field);
            let length = usize::from(component.length);
            let Some(name) = tail.get(..length) else {
                let (needed, left) = (length, tail.len());
                return Err(place("length").corrupt(Corrupt::RecordTooShort {
                    length: left,
                    needed,
                }));
            };
            if std::mem::take(&mut self.separate) {
                self.path.push(b'/');
            }
            let continues = component.flags & ComponentFlags::CONTINUE != 0;
            match component.flags & !ComponentFlags::CONTINUE {
                0 => self.path.extend_from_slice(name),
                ComponentFlags::CURRENT => self.path.push(b'.'),
                ComponentFlags::PARENT => self.path.extend_from_slice(b".."),
                ComponentFlags::ROOT => self.path.push(b'/'),
                _ => {
                    let flags = component.flags;
                    return Err(place("flags").incompatible(Incompatible::LinkComponent { flags }));
                }
            }
            // The root is its own slash.
            self.separate = !continues && component.flags & ComponentFlags::ROOT == 0;
            rest = &tail[length..];
        }
        Ok(())
    }
}

/// The error of an entry in an area that starts at `offset` in `block`.
pub(super) fn entry_error(block: Lba, offset: usize, error: EntryError) -> IsoError {
    Place::of::<SuspHead>(block, offset + error.offset, "length").corrupt(error.problem)
}
