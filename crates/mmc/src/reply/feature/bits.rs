//! Features, or parts of them, that are sets of flags.

/// Declares a set of flags that travels as one byte: field, bit, meaning.
macro_rules! bit_fields {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $bit:literal, $meaning:literal;)+ }) => {
        $(#[$doc])*
        #[allow(clippy::struct_excessive_bools)] // a bit each in the feature
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct $name {
            $(#[doc = $meaning] pub $field: bool,)+
        }

        impl $name {
            pub(super) const fn bits(self) -> u8 {
                $((self.$field as u8) << $bit |)+ 0
            }

            pub(super) const fn from_bits(byte: u8) -> Self {
                Self { $($field: byte >> $bit & 1 == 1,)+ }
            }
        }
    };
}

bit_fields! {
    /// How a medium can be formatted.
    FormattableWays {
        random_recording: 7, "Whether a BD-R can be formatted for writing in any order.";
        spare_areas: 3, "Whether spare areas can be left out (BD-RE).";
        expandable: 2, "Whether spare areas can be enlarged (DVD-RAM, BD-RE).";
        quick_certification: 1, "Whether a quick certification can be chosen.";
        certification: 0, "Whether a full certification can be chosen.";
    }
}

bit_fields! {
    /// How speeds are reported and set.
    StreamingSupport {
        buffer_capacity_in_blocks: 4, "Whether READ BUFFER CAPACITY counts blocks.";
        set_cd_speed: 3, "Whether SET CD SPEED works.";
        write_speeds_in_page_2a: 2, "Whether page 2Ah lists write speeds.";
        write_speeds: 1, "Whether GET PERFORMANCE lists write speeds.";
        stream_writing: 0, "Whether SET STREAMING sets write speeds.";
    }
}

bit_fields! {
    /// Who can forbid writing, and until when.
    WriteProtection {
        disc_control_block: 2, "Whether a disc control block can forbid it (DVD+RW).";
        persistent: 1, "Whether the medium can be told to forbid it.";
        until_power_off: 0, "Whether the drive can be told to forbid it until it is off.";
        physical: 3, "Whether READ DISC STRUCTURE reports a switch of the cartridge.";
    }
}

bit_fields! {
    /// What is read of a CD besides its user data.
    CdReading {
        digital_audio_play: 7, "Whether the drive plays audio by itself.";
        c2_errors: 1, "Whether READ CD returns error flags.";
        cd_text: 0, "Whether titles in the lead-in can be read.";
    }
}

bit_fields! {
    /// How DVD-R and DVD-RW are recorded with the disc at once.
    DvdMinusWriting {
        underrun_protection: 6, "Whether the drive survives an empty buffer.";
        dual_layer: 3, "Whether DVD-R with two layers is written.";
        test_write: 2, "Whether the laser can stay off.";
        rewritable: 1, "Whether DVD-RW is written.";
    }
}

bit_fields! {
    /// How a CD track is recorded at once or in packets.
    CdTrackWriting {
        underrun_protection: 6, "Whether the drive survives an empty buffer.";
        raw_subchannel: 4, "Whether raw R-W sub-channels are written.";
        packed_subchannel: 3, "Whether packed R-W sub-channels are written.";
        test_write: 2, "Whether the laser can stay off.";
        rewritable: 1, "Whether tracks on CD-RW can be overwritten.";
        subchannel: 0, "Whether R-W sub-channels are written.";
    }
}

bit_fields! {
    /// How a CD session is recorded at once, or raw.
    CdSessionWriting {
        underrun_protection: 6, "Whether the drive survives an empty buffer.";
        session_at_once: 5, "Whether sessions are recorded at once.";
        raw_multi_session: 4, "Whether several sessions are recorded raw.";
        raw: 3, "Whether sessions are recorded raw.";
        test_write: 2, "Whether the laser can stay off.";
        rewritable: 1, "Whether CD-RW is written.";
        subchannel: 0, "Whether R-W sub-channels are written.";
    }
}

bit_fields! {
    /// What can be written of a disc whose write units are aligned (DVD-RW).
    RigidOverwriting {
        reads_generated_defects: 3, "Whether generated defect status data can be read.";
        reads_defects: 2, "Whether defect status data can be read.";
        intermediate: 1, "Whether the last border is unfinished and can grow.";
        blank: 0, "Whether the disc can be blanked.";
    }
}

bit_fields! {
    /// What is done in the way of Mount Rainier.
    MountRainier {
        dvd_plus_write: 2, "Whether DVD+RW is written that way.";
        dvd_plus_read: 1, "Whether DVD+RW is read that way.";
        write: 0, "Whether CD-RW is written that way.";
    }
}
