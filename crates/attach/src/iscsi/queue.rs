//! The commands of one session between coming and being carried out.
//!
//! A connection's reader puts commands in and hands their data over; its worker takes them out
//! one by one, in the order of their CmdSN, and asks for data that are missing.
//!
//! Invariants: only the command that is being carried out has data asked for, so a session
//! holds no more than one transfer and what came unasked with the commands that wait; data come
//! in order, in one piece after the other; what is aborted is not answered.
//!
//! Source: RFC 7143, sections 4.2.2, 4.2.5, 11.5 and 11.7.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::header::{DataOut, FINAL, NO_TAG, RejectReason};

/// A command with the data that came so far.
#[derive(Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // what its header says, bit by bit
pub(super) struct Task {
    pub tag: u32,
    pub lun: [u8; 8],
    pub cdb: [u8; 16],
    /// Whether more headers came with it: a longer command, or one with data both ways.
    pub is_extended: bool,
    /// Whether the initiator expects data.
    pub reads: bool,
    /// Whether the initiator has data.
    pub writes: bool,
    /// How many.
    pub expected: usize,
    pub data: Vec<u8>,
    /// Whether it takes a place in the window of commands.
    pub is_counted: bool,
    /// Whether its data came out of order; more of them may still come, and are dropped.
    pub is_broken: bool,
}

/// What to do when the command that is carried out is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Management {
    /// Answer only.
    Nothing,
    /// Reset the drive first.
    Reset,
    /// Reset the drive, and end all sessions.
    ColdReset,
}

/// A request about commands, ready to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    pub tag: u32,
    pub management: Management,
    /// The answer's code (11.6.1).
    pub response: u8,
    pub is_counted: bool,
}

/// What the worker turns to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Job {
    Task(Task),
    Request(Request),
}

/// A sequence of data that may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Burst {
    /// What the data carry: the tag of the request for them, or none.
    pub target_tag: u32,
    /// Where it ends in the command's data at most.
    pub end: usize,
    /// The number of the next PDU.
    data_sn: u32,
}

impl Burst {
    /// A sequence up to `end`.
    pub fn new(target_tag: u32, end: usize) -> Self {
        Self {
            target_tag,
            end,
            data_sn: 0,
        }
    }

    /// Takes the next PDU of the sequence into `data`; whether it was the last. Nothing can be
    /// made of a PDU out of order, nor of what follows it.
    fn take(&mut self, pdu: &DataOut, bytes: &[u8], data: &mut Vec<u8>) -> Result<bool, Broken> {
        let in_order = pdu.data_sn.get() == self.data_sn
            && usize::try_from(pdu.buffer_offset.get()) == Ok(data.len());
        if !in_order || data.len() + bytes.len() > self.end {
            return Err(Broken);
        }
        data.extend_from_slice(bytes);
        self.data_sn += 1;
        Ok(pdu.flags & FINAL != 0)
    }
}

/// What became of a command that was to be aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aborted {
    /// It waited, and is gone; whether it had a place in the window.
    Waiting { was_counted: bool },
    /// It is being carried out, and will not be answered.
    Running,
    /// There is no such command.
    Unknown,
}

/// Why a command's data do not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoData {
    /// It was aborted, or the session is over: the worker has no more to do with it.
    Interrupted,
    /// They came out of order, or not as many as were to come.
    Broken,
}

/// A sequence of data that is not what it should be.
struct Broken;

/// The command that was carried out is not to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interrupted;

#[derive(Debug)]
struct Waiting {
    task: Task,
    /// Data that still come unasked.
    unsolicited: Option<Burst>,
}

#[derive(Debug)]
struct Running {
    tag: u32,
    data: Vec<u8>,
    burst: Option<Burst>,
    is_aborted: bool,
    is_broken: bool,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    requests: VecDeque<Request>,
    running: Option<Running>,
    is_closed: bool,
}

/// The commands of one session.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

