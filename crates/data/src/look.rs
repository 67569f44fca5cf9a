//! What the model will see, for a person to look at: the same reading, checking, splitting and
//! tokenising as [`crate::prepare()`], with nothing written.

use sanbao_contract::app::{ShownRow, ShownToken};
use sanbao_contract::data::DataReport;
use sanbao_text::Tokenizer;

use crate::error::Error;
use crate::prepare::{Pass, PrepareOptions, Progress, Source};
use crate::tokens::Sequence;

/// What some files are, and what the model will see of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// What the checks found; what would make [`crate::prepare()`] refuse is among the findings.
    pub report: DataReport,
    /// The first rows that are kept.
    pub rows: Vec<ShownRow>,
    /// Tokens of every row that is kept.
    pub lengths: Vec<u32>,
}

/// Does everything that [`crate::prepare()`] does except writing, and shows the first `count` rows
/// that would be trained or tested on. Takes preferences too.
///
/// # Errors
/// As [`crate::prepare()`], without the refusals.
pub fn look(
    sources: &[Source],
    tokenizer: &Tokenizer,
    options: &PrepareOptions,
    count: usize,
    progress: &mut dyn FnMut(Progress),
) -> Result<Look, Error> {
    let mut pass = Pass::begin(sources, tokenizer, options, progress)?;
    let (mut rows, mut lengths) = (Vec::new(), Vec::new());
    let report = pass.finish(progress, &mut |part, tokenised| {
        let length = tokenised.sequence.ids.len();
        if length == 0 {
            // The other side of an answer that has none.
            return Ok(());
        }
        lengths.push(u32::try_from(length).unwrap_or(u32::MAX));
        if rows.len() < count {
            rows.push(ShownRow {
                origin: tokenised.example.origin.clone(),
                part,
                tokens: show(tokenizer, &tokenised.sequence),
                length: length as u64,
                whole_length: tokenised.whole_length as u64,
            });
        }
        Ok(())
    })?;
    Ok(Look { report, rows, lengths })
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
