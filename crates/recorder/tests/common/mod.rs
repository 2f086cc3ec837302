//! A drive that plays by a script: it logs every command, keeps what it was sent in a buffer
//! until a barrier, and answers as told where a test tells it.

#![allow(dead_code)] // each test file uses its part

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, CrashClass, Digest, Epoch, EpochRole,
    Fingerprint, FingerprintPart, Lba, ModifiedBlocks, Plan, Protocol, WriteUnit,
};
use reburn_drive::software::{Answer, Outcome, deliver, extent, room, sent};
use reburn_drive::{Data, Drive, Reply, TransportError};
use reburn_mmc::command::Command;
use reburn_mmc::reply::{
    BackgroundFormat, Capacity, Configuration, DiscInformation, Feature, FeatureDescriptor,
    FormatCapacities, FormatDescriptor, FormatKind, FormatParameters, FormattedCapacity,
    InquiryData,
};
use reburn_mmc::{Cdb, Profile, Sense};
use reburn_recorder::Event;

/// What happens instead of the command.
#[derive(Debug, Clone, Copy)]
pub enum Twist {
    /// The drive answers this, and does nothing.
    Says(Sense),
    /// The drive does what it was told, then answers this.
    DoesAndSays(Sense),
    /// The drive says that it is done, and does nothing.
    Lies,
    /// The drive loses its buffer and its lock, and reports a reset.
    Resets,
    /// The drive does not answer any more.
    Vanishes,
}

/// A drive with a medium of a few hundred blocks.
pub struct ScriptedDrive {
    pub profile: Profile,
    pub unit: WriteUnit,
    pub block_size: u32,
    pub blocks: u32,
    pub formatted: bool,
    pub write_protected: bool,
    /// What is durable. Blocks that are missing read as zeros.
    pub medium: BTreeMap<u32, Vec<u8>>,
    pub locked: bool,
    pub waited: Duration,
    pub disc: DiscInformation,
    pub formats: Vec<FormatDescriptor>,
    pub log: Vec<String>,
    buffer: BTreeMap<u32, Vec<u8>>,
    script: Vec<(&'static str, usize, VecDeque<Twist>)>,
}

impl ScriptedDrive {
    /// A formatted medium of 512 blocks.
    pub fn new(profile: Profile, unit: WriteUnit) -> Self {
        Self {
            profile,
            unit,
            block_size: 2048,
            blocks: 512,
            formatted: true,
            write_protected: false,
            medium: BTreeMap::new(),
            locked: false,
            waited: Duration::ZERO,
            disc: DiscInformation::OVERWRITABLE,
            formats: Vec::new(),
            log: Vec::new(),
            buffer: BTreeMap::new(),
            script: Vec::new(),
        }
    }

    pub fn dvd_plus_rw() -> Self {
        Self::new(Profile::DVD_PLUS_RW, WriteUnit::DVD)
    }

    /// After `skip` commands of that name, the next ones come to this.
    pub fn twist(&mut self, name: &'static str, skip: usize, twists: &[Twist]) {
        self.script
            .push((name, skip, twists.iter().copied().collect()));
    }

    /// The commands since the last time, joined by line ends.
    pub fn take_log(&mut self) -> String {
        std::mem::take(&mut self.log).join("\n")
    }

    /// The log since the last time, from the lock on, without questions that change nothing.
    pub fn take_actions(&mut self) -> String {
        let log = std::mem::take(&mut self.log);
        let questions = [
            "INQUIRY",
            "GET CONF",
            "READ CAPACITY",
            "READ FORMAT",
            "READ DISC",
            "REQUEST",
        ];
        let mut kept: Vec<String> = Vec::new();
        for line in log
            .into_iter()
            .skip_while(|line| !line.starts_with("PREVENT"))
        {
            let follows = kept.last().is_some_and(|last| last == "TEST UNIT READY");
            if line.starts_with("  ") || !questions.iter().any(|start| line.starts_with(start)) {
                // A question is told only with what was said to it.
                if follows && !line.starts_with("  ") {
                    kept.pop();
                }
                kept.push(line);
            }
        }
        kept.join("\n")
    }

    /// Block `lba` as it would be after the power was cut.
    pub fn durable(&self, lba: u32) -> u8 {
        self.medium.get(&lba).map_or(0, |block| block[0])
    }

    /// Block `lba` as the drive would read it now.
    pub fn holds(&self, lba: u32) -> u8 {
        self.buffer
            .get(&lba)
            .map_or_else(|| self.durable(lba), |block| block[0])
    }

    /// Every entry counts every command of its name.
    fn twist_for(&mut self, name: &str) -> Option<Twist> {
        let mut twist = None;
        for (of, skip, twists) in &mut self.script {
            if *of != name {
            } else if *skip > 0 {
                *skip -= 1;
            } else if twist.is_none() {
                twist = twists.pop_front();
            }
        }
        twist
    }

