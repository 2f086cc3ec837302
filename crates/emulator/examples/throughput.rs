//! How fast the emulator takes writes and gives blocks back, 64 KiB at a time, and how fast
//! crash states can be made.
//!
//! ```text
//! cargo run --release -p reburn-emulator --example throughput
//! ```

use std::error::Error;
use std::time::{Duration, Instant};

use reburn_blocks::{BLOCK_SIZE, BlockCount, Lba};
use reburn_drive::DriveExt;
use reburn_emulator::{Emulator, Fate, MediumKind, VirtualDisc};
use reburn_mmc::reply::FormatParameters;

const CHUNK: BlockCount = BlockCount::new(32);
const BYTES: u64 = 1 << 30;
const GIGABYTES: f64 = 1.073_741_824;
const STATES: u32 = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let data: Vec<u8> = (0..=255)
        .cycle()
        .take(CHUNK.as_usize() * BLOCK_SIZE)
        .collect();

    for kind in [MediumKind::BdRe, MediumKind::BdR, MediumKind::DvdPlusR] {
        both(
            &format!("{kind} in memory"),
            VirtualDisc::in_memory(kind),
            &data,
        )?;
    }
    let path = std::env::temp_dir().join("reburn-throughput.disc");
    for kind in [MediumKind::DvdRam, MediumKind::DvdPlusR] {
        let disc = VirtualDisc::create(&path, kind)?;
        let result = both(&format!("{kind} in a file"), disc, &data);
        std::fs::remove_file(&path)?;
        result?;
    }

    let started = Instant::now();
    let mut drive = Emulator::with_disc(VirtualDisc::formatted(MediumKind::BdRe));
    drive.clear_attentions()?;
    for state in 0..STATES {
        drive.write(Lba::new(state % 1000 * 32), &data)?;
        let mut crashed = drive.snapshot()?;
        crashed.power_cut(|range| match range.start_lba().get() / 32 % 3 {
            0 => Fate::Old,
            1 => Fate::New,
            _ => Fate::Unreadable,
        })?;
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("crash states: {:.0} a second", f64::from(STATES) / seconds);
    Ok(())
}

/// Writes, synchronizes and reads back.
fn both(what: &str, disc: VirtualDisc, data: &[u8]) -> Result<(), Box<dyn Error>> {
    let mut drive = Emulator::with_disc(disc);
    drive.clear_attentions()?;
    if drive
        .disc()
        .is_some_and(|disc| disc.kind() == MediumKind::BdRe)
    {
        let way = drive.format_capacities()?.formattable[0];
        drive.format_unit(&FormatParameters {
            immediate: false,
            no_certification: false,
            options_valid: false,
            descriptor: way,
        })?;
    }
    let chunks = 0..u32::try_from(BYTES / data.len() as u64)?;
    let started = Instant::now();
    for chunk in chunks.clone() {
        drive.write(Lba::new(chunk * CHUNK.get()), data)?;
    }
    drive.synchronize_cache()?;
    report(&format!("{what}, writes"), started.elapsed());
    let mut room = data.to_vec();
    let started = Instant::now();
    for chunk in chunks {
        drive.read(Lba::new(chunk * CHUNK.get()), &mut room)?;
    }
    report(&format!("{what}, reads"), started.elapsed());
    Ok(())
}

fn report(what: &str, time: Duration) {
    println!("{what}: {:.2} GB/s", GIGABYTES / time.as_secs_f64());
}
