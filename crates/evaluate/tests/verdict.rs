//! Decisions, sentences, the rows shown, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "common/sample.rs"]
mod sample;

use sanbao_contract::Fault;
use sanbao_contract::data::Task;
use sanbao_contract::verdict::{Answer, Compared, Comparison, Forgetting, Outcome, Verdict, Why};
use sanbao_evaluate::{
    Language, VerdictInput, forgetting_sentence, sentence_in, verdict, verdict_text,
};

fn answer(text: &str, probabilities: Vec<f64>, loss_sum: f64, loss_tokens: u64) -> Answer {
    Answer { text: text.to_owned(), probabilities, loss_sum, loss_tokens, reward: None }
}

/// Rows of two labels: truth, answer before, answer after.
fn labelled(rows: &[(usize, usize, usize)], majority: usize) -> VerdictInput {
    let labels = ["negative".to_owned(), "positive".to_owned()];
    let side = |label: usize| {
        let probabilities = if label == 0 { vec![0.8, 0.2] } else { vec![0.2, 0.8] };
        answer(&labels[label], probabilities, 0.5, 1)
    };
    let rows = rows.iter().enumerate().map(|(index, (truth, before, after))| Compared {
        prompt: format!("text {index}"),
        reference: labels[*truth].clone(),
        before: side(*before),
        after: side(*after),
    });
    VerdictInput {
        task: Task::Classify,
        rows: rows.collect(),
        majority_label: Some(labels[majority].clone()),
        labels: labels.to_vec(),
        answered: None,
        is_reward_model: false,
        forgetting: None,
        seed: 1,
    }
}

/// Rows of answers: reference, before, after, loss before and after for each of ten tokens.
fn answered(rows: &[(&str, &str, &str, f64, f64)]) -> VerdictInput {
    let rows =
        rows.iter().enumerate().map(|(index, (reference, before, after, loss, loss_after))| {
            Compared {
                prompt: format!("question {index}"),
                reference: (*reference).to_owned(),
                before: answer(before, Vec::new(), 10.0 * loss, 10),
                after: answer(after, Vec::new(), 10.0 * loss_after, 10),
            }
        });
    VerdictInput {
        task: Task::Instruct,
        labels: Vec::new(),
        majority_label: None,
        rows: rows.collect(),
        answered: None,
        is_reward_model: false,
        forgetting: None,
        seed: 1,
    }
}

fn repeated<T: Copy>(rows: &[T], times: usize) -> Vec<T> {
    rows.iter().copied().cycle().take(rows.len() * times).collect()
}

fn find<'a>(verdict: &'a Verdict, name: &str) -> &'a Comparison {
    verdict.comparisons.iter().find(|one| one.metric == name).unwrap()
}

#[test]
fn texts_for_the_terminal() {
    for (name, input) in [
        ("classify", sample::classify(Language::En, 72, 0.85)),
        ("instruct", sample::instruct(Language::En, 60)),
        ("prose", sample::prose(Language::En, 40)),
    ] {
        insta::assert_snapshot!(name, verdict_text(&verdict(&input).unwrap()));
    }
}

