//! Who answers which call: the loop that takes calls up, and the thread that does those for the
//! drive.
//!
//! The loop never waits for the drive, so a program that waits for a long command delays nobody
//! else. Calls for the drive are done by one thread, for a drive does one thing at a time.

use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use reburn_drive::Drive;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::DEVICE_NUMBERS;
use super::calls::{Call, FileCall, PathArgument};
use super::files::{Files, Mode, OpenFile};
use super::memory::Memory;
use super::names::{Named, look_up, pipe_behind};
use super::serve::{Server, Task};
use super::stat::DeviceNode;
use super::system::{Answer, Listener, Notification};

/// Answers calls until nobody is left to make any.
pub fn supervise(listener: &Listener, drive: impl Drive + Send, device: &Path) -> io::Result<()> {
    let files = Arc::new(Files::default());
    thread::scope(|scope| {
        let (tasks, queue) = channel();
        let mut server = Server::new(drive, Arc::clone(&files));
        scope.spawn(move || work(&mut server, listener, &queue));
        let front = Front {
            listener,
            device: device.to_owned(),
            node: DeviceNode::new(DEVICE_NUMBERS.0, DEVICE_NUMBERS.1),
            files,
            tasks,
        };
        front.listen()
    })
}

/// Does the calls for the drive, one after the other, until no more come.
fn work<D: Drive>(
    server: &mut Server<D>,
    listener: &Listener,
    queue: &Receiver<(Notification, Task)>,
) {
    for (notification, task) in queue {
        server.serve(listener, &notification, task);
        server.after_closing();
    }
    server.after_closing();
}

/// What takes calls up.
struct Front<'a> {
    listener: &'a Listener,
    device: PathBuf,
    node: DeviceNode,
    files: Arc<Files>,
    tasks: Sender<(Notification, Task)>,
}

/// What becomes of a call.
enum Verdict {
    /// It is answered at once.
    Now(Answer),
    /// It is for the drive.
    Later(Task),
}

