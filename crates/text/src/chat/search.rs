//! Finding the assistant's turns in what a template renders that does not mark them.
//!
//! Where a turn's content stands is found by marking it ([`super::probe`]). The turn begins where
//! the header ends that the template gives for an answer (`add_generation_prompt`), since that is
//! where a model goes on, and ends after the token that closes it.

use std::ops::Range;

use serde_json::{Map, json};

use super::ChatOptions;
use super::engine::Engine;
use super::marks::unused;
use super::messages::{Turn, role};
use super::probe::{Found, Probe, Style, marks_needed};
use crate::Error;

/// How far before an answer its header is looked for where the template gives no other hint.
const HEADER: usize = 4096;
/// Longest token in angle brackets that is taken for the end of a turn without being known.
const BRACKETED: usize = 60;

pub(crate) struct Search<'a> {
    pub engine: &'a Engine,
    pub turns: &'a [Turn],
    pub options: &'a ChatOptions,
    pub text: &'a str,
}

impl Search<'_> {
    /// The spans of all assistant turns, in order.
    pub(crate) fn spans(&self) -> Result<Vec<Range<usize>>, Error> {
        let says = |number: &usize| role(&self.turns[*number]) == "assistant";
        let assistant: Vec<usize> = (0..self.turns.len()).filter(says).collect();
        if assistant.is_empty() {
            return Ok(Vec::new());
        }
        let located = self.located(&assistant);
        let tools = self.tool_results();
        let mut spans: Vec<Range<usize>> = Vec::with_capacity(assistant.len());
        for &number in &assistant {
            let after = spans.last().map_or(0, |span| span.end);
            let content = located.as_ref().and_then(|(_, found)| found.ranges[number].clone());
            let span = match (&located, content) {
                (Some((probe, _)), Some(content)) if content.start >= after => {
                    let start = self.start(number, content.start, after).unwrap_or(content.start);
                    Some(start..self.end(number, content.end, probe))
                }
                _ => self.by_prefix(number, after)?,
            };
            if let Some(span) = span {
                self.check_tools(number, &span, &tools)?;
                spans.push(span);
            }
        }
        Ok(spans)
    }

    /// Where the results of tools stand, which nobody says but some templates write in the middle
    /// of a turn.
    fn tool_results(&self) -> Vec<Range<usize>> {
        let tool =
            |number: &usize| !matches!(role(&self.turns[*number]), "assistant" | "user" | "system");
        let numbers: Vec<usize> = (0..self.turns.len()).filter(tool).collect();
        if numbers.is_empty() {
            return Vec::new();
        }
        self.located(&numbers)
            .map_or(Vec::new(), |(_, found)| found.ranges.into_iter().flatten().collect())
    }

    fn check_tools(
        &self,
        number: usize,
        span: &Range<usize>,
        tools: &[Range<usize>],
    ) -> Result<(), Error> {
        if tools.iter().any(|tool| tool.start < span.end && tool.end > span.start) {
            return Err(Error::SpansNotFound {
                number: number + 1,
                detail: "the template writes the result of a tool in the middle of it".to_owned(),
            });
        }
        Ok(())
    }

    /// The conversation marked in a way that the template bears, and where the marks are. Of the
    /// ways that do not change the text, the one that shows most messages.
    fn located(&self, assistant: &[usize]) -> Option<(Probe, Found)> {
        let needed = marks_needed(self.turns, assistant);
        let marks = unused(needed, &[self.text, self.engine.source()], self.turns)?;
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

    /// Where a turn begins whose content is not before `content`; `None` when its header is not
    /// found.
    fn start(&self, number: usize, content: usize, after: usize) -> Option<usize> {
        let asked = self.before(number, true)?;
        if self.text.starts_with(&asked) && asked.len() >= after {
            return Some(asked.len().min(content));
        }
        let unasked = self.before(number, false)?;
        let shared = common_prefix(&asked, &unasked);
        let header = &asked[shared..];
        if header.is_empty() {
            return aligned(&asked, self.text, after.max(content.saturating_sub(HEADER)), content);
        }
        // The template writes an earlier turn's header shorter than a fresh one (it leaves out an
        // opened reasoning block), or something before the turns differs.
        let matched = common_prefix(&asked, self.text);
        if matched > shared && matched >= after {
            let whole = cuts(header).rev().find(|cut| shared + cut <= matched);
            return whole.map(|cut| (shared + cut).min(content));
        }
        let room = self.text.get(after..content)?;
        cuts(header).rev().find_map(|cut| room.rfind(&header[..cut]).map(|at| after + at + cut))
    }

    /// The messages before `number`, rendered with or without the header of an answer.
    fn before(&self, number: usize, prompt: bool) -> Option<String> {
        if number == 0 {
            return None;
        }
        self.engine.render(&self.turns[..number], self.options, prompt).ok()
    }

    /// Where a turn ends: after what closes it.
    fn end(&self, number: usize, content: usize, probe: &Probe) -> usize {
        let rest = &self.text[content..];
        let last = number + 1 == self.turns.len();
        // What the turn itself closes with: what follows it when the conversation ends there.
        let alone = if last && !self.options.add_generation_prompt {
            None
        } else {
            let rendered = self.engine.render(&probe.turns[..=number], self.options, false).ok();
            rendered.map(|rendered| probe.read(&rendered))
        };
        let own = alone
            .as_ref()
            .and_then(|alone| Some(&alone.text[alone.ranges.get(number)?.as_ref()?.end..]))
            .unwrap_or(rest);
        content + self.fitted(&self.closing(number, own), own, rest)
    }

    /// How much of `rest` a turn's closing takes, which was found in `own`: what follows the turn
    /// when the conversation ends there.
    fn fitted(&self, closing: &Range<usize>, own: &str, rest: &str) -> usize {
        let same = common_prefix(own, rest);
        if same >= closing.end {
            return closing.end;
        }
        // A template may close a turn with another token where the conversation goes on.
        if same >= closing.start
            && let Some(length) = self.token_at(&rest[closing.start..])
        {
            return closing.start + length;
        }
        same
    }

    /// The token, or the tokens in a row, that close a turn, in what follows its content. Without
    /// any, the end of all of it, so that at least the separator is learnt.
    fn closing(&self, number: usize, own: &str) -> Range<usize> {
        let none = own.len()..own.len();
        if self.turns[number].contains_key("tool_calls") {
            if let Some(token) = self.closing_token(number)
                && let Some(at) = own.rfind(&token)
            {
                return at..at + token.len();
            }
            let own = own.trim_end();
            return self.token_before_end(own).map_or(none, |length| own.len() - length..own.len());
        }
        self.closing_tokens(own).map_or(none, |(closing, _)| closing)
    }

    /// The closing tokens in a row and where the last of them begins.
    fn closing_tokens(&self, own: &str) -> Option<(Range<usize>, usize)> {
        let eos = self.engine.special().get("eos_token");
        let Range { start, mut end } = self.token_in(own)?;
        let mut last = start;
        while Some(&own[last..end]) != eos
            && let Some(length) = self.token_at(&own[end..])
        {
            last = end;
            end += length;
        }
        Some((start..end, last))
    }

    /// The token that closes the turn `number` when it is a plain text, the last of several.
    pub(crate) fn closing_token(&self, number: usize) -> Option<String> {
        let mut turns = self.turns[..number].to_vec();
        turns.push(Map::from_iter([
            ("role".to_owned(), json!("assistant")),
            ("content".to_owned(), json!("answer")),
        ]));
        let marks = unused(2, &[self.engine.source()], &turns)?;
        let probe = Probe::new(&turns, &[number], Style::Around, &marks);
        let found = probe.read(&self.engine.render(&probe.turns, self.options, false).ok()?);
        let own = &found.text[found.ranges.get(number)?.as_ref()?.end..];
        self.closing_tokens(own).map(|(closing, last)| own[last..closing.end].to_owned())
    }

    /// The first token in `own` that can end a turn: a special token of the model, or something
    /// in angle brackets right at the start.
    fn token_in(&self, own: &str) -> Option<Range<usize>> {
        let space = own.len() - own.trim_start().len();
        let known = self
            .engine
            .control()
            .filter_map(|token| own.find(token).map(|at| at..at + token.len()))
            .min_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let bracketed = bracketed(&own[space..]).map(|length| space..space + length);
        match (known, bracketed) {
            (Some(known), Some(bracketed)) if bracketed.start < known.start => Some(bracketed),
            (Some(known), _) => Some(known),
            (None, bracketed) => bracketed,
        }
    }

    /// Length of the token that `text` starts with.
    fn token_at(&self, text: &str) -> Option<usize> {
        let known = self.engine.control().filter(|token| text.starts_with(token)).map(str::len);
        known.max().or_else(|| bracketed(text))
    }

    /// Length of the token that `text` ends with.
    fn token_before_end(&self, text: &str) -> Option<usize> {
        let known = self.engine.control().filter(|token| text.ends_with(token)).map(str::len);
        known.max().or_else(|| {
            let last = &text[text.rfind('<')?..];
            bracketed(last).filter(|length| *length == last.len())
        })
    }

    /// A turn whose texts do not show: the difference between the conversation up to it and with
    /// it. `None` for a turn that has nothing to say and that the template leaves out.
    fn by_prefix(&self, number: usize, after: usize) -> Result<Option<Range<usize>>, Error> {
        let failed =
            |detail: &str| Error::SpansNotFound { number: number + 1, detail: detail.to_owned() };
        let silent = marks_needed(self.turns, &[number]) == 0;
        let with = self.engine.render(&self.turns[..=number], self.options, false)?;
        if silent && self.before(number, false).as_ref() == Some(&with) {
            return Ok(None);
        }
        let bound = common_prefix(&with, self.text);
        let start = self
            .start(number, bound, after)
            .ok_or_else(|| failed("the template changes its text or what comes before it"))?;
        let own = with.get(start..).unwrap_or_default();
        if own.is_empty() {
            return if silent { Ok(None) } else { Err(failed("the template leaves it out")) };
        }
        let closed = self.closing_token(number).and_then(|token| {
            let at = own.rfind(&token)?;
            Some(at..at + token.len())
        });
        let closing = closed.unwrap_or(own.len()..own.len());
        Ok(Some(start..start + self.fitted(&closing, own, &self.text[start..])))
    }
}

/// Places where a header may be cut, in order: after each token or word of it.
fn cuts(header: &str) -> impl DoubleEndedIterator<Item = usize> {
    let ends = header.match_indices(['>', ']', ':', ' ', '\n']).map(|(at, end)| at + end.len());
    let mut cuts: Vec<usize> = ends.chain([header.len()]).collect();
    cuts.dedup();
    cuts.into_iter()
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
fn aligned(before: &str, text: &str, from: usize, to: usize) -> Option<usize> {
    let shared = |place: usize| {
        let pairs = before.bytes().rev().zip(text[..place].bytes().rev());
        pairs.take_while(|(a, b)| a == b).count()
    };
    (from..=to)
        .filter(|&place| text.is_char_boundary(place))
        .map(|place| (shared(place), place))
        .filter(|(length, _)| *length > 0)
        .max()
        .map(|(_, place)| place)
}
