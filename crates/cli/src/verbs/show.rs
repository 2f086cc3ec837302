//! `reburn show`: what is on a disc.

use std::process::ExitCode;

use reburn_blocks::PlanFile;
use reburn_image::Sessions;
use reburn_iso9660::Hierarchy;
use reburn_tree::{NodeId, Timestamp, Tree};
use serde_json::json;

use super::{OpenVolume, VolumeKind, records};
use crate::args::Show;
use crate::disc::DiscName;
use crate::failure::Failure;
use crate::progress::{Terminal, print_line};
use crate::render;

/// Sessions that people are shown, the newest of them.
const SESSIONS_SHOWN: usize = 8;

/// Shows the volume and its root, or a file, or a folder.
pub fn run(args: &Show, terminal: Terminal) -> Result<ExitCode, Failure> {
    if let DiscName::File(path) = &args.disc
        && PlanFile::recognise(path).unwrap_or(false)
    {
        let plan = PlanFile::open(path).map_err(|error| Failure::from(error).of(&args.disc))?;
        let (text, object) = (render::plan(plan.plan()), render::plan_json(plan.plan()));
        terminal.result(&format!("plan for {}\n{text}", plan.plan().volume), &object);
        return Ok(ExitCode::SUCCESS);
    }
    let tree = args.session.tree(&args.disc, &args.tree)?;
    if args.records || args.block.is_some() {
        return records::run(args, &tree, terminal);
    }
    let open = OpenVolume::open(&args.disc, &tree, terminal)?;
    let node = open.find(&args.disc, args.path.as_deref())?;
    if args.path.is_none() {
        show_volume(&open, terminal);
    }
    let tree = &open.tree;
    if args.recursive {
        for (node, _) in tree.walk(node).skip(usize::from(tree.is_directory(node))) {
            show_node(tree, node, terminal);
        }
    } else if tree.is_directory(node) {
        for &child in tree.children(node) {
            show_node(tree, child, terminal);
        }
    } else {
        show_node(tree, node, terminal);
    }
    Ok(ExitCode::SUCCESS)
}

fn show_volume(open: &OpenVolume, terminal: Terminal) {
    match &open.volume {
        VolumeKind::Iso(volume, hierarchy) => show_iso(volume, *hierarchy, terminal),
        VolumeKind::Udf(volume) => show_udf(open, volume, terminal),
    }
}

fn date(date: Option<Timestamp>) -> String {
    date.map_or("-".into(), |date| date.to_string())
}

fn show_iso(volume: &reburn_iso9660::Volume, hierarchy: Hierarchy, terminal: Terminal) {
    let primary = volume.primary();
    let name = volume.volume_identifier(hierarchy).unwrap_or_default();
    let trees: Vec<_> = volume
        .hierarchies()
        .iter()
        .map(ToString::to_string)
        .collect();
    let created = date(primary.creation_date.timestamp());
    let modified = date(primary.modification_date.timestamp());
    let blocks = volume.volume_space();
    let sessions = Sessions::decode(&primary.application_use);
    let starts: Vec<_> = sessions
        .iter()
        .flat_map(|s| s.starts.iter().map(|start| start.get()))
        .collect();
    let object = json!({
        "volume": name, "trees": trees, "blocks": blocks.get(),
        "created": created, "modified": modified, "sessions": starts,
        "boot_catalog": volume.boot_catalog().map(reburn_blocks::Lba::get),
        "udf": volume.udf().is_some(),
    });
    let mut lines = vec![
        format!("volume    {name}"),
        format!("trees     {}, showing {}", trees.join(", "), hierarchy),
        format!("size      {blocks} blocks ({})", render::size(blocks)),
        format!("created   {created}"),
        format!("modified  {modified}"),
    ];
    if starts.len() > 1 {
        let listed = sessions.iter().flat_map(Sessions::numbered);
        let listed: Vec<_> = listed
            .map(|(number, start)| format!("{number} at block {start}"))
            .collect();
        let hidden = listed.len().saturating_sub(SESSIONS_SHOWN);
        let older = if hidden > 0 { "older ones, " } else { "" };
        lines.push(format!("sessions  {older}{}", listed[hidden..].join(", ")));
    }
    if let Some(catalog) = volume.boot_catalog() {
        lines.push(format!("boots     by the catalog at block {catalog}"));
    }
    if volume.udf().is_some() {
        lines.push("udf       is also on the disc, over the same files".into());
    }
    lines.push(String::new());
    terminal.result(&lines.join("\n"), &object);
}

fn show_udf(open: &OpenVolume, volume: &reburn_udf::Volume, terminal: Terminal) {
    let integrity = volume.integrity();
    let recorded = integrity.and_then(|integrity| integrity.recorded);
    let free = volume.free_blocks(&*open.disc.blocks).ok().flatten();
    let partitions = volume.partitions();
    let kinds: Vec<_> = partitions
        .iter()
        .map(|partition| partition.kind.to_string())
        .collect();
    let revision = volume.revision();
    let block = volume.block_size();
    let object = json!({
        "volume": volume.label(), "udf": revision.to_string(), "block_size": block,
        "partitions": partitions.iter().map(|partition| json!({
            "kind": partition.kind.to_string(), "number": partition.number,
            "start": partition.start, "blocks": partition.blocks,
            "access": partition.access.to_string(),
        })).collect::<Vec<_>>(),
        "modified": date(recorded),
        "closed": integrity.map(|integrity| integrity.is_closed),
        "files": integrity.map(|integrity| integrity.files),
        "folders": integrity.map(|integrity| integrity.directories),
        "next_unique_id": integrity.map(|integrity| integrity.next_unique_id),
        "free_blocks": free,
    });
    let mut lines = vec![
        format!("volume    {}", volume.label()),
        format!("udf       {revision}, blocks of {block} bytes"),
    ];
    for partition in partitions.iter().take(1) {
        lines.push(format!(
            "partition {}, {}, {} blocks from block {}",
            kinds.join(" and "),
            partition.access,
            partition.blocks,
            partition.start
        ));
    }
    if let Some(integrity) = integrity {
        lines.push(format!(
            "holds     {} names of files, {} folders",
            integrity.files, integrity.directories
        ));
        let state = if integrity.is_closed {
            "closed"
        } else {
            "left open"
        };
        lines.push(format!("modified  {}, {state}", date(recorded)));
    }
    if let Some(free) = free {
        lines.push(format!("free      {free} blocks"));
    }
    lines.push(String::new());
    terminal.result(&lines.join("\n"), &object);
}

fn show_node(tree: &Tree, node: NodeId, terminal: Terminal) {
    if terminal.json {
        print_line(&render::node_json(tree, node).to_string());
    } else {
        print_line(&render::node(tree, node));
    }
}