impl Front<'_> {
    fn listen(&self) -> io::Result<()> {
        loop {
            let mut polled = [PollFd::from_borrowed_fd(
                self.listener.as_fd(),
                PollFlags::IN,
            )];
            match poll(&mut polled, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            let events = polled[0].revents();
            if !events.contains(PollFlags::IN) {
                if events.intersects(PollFlags::HUP | PollFlags::ERR) {
                    return Ok(());
                }
                continue;
            }
            match self.listener.receive() {
                Ok(notification) => self.take_up(&notification)?,
                // The one whose call it was is gone.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn take_up(&self, notification: &Notification) -> io::Result<()> {
        let verdict = match Call::of(notification) {
            Some(call) => self.judge(notification, call),
            None => Ok(Verdict::Now(Answer::Continue)),
        };
        match verdict {
            Ok(Verdict::Now(answer)) => self.listener.answer(notification.id, answer),
            Ok(Verdict::Later(task)) => self
                .tasks
                .send((*notification, task))
                .map_err(|_| io::Error::other("the thread that has the drive ended"))?,
            Err(errno) => self.listener.answer(notification.id, Answer::Fails(errno)),
        }
        Ok(())
    }

    fn judge(&self, notification: &Notification, call: Call) -> Result<Verdict, Errno> {
        match call {
            Call::Open { path, flags } if self.names_drive(notification, path) => open_with(flags),
            Call::OpenHow { path, how } if self.names_drive(notification, path) => {
                let mut flags = [0; 8];
                self.memory(notification)?.read(how, &mut flags)?;
                // Flags that open does not have are above.
                let [a, b, c, d, ..] = flags;
                open_with(i32::from_ne_bytes([a, b, c, d]))
            }
            Call::Stat {
                path,
                flags,
                result,
            } if self.stands_for_drive(notification, path, flags) => {
                self.give(notification, result, &self.node.stat())
            }
            Call::Statx {
                path,
                flags,
                result,
            } if self.stands_for_drive(notification, path, flags) => {
                self.give(notification, result, &self.node.statx())
            }
            Call::Access { path } | Call::Attributes { path }
                if self.names_drive(notification, path) =>
            {
                // All may be done, and nothing is attached.
                Ok(Verdict::Now(Answer::Returns(0)))
            }
            Call::Attribute { path } if self.names_drive(notification, path) => Err(Errno::NODATA),
            Call::ReadLink { path, result, room } => {
                self.judge_link(notification, path, (result, room))
            }
            Call::OnFile { file, act } => match (self.file(notification.thread, file), act) {
                (Some(_), FileCall::Stat { result }) => {
                    self.give(notification, result, &self.node.stat())
                }
                (Some(file), act) => Ok(Verdict::Later(Task::OnFile { file, act })),
                (None, _) => Ok(Verdict::Now(Answer::Continue)),
            },
            _ => Ok(Verdict::Now(Answer::Continue)),
        }
    }

    /// The drive's own path is no link; the link of a descriptor of it leads to it.
    fn judge_link(
        &self,
        notification: &Notification,
        path: PathArgument,
        (result, room): (u64, u64),
    ) -> Result<Verdict, Errno> {
        match self.named(notification, path) {
            Named::Device => Err(Errno::INVAL),
            Named::Descriptor { process, file } if self.file(process, file).is_some() => {
                let target = self.device.as_os_str().as_encoded_bytes();
                let room = usize::try_from(room).unwrap_or(usize::MAX);
                let target = &target[..target.len().min(room)];
                self.memory(notification)?.write(result, target)?;
                let length = i64::try_from(target.len()).unwrap_or(0);
                Ok(Verdict::Now(Answer::Returns(length)))
            }
            Named::Descriptor { .. } | Named::Other => Ok(Verdict::Now(Answer::Continue)),
        }
    }

    /// Stores the result of a stat.
    fn give(&self, call: &Notification, address: u64, result: &[u8]) -> Result<Verdict, Errno> {
        self.memory(call)?.write(address, result)?;
        Ok(Verdict::Now(Answer::Returns(0)))
    }

    /// The opening of the drive behind a process's descriptor.
    fn file(&self, process: u32, file: i32) -> Option<Arc<OpenFile>> {
        if file < 0 {
            return None;
        }
        self.files.get(pipe_behind(process, file)?)
    }

    /// Whether what a stat call names, by path or by descriptor, is the drive.
    fn stands_for_drive(&self, call: &Notification, path: PathArgument, flags: i32) -> bool {
        if flags & libc::AT_EMPTY_PATH != 0 && self.path(call, path).is_none_or(|p| p.is_empty()) {
            return self.file(call.thread, path.directory).is_some();
        }
        match self.named(call, path) {
            Named::Device => true,
            Named::Descriptor { process, file } => {
                // Without following, it is the link itself.
                flags & libc::AT_SYMLINK_NOFOLLOW == 0 && self.file(process, file).is_some()
            }
            Named::Other => false,
        }
    }

    /// Whether a path leads to the drive.
    fn names_drive(&self, call: &Notification, path: PathArgument) -> bool {
        match self.named(call, path) {
            Named::Device => true,
            Named::Descriptor { process, file } => self.file(process, file).is_some(),
            Named::Other => false,
        }
    }

    fn named(&self, call: &Notification, path: PathArgument) -> Named {
        match self.path(call, path) {
            Some(text) => look_up(&self.device, call.thread, path.directory, &text),
            None => Named::Other,
        }
    }

    /// The text of a path, if it can be read; otherwise the kernel may say why not.
    fn path(&self, call: &Notification, path: PathArgument) -> Option<Vec<u8>> {
        let memory = Memory::of(call.thread).ok()?;
        let text = memory.path(path.address).ok()?;
        self.listener.still_waits(call.id).then_some(text)
    }

    fn memory(&self, call: &Notification) -> Result<Memory, Errno> {
        waiting_memory(self.listener, call)
    }
}

/// What becomes of an open of the drive with these flags.
fn open_with(flags: i32) -> Result<Verdict, Errno> {
    let mode = Mode::from_flags(flags)?;
    Ok(Verdict::Later(Task::Open { mode }))
}

/// The memory of a call's process, which is certain to be the right one.
pub fn waiting_memory(listener: &Listener, call: &Notification) -> Result<Memory, Errno> {
    let memory = Memory::of(call.thread)?;
    if listener.still_waits(call.id) {
        Ok(memory)
    } else {
        Err(Errno::SRCH)
    }
}
