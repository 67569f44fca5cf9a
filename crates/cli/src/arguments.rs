//! What can be typed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use sanbao_contract::data::Shape;
use sanbao_contract::train::Dial;
use sanbao_train::recipes::RECIPES;
use serde_json::Value;

use crate::commands::feedback::FeedbackCommand;
use crate::commands::reward::RewardCommand;

/// Make your own language model, without code.
///
/// A base model and a file of examples go in; a tuned model, an honest verdict and files to
/// use it with come out. Nothing leaves this machine.
#[derive(Debug, Parser)]
#[command(name = "sanbao", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Do the whole job: prepare, plan, train, judge, export
    Make(MakeArgs),
    /// Show what a base model is: size, licence, memory it needs
    Model(ModelArgs),
    /// List what can compute here
    Devices(DevicesArgs),
    /// Look at examples before training
    #[command(subcommand)]
    Data(DataCommand),
    /// Show what a training run would do, and whether it fits
    Plan(PlanArgs),
    /// Train, or go on with a run that was stopped
    Train(TrainArgs),
    /// Compare a trained run with its base model on held-out rows
    Evaluate(RunArgs),
    /// Write a trained model for other programs
    Export(ExportArgs),
    /// Talk to a model
    Chat(ChatArgs),
    /// Answer every row of a file
    Batch(BatchArgs),
    /// List recipes and their settings
    Recipes(JsonArgs),
    /// Votes on answers: bring together, look at, make into rows
    #[command(subcommand)]
    Feedback(FeedbackCommand),
    /// Reward models and rules: train, examine, score
    #[command(subcommand)]
    Reward(RewardCommand),
    /// Show the window in a browser, from this machine only
    Serve(ServeArgs),
    /// Run a job for a parent process
    #[command(hide = true)]
    Worker,
}

/// `sanbao serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Port; any free one when left out
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Folder of the window's files, when they are not beside this program
    #[arg(long, value_name = "FOLDER")]
    pub ui: Option<PathBuf>,
}

/// `sanbao data`.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Show what was recognised, what is wrong, and what the model will see
    Show(DataShowArgs),
}

/// Only `--json`.
#[derive(Debug, Args)]
pub struct JsonArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A base model to look at.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// Hugging Face folder or .gguf file; the starter model when left out
    pub model: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Devices.
