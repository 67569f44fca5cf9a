//! Questions with their answers, about a text or not.

use sanbao_contract::data::{Content, Shape};

use super::instruction::{join_parts, question_and_answer};
use super::{Field, Filled, ShapeRule};

const FIELDS: &[Field] = &[
    Field {
        name: "context",
        required: false,
        names: &[
            "context",
            "passage",
            "paragraph",
            "document",
            "background",
            "article",
            "story",
            "上下文",
            "背景",
            "材料",
            "文章",
            "段落",
            "资料",
        ],
    },
    Field {
        name: "question",
        required: true,
        names: &[
            "question",
            "questions",
            "query",
            "q",
            "problem",
            "问题",
            "提问",
            "问",
            "题目",
            "问句",
        ],
    },
    Field {
        name: "answer",
        required: true,
        names: &[
            "answer",
            "answers",
            "a",
            "response",
            "reply",
            "solution",
            "回答",
            "答案",
            "答",
            "回复",
            "答复",
            "解答",
            "标准答案",
            "参考答案",
        ],
    },
];

/// `context` and `question` with a blank line between them as the user's turn, `answer` as the
/// assistant's. Of several answers (SQuAD) the first is learnt.
pub(super) struct QuestionAnswer;

impl ShapeRule for QuestionAnswer {
    fn shape(&self) -> Shape {
        Shape::QuestionAnswer
    }

    fn name(&self) -> &'static str {
        "question_answer"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn content(&self, fields: &Filled) -> Result<Content, String> {
        let user = join_parts(&fields.text("context"), &fields.text("question"));
        Ok(Content::Instruct { messages: question_and_answer("", user, fields.text("answer")) })
    }
}
