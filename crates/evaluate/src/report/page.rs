//! The page.

use askama::Template;
use sanbao_contract::data::{PartReport, Task};
use sanbao_contract::verdict::{Comparison, Outcome, Verdict};

use super::format::{Figures, count, duration, setting, share};
use super::messages::{self, Messages, messages};
use super::rows::{RowView, rows};
use super::{ReportContext, confusion, loss_curve, whiskers};
use crate::metrics::{Place, metric};
use crate::text::printable;
use crate::verdict::{fill, percent, quotable, signed};
use crate::{Error, forgetting_sentence, sentence_in};

/// Labels listed at most.
const MOST_LABELS: usize = 12;

struct Tile {
    name: String,
    from: Option<String>,
    value: String,
    note: String,
}

struct Fact {
    name: &'static str,
    value: String,
    note: Option<String>,
}

struct MetricView {
    name: &'static str,
    explanation: &'static str,
    lower: Option<&'static str>,
    picture: String,
    before: String,
    before_interval: String,
    after: String,
    after_interval: String,
    difference: String,
    difference_interval: String,
    class: &'static str,
}

struct SettingView {
    name: String,
    value: String,
    chosen: bool,
    reason: String,
}

struct LabelView {
    name: String,
    rows: String,
    width: String,
}

struct FindingView {
    severity: &'static str,
    class: &'static str,
    message: String,
    rows: String,
}

struct PartView {
    name: &'static str,
    rows: String,
    tokens: String,
    trained: String,
    longest: String,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    w: &'static Messages,
    language: &'static str,
    title: String,
    created: String,
    task: &'static str,
    outcome_class: &'static str,
    lead: String,
    sentence: String,
    tiles: Vec<Tile>,
    headline: Vec<MetricView>,
    detail: Vec<MetricView>,
    majority_line: bool,
    confusions: Option<(String, String)>,
    facts: Vec<Fact>,
    settings: Vec<SettingView>,
    warnings: Vec<String>,
    curve: Option<String>,
    parts: Vec<PartView>,
    files: Vec<(String, String)>,
    rows_read: String,
    labels: Vec<LabelView>,
    more_labels: Option<String>,
    findings: Vec<FindingView>,
    forgetting: Option<String>,
    rows: Vec<RowView>,
    is_classify: bool,
    is_prose: bool,
    shortened: bool,
    provenance: Vec<(String, String)>,
}

/// One self-contained HTML page: no script, nothing loaded from elsewhere, light and dark,
/// printable on A4. Every text of the data, the model and the plan is escaped.
///
/// # Errors
/// When the page cannot be put together.
pub fn report_html(verdict: &Verdict, context: &ReportContext) -> Result<String, Error> {
    let language = context.language;
    let w = messages(language);
    let (headline, detail) = metrics(verdict, context)?;
    let confusions = match (&verdict.confusion_before, &verdict.confusion_after) {
        (Some(before), Some(after)) => {
            Some((confusion::draw(before, w.before, w)?, confusion::draw(after, w.after, w)?))
        }
        _ => None,
    };
    let (rows, shortened) = rows(verdict, language, w);
    let (labels, more_labels) = labels(context, w);
    let sentence = sentence_in(verdict, language);
    let (lead, rest) = lead_and_rest(&sentence);
    let page = Page {
        w,
        language: language.tag(),
        title: printable(&context.title),
        created: printable(&context.provenance.created),
        task: messages::task(verdict.task).get(language),
        outcome_class: match verdict.outcome {
            Outcome::Better => "better",
            Outcome::Worse => "worse",
            Outcome::CannotTell => "unsure",
        },
        lead: lead.to_owned(),
        sentence: rest.to_owned(),
        tiles: tiles(verdict, context, w),
        majority_line: verdict.majority_accuracy.is_some(),
        headline,
        detail,
        confusions,
        facts: facts(context, w),
        settings: settings(context),
        warnings: context.plan.warnings.iter().map(|one| printable(language.of(one))).collect(),
        curve: loss_curve::draw(&context.steps, context.best_step, w)?,
        parts: parts(context, w),
        files: files(context),
        rows_read: rows_read(context, w),
        labels,
        more_labels,
        findings: findings(context),
        forgetting: verdict.forgetting.as_ref().map(|one| forgetting_sentence(one, language)),
        rows,
        is_classify: verdict.task == Task::Classify,
        is_prose: verdict.task == Task::Prose,
        shortened,
        provenance: provenance(verdict, context, w),
    };
    Ok(page.render()?)
}

