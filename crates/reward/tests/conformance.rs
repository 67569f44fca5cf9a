//! Every card of the registry keeps the promises of the registry.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use sanbao_contract::app::ParameterKind;
use sanbao_contract::reward::{Card, Reward};
use sanbao_reward::{
    Answered, CARDS, CardKind, Error, Kind, Rewarder, Rule, Settings, card, infos, weighted,
};
use serde_json::{Value, json};

fn with(kind: &CardKind, settings: &[(&str, Value)]) -> Result<Rewarder, Error> {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let chosen = Card { card: kind.name.to_owned(), weight: 1.0, settings: settings.collect() };
    Rewarder::new(&Reward { cards: vec![chosen], model: None })
}

fn refused(kind: &CardKind, settings: &[(&str, Value)]) -> Error {
    with(kind, settings).map(|_| ()).unwrap_err()
}

/// A judge that gives every question the share of its bytes that are even.
fn judge(questions: &[String]) -> Result<Vec<f64>, Error> {
    let share = |question: &String| {
        let even = question.bytes().filter(|byte| byte % 2 == 0).count();
        even as f64 / question.len() as f64
    };
    Ok(questions.iter().map(share).collect())
}

fn score(rewarder: &Rewarder, answer: &str, reference: &str) -> f64 {
    let answered = Answered { prompt: "What?", answer, reference: Some(reference) };
    let scores = rewarder.score_all(&[answered], &mut judge).unwrap();
    assert_eq!(scores.len(), 1);
    weighted(&scores[0], rewarder.weights()).unwrap()
}

fn awkward() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "\n\n\t",
        "0",
        "-",
        ".",
        "```",
        "```json\n```",
        "{",
        "[]",
        "\"",
        "\\",
        "| Rule: Yes",
        "🙂",
        "👩‍👩‍👧‍👦👩‍👩‍👧‍👦",
        "مرحبا بالعالم",
        "שלום \u{202e}עולם",
        "你好，世界。",
        "こんにちは",
        "안녕하세요",
        "สวัสดี",
        "e\u{301}\u{301}\u{301}",
        "\u{0}\u{1}\u{1b}[31m\u{7f}",
        "\u{feff}\u{200b}\u{200d}",
        "\u{10ffff}",
        "a\r\nb\rc\u{2028}d",
        "ﬁ ẞ İ ǅ",
        "1e999 -0 00",
        "I'm sorry, but I can't help.",
        "抱歉，我无法回答。",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.extend(
        ["a", "word ", "好", "🙂", "[", "\n", "a. ", "```", "-1,"]
            .map(|part| part.chars().cycle().take(100_000).collect::<String>()),
    );
    texts
}

