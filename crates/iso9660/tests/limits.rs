//! Trees at the limits of a volume, and beyond.

mod image;

use bytes::Bytes;
use image::verify::verify;
use insta::assert_snapshot;
use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_iso9660::{
    DeepDirectories, Hierarchy, IsoOptions, Joliet, Layout, Level, RegionKind, RenderCache, Volume,
    VolumeTexts,
};
use reburn_tree::{Extent, InodeId, Metadata, NewKind, NodeId, Tree};

/// A tree of these paths; those that end with `/` are folders. Folders on the way are added.
fn tree(paths: &[&str]) -> Tree {
    let mut tree = Tree::new(Metadata::directory());
    for path in paths {
        let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
        let folders = folders.split('/').filter(|name| !name.is_empty());
        let parent = folders.fold(Tree::ROOT, |parent, name| folder(&mut tree, parent, name));
        if !file.is_empty() {
            let content = NewKind::Bytes(Bytes::copy_from_slice(file.as_bytes()));
            tree.add(parent, file.as_bytes(), Metadata::file(), content)
                .unwrap();
        }
    }
    tree
}

/// The folder of that name, added if it is not there.
fn folder(tree: &mut Tree, parent: NodeId, name: &str) -> NodeId {
    let found = tree.child(parent, name.as_bytes());
    found.unwrap_or_else(|| {
        let kind = NewKind::Directory;
        tree.add(parent, name.as_bytes(), Metadata::directory(), kind)
            .unwrap()
    })
}

fn refusal(tree: &Tree, options: &IsoOptions) -> String {
    Layout::new(tree, options).unwrap_err().to_string()
}

/// All paths of a hierarchy, the root's left out.
fn paths(image: &[u8], hierarchy: Hierarchy) -> Vec<String> {
    let volume = Volume::open(&image, Lba::ZERO).unwrap();
    let read = volume.read_hierarchy(&image, hierarchy).unwrap();
    let nodes = read.tree.walk(Tree::ROOT).skip(1);
    nodes
        .map(|(node, _)| read.tree.display_path(node))
        .collect()
}

fn build(tree: &Tree, options: &IsoOptions) -> Vec<u8> {
    let image = image::build(tree, options, Lba::ZERO, 32);
    verify(&image, 0);
    image
}

#[test]
fn names_are_255_bytes() {
    let longest = "n".repeat(255);
    let image = build(&tree(&[&longest]), &IsoOptions::default());
    assert_eq!(paths(&image, Hierarchy::RockRidge), [format!("/{longest}")]);
    let over = tree(&[&format!("docs/{}", "n".repeat(256))]);
    assert_snapshot!(
        refusal(&over, &IsoOptions::default()).replace(&"n".repeat(256), "n..."),
        @"/docs/n...: the name has 256 bytes, but readers take at most 255; shorten it"
    );
    let plain = IsoOptions {
        rock_ridge: false,
        ..IsoOptions::default()
    };
    build(&over, &plain);
}

