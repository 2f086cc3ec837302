//! Replies and parameter lists: what travels besides the commands.
//!
//! Each is a struct with `encode` and `decode`. A reply announces its own length; decoding one
//! that the host's allocation cut short gives [`DecodeError::TooShort`](crate::DecodeError)
//! with the length to ask for, and bytes past the announced end are ignored: a host may have
//! offered a larger buffer than the reply fills.

mod capacity;
mod cd_toc;
mod configuration;
mod cue;
mod disc;
mod disc_resources;
mod event;
mod feature;
mod format;
mod inquiry;
mod mode;
mod mode_page;
mod performance;
mod region;
mod structure;
mod toc;
mod track;

pub use capacity::{BufferCapacity, Capacity};
pub use cd_toc::{CdText, FullToc, LeadInEntry, PreGroove, ProgramMemory};
pub use configuration::{Configuration, FeatureDescriptor};
pub use cue::{CueEntry, CueSheet, DataForm};
pub use disc::{BackgroundFormat, DiscInformation, DiscStatus, DiscType, SessionStatus};
pub use disc_resources::{PseudoOverwriteResources, TrackResources};
pub use event::{ClassEvent, EventStatus, MechanismState, MediaEvent, MediaEventStatus};
pub use feature::{
    BdReadClasses, BdWriteClasses, CdReading, CdSessionWriting, CdTrackWriting, DvdMinusWriting,
    Feature, FormattableWays, IncrementalStreaming, MountRainier, ProfileDescriptor,
    RigidOverwriting, StreamingSupport, WriteProtection,
};
pub use format::{
    FormatCapacities, FormatDescriptor, FormatKind, FormatParameters, FormattedCapacity,
};
pub use inquiry::InquiryData;
pub use mode::{ModePage, ModeParameters};
pub use mode_page::{
    CapabilitiesPage, PowerPage, RecoveryPage, TimeoutPage, WriteParametersPage, WriteType,
};
pub use performance::{
    Performance, PerformanceRange, StreamingDescriptor, WriteSpeed, WriteSpeeds,
};
pub use region::RegionState;
pub use structure::{
    AvailableStructure, DiscStructure, DiscUnit, GrooveInformation, LayerCapacity, PhysicalFormat,
    PreRecorded, ProtectionStatus, SpareAreas,
};
pub use toc::{Toc, TocEntry, TocSessions};
pub use track::TrackInformation;
