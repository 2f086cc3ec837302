//! Sessions over real connections, from login to their end.

mod initiator;

use proptest::prelude::*;
use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_mmc::command::{PreventAllow, Read10, StartStop, StartStopUnit, TestUnitReady, Write10};
use reburn_mmc::{Sense, SenseKey};
use zerocopy::byteorder::big_endian::U32;

use self::initiator::{Initiator, NAME, Served};
use super::header::{
    self, FINAL, IMMEDIATE, LogoutRequest, LogoutResponse, NO_TAG, NopIn, NopOut, ReadyToTransfer,
    Reject, ScsiResponse, TaskManagement, TaskManagementResponse, TextRequest,
};
use super::wire::Digests;

const RESET: Sense = Sense::new(SenseKey::UnitAttention, 0x29, 0x03);

fn write(lba: u32, blocks: u16) -> Write10 {
    Write10 {
        address: Lba::new(lba).into(),
        blocks,
        force_unit_access: false,
    }
}

fn read(lba: u32, blocks: u16) -> Read10 {
    Read10 {
        lba: Lba::new(lba),
        blocks,
        force_unit_access: false,
    }
}

/// Bytes that differ from block to block.
fn pattern(blocks: usize, seed: u8) -> Vec<u8> {
    let byte = |at: usize| (at / 97 + at / BLOCK_SIZE).to_le_bytes()[0] ^ seed;
    (0..blocks * BLOCK_SIZE).map(byte).collect()
}

fn manage(initiator: &mut Initiator, function: u8, referenced: U32) {
    let request = TaskManagement {
        opcode: TaskManagement::OPCODE | IMMEDIATE,
        function: FINAL | function,
        task_tag: initiator.tag(),
        referenced_tag: referenced,
        cmd_sn: U32::new(initiator.cmd_sn),
        ..TaskManagement::empty()
    };
    initiator.send(request, &[]);
}

/// The code of the response to a request about commands.
fn managed(initiator: &mut Initiator) -> u8 {
    let pdu = initiator.receive();
    let response = TaskManagementResponse::of(&pdu.header);
    assert_eq!(response.opcode, TaskManagementResponse::OPCODE);
    response.response
}

#[test]
fn data_go_and_come_in_every_way_that_can_be_agreed_on() {
    let served = Served::new();
    let all = "HeaderDigest=CRC32C DataDigest=CRC32C MaxRecvDataSegmentLength=4096";
    let ways = [
        ("", 0, 0),
        ("MaxBurstLength=8192", 0, 0),
        ("InitialR2T=Yes FirstBurstLength=4096", 4096, 0),
        ("InitialR2T=No FirstBurstLength=20480", 0, 20480),
        (all, 512, 0),
        (
            "HeaderDigest=CRC32C InitialR2T=No MaxBurstLength=65536",
            2048,
            65536,
        ),
    ];
    for (number, (keys, immediate, unsolicited)) in (0..).zip(ways) {
        let mut initiator = served.session(number, keys);
        initiator.immediate = immediate;
        initiator.unsolicited = unsolicited;
        initiator.segment = 3000;
        let data = pattern(100, number);
        let wrote = initiator.command(write(7, 100), &data, 0);
        assert_eq!((wrote.sense, wrote.residual), (None, 0), "{keys}");
        let got = initiator.command(read(7, 100), &[], data.len());
        assert_eq!((got.sense, got.residual), (None, 0), "{keys}");
        assert!(got.data == data, "{keys}");
    }
}

#[test]
fn what_is_not_as_long_as_expected_is_counted() {
    let served = Served::new();
    let mut host = served.session(1, "");
    let got = host.command(read(0, 1), &[], 10_000);
    assert_eq!((got.data.len(), got.residual), (2048, 2048 - 10_000));
    let got = host.command(read(0, 2), &[], 2048);
    assert_eq!((got.data.len(), got.residual), (2048, 2048));
    let got = host.command(read(0, 1), &[], 0);
    assert_eq!((got.data.len(), got.residual, got.sense), (0, 2048, None));
    let wrote = host.command(write(0, 1), &pattern(2, 1), 0);
    assert_eq!((wrote.residual, wrote.sense), (-2048, None));
    let wrote = host.command(write(0, 2), &pattern(1, 2), 0);
    assert_eq!(
        (wrote.residual, wrote.sense),
        (2048, Some(Sense::INVALID_FIELD_IN_CDB))
    );
    let refused = host.command(read(u32::MAX - 9, 1), &[], 2048);
    assert_eq!(
        (refused.residual, refused.sense),
        (-2048, Some(Sense::LBA_OUT_OF_RANGE))
    );
    let got = host.command(read(0, 1), &[], 2048);
    assert!(got.data == pattern(1, 1), "half a write changes nothing");
    let wrong_way = host.command(read(0, 1), &pattern(1, 3), 0);
    assert_eq!(wrong_way.sense, Some(Sense::INVALID_FIELD_IN_CDB));
}