impl Queue {
    /// Puts a command at the end. `unsolicited` are data that come unasked after it.
    pub fn push(&self, task: Task, unsolicited: Option<Burst>) -> Result<(), RejectReason> {
        let mut state = self.lock();
        let running = state.running.as_ref().map(|running| running.tag);
        let waiting = state.waiting.iter().map(|waiting| waiting.task.tag);
        if task.tag == NO_TAG
            || running
                .into_iter()
                .chain(waiting)
                .any(|tag| tag == task.tag)
        {
            return Err(RejectReason::TaskInProgress);
        }
        state.waiting.push_back(Waiting { task, unsolicited });
        self.changed.notify_all();
        Ok(())
    }

    /// Puts a request before all commands that wait.
    pub fn push_request(&self, request: Request) {
        self.lock().requests.push_back(request);
        self.changed.notify_all();
    }

    /// Commands and requests that wait.
    pub fn len(&self) -> usize {
        let state = self.lock();
        state.waiting.len() + state.requests.len()
    }

    /// Hands over data of a command. Data of one that is unknown belong to one that was aborted
    /// meanwhile, and are dropped. The error is of data that nobody asked for.
    pub fn data_out(&self, pdu: &DataOut, bytes: &[u8]) -> Result<(), RejectReason> {
        let mut state = self.lock();
        let (tag, target_tag) = (pdu.task_tag.get(), pdu.target_tag.get());
        if let Some(running) = state.running.as_mut().filter(|running| running.tag == tag) {
            if running.is_broken {
                return Ok(());
            }
            let Some(burst) = running
                .burst
                .as_mut()
                .filter(|b| b.target_tag == target_tag)
            else {
                return Err(RejectReason::ProtocolError);
            };
            let end = burst.end;
            match burst.take(pdu, bytes, &mut running.data) {
                Ok(false) if running.data.len() < end => return Ok(()),
                Ok(_) if running.data.len() == end => running.burst = None,
                Ok(_) | Err(Broken) => running.is_broken = true,
            }
        } else {
            let mut waiting = state.waiting.iter_mut();
            let Some(waiting) = waiting.find(|waiting| waiting.task.tag == tag) else {
                return Ok(());
            };
            if waiting.task.is_broken {
                return Ok(());
            }
            let unsolicited = waiting.unsolicited.as_mut();
            let Some(burst) = unsolicited.filter(|b| b.target_tag == target_tag) else {
                return Err(RejectReason::ProtocolError);
            };
            match burst.take(pdu, bytes, &mut waiting.task.data) {
                Ok(false) => return Ok(()),
                Ok(true) => {}
                Err(Broken) => waiting.task.is_broken = true,
            }
            waiting.unsolicited = None;
        }
        self.changed.notify_all();
        Ok(())
    }

