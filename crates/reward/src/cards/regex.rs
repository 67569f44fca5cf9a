//! A pattern that the answer is to match.

use ::regex::{Regex, RegexBuilder};
use sanbao_evaluate::Phrase;
use serde::Deserialize;

use super::contains::IGNORE_CASE;
use super::{CardKind, Rule};
use crate::Error;
use crate::settings::{Kind, Parameter, Settings};

/// Most bytes of a compiled pattern, and of the tables made while matching.
const MOST_BYTES: usize = 1 << 20;

/// 1 when the answer matches, else 0. Matching takes time in proportion to the answer, whatever
/// the pattern is (the `regex` crate's promise); so there is no lookaround and no backreference.
pub static REGEX: CardKind = CardKind {
    name: "regex",
    title: Phrase { en: "Pattern", zh: "匹配模式" },
    help: Phrase {
        en: "Rewards answers that match a regular expression; the proposed one looks for a digit.",
        zh: "回答符合正则表达式时给予奖励；默认的表达式查找数字。",
    },
    parameters: &[
        Parameter {
            name: "pattern",
            kind: Kind::Text { longest: 1_000, default: r"\d" },
            help: Phrase {
                en: "The regular expression, without lookaround and backreferences.",
                zh: "正则表达式，不支持环视和反向引用。",
            },
        },
        Parameter {
            name: "whole_answer",
            kind: Kind::Flag { default: false },
            help: Phrase {
                en: "Whether the whole answer has to match, blanks at its ends aside.",
                zh: "是否要求整个回答匹配（忽略首尾空白）。",
            },
        },
        IGNORE_CASE,
    ],
    needs_reference: false,
    needs_judge: false,
    build,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pattern {
    pattern: String,
    whole_answer: bool,
    ignore_case: bool,
}

fn build(settings: &Settings) -> Result<Rule, Error> {
    let Pattern { pattern, whole_answer, ignore_case } = settings.read()?;
    if pattern.trim().is_empty() {
        return Err(settings.refuse("pattern", "an empty pattern matches every answer; write one"));
    }
    let compile = |pattern: &str| {
        compile(pattern, ignore_case).map_err(|reason| settings.refuse("pattern", reason))
    };
    // Alone first: what is no pattern could become one between the brackets.
    let mut regex = compile(&pattern)?;
    if whole_answer {
        regex = compile(&format!(r"\A(?:{pattern})\z"))?;
    }
    Ok(Rule::Answer(Box::new(move |answer| {
        let answer = if whole_answer { answer.trim() } else { answer };
        f64::from(u8::from(regex.is_match(answer)))
    })))
}

/// The pattern, or half a sentence that says why there is none.
fn compile(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .case_insensitive(ignore_case)
        .size_limit(MOST_BYTES)
        .dfa_size_limit(MOST_BYTES)
        .build()
        .map_err(|error| match error {
            ::regex::Error::CompiledTooBig(_) => {
                "it becomes too large; use smaller numbers of repetitions".to_owned()
            }
            ::regex::Error::Syntax(reason) if reason.contains("look-around") => {
                "lookaround, such as (?=…) or (?<!…), is not supported; say what is to be there instead".to_owned()
            }
            ::regex::Error::Syntax(reason) if reason.contains("backreferences") => {
                r"a backreference, such as \1, is not supported; write the text out".to_owned()
            }
            other => {
                let reason = other.to_string();
                let last = reason.lines().last().unwrap_or_default();
                let last = last.strip_prefix("error: ").unwrap_or(last);
                format!("it is no regular expression ({last}); correct it")
            }
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::cards::testing::{refused, score};

    #[test]
    fn anywhere_or_the_whole() {
        let anywhere = json!({"pattern": r"[0-9]+ (€|euros?)"});
        assert_eq!(score("regex", anywhere, "It costs 12 EUROS."), 1.0);
        let whole = json!({"pattern": "yes|no|yes and no", "whole_answer": true});
        assert_eq!(score("regex", whole.clone(), " Yes and no\n"), 1.0);
        assert_eq!(score("regex", whole, "yes!"), 0.0);
        let exact = json!({"pattern": "^A", "ignore_case": false});
        assert_eq!(score("regex", exact, "a"), 0.0);
    }

    #[test]
    fn what_it_cannot_do_is_said_plainly() {
        let pattern = |pattern: &str| refused("regex", json!({ "pattern": pattern }));
        for looking in ["(?=a)", "(?!a)b", "(?<=a)b", "(?<!a)b"] {
            assert!(pattern(looking).contains("lookaround"), "{looking}");
        }
        assert!(pattern(r"(a)\1").contains("backreference"));
        assert!(pattern(" ").contains("empty"));
        assert!(pattern("((((a{100}){100}){100}){100})").contains("too large"));
        assert!(pattern("a)|(b").contains("'pattern' of the card 'regex'"));
        let unclosed = pattern("(a");
        assert!(unclosed.contains("unclosed group") && !unclosed.contains('\n'), "{unclosed}");
    }

    #[test]
    fn what_takes_others_for_ever_is_quick() {
        let slow_elsewhere = json!({"pattern": "^(a+)+$"});
        let answer = format!("{}b", "a".repeat(100_000));
        assert_eq!(score("regex", slow_elsewhere, &answer), 0.0);
    }
}
