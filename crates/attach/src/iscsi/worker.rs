//! A session's commands carried out: data asked for, the drive's answer sent back.
//!
//! Source: RFC 7143, sections 4.5 and 11.4 to 11.8.

use std::io;

use reburn_drive::{Data, Reply, TransportError};
use reburn_mmc::{Cdb, Sense, SenseKey};

use super::header::{DataIn, FINAL, ReadyToTransfer, ScsiResponse, TaskManagementResponse, be32};
use super::link::Stat;
use super::queue::{Burst, Job, Management, NoData, Request, Task};
use super::session::Session;
use super::target::Shared;
use super::transfer::{TRANSFER_MAX, Transfer, trimmed};
use super::unit::NexusId;

const GOOD: u8 = 0;
const CHECK_CONDITION: u8 = 2;

/// The response of a target that failed before the command could be carried out (11.4.3).
const TARGET_FAILURE: u8 = 1;

/// Bits of the second byte of a response.
const OVERFLOW: u8 = 0x04;
const UNDERFLOW: u8 = 0x02;
const HAS_STATUS: u8 = 0x01;

/// What a command ends with whose data are not what was announced (11.4.7.2).
const INCORRECT_DATA: Sense = Sense::new(SenseKey::AbortedCommand, 0x0c, 0x0d);

/// The length before the sense in a response's data segment.
const SENSE_LEN: [u8; 2] = [0, 18];
const _: () = assert!(Sense::LEN == 18);

/// What hosts hear after a host reset the drive.
const DEVICE_RESET: Sense = Sense::new(SenseKey::UnitAttention, 0x29, 0x03);

/// How a command ended.
struct Done {
    reply: Result<Reply, TransportError>,
    /// What goes to the host.
    data: Vec<u8>,
    /// What the drive moved, or would have moved if there had been room.
    moved: usize,
}

impl Done {
    fn refused(sense: Sense) -> Self {
        Self {
            reply: Ok(Reply::refused(sense)),
            data: Vec::new(),
            moved: 0,
        }
    }
}

/// The thread that carries out a session's commands.
pub(super) struct Worker<'a> {
    pub target: &'a Shared,
    pub session: &'a Session,
    pub nexus: NexusId,
}

