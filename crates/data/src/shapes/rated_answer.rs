//! One rated answer in each row.

use sanbao_contract::Text;
use sanbao_contract::data::{Content, Mapping, Shape};

use super::preference::PROMPT_NAMES;
use super::ratings::given_rating;
use super::{Column, Field, Filled, ShapeRule, by_names, clause, mapping, turns};

const FIELDS: &[Field] = &[
    Field { name: "prompt", required: true, names: PROMPT_NAMES },
    Field {
        name: "completion",
        required: true,
        names: &[
            "completion",
            "response",
            "output",
            "answer",
            "reply",
            "回答",
            "回复",
            "输出",
            "答案",
            "补全",
        ],
    },
    Field {
        name: "rating",
        required: true,
        names: &[
            "rating",
            "score",
            "overallscore",
            "overallrating",
            "overall",
            "stars",
            "quality",
            "helpfulness",
            "grade",
            "reward",
            "评分",
            "分数",
            "得分",
            "打分",
            "星级",
        ],
    },
];

/// `prompt`, `completion`, `rating`, with several rows to a prompt. The best and the worst answer
/// to a prompt are a pair ([`crate::rated`]); an answer without a rating (empty, `N/A`) does not
/// count. Told by its names only where prompts come more than once: a file of questions with one
/// rated answer each has nothing to compare.
pub(super) struct RatedAnswer;

impl ShapeRule for RatedAnswer {
    fn shape(&self) -> Shape {
        Shape::RatedAnswer
    }

    fn name(&self) -> &'static str {
        "rated_answer"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn by_name(&self, columns: &[Column]) -> Option<(Mapping, Text)> {
        let fields = by_names(FIELDS, columns)?;
        let [prompt, _, rating] = fields.as_slice() else { return None };
        let column = |name: &str| columns.iter().find(|column| column.name == name);
        if !column(prompt.1)?.repeated || !column(rating.1)?.rating {
            return None;
        }
        let clause = clause(&fields);
        let reason = Text::new(
            format!("{}; the best and the worst answer to a prompt are a pair", clause.en),
            format!("{}，同一提示最好和最差的回答组成一对", clause.zh),
        );
        Some((mapping(self.shape(), FIELDS, &fields), reason))
    }

    /// The answer alone: what it is worse or better than stands in other rows.
    fn content(&self, fields: &Filled) -> Result<Content, String> {
        given_rating(fields, "rating")?;
        Ok(Content::Preference {
            prompt: turns(fields, "prompt", "user")?,
            chosen: turns(fields, "completion", "assistant")?,
            rejected: Vec::new(),
            margin: None,
        })
    }

    fn rating(&self, fields: &Filled) -> Result<Option<f64>, String> {
        given_rating(fields, "rating")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use sanbao_contract::data::Origin;
    use serde_json::{Value, json};

    fn columns(rows: &[(&str, &str, Value)]) -> Vec<Column> {
        let record = |((question, answer, score), row): (&(&str, &str, Value), u64)| {
            let fields = json!({"question": question, "answer": answer, "score": score});
            let origin = Origin { file: "t".into(), row, line: None };
            crate::Record::new(origin, fields.as_object().unwrap().clone().into_iter().collect())
        };
        Column::survey(&rows.iter().zip(1..).map(record).collect::<Vec<_>>())
    }

    #[test]
    fn it_is_told_where_prompts_come_again() {
        let rated = [
            ("Why is it so?", "Because.", json!(2)),
            ("How is it done?", "By hand.", json!("4.5")),
            ("Why is it so? ", "It always was.", json!(4)),
            ("How is it done?", "With a tool.", json!("N/A")),
        ];
        let (mapping, reason) = RatedAnswer.by_name(&columns(&rated)).unwrap();
        assert_eq!(mapping.field("rating"), Some("{{score}}"));
        assert!(reason.en.ends_with("the best and the worst answer to a prompt are a pair"));

        assert_eq!(RatedAnswer.by_name(&columns(&rated[..2])), None);
        let words = [("Why?", "So.", json!("good")), ("Why?", "Thus.", json!("bad"))];
        assert_eq!(RatedAnswer.by_name(&columns(&words)), None);
    }

    #[test]
    fn a_rating_that_is_no_number_is_named() {
        let row = json!({"prompt": "q", "completion": "a", "rating": "fine"});
        let row = Filled::new(row.as_object().unwrap().clone().into_iter().collect());
        assert_eq!(RatedAnswer.content(&row).unwrap_err(), "`rating` is `fine`; write a number");
    }
}
