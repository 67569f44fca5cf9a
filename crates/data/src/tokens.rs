//! From examples to token ids with the trained ones marked; the one place where this is done.
//!
//! What is too long: the text of a row to classify is cut at its end, so that the label stays; a
//! conversation is cut at its end, and left out when no token to learn is left; a prompt is left
//! out; prose goes on in the next sequence. A conversation ends with its last token to learn.

use sanbao_contract::Message;
use sanbao_contract::data::{Content, Example, Origin};
use sanbao_text::{ChatOptions, Tokenizer};

use crate::error::{Error, Place};
use crate::pieces::{Piece, PieceBuilder, paragraph_cuts, window_end};
use crate::prompt::training_messages;

/// Token ids, and which of them are learnt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sequence {
    /// Token ids.
    pub ids: Vec<u32>,
    /// Whether a token is a target, predicted from those before it. The first never is.
    pub trained: Vec<bool>,
}

impl Sequence {
    /// Targets: trained tokens after the first.
    pub fn trained_tokens(&self) -> usize {
        self.trained.iter().skip(1).filter(|trained| **trained).count()
    }

    /// Drops what follows the last token to learn: it changes no loss and need not be computed.
    fn end_with_target(&mut self) {
        if let Some(last) = self.trained.iter().rposition(|trained| *trained) {
            self.truncate(last + 1);
        }
    }

    fn truncate(&mut self, length: usize) {
        self.ids.truncate(length);
        self.trained.truncate(length);
    }
}

/// A row or a piece of running text, made into a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Tokenised {
    /// The tokens, at most the maximum length.
    pub sequence: Sequence,
    /// The row as far as it is in the sequence.
    pub example: Example,
    /// Tokens that the row has without a maximum length.
    pub whole_length: usize,
}

impl Tokenised {
    /// Whether something was cut off.
    pub fn is_truncated(&self) -> bool {
        self.whole_length > self.sequence.ids.len()
    }
}

/// Makes sequences for one model, maximum length and set of labels.
pub struct Tokeniser<'a> {
    tokenizer: &'a Tokenizer,
    max_length: usize,
    labels: Vec<String>,
    /// What the tokenizer puts at the start of a document.
    prefix: Vec<u32>,
}

impl<'a> Tokeniser<'a> {
    /// `labels` are those listed in the prompt of rows to classify.
    ///
    /// # Errors
    /// When the tokenizer fails on an empty text.
    pub fn new(
        tokenizer: &'a Tokenizer,
        max_length: usize,
        labels: Vec<String>,
    ) -> Result<Self, Error> {
        let specials = tokenizer.encode("", true).map_err(|source| {
            refused(&Origin { file: "the tokenizer".into(), row: 0, line: None }, source)
        })?;
        let prefix = specials
            .into_iter()
            .take_while(|id| Some(*id) == tokenizer.bos() && Some(*id) != tokenizer.eos())
            .collect();
        Ok(Self { tokenizer, max_length, labels, prefix })
    }

    /// Makes the sequences of a row: two for a preference (chosen, rejected) and for a single answer
    /// that was liked or not, whose other sequence is empty; else one. Prose is
    /// taken as one whole document and may become several; see [`Tokeniser::piece`].
    ///
    /// # Errors
    /// When the tokenizer or the chat template refuses the row.
    pub fn example(&self, example: Example) -> Result<Vec<Tokenised>, Error> {
        let Example { origin, content } = example;
        match content {
            Content::Classify { text, label } => Ok(vec![self.classify(origin, text, label)?]),
            Content::Instruct { messages } => {
                let sequence = self.conversation(&origin, &messages)?;
                Ok(vec![self.cut(origin, Content::Instruct { messages }, sequence)])
            }
            Content::Prompt { messages } => Ok(vec![self.prompt(origin, messages)?]),
            Content::Preference { prompt, chosen, rejected, margin } => {
                let sequences = [
                    self.answer(&origin, &prompt, &chosen)?,
                    self.answer(&origin, &prompt, &rejected)?,
                ];
                let content = Content::Preference { prompt, chosen, rejected, margin };
                Ok(sequences
                    .into_iter()
                    .map(|sequence| self.cut(origin.clone(), content.clone(), sequence))
                    .collect())
            }
            Content::Unpaired { prompt, completion, label } => {
                let sequence = self.answer(&origin, &prompt, &completion)?;
                let content = Content::Unpaired { prompt, completion, label };
                let given = self.cut(origin, content, sequence);
                let absent =
                    Tokenised { sequence: Sequence::default(), whole_length: 0, ..given.clone() };
                Ok(if label { vec![given, absent] } else { vec![absent, given] })
            }
            Content::Prose { text } => {
                let mut builder = PieceBuilder::new(self.piece_bytes());
                let mut pieces: Vec<Piece> = Vec::new();
                for line in text.split_inclusive('\n') {
                    pieces.extend(builder.push(&origin, "", line));
                }
                pieces.extend(builder.finish(true));
                let sequences =
                    pieces.iter().map(|piece| self.piece(piece)).collect::<Result<Vec<_>, _>>()?;
                Ok(sequences.into_iter().flatten().collect())
            }
        }
    }

