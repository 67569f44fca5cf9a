//! The verdict in one plain sentence, in both languages.
//!
//! A sentence is a code and parameters; the words are here. `{name}` stands for a parameter,
//! `{name|one|many}` for a count followed by the word that fits it.

use std::collections::BTreeMap;

use sanbao_contract::verdict::{Forgetting, Verdict};

use crate::{Language, Phrase};

/// Codes and their words.
static SENTENCES: &[(&str, Phrase)] = &[
    (
        "classify.better",
        Phrase {
            en: "Better: on {rows|row|rows} never seen in training, the trained model picks the right label {after}% of the time, up from {before}% ({low} to {high} points).",
            zh: "变好了：在训练中从未见过的 {rows} 行上，训练后的模型有 {after}% 选对标签，训练前为 {before}%（{low} 到 {high} 个百分点）。",
        },
    ),
    (
        "classify.better_not_above_majority",
        Phrase {
            en: "Better than before, but not yet useful: on {rows|row|rows} never seen in training, the trained model picks the right label {after}% of the time, up from {before}%, and does not measurably beat always answering “{majority_label}” ({majority}%).",
            zh: "比训练前好，但还不够用：在训练中从未见过的 {rows} 行上，训练后的模型有 {after}% 选对标签，训练前为 {before}%，但并不明显好于一律回答“{majority_label}”（{majority}%）。",
        },
    ),
    (
        "classify.worse",
        Phrase {
            en: "Worse: on {rows|row|rows} never seen in training, the trained model picks the right label {after}% of the time, down from {before}% ({low} to {high} points).",
            zh: "变差了：在训练中从未见过的 {rows} 行上，训练后的模型只有 {after}% 选对标签，训练前为 {before}%（{low} 到 {high} 个百分点）。",
        },
    ),
    (
        "classify.cannot_tell",
        Phrase {
            en: "Not enough rows to tell: on {rows|row|rows} never seen in training, the trained model picks the right label {after}% of the time, before {before}%; the true change may be anything from {low} to {high} points.",
            zh: "行数不足，无法判断：在训练中从未见过的 {rows} 行上，训练后的模型有 {after}% 选对标签，训练前为 {before}%；真实变化可能在 {low} 到 {high} 个百分点之间。",
        },
    ),
    (
        "classify.same",
        Phrase {
            en: "About the same: on {rows|row|rows} never seen in training, the trained model picks the right label {after}% of the time, before {before}%; the true change is within {low} to {high} points.",
            zh: "基本持平：在训练中从未见过的 {rows} 行上，训练后的模型有 {after}% 选对标签，训练前为 {before}%；真实变化在 {low} 到 {high} 个百分点之内。",
        },
    ),
    (
        "classify.no_change",
        Phrase {
            en: "No difference: on {rows|row|rows} never seen in training, the trained model picks the same labels as before ({after}% right).",
            zh: "没有变化：在训练中从未见过的 {rows} 行上，训练后的模型选出的标签与训练前完全相同（{after}% 正确）。",
        },
    ),
    (
        "preference.better",
        Phrase {
            en: "Better: on {rows|pair|pairs} of answers never seen in training, the trained model finds the preferred answer the likelier one {after}% of the time, up from {before}% ({low} to {high} points).",
            zh: "变好了：在训练中从未见过的 {rows} 对答案上，训练后的模型有 {after}% 认为被偏好的答案更可能，训练前为 {before}%（{low} 到 {high} 个百分点）。",
        },
    ),
    (
        "preference.worse",
        Phrase {
            en: "Worse: on {rows|pair|pairs} of answers never seen in training, the trained model finds the preferred answer the likelier one {after}% of the time, down from {before}% ({low} to {high} points).",
            zh: "变差了：在训练中从未见过的 {rows} 对答案上，训练后的模型有 {after}% 认为被偏好的答案更可能，训练前为 {before}%（{low} 到 {high} 个百分点）。",
        },
    ),
    (
        "preference.cannot_tell",
        Phrase {
            en: "Not enough pairs to tell: on {rows|pair|pairs} of answers never seen in training, the trained model finds the preferred answer the likelier one {after}% of the time, before {before}%; the true change may be anything from {low} to {high} points.",
            zh: "数量不足，无法判断：在训练中从未见过的 {rows} 对答案上，训练后的模型有 {after}% 认为被偏好的答案更可能，训练前为 {before}%；真实变化可能在 {low} 到 {high} 个百分点之间。",
        },
    ),
    (
        "preference.same",
        Phrase {
            en: "About the same: on {rows|pair|pairs} of answers never seen in training, the trained model finds the preferred answer the likelier one {after}% of the time, before {before}%; the true change is within {low} to {high} points.",
            zh: "基本持平：在训练中从未见过的 {rows} 对答案上，训练后的模型有 {after}% 认为被偏好的答案更可能，训练前为 {before}%；真实变化在 {low} 到 {high} 个百分点之内。",
        },
    ),
    (
        "preference.no_change",
        Phrase {
            en: "No difference: on {rows|pair|pairs} of answers never seen in training, the trained model prefers the same answers as before ({after}% right).",
            zh: "没有变化：在训练中从未见过的 {rows} 对答案上，训练后的模型偏好的答案与训练前完全相同（{after}% 正确）。",
        },
    ),
    (
        "reward_model.better",
        Phrase {
            en: "Better: on {rows|pair|pairs} of answers never seen in training, the reward model scores the preferred answer higher {after}% of the time; the untrained model finds it the likelier one {before}% of the time ({low} to {high} points).",
            zh: "变好了：在训练中从未见过的 {rows} 对答案上，奖励模型有 {after}% 给被偏好的答案打分更高；未训练的模型有 {before}% 认为它更可能（{low} 到 {high} 个百分点）。",
        },
    ),
    (
        "reward_model.worse",
        Phrase {
            en: "Worse: on {rows|pair|pairs} of answers never seen in training, the reward model scores the preferred answer higher {after}% of the time; the untrained model finds it the likelier one {before}% of the time ({low} to {high} points).",
            zh: "变差了：在训练中从未见过的 {rows} 对答案上，奖励模型有 {after}% 给被偏好的答案打分更高；未训练的模型有 {before}% 认为它更可能（{low} 到 {high} 个百分点）。",
        },
    ),
    (
        "reward_model.cannot_tell",
        Phrase {
            en: "Not enough pairs to tell: on {rows|pair|pairs} of answers never seen in training, the reward model scores the preferred answer higher {after}% of the time, and the untrained model finds it the likelier one {before}% of the time; the true difference may be anything from {low} to {high} points.",
            zh: "数量不足，无法判断：在训练中从未见过的 {rows} 对答案上，奖励模型有 {after}% 给被偏好的答案打分更高，未训练的模型有 {before}% 认为它更可能；真实差别可能在 {low} 到 {high} 个百分点之间。",
        },
    ),
    (
        "reward_model.same",
        Phrase {
            en: "About the same: on {rows|pair|pairs} of answers never seen in training, the reward model scores the preferred answer higher {after}% of the time, and the untrained model finds it the likelier one {before}% of the time; the true difference is within {low} to {high} points.",
            zh: "基本持平：在训练中从未见过的 {rows} 对答案上，奖励模型有 {after}% 给被偏好的答案打分更高，未训练的模型有 {before}% 认为它更可能；真实差别在 {low} 到 {high} 个百分点之内。",
        },
    ),
    (
        "reward_model.no_change",
        Phrase {
            en: "No difference: on {rows|pair|pairs} of answers never seen in training, the reward model prefers the same answers as the untrained model finds likelier ({after}% right).",
            zh: "没有变化：在训练中从未见过的 {rows} 对答案上，奖励模型偏好的答案与未训练的模型认为更可能的完全相同（{after}% 正确）。",
        },
    ),
    (
        "reward.better",
        Phrase {
            en: "Better: on {rows|question|questions} never seen in training, the trained model's answers earn {metric_after} on average, up from {metric_before} ({low} to {high}); they earn more on {win_rate}% of the questions, ties counted half.",
            zh: "变好了：在训练中从未见过的 {rows} 个问题上，训练后模型的答案平均得 {metric_after} 分，训练前为 {metric_before}（{low} 到 {high}）；在 {win_rate}% 的问题上得分更高（平局计一半）。",
        },
    ),
    (
        "reward.worse",
        Phrase {
            en: "Worse: on {rows|question|questions} never seen in training, the trained model's answers earn {metric_after} on average, down from {metric_before} ({low} to {high}); they earn more on only {win_rate}% of the questions, ties counted half.",
            zh: "变差了：在训练中从未见过的 {rows} 个问题上，训练后模型的答案平均得 {metric_after} 分，训练前为 {metric_before}（{low} 到 {high}）；只在 {win_rate}% 的问题上得分更高（平局计一半）。",
        },
    ),
    (
        "reward.unclear",
        Phrase {
            en: "Not enough to tell: on {rows|question|questions} never seen in training, the trained model's answers earn {metric_after} on average, before {metric_before}; the true change may be anything from {low} to {high}. They earn more on {win_rate}% of the questions, ties counted half.",
            zh: "不足以判断：在训练中从未见过的 {rows} 个问题上，训练后模型的答案平均得 {metric_after} 分，训练前为 {metric_before}；真实变化可能在 {low} 到 {high} 之间。在 {win_rate}% 的问题上得分更高（平局计一半）。",
        },
    ),
    (
        "reward.nothing_changed",
        Phrase {
            en: "No difference: on {rows|question|questions} never seen in training, the trained model gives the same answers as before; they earn {metric_after} on average.",
            zh: "没有变化：在训练中从未见过的 {rows} 个问题上，训练后模型的答案与训练前完全相同，平均得 {metric_after} 分。",
        },
    ),
    (
        "instruct.better",
        Phrase {
            en: "Better: on {rows|row|rows} never seen in training, the trained model fits the right answers better (loss {loss_after}, before {loss_before}), and its own answers are closer to them (chrF {chrf_after}, before {chrf_before}).",
            zh: "变好了：在训练中从未见过的 {rows} 行上，训练后的模型更贴合正确答案（损失 {loss_after}，训练前 {loss_before}），它自己的回答也更接近正确答案（chrF {chrf_after}，训练前 {chrf_before}）。",
        },
    ),
    (
        "instruct.better_by_loss",
        Phrase {
            en: "Better: on {rows|row|rows} never seen in training, the trained model fits the right answers better (loss {loss_after}, before {loss_before}), though its own answers are not measurably closer to them (chrF {chrf_after}, before {chrf_before}).",
            zh: "变好了：在训练中从未见过的 {rows} 行上，训练后的模型更贴合正确答案（损失 {loss_after}，训练前 {loss_before}），但它自己的回答并没有明显更接近正确答案（chrF {chrf_after}，训练前 {chrf_before}）。",
        },
    ),
    (
        "instruct.better_unanswered",
        Phrase {
            en: "Better: on {rows|row|rows} never seen in training, the trained model fits the right answers better (loss {loss_after}, before {loss_before}); no answers were generated to compare.",
            zh: "变好了：在训练中从未见过的 {rows} 行上，训练后的模型更贴合正确答案（损失 {loss_after}，训练前 {loss_before}）；没有生成回答可供比较。",
        },
    ),
    (
        "instruct.mixed_answers_worse",
        Phrase {
            en: "Mixed: on {rows|row|rows} never seen in training, the trained model fits the right answers better (loss {loss_after}, before {loss_before}), yet its own answers are further from them (chrF {chrf_after}, before {chrf_before}); read some side by side before using it.",
            zh: "好坏参半：在训练中从未见过的 {rows} 行上，训练后的模型更贴合正确答案（损失 {loss_after}，训练前 {loss_before}），但它自己的回答离正确答案更远（chrF {chrf_after}，训练前 {chrf_before}）；使用前请先对照看看。",
        },
    ),
    (
        "instruct.mixed_answers_better",
        Phrase {
            en: "Mixed: on {rows|row|rows} never seen in training, the trained model's own answers are closer to the right ones (chrF {chrf_after}, before {chrf_before}), yet it fits the right answers less well (loss {loss_after}, before {loss_before}); read some side by side before using it.",
            zh: "好坏参半：在训练中从未见过的 {rows} 行上，训练后的模型自己的回答更接近正确答案（chrF {chrf_after}，训练前 {chrf_before}），但对正确答案的贴合变差（损失 {loss_after}，训练前 {loss_before}）；使用前请先对照看看。",
        },
    ),
    (
        "instruct.cannot_tell",
        Phrase {
            en: "Not enough rows to tell: on {rows|row|rows} never seen in training, neither the fit to the right answers (loss {loss_after}, before {loss_before}) nor the model's own answers (chrF {chrf_after}, before {chrf_before}) changed beyond chance.",
            zh: "行数不足，无法判断：在训练中从未见过的 {rows} 行上，无论是对正确答案的贴合（损失 {loss_after}，训练前 {loss_before}），还是模型自己的回答（chrF {chrf_after}，训练前 {chrf_before}），变化都没有超出偶然。",
        },
    ),
    (
        "instruct.cannot_tell_answers_better",
        Phrase {
            en: "Not enough rows to tell: on {rows|row|rows} never seen in training, the model's own answers are closer to the right ones (chrF {chrf_after}, before {chrf_before}), but the fit to the right answers did not change beyond chance (loss {loss_after}, before {loss_before}).",
            zh: "行数不足，无法判断：在训练中从未见过的 {rows} 行上，模型自己的回答更接近正确答案（chrF {chrf_after}，训练前 {chrf_before}），但对正确答案的贴合变化没有超出偶然（损失 {loss_after}，训练前 {loss_before}）。",
        },
    ),
    (
        "instruct.cannot_tell_answers_worse",
        Phrase {
            en: "Not enough rows to tell, and reason for care: on {rows|row|rows} never seen in training, the model's own answers are further from the right ones (chrF {chrf_after}, before {chrf_before}), while the fit to the right answers did not change beyond chance (loss {loss_after}, before {loss_before}).",
            zh: "行数不足，无法判断，需要小心：在训练中从未见过的 {rows} 行上，模型自己的回答离正确答案更远（chrF {chrf_after}，训练前 {chrf_before}），而对正确答案的贴合变化没有超出偶然（损失 {loss_after}，训练前 {loss_before}）。",
        },
    ),
    (
        "instruct.cannot_tell_unanswered",
        Phrase {
            en: "Not enough rows to tell: on {rows|row|rows} never seen in training, the fit to the right answers did not change beyond chance (loss {loss_after}, before {loss_before}); no answers were generated to compare.",
            zh: "行数不足，无法判断：在训练中从未见过的 {rows} 行上，对正确答案的贴合变化没有超出偶然（损失 {loss_after}，训练前 {loss_before}）；没有生成回答可供比较。",
        },
    ),
    (
        "instruct.worse",
        Phrase {
            en: "Worse: on {rows|row|rows} never seen in training, the trained model fits the right answers less well (loss {loss_after}, before {loss_before}), and its own answers are further from them (chrF {chrf_after}, before {chrf_before}).",
            zh: "变差了：在训练中从未见过的 {rows} 行上，训练后的模型对正确答案的贴合变差（损失 {loss_after}，训练前 {loss_before}），它自己的回答也离正确答案更远（chrF {chrf_after}，训练前 {chrf_before}）。",
        },
    ),
    (
        "instruct.worse_by_loss",
        Phrase {
            en: "Worse: on {rows|row|rows} never seen in training, the trained model fits the right answers less well (loss {loss_after}, before {loss_before}), and its own answers are not measurably closer to them (chrF {chrf_after}, before {chrf_before}).",
            zh: "变差了：在训练中从未见过的 {rows} 行上，训练后的模型对正确答案的贴合变差（损失 {loss_after}，训练前 {loss_before}），它自己的回答也没有明显更接近正确答案（chrF {chrf_after}，训练前 {chrf_before}）。",
        },
    ),
    (
        "instruct.worse_unanswered",
        Phrase {
            en: "Worse: on {rows|row|rows} never seen in training, the trained model fits the right answers less well (loss {loss_after}, before {loss_before}); no answers were generated to compare.",
            zh: "变差了：在训练中从未见过的 {rows} 行上，训练后的模型对正确答案的贴合变差（损失 {loss_after}，训练前 {loss_before}）；没有生成回答可供比较。",
        },
    ),
    (
        "instruct.same",
        Phrase {
            en: "About the same: on {rows|row|rows} never seen in training, the trained model fits the right answers as well as before (loss {loss_after}, before {loss_before}).",
            zh: "基本持平：在训练中从未见过的 {rows} 行上，训练后的模型对正确答案的贴合与训练前相当（损失 {loss_after}，训练前 {loss_before}）。",
        },
    ),
    (
        "instruct.no_change",
        Phrase {
            en: "No difference: on {rows|row|rows} never seen in training, the trained model does exactly what it did before (loss {loss_after}).",
            zh: "没有变化：在训练中从未见过的 {rows} 行上，训练后的模型与训练前完全一样（损失 {loss_after}）。",
        },
    ),
    (
        "prose.better",
        Phrase {
            en: "Better: on {rows|passage|passages} never seen in training, the trained model predicts the text better (perplexity {after}, before {before}; a change of {low} to {high}).",
            zh: "变好了：在训练中从未见过的 {rows} 段文字上，训练后的模型更能预测原文（困惑度 {after}，训练前 {before}；变化 {low} 到 {high}）。",
        },
    ),
    (
        "prose.worse",
        Phrase {
            en: "Worse: on {rows|passage|passages} never seen in training, the trained model predicts the text less well (perplexity {after}, before {before}; a change of {low} to {high}).",
            zh: "变差了：在训练中从未见过的 {rows} 段文字上，训练后的模型更难预测原文（困惑度 {after}，训练前 {before}；变化 {low} 到 {high}）。",
        },
    ),
    (
        "prose.cannot_tell",
        Phrase {
            en: "Not enough text to tell: on {rows|passage|passages} never seen in training, perplexity is {after}, before {before}; the true change may be anything from {low} to {high}.",
            zh: "文字不足，无法判断：在训练中从未见过的 {rows} 段文字上，困惑度为 {after}，训练前为 {before}；真实变化可能在 {low} 到 {high} 之间。",
        },
    ),
    (
        "prose.same",
        Phrase {
            en: "About the same: on {rows|passage|passages} never seen in training, perplexity is {after}, before {before}; the true change is within {low} to {high}.",
            zh: "基本持平：在训练中从未见过的 {rows} 段文字上，困惑度为 {after}，训练前为 {before}；真实变化在 {low} 到 {high} 之内。",
        },
    ),
    (
        "prose.no_change",
        Phrase {
            en: "No difference: on {rows|passage|passages} never seen in training, the trained model predicts the text exactly as before (perplexity {after}).",
            zh: "没有变化：在训练中从未见过的 {rows} 段文字上，训练后的模型与训练前完全一样（困惑度 {after}）。",
        },
    ),
    (
        "forgetting.improved",
        Phrase {
            en: "On general text the model even improved: perplexity {after}, before {before} ({change}%).",
            zh: "在通用文本上模型反而有所进步：困惑度 {after}，训练前 {before}（{change}%）。",
        },
    ),
    (
        "forgetting.none",
        Phrase {
            en: "What the model knew is intact: perplexity on general text {after}, before {before} ({change}%).",
            zh: "模型原有的能力完好：通用文本的困惑度为 {after}，训练前 {before}（{change}%）。",
        },
    ),
    (
        "forgetting.little",
        Phrase {
            en: "The model forgot a little: perplexity on general text {after}, before {before} ({change}%), which is usual.",
            zh: "模型略有遗忘：通用文本的困惑度为 {after}，训练前 {before}（{change}%），属于正常范围。",
        },
    ),
    (
        "forgetting.some",
        Phrase {
            en: "The model forgot noticeably: perplexity on general text {after}, before {before} ({change}%); fewer epochs or a lower learning rate would keep more.",
            zh: "模型有明显遗忘：通用文本的困惑度为 {after}，训练前 {before}（{change}%）；减少轮数或降低学习率可以保留更多。",
        },
    ),
    (
        "forgetting.much",
        Phrase {
            en: "The model forgot much of what it knew: perplexity on general text {after}, before {before} ({change}%); train again with a lower learning rate or fewer epochs unless only this task matters.",
            zh: "模型遗忘严重：通用文本的困惑度为 {after}，训练前 {before}（{change}%）；除非只关心这一项任务，否则请用更低的学习率或更少的轮数重新训练。",
        },
    ),
];

