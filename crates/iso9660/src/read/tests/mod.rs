//! Volumes that are odd, and volumes that are wrong.

mod descriptors;
mod plain;
mod rock_ridge;
