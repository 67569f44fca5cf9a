//! What the text metrics need to know about characters and words.

use unicode_segmentation::UnicodeSegmentation;

/// White space as Python's `str.split` sees it: Unicode's, and the four separators U+001C–U+001F.
/// The reference implementations of the text metrics split so.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Words between white space.
pub(crate) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// A character of a script that writes no spaces between words (Han, kana, Thai, Lao, Khmer,
/// Burmese), where a single character is the smallest fair unit of comparison.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}'
        | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Whether a text has characters of a script without spaces.
pub(crate) fn has_unspaced(text: &str) -> bool {
    text.chars().any(is_unspaced)
}

/// Punctuation of CJK typography and the general punctuation that goes with it.
pub(crate) fn is_cjk_punctuation(c: char) -> bool {
    matches!(c,
        '\u{00b7}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{3001}'..='\u{3003}'
        | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}' | '\u{30fb}' | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}'
        | '\u{ff5b}'..='\u{ff65}')
}

/// The text with every character replaced that is not there to be read: controls other than line
/// ends and tabs, and marks that turn the writing direction for what follows.
pub(crate) fn printable(text: &str) -> String {
    let hidden = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.replace("\r\n", "\n").chars().map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// How a text is cut into the units that ROUGE counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// `rouge_score`'s own tokenizer: lower case, runs of `a-z0-9`; anything else separates.
    AsciiWords,
    /// Every character that is not white space, lower case: for scripts without spaces.
    Characters,
    /// Words after Unicode Annex 29, lower case: for other alphabets, which `AsciiWords` would drop.
    UnicodeWords,
}

impl Units {
    /// The units that suit a reference text.
    pub fn for_reference(text: &str) -> Self {
        if has_unspaced(text) {
            Self::Characters
        } else if text.chars().any(|c| c.is_alphabetic() && !c.is_ascii()) {
            Self::UnicodeWords
        } else {
            Self::AsciiWords
        }
    }

    /// The units of a text, in order.
    pub fn cut(self, text: &str) -> Vec<String> {
        let text = text.to_lowercase();
        match self {
            Self::AsciiWords => text
                .split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit())
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect(),
            Self::Characters => {
                text.chars().filter(|c| !is_space(*c)).map(|c| c.to_string()).collect()
            }
            Self::UnicodeWords => text.unicode_words().map(str::to_owned).collect(),
        }
    }
}

/// Replaces each unit by a small number, equal units by equal numbers, so that sequences are
/// compared by integers.
#[derive(Debug, Default)]
pub(crate) struct Numbering<'a> {
    known: std::collections::HashMap<&'a str, u32>,
}

impl<'a> Numbering<'a> {
    /// The numbers of a sequence of units.
    pub(crate) fn of(&mut self, units: impl IntoIterator<Item = &'a str>) -> Vec<u32> {
        units
            .into_iter()
            .map(|unit| {
                let next = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
                *self.known.entry(unit).or_insert(next)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_follow_the_script() {
        assert_eq!(Units::for_reference("plain words 12"), Units::AsciiWords);
        assert_eq!(Units::for_reference("使用 Python"), Units::Characters);
        assert_eq!(Units::for_reference("привет"), Units::UnicodeWords);
        assert_eq!(Units::UnicodeWords.cut("Привет, мир!"), ["привет", "мир"]);
        assert_eq!(Units::Characters.cut("用 Py"), ["用", "p", "y"]);
        assert_eq!(Units::AsciiWords.cut("Don't-3.11"), ["don", "t", "3", "11"]);
    }

    #[test]
    fn white_space_is_pythons() {
        assert_eq!(split("a\u{1c}b\u{3000}c\n").collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
