//! Named streams and extended attributes are read back, and refused where UDF has none.

use bytes::Bytes;
use reburn_blocks::WriteUnit;
use reburn_tree::{Attribute, Metadata, NewKind, Timestamp, Tree};
use reburn_udf::{Layout, LayoutError, UdfOptions, UdfRevision};

use crate::image::{Image, difficult_tree};
use crate::same::assert_same;
use crate::{all_options, read_back};

/// The difficult tree with named streams.
fn tree_with_streams() -> Tree {
    let mut tree = difficult_tree();
    let time = Timestamp::from_seconds(1_650_000_000);
    let metadata = Metadata::with_permissions(0o640).modified_at(time);
    let owner = |path: &[u8]| tree.inode(tree.lookup(path).unwrap());
    let owners = [
        tree.inode(Tree::ROOT),
        owner(b"/file-0"),
        owner(b"/file-100000"),
        owner(b"/many"),
        owner(b"/many/folder/tty"),
    ];
    for owner in owners {
        for len in [0, 1, 1832, 1833, 50_000] {
            let name = format!("stream \u{20ac} {len}");
            let bytes = NewKind::Bytes(vec![7; len].into());
            tree.set_stream(owner, name.as_bytes(), metadata, bytes)
                .unwrap();
        }
    }
    let many = tree.inode(tree.lookup(b"/created").unwrap());
    for number in 0..300 {
        let name = format!("a stream with quite a long name, number {number}");
        let bytes = NewKind::Bytes(name.clone().into());
        tree.set_stream(many, name.as_bytes(), metadata, bytes)
            .unwrap();
    }
    let fork = NewKind::Bytes(Bytes::from_static(b"fork"));
    let name = b"*UDF Macintosh Resource Fork";
    tree.set_stream(owners[1], name, metadata, fork).unwrap();
    tree
}

/// Attributes of every form: with checksum and without, of systems and of applications, with and
/// without padding. The revision is the one that the volume will have.
pub fn attributes(revision: u16) -> Vec<Attribute> {
    let [low, high] = revision.to_le_bytes();
    let suffix = [low, high, 3, 1, 0, 0, 0, 0];
    let attribute = |is_application, name: &[u8], suffix, value: &[u8]| Attribute {
        is_application,
        name: name.to_vec(),
        suffix,
        value: Bytes::copy_from_slice(value),
    };
    vec![
        attribute(false, b"*UDF Mac FinderInfo", suffix, &[5; 46]),
        attribute(false, b"*UDF OS/2 EALength", suffix, &[1, 0, 0, 0]),
        attribute(false, b"*Someone", [1; 8], b"odd"),
        attribute(true, b"*Application", [9; 8], b""),
        attribute(true, b"*Another application...", [0; 8], &[3; 200]),
    ]
}

#[test]
fn streams_are_read_back() {
    let tree = tree_with_streams();
    let all = all_options().into_iter();
    for options in all.filter(|options| options.write_unit == WriteUnit::BLU_RAY) {
        if options.revision < UdfRevision::V2_00 {
            let error = Layout::new(&tree, &options).unwrap_err();
            assert!(matches!(error, LayoutError::Streams { .. }), "{error}");
            continue;
        }
        let image = Image::new(&tree, &options);
        let (volume, read) = read_back(&image);
        assert_same(&image.bytes, &tree, &read.tree);
        assert_eq!(read.streams, []);
        // Streams count neither as files nor as folders (UDF 2.2.6.4).
        let integrity = volume.integrity().unwrap();
        assert_eq!((integrity.files, integrity.directories), (3024, 33));
    }
}

#[test]
pub fn attributes_are_read_back() {
    let all = all_options().into_iter();
    for options in all.filter(|options| options.write_unit == WriteUnit::FILE) {
        let mut tree = difficult_tree();
        let attributes = attributes(options.revision.code());
        let paths = [
            &b"/"[..],
            b"/file-1",
            b"/file-1700",
            b"/file-100000",
            b"/created",
            b"/many",
            b"/many/folder/disk",
            b"/many/folder/absolute",
        ];
        for (index, path) in paths.into_iter().enumerate() {
            let inode = tree.inode(tree.lookup(path).unwrap());
            let mut some = attributes.clone();
            some.rotate_left(index % attributes.len());
            some.truncate(1 + index % attributes.len());
            tree.set_attributes(inode, some);
        }
        let image = Image::new(&tree, &options);
        let (_, read) = read_back(&image);
        assert_same(&image.bytes, &tree, &read.tree);
    }
}

fn refused(options: &UdfOptions, change: impl FnOnce(&mut Tree)) -> String {
    let mut tree = Tree::new(Metadata::directory());
    let file = NewKind::Bytes(Bytes::from_static(b"x"));
    tree.add(Tree::ROOT, b"a", Metadata::file(), file).unwrap();
    change(&mut tree);
    Layout::new(&tree, options).unwrap_err().to_string()
}

#[test]
fn what_udf_does_not_allow_is_refused() {
    let default = UdfOptions::default();
    let empty = || NewKind::Bytes(Bytes::new());
    let error = refused(&default, |tree| {
        let root = tree.inode(Tree::ROOT);
        let name = b"*UDF Backup";
        tree.set_stream(root, name, Metadata::file(), empty())
            .unwrap();
    });
    assert_eq!(
        error,
        "/: its stream \"*UDF Backup\" cannot be recorded: UDF keeps names with *UDF for streams \
         that it defines (UDF 3.3.7, 3.3.8); remove or rename it"
    );
    let error = refused(&default, |tree| {
        let root = tree.inode(Tree::ROOT);
        tree.set_stream(root, b"a/b", Metadata::file(), empty())
            .unwrap();
        tree.set_stream(root, b"a_#B0D1b", Metadata::file(), empty())
            .unwrap();
        let stream = tree.stream(root, b"a/b").unwrap();
        tree.set_stream(stream, b"below", Metadata::file(), empty())
            .unwrap();
    });
    assert!(error.contains("neither streams nor attributes"), "{error}");
    let error = refused(&UdfOptions::new(UdfRevision::V1_50), |tree| {
        let root = tree.inode(Tree::ROOT);
        tree.set_stream(root, b"s", Metadata::file(), empty())
            .unwrap();
    });
    assert_eq!(
        error,
        "/: it has named streams, which UDF 1.50 does not have (UDF 3.3.5); remove them, or \
         choose 2.00 or later"
    );
    let attribute = |name: &[u8], len: usize| Attribute {
        is_application: false,
        name: name.to_vec(),
        suffix: [0; 8],
        value: vec![0; len].into(),
    };
    let error = refused(&default, |tree| {
        let file = tree.inode(tree.lookup(b"/a").unwrap());
        tree.set_attributes(file, vec![attribute(b"*Large", 1800)]);
    });
    assert_eq!(
        error,
        "/a: its extended attributes take 1872 bytes, but its entry holds 1768; remove some"
    );
    let error = refused(&default, |tree| {
        let root = tree.inode(Tree::ROOT);
        tree.set_attributes(root, vec![attribute(b"*A name of 24 characters", 1)]);
    });
    assert!(error.contains("more than 23 bytes"), "{error}");
}
