//! What the model will see, for a person to look at: the same reading, checking, splitting and
//! tokenising as [`crate::prepare()`], stopped after a few rows.

use std::ops::ControlFlow;

use sanbao_contract::data::{Finding, Origin, Recognition, Task};
use sanbao_text::Tokenizer;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::prepare::{Part, Pass, PrepareOptions, Progress, Source};
use crate::stream::tokenise;
use crate::tokens::Sequence;

/// A token, or several that make up one character, as a person reads them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownToken {
    /// The text.
    pub text: String,
    /// Whether it is learnt.
    pub trained: bool,
}

/// A row as the model sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownRow {
    /// Where it stands.
    pub origin: Origin,
    /// The part it is in.
    pub part: Part,
    /// Its tokens.
    pub tokens: Vec<ShownToken>,
    /// Number of token ids.
    pub length: usize,
    /// Number of them that would be there without a maximum length.
    pub whole_length: usize,
}

/// The first rows of some files as the model sees them.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// What was found about each file.
    pub files: Vec<Recognition>,
    /// What will be learnt.
    pub task: Task,
    /// What the checks found before tokenising.
    pub findings: Vec<Finding>,
    /// The first rows that are kept.
    pub rows: Vec<ShownRow>,
}

/// Shows the first `count` rows that would be trained or tested on. Every row is read, since the
/// labels in the prompt, the rows left out and the split follow from all of them.
///
/// # Errors
/// As [`crate::check`].
pub fn preview(
    sources: &[Source],
    tokenizer: &Tokenizer,
    options: &PrepareOptions,
    count: usize,
    progress: &mut dyn FnMut(Progress),
) -> Result<Preview, Error> {
    let mut pass = Pass::begin(sources, tokenizer, options, progress)?;
    let mut rows = Vec::new();
    if count > 0 {
        tokenise(&mut pass.survey, &pass.tokeniser, count, progress, &mut |part, tokenised| {
            rows.push(ShownRow {
                origin: tokenised.example.origin.clone(),
                part,
                tokens: show(tokenizer, &tokenised.sequence),
                length: tokenised.sequence.ids.len(),
                whole_length: tokenised.whole_length,
            });
            Ok(if rows.len() >= count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
    }
    let files = pass.survey.sources.iter().map(|source| source.recognition.clone()).collect();
    Ok(Preview { files, task: pass.survey.task, findings: pass.findings, rows })
}

/// A sequence as text with the learnt tokens marked. Tokens that only together make a character
/// are shown as one, learnt when its last token is.
pub fn show(tokenizer: &Tokenizer, sequence: &Sequence) -> Vec<ShownToken> {
    let mut decoder = tokenizer.decoder(false);
    let mut shown = Vec::with_capacity(sequence.ids.len());
    let mut last_trained = false;
    // The first token is given and never learnt.
    let trained = std::iter::once(false).chain(sequence.trained.iter().skip(1).copied());
    for (id, trained) in sequence.ids.iter().zip(trained) {
        last_trained = trained;
        if let Some(text) = decoder.push(*id) {
            shown.push(ShownToken { text, trained });
        }
    }
    shown.extend(decoder.finish().map(|text| ShownToken { text, trained: last_trained }));
    shown
}