    /// The next thing to do, as soon as there is one; `None` when the session is over.
    pub fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(request) = state.requests.pop_front() {
                return Some(Job::Request(request));
            }
            if state
                .waiting
                .front()
                .is_some_and(|front| front.unsolicited.is_none())
                && let Some(Waiting { task, .. }) = state.waiting.pop_front()
            {
                state.running = Some(Running {
                    tag: task.tag,
                    data: Vec::new(),
                    burst: None,
                    is_aborted: false,
                    is_broken: task.is_broken,
                });
                return Some(Job::Task(task));
            }
            state = self.wait(state);
        }
    }

    /// Adds to the running command's data what `burst` brings; its request goes out by `ask`
    /// once the data can come.
    pub fn collect(
        &self,
        data: &mut Vec<u8>,
        burst: Burst,
        ask: impl FnOnce() -> std::io::Result<()>,
    ) -> Result<(), NoData> {
        match self.lock().running.as_mut() {
            Some(running) if running.is_broken => return Err(NoData::Broken),
            Some(running) if !running.is_aborted => {
                running.data = std::mem::take(data);
                running.burst = Some(burst);
            }
            _ => return Err(NoData::Interrupted),
        }
        ask().map_err(|_| NoData::Interrupted)?;
        let mut state = self.lock();
        loop {
            let is_closed = state.is_closed;
            match state.running.as_mut() {
                Some(running) if !running.is_aborted && !is_closed => {
                    if running.is_broken {
                        return Err(NoData::Broken);
                    }
                    if running.burst.is_none() {
                        *data = std::mem::take(&mut running.data);
                        return Ok(());
                    }
                }
                _ => return Err(NoData::Interrupted),
            }
            state = self.wait(state);
        }
    }

    /// The running command is done; whether it is still to be answered.
    pub fn finish(&self) -> Result<(), Interrupted> {
        let mut state = self.lock();
        let running = state.running.take();
        match running {
            Some(running) if !running.is_aborted && !state.is_closed => Ok(()),
            _ => Err(Interrupted),
        }
    }

    /// Aborts a command.
    pub fn abort(&self, tag: u32) -> Aborted {
        let mut state = self.lock();
        if let Some(running) = state.running.as_mut().filter(|running| running.tag == tag) {
            running.is_aborted = true;
            self.changed.notify_all();
            return Aborted::Running;
        }
        let place = state
            .waiting
            .iter()
            .position(|waiting| waiting.task.tag == tag);
        match place.and_then(|place| state.waiting.remove(place)) {
            Some(waiting) => {
                self.changed.notify_all();
                Aborted::Waiting {
                    was_counted: waiting.task.is_counted,
                }
            }
            None => Aborted::Unknown,
        }
    }

    /// Aborts all commands; how many places in the window become free at once.
    pub fn abort_all(&self) -> u32 {
        let mut state = self.lock();
        if let Some(running) = &mut state.running {
            running.is_aborted = true;
        }
        let gone = std::mem::take(&mut state.waiting);
        self.changed.notify_all();
        gone.iter()
            .map(|waiting| u32::from(waiting.task.is_counted))
            .sum()
    }

    /// The session is over.
    pub fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.waiting.clear();
        self.changed.notify_all();
    }

    /// No thread panics between two changes that belong together.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use zerocopy::byteorder::big_endian::U32;

    use super::*;

    fn task(tag: u32) -> Task {
        Task {
            tag,
            lun: [0; 8],
            cdb: [0; 16],
            is_extended: false,
            reads: false,
            writes: true,
            expected: 8,
            data: Vec::new(),
            is_counted: true,
            is_broken: false,
        }
    }

    fn data(tag: u32, target_tag: u32, data_sn: u32, offset: u32, last: bool) -> DataOut {
        DataOut {
            flags: if last { FINAL } else { 0 },
            task_tag: U32::new(tag),
            target_tag: U32::new(target_tag),
            data_sn: U32::new(data_sn),
            buffer_offset: U32::new(offset),
            ..DataOut::empty()
        }
    }

    fn tag_of(job: Option<Job>) -> Option<u32> {
        match job? {
            Job::Task(task) => Some(task.tag),
            Job::Request(request) => Some(request.tag),
        }
    }

    #[test]
    fn commands_go_in_order_and_requests_before_them() {
        let queue = Queue::default();
        for tag in 1..=3 {
            queue.push(task(tag), None).unwrap();
        }
        assert_eq!(queue.push(task(2), None), Err(RejectReason::TaskInProgress));
        assert_eq!(tag_of(queue.next()), Some(1));
        assert_eq!(queue.push(task(1), None), Err(RejectReason::TaskInProgress));
        queue.push_request(Request {
            tag: 9,
            management: Management::Nothing,
            response: 0,
            is_counted: false,
        });
        assert_eq!(queue.len(), 3);
        assert_eq!(queue.finish(), Ok(()));
        assert_eq!(tag_of(queue.next()), Some(9));
        assert_eq!(tag_of(queue.next()), Some(2));
        queue.close();
        assert_eq!(tag_of(queue.next()), None);
    }

    #[test]
    fn a_command_waits_for_the_data_that_come_unasked() {
        let queue = Queue::default();
        queue.push(task(1), Some(Burst::new(NO_TAG, 8))).unwrap();
        queue
            .data_out(&data(1, NO_TAG, 0, 0, false), b"abcd")
            .unwrap();
        queue.data_out(&data(1, NO_TAG, 1, 4, true), b"ef").unwrap();
        let Some(Job::Task(task)) = queue.next() else {
            panic!("a task");
        };
        assert_eq!(task.data, b"abcdef");
    }

    #[test]
    fn data_that_are_asked_for_wake_the_worker() {
        let queue = Queue::default();
        queue.push(task(1), None).unwrap();
        queue.next();
        let mut collected = b"ab".to_vec();
        let ask = || {
            queue.data_out(&data(1, 7, 0, 2, false), b"cd").unwrap();
            queue.data_out(&data(1, 7, 1, 4, true), b"ef").unwrap();
            Ok(())
        };
        assert_eq!(queue.collect(&mut collected, Burst::new(7, 6), ask), Ok(()));
        assert_eq!(collected, b"abcdef");
        assert_eq!(queue.finish(), Ok(()));
    }

    #[test]
    fn data_out_of_order_break_their_command_alone() {
        let wrong = [
            (data(1, NO_TAG, 1, 4, false), &b"ef"[..]),
            (data(1, NO_TAG, 0, 0, false), b"ab"),
            (data(1, NO_TAG, 1, 2, false), b"much too long"),
        ];
        for (pdu, bytes) in wrong {
            let queue = Queue::default();
            queue.push(task(1), Some(Burst::new(NO_TAG, 8))).unwrap();
            queue
                .data_out(&data(1, NO_TAG, 0, 0, false), b"ab")
                .unwrap();
            queue.data_out(&pdu, bytes).unwrap();
            queue
                .data_out(&data(1, NO_TAG, 2, 4, true), b"rest")
                .unwrap();
            assert!(
                matches!(queue.next(), Some(Job::Task(task)) if task.is_broken),
                "{pdu:?}"
            );
            queue
                .data_out(&data(1, NO_TAG, 3, 6, true), b"more")
                .unwrap();
            let collected = queue.collect(&mut Vec::new(), Burst::new(7, 6), || Ok(()));
            assert_eq!(collected, Err(NoData::Broken));
        }
    }

    #[test]
    fn less_than_was_asked_for_breaks_a_command() {
        let queue = Queue::default();
        queue.push(task(1), None).unwrap();
        queue.next();
        let ask = || {
            queue.data_out(&data(1, 7, 0, 0, true), b"few").unwrap();
            Ok(())
        };
        let collected = queue.collect(&mut Vec::new(), Burst::new(7, 6), ask);
        assert_eq!(collected, Err(NoData::Broken));
    }

    #[test]
    fn data_that_nobody_asked_for_are_refused() {
        let queue = Queue::default();
        queue.push(task(1), Some(Burst::new(NO_TAG, 8))).unwrap();
        queue.push(task(2), None).unwrap();
        for tag in [1, 2] {
            let refused = queue.data_out(&data(tag, 5, 0, 0, true), b"data");
            assert_eq!(refused, Err(RejectReason::ProtocolError));
        }
        assert_eq!(
            queue.data_out(&data(3, 7, 0, 0, true), b"late"),
            Ok(()),
            "it was aborted"
        );
    }

    #[test]
    fn what_is_aborted_is_not_answered() {
        let queue = Queue::default();
        for tag in 1..=4 {
            queue.push(task(tag), None).unwrap();
        }
        queue.next();
        assert_eq!(queue.abort(2), Aborted::Waiting { was_counted: true });
        assert_eq!(queue.abort(2), Aborted::Unknown);
        assert_eq!(queue.abort(1), Aborted::Running);
        let collected = queue.collect(&mut Vec::new(), Burst::new(7, 6), || Ok(()));
        assert_eq!(collected, Err(NoData::Interrupted));
        assert_eq!(queue.finish(), Err(Interrupted));
        assert_eq!(tag_of(queue.next()), Some(3));
        assert_eq!(queue.abort_all(), 1, "the one that waits");
        assert_eq!(queue.finish(), Err(Interrupted));
    }

    #[test]
    fn closing_ends_a_wait_for_data() {
        let queue = Queue::default();
        queue.push(task(1), None).unwrap();
        queue.next();
        std::thread::scope(|scope| {
            let worker =
                scope.spawn(|| queue.collect(&mut Vec::new(), Burst::new(7, 6), || Ok(())));
            queue.close();
            assert_eq!(worker.join().unwrap(), Err(NoData::Interrupted));
        });
    }
}
