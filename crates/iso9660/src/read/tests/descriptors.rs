//! Volume descriptors, the trees they lead to, and other formats on the same disc.

use insta::assert_snapshot;
use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_record::{Both16, Both32, Record, Text};

use crate::IsoError;
use crate::read::fixture::{Fixture, Row, show, wrap};
use crate::read::{Hierarchy, Nsr, Volume};
use crate::records::{BootRecord, STANDARD_IDENTIFIER};

/// UCS-2, big-endian.
fn ucs2(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

#[test]
fn joliet_and_enhanced_trees_can_be_chosen() {
    let plain = [Row::file(b"A.;1", 30, 5)];
    let name = ucs2("Ünï.txt;1");
    let joliet = Fixture::new(&plain)
        .supplementary(22, |descriptor| {
            descriptor.escape_sequences[..3].copy_from_slice(b"%/E");
            descriptor.volume_identifier = Text::from_raw(
                [ucs2("Dïsc"), ucs2(" ").repeat(12)]
                    .concat()
                    .try_into()
                    .unwrap(),
            );
        })
        .directory(22, 22, &[Row::file(&name, 31, 6)]);
    let volume = joliet.open().unwrap();
    assert_eq!(volume.hierarchies(), [Hierarchy::Joliet, Hierarchy::Plain]);
    assert_eq!(volume.best(), Hierarchy::Joliet);
    let identifier = volume.volume_identifier(Hierarchy::Joliet);
    assert_eq!(identifier.as_deref(), Some("Dïsc"));
    let read = joliet.read(Hierarchy::Joliet).unwrap();
    assert!(read.tree.lookup("/Ünï.txt".as_bytes()).is_some());
    assert_eq!(read.data_ranges.to_string(), "30-31", "of both trees");
    assert_eq!(read.metadata_ranges.to_string(), "16-18 20 22");
    assert_eq!(show(&joliet.read(Hierarchy::Plain).unwrap()), "/A 30+5");
    let error = joliet.read(Hierarchy::RockRidge).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the volume has no Rock Ridge tree; choose one that it has"
    );

    let enhanced = Fixture::new(&plain)
        .supplementary(22, |descriptor| descriptor.version = 2)
        .directory(22, 22, &[Row::file(b"long name;1", 30, 5)]);
    assert_eq!(enhanced.show(), "/long name;1 30+5");
}

#[test]
fn damage_in_another_tree_matters_only_to_writers() {
    let volume = Fixture::new(&[]).supplementary(9999, |descriptor| {
        descriptor.escape_sequences[..3].copy_from_slice(b"%/@");
    });
    let read = volume.read(Hierarchy::Plain);
    assert!(matches!(read, Err(IsoError::Corrupt { .. })), "{read:?}");
    let opened = volume.open().unwrap();
    let read = opened.read_hierarchy(&volume.disc, Hierarchy::Plain);
    assert_eq!(read.unwrap().metadata_ranges.to_string(), "16-18 20");
}

#[test]
fn boot_catalog_and_udf_are_noticed() {
    let mut boot = BootRecord::zeroed();
    boot.standard_identifier = STANDARD_IDENTIFIER;
    boot.version = 1;
    let mut system = [0; 32];
    system[..23].copy_from_slice(BootRecord::EL_TORITO);
    boot.boot_system_identifier = Text::from_raw(system);
    boot.boot_catalog.set(40);
    let mut catalog = [0; 64];
    catalog[0] = 1;
    catalog[30..34].copy_from_slice(&[0x55, 0xaa, 0x88, 0]);
    catalog[38] = 8;
    catalog[40] = 50;
    let mut volume = Fixture::new(&[]).with(17, boot.bytes()).with(40, &catalog);
    for (block, identifier) in [(19, b"\0BEA01"), (20, b"\0NSR03"), (21, b"\0TEA01")] {
        volume.put(block, identifier);
    }
    let root = Row::directory(&[0], 24).head;
    let volume = volume
        .primary(|descriptor| descriptor.root.head = root)
        .directory(24, 24, &[]);
    let opened = volume.open().unwrap();
    assert_eq!(opened.boot_catalog(), Some(Lba::new(40)));
    assert_eq!(opened.udf(), Some(Nsr::Nsr03));
    assert_eq!(opened.descriptor_blocks().to_string(), "16-18");
    let read = volume.read(Hierarchy::Plain).unwrap();
    assert_eq!(read.metadata_ranges.to_string(), "16-18 24 40");
    assert_eq!(read.data_ranges.to_string(), "50-63", "length unknown");
    let listed = volume.directory(24, 24, &[Row::file(b"BOOT.;1", 50, 9000)]);
    let read = listed.read(Hierarchy::Plain).unwrap();
    assert_eq!(read.data_ranges.to_string(), "50-54");
    let followed = listed.directory(24, 24, &[Row::file(b"NEXT.;1", 55, 1)]);
    let read = followed.read(Hierarchy::Plain).unwrap();
    assert_eq!(read.data_ranges.to_string(), "50-55");
}

#[test]
fn path_tables_are_in_use() {
    let volume = Fixture::new(&[]).primary(|descriptor| {
        descriptor.path_table_size = Both32::new(2049);
        descriptor.path_table_l.set(30);
        descriptor.path_table_m.set(40);
        descriptor.optional_path_table_m.set(63);
    });
    let read = volume.read(Hierarchy::Plain).unwrap();
    assert_eq!(read.metadata_ranges.to_string(), "16-17 20 30-31 40-41");
    assert_eq!(show(&read), "note: PastEnd x 1");
}

#[test]
fn other_formats_are_told_apart() {
    let open = |disc: &[u8], start| {
        let disc = disc.to_vec();
        let error = Volume::open(&disc, Lba::new(start)).unwrap_err();
        error.to_string()
    };
    let blank = vec![0; 40 * BLOCK_SIZE];
    assert_snapshot!(wrap(&open(&blank, 0)), @"
    block 16, byte 1 (VolumeDescriptorHead.standard_identifier, ECMA-119 8.1.2): no
    ISO 9660 volume descriptor is here; if the disc has several sessions, name the
    start of another one
    ");
    assert_eq!(
        open(&blank, 4).split(':').next(),
        open(&blank, 4).split(':').next()
    );
    assert!(
        open(&blank[..BLOCK_SIZE], 0).contains("no ISO 9660"),
        "too short"
    );
    assert!(
        open(&blank, u32::MAX - 3).contains("no ISO 9660"),
        "no such block"
    );
    let mut high_sierra = blank.clone();
    high_sierra[16 * BLOCK_SIZE + 9..][..5].copy_from_slice(b"CDROM");
    assert!(open(&high_sierra, 0).contains("High Sierra"));
    let small = Fixture::new(&[]).primary(|d| d.logical_block_size = Both16::new(512));
    assert_snapshot!(small.show(), @"
    block 16, byte 128 (VolumeDescriptor.logical_block_size, ECMA-119 8.4.12):
    logical blocks of 512 bytes are not supported, only of 2048
    ");
    let terminator = Fixture::new(&[]).disc[17 * BLOCK_SIZE..18 * BLOCK_SIZE].to_vec();
    let headless = Fixture::new(&[]).with(16, &terminator);
    assert_snapshot!(headless.show(), @"
    block 16, byte 0 (VolumeDescriptorHead.descriptor_type, ECMA-119 8.1.1): the
    descriptors from here on have no primary volume descriptor among them
    ");
}
