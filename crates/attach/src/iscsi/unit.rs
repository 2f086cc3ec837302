//! The drive as each of several initiators sees it: a logical unit.
//!
//! A drive reports a change of its state once. Here every initiator hears of it, and the tray
//! is locked as long as any of them wants that. What iSCSI hosts ask a device for and optical
//! drives lack is answered here: REPORT LUNS, and pages of INQUIRY.
//!
//! Invariants: no lock on the initiators' state is held while the drive works; a nexus that is
//! gone holds no lock on the tray.
//!
//! Source: SAM-3, section 5.8 (unit attentions) and 4.9 (LUNs); SPC-3, 6.4, 6.21, 7.6; MMC-6,
//! PREVENT ALLOW MEDIUM REMOVAL.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, BufWriter};
use std::sync::{Mutex, MutexGuard, PoisonError};

use reburn_drive::software::{Answer, Outcome, deliver};
use reburn_drive::{Data, Drive, DriveExt, Reply, TransportError};
use reburn_mmc::command::{Command, Inquiry, PreventAllow};
use reburn_mmc::{Cdb, Sense, SenseKey};

use crate::{SharedDrive, TracedDrive};

/// Attentions that a nexus may have to hear, at most; older ones give way.
const ATTENTIONS_MAX: usize = 8;

const REQUEST_SENSE: u8 = 0x03;
const INQUIRY: u8 = 0x12;
const GET_CONFIGURATION: u8 = 0x46;
const GET_EVENT_STATUS: u8 = 0x4a;
const REPORT_LUNS: u8 = 0xa0;

/// What INQUIRY says where no device is: no device can be there.
const NO_DEVICE: u8 = 0x7f;

/// What commands to units other than the one that exists are refused with.
const NO_SUCH_UNIT: Sense = Sense::new(SenseKey::IllegalRequest, 0x25, 0x00);

/// One initiator's connection with the unit.
pub(super) type NexusId = u64;

/// The drive, shared by initiators.
#[derive(Debug)]
pub(super) struct Unit {
    drive: SharedDrive,
    /// The name of the target that it belongs to.
    target: String,
    nexuses: Mutex<Nexuses>,
    trace: Mutex<Option<Trace>>,
}

/// Where what the drive is told is written down.
type Trace = TracedDrive<BufWriter<File>>;

#[derive(Debug, Default)]
struct Nexuses {
    next: NexusId,
    known: BTreeMap<NexusId, Nexus>,
}

#[derive(Debug, Default)]
struct Nexus {
    attentions: VecDeque<Sense>,
    prevents_removal: bool,
}

impl Unit {
    /// The drive of a target of this name. Its own report of having been powered on goes to
    /// each initiator that comes.
    pub fn new(mut drive: SharedDrive, target: String) -> Self {
        // A drive that is off says so to the first command of an initiator.
        let _ = drive.clear_attentions();
        Self {
            drive,
            target,
            nexuses: Mutex::default(),
            trace: Mutex::default(),
        }
    }

    /// Writes down what the drive is told from now on.
    pub fn trace(&self, file: File) {
        let trace = TracedDrive::new(self.drive.clone(), BufWriter::new(file));
        *lock(&self.trace) = Some(trace);
    }

    /// Ends the trace, if there is one; why it is not whole, if it is not.
    pub fn end_trace(&self) -> io::Result<()> {
        let trace = lock(&self.trace).take();
        trace.map_or(Ok(()), TracedDrive::finish)
    }

    /// A new initiator, which hears of the drive's start first.
    pub fn attach(&self) -> NexusId {
        let mut nexuses = lock(&self.nexuses);
        let id = nexuses.next;
        nexuses.next += 1;
        let attentions = VecDeque::from([Sense::POWER_ON_RESET]);
        nexuses.known.insert(
            id,
            Nexus {
                attentions,
                prevents_removal: false,
            },
        );
        id
    }

    /// The initiator is gone.
    pub fn detach(&self, id: NexusId) {
        let locked_alone = {
            let mut nexuses = lock(&self.nexuses);
            let gone = nexuses.known.remove(&id);
            gone.is_some_and(|nexus| nexus.prevents_removal) && !nexuses.removal_is_prevented()
        };
        if locked_alone {
            let allow = Command::from(PreventAllow {
                prevent: false,
                persistent: false,
            });
            for _ in 0..ATTENTIONS_MAX {
                let reply = self.ask_drive(id, &allow.encode(), Data::None);
                let is_told_later = |sense: Sense| sense.key == SenseKey::UnitAttention;
                if !reply.is_ok_and(|reply| reply.sense.is_some_and(is_told_later)) {
                    break;
                }
            }
        }
    }

