//! Shapes: what the columns of a file are for, and what a row teaches.
//!
//! To add one: a file here with a [`ShapeRule`], one line in [`SHAPES`] at the place where it
//! should be asked, one arm in [`rule`], and a case for the conformance test.

mod column;
mod comparison;
mod conversation;
mod instruction;
mod messages;
mod preference;
mod prompt_completion;
mod prompt_only;
mod prose;
mod question_answer;
mod rated_answer;
mod ratings;
mod text_label;
mod unpaired;

use sanbao_contract::Text;
use sanbao_contract::data::{Content, Mapping, Shape};
use serde_json::Value;

use crate::template::{column_template, text_of};

pub use column::Column;
use comparison::better;
use conversation::{conversation, is_conversation, turns};
pub(crate) use ratings::is_rating_name;
use ratings::{rated, rating};
use unpaired::truth;

/// Every shape, in the order in which a file is tried against them.
pub static SHAPES: &[&dyn ShapeRule] = &[
    &preference::Preference,
    &comparison::Comparison,
    &ratings::Ratings,
    &unpaired::Unpaired,
    &rated_answer::RatedAnswer,
    &messages::Messages,
    &instruction::Instruction,
    &question_answer::QuestionAnswer,
    &prompt_completion::PromptCompletion,
    &text_label::TextLabel,
    &prompt_only::PromptOnly,
    &prose::Prose,
];

/// The rule of a shape.
pub fn rule(shape: Shape) -> &'static dyn ShapeRule {
    match shape {
        Shape::TextLabel => &text_label::TextLabel,
        Shape::Instruction => &instruction::Instruction,
        Shape::PromptCompletion => &prompt_completion::PromptCompletion,
        Shape::QuestionAnswer => &question_answer::QuestionAnswer,
        Shape::Messages => &messages::Messages,
        Shape::Preference => &preference::Preference,
        Shape::Comparison => &comparison::Comparison,
        Shape::Ratings => &ratings::Ratings,
        Shape::RatedAnswer => &rated_answer::RatedAnswer,
        Shape::Unpaired => &unpaired::Unpaired,
        Shape::PromptOnly => &prompt_only::PromptOnly,
        Shape::Prose => &prose::Prose,
    }
}

/// One field of a shape.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Standard name.
    pub name: &'static str,
    /// Whether a row cannot do without.
    pub required: bool,
    /// What columns with this meaning are called, in lower case without blanks, `_` and `-`;
    /// the most telling first.
    pub names: &'static [&'static str],
}

/// A shape: how it is recognised, and what its rows teach.
pub trait ShapeRule: Sync {
    /// The shape.
    fn shape(&self) -> Shape;

    /// Its name, as the shape is serialised.
    fn name(&self) -> &'static str;

    /// Its fields, in the order in which people write them.
    fn fields(&self) -> &'static [Field];

    /// Whether the names of the columns tell this shape: the mapping and the reason as a clause
    /// (`q` is the question and …). All shapes are asked this before any is asked about content.
    fn by_name(&self, columns: &[Column]) -> Option<(Mapping, Text)> {
        by_names(self.fields(), columns).map(|fields| {
            let mapping = mapping(self.shape(), self.fields(), &fields);
            let reason = clause(&fields);
            (mapping, reason)
        })
    }

    /// Whether the content of the columns tells this shape, when no names did.
    fn by_content(&self, columns: &[Column]) -> Option<(Mapping, Text)> {
        let _ = columns;
        None
    }

    /// What a row teaches.
    ///
    /// # Errors
    /// The clause that tells what a field should hold, when it holds something else.
    fn content(&self, fields: &Filled) -> Result<Content, String>;

    /// Whether a row says of its two answers that neither is better. It has nothing to teach.
    fn is_undecided(&self, fields: &Filled) -> bool {
        let _ = fields;
        false
    }

    /// How good a row says that its answer is, where rows are one rated answer each; `None` where
    /// it leaves that open.
    ///
    /// # Errors
    /// As [`ShapeRule::content`].
    fn rating(&self, fields: &Filled) -> Result<Option<f64>, String> {
        let _ = fields;
        Ok(None)
    }
}

/// The fields of a shape, filled from a row.
#[derive(Debug)]
pub struct Filled {
    values: Vec<(String, Value)>,
}

impl Filled {
    /// Fields and their values.
    pub fn new(values: Vec<(String, Value)>) -> Self {
        Self { values }
    }

    /// The value of a field; `None` when it is not mapped or the row has none.
    pub fn value(&self, field: &str) -> Option<&Value> {
        self.values
            .iter()
            .find(|(name, _)| name == field)
            .map(|(_, value)| value)
            .filter(|value| !value.is_null())
    }

    /// Whether the mapping says what a field is, filled in this row or not.
    pub fn is_mapped(&self, field: &str) -> bool {
        self.values.iter().any(|(name, _)| name == field)
    }

    /// The value of a field as text, empty when there is none.
    pub fn text(&self, field: &str) -> String {
        self.value(field).map(text_of).unwrap_or_default()
    }
}

/// Whether a column of this name has a meaning in some shape.
pub(crate) fn is_known_name(name: &str) -> bool {
    let name = plain_name(name);
    name.len() > 1
        && SHAPES
            .iter()
            .flat_map(|rule| rule.fields())
            .any(|field| field.names.contains(&name.as_str()))
}

