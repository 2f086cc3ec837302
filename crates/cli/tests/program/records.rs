//! `show --records` and `--block`: what a person sees of the records of a disc.

use insta::assert_snapshot;
use serde_json::Value;

use crate::place::Place;

/// Where the primary volume descriptor is, in bytes.
const DESCRIPTOR: usize = 16 * 2048;

/// Times of files are those of the test, so only the lines without any are compared.
fn without_times(text: &str) -> String {
    let is_timeless = |line: &&str| !line.contains(" +00:00");
    let lines: Vec<_> = text.lines().filter(is_timeless).collect();
    lines.join("\n")
}

#[test]
fn a_file_is_shown_field_by_field() {
    let place = Place::new();
    let shown = place.ok(&["show", "disc.iso", "/sub/two.bin", "--records"]);
    let shown = without_times(&shown);
    let lines: Vec<_> = shown
        .lines()
        .filter(|line| !line.contains(" PX "))
        .collect();
    let shown = lines.join("\n");
    assert_snapshot!(shown, @r#"
    block 57, byte 180: Directory record, "TWO.BIN;1" [ECMA-119 9.1]
         0     1  length                         9.1.1      110
         1     1  extended_attribute_length      9.1.2      0
         2     8  extent_location                9.1.3      61
        10     8  data_length                    9.1.4      5000
        25     1  flags                          9.1.6      00
        26     1  file_unit_size                 9.1.7      0
        27     1  interleave_gap                 9.1.8      0
        28     4  volume_sequence_number         9.1.9      1
        32     1  identifier_length              9.1.10     9
        33     9  identifier                     9.1.11     "TWO.BIN;1"
        98    12  NM                             RRIP 4.1.4 "two.bin"
    "#);
    let plain = [
        "show",
        "disc.iso",
        "/SUB/TWO.BIN",
        "--records",
        "--tree",
        "plain",
    ];
    assert!(place.ok(&plain).contains("identifier"));
}

#[test]
fn a_volume_is_shown_from_its_descriptors_on() {
    let place = Place::new();
    let shown = place.ok(&["show", "disc.iso", "--records"]);
    let headings: Vec<_> = shown
        .lines()
        .filter(|line| line.starts_with("block"))
        .collect();
    assert_snapshot!(headings.join("\n"), @"
    block 16: Primary volume descriptor [ECMA-119 8.4, 8.5]
    block 17: Supplementary volume descriptor, Joliet level 3 [ECMA-119 8.4, 8.5]
    block 18: Volume descriptor set terminator [ECMA-119 8.1]
    block 51: Path table, type L [ECMA-119 9.4, 6.9.2]
    block 52: Path table, type M [ECMA-119 9.4, 6.9.2]
    block 53: Path table, type L [ECMA-119 9.4, 6.9.2]
    block 54: Path table, type M [ECMA-119 9.4, 6.9.2]
    ");
}

#[test]
fn every_record_is_an_object() {
    let place = Place::new();
    let shown = place.ok(&["show", "disc.iso", "--records", "--json"]);
    let objects: Vec<Value> = shown
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let first = &objects[0];
    assert_eq!(first["block"], 16);
    assert_eq!(first["record"], "VolumeDescriptor");
    let fields = first["fields"].as_array().unwrap();
    let size = fields
        .iter()
        .find(|field| field["name"] == "volume_space_size");
    assert_snapshot!(size.unwrap(), @r#"{"clause":"ECMA-119 8.4.8","depth":0,"length":8,"meaning":"","name":"volume_space_size","offset":80,"value":"64"}"#);
    // What text folds into one line is there with its fields.
    let parts = fields.iter().filter(|field| field["name"] == "hundredths");
    assert_eq!(parts.count(), 4);
}

#[test]
fn a_block_says_what_it_is() {
    let place = Place::new();
    let shown = place.ok(&["show", "disc.iso", "--block", "17"]);
    assert!(shown.starts_with("block 17: Supplementary volume descriptor, Joliet level 3"));
    let nothing = place.ok(&["show", "disc.iso", "--block", "3"]);
    assert_snapshot!(nothing, @"block 3: Nothing but zeros");
    let (code, said) = place.fails(&["show", "disc.iso", "--block", "99999"]);
    assert_eq!(code, 2);
    assert!(said.ends_with("blocks, counted from 0"), "{said}");
}

/// Damage that keeps readers from the volume does not keep its records from being shown.
#[test]
fn what_no_reader_takes_is_shown() {
    let place = Place::new();
    let mut disc = place.read("disc.iso");
    // Logical blocks of 1 byte.
    disc[DESCRIPTOR + 128..DESCRIPTOR + 132].copy_from_slice(&[1, 0, 0, 8]);
    place.write("bad.iso", &disc);
    let (code, _) = place.fails(&["show", "bad.iso"]);
    assert_eq!(code, 2);
    let shown = place.ok(&["show", "bad.iso", "--records"]);
    let noted: Vec<_> = shown.lines().filter(|line| line.contains(" !  ")).collect();
    assert_snapshot!(noted.join("\n"), @"     !  logical_block_size: the two halves differ (ECMA-119 7.3.3)");
    let (code, said) = place.fails(&["show", "bad.iso", "/", "--records"]);
    assert_eq!(code, 2);
    assert!(
        said.contains("the root directory cannot be found"),
        "{said}"
    );
}

#[test]
fn paths_and_discs_that_are_not_there() {
    let place = Place::new();
    let (code, said) = place.fails(&["show", "disc.iso", "/sub/three", "--records"]);
    assert_eq!((code, said.as_str()), (2, "disc.iso: /sub has no three"));
    place.write("noise", &vec![0xa5; 100_000]);
    let (code, said) = place.fails(&["show", "noise", "--records"]);
    assert_eq!(code, 2);
    assert!(said.contains("`reburn show noise --block N`"), "{said}");
}
