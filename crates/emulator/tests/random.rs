//! Commands at random, on every kind of medium: no panic, what the drive says agrees, and what
//! it was given stays.

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::script::{disc_information, track_information};
use common::{ready, reply, sense_of};
use proptest::prelude::*;
use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba};
use reburn_drive::{Data, Drive, DriveExt};
use reburn_emulator::{
    DriveProfile, Emulator, Fate, MediumKind, Replacement, TrackState, VirtualDisc,
};
use reburn_mmc::command::{ReadToc, TocFormat, TrackAddress};
use reburn_mmc::reply::{DiscStatus, ModePage, SessionStatus, Toc};
use reburn_mmc::{Sense, SenseKey};

/// Something that happens to a drive. Places are relative to the next writable block, so that
/// sequential media take a good part of the writes.
#[derive(Debug, Clone)]
enum Event {
    Write {
        back: u32,
        blocks: u16,
    },
    Read {
        back: u32,
        blocks: u16,
    },
    Synchronize {
        immediate: bool,
    },
    Close {
        function: u8,
        track: u8,
    },
    Reserve {
        blocks: u32,
    },
    Repair {
        track: u8,
    },
    Blank {
        kind: u8,
    },
    Format {
        way: u8,
        subtype: u8,
        blocks: u32,
    },
    WritePage {
        kind: u8,
        multi_session: u8,
        test: bool,
    },
    Eject,
    Wait {
        seconds: u8,
    },
    PowerCut {
        fates: Vec<u8>,
    },
}

fn write_page() -> impl Strategy<Value = Event> {
    (0u8..5, 0u8..4, any::<bool>()).prop_map(|(kind, multi_session, test)| Event::WritePage {
        kind,
        multi_session,
        test,
    })
}

fn event() -> impl Strategy<Value = Event> {
    let back = prop_oneof![6 => Just(0u32), 1 => 1u32..100, 1 => any::<u32>()];
    let count = prop_oneof![3 => 1u16..100, 1 => Just(16), 1 => Just(32), 1 => Just(0)];
    let way = prop::sample::select(vec![0x00, 0x01, 0x10, 0x13, 0x15, 0x26, 0x30, 0x31, 0x32]);
    let size = prop_oneof![Just(0u32), Just(u32::MAX), 1u32..100_000];
    prop_oneof![
        20 => (back.clone(), count.clone())
            .prop_map(|(back, blocks)| Event::Write { back, blocks }),
        5 => (back, count).prop_map(|(back, blocks)| Event::Read { back, blocks }),
        6 => any::<bool>().prop_map(|immediate| Event::Synchronize { immediate }),
        8 => (0u8..8, 0u8..6).prop_map(|(function, track)| Event::Close { function, track }),
        4 => (0u32..500).prop_map(|blocks| Event::Reserve { blocks }),
        2 => (0u8..4).prop_map(|track| Event::Repair { track }),
        2 => (0u8..5).prop_map(|kind| Event::Blank { kind }),
        2 => (way, 0u8..4, size)
            .prop_map(|(way, subtype, blocks)| Event::Format { way, subtype, blocks }),
        3 => write_page(),
        1 => Just(Event::Eject),
        2 => (0u8..20).prop_map(|seconds| Event::Wait { seconds }),
        2 => prop::collection::vec(0u8..3, 0..40).prop_map(|fates| Event::PowerCut { fates }),
    ]
}

fn next_writable(drive: &mut Emulator) -> u32 {
    let track = track_information(drive, TrackAddress::Track(0xff));
    let next = track.ok().and_then(|track| track.next_writable);
    next.map_or(64, Lba::get)
}

fn transfer(opcode: u8, lba: u32, blocks: u16) -> [u8; 10] {
    let mut cdb = [0; 10];
    cdb[0] = opcode;
    cdb[2..6].copy_from_slice(&lba.to_be_bytes());
    cdb[7..9].copy_from_slice(&blocks.to_be_bytes());
    cdb
}

/// Writes blocks of one value; where, and the sense that they were refused with.
fn write(drive: &mut Emulator, back: u32, blocks: u16, value: u8) -> (u32, Option<Sense>) {
    let lba = next_writable(drive).wrapping_sub(back);
    let data = vec![value; usize::from(blocks) * BLOCK_SIZE];
    let refused = sense_of(drive, &transfer(0x2a, lba, blocks), Data::Out(&data));
    (lba, refused)
}

