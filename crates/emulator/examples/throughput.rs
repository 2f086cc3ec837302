//! How fast the emulator takes writes, and how fast crash states can be made.
//!
//! ```text
//! cargo run --release -p reburn-emulator --example throughput
//! ```

use std::error::Error;
use std::time::{Duration, Instant};

use reburn_blocks::{BLOCK_SIZE, BlockCount, Lba};
use reburn_drive::DriveExt;
use reburn_emulator::{Emulator, Fate, MediumKind, VirtualDisc};

const CHUNK: BlockCount = BlockCount::new(32);
const BYTES: u64 = 1 << 30;
const GIGABYTES: f64 = 1.073_741_824;
const STATES: u32 = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let data: Vec<u8> = (0..=255)
        .cycle()
        .take(CHUNK.as_usize() * BLOCK_SIZE)
        .collect();

    let mut drive = Emulator::with_disc(VirtualDisc::formatted(MediumKind::BdRe));
    drive.clear_attentions()?;
    for pass in ["first", "second"] {
        report(&format!("memory, {pass} pass"), write(&mut drive, &data)?);
    }

    let path = std::env::temp_dir().join("reburn-throughput.disc");
    let disc = VirtualDisc::create(&path, MediumKind::DvdRam)?;
    let mut drive = Emulator::with_disc(disc);
    drive.clear_attentions()?;
    for pass in ["first", "second"] {
        report(&format!("file, {pass} pass"), write(&mut drive, &data)?);
    }
    drop(drive);
    std::fs::remove_file(&path)?;

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

/// Writes and synchronizes; what it took.
fn write(drive: &mut Emulator, data: &[u8]) -> Result<Duration, Box<dyn Error>> {
    let started = Instant::now();
    let chunks = BYTES / data.len() as u64;
    for chunk in 0..u32::try_from(chunks)? {
        drive.write(Lba::new(chunk * CHUNK.get()), data)?;
    }
    drive.synchronize_cache()?;
    Ok(started.elapsed())
}

fn report(what: &str, time: Duration) {
    println!("{what}: {:.2} GB/s", GIGABYTES / time.as_secs_f64());
}
