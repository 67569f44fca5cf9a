//! Runs that look like real ones, made from the sample data that ships with the product.
#![allow(dead_code)]

use sanbao_contract::Text;
use sanbao_contract::data::{
    DataReport, Finding, Mapping, Origin, PartReport, Recognition, Severity, Shape, Task,
};
use sanbao_contract::model::{Licence, MemoryNeeds, ModelCard};
use sanbao_contract::train::{Plan, Setting, StepMetrics};
use sanbao_contract::verdict::{Answer, Compared, Forgetting};
use sanbao_evaluate::{Hashed, Language, Provenance, ReportContext, VerdictInput};

/// A small generator of repeatable numbers (Steele et al. 2014, SplitMix64).
pub struct Chance(pub u64);

impl Chance {
    /// From 0 to 1.
    pub fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.share() * bound as f64) as usize
    }
}

/// Text, label and reply of each row of the sample file of a language.
pub fn support(language: Language) -> Vec<[String; 3]> {
    let name = if language == Language::En { "support_en" } else { "support_zh" };
    let path = format!("{}/../../assets/samples/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

fn labels(rows: &[[String; 3]]) -> Vec<String> {
    let mut labels: Vec<String> = rows.iter().map(|row| row[1].clone()).collect();
    labels.sort();
    labels.dedup();
    labels
}

/// Probabilities that favour one label, more strongly the more certain.
fn certain(of: usize, labels: usize, certainty: f64, chance: &mut Chance) -> Vec<f64> {
    let mut weights: Vec<f64> = (0..labels).map(|_| chance.share()).collect();
    weights[of] += certainty;
    let powers: Vec<f64> = weights.iter().map(|weight| (4.0 * weight).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

fn best(probabilities: &[f64]) -> usize {
    (0..probabilities.len()).max_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b])).unwrap()
}

/// A classification run: the untuned model leans to a few labels, the tuned one is mostly right.
pub fn classify(language: Language, count: usize, skill: f64) -> VerdictInput {
    let rows = support(language);
    let labels = labels(&rows);
    let mut chance = Chance(7);
    let compared = rows.iter().take(count).map(|row| {
        let truth = labels.iter().position(|label| *label == row[1]).unwrap();
        let leaning = if chance.share() < 0.3 { truth } else { chance.below(3) };
        let before = certain(leaning, labels.len(), 0.4, &mut chance);
        let target = if chance.share() < skill { truth } else { chance.below(labels.len()) };
        let after = certain(target, labels.len(), 1.1, &mut chance);
        let answer = |probabilities: Vec<f64>| Answer {
            text: labels[best(&probabilities)].clone(),
            loss_sum: -probabilities[truth].ln(),
            loss_tokens: 2,
            probabilities,
            reward: None,
        };
        Compared {
            prompt: row[0].clone(),
            reference: row[1].clone(),
            before: answer(before),
            after: answer(after),
        }
    });
    VerdictInput {
        task: Task::Classify,
        rows: compared.collect(),
        majority_label: labels.last().cloned(),
        labels,
        answered: None,
        is_reward_model: false,
        forgetting: Some(Forgetting { before: 23.41, after: 24.02, tokens: 1480 }),
        seed: 42,
    }
}

/// A run that teaches to answer in house style.
pub fn instruct(language: Language, count: usize) -> VerdictInput {
    let rows = support(language);
    let mut chance = Chance(11);
    let generic = match language {
        Language::En => [
            "I'm sorry to hear that you are having trouble. As a language model, I cannot access your order, but you can contact the shop's support team.",
            "Thank you for reaching out! Here are some steps you can take:\n1. Check your email for a confirmation.\n2. Contact customer service.\n3. Wait for a reply.",
            "That is a great question! It depends on the product.",
        ],
        Language::Zh => [
            "很抱歉给您带来不便。作为一个语言模型，我无法查询您的订单，建议您联系商家客服。",
            "感谢您的咨询！您可以尝试以下步骤：\n1. 查看订单确认邮件。\n2. 联系客服。\n3. 耐心等待回复。",
            "这是一个很好的问题！具体情况取决于商品。",
        ],
    };
    let pairs = rows.iter().take(count).enumerate().map(|(index, row)| {
        let tokens = (row[2].chars().count() as f64 / 3.6).ceil();
        let (before, after) = (2.6 + chance.share(), 1.5 + 0.9 * chance.share());
        let (before, after) = if index % 9 == 4 { (after, before - 0.4) } else { (before, after) };
        let same_kind: Vec<&[String; 3]> =
            rows.iter().filter(|other| other[1] == row[1] && other[0] != row[0]).collect();
        let answer = match chance.below(4) {
            0 => row[2].clone(),
            1 => half_of(&row[2], &same_kind[chance.below(same_kind.len())][2]),
            _ => same_kind[chance.below(same_kind.len())][2].clone(),
        };
        let answer = if index % 17 == 3 { String::new() } else { answer };
        let side = |text: String, loss: f64| Answer {
            text,
            probabilities: Vec::new(),
            loss_sum: loss * tokens,
            loss_tokens: tokens as u64,
            reward: None,
        };
        Compared {
            prompt: row[0].clone(),
            reference: row[2].clone(),
            before: side(generic[chance.below(3)].to_owned(), before),
            after: side(answer, after),
        }
    });
    VerdictInput {
        task: Task::Instruct,
        labels: Vec::new(),
        majority_label: None,
        rows: pairs.collect(),
        answered: None,
        is_reward_model: false,
        forgetting: Some(Forgetting { before: 23.41, after: 26.78, tokens: 1480 }),
        seed: 42,
    }
}

/// The first half of one text and the second of another.
fn half_of(first: &str, second: &str) -> String {
    let (a, b) = (first.chars().count() / 2, second.chars().count() / 2);
    first.chars().take(a).chain(second.chars().skip(b)).collect()
}

/// A run that continued training on prose.
pub fn prose(language: Language, count: usize) -> VerdictInput {
    let rows = support(language);
    let mut chance = Chance(5);
    let pairs = rows.chunks(4).take(count).map(|rows| {
        let passage = rows.iter().map(|row| row[2].as_str()).collect::<Vec<_>>().join("\n\n");
        let tokens = (passage.chars().count() / 4) as u64;
        let before = 3.1 + 0.5 * chance.share();
        let after = before - 0.35 + 0.3 * chance.share();
        let side = |loss: f64| Answer {
            text: String::new(),
            probabilities: Vec::new(),
            loss_sum: loss * tokens as f64,
            loss_tokens: tokens,
            reward: None,
        };
        Compared {
            prompt: passage,
            reference: String::new(),
            before: side(before),
            after: side(after),
        }
    });
    VerdictInput {
        task: Task::Prose,
        labels: Vec::new(),
        majority_label: None,
        rows: pairs.collect(),
        answered: None,
        is_reward_model: false,
        forgetting: None,
        seed: 42,
    }
}

fn setting(name: &str, value: serde_json::Value, chosen: bool, reason: Text) -> Setting {
    Setting { name: name.to_owned(), value, chosen, reason }
}

/// What else a report tells, for a run of the given task.
pub fn context(language: Language, input: &VerdictInput) -> ReportContext {
    let zh = language == Language::Zh;
    let pick = |en: &str, zh_text: &str| if zh { zh_text } else { en }.to_owned();
    let mut chance = Chance(3);
    let steps = (1..=96_u64).map(|step| {
        let progress = step as f64 / 96.0;
        let loss = 1.42 + 1.5 * (-4.0 * progress).exp() + 0.28 * (chance.share() - 0.5);
        let validation = 1.52 + 1.3 * (-3.6 * progress).exp() + 0.10 * progress * progress;
        StepMetrics {
            step,
            steps: 96,
            epoch: 3.0 * progress,
            loss,
            learning_rate: 2e-4 * (1.0 - progress),
            trained_tokens: 640,
            validation_loss: (step % 12 == 0).then_some(validation),
            ..StepMetrics::default()
        }
    });
    let mut counts: Vec<(String, u64)> =
        input.labels.iter().map(|label| (label.clone(), 29)).collect();
    for (at, count) in counts.iter_mut().enumerate() {
        count.1 += (at as u64 * 5) % 11;
    }
    counts.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    let part =
        |rows, tokens, trained_tokens| PartReport { rows, tokens, trained_tokens, longest: 118 };
    let finding = |code: &str, severity, rows, en: &str, zh: &str| Finding {
        code: code.to_owned(),
        severity,
        rows,
        examples: vec![Origin { file: "support.csv".to_owned(), row: 17, line: Some(18) }],
        message: Text::new(en, zh),
    };
    ReportContext {
        language,
        title: pick("Support messages, reply in house style", "客服消息，按店铺口吻回复"),
        plan: Plan {
            recipe: "lora".to_owned(),
            model: "SmolLM2-135M-Instruct".to_owned(),
            device: "cpu".to_owned(),
            trainable_parameters: 4_884_480,
            parameters: 139_399_488,
            rows: 252,
            tokens: 21_480,
            trained_tokens: 8_612,
            steps: 96,
            truncated_rows: 0,
            memory_needed: 1_900_000_000,
            memory_there: Some(8_000_000_000),
            recompute: false,
            seconds: Some(260.0),
            settings: vec![
                setting(
                    "learning_rate",
                    0.0002.into(),
                    false,
                    Text::new(
                        "Usual for LoRA on models of this size.",
                        "该规模模型做 LoRA 的常用值。",
                    ),
                ),
                setting(
                    "num_train_epochs",
                    3.into(),
                    true,
                    Text::new("Balanced would be 2.", "“均衡”档默认为 2。"),
                ),
                setting(
                    "lora_r",
                    16.into(),
                    false,
                    Text::new(
                        "Enough room for a style of writing without learning rows by heart.",
                        "足以学会一种文风，又不至于死记硬背。",
                    ),
                ),
                setting("lora_alpha", 32.into(), false, Text::new("Twice the rank.", "秩的两倍。")),
                setting(
                    "max_length",
                    256.into(),
                    false,
                    Text::new("The longest row has 118 tokens.", "最长的一行有 118 个词元。"),
                ),
                setting(
                    "lr_scheduler_type",
                    "cosine".into(),
                    false,
                    Text::new(
                        "Ends gently, so that the last rows do not pull the model about.",
                        "收尾平缓，避免最后几行带偏模型。",
                    ),
                ),
            ],
            warnings: Vec::new(),
        },
        data: DataReport {
            files: vec![Recognition {
                format: "csv".to_owned(),
                encoding: "UTF-8".to_owned(),
                delimiter: Some(','),
                columns: ["text", "label", "reply"].map(str::to_owned).to_vec(),
                mapping: Mapping { shape: Shape::TextLabel, fields: Vec::new() },
                reason: Text::new(
                    "The columns text and reply look like a question and its answer.",
                    "text 和 reply 两列看起来是提问与回答。",
                ),
            }],
            task: input.task,
            rows_read: 363,
            rows_dropped: 3,
            labels: counts,
            train: part(252, 21_480, 8_612),
            validation: part(36, 3_050, 1_230),
            test: part(input.rows.len() as u64, 6_112, 2_440),
            findings: vec![
                finding(
                    "duplicate",
                    Severity::Dropped,
                    3,
                    "Three rows are exact copies of others and were left out.",
                    "有三行与其他行完全相同，已排除。",
                ),
                finding(
                    "short",
                    Severity::Note,
                    8,
                    "Eight messages have fewer than eight words.",
                    "有八条消息少于八个词。",
                ),
            ],
        },
        model: Some(ModelCard {
            name: "SmolLM2-135M-Instruct".to_owned(),
            architecture: "llama".to_owned(),
            parameters: 134_515_008,
            context: 8192,
            vocabulary: 49_152,
            layers: 30,
            hidden: 576,
            languages: vec!["en".to_owned()],
            stored_as: "Q4_1".to_owned(),
            bytes_on_disk: 98_362_432,
            has_chat_template: true,
            licence: Licence {
                id: Some("Apache-2.0".to_owned()),
                commercial_use: Some(true),
                redistribution: Some(true),
                summary: String::new(),
            },
            memory: MemoryNeeds { tokens: 2048, run: 1, lora: 2, full: 3 },
        }),
        steps: steps.collect(),
        best_step: Some(84),
        provenance: Provenance {
            created: "2026-03-14 16:20".to_owned(),
            seconds: Some(252.4),
            seed: 42,
            inputs: vec![
                Hashed {
                    name: "SmolLM2-135M-Instruct.Q4_1.gguf".to_owned(),
                    hash:
                        "sha256:b179c952000000000000000000000000000000000000000000000000000000b53"
                            .to_owned(),
                },
                Hashed {
                    name: "support.csv".to_owned(),
                    hash: "blake3:6f1d0c2e4b8a95730e7c1f2d3a4b5c6d7e8f90112233445566778899aabbccdd"
                        .to_owned(),
                },
            ],
            versions: vec![
                ("sanbao".to_owned(), "0.1.0".to_owned()),
                ("burn".to_owned(), "0.22.1".to_owned()),
            ],
        },
    }
}
