//! The target: it listens, lets initiators in, and keeps their sessions.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zerocopy::byteorder::big_endian::U16;

use super::header::{self, LoginRequest, LoginResponse};
use super::link::{Link, Stat};
use super::login::{Established, Login, Refusal, SessionKind, Step, refused};
use super::options::{OptionsError, TargetOptions};
use super::parameters::DATA_SEGMENT_MAX;
use super::session::{Reader, Session};
use super::unit::Unit;
use super::wire::{Inbound, Pdu, Received};
use super::worker::Worker;
use crate::SharedDrive;

/// Connections at the same time.
const CONNECTIONS_MAX: usize = 64;
/// How long a login may take.
const LOGIN_PATIENCE: Duration = Duration::from_secs(15);
/// How often a reader that hears nothing looks at the time.
const LOOK: Duration = Duration::from_secs(1);
/// How long a host may leave what it is sent unread.
const SEND_PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait before listening on when the system has no room for a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// A drive on the network, as an iSCSI target with one logical unit, number 0. Clones are the
/// same target.
#[derive(Debug, Clone)]
pub struct Target {
    shared: Arc<Shared>,
}

/// What the threads of a target share.
#[derive(Debug)]
pub(super) struct Shared {
    pub options: TargetOptions,
    pub unit: Unit,
    sessions: Mutex<BTreeMap<u16, Arc<Session>>>,
    connections: Mutex<Connections>,
    stopping: AtomicBool,
}

#[derive(Debug, Default)]
struct Connections {
    next: u64,
    open: BTreeMap<u64, TcpStream>,
    /// Where it listens.
    addresses: Vec<SocketAddr>,
}

impl Target {
    /// A target for a drive that stays usable otherwise.
    pub fn new(drive: SharedDrive, options: TargetOptions) -> Result<Self, OptionsError> {
        options.check()?;
        let shared = Shared {
            unit: Unit::new(drive, options.name.clone()),
            options,
            sessions: Mutex::default(),
            connections: Mutex::default(),
            stopping: AtomicBool::new(false),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Writes down every command that hosts give the drive from now on, a line each.
    pub fn trace(&self, file: File) {
        self.shared.unit.trace(file);
    }

    /// Ends the trace; why it is not whole, if it is not.
    pub fn end_trace(&self) -> io::Result<()> {
        self.shared.unit.end_trace()
    }

    /// Serves initiators, in threads of its own, until [`Target::stop`]; all sessions are over
    /// when it returns. The error is the listener's.
    pub fn serve(&self, listener: &TcpListener) -> io::Result<()> {
        let shared = &*self.shared;
        lock(&shared.connections)
            .addresses
            .push(listener.local_addr()?);
        std::thread::scope(|scope| {
            while !shared.is_stopping() {
                match listener.accept() {
                    Ok((stream, _)) => {
                        if let Some(connection) = shared.admit(&stream) {
                            scope.spawn(move || {
                                shared.converse(&stream);
                                lock(&shared.connections).open.remove(&connection);
                            });
                        }
                    }
                    Err(error) if is_passing(&error) => std::thread::sleep(PAUSE),
                    Err(error) => {
                        self.stop();
                        return Err(error);
                    }
                }
            }
            Ok(())
        })
    }

    /// Ends all sessions and stops listening. Commands that the drive works on are finished;
    /// their initiators do not hear of it.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        let addresses = {
            let connections = lock(&self.shared.connections);
            for stream in connections.open.values() {
                let _ = stream.shutdown(Shutdown::Both);
            }
            connections.addresses.clone()
        };
        self.shared.end_sessions();
        for address in addresses {
            // Wakes the listener, which then looks whether to go on.
            let _ = TcpStream::connect_timeout(&reachable(address), LOOK);
        }
    }
}

impl Shared {
    /// Aborts the commands of all sessions.
    pub fn abort_all(&self) {
        for session in lock(&self.sessions).values() {
            session.abort_all();
        }
    }