    /// Bytes of running text that are tokenised at once.
    pub fn piece_bytes(&self) -> usize {
        (self.max_length * 16).clamp(32 * 1024, 1024 * 1024)
    }

    fn conversation(&self, origin: &Origin, messages: &[Message]) -> Result<Sequence, Error> {
        let chat = self
            .tokenizer
            .encode_chat(messages, &ChatOptions::default())
            .map_err(|source| refused(origin, source))?;
        let mut sequence = Sequence { ids: chat.ids, trained: chat.trained };
        sequence.end_with_target();
        Ok(sequence)
    }

    /// A conversation of which only what follows the prompt is learnt.
    fn answer(
        &self,
        origin: &Origin,
        prompt: &[Message],
        answer: &[Message],
    ) -> Result<Sequence, Error> {
        let whole: Vec<Message> = prompt.iter().chain(answer).cloned().collect();
        let mut sequence = self.conversation(origin, &whole)?;
        if prompt.iter().any(|message| message.role == "assistant") {
            let before = self.conversation(origin, prompt)?.ids.len();
            sequence.trained.iter_mut().take(before).for_each(|trained| *trained = false);
        }
        Ok(sequence)
    }

    /// A conversation up to where its answer begins; nothing of it is learnt. Where it is too long,
    /// nothing is left: half a question would be another one.
    fn prompt(&self, origin: Origin, messages: Vec<Message>) -> Result<Tokenised, Error> {
        let options = ChatOptions { add_generation_prompt: true, ..ChatOptions::default() };
        let ids = self
            .tokenizer
            .encode_chat(&messages, &options)
            .map_err(|source| refused(&origin, source))?
            .ids;
        let whole_length = ids.len();
        let sequence = if whole_length > self.max_length {
            Sequence::default()
        } else {
            Sequence { trained: vec![false; whole_length], ids }
        };
        let example = Example { origin, content: Content::Prompt { messages } };
        Ok(Tokenised { sequence, example, whole_length })
    }

    fn cut(&self, origin: Origin, content: Content, mut sequence: Sequence) -> Tokenised {
        let whole_length = sequence.ids.len();
        sequence.truncate(self.max_length);
        sequence.end_with_target();
        Tokenised { sequence, example: Example { origin, content }, whole_length }
    }

    fn classify(&self, origin: Origin, text: String, label: String) -> Result<Tokenised, Error> {
        let encode = |text: &str| {
            let content = Content::Classify { text: text.to_owned(), label: label.clone() };
            let messages = training_messages(&content, &self.labels).unwrap_or_default();
            self.conversation(&origin, &messages).map(|sequence| (sequence, content))
        };
        let (mut sequence, mut content) = encode(&text)?;
        let whole_length = sequence.ids.len();
        if whole_length > self.max_length {
            let (_, spans) = self
                .tokenizer
                .encode_with_offsets(&text, false)
                .map_err(|source| refused(&origin, source))?;
            let mut keep = spans.len();
            // A cut text may have other tokens at its new end, so that one cut can be too few.
            while sequence.ids.len() > self.max_length && keep > 0 {
                keep = keep.saturating_sub(sequence.ids.len() - self.max_length);
                let end = spans[..keep].last().map_or(0, |span| text.floor_char_boundary(span.end));
                (sequence, content) = encode(text[..end].trim_end())?;
            }
            if keep == 0 {
                // Even the instruction and the label are too long: there is nothing to judge.
                sequence = Sequence::default();
            }
        }
        Ok(Tokenised { sequence, example: Example { origin, content }, whole_length })
    }

