//! No decoder panics, whatever the bytes.

use proptest::prelude::*;
use reburn_mmc::reply::{
    BufferCapacity, Capacity, CdText, Configuration, DiscInformation, DiscStructure, DiscUnit,
    EventStatus, FormatCapacities, FormatParameters, FullToc, GrooveInformation, InquiryData,
    LayerCapacity, MechanismState, ModeParameters, Performance, PhysicalFormat, PreGroove,
    PreRecorded, ProgramMemory, ProtectionStatus, PseudoOverwriteResources, RegionState,
    SpareAreas, StreamingDescriptor, Toc, TocSessions, TrackInformation, TrackResources,
    WriteSpeeds,
};
use reburn_mmc::{Command, DecodeError, Sense};

/// A decoder, with what it makes of the bytes thrown away.
type Decoder = fn(&[u8]) -> Result<(), DecodeError>;

/// Every decoder.
const DECODERS: [Decoder; 33] = [
    |bytes| BufferCapacity::decode(bytes).map(drop),
    |bytes| Capacity::decode(bytes).map(drop),
    |bytes| Configuration::decode(bytes).map(drop),
    |bytes| DiscInformation::decode(bytes).map(drop),
    |bytes| DiscStructure::decode(bytes).map(drop),
    |bytes| EventStatus::decode(bytes).map(drop),
    |bytes| FormatCapacities::decode(bytes).map(drop),
    |bytes| FormatParameters::decode(bytes).map(drop),
    |bytes| InquiryData::decode(bytes).map(drop),
    |bytes| MechanismState::decode(bytes).map(drop),
    |bytes| ModeParameters::decode(bytes).map(drop),
    |bytes| ModeParameters::decode_list(bytes).map(drop),
    |bytes| Performance::decode(bytes).map(drop),
    |bytes| CdText::decode(bytes).map(drop),
    |bytes| DiscUnit::decode(bytes).map(drop),
    |bytes| FullToc::decode(bytes).map(drop),
    |bytes| GrooveInformation::decode(bytes).map(drop),
    |bytes| LayerCapacity::decode(bytes).map(drop),
    |bytes| PhysicalFormat::decode(bytes).map(drop),
    |bytes| PreGroove::decode(bytes).map(drop),
    |bytes| PreRecorded::decode(bytes).map(drop),
    |bytes| ProgramMemory::decode(bytes).map(drop),
    |bytes| ProtectionStatus::decode(bytes).map(drop),
    |bytes| RegionState::decode(bytes).map(drop),
    |bytes| SpareAreas::decode(bytes).map(drop),
    |bytes| PseudoOverwriteResources::decode(bytes).map(drop),
    |bytes| TrackResources::decode(bytes).map(drop),
    |bytes| StreamingDescriptor::decode(bytes).map(drop),
    |bytes| Toc::decode(bytes).map(drop),
    |bytes| TocSessions::decode(bytes).map(drop),
    |bytes| TrackInformation::decode(bytes).map(drop),
    |bytes| WriteSpeeds::decode(bytes).map(drop),
    |bytes| Sense::decode(bytes).map(drop),
];

proptest! {
    #[test]
    fn decoders_take_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..128)) {
        for decode in DECODERS {
            let _ = decode(&bytes);
        }
        let _ = Command::decode(&bytes);
    }

    /// Lengths that a reply announces, and the bytes that are there, need not agree.
    #[test]
    fn announced_lengths_are_checked(
        head in prop::sample::select(&[0u8, 1, 2, 8, 0x7f, 0xff][..]),
        mut bytes in prop::collection::vec(prop::sample::select(&[0u8, 1, 4, 0xff][..]), 4..48),
    ) {
        for index in 0..4 {
            bytes[..4].fill(0);
            bytes[index] = head;
            for decode in DECODERS {
                let _ = decode(&bytes);
            }
        }
    }
}

#[test]
fn nothing_decodes_from_no_bytes() {
    for (index, decode) in DECODERS.iter().enumerate() {
        let error = decode(&[]).unwrap_err();
        assert!(
            matches!(error, DecodeError::TooShort { .. }),
            "decoder {index}: {error}"
        );
    }
}
