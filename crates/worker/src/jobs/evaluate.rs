//! Comparing a run's result with its base model on the rows kept for the verdict.

use std::path::Path;

use sanbao_contract::Message as Turn;
use sanbao_contract::data::{Content, Example, Task};
use sanbao_contract::verdict::{Answer, Compared, Forgetting, Verdict};
use sanbao_contract::worker::{Message, Progress};
use sanbao_data::{Part, Prepared, Sequence, classify_messages};
use sanbao_evaluate::VerdictInput;
use sanbao_infer::{
    DEFAULT_TOKEN_BUDGET, Flow, Sampling, ScoredSequence, generate, sequence_losses,
};
use sanbao_models::Decoder;
use sanbao_project::Pointer;
use sanbao_text::{ChatOptions, Tokenizer};
use sanbao_train::Learns;
use sanbao_train::online::rewards::{Rewarded, Rewards};
use sanbao_train::online::rollout::Questions;
use sanbao_train::reward_model::scores;

use super::choices::Choices;
use super::export::not_trained;
use super::{Opened, PORTION, open, trained};
use crate::Error;

/// Rows whose answers are generated; every row counts for the loss.
const GENERATED_ROWS: usize = 40;
/// Longest generated answer in tokens.
const LONGEST_ANSWER: usize = 256;
/// Tokens of a passage of the forgetting check.
const PASSAGE: usize = 512;

/// The answers of a pair.
const CHOSEN: &str = "chosen";
const REJECTED: &str = "rejected";

/// General texts that ship with the program, by language.
const GENERAL_EN: &str = include_str!("../../../../assets/general/en.txt");
const GENERAL_ZH: &str = include_str!("../../../../assets/general/zh.txt");

/// Judges a run and writes `verdict.json`. `None` when it was stopped.
///
/// # Errors
/// When the run has no result yet, or a model fails.
pub fn evaluate(
    run: &Path,
    stop: &dyn Fn() -> bool,
    say: &mut dyn FnMut(Message),
) -> Result<Option<Verdict>, Error> {
    let Opened { folder, spec, base, device } = open(run)?;
    let data = Prepared::open(&folder.prepared())?;
    if folder.pointed(Pointer::Best)?.is_none() {
        return Err(not_trained(run));
    }
    let learns = &spec.settings.learns;
    let rows = Rows::new(&data, &base.tokenizer, learns)?;
    let mut model = base.load(&device.device)?;
    let rewards = match learns {
        Learns::Reward(online) => Some(super::rewards(&online.reward, &base, &model)?),
        _ => None,
    };
    let is_reward_model = learns.is_reward_model();
    if is_reward_model {
        // What the untuned model has instead of scores: which answer it finds likelier.
        model.score = None;
    }
    let judge = Judge { rows: &rows, tokenizer: &base.tokenizer, rewards: rewards.as_ref(), stop };
    let Some(before) = judge.answers(&model, "before", say)? else { return Ok(None) };
    // What writes no texts forgets none.
    let general = (!is_reward_model).then(|| general_text(&rows));
    let measured =
        |model: &Decoder| general.map(|text| perplexity(model, &base.tokenizer, text)).transpose();
    let perplexity_before = measured(&model)?;
    trained(&folder, None, &mut model)?;
    let Some(after) = judge.answers(&model, "after", say)? else { return Ok(None) };
    let perplexity_after = measured(&model)?;

    let labels = rows.labels.clone();
    let answered =
        matches!(rows.task, Task::Instruct | Task::PromptOnly).then(|| rows.generated_flags());
    let compared = rows.prompts.iter().zip(&rows.references).zip(before.into_iter().zip(after));
    let verdict = sanbao_evaluate::verdict(&VerdictInput {
        task: rows.task,
        labels,
        majority_label: spec.majority_label.clone(),
        rows: compared
            .map(|((prompt, reference), (before, after))| Compared {
                prompt: prompt.clone(),
                reference: reference.clone(),
                before,
                after,
            })
            .collect(),
        answered,
        is_reward_model,
        forgetting: perplexity_before.zip(perplexity_after).map(|(before, after)| Forgetting {
            before: before.0,
            after: after.0,
            tokens: before.1,
        }),
        seed: spec.settings.seed,
    })?;
    sanbao_project::write_json(&folder.verdict_path(), &verdict)?;
    Ok(Some(verdict))
}

