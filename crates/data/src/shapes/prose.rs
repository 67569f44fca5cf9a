//! Running prose.

use sanbao_contract::Text;
use sanbao_contract::data::{Content, Mapping, Shape};

use super::{Column, Field, Filled, ShapeRule, by_names, mapping};

const FIELDS: &[Field] = &[Field {
    name: "text",
    required: true,
    names: &[
        "text", "content", "document", "body", "article", "passage", "story", "raw", "rawtext",
        "文本", "正文", "内容", "文章", "全文", "段落",
    ],
}];

/// `text` is learnt as it is, every token of it.
pub(super) struct Prose;

impl ShapeRule for Prose {
    fn shape(&self) -> Shape {
        Shape::Prose
    }

    fn name(&self) -> &'static str {
        "prose"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn by_name(&self, columns: &[Column]) -> Option<(Mapping, Text)> {
        let fields = by_names(FIELDS, columns)?;
        let text =
            columns.iter().find(|column| fields.iter().any(|(_, name)| *name == column.name))?;
        // Beside short texts, a column with a few values is more likely to be their label.
        if text.mean_length < 2000.0 && columns.iter().any(Column::is_class_like) {
            return None;
        }
        let reason = Text::new(
            format!(
                "`{}` is the text and nothing is to be answered, so it is read as prose",
                text.name
            ),
            format!("“{}”是文本，没有要回答的内容，因此按连续文本读取", text.name),
        );
        Some((mapping(self.shape(), FIELDS, &fields), reason))
    }

    fn by_content(&self, columns: &[Column]) -> Option<(Mapping, Text)> {
        let texts: Vec<&Column> = columns.iter().filter(|column| column.is_text_like()).collect();
        let [text] = texts.as_slice() else { return None };
        let reason = Text::new(
            format!("`{}` is the only column with text, so it is read as prose", text.name),
            format!("只有“{}”一列是文本，因此按连续文本读取", text.name),
        );
        Some((mapping(self.shape(), FIELDS, &[("text", &text.name)]), reason))
    }

    fn content(&self, fields: &Filled) -> Result<Content, String> {
        Ok(Content::Prose { text: fields.text("text") })
    }
}
