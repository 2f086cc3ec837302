//! Modelled time beside real time.

use std::num::NonZeroU32;
use std::time::Duration;

/// How many seconds pass in the drive while one passes for its hosts.
///
/// A host that polls a drive while it closes a disc sees the same states at any pace. One that
/// gives up after a fixed time is more patient at a higher pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace(NonZeroU32);

impl Pace {
    /// As long as a real drive of this model would take.
    pub const REAL: Self = Self(NonZeroU32::MIN);

    /// So many times as fast as real; 0 counts as 1.
    pub const fn times(factor: u32) -> Self {
        match NonZeroU32::new(factor) {
            Some(factor) => Self(factor),
            None => Self::REAL,
        }
    }

    /// What passes in the drive while `real` passes for its hosts.
    pub fn modelled(self, real: Duration) -> Duration {
        real.saturating_mul(self.0.get())
    }

    /// What passes for the hosts while `modelled` passes in the drive.
    pub fn real(self, modelled: Duration) -> Duration {
        modelled / self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        let pace = Pace::times(500);
        assert_eq!(
            pace.modelled(Duration::from_millis(3)),
            Duration::from_millis(1500)
        );
        assert_eq!(pace.real(Duration::from_secs(1)), Duration::from_millis(2));
        assert_eq!(Pace::times(0), Pace::REAL);
        assert_eq!(pace.modelled(Duration::MAX), Duration::MAX);
    }
}
