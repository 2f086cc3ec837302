//! What a host asks beside the state of disc and tracks, as lines of text.

use reburn_blocks::Lba;
use reburn_drive::DriveExt;
use reburn_emulator::Emulator;
use reburn_mmc::Sense;
use reburn_mmc::command::{
    Command, DiscInformationType, MediaType, ReadDiscInformation, ReadDiscStructure,
    ReadTrackInformation, TrackAddress,
};
use reburn_mmc::reply::{
    FormattedCapacity, PseudoOverwriteResources, TrackInformation, TrackResources,
};

use super::reply;
use super::script::{disc_information, figures};

/// The answer to a question: `profile`, `features` (those that are current), `formats`,
/// `track N`, `at LBA`, `session N`, `open N`, `resources`, `replacements`, `lead-in`,
/// `structure MEDIA FORMAT` (its length).
pub fn ask(drive: &mut Emulator, question: &str) -> String {
    answer(drive, question).unwrap_or_else(|sense| figures(Some(sense)))
}

fn answer(drive: &mut Emulator, question: &str) -> Result<String, Sense> {
    let mut words = question.split(' ');
    let word = words.next().unwrap();
    let numbers: Vec<u32> = words.map(|word| word.parse().unwrap()).collect();
    let number = numbers.first().copied().unwrap_or(0);
    let information = |kind| {
        Command::from(ReadDiscInformation {
            kind,
            allocation: u16::MAX,
        })
    };
    let mut track = |address, open| -> Result<String, Sense> {
        let command = ReadTrackInformation {
            address,
            open,
            allocation: u16::MAX,
        };
        let bytes = reply(drive, command)?;
        let track = TrackInformation::decode(&bytes).unwrap();
        let last = track.last_recorded.map(Lba::get);
        Ok(format!(
            "track {} of session {}, last recorded {last:?}",
            track.track, track.session
        ))
    };
    Ok(match word {
        "track" => track(TrackAddress::Track(number), false)?,
        "open" => track(TrackAddress::Track(number), true)?,
        "at" => track(TrackAddress::Lba(Lba::new(number)), false)?,
        "session" => track(TrackAddress::Session(number), false)?,
        "profile" => drive.configuration().unwrap().current_profile.to_string(),
        "features" => {
            let configuration = drive.configuration().unwrap();
            let current = configuration.features.iter().filter(|found| found.current);
            let codes = current.map(|found| format!("{:04x}", found.feature.code()));
            codes.collect::<Vec<_>>().join(" ")
        }
        "formats" => formats(drive),
        "resources" => {
            let bytes = reply(drive, information(DiscInformationType::TrackResources))?;
            let found = TrackResources::decode(&bytes).unwrap();
            format!("{} tracks, {} open", found.tracks, found.appendable)
        }
        "replacements" => {
            let bytes = reply(drive, information(DiscInformationType::PseudoOverwrite))?;
            let found = PseudoOverwriteResources::decode(&bytes).unwrap();
            let left = found.remaining_replacements;
            format!("{} made, {left} left", found.map_entries)
        }
        "lead-in" => {
            let disc = disc_information(drive)?;
            let numbers = [disc.last_lead_in, disc.last_possible_lead_out];
            format!("{numbers:x?}")
        }
        "structure" => {
            let media = if number == 0 {
                MediaType::Dvd
            } else {
                MediaType::BluRay
            };
            let command = ReadDiscStructure {
                media,
                address: 0,
                layer: 0,
                format: numbers[1].to_be_bytes()[3],
                allocation: u16::MAX,
            };
            format!("{} bytes", reply(drive, command)?.len())
        }
        other => panic!("nobody asks for {other}"),
    })
}

/// READ FORMAT CAPACITIES: the state of the format and the blocks, then the ways.
fn formats(drive: &mut Emulator) -> String {
    let capacities = drive.format_capacities().unwrap();
    let current = match capacities.current {
        FormattedCapacity::Unformatted(blocks) => format!("1: {blocks}"),
        FormattedCapacity::Formatted(blocks) => format!("2: {blocks}"),
        FormattedCapacity::NoMedium(blocks) => format!("3: {blocks}"),
    };
    let ways = capacities
        .formattable
        .iter()
        .map(|way| format!("{} {} ({:x}h)", way.kind, way.blocks, way.parameter));
    [current]
        .into_iter()
        .chain(ways)
        .collect::<Vec<_>>()
        .join(", ")
}
