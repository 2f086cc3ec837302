//! Help texts, so that a change to them is seen.

use insta::assert_snapshot;

use crate::place::Place;

#[test]
fn the_program() {
    let place = Place::new();
    assert_snapshot!(place.ok(&["--help"]), @r#"
    Record only the blocks of an optical disc that changed

    Usage: reburn [OPTIONS] <COMMAND>

    Commands:
      make  Make a new image from a folder
      show  Show what is on a disc or image, or what a plan records
      get   Copy files out of a disc or image
      edit  Change a disc or image: work out which blocks to record; nothing is written to it
      diff  Compare two images: which blocks differ
      burn  Record a plan or an image on a disc, and verify it
      help  Print this message or the help of the given subcommand(s)

    Options:
          --json     Print results and progress as JSON, one object a line
      -q, --quiet    Show no progress
      -h, --help     Print help
      -V, --version  Print version

    Exit codes: 0 done, 1 findings, 2 usage or input, 3 drive or medium, 4 wrong disc, 5 verification failed
    "#);
}

#[test]
fn make() {
    let place = Place::new();
    assert_snapshot!(place.ok(&["make", "-h"]), @r#"
    Make a new image from a folder

    Usage: reburn make [OPTIONS] --output <IMAGE> <DIR>

    Arguments:
      <DIR>  The folder whose content becomes the root of the image

    Options:
          --json                     Print results and progress as JSON, one object a line
      -o, --output <IMAGE>           The image to write
          --media <MEDIA>            The medium that the image is for [default: file]
      -q, --quiet                    Show no progress
          --fs <FS>                  The file system [default: iso] [possible values: iso]
          --volume <NAME>            The volume's name [default: REBURN]
          --joliet <JOLIET>          Joliet names: none, or of at most so many characters [default: 64] [possible values: off, 64, 103]
          --rock-ridge <ROCK_RIDGE>  POSIX names and attributes [default: on] [possible values: on, off]
          --level <LEVEL>            ECMA-119 interchange level, or 1999 for a second tree with long names [default: 3] [possible values: 1, 2, 3, 1999]
          --deep <DEEP>              Folders more than eight deep: move them for old readers (Rock Ridge shows them in their place), or leave them [default: relocate] [possible values: relocate, in-place]
          --time <TIME>              The volume's dates, in seconds since 1970 or as 2024-01-31T12:00:00Z, and the latest that a file's time may be; makes output reproducible. Without it the environment variable SOURCE_DATE_EPOCH counts, and without that the clock
      -h, --help                     Print help (see more with '--help')
      -V, --version                  Print version
    "#);
}

#[test]
fn edit() {
    let place = Place::new();
    assert_snapshot!(place.ok(&["edit", "-h"]), @r#"
    Change a disc or image: work out which blocks to record; nothing is written to it

    Usage: reburn edit [OPTIONS] <DISC>

    Arguments:
      <DISC>  An image, or virtual:PATH

    Options:
          --json               Print results and progress as JSON, one object a line
          --sync <DIR>         Make the disc the same as this folder
          --add <SRC[=DEST]>   Add a file or folder, at the root under its own name or at a path of the disc
      -q, --quiet              Show no progress
          --remove <PATH>      Remove a file, or a folder with everything in it
          --rename <FROM=TO>   Move or rename a file or folder
          --compare <COMPARE>  When a file counts as unchanged and keeps its blocks [default: time] [possible values: time, content]
          --accept-losses      Go on where the disc has something that would be lost, as extended attributes
      -o, --output <PLAN>      Write the plan: the blocks to record, in order, with their content
          --result <IMAGE>     Write the whole result as an image
          --media <MEDIA>      The medium that the image is on or for; a virtual disc says so itself
          --time <TIME>        The volume's dates, in seconds since 1970 or as 2024-01-31T12:00:00Z, and the latest that a file's time may be; makes output reproducible. Without it the environment variable SOURCE_DATE_EPOCH counts, and without that the clock
          --tree <TREE>        The tree to read; the best that is there by default [possible values: rock-ridge, joliet, enhanced, plain]
      -h, --help               Print help (see more with '--help')
      -V, --version            Print version
    "#);
}

#[test]
fn burn() {
    let place = Place::new();
    assert_snapshot!(place.ok(&["burn", "-h"]), @r#"
    Record a plan or an image on a disc, and verify it

    Usage: reburn burn [OPTIONS] <SOURCE> <DRIVE>

    Arguments:
      <SOURCE>  A plan or an image
      <DRIVE>   Where to record it: an image file, or virtual:PATH

    Options:
          --json             Print results and progress as JSON, one object a line
          --verify <VERIFY>  What to read back and compare afterwards [default: recorded] [possible values: none, recorded, whole]
          --media <MEDIA>    Make a virtual disc of this kind if PATH does not exist
      -q, --quiet            Show no progress
      -h, --help             Print help (see more with '--help')
      -V, --version          Print version
    "#);
}
