//! Programs that burn, with an emulated drive: what they write must be what can be read, and the
//! medium must be in the state that the standard gives it after each step.
//!
//! A program runs under `reburn drive run` and believes in a drive. Afterwards the disc is looked
//! at directly, in a drive of its own; what the program wrote is read back through the block
//! device, and each judge must refuse its first disc once one bit of it is wrong. What a program
//! does with a medium is a line of a table in its file; those with several layers are heard with
//! `--full`.

mod bench;
pub mod cdrskin;
pub mod dvd_format;
pub mod growisofs;
mod payload;
mod state;
pub mod wodim;
pub mod xorriso;

use bench::{Bench, is_heard};
use payload::Payload;
use state::{After, Expected};
