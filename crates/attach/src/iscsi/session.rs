//! The full feature phase of a session: what comes is put in order and answered, or handed to
//! the worker.
//!
//! Invariants: requests take effect in the order of their CmdSN but for immediate ones; a PDU
//! that breaks the protocol ends the session, since nothing is recovered (level 0), unless it
//! concerns the data of one command, which it ends alone; a host that
//! says nothing is asked whether it is there, and given up if it is not.
//!
//! Source: RFC 7143, sections 4.2, 7 and 11.

mod texts;

use std::collections::BTreeMap;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::header::{
    self, DataOut, FINAL, HEADER_LEN, LogoutRequest, LogoutResponse, NO_TAG, NopIn, NopOut,
    RejectReason, ScsiCommand, TaskManagement, TextRequest, be32,
};
use super::link::{Link, Order, Stat, WINDOW};
use super::login::{Established, SessionKind};
use super::parameters::Parameters;
use super::queue::{Aborted, Burst, Management, Queue, Request, Task};
use super::target::Shared;
use super::text::Pieces;
use super::wire::{Inbound, Pdu, Received, WireError};
use super::worker::lun_number;

/// How long a host may be silent before it is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(30);
/// How long it may be silent altogether.
const SILENCE_MAX: Duration = Duration::from_secs(75);
/// Requests that a session may have beside its window, because they are immediate.
const IMMEDIATE_MAX: usize = 8;
/// The tag of the target's own questions, and of texts that go on.
const OWN_TAG: u32 = 1;

/// Bits of a command's second byte (11.3.1).
const READS: u8 = 0x40;
const WRITES: u8 = 0x20;

/// One session and its only connection.
#[derive(Debug)]
pub(super) struct Session {
    pub kind: SessionKind,
    pub initiator: String,
    pub isid: [u8; 6],
    pub cid: u16,
    pub parameters: Parameters,
    pub link: Link,
    pub queue: Queue,
    /// The longest segment that the initiator takes; it may change its mind.
    send_segment: AtomicUsize,
    stream: TcpStream,
}

impl Session {
    pub fn new(established: Established, link: Link, stream: TcpStream) -> Self {
        let parameters = established.parameters;
        Self {
            kind: established.kind,
            initiator: established.initiator,
            isid: established.isid,
            cid: established.cid,
            parameters,
            link,
            queue: Queue::default(),
            send_segment: AtomicUsize::new(parameters.send_segment),
            stream,
        }
    }

    pub fn send_segment(&self) -> usize {
        self.send_segment.load(Ordering::Relaxed)
    }

    /// Aborts all commands, without an answer.
    pub fn abort_all(&self) {
        self.link.release(self.queue.abort_all());
    }

    /// Ends the session: the connection closes, and its threads find out.
    pub fn end(&self) {
        self.queue.close();
        // One that is closed already is what is wanted.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Why a session's reader ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    #[error("the initiator logged out")]
    Logout,
    #[error("the initiator broke the protocol")]
    Protocol,
    #[error("the initiator is silent")]
    Silence,
    #[error(transparent)]
    Wire(#[from] WireError),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Wire(error.into())
    }
}

/// The thread that reads from a session's connection.
pub(super) struct Reader<'a> {
    target: &'a Shared,
    session: &'a Session,
    inbound: Inbound<TcpStream>,
    /// Requests that came before their turn.
    held: BTreeMap<u32, Pdu>,
    text: Pieces,
    heard: Instant,
    asked: bool,
}

impl<'a> Reader<'a> {
    pub fn new(target: &'a Shared, session: &'a Session, inbound: Inbound<TcpStream>) -> Self {
        Self {
            target,
            session,
            inbound,
            held: BTreeMap::new(),
            text: Pieces::default(),
            heard: Instant::now(),
            asked: false,
        }
    }