/// The sentence up to its first colon, which is the verdict in a word, and the rest.
fn lead_and_rest(sentence: &str) -> (&str, &str) {
    let end = sentence
        .find([':', '：'])
        .map_or(0, |at| at + sentence[at..].chars().next().map_or(0, char::len_utf8));
    sentence.split_at(end)
}

fn rows_read(context: &ReportContext, w: &Messages) -> String {
    let data = &context.data;
    let template = if data.rows_dropped > 0 { w.rows_read_dropped } else { w.rows_read };
    let params = [("read", count(data.rows_read)), ("dropped", count(data.rows_dropped))];
    fill(template, &params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn tiles(verdict: &Verdict, context: &ReportContext, w: &Messages) -> Vec<Tile> {
    let label = |name: &str| {
        metric(name)
            .map_or_else(|| name.to_owned(), |m| m.about().label.get(context.language).to_owned())
    };
    let wanted = match verdict.task {
        Task::Instruct => vec!["loss", "chrf"],
        _ => vec![verdict.deciding_metric.as_str()],
    };
    let mut tiles: Vec<Tile> = verdict
        .comparisons
        .iter()
        .filter(|one| wanted.contains(&one.metric.as_str()))
        .map(|one| {
            let figures = Figures::of(one);
            Tile {
                name: label(&one.metric),
                from: Some(figures.figure(one.before.value)),
                value: figures.figure(one.after.value),
                note: format!("{} ({})", figures.difference(one.difference.value), range(one, w)),
            }
        })
        .collect();
    if let (Some(accuracy), Some(name)) = (verdict.majority_accuracy, &verdict.majority_label) {
        tiles.push(Tile {
            name: w.majority.to_owned(),
            from: None,
            value: format!("{}%", percent(accuracy)),
            note: fill(
                w.majority_note,
                &[("label".to_owned(), quotable(name))].into_iter().collect(),
            ),
        });
    }
    let mut held_out = w.held_out_note.to_owned();
    if let Some(changed) = verdict.answers_changed {
        let params = [("n".to_owned(), count(changed))].into_iter().collect();
        held_out = fill(w.changed, &params);
    }
    let rows = count(verdict.rows);
    tiles.push(Tile { name: w.held_out.to_owned(), from: None, value: rows, note: held_out });
    if let Some(forgetting) = verdict.forgetting {
        let change = 100.0 * (forgetting.after / forgetting.before - 1.0);
        tiles.push(Tile {
            name: w.general.to_owned(),
            from: None,
            value: format!("{}%", signed(change, 1)),
            note: w.general_note.to_owned(),
        });
    }
    tiles
}

fn range(comparison: &Comparison, w: &Messages) -> String {
    let (figures, ends) = (Figures::of(comparison), &comparison.difference);
    let (low, high) = (figures.difference(ends.low), figures.difference(ends.high));
    format!("{low} {} {high}", w.to)
}

/// The metrics that are drawn, and those that are listed.
fn metrics(
    verdict: &Verdict,
    context: &ReportContext,
) -> Result<(Vec<MetricView>, Vec<MetricView>), Error> {
    let w = messages(context.language);
    let (mut headline, mut detail) = (Vec::new(), Vec::new());
    for comparison in &verdict.comparisons {
        // A metric of another version: its figures are in the verdict file, its words are not here.
        let Some(metric) = metric(&comparison.metric) else { continue };
        let about = metric.about();
        let name = about.label.get(context.language);
        let is_headline = about.place(verdict.task) == Some(Place::Headline)
            || comparison.metric == verdict.deciding_metric;
        let picture = if is_headline {
            let mark = verdict.majority_accuracy.filter(|_| comparison.metric == "accuracy");
            whiskers::draw(comparison, about.unit, name, mark)?
        } else {
            String::new()
        };
        let figures = Figures::of(comparison);
        let write = |value| figures.figure(value);
        let interval = |low, high| format!("{} {} {}", write(low), w.to, write(high));
        let (before, after, gap) = (comparison.before, comparison.after, comparison.difference);
        let view = MetricView {
            name,
            explanation: about.explanation.get(context.language),
            lower: (!about.higher_is_better).then_some(w.lower),
            picture,
            before: write(before.value),
            before_interval: interval(before.low, before.high),
            after: write(after.value),
            after_interval: interval(after.low, after.high),
            difference: figures.difference(gap.value),
            difference_interval: range(comparison, w),
            class: match (gap.low > 0.0, gap.high < 0.0) {
                (false, false) => "",
                (up, _) if up == comparison.higher_is_better => "good",
                _ => "bad",
            },
        };
        if is_headline { headline.push(view) } else { detail.push(view) }
    }
    Ok((headline, detail))
}

fn facts(context: &ReportContext, w: &'static Messages) -> Vec<Fact> {
    let plan = &context.plan;
    let fact = |name, value| Fact { name, value, note: None };
    let noted = |name, value, note| Fact { name, value, note: Some(note) };
    let whole = format!("{} {}", w.of, count(plan.parameters));
    let share = share(plan.trainable_parameters, plan.parameters);
    let mut facts = vec![
        fact(w.model, printable(&plan.model)),
        fact(w.recipe, printable(&plan.recipe)),
        noted(w.trainable, count(plan.trainable_parameters), format!("{share} {whole}")),
        fact(w.rows_per_epoch, count(plan.rows)),
        noted(
            w.tokens_learnt,
            count(plan.trained_tokens),
            format!("{} {}", w.of, count(plan.tokens)),
        ),
        fact(w.steps, count(context.steps.last().map_or(plan.steps, |last| last.step))),
        fact(w.device, printable(&plan.device)),
    ];
    if let Some(seconds) = context.provenance.seconds {
        facts.push(fact(w.time, duration(seconds, context.language)));
    }
    if let Some(licence) = context.model.as_ref().and_then(|model| model.licence.id.as_ref()) {
        facts.insert(1, fact(w.licence, printable(licence)));
    }
    facts
}

fn settings(context: &ReportContext) -> Vec<SettingView> {
    let settings = context.plan.settings.iter();
    settings
        .map(|one| SettingView {
            name: printable(&one.name),
            value: printable(&setting(&one.value)),
            chosen: one.chosen,
            reason: printable(context.language.of(&one.reason)),
        })
        .collect()
}

fn parts(context: &ReportContext, w: &Messages) -> Vec<PartView> {
    let data = &context.data;
    let part = |name, part: &PartReport| PartView {
        name,
        rows: count(part.rows),
        tokens: count(part.tokens),
        trained: count(part.trained_tokens),
        longest: count(part.longest),
    };
    vec![
        part(w.part_train, &data.train),
        part(w.part_validation, &data.validation),
        part(w.part_test, &data.test),
    ]
}

/// Format and encoding, and why the columns were read as they were.
fn files(context: &ReportContext) -> Vec<(String, String)> {
    let files = context.data.files.iter();
    files
        .map(|file| {
            let reason = printable(context.language.of(&file.reason));
            (format!("{} · {}", file.format.to_uppercase(), file.encoding), reason)
        })
        .collect()
}

fn labels(context: &ReportContext, w: &Messages) -> (Vec<LabelView>, Option<String>) {
    let labels = &context.data.labels;
    let most = labels.iter().map(|(_, rows)| *rows).max().unwrap_or(0).max(1);
    let view = |(name, rows): &(String, u64)| LabelView {
        name: printable(name),
        rows: count(*rows),
        width: format!("{:.1}", 100.0 * *rows as f64 / most as f64),
    };
    let more = labels.len().saturating_sub(MOST_LABELS) as u64;
    let more = (more > 0).then(|| format!("{} {}", count(more), w.more_labels));
    (labels.iter().take(MOST_LABELS).map(view).collect(), more)
}

fn findings(context: &ReportContext) -> Vec<FindingView> {
    use sanbao_contract::data::Severity;
    let findings = context.data.findings.iter();
    findings
        .map(|one| FindingView {
            severity: messages::severity(one.severity).get(context.language),
            class: match one.severity {
                Severity::Note => "note",
                Severity::Warning | Severity::Dropped => "unsure",
                Severity::Error => "worse",
            },
            message: printable(context.language.of(&one.message)),
            rows: count(one.rows),
        })
        .collect()
}

fn provenance(verdict: &Verdict, context: &ReportContext, w: &Messages) -> Vec<(String, String)> {
    let made = &context.provenance;
    let mut facts = vec![
        (w.seed.to_owned(), made.seed.to_string()),
        (w.interval_seed.to_owned(), verdict.seed.to_string()),
    ];
    facts.extend(made.inputs.iter().map(|one| (printable(&one.name), printable(&one.hash))));
    facts.extend(made.versions.iter().map(|(name, version)| (printable(name), printable(version))));
    facts
}