#[test]
fn a_lost_connection_leaves_neither_half_a_write_nor_a_locked_tray() {
    let served = Served::new();
    let mut lost = served.session(1, "");
    let mut other = served.session(2, "");
    let lock = PreventAllow {
        prevent: true,
        persistent: false,
    };
    let eject = StartStopUnit {
        immediate: false,
        action: StartStop::Eject,
    };
    assert_eq!(lost.command(lock, &[], 0).sense, None);
    assert_eq!(
        other.command(eject, &[], 0).sense,
        Some(Sense::REMOVAL_PREVENTED)
    );
    let header = lost.header(write(0, 32), 32 * BLOCK_SIZE, 0);
    lost.send(header, &pattern(1, 9));
    let ready = lost.receive();
    assert_eq!(
        ReadyToTransfer::of(&ready.header).desired_length.get(),
        31 * 2048
    );
    drop(lost);

    let mut successor = served.session(1, "");
    let got = successor.command(read(0, 1), &[], BLOCK_SIZE);
    assert_eq!(got.data, [0; BLOCK_SIZE]);
    // The lost session's end may take a moment to be noticed, but this one took its place.
    let unlocked = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        other.command(eject, &[], 0).sense.is_none()
    });
    assert!(unlocked);
}

#[test]
fn an_aborted_command_is_not_answered() {
    let served = Served::new();
    let mut host = served.session(1, "");
    let waits = host.header(write(0, 8), 8 * BLOCK_SIZE, 0);
    host.send(waits, &[]);
    host.receive(); // ready to transfer
    let queued = host.header(write(0, 8), 8 * BLOCK_SIZE, 0);
    host.send(queued, &[]);
    manage(&mut host, 1, queued.task_tag);
    manage(&mut host, 1, waits.task_tag);
    assert_eq!(managed(&mut host), 0);
    assert_eq!(managed(&mut host), 0);
    manage(&mut host, 1, U32::new(4711));
    assert_eq!(managed(&mut host), 1, "no such task");
    manage(&mut host, 8, waits.task_tag);
    assert_eq!(managed(&mut host), 4, "no reassignment");
    manage(&mut host, 99, waits.task_tag);
    assert_eq!(managed(&mut host), 5);
    let answer = host.command(TestUnitReady, &[], 0);
    assert_eq!(answer.sense, None, "the next answer is the next command's");
}

#[test]
fn a_reset_ends_everybodys_commands_and_everybody_hears_of_it() {
    let served = Served::new();
    let (mut one, mut other) = (served.session(1, ""), served.session(2, ""));
    let waits = other.header(write(0, 8), 8 * BLOCK_SIZE, 0);
    other.send(waits, &[]);
    other.receive(); // ready to transfer
    manage(&mut one, 5, U32::new(NO_TAG));
    assert_eq!(managed(&mut one), 0);
    for host in [&mut one, &mut other] {
        assert_eq!(host.command(TestUnitReady, &[], 0).sense, Some(RESET));
        assert_eq!(host.command(TestUnitReady, &[], 0).sense, None);
    }
    manage(&mut one, 7, U32::new(NO_TAG));
    assert_eq!(managed(&mut one), 0);
    one.expect_end();
    other.expect_end();
    served.session(1, "");
}

#[test]
fn commands_take_effect_in_the_order_of_their_numbers() {
    let served = Served::new();
    let mut host = served.session(1, "");
    let first = host.header(TestUnitReady, 0, 0);
    let second = host.header(TestUnitReady, 0, 0);
    let mut outside = host.header(TestUnitReady, 0, 0);
    outside.cmd_sn = U32::new(host.cmd_sn.wrapping_add(1000));
    host.cmd_sn = host.cmd_sn.wrapping_sub(1);
    host.send(second, &[]);
    host.send(outside, &[]);
    host.send(first, &[]);
    for tag in [first.task_tag, second.task_tag] {
        let answer = host.receive();
        assert_eq!(ScsiResponse::of(&answer.header).task_tag, tag);
    }
    host.send(first, &[]); // again: it is old
    assert_eq!(host.command(TestUnitReady, &[], 0).sense, None);
}

#[test]
fn questions_are_answered_while_a_command_waits() {
    let served = Served::new();
    let mut host = served.session(1, "MaxRecvDataSegmentLength=512");
    let waits = host.header(write(0, 8), 8 * BLOCK_SIZE, 0);
    host.send(waits, &[]);
    host.receive(); // ready to transfer
    let question = NopOut {
        opcode: NopOut::OPCODE | IMMEDIATE,
        flags: FINAL,
        task_tag: U32::new(77),
        target_tag: U32::new(NO_TAG),
        cmd_sn: U32::new(host.cmd_sn),
        ..NopOut::empty()
    };
    host.send(question, &[5; 600]);
    let answer = host.receive();
    assert_eq!(NopIn::of(&answer.header).task_tag.get(), 77);
    assert_eq!(answer.data, [5; 512], "as much as the initiator takes");
}

