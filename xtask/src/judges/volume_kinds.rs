//! The kinds of UDF volumes that judges look at: revisions, partitions, what may be written, and
//! what is in them.

/// How a partition finds its blocks (UDF 2.2.8 to 2.2.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partition {
    /// As they are numbered.
    Plain,
    /// Some packets are elsewhere.
    Sparable,
    /// Entries are numbered by a table at the end.
    Virtual,
    /// Entries and directories are numbered inside a file.
    Metadata,
}

/// What may be done with the blocks of a partition (ECMA-167 3/10.5.7, UDF 2.2.14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    ReadOnly,
    WriteOnce,
    Rewritable,
    Overwritable,
    PseudoOverwritable,
}

/// A kind of volume.
#[derive(Debug)]
pub struct Kind {
    pub name: &'static str,
    /// What `reburn make` takes.
    pub flags: &'static [&'static str],
    pub revision: &'static str,
    pub partition: Partition,
    pub access: Access,
    /// Whether ISO 9660 shares the files.
    pub is_bridge: bool,
    /// The trees that a sample has of it.
    pub sample: &'static [Tree],
}

/// What is in a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    /// Nothing.
    Empty,
    /// One file.
    One,
    /// Every difficulty.
    Difficult,
    /// Every difficulty that is a file or a folder, for readers that know nothing else.
    Gentle,
    /// Files and folders with extended attributes, which become streams (UDF 3.3.5).
    Streams,
    /// Very many files in one folder.
    Crowd,
    /// A file of 5 GiB, which no single extent can hold.
    Big,
}

impl Tree {
    pub const ALL: [Self; 7] = [
        Self::Empty,
        Self::One,
        Self::Difficult,
        Self::Gentle,
        Self::Streams,
        Self::Crowd,
        Self::Big,
    ];
}

impl Kind {
    /// What volumes are called: in characters of two bytes where the other file system of a bridge
    /// does not keep them from it.
    pub fn label(&self) -> &'static str {
        if self.is_bridge {
            "REBURN_JUDGED"
        } else {
            "Größe € 2.60"
        }
    }
}

/// A kind of volume that only reading is foreseen for, and nothing in the sample.
const fn plain_kind(
    name: &'static str,
    revision: &'static str,
    flags: &'static [&'static str],
) -> Kind {
    Kind {
        name,
        flags,
        revision,
        partition: Partition::Plain,
        access: Access::ReadOnly,
        is_bridge: false,
        sample: &[],
    }
}

const fn virtual_kind(
    name: &'static str,
    revision: &'static str,
    flags: &'static [&'static str],
) -> Kind {
    Kind {
        partition: Partition::Virtual,
        access: Access::WriteOnce,
        ..plain_kind(name, revision, flags)
    }
}

const fn sparable_kind(
    name: &'static str,
    revision: &'static str,
    flags: &'static [&'static str],
) -> Kind {
    Kind {
        partition: Partition::Sparable,
        access: Access::Rewritable,
        ..plain_kind(name, revision, flags)
    }
}

/// The kind that keeps extended attributes.
pub const WITH_STREAMS: &str = "2.01 plain with streams";

pub const KINDS: [Kind; 21] = [
    Kind {
        sample: &[Tree::Difficult, Tree::Gentle],
        ..plain_kind("1.02 plain", "1.02", &["--fs", "udf-1.02"])
    },
    plain_kind("1.50 plain", "1.50", &["--fs", "udf-1.50"]),
    plain_kind("2.00 plain", "2.00", &["--fs", "udf-2.00"]),
    Kind {
        sample: &[Tree::Crowd],
        ..plain_kind("2.01 plain", "2.01", &["--fs", "udf-2.01"])
    },
    Kind {
        access: Access::Overwritable,
        sample: &[Tree::Difficult, Tree::Gentle],
        ..plain_kind(
            "2.01 plain overwritable",
            "2.01",
            &["--fs", "udf-2.01", "--access", "overwritable"],
        )
    },
    Kind {
        sample: &[Tree::Streams],
        ..plain_kind(WITH_STREAMS, "2.01", &["--fs", "udf-2.01", "--xattrs"])
    },
    Kind {
        sample: &[Tree::Difficult],
        ..sparable_kind(
            "1.50 sparable",
            "1.50",
            &["--fs", "udf-1.50", "--partition", "sparable"],
        )
    },
    sparable_kind(
        "2.00 sparable",
        "2.00",
        &["--fs", "udf-2.00", "--partition", "sparable"],
    ),
    sparable_kind(
        "2.01 sparable",
        "2.01",
        &["--fs", "udf-2.01", "--partition", "sparable"],
    ),
    Kind {
        sample: &[Tree::One],
        ..virtual_kind(
            "1.50 virtual",
            "1.50",
            &["--fs", "udf-1.50", "--partition", "virtual"],
        )
    },
    Kind {
        sample: &[Tree::Difficult],
        ..virtual_kind(
            "2.00 virtual",
            "2.00",
            &["--fs", "udf-2.00", "--partition", "virtual"],
        )
    },
    virtual_kind(
        "2.01 virtual",
        "2.01",
        &["--fs", "udf-2.01", "--partition", "virtual"],
    ),
    virtual_kind(
        "2.50 virtual",
        "2.50",
        &["--fs", "udf-2.50", "--partition", "virtual"],
    ),
    virtual_kind(
        "2.60 virtual",
        "2.60",
        &["--fs", "udf-2.60", "--partition", "virtual"],
    ),
    Kind {
        partition: Partition::Metadata,
        sample: &[Tree::Empty, Tree::Big],
        ..plain_kind("2.50 metadata", "2.50", &["--fs", "udf-2.50"])
    },
    Kind {
        partition: Partition::Metadata,
        sample: &[Tree::Difficult, Tree::Gentle],
        ..plain_kind(
            "2.50 metadata twice",
            "2.50",
            &["--fs", "udf-2.50", "--duplicate-metadata"],
        )
    },
    Kind {
        partition: Partition::Metadata,
        access: Access::Overwritable,
        ..plain_kind(
            "2.50 metadata overwritable",
            "2.50",
            &["--fs", "udf-2.50", "--access", "overwritable"],
        )
    },
    Kind {
        partition: Partition::Metadata,
        sample: &[Tree::Gentle],
        ..plain_kind("2.60 metadata", "2.60", &["--fs", "udf-2.60"])
    },
    Kind {
        partition: Partition::Metadata,
        access: Access::PseudoOverwritable,
        sample: &[Tree::Difficult],
        ..plain_kind(
            "2.60 pseudo-overwritable",
            "2.60",
            &["--fs", "udf-2.60", "--access", "pseudo-overwritable"],
        )
    },
    Kind {
        is_bridge: true,
        sample: &[Tree::Difficult],
        ..plain_kind("bridge 1.02", "1.02", &["--fs", "iso,udf-1.02"])
    },
    Kind {
        partition: Partition::Metadata,
        is_bridge: true,
        ..plain_kind("bridge 2.50", "2.50", &["--fs", "iso,udf-2.50"])
    },
];

/// Kinds that are edited, or appended to, on what medium, and whether a sample has them.
pub const EDITED: [(&str, &str, bool); 7] = [
    ("2.01 plain", "file", true),
    ("2.01 plain", "bd-re", false),
    ("2.50 metadata", "file", false),
    ("2.50 metadata", "bd-re", true),
    ("1.50 virtual", "cd-r", true),
    ("2.01 virtual", "dvd-r", false),
    ("2.60 virtual", "bd-r", true),
];
