//! Transfer speeds as drives count them.

use std::fmt;
use std::time::Duration;

use reburn_blocks::ByteCount;

/// A transfer speed in kilobytes (1000 bytes) a second, the unit of every speed field of MMC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Speed(u32);

impl Speed {
    /// CD at 1x, rounded up to kilobytes as drives report it.
    pub const CD_1X: Self = Self(176);
    /// DVD at 1x.
    pub const DVD_1X: Self = Self(1385);
    /// Blu-ray at 1x.
    pub const BD_1X: Self = Self(4495);
    /// What SET CD SPEED takes as "the fastest there is".
    pub const MAX: Self = Self(0xffff);

    /// This many kilobytes a second.
    pub const fn from_kilobytes(per_second: u32) -> Self {
        Self(per_second)
    }

    /// Kilobytes a second.
    pub const fn kilobytes(self) -> u32 {
        self.0
    }

    /// `factor` times as fast (saturating).
    #[must_use]
    pub const fn times(self, factor: u32) -> Self {
        Self(self.0.saturating_mul(factor))
    }

    /// How long `bytes` take; a speed of zero counts as one kilobyte a second.
    pub fn time_for(self, bytes: ByteCount) -> Duration {
        let per_second = u64::from(self.0.max(1)) * 1000;
        let (seconds, rest) = (bytes.get() / per_second, bytes.get() % per_second);
        Duration::from_secs(seconds) + Duration::from_nanos(rest * 1_000_000 / (per_second / 1000))
    }
}

/// `8990 kB/s`.
impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kB/s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_follows_from_bytes_and_speed() {
        let speed = Speed::BD_1X.times(2);
        assert_eq!(speed.to_string(), "8990 kB/s");
        assert_eq!(
            speed.time_for(ByteCount::new(8_990_000 * 3 / 2)),
            Duration::from_millis(1500)
        );
        let slowest = Speed::from_kilobytes(0);
        assert_eq!(slowest.time_for(ByteCount::new(1000)).as_secs(), 1);
        assert!(slowest.time_for(ByteCount::new(u64::MAX)) > Duration::from_secs(1 << 40));
    }
}
