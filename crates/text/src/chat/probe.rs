//! Finding where a template puts what the assistant says: the answers are marked in the
//! conversation, and the marks looked for in the rendered text.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::Value;

use super::messages::Turn;
use crate::python::is_space;

/// How a text is marked. Templates differ in what they bear: one counts characters, another looks
/// at how a text begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// A mark before and one after.
    Around,
    /// Marks in place of the first and the last character: the length stays.
    Instead,
    /// A mark after.
    After,
}

impl Style {
    pub(crate) const ALL: [Self; 3] = [Self::Around, Self::Instead, Self::After];
}

/// A marked text of a message.
struct Leaf {
    turn: usize,
    first: char,
    last: char,
}

/// A conversation with marks.
pub(crate) struct Probe {
    pub turns: Vec<Turn>,
    style: Style,
    leaves: Vec<Leaf>,
    marks: HashMap<char, (usize, bool)>,
}

/// The rendered text of a marked conversation, marks taken out again.
pub(crate) struct Found {
    pub text: String,
    /// For each message, the range from its first to its last mark.
    pub ranges: Vec<Option<Range<usize>>>,
}

/// How many marks the messages numbered in `which` need.
pub(crate) fn marks_needed(turns: &[Turn], which: &[usize]) -> usize {
    let leaves = |turn: &Turn| leaves(&mut turn.clone()).len();
    which.iter().filter_map(|&number| turns.get(number)).map(leaves).sum::<usize>() * 2
}

impl Probe {
    /// Marks the texts of the messages numbered in `which`. `marks` are characters that occur
    /// nowhere, as many as [`marks_needed`] says.
    pub(crate) fn new(turns: &[Turn], which: &[usize], style: Style, marks: &[char]) -> Self {
        let mut probe = Self {
            turns: turns.to_vec(),
            style,
            leaves: Vec::new(),
            marks: HashMap::with_capacity(marks.len()),
        };
        let mut pairs = marks.chunks_exact(2);
        for &number in which {
            let Some(turn) = probe.turns.get_mut(number) else { continue };
            for text in leaves(turn) {
                let Some(&[open, close]) = pairs.next() else { return probe };
                let core = text.trim_matches(is_space);
                let before = text.len() - text.trim_start_matches(is_space).len();
                let (Some(first), Some(last)) = (core.chars().next(), core.chars().next_back())
                else {
                    continue;
                };
                let single = core.chars().nth(1).is_none();
                let inner = core.len() - if single { 0 } else { last.len_utf8() };
                let marked = match style {
                    Style::Around => format!("{open}{core}{close}"),
                    Style::After => format!("{core}{close}"),
                    Style::Instead if single => open.to_string(),
                    Style::Instead => format!("{open}{}{close}", &core[first.len_utf8()..inner]),
                };
                *text = format!("{}{marked}{}", &text[..before], &text[before + core.len()..]);
                probe.marks.insert(open, (probe.leaves.len(), true));
                probe.marks.insert(close, (probe.leaves.len(), false));
                probe.leaves.push(Leaf { turn: number, first, last });
            }
        }
        probe
    }

    /// Whether a message has a text that was marked.
    pub(crate) fn marks_turn(&self, number: usize) -> bool {
        self.leaves.iter().any(|leaf| leaf.turn == number)
    }

    /// Takes the marks out of a rendered text and tells where they were.
    pub(crate) fn read(&self, rendered: &str) -> Found {
        let mut found = Found {
            text: String::with_capacity(rendered.len()),
            ranges: vec![None; self.turns.len()],
        };
        let mut seen: Vec<char> = Vec::with_capacity(self.marks.len());
        for character in rendered.chars() {
            let Some(&(number, opens)) = self.marks.get(&character) else {
                found.text.push(character);
                continue;
            };
            let leaf = &self.leaves[number];
            let start = found.text.len();
            if self.style == Style::Instead {
                found.text.push(if opens { leaf.first } else { leaf.last });
            }
            let end = found.text.len();
            // A template may repeat a message elsewhere (a summary, a title): the first time counts.
            if seen.contains(&character) {
                continue;
            }
            seen.push(character);
            let range = found.ranges[leaf.turn].get_or_insert(start..end);
            range.start = range.start.min(start);
            range.end = range.end.max(end);
        }
        found
    }
}

/// The texts of a message that a template prints as they are: its content, the texts among its
/// parts, the names of the functions it calls. Blank ones are left out.
fn leaves(turn: &mut Turn) -> Vec<&mut String> {
    let mut leaves = Vec::new();
    for (key, value) in turn.iter_mut() {
        match (key.as_str(), value) {
            ("content", Value::String(text)) => leaves.push(text),
            ("content", Value::Array(parts)) => {
                for part in parts {
                    if let Some(Value::String(text)) = part.get_mut("text") {
                        leaves.push(text);
                    }
                }
            }
            ("tool_calls", Value::Array(calls)) => {
                for call in calls {
                    let function = match call.get("function").is_some_and(Value::is_object) {
                        true => call.get_mut("function"),
                        false => Some(call),
                    };
                    if let Some(Value::String(name)) =
                        function.and_then(|function| function.get_mut("name"))
                    {
                        leaves.push(name);
                    }
                }
            }
            _ => {}
        }
    }
    leaves.retain(|text| !text.trim_matches(is_space).is_empty());
    leaves
}
