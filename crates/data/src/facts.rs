//! What the checks need to know of a row once its text is gone: hashes and a few flags.

use std::cmp::Ordering;

use sanbao_contract::Message;
use sanbao_contract::data::Content;
use unicode_normalization::UnicodeNormalization;

/// A row boiled down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Hash of what the model is given, regardless of case, spacing and character width.
    pub(crate) input: u128,
    /// Hash of what it should answer, regardless of the same.
    pub(crate) output: u32,
    /// Hash of the row to the letter.
    pub(crate) exact: u64,
    /// Input or output is missing.
    pub(crate) empty: bool,
    /// How the answers of a preference stand to each other.
    pub(crate) standing: Standing,
    /// Whether the better answer of a preference is longer than the worse one (in characters).
    pub(crate) longer: Ordering,
}

/// How the two answers of a row stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There are not two answers.
    Single,
    /// Neither is better.
    Undecided,
    /// There is one, rated, and no other to the same prompt.
    Lone,
    /// There is one, rated; another row of the prompt stands for all of them.
    Joined,
    /// They are the same.
    Same,
    /// One is better. The same two the other way round are [`Standing::Backward`].
    Forward,
    /// One is better. The same two the other way round are [`Standing::Forward`].
    Backward,
}

impl Facts {
    pub(crate) fn of(content: &Content) -> Self {
        let (input, output) = sides(content);
        let missing_output = !matches!(content, Content::Prose { .. } | Content::Prompt { .. })
            && output.trim().is_empty()
            && !calls_tools(content);
        let missing_input =
            !matches!(content, Content::Preference { .. } | Content::Unpaired { .. })
                && input.trim().is_empty();
        let (output_hash, standing, longer) = match content {
            Content::Preference { chosen, rejected, .. } => stand(&texts(chosen), &texts(rejected)),
            _ => (hash(&normalise(&output)) as u32, Standing::Single, Ordering::Equal),
        };
        Self {
            input: hash(&normalise(&input)),
            output: output_hash,
            exact: hash(&format!("{input}\u{0}{output}")) as u64,
            empty: missing_input || missing_output,
            standing,
            longer,
        }
    }
}

/// A hash of two answers that is the same whichever is better, how they stand to each other, and
/// whether the better one is longer.
fn stand(chosen: &str, rejected: &str) -> (u32, Standing, Ordering) {
    let (better, worse) = (hash(&normalise(chosen)), hash(&normalise(rejected)));
    let standing = match better.cmp(&worse) {
        _ if chosen == rejected => Standing::Same,
        Ordering::Less | Ordering::Equal => Standing::Forward,
        Ordering::Greater => Standing::Backward,
    };
    let length = |text: &str| text.trim().chars().count();
    (better.wrapping_add(worse) as u32, standing, length(chosen).cmp(&length(rejected)))
}

/// What the model is given and what it should answer.
fn sides(content: &Content) -> (String, String) {
    match content {
        Content::Classify { text, label } => (text.clone(), label.clone()),
        Content::Prose { text } => (text.clone(), String::new()),
        Content::Prompt { messages } => (texts(messages), String::new()),
        Content::Instruct { messages } => {
            let (answers, rest): (Vec<&Message>, Vec<&Message>) =
                messages.iter().partition(|message| message.role == "assistant");
            let given = rest.iter().filter(|message| message.role != "system").copied();
            let system = rest.iter().filter(|message| message.role == "system").copied();
            // A system turn tells rows apart, but is no input of its own.
            let given: String = joined(given);
            let input = if given.trim().is_empty() { given } else { given + &joined(system) };
            (input, joined(answers.into_iter()))
        }
        Content::Preference { prompt, chosen, rejected, .. } => {
            let (chosen, rejected) = (texts(chosen), texts(rejected));
            let whole = !chosen.trim().is_empty() && !rejected.trim().is_empty();
            (texts(prompt), if whole { format!("{chosen}\u{1}{rejected}") } else { String::new() })
        }
        Content::Unpaired { prompt, completion, label } => {
            let completion = texts(completion);
            let input = format!("{}\u{1}{completion}", texts(prompt));
            (input, if completion.trim().is_empty() { String::new() } else { label.to_string() })
        }
    }
}

