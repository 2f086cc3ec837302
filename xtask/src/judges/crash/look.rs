//! Every reader's answer to every state of some discs: outside readers in guests, which are booted
//! once for all states and run side by side, and the own reader.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use reburn_blocks::{BlockCount, ExtentMap};
use reburn_image::{ExtractOptions, View, extract};
use reburn_tree::Tree;

use super::answer::{self, Answer, Reader, Trees};
use super::disc::{Instead, MappedDisc, save_table};
use super::volumes::{LABEL, text};
use crate::command::Program;
use crate::judges::evidence::{failed, walk};
use crate::judges::guest::{self, Guest, quoted};

/// The modules that a guest needs.
const MODULES: [&str; 5] = [
    "lib/crc-itu-t",
    "drivers/cdrom/cdrom",
    "fs/udf/udf",
    "fs/isofs/isofs",
    "drivers/md/dm-mod",
];

/// Guests that run side by side.
const GUESTS: usize = 2;

/// What states of one disc share.
#[derive(Debug)]
pub struct Original {
    pub image: PathBuf,
    pub patches: PathBuf,
    pub blocks: BlockCount,
    /// The file systems to look for.
    pub views: &'static [View],
    pub trees: Trees,
}

/// A disc that something happened to.
#[derive(Debug)]
pub struct State {
    /// What happened.
    pub name: String,
    pub original: Rc<Original>,
    pub instead: ExtentMap<Instead>,
}

/// What each reader says of each file system.
pub type Answers = BTreeMap<(View, Reader), Answer>;

/// Answers in the order of the states.
pub struct Looked {
    pub answers: Vec<Answers>,
    guests: Vec<Program>,
}

impl Looked {
    /// The command that looks at a state again.
    pub fn replay(&self, state: usize) -> &Program {
        &self.guests[state % self.guests.len()]
    }
}

/// Asks every reader; `folder` is for what they say.
pub fn look(states: &[State], folder: &Path) -> Result<Looked, String> {
    for (number, state) in states.iter().enumerate() {
        let table = beside(folder, number, "table");
        save_table(&table, state.original.blocks, &state.instead)?;
    }
    let guests = (0..GUESTS)
        .map(|share| {
            let own = folder.join(format!("guest-{share}"));
            Guest::with_work(&own, &MODULES, &work(states, share, folder)?)
        })
        .collect::<Result<Vec<_>, _>>()?;
    guest::run_together(&guests)?;
    let answers = states.iter().enumerate();
    Ok(Looked {
        answers: answers
            .map(|(number, state)| answers_to(state, number, folder))
            .collect::<Result<_, _>>()?,
        guests: guests.iter().map(|guest| guest.replay().clone()).collect(),
    })
}

/// What every guest can do with a state: map it, and ask for one file system.
///
/// `state IMAGE PATCHES PREFIX` and `view TYPE FORMAT PREFIX`, the type as `mount` takes it and the
/// format as 7-Zip does. Each program has its time: a kernel may wait for ever in a damaged volume.
const ACTIONS: &str = r#"
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
D=/dev/mapper/crash
attach() {
losetup --find --show --read-only --sector-size 2048 "$1"
}
state() {
sed -e "s|IMAGE|$1|" -e "s|PATCHES|$2|" "$3.table" > table
dmsetup create --readonly --noudevsync crash table || return
[ -e $D ] || dmsetup mknodes
timeout 60 blkid -p -o export $D > "$3.blkid" 2> "$3.blkid.errors"
echo $? > "$3.blkid.code"
}
view() {
mount -t $1 -o ro,iocharset=utf8 $D mount 2> "$3.$1.errors" && WALK -o "$3.$1.walk"
umount mount 2> /dev/null
timeout 60 7z x -y -t$2 "-o$3.$1.7z" $D > "$3.$1.7z.said" 2>&1 < /dev/null
echo $? > "$3.$1.7z.code"
}
"#;

/// What a guest does: attaches the files once, then maps and shows one state after the other.
fn work(states: &[State], share: usize, folder: &Path) -> Result<String, String> {
    let mut work = ACTIONS.replace("WALK", &guest::walk_command()?);
    let mut attached: Vec<&Rc<Original>> = Vec::new();
    let own = states.iter().enumerate().skip(share).step_by(GUESTS);
    for (number, state) in own {
        let original = &state.original;
        let known = attached
            .iter()
            .position(|other| Rc::ptr_eq(other, original));
        let device = known.unwrap_or(attached.len());
        // Writing into memory does not fail.
        if known.is_none() {
            attached.push(original);
            let (image, patches) = (quoted(&original.image), quoted(&original.patches));
            let _ = writeln!(
                work,
                "I{device}=$(attach {image}) P{device}=$(attach {patches})"
            );
        }
        let prefix = quoted(&prefix(folder, number));
        let _ = writeln!(work, "state $I{device} $P{device} {prefix}");
        for view in original.views {
            let (kernel, seven_zip) = names(*view);
            let _ = writeln!(work, "view {kernel} {seven_zip} {prefix}");
        }
        work += "dmsetup remove crash\n";
    }
    Ok(work)
}

/// What the kernel and libblkid call a file system, and what 7-Zip does.
fn names(view: View) -> (&'static str, &'static str) {
    match view {
        View::Iso => ("iso9660", "iso"),
        View::Udf => ("udf", "udf"),
    }
}

fn prefix(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("state-{number}"))
}

fn beside(folder: &Path, number: usize, suffix: &str) -> PathBuf {
    folder.join(format!("state-{number}.{suffix}"))
}

/// What everybody said of one state. A guest that did not come to it is an error.
fn answers_to(state: &State, number: usize, folder: &Path) -> Result<Answers, String> {
    let at = |suffix: &str| beside(folder, number, suffix);
    let (original, mut answers) = (&state.original, Answers::new());
    let trees = &original.trees;
    for &view in original.views {
        let (kernel, _) = names(view);
        let of = |suffix: &str| at(&format!("{kernel}.{suffix}"));
        let extracted = of("7z");
        let said = [
            (
                Reader::Kernel,
                answer::of_kernel(trees, &of("walk"), &of("errors"))?,
            ),
            (
                Reader::SevenZip,
                answer::of_seven_zip(trees, &extracted, &of("7z.said"), &of("7z.code"))?,
            ),
            (Reader::Own, own_answer(state, view, folder)?),
        ];
        answers.extend(said.map(|(reader, answer)| ((view, reader), answer)));
    }
    // It takes a disc with both for UDF.
    let seen_as = original.views.iter().copied().max().unwrap_or(View::Udf);
    let expected = (names(seen_as).0, LABEL);
    let answer = answer::of_blkid(expected, &at("blkid"), &at("blkid.code"))?;
    answers.insert((seen_as, Reader::Blkid), answer);
    Ok(answers)
}

fn own_answer(state: &State, view: View, folder: &Path) -> Result<Answer, String> {
    let original = &state.original;
    let disc = MappedDisc::open(&original.image, &original.patches, &state.instead)?;
    let to = folder.join("own");
    let extracted = view.read(&disc).and_then(|tree| {
        let options = ExtractOptions::default();
        extract(&tree, &disc, Tree::ROOT, &to, options).map(drop)
    });
    let answer = match extracted {
        Ok(()) => original.trees.judge(&walk(&to)?),
        Err(error) => Answer::Refused(text(error)),
    };
    if to.exists() {
        fs::remove_dir_all(&to).map_err(failed(&to))?;
    }
    Ok(answer)
}