/// The held-out rows, ready to be put to a model.
struct Rows {
    task: Task,
    labels: Vec<String>,
    /// As a person reads them.
    prompts: Vec<String>,
    references: Vec<String>,
    /// As the model reads them, up to where its answer begins; empty for prose.
    prompt_ids: Vec<Vec<u32>>,
    /// The whole row with the tokens that count.
    sequences: Vec<Sequence>,
    /// What the answer is chosen among (classify).
    choices: Option<Choices>,
    /// Longest generated answer in tokens.
    longest_answer: usize,
}

impl Rows {
    fn new(data: &Prepared, tokenizer: &Tokenizer, learns: &Learns) -> Result<Self, Error> {
        let report = data.report();
        let labels: Vec<String> = report.labels.iter().map(|(label, _)| label.clone()).collect();
        let mut rows = Self {
            task: report.task,
            labels,
            prompts: Vec::new(),
            references: Vec::new(),
            prompt_ids: Vec::new(),
            sequences: Vec::new(),
            choices: None,
            longest_answer: match learns {
                Learns::Reward(online) => online.max_completion_length,
                _ => LONGEST_ANSWER,
            },
        };
        let store = data.part(Part::Test);
        rows.sequences = (0..store.len()).map(|row| store.sequence(row)).collect();
        if let Learns::Reward(_) = learns {
            rows.ask(tokenizer)?;
            return Ok(rows);
        }
        if rows.task == Task::Unpaired {
            rows.pair_up(&data.examples(Part::Test)?);
            rows.task = Task::Preference;
            return Ok(rows);
        }
        if rows.task == Task::Prose {
            for sequence in &rows.sequences {
                rows.prompts.push(tokenizer.decode(&sequence.ids, true)?);
            }
            rows.references = vec![String::new(); rows.prompts.len()];
            return Ok(rows);
        }
        let examples = data.examples(Part::Test)?;
        if rows.task == Task::Preference {
            // A pair is two sequences, and each brings the example.
            examples.iter().step_by(2).for_each(|example| rows.add_pair(example));
            rows.labels = [CHOSEN, REJECTED].map(str::to_owned).to_vec();
            return Ok(rows);
        }
        for example in examples {
            rows.add(&example, tokenizer)?;
        }
        if rows.task == Task::Classify {
            rows.choices = Some(Choices::new(&rows.labels, tokenizer)?);
        }
        Ok(rows)
    }

    fn add(&mut self, example: &Example, tokenizer: &Tokenizer) -> Result<(), Error> {
        let (prompt, shown, reference) = match &example.content {
            Content::Classify { text, label } => {
                (classify_messages(text, &self.labels), text.clone(), label.clone())
            }
            Content::Instruct { messages } => split_last_answer(messages),
            _ => (Vec::new(), String::new(), String::new()),
        };
        let options = ChatOptions { add_generation_prompt: true, ..ChatOptions::default() };
        self.prompt_ids.push(tokenizer.encode_chat(&prompt, &options)?.ids);
        self.prompts.push(shown);
        self.references.push(reference);
        Ok(())
    }

    fn add_pair(&mut self, example: &Example) {
        let Content::Preference { prompt, chosen, rejected, .. } = &example.content else { return };
        let read = |turns: &[Turn]| turns.iter().map(Turn::text).collect::<Vec<_>>().join("\n");
        let (prompt, chosen, rejected) = (read(prompt), read(chosen), read(rejected));
        self.prompts.push(format!("{prompt}\n\n✓ {chosen}\n\n✗ {rejected}"));
        self.references.push(CHOSEN.to_owned());
    }

    /// Questions that both models answer for a reward, whatever the rows are: of a pair, the
    /// preferred answer is the reference.
    fn ask(&mut self, tokenizer: &Tokenizer) -> Result<(), Error> {
        let each = if matches!(self.task, Task::Preference | Task::Unpaired) { 2 } else { 1 };
        if self.task != Task::PromptOnly {
            self.task = Task::Instruct;
        }
        self.labels = Vec::new();
        self.sequences = std::mem::take(&mut self.sequences).into_iter().step_by(each).collect();
        let questions = Questions::new(tokenizer)?;
        for sequence in &self.sequences {
            let prompt = questions.read(sequence)?;
            self.prompts.push(prompt.text);
            self.references.push(prompt.reference);
            self.prompt_ids.push(prompt.ids);
        }
        Ok(())
    }

