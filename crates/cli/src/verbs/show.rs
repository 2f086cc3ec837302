//! `reburn show`: what is on a disc.

use std::process::ExitCode;

use reburn_blocks::PlanFile;
use reburn_tree::{NodeId, Tree};
use serde_json::json;

use super::OpenVolume;
use crate::args::Show;
use crate::disc::DiscName;
use crate::failure::Failure;
use crate::progress::{Terminal, print_line};
use crate::render;

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
    let open = OpenVolume::open(&args.disc, &args.tree, terminal)?;
    let node = open.find(&args.disc, args.path.as_deref())?;
    if args.path.is_none() {
        show_volume(&open, terminal);
    }
    let tree = &open.files.tree;
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
    let volume = &open.volume;
    let primary = volume.primary();
    let name = volume.volume_identifier(open.hierarchy).unwrap_or_default();
    let trees: Vec<_> = volume
        .hierarchies()
        .iter()
        .map(ToString::to_string)
        .collect();
    let date = |date: Option<reburn_tree::Timestamp>| date.map_or("-".into(), |d| d.to_string());
    let created = date(primary.creation_date.timestamp());
    let modified = date(primary.modification_date.timestamp());
    let blocks = volume.volume_space();
    let sessions = reburn_image::Sessions::decode(&primary.application_use);
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
        format!("trees     {}, showing {}", trees.join(", "), open.hierarchy),
        format!("size      {blocks} blocks ({})", render::size(blocks)),
        format!("created   {created}"),
        format!("modified  {modified}"),
    ];
    if !starts.is_empty() {
        let starts: Vec<_> = starts.iter().map(ToString::to_string).collect();
        lines.push(format!(
            "sessions  start at blocks {}, newest first",
            starts.join(", ")
        ));
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

fn show_node(tree: &Tree, node: NodeId, terminal: Terminal) {
    if terminal.json {
        print_line(&render::node_json(tree, node).to_string());
    } else {
        print_line(&render::node(tree, node));
    }
}
