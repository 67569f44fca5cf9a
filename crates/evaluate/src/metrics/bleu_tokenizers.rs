//! sacreBLEU's tokenizers (Post 2018, arXiv 1804.08771; rules of mteval-v13a.pl).

use std::sync::LazyLock;

use regex::Regex;

use crate::text::split;

/// Punctuation and symbols that mteval-v13a always separates.
fn is_always_apart(c: char) -> bool {
    matches!(c, '{'..='~' | '['..='`' | ' '..='&' | '('..='+' | ':'..='@' | '/')
}

/// Rewrites every pair of neighbours that a rule speaks about; a pair used up is not looked at
/// again, as with a global regular expression.
fn rewrite_pairs(text: &str, rule: impl Fn(char, char) -> bool, pattern: [&str; 3]) -> String {
    let mut rewritten = String::with_capacity(text.len() + 16);
    let mut characters = text.chars().peekable();
    while let Some(first) = characters.next() {
        match characters.next_if(|second| rule(first, *second)) {
            Some(second) => {
                rewritten.push_str(pattern[0]);
                rewritten.push(first);
                rewritten.push_str(pattern[1]);
                rewritten.push(second);
                rewritten.push_str(pattern[2]);
            }
            None => rewritten.push(first),
        }
    }
    rewritten
}

/// The language-dependent part of mteval-v13a: symbols apart, full stop and comma apart unless
/// between digits, a dash apart after a digit.
fn v13a_rules(text: &str) -> String {
    let mut apart = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_always_apart(c) {
            apart.extend([' ', c, ' ']);
        } else {
            apart.push(c);
        }
    }
    let is_stop = |c: char| c == '.' || c == ',';
    let text = rewrite_pairs(&apart, |a, b| !a.is_ascii_digit() && is_stop(b), ["", " ", " "]);
    let text = rewrite_pairs(&text, |a, b| is_stop(a) && !b.is_ascii_digit(), [" ", " ", ""]);
    let text = rewrite_pairs(&text, |a, b| a.is_ascii_digit() && b == '-', ["", " ", " "]);
    split(&text).collect::<Vec<_>>().join(" ")
}

/// `13a`: the default, for languages written with spaces.
pub(super) fn v13a(line: &str) -> String {
    let mut line = line.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    if line.contains('&') {
        line = line
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
            .replace("&lt;", "<")
            .replace("&gt;", ">");
    }
    v13a_rules(&format!(" {line} "))
}

/// What sacreBLEU's `zh` takes for a Chinese character. Two of its ranges are written with five
/// digits in an escape that takes four, so they cover U+2001–U+2A6D and U+2F81–U+2FA1 instead of
/// the planes meant; published scores depend on it.
fn is_zh_character(c: char) -> bool {
    matches!(c,
        '\u{2001}'..='\u{2a6d}' | '\u{2e80}'..='\u{2fdf}' | '\u{2ff0}'..='\u{303f}'
        | '\u{3100}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}' | '\u{31c0}'..='\u{31ef}'
        | '\u{3200}'..='\u{33ff}' | '\u{3400}'..='\u{4db5}' | '\u{4e00}'..='\u{9fbb}'
        | '\u{f900}'..='\u{fa2d}' | '\u{fa30}'..='\u{fa6a}' | '\u{fa70}'..='\u{fad9}'
        | '\u{fe10}'..='\u{fe1f}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ffef}')
}

/// `zh`: every Chinese character apart, the rest as in `13a`.
pub(super) fn zh(line: &str) -> String {
    let mut apart = String::with_capacity(line.len() * 2);
    for c in line.trim_matches(crate::text::is_space).chars() {
        if is_zh_character(c) {
            apart.extend([' ', c, ' ']);
        } else {
            apart.push(c);
        }
    }
    v13a_rules(&apart)
}

/// `char`: every character apart, blanks among them.
pub(super) fn characters(line: &str) -> String {
    let mut apart = String::with_capacity(line.len() * 2);
    for c in line.chars() {
        if !apart.is_empty() {
            apart.push(' ');
        }
        apart.push(c);
    }
    apart
}

// The patterns are constants of this file, and a test runs every one of them.
#[allow(clippy::expect_used)]
static INTL_RULES: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
    let rule = |pattern| Regex::new(pattern).expect("constant pattern");
    [
        (rule(r"(\P{N})(\p{P})"), "$1 $2 "),
        (rule(r"(\p{P})(\P{N})"), " $1 $2"),
        (rule(r"(\p{S})"), " $1 "),
    ]
});

/// `intl`: Unicode punctuation apart unless between digits, symbols apart.
pub(super) fn intl(line: &str) -> String {
    let mut line = line.to_owned();
    for (rule, replacement) in INTL_RULES.iter() {
        line = rule.replace_all(&line, *replacement).into_owned();
    }
    split(&line).collect::<Vec<_>>().join(" ")
}
