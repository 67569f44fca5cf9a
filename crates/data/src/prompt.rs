//! How a row is put to a chat model.
//!
//! | shape | system turn | user turn | assistant turn |
//! |---|---|---|---|
//! | text_label | | [`classify_messages`] | the label |
//! | instruction | `system`, if any | `instruction`, blank line, `input` (if any) | `output` |
//! | prompt_completion | `system`, if any | `prompt` | `completion` |
//! | question_answer | | `context` (if any), blank line, `question` | `answer` |
//! | messages | as in the row | as in the row | as in the row |
//!
//! Nothing else is added: no preamble, no markers. The model's own chat template does the rest.

use sanbao_contract::Message;
use sanbao_contract::data::{Content, Shape, Task};

/// Labels up to this number are listed in the prompt.
pub const MAX_LISTED_LABELS: usize = 20;

/// The prompt for judging a text, used for training and for scoring alike.
///
/// Labels are listed in alphabetical order, whatever order they come in; when there are more than
/// [`MAX_LISTED_LABELS`] they are not listed. The answer to it is the label alone.
pub fn classify_messages<S: AsRef<str>>(text: &str, labels: &[S]) -> Vec<Message> {
    let mut listed: Vec<&str> = labels.iter().map(AsRef::as_ref).collect();
    listed.sort_unstable();
    listed.dedup();
    let instruction = if listed.is_empty() || listed.len() > MAX_LISTED_LABELS {
        "Classify the text. Answer with its label only.".to_owned()
    } else {
        format!("Classify the text. Answer with one of these labels only: {}.", listed.join(", "))
    };
    vec![Message::new("user", format!("{instruction}\n\n{text}"))]
}

/// A conversation as a model is asked that learnt to choose among labels: the last thing that a
/// person said is the text to judge, unless it is that prompt already. Without labels the
/// conversation itself.
pub fn as_learnt<S: AsRef<str>>(messages: Vec<Message>, labels: &[S]) -> Vec<Message> {
    let said = messages.iter().rfind(|turn| turn.role == "user").map(Message::text);
    let (Some(said), false) = (said, labels.is_empty()) else { return messages };
    let opening: String = classify_messages("", labels).iter().map(Message::text).collect();
    let is_asked_so = said.starts_with(opening.trim_end());
    if is_asked_so { messages } else { classify_messages(said, labels) }
}

/// The conversation whose assistant turns are learnt: for a text and its label the prompt and the
/// label; `None` for rows that are no conversations with an answer to learn.
pub fn training_messages<S: AsRef<str>>(content: &Content, labels: &[S]) -> Option<Vec<Message>> {
    match content {
        Content::Classify { text, label } => {
            let mut messages = classify_messages(text, labels);
            messages.push(Message::new("assistant", label.clone()));
            Some(messages)
        }
        Content::Instruct { messages } => Some(messages.clone()),
        Content::Prompt { .. }
        | Content::Prose { .. }
        | Content::Preference { .. }
        | Content::Unpaired { .. } => None,
    }
}

/// The task that rows of a shape are usually for.
pub fn usual_task(shape: Shape) -> Task {
    match shape {
        Shape::TextLabel => Task::Classify,
        Shape::Instruction | Shape::PromptCompletion | Shape::QuestionAnswer | Shape::Messages => {
            Task::Instruct
        }
        Shape::PromptOnly => Task::PromptOnly,
        Shape::Prose => Task::Prose,
        Shape::Preference | Shape::Comparison | Shape::Ratings | Shape::RatedAnswer => {
            Task::Preference
        }
        Shape::Unpaired => Task::Unpaired,
    }
}