    /// Makes sequences of running text, every token trained: cut at paragraphs where that leaves a
    /// sequence at least half full, else where a token ends with a character. The document's start
    /// has what the tokenizer puts there, its end the end-of-sequence token.
    ///
    /// # Errors
    /// When the tokenizer refuses the text.
    pub fn piece(&self, piece: &Piece) -> Result<Vec<Tokenised>, Error> {
        let (ids, spans) = self
            .tokenizer
            .encode_with_offsets(&piece.text, false)
            .map_err(|source| refused(&piece.origin, source))?;
        let most = self.max_length.saturating_sub(self.prefix.len() + 1).max(1);
        let cuts = paragraph_cuts(&spans, &piece.starts);
        let mut windows = Vec::new();
        let mut start = 0;
        while start < ids.len() {
            let end = window_end(start, ids.len(), most, &spans, &cuts);
            let mut window = Vec::with_capacity(end - start + 2);
            if start == 0 && piece.begins {
                window.extend(&self.prefix);
            }
            window.extend(&ids[start..end]);
            if end == ids.len() && piece.ends {
                window.extend(self.tokenizer.eos());
            }
            // Where a token begins is not always told with the blank before it; where it ends is.
            let first_byte = if start == 0 { 0 } else { spans[start - 1].end };
            let last_byte = if end == ids.len() { piece.text.len() } else { spans[end - 1].end };
            let text = piece.text.get(first_byte..last_byte).unwrap_or_default().to_owned();
            let whole_length = window.len();
            let sequence = Sequence { trained: vec![true; window.len()], ids: window };
            windows.push(Tokenised {
                sequence,
                example: Example { origin: piece.origin.clone(), content: Content::Prose { text } },
                whole_length,
            });
            start = end;
        }
        Ok(windows)
    }
}