    /// Carries out a command of an initiator.
    pub fn execute(
        &self,
        id: NexusId,
        lun: Option<u16>,
        cdb: &Cdb,
        data: Data<'_>,
    ) -> Result<Reply, TransportError> {
        if cdb.opcode() == REPORT_LUNS {
            return deliver(cdb, report_luns(cdb), data);
        }
        if lun != Some(0) {
            return deliver(cdb, nobody_there(cdb), data);
        }
        if let Some(attention) = self.attention(id, cdb) {
            let outcome = if cdb.opcode() == REQUEST_SENSE {
                Ok(Answer::bytes(
                    attention.encode().to_vec(),
                    cdb.as_bytes()[4],
                ))
            } else {
                Err(attention)
            };
            return deliver(cdb, outcome, data);
        }
        match Command::from_cdb(cdb) {
            Ok(Command::Inquiry(command)) => {
                if let Some(answer) = self.page(command) {
                    return deliver(cdb, Ok(answer), data);
                }
            }
            Ok(Command::PreventAllow(command)) => return self.prevent_allow(id, command, cdb),
            _ => {}
        }
        self.ask_drive(id, cdb, data)
    }

    /// Resets the drive; every initiator hears of it.
    pub fn reset(&self, tell: Sense) {
        self.drive.with(|drive| {
            drive.reset();
            // What the drive itself has to report of it would reach one initiator only.
            let _ = drive.clear_attentions();
        });
        for nexus in lock(&self.nexuses).known.values_mut() {
            *nexus = Nexus {
                attentions: VecDeque::from([tell]),
                prevents_removal: false,
            };
        }
    }

    /// What an initiator has to hear before this command is carried out.
    fn attention(&self, id: NexusId, cdb: &Cdb) -> Option<Sense> {
        let waits = matches!(cdb.opcode(), INQUIRY | GET_CONFIGURATION | GET_EVENT_STATUS);
        let mut nexuses = lock(&self.nexuses);
        let nexus = nexuses.known.get_mut(&id).filter(|_| !waits)?;
        nexus.attentions.pop_front()
    }

    /// Has the drive carry out a command. What it reports of itself goes to all others too.
    fn ask_drive(
        &self,
        id: NexusId,
        cdb: &Cdb,
        mut data: Data<'_>,
    ) -> Result<Reply, TransportError> {
        let reply = match lock(&self.trace).as_mut() {
            Some(traced) => Some(traced.execute(cdb, data.reborrow())?),
            None => None,
        };
        let reply = match reply {
            Some(reply) => reply,
            None => self.drive.clone().execute(cdb, data.reborrow())?,
        };
        let said = match (&data, reply.sense) {
            (Data::In(sent), None) if cdb.opcode() == REQUEST_SENSE => {
                let sent = &sent[..reply.transferred.min(sent.len())];
                Sense::decode(sent).ok()
            }
            (_, sense) => sense,
        };
        if let Some(sense) = said.filter(|sense| sense.key == SenseKey::UnitAttention) {
            let mut nexuses = lock(&self.nexuses);
            for (_, other) in nexuses.known.iter_mut().filter(|(other, _)| **other != id) {
                if other.attentions.len() == ATTENTIONS_MAX {
                    other.attentions.pop_front();
                }
                other.attentions.push_back(sense);
            }
        }
        Ok(reply)
    }

    fn prevent_allow(
        &self,
        id: NexusId,
        command: PreventAllow,
        cdb: &Cdb,
    ) -> Result<Reply, TransportError> {
        let others_prevent = {
            let nexuses = lock(&self.nexuses);
            let mut others = nexuses.known.iter().filter(|(other, _)| **other != id);
            others.any(|(_, nexus)| nexus.prevents_removal)
        };
        let reply = if others_prevent && !command.prevent {
            Reply::good(0)
        } else {
            self.ask_drive(id, cdb, Data::None)?
        };
        if reply.sense.is_none()
            && let Some(nexus) = lock(&self.nexuses).known.get_mut(&id)
        {
            nexus.prevents_removal = command.prevent;
        }
        Ok(reply)
    }