fn calls_tools(content: &Content) -> bool {
    matches!(content, Content::Instruct { messages } if messages.iter().any(|message| message.role == "assistant" && message.extra.contains_key("tool_calls")))
}

pub(crate) fn texts(messages: &[Message]) -> String {
    joined(messages.iter())
}

fn joined<'a>(messages: impl Iterator<Item = &'a Message>) -> String {
    messages.map(Message::text).collect::<Vec<_>>().join("\n")
}

/// Text for comparing: compatibility characters unified (NFKC), case folded, blanks reduced to one.
pub(crate) fn normalise(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.nfkc() {
        if c.is_whitespace() || c == '\u{200B}' || c == '\u{FEFF}' {
            gap = !plain.is_empty();
            continue;
        }
        if gap {
            plain.push(' ');
            gap = false;
        }
        // Upper case first: it unifies what lower case keeps apart (ß and ss, ς and σ).
        for upper in c.to_uppercase() {
            plain.extend(upper.to_lowercase());
        }
    }
    plain
}

/// The first 128 bits of a text's BLAKE3 hash.
pub(crate) fn hash(text: &str) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    u128::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn normalised_texts_meet() {
        for (a, b) in [
            ("  Hello\n\tWORLD ", "hello world"),
            ("ＡＢＣ１２３", "abc123"),
            ("Straße", "STRASSE"),
            ("ﬁne", "fine"),
            ("e\u{301}", "É"),
            ("好　的", "好 的"),
        ] {
            assert_eq!(normalise(a), normalise(b));
        }
        assert_ne!(normalise("a b"), normalise("ab"));
    }

    #[test]
    fn emptiness_is_seen() {
        let turns = |user: &str, answer: &str| Content::Instruct {
            messages: vec![
                Message::new("system", "s"),
                Message::new("user", user),
                Message::new("assistant", answer),
            ],
        };
        assert!(!Facts::of(&turns("a", "b")).empty);
        assert!(Facts::of(&turns(" ", "b")).empty && Facts::of(&turns("a", "\n")).empty);
        assert!(Facts::of(&Content::Instruct { messages: vec![] }).empty);
        assert!(
            Facts::of(&Content::Prose { text: " ".into() }).empty
                && !Facts::of(&Content::Prose { text: "x".into() }).empty
        );
        assert!(Facts::of(&Content::Classify { text: "x".into(), label: String::new() }).empty);
        let pair = |a: &str, b: &str| Content::Preference {
            prompt: vec![],
            chosen: vec![Message::new("assistant", a)],
            rejected: vec![Message::new("assistant", b)],
            margin: None,
        };
        assert!(
            Facts::of(&pair("a", "a")).standing == Standing::Same
                && Facts::of(&pair("a", "b")).standing != Standing::Same
                && !Facts::of(&pair("a", "b")).empty
        );
        assert!(Facts::of(&pair("a", "")).empty && Facts::of(&pair(" ", "b")).empty);
    }

    #[test]
    fn the_same_input_has_the_same_hash() {
        let row = |text: &str, label: &str| {
            Facts::of(&Content::Classify { text: text.into(), label: label.into() })
        };
        assert_eq!(row("A  b", "x").input, row("a b", "y").input);
        assert_ne!(row("a b", "x").output, row("a b", "y").output);
        assert_ne!(row("A b", "x").exact, row("a b", "x").exact);
    }

    #[test]
    fn a_pair_and_the_same_one_turned_round_are_told_apart() {
        let pair = |a: &str, b: &str| {
            Facts::of(&Content::Preference {
                prompt: vec![Message::new("user", "q")],
                chosen: vec![Message::new("assistant", a)],
                rejected: vec![Message::new("assistant", b)],
                margin: None,
            })
        };
        let (one, turned) = (pair("Yes, it is.", "No."), pair("no.", "yes,  it is."));
        assert_eq!((one.input, one.output), (turned.input, turned.output));
        assert_ne!(one.standing, turned.standing);
        assert_eq!((one.longer, turned.longer), (Ordering::Greater, Ordering::Less));
        assert_eq!(pair("好的。", "不行。").longer, Ordering::Equal);
        assert_ne!(one.output, pair("Yes, it is.", "Never.").output);
    }
}
