//! Texts with the class that each belongs to.

use sanbao_contract::Text;
use sanbao_contract::data::{Content, Mapping, Shape};

use super::{Column, Field, Filled, ShapeRule, clause, mapping, named};

const FIELDS: &[Field] = &[
    Field {
        name: "text",
        required: true,
        names: &[
            "text",
            "sentence",
            "content",
            "review",
            "reviewtext",
            "comment",
            "comments",
            "message",
            "tweet",
            "post",
            "body",
            "description",
            "utterance",
            "feedback",
            "ticket",
            "document",
            "article",
            "question",
            "query",
            "title",
            "subject",
            "input",
            "文本",
            "内容",
            "评论",
            "句子",
            "正文",
            "留言",
            "评价",
            "反馈",
            "描述",
            "问题",
            "标题",
            "文章",
            "微博",
            "短信",
            "弹幕",
            "原文",
        ],
    },
    Field {
        name: "label",
        required: true,
        names: &[
            "label",
            "labels",
            "class",
            "category",
            "sentiment",
            "tag",
            "intent",
            "topic",
            "emotion",
            "target",
            "labeltext",
            "labelname",
            "classname",
            "type",
            "rating",
            "polarity",
            "标签",
            "类别",
            "分类",
            "类型",
            "情感",
            "情绪",
            "意图",
            "主题",
            "评级",
            "星级",
            "标注",
        ],
    },
];

/// `text` is judged, `label` is the answer.
pub(super) struct TextLabel;

impl ShapeRule for TextLabel {
    fn shape(&self) -> Shape {
        Shape::TextLabel
    }

    fn name(&self) -> &'static str {
        "text_label"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn by_name(&self, columns: &[Column]) -> Option<(Mapping, Text)> {
        let label = named(&FIELDS[1], columns, &[]).filter(|label| may_be_label(label))?;
        let text = named(&FIELDS[0], columns, &[&label.name])
            .filter(|text| text.scalar && !text.identifier);
        let (text, reason) = match text {
            Some(text) => (text, clause(&[("text", &text.name), ("label", &label.name)])),
            None => {
                let text = longest_text(columns, label)?;
                let reason = Text::new(
                    format!(
                        "`{}` is the label and `{}` holds the longest texts",
                        label.name, text.name
                    ),
                    format!("“{}”是标签，“{}”的文本最长", label.name, text.name),
                );
                (text, reason)
            }
        };
        Some((
            mapping(self.shape(), FIELDS, &[("text", &text.name), ("label", &label.name)]),
            reason,
        ))
    }

    fn by_content(&self, columns: &[Column]) -> Option<(Mapping, Text)> {
        let label = columns
            .iter()
            .filter(|column| column.is_class_like())
            .min_by_key(|column| column.distinct)?;
        let text = longest_text(columns, label)?;
        let reason = Text::new(
            format!(
                "`{}` has only {} different values in {} rows and `{}` holds text, so these are texts with a label",
                label.name, label.distinct, label.filled, text.name
            ),
            format!(
                "“{}”的 {} 行中只有 {} 种不同的值，“{}”是文本，因此看作带标签的文本",
                label.name, label.filled, label.distinct, text.name
            ),
        );
        Some((
            mapping(self.shape(), FIELDS, &[("text", &text.name), ("label", &label.name)]),
            reason,
        ))
    }

    fn content(&self, fields: &Filled) -> Result<Content, String> {
        Ok(Content::Classify {
            text: fields.text("text"),
            label: fields.text("label").trim().to_owned(),
        })
    }
}

/// A column named like a label is one unless nearly every row has a value of its own.
fn may_be_label(column: &Column) -> bool {
    column.scalar
        && column.mean_length <= 60.0
        && (column.distinct * 2 <= column.filled || column.filled < 20)
}

fn longest_text<'a>(columns: &'a [Column], label: &Column) -> Option<&'a Column> {
    columns
        .iter()
        .filter(|column| {
            column.name != label.name && column.is_text_like() && column.distinct > label.distinct
        })
        .max_by(|a, b| a.mean_length.total_cmp(&b.mean_length))
}
