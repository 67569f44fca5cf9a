//! What the window asks of Rust, what it gets, and what it is told unasked: one command, one
//! stream of events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Fault;
use crate::Message;
use crate::app::{
    ChatModel, DataView, Download, Exported, Filter, MachineLoad, ModelEntry, Project,
    ProjectSummary, RecipeChoice, RecipeInfo, RowPage, RunMetrics, RunSummary, Sampling, Serving,
    Settings, TargetInfo,
};
use crate::data::Mapping;
use crate::doctor::Examined;
use crate::feedback::{Ballot, BallotFilter, Choice, FeedbackForm, FeedbackStats};
use crate::model::DeviceReport;
use crate::reward::{CardInfo, Reward, Scored};
use crate::train::{Plan, RunEvent};
use crate::verdict::Verdict;
use crate::worker::Progress;

/// A request of the window. `project`, `run`, `file` and `model` are the ids (file: the name) that
/// earlier replies gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// What runs here?
    About,
    /// What can compute here? The first answer of a machine takes seconds: devices are checked.
    Devices,

    /// Every project, the one worked on last first.
    Projects,
    /// A new, empty project.
    CreateProject {
        /// Name for people; several projects may share it.
        name: String,
    },
    /// Everything about one project.
    Project {
        /// Id.
        project: String,
    },
    /// Gives a project another name.
    RenameProject {
        /// Id.
        project: String,
        /// The new name.
        name: String,
    },
    /// Copies a project with its files, settings and runs.
    DuplicateProject {
        /// Id.
        project: String,
        /// The copy's name.
        name: String,
    },
    /// Puts a project into the bin, from where it can be restored.
    DeleteProject {
        /// Id.
        project: String,
    },
    /// Takes a project out of the bin.
    RestoreProject {
        /// Id.
        project: String,
    },

    /// Base models: those on this machine first, then what can be fetched.
    Models,
    /// Starts fetching a model, or goes on; `Event::Download` tells how it goes.
    DownloadModel {
        /// Id.
        model: String,
    },
    /// Stops fetching; what is there is kept, so that it can go on.
    PauseDownload {
        /// Id.
        model: String,
    },
    /// Takes a Hugging Face folder or GGUF file of this machine into the list.
    AddModel {
        /// Where it lies.
        path: String,
    },
    /// Keeps the Hugging Face access token for gated models in the system's keychain.
    SetHubToken {
        /// The token; removed when `None`.
        token: Option<String>,
    },
    /// Takes a model off the list; files that Sanbao fetched are deleted, others stay.
    RemoveModel {
        /// Id.
        model: String,
    },
    /// What was set for the whole program.
    Settings,
    /// Fetches models from another address than the Hugging Face hub.
    SetHubMirror {
        /// `https://…`; the hub itself when `None`.
        mirror: Option<String>,
    },
    /// How busy the machine is.
    MachineLoad,
    /// Chooses the base model of a project.
    ChooseBase {
        /// Project.
        project: String,
        /// Model.
        model: String,
    },

    /// Copies files into a project and reads them.
    AddFiles {
        /// Project.
        project: String,
        /// Where they lie.
        paths: Vec<String>,
    },
    /// Takes a pasted table or text as a file.
    AddText {
        /// Project.
        project: String,
        /// What was pasted.
        text: String,
    },
    /// Adds the sample that comes with Sanbao.
    AddSample {
        /// Project.
        project: String,
        /// `en` or `zh`.
        language: String,
    },
    /// Takes a file out of a project.
    RemoveFile {
        /// Project.
        project: String,
        /// File.
        file: String,
    },
    /// Says what the columns of a file are for; as recognised when `None`.
    SetMapping {
        /// Project.
        project: String,
        /// File.
        file: String,
        /// The mapping.
        mapping: Option<Mapping>,
    },
    /// A page of a file's rows.
    Rows {
        /// Project.
        project: String,
        /// File.
        file: String,
        /// Rows to skip.
        #[ts(type = "number")]
        offset: u64,
        /// Rows to give, at most 500.
        #[ts(type = "number")]
        limit: u64,
        /// Only rows that contain this text; all when empty.
        search: String,
        /// Only some rows.
        filter: Filter,
    },
    /// Changes the values of a row; as in the file when `None`.
    EditRow {
        /// Project.
        project: String,
        /// File.
        file: String,
        /// 1-based number of the row in the file.
        #[ts(type = "number")]
        row: u64,
        /// A value for each column.
        values: Option<Vec<String>>,
    },
    /// Leaves rows out, or takes them in again.
    ExcludeRows {
        /// Project.
        project: String,
        /// File.
        file: String,
        /// 1-based numbers of the rows in the file.
        #[ts(type = "number[]")]
        rows: Vec<u64>,
        /// Whether they are left out.
        excluded: bool,
    },
    /// Checks, splits and tokenises a project's files without training.
    CheckData {
        /// Project.
        project: String,
    },

    /// Recipes that are built, which fit the project's data and why.
    Recipes {
        /// Project.
        project: String,
    },
    /// Chooses recipe, dial, device and hyper-parameters of the next run.
    SetRecipe {
        /// Project.
        project: String,
        /// The choice.
        choice: RecipeChoice,
    },
    /// What the next run would do. Measures how fast this machine is: takes seconds.
    Plan {
        /// Project.
        project: String,
    },

    /// Starts the run that `Plan` described. It trains, then it is judged.
    StartRun {
        /// Project.
        project: String,
    },
    /// Stops a run; it can go on later.
    StopRun {
        /// Project.
        project: String,
        /// Run.
        run: String,
    },
    /// Ends training and keeps the best so far, which is then judged.
    FinishRun {
        /// Project.
        project: String,
        /// Run.
        run: String,
    },
    /// Goes on with a run that was stopped or broke.
    ResumeRun {
        /// Project.
        project: String,
        /// Run.
        run: String,
    },
    /// Removes a run that is not active.
    DeleteRun {
        /// Project.
        project: String,
        /// Run.
        run: String,
    },
    /// All steps of a run so far.
    RunMetrics {
        /// Project.
        project: String,
        /// Run.
        run: String,
    },
    /// The verdict of a run.
    Verdict {
        /// Project.
        project: String,
        /// Run.
        run: String,
    },
    /// Writes the verdict as one HTML page.
    Report {
        /// Project.
        project: String,
        /// Run.
        run: String,
        /// `en` or `zh`.
        language: String,
    },

    /// Answers a conversation; the answer comes as `Event::ChatPiece`, `Event::ChatEnded`.
    Chat {
        /// Chosen by the window, to tell answers apart.
        chat: String,
        /// Project.
        project: String,
        /// Who answers.
        model: ChatModel,
        /// The conversation; its last turn is the user's.
        messages: Vec<Message>,
        /// How answers are drawn.
        sampling: Sampling,
    },
    /// Ends an answer early.
    StopChat {
        /// Chat.
        chat: String,
    },

    /// Looks at a file that is to be answered.
    LookAtFile {
        /// Project.
        project: String,
        /// Who is to answer.
        model: ChatModel,
        /// The file.
        path: String,
    },
    /// Answers every row of a file; `Event::Progress` tells how it goes.
    AnswerFile {
        /// Project.
        project: String,
        /// Who answers.
        model: ChatModel,
        /// The file.
        path: String,
        /// What is asked: a template such as `{{question}}`; the only column when `None`.
        prompt: Option<String>,
        /// The answer that a reward model scores, a template as well; all others write one.
        answer: Option<String>,
        /// How answers are drawn.
        sampling: Sampling,
        /// The CSV file to write; beside the file when `None`.
        out: Option<String>,
    },
    /// Stops answering a project's file; nothing is written.
    StopAnswerFile {
        /// Project.
        project: String,
    },

    /// Ballots and what the votes say.
    Feedback {
        /// Project.
        project: String,
        /// Which ballots.
        filter: BallotFilter,
        /// Ballots to skip.
        #[ts(type = "number")]
        offset: u64,
        /// Ballots to give, at most 500.
        #[ts(type = "number")]
        limit: u64,
    },
    /// Questions from the project's data, those kept for the verdict first.
    FeedbackPrompts {
        /// Project.
        project: String,
        /// How many.
        #[ts(type = "number")]
        count: u64,
    },
    /// Has questions answered for ballots, one after the other; `Event::Ballots` tells which are
    /// there.
    AddBallots {
        /// Project.
        project: String,
        /// The questions.
        prompts: Vec<String>,
        /// Who answers: each writes as many answers as it is named.
        authors: Vec<ChatModel>,
        /// How answers are drawn; every answer has a seed of its own.
        sampling: Sampling,
    },
    /// Stops writing answers for ballots; those that are there stay.
    StopBallots {
        /// Project.
        project: String,
    },
    /// Votes, or takes a vote back when `None`.
    Vote {
        /// Project.
        project: String,
        /// Ballot.
        #[ts(type = "number")]
        ballot: u64,
        /// What.
        choice: Option<Choice>,
        /// Seconds from seeing the ballot.
        seconds: f64,
    },
    /// Removes a ballot.
    DeleteBallot {
        /// Project.
        project: String,
        /// Ballot.
        #[ts(type = "number")]
        ballot: u64,
    },
    /// Makes a file of the project's data out of the votes; it replaces the one made before.
    UseFeedback {
        /// Project.
        project: String,
        /// What of them.
        form: FeedbackForm,
    },
    /// Writes the votes to a file.
    ExportFeedback {
        /// Project.
        project: String,
        /// What of them; everything, to be imported elsewhere, when `None`.
        form: Option<FeedbackForm>,
        /// The file.
        path: String,
    },
    /// Takes in ballots that were exported elsewhere.
    ImportFeedback {
        /// Project.
        project: String,
        /// The file.
        path: String,
        /// Who voted, where the file does not say.
        rater: String,
    },

    /// Rules that answers can be rewarded by.
    Cards,
    /// What a reward gives real answers of the project.
    TryReward {
        /// Project.
        project: String,
        /// The reward.
        reward: Reward,
    },
    /// What was found when a run's reward model was last examined.
    RewardExamined {
        /// Project.
        project: String,
        /// Run.
        run: String,
    },
    /// Examines a run's reward model on its held-out pairs; `Event::Progress` tells how it goes.
    ExamineReward {
        /// Project.
        project: String,
        /// Run.
        run: String,
    },
    /// Stops examining it.
    StopExamineReward {
        /// Project.
        project: String,
        /// Run.
        run: String,
    },

    /// What a model can be exported as.
    Targets,
    /// Exports a run's model and reads it back; `Event::Progress` tells how it goes.
    Export {
        /// Project.
        project: String,
        /// Run.
        run: String,
        /// Name of the target.
        target: String,
        /// The target's options; defaults for what is left out.
        #[ts(type = "Record<string, unknown>")]
        options: BTreeMap<String, serde_json::Value>,
        /// Folder to write into, which must be new or empty; one in the run's folder when `None`.
        folder: Option<String>,
    },
    /// Starts the OpenAI-compatible server for a run's model.
    StartServing {
        /// Project.
        project: String,
        /// Run.
        run: String,
    },
    /// Stops it.
    StopServing,
    /// Whether it runs.
    Serving,

    /// Closes the window after `Event::CloseAsked`.
    Close {
        /// Whether the run goes on without a window; it is paused otherwise.
        keep_running: bool,
    },
}

