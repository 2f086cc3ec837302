//! Folders to measure with.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// `count` files of up to 3 kB, a thousand to a folder.
pub fn small_files(path: &Path, count: u32) -> io::Result<()> {
    for number in 0..count {
        let folder = path.join(format!("folder{:04}", number / 1000));
        if number.is_multiple_of(1000) {
            fs::create_dir_all(&folder)?;
        }
        let content = vec![b'x'; (number as usize * 37) % 3000];
        fs::write(folder.join(format!("file{number:07}.txt")), content)?;
    }
    Ok(())
}

/// Gives ten of those files other content, 8 kB each.
pub fn touch_ten(path: &Path, count: u32) -> io::Result<()> {
    for number in (0..count).step_by((count as usize / 10).max(1)) {
        let folder = path.join(format!("folder{:04}", number / 1000));
        fs::write(folder.join(format!("file{number:07}.txt")), [b'y'; 8000])?;
    }
    Ok(())
}

/// A file of random bytes.
pub fn large_file(path: &Path, mib: u64) -> io::Result<()> {
    fs::create_dir_all(path)?;
    let mut file = File::create(path.join("file"))?;
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut chunk = vec![0; 1 << 20];
    for _ in 0..mib {
        random.fill_bytes(&mut chunk);
        file.write_all(&chunk)?;
    }
    Ok(())
}
