//! Rehearsals of real plans, on emulated media and in files.

mod agreement;
mod mutants;
mod protocols;
mod sample;