/// The reply to the request of the same name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// What runs here.
    About {
        /// Version of Sanbao, `major.minor.patch`.
        version: String,
        /// Folder where projects and models are kept.
        home: String,
    },
    /// What can compute here, the CPU first.
    Devices {
        /// The devices.
        devices: Vec<DeviceReport>,
    },
    /// Every project.
    Projects {
        /// The one worked on last first.
        projects: Vec<ProjectSummary>,
    },
    /// The new project.
    CreateProject {
        /// The project.
        project: Project,
    },
    /// The project.
    Project {
        /// The project.
        project: Project,
    },
    /// Done.
    RenameProject,
    /// The copy.
    DuplicateProject {
        /// The project.
        project: Project,
    },
    /// Done.
    DeleteProject,
    /// Done.
    RestoreProject,
    /// Base models.
    Models {
        /// The models.
        models: Vec<ModelEntry>,
    },
    /// Begun.
    DownloadModel,
    /// Done.
    PauseDownload,
    /// The model as it stands in the list.
    AddModel {
        /// The model.
        model: ModelEntry,
    },
    /// Kept.
    SetHubToken,
    /// Done.
    RemoveModel,
    /// What was set.
    Settings {
        /// The settings.
        settings: Settings,
    },
    /// Set.
    SetHubMirror,
    /// How busy the machine is.
    MachineLoad {
        /// Now.
        load: MachineLoad,
    },
    /// The project with its base model.
    ChooseBase {
        /// The project.
        project: Project,
    },
    /// The project with its files.
    AddFiles {
        /// The project.
        project: Project,
    },
    /// The project with its files.
    AddText {
        /// The project.
        project: Project,
    },
    /// The project with its files.
    AddSample {
        /// The project.
        project: Project,
    },
    /// The project with its files.
    RemoveFile {
        /// The project.
        project: Project,
    },
    /// The project with its files.
    SetMapping {
        /// The project.
        project: Project,
    },
    /// A page of rows.
    Rows {
        /// The rows.
        page: RowPage,
    },
    /// Done.
    EditRow,
    /// Done.
    ExcludeRows,
    /// What the checks found.
    CheckData {
        /// The result.
        data: DataView,
    },
    /// The recipes.
    Recipes {
        /// In the order of the spectrum, cheap to costly.
        recipes: Vec<RecipeInfo>,
        /// Name of the recommended one.
        recommended: String,
    },
    /// Done.
    SetRecipe,
    /// What the next run would do.
    Plan {
        /// The plan.
        plan: Plan,
    },
    /// The run that begins.
    StartRun {
        /// The run.
        run: RunSummary,
    },
    /// Asked; `Event::Run` tells when it has stopped.
    StopRun,
    /// Asked.
    FinishRun,
    /// Begun.
    ResumeRun,
    /// Done.
    DeleteRun,
    /// The steps.
    RunMetrics {
        /// All that was measured.
        metrics: RunMetrics,
    },
    /// The verdict.
    Verdict {
        /// The verdict.
        verdict: Box<Verdict>,
    },
    /// Where the page lies.
    Report {
        /// Path of the HTML file.
        path: String,
    },
    /// Begun.
    Chat,
    /// Done.
    StopChat,
    /// The file.
    LookAtFile {
        /// Its columns.
        columns: Vec<String>,
        /// What probably is to be asked, as a template; `None` when nothing tells.
        prompt: Option<String>,
        /// What probably is the answer that a reward model is to score, as a template; `None` also
        /// for all others, which write one.
        answer: Option<String>,
    },
    /// The answers.
    AnswerFile {
        /// The CSV file.
        path: String,
        /// Rows answered.
        #[ts(type = "number")]
        rows: u64,
    },
    /// Asked.
    StopAnswerFile,
    /// Ballots.
    Feedback {
        /// In the order of their numbers.
        ballots: Vec<Ballot>,
        /// How many there are with this filter.
        #[ts(type = "number")]
        total: u64,
        /// What the votes say.
        stats: FeedbackStats,
        /// Ballots whose answers are still being written.
        #[ts(type = "number")]
        writing: u64,
    },
    /// Questions.
    FeedbackPrompts {
        /// As a person reads them.
        prompts: Vec<String>,
    },
    /// Begun.
    AddBallots,
    /// Asked.
    StopBallots,
    /// The ballot as it stands now; its authors are shown once it has a vote.
    Vote {
        /// The ballot.
        ballot: Ballot,
    },
    /// Done.
    DeleteBallot,
    /// The project with the new file.
    UseFeedback {
        /// The project.
        project: Project,
    },
    /// Written.
    ExportFeedback {
        /// Rows written.
        #[ts(type = "number")]
        rows: u64,
    },
    /// Taken in.
    ImportFeedback {
        /// Ballots that were not there before.
        #[ts(type = "number")]
        added: u64,
    },
    /// The cards.
    Cards {
        /// In the order they are shown.
        cards: Vec<CardInfo>,
    },
    /// The answers with what they get.
    TryReward {
        /// Best first.
        scored: Vec<Scored>,
    },
    /// What was found before.
    RewardExamined {
        /// `None` when the model was not examined since it was last trained.
        examined: Option<Box<Examined>>,
    },
    /// What was found.
    ExamineReward {
        /// It is also kept with the run.
        examined: Box<Examined>,
    },
    /// Asked.
    StopExamineReward,
    /// The targets.
    Targets {
        /// In the order they are shown.
        targets: Vec<TargetInfo>,
    },
    /// The export.
    Export {
        /// What was written.
        exported: Exported,
    },
    /// Where it listens.
    StartServing {
        /// The server.
        serving: Serving,
    },
    /// Done.
    StopServing,
    /// Whether it runs.
    Serving {
        /// The server, when it runs.
        serving: Option<Serving>,
    },
    /// Done.
    Close,
}

