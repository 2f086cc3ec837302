//! Golden bytes of every feature.

use super::*;

#[track_caller]
fn check(feature: &Feature, data: &[u8]) {
    assert_eq!(feature.encode(), data, "{feature:?}");
    assert_eq!(Feature::decode(feature.code(), data).as_ref(), Ok(feature));
}

#[test]
fn golden_bytes_of_what_a_drive_is() {
    check(
        &Feature::Core {
            interface: 7,
            inquiry_pages: true,
        },
        &[0, 0, 0, 7, 2, 0, 0, 0],
    );
    check(
        &Feature::Morphing {
            operational_change: true,
        },
        &[2, 0, 0, 0],
    );
    check(
        &Feature::RemovableMedium {
            mechanism: 1,
            load: true,
            eject: true,
            lock: true,
        },
        &[0x39, 0, 0, 0],
    );
    let protection = WriteProtection {
        physical: true,
        persistent: true,
        ..WriteProtection::default()
    };
    check(&Feature::WriteProtect(protection), &[0x0a, 0, 0, 0]);
    check(&Feature::PowerManagement, &[]);
    check(&Feature::Timeout { group_3_unit: None }, &[]);
    let slow = Feature::Timeout {
        group_3_unit: Some(0x0102),
    };
    check(&slow, &[1, 0, 1, 2]);
    check(
        &Feature::RealTimeStreaming(StreamingSupport {
            stream_writing: true,
            write_speeds: true,
            write_speeds_in_page_2a: true,
            set_cd_speed: true,
            buffer_capacity_in_blocks: false,
        }),
        &[0x0f, 0, 0, 0],
    );
    check(&Feature::SerialNumber(b"12345678".to_vec()), b"12345678");
    let blocks = Feature::DiscControlBlocks(vec![0x4644_4300, 0x0102_0304]);
    check(&blocks, &[0x46, 0x44, 0x43, 0, 1, 2, 3, 4]);
    let date = *b"20090318101500\0\0";
    check(&Feature::FirmwareDate(date), &date);
}

#[test]
fn golden_bytes_of_blocks() {
    let readable = Feature::random_readable(WriteUnit::DVD);
    check(&readable, &[0, 0, 8, 0, 0, 16, 1, 0]);
    let once = Feature::WriteOnce {
        block_size: 2048,
        blocking: WriteUnit::BLU_RAY,
        error_recovery_page: false,
    };
    check(&once, &[0, 0, 8, 0, 0, 32, 0, 0]);
    let streaming = IncrementalStreaming {
        data_types: 0x2100,
        counts_tracks: true,
        splits_tracks: false,
        underrun_protection: true,
        link_sizes: vec![7, 16],
    };
    check(
        &Feature::IncrementalStreaming(streaming),
        &[0x21, 0, 5, 2, 7, 16],
    );
    let ways = FormattableWays {
        spare_areas: true,
        certification: true,
        ..FormattableWays::default()
    };
    check(&Feature::Formattable(ways), &[9, 0, 0, 0, 0, 0, 0, 0]);
    let bd_r = FormattableWays {
        random_recording: true,
        ..FormattableWays::default()
    };
    check(&Feature::Formattable(bd_r), &[0, 0, 0, 0, 1, 0, 0, 0]);
    check(
        &Feature::DefectManagement {
            spare_area_information: true,
        },
        &[0x80, 0, 0, 0],
    );
    check(&Feature::RestrictedOverwrite, &[]);
}

#[test]
fn golden_bytes_of_cds() {
    check(&Feature::MultiRead, &[]);
    let reading = CdReading {
        c2_errors: true,
        cd_text: true,
        ..CdReading::default()
    };
    check(&Feature::CdRead(reading), &[3, 0, 0, 0]);
    let at_once = Feature::CdTrackAtOnce {
        writing: CdTrackWriting {
            underrun_protection: true,
            test_write: true,
            rewritable: true,
            ..CdTrackWriting::default()
        },
        data_types: 0x0102,
    };
    check(&at_once, &[0x46, 0, 1, 2]);
    let mastering = Feature::CdMastering {
        writing: CdSessionWriting {
            underrun_protection: true,
            session_at_once: true,
            ..CdSessionWriting::default()
        },
        cue_sheet_max: 0x0001_0203,
    };
    check(&mastering, &[0x60, 1, 2, 3]);
    check(&Feature::CdRwMediaWrite(5), &[0, 5, 0, 0]);
    let mount_rainier = MountRainier {
        write: true,
        ..MountRainier::default()
    };
    check(&Feature::MountRainier(mount_rainier), &[1, 0, 0, 0]);
}

#[test]
fn golden_bytes_of_dvds() {
    let reading = Feature::DvdRead {
        multi_110: true,
        dual_layer_rw: false,
        dual_layer_r: true,
    };
    check(&reading, &[1, 0, 1, 0]);
    let (write, quick_start, close_only) = (true, true, false);
    let single = Feature::DvdPlusRw {
        write,
        quick_start,
        close_only,
    };
    check(&single, &[1, 2, 0, 0]);
    let dual = Feature::DvdPlusRwDualLayer {
        write,
        quick_start,
        close_only,
    };
    check(&dual, &[1, 2, 0, 0]);
    check(&Feature::DvdPlusR { write }, &[1, 0, 0, 0]);
    check(&Feature::DvdPlusRDualLayer { write }, &[1, 0, 0, 0]);
    let rigid = RigidOverwriting {
        intermediate: true,
        blank: true,
        ..RigidOverwriting::default()
    };
    check(&Feature::RigidRestrictedOverwrite(rigid), &[3, 0, 0, 0]);
    let minus = DvdMinusWriting {
        underrun_protection: true,
        dual_layer: true,
        test_write: true,
        rewritable: true,
    };
    check(&Feature::DvdMinusWrite(minus), &[0x4e, 0, 0, 0]);
    check(&Feature::LayerJump(vec![16]), &[0, 0, 0, 1, 16]);
}

#[test]
fn golden_bytes_of_blu_ray() {
    check(&Feature::BdPseudoOverwrite, &[0, 0, 0, 0]);
    let re = [0, 0x000c, 0, 0];
    let mut reads = [0; 28];
    reads[7] = 0x0c;
    let readable = BdReadClasses {
        re,
        ..BdReadClasses::default()
    };
    check(&Feature::BdRead(readable), &reads);
    let writable = BdWriteClasses {
        unverified: true,
        re,
        r: [1, 0, 0, 2],
    };
    let mut writes = [0; 20];
    (writes[0], writes[7], writes[13], writes[19]) = (1, 0x0c, 1, 2);
    check(&Feature::BdWrite(writable), &writes);
}

#[test]
fn an_address_without_a_block_is_refused() {
    assert_eq!(Feature::decode(0x0020, &[0xff; 12]), Err(u32::MAX));
}

/// Counts that reach past the data give what is there.
#[test]
fn link_sizes_end_with_the_data() {
    let feature = Feature::decode(0x0021, &[0, 0, 0, 200, 7, 16]);
    let Ok(Feature::IncrementalStreaming(streaming)) = feature else {
        panic!("{feature:?}");
    };
    assert_eq!(streaming.link_sizes, [7, 16]);
}
