//! From a chat template to Ollama's language.
//!
//! A Jinja program cannot be translated in general. What nearly all of them do can be seen from
//! outside: conversations of marked words are rendered, the words are cut out, and what stands
//! between them is the layout. The layout is believed only when it rebuilds other conversations
//! to the letter.

use jiff::Zoned;
use sanbao_contract::Message;
use sanbao_text::{ChatOptions, Tokenizer};

/// How a model lays out a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turns {
    /// Before the first question when there is no system message.
    lead: String,
    system: System,
    /// Before a question.
    question: String,
    /// Between a question and its answer.
    answer: String,
    /// After an answer.
    end: String,
}

/// Where a system message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum System {
    /// Nowhere: the template refuses it.
    Refused,
    /// Before the first question, between these two.
    Before(String, String),
    /// Inside the first question, between these two.
    Inside(String, String),
}

// Words that no template looks for, without anything that one would trim or escape.
const SYSTEM: &str = "zq0system0qz";
const QUESTION: &str = "zq1question1qz";
const ANSWER: &str = "zq2answer2qz";
const FOLLOW_UP: &str = "zq3question3qz";

fn conversation(turns: &[(&str, &str)]) -> Vec<Message> {
    turns.iter().map(|(role, text)| Message::new(role, *text)).collect()
}

impl Turns {
    /// Finds the layout of a model's conversations; `None` when it has no such simple form.
    pub(super) fn find(tokenizer: &Tokenizer) -> Option<Self> {
        let bos = tokenizer.special_tokens().get("bos_token").unwrap_or_default();
        // Programs that read the file begin a text with this token themselves.
        let without_bos = |text: String| text.strip_prefix(bos).map(str::to_owned).unwrap_or(text);
        let now = Zoned::now();
        let render = |turns: &[(&str, &str)], add_generation_prompt: bool| {
            let options = ChatOptions { add_generation_prompt, now: Some(now.clone()), ..ChatOptions::default() };
            tokenizer.chat_template().render(&conversation(turns), &options).ok().map(without_bos)
        };
        let turns = Self::cut(&render)?;
        turns.rebuilds(&render).then_some(turns)
    }

    fn cut(render: &dyn Fn(&[(&str, &str)], bool) -> Option<String>) -> Option<Self> {
        let one = render(&[("user", QUESTION), ("assistant", ANSWER)], false)?;
        let (_, end) = one.split_once(ANSWER)?;
        let two = render(&[("user", QUESTION), ("assistant", ANSWER), ("user", FOLLOW_UP)], true)?;
        let (opening, rest) = two.split_once(QUESTION)?;
        let (answer, rest) = rest.split_once(ANSWER)?;
        let (between, _) = rest.split_once(FOLLOW_UP)?;
        let question = between.strip_prefix(end)?;
        let lead = opening.strip_suffix(question)?;
        Some(Self {
            lead: lead.to_owned(),
            system: Self::cut_system(render, question),
            question: question.to_owned(),
            answer: answer.to_owned(),
            end: end.to_owned(),
        })
    }

    fn cut_system(render: &dyn Fn(&[(&str, &str)], bool) -> Option<String>, question: &str) -> System {
        let place = || {
            let text = render(&[("system", SYSTEM), ("user", QUESTION)], true)?;
            let (before, rest) = text.split_once(SYSTEM)?;
            let (after, _) = rest.split_once(QUESTION)?;
            let owned = |a: &str, b: &str| (a.to_owned(), b.to_owned());
            // A message inside the question comes after the question's own beginning.
            let inside = before.strip_prefix(question).map(|before| owned(before, after));
            let standing = after.strip_suffix(question).map(|after| owned(before, after));
            match (standing, inside) {
                (Some((before, after)), _) => Some(System::Before(before, after)),
                (None, Some((before, after))) => Some(System::Inside(before, after)),
                (None, None) => None,
            }
        };
        place().unwrap_or(System::Refused)
    }

    /// The conversation as this layout has it, as the Go template below gives it too.
    fn text(&self, turns: &[(&str, &str)], add_generation_prompt: bool) -> String {
        let mut text = String::new();
        let mut system = None;
        for (index, (role, content)) in turns.iter().enumerate() {
            match *role {
                "system" => system = Some(*content),
                "user" => {
                    let first = !turns[..index].iter().any(|(role, _)| *role == "user");
                    if first {
                        match (&self.system, system) {
                            (System::Before(before, after), Some(system)) => {
                                text += &format!("{before}{system}{after}");
                            }
                            _ => text += &self.lead,
                        }
                    }
                    text += &self.question;
                    if let (true, System::Inside(before, after), Some(system)) = (first, &self.system, system) {
                        text += &format!("{before}{system}{after}");
                    }
                    text += content;
                    if add_generation_prompt || index + 1 < turns.len() {
                        text += &self.answer;
                    }
                }
                _ => {
                    text += content;
                    text += &self.end;
                }
            }
        }
        text
    }

    /// Whether the layout gives the same texts as the template.
    fn rebuilds(&self, render: &dyn Fn(&[(&str, &str)], bool) -> Option<String>) -> bool {
        let long = [
            ("user", "What does it cost?"),
            ("assistant", "12.50,\nwith tax."),
            ("user", "And two?"),
            ("assistant", "25."),
            ("user", "谢谢。"),
        ];
        let mut with_system = vec![("system", "Answer {{ briefly }}.")];
        with_system.extend(long);
        let same = |turns: &[(&str, &str)], prompt: bool| {
            render(turns, prompt).is_some_and(|text| text == self.text(turns, prompt))
        };
        let system_fits = self.system == System::Refused || same(&with_system, true) && same(&with_system[..2], true);
        same(&long, true) && same(&long[..1], true) && same(&long[..4], false) && system_fits
    }

    /// The layout as a template for Ollama (Go's `text/template` over `.System` and `.Messages`).
    pub(super) fn go_template(&self) -> String {
        let text = |text: &str| text.replace("{{", "{{ \"{{\" }}");
        let lead = text(&self.lead);
        let (before, inside) = match &self.system {
            System::Refused => (lead, String::new()),
            System::Before(open, close) => {
                let other = if lead.is_empty() { String::new() } else { format!("{{{{ else }}}}{lead}") };
                let standing = format!("{{{{ if .System }}}}{}{{{{ .System }}}}{}{other}{{{{ end }}}}", text(open), text(close));
                (standing, String::new())
            }
            System::Inside(open, close) => {
                let inside = format!(
                    "{{{{ if $first }}}}{{{{ if $.System }}}}{}{{{{ $.System }}}}{}{{{{ end }}}}{{{{ $first = false }}}}{{{{ end }}}}",
                    text(open),
                    text(close)
                );
                (format!("{{{{ $first := true }}}}{lead}"), inside)
            }
        };
        format!(
            "{before}{{{{ range $i, $_ := .Messages }}}}{{{{ if eq .Role \"user\" }}}}{question}{inside}{{{{ .Content }}}}{answer}\
             {{{{ else if eq .Role \"assistant\" }}}}{{{{ .Content }}}}{{{{ if gt (len (slice $.Messages $i)) 1 }}}}{end}{{{{ end }}}}\
             {{{{ end }}}}{{{{ end }}}}",
            question = text(&self.question),
            answer = text(&self.answer),
            end = text(&self.end),
        )
    }
}

#[cfg(test)]
mod tests;
