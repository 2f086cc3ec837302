//! A small volume, byte by byte and field by field. Whatever changes on disc shows here.

mod image;

use std::fmt::Write;

use bytes::Bytes;
use image::verify::verify;
use insta::assert_snapshot;
use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_iso9660::records::{DirectoryRecord, VolumeDescriptor};
use reburn_iso9660::{IsoOptions, Joliet, VolumeDates, VolumeTexts};
use reburn_record::Record;
use reburn_tree::{Metadata, NewKind, Timestamp, Tree};

/// A file, a folder with a link in it, and a name that plain ISO 9660 cannot have.
fn volume(options: &IsoOptions) -> Vec<u8> {
    let time = Timestamp::from_seconds(951_827_415);
    let mut tree = Tree::new(Metadata::directory().modified_at(time));
    let file = Metadata::file().modified_at(time);
    let mut add = |parent, name: &str, metadata, kind| {
        tree.add(parent, name.as_bytes(), metadata, kind).unwrap()
    };
    let hello = NewKind::Bytes(Bytes::from_static(b"hello"));
    add(Tree::ROOT, "Größe.txt", file, hello);
    let directory = Metadata::directory().modified_at(time);
    let docs = add(Tree::ROOT, "docs", directory, NewKind::Directory);
    let target = NewKind::Symlink(b"../x".to_vec());
    add(docs, "up", Metadata::with_permissions(0o777), target);
    let image = image::build(&tree, options, Lba::ZERO, 3);
    verify(&image, 0);
    image
}

fn options() -> IsoOptions {
    IsoOptions {
        texts: VolumeTexts {
            volume: "My disc é".into(),
            application: "reburn: a test".into(),
            ..VolumeTexts::default()
        },
        dates: VolumeDates {
            created: Some(Timestamp::from_seconds(951_827_415)),
            ..VolumeDates::default()
        },
        ..IsoOptions::default()
    }
}

fn block(image: &[u8], number: usize) -> &[u8] {
    &image[number * BLOCK_SIZE..(number + 1) * BLOCK_SIZE]
}

/// Bytes in rows of sixteen, each with its offset; rows of zeros are left out.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (row, bytes) in bytes.chunks(16).enumerate() {
        if bytes.iter().all(|&byte| byte == 0) {
            continue;
        }
        write!(text, "{:03x} ", row * 16).unwrap();
        for byte in bytes {
            write!(text, " {byte:02x}").unwrap();
        }
        let shown = |&byte: &u8| match byte {
            b' '..=b'~' => char::from(byte),
            _ => '.',
        };
        let shown: String = bytes.iter().map(shown).collect();
        writeln!(text, "  {}", shown.trim_end()).unwrap();
    }
    text
}

