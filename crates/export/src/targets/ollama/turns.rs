//! From a chat template to Ollama's language.
//!
//! A Jinja program cannot be translated in general. What nearly all of them do can be seen from
//! outside: conversations of marked words are rendered, the words are cut out, and what stands
//! between them is the layout. The layout is believed only when it rebuilds other conversations
//! to the letter.

use jiff::Zoned;
use sanbao_contract::Message;
use sanbao_text::{ChatOptions, Tokenizer};

use crate::tokenizer_files::adds_bos;

/// How a model lays out a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turns {
    /// Before the first question when there is no system message.
    opening: String,
    system: System,
    /// Between a question and its answer.
    answer: String,
    /// Between the last question and the answer that is asked for.
    prompt: String,
    /// Between an answer and the next question.
    next: String,
    /// Whether the day of the export stands in it.
    pub(super) dated: bool,
}

/// Where a system message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum System {
    /// Nowhere: the template refuses it.
    Refused,
    /// Before the first question, in place of the opening, between these two.
    First(String, String),
    /// Into the last question, before its text, between these two.
    Last(String, String),
}

// Words that no template looks for, without anything that one would trim or escape.
const SYSTEM: &str = "zq0system0qz";
const QUESTION: &str = "zq1question1qz";
const ANSWER: &str = "zq2answer2qz";
const FOLLOW_UP: &str = "zq3question3qz";

/// A turn of a conversation: role and text.
type Turn<'a> = (&'a str, &'a str);

/// Renders a conversation up to where the next answer begins.
type Render<'a> = dyn Fn(&[Turn]) -> Option<String> + 'a;

impl Turns {
    /// Finds the layout of a model's conversations; `None` when it has no such simple form.
    pub(super) fn find(tokenizer: &Tokenizer) -> Option<Self> {
        let today = Zoned::now();
        let next_year = today.checked_add(jiff::Span::new().days(400)).ok()?;
        let turns = Self::find_at(tokenizer, today)?;
        let dated = Self::find_at(tokenizer, next_year).as_ref() != Some(&turns);
        Some(Self { dated, ..turns })
    }

    fn find_at(tokenizer: &Tokenizer, now: Zoned) -> Option<Self> {
        // Where the file says that texts begin with this token, Ollama adds it by itself.
        let bos = tokenizer
            .special_tokens()
            .get("bos_token")
            .filter(|_| adds_bos(tokenizer))
            .unwrap_or_default();
        let render = |turns: &[Turn]| {
            let messages: Vec<Message> =
                turns.iter().map(|(role, text)| Message::new(role, *text)).collect();
            let options = ChatOptions {
                add_generation_prompt: true,
                now: Some(now.clone()),
                ..ChatOptions::default()
            };
            let text = tokenizer.chat_template().render(&messages, &options).ok()?;
            Some(text.strip_prefix(bos).map(str::to_owned).unwrap_or(text))
        };
        let turns = Self::cut(&render)?;
        let candidates = Self::systems(&render, &turns.opening)?;
        candidates
            .into_iter()
            .map(|system| Self { system, ..turns.clone() })
            .find(|turns| turns.rebuilds(&render))
    }

    fn cut(render: &Render) -> Option<Self> {
        let text = render(&[("user", QUESTION), ("assistant", ANSWER), ("user", FOLLOW_UP)])?;
        let (opening, rest) = text.split_once(QUESTION)?;
        let (answer, rest) = rest.split_once(ANSWER)?;
        let (next, prompt) = rest.split_once(FOLLOW_UP)?;
        Some(Self {
            opening: opening.to_owned(),
            system: System::Refused,
            answer: answer.to_owned(),
            prompt: prompt.to_owned(),
            next: next.to_owned(),
            dated: false,
        })
    }