#[test]
fn deep_folders_move() {
    let deep = tree(&[
        "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/file",
        "1/2/3/4/5/6/7/8b/",
    ]);
    let image = build(&deep, &IsoOptions::default());
    assert_eq!(
        paths(&image, Hierarchy::Joliet),
        paths(&image, Hierarchy::RockRidge)
    );
    assert_snapshot!(paths(&image, Hierarchy::Plain).join("\n"), @"
    /1
    /1/2
    /1/2/3
    /1/2/3/4
    /1/2/3/4/5
    /1/2/3/4/5/6
    /1/2/3/4/5/6/7
    /1/2/3/4/5/6/7/8
    /1/2/3/4/5/6/7/8B
    /RR_MOVED
    /RR_MOVED/14
    /RR_MOVED/14/15
    /RR_MOVED/14/15/FILE
    /RR_MOVED/8
    /RR_MOVED/8/9
    /RR_MOVED/8/9/10
    /RR_MOVED/8/9/10/11
    /RR_MOVED/8/9/10/11/12
    /RR_MOVED/8/9/10/11/12/13
    /RR_MOVED/8/9/10/11/12/13/14
    /RR_MOVED/8B
    ");
}

#[test]
fn deep_folders_stay_when_asked_for() {
    let deep = tree(&["1/2/3/4/5/6/7/8/9/10/"]);
    let options = IsoOptions {
        deep: DeepDirectories::InPlace,
        ..IsoOptions::default()
    };
    let image = build(&deep, &options);
    assert_eq!(
        paths(&image, Hierarchy::Plain),
        paths(&image, Hierarchy::RockRidge)
    );
    let plain = IsoOptions {
        rock_ridge: false,
        ..IsoOptions::default()
    };
    assert_snapshot!(refusal(&deep, &plain), @"/1/2/3/4/5/6/7/8: folders may lie at most 8 levels deep with paths of 255 characters (ECMA-119 6.8.2.1); turn on Rock Ridge, or let deep folders stay in place");
}

#[test]
fn folders_with_long_paths_move_as_well() {
    // Seven names of 31 characters make 217; only 213 leave room for any file.
    let name = |letter: &str, len| letter.repeat(len);
    let long = |last| {
        let folders: Vec<_> = ["a", "b", "c", "d", "e", "f"].map(|l| name(l, 31)).into();
        format!(
            "{}/{}/{}",
            folders.join("/"),
            name("g", last),
            name("h", 30)
        )
    };
    let image = build(&tree(&[&long(19)]), &IsoOptions::default());
    let plain = paths(&image, Hierarchy::Plain);
    assert!(!plain.contains(&"/RR_MOVED".to_owned()), "{plain:?}");
    let image = build(&tree(&[&long(30)]), &IsoOptions::default());
    let plain = paths(&image, Hierarchy::Plain);
    assert!(
        plain.contains(&format!("/RR_MOVED/{}", name("G", 30))),
        "{plain:?}"
    );
    assert!(plain.iter().all(|path| path.len() < 255));
}

#[test]
fn the_folder_for_moved_ones_can_be_there_already() {
    let deep = "1/2/3/4/5/6/7/8/file";
    let own = tree(&[deep, "rr_moved/own/"]);
    let image = build(&own, &IsoOptions::default());
    let shown = paths(&image, Hierarchy::RockRidge);
    assert_eq!(shown, paths(&image, Hierarchy::Joliet));
    assert!(paths(&image, Hierarchy::Plain).contains(&"/RR_MOVED/8/FILE".to_owned()));

    let other = tree(&[deep, "rr_moved"]);
    let image = build(&other, &IsoOptions::default());
    assert_eq!(
        paths(&image, Hierarchy::RockRidge),
        paths(&image, Hierarchy::Joliet)
    );
    assert!(paths(&image, Hierarchy::Plain).contains(&"/_RR_MOVED/8/FILE".to_owned()));

    let neither = tree(&[deep, "rr_moved", ".rr_moved"]);
    assert_snapshot!(refusal(&neither, &IsoOptions::default()), @"deep folders have to move to /rr_moved, but /rr_moved and /.rr_moved are files; rename one, or let deep folders stay in place");
}

#[test]
fn moved_folders_of_one_name_stay_apart() {
    let deep = tree(&[
        "a/2/3/4/5/6/7/x/one",
        "b/2/3/4/5/6/7/x/two",
        "c/2/3/4/5/6/7/x/three",
    ]);
    let image = build(&deep, &IsoOptions::default());
    assert_eq!(
        paths(&image, Hierarchy::RockRidge),
        paths(&image, Hierarchy::Joliet)
    );
    let plain = paths(&image, Hierarchy::Plain);
    let moved: Vec<_> = plain
        .iter()
        .filter(|path| path.starts_with("/RR_"))
        .collect();
    assert_snapshot!(format!("{moved:#?}"), @r#"
    [
        "/RR_MOVED",
        "/RR_MOVED/X",
        "/RR_MOVED/X/ONE",
        "/RR_MOVED/X000",
        "/RR_MOVED/X000/TWO",
        "/RR_MOVED/X001",
        "/RR_MOVED/X001/THREE",
    ]
    "#);
}

#[test]
fn files_over_4_gib_take_level_3() {
    let huge = |bytes| {
        let mut tree = Tree::new(Metadata::directory());
        let start = Lba::new(1000);
        let content = NewKind::Base(vec![Extent::new(start, bytes)]);
        tree.add(Tree::ROOT, b"huge", Metadata::file(), content)
            .unwrap();
        tree
    };
    let at_level = |level| IsoOptions {
        level,
        ..IsoOptions::default()
    };
    assert!(Layout::new(&huge(0xFFFF_F800), &at_level(Level::Two)).is_ok());
    assert!(Layout::new(&huge(0xFFFF_F801), &at_level(Level::Three)).is_ok());
    let refused = refusal(&huge(0xFFFF_F801), &at_level(Level::Two));
    assert_snapshot!(refused, @"/huge: 4294965249 bytes take 2 sections, but interchange level 2 allows one (ECMA-119 10); choose level 3");
}

#[test]
fn sections_follow_each_other() {
    let mut tree = Tree::new(Metadata::directory());
    let start = Lba::new(1000);
    let bytes = 9 << 30;
    let content = NewKind::Base(vec![Extent::new(start, bytes)]);
    tree.add(Tree::ROOT, b"huge", Metadata::file(), content)
        .unwrap();
    let layout = Layout::new(&tree, &IsoOptions::default()).unwrap();
    let place = |_: InodeId, section: usize| Lba::new(1000 + u32::try_from(section).unwrap());
    let placed = layout.place(&tree, Lba::new(20), &place);
    let root = placed
        .regions()
        .find(|region| region.kind == RegionKind::Directory(Tree::ROOT))
        .unwrap();
    let mut block = [0; BLOCK_SIZE];
    placed.read_metadata(
        root.range.start_lba(),
        &mut block,
        &mut RenderCache::default(),
    );
    // Address and length of each section, and its flags. The directory's own record and its
    // parent's come first.
    let mut records = Vec::new();
    let mut at = 0;
    while block[at] != 0 {
        let field = |at: usize| u32::from_le_bytes(block[at..at + 4].try_into().unwrap());
        records.push((field(at + 2), field(at + 10), block[at + 25]));
        at += usize::from(block[at]);
    }
    let expected = [
        (1000, 0xFFFF_F800, 0x80),
        (1001, 0xFFFF_F800, 0x80),
        (1002, 1_073_745_920, 0),
    ];
    assert_eq!(records[2..], expected);
}

#[test]
fn texts_are_checked() {
    let with = |texts| IsoOptions {
        texts,
        ..IsoOptions::default()
    };
    let long = with(VolumeTexts {
        volume: "A volume name of thirty-three lett".into(),
        ..VolumeTexts::default()
    });
    let tree = tree(&["COPYING", "docs/"]);
    assert_snapshot!(refusal(&tree, &long), @r#"volume identifier (ECMA-119 8.4.6): "A volume name of thirty-three lett" has 34 characters, but the field holds 32; shorten it"#);
    for missing in ["README", "docs"] {
        let named = with(VolumeTexts {
            copyright_file: Some(missing.into()),
            ..VolumeTexts::default()
        });
        let expected = format!("no file named {missing:?}");
        assert!(refusal(&tree, &named).contains(&expected));
    }
    let named = with(VolumeTexts {
        copyright_file: Some(b"COPYING".to_vec()),
        ..VolumeTexts::default()
    });
    let image = build(&tree, &named);
    let volume = Volume::open(&image, Lba::ZERO).unwrap();
    let file = |hierarchy| {
        let descriptor = volume.descriptor(hierarchy).unwrap();
        descriptor.copyright_file_identifier
    };
    assert_eq!(file(Hierarchy::Plain).trimmed(), b"COPYING.;1");
    assert_eq!(
        &file(Hierarchy::Joliet).raw()[..16],
        b"\0C\0O\0P\0Y\0I\0N\0G\0 "
    );
}

#[test]
fn path_tables_number_65535_parents() {
    let with_parents = |count: u32| {
        let mut tree = Tree::new(Metadata::directory());
        for number in 1..count {
            let outer = folder(&mut tree, Tree::ROOT, &format!("D{number:06}"));
            folder(&mut tree, outer, "IN");
        }
        tree
    };
    let options = IsoOptions {
        joliet: Joliet::Off,
        ..IsoOptions::default()
    };
    assert!(Layout::new(&with_parents(65_535), &options).is_ok());
    assert_snapshot!(refusal(&with_parents(65_536), &options), @"/D065535: this is folder number 65536, but only the first 65535 can have folders in them (ECMA-119 9.4.4); spread the tree over several discs");
}

#[test]
fn large_folders_are_the_same_in_any_order() {
    let mut tree = Tree::new(Metadata::directory());
    let folder = folder(&mut tree, Tree::ROOT, "many");
    for number in 0..100_000 {
        // Names whose Rock Ridge entries do not always fit into the record.
        let name = format!("{number:06} {}", "long ".repeat(number % 37));
        let content = NewKind::Bytes(Bytes::new());
        tree.add(folder, name.as_bytes(), Metadata::file(), content)
            .unwrap();
    }
    let layout = Layout::new(&tree, &IsoOptions::default()).unwrap();
    let place = |_: InodeId, _: usize| Lba::ZERO;
    let placed = layout.place(&tree, Lba::new(20), &place);
    let range = placed.metadata_range();
    let mut whole = vec![0; layout.metadata_blocks().as_usize() * BLOCK_SIZE];
    placed.read_metadata(range.start_lba(), &mut whole, &mut RenderCache::default());

    // Blocks here and there, last first.
    let mut cache = RenderCache::default();
    let mut block = [0; BLOCK_SIZE];
    for number in (0..layout.metadata_blocks().get()).rev().step_by(97) {
        placed.read_metadata(Lba::new(20 + number), &mut block, &mut cache);
        let at = number as usize * BLOCK_SIZE;
        assert!(block == whole[at..at + BLOCK_SIZE], "block {number}");
    }
    let image = build(&tree, &IsoOptions::default());
    assert_eq!(paths(&image, Hierarchy::RockRidge).len(), 100_001);
}

#[test]
fn it_does_not_matter_how_a_tree_came_about() {
    let paths = ["a/one", "a/two", "b/c/three", "four"];
    let mut backwards = paths;
    backwards.reverse();
    let mut other = tree(&backwards);
    let node = other.lookup(b"/four").unwrap();
    other.rename(node, Tree::ROOT, b"five").unwrap();
    other.rename(node, Tree::ROOT, b"four").unwrap();
    let options = IsoOptions::default();
    assert!(build(&tree(&paths), &options) == build(&other, &options));
}

#[test]
fn a_cache_serves_any_layout() {
    let trees = [tree(&["a", "b"]), tree(&["a", "c"])];
    let layouts = trees.each_ref().map(|tree| {
        let layout = Layout::new(tree, &IsoOptions::default());
        (tree, layout.unwrap())
    });
    let place = |_: InodeId, _: usize| Lba::new(100);
    let mut kept = RenderCache::default();
    for (tree, layout) in &layouts {
        let placed = layout.place(tree, Lba::new(20), &place);
        for lba in 20..20 + layout.metadata_blocks().get() {
            let mut blocks = [[0; BLOCK_SIZE]; 2];
            placed.read_metadata(Lba::new(lba), &mut blocks[0], &mut kept);
            let mut fresh = RenderCache::default();
            placed.read_metadata(Lba::new(lba), &mut blocks[1], &mut fresh);
            assert!(blocks[0] == blocks[1], "block {lba}");
        }
        // Leave the cache at a directory that both layouts have in the same place.
        let root = placed
            .regions()
            .find(|region| region.kind == RegionKind::Directory(Tree::ROOT));
        let start = root.unwrap().range.start_lba();
        placed.read_metadata(start, &mut [0; BLOCK_SIZE], &mut kept);
    }
}

#[test]
#[should_panic(expected = "the tree has changed since it was laid out")]
fn a_changed_tree_is_noticed() {
    let mut tree = tree(&["a", "b"]);
    let layout = Layout::new(&tree, &IsoOptions::default()).unwrap();
    let node = tree.lookup(b"/a").unwrap();
    tree.remove(node).unwrap();
    for number in 0..30 {
        let inode = tree.inode(tree.lookup(b"/b").unwrap());
        tree.link(Tree::ROOT, format!("c{number}").as_bytes(), inode)
            .unwrap();
    }
    let place = |_: InodeId, _: usize| Lba::ZERO;
    let placed = layout.place(&tree, Lba::new(20), &place);
    let mut all = vec![0; layout.metadata_blocks().as_usize() * BLOCK_SIZE];
    placed.read_metadata(Lba::new(20), &mut all, &mut RenderCache::default());
}
