//! Which words of a text another text has as well.

use unicode_segmentation::UnicodeSegmentation;

use crate::text::Numbering;

/// Texts of more words than this are not compared: the table would be too large for a glance.
const MOST_WORDS: usize = 1500;

/// A stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The characters.
    pub text: String,
    /// Whether the other text lacks these words.
    pub differs: bool,
}

/// Cuts `text` into stretches that `other` has in the same order, and stretches that it lacks
/// (words after Unicode Annex 29, a longest common subsequence, case and white space aside).
pub(super) fn compare(text: &str, other: &str) -> Vec<Stretch> {
    let pieces: Vec<&str> = text.split_word_bounds().collect();
    let lower = |text: &str| text.to_lowercase();
    let (text_lower, other_lower) = (
        pieces.iter().map(|piece| lower(piece)).collect::<Vec<_>>(),
        other.split_word_bounds().map(lower).collect::<Vec<_>>(),
    );
    let is_word = |piece: &&String| !piece.trim().is_empty();
    let mut numbering = Numbering::default();
    let ours = numbering.of(text_lower.iter().filter(is_word).map(String::as_str));
    let theirs = numbering.of(other_lower.iter().filter(is_word).map(String::as_str));
    let mut shared = shared_words(&ours, &theirs).into_iter();
    let mut stretches: Vec<Stretch> = Vec::new();
    for piece in pieces {
        // White space belongs to whatever it follows.
        let differs = if piece.trim().is_empty() {
            stretches.last().is_some_and(|last| last.differs)
        } else {
            !shared.next().unwrap_or(true)
        };
        match stretches.last_mut().filter(|last| last.differs == differs) {
            Some(last) => last.text.push_str(piece),
            None => stretches.push(Stretch { text: piece.to_owned(), differs }),
        }
    }
    release_trailing_space(stretches)
}

/// Moves white space at the end of a differing stretch out of it, so that it is not marked.
fn release_trailing_space(stretches: Vec<Stretch>) -> Vec<Stretch> {
    let mut released: Vec<Stretch> = Vec::with_capacity(stretches.len());
    for mut stretch in stretches {
        let kept = if stretch.differs { stretch.text.trim_end().len() } else { stretch.text.len() };
        let space = stretch.text.split_off(kept);
        if let (false, Some(last)) = (stretch.differs, released.last_mut().filter(|s| !s.differs)) {
            last.text.push_str(&stretch.text);
        } else {
            released.push(stretch);
        }
        if !space.is_empty() {
            released.push(Stretch { text: space, differs: false });
        }
    }
    released
}

/// For each of our words whether it lies on a longest common subsequence with theirs.
fn shared_words(ours: &[u32], theirs: &[u32]) -> Vec<bool> {
    if ours.len() > MOST_WORDS || theirs.len() > MOST_WORDS {
        return vec![true; ours.len()];
    }
    let width = theirs.len() + 1;
    // lengths[i * width + j]: longest common subsequence of ours[i..] and theirs[j..].
    let mut lengths = vec![0_u16; (ours.len() + 1) * width];
    for i in (0..ours.len()).rev() {
        for j in (0..theirs.len()).rev() {
            lengths[i * width + j] = if ours[i] == theirs[j] {
                lengths[(i + 1) * width + j + 1] + 1
            } else {
                lengths[(i + 1) * width + j].max(lengths[i * width + j + 1])
            };
        }
    }
    let mut shared = vec![false; ours.len()];
    let (mut i, mut j) = (0, 0);
    while i < ours.len() && j < theirs.len() {
        if ours[i] == theirs[j] {
            shared[i] = true;
            i += 1;
            j += 1;
        } else if lengths[(i + 1) * width + j] >= lengths[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(text: &str, other: &str) -> String {
        let bracket =
            |s: &Stretch| if s.differs { format!("[{}]", s.text) } else { s.text.clone() };
        compare(text, other).iter().map(bracket).collect()
    }

    #[test]
    fn marks_what_the_other_lacks() {
        assert_eq!(marked("The cat sat there", "the cat slept there"), "The cat [sat] there");
        assert_eq!(marked("a b c d", "a d"), "a [b c] d");
        assert_eq!(marked("今天天气很好", "今天的天气好"), "今天天气[很]好");
        assert_eq!(marked("x  ", ""), "[x]  ");
        assert_eq!(marked("", "a"), "");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_added(text in "\\PC{0,60}", other in "\\PC{0,60}") {
            let joined: String = compare(&text, &other).into_iter().map(|s| s.text).collect();
            prop_assert_eq!(joined, text);
        }

        #[test]
        fn a_text_agrees_with_itself(text in "\\PC{0,60}") {
            prop_assert!(compare(&text, &text).iter().all(|stretch| !stretch.differs));
        }
    }
}