/// What the window is told unasked. At most ten of each kind a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run began, moved on, stopped, ended.
    Run {
        /// Project.
        project: String,
        /// The run as it stands now.
        run: RunSummary,
    },
    /// Something happened in a run.
    Training {
        /// Project.
        project: String,
        /// Run.
        run: String,
        /// What.
        happened: RunEvent,
    },
    /// A long request is under way.
    Progress {
        /// Project.
        project: String,
        /// The request: `add_files`, `check_data`, `plan`, `judge`, `export`, `answer_file`,
        /// `examine_reward`.
        of: String,
        /// How far it is.
        progress: Progress,
    },
    /// Answers of ballots are being written.
    Ballots {
        /// Project.
        project: String,
        /// Ballots still to come.
        #[ts(type = "number")]
        writing: u64,
        /// What went wrong, if something did.
        fault: Option<Fault>,
    },
    /// The window is to be closed while a run is active: how?
    CloseAsked,
    /// How fetching a model goes.
    Download {
        /// The download.
        download: Download,
    },
    /// The next words of an answer.
    ChatPiece {
        /// Chat.
        chat: String,
        /// The words.
        text: String,
    },
    /// An answer is complete.
    ChatEnded {
        /// Chat.
        chat: String,
        /// Tokens of the answer.
        #[ts(type = "number")]
        tokens: u64,
        /// Seconds from the first token to the last.
        seconds: f64,
        /// What went wrong, if something did.
        fault: Option<Fault>,
    },
}
