//! The report's own words.

use sanbao_contract::data::{Severity, Task};
use sanbao_contract::verdict::{Score, Why};

use crate::{Language, Phrase};

macro_rules! messages {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        /// Words of the page, by their place in it.
        pub(super) struct Messages {
            $(pub(super) $name: &'static str,)*
        }

        static EN: Messages = Messages { $($name: $en,)* };
        static ZH: Messages = Messages { $($name: $zh,)* };
    };
}

messages! {
    report: "Verdict", "评估报告";
    before: "Before training", "训练前";
    after: "After training", "训练后";
    before_short: "Before", "训练前";
    after_short: "After", "训练后";
    difference: "Difference", "差异";
    metric: "Metric", "指标";
    interval: "95% interval", "95% 区间";
    to: "to", "至";
    held_out: "Held-out rows", "留出的行数";
    held_out_note: "never seen in training", "训练中从未见过";
    changed: "{n} answers changed", "{n} 行的回答有变化";
    general: "General text", "通用文本";
    general_note: "change of perplexity", "困惑度变化";
    majority: "Most frequent label", "最常见的标签";
    majority_note: "accuracy of always answering “{label}”", "一律回答“{label}”的准确率";
    metrics_title: "Before and after", "训练前后";
    metrics_note: "Dots are the figures, lines their 95% intervals: with other rows of the same kind the figure would most likely lie within them.", "圆点为数值，横线为 95% 区间：换用同类的其他行，数值大概率仍落在区间内。";
    majority_line: " The dashed line is what always answering the most frequent label would reach.", "虚线表示一律回答最常见标签所能达到的准确率。";
    lower: "lower is better", "越低越好";
    more_metrics: "More measures", "更多指标";
    confusion_title: "Which labels are mixed up", "哪些标签被混淆";
    confusion_note: "Each row is a true label, each column the label chosen; full colour means every row of that label. The diagonal is right.", "每行是真实标签，每列是模型选择的标签；颜色越深，该标签中的占比越高。对角线为答对。";
    confusion_other: "others", "其他";
    confusion_truth: "true label", "真实标签";
    confusion_answer: "label chosen", "选择的标签";
    training_title: "What was trained", "训练内容";
    model: "Base model", "基础模型";
    licence: "Licence", "许可证";
    recipe: "Recipe", "训练方式";
    device: "Device", "设备";
    trainable: "Weights trained", "训练的参数";
    of: "of", "／";
    rows_per_epoch: "Rows per epoch", "每轮行数";
    tokens_learnt: "Tokens learnt per epoch", "每轮学习的词元";
    steps: "Steps", "步数";
    time: "Time", "用时";
    setting: "Setting", "设置";
    value: "Value", "取值";
    reason: "Reason", "理由";
    chosen: "chosen by you", "由你选定";
    curve_title: "How the training went", "训练过程";
    curve_note: "Loss of the training rows (thin: each step, thick: smoothed) and of the validation rows, which are not trained on.", "训练行的损失（细线为每一步，粗线为平滑后）以及不参与训练的验证行的损失。";
    curve_step: "step", "步";
    curve_train: "training", "训练";
    curve_validation: "validation", "验证";
    curve_best: "kept", "保留";
    data_title: "The data", "数据";
    part: "Part", "部分";
    rows: "Rows", "行";
    tokens: "Tokens", "词元";
    trained_tokens: "With loss", "计入损失";
    longest: "Longest", "最长";
    part_train: "Training", "训练";
    part_validation: "Validation", "验证";
    part_test: "Held out", "留出";
    rows_read: "{read} rows read.", "共读取 {read} 行。";
    rows_read_dropped: "{read} rows read, {dropped} left out.", "共读取 {read} 行，排除 {dropped} 行。";
    labels_title: "Labels", "标签";
    more_labels: "more labels", "个其他标签";
    findings_title: "Found by the check", "检查发现";
    no_findings: "The check found nothing to object to.", "检查未发现问题。";
    forgetting_title: "What was forgotten", "遗忘情况";
    forgetting_note: "Perplexity on a general text that has nothing to do with the task; lower is better.", "在与任务无关的通用文本上的困惑度，越低越好。";
    side_title: "Side by side", "逐行对照";
    side_note: "The rows that gained most, some typical ones, and those that lost most. Words that are not in the expected answer are underlined.", "提升最多的行、若干典型行，以及退步最多的行。预期答案中没有的词语以下划线标出。";
    side_note_plain: "The rows that gained most, some typical ones, and those that lost most.", "提升最多的行、若干典型行，以及退步最多的行。";
    asked: "Asked", "提问";
    passage: "Passage", "文段";
    text: "Text", "文本";
    expected: "Expected", "预期";
    row: "Row", "第";
    row_suffix: "", " 行";
    empty: "(empty)", "（空）";
    shortened: "Long texts are shortened here; the verdict file holds them whole.", "较长的文本在此处有删节，完整内容见结果文件。";
    reproduce_title: "To do it again", "如何复现";
    reproduce_note: "The same files, settings, seed and versions give the same result on the same kind of device.", "在同类设备上，使用相同的文件、设置、随机种子和版本即可得到相同结果。";
    seed: "Seed", "随机种子";
    interval_seed: "Seed of the intervals", "区间的随机种子";
    yes: "right", "正确";
    no: "wrong", "错误";
}

/// The words in a language.
pub(super) fn messages(language: Language) -> &'static Messages {
    match language {
        Language::En => &EN,
        Language::Zh => &ZH,
    }
}

/// Why a row is shown.
pub(super) fn why(why: Why) -> Phrase {
    match why {
        Why::Gain => Phrase { en: "Gained", zh: "提升" },
        Why::Regression => Phrase { en: "Lost", zh: "退步" },
        Why::Typical => Phrase { en: "Typical", zh: "典型" },
    }
}

/// What a row was ranked by.
pub(super) fn score(score: Score) -> Phrase {
    match score {
        Score::Probability => {
            Phrase { en: "probability of the right label", zh: "正确标签的概率" }
        }
        Score::Chrf => Phrase { en: "chrF", zh: "chrF" },
        Score::Perplexity => Phrase { en: "perplexity", zh: "困惑度" },
        Score::Reward => Phrase { en: "reward", zh: "奖励" },
    }
}

/// What was learnt.
pub(super) fn task(task: Task) -> Phrase {
    match task {
        Task::Classify => Phrase { en: "Choosing a label", zh: "选择标签" },
        Task::Instruct => Phrase { en: "Answering", zh: "回答问题" },
        Task::PromptOnly => Phrase { en: "Earning rewards", zh: "获得奖励" },
        Task::Prose => Phrase { en: "Continuing prose", zh: "续写文字" },
        Task::Preference => Phrase { en: "Preferring answers", zh: "偏好回答" },
        Task::Unpaired => {
            Phrase { en: "Giving answers that are liked", zh: "给出被喜欢的回答" }
        }
    }
}

/// How serious a finding is.
pub(super) fn severity(severity: Severity) -> Phrase {
    match severity {
        Severity::Note => Phrase { en: "Note", zh: "提示" },
        Severity::Warning => Phrase { en: "Warning", zh: "警告" },
        Severity::Dropped => Phrase { en: "Left out", zh: "已排除" },
        Severity::Error => Phrase { en: "Error", zh: "错误" },
    }
}