    /// Puts answers that were liked beside answers that were not, in the order of the rows; the
    /// fewer of the two are used again.
    fn pair_up(&mut self, examples: &[Example]) {
        let there = |side: usize| -> Vec<usize> {
            let slots = (side..self.sequences.len()).step_by(2);
            slots.filter(|at| !self.sequences[*at].ids.is_empty()).collect()
        };
        let (liked, others) = (there(0), there(1));
        let count =
            if liked.is_empty() || others.is_empty() { 0 } else { liked.len().max(others.len()) };
        let mut sequences = Vec::with_capacity(2 * count);
        for at in 0..count {
            let (good, bad) = (liked[at % liked.len()], others[at % others.len()]);
            sequences.extend([self.sequences[good].clone(), self.sequences[bad].clone()]);
            let shown = |at: usize| examples.get(at).map(shown_answer).unwrap_or_default();
            self.prompts.push(format!("✓ {}\n\n✗ {}", shown(good), shown(bad)));
            self.references.push(CHOSEN.to_owned());
        }
        self.sequences = sequences;
        self.labels = [CHOSEN, REJECTED].map(str::to_owned).to_vec();
    }

    /// Which rows are answered, spread evenly over the part.
    fn generated(&self) -> Vec<usize> {
        let count = self.prompt_ids.len();
        let wanted = count.min(GENERATED_ROWS);
        (0..wanted).map(|index| index * count / wanted.max(1)).collect()
    }

    fn generated_flags(&self) -> Vec<bool> {
        let mut flags = vec![false; self.prompt_ids.len()];
        self.generated().into_iter().for_each(|row| flags[row] = true);
        flags
    }
}

/// A single answer with its question, as a person reads them.
fn shown_answer(example: &Example) -> String {
    let Content::Unpaired { prompt, completion, .. } = &example.content else {
        return String::new();
    };
    let turns = prompt.iter().chain(completion);
    turns.map(Turn::text).collect::<Vec<_>>().join("\n")
}

/// The turns before the last answer, what a person would read as the question, and the answer.
fn split_last_answer(messages: &[Turn]) -> (Vec<Turn>, String, String) {
    let last = messages.iter().rposition(|turn| turn.role == "assistant").unwrap_or(messages.len());
    let prompt = messages[..last].to_vec();
    let shown = prompt.iter().rev().find(|turn| turn.role == "user").map_or("", Turn::text);
    let reference = messages.get(last).map_or("", Turn::text);
    (prompt.clone(), shown.to_owned(), reference.to_owned())
}

/// How likely an answer is, as a mean over its tokens (nats).
fn mean_log_probability(answer: &Answer) -> f64 {
    -answer.loss_sum / answer.loss_tokens.max(1) as f64
}

/// What a model makes of pairs of answers, from a figure for chosen and rejected ones in turn: the
/// answer with the higher figure is the one it prefers.
fn preferred(losses: &[Answer], figures: &[f64]) -> Vec<Answer> {
    let prefer = |(pair, figures): (&[Answer], &[f64])| {
        let chosen = 1.0 / (1.0 + (figures[1] - figures[0]).exp());
        let text = if chosen > 0.5 { CHOSEN } else { REJECTED };
        Answer {
            text: text.to_owned(),
            probabilities: vec![chosen, 1.0 - chosen],
            ..pair[0].clone()
        }
    };
    losses.chunks_exact(2).zip(figures.chunks_exact(2)).map(prefer).collect()
}

struct Judge<'a> {
    rows: &'a Rows,
    tokenizer: &'a Tokenizer,
    rewards: Option<&'a Rewards<'a>>,
    stop: &'a dyn Fn() -> bool,
}