impl Worker<'_> {
    /// Works until the session is over.
    pub fn run(&self) {
        while let Some(job) = self.session.queue.next() {
            let sent = match job {
                Job::Task(task) => self.task(task),
                Job::Request(request) => self.request(request),
            };
            if sent.is_err() {
                self.session.end();
            }
        }
    }

    fn task(&self, mut task: Task) -> io::Result<()> {
        let done = self.carry_out(&mut task);
        let finished = self.session.queue.finish();
        if task.is_counted {
            self.session.link.release(1);
        }
        match (done, finished) {
            (Ok(done), Ok(())) => self.answer(&task, &done),
            (Err(NoData::Broken), Ok(())) => self.answer(&task, &Done::refused(INCORRECT_DATA)),
            _ => Ok(()),
        }
    }

    fn carry_out(&self, task: &mut Task) -> Result<Done, NoData> {
        let cdb = Cdb::new(trimmed(&task.cdb)).filter(|_| !task.is_extended);
        let (Some(cdb), false) = (cdb, task.reads && task.writes) else {
            return Ok(Done::refused(Sense::INVALID_FIELD_IN_CDB));
        };
        match Transfer::of(&cdb) {
            Transfer::In(length) if !task.writes => Ok(self.read(task, &cdb, length)),
            Transfer::Out(length) if !task.reads => self.write(task, &cdb, length),
            Transfer::Unknown if task.writes => self.write(task, &cdb, task.expected as u64),
            Transfer::Unknown if task.reads => Ok(self.read(task, &cdb, task.expected as u64)),
            Transfer::Unknown => Ok(Done {
                reply: self.execute(task, &cdb, Data::None),
                data: Vec::new(),
                moved: 0,
            }),
            // The host and the command disagree about the way of the data.
            _ => Ok(Done::refused(Sense::INVALID_FIELD_IN_CDB)),
        }
    }

    fn execute(&self, task: &Task, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError> {
        self.target
            .unit
            .execute(self.nexus, lun_number(task.lun), cdb, data)
    }

    fn read(&self, task: &Task, cdb: &Cdb, length: u64) -> Done {
        let Some(length) = fitting(length) else {
            return Done::refused(Sense::INVALID_FIELD_IN_CDB);
        };
        let mut data = vec![0; length];
        let reply = self.execute(task, cdb, Data::In(&mut data));
        let moved = reply
            .as_ref()
            .map_or(0, |reply| reply.transferred.min(length));
        let room = if task.reads { task.expected } else { 0 };
        data.truncate(moved.min(room));
        Done { reply, data, moved }
    }

    fn write(&self, task: &mut Task, cdb: &Cdb, length: u64) -> Result<Done, NoData> {
        let sent = if task.writes { task.expected } else { 0 };
        let Some(length) = fitting(length) else {
            return Ok(Done::refused(Sense::INVALID_FIELD_IN_CDB));
        };
        if length > sent {
            // Part of a block cannot be recorded, and part of a list means something else.
            let moved = length;
            return Ok(Done {
                moved,
                ..Done::refused(Sense::INVALID_FIELD_IN_CDB)
            });
        }
        if task.is_broken {
            return Err(NoData::Broken);
        }
        let mut data = std::mem::take(&mut task.data);
        self.collect(task, length, &mut data)?;
        data.truncate(length);
        let reply = self.execute(task, cdb, Data::Out(&data));
        let moved = match &reply {
            Ok(reply) if reply.sense.is_none() => length,
            _ => 0,
        };
        Ok(Done {
            reply,
            data: Vec::new(),
            moved,
        })
    }

    /// Asks for data until `length` bytes are there.
    fn collect(&self, task: &Task, length: usize, data: &mut Vec<u8>) -> Result<(), NoData> {
        let mut r2t_sn = 0;
        while data.len() < length {
            let offset = data.len();
            let desired = (length - offset).min(self.session.parameters.max_burst);
            let ready = ReadyToTransfer {
                flags: FINAL,
                lun: task.lun,
                task_tag: be32(task.tag),
                target_tag: be32(r2t_sn),
                r2t_sn: be32(r2t_sn),
                buffer_offset: be32(low32(offset)),
                desired_length: be32(low32(desired)),
                ..ReadyToTransfer::empty()
            };
            let burst = Burst::new(r2t_sn, offset + desired);
            let ask = || self.session.link.send(ready, &[], Stat::None);
            self.session.queue.collect(data, burst, ask)?;
            r2t_sn += 1;
        }
        Ok(())
    }

    /// Sends a command's data and status; a good status goes with the last of the data.
    fn answer(&self, task: &Task, done: &Done) -> io::Result<()> {
        let (response, sense) = match &done.reply {
            Ok(reply) => (0, reply.sense),
            Err(TransportError::Data { .. }) => (0, Some(Sense::INVALID_FIELD_IN_CDB)),
            Err(_) => (TARGET_FAILURE, None),
        };
        let (residual_flag, residual) = residual(task, done.moved);
        let is_good = response == 0 && sense.is_none();
        let sent = self.send_data(
            task,
            &done.data,
            is_good.then_some((residual_flag, residual)),
        )?;
        if is_good && !done.data.is_empty() {
            return Ok(());
        }
        let header = ScsiResponse {
            flags: FINAL | residual_flag,
            response,
            status: if is_good {
                GOOD
            } else if response == 0 {
                CHECK_CONDITION
            } else {
                0
            },
            task_tag: be32(task.tag),
            exp_data_sn: be32(sent),
            residual: be32(residual),
            ..ScsiResponse::empty()
        };
        let mut segment = Vec::new();
        if let Some(sense) = sense {
            let sense = sense.encode();
            segment.extend(SENSE_LEN);
            segment.extend(sense);
        }
        self.session.link.send(header, &segment, Stat::Status)
    }

    /// Sends data in segments as long as the initiator takes them, in sequences as long as was
    /// agreed; with `last`, the status goes with the last segment. How many segments.
    fn send_data(&self, task: &Task, data: &[u8], last: Option<(u8, u32)>) -> io::Result<u32> {
        let segment = self.session.send_segment();
        let (mut offset, mut data_sn) = (0, 0);
        while offset < data.len() {
            let max_burst = self.session.parameters.max_burst;
            let burst_end = (offset / max_burst + 1) * max_burst;
            let end = (offset + segment).min(burst_end).min(data.len());
            let mut header = DataIn {
                lun: task.lun,
                task_tag: be32(task.tag),
                target_tag: be32(super::header::NO_TAG),
                data_sn: be32(data_sn),
                buffer_offset: be32(low32(offset)),
                ..DataIn::empty()
            };
            if end == burst_end || end == data.len() {
                header.flags |= FINAL;
            }
            let mut stat = Stat::None;
            if let Some((flag, residual)) = last.filter(|_| end == data.len()) {
                header.flags |= HAS_STATUS | flag;
                header.residual = be32(residual);
                stat = Stat::Status;
            }
            self.session.link.send(header, &data[offset..end], stat)?;
            offset = end;
            data_sn += 1;
        }
        Ok(data_sn)
    }

    fn request(&self, request: Request) -> io::Result<()> {
        if request.management != Management::Nothing {
            self.target.unit.reset(DEVICE_RESET);
        }
        let response = TaskManagementResponse {
            flags: FINAL,
            response: request.response,
            task_tag: be32(request.tag),
            ..TaskManagementResponse::empty()
        };
        if request.is_counted {
            self.session.link.release(1);
        }
        self.session.link.send(response, &[], Stat::Status)?;
        if request.management == Management::ColdReset {
            self.target.end_sessions();
        }
        Ok(())
    }
}

/// What a command moved beside what its host expected.
fn residual(task: &Task, moved: usize) -> (u8, u32) {
    let expected = if task.reads || task.writes {
        task.expected
    } else {
        0
    };
    match moved.checked_sub(expected) {
        Some(0) => (0, 0),
        Some(more) => (OVERFLOW, low32(more)),
        None => (UNDERFLOW, low32(expected - moved)),
    }
}

/// A length that this side moves.
fn fitting(length: u64) -> Option<usize> {
    usize::try_from(length)
        .ok()
        .filter(|length| *length <= TRANSFER_MAX)
}

/// A number of the protocol, which has 32 bits for all lengths.
fn low32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// The number of a unit, in either of the ways that hosts write a small one (SAM-3 4.9).
pub(super) fn lun_number(lun: [u8; 8]) -> Option<u16> {
    let [first, second, rest @ ..] = lun;
    if rest != [0; 6] {
        return None;
    }
    match first {
        0 => Some(u16::from(second)),
        0x40..=0x7f => Some(u16::from_be_bytes([first & 0x3f, second])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_of_units_have_two_forms() {
        assert_eq!(lun_number([0; 8]), Some(0));
        assert_eq!(lun_number([0, 7, 0, 0, 0, 0, 0, 0]), Some(7));
        assert_eq!(lun_number([0x41, 2, 0, 0, 0, 0, 0, 0]), Some(0x102));
        assert_eq!(lun_number([1, 7, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(lun_number([0, 0, 0, 1, 0, 0, 0, 0]), None);
    }
}
