//! The reply to GET CONFIGURATION: the current profile and what the drive can do.

use crate::bytes::{Fields, flags, len8, len32};
use crate::command::FeatureScope;
use crate::reply::Feature;
use crate::{DecodeError, Profile};

const WHAT: &str = "GET CONFIGURATION";
const HEADER_LEN: usize = 8;

/// One feature and how things stand with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureDescriptor {
    /// The version of the feature's own data, at most 15.
    pub version: u8,
    /// Whether the feature is always current.
    pub persistent: bool,
    /// Whether the feature can be used with the loaded medium.
    pub current: bool,
    /// The feature.
    pub feature: Feature,
}

impl FeatureDescriptor {
    /// A feature in its first version.
    pub const fn new(feature: Feature, persistent: bool, current: bool) -> Self {
        Self {
            version: 0,
            persistent,
            current,
            feature,
        }
    }

    fn encode_into(&self, reply: &mut Vec<u8>) {
        let mut data = self.feature.encode();
        data.resize(data.len().next_multiple_of(4).min(252), 0);
        reply.extend(self.feature.code().to_be_bytes());
        let bits = flags([(self.persistent, 1), (self.current, 0)]);
        reply.extend([(self.version & 0x0f) << 2 | bits, len8(data.len())]);
        reply.extend(data);
    }
}

/// The current profile and the features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// What is loaded.
    pub current_profile: Profile,
    /// The features, ascending by code.
    pub features: Vec<FeatureDescriptor>,
}

impl Configuration {
    /// The features that a host asks for by scope and first code.
    #[must_use]
    pub fn select(mut self, scope: FeatureScope, start: u16) -> Self {
        self.features.retain(|descriptor| {
            let code = descriptor.feature.code();
            match scope {
                FeatureScope::All => code >= start,
                FeatureScope::Current => code >= start && descriptor.current,
                FeatureScope::One => code == start,
            }
        });
        self
    }

    /// The descriptor of the feature with this code.
    pub fn feature(&self, code: u16) -> Option<&FeatureDescriptor> {
        self.features
            .iter()
            .find(|descriptor| descriptor.feature.code() == code)
    }

    /// Whether the feature with this code can be used now.
    pub fn is_current(&self, code: u16) -> bool {
        self.feature(code)
            .is_some_and(|descriptor| descriptor.current)
    }

    /// The reply: a header of 8 bytes, then the features.
    pub fn encode(&self) -> Vec<u8> {
        let mut reply = vec![0; HEADER_LEN];
        for feature in &self.features {
            feature.encode_into(&mut reply);
        }
        let following = len32(reply.len() - 4);
        reply[..4].copy_from_slice(&following.to_be_bytes());
        reply[6..8].copy_from_slice(&self.current_profile.0.to_be_bytes());
        reply
    }

    /// How many bytes the whole reply has, from its first 4.
    pub fn announced_len(header: &[u8]) -> Result<usize, DecodeError> {
        let following = Fields::new(WHAT, header, 4)?.u32(0);
        Ok((following as usize).saturating_add(4))
    }

    /// The reply in `bytes`, which must be all of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let len = Self::announced_len(bytes)?.max(HEADER_LEN);
        let fields = Fields::new(WHAT, bytes, HEADER_LEN)?.cut(len)?;
        let mut features = Vec::new();
        let mut offset = HEADER_LEN;
        while offset < len {
            let data_start = offset + 4;
            let data_end = data_start + usize::from(fields.u8(offset + 3));
            let entry = fields.cut(data_end)?;
            let feature = Feature::decode(fields.u16(offset), entry.from(data_start))
                .map_err(|value| fields.bad(offset, value))?;
            features.push(FeatureDescriptor {
                version: fields.u8(offset + 2) >> 2 & 0x0f,
                persistent: fields.bit(offset + 2, 1),
                current: fields.bit(offset + 2, 0),
                feature,
            });
            offset = data_end;
        }
        Ok(Self {
            current_profile: Profile(fields.u16(6)),
            features,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reburn_blocks::{Lba, WriteUnit};

    use super::*;
    use crate::reply::ProfileDescriptor;

    fn configuration() -> Configuration {
        let profiles = Feature::ProfileList(vec![ProfileDescriptor {
            profile: Profile::BD_RE,
            current: true,
        }]);
        let random = Feature::RandomWritable {
            last_lba: Lba::new(0x00b4_73ff),
            block_size: 2048,
            blocking: WriteUnit::BLU_RAY,
            error_recovery_page: true,
        };
        let unknown = Feature::Unknown {
            code: 0xff01,
            data: vec![1, 2, 3, 4],
        };
        Configuration {
            current_profile: Profile::BD_RE,
            features: vec![
                FeatureDescriptor::new(profiles, true, true),
                FeatureDescriptor {
                    version: 1,
                    ..FeatureDescriptor::new(random, false, true)
                },
                FeatureDescriptor::new(unknown, false, false),
            ],
        }
    }

    const BYTES: [u8; 40] = [
        0, 0, 0, 36, 0, 0, 0, 0x43, // header
        0, 0, 3, 4, 0, 0x43, 1, 0, // profiles
        0, 0x20, 5, 12, 0, 0xb4, 0x73, 0xff, 0, 0, 8, 0, 0, 32, 1, 0, // random writable
        0xff, 1, 0, 4, 1, 2, 3, 4, // unknown
    ];

    #[test]
    fn golden_bytes() {
        assert_eq!(configuration().encode(), BYTES);
        assert_eq!(Configuration::decode(&BYTES), Ok(configuration()));
        let with_room = [&BYTES[..], &[9; 10]].concat();
        assert_eq!(Configuration::decode(&with_room), Ok(configuration()));
    }

    #[test]
    fn a_cut_reply_says_how_long_it_is() {
        assert_eq!(Configuration::announced_len(&BYTES[..4]), Ok(40));
        let error = Configuration::decode(&BYTES[..39]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "GET CONFIGURATION: 40 bytes are needed, but 39 are present"
        );
        assert!(Configuration::decode(&BYTES[..3]).is_err());
    }

    #[test]
    fn a_feature_never_reaches_past_the_announced_end() {
        let mut bytes = BYTES;
        bytes[35] = 8; // the last feature claims four bytes more
        assert!(Configuration::decode(&bytes).is_err());
    }

    #[test]
    fn selection_follows_scope_and_start() {
        let codes = |scope, start| -> Vec<u16> {
            let selected = configuration().select(scope, start);
            selected.features.iter().map(|f| f.feature.code()).collect()
        };
        assert_eq!(codes(FeatureScope::All, 1), [0x0020, 0xff01]);
        assert_eq!(codes(FeatureScope::Current, 0), [0x0000, 0x0020]);
        assert_eq!(codes(FeatureScope::One, 0x0020), [0x0020]);
        assert_eq!(codes(FeatureScope::One, 0x0021), [0; 0]);
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if bytes.len() >= 4 {
                let following = len32(bytes.len() - 4);
                bytes[..4].copy_from_slice(&following.to_be_bytes());
            }
            if let Ok(configuration) = Configuration::decode(&bytes) {
                let again = configuration.encode();
                prop_assert_eq!(Configuration::decode(&again), Ok(configuration));
            }
        }
    }
}
