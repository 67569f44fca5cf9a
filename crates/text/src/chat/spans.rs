//! Which parts of a rendered conversation the assistant says.

use std::ops::Range;

use serde_json::{Map, json};

use super::engine::{Engine, GenerationMarks};
use super::marks::unused;
use super::messages::{Turn, role};
use super::probe::{Found, Probe, Style, marks_needed};
use super::{ChatOptions, Rendered};
use crate::Error;

/// How far before an answer its header is looked for where the template gives no other hint.
const HEADER: usize = 4096;
/// Longest token in angle brackets that is taken for the end of a turn without being known.
const BRACKETED: usize = 60;

/// Renders a conversation and finds the assistant's turns.
pub(crate) fn rendered(
    engine: &Engine,
    turns: &[Turn],
    options: &ChatOptions,
    end_of_turn: Option<&str>,
) -> Result<Rendered, Error> {
    let text = engine.render(turns, options, options.add_generation_prompt)?;
    if engine.generation()
        && let Some(mut spans) = generation_spans(engine, turns, options, &text)
    {
        // A model learns to stop only from the token that ends its turn.
        if let Some(token) = end_of_turn {
            for span in &mut spans {
                if !text[span.clone()].ends_with(token) && text[span.end..].starts_with(token) {
                    span.end += token.len();
                }
            }
        }
        return Ok(Rendered { text, spans });
    }
    let spans = Search { engine, turns, options, text: &text }.spans()?;
    Ok(Rendered { text, spans })
}

/// The spans between `{% generation %}` marks; `None` when the template does not bear marks (it
/// measures what it captured) or leaves one open.
fn generation_spans(
    engine: &Engine,
    turns: &[Turn],
    options: &ChatOptions,
    text: &str,
) -> Option<Vec<Range<usize>>> {
    let characters = unused(2, &[text, engine.source()], turns)?;
    let marks = GenerationMarks { open: *characters.first()?, close: *characters.get(1)? };
    let marked =
        engine.render_marked(turns, options, options.add_generation_prompt, Some(&marks)).ok()?;
    let mut plain = String::with_capacity(text.len());
    let mut spans = Vec::new();
    let mut open = None;
    for character in marked.chars() {
        if character == marks.open {
            if open.replace(plain.len()).is_some() {
                return None;
            }
        } else if character == marks.close {
            let span = open.take()?..plain.len();
            if !span.is_empty() {
                spans.push(span);
            }
        } else {
            plain.push(character);
        }
    }
    (open.is_none() && plain == text).then_some(spans)
}

/// The token that ends an assistant turn, learnt from a small conversation.
pub(crate) fn end_of_turn(engine: &Engine) -> Option<String> {
    let turn = |role: &str| {
        Map::from_iter([("role".to_owned(), json!(role)), ("content".to_owned(), json!(role))])
    };
    let options = ChatOptions::default();
    let system = [turn("system"), turn("user"), turn("assistant")];
    [&system[1..], &system[..]].into_iter().find_map(|turns| {
        Search { engine, turns, options: &options, text: "" }.closing_token(turns.len() - 1)
    })
}

struct Search<'a> {
    engine: &'a Engine,
    turns: &'a [Turn],
    options: &'a ChatOptions,
    text: &'a str,
}