/// One input for each case that a sentence exists for.
fn cases() -> Vec<(&'static str, VerdictInput)> {
    const CLOSE: &str = "please send us a photo of the broken plate";
    const HALF: &str = "please send us a message";
    const FAR: &str = "xyz";
    let wavering = [
        (CLOSE, HALF, HALF, 2.0, 1.6),
        (CLOSE, HALF, HALF, 1.6, 2.0),
        (CLOSE, HALF, CLOSE, 1.8, 1.7),
        (CLOSE, CLOSE, HALF, 1.7, 1.8),
    ];
    let instruct = |before, after, loss, loss_after| {
        let rows: Vec<_> = (0..20)
            .map(|row| {
                let wobble = f64::from(row % 5) / 50.0;
                (CLOSE, before, after, loss + wobble, loss_after - wobble)
            })
            .collect();
        answered(&rows)
    };
    let swinging = |before, after, by: f64| {
        let rows: Vec<_> = (0..20)
            .map(|row| {
                let swing = if row % 2 == 0 { by } else { -by };
                (CLOSE, before, after, 2.0 + swing, 2.0 - swing)
            })
            .collect();
        answered(&rows)
    };
    let steady = |before, after| swinging(before, after, 0.1);
    let trembling = |by| swinging(HALF, HALF, by);
    let silent = |mut input: VerdictInput| {
        input.answered = Some(vec![false; input.rows.len()]);
        input
    };
    let as_prose = |mut input: VerdictInput| {
        input.task = Task::Prose;
        input
    };
    let as_preference = |mut input: VerdictInput| {
        (input.task, input.majority_label) = (Task::Preference, None);
        input
    };
    let as_reward_model = |input: VerdictInput| {
        let mut input = as_preference(input);
        (input.is_reward_model, input.forgetting) = (true, None);
        input
    };
    let skewed: Vec<_> =
        (0..60).map(|row| if row < 50 { (1, row % 2, 1) } else { (0, 1, 1) }).collect();
    let mut flipped = vec![(0, 0, 0); 400];
    (flipped[0], flipped[1], flipped[2]) = ((1, 1, 0), (1, 0, 1), (0, 0, 1));
    vec![
        ("classify.better", labelled(&repeated(&[(0, 1, 0), (1, 0, 1), (1, 1, 1)], 10), 1)),
        ("classify.better_not_above_majority", labelled(&skewed, 1)),
        ("classify.worse", labelled(&repeated(&[(0, 0, 1), (1, 1, 0), (1, 1, 1)], 10), 1)),
        ("classify.cannot_tell", labelled(&[(0, 1, 0), (1, 1, 1), (0, 0, 0)], 1)),
        ("classify.same", labelled(&flipped, 1)),
        ("classify.no_change", labelled(&repeated(&[(0, 0, 0), (1, 0, 0)], 10), 1)),
        (
            "preference.better",
            as_preference(labelled(&repeated(&[(0, 1, 0), (1, 0, 1), (1, 1, 1)], 10), 1)),
        ),
        (
            "preference.worse",
            as_preference(labelled(&repeated(&[(0, 0, 1), (1, 1, 0), (1, 1, 1)], 10), 1)),
        ),
        ("preference.cannot_tell", as_preference(labelled(&[(0, 1, 0), (1, 1, 1), (0, 0, 0)], 1))),
        ("preference.same", as_preference(labelled(&flipped, 1))),
        (
            "preference.no_change",
            as_preference(labelled(&repeated(&[(0, 0, 0), (1, 0, 0)], 10), 1)),
        ),
        (
            "reward_model.better",
            as_reward_model(labelled(&repeated(&[(0, 1, 0), (1, 0, 1), (1, 1, 1)], 10), 1)),
        ),
        (
            "reward_model.worse",
            as_reward_model(labelled(&repeated(&[(0, 0, 1), (1, 1, 0), (1, 1, 1)], 10), 1)),
        ),
        (
            "reward_model.cannot_tell",
            as_reward_model(labelled(&[(0, 1, 0), (1, 1, 1), (0, 0, 0)], 1)),
        ),
        ("reward_model.same", as_reward_model(labelled(&flipped, 1))),
        (
            "reward_model.no_change",
            as_reward_model(labelled(&repeated(&[(0, 0, 0), (1, 0, 0)], 10), 1)),
        ),
        ("instruct.better", instruct(HALF, CLOSE, 2.5, 1.5)),
        ("instruct.better_by_loss", instruct(HALF, HALF, 2.5, 1.5)),
        ("instruct.better_unanswered", silent(instruct(HALF, CLOSE, 2.5, 1.5))),
        ("instruct.mixed_answers_worse", instruct(HALF, FAR, 2.5, 1.5)),
        ("instruct.mixed_answers_better", instruct(HALF, CLOSE, 1.5, 2.5)),
        ("instruct.cannot_tell", answered(&repeated(&wavering, 5))),
        ("instruct.cannot_tell_answers_better", steady(HALF, CLOSE)),
        ("instruct.cannot_tell_answers_worse", steady(HALF, FAR)),
        ("instruct.cannot_tell_unanswered", silent(answered(&repeated(&wavering, 5)))),
        ("instruct.worse", instruct(HALF, FAR, 1.5, 2.5)),
        ("instruct.worse_by_loss", instruct(HALF, HALF, 1.5, 2.5)),
        ("instruct.worse_unanswered", silent(instruct(HALF, FAR, 1.5, 2.5))),
        ("instruct.same", trembling(0.02)),
        ("instruct.no_change", answered(&[(CLOSE, HALF, HALF, 2.0, 2.0); 8])),
        ("prose.better", as_prose(instruct("", "", 2.5, 1.5))),
        ("prose.worse", as_prose(instruct("", "", 1.5, 2.5))),
        ("prose.cannot_tell", as_prose(steady("", ""))),
        ("prose.same", as_prose(trembling(0.02))),
        ("prose.no_change", as_prose(answered(&[(CLOSE, "", "", 2.0, 2.0)]))),
    ]
}

