//! A new image, on nothing.
//!
//! Invariant: the file systems of a bridge know of every block that the other one has.

use reburn_blocks::{BlockCount, BlockRangeList, ExtentMap, Lba, WriteUnit};
use reburn_iso9660::IsoOptions;
use reburn_tree::Tree;
use reburn_udf::{Arrangement, PartitionKind, UdfOptions, VolumeSize};

use crate::base::first_blocks;
use crate::dvd_video::{self, Offset};
use crate::new_blocks::{
    IsoBlocks, IsoRequest, NewBlocks, UdfBlocks, add_files, data_blocks, end_of_files,
};
use crate::placement::{NewFile, PlacedFiles, Placement, Request, new_files, streams};
use crate::session::{self, Sessions};
use crate::{FileSystemImage, FileSystems, ImageError, Medium};

/// Lays out an image without a base.
pub(crate) fn lay_out(
    image: &FileSystemImage<'_>,
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    match &image.file_systems {
        FileSystems::Iso(iso) => iso_alone(image, iso, placement),
        FileSystems::Udf(udf) => udf_alone(image, udf, placement),
        FileSystems::Bridge(iso, udf) | FileSystems::DvdVideo(iso, udf) => {
            bridge(image, (iso, udf), placement)
        }
    }
}

fn iso_alone(
    image: &FileSystemImage<'_>,
    options: &IsoOptions,
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    let tree = &image.tree;
    let layout = reburn_iso9660::Layout::new(tree, options)?;
    let descriptor_blocks = IsoBlocks::descriptor_blocks(&layout, false);
    let head = IsoBlocks::head(descriptor_blocks);
    let files = new_files(tree, &BlockRangeList::new());
    let session = descriptor_blocks + layout.metadata_blocks();
    let request = Request {
        session,
        files: &files,
        medium: image.medium,
        // There is no old tree to be kept.
        unit: WriteUnit::FILE,
    };
    let taken = first_blocks(session::FIRST_START + session::SYSTEM_AREA);
    let descriptors_start = request.place(&[taken].into_iter().collect(), placement)?;
    let mut sources = ExtentMap::new();
    IsoBlocks::add_sources(&mut sources, &layout, head, descriptors_start);
    add_files(&mut sources, placement, &files);
    let iso = IsoBlocks::new(
        layout,
        &PlacedFiles::new(tree, placement, None),
        &IsoRequest {
            options,
            descriptors_start,
            volume_space: end_of_files(tree, placement).max(sources.end()),
            older: Sessions::default(),
            boot_record: None,
        },
    );
    Ok(NewBlocks {
        sources,
        data: files.iter().map(|file| file.blocks).sum(),
        metadata: session,
        iso: Some(iso),
        udf: None,
        update: None,
        commit: None,
    })
}

fn udf_alone(
    image: &FileSystemImage<'_>,
    options: &UdfOptions,
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    let (tree, medium) = (&image.tree, image.medium);
    if options.partition == PartitionKind::Virtual
        && medium != Medium::File
        && !medium.is_sequential()
    {
        return Err(ImageError::VirtualPartition { medium });
    }
    let layout = reburn_udf::Layout::new(tree, &for_medium(options, medium))?;
    let files = udf_files(tree, &layout, &BlockRangeList::new());
    let data = data_blocks(&files);
    let arrangement = arrange(&layout, reburn_udf::Layout::RECOGNITION, data, image.medium)?;
    for (file, offset) in one_after_the_other(&files) {
        let offset = BlockCount::checked(offset).expect("all data fit");
        placement.set(file, arrangement.data_start + offset);
    }
    let placed_files = PlacedFiles::new(tree, placement, None);
    let udf = UdfBlocks::new(layout, arrangement.addresses, &placed_files);
    let mut sources = ExtentMap::new();
    udf.add_sources(&mut sources, &placed_files);
    add_files(&mut sources, placement, &files);
    Ok(NewBlocks {
        sources,
        data: files.iter().map(|file| file.blocks).sum(),
        metadata: udf.layout.metadata_blocks(),
        iso: None,
        udf: Some(udf),
        update: None,
        commit: None,
    })
}

