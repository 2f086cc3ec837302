//! An initiator that says exactly what a test wants, and a target to say it to.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use reburn_emulator::{Emulator, MediumKind, VirtualDisc};
use reburn_mmc::{Command, Sense};
use zerocopy::byteorder::big_endian::U32;

use super::super::header::{
    self, DataIn, DataOut, FINAL, HEADER_LEN, IMMEDIATE, LoginRequest, LoginResponse, NO_TAG,
    NopIn, ReadyToTransfer, ScsiCommand, ScsiResponse,
};
use super::super::wire::{self, Digests, Inbound, Pdu, Received, WireError};
use super::super::{Target, TargetOptions};
use crate::{Pace, SharedDrive};

pub const NAME: &str = "iqn.2026-11.org.example:drive";

/// A target with a DVD-RAM that listens while this lives.
pub struct Served {
    pub target: Target,
    pub address: SocketAddr,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Served {
    pub fn new() -> Self {
        let options = TargetOptions {
            name: NAME.to_owned(),
            alias: None,
            chap: None,
            random: |_| Ok(()),
        };
        let disc = VirtualDisc::formatted(MediumKind::DvdRam);
        let drive = SharedDrive::new(Emulator::with_disc(disc), Pace::times(1_000_000));
        let target = Target::new(drive, options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serving = target.clone();
        let thread = std::thread::spawn(move || serving.serve(&listener));
        Self {
            target,
            address,
            thread: Some(thread),
        }
    }

    /// A session of the initiator with this number, which heard of the drive's start.
    pub fn session(&self, number: u8, keys: &str) -> Initiator {
        let mut initiator = Initiator::connect(self.address);
        initiator.log_in(number, keys);
        let answer = initiator.command(reburn_mmc::command::TestUnitReady, &[], 0);
        assert_eq!(answer.sense, Some(Sense::POWER_ON_RESET));
        initiator
    }

    /// Stops the target and waits until it did.
    pub fn stop(&mut self) {
        self.target.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a command came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub sense: Option<Sense>,
    pub data: Vec<u8>,
    /// Positive for an overflow.
    pub residual: i64,
}

/// One session of an initiator.
pub struct Initiator {
    pub stream: TcpStream,
    inbound: Inbound<TcpStream>,
    digests: Digests,
    pub cmd_sn: u32,
    pub stat_sn: u32,
    next_tag: u32,
    /// How much of a command's data go with it, and how much follow unasked.
    pub immediate: usize,
    pub unsolicited: usize,
    /// The largest segments to send.
    pub segment: usize,
}

impl Initiator {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        Self {
            inbound: Inbound::new(stream.try_clone().unwrap(), 1 << 24),
            stream,
            digests: Digests::default(),
            cmd_sn: u32::MAX - 1, // it wraps soon
            stat_sn: 100,
            next_tag: 1,
            immediate: 0,
            unsolicited: 0,
            segment: 8192,
        }
    }

    /// Opens a normal session. `keys` are separated by spaces.
    pub fn log_in(&mut self, number: u8, keys: &str) -> LoginResponse {
        let names = format!("InitiatorName=iqn.host TargetName={NAME} SessionType=Normal {keys}");
        let response = self.log_in_with(number, &names);
        assert_eq!(response.status, [0, 0]);
        assert_ne!(response.tsih.get(), 0);
        self.digests = Digests {
            header: keys.contains("HeaderDigest=CRC32C"),
            data: keys.contains("DataDigest=CRC32C"),
        };
        self.inbound.digests = self.digests;
        response
    }

    /// Says these keys in one request, and asks for the full feature phase.
    pub fn log_in_with(&mut self, number: u8, keys: &str) -> LoginResponse {
        let request = LoginRequest {
            opcode: LoginRequest::OPCODE | IMMEDIATE,
            flags: FINAL | 0x07,
            isid: [0x80, 0, 0, 0, 0, number],
            cmd_sn: U32::new(self.cmd_sn),
            exp_stat_sn: U32::new(self.stat_sn),
            ..LoginRequest::empty()
        };
        let text = keys.trim().replace(' ', "\0") + "\0";
        self.send(request, text.as_bytes());
        LoginResponse::of(&self.receive().header)
    }

    pub fn send(&mut self, header: impl Into<[u8; HEADER_LEN]>, data: &[u8]) {
        wire::send(&mut self.stream, self.digests, header.into(), data).unwrap();
    }

    pub fn try_receive(&mut self) -> Result<Pdu, WireError> {
        match self.inbound.receive()? {
            Received::Pdu(pdu) => Ok(pdu),
            Received::Quiet => panic!("the target is silent"),
        }
    }

    /// The next PDU; the numbers of statuses ascend by one.
    pub fn receive(&mut self) -> Pdu {
        let pdu = self.try_receive().unwrap();
        let opcode = header::opcode(&pdu.header);
        let has_status = match opcode {
            DataIn::OPCODE => pdu.header[1] & 1 != 0,
            ReadyToTransfer::OPCODE => false,
            _ => true,
        };
        if has_status {
            assert_eq!(
                NopIn::of(&pdu.header).stat_sn.get(),
                self.stat_sn,
                "{opcode:02x}"
            );
            self.stat_sn = self.stat_sn.wrapping_add(1);
        }
        pdu
    }

    /// Waits until the target closes the connection; whatever it says before is dropped.
    pub fn expect_end(mut self) {
        while self.try_receive().is_ok() {}
    }

    /// The number of the next command.
    pub fn number(&mut self) -> U32 {
        let number = self.cmd_sn;
        self.cmd_sn = number.wrapping_add(1);
        U32::new(number)
    }

    pub fn tag(&mut self) -> U32 {
        self.next_tag += 1;
        U32::new(self.next_tag)
    }

    /// The PDU of a command that writes `len` bytes or reads `room`.
    pub fn header(&mut self, command: impl Into<Command>, len: usize, room: usize) -> ScsiCommand {
        let block = command.into().encode();
        let mut cdb = [0; 16];
        cdb[..block.as_bytes().len()].copy_from_slice(block.as_bytes());
        let way = if len > 0 {
            0x20
        } else if room > 0 {
            0x40
        } else {
            0
        };
        ScsiCommand {
            flags: FINAL | way | 1,
            task_tag: self.tag(),
            expected_length: U32::new(u32::try_from(len.max(room)).unwrap()),
            cmd_sn: self.number(),
            exp_stat_sn: U32::new(self.stat_sn),
            cdb,
            ..ScsiCommand::empty()
        }
    }

    /// Carries out a command that writes `data` or has room for `room` bytes.
    pub fn command(&mut self, command: impl Into<Command>, data: &[u8], room: usize) -> Answer {
        let mut header = self.header(command, data.len(), room);
        let immediate = self.immediate.min(data.len());
        let unsolicited = self.unsolicited.min(data.len()).max(immediate);
        if unsolicited > immediate {
            header.flags &= !FINAL;
        }
        self.send(header, &data[..immediate]);
        self.send_data(header.task_tag, NO_TAG, data, immediate..unsolicited);
        self.answer(header.task_tag, data)
    }

    /// Sends a sequence of a command's data.
    fn send_data(&mut self, tag: U32, target_tag: u32, data: &[u8], part: std::ops::Range<usize>) {
        let mut data_sn = 0;
        let mut offset = part.start;
        while offset < part.end {
            let end = (offset + self.segment).min(part.end);
            let pdu = DataOut {
                flags: if end == part.end { FINAL } else { 0 },
                task_tag: tag,
                target_tag: U32::new(target_tag),
                data_sn: U32::new(data_sn),
                buffer_offset: U32::new(u32::try_from(offset).unwrap()),
                ..DataOut::empty()
            };
            self.send(pdu, &data[offset..end]);
            offset = end;
            data_sn += 1;
        }
    }

    /// Gives the target what it asks for, and takes what it has, until there is a status.
    fn answer(&mut self, tag: U32, data: &[u8]) -> Answer {
        let mut received = Vec::new();
        let residual = |flags: u8, count: U32| match flags & 6 {
            4 => i64::from(count.get()),
            2 => -i64::from(count.get()),
            _ => 0,
        };
        loop {
            let pdu = self.receive();
            match header::opcode(&pdu.header) {
                ReadyToTransfer::OPCODE => {
                    let ready = ReadyToTransfer::of(&pdu.header);
                    let start = usize::try_from(ready.buffer_offset.get()).unwrap();
                    let end = start + usize::try_from(ready.desired_length.get()).unwrap();
                    self.send_data(tag, ready.target_tag.get(), data, start..end);
                }
                DataIn::OPCODE => {
                    let header = DataIn::of(&pdu.header);
                    assert_eq!(header.buffer_offset.get() as usize, received.len());
                    received.extend(pdu.data);
                    if header.flags & 1 != 0 {
                        return Answer {
                            sense: None,
                            data: received,
                            residual: residual(header.flags, header.residual),
                        };
                    }
                }
                _ => {
                    let header = ScsiResponse::of(&pdu.header);
                    assert_eq!(header.opcode, ScsiResponse::OPCODE);
                    assert_eq!(header.task_tag, tag);
                    let sense = pdu.data.get(2..).map(|bytes| Sense::decode(bytes).unwrap());
                    assert_eq!(header.status == 2, sense.is_some());
                    return Answer {
                        sense,
                        data: received,
                        residual: residual(header.flags, header.residual),
                    };
                }
            }
        }
    }
}