#[test]
fn every_case_has_its_sentence() {
    let mut text = String::new();
    for (code, input) in cases() {
        let verdict = verdict(&input).unwrap();
        assert_eq!(verdict.sentence_code, code);
        assert_eq!(verdict.sentence, sentence_in(&verdict, Language::En));
        let wanted = match code.split('.').nth(1).unwrap() {
            word if word.starts_with("better") => Outcome::Better,
            word if word.starts_with("worse") => Outcome::Worse,
            _ => Outcome::CannotTell,
        };
        assert_eq!(verdict.outcome, wanted, "{code}");
        for language in [Language::En, Language::Zh] {
            let sentence = sentence_in(&verdict, language);
            assert!(!sentence.contains(['{', '}', '?']), "{sentence}");
            text.push_str(&format!("{code}\n  {sentence}\n"));
        }
    }
    for after in [18.0, 20.1, 21.5, 25.0, 40.0] {
        let forgetting = Forgetting { before: 20.0, after, tokens: 900 };
        for language in [Language::En, Language::Zh] {
            text.push_str(&format!(
                "forgetting\n  {}\n",
                forgetting_sentence(&forgetting, language)
            ));
        }
    }
    insta::assert_snapshot!("sentences", text);
}

#[test]
fn five_rows_never_decide() {
    for input in
        [labelled(&[(0, 1, 0); 5], 1), answered(&[("a b c d", "x", "a b c d", 9.0, 0.1); 5])]
    {
        let verdict = verdict(&input).unwrap();
        assert_eq!(verdict.outcome, Outcome::CannotTell, "{}", verdict.sentence);
        assert!(verdict.comparisons.iter().all(|one| one.p_value.is_some_and(|p| p > 0.05)));
    }
}

#[test]
fn exchanging_the_models_turns_the_verdict_round() {
    let mut input = sample::instruct(Language::En, 60);
    let forward = verdict(&input).unwrap();
    for row in &mut input.rows {
        std::mem::swap(&mut row.before, &mut row.after);
    }
    let backward = verdict(&input).unwrap();
    assert_eq!((forward.outcome, backward.outcome), (Outcome::Better, Outcome::Worse));
    for (one, other) in forward.comparisons.iter().zip(&backward.comparisons) {
        assert_eq!(one.metric, other.metric);
        assert_eq!((one.before, one.after), (other.after, other.before));
        assert_eq!(one.p_value, other.p_value, "{}", one.metric);
        assert!((one.difference.low + other.difference.high).abs() < 1e-9, "{}", one.metric);
    }
}

#[test]
fn the_same_input_gives_the_same_verdict() {
    let mut input = sample::classify(Language::Zh, 50, 0.7);
    let first = verdict(&input).unwrap();
    assert_eq!(first, verdict(&input).unwrap());
    let text = serde_json::to_string(&first).unwrap();
    assert_eq!(first, serde_json::from_str(&text).unwrap(), "every figure survives the file");
    input.seed += 1;
    let other = verdict(&input).unwrap();
    assert_ne!(first.comparisons, other.comparisons);
    assert_eq!(find(&first, "accuracy").before, find(&other, "accuracy").before);
}

#[test]
fn intervals_hold_their_figures() {
    for input in [
        sample::classify(Language::En, 40, 0.6),
        sample::instruct(Language::Zh, 30),
        sample::prose(Language::En, 20),
    ] {
        for one in verdict(&input).unwrap().comparisons {
            for estimate in [one.before, one.after, one.difference] {
                assert!(
                    estimate.low <= estimate.value && estimate.value <= estimate.high,
                    "{one:?}"
                );
            }
            assert!((one.after.value - one.before.value - one.difference.value).abs() < 1e-12);
            assert!(one.p_value.is_some_and(|p| p > 0.0 && p <= 1.0));
        }
    }
}

#[test]
fn loss_counts_every_token_the_same() {
    let mut input = answered(&[("a", "a", "a", 1.0, 1.0), ("a", "a", "a", 3.0, 3.0)]);
    let row = &mut input.rows[1];
    for answer in [&mut row.before, &mut row.after] {
        answer.loss_tokens = 30;
        answer.loss_sum = 90.0;
    }
    let verdict = verdict(&input).unwrap();
    assert!((find(&verdict, "loss").after.value - 100.0 / 40.0).abs() < 1e-12);
    assert!((find(&verdict, "perplexity").after.value - 2.5_f64.exp()).abs() < 1e-9);
}

