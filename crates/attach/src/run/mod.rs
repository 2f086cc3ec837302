//! Programs that see an emulated drive as a block device, `/dev/sr0`, which does not exist.
//!
//! [`run`] starts a program whose system calls on files are stopped by the kernel and answered
//! here where they concern the drive; all others go on as if nobody had asked (seccomp user
//! notification, seccomp_unotify(2)). What the program starts is included, whatever language it
//! is written in and however it is linked. No kernel module and no privilege is needed.
//!
//! Invariants:
//! - A call is answered once; one that is not certain to concern the drive is the kernel's.
//! - What was read from a process counts only if its call still waited afterwards.
//! - Commands reach the drive one by one, from one thread, in the order in which calls came.
//! - The system calls of programs wait for the drive only if they are for the drive.
//!
//! What a program does with the descriptor itself, copying or inheriting it, is the kernel's.

mod calls;
mod device;
mod error;
mod files;
mod filter;
mod ioctl;
mod memory;
mod names;
mod serve;
mod sg;
mod stat;
mod supervise;
mod system;

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::thread;

use reburn_drive::Drive;

pub use error::RunError;
use supervise::supervise;
use system::{Handover, filter_child, receive_listener};

/// The kernel's numbers of the first CD-ROM device.
const DEVICE_NUMBERS: (u32, u32) = (11, 0);

/// Runs `program` with `drive` as the block device `device`, an absolute path at which nothing
/// needs to exist; how the program ended.
///
/// Returns when the program and everything it started have ended: what still ran could not use
/// its files any more. The drive should be ready, its reset heard out; what its buffer holds at
/// the end stays there.
pub fn run(
    drive: impl Drive + Send,
    device: &Path,
    mut program: Command,
) -> Result<ExitStatus, RunError> {
    let name = program.get_program().to_string_lossy().into_owned();
    let start_failed = |source| RunError::Start {
        program: name.clone(),
        source,
    };
    let (ours, theirs) = UnixStream::pair().map_err(start_failed)?;
    filter_child(&mut program, filter::program(), theirs);
    thread::scope(|scope| {
        // It must be there before the program: the calls of a program that cannot be started
        // are answered too.
        let supervisor = scope.spawn(move || match receive_listener(&ours)? {
            Handover::Listener(listener) => {
                supervise(&listener, drive, device)?;
                Ok(Supervised::ToTheEnd)
            }
            Handover::Refused => Ok(Supervised::Refused),
            Handover::Nothing => Ok(Supervised::Nothing),
        });
        let child = program.spawn();
        // It holds the other end of the channel.
        drop(program);
        let ended = child.and_then(|mut child| child.wait());
        let supervised: io::Result<Supervised> = supervisor.join().unwrap_or_else(|panic| {
            std::panic::resume_unwind(panic);
        });
        match (ended, supervised) {
            (Err(source), Ok(Supervised::Refused)) => Err(RunError::Refused { source }),
            (Err(source), _) => Err(start_failed(source)),
            (Ok(_), Err(source)) => Err(RunError::Lost { source }),
            (Ok(status), Ok(_)) => Ok(status),
        }
    })
}

/// How far the supervisor came.
#[derive(Debug)]
enum Supervised {
    ToTheEnd,
    Refused,
    Nothing,
}
