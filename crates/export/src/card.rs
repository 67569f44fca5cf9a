//! The model card: `README.md` with the front matter that the hub reads.

use std::fmt::Write;
use std::path::Path;

use sanbao_contract::data::Task;
use sanbao_contract::verdict::{Comparison, Verdict};
use serde_json::json;

use crate::Error;
use crate::job::{Job, Reread, Written};
use crate::parity::Parity;
use crate::source::Source;
use crate::targets::Target;
use crate::tokenizer_files::write_text;

/// Writes `README.md`. It tells what the model was made from and how good it is, and quotes
/// nothing of the person's data but the labels that the model answers with.
pub(crate) fn write(
    target: &Target,
    job: &Job,
    written: &Written,
    parity: &Parity,
    folder: &Path,
) -> Result<(), Error> {
    let source = job.source;
    let facts = &source.card;
    let mut text = front_matter(target, source);
    let _ = write!(text, "\n# {}\n\n{}\n", one_line(&facts.name), summary(source));
    let _ = write!(text, "\n## Made from\n\n{}", origin(source));
    if let Some(verdict) = facts.verdict {
        let _ = write!(text, "\n## Does it work?\n\n{}", results(verdict));
    }
    let file = match &written.reread {
        Reread::Model(path) | Reread::Adapter(path) => {
            path.file_name().unwrap_or_default().to_string_lossy()
        }
    };
    let usage = target.scoring_usage.filter(|_| source.scores()).unwrap_or(target.usage);
    let usage = usage.replace("{name}", &job.file_stem()).replace("{file}", &file);
    let _ = write!(text, "\n## How to use it\n\n{usage}\n");
    if let Some(asked) = &facts.asked {
        let lines: Vec<String> = asked.lines().map(|line| format!("    {line}")).collect();
        let _ = write!(
            text,
            "\n## How to ask it\n\nIt learnt from texts that were put to it like this, as what the user says:\n\n{}\n",
            lines.join("\n").replace("\n    \n", "\n\n")
        );
    }
    let licence = &source.base.card.licence;
    let _ = write!(
        text,
        "\n## Licence\n\nThe base model's licence holds for this model too: {}. {}\n",
        one_line(licence.id.as_deref().unwrap_or("not stated")),
        one_line(&licence.summary)
    );
    let _ = write!(
        text,
        "\n## Check of these files\n\nStored as {}. Read back after writing: over {} tokens the largest difference of a \
         {} from the trained model is {:.2e} ({:.2e} allowed).\n",
        written.stored,
        parity.tokens,
        if source.scores() { "score" } else { "logit" },
        parity.max_logit_difference,
        parity.tolerance
    );
    for note in &written.notes {
        let _ = write!(text, "\n- {note}");
    }
    if !written.notes.is_empty() {
        text.push('\n');
    }
    write_text(&folder.join("README.md"), &text)
}

/// The hub's tag of a licence; for one that the hub has no tag for, `other` and its name.
pub(crate) fn hub_licence(id: &str) -> (String, Option<&str>) {
    let plain =
        id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'));
    if plain && !id.is_empty() && id.len() <= 40 {
        (id.to_ascii_lowercase(), None)
    } else {
        ("other".to_owned(), Some(id))
    }
}

fn front_matter(target: &Target, source: &Source) -> String {
    let (card, facts) = (&source.base.card, &source.card);
    // JSON texts are YAML texts, whatever is in them.
    let mut text = format!("---\nbase_model: {}\n", json!(facts.base_model));
    if let Some(id) = &card.licence.id {
        let (tag, name) = hub_licence(id);
        let _ = writeln!(text, "license: {tag}");
        if let Some(name) = name {
            let _ = writeln!(text, "license_name: {}", json!(name));
        }
    }
    if !card.languages.is_empty() {
        text.push_str("language:\n");
        for language in &card.languages {
            let _ = writeln!(text, "- {}", json!(language));
        }
    }
    let pipeline = if source.scores() { "text-classification" } else { "text-generation" };
    let _ = write!(text, "library_name: {}\npipeline_tag: {pipeline}\ntags:\n", target.library);
    let adapter = source.lora.map(|_| "lora");
    for tag in ["sanbao", "fine-tuned"]
        .into_iter()
        .chain(adapter)
        .chain((target.library == "gguf").then_some("gguf"))
        .chain(source.scores().then_some("reward-model"))
    {
        let _ = writeln!(text, "- {tag}");
    }
    text.push_str("---\n");
    text
}

