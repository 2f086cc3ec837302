//! mmc
