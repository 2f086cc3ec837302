//! One drive for several front ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reburn_drive::{CommandError, Data, Drive, DriveExt, Reply, TransportError};
use reburn_emulator::Emulator;
use reburn_mmc::Cdb;
use reburn_mmc::command::{StartStop, StartStopUnit};

use crate::Pace;

/// A handle on a drive; clones share it. Commands are carried out one by one.
///
/// Real time that passes between two commands passes in the drive too, and a command that takes
/// the drive long takes its host long, both at the drive's [`Pace`].
#[derive(Debug, Clone)]
pub struct SharedDrive {
    state: Arc<Mutex<State>>,
    pace: Pace,
}

#[derive(Debug)]
struct State {
    drive: Emulator,
    /// When the drive's clock was last the hosts' clock.
    seen: Instant,
}

impl SharedDrive {
    /// Shares a drive; its time begins to pass.
    pub fn new(drive: Emulator, pace: Pace) -> Self {
        let seen = Instant::now();
        let state = Arc::new(Mutex::new(State { drive, seen }));
        Self { state, pace }
    }

    /// Uses the drive directly, beside its hosts: to plant a fault, cut its power, change its
    /// disc. Commands wait as long as it takes.
    pub fn with<R>(&self, use_it: impl FnOnce(&mut Emulator) -> R) -> R {
        let mut state = self.lock();
        state.catch_up(self.pace);
        use_it(&mut state.drive)
    }

    /// Stops the disc, so that what the buffer holds stands on it. A drive that is dropped
    /// without loses that, as with a power cut.
    pub fn shut_down(&mut self) -> Result<(), CommandError> {
        self.clear_attentions()?;
        let stop = StartStopUnit {
            action: StartStop::Stop,
            immediate: false,
        };
        self.command(stop, Data::None).map(drop)
    }

    /// A front end that panicked left the drive between two commands at worst.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn catch_up(&mut self, pace: Pace) {
        let now = Instant::now();
        let passed = pace.modelled(now.saturating_duration_since(self.seen));
        self.seen = now;
        self.drive.wait(passed);
    }
}

impl Drive for SharedDrive {
    fn execute(&mut self, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError> {
        let mut state = self.lock();
        state.catch_up(self.pace);
        let before = state.drive.modelled_time();
        let reply = state.drive.execute(cdb, data);
        let worked = state.drive.modelled_time().saturating_sub(before);
        // The bus stays busy meanwhile: others wait for the lock.
        let rest = self.pace.real(worked).saturating_sub(state.seen.elapsed());
        if rest > SHORTEST_SLEEP {
            std::thread::sleep(rest);
        }
        state.seen = Instant::now();
        reply
    }

    fn wait(&mut self, time: Duration) {
        std::thread::sleep(self.pace.real(time));
    }

    fn transfer_limit(&self) -> usize {
        self.lock().drive.transfer_limit()
    }
}

/// Sleeps cost more than this; what is shorter passes unnoticed.
const SHORTEST_SLEEP: Duration = Duration::from_micros(200);

#[cfg(test)]
mod tests {
    use reburn_blocks::{BLOCK_SIZE, BlockRead, Lba};
    use reburn_emulator::{MediumKind, VirtualDisc};

    use super::*;

    fn drive() -> SharedDrive {
        let drive = Emulator::with_disc(VirtualDisc::formatted(MediumKind::DvdRam));
        SharedDrive::new(drive, Pace::times(10_000))
    }

    #[test]
    fn what_one_host_writes_another_reads() {
        let mut one = drive();
        one.clear_attentions().unwrap();
        let mut other = one.clone();
        let writer = std::thread::spawn(move || {
            for number in 0..100u8 {
                let block = [number; BLOCK_SIZE];
                one.write(Lba::new(u32::from(number)), &block).unwrap();
            }
        });
        let mut block = [0; BLOCK_SIZE];
        for _ in 0..100 {
            other.read(Lba::new(99), &mut block).unwrap();
            assert!([0, 99].contains(&block[0]));
        }
        writer.join().unwrap();
        other.read(Lba::new(99), &mut block).unwrap();
        assert_eq!(block, [99; BLOCK_SIZE]);
    }

    #[test]
    fn shutting_down_empties_the_buffer() {
        let mut drive = drive();
        drive.clear_attentions().unwrap();
        drive.write(Lba::ZERO, &[5; BLOCK_SIZE]).unwrap();
        drive.shut_down().unwrap();
        drive.with(|drive| {
            let mut block = [0; BLOCK_SIZE];
            let disc = drive.disc().unwrap();
            disc.read_blocks(Lba::ZERO, &mut block).unwrap();
            assert_eq!(block, [5; BLOCK_SIZE]);
            assert!(drive.buffered().is_empty());
        });
    }

    #[test]
    fn real_time_passes_in_the_drive() {
        let mut drive = drive();
        let before = drive.with(|drive| drive.modelled_time());
        drive.wait(Duration::from_secs(30)); // 3 ms here
        let after = drive.with(|drive| drive.modelled_time());
        assert!(after.saturating_sub(before) >= Duration::from_secs(30));
    }
}