#[derive(Debug, Args)]
pub struct DevicesArgs {
    /// Also check that each computes correctly, and how fast
    #[arg(long)]
    pub check: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A base model.
#[derive(Debug, Clone, Args)]
pub struct BaseArgs {
    /// Base model: Hugging Face folder or .gguf file; the starter model when left out
    #[arg(long, value_name = "FOLDER|FILE")]
    pub model: Option<PathBuf>,
}

/// Files of examples.
#[derive(Debug, Clone, Args)]
pub struct SourceArgs {
    /// Examples: CSV, TSV, JSONL, JSON or text; may be given several times
    #[arg(long = "data", value_name = "FILE")]
    pub data: Vec<PathBuf>,
    /// Examples that steer training but are not learnt; a share of --data when left out
    #[arg(long, value_name = "FILE")]
    pub validation: Vec<PathBuf>,
    /// Examples kept for the verdict, never learnt; a share of --data when left out
    #[arg(long, value_name = "FILE")]
    pub test: Vec<PathBuf>,
    /// What the rows are, when it is not recognised
    #[arg(long, value_enum)]
    pub shape: Option<ShapeArg>,
    /// Fill a field from columns: prompt='{{title}}: {{text}}'; may be given several times
    #[arg(long = "map", value_name = "FIELD=TEMPLATE")]
    pub map: Vec<String>,
    /// What to learn from the rows, when not the usual
    #[arg(long, value_enum)]
    pub task: Option<TaskArg>,
}

/// How to train.
#[derive(Debug, Clone, Args)]
pub struct RecipeArgs {
    /// Recipe (see `sanbao recipes`); the one that fits the rows when left out
    #[arg(long)]
    pub recipe: Option<String>,
    /// Reward answers by a rule, for recipes that learn from rewards: json, length:min=20,max=80,
    /// contains:texts=please (see `sanbao reward cards`); may be given several times
    #[arg(long = "reward", value_name = "CARD")]
    pub reward: Vec<String>,
    /// Reward answers by a reward model: the folder of a run of the recipe reward_model
    #[arg(long, value_name = "RUN")]
    pub reward_model: Option<PathBuf>,
    /// How much time to take
    #[arg(long, value_enum, default_value = "balanced")]
    pub dial: DialArg,
    /// Set a hyper-parameter: learning_rate=0.0005; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Where to compute: auto, cpu, or an id from `sanbao devices`
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// Start of every random choice
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
}

/// `sanbao data show`.
#[derive(Debug, Args)]
pub struct DataShowArgs {
    /// Base model.
    #[command(flatten)]
    pub base: BaseArgs,
    /// Examples.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Rows to show as the model sees them
    #[arg(long, default_value_t = 3)]
    pub rows: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `sanbao plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Base model.
    #[command(flatten)]
    pub base: BaseArgs,
    /// Examples.
    #[command(flatten)]
    pub source: SourceArgs,
    /// How to train.
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `sanbao train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Base model.
    #[command(flatten)]
    pub base: BaseArgs,
    /// Examples.
    #[command(flatten)]
    pub source: SourceArgs,
    /// How to train.
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// Folder of the run
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Go on with the run in --out
    #[arg(long)]
    pub resume: bool,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `sanbao make`.
#[derive(Debug, Args)]
pub struct MakeArgs {
    /// Base model.
    #[command(flatten)]
    pub base: BaseArgs,
    /// Examples.
    #[command(flatten)]
    pub source: SourceArgs,
    /// How to train.
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// Folder of the run
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Export targets, separated by commas; none for no export
    #[arg(long, default_value = "peft")]
    pub export: String,
}

/// A run.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Folder of the run
    #[arg(long, value_name = "FOLDER")]
    pub run: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `sanbao export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Folder of the run
    #[arg(long, value_name = "FOLDER")]
    pub run: PathBuf,
    /// peft, hf, gguf or ollama
    #[arg(long)]
    pub target: String,
    /// Numbers of the weights: f32, f16, bf16, q8_0, as far as the target takes them
    #[arg(long)]
    pub dtype: Option<String>,
    /// The model after an epoch (from 1) instead of the best
    #[arg(long)]
    pub epoch: Option<u64>,
    /// Folder to write
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
}

/// A model to answer with.
#[derive(Debug, Clone, Args)]
pub struct AnswererArgs {
    /// Base model: Hugging Face folder or .gguf file; the starter model when left out
    #[arg(long, value_name = "FOLDER|FILE", conflicts_with = "run")]
    pub model: Option<PathBuf>,
    /// A trained run instead
    #[arg(long, value_name = "FOLDER")]
    pub run: Option<PathBuf>,
    /// A PEFT adapter folder on top of the base model
    #[arg(long, value_name = "FOLDER", conflicts_with = "run")]
    pub adapter: Option<PathBuf>,
    /// The run's model after an epoch (from 1) instead of the best
    #[arg(long, requires = "run")]
    pub epoch: Option<u64>,
    /// Where to compute: auto, cpu, or an id from `sanbao devices`
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// Liveliness: 0 always takes the likeliest word
    #[arg(long, default_value_t = 0.7)]
    pub temperature: f64,
    /// Only words that together have this probability
    #[arg(long, default_value_t = 0.95)]
    pub top_p: f64,
    /// Only this many likeliest words; 0 for all
    #[arg(long, default_value_t = 0)]
    pub top_k: usize,
    /// Only words at least this likely beside the likeliest
    #[arg(long, default_value_t = 0.0)]
    pub min_p: f64,
    /// Above 1, words that were used become less likely
    #[arg(long, default_value_t = 1.0)]
    pub repetition_penalty: f64,
    /// Longest answer in tokens
    #[arg(long, default_value_t = 512)]
    pub max_new_tokens: usize,
    /// End the answer before this text; may be given several times
    #[arg(long)]
    pub stop: Vec<String>,
    /// Start of every random choice
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
}

/// `sanbao chat`.
#[derive(Debug, Args)]
pub struct ChatArgs {
    /// The model.
    #[command(flatten)]
    pub answerer: AnswererArgs,
    /// What the model is told first
    #[arg(long)]
    pub system: Option<String>,
    /// Ask this and leave; without it, a conversation begins
    pub message: Option<String>,
}

/// `sanbao batch`.
#[derive(Debug, Args)]
pub struct BatchArgs {
    /// The model.
    #[command(flatten)]
    pub answerer: AnswererArgs,
    /// File of prompts
    #[arg(long = "data", value_name = "FILE")]
    pub data: PathBuf,
    /// The prompt over columns: '{{title}}: {{text}}'; as the columns tell when left out
    #[arg(long)]
    pub prompt: Option<String>,
    /// The answer over columns, for a reward model to score; all others write one
    #[arg(long)]
    pub answer: Option<String>,
    /// What the model is told first
    #[arg(long)]
    pub system: Option<String>,
    /// CSV file to write: the columns of the input and `answer`, for labels with its `probability`, or a
    /// reward model's `score`
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `--dial`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DialArg {
    /// See in minutes whether it works at all
    Quick,
    /// The usual choice
    Balanced,
    /// Take the time that it needs
    Thorough,
}

impl From<DialArg> for Dial {
    fn from(dial: DialArg) -> Self {
        match dial {
            DialArg::Quick => Self::Quick,
            DialArg::Balanced => Self::Balanced,
            DialArg::Thorough => Self::Thorough,
        }
    }
}

/// `--shape`.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum ShapeArg {
    /// text, label
    TextLabel,
    /// instruction, input, output
    Instruction,
    /// prompt, completion
    PromptCompletion,
    /// context, question, answer
    QuestionAnswer,
    /// messages
    Messages,
    /// prompt, chosen, rejected
    Preference,
    /// prompt, response_a, response_b, and winner or rating_a and rating_b
    Comparison,
    /// prompt, completions (a list of answers with a rating each)
    Ratings,
    /// prompt, completion, label (good or bad)
    Unpaired,
    /// prompt, without an answer
    PromptOnly,
    /// running text
    Prose,
}

impl From<ShapeArg> for Shape {
    fn from(shape: ShapeArg) -> Self {
        match shape {
            ShapeArg::TextLabel => Self::TextLabel,
            ShapeArg::Instruction => Self::Instruction,
            ShapeArg::PromptCompletion => Self::PromptCompletion,
            ShapeArg::QuestionAnswer => Self::QuestionAnswer,
            ShapeArg::Messages => Self::Messages,
            ShapeArg::Preference => Self::Preference,
            ShapeArg::Comparison => Self::Comparison,
            ShapeArg::Ratings => Self::Ratings,
            ShapeArg::Unpaired => Self::Unpaired,
            ShapeArg::PromptOnly => Self::PromptOnly,
            ShapeArg::Prose => Self::Prose,
        }
    }
}

/// `--task`.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum TaskArg {
    /// Answer with one of the labels
    Classify,
    /// Answer a prompt
    Instruct,
    /// Answer a prompt without an answer to learn from; rewards judge the answers
    PromptOnly,
    /// Continue running text
    Prose,
}

impl From<TaskArg> for sanbao_contract::data::Task {
    fn from(task: TaskArg) -> Self {
        match task {
            TaskArg::Classify => Self::Classify,
            TaskArg::Instruct => Self::Instruct,
            TaskArg::PromptOnly => Self::PromptOnly,
            TaskArg::Prose => Self::Prose,
        }
    }
}

/// Reads `--set NAME=VALUE` by the recipe's own declarations.
///
/// # Errors
/// When it is not of that form, the name is not known, or the value is out of range.
pub fn chosen(set: &[String]) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut chosen = BTreeMap::new();
    for pair in set {
        let Some((name, text)) = pair.split_once('=') else {
            anyhow::bail!(
                "--set {pair} is not of the form NAME=VALUE, for example --set learning_rate=0.0005"
            );
        };
        // What fits no recipe is refused here; what the recipe lacks or bounds more narrowly is
        // refused when it resolves.
        let known = RECIPES.iter().flat_map(|recipe| recipe.parameters);
        let mut refused = None;
        let mut value = None;
        for parameter in known.filter(|parameter| parameter.name == name) {
            match parameter.parse(text) {
                Ok(parsed) => value = value.or(Some(parsed)),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        let value = match (value, refused) {
            (Some(value), _) => value,
            (None, Some(error)) => return Err(error.into()),
            (None, None) => Value::from(text),
        };
        chosen.insert(name.to_owned(), value);
    }
    Ok(chosen)
}