    fn configuration(&self) -> Configuration {
        let writable = self.formatted && !self.write_protected;
        let last = Lba::new(self.blocks - 1);
        let random_write = Feature::RandomWritable {
            last_lba: last,
            block_size: self.block_size,
            blocking: self.unit,
            error_recovery_page: true,
        };
        Configuration {
            current_profile: self.profile,
            features: vec![FeatureDescriptor::new(random_write, false, writable)],
        }
    }

    fn format_capacities(&self) -> FormatCapacities {
        let blocks = BlockCount::new(self.blocks);
        FormatCapacities {
            current: if self.formatted {
                FormattedCapacity::Formatted(blocks)
            } else {
                FormattedCapacity::Unformatted(blocks)
            },
            formattable: self.formats.clone(),
        }
    }

    fn control(&mut self, command: &Command, data: &Data<'_>) -> Outcome {
        match command {
            Command::TestUnitReady(_) | Command::StartStopUnit(_) | Command::SetCdSpeed(_) => {
                Ok(Answer::DONE)
            }
            Command::CloseTrackSession(_) => {
                self.disc.background_format = BackgroundFormat::Stopped;
                Ok(Answer::DONE)
            }
            Command::PreventAllow(command) => {
                self.locked = command.prevent;
                Ok(Answer::DONE)
            }
            Command::SynchronizeCache(_) => {
                self.medium.append(&mut self.buffer);
                Ok(Answer::DONE)
            }
            Command::FormatUnit(_) => {
                let Data::Out(list) = data else {
                    return Err(Sense::PARAMETER_LIST_LENGTH);
                };
                let parameters = FormatParameters::decode(list).expect("a parameter list");
                let FormatDescriptor {
                    blocks,
                    kind,
                    parameter,
                    ..
                } = parameters.descriptor;
                self.log.push(format!(
                    "  {kind}, {blocks} blocks, parameter {parameter:#x}"
                ));
                self.formatted = true;
                if kind == FormatKind::DVD_PLUS_RW {
                    self.disc.background_format = BackgroundFormat::Running;
                }
                Ok(Answer::DONE)
            }
            Command::Inquiry(command) => {
                let data = InquiryData {
                    device_type: InquiryData::OPTICAL,
                    removable: true,
                    version: 5,
                    vendor: "TEST".into(),
                    product: "SCRIPTED".into(),
                    revision: "1".into(),
                };
                Ok(Answer::bytes(data.encode(), command.allocation))
            }
            Command::RequestSense(command) => Ok(Answer::bytes(
                Sense::NONE.encode().to_vec(),
                command.allocation,
            )),
            Command::GetConfiguration(command) => Ok(Answer::bytes(
                self.configuration().encode(),
                command.allocation,
            )),
            Command::ReadFormatCapacities(command) => Ok(Answer::bytes(
                self.format_capacities().encode(),
                command.allocation,
            )),
            Command::ReadCapacity(_) => {
                let capacity = Capacity::ending_at(Lba::new(self.blocks - 1));
                Ok(Answer::bytes(capacity.encode(), u32::MAX))
            }
            Command::ReadDiscInformation(command) => {
                Ok(Answer::bytes(self.disc.encode(), command.allocation))
            }
            _ => Err(Sense::INVALID_COMMAND),
        }
    }

    fn read(&self, lba: Lba, count: u16, cdb: &Cdb, mut data: Data<'_>) -> Answered {
        let count = BlockCount::new(u32::from(count));
        if let Err(sense) = extent(lba, count, BlockCount::new(self.blocks)) {
            return Ok(Reply::refused(sense));
        }
        let room = room(cdb, &mut data, count)?;
        for (number, block) in (lba.get()..).zip(room.chunks_exact_mut(BLOCK_SIZE)) {
            match self.buffer.get(&number).or(self.medium.get(&number)) {
                Some(bytes) => block.copy_from_slice(bytes),
                None => block.fill(0),
            }
        }
        Ok(Reply::good(room.len()))
    }

    fn write(&mut self, lba: Lba, count: u16, cdb: &Cdb, data: &Data<'_>) -> Answered {
        let count = BlockCount::new(u32::from(count));
        if self.write_protected {
            return Ok(Reply::refused(Sense::WRITE_PROTECTED));
        }
        if let Err(sense) = extent(lba, count, BlockCount::new(self.blocks)) {
            return Ok(Reply::refused(sense));
        }
        let sent = sent(cdb, data, count)?;
        for (number, block) in (lba.get()..).zip(sent.chunks_exact(BLOCK_SIZE)) {
            self.buffer.insert(number, block.to_vec());
        }
        Ok(Reply::good(sent.len()))
    }