#[test]
fn rows_without_an_answer_count_for_the_loss_alone() {
    let mut input = answered(&[("a b c", "x", "a b c", 2.0, 1.0); 12]);
    input.answered = Some((0..12).map(|row| row < 7).collect());
    let verdict = verdict(&input).unwrap();
    assert_eq!((verdict.rows, find(&verdict, "loss").rows), (12, 12));
    assert_eq!(find(&verdict, "chrf").rows, 7);
    assert_eq!(verdict.answers_changed, Some(7));
    assert_eq!(verdict.side_by_side.len(), 7);
    assert!(verdict.picks.iter().all(|pick| pick.row <= 7));
}

#[test]
fn the_majority_is_measured_on_the_held_out_rows() {
    let verdict = verdict(&labelled(&[(0, 0, 0), (1, 0, 1), (1, 1, 1), (1, 0, 0)], 1)).unwrap();
    assert_eq!(verdict.majority_accuracy, Some(0.75));
    assert_eq!(verdict.majority_label.as_deref(), Some("positive"));
    let before = verdict.confusion_before.unwrap();
    assert_eq!(before.counts, [[1, 0], [2, 1]]);
    assert_eq!(verdict.confusion_after.unwrap().counts, [[1, 0], [1, 2]]);
}

#[test]
fn ten_rows_with_the_best_and_the_worst() {
    let verdict = verdict(&sample::instruct(Language::En, 60)).unwrap();
    assert_eq!((verdict.side_by_side.len(), verdict.picks.len()), (10, 10));
    let gain = |why: Why| -> Vec<f64> {
        let picks = verdict.picks.iter().filter(|pick| pick.why == why);
        picks.map(|pick| pick.after - pick.before).collect()
    };
    let (gains, typical, losses) = (gain(Why::Gain), gain(Why::Typical), gain(Why::Regression));
    assert_eq!((gains.len(), losses.len()), (4, 3));
    assert!(gains.is_sorted_by(|a, b| a >= b) && losses.is_sorted());
    assert!(losses.iter().all(|loss| *loss < 0.0));
    assert!(typical.iter().all(|gain| *gain <= gains[3] && *gain >= losses[2]));
    let rows: std::collections::HashSet<u64> = verdict.picks.iter().map(|pick| pick.row).collect();
    assert_eq!(rows.len(), 10, "no row twice");
    // With a row or two, all of them are shown.
    let few = answered(&[("a", "a", "b", 1.0, 1.0), ("a", "b", "a", 1.0, 1.0)]);
    let picks = sanbao_evaluate::verdict(&few).unwrap().picks;
    assert_eq!(picks.iter().map(|pick| pick.why).collect::<Vec<_>>(), [Why::Gain, Why::Regression]);
}

#[test]
fn what_cannot_be_used_is_refused_by_name() {
    let sound = || labelled(&[(0, 0, 0), (1, 1, 1)], 1);
    let spoiled = |spoil: fn(&mut VerdictInput)| {
        let mut input = sound();
        spoil(&mut input);
        Fault::from(verdict(&input).unwrap_err())
    };
    let faults = [
        spoiled(|input| input.rows.clear()),
        spoiled(|input| input.labels.truncate(1)),
        spoiled(|input| input.rows[1].reference = "neutral".to_owned()),
        spoiled(|input| input.rows[1].after.text = String::new()),
        spoiled(|input| input.majority_label = Some("neutral".to_owned())),
        spoiled(|input| input.rows[0].before.probabilities = vec![0.9, 0.9]),
        spoiled(|input| input.rows[0].after.probabilities = vec![1.0]),
        spoiled(|input| input.rows[0].after.probabilities = vec![f64::NAN, 1.0]),
        spoiled(|input| input.rows[1].before.loss_sum = f64::NAN),
        spoiled(|input| input.rows[1].after.loss_sum = f64::INFINITY),
        spoiled(|input| input.rows[1].after.loss_sum = 1e6),
        spoiled(|input| input.rows[1].after.loss_tokens = 7),
        spoiled(|input| {
            input.task = Task::Prose;
            for row in &mut input.rows {
                (row.before.loss_tokens, row.after.loss_tokens) = (0, 0);
                (row.before.loss_sum, row.after.loss_sum) = (0.0, 0.0);
            }
        }),
        spoiled(|input| input.answered = Some(vec![true])),
        spoiled(|input| input.answered = Some(vec![false, false])),
        spoiled(|input| {
            input.forgetting = Some(Forgetting { before: 20.0, after: f64::INFINITY, tokens: 9 });
        }),
    ];
    let text: Vec<String> =
        faults.iter().map(|fault| format!("{}: {}", fault.code, fault.message)).collect();
    insta::assert_snapshot!("refusals", text.join("\n"));
}