impl Judge<'_> {
    /// A model's answer to every row; `None` when stopped.
    fn answers(
        &self,
        model: &Decoder,
        stage: &str,
        say: &mut dyn FnMut(Message),
    ) -> Result<Option<Vec<Answer>>, Error> {
        let total = self.rows.sequences.len() as u64;
        let mut tell = |done: usize| {
            let progress = Progress { stage: stage.to_owned(), done: done as u64, total };
            say(Message::Progress(progress));
        };
        tell(0);
        let mut answers: Vec<Answer> = Vec::new();
        for part in self.rows.sequences.chunks(32) {
            if (self.stop)() {
                return Ok(None);
            }
            let part: Vec<ScoredSequence> = part.iter().map(scored).collect();
            for loss in sequence_losses(model, &part, DEFAULT_TOKEN_BUDGET)? {
                answers.push(Answer {
                    text: String::new(),
                    probabilities: Vec::new(),
                    loss_sum: loss.sum,
                    loss_tokens: loss.tokens as u64,
                    reward: None,
                });
            }
            if matches!(self.rows.task, Task::Prose | Task::Preference) {
                tell(answers.len());
            }
        }
        if let Some(choices) = &self.rows.choices {
            self.choose(choices, model, &mut answers, &mut tell)?;
        }
        match self.rows.task {
            Task::Instruct | Task::PromptOnly => self.write(model, &mut answers, &mut tell)?,
            Task::Preference if model.score.is_some() => {
                answers = preferred(&answers, &scores(model, &self.rows.sequences, PORTION)?);
            }
            Task::Preference | Task::Unpaired => {
                let likelihoods: Vec<f64> = answers.iter().map(mean_log_probability).collect();
                answers = preferred(&answers, &likelihoods);
            }
            Task::Classify | Task::Prose => {}
        }
        Ok((!(self.stop)()).then_some(answers))
    }

    /// Answers with the likeliest label.
    fn choose(
        &self,
        choices: &Choices,
        model: &Decoder,
        answers: &mut [Answer],
        tell: &mut dyn FnMut(usize),
    ) -> Result<(), Error> {
        let mut done = 0;
        for (prompts, answers) in self.rows.prompt_ids.chunks(16).zip(answers.chunks_mut(16)) {
            if (self.stop)() {
                return Ok(());
            }
            for (answer, chosen) in answers.iter_mut().zip(choices.choose(model, prompts)?) {
                (answer.text, answer.probabilities) = chosen;
            }
            done += prompts.len();
            tell(done);
        }
        Ok(())
    }

    /// Answers greedily, some of the rows.
    fn write(
        &self,
        model: &Decoder,
        answers: &mut [Answer],
        tell: &mut dyn FnMut(usize),
    ) -> Result<(), Error> {
        let rows = self.rows.generated();
        let prompts: Vec<Vec<u32>> =
            rows.iter().map(|row| self.rows.prompt_ids[*row].clone()).collect();
        let mut finished = 0;
        let generated = generate(
            model,
            self.tokenizer,
            &prompts,
            &Sampling::greedy(self.rows.longest_answer),
            DEFAULT_TOKEN_BUDGET,
            &mut |_, piece| {
                if piece.finish.is_some() {
                    finished += 1;
                    tell(finished * self.rows.sequences.len() / rows.len().max(1));
                }
                if (self.stop)() { Flow::Stop } else { Flow::Continue }
            },
        )?;
        let mut answered = Vec::new();
        for (row, generated) in rows.iter().zip(generated) {
            answers[*row].text = generated.text;
            let prompt = &self.rows.prompt_ids[*row];
            let trained = [vec![false; prompt.len()], vec![true; generated.ids.len()]].concat();
            let ids = [prompt.as_slice(), generated.ids.as_slice()].concat();
            answered.push(Sequence { ids, trained });
        }
        let Some(rewards) = self.rewards else { return Ok(()) };
        let known = |row: usize| Some(self.rows.references[row].as_str()).filter(|r| !r.is_empty());
        let given: Vec<Rewarded<'_>> = rows
            .iter()
            .zip(&answered)
            .map(|(row, sequence)| Rewarded {
                prompt: &self.rows.prompts[*row],
                answer: &answers[*row].text,
                reference: known(*row),
                sequence,
            })
            .collect();
        let earned = rewards.give(&given)?;
        for (row, earned) in rows.into_iter().zip(earned) {
            answers[row].reward = Some(earned.reward);
        }
        Ok(())
    }
}

/// The general text in the language of the rows.
fn general_text(rows: &Rows) -> &'static str {
    let sample: String = rows.prompts.iter().take(50).flat_map(|text| text.chars()).collect();
    let chinese = sample.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
    let letters = sample.chars().filter(|c| c.is_alphabetic()).count();
    if chinese * 2 > letters { GENERAL_ZH } else { GENERAL_EN }
}

/// Perplexity on a general text, and the tokens it was measured on.
fn perplexity(model: &Decoder, tokenizer: &Tokenizer, text: &str) -> Result<(f64, u64), Error> {
    let ids = tokenizer.encode(text, true)?;
    let all_trained = vec![true; PASSAGE];
    let passages: Vec<ScoredSequence> = ids
        .chunks(PASSAGE.min(model.spec.max_position_embeddings))
        .map(|ids| ScoredSequence { ids, trained: &all_trained[..ids.len()] })
        .collect();
    let losses = sequence_losses(model, &passages, DEFAULT_TOKEN_BUDGET)?;
    let sum: f64 = losses.iter().map(|loss| loss.sum).sum();
    let tokens: u64 = losses.iter().map(|loss| loss.tokens as u64).sum();
    Ok(((sum / tokens.max(1) as f64).exp(), tokens))
}

fn scored(sequence: &Sequence) -> ScoredSequence<'_> {
    ScoredSequence { ids: &sequence.ids, trained: &sequence.trained }
}