/// A column name as the lists of names have it.
fn plain_name(name: &str) -> String {
    let letters = name.trim().chars().filter(|c| !matches!(c, ' ' | '_' | '-' | '　'));
    letters.flat_map(char::to_lowercase).map(simplified).collect()
}

/// The simplified form of the traditional characters that occur in names of columns.
fn simplified(c: char) -> char {
    const PAIRS: &str = "內内標标籤签類类別别評评論论問问題题輸输對对話话覆复統统緒绪圖图譯译續续補补應应願愿選选絕绝資资詞词會会級级貼贴訊讯確确錯错誤误";
    let mut pairs = PAIRS.chars();
    while let (Some(traditional), Some(simple)) = (pairs.next(), pairs.next()) {
        if traditional == c {
            return simple;
        }
    }
    c
}

/// The column whose name tells that it is this field, unless taken.
fn named<'a>(field: &Field, columns: &'a [Column], taken: &[&str]) -> Option<&'a Column> {
    field.names.iter().find_map(|name| {
        columns.iter().find(|column| {
            plain_name(&column.name) == *name && !taken.contains(&column.name.as_str())
        })
    })
}

/// Matches every field by name; `None` when a required one is missing.
fn by_names<'a>(fields: &[Field], columns: &'a [Column]) -> Option<Vec<(&'static str, &'a str)>> {
    let mut taken: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    // Required fields choose first: `input` is the prompt where nothing else is.
    for field in fields
        .iter()
        .filter(|field| field.required)
        .chain(fields.iter().filter(|field| !field.required))
    {
        match named(field, columns, &taken) {
            Some(column) => {
                taken.push(&column.name);
                found.push((field.name, column.name.as_str()));
            }
            None if field.required => return None,
            None => {}
        }
    }
    found.sort_by_key(|(name, _)| fields.iter().position(|field| field.name == *name));
    Some(found)
}

/// The mapping of fields to one column each, in the order of the shape's fields.
fn mapping(shape: Shape, order: &[Field], fields: &[(&str, &str)]) -> Mapping {
    let mut fields = fields.to_vec();
    fields.sort_by_key(|(name, _)| order.iter().position(|field| field.name == *name));
    Mapping {
        shape,
        fields: fields
            .iter()
            .map(|(field, column)| ((*field).to_owned(), column_template(column)))
            .collect(),
    }
}

/// Fields and their columns as a clause: `q` is the question and `a` is the answer.
fn clause(fields: &[(&str, &str)]) -> Text {
    let (en, zh): (Vec<String>, Vec<String>) = fields
        .iter()
        .map(|(field, column)| {
            let said = said(field);
            (format!("`{column}` is the {}", said.en), format!("“{column}”是{}", said.zh))
        })
        .unzip();
    Text::new(join_and(&en), zh.join("，"))
}

/// What a field is called in a sentence.
fn said(field: &str) -> Text {
    let (en, zh) = match field {
        "text" => ("text", "文本"),
        "label" => ("label", "标签"),
        "instruction" => ("instruction", "任务"),
        "input" => ("input", "任务材料"),
        "output" => ("output", "结果"),
        "system" => ("system", "总体要求"),
        "prompt" => ("prompt", "提示"),
        "completion" => ("completion", "回答"),
        "context" => ("context", "相关材料"),
        "question" => ("question", "问题"),
        "answer" => ("answer", "回答"),
        "messages" => ("messages", "对话"),
        "chosen" => ("chosen answer", "更好的回答"),
        "rejected" => ("rejected answer", "较差的回答"),
        "margin" => ("margin between the two", "两者的差距"),
        "response_a" => ("first answer", "第一个回答"),
        "response_b" => ("second answer", "第二个回答"),
        "winner" => ("better of the two", "两个回答中更好的一个"),
        "rating_a" => ("rating of the first answer", "第一个回答的评分"),
        "rating_b" => ("rating of the second answer", "第二个回答的评分"),
        "rating" => ("rating", "评分"),
        "completions" => ("list of answers", "回答列表"),
        other => (other, other),
    };
    Text::new(en, zh)
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn join_and(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `a`, `a和b`, `a、b和c`.
pub(crate) fn join_and_zh(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{}和{last}", first.join("、")),
    }
}

/// What a file of preferences lacks to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lack {
    /// One side of every pair is there, the other is not.
    Answer {
        /// The column there is.
        column: String,
        /// The standard name of the one that is missing.
        missing: &'static str,
    },
    /// Nothing says which of two answers is better.
    Winner {
        /// The column with the first answers.
        first: String,
        /// The column with the second answers.
        second: String,
    },
}

/// What columns that are plainly meant as preferences lack; `None` for all others.
pub(crate) fn lack(columns: &[Column]) -> Option<Lack> {
    if preference::Preference.by_name(columns).is_some() {
        return None;
    }
    if let Some((column, missing)) = preference::one_side(columns) {
        return Some(Lack::Answer { column: column.name.clone(), missing });
    }
    if comparison::Comparison.by_name(columns).is_some() {
        return None;
    }
    let (first, second) = comparison::two_answers(columns)?;
    Some(Lack::Winner { first: first.name.clone(), second: second.name.clone() })
}

/// Proposes what the columns are for.
pub(crate) fn recognise(columns: &[Column]) -> Option<(Mapping, Text)> {
    let by_name = SHAPES.iter().find_map(|rule| rule.by_name(columns));
    by_name.or_else(|| SHAPES.iter().find_map(|rule| rule.by_content(columns)))
}
