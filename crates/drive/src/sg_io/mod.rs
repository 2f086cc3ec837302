//! Commands to devices of Linux by the system call `SG_IO`.

pub mod header;