/// The sentence of a code; the code itself when it is not known (a verdict of another version).
pub(super) fn render(code: &str, params: &BTreeMap<String, String>, language: Language) -> String {
    match SENTENCES.iter().find(|(known, _)| *known == code) {
        Some((_, phrase)) => fill(phrase.get(language), params),
        None => code.to_owned(),
    }
}

/// Puts parameters in place of `{name}` and `{name|one|many}`; values are not looked into again.
pub(crate) fn fill(template: &str, params: &BTreeMap<String, String>) -> String {
    let mut filled = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (slot, after) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(before);
        let mut parts = slot.split('|');
        let value = parts.next().and_then(|name| params.get(name)).map_or("?", String::as_str);
        filled.push_str(value);
        if let (Some(one), Some(many)) = (parts.next(), parts.next()) {
            filled.push(' ');
            filled.push_str(if value == "1" { one } else { many });
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// The verdict's sentence in a language: built from its code and parameters, or the English one
/// that it carries when its code is not known here.
pub fn sentence_in(verdict: &Verdict, language: Language) -> String {
    if SENTENCES.iter().any(|(code, _)| *code == verdict.sentence_code) {
        render(&verdict.sentence_code, &verdict.sentence_params, language)
    } else {
        verdict.sentence.clone()
    }
}

/// What the forgetting check means, in one sentence. By the rise of perplexity: up to 2 % is
/// nothing, up to 10 % little, up to 30 % noticeable, beyond that much; a fall beyond 2 % is a gain.
pub fn forgetting_sentence(forgetting: &Forgetting, language: Language) -> String {
    let change = 100.0 * (forgetting.after / forgetting.before - 1.0);
    let code = match change {
        change if change < -2.0 => "forgetting.improved",
        change if change <= 2.0 => "forgetting.none",
        change if change <= 10.0 => "forgetting.little",
        change if change <= 30.0 => "forgetting.some",
        _ => "forgetting.much",
    };
    let params = [
        ("before", decimals(forgetting.before)),
        ("after", decimals(forgetting.after)),
        ("change", signed(change, 1)),
    ];
    let params = params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    render(code, &params, language)
}

/// A share as per cent with at most one decimal: `0.8333` is `83.3`, `0.5` is `50`.
pub(crate) fn percent(share: f64) -> String {
    trimmed(format!("{:.1}", 100.0 * share))
}

/// A difference of shares in percentage points, signed.
pub(crate) fn points(share: f64) -> String {
    signed(100.0 * share, 1)
}

/// About three significant digits: `0.123`, `1.23`, `12.3`, `123`, with the minus sign proper.
pub(crate) fn decimals(value: f64) -> String {
    fixed(value, places_for(value))
}

/// Decimals that leave about three significant digits.
pub(crate) fn places_for(value: f64) -> usize {
    match value.abs() {
        size if size < 0.9995 => 3,
        size if size < 9.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    }
}

/// [`fixed`] with a sign in front, except for zero.
pub(crate) fn signed_fixed(value: f64, places: usize) -> String {
    let text = fixed(value, places);
    let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
    if value > 0.0 && !is_zero { format!("+{text}") } else { text }
}

/// With a fixed number of decimals and the minus sign proper; zero has no sign.
pub(crate) fn fixed(value: f64, places: usize) -> String {
    minus(format!("{value:.places$}"))
}

/// With a sign in front, except for zero.
pub(crate) fn signed(value: f64, places: usize) -> String {
    let text = trimmed(format!("{value:.places$}"));
    if text.starts_with('-') || text.starts_with('\u{2212}') || text == "0" {
        text
    } else {
        format!("+{text}")
    }
}

fn trimmed(text: String) -> String {
    let text = match text.split_once('.') {
        Some((whole, decimals)) if decimals.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        _ => text,
    };
    minus(text)
}

/// Writes a negative zero as zero and a hyphen as a minus sign.
fn minus(text: String) -> String {
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|digit| matches!(digit, b'0' | b'.')) => {
            digits.to_owned()
        }
        Some(digits) => format!("\u{2212}{digits}"),
        None => text,
    }
}