impl Search<'_> {
    fn spans(&self) -> Result<Vec<Range<usize>>, Error> {
        let assistant: Vec<usize> = (0..self.turns.len())
            .filter(|&number| role(&self.turns[number]) == "assistant")
            .collect();
        if assistant.is_empty() {
            return Ok(Vec::new());
        }
        let located = self.located(&assistant);
        let mut spans: Vec<Range<usize>> = Vec::with_capacity(assistant.len());
        for &number in &assistant {
            let after = spans.last().map_or(0, |span| span.end);
            let content = located.as_ref().and_then(|(_, found)| found.ranges[number].clone());
            let span = match (&located, content) {
                (Some((probe, _)), Some(content)) if content.start >= after => {
                    let start = self.start(number, &content, after);
                    start..self.end(number, &content, probe)
                }
                _ => match self.by_prefix(number, after)? {
                    Some(span) => span,
                    None => continue,
                },
            };
            spans.push(span);
        }
        Ok(spans)
    }

    /// The conversation marked in a way that the template bears, and where the marks are. Of the
    /// ways that do not change the text, the one that shows most messages.
    fn located(&self, assistant: &[usize]) -> Option<(Probe, Found)> {
        let marks = unused(
            marks_needed(self.turns, assistant),
            &[self.text, self.engine.source()],
            self.turns,
        )?;
        let mut best: Option<(usize, Probe, Found)> = None;
        for style in Style::ALL {
            let probe = Probe::new(self.turns, assistant, style, &marks);
            let wanted = assistant.iter().filter(|&&number| probe.marks_turn(number)).count();
            let prompt = self.options.add_generation_prompt;
            let Ok(marked) = self.engine.render(&probe.turns, self.options, prompt) else {
                continue;
            };
            let found = probe.read(&marked);
            if found.text != self.text {
                continue;
            }
            let shown = found.ranges.iter().flatten().count();
            if best.as_ref().is_none_or(|(most, _, _)| shown > *most) {
                best = Some((shown, probe, found));
            }
            if shown == wanted {
                break;
            }
        }
        best.map(|(_, probe, found)| (probe, found))
    }

    /// Where a turn begins: after the header that the template gives for an answer.
    fn start(&self, number: usize, content: &Range<usize>, after: usize) -> usize {
        let Some(asked) = self.before(number, true) else { return content.start };
        let clamp = |start: usize| start.clamp(after, content.start);
        if self.text.starts_with(&asked) {
            return clamp(asked.len());
        }
        let Some(unasked) = self.before(number, false) else { return content.start };
        let shared = common_prefix(&asked, &unasked);
        let header = &asked[shared..];
        if header.is_empty() {
            return aligned(
                &asked,
                self.text,
                after.max(content.start.saturating_sub(HEADER)),
                content.start,
            );
        }
        // The template writes an earlier turn's header shorter than a fresh one (it leaves out an
        // opened reasoning block), or something before the turns differs.
        let matched = common_prefix(&asked, self.text);
        if matched > shared {
            return clamp(matched);
        }
        let room = &self.text[after..content.start];
        let cuts = header.match_indices('>').map(|(at, _)| at + 1).chain([header.len()]);
        let mut cuts: Vec<usize> = cuts.collect();
        cuts.dedup();
        cuts.into_iter()
            .rev()
            .find_map(|cut| room.rfind(&header[..cut]).map(|at| after + at + cut))
            .unwrap_or(content.start)
    }

    /// The messages before `number`, rendered with or without the header of an answer.
    fn before(&self, number: usize, prompt: bool) -> Option<String> {
        if number == 0 {
            return None;
        }
        self.engine.render(&self.turns[..number], self.options, prompt).ok()
    }

    /// Where a turn ends: after the token that closes it.
    fn end(&self, number: usize, content: &Range<usize>, probe: &Probe) -> usize {
        let rest = &self.text[content.end..];
        let last = number + 1 == self.turns.len();
        let tail = if last && !self.options.add_generation_prompt {
            rest
        } else {
            // What the turn itself closes with: what follows it when the conversation ends there.
            let rendered = self.engine.render(&probe.turns[..=number], self.options, false).ok();
            let ended = rendered.map(|rendered| probe.read(&rendered));
            match ended
                .as_ref()
                .and_then(|ended| Some(&ended.text[ended.ranges.get(number)?.as_ref()?.end..]))
            {
                Some(tail) => &rest[..common_prefix(tail, rest)],
                None => rest,
            }
        };
        content.end + self.closing(number, tail)
    }

    /// How much of the text after an answer belongs to its turn. Without a closing token it is all
    /// of it, so that at least the separator is learnt.
    fn closing(&self, number: usize, tail: &str) -> usize {
        if self.turns[number].contains_key("tool_calls")
            && let Some(token) = self.closing_token(number)
            && let Some(at) = tail.rfind(&token)
        {
            return at + token.len();
        }
        self.token_in(tail).map_or(tail.len(), |token| token.end)
    }

    /// The token that closes the turn `number` when it is a plain text.
    fn closing_token(&self, number: usize) -> Option<String> {
        let mut turns = self.turns[..number].to_vec();
        turns.push(Map::from_iter([
            ("role".to_owned(), json!("assistant")),
            ("content".to_owned(), json!("answer")),
        ]));
        let marks = unused(2, &[self.engine.source()], &turns)?;
        let probe = Probe::new(&turns, &[number], Style::Around, &marks);
        let found = probe.read(&self.engine.render(&probe.turns, self.options, false).ok()?);
        let tail = &found.text[found.ranges.get(number)?.as_ref()?.end..];
        self.token_in(tail).map(|token| tail[token].to_owned())
    }

    /// The first token in `tail` that can end a turn: a special token of the model, or something
    /// in angle brackets right at the start.
    fn token_in(&self, tail: &str) -> Option<Range<usize>> {
        let space = tail.len() - tail.trim_start().len();
        let known = self
            .engine
            .control()
            .filter_map(|token| tail.find(token).map(|at| at..at + token.len()))
            .min_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let bracketed = bracketed(&tail[space..]).map(|length| space..space + length);
        match (known, bracketed) {
            (Some(known), Some(bracketed)) if bracketed.start < known.start => Some(bracketed),
            (Some(known), _) => Some(known),
            (None, bracketed) => bracketed,
        }
    }

    /// A turn whose texts do not show: the difference between the conversation up to it and with
    /// it. `None` for a turn that has nothing to say and that the template leaves out.
    fn by_prefix(&self, number: usize, after: usize) -> Result<Option<Range<usize>>, Error> {
        let failed =
            |detail: &str| Error::SpansNotFound { number: number + 1, detail: detail.to_owned() };
        let silent = marks_needed(self.turns, &[number]) == 0;
        let with = self.engine.render(&self.turns[..=number], self.options, false)?;
        let without = self.before(number, false);
        if silent && without.as_ref() == Some(&with) {
            return Ok(None);
        }
        let asked = self
            .before(number, true)
            .ok_or_else(|| failed("the template does not render what comes before it"))?;
        if !self.text.starts_with(&asked) || asked.len() < after {
            return Err(failed("the template changes its text and what comes before it"));
        }
        let bound = common_prefix(&with, self.text);
        let body = self.text.get(asked.len()..bound).unwrap_or_default();
        if body.is_empty() {
            return if silent { Ok(None) } else { Err(failed("the template leaves it out")) };
        }
        let token = self.closing_token(number);
        let length = token
            .and_then(|token| body.rfind(&token).map(|at| at + token.len()))
            .unwrap_or(body.len());
        Ok(Some(asked.len()..asked.len() + length))
    }
}

/// Length of a token in angle brackets that `text` starts with; a closing tag is none.
fn bracketed(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('<')?;
    let length = inside.find(|c: char| c == '>' || c == '<' || c.is_whitespace())?;
    let token = inside[length..].starts_with('>')
        && (1..=BRACKETED).contains(&length)
        && !inside.starts_with('/');
    token.then_some(length + 2)
}

/// Length in bytes of what two texts begin with in common, at a character boundary of both.
fn common_prefix(a: &str, b: &str) -> usize {
    let mut length = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    while !(a.is_char_boundary(length) && b.is_char_boundary(length)) {
        length -= 1;
    }
    length
}

/// The place between `from` and `to` where `text` reads most like the end of `before`.
fn aligned(before: &str, text: &str, from: usize, to: usize) -> usize {
    let shared = |place: usize| {
        before.bytes().rev().zip(text[..place].bytes().rev()).take_while(|(a, b)| a == b).count()
    };
    (from..=to)
        .filter(|&place| text.is_char_boundary(place))
        .map(|place| (shared(place), place))
        .filter(|(length, _)| *length > 0)
        .max()
        .map_or(to, |(_, place)| place)
}
