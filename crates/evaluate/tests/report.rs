//! The page: whole, self-contained, harmless whatever the rows hold.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
#[path = "common/sample.rs"]
mod sample;

use sanbao_contract::Text;
use sanbao_contract::data::Task;
use sanbao_evaluate::{Language, VerdictInput, report_html, verdict};

/// Writes the page beside the build, where it can be opened, and returns it.
fn page(input: &VerdictInput, language: Language, name: &str) -> String {
    let verdict = verdict(input).unwrap();
    let html = report_html(&verdict, &sample::context(language, input)).unwrap();
    std::fs::write(format!("{}/{name}.html", env!("CARGO_TARGET_TMPDIR")), &html).unwrap();
    html
}

#[test]
fn pages_of_every_task_and_language() {
    for (language, tag) in [(Language::En, "en"), (Language::Zh, "zh")] {
        let classify =
            page(&sample::classify(language, 72, 0.85), language, &format!("classify_{tag}"));
        let instruct = page(&sample::instruct(language, 60), language, &format!("instruct_{tag}"));
        let prose = page(&sample::prose(language, 40), language, &format!("prose_{tag}"));
        for html in [&classify, &instruct, &prose] {
            assert_self_contained(html);
            assert!(html.contains(&format!("lang=\"{}\"", language.tag())));
            assert_eq!(html.matches("<svg class=\"chart\"").count(), 1);
        }
        assert_eq!(classify.matches("<svg class=\"confusion\"").count(), 2);
        assert_eq!(classify.matches("<svg class=\"whiskers\"").count(), 2);
        assert_eq!(instruct.matches("<article").count(), 10);
        assert!(instruct.contains("<mark>"));
        assert_eq!(prose.matches("<article").count(), 10);
    }
}

#[test]
fn reasons_and_warnings_are_in_the_language_of_the_page() {
    let reason = Text::new("Twice the rank.", "秩的两倍。");
    let warning = Text::new("only 1 row is kept", "只有 1 行留作评判");
    for language in [Language::En, Language::Zh] {
        let input = sample::instruct(language, 12);
        let mut context = sample::context(language, &input);
        context.plan.warnings = vec![warning.clone()];
        let html = report_html(&verdict(&input).unwrap(), &context).unwrap();
        for text in [&reason, &warning] {
            assert_eq!(html.contains(&text.en), language == Language::En, "{text}");
            assert_eq!(html.contains(&text.zh), language == Language::Zh, "{text}");
        }
    }
}

/// Nothing is loaded, nothing runs.
fn assert_self_contained(html: &str) {
    for never in [
        "<script", "<link", "<img", "<iframe", "src=", "href=", "url(", "@import", "http://",
        "https://",
    ] {
        assert!(!html.contains(never), "{never} in the page");
    }
    for forgotten in ["NaN", "inf<", "{{", "}}", "{%"] {
        assert!(!html.contains(forgotten), "{forgotten} in the page");
    }
}

const HOSTILE: &str = "</p></style><script>alert(1)</script><img src=x onerror=\"alert('2')\">&lt;\u{202e}\u{0}\u{1b}[31m{{7*7}}{% x %}";

#[test]
fn hostile_rows_are_shown_as_text() {
    let mut input = sample::instruct(Language::En, 12);
    for row in &mut input.rows {
        row.prompt = HOSTILE.to_owned();
        row.before.text = HOSTILE.to_owned();
        row.after.text = format!("{HOSTILE} {HOSTILE}");
    }
    let verdict = verdict(&input).unwrap();
    let mut context = sample::context(Language::En, &input);
    context.title = HOSTILE.to_owned();
    context.plan.model = HOSTILE.to_owned();
    context.plan.warnings = vec![Text::new(HOSTILE, HOSTILE)];
    context.plan.settings[0].reason = Text::new(HOSTILE, HOSTILE);
    context.data.findings[0].message = Text::new(HOSTILE, HOSTILE);
    context.data.files[0].reason = Text::new(HOSTILE, HOSTILE);
    context.data.labels = vec![(HOSTILE.to_owned(), 3)];
    context.provenance.inputs[0].name = HOSTILE.to_owned();
    context.provenance.versions[0].1 = HOSTILE.to_owned();
    let html = report_html(&verdict, &context).unwrap();
    assert_harmless(&html);
}

#[test]
fn hostile_labels_are_shown_as_text() {
    let mut input = sample::classify(Language::En, 30, 0.9);
    let old = input.labels[0].clone();
    let replace = |text: &mut String| {
        if *text == old {
            *text = HOSTILE.to_owned();
        }
    };
    input.labels.iter_mut().for_each(replace);
    for row in &mut input.rows {
        for text in [&mut row.reference, &mut row.before.text, &mut row.after.text] {
            replace(text);
        }
    }
    input.majority_label = Some(HOSTILE.to_owned());
    let verdict = verdict(&input).unwrap();
    let html = report_html(&verdict, &sample::context(Language::Zh, &input)).unwrap();
    assert_harmless(&html);
}

fn assert_harmless(html: &str) {
    for never in ["<script", "<img", "</p></style>", "\u{202e}", "\u{0}", "\u{1b}"] {
        assert!(!html.contains(never), "{never:?} got into the page");
    }
    assert_eq!(html.matches("</style>").count(), 1);
    assert!(html.contains("&#60;script&#62;alert(1)"), "the text itself is there to be read");
}

#[test]
fn a_run_without_steps_or_rows_to_show_still_has_a_page() {
    let mut input = sample::prose(Language::En, 1);
    input.rows.truncate(1);
    let verdict = verdict(&input).unwrap();
    let mut context = sample::context(Language::En, &input);
    context.steps.clear();
    context.plan.settings.clear();
    context.data.findings.clear();
    context.model = None;
    let html = report_html(&verdict, &context).unwrap();
    assert_self_contained(&html);
    assert!(!html.contains("<svg class=\"chart\""));
    assert!(html.contains("1 passage never seen"));
    assert_eq!(verdict.task, Task::Prose);
}

#[test]
fn long_texts_are_shortened_and_said_to_be() {
    let mut input = sample::instruct(Language::En, 10);
    input.rows[0].prompt = "word ".repeat(5_000);
    let verdict = verdict(&input).unwrap();
    let html = report_html(&verdict, &sample::context(Language::En, &input)).unwrap();
    assert!(html.contains("Long texts are shortened here"));
    assert!(html.matches("word word").count() < 200);
}
