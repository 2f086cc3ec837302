//! The volume of a disc, whichever file system it has, and its files.

use std::ffi::OsStr;

use reburn_blocks::{BlockRead, Lba};
use reburn_image::Sessions;
use reburn_iso9660::{Hierarchy, IsoError};
use reburn_tree::{NodeId, Tree};
use reburn_udf::{Incompatible, Session, UdfError};

use crate::args::{SessionArgs, TreeArgs};
use crate::choices::TreeArg;
use crate::disc::{DiscName, OpenDisc};
use crate::failure::Failure;
use crate::progress::Terminal;

impl TreeArgs {
    /// The hierarchy of ISO 9660 asked for.
    pub fn hierarchy(&self) -> Option<Hierarchy> {
        match self.tree? {
            TreeArg::RockRidge => Some(Hierarchy::RockRidge),
            TreeArg::Joliet => Some(Hierarchy::Joliet),
            TreeArg::Enhanced => Some(Hierarchy::Enhanced),
            TreeArg::Plain => Some(Hierarchy::Plain),
            TreeArg::Udf => None,
        }
    }

    /// The same with the session that the disc's drive tells of, where none is asked for.
    pub fn on(&self, disc: &OpenDisc) -> Self {
        let session = disc.session;
        Self {
            start: self.start.or(Some(session.start.get())),
            last: self.last.or(session.last_recorded.map(Lba::get)),
            ..self.clone()
        }
    }

    /// Where the session starts.
    pub fn start(&self) -> Lba {
        self.start.map_or(Lba::ZERO, Lba::new)
    }

    /// The session, as UDF counts it.
    pub fn session(&self) -> Session {
        Session {
            start: self.start(),
            last_recorded: self.last.map(Lba::new),
        }
    }

    /// The UDF volume, unless another tree is asked for or there is none.
    fn udf(&self, disc: &dyn BlockRead) -> Option<Result<reburn_udf::Volume, UdfError>> {
        if self.hierarchy().is_some() {
            return None;
        }
        match reburn_udf::Volume::open(disc, self.session()) {
            Err(UdfError::Incompatible {
                feature: Incompatible::NotUdf,
                ..
            }) => None,
            opened => Some(opened),
        }
    }
}

impl SessionArgs {
    /// The tree to read of the session that is asked for.
    ///
    /// A session's own descriptors lead to it, wherever those at block 16 lead.
    pub fn tree(&self, name: &DiscName, args: &TreeArgs) -> Result<TreeArgs, Failure> {
        let mut args = args.clone();
        let Some(number) = self.session else {
            return Ok(args);
        };
        let cannot = |reason| {
            let error = reburn_image::ImageError::Session { number, reason };
            Failure::from(error).of(name)
        };
        let disc = name.open()?;
        let on_disc = args.on(&disc);
        let sessions = match reburn_iso9660::Volume::open(&*disc.blocks, on_disc.start()) {
            Ok(volume) => Sessions::decode(&volume.primary().application_use),
            Err(_) if on_disc.udf(&*disc.blocks).is_some_and(|udf| udf.is_ok()) => {
                return Err(cannot(
                    "sessions are of ISO 9660, and UDF has its present state only",
                ));
            }
            Err(error) => return Err(Failure::from(error).of(name)),
        };
        let start = sessions.and_then(|sessions| sessions.start_of(number));
        let start = start.ok_or_else(|| cannot("the disc lists no such session"))?;
        args.start = Some(start.get());
        Ok(args)
    }
}

/// A volume and what it is.
pub enum VolumeKind {
    /// ISO 9660, and which of its hierarchies is looked at.
    Iso(Box<reburn_iso9660::Volume>, Hierarchy),
    /// UDF.
    Udf(Box<reburn_udf::Volume>),
}

/// A volume that is open for reading.
pub struct OpenVolume {
    /// What it is on.
    pub disc: OpenDisc,
    /// Its descriptors.
    pub volume: VolumeKind,
    /// Its files.
    pub tree: Tree,
}

impl OpenVolume {
    /// Reads the tree of a disc, and tells what was read leniently.
    ///
    /// Where the same files stand in several trees, the one that says most of them is taken:
    /// Rock Ridge, then UDF, then the rest of ISO 9660.
    pub fn open(name: &DiscName, args: &TreeArgs, terminal: Terminal) -> Result<Self, Failure> {
        let disc = name.open()?;
        let args = &args.on(&disc);
        let blocks = &*disc.blocks;
        let iso = match args.tree {
            Some(TreeArg::Udf) => None,
            _ => Some(reburn_iso9660::Volume::open(blocks, args.start())),
        };
        let is_best = |iso: &reburn_iso9660::Volume| {
            args.hierarchy().is_some() || iso.best() == Hierarchy::RockRidge || iso.udf().is_none()
        };
        let (volume, tree, notes) = match iso {
            Some(Ok(iso)) if is_best(&iso) => read_iso(iso, args, blocks),
            iso => match (args.udf(blocks), iso) {
                (Some(udf), _) => udf
                    .and_then(|udf| read_udf(udf, blocks))
                    .map_err(Into::into),
                (None, Some(iso)) => iso
                    .map_err(Failure::from)
                    .and_then(|iso| read_iso(iso, args, blocks)),
                (None, None) => Err(Failure::usage("there is no UDF volume on it")),
            },
        }
        .map_err(|failure| failure.of(name))?;
        for note in notes {
            terminal.note(&format!("{name}: {note}"));
        }
        Ok(Self { disc, volume, tree })
    }

    /// The node at a path, or the root.
    pub fn find(&self, name: &DiscName, path: Option<&OsStr>) -> Result<NodeId, Failure> {
        let path = path.unwrap_or_default();
        self.tree.lookup(path.as_encoded_bytes()).ok_or_else(|| {
            let path = path.display();
            Failure::usage(format!(
                "{name} has no {path}; `reburn show {name}` lists what it has"
            ))
        })
    }
}

fn read_iso(
    volume: reburn_iso9660::Volume,
    args: &TreeArgs,
    disc: &dyn BlockRead,
) -> Result<(VolumeKind, Tree, Vec<String>), Failure> {
    let hierarchy = args.hierarchy().unwrap_or_else(|| volume.best());
    let read = volume.read_hierarchy(disc, hierarchy);
    let files = read.map_err(|error: IsoError| Failure::from(error))?;
    let notes = files.notes.iter().map(ToString::to_string).collect();
    Ok((VolumeKind::Iso(volume.into(), hierarchy), files.tree, notes))
}

fn read_udf(
    volume: reburn_udf::Volume,
    disc: &dyn BlockRead,
) -> Result<(VolumeKind, Tree, Vec<String>), UdfError> {
    let files = volume.read_tree(disc)?;
    let notes = files.notes.iter().filter(|note| !note.is_usual());
    let notes = notes.map(ToString::to_string).collect();
    Ok((VolumeKind::Udf(volume.into()), files.tree, notes))
}
