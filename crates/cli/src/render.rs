//! How files and plans look.

use std::fmt::Write as _;

use reburn_blocks::{BlockCount, ByteCount, CrashClass, Lba, Plan, Protocol};
use reburn_tree::{Content, Kind, NodeId, Tree};
use serde_json::{Value, json};

/// A number of blocks as people read it.
pub fn size(blocks: BlockCount) -> ByteCount {
    ByteCount::new(blocks.bytes())
}

/// A file as `ls -l` shows it, with its path.
pub fn node(tree: &Tree, node: NodeId) -> String {
    let inode = tree.inode(node);
    let metadata = tree.metadata(inode);
    let (letter, size) = match tree.kind(inode) {
        Kind::Directory => ('d', "-".into()),
        Kind::File { size, .. } => ('-', size.to_string()),
        Kind::Symlink(_) => ('l', "-".into()),
        Kind::CharDevice { major, minor } => ('c', format!("{major},{minor}")),
        Kind::BlockDevice { major, minor } => ('b', format!("{major},{minor}")),
        Kind::Fifo => ('p', "-".into()),
        Kind::Socket => ('s', "-".into()),
    };
    let mut line = format!(
        "{letter}{} {:3} {:5} {:5} {size:>12} {} {}",
        permissions(metadata.permissions),
        tree.links(inode),
        metadata.uid,
        metadata.gid,
        metadata.modified,
        printable(&tree.path(node)),
    );
    if let Kind::Symlink(target) = tree.kind(inode) {
        line += " -> ";
        line += &printable(target);
    }
    line
}

/// Text from a disc without control characters, which could do things to a terminal.
fn printable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() {
            shown.extend(char.escape_default());
        } else {
            shown.push(char);
        }
    }
    shown
}

/// `rwxr-xr-x`, with the set-id and sticky bits as `ls` shows them.
fn permissions(bits: u16) -> String {
    let mut text = String::with_capacity(9);
    for (class, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let class = bits >> class;
        text.push(if class & 4 == 0 { '-' } else { 'r' });
        text.push(if class & 2 == 0 { '-' } else { 'w' });
        text.push(match (bits & special != 0, class & 1 != 0) {
            (false, false) => '-',
            (false, true) => 'x',
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
        });
    }
    text
}

/// A file as an object.
pub fn node_json(tree: &Tree, node: NodeId) -> Value {
    let inode = tree.inode(node);
    let metadata = tree.metadata(inode);
    let mut object = json!({
        "path": String::from_utf8_lossy(&tree.path(node)),
        "mode": format!("{:04o}", metadata.permissions),
        "uid": metadata.uid, "gid": metadata.gid, "links": tree.links(inode),
        "modified": metadata.modified.to_string(),
    });
    match tree.kind(inode) {
        Kind::Directory => object["kind"] = "folder".into(),
        Kind::File { size, content } => {
            object["kind"] = "file".into();
            object["size"] = size.into();
            if let Content::Base(extents) = content {
                let extents = extents
                    .iter()
                    .map(|e| json!({"lba": e.start().map(Lba::get), "byte": e.first_byte(), "bytes": e.bytes}));
                object["extents"] = extents.collect();
            }
        }
        Kind::Symlink(target) => {
            object["kind"] = "symlink".into();
            object["target"] = String::from_utf8_lossy(target).into();
        }
        Kind::CharDevice { major, minor } => {
            object["kind"] = "character device".into();
            object["device"] = json!([major, minor]);
        }
        Kind::BlockDevice { major, minor } => {
            object["kind"] = "block device".into();
            object["device"] = json!([major, minor]);
        }
        Kind::Fifo => object["kind"] = "fifo".into(),
        Kind::Socket => object["kind"] = "socket".into(),
    }
    object
}

/// A plan in plain words.
pub fn plan(plan: &Plan) -> String {
    let modified = &plan.modified;
    if modified.is_empty() {
        return "nothing to record: the disc already has what it shall have".into();
    }
    let count = modified.block_count();
    let mut text = format!(
        "record {count} of {} blocks ({}) in {} {}, which needs {} at least\n",
        plan.total_blocks,
        size(count),
        epochs(modified.epochs().len()),
        by(plan.protocol),
        plan.lower_bound,
    );
    for (index, epoch) in modified.epochs().iter().enumerate() {
        let blocks = epoch.ranges.block_count();
        let ranges = epoch.ranges.ranges();
        let shown: Vec<_> = ranges
            .iter()
            .take(RANGES_SHOWN)
            .map(ToString::to_string)
            .collect();
        let more = match ranges.len().saturating_sub(RANGES_SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more ranges"),
        };
        let role = epoch.role;
        let _ = writeln!(
            text,
            "  {} {role}: {blocks} blocks: {}{more}",
            index + 1,
            shown.join(" ")
        );
    }
    let _ = write!(
        text,
        "lose power at any moment: {} (class {}); {}",
        after_a_cut(plan.class),
        plan.class,
        plan.class_reason
    );
    text
}

fn by(protocol: Protocol) -> String {
    match protocol {
        Protocol::InPlace => protocol.to_string(),
        _ => format!("by {protocol}"),
    }
}

fn epochs(count: usize) -> String {
    match count {
        1 => "1 epoch".into(),
        _ => format!("{count} epochs, a barrier after each,"),
    }
}

/// What a class promises, to whoever has the disc.
const fn after_a_cut(class: CrashClass) -> &'static str {
    match class {
        CrashClass::Atomic => "the disc shows the old files or the new ones, whole",
        CrashClass::Recoverable => {
            "the disc shows the old files or the new ones, or one write of `reburn check --repair` \
             brings one of them back"
        }
        CrashClass::None => "the disc may show neither the old files nor the new ones",
    }
}

/// Ranges of an epoch that people are shown.
const RANGES_SHOWN: usize = 8;

/// A plan as an object, with every range in the order to record it.
pub fn plan_json(plan: &Plan) -> Value {
    let epochs: Vec<_> = plan
        .modified
        .epochs()
        .iter()
        .map(|epoch| {
            let ranges = epoch.ranges.iter();
            let ranges: Vec<_> = ranges
                .map(|r| json!([r.start_lba().get(), r.end_lba().get()]))
                .collect();
            json!({ "role": epoch.role.to_string(), "ranges": ranges })
        })
        .collect();
    json!({
        "volume": plan.volume,
        "protocol": plan.protocol.to_string(),
        "class": plan.class.to_string(),
        "class_reason": plan.class_reason,
        "write_unit": plan.modified.write_unit().blocks().get(),
        "total_blocks": plan.total_blocks.get(),
        "modified_blocks": plan.modified.block_count().get(),
        "lower_bound": plan.lower_bound.get(),
        "epochs": epochs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_look_as_in_ls() {
        assert_eq!(permissions(0o755), "rwxr-xr-x");
        assert_eq!(permissions(0o4755), "rwsr-xr-x");
        assert_eq!(permissions(0o7000), "--S--S--T");
        assert_eq!(permissions(0o1777), "rwxrwxrwt");
    }

    #[test]
    fn names_cannot_speak_to_the_terminal() {
        assert_eq!(printable(b"a\x1b[31mb\nc"), "a\\u{1b}[31mb\\nc");
    }
}
