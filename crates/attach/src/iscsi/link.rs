//! The sending end of a connection, with the counters that every response carries.
//!
//! A reader and a worker share it. Invariants: StatSN goes up by one with every status that is
//! sent, in the order of sending; MaxCmdSN never goes back.
//!
//! Source: RFC 7143, section 4.2.2.

use std::io;
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::header::{self, HEADER_LEN, LoginRequest, Reject, RejectReason};
use super::wire::{self, Digests};

/// Commands that a session may have sent and not seen answered.
pub(super) const WINDOW: u32 = 32;

/// What a PDU does to StatSN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stat {
    /// It carries a status, and takes the next number.
    Status,
    /// It carries none, and shows the next number.
    None,
}

/// Where a command stands in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// It is the next one.
    Now,
    /// One before it did not come yet.
    Later,
    /// It is outside the window, and to be ignored.
    Never,
}

/// The sending end.
#[derive(Debug)]
pub(super) struct Link {
    out: Mutex<Out>,
}

#[derive(Debug)]
struct Out {
    stream: TcpStream,
    digests: Digests,
    stat_sn: u32,
    exp_cmd_sn: u32,
    max_cmd_sn: u32,
}

impl Link {
    pub fn new(stream: TcpStream) -> Self {
        Self {
            out: Mutex::new(Out {
                stream,
                digests: Digests::default(),
                stat_sn: 0,
                exp_cmd_sn: 0,
                max_cmd_sn: 0,
            }),
        }
    }

    /// Takes the counters of a login's first request: one login at a time has a place.
    pub fn begin(&self, request: &LoginRequest) {
        let mut out = self.lock();
        out.stat_sn = request.exp_stat_sn.get();
        out.exp_cmd_sn = request.cmd_sn.get();
        out.max_cmd_sn = request.cmd_sn.get();
    }

    /// Sends the last response of a login; commands follow.
    pub fn open(
        &self,
        digests: Digests,
        header: impl Into<[u8; HEADER_LEN]>,
        data: &[u8],
    ) -> io::Result<()> {
        let mut out = self.lock();
        out.max_cmd_sn = out.exp_cmd_sn.wrapping_add(WINDOW - 1);
        out.send(header.into(), data, Stat::Status)?;
        out.digests = digests;
        Ok(())
    }

    /// Sends a PDU.
    pub fn send(
        &self,
        header: impl Into<[u8; HEADER_LEN]>,
        data: &[u8],
        stat: Stat,
    ) -> io::Result<()> {
        self.lock().send(header.into(), data, stat)
    }

    /// Refuses a PDU, and shows its header again.
    pub fn reject(&self, header: &[u8; HEADER_LEN], reason: RejectReason) -> io::Result<()> {
        let reject = Reject {
            flags: header::FINAL,
            reason: reason as u8,
            task_tag: header::be32(header::NO_TAG),
            ..Reject::empty()
        };
        self.send(reject, header, Stat::Status)
    }

    /// Where a command with this number stands; the next one is counted as received.
    pub fn order(&self, cmd_sn: u32) -> Order {
        let mut out = self.lock();
        let ahead = cmd_sn.wrapping_sub(out.exp_cmd_sn);
        let room = out.max_cmd_sn.wrapping_sub(out.exp_cmd_sn).wrapping_add(1);
        if room > WINDOW || ahead >= room {
            Order::Never // the window may be closed: then MaxCmdSN is one less than ExpCmdSN
        } else if ahead > 0 {
            Order::Later
        } else {
            out.exp_cmd_sn = out.exp_cmd_sn.wrapping_add(1);
            Order::Now
        }
    }

    /// So many commands are done: as many more may come.
    pub fn release(&self, commands: u32) {
        let mut out = self.lock();
        out.max_cmd_sn = out.max_cmd_sn.wrapping_add(commands);
    }

    /// A thread that panicked while sending leaves a broken stream at worst.
    fn lock(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Out {
    fn send(&mut self, mut header: [u8; HEADER_LEN], data: &[u8], stat: Stat) -> io::Result<()> {
        header::set_counters(&mut header, self.stat_sn, self.exp_cmd_sn, self.max_cmd_sn);
        if stat == Stat::Status {
            self.stat_sn = self.stat_sn.wrapping_add(1);
        }
        wire::send(&mut self.stream, self.digests, header, data)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_window_moves_with_what_is_done() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let link = Link::new(stream);
        let mut request = LoginRequest::empty();
        let first = u32::MAX - 3; // it wraps
        request.cmd_sn = header::be32(first);
        link.begin(&request);
        link.open(Digests::default(), header::LoginResponse::empty(), b"")
            .unwrap();
        assert_eq!(link.order(first.wrapping_sub(1)), Order::Never);
        assert_eq!(link.order(first.wrapping_add(WINDOW)), Order::Never);
        assert_eq!(link.order(first.wrapping_add(1)), Order::Later);
        for ahead in 0..WINDOW {
            assert_eq!(link.order(first.wrapping_add(ahead)), Order::Now);
        }
        let next = first.wrapping_add(WINDOW);
        assert_eq!(link.order(next), Order::Never, "the window is closed");
        link.release(2);
        assert_eq!(link.order(next.wrapping_add(2)), Order::Never);
        assert_eq!(link.order(next), Order::Now);
        assert_eq!(link.order(next), Order::Never, "it came already");
    }
}
