//! What the cards need to know about words, sentences and windows of numbers.

use unicode_segmentation::UnicodeSegmentation;

/// A character of a Chinese text: Han, after Unicode's blocks.
pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Number of words after Unicode Annex 29; a Chinese character counts as one.
pub(crate) fn count_words(text: &str) -> usize {
    text.unicode_words().count()
}

/// Number of sentences after Unicode Annex 29, those without a letter or digit left out.
pub(crate) fn count_sentences(text: &str) -> usize {
    text.unicode_sentences().count()
}

/// Whether the text is Chinese rather than written with letters: at least half of its words are
/// Chinese characters.
pub(crate) fn is_chinese(text: &str) -> bool {
    let (mut han, mut words) = (0_usize, 0_usize);
    for word in text.unicode_words() {
        words += 1;
        han += usize::from(word.starts_with(is_han));
    }
    han > 0 && 2 * han >= words
}

/// Lower case when it is not to matter.
pub(crate) fn folded(text: &str, ignore_case: bool) -> String {
    if ignore_case { text.to_lowercase() } else { text.to_owned() }
}

/// 1 from `low` to `high`; outside it falls in a straight line and is 0 from `tolerance` on. A
/// tolerance of 0 gives 0 at once.
pub(crate) fn within(value: f64, low: f64, high: f64, tolerance: f64) -> f64 {
    let outside = (low - value).max(value - high).max(0.0);
    if outside == 0.0 {
        1.0
    } else if outside >= tolerance {
        0.0
    } else {
        1.0 - outside / tolerance
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_and_sentences_of_two_languages() {
        assert_eq!(count_words("Don't panic, use 3.11!"), 4);
        assert_eq!(count_words("我们用 Python。"), 4);
        assert_eq!(count_sentences("One. Two? Three!"), 3);
        assert_eq!(count_sentences("今天下雨。我们在家！好吗？"), 3);
        assert_eq!(count_sentences("… !!"), 0);
    }

    #[test]
    fn chinese_with_some_foreign_words_is_chinese() {
        assert!(is_chinese("使用 TensorFlow 训练模型"));
        assert!(!is_chinese("The word 你好 means hello to you"));
        assert!(!is_chinese("") && !is_chinese("123"));
    }

    #[test]
    fn a_window_has_slopes() {
        assert_eq!(within(5.0, 5.0, 9.0, 0.0), 1.0);
        assert_eq!(within(4.9, 5.0, 9.0, 0.0), 0.0);
        assert_eq!(within(3.0, 5.0, 9.0, 4.0), 0.5);
        assert_eq!(within(10.0, 5.0, 9.0, 4.0), 0.75);
        assert_eq!(within(13.0, 5.0, 9.0, 4.0), 0.0);
    }

    proptest! {
        #[test]
        fn further_outside_is_never_better(
            value in 0.0..500.0_f64, step in 0.0..100.0_f64, low in 0.0..200.0_f64,
            width in 0.0..200.0_f64, tolerance in 0.0..100.0_f64,
        ) {
            let high = low + width;
            let score = within(value, low, high, tolerance);
            prop_assert!((0.0..=1.0).contains(&score));
            if value >= high {
                prop_assert!(within(value + step, low, high, tolerance) <= score);
            }
            if value <= low {
                prop_assert!(within(value - step, low, high, tolerance) <= score);
            }
        }
    }
}
