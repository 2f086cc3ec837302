//! A drive that answers anything to anything: the recorder ends, does not panic, and never says
//! that all is well when blocks are missing.

mod common;

use std::time::Duration;

use common::*;
use proptest::prelude::*;
use reburn_blocks::{CrashClass, EpochRole, WriteUnit};
use reburn_drive::{Data, Drive, Reply, TransportError};
use reburn_mmc::{Cdb, Sense, SenseKey};
use reburn_recorder::{DiscState, Recorder};

/// What happens to one command.
#[derive(Debug, Clone)]
enum Whim {
    /// It is carried out.
    Obeys,
    /// It fails with any sense at all. It may have been carried out even so, if the sense can
    /// mean that, and was if only an effort is reported.
    Fails { sense: Sense, carried_out: bool },
    /// Its reply is these bytes, over and over. Blocks are not affected.
    Babbles(Vec<u8>),
}

/// A drive whose whims come round again and again.
struct Capricious {
    drive: ScriptedDrive,
    whims: Vec<Whim>,
    commands: usize,
}

impl Drive for Capricious {
    fn execute(&mut self, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError> {
        const READ_10: u8 = 0x28;
        let whim = self.whims[self.commands % self.whims.len()].clone();
        self.commands += 1;
        self.drive.log.clear();
        match whim {
            Whim::Fails { sense, carried_out } => {
                let done = match sense.key {
                    _ if sense.deferred => false, // the sense is of another command
                    SenseKey::RecoveredError => true,
                    SenseKey::MediumError | SenseKey::HardwareError | SenseKey::AbortedCommand => {
                        carried_out
                    }
                    _ => false,
                };
                if done {
                    self.drive.execute(cdb, data)?;
                }
                Ok(Reply::refused(sense))
            }
            Whim::Babbles(bytes) if cdb.opcode() != READ_10 => {
                if let Data::In(room) = data {
                    for (byte, babble) in room.iter_mut().zip(bytes.iter().cycle()) {
                        *byte = *babble;
                    }
                    return Ok(Reply::good(room.len()));
                }
                self.drive.execute(cdb, data)
            }
            Whim::Obeys | Whim::Babbles(_) => self.drive.execute(cdb, data),
        }
    }

    fn wait(&mut self, _: Duration) {}
}

fn sense() -> impl Strategy<Value = Sense> {
    let likely = prop::sample::select(vec![
        Sense::BECOMING_READY,
        Sense::START_NEEDED,
        Sense::FORMAT_IN_PROGRESS,
        Sense::LONG_WRITE_IN_PROGRESS,
        Sense::NO_MEDIUM,
        Sense::WRITE_ERROR,
        Sense::UNCORRECTABLE_ERROR,
        Sense::INVALID_COMMAND,
        Sense::MEDIUM_CHANGED,
        Sense::POWER_ON_RESET,
        Sense::WRITE_PROTECTED,
    ]);
    let unlikely = (0u8..16, any::<u8>(), any::<u8>())
        .prop_map(|(key, asc, ascq)| Sense::new(SenseKey::from_low_bits(key), asc, ascq));
    let block = prop_oneof![
        Just(None),
        (0u32..250).prop_map(Some),
        any::<u32>().prop_map(Some)
    ];
    (
        prop_oneof![4 => likely, 1 => unlikely],
        block,
        any::<bool>(),
    )
        .prop_map(|(sense, information, deferred)| Sense {
            information,
            deferred,
            ..sense
        })
}

fn whims() -> impl Strategy<Value = Vec<Whim>> {
    let fails = (sense(), any::<bool>())
        .prop_map(|(sense, carried_out)| Whim::Fails { sense, carried_out });
    let babbles = prop::collection::vec(any::<u8>(), 1..64).prop_map(Whim::Babbles);
    let whim = prop_oneof![30 => Just(Whim::Obeys), 3 => fails, 1 => babbles];
    prop::collection::vec(whim, 1..90)
}

proptest! {
    #[test]
    fn whatever_a_drive_says_the_recorder_ends(whims in whims(), formatted in any::<bool>()) {
        const COMMANDS_MAX: usize = 100_000;
        let drive = || {
            let mut drive = ScriptedDrive::dvd_plus_rw();
            drive.formatted = formatted;
            Capricious { drive, whims: whims.clone(), commands: 0 }
        };
        let source = filled(200, 7);

        let mut image = drive();
        let recorded = Recorder::new(&mut image).record_image(&source, &mut go_on);
        prop_assert!(image.commands < COMMANDS_MAX);
        if let Ok(outcome) = recorded {
            prop_assert!(outcome.recorded.get() >= 200, "{}", outcome);
        }

        let mut plan_drive = drive();
        let plan = plan(WriteUnit::DVD, CrashClass::Recoverable, &[(64, 127)], &[(16, 31)]);
        let recorded = Recorder::new(&mut plan_drive).record_plan(&plan, &source, &mut go_on);
        prop_assert!(plan_drive.commands < COMMANDS_MAX);
        let new = |role| {
            let epochs = plan.modified.epochs().iter().filter(move |epoch| epoch.role == role);
            let ranges = epochs.flat_map(|epoch| epoch.ranges.iter());
            ranges.flat_map(|range| range.start_lba().get()..range.end_exclusive())
                .filter(|&lba| plan_drive.drive.holds(lba) == 7)
                .count()
        };
        match recorded.map_err(|failure| failure.state) {
            Ok(_) | Err(DiscState::Recorded) => {
                prop_assert_eq!(new(EpochRole::Shadow) + new(EpochRole::Commit), 80);
            }
            Err(DiscState::Unchanged) => {
                prop_assert_eq!(new(EpochRole::Shadow) + new(EpochRole::Commit), 0);
            }
            Err(DiscState::OldTree) => prop_assert_eq!(new(EpochRole::Commit), 0),
            Err(DiscState::Committing { .. } | DiscState::Unconfirmed { .. }) => {}
            Err(state) => prop_assert!(false, "{:?}", state),
        }
    }
}