/// Uses a row for another task than its shape's usual one.
///
/// A label can be learnt as an answer (instruct); a short conversation can be classified by its
/// answer; of a preference the liked answer can be learnt (`None` for a disliked single answer);
/// any row's texts can be learnt as prose;
/// of any row with a question, the question can be asked.
///
/// # Errors
/// The advice, when the row cannot be used so.
pub fn for_task(content: Content, task: Task) -> Result<Option<Content>, &'static str> {
    let converted = match (content, task) {
        (content @ Content::Classify { .. }, Task::Classify)
        | (content @ Content::Instruct { .. }, Task::Instruct)
        | (content @ Content::Prompt { .. }, Task::PromptOnly)
        | (content @ Content::Prose { .. }, Task::Prose)
        | (content @ Content::Preference { .. }, Task::Preference)
        | (content @ Content::Unpaired { .. }, Task::Unpaired) => content,
        (Content::Classify { text, label }, Task::Instruct) => Content::Instruct {
            messages: vec![Message::new("user", text), Message::new("assistant", label)],
        },
        (Content::Classify { text, .. }, Task::Prose) => Content::Prose { text },
        (Content::Instruct { messages }, Task::Classify) => match messages.as_slice() {
            [user, assistant] if user.role == "user" && assistant.role == "assistant" => {
                Content::Classify {
                    text: user.text().to_owned(),
                    label: assistant.text().trim().to_owned(),
                }
            }
            _ => {
                return Err(
                    "only rows of one question and one answer can be classified; use the task instruct",
                );
            }
        },
        (Content::Instruct { messages }, Task::Prose) => {
            let texts: Vec<&str> =
                messages.iter().map(Message::text).filter(|text| !text.trim().is_empty()).collect();
            Content::Prose { text: texts.join("\n\n") }
        }
        (Content::Preference { mut prompt, chosen, .. }, Task::Instruct) => {
            prompt.extend(chosen);
            Content::Instruct { messages: prompt }
        }
        (Content::Unpaired { label: false, .. }, Task::Instruct) => return Ok(None),
        (Content::Unpaired { mut prompt, completion, .. }, Task::Instruct) => {
            prompt.extend(completion);
            Content::Instruct { messages: prompt }
        }
        (Content::Classify { text, .. }, Task::PromptOnly) => {
            Content::Prompt { messages: vec![Message::new("user", text)] }
        }
        (Content::Instruct { mut messages }, Task::PromptOnly) => {
            let answer = messages.iter().rposition(|message| message.role == "assistant");
            messages.truncate(answer.unwrap_or(messages.len()));
            Content::Prompt { messages }
        }
        (
            Content::Preference { prompt, .. } | Content::Unpaired { prompt, .. },
            Task::PromptOnly,
        ) => Content::Prompt { messages: prompt },
        (Content::Prompt { messages }, Task::Prose) => {
            let texts: Vec<&str> = messages.iter().map(Message::text).collect();
            Content::Prose { text: texts.join("\n\n") }
        }
        (Content::Prompt { .. }, _) => {
            return Err(
                "there are no answers to learn from; use the task prompt_only, whose answers are rewarded",
            );
        }
        (Content::Prose { .. }, _) => {
            return Err("prose has no answers to learn; use the task prose");
        }
        (_, Task::Preference) => {
            return Err("a preference needs two answers, one liked better; use another task");
        }
        (_, Task::Unpaired) => {
            return Err("this needs single answers that are liked or not; use another task");
        }
        (Content::Preference { .. }, Task::Classify | Task::Prose) => {
            return Err("use the task preference, or instruct to learn the answers that are liked");
        }
        (Content::Unpaired { .. }, Task::Classify | Task::Prose) => {
            return Err("use the task unpaired, or instruct to learn the answers that are liked");
        }
    };
    Ok(Some(converted))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_prompt_does_not_depend_on_the_order_of_labels() {
        let prompt = classify_messages("Great film.", &["positive", "negative"]);
        assert_eq!(prompt, classify_messages("Great film.", &["negative", "positive", "negative"]));
        assert_eq!(
            prompt[0].text(),
            "Classify the text. Answer with one of these labels only: negative, positive.\n\nGreat film."
        );
        let many: Vec<String> = (0..21).map(|at| format!("label {at}")).collect();
        assert_eq!(
            classify_messages("x", &many)[0].text(),
            "Classify the text. Answer with its label only.\n\nx"
        );
        assert!(classify_messages("x", &many[..20])[0].text().contains("label 19"));
    }

    #[test]
    fn a_text_is_asked_about_once() {
        let said = |text: &str| {
            vec![
                Message::new("user", "Dull."),
                Message::new("assistant", "bad"),
                Message::new("user", text),
            ]
        };
        let labels = ["good", "bad"];
        let asked = classify_messages("Great film.", &labels);
        assert_eq!(as_learnt(said("Great film."), &labels), asked);
        assert_eq!(as_learnt(asked.clone(), &labels), asked);
        assert_eq!(as_learnt::<&str>(said("Great film."), &[]), said("Great film."));
    }

    #[test]
    fn tasks_are_called_as_they_are_written() {
        use Task::{Classify, Instruct, Preference, PromptOnly, Prose, Unpaired};
        for task in [Classify, Instruct, PromptOnly, Prose, Preference, Unpaired] {
            assert_eq!(serde_json::to_value(task).unwrap(), task.name());
        }
    }

    #[test]
    fn rows_can_serve_other_tasks() {
        let label = Content::Classify { text: "t".into(), label: "l".into() };
        let turns = Content::Instruct {
            messages: vec![Message::new("user", "t"), Message::new("assistant", " l")],
        };
        assert_eq!(for_task(turns, Task::Classify), Ok(Some(label.clone())));
        assert_eq!(
            for_task(label.clone(), Task::Prose),
            Ok(Some(Content::Prose { text: "t".into() }))
        );
        assert!(for_task(label, Task::Preference).is_err());
        let asked = Content::Prompt { messages: vec![Message::new("user", "t")] };
        let turns = vec![Message::new("user", "t"), Message::new("assistant", "l")];
        let turns = Content::Instruct { messages: turns };
        assert_eq!(for_task(turns, Task::PromptOnly), Ok(Some(asked.clone())));
        assert!(for_task(asked, Task::Instruct).is_err());
        let disliked = Content::Unpaired { prompt: vec![], completion: vec![], label: false };
        assert_eq!(for_task(disliked, Task::Instruct), Ok(None));
    }
}