    /// Ends all sessions.
    pub fn end_sessions(&self) {
        for session in lock(&self.sessions).values() {
            session.end();
        }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Takes a connection among the open ones, if there is room.
    fn admit(&self, stream: &TcpStream) -> Option<u64> {
        let mut connections = lock(&self.connections);
        if self.is_stopping() || connections.open.len() >= CONNECTIONS_MAX {
            return None;
        }
        let number = connections.next;
        connections.open.insert(number, stream.try_clone().ok()?);
        connections.next += 1;
        Some(number)
    }

    /// One connection, from its first byte to its last. Whatever fails ends it, and concerns
    /// nobody else.
    fn converse(&self, stream: &TcpStream) {
        let _ = self.try_converse(stream);
        let _ = stream.shutdown(Shutdown::Both);
    }

    fn try_converse(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LOOK))?;
        stream.set_write_timeout(Some(SEND_PATIENCE))?;
        let link = Link::new(stream.try_clone()?);
        let mut inbound = Inbound::new(stream.try_clone()?, DATA_SEGMENT_MAX);
        let Some((header, answers, established)) = self.log_in(&mut inbound, &link)? else {
            return Ok(());
        };
        let digests = established.parameters.digests;
        let session = Arc::new(Session::new(established, link, stream.try_clone()?));
        let Some(handle) = self.register(&session) else {
            let refusal = refused(&LoginRequest::of(&header.into()), Refusal::OUT_OF_RESOURCES);
            return session.link.send(refusal, &[], Stat::Status);
        };
        let header = LoginResponse {
            tsih: U16::new(handle),
            ..header
        };
        let opened = session.link.open(digests, header, answers.as_bytes());
        inbound.digests = digests;
        if opened.is_ok() {
            self.hold(&session, inbound);
        }
        let mut sessions = lock(&self.sessions);
        if sessions
            .get(&handle)
            .is_some_and(|other| Arc::ptr_eq(other, &session))
        {
            sessions.remove(&handle);
        }
        opened
    }

    /// The session itself.
    fn hold(&self, session: &Session, inbound: Inbound<TcpStream>) {
        let reader = Reader::new(self, session, inbound);
        if session.kind == SessionKind::Discovery {
            reader.run();
            return;
        }
        let nexus = self.unit.attach();
        let worker = Worker {
            target: self,
            session,
            nexus,
        };
        std::thread::scope(|scope| {
            scope.spawn(|| worker.run());
            reader.run();
            session.end();
        });
        self.unit.detach(nexus);
    }

    /// The login; `None` if it came to nothing.
    fn log_in(
        &self,
        inbound: &mut Inbound<TcpStream>,
        link: &Link,
    ) -> io::Result<Option<(LoginResponse, super::text::Answers, Established)>> {
        let begun = Instant::now();
        let mut login = Login::new(&self.options);
        let mut is_first = true;
        while begun.elapsed() < LOGIN_PATIENCE {
            let pdu = match inbound.receive() {
                Ok(Received::Pdu(pdu)) => pdu,
                Ok(Received::Quiet) => continue,
                Err(_) => return Ok(None),
            };
            let Pdu { header, data } = pdu;
            if header::opcode(&header) != LoginRequest::OPCODE {
                return Ok(None);
            }
            let request = LoginRequest::of(&header);
            if std::mem::take(&mut is_first) {
                link.begin(&request);
            }
            let known = self.check_handle(&request);
            match known.and_then(|()| login.step(&request, &data)) {
                Ok(Step::Reply(header, answers)) => {
                    link.send(header, answers.as_bytes(), Stat::Status)?;
                }
                Ok(Step::Enter(header, answers, established)) => {
                    return Ok(Some((header, answers, established)));
                }
                Err(refusal) => {
                    link.send(refused(&request, refusal), &[], Stat::Status)?;
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// Sessions have one connection, so none joins a session that exists.
    fn check_handle(&self, request: &LoginRequest) -> Result<(), Refusal> {
        match request.tsih.get() {
            0 => Ok(()),
            handle if lock(&self.sessions).contains_key(&handle) => {
                Err(Refusal::TOO_MANY_CONNECTIONS)
            }
            _ => Err(Refusal::NO_SUCH_SESSION),
        }
    }

    /// Gives a session its handle. One that the same initiator port had before is over
    /// (RFC 7143, 6.3.5).
    fn register(&self, session: &Arc<Session>) -> Option<u16> {
        let mut sessions = lock(&self.sessions);
        for other in sessions.values() {
            let same_port = (&other.initiator, other.isid) == (&session.initiator, session.isid);
            if same_port && other.kind == session.kind {
                other.end();
            }
        }
        let handle = (1..=u16::MAX).find(|handle| !sessions.contains_key(handle))?;
        sessions.insert(handle, Arc::clone(session));
        Some(handle)
    }
}

/// Where a listener can be reached that listens on all addresses.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// Whether listening can go on after this error.
fn is_passing(error: &io::Error) -> bool {
    // Too many files are open, here or in the whole system.
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    matches!(
        error.kind(),
        io::ErrorKind::Interrupted
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::OutOfMemory
    ) || matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
}

/// Entries are put in and taken out whole, so a thread that panicked broke nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
