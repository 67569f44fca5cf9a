//! Which parts of a rendered conversation the assistant says.

use std::ops::Range;

use serde_json::{Map, json};

use super::engine::{Engine, GenerationMarks};
use super::marks::unused;
use super::messages::Turn;
use super::search::Search;
use super::{ChatOptions, Rendered};
use crate::Error;

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
        if let Some(token) = end_of_turn {
            include_ends(&mut spans, &text, token);
        }
        return Ok(Rendered { text, spans });
    }
    let spans = Search { engine, turns, options, text: &text }.spans()?;
    Ok(Rendered { text, spans })
}

/// Takes the token that ends a turn into spans that stop short of it: a model learns to stop
/// only from that token.
fn include_ends(spans: &mut [Range<usize>], text: &str, token: &str) {
    let starts: Vec<usize> = spans.iter().map(|span| span.start).collect();
    for span in spans {
        let ends = text[span.clone()].ends_with(token);
        if !ends && text[span.end..].starts_with(token) && !starts.contains(&span.end) {
            span.end += token.len();
        }
    }
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
    let prompt = options.add_generation_prompt;
    let marked = engine.render_marked(turns, options, prompt, Some(&marks)).ok()?;
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
    let turns = [turn("system"), turn("user"), turn("assistant")];
    // Some templates refuse a system message, others want one.
    [&turns[1..], &turns[..]].into_iter().find_map(|turns| {
        Search { engine, turns, options: &options, text: "" }.closing_token(turns.len() - 1)
    })
}