/// The command of an event that is one, and the list that comes with it.
fn command(event: &Event) -> Option<(Vec<u8>, Vec<u8>)> {
    let bare = |cdb: &[u8]| Some((cdb.to_vec(), Vec::new()));
    match event {
        Event::Synchronize { immediate } => {
            bare(&[0x35, u8::from(*immediate) << 1, 0, 0, 0, 0, 0, 0, 0, 0])
        }
        Event::Close { function, track } => bare(&[0x5b, 0, *function, 0, 0, *track, 0, 0, 0, 0]),
        Event::Reserve { blocks } => {
            let size = blocks.to_be_bytes();
            bare(&[&[0x53, 0, 0, 0, 0][..], &size, &[0]].concat())
        }
        Event::Repair { track } => bare(&[0x58, 0, 0, 0, 0, *track, 0, 0, 0, 0]),
        Event::Blank { kind } => bare(&[0xa1, *kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        Event::Format {
            way,
            subtype,
            blocks,
        } => {
            let parameter: u16 = match way {
                0x10..0x20 => 16,
                0x30 => 0x3000,
                _ => 0,
            };
            let list = [
                &[0, 0, 0, 8][..],
                &blocks.to_be_bytes(),
                &[way << 2 | subtype, 0],
                &parameter.to_be_bytes(),
            ];
            Some((vec![4, 0x11, 0, 0, 0, 0], list.concat()))
        }
        Event::WritePage {
            kind,
            multi_session,
            test,
        } => {
            let mut list = vec![0; 60];
            let how = 0x60 | u8::from(*test) << 4 | kind;
            list[8..12].copy_from_slice(&[5, 0x32, how, multi_session << 6 | 4]);
            Some((vec![0x55, 0x10, 0, 0, 0, 0, 0, 0, 60, 0], list))
        }
        _ => None,
    }
}

/// Lets something happen; whether it erased the medium.
fn happen(drive: &mut Emulator, event: &Event) -> bool {
    let mut refused = false;
    if let Some((cdb, list)) = command(event) {
        let data = if list.is_empty() {
            Data::None
        } else {
            Data::Out(&list)
        };
        refused = sense_of(drive, &cdb, data).is_some();
    }
    match event {
        Event::Write { back, blocks } => {
            write(drive, *back, *blocks, 7);
        }
        Event::Read { back, blocks } => {
            let lba = next_writable(drive).wrapping_sub(*back);
            let mut room = vec![0; usize::from(*blocks) * BLOCK_SIZE];
            sense_of(drive, &transfer(0x28, lba, *blocks), Data::In(&mut room));
        }
        Event::Eject => {
            sense_of(drive, &[0x1b, 0, 0, 0, 2, 0], Data::None);
            sense_of(drive, &[0x1b, 0, 0, 0, 3, 0], Data::None);
        }
        Event::Wait { seconds } => drive.wait(Duration::from_secs(u64::from(*seconds))),
        Event::PowerCut { fates } => {
            let mut fates = fates.iter();
            drive
                .power_cut(|_| match fates.next() {
                    Some(0) | None => Fate::Old,
                    Some(1) => Fate::New,
                    Some(_) => Fate::Unreadable,
                })
                .unwrap();
            drive.power_on();
        }
        _ => {}
    }
    // Whatever it was, let it end. A part of a torn unit may have failed to be written.
    let ready = (0..20).any(|_| {
        let ready = drive.test_unit_ready().is_ok();
        if !ready {
            drive.wait(Duration::from_mins(30));
        }
        ready
    });
    assert!(ready, "after {event:?}");
    let erases = match event {
        Event::Blank { .. } => true,
        Event::Format { way, .. } => *way != 0x13, // which only grows
        _ => false,
    };
    erases && !refused
}

/// What disc, track and table of contents say of the medium must agree.
fn agree(drive: &mut Emulator) {
    let kind = drive.disc().unwrap().kind();
    let Ok(disc) = disc_information(drive) else {
        return;
    };
    let table = drive.disc().unwrap().state().tracks.clone();
    if table.tracks.is_empty() {
        return;
    }
    let recording = |track: &reburn_emulator::Track| track.state == TrackState::Recording;
    let simulated = match drive.mode_page(5).unwrap() {
        Some(ModePage::WriteParameters(page)) => page.test_write,
        _ => false,
    };
    let open = simulated || table.tracks.iter().any(recording);
    assert_eq!(disc.sessions, table.sessions());
    assert_eq!(disc.status == DiscStatus::Complete, table.finalized);
    let mut end = 0;
    let mut free = 0;
    for number in 1..=disc.last_track_in_last_session {
        let track = track_information(drive, TrackAddress::Track(number.into())).unwrap();
        assert!(track.start.get() >= end, "track {number} overlaps");
        end = track.start.get() + track.track_size.get();
        free += track.free_blocks.get();
        if let Some(next) = track.next_writable {
            assert!((track.start.get()..end).contains(&next.get()));
            let settled = drive.buffered().is_empty() && !open;
            assert!(!settled || next.is_aligned(kind.write_unit()), "{next}");
            let at = track_information(drive, TrackAddress::Lba(next)).unwrap();
            assert_eq!(at.track, number);
        }
    }
    assert!(end <= kind.blocks_max().get() && free <= kind.blocks_max().get());
    if disc.status == DiscStatus::Empty {
        assert_eq!(disc.last_session, SessionStatus::Empty);
    }
    let toc = ReadToc {
        msf: false,
        format: TocFormat::Tracks,
        first: 0,
        allocation: u16::MAX,
    };
    let last = drive.read_capacity().unwrap().last_lba;
    if let Ok(bytes) = reply(drive, toc) {
        let toc = Toc::decode(&bytes).unwrap();
        let lead_out = toc.entries.last().unwrap().address;
        let fills_all = last.get() + 1 == drive.disc().unwrap().state().user_area(kind).get();
        assert!(fills_all || last.get() < lead_out, "{last} in {toc:?}");
        if disc.last_session == SessionStatus::Empty || table.finalized {
            assert!(fills_all || last.get() + 1 == lead_out, "{last} in {toc:?}");
        }
    }
    let wide = drive.disc().unwrap().state().user_area(kind);
    assert!(wide >= BlockCount::new(last.get()));
}

fn kinds() -> impl Strategy<Value = MediumKind> {
    prop::sample::select(MediumKind::ALL.to_vec())
}

/// What a medium must show: for each block the value that it has, and the one that a power cut
/// may bring back.
#[derive(Default)]
struct Shadow {
    live: BTreeMap<u32, u8>,
    durable: BTreeMap<u32, u8>,
}

impl Shadow {
    /// Everything that is not in the buffer is durable.
    fn note_durable(&mut self, drive: &Emulator) {
        let buffered = drive.buffered();
        let waits = |lba: &u32| buffered.iter().any(|range| range.contains(Lba::new(*lba)));
        let settled = self.live.iter().filter(|(lba, _)| !waits(lba));
        self.durable
            .extend(settled.map(|(lba, value)| (*lba, *value)));
    }

    /// The medium shows what it must; a power cut before (`cut`) may have lost what was in the
    /// buffer. What cannot be read is forgotten.
    fn check(&mut self, drive: &mut Emulator, cut: &[BlockRange]) {
        let all: Vec<u32> = self.live.keys().copied().collect();
        for lba in all {
            let lost = cut.iter().any(|range| range.contains(Lba::new(lba)));
            let mut block = vec![0xee; BLOCK_SIZE];
            let refused = sense_of(drive, &transfer(0x28, lba, 1), Data::In(&mut block));
            if let Some(sense) = refused {
                assert!(lost || sense.key == SenseKey::MediumError, "{lba}: {sense}");
                self.live.remove(&lba);
                self.durable.remove(&lba);
                continue;
            }
            let value = block[0];
            let old = self.durable.get(&lba).copied();
            let is_old = lost && value == old.unwrap_or(0);
            assert!(is_old || value == self.live[&lba], "{lba} holds {value}");
            if is_old && old.is_none() {
                self.live.remove(&lba); // never recorded, and so not held to anything
            } else {
                self.live.insert(lba, value);
            }
        }
    }
}

proptest! {
    #[test]
    fn what_was_recorded_stays(
        kind in kinds(),
        formatted in any::<bool>(),
        replacement in prop::sample::select(&[Replacement::NextWritable, Replacement::Spare][..]),
        events in prop::collection::vec(event(), 1..40),
    ) {
        let disc = if formatted {
            VirtualDisc::formatted(kind)
        } else {
            VirtualDisc::in_memory(kind)
        };
        let mut profile = DriveProfile::default();
        profile.sequential.replacement = replacement;
        let mut drive = Emulator::with_profile(profile, disc);
        drive.clear_attentions().unwrap();
        let mut shadow = Shadow::default();
        for (value, event) in (1..).zip(&events) {
            shadow.note_durable(&drive);
            let cut = match event {
                Event::Write { back, blocks } => {
                    let (lba, refused) = write(&mut drive, *back, *blocks, value);
                    let blocks = lba..lba.saturating_add(u32::from(*blocks));
                    match refused {
                        None => shadow.live.extend(blocks.map(|lba| (lba, value))),
                        // Some of them may have been recorded.
                        Some(sense) if sense.key == SenseKey::MediumError => {
                            shadow.live.retain(|lba, _| !blocks.contains(lba));
                        }
                        Some(_) => {}
                    }
                    Vec::new()
                }
                // What was simulated shows until the barrier; that is another test's matter.
                Event::WritePage { test: true, .. } => continue,
                Event::PowerCut { .. } => drive.buffered(),
                _ => Vec::new(),
            };
            if !matches!(event, Event::Write { .. }) && happen(&mut drive, event) {
                shadow = Shadow::default();
            }
            shadow.check(&mut drive, &cut);
        }
    }

    #[test]
    fn nothing_panics_and_all_agrees(
        kind in kinds(),
        formatted in any::<bool>(),
        events in prop::collection::vec(event(), 1..40),
    ) {
        let disc = if formatted {
            VirtualDisc::formatted(kind)
        } else {
            VirtualDisc::in_memory(kind)
        };
        let mut drive = ready(disc);
        for event in &events {
            happen(&mut drive, event);
            agree(&mut drive);
        }
    }
}
