//! Commands as typed calls, for any drive.

use std::time::Duration;

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba};
use reburn_mmc::command::{
    CloseFunction, CloseTrackSession, Command, DiscInformationType, FeatureScope, FormatUnit,
    GetConfiguration, GetEventStatus, GetPerformance, Inquiry, ModeSense, PageControl,
    PerformanceType, PreventAllow, Read10, ReadBufferCapacity, ReadCapacity, ReadDiscInformation,
    ReadFormatCapacities, ReadTrackInformation, RequestSense, SetCdSpeed, StartStop, StartStopUnit,
    SynchronizeCache, TestUnitReady, TrackAddress, Verify10, Write10, WriteAndVerify,
};
use reburn_mmc::reply::{
    BufferCapacity, Capacity, Configuration, DiscInformation, EventStatus, Feature,
    FormatCapacities, FormatParameters, InquiryData, ModePage, ModeParameters, TrackInformation,
    WriteSpeed, WriteSpeeds,
};
use reburn_mmc::{SectorAddress, Sense, SenseKey, Speed};

use crate::calls::{
    blocks16, decoded, execute, may_pass, piece_before_block_0, pieces, sized, whole,
};
use crate::{CommandError, Data, Drive};

/// Changes of the drive's state that may lie between two commands: power on, a new medium, new
/// parameters, and each of them again from another host.
const ATTENTIONS_MAX: usize = 8;

/// The commands as typed calls. Everything fails with the drive's sense, as a sentence.
pub trait DriveExt: Drive {
    /// Carries out a command; the bytes that moved.
    fn command(
        &mut self,
        command: impl Into<Command>,
        data: Data<'_>,
    ) -> Result<usize, CommandError> {
        execute(self, command.into(), None, data)
    }

    /// Whether the drive can work on its medium (TEST UNIT READY).
    fn test_unit_ready(&mut self) -> Result<(), CommandError> {
        self.command(TestUnitReady, Data::None).map(drop)
    }