fn refused(origin: &Origin, source: sanbao_text::Error) -> Error {
    Error::Tokenize { place: Place::from(origin), source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::testing::tokenizer;
    use proptest::prelude::*;

    fn origin() -> Origin {
        Origin { file: "t.csv".into(), row: 1, line: None }
    }

    fn example(content: Content) -> Example {
        Example { origin: origin(), content }
    }

    #[test]
    fn only_the_answer_and_its_end_are_trained() {
        let tokenizer = tokenizer();
        let tokeniser = Tokeniser::new(&tokenizer, 128, vec!["good".into(), "bad".into()]).unwrap();
        let row = example(Content::Classify { text: "Very nice.".into(), label: "good".into() });
        let [tokenised] = <[Tokenised; 1]>::try_from(tokeniser.example(row).unwrap()).unwrap();
        let Sequence { ids, trained } = &tokenised.sequence;
        let text = tokenizer.decode(ids, false).unwrap();
        assert_eq!(
            text,
            "<|im_start|>user\nClassify the text. Answer with one of these labels only: bad, good.\n\nVery nice.<|im_end|>\n<|im_start|>assistant\ngood<|im_end|>"
        );
        let learnt: Vec<u32> =
            ids.iter().zip(trained).filter(|(_, trained)| **trained).map(|(id, _)| *id).collect();
        assert_eq!(tokenizer.decode(&learnt, false).unwrap(), "good<|im_end|>");
        assert!(!tokenised.is_truncated() && tokenised.sequence.trained_tokens() == learnt.len());
    }

    #[test]
    fn a_long_text_to_classify_keeps_its_label() {
        let tokenizer = tokenizer();
        let tokeniser =
            Tokeniser::new(&tokenizer, 100, vec!["好评".into(), "差评".into()]).unwrap();
        let text = "这家店的服务非常好，下次还来。".repeat(40);
        let row = example(Content::Classify { text: text.clone(), label: "好评".into() });
        let tokenised = tokeniser.example(row).unwrap().remove(0);
        let Content::Classify { text: kept, .. } = &tokenised.example.content else { panic!() };
        assert!(
            tokenised.is_truncated()
                && tokenised.sequence.ids.len() <= 100
                && tokenised.sequence.ids.len() > 90
        );
        assert!(!kept.is_empty() && text.starts_with(kept));
        assert!(
            tokenizer.decode(&tokenised.sequence.ids, false).unwrap().contains("好评<|im_end|>")
        );
        let small = Tokeniser::new(&tokenizer, 20, vec!["a".into()]).unwrap();
        let none = small
            .example(example(Content::Classify { text, label: "好评".into() }))
            .unwrap()
            .remove(0);
        assert_eq!((none.sequence.trained_tokens(), none.is_truncated()), (0, true));
    }

    #[test]
    fn a_long_conversation_is_cut_at_its_end() {
        let tokenizer = tokenizer();
        let tokeniser = Tokeniser::new(&tokenizer, 40, Vec::new()).unwrap();
        let messages = |prompt: &str| {
            vec![
                Message::new("user", prompt),
                Message::new("assistant", "one two three ".repeat(20)),
            ]
        };
        let cut = tokeniser
            .example(example(Content::Instruct { messages: messages("Count.") }))
            .unwrap()
            .remove(0);
        assert!(
            cut.is_truncated() && cut.sequence.ids.len() == 40 && cut.sequence.trained_tokens() > 0
        );
        let lost = tokeniser
            .example(example(Content::Instruct { messages: messages(&"Count. ".repeat(40)) }))
            .unwrap()
            .remove(0);
        assert_eq!(lost.sequence.trained_tokens(), 0);
    }

    #[test]
    fn both_answers_of_a_preference_are_made() {
        let tokenizer = tokenizer();
        let tokeniser = Tokeniser::new(&tokenizer, 200, Vec::new()).unwrap();
        let turn = |role: &str, text: &str| Message::new(role, text);
        let prompt = vec![turn("user", "Hi"), turn("assistant", "Hello"), turn("user", "Sky?")];
        let row = Content::Preference {
            prompt,
            chosen: vec![turn("assistant", "blue")],
            rejected: vec![turn("assistant", "green")],
            margin: None,
        };
        let pair = tokeniser.example(example(row)).unwrap();
        let learnt = |at: usize| {
            let Sequence { ids, trained } = &pair[at].sequence;
            tokenizer
                .decode(
                    &ids.iter()
                        .zip(trained)
                        .filter(|(_, trained)| **trained)
                        .map(|(id, _)| *id)
                        .collect::<Vec<_>>(),
                    true,
                )
                .unwrap()
        };
        assert_eq!((learnt(0).trim(), learnt(1).trim()), ("blue", "green"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn prose_loses_nothing(paragraphs in prop::collection::vec("[a-z 好的。é]{1,120}", 1..12), max_length in 16..90_usize) {
            let tokenizer = tokenizer();
            let tokeniser = Tokeniser::new(&tokenizer, max_length, Vec::new()).unwrap();
            let mut builder = PieceBuilder::new(300);
            let mut pieces: Vec<Piece> = Vec::new();
            for paragraph in &paragraphs {
                pieces.extend(builder.push(&origin(), "\n\n", paragraph));
            }
            pieces.extend(builder.finish(true));
            let windows: Vec<Tokenised> = pieces.iter().flat_map(|piece| tokeniser.piece(piece).unwrap()).collect();
            let text: String = windows.iter().map(|window| match &window.example.content {
                Content::Prose { text } => text.as_str(),
                _ => "",
            }).collect();
            prop_assert_eq!(&text, &paragraphs.join("\n\n"));
            let ids: Vec<u32> = windows.iter().flat_map(|window| window.sequence.ids.clone()).collect();
            let decoded = tokenizer.decode(&ids, false).unwrap();
            prop_assert_eq!(decoded.strip_suffix("<|im_end|>"), Some(text.as_str()));
            prop_assert!(windows.iter().all(|window| window.sequence.ids.len() <= max_length && window.sequence.trained.iter().all(|trained| *trained)));
        }
    }

    #[test]
    fn windows_end_with_paragraphs_where_they_can() {
        let tokenizer = tokenizer();
        let tokeniser = Tokeniser::new(&tokenizer, 48, Vec::new()).unwrap();
        let mut builder = PieceBuilder::new(100_000);
        for _ in 0..12 {
            assert!(builder.push(&origin(), "\n\n", "The sky is blue today.").is_none());
        }
        let piece = builder.finish(true).unwrap();
        let windows = tokeniser.piece(&piece).unwrap();
        assert!(windows.len() > 2);
        for window in &windows[..windows.len() - 1] {
            let Content::Prose { text } = &window.example.content else { panic!() };
            assert!(text.ends_with("today.\n\n"), "{text:?}");
        }
    }
}