/// The descriptors of ISO 9660 stand before the recognition sequence of UDF, its path tables and
/// directories before the file data, which both share.
fn bridge(
    image: &FileSystemImage<'_>,
    (iso, udf): (&IsoOptions, &UdfOptions),
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    let (tree, unit) = (&image.tree, image.medium.write_unit());
    let iso_layout = reburn_iso9660::Layout::new(tree, iso)?;
    let options = UdfOptions {
        // ISO 9660 cannot point into an entry.
        embed_files: false,
        ..for_medium(udf, image.medium)
    };
    let udf_layout = reburn_udf::Layout::new(tree, &options)?;
    let descriptor_blocks = IsoBlocks::descriptor_blocks(&iso_layout, false);
    let head = IsoBlocks::head(descriptor_blocks);
    let session = descriptor_blocks + iso_layout.metadata_blocks();
    let files = udf_files(tree, &udf_layout, &BlockRangeList::new());
    let offsets = match &image.file_systems {
        FileSystems::DvdVideo(..) => dvd_video::order(tree, None, &files)?,
        _ => one_after_the_other(&files),
    };
    let span = dvd_video::span(&offsets).unwrap_or(BlockCount::MAX);
    // The session begins with a write unit.
    let data = u64::from(session.get()) + u64::from(unit.blocks().get()) + u64::from(span.get());
    let recognition = Lba::new(head.end_exclusive());
    let mut arrangement = arrange(&udf_layout, recognition, data, image.medium)?;
    let too_big = || too_big(data, image.medium);
    let descriptors_start = arrangement.data_start.align_up(unit).ok_or_else(too_big)?;
    let files_start = descriptors_start.checked_add(session).ok_or_else(too_big)?;
    for (file, offset) in offsets {
        let offset = BlockCount::checked(offset).ok_or_else(too_big)?;
        placement.set(file, files_start + offset);
    }

    let mut sources = ExtentMap::new();
    IsoBlocks::add_sources(&mut sources, &iso_layout, head, descriptors_start);
    add_files(&mut sources, placement, &files);
    let end = match image.medium {
        Medium::File => arrangement.volume_blocks,
        _ => sources.end(),
    };
    let in_use = reburn_blocks::BlockRange::with_count(descriptors_start, session);
    arrangement.addresses.in_use.extend(in_use);
    let placed_files = PlacedFiles::new(tree, placement, None);
    let iso = IsoBlocks::new(
        iso_layout,
        &placed_files,
        &IsoRequest {
            options: iso,
            descriptors_start,
            volume_space: end,
            older: Sessions::default(),
            boot_record: None,
        },
    );
    let udf = UdfBlocks::new(udf_layout, arrangement.addresses, &placed_files);
    udf.add_sources(&mut sources, &placed_files);
    Ok(NewBlocks {
        sources,
        data: files.iter().map(|file| file.blocks).sum(),
        metadata: session + udf.layout.metadata_blocks(),
        iso: Some(iso),
        udf: Some(udf),
        update: None,
        commit: None,
    })
}

/// The options with what the medium decides.
pub(crate) fn for_medium(options: &UdfOptions, medium: Medium) -> UdfOptions {
    UdfOptions {
        write_unit: medium.write_unit(),
        ..options.clone()
    }
}

/// The files and streams that need blocks of their own.
/// Those with a block in `doomed` do if their entries are new.
pub(crate) fn udf_files(
    tree: &Tree,
    layout: &reburn_udf::Layout,
    doomed: &BlockRangeList,
) -> Vec<NewFile> {
    let mut files = new_files(tree, doomed);
    files.extend(streams(tree));
    files.retain(|file| !layout.keeps(file.inode) && !layout.is_embedded(tree, file.inode));
    files
}

fn arrange(
    layout: &reburn_udf::Layout,
    recognition: Lba,
    data: u64,
    medium: Medium,
) -> Result<Arrangement, ImageError> {
    let blocks = BlockCount::checked(data);
    // A volume on a medium reaches to its end, so that later files need no other descriptors. What
    // is recorded from the first block on ends with its files, unless the rest is for appending.
    let reaches = !medium.is_sequential() || layout.options().partition == PartitionKind::Virtual;
    let size = medium
        .capacity()
        .filter(|_| reaches)
        .map_or(VolumeSize::Compact, VolumeSize::Whole);
    let arrangement = blocks.and_then(|data| Arrangement::new(layout, recognition, data, size));
    arrangement
        .filter(|a| medium.capacity().is_none_or(|most| a.volume_blocks <= most))
        .ok_or_else(|| too_big(data + u64::from(layout.metadata_blocks().get()), medium))
}

fn too_big(needed: u64, medium: Medium) -> ImageError {
    ImageError::TooBig {
        needed: BlockCount::checked(needed).unwrap_or(BlockCount::MAX),
        free: medium.capacity().unwrap_or(BlockCount::MAX),
        medium,
    }
}

/// Files without gaps between them.
fn one_after_the_other(files: &[NewFile]) -> Vec<Offset> {
    let mut next = 0;
    let offset = |&file: &NewFile| {
        let at = next;
        next += u64::from(file.blocks.get());
        (file, at)
    };
    files.iter().map(offset).collect()
}
