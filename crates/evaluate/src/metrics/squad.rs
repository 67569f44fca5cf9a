//! SQuAD's way of comparing two short answers.

use std::collections::HashMap;

use crate::text::{has_unspaced, is_cjk_punctuation, is_unspaced, split};

/// SQuAD v1.1's normalisation (Rajpurkar et al., arXiv 1606.05250, its evaluation script): lower
/// case, no ASCII punctuation, no `a`, `an`, `the`, single blanks.
///
/// Where the text has characters of a script without spaces, CJK punctuation goes as well and
/// each such character stands alone, as CMRC 2018 does (Cui et al., arXiv 1810.07366); without
/// that a Chinese answer would be one single word.
pub fn normalise(text: &str) -> String {
    let unspaced = has_unspaced(text);
    let mut kept = String::with_capacity(text.len());
    for c in text.to_lowercase().chars() {
        if c.is_ascii_punctuation() || (unspaced && is_cjk_punctuation(c)) {
            continue;
        }
        if is_unspaced(c) {
            kept.extend([' ', c, ' ']);
        } else {
            kept.push(c);
        }
    }
    without_articles(&kept)
}

/// Drops `a`, `an`, `the` at word boundaries as the expression `\b(a|an|the)\b` sees them, so that
/// an article is also found next to a character that is neither letter, digit nor underscore.
fn without_articles(text: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        kept.push_str(if matches!(word, "a" | "an" | "the") { " " } else { word });
        let gap = after.find(is_word).unwrap_or(after.len());
        kept.push_str(&after[..gap]);
        rest = &after[gap..];
    }
    split(&kept).collect::<Vec<_>>().join(" ")
}

/// 1 when both are equal after normalising, else 0.
pub fn exact_match(answer: &str, reference: &str) -> f64 {
    if normalise(answer) == normalise(reference) { 1.0 } else { 0.0 }
}

/// F1 of the bags of normalised words; when one is empty, 1 if both are, else 0 (SQuAD v2's rule).
pub fn token_f1(answer: &str, reference: &str) -> f64 {
    let (answer, reference) = (normalise(answer), normalise(reference));
    let answer: Vec<&str> = split(&answer).collect();
    let reference: Vec<&str> = split(&reference).collect();
    if answer.is_empty() || reference.is_empty() {
        return if answer.is_empty() && reference.is_empty() { 1.0 } else { 0.0 };
    }
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in &reference {
        *left.entry(word).or_default() += 1;
    }
    let mut common = 0;
    for word in &answer {
        if let Some(count) = left.get_mut(word).filter(|count| **count > 0) {
            *count -= 1;
            common += 1;
        }
    }
    2.0 * f64::from(common) / (answer.len() + reference.len()) as f64
}