    /// Where a system message may go, judged by a conversation of one question; longer ones tell.
    fn systems(render: &Render, opening: &str) -> Option<Vec<System>> {
        let Some(text) = render(&[("system", SYSTEM), ("user", QUESTION)]) else {
            return Some(vec![System::Refused]);
        };
        let (before, rest) = text.split_once(SYSTEM)?;
        let (after, _) = rest.split_once(QUESTION)?;
        let last = before
            .strip_prefix(opening)
            .map(|before| System::Last(before.to_owned(), after.to_owned()));
        Some(
            std::iter::once(System::First(before.to_owned(), after.to_owned()))
                .chain(last)
                .collect(),
        )
    }

    /// The conversation as this layout has it, as the Go template below gives it too.
    fn text(&self, turns: &[Turn]) -> String {
        let (system, turns) = match turns {
            [("system", system), rest @ ..] => (Some(*system), rest),
            all => (None, all),
        };
        let mut text = match (&self.system, system) {
            (System::First(before, after), Some(system)) => format!("{before}{system}{after}"),
            _ => self.opening.clone(),
        };
        for (index, (role, content)) in turns.iter().enumerate() {
            let last = index + 1 == turns.len();
            match (*role, &self.system, system) {
                ("user", System::Last(before, after), Some(system)) if last => {
                    text += &format!("{before}{system}{after}{content}");
                }
                _ => text += content,
            }
            text += match (*role, last) {
                ("user", true) => &self.prompt,
                ("user", false) => &self.answer,
                _ => &self.next,
            };
        }
        text
    }

    /// Whether the layout gives the same texts as the template.
    fn rebuilds(&self, render: &Render) -> bool {
        let long = [
            ("system", "Answer {{ briefly }}."),
            ("user", "What does it cost?"),
            ("assistant", "12.50,\nwith tax."),
            ("user", "And two?"),
            ("assistant", "25."),
            ("user", "谢谢。"),
        ];
        let same = |turns: &[Turn]| render(turns).is_some_and(|text| text == self.text(turns));
        let system_fits =
            self.system == System::Refused || same(&long) && same(&long[..2]) && same(&long[..4]);
        same(&long[1..]) && same(&long[1..2]) && same(&long[1..4]) && system_fits
    }

    /// The layout as a template for Ollama (Go's `text/template` over `.System` and `.Messages`).
    pub(super) fn go_template(&self) -> String {
        let text = |text: &str| text.replace("{{", "{{ \"{{\" }}");
        let opening = text(&self.opening);
        let (before, inside) = match &self.system {
            System::Refused => (opening, String::new()),
            System::First(open, close) => {
                let other =
                    if opening.is_empty() { opening } else { format!("{{{{ else }}}}{opening}") };
                let (open, close) = (text(open), text(close));
                (
                    format!(
                        "{{{{ if .System }}}}{open}{{{{ .System }}}}{close}{other}{{{{ end }}}}"
                    ),
                    String::new(),
                )
            }
            System::Last(open, close) => {
                let (open, close) = (text(open), text(close));
                (
                    opening,
                    format!(
                        "{{{{ if and $last $.System }}}}{open}{{{{ $.System }}}}{close}{{{{ end }}}}"
                    ),
                )
            }
        };
        let (answer, prompt, next) = (text(&self.answer), text(&self.prompt), text(&self.next));
        let answer = match answer == prompt {
            true => answer,
            false => format!("{{{{ if $last }}}}{prompt}{{{{ else }}}}{answer}{{{{ end }}}}"),
        };
        format!(
            "{before}{{{{ range $i, $_ := .Messages }}}}{{{{ $last := eq (len (slice $.Messages $i)) 1 }}}}\
             {{{{ if eq .Role \"user\" }}}}{inside}{{{{ .Content }}}}{answer}\
             {{{{ else if eq .Role \"assistant\" }}}}{{{{ .Content }}}}{{{{ if not $last }}}}{next}{{{{ end }}}}\
             {{{{ end }}}}{{{{ end }}}}"
        )
    }
}

#[cfg(test)]
mod tests;