/// A label as it may stand in a sentence: on one line, nothing that moves a cursor or turns the
/// writing direction, not too long.
pub(crate) fn quotable(text: &str) -> String {
    const LONGEST: usize = 60;
    let clean = crate::text::printable(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if clean.chars().count() <= LONGEST {
        return clean;
    }
    let mut short: String = clean.chars().take(LONGEST - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_of_a_sentence_is_in_both_languages() {
        let slots = |text: &str| -> std::collections::BTreeSet<String> {
            text.split('{')
                .skip(1)
                .filter_map(|part| part.split(['}', '|']).next())
                .map(str::to_owned)
                .collect()
        };
        for (code, phrase) in SENTENCES {
            assert_eq!(slots(phrase.en), slots(phrase.zh), "{code}");
            assert_eq!(SENTENCES.iter().filter(|(other, _)| other == code).count(), 1, "{code}");
        }
    }

    #[test]
    fn a_parameter_is_never_read_as_a_template() {
        let params = BTreeMap::from([
            ("rows".to_owned(), "1".to_owned()),
            ("majority_label".to_owned(), "{after}".to_owned()),
        ]);
        let text = fill("{rows|row|rows} of “{majority_label}”", &params);
        assert_eq!(text, "1 row of “{after}”");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(percent(0.8333), "83.3");
        assert_eq!(percent(0.5), "50");
        assert_eq!(points(-0.05), "−5");
        assert_eq!(points(0.123), "+12.3");
        assert_eq!(points(-0.0001), "0");
        assert_eq!(decimals(0.9996), "1.00");
        assert_eq!(decimals(12.34), "12.3");
        assert_eq!(decimals(-1.239), "−1.24");
        assert_eq!(decimals(1234.5), "1234");
    }

    #[test]
    fn a_quoted_label_is_harmless() {
        assert_eq!(quotable("a\u{1b}[31m\n b\u{202e}c"), "a\u{fffd}[31m b\u{fffd}c");
        assert_eq!(quotable(&"x".repeat(80)).chars().count(), 60);
    }
}