    /// Reads until the session is over, and says why it is.
    pub fn run(mut self) -> End {
        loop {
            let step = match self.inbound.receive() {
                Ok(Received::Pdu(pdu)) => {
                    self.heard = Instant::now();
                    self.asked = false;
                    self.take(pdu)
                }
                Ok(Received::Quiet) => self.mind_silence(),
                Err(WireError::DataDigest { header }) => {
                    let rejected = self.session.link.reject(&header, RejectReason::DataDigest);
                    rejected.map_err(End::from).and(Err(End::Protocol))
                }
                Err(error) => Err(error.into()),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    fn mind_silence(&mut self) -> Result<(), End> {
        let silent = self.heard.elapsed();
        if silent > SILENCE_MAX {
            return Err(End::Silence);
        }
        if silent > SILENCE && !self.asked {
            self.asked = true;
            let question = NopIn {
                flags: FINAL,
                task_tag: be32(NO_TAG),
                target_tag: be32(OWN_TAG),
                ..NopIn::empty()
            };
            self.session.link.send(question, &[], Stat::None)?;
        }
        Ok(())
    }

    /// Puts a PDU where it belongs in the order.
    fn take(&mut self, pdu: Pdu) -> Result<(), End> {
        match header::opcode(&pdu.header) {
            DataOut::OPCODE => {
                let taken = self
                    .session
                    .queue
                    .data_out(&DataOut::of(&pdu.header), &pdu.data);
                return taken.or_else(|reason| self.refuse(&pdu.header, reason));
            }
            NopOut::OPCODE
            | ScsiCommand::OPCODE
            | TaskManagement::OPCODE
            | TextRequest::OPCODE
            | LogoutRequest::OPCODE => {}
            _ => return self.refuse(&pdu.header, RejectReason::NotSupported),
        }
        if header::is_immediate(&pdu.header) {
            if self.session.queue.len() >= WINDOW as usize + IMMEDIATE_MAX {
                let link = &self.session.link;
                return Ok(link.reject(&pdu.header, RejectReason::TooManyImmediate)?);
            }
            return self.handle(pdu, false);
        }
        let mut cmd_sn = header::cmd_sn(&pdu.header);
        match self.session.link.order(cmd_sn) {
            Order::Never => return Ok(()),
            Order::Later => {
                self.held.insert(cmd_sn, pdu);
                return Ok(());
            }
            Order::Now => self.handle(pdu, true)?,
        }
        loop {
            cmd_sn = cmd_sn.wrapping_add(1);
            let Some(pdu) = self.held.remove(&cmd_sn) else {
                return Ok(());
            };
            if self.session.link.order(cmd_sn) == Order::Now {
                self.handle(pdu, true)?;
            }
        }
    }

    /// Refuses a PDU that no initiator sends who keeps to the protocol, and ends the session.
    fn refuse(&self, header: &[u8; HEADER_LEN], reason: RejectReason) -> Result<(), End> {
        self.session.link.reject(header, reason)?;
        Err(End::Protocol)
    }

    /// Handles a request whose turn it is. `counted` ones take a place in the window, and give
    /// it back when they are answered.
    fn handle(&mut self, pdu: Pdu, counted: bool) -> Result<(), End> {
        match header::opcode(&pdu.header) {
            ScsiCommand::OPCODE => return self.command(pdu, counted),
            TaskManagement::OPCODE => {
                self.manage(&TaskManagement::of(&pdu.header), counted);
                return Ok(());
            }
            _ => {}
        }
        self.session.link.release(u32::from(counted));
        match header::opcode(&pdu.header) {
            NopOut::OPCODE => self.nop(&NopOut::of(&pdu.header), &pdu.data),
            TextRequest::OPCODE => self.text(&pdu),
            _ => self.logout(&LogoutRequest::of(&pdu.header)),
        }
    }

    fn command(&self, pdu: Pdu, counted: bool) -> Result<(), End> {
        let command = ScsiCommand::of(&pdu.header);
        if self.session.kind == SessionKind::Discovery {
            return self.refuse(&pdu.header, RejectReason::ProtocolError);
        }
        let parameters = &self.session.parameters;
        let expected = usize::try_from(command.expected_length.get()).unwrap_or(usize::MAX);
        let unasked = parameters.first_burst.min(expected);
        let writes = command.flags & WRITES != 0;
        let more_comes = command.flags & FINAL == 0;
        let is_wrong = pdu.data.len() > unasked
            || !(pdu.data.is_empty() || writes && parameters.immediate_data)
            || (more_comes && (!writes || parameters.initial_r2t));
        if is_wrong {
            return self.refuse(&pdu.header, RejectReason::ProtocolError);
        }
        let task = Task {
            tag: command.task_tag.get(),
            lun: command.lun,
            cdb: command.cdb,
            is_extended: command.ahs_words > 0,
            reads: command.flags & READS != 0,
            writes,
            expected,
            data: pdu.data,
            is_counted: counted,
            is_broken: false,
        };
        let unsolicited = more_comes.then(|| Burst::new(NO_TAG, unasked));
        let pushed = self.session.queue.push(task, unsolicited);
        pushed.or_else(|reason| self.refuse(&pdu.header, reason))
    }

    /// A request about commands: what is to be aborted is so at once, and the answer follows
    /// when the drive is done with the command it works on.
    fn manage(&self, request: &TaskManagement, counted: bool) {
        const COMPLETE: u8 = 0;
        const NO_SUCH_TASK: u8 = 1;
        const NO_SUCH_UNIT: u8 = 2;
        const NO_REASSIGNMENT: u8 = 4;
        const NOT_SUPPORTED: u8 = 5;
        let queue = &self.session.queue;
        let is_unit = lun_number(request.lun) == Some(0);
        let nothing = |response| (Management::Nothing, response);
        let (management, response) = match request.function & 0x7f {
            1 => match queue.abort(request.referenced_tag.get()) {
                Aborted::Unknown => nothing(NO_SUCH_TASK),
                Aborted::Running => nothing(COMPLETE),
                Aborted::Waiting { was_counted } => {
                    self.session.link.release(u32::from(was_counted));
                    nothing(COMPLETE)
                }
            },
            2 | 4 | 5 if !is_unit => nothing(NO_SUCH_UNIT),
            2 => {
                self.session.abort_all();
                nothing(COMPLETE)
            }
            4 => {
                self.target.abort_all();
                nothing(COMPLETE)
            }
            5 | 6 => {
                self.target.abort_all();
                (Management::Reset, COMPLETE)
            }
            7 => {
                self.target.abort_all();
                (Management::ColdReset, COMPLETE)
            }
            8 => nothing(NO_REASSIGNMENT),
            _ => nothing(NOT_SUPPORTED),
        };
        queue.push_request(Request {
            tag: request.task_tag.get(),
            management,
            response,
            is_counted: counted,
        });
    }

    fn nop(&self, request: &NopOut, data: &[u8]) -> Result<(), End> {
        if request.task_tag.get() == NO_TAG {
            return Ok(()); // it answers this side's question
        }
        let answer = NopIn {
            flags: FINAL,
            lun: request.lun,
            task_tag: request.task_tag,
            target_tag: be32(NO_TAG),
            ..NopIn::empty()
        };
        let data = &data[..data.len().min(self.session.send_segment())];
        Ok(self.session.link.send(answer, data, Stat::Status)?)
    }

    fn logout(&self, request: &LogoutRequest) -> Result<(), End> {
        const CLOSED: u8 = 0;
        const NO_SUCH_CONNECTION: u8 = 1;
        const NO_RECOVERY: u8 = 2;
        let response = match request.reason & 0x7f {
            0 => CLOSED,
            1 if request.cid.get() == self.session.cid => CLOSED,
            1 => NO_SUCH_CONNECTION,
            _ => NO_RECOVERY,
        };
        let answer = LogoutResponse {
            flags: FINAL,
            response,
            task_tag: request.task_tag,
            ..LogoutResponse::empty()
        };
        self.session.link.send(answer, &[], Stat::Status)?;
        if response == CLOSED {
            return Err(End::Logout);
        }
        Ok(())
    }
}
