//! Laying out a volume.