    /// A page of vital product data; `None` for what the drive answers itself.
    fn page(&self, command: Inquiry) -> Option<Answer> {
        let page = command.page?;
        let content = match page {
            0x00 => vec![0x00, 0x80, 0x83],
            0x80 => self
                .drive
                .with(|drive| drive.profile().serial.clone().into_bytes()),
            0x83 => self.identification(),
            _ => return None,
        };
        let length = u16::try_from(content.len())
            .unwrap_or(u16::MAX)
            .to_be_bytes();
        let mut bytes = vec![
            reburn_mmc::reply::InquiryData::OPTICAL,
            page,
            length[0],
            length[1],
        ];
        bytes.extend(content);
        Some(Answer::bytes(bytes, command.allocation))
    }

    /// The designators of the drive, of the port and of the target (SPC-3 7.6.3).
    fn identification(&self) -> Vec<u8> {
        let unit = self.drive.with(|drive| {
            let profile = drive.profile();
            format!("{:<8.8}{}", profile.vendor, profile.serial)
        });
        let port = format!("{},t,0x0001", self.target);
        [
            designator(ASCII, T10_VENDOR, unit.as_bytes().to_vec()),
            designator(ISCSI | UTF_8, OF_PORT | SCSI_NAME, scsi_name(&port)),
            designator(
                ISCSI | UTF_8,
                OF_TARGET | SCSI_NAME,
                scsi_name(&self.target),
            ),
        ]
        .concat()
    }
}

/// A front end that panicked left whole entries behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Nexuses {
    fn removal_is_prevented(&self) -> bool {
        self.known.values().any(|nexus| nexus.prevents_removal)
    }
}

/// Code sets and protocol of a designator's first byte.
const ASCII: u8 = 2;
const UTF_8: u8 = 3;
const ISCSI: u8 = 0x50;

/// Kinds and owners of a designator's second byte; an owner other than the unit has a protocol.
const T10_VENDOR: u8 = 1;
const SCSI_NAME: u8 = 8;
const OF_PORT: u8 = 0x90;
const OF_TARGET: u8 = 0xa0;

fn designator(code: u8, kind: u8, mut content: Vec<u8>) -> Vec<u8> {
    content.truncate(255);
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    let mut bytes = vec![code, kind, 0, length];
    bytes.extend(content);
    bytes
}

/// A name of iSCSI, ended and filled up with zeros to four bytes.
fn scsi_name(name: &str) -> Vec<u8> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize((bytes.len() + 1).next_multiple_of(4), 0);
    bytes
}

/// One unit, number 0 (SPC-3 6.21).
fn report_luns(cdb: &Cdb) -> Outcome {
    let mut bytes = [0; 12];
    let given = cdb.as_bytes();
    bytes[..given.len().min(12)].copy_from_slice(&given[..given.len().min(12)]);
    let allocation = u32::from_be_bytes([bytes[6], bytes[7], bytes[8], bytes[9]]);
    if bytes[2] > 2 || allocation < 16 {
        return Err(Sense::INVALID_FIELD_IN_CDB);
    }
    let mut list = vec![0; if bytes[2] == 1 { 8 } else { 16 }];
    list[3] = if bytes[2] == 1 { 0 } else { 8 }; // 1 asks for well-known units alone
    Ok(Answer::bytes(list, allocation))
}

/// What a unit says that does not exist (SPC-3 6.4.2, 6.27).
fn nobody_there(cdb: &Cdb) -> Outcome {
    let allocation = cdb.as_bytes().get(4).copied().unwrap_or_default();
    match Command::from_cdb(cdb) {
        Ok(Command::Inquiry(command)) if command.page.is_none() => {
            let mut bytes = vec![0; 36];
            bytes[..5].copy_from_slice(&[NO_DEVICE, 0, 5, 2, 31]);
            Ok(Answer::bytes(bytes, command.allocation))
        }
        Ok(Command::RequestSense(_)) => {
            let sense = NO_SUCH_UNIT.encode();
            Ok(Answer::bytes(sense.to_vec(), allocation))
        }
        _ => Err(NO_SUCH_UNIT),
    }
}

#[cfg(test)]
mod tests;