    fn carry_out(&mut self, command: &Command, cdb: &Cdb, data: Data<'_>) -> Answered {
        match command {
            Command::Read10(read) => self.read(read.lba, read.blocks, cdb, data),
            Command::Write10(write) => {
                let lba = write.address.lba().expect("a block");
                self.write(lba, write.blocks, cdb, &data)
            }
            command => deliver(cdb, self.control(command, &data), data),
        }
    }
}

type Answered = Result<Reply, TransportError>;

impl Drive for ScriptedDrive {
    fn execute(&mut self, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError> {
        let command = Command::from_cdb(cdb).expect("a sound command");
        let name = command.name();
        self.log.push(describe(&command));
        let twist = self.twist_for(name);
        let said = |sense| {
            let reply = Reply::refused(sense);
            (Ok(reply), format!("  {sense}"))
        };
        let (reply, line) = match twist {
            None => return self.carry_out(&command, cdb, data),
            // What REQUEST SENSE says is its data.
            Some(Twist::Says(sense)) if matches!(command, Command::RequestSense(_)) => {
                let answer = Ok(Answer::bytes(sense.encode().to_vec(), 18u8));
                (deliver(cdb, answer, data), format!("  {sense}"))
            }
            Some(Twist::Says(sense)) => said(sense),
            Some(Twist::DoesAndSays(sense)) => {
                self.carry_out(&command, cdb, data)?;
                said(sense)
            }
            Some(Twist::Lies) => {
                let len = match data {
                    Data::Out(sent) => sent.len(),
                    _ => 0,
                };
                (Ok(Reply::good(len)), "  done, it lies".into())
            }
            Some(Twist::Resets) => {
                self.buffer.clear();
                self.locked = false;
                said(Sense::POWER_ON_RESET)
            }
            Some(Twist::Vanishes) => {
                let gone = io::Error::new(io::ErrorKind::NotConnected, "unplugged");
                (Err(gone.into()), "  no answer".into())
            }
        };
        self.log.push(line);
        reply
    }

    fn wait(&mut self, time: Duration) {
        self.waited += time;
        self.log.push(format!("  wait {time:?}"));
    }
}

fn describe(command: &Command) -> String {
    let name = command.name();
    let blocks = |lba, count: u16| {
        let range = BlockRange::with_count(lba, BlockCount::new(u32::from(count)));
        format!("{name} {}", range.expect("blocks"))
    };
    match command {
        Command::Read10(read) => {
            let forced = if read.force_unit_access {
                " from the medium"
            } else {
                ""
            };
            blocks(read.lba, read.blocks) + forced
        }
        Command::Write10(write) => {
            let lba = write.address.lba().expect("a block");
            blocks(lba, write.blocks)
        }
        Command::PreventAllow(command) => format!("{name} {}", command.prevent),
        Command::CloseTrackSession(command) => format!("{name} {:?}", command.function),
        Command::SetCdSpeed(command) => format!("{name} {}", command.write),
        _ => name.into(),
    }
}

/// Ranges of blocks, both ends included.
pub fn ranges(ranges: &[(u32, u32)]) -> BlockRangeList {
    let range = |&(start, end)| BlockRange::new(Lba::new(start), Lba::new(end)).expect("a range");
    ranges.iter().map(range).collect()
}

/// A source of so many blocks, each filled with `byte`.
pub fn filled(blocks: usize, byte: u8) -> Vec<u8> {
    vec![byte; blocks * BLOCK_SIZE]
}

/// A plan that changes these blocks, for a disc whose block 16 holds zeros.
pub fn plan(
    unit: WriteUnit,
    class: CrashClass,
    shadow: &[(u32, u32)],
    commit: &[(u32, u32)],
) -> Plan {
    let epochs = [(EpochRole::Shadow, shadow), (EpochRole::Commit, commit)];
    let epochs = epochs.map(|(role, blocks)| Epoch {
        role,
        ranges: ranges(blocks),
    });
    let modified = ModifiedBlocks::new(unit, epochs);
    let part = FingerprintPart {
        range: BlockRange::single(Lba::new(16)),
        digest: Digest::of(&[0; BLOCK_SIZE]),
    };
    Plan {
        volume: "ARCHIVE".into(),
        base: Fingerprint { parts: vec![part] },
        protocol: Protocol::HeadSwap,
        next_writable: None,
        class,
        class_reason: "for a test".into(),
        lower_bound: modified.block_count(),
        modified,
        total_blocks: BlockCount::new(200),
    }
}

/// A head swap on DVD: blocks 64-79 and 96-143, then 16-31.
pub fn head_swap() -> Plan {
    let shadow = [(64, 79), (96, 143)];
    plan(
        WriteUnit::DVD,
        CrashClass::Recoverable,
        &shadow,
        &[(16, 31)],
    )
}

/// Goes on whatever happens.
pub fn go_on(_: Event) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A format that the drive offers.
pub fn way(kind: FormatKind, blocks: u32, parameter: u32) -> FormatDescriptor {
    FormatDescriptor {
        blocks: BlockCount::new(blocks),
        kind,
        subtype: 0,
        parameter,
    }
}

/// A sentence in lines that fit into a snapshot.
pub fn wrapped(text: &impl std::fmt::Display) -> String {
    const COLUMNS: usize = 88;
    let mut lines = vec![String::new()];
    for word in text.to_string().split(' ') {
        let line = lines.last_mut().expect("a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.len() + word.len() < COLUMNS {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(format!("  {word}"));
        }
    }
    lines.join("\n")
}
