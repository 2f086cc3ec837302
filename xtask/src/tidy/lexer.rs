//! Just enough of Rust's lexical structure to tell code, comments and literals apart.
//!
//! The result keeps every line and column: what does not belong to a view is blanked out.

/// A source text split into what the compiler runs and what people read.
#[derive(Debug, PartialEq, Eq)]
pub struct Views {
    /// The code, with comments and the insides of literals blanked out.
    pub code: String,
    /// The comments, doc comments included, with everything else blanked out.
    pub comments: String,
}

/// What the text is made of at some point of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    LineComment,
    /// Block comments nest.
    BlockComment(u32),
    /// A string that ends with a quote and, if raw, this many `#`.
    Text {
        raw: bool,
        hashes: usize,
    },
    Character,
}

/// Splits a source text.
pub fn views(text: &str) -> Views {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut comments) = (String::new(), String::new());
    let mut state = State::Code;
    let mut at = 0;
    while at < chars.len() {
        let (next, taken) = step(state, &chars, at);
        for &c in &chars[at..at + taken] {
            let in_comment = matches!(
                (state, next),
                (State::LineComment | State::BlockComment(_), _)
                    | (_, State::LineComment | State::BlockComment(_))
            );
            let in_code = !in_comment && (state == State::Code || next == State::Code);
            code.push(if in_code || c == '\n' { c } else { ' ' });
            comments.push(if in_comment || c == '\n' { c } else { ' ' });
        }
        at += taken;
        state = next;
    }
    Views { code, comments }
}

/// The state after the characters at `at`, and how many of them belong together.
fn step(state: State, chars: &[char], at: usize) -> (State, usize) {
    let rest = &chars[at..];
    let pair = (rest[0], rest.get(1).copied());
    match state {
        State::Code => step_code(chars, at),
        State::LineComment if pair.0 == '\n' => (State::Code, 1),
        State::BlockComment(depth) => match pair {
            ('*', Some('/')) if depth == 1 => (State::Code, 2),
            ('*', Some('/')) => (State::BlockComment(depth - 1), 2),
            ('/', Some('*')) => (State::BlockComment(depth + 1), 2),
            _ => (state, 1),
        },
        State::Text { raw: false, .. } | State::Character if pair.0 == '\\' => {
            (state, rest.len().min(2))
        }
        State::Text { hashes, .. } if pair.0 == '"' => {
            let closing = rest[1..].iter().take(hashes).filter(|c| **c == '#').count();
            if closing == hashes {
                (State::Code, 1 + hashes)
            } else {
                (state, 1)
            }
        }
        State::Character if pair.0 == '\'' => (State::Code, 1),
        State::LineComment | State::Text { .. } | State::Character => (state, 1),
    }
}

fn step_code(chars: &[char], at: usize) -> (State, usize) {
    let rest = &chars[at..];
    match (rest[0], rest.get(1)) {
        ('/', Some('/')) => (State::LineComment, 2),
        ('/', Some('*')) => (State::BlockComment(1), 2),
        ('"', _) => (
            State::Text {
                raw: false,
                hashes: 0,
            },
            1,
        ),
        ('r', Some('"' | '#')) if !continues_word(chars, at) => {
            let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
            if rest.get(1 + hashes) == Some(&'"') {
                (State::Text { raw: true, hashes }, 2 + hashes)
            } else {
                (State::Code, 1)
            }
        }
        // A lifetime has no closing quote; a character has one right behind it.
        ('\'', Some('\\')) => (State::Character, 1),
        ('\'', Some(_)) if rest.get(2) == Some(&'\'') => (State::Character, 1),
        _ => (State::Code, 1),
    }
}

/// Whether the character before `at` makes it the middle of a word; `b` and `c` are prefixes
/// of literals.
fn continues_word(chars: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| chars[before]);
    before.is_some_and(|c| (c.is_alphanumeric() || c == '_') && c != 'b' && c != 'c')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_comments_and_literals_come_apart() {
        let text =
            "let a = \"// no\"; // yes \"x\"\nlet c = '\"'; /* b /* c */ d */ f('\\'', b\"e\")";
        let views = views(text);
        assert_eq!(
            views.code,
            "let a = \"     \";           \nlet c = ' ';                   f('  ', b\" \")"
        );
        assert_eq!(
            views.comments,
            "                 // yes \"x\"\n             /* b /* c */ d */              "
        );
    }

    #[test]
    fn raw_strings_and_lifetimes_do_not_confuse_it() {
        let views = views("r#\"a\"b\"# for<'a> 'x' r\"\\\" ok");
        assert_eq!(views.code.matches("ok").count(), 1);
        assert!(views.code.contains("for<'a>"));
        assert!(!views.code.contains("a\"b"));
    }
}
