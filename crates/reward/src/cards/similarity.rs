//! Likeness to the data's own answer.

use sanbao_evaluate::Phrase;
use sanbao_evaluate::metrics::rouge::rouge_l;
use sanbao_evaluate::metrics::{Units, chrf, squad};
use serde::Deserialize;

use super::{CardKind, Rule};
use crate::Error;
use crate::settings::{Kind, Parameter, Settings};

/// The verdict's own metrics of one answer, from 0 to 1: chrF (Popović 2015, ACL W15-3049), the F1
/// of ROUGE-L (Lin 2004, ACL W04-1013) in the units that suit the reference, or SQuAD's token F1.
/// ROUGE-L takes time in proportion to the product of both lengths.
pub static SIMILARITY: CardKind = CardKind {
    name: "similarity",
    title: Phrase { en: "Similar to the answer", zh: "与答案相似" },
    help: Phrase {
        en: "Rewards answers that resemble the answer in your data.",
        zh: "回答与数据中的答案越相似，奖励越高。",
    },
    parameters: &[Parameter {
        name: "measure",
        kind: Kind::Choice { choices: &["chrf", "rouge_l", "token_f1"], default: "chrf" },
        help: Phrase {
            en: "chrf: letter by letter; rouge_l: the same words in the same order; token_f1: the same words in any order.",
            zh: "chrf：逐字比较；rouge_l：相同词语且顺序相同；token_f1：相同词语，不计顺序。",
        },
    }],
    needs_reference: true,
    needs_judge: false,
    build,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Similarity {
    measure: Measure,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Measure {
    Chrf,
    RougeL,
    TokenF1,
}

fn build(settings: &Settings) -> Result<Rule, Error> {
    let Similarity { measure } = settings.read()?;
    Ok(Rule::Reference(Box::new(match measure {
        // 0 to 100; rounding can lead a hair beyond.
        Measure::Chrf => |answer: &str, reference: &str| {
            (chrf::score(&chrf::counts(answer, reference, 0)) / 100.0).clamp(0.0, 1.0)
        },
        Measure::RougeL => {
            |answer, reference| rouge_l(answer, reference, Units::for_reference(reference)).f1
        }
        Measure::TokenF1 => squad::token_f1,
    })))
}

#[cfg(test)]
mod tests {
    use sanbao_evaluate::metrics::{Answers, Row, metric};
    use serde_json::json;

    use crate::cards::testing::score_beside;

    /// The verdict's figure of the same pair.
    fn in_the_verdict(name: &str, answer: &str, reference: &str) -> Option<f64> {
        let row = Row {
            reference,
            answer,
            probabilities: &[],
            loss_sum: 1.0,
            loss_tokens: 1,
            reward: None,
        };
        metric(name)?.measure(&Answers { labels: &[], rows: vec![row] })?.whole()
    }

    #[test]
    fn it_is_the_verdicts_figure() {
        for (answer, reference) in [
            ("The cat sat on the mat.", "The cat is on the mat."),
            ("今天天气不错", "今天天气很好。"),
            ("привет всем", "Привет, мир"),
            ("same", "same"),
        ] {
            for (measure, whole) in [("chrf", 100.0), ("rouge_l", 1.0), ("token_f1", 1.0)] {
                let ours =
                    score_beside("similarity", json!({ "measure": measure }), answer, reference);
                let theirs = in_the_verdict(measure, answer, reference).map(|value| value / whole);
                assert!(theirs.is_some_and(|theirs| (ours - theirs).abs() < 1e-12), "{measure}");
                assert_eq!(ours == 1.0, answer == reference, "{measure} {answer}");
            }
        }
    }

    #[test]
    fn rouge_l_of_lins_example() {
        // Lin 2004, section 3.1: S2 against S1 = "police killed the gunman" shares three of four.
        let of = |answer| {
            let settings = json!({"measure": "rouge_l"});
            score_beside("similarity", settings, answer, "police killed the gunman")
        };
        assert_eq!(of("police kill the gunman"), 0.75);
        assert_eq!(of("the gunman kill police"), 0.5);
    }
}
