//! The verdict in one plain sentence, in both languages.
//!
//! A sentence is a code and parameters; the words are in `words`. `{name}` stands for a parameter,
//! `{name|one|many}` for a count followed by the word that fits it.

use std::collections::BTreeMap;

use sanbao_contract::verdict::{Forgetting, Verdict};

use super::words::SENTENCES;
use crate::Language;

/// The sentence of a code; the code itself when it is not known (a verdict of another version).
pub(super) fn render(code: &str, params: &BTreeMap<String, String>, language: Language) -> String {
    match SENTENCES.iter().find(|(known, _)| *known == code) {
        Some((_, phrase)) => fill(phrase.get(language), params),
        None => code.to_owned(),
    }
}

/// Puts parameters in place of `{name}` and `{name|one|many}`; values are not looked into again.
pub(crate) fn fill(template: &str, params: &BTreeMap<String, String>) -> String {
    let mut filled = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (slot, after) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(before);
        let mut parts = slot.split('|');
        let value = parts.next().and_then(|name| params.get(name)).map_or("?", String::as_str);
        filled.push_str(value);
        if let (Some(one), Some(many)) = (parts.next(), parts.next()) {
            filled.push(' ');
            filled.push_str(if value == "1" { one } else { many });
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// The verdict's sentence in a language: built from its code and parameters, or the English one
/// that it carries when its code is not known here.
pub fn sentence_in(verdict: &Verdict, language: Language) -> String {
    if SENTENCES.iter().any(|(code, _)| *code == verdict.sentence_code) {
        render(&verdict.sentence_code, &verdict.sentence_params, language)
    } else {
        verdict.sentence.clone()
    }
}

/// What the forgetting check means, in one sentence. By the rise of perplexity: up to 2 % is
/// nothing, up to 10 % little, up to 30 % noticeable, beyond that much; a fall beyond 2 % is a gain.
pub fn forgetting_sentence(forgetting: &Forgetting, language: Language) -> String {
    let change = 100.0 * (forgetting.after / forgetting.before - 1.0);
    let code = match change {
        change if change < -2.0 => "forgetting.improved",
        change if change <= 2.0 => "forgetting.none",
        change if change <= 10.0 => "forgetting.little",
        change if change <= 30.0 => "forgetting.some",
        _ => "forgetting.much",
    };
    let params = [
        ("before", decimals(forgetting.before)),
        ("after", decimals(forgetting.after)),
        ("change", signed(change, 1)),
    ];
    let params = params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    render(code, &params, language)
}

/// A share as per cent with at most one decimal: `0.8333` is `83.3`, `0.5` is `50`.
pub(crate) fn percent(share: f64) -> String {
    trimmed(format!("{:.1}", 100.0 * share))
}

/// A difference of shares in percentage points, signed.
pub(crate) fn points(share: f64) -> String {
    signed(100.0 * share, 1)
}

/// About three significant digits: `0.123`, `1.23`, `12.3`, `123`, with the minus sign proper.
pub(crate) fn decimals(value: f64) -> String {
    fixed(value, places_for(value))
}

/// Decimals that leave about three significant digits.
pub(crate) fn places_for(value: f64) -> usize {
    match value.abs() {
        size if size < 0.9995 => 3,
        size if size < 9.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    }
}

/// [`fixed`] with a sign in front, except for zero.
pub(crate) fn signed_fixed(value: f64, places: usize) -> String {
    let text = fixed(value, places);
    let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
    if value > 0.0 && !is_zero { format!("+{text}") } else { text }
}

/// With a fixed number of decimals and the minus sign proper; zero has no sign.
pub(crate) fn fixed(value: f64, places: usize) -> String {
    minus(format!("{value:.places$}"))
}

/// With a sign in front, except for zero.
pub(crate) fn signed(value: f64, places: usize) -> String {
    let text = trimmed(format!("{value:.places$}"));
    if text.starts_with('-') || text.starts_with('\u{2212}') || text == "0" {
        text
    } else {
        format!("+{text}")
    }
}

fn trimmed(text: String) -> String {
    let text = match text.split_once('.') {
        Some((whole, decimals)) if decimals.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        _ => text,
    };
    minus(text)
}

/// Writes a negative zero as zero and a hyphen as a minus sign.
fn minus(text: String) -> String {
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|digit| matches!(digit, b'0' | b'.')) => {
            digits.to_owned()
        }
        Some(digits) => format!("\u{2212}{digits}"),
        None => text,
    }
}

/// A label as it may stand in a sentence: on one line, nothing that moves a cursor or turns the
/// writing direction, not too long.
pub(crate) fn quotable(text: &str) -> String {
    const LONGEST: usize = 60;
    let clean = crate::text::printable(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if clean.chars().count() <= LONGEST {
        return clean;
    }
    let mut short: String = clean.chars().take(LONGEST - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_of_a_sentence_is_in_both_languages() {
        let slots = |text: &str| -> std::collections::BTreeSet<String> {
            text.split('{')
                .skip(1)
                .filter_map(|part| part.split(['}', '|']).next())
                .map(str::to_owned)
                .collect()
        };
        for (code, phrase) in SENTENCES {
            assert_eq!(slots(phrase.en), slots(phrase.zh), "{code}");
            assert_eq!(SENTENCES.iter().filter(|(other, _)| other == code).count(), 1, "{code}");
        }
    }

    #[test]
    fn a_parameter_is_never_read_as_a_template() {
        let params = BTreeMap::from([
            ("rows".to_owned(), "1".to_owned()),
            ("majority_label".to_owned(), "{after}".to_owned()),
        ]);
        let text = fill("{rows|row|rows} of “{majority_label}”", &params);
        assert_eq!(text, "1 row of “{after}”");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(percent(0.8333), "83.3");
        assert_eq!(percent(0.5), "50");
        assert_eq!(points(-0.05), "−5");
        assert_eq!(points(0.123), "+12.3");
        assert_eq!(points(-0.0001), "0");
        assert_eq!(decimals(0.9996), "1.00");
        assert_eq!(decimals(12.34), "12.3");
        assert_eq!(decimals(-1.239), "−1.24");
        assert_eq!(decimals(1234.5), "1234");
    }

    #[test]
    fn a_quoted_label_is_harmless() {
        assert_eq!(quotable("a\u{1b}[31m\n b\u{202e}c"), "a\u{fffd}[31m b\u{fffd}c");
        assert_eq!(quotable(&"x".repeat(80)).chars().count(), 60);
    }
}