fn summary(source: &Source) -> String {
    let facts = &source.card;
    let what = match facts.task {
        _ if source.scores() => ": it scores answers by how well people would like them",
        Some(Task::Classify) => ": it answers with one of the labels that it was taught",
        Some(Task::Instruct) => ": it answers in the way that it was taught by examples",
        Some(Task::PromptOnly) => ": it answers in the way that was rewarded",
        Some(Task::Prose) => ": it went on reading texts of one kind",
        Some(Task::Preference) => ": it prefers the answers that people preferred",
        Some(Task::Unpaired) => ": it answers in the way that people liked",
        None => "",
    };
    format!("{}, fine-tuned with Sanbao{what}.", one_line(&facts.base_model))
}

fn origin(source: &Source) -> String {
    let facts = &source.card;
    let method = match source.lora {
        None => "every weight trained".to_owned(),
        Some(lora) => format!(
            "{}, rank {}, alpha {}, on {}",
            if lora.use_dora { "DoRA" } else { "LoRA" },
            lora.r,
            lora.lora_alpha,
            lora.target_modules.join(", ")
        ),
    };
    let task = facts.task.map_or("not stated", Task::name);
    let rows = [
        ("Base model", facts.base_model.clone()),
        ("Recipe", facts.recipe.clone()),
        ("Method", method),
        ("Task", task.to_owned()),
        ("Rows learnt from", facts.training_rows.to_string()),
        ("Rows kept back", facts.held_out_rows.to_string()),
    ];
    let mut text = String::from("| | |\n|---|---|\n");
    for (name, value) in rows {
        let _ = writeln!(text, "| {name} | {} |", cell(&value));
    }
    text
}

fn results(verdict: &Verdict) -> String {
    let mut text = format!(
        "{}\n\nOn {} rows that the model never learnt from; differences with their 95 % interval:\n\n\
         | metric | before | after | difference |\n|---|---|---|---|\n",
        one_line(&verdict.sentence),
        verdict.rows
    );
    for Comparison { metric, before, after, difference, .. } in &verdict.comparisons {
        let _ = writeln!(
            text,
            "| {} | {:.4} | {:.4} | {:+.4} ({:+.4} to {:+.4}) |",
            cell(metric),
            before.value,
            after.value,
            difference.value,
            difference.low,
            difference.high
        );
    }
    if let Some(forgetting) = &verdict.forgetting {
        let _ = writeln!(
            text,
            "\nPerplexity on a general text: {:.2} before, {:.2} after.",
            forgetting.before, forgetting.after
        );
    }
    text
}

/// A text that cannot begin a new paragraph, heading or list.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text that cannot end a table's cell.
fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_have_the_spelling_of_the_hub() {
        assert_eq!(hub_licence("Apache-2.0"), ("apache-2.0".to_owned(), None));
        assert_eq!(hub_licence("llama3.2"), ("llama3.2".to_owned(), None));
        assert_eq!(
            hub_licence("Apache-2.0 OR MIT"),
            ("other".to_owned(), Some("Apache-2.0 OR MIT"))
        );
        assert_eq!(hub_licence("x\nlicense: mit"), ("other".to_owned(), Some("x\nlicense: mit")));
    }

    #[test]
    fn texts_cannot_break_out_of_the_table() {
        assert_eq!(cell("a | b\n\n# c"), "a \\| b # c");
    }
}
