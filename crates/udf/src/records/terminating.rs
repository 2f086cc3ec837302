//! Terminating descriptor (ECMA-167 3/10.9, 4/14.2): the end of a sequence.

use reburn_record::record;

use super::Tag;

record! {
    /// Nothing more of the sequence follows.
    pub struct TerminatingDescriptor: 512, "ECMA-167 3/10.9" {
        0  tag: Tag, "3/10.9.1";
        16 reserved: [u8; 496], "3/10.9.2";
    }
}
