//! The region that a drive plays videos of: REPORT KEY, format 8.

use crate::DecodeError;
use crate::bytes::{Fields, with_length16};

/// The state of the region lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionState {
    /// 0 no region set, 1 set, 2 the last change is left, 3 fixed for good.
    pub state: u8,
    /// How often the vendor can still reset it, 3 bits.
    pub vendor_resets: u8,
    /// How often the user can still change it, 3 bits.
    pub user_changes: u8,
    /// A bit for each region that cannot be played, all set if none is chosen.
    pub region_mask: u8,
    /// 1 if the drive enforces regions.
    pub scheme: u8,
}

impl RegionState {
    /// A new drive: no region is set.
    pub const UNSET: Self = Self {
        state: 0,
        vendor_resets: 4,
        user_changes: 5,
        region_mask: 0xff,
        scheme: 1,
    };

    /// The reply, 8 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let counts = self.state << 6 | (self.vendor_resets & 7) << 3 | self.user_changes & 7;
        with_length16(vec![0, 0, 0, 0, counts, self.region_mask, self.scheme, 0])
    }

    /// The reply in `bytes`, of which 8 must be present.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new("REPORT KEY", bytes, 8)?;
        Ok(Self {
            state: fields.u8(4) >> 6,
            vendor_resets: fields.u8(4) >> 3 & 7,
            user_changes: fields.u8(4) & 7,
            region_mask: fields.u8(5),
            scheme: fields.u8(6),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_bytes() {
        let bytes = [0, 6, 0, 0, 0x25, 0xff, 1, 0];
        assert_eq!(RegionState::UNSET.encode(), bytes);
        assert_eq!(RegionState::decode(&bytes), Ok(RegionState::UNSET));
        assert!(RegionState::decode(&bytes[..7]).is_err());
    }
}
