//! The second pass: kept rows read again, tokenised on every core, given on in order.

use std::ops::ControlFlow;

use rayon::prelude::*;
use sanbao_contract::data::{Content, Example, Part, Task};

use crate::error::Error;
use crate::facts::Facts;
use crate::pieces::{Piece, PieceBuilder};
use crate::prepare::{Progress, Step};
use crate::rated::Held;
use crate::survey::Survey;
use crate::tokens::{Tokenised, Tokeniser};

/// Bytes of text that are tokenised in one go.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// What is tokenised at once.
enum Unit {
    /// A row, by its index among all.
    Row(usize, Part, Example),
    /// A piece of running text.
    Piece(Part, Piece),
}

impl Unit {
    fn tokenise(
        self,
        tokeniser: &Tokeniser<'_>,
    ) -> Result<(Option<usize>, Part, Vec<Tokenised>), Error> {
        match self {
            Self::Row(row, part, example) => Ok((Some(row), part, tokeniser.example(example)?)),
            Self::Piece(part, piece) => Ok((None, part, tokeniser.piece(&piece)?)),
        }
    }
}

/// Gives the sequences of every kept row to `keep`, in the order of the files, until it breaks.
/// Rows without a token to learn are left out. `batch` rows are tokenised at a time.
pub(crate) fn tokenise(
    survey: &mut Survey,
    tokeniser: &Tokeniser<'_>,
    batch: usize,
    progress: &mut dyn FnMut(Progress),
    keep: &mut dyn FnMut(Part, Tokenised) -> Result<ControlFlow<()>, Error>,
) -> Result<(), Error> {
    let total = survey.rows.len() as u64;
    let mut next = 0;
    for at in 0..survey.sources.len() {
        let records = survey.sources[at].table.records()?;
        let mut held = Held::default();
        let mut units = Units::new(tokeniser.piece_bytes());
        for record in records {
            let record = record?;
            let source = &survey.sources[at];
            let example = source.example(&record, &mut held)?;
            let changed = || Error::Changed { file: source.table.file().name().to_owned() };
            let row = survey.rows.get(next).ok_or_else(changed)?;
            if let Some(example) = &example
                && Facts::of(&example.content).exact != row.exact
            {
                return Err(changed());
            }
            if let (Some(example), false) = (example, row.dropped) {
                units.add(
                    next,
                    row.part.unwrap_or(Part::Train),
                    example,
                    record.document,
                    source.table.joiner(),
                );
            }
            next += 1;
            if units.ready.len() >= batch || units.bytes >= BATCH_BYTES {
                progress(Progress { step: Step::Tokenising, done: next as u64, total });
                if give(survey, units.take(), tokeniser, keep)?.is_break() {
                    return Ok(());
                }
            }
        }
        units.finish(true);
        if give(survey, units.take(), tokeniser, keep)?.is_break() {
            return Ok(());
        }
    }
    progress(Progress { step: Step::Tokenising, done: total, total });
    Ok(())
}

fn give(
    survey: &mut Survey,
    units: Vec<Unit>,
    tokeniser: &Tokeniser<'_>,
    keep: &mut dyn FnMut(Part, Tokenised) -> Result<ControlFlow<()>, Error>,
) -> Result<ControlFlow<()>, Error> {
    let done: Vec<_> = units.into_par_iter().map(|unit| unit.tokenise(tokeniser)).collect();
    for result in done {
        let (row, part, sequences) = result?;
        let untrained = is_untrained(&sequences);
        if let Some(longest) = sequences.iter().max_by_key(|tokenised| tokenised.whole_length) {
            let origin = || longest.example.origin.clone();
            survey.tally.add_length(longest.whole_length);
            if untrained && survey.task != Task::Prose {
                survey.tally.untrained.add(origin);
            } else if sequences.iter().any(Tokenised::is_truncated) {
                survey.tally.truncated.add(origin);
            }
        }
        if untrained && survey.task != Task::Prose {
            if let Some(row) = row {
                survey.rows[row].dropped = true;
            }
            continue;
        }
        for tokenised in sequences {
            if keep(part, tokenised)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Whether a row leaves nothing to learn, or nothing to ask. Of a single answer that was liked or not, one of its two
/// sequences is empty by its nature.
fn is_untrained(sequences: &[Tokenised]) -> bool {
    let untrained = |tokenised: &&Tokenised| match tokenised.example.content {
        Content::Prompt { .. } => tokenised.sequence.ids.is_empty(),
        _ => tokenised.sequence.trained_tokens() == 0,
    };
    let single = matches!(
        sequences.first().map(|tokenised| &tokenised.example.content),
        Some(Content::Unpaired { .. })
    );
    if single {
        sequences.iter().all(|tokenised| untrained(&tokenised))
    } else {
        sequences.iter().any(|tokenised| untrained(&tokenised))
    }
}

/// Rows as they come, paragraphs of running text joined to pieces.
struct Units {
    ready: Vec<Unit>,
    bytes: usize,
    builder: PieceBuilder,
    /// Part and document of the piece being built.
    running: Option<(Part, u64)>,
}

impl Units {
    fn new(piece_bytes: usize) -> Self {
        Self { ready: Vec::new(), bytes: 0, builder: PieceBuilder::new(piece_bytes), running: None }
    }

    fn add(
        &mut self,
        row: usize,
        part: Part,
        example: Example,
        document: Option<u64>,
        joiner: &str,
    ) {
        let (Content::Prose { text }, Some(document)) = (&example.content, document) else {
            self.bytes += size(&example.content);
            self.ready.push(Unit::Row(row, part, example));
            return;
        };
        if self.running != Some((part, document)) {
            self.finish(self.running.is_none_or(|(_, before)| before != document));
            self.running = Some((part, document));
        }
        self.bytes += text.len();
        let piece = self.builder.push(&example.origin, joiner, text);
        self.ready.extend(piece.map(|piece| Unit::Piece(part, piece)));
    }

    /// Gives out the piece being built.
    fn finish(&mut self, document_ends: bool) {
        let piece = self.builder.finish(document_ends);
        if let (Some(piece), Some((part, _))) = (piece, self.running) {
            self.ready.push(Unit::Piece(part, piece));
        }
    }

    fn take(&mut self) -> Vec<Unit> {
        self.bytes = 0;
        std::mem::take(&mut self.ready)
    }
}

/// Bytes of text in a row.
fn size(content: &Content) -> usize {
    let turns = |messages: &[sanbao_contract::Message]| {
        messages.iter().map(|message| message.text().len()).sum::<usize>()
    };
    match content {
        Content::Classify { text, .. } | Content::Prose { text } => text.len(),
        Content::Instruct { messages } | Content::Prompt { messages } => turns(messages),
        Content::Preference { prompt, chosen, rejected, .. } => {
            turns(prompt) + turns(chosen) + turns(rejected)
        }
        Content::Unpaired { prompt, completion, .. } => turns(prompt) + turns(completion),
    }
}