#[test]
fn names_and_words_are_there() {
    let mut names = HashSet::new();
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    for kind in CARDS {
        let name = kind.name;
        assert!(names.insert(name) && is_name(name), "{name}");
        assert!(std::ptr::eq(card(name).unwrap(), *kind));
        let mut settings = HashSet::new();
        for parameter in kind.parameters {
            assert!(settings.insert(parameter.name) && is_name(parameter.name), "{name}");
        }
        let helps = kind.parameters.iter().map(|parameter| parameter.help);
        for help in helps.chain([kind.help]) {
            assert!(help.en.ends_with('.') && help.en.len() > 15, "{name}: {}", help.en);
            assert!(help.zh.ends_with('。') && !help.zh.is_ascii(), "{name}: {}", help.zh);
        }
        assert!(!kind.title.en.ends_with('.') && kind.title.en.is_ascii(), "{name}");
        assert!(kind.title.zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{name}");
    }
}

#[test]
fn the_list_is_the_registry() {
    let infos = infos();
    assert_eq!(infos.len(), CARDS.len());
    for (info, kind) in infos.iter().zip(CARDS) {
        assert_eq!(info.name, kind.name);
        assert_eq!(info.title.keys().collect::<Vec<_>>(), ["en", "zh"]);
        assert_eq!(info.help.keys().collect::<Vec<_>>(), ["en", "zh"]);
        let declared: HashSet<&String> = info.parameters.iter().map(|p| &p.name).collect();
        assert_eq!(declared, info.defaults.keys().collect());
        for (parameter, kind) in info.parameters.iter().zip(kind.parameters) {
            let fits = matches!(
                (&parameter.kind, kind.kind),
                (ParameterKind::Integer { .. }, Kind::Integer { .. })
                    | (ParameterKind::Number { .. }, Kind::Number { .. })
                    | (ParameterKind::Flag, Kind::Flag { .. })
                    | (ParameterKind::Choice { .. }, Kind::Choice { .. })
                    | (ParameterKind::Text, Kind::Text { .. })
                    | (ParameterKind::Lines, Kind::Lines { .. })
            );
            assert!(fits, "{}", parameter.name);
        }
    }
}

#[test]
fn defaults_are_accepted_and_are_what_is_used() {
    for (kind, info) in CARDS.iter().zip(infos()) {
        let given = Settings::resolve(kind, &info.defaults).unwrap();
        assert_eq!(given, Settings::resolve(kind, &BTreeMap::new()).unwrap(), "{}", kind.name);
        let rule = (kind.build)(&given).unwrap();
        assert_eq!(kind.needs_reference, matches!(rule, Rule::Reference(_)), "{}", kind.name);
        assert_eq!(kind.needs_judge, matches!(rule, Rule::Question(_)), "{}", kind.name);
    }
}

#[test]
fn every_choice_and_bound_makes_a_card() {
    for kind in CARDS {
        for parameter in kind.parameters {
            let values: Vec<Value> = match parameter.kind {
                Kind::Integer { low, high, .. } => vec![json!(low), json!(high)],
                Kind::Number { low, high, .. } => vec![json!(low), json!(high)],
                Kind::Flag { .. } => vec![json!(true), json!(false)],
                Kind::Choice { choices, .. } => choices.iter().map(|name| json!(name)).collect(),
                Kind::Text { .. } => vec![],
                Kind::Lines { .. } => vec![json!([" ", "x"])],
            };
            for value in values {
                match with(kind, &[(parameter.name, value.clone())]) {
                    Ok(rewarder) => {
                        for answer in awkward().iter().take(30) {
                            let score = score(&rewarder, answer, "the 42 answer");
                            assert!((0.0..=1.0).contains(&score), "{} {value}", kind.name);
                        }
                    }
                    // A bound can contradict the default of its neighbour, which is then named.
                    Err(error) => {
                        let told = error.to_string();
                        assert_eq!(error.code(), "reward.bad_setting");
                        let names = kind.parameters.iter().filter(|p| told.contains(p.name));
                        assert!(names.count() >= 2, "{told}");
                    }
                }
            }
        }
    }
}

#[test]
fn any_answer_gets_a_score_and_always_the_same() {
    for kind in CARDS {
        let (first, second) = (with(kind, &[]).unwrap(), with(kind, &[]).unwrap());
        for answer in awkward() {
            let shown: String = answer.chars().take(20).collect();
            for reference in ["Paris, 42.", "你好", "🙂"] {
                let score_of = |rewarder| score(rewarder, &answer, reference);
                let scores = [score_of(&first), score_of(&first), score_of(&second)];
                assert!((0.0..=1.0).contains(&scores[0]), "{} {shown:?}", kind.name);
                assert!(scores.iter().all(|score| *score == scores[0]), "{} {shown:?}", kind.name);
            }
        }
    }
}

#[test]
fn every_card_tells_some_answers_apart() {
    for kind in CARDS {
        let rewarder = with(kind, &[]).unwrap();
        let mut answers = awkward();
        answers.extend(
            ["Paris, 42.", "As an AI I say so because it is literally so."].map(str::to_owned),
        );
        answers.push("We went home by the road. ".repeat(9));
        let scores: HashSet<u64> =
            answers.iter().map(|answer| score(&rewarder, answer, "Paris, 42.").to_bits()).collect();
        assert!(scores.len() >= 2, "{}", kind.name);
    }
}

#[test]
fn unknown_settings_are_refused_by_name() {
    for kind in CARDS {
        let error = refused(kind, &[("colour", json!("red"))]);
        assert_eq!(error.code(), "reward.unknown_setting");
        let told = error.to_string();
        assert!(told.contains(&format!("'{}'", kind.name)) && told.contains("'colour'"), "{told}");
        let known = kind.parameters.iter().all(|parameter| told.contains(parameter.name));
        assert!(known && (!kind.parameters.is_empty() || told.contains("none")), "{told}");
    }
}

#[test]
fn wrong_types_are_refused_by_name() {
    let any = [
        json!(null),
        json!(true),
        json!("\u{1}x"),
        json!(1),
        json!(0.5),
        json!(1e300),
        json!([]),
        json!({"a": 1}),
    ];
    for kind in CARDS {
        for parameter in kind.parameters {
            let fits = |value: &Value| match parameter.kind {
                Kind::Integer { low, high, .. } => {
                    value.as_i64().is_some_and(|value| (low..=high).contains(&value))
                }
                Kind::Number { low, high, .. } => {
                    value.as_f64().is_some_and(|value| (low..=high).contains(&value))
                }
                Kind::Flag { .. } => value.is_boolean(),
                Kind::Text { .. } => value.is_string(),
                Kind::Choice { .. } | Kind::Lines { .. } => false,
            };
            for value in any.iter().filter(|value| !fits(value)) {
                let error = refused(kind, &[(parameter.name, value.clone())]);
                assert_eq!(error.code(), "reward.bad_setting");
                let told = error.to_string();
                for name in [kind.name, parameter.name] {
                    assert!(told.contains(&format!("'{name}'")), "{told}");
                }
                assert!(told.ends_with(" is needed."), "{told}");
            }
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-z]{1,8}",
        "[.,!?;:'-]{1,2}",
        "[0-9]{1,4}",
        "[今天很好吃。，]{1,4}",
        "\\PC{0,4}",
        Just("```\n".to_owned()),
        Just("\r\n".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(part, 0..25).prop_map(|parts| parts.join(" "))
}

proptest! {
    #[test]
    fn scores_are_shares(answer in any_text(), reference in any_text()) {
        let reference = format!("x{reference}");
        for kind in CARDS {
            let score = score(&with(kind, &[]).unwrap(), &answer, &reference);
            prop_assert!((0.0..=1.0).contains(&score), "{}: {score}", kind.name);
        }
    }

    #[test]
    fn the_data_s_own_answer_is_the_best(reference in any_text()) {
        let reference = format!("word {reference}");
        for kind in CARDS.iter().filter(|kind| kind.needs_reference) {
            let score = score(&with(kind, &[]).unwrap(), &reference, &reference);
            prop_assert!(score > 1.0 - 1e-12, "{}: {score}", kind.name);
        }
    }

    #[test]
    fn answers_are_scored_each_alone(answers in prop::collection::vec(any_text(), 1..5)) {
        let cards = CARDS.iter().map(|kind| Card {
            card: kind.name.to_owned(), weight: 1.0, settings: BTreeMap::new(),
        });
        let rewarder = Rewarder::new(&Reward { cards: cards.collect(), model: None }).unwrap();
        let asked = |answer| Answered { prompt: "p", answer, reference: Some("r") };
        let all: Vec<Answered<'_>> = answers.iter().map(|answer| asked(answer)).collect();
        let together = rewarder.score_all(&all, &mut judge).unwrap();
        for (scores, answered) in together.iter().zip(all) {
            prop_assert_eq!(scores.len(), CARDS.len());
            prop_assert_eq!(&rewarder.score_all(&[answered], &mut judge).unwrap()[0], scores);
        }
    }

    #[test]
    fn no_pattern_and_no_schema_breaks_anything(pattern in "\\PC{0,30}", answer in any_text()) {
        for (name, setting) in [("regex", "pattern"), ("json", "schema"), ("judge", "own_rule")] {
            match with(card(name).unwrap(), &[(setting, json!(pattern))]) {
                Ok(rewarder) => prop_assert!((0.0..=1.0).contains(&score(&rewarder, &answer, "r"))),
                Err(error) => prop_assert_eq!(error.code(), "reward.bad_setting"),
            }
        }
    }
}
