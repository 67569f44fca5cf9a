//! The data's own answer, nearly.

use sanbao_evaluate::Phrase;
use sanbao_evaluate::metrics::edit_distance;
use serde::Deserialize;

use super::contains::IGNORE_CASE;
use super::{CardKind, Rule};
use crate::Error;
use crate::settings::Settings;
use crate::text::folded;

/// 1 - d / max(|answer|, |reference|) with Levenshtein's distance d in characters (RapidFuzz's
/// `Levenshtein.normalized_similarity`). A run of white space counts as one blank. Time grows with
/// the product of both lengths.
pub static NEAR_ANSWER: CardKind = CardKind {
    name: "near_answer",
    title: Phrase { en: "Nearly the right answer", zh: "接近正确答案" },
    help: Phrase {
        en: "Rewards answers the more, the fewer characters separate them from the answer in your data.",
        zh: "回答与数据中的答案相差的字符越少，奖励越高。",
    },
    parameters: &[IGNORE_CASE],
    needs_reference: true,
    needs_judge: false,
    build,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NearAnswer {
    ignore_case: bool,
}

fn build(settings: &Settings) -> Result<Rule, Error> {
    let NearAnswer { ignore_case } = settings.read()?;
    let plain = move |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        folded(&words.join(" "), ignore_case)
    };
    Ok(Rule::Reference(Box::new(move |answer, reference| {
        similarity(&plain(answer), &plain(reference))
    })))
}

fn similarity(answer: &str, reference: &str) -> f64 {
    let (distance, characters) = edit_distance::characters(answer, reference);
    match characters.max(answer.chars().count()) {
        0 => 1.0,
        longest => 1.0 - distance as f64 / longest as f64,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::similarity;
    use crate::cards::testing::score_beside;

    #[test]
    fn a_known_distance() {
        // kitten and sitting are three edits apart, of seven characters.
        assert!((similarity("kitten", "sitting") - 4.0 / 7.0).abs() < 1e-12);
        let both = json!({});
        assert_eq!(score_beside("near_answer", both.clone(), "KITTEN \n x", "kitten x"), 1.0);
        assert_eq!(score_beside("near_answer", both, "", "kitten"), 0.0);
        let exact = json!({"ignore_case": false});
        assert_eq!(score_beside("near_answer", exact, "AB", "Ab"), 0.5);
    }

    proptest! {
        #[test]
        fn it_is_symmetric_and_1_only_for_the_same(a in "[ab你]{0,8}", b in "[ab你]{0,8}") {
            let score = similarity(&a, &b);
            prop_assert!((0.0..=1.0).contains(&score));
            prop_assert_eq!(score, similarity(&b, &a));
            prop_assert_eq!(score == 1.0, a == b);
        }
    }
}
