//! The words of the verdict.

use crate::Phrase;

/// Codes and their words.
pub(super) static SENTENCES: &[(&str, Phrase)] = &[
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