    /// Hears out what the drive has to report since the last command, a reset or a new medium,
    /// so that the next command is not answered with it.
    fn clear_attentions(&mut self) -> Result<(), CommandError> {
        for _ in 0..ATTENTIONS_MAX {
            match self.test_unit_ready() {
                Err(CommandError::Sense { sense, .. }) if sense.key == SenseKey::UnitAttention => {}
                Ok(()) | Err(CommandError::Sense { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits until the drive is ready, asking once a second. `progress` hears how far it got,
    /// in 1/65536, when the drive says so.
    ///
    /// No medium is an error at once; a drive still busy after `limit` is
    /// [`CommandError::NotReady`].
    fn wait_until_ready(
        &mut self,
        limit: Duration,
        progress: &mut dyn FnMut(Option<u16>),
    ) -> Result<(), CommandError> {
        const PAUSE: Duration = Duration::from_secs(1);
        let mut waited = Duration::ZERO;
        loop {
            let sense = match self.test_unit_ready() {
                Err(CommandError::Sense { sense, .. }) if may_pass(&sense) => sense,
                result => return result,
            };
            if waited >= limit {
                let waited_seconds = waited.as_secs();
                return Err(CommandError::NotReady {
                    waited_seconds,
                    sense,
                });
            }
            progress(sense.progress);
            self.wait(PAUSE);
            waited += PAUSE;
        }
    }

    /// The sense that is pending (REQUEST SENSE).
    fn request_sense(&mut self) -> Result<Sense, CommandError> {
        let mut buf = [0; Sense::LEN];
        let command = RequestSense { allocation: 18 };
        let len = self.command(command, Data::In(&mut buf))?;
        decoded("REQUEST SENSE", Sense::decode(&buf[..len]))
    }

    /// Who the drive is (INQUIRY).
    fn inquiry(&mut self) -> Result<InquiryData, CommandError> {
        let mut buf = [0; 36];
        let command = Inquiry {
            page: None,
            allocation: 36,
        };
        let len = self.command(command, Data::In(&mut buf))?;
        decoded("INQUIRY", InquiryData::decode(&buf[..len]))
    }

    /// What the drive can do with its medium (GET CONFIGURATION).
    fn configuration(&mut self) -> Result<Configuration, CommandError> {
        let command = |allocation| GetConfiguration {
            scope: FeatureScope::All,
            start: 0,
            allocation,
        };
        let reply = sized(self, 8, Configuration::announced_len, command)?;
        decoded("GET CONFIGURATION", Configuration::decode(&reply))
    }

    /// The last block that can be written, in any order; `None` if the medium takes no such
    /// writes.
    fn last_writable_lba(&mut self) -> Result<Option<Lba>, CommandError> {
        let configuration = self.configuration()?;
        let descriptor = configuration.feature(Feature::RANDOM_WRITABLE);
        Ok(descriptor.and_then(|descriptor| match descriptor.feature {
            Feature::RandomWritable { last_lba, .. } if descriptor.current => Some(last_lba),
            _ => None,
        }))
    }

    /// The state of the disc (READ DISC INFORMATION).
    fn disc_information(&mut self) -> Result<DiscInformation, CommandError> {
        let mut buf = [0; 34];
        let command = ReadDiscInformation {
            kind: DiscInformationType::Standard,
            allocation: 34,
        };
        let len = self.command(command, Data::In(&mut buf))?;
        decoded(
            "READ DISC INFORMATION",
            DiscInformation::decode(&buf[..len]),
        )
    }

    /// The state of a track (READ TRACK INFORMATION).
    fn track_information(
        &mut self,
        address: TrackAddress,
    ) -> Result<TrackInformation, CommandError> {
        let mut buf = [0; 48];
        let command = ReadTrackInformation {
            address,
            open: false,
            allocation: 48,
        };
        let len = self.command(command, Data::In(&mut buf))?;
        decoded(
            "READ TRACK INFORMATION",
            TrackInformation::decode(&buf[..len]),
        )
    }

    /// The last block (READ CAPACITY). A medium without blocks reports block 0 too: see
    /// [`DriveExt::block_count`].
    fn read_capacity(&mut self) -> Result<Capacity, CommandError> {
        let mut buf = [0; 8];
        let len = self.command(ReadCapacity, Data::In(&mut buf))?;
        decoded("READ CAPACITY", Capacity::decode(&buf[..len]))
    }

    /// How the medium is formatted and could be (READ FORMAT CAPACITIES).
    fn format_capacities(&mut self) -> Result<FormatCapacities, CommandError> {
        let command = |allocation| ReadFormatCapacities { allocation };
        let reply = sized(self, 12, FormatCapacities::announced_len, command)?;
        decoded("READ FORMAT CAPACITIES", FormatCapacities::decode(&reply))
    }

    /// How many blocks can be read: the capacity, or none if the medium is not formatted yet.
    fn block_count(&mut self) -> Result<BlockCount, CommandError> {
        let capacity = self.read_capacity()?;
        if capacity.last_lba == Lba::ZERO {
            return Ok(self.format_capacities()?.current.usable_blocks());
        }
        Ok(BlockCount::new(capacity.last_lba.get() + 1))
    }

    /// A mode page as it is now (MODE SENSE); `None` if the reply lacks it.
    fn mode_page(&mut self, page: u8) -> Result<Option<ModePage>, CommandError> {
        let command = |allocation| ModeSense {
            control: PageControl::Current,
            page,
            no_descriptors: true,
            allocation,
        };
        let reply = sized(self, 8, ModeParameters::announced_len, command)?;
        let parameters = decoded("MODE SENSE (10)", ModeParameters::decode(&reply))?;
        Ok(parameters.page(page).cloned())
    }

    /// How much of the write buffer is free (READ BUFFER CAPACITY).
    fn buffer_capacity(&mut self) -> Result<BufferCapacity, CommandError> {
        let mut buf = [0; 12];
        let command = ReadBufferCapacity {
            in_blocks: false,
            allocation: 12,
        };
        let len = self.command(command, Data::In(&mut buf))?;
        decoded("READ BUFFER CAPACITY", BufferCapacity::decode(&buf[..len]))
    }

    /// The write speeds that can be set, fastest first (GET PERFORMANCE).
    fn write_speeds(&mut self) -> Result<Vec<WriteSpeed>, CommandError> {
        const MOST: u16 = 64;
        let mut buf = [0; 8 + 16 * MOST as usize];
        let command = GetPerformance {
            kind: PerformanceType::WriteSpeeds,
            lba: Lba::ZERO,
            descriptors: MOST,
        };
        let len = self.command(command, Data::In(&mut buf))?;
        decoded("GET PERFORMANCE", WriteSpeeds::decode(&buf[..len])).map(|reply| reply.speeds)
    }

    /// What happened to the medium since the last question (GET EVENT STATUS NOTIFICATION).
    fn media_event(&mut self) -> Result<EventStatus, CommandError> {
        let mut buf = [0; 8];
        let command = GetEventStatus {
            classes: 1 << EventStatus::MEDIA_CLASS,
            allocation: 8,
        };
        let len = self.command(command, Data::In(&mut buf))?;
        decoded(
            "GET EVENT STATUS NOTIFICATION",
            EventStatus::decode(&buf[..len]),
        )
    }

    /// Fills `buf`, whole blocks, from `lba` on (READ (10)), in as many commands as it takes.
    fn read(&mut self, lba: Lba, buf: &mut [u8]) -> Result<(), CommandError> {
        let limit = self.transfer_limit();
        for (range, bytes) in pieces(lba, buf.len(), limit)? {
            let command = Read10 {
                lba: range.start_lba(),
                blocks: blocks16(range),
                force_unit_access: false,
            };
            let room = &mut buf[bytes.clone()];
            let moved = execute(self, command.into(), Some(range), Data::In(room))?;
            whole("READ (10)", bytes.len(), moved)?;
        }
        Ok(())
    }

    /// Writes `data`, whole blocks, from `start` on (WRITE (10)), in as many commands as it
    /// takes. Durable after [`DriveExt::synchronize_cache`]. A CD session that is recorded at
    /// once starts at [`SectorAddress::PAUSE`], before block 0.
    fn write(&mut self, start: impl Into<SectorAddress>, data: &[u8]) -> Result<(), CommandError> {
        let limit = self.transfer_limit();
        let command = |address, blocks| Write10 {
            address,
            blocks,
            force_unit_access: false,
        };
        let (mut start, mut data) = (start.into(), data);
        while start.lba().is_none() && !data.is_empty() {
            let (blocks, next) = piece_before_block_0(start, data.len(), limit);
            let (piece, rest) = data.split_at(usize::from(blocks) * BLOCK_SIZE);
            execute(self, command(start, blocks).into(), None, Data::Out(piece))?;
            (start, data) = (next, rest);
        }
        let lba = start.lba().unwrap_or_default();
        for (range, bytes) in pieces(lba, data.len(), limit)? {
            let command = command(range.start_lba().into(), blocks16(range));
            execute(self, command.into(), Some(range), Data::Out(&data[bytes]))?;
        }
        Ok(())
    }

    /// Writes `data` and has the drive read it back from the medium (WRITE AND VERIFY (10)).
    fn write_and_verify(&mut self, lba: Lba, data: &[u8]) -> Result<(), CommandError> {
        let limit = self.transfer_limit();
        for (range, bytes) in pieces(lba, data.len(), limit)? {
            let command = WriteAndVerify {
                lba: range.start_lba(),
                blocks: blocks16(range),
            };
            execute(self, command.into(), Some(range), Data::Out(&data[bytes]))?;
        }
        Ok(())
    }

    /// Has the drive read blocks without sending them (VERIFY (10)).
    fn verify(&mut self, range: BlockRange) -> Result<(), CommandError> {
        for piece in range.pieces(BlockCount::new(u32::from(u16::MAX))) {
            let command = Verify10 {
                lba: piece.start_lba(),
                blocks: blocks16(piece),
            };
            execute(self, command.into(), Some(piece), Data::None)?;
        }
        Ok(())
    }

    /// Makes everything written so far durable, and returns when it is (SYNCHRONIZE CACHE).
    fn synchronize_cache(&mut self) -> Result<(), CommandError> {
        self.command(SynchronizeCache::ALL, Data::None).map(drop)
    }

    /// Formats the medium (FORMAT UNIT). An immediate format goes on after this returns: see
    /// [`DriveExt::wait_until_ready`].
    fn format_unit(&mut self, parameters: &FormatParameters) -> Result<(), CommandError> {
        let command = FormatUnit {
            complete_list: false,
        };
        let list = parameters.encode();
        self.command(command, Data::Out(&list)).map(drop)
    }

    /// Closes a track or session; on DVD+RW, stops or ends its format (CLOSE TRACK SESSION).
    fn close(&mut self, function: CloseFunction, track: u16) -> Result<(), CommandError> {
        let command = CloseTrackSession {
            immediate: false,
            function,
            track,
        };
        self.command(command, Data::None).map(drop)
    }

    /// Spins up or down, ejects or loads (START STOP UNIT), and returns when done.
    fn start_stop(&mut self, action: StartStop) -> Result<(), CommandError> {
        let command = StartStopUnit {
            immediate: false,
            action,
        };
        self.command(command, Data::None).map(drop)
    }

    /// Locks the medium in, or lets it go (PREVENT ALLOW MEDIUM REMOVAL).
    fn prevent_removal(&mut self, prevent: bool) -> Result<(), CommandError> {
        let command = PreventAllow {
            prevent,
            persistent: false,
        };
        self.command(command, Data::None).map(drop)
    }

    /// Sets the speeds of reading and writing (SET CD SPEED).
    fn set_speed(&mut self, read: Speed, write: Speed) -> Result<(), CommandError> {
        let command = SetCdSpeed {
            rotation: 0,
            read,
            write,
        };
        self.command(command, Data::None).map(drop)
    }
}

impl<D: Drive + ?Sized> DriveExt for D {}
