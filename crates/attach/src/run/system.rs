//! The system calls that neither the standard library nor rustix have: installing the filter in
//! a child, and the listener on which its calls arrive. The only `unsafe` of this crate.
//!
//! Source: seccomp(2) and seccomp_unotify(2) of the Linux manual.
#![allow(unsafe_code)]

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// One instruction of a filter.
pub use libc::sock_filter as Instruction;

/// A system call that waits for an answer.
#[derive(Debug, Clone, Copy)]
pub struct Notification {
    /// Its number among the notifications.
    pub id: u64,
    /// The thread that makes it; 0 for one that this process cannot see.
    pub thread: u32,
    /// The number of the system call.
    pub number: libc::c_long,
    /// Its arguments.
    pub arguments: [u64; 6],
}

/// What a system call is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The kernel carries it out, as if nobody had asked.
    Continue,
    /// It returns this.
    Returns(i64),
    /// It fails.
    Fails(Errno),
}

impl From<Result<i64, Errno>> for Answer {
    fn from(result: Result<i64, Errno>) -> Self {
        match result {
            Ok(value) => Self::Returns(value),
            Err(errno) => Self::Fails(errno),
        }
    }
}

/// Where the system calls of filtered processes arrive.
#[derive(Debug)]
pub struct Listener(OwnedFd);

impl Listener {
    /// The next call; waits for one.
    pub fn receive(&self) -> io::Result<Notification> {
        let mut raw = MaybeUninit::<libc::seccomp_notif>::zeroed();
        // SAFETY: the kernel fills one `seccomp_notif`, which `raw` has room for; it demands that
        // it be zero before.
        let done = unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_RECV,
                raw.as_mut_ptr(),
            )
        };
        checked(done)?;
        // SAFETY: it was zero, which is a valid value, before the kernel filled it.
        let raw = unsafe { raw.assume_init() };
        Ok(Notification {
            id: raw.id,
            thread: raw.pid,
            number: libc::c_long::from(raw.data.nr),
            arguments: raw.data.args,
        })
    }

    /// Whether the call still waits. What was read from its process before this said yes was
    /// read from the right one.
    pub fn still_waits(&self, id: u64) -> bool {
        // SAFETY: the kernel reads one number.
        let done = unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_ID_VALID,
                &raw const id,
            )
        };
        done == 0
    }

    /// Answers a call. One whose process is gone needs no answer.
    pub fn answer(&self, id: u64, answer: Answer) {
        let (val, error, flags) = match answer {
            Answer::Continue => (0, 0, CONTINUE),
            Answer::Returns(value) => (value, 0, 0),
            Answer::Fails(errno) => (0, -errno.raw_os_error(), 0),
        };
        let raw = libc::seccomp_notif_resp {
            id,
            val,
            error,
            flags,
        };
        // SAFETY: the kernel reads one `seccomp_notif_resp`.
        unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_SEND,
                &raw const raw,
            );
        }
    }

    /// Gives the caller a descriptor of `file`, the lowest that is free there, which is also the
    /// answer.
    pub fn answer_with_file(
        &self,
        id: u64,
        file: BorrowedFd<'_>,
        closes_on_exec: bool,
    ) -> io::Result<()> {
        let flags = if closes_on_exec { libc::O_CLOEXEC } else { 0 };
        let raw = libc::seccomp_notif_addfd {
            id,
            flags: SEND,
            srcfd: file.as_raw_fd().cast_unsigned(),
            newfd: 0,
            newfd_flags: flags.cast_unsigned(),
        };
        // SAFETY: the kernel reads one `seccomp_notif_addfd`; the descriptor in it is open.
        let done = unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_ADDFD,
                &raw const raw,
            )
        };
        checked(done)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The kernel's flags, in the types of its structures.
const CONTINUE: u32 = 1;
const SEND: u32 = 2;

fn checked(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Makes `command` install the filter right before it becomes the program, and send its listener
/// through `channel`, for [`receive_listener`] at the other end.
pub fn filter_child(command: &mut Command, filter: Vec<Instruction>, channel: UnixStream) {
    let before_exec = move || {
        let listener = install(&filter).inspect_err(|_| {
            // What the other end needs to know it from a program that is not there.
            let _ = sendmsg(
                &channel,
                &[IoSlice::new(&[0])],
                &mut SendAncillaryBuffer::new(&mut []),
                SendFlags::NOSIGNAL,
            );
        })?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut message = SendAncillaryBuffer::new(&mut space);
        let files = [listener.as_fd()];
        message.push(SendAncillaryMessage::ScmRights(&files));
        sendmsg(
            &channel,
            &[IoSlice::new(&[1])],
            &mut message,
            SendFlags::NOSIGNAL,
        )?;
        Ok(())
    };
    // SAFETY: between fork and exec it only makes system calls: it takes no lock and no memory.
    unsafe {
        command.pre_exec(before_exec);
    }
}

/// Filters the calls of this thread and of all that it becomes and starts.
fn install(filter: &[Instruction]) -> io::Result<OwnedFd> {
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len())
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?,
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: plain numbers.
    checked(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })?;
    let listener = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // With the second flag a signal waits for the answer to a call that was taken up, as it waits
    // for a command to a device. Kernels before 5.19 do not have it.
    let choices = [
        listener | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
        listener,
    ];
    for flags in choices {
        // SAFETY: the kernel reads the program, which outlives the call.
        let file = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                flags,
                &raw const program,
            )
        };
        if let Ok(file) = libc::c_int::try_from(file)
            && file >= 0
        {
            // SAFETY: the kernel made this descriptor for us.
            return Ok(unsafe { OwnedFd::from_raw_fd(file) });
        }
    }
    Err(io::Error::last_os_error())
}

/// What came of a child that was told to install the filter.
#[derive(Debug)]
pub enum Handover {
    /// It did.
    Listener(Listener),
    /// The kernel refused the filter.
    Refused,
    /// There was no child.
    Nothing,
}

/// Waits for the listener of a child that [`filter_child`] prepared.
pub fn receive_listener(channel: &UnixStream) -> io::Result<Handover> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut message = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let got = recvmsg(
        channel,
        &mut [IoSliceMut::new(&mut byte)],
        &mut message,
        flags,
    )?;
    let files = message.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    Ok(match (got.bytes, files.flatten().next()) {
        (_, Some(file)) => Handover::Listener(Listener(file)),
        (0, None) => Handover::Nothing,
        (_, None) => Handover::Refused,
    })
}