#[test]
fn targets_are_told_and_sessions_end() {
    let served = Served::new();
    let mut host = Initiator::connect(served.address);
    let keys = "InitiatorName=iqn.host SessionType=Discovery";
    assert_eq!(host.log_in_with(1, keys).status, [0, 0]);
    let mut ask = TextRequest {
        flags: 0x40,
        task_tag: host.tag(),
        target_tag: U32::new(NO_TAG),
        cmd_sn: host.number(),
        ..TextRequest::empty()
    };
    host.send(ask, b"SendTar");
    assert!(host.receive().data.is_empty(), "the text goes on");
    ask.flags = FINAL;
    ask.target_tag = U32::new(1);
    ask.cmd_sn = host.number();
    host.send(ask, b"gets=All\0X-own=1\0");
    let text = String::from_utf8(host.receive().data).unwrap();
    let address = served.address;
    assert_eq!(
        text.replace('\0', " "),
        format!("TargetName={NAME} TargetAddress={address},1 X-own=NotUnderstood ")
    );
    let logout = LogoutRequest {
        reason: FINAL,
        task_tag: host.tag(),
        cmd_sn: host.number(),
        ..LogoutRequest::empty()
    };
    host.send(logout, &[]);
    let pdu = host.receive();
    assert_eq!(header::opcode(&pdu.header), LogoutResponse::OPCODE);
    host.expect_end();
}

#[test]
fn a_broken_protocol_ends_its_session_alone() {
    let served = Served::new();
    let mut witness = served.session(9, "");
    let mut host = served.session(1, "");
    let data_with_a_read = host.header(read(0, 1), 0, BLOCK_SIZE);
    host.send(data_with_a_read, b"data");
    let pdu = host.receive();
    assert_eq!(Reject::of(&pdu.header).reason, 4);
    host.expect_end();

    let mut host = served.session(2, "ImmediateData=No");
    let immediate = host.header(write(0, 1), BLOCK_SIZE, 0);
    host.send(immediate, &pattern(1, 1));
    host.expect_end();

    let mut host = served.session(3, "");
    let mut header = [0; header::HEADER_LEN];
    header[0] = 0x1f; // no such operation
    host.send(header, &[]);
    let pdu = host.receive();
    assert_eq!(Reject::of(&pdu.header).reason, 5);
    assert_eq!(pdu.data, header);
    host.expect_end();

    let host = served.session(4, "");
    let mut again = Initiator::connect(served.address);
    again.log_in(4, "");
    host.expect_end(); // the same initiator port took its place

    let mut stranger = Initiator::connect(served.address);
    stranger.send(NopOut::empty(), &[]);
    stranger.expect_end();
    let mut stranger = Initiator::connect(served.address);
    let status = stranger
        .log_in_with(5, "InitiatorName=iqn.host TargetName=iqn.other")
        .status;
    assert_eq!(status, [2, 3]);
    stranger.expect_end();
    assert_eq!(witness.command(TestUnitReady, &[], 0).sense, None);
}

#[test]
fn stopping_ends_all_sessions() {
    let mut served = Served::new();
    let host = served.session(1, "");
    let silent = Initiator::connect(served.address);
    served.stop();
    host.expect_end();
    silent.expect_end();
    assert!(std::net::TcpStream::connect(served.address).is_err());
}

/// A header that is likely to mean something.
fn any_header() -> impl Strategy<Value = [u8; header::HEADER_LEN]> {
    let opcode = prop::sample::select(vec![0u8, 1, 2, 3, 4, 5, 6, 0x10, 0x1f]);
    (
        opcode,
        any::<bool>(),
        prop::collection::vec(any::<u8>(), 48),
        0..3u8,
    )
        .prop_map(|(opcode, immediate, bytes, small)| {
            let mut header = [0; header::HEADER_LEN];
            header.copy_from_slice(&bytes);
            header[0] = opcode | if immediate { IMMEDIATE } else { 0 };
            header[4] = 0;
            if small > 0 {
                header[8..16].fill(0);
                header[16..28].copy_from_slice(&[0, 0, 0, 1, 0, 0, 4, 0, 0xff, 0xff, 0xff, 0xff]);
                header[36..44].fill(0);
            }
            header
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Whatever an initiator says once it is logged in, the target serves the next one.
    #[test]
    fn any_pdus_are_survived(
        pdus in prop::collection::vec(
            (any_header(), prop::collection::vec(any::<u8>(), 0..40)),
            1..8,
        )
    ) {
        let served = Served::new();
        let mut host = Initiator::connect(served.address);
        host.log_in(1, "InitialR2T=No");
        for (header, data) in pdus {
            let sent = super::wire::send(&mut host.stream, Digests::default(), header, &data);
            if sent.is_err() {
                break; // the target had enough
            }
        }
        let mut next = served.session(2, "");
        prop_assert_eq!(next.command(read(0, 1), &[], BLOCK_SIZE).sense, None);
    }
}