#[test]
fn blocks_stand_in_this_order() {
    let image = volume(&options());
    let summary: Vec<_> = (16..image.len() / BLOCK_SIZE)
        .map(|number| {
            let block = block(&image, number);
            format!("{number} {}", block[..12].trim_ascii_end().escape_ascii())
        })
        .collect();
    assert_snapshot!(summary.join("\n"), @r#"
    16 \x01CD001\x01\x00
    17 \x02CD001\x01\x00\x00 \x00
    18 \xffCD001\x01\x00\x00\x00\x00\x00
    19 \x01\x00\x17\x00\x00\x00\x01\x00\x00\x00\x04\x00
    20 \x01\x00\x00\x00\x00\x17\x00\x01\x00\x00\x04\x00
    21 \x01\x00\x1a\x00\x00\x00\x01\x00\x00\x00\x08\x00
    22 \x01\x00\x00\x00\x00\x1a\x00\x01\x00\x00\x08\x00
    23 ~\x00\x17\x00\x00\x00\x00\x00\x00\x17\x00\x08
    24 ER\xed\x01\nT\x87\x01RRIP
    25 Z\x00\x19\x00\x00\x00\x00\x00\x00\x19\x00\x08
    26 \"\x00\x1a\x00\x00\x00\x00\x00\x00\x1a\x00\x08
    27 \"\x00\x1b\x00\x00\x00\x00\x00\x00\x1b\x00\x08
    28 hello\x00\x00\x00\x00\x00\x00\x00
    "#);
}

#[test]
fn primary_descriptor() {
    let image = volume(&options());
    let (descriptor, _) = VolumeDescriptor::view(block(&image, 16)).unwrap();
    let dump = descriptor.dump().to_string();
    let without_parts_of_dates: Vec<_> = dump
        .lines()
        .filter(|line| !line.contains("date."))
        .collect();
    assert_snapshot!(without_parts_of_dates.join("\n"), @r#"
    VolumeDescriptor (ECMA-119 8.4, 8.5)
         0    1  descriptor_type                  8.4.1     1
         1    5  standard_identifier              8.4.2     43 44 30 30 31
         6    1  version                          8.4.3     1
         7    1  volume_flags                     8.5.3     0
         8   32  system_identifier                8.4.5     ""
        40   32  volume_identifier                8.4.6     "MY_DISC__"
        72    8  unused_7                         8.4.7     00 00 00 00 00 00 00 00
        80    8  volume_space_size                8.4.8     29
        88   32  escape_sequences                 8.5.6     32 x 00
       120    4  volume_set_size                  8.4.10    1
       124    4  volume_sequence_number           8.4.11    1
       128    4  logical_block_size               8.4.12    2048
       132    8  path_table_size                  8.4.13    22
       140    4  path_table_l                     8.4.14    19
       144    4  optional_path_table_l            8.4.15    0
       148    4  path_table_m                     8.4.16    20
       152    4  optional_path_table_m            8.4.17    0
       156   34  root                             8.4.18    RootDirectoryRecord
       156   33  root.head                        9.1       DirectoryRecord
       156    1  root.head.length                 9.1.1     34
       157    1  root.head.extended_attribute_length 9.1.2     0
       158    8  root.head.extent_location        9.1.3     23
       166    8  root.head.data_length            9.1.4     2048
       174    7  root.head.date                   9.1.5     DirectoryDate
       181    1  root.head.flags                  9.1.6     02 directory
       182    1  root.head.file_unit_size         9.1.7     0
       183    1  root.head.interleave_gap         9.1.8     0
       184    4  root.head.volume_sequence_number 9.1.9     1
       188    1  root.head.identifier_length      9.1.10    1
       189    1  root.identifier                  9.1.11    0
       190  128  volume_set_identifier            8.4.19    ""
       318  128  publisher_identifier             8.4.20    ""
       446  128  data_preparer_identifier         8.4.21    ""
       574  128  application_identifier           8.4.22    "REBURN: A TEST"
       702   37  copyright_file_identifier        8.4.23    ""
       739   37  abstract_file_identifier         8.4.24    ""
       776   37  bibliographic_file_identifier    8.4.25    ""
       813   17  creation_date                    8.4.26    VolumeDate
       830   17  modification_date                8.4.27    VolumeDate
       847   17  expiration_date                  8.4.28    VolumeDate
       864   17  effective_date                   8.4.29    VolumeDate
       881    1  file_structure_version           8.4.30    1
       882    1  reserved_31                      8.4.31    0
       883  512  application_use                  8.4.32    512 x 20
      1395  653  reserved_33                      8.4.33    653 x 00
    "#);
}

#[test]
fn joliet_descriptor() {
    let image = volume(&options());
    assert_snapshot!(hex(&block(&image, 17)[..0x110]), @r#"
    000  02 43 44 30 30 31 01 00 00 20 00 20 00 20 00 20  .CD001... . . .
    010  00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20  . . . . . . . .
    020  00 20 00 20 00 20 00 20 00 4d 00 79 00 20 00 64  . . . . .M.y. .d
    030  00 69 00 73 00 63 00 20 00 e9 00 20 00 20 00 20  .i.s.c. ... . .
    040  00 20 00 20 00 20 00 20 00 00 00 00 00 00 00 00  . . . . ........
    050  1d 00 00 00 00 00 00 1d 25 2f 45 00 00 00 00 00  ........%/E.....
    070  00 00 00 00 00 00 00 00 01 00 00 01 01 00 00 01  ................
    080  00 08 08 00 1a 00 00 00 00 00 00 1a 15 00 00 00  ................
    090  00 00 00 00 00 00 00 16 00 00 00 00 22 00 1a 00  ............"...
    0a0  00 00 00 00 00 1a 00 08 00 00 00 00 08 00 64 02  ..............d.
    0b0  1d 0c 1e 0f 00 02 00 00 01 00 00 01 01 00 00 20  ...............
    0c0  00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20  . . . . . . . .
    0d0  00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20  . . . . . . . .
    0e0  00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20  . . . . . . . .
    0f0  00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20  . . . . . . . .
    100  00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20  . . . . . . . .
    "#);
}

#[test]
fn root_directory() {
    let image = volume(&options());
    assert_snapshot!(hex(block(&image, 23)), @"
    000  7e 00 17 00 00 00 00 00 00 17 00 08 00 00 00 00  ~...............
    010  08 00 64 02 1d 0c 1e 0f 00 02 00 00 01 00 00 01  ..d.............
    020  01 00 53 50 07 01 be ef 00 50 58 2c 01 ed 41 00  ..SP.....PX,..A.
    030  00 00 00 41 ed 03 00 00 00 00 00 00 03 00 00 00  ...A............
    040  00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00  ................
    050  00 00 00 00 01 54 46 0c 01 02 64 02 1d 0c 1e 0f  .....TF...d.....
    060  00 43 45 1c 01 18 00 00 00 00 00 00 18 00 00 00  .CE.............
    070  00 00 00 00 00 ed 00 00 00 00 00 00 ed 00 5a 00  ..............Z.
    080  17 00 00 00 00 00 00 17 00 08 00 00 00 00 08 00  ................
    090  64 02 1d 0c 1e 0f 00 02 00 00 01 00 00 01 01 01  d...............
    0a0  50 58 2c 01 ed 41 00 00 00 00 41 ed 03 00 00 00  PX,..A....A.....
    0b0  00 00 00 03 00 00 00 00 00 00 00 00 00 00 00 00  ................
    0c0  00 00 00 00 01 00 00 00 00 00 00 01 54 46 0c 01  ............TF..
    0d0  02 64 02 1d 0c 1e 0f 00 68 00 19 00 00 00 00 00  .d......h.......
    0e0  00 19 00 08 00 00 00 00 08 00 64 02 1d 0c 1e 0f  ..........d.....
    0f0  00 02 00 00 01 00 00 01 04 44 4f 43 53 00 50 58  .........DOCS.PX
    100  2c 01 ed 41 00 00 00 00 41 ed 02 00 00 00 00 00  ,..A....A.......
    110  00 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................
    120  00 00 03 00 00 00 00 00 00 03 54 46 0c 01 02 64  ..........TF...d
    130  02 1d 0c 1e 0f 00 4e 4d 09 01 00 64 6f 63 73 00  ......NM...docs.
    140  74 00 1c 00 00 00 00 00 00 1c 05 00 00 00 00 00  t...............
    150  00 05 64 02 1d 0c 1e 0f 00 00 00 00 01 00 00 01  ..d.............
    160  0b 47 52 5f 5f 45 2e 54 58 54 3b 31 50 58 2c 01  .GR__E.TXT;1PX,.
    170  a4 81 00 00 00 00 81 a4 01 00 00 00 00 00 00 01  ................
    190  02 00 00 00 00 00 00 02 54 46 0c 01 02 64 02 1d  ........TF...d..
    1a0  0c 1e 0f 00 4e 4d 10 01 00 47 72 c3 b6 c3 9f 65  ....NM...Gr....e
    1b0  2e 74 78 74 00 00 00 00 00 00 00 00 00 00 00 00  .txt............
    ");
    assert_snapshot!(hex(block(&image, 24)), @"
    000  45 52 ed 01 0a 54 87 01 52 52 49 50 5f 31 39 39  ER...T..RRIP_199
    010  31 41 54 48 45 20 52 4f 43 4b 20 52 49 44 47 45  1ATHE ROCK RIDGE
    020  20 49 4e 54 45 52 43 48 41 4e 47 45 20 50 52 4f   INTERCHANGE PRO
    030  54 4f 43 4f 4c 20 50 52 4f 56 49 44 45 53 20 53  TOCOL PROVIDES S
    040  55 50 50 4f 52 54 20 46 4f 52 20 50 4f 53 49 58  UPPORT FOR POSIX
    050  20 46 49 4c 45 20 53 59 53 54 45 4d 20 53 45 4d   FILE SYSTEM SEM
    060  41 4e 54 49 43 53 50 4c 45 41 53 45 20 43 4f 4e  ANTICSPLEASE CON
    070  54 41 43 54 20 44 49 53 43 20 50 55 42 4c 49 53  TACT DISC PUBLIS
    080  48 45 52 20 46 4f 52 20 53 50 45 43 49 46 49 43  HER FOR SPECIFIC
    090  41 54 49 4f 4e 20 53 4f 55 52 43 45 2e 20 20 53  ATION SOURCE.  S
    0a0  45 45 20 50 55 42 4c 49 53 48 45 52 20 49 44 45  EE PUBLISHER IDE
    0b0  4e 54 49 46 49 45 52 20 49 4e 20 50 52 49 4d 41  NTIFIER IN PRIMA
    0c0  52 59 20 56 4f 4c 55 4d 45 20 44 45 53 43 52 49  RY VOLUME DESCRI
    0d0  50 54 4f 52 20 46 4f 52 20 43 4f 4e 54 41 43 54  PTOR FOR CONTACT
    0e0  20 49 4e 46 4f 52 4d 41 54 49 4f 4e 2e 00 00 00   INFORMATION....
    ");
}

#[test]
fn directory_with_a_link() {
    let image = volume(&options());
    assert_snapshot!(hex(block(&image, 25)), @"
    000  5a 00 19 00 00 00 00 00 00 19 00 08 00 00 00 00  Z...............
    010  08 00 64 02 1d 0c 1e 0f 00 02 00 00 01 00 00 01  ..d.............
    020  01 00 50 58 2c 01 ed 41 00 00 00 00 41 ed 02 00  ..PX,..A....A...
    030  00 00 00 00 00 02 00 00 00 00 00 00 00 00 00 00  ................
    040  00 00 00 00 00 00 03 00 00 00 00 00 00 03 54 46  ..............TF
    050  0c 01 02 64 02 1d 0c 1e 0f 00 5a 00 17 00 00 00  ...d......Z.....
    060  00 00 00 17 00 08 00 00 00 00 08 00 64 02 1d 0c  ............d...
    070  1e 0f 00 02 00 00 01 00 00 01 01 01 50 58 2c 01  ............PX,.
    080  ed 41 00 00 00 00 41 ed 03 00 00 00 00 00 00 03  .A....A.........
    0a0  01 00 00 00 00 00 00 01 54 46 0c 01 02 64 02 1d  ........TF...d..
    0b0  0c 1e 0f 00 70 00 00 00 00 00 00 00 00 00 00 00  ....p...........
    0c0  00 00 00 00 00 00 46 01 01 00 00 00 00 00 00 00  ......F.........
    0d0  01 00 00 01 05 55 50 2e 3b 31 50 58 2c 01 ff a1  .....UP.;1PX,...
    0e0  00 00 00 00 a1 ff 01 00 00 00 00 00 00 01 00 00  ................
    0f0  00 00 00 00 00 00 00 00 00 00 00 00 00 00 04 00  ................
    100  00 00 00 00 00 04 54 46 0c 01 02 46 01 01 00 00  ......TF...F....
    110  00 00 4e 4d 07 01 00 75 70 53 4c 0a 01 00 04 00  ..NM...upSL.....
    120  00 01 78 00 00 00 00 00 00 00 00 00 00 00 00 00  ..x.............
    ");
}

#[test]
fn joliet_root_directory() {
    let image = volume(&options());
    assert_snapshot!(hex(block(&image, 26)), @r#"
    000  22 00 1a 00 00 00 00 00 00 1a 00 08 00 00 00 00  "...............
    010  08 00 64 02 1d 0c 1e 0f 00 02 00 00 01 00 00 01  ..d.............
    020  01 00 22 00 1a 00 00 00 00 00 00 1a 00 08 00 00  ..".............
    030  00 00 08 00 64 02 1d 0c 1e 0f 00 02 00 00 01 00  ....d...........
    040  00 01 01 01 34 00 1c 00 00 00 00 00 00 1c 05 00  ....4...........
    050  00 00 00 00 00 05 64 02 1d 0c 1e 0f 00 00 00 00  ......d.........
    060  01 00 00 01 12 00 47 00 72 00 f6 00 df 00 65 00  ......G.r.....e.
    070  2e 00 74 00 78 00 74 00 2a 00 1b 00 00 00 00 00  ..t.x.t.*.......
    080  00 1b 00 08 00 00 00 00 08 00 64 02 1d 0c 1e 0f  ..........d.....
    090  00 02 00 00 01 00 00 01 08 00 64 00 6f 00 63 00  ..........d.o.c.
    0a0  73 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  s...............
    "#);
}

#[test]
fn path_tables() {
    let image = volume(&options());
    let tables: String = (19..23).map(|number| hex(block(&image, number))).collect();
    assert_snapshot!(tables, @"
    000  01 00 17 00 00 00 01 00 00 00 04 00 19 00 00 00  ................
    010  01 00 44 4f 43 53 00 00 00 00 00 00 00 00 00 00  ..DOCS..........
    000  01 00 00 00 00 17 00 01 00 00 04 00 00 00 00 19  ................
    010  00 01 44 4f 43 53 00 00 00 00 00 00 00 00 00 00  ..DOCS..........
    000  01 00 1a 00 00 00 01 00 00 00 08 00 1b 00 00 00  ................
    010  01 00 00 64 00 6f 00 63 00 73 00 00 00 00 00 00  ...d.o.c.s......
    000  01 00 00 00 00 1a 00 01 00 00 08 00 00 00 00 1b  ................
    010  00 01 00 64 00 6f 00 63 00 73 00 00 00 00 00 00  ...d.o.c.s......
    ");
}

#[test]
fn plain_records_have_no_system_use() {
    let image = volume(&IsoOptions {
        joliet: Joliet::Off,
        rock_ridge: false,
        ..options()
    });
    assert_snapshot!(hex(block(&image, 20)), @r#"
    000  22 00 14 00 00 00 00 00 00 14 00 08 00 00 00 00  "...............
    010  08 00 64 02 1d 0c 1e 0f 00 02 00 00 01 00 00 01  ..d.............
    020  01 00 22 00 14 00 00 00 00 00 00 14 00 08 00 00  ..".............
    030  00 00 08 00 64 02 1d 0c 1e 0f 00 02 00 00 01 00  ....d...........
    040  00 01 01 01 26 00 15 00 00 00 00 00 00 15 00 08  ....&...........
    050  00 00 00 00 08 00 64 02 1d 0c 1e 0f 00 02 00 00  ......d.........
    060  01 00 00 01 04 44 4f 43 53 00 2c 00 16 00 00 00  .....DOCS.,.....
    070  00 00 00 16 05 00 00 00 00 00 00 05 64 02 1d 0c  ............d...
    080  1e 0f 00 00 00 00 01 00 00 01 0b 47 52 5f 5f 45  ...........GR__E
    090  2e 54 58 54 3b 31 00 00 00 00 00 00 00 00 00 00  .TXT;1..........
    "#);
    let (record, _) = DirectoryRecord::view(&block(&image, 20)[68..]).unwrap();
    assert_snapshot!(record.dump().at(68), @"
    DirectoryRecord (ECMA-119 9.1)
        68    1  length                           9.1.1     38
        69    1  extended_attribute_length        9.1.2     0
        70    8  extent_location                  9.1.3     21
        78    8  data_length                      9.1.4     2048
        86    7  date                             9.1.5     DirectoryDate
        86    1  date.years_since_1900            9.1.5     100
        87    1  date.month                       9.1.5     2
        88    1  date.day                         9.1.5     29
        89    1  date.hour                        9.1.5     12
        90    1  date.minute                      9.1.5     30
        91    1  date.second                      9.1.5     15
        92    1  date.zone                        9.1.5     0
        93    1  flags                            9.1.6     02 directory
        94    1  file_unit_size                   9.1.7     0
        95    1  interleave_gap                   9.1.8     0
        96    4  volume_sequence_number           9.1.9     1
       100    1  identifier_length                9.1.10    4
    ");
}
