//! The order of a DVD-Video: films first, where their information files say.

use reburn_blocks::{BLOCK_SIZE, BlockRead, Lba};
use reburn_image::{FileSystemImage, FileSystems, ImageError, Medium, UdfRevision};
use reburn_image::{new_udf_volume, new_volume};
use reburn_tree::{Metadata, NewKind, Timestamp};
use reburn_udf::{Session, Volume};

const TIME: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// An IFO of so many sectors that says: last sector of the set, start of menu and titles.
fn ifo(kind: &[u8], sectors: u32, last: u32, menu: u32, titles: u32) -> NewKind {
    let mut bytes = vec![0; sectors as usize * BLOCK_SIZE];
    bytes[..12].copy_from_slice(kind);
    for (at, number) in [
        (0x0c, last),
        (0x1c, sectors - 1),
        (0xc0, menu),
        (0xc4, titles),
    ] {
        bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
    }
    NewKind::Bytes(bytes.into())
}

fn sectors(count: usize) -> NewKind {
    NewKind::Bytes(vec![7; count * BLOCK_SIZE].into())
}

/// A manager with a menu, and a title set with a gap before its titles.
fn films() -> Vec<(&'static str, NewKind)> {
    vec![
        ("VIDEO_TS.BUP", sectors(2)),
        ("VIDEO_TS.IFO", ifo(b"DVDVIDEO-VMG", 2, 8, 2, 0)),
        ("VIDEO_TS.VOB", sectors(5)),
        ("VTS_01_0.BUP", sectors(1)),
        ("VTS_01_0.IFO", ifo(b"DVDVIDEO-VTS", 1, 60, 0, 16)),
        ("VTS_01_1.VOB", sectors(30)),
        ("VTS_01_2.VOB", sectors(10)),
    ]
}

fn image(films: Vec<(&'static str, NewKind)>) -> FileSystemImage<'static> {
    let udf = new_udf_volume("FILM", UdfRevision::V1_02, TIME);
    let systems = FileSystems::DvdVideo(new_volume("FILM", TIME), udf);
    let mut image = FileSystemImage::new(Medium::File, systems, TIME);
    let mut add = |path: String, kind| {
        image.add(path.as_bytes(), Metadata::file(), kind).unwrap();
    };
    add("/AUDIO_TS".into(), NewKind::Directory);
    add("/A_README.TXT".into(), sectors(1));
    add("/VIDEO_TS".into(), NewKind::Directory);
    for (name, kind) in films {
        add(format!("/VIDEO_TS/{name}"), kind);
    }
    image
}

#[test]
fn films_stand_where_their_information_says() {
    let image = image(films());
    let result = image.result().unwrap();
    let mut disc = vec![0; result.total_blocks().as_usize() * BLOCK_SIZE];
    result.read_blocks(Lba::ZERO, &mut disc).unwrap();
    let volume = Volume::open(&disc, Session::default()).unwrap();
    let read = volume.read_tree(&disc).unwrap();
    assert_eq!(read.notes, []);
    let start = |name: &str| {
        let node = read.tree.lookup(name.as_bytes()).unwrap();
        let reburn_tree::Kind::File {
            content: reburn_tree::Content::Base([extent]),
            ..
        } = read.tree.kind(read.tree.inode(node))
        else {
            panic!("{name} is not one extent")
        };
        extent.start().unwrap().get()
    };
    let first = start("/VIDEO_TS/VIDEO_TS.IFO");
    let offsets: Vec<_> = [
        "VIDEO_TS.VOB",
        "VIDEO_TS.BUP",
        "VTS_01_0.IFO",
        "VTS_01_1.VOB",
        "VTS_01_2.VOB",
        "VTS_01_0.BUP",
    ]
    .map(|name| start(&format!("/VIDEO_TS/{name}")) - first)
    .into();
    assert_eq!(offsets, [2, 7, 9, 25, 55, 69]);
    assert_eq!(start("/A_README.TXT") - first, 70);
    // ISO 9660 says the same.
    let iso = reburn_iso9660::Volume::open(&disc, Lba::ZERO).unwrap();
    let files = iso.read_tree(&disc, iso.best()).unwrap().tree;
    let node = files.lookup(b"/VIDEO_TS/VTS_01_0.BUP").unwrap();
    let reburn_tree::Kind::File {
        content: reburn_tree::Content::Base([extent]),
        ..
    } = files.kind(files.inode(node))
    else {
        panic!("not one extent")
    };
    assert_eq!(extent.start().unwrap().get(), first + 69);
}

#[test]
fn folders_that_are_no_film_are_refused() {
    let refused = |films| match image(films).result() {
        Err(ImageError::NotDvdVideo { path, reason }) => format!("{path}: {reason}"),
        other => panic!("{other:?}"),
    };
    let without = |name: &str| {
        let mut films = films();
        films.retain(|(known, _)| *known != name);
        films
    };
    assert!(refused(without("VTS_01_0.IFO")).contains("VTS_01_0.IFO: it is missing"));
    let with = |name, kind| {
        let mut films = without(name);
        films.push((name, kind));
        films
    };
    assert!(refused(with("notes.txt", sectors(1))).contains("notes.txt: only VIDEO_TS.IFO"));
    assert!(refused(with("VTS_01_3.IFO", sectors(1))).contains("only VOB files have parts"));
    let crowded = with("VIDEO_TS.VOB", sectors(6));
    assert!(refused(crowded).contains("VIDEO_TS.BUP: the IFO wants it at its sector 7"));
    let not_one = with("VTS_01_0.IFO", sectors(1));
    assert!(refused(not_one).contains("no information file"));
}
