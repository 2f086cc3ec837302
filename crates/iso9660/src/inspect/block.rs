//! One block of the disc: what it says that it is.

use std::ops::ControlFlow;

use reburn_blocks::Lba;

use super::directory::{self, Found};
use super::{Inspector, Show, boot, system_use, volume};

impl Inspector<'_> {
    /// Shows a block if it is a volume descriptor, a boot catalog, or begins with a directory
    /// record. Whether it is one of these.
    pub fn block(&self, block: Lba, show: Show<'_>) -> ControlFlow<(), bool> {
        let Ok(bytes) = self.read(block.get()) else {
            return ControlFlow::Continue(false);
        };
        if volume::is_descriptor(&bytes) {
            show(&volume::sheet(&bytes, block.get()))?;
            return ControlFlow::Continue(true);
        }
        if boot::is_catalog(&bytes) {
            boot::catalog(&bytes, block.get(), show)?;
            return ControlFlow::Continue(true);
        }
        let mut byte = 0;
        while let Some(found) = Found::parse(block.get(), &bytes, byte)
            && found.is_likely()
        {
            let (mut sheet, rest) = directory::sheet(&found, false);
            // Nothing says here how many bytes are before the entries; there hardly ever are.
            let start = found.bytes.len() - rest.len();
            system_use::rows(&mut sheet, start, rest);
            show(&sheet)?;
            byte += found.bytes.len();
        }
        ControlFlow::Continue(byte > 0)
    }
}
