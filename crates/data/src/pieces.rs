//! Running text in pieces of bounded size, and where sequences may be cut from them.

use std::ops::Range;

use sanbao_contract::data::Origin;

/// Paragraphs of one document that follow each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Where the first paragraph stands.
    pub origin: Origin,
    /// The text.
    pub text: String,
    /// Byte offsets at which paragraphs start.
    pub starts: Vec<usize>,
    /// Whether the document starts here.
    pub begins: bool,
    /// Whether the document ends here.
    pub ends: bool,
}

/// Whether no character is shared between token `at` and the one before it.
fn is_clean(spans: &[Range<usize>], at: usize) -> bool {
    at == 0 || at >= spans.len() || spans[at - 1].end <= spans[at].start
}

/// Tokens that start a paragraph.
pub(crate) fn paragraph_cuts(spans: &[Range<usize>], starts: &[usize]) -> Vec<usize> {
    let at = |start: &usize| spans.partition_point(|span| span.start < *start);
    starts
        .iter()
        .map(|start| (at(start), start))
        .filter(|(at, start)| *at > 0 && spans[at - 1].end <= **start)
        .map(|(at, _)| at)
        .collect()
}

/// Where the sequence that starts at token `start` ends, with at most `most` tokens.
pub(crate) fn window_end(
    start: usize,
    count: usize,
    most: usize,
    spans: &[Range<usize>],
    cuts: &[usize],
) -> usize {
    let limit = start + most;
    if limit >= count {
        return count;
    }
    let before = cuts.partition_point(|cut| *cut <= limit);
    if let Some(cut) = cuts[..before].last()
        && *cut >= start + most.div_ceil(2)
    {
        return *cut;
    }
    (start + 1..=limit).rev().find(|at| is_clean(spans, *at)).unwrap_or(limit)
}

/// Collects paragraphs that follow each other into pieces of bounded size.
#[derive(Debug)]
pub struct PieceBuilder {
    limit: usize,
    pending: Option<Piece>,
    /// Whether the next piece starts a document.
    fresh: bool,
}

impl PieceBuilder {
    /// Pieces of at most `limit` bytes, except that a paragraph is not cut here.
    pub fn new(limit: usize) -> Self {
        Self { limit, pending: None, fresh: true }
    }

    /// Adds a paragraph after `separator`; gives a piece when one is full.
    pub fn push(&mut self, origin: &Origin, separator: &str, paragraph: &str) -> Option<Piece> {
        let full = match &mut self.pending {
            None => None,
            Some(piece) => {
                piece.text.push_str(separator);
                if piece.text.len() + paragraph.len() > self.limit {
                    self.pending.take()
                } else {
                    None
                }
            }
        };
        let fresh = std::mem::replace(&mut self.fresh, false);
        let piece = self.pending.get_or_insert_with(|| Piece {
            origin: origin.clone(),
            text: String::new(),
            starts: Vec::new(),
            begins: fresh,
            ends: false,
        });
        piece.starts.push(piece.text.len());
        piece.text.push_str(paragraph);
        full
    }

    /// Gives the last piece and starts anew; `ends` tells whether the document ends here. When it
    /// does not, what comes next starts in the middle of it.
    pub fn finish(&mut self, ends: bool) -> Option<Piece> {
        self.fresh = ends;
        self.pending.take().map(|piece| Piece { ends, ..piece })
    }
}
