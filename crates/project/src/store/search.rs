//! Finding text in rows: anywhere in any value, upper and lower case alike.

use super::database::{from_json, to_json};

/// A text that is looked for.
///
/// Rows lie in the database as JSON lists. The text as JSON would write it is looked for in
/// those first, which needs no memory; only a list that has it is taken apart and looked at
/// closely, since the text could stand in two values, or in what JSON puts around them.
pub(super) struct Needle {
    folded: String,
    /// Folded, as it stands inside a JSON text.
    escaped: String,
    /// Whether only ASCII letters in it have an upper and a lower case, so that bytes can be
    /// compared: true for English and Chinese.
    is_plain: bool,
}

impl Needle {
    pub(super) fn new(text: &str) -> rusqlite::Result<Self> {
        let folded = fold(text);
        let json = to_json(&folded)?;
        let escaped = json[1..json.len() - 1].to_owned();
        let is_plain = text.chars().all(|letter| letter.is_ascii() || is_caseless(letter));
        Ok(Self { folded, escaped, is_plain })
    }

    /// Whether a value of the row has the text. The row is a JSON list of texts.
    pub(super) fn is_in(&self, row: &str) -> rusqlite::Result<bool> {
        let may_be = match self.is_plain {
            true => contains_ignoring_case(row.as_bytes(), self.escaped.as_bytes()),
            false => fold(row).contains(&self.escaped),
        };
        if !may_be {
            return Ok(false);
        }
        let values: Vec<String> = from_json(row)?;
        Ok(values.iter().any(|value| fold(value).contains(&self.folded)))
    }
}

/// Letter by letter, so that a text folds to the same letters wherever it stands. Letters that
/// would become several, or ASCII ones, stay.
fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().map(fold_letter).collect()
}

fn fold_letter(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    let mut lower = letter.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(lower), None) if !lower.is_ascii() => lower,
        _ => letter,
    }
}

fn is_caseless(letter: char) -> bool {
    letter.to_lowercase().eq([letter]) && letter.to_uppercase().eq([letter])
}

/// `needle` is in lower case, as far as it is ASCII.
fn contains_ignoring_case(text: &[u8], needle: &[u8]) -> bool {
    let Some(&first) = needle.first() else { return true };
    let Some(last_start) = text.len().checked_sub(needle.len()) else { return false };
    let upper = first.to_ascii_uppercase();
    let mut start = 0;
    while start <= last_start {
        let candidates = &text[start..=last_start];
        let Some(skipped) = candidates.iter().position(|&byte| byte == first || byte == upper)
        else {
            return false;
        };
        start += skipped;
        if text[start..start + needle.len()].eq_ignore_ascii_case(needle) {
            return true;
        }
        start += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    fn is_found(needle: &str, values: &[&str]) -> bool {
        Needle::new(needle).unwrap().is_in(&serde_json::to_string(values).unwrap()).unwrap()
    }

    #[test]
    fn text_is_found_in_any_script_and_case() {
        let row =
            ["A \"Great\" film,\nreally", "很好看的电影", "Straße ÉTÉ Ω Привет ΟΔΟΣ", "C:\\temp"];
        let found = [
            "great",
            "GREAT\" F",
            "film,\nREALLY",
            "看的电",
            "été",
            "Été",
            "ПРИВЕТ",
            "οδοσ",
            "ß",
            "ω",
            "c:\\T",
            "\n",
            "",
        ];
        for needle in found {
            assert!(is_found(needle, &row), "{needle:?}");
        }
        // Not across values, nor in what JSON writes around and inside them.
        for needle in ["really很", "\",\"", "[", "\\n", "\\\"", "电影。", "grreat", "\u{212a}"]
        {
            assert!(!is_found(needle, &row), "{needle:?}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_finds_what_a_look_at_each_value_finds(
            values in proptest::collection::vec("[aAbB\"\\\\\n,电影éÉßſKΣς]{0,8}", 1..4),
            needle in "[aAbB\"\\\\\n,电影éÉßſKΣς]{0,3}",
        ) {
            let row = serde_json::to_string(&values).unwrap();
            let expected = values.iter().any(|value| fold(value).contains(&fold(&needle)));
            prop_assert_eq!(Needle::new(&needle).unwrap().is_in(&row).unwrap(), expected);
        }
    }
}
