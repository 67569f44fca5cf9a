//! The window, for those who do not only show examples: votes on answers, pairs of a better and a
//! worse answer, and rewards, each learnt from and judged.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/dragger.rs"]
mod dragger;
#[allow(dead_code, reason = "the other test of the window looks whether anything is drawn")]
#[path = "support/screen.rs"]
mod screen;
#[path = "support/steps.rs"]
mod steps;
#[allow(dead_code, reason = "the other test of the window sorts messages")]
#[path = "support/tiny.rs"]
mod tiny;
#[allow(dead_code, reason = "the other test of the window ends processes")]
#[path = "support/webdriver.rs"]
mod webdriver;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use screen::{Screen, within};
use serde_json::{Value, json};
use steps::{APP, TRAINING, begin_a_project, choose_the_tiny_model, drag, evidence, set};
use webdriver::Window;

/// What is shown while files hang over the start page.
const NEW_PROJECT: &str = "Drop to start a new project with these files";

#[test]
fn a_person_says_what_is_good() {
    let home = tempfile::tempdir().unwrap();
    let evidence = evidence("window_feedback");
    let screen = Screen::open();
    let window = Window::open(&screen, APP, home.path(), &evidence);
    window.shows("Make your own language model");

    begin_a_project(&window, "Empty project", "Votes");
    choose_the_tiny_model(&window, &screen);
    have_questions_answered(&window);
    vote_with_the_keyboard(&window);
    read_what_the_votes_say(&window);
    take_the_votes_away(&window, home.path());
    learn_from_the_votes(&window);

    begin_with_a_file(&window, &screen, &thankful_pairs(home.path()));
    train_a_reward_model(&window);
    score_a_file(&window, &screen, home.path());

    begin_with_a_file(&window, &screen, &questions(home.path()));
    choose_what_is_rewarded(&window);
    learn_from_rewards(&window);
    teach_the_answers(&window);
    build_on_what_was_taught(&window);
    reward_length_alone(&window);
    window.close();
}

/// Ten questions of one's own, four answers to each, in a project without any data.
fn have_questions_answered(window: &Window) {
    window.press("link", "Feedback");
    let asked: Vec<String> =
        (1..=10).map(|number| format!("What is in parcel {number}?")).collect();
    window.fill("One question a line", &asked.join("\u{E007}"));
    window.press("radio", "4");
    window.press("button", "Write answers to 10 questions");
}

/// One key for each vote; one is taken back, one question is skipped.
fn vote_with_the_keyboard(window: &Window) {
    let vote = |number: u32, key: char| {
        window.shows(&format!("{number} of 10\n"));
        window.shows(&format!("What is in parcel {number}?"));
        window.press_key(key);
    };
    vote(1, '1');
    window.shows("Taken: A is the best.");
    vote(2, '2');
    window.shows("Taken: B is the best.");
    window.shows("3 of 10\n");
    window.press_key('u');
    vote(2, '3');
    window.shows("Taken: C is the best.");
    vote(3, 's');
    window.shows("Taken: skipped.");
    for (number, key) in (4..=10).zip("1234123".chars()) {
        vote(number, key);
    }
    window.shows("Nothing left to vote on");
}

/// Nine votes, each for one of four answers.
fn read_what_the_votes_say(window: &Window) {
    window.press("button", "See the votes");
    window.shows("Votes\n9\n1 skipped");
    window.shows("Pairs to learn from\n27");
    window.shows("Time for a vote");
    window.shows("What is in parcel 10?");
    let script = "const votes = [...document.querySelectorAll('main ul > li')];
        const said = votes.filter((vote) => vote.querySelector('ul'));
        return said.map((vote) => [...vote.querySelectorAll('p')].map((one) => one.innerText))";
    let said = window.run(script, json!([]));
    let said: Vec<(&str, &str)> = said
        .as_array()
        .unwrap()
        .iter()
        .map(|vote| {
            let (choice, _) = vote[1].as_str().unwrap().split_once(" · ").unwrap();
            (vote[0].as_str().unwrap(), choice)
        })
        .collect();
    let choices = ["A is the best", "C is the best", "skipped", "A is the best", "B is the best"];
    for (at, choice) in choices.iter().enumerate() {
        assert_eq!(said[at], (format!("What is in parcel {}?", at + 1).as_str(), *choice));
    }
    assert_eq!(said.len(), 10);
}

/// Into a file of a name with a blank and in Chinese.
fn take_the_votes_away(window: &Window, home: &Path) {
    let file = home.join("我的 votes.jsonl");
    window.press("button", "Files of votes");
    window.press("menuitem", "Export votes");
    window.shows("Choose where");
    window.fill("File", file.to_str().unwrap());
    window.press("button", "Write file");
    window.shows("10 rows written to ");
    // The first line says what the file is.
    assert_eq!(fs::read_to_string(file).unwrap().lines().count(), 11);
}

fn learn_from_the_votes(window: &Window) {
    window.press("button", "Use these votes: Better and worse answers");
    window.shows("feedback.jsonl is now in your data.");
    window.press("link", "Data");
    window.shows("27 rows read, 27 used.");
    window.press("button", "Next: Recipe");
    choose(window, "Learn from choices (DPO)");
    window.press("radio", "Quick");
    train(window);
    window.shows("of answers never seen in training, the trained model");
}

/// From any project: a file dropped on the start page begins another one.
fn begin_with_a_file(window: &Window, screen: &Screen, file: &Path) {
    window.press("link", "All projects");
    window.shows("Your projects");
    drag(screen, window, file, NEW_PROJECT);
    window.press("button", "Go to “Base model”");
    window.press("button", "Choose llama_gqa_tied");
    window.shows("Chosen");
    window.press("button", "Next: Data");
    window.shows("200 rows read, 200 used.");
}

/// People prefer the answer that thanks, whatever its length.
fn thankful_pairs(folder: &Path) -> PathBuf {
    let path = folder.join("choices.csv");
    let mut text = String::from("prompt,chosen,rejected\n");
    for row in 0..200 {
        let padding = "and so on ".repeat(row % 4);
        text.push_str(&format!(
            "Close case {row},Thank you for case {row}. {padding},Case {row} is noted. {padding}\n"
        ));
    }
    fs::write(&path, text).unwrap();
    path
}

fn train_a_reward_model(window: &Window) {
    window.press("tab", "What the model sees");
    window.shows("better answer");
    window.shows("worse answer");
    window.press("tab", "Columns");
    window.shows("Better and worse answers");
    window.press("button", "Next: Recipe");
    choose(window, "Reward model");
    set(window, &[("Size of each step", "0.005")]);
    train(window);
    window.shows("Better: on ");
    window.shows("the reward model scores the preferred answer higher");
}

/// A reward model does not talk: it says how good the answers of a file are.
fn score_a_file(window: &Window, screen: &Screen, home: &Path) {
    let file = home.join("answers.csv");
    let rows = "no,question,answer\n1,Close case 3,Thank you for case 3. \n2,Close case 3,Case 3 is noted. \n";
    fs::write(&file, rows).unwrap();
    window.press("button", "Next: Use");
    window.shows("This run made a reward model");
    drag(screen, window, &file, "Drop to score the answers of this file");
    window.press("button", "Score every answer");
    window.shows("2 answers scored");
    let scored = fs::read_to_string(home.join("answers.scores.csv")).unwrap();
    let scores: Vec<f64> = scored
        .lines()
        .skip(1)
        .map(|line| line.rsplit_once(',').unwrap().1.parse().unwrap())
        .collect();
    assert!(scores.len() == 2 && scores[0] > scores[1], "{scored}");
}

/// Questions whose own answers are short.
fn questions(folder: &Path) -> PathBuf {
    let path = folder.join("questions.csv");
    let mut text = String::from("prompt,completion\n");
    for row in 0..200 {
        text.push_str(&format!("What is number {row}?,It is {row}.\n"));
    }
    fs::write(&path, text).unwrap();
    path
}

/// Two cards, with what they would give real answers beside them.
fn choose_what_is_rewarded(window: &Window) {
    window.press("button", "Next: Recipe");
    choose(window, "Learn from rewards (GRPO)");
    window.shows("Nothing is rewarded yet.");
    window.shows("With the first card you see here what real answers would get.");

    window.press("button", "Add a card");
    window.press("button", "Contains");
    window.fill("Texts, one a line", "7\u{E007}e");
    window.press("button", "Add a card");
    window.press("button", "Length");
    let both = || tried(window).filter(|tried| tried.iter().all(|one| one.parts.len() == 2));
    let both = within(Duration::from_secs(60), both).expect("what answers would get");
    assert!(both.is_sorted_by(|one, next| one.reward >= next.reward), "{both:?}");
    for one in &both {
        assert_eq!(one.parts[0] == 1.0, one.answer.contains('7'), "{one:?}");
        assert!(one.adds_up(), "{one:?}");
    }
    assert!(both[0].parts[0] == 1.0 && both[both.len() - 1].parts[0] == 0.0, "{both:?}");
}

/// An answer with what it gets, as it is shown.
#[derive(Debug)]
struct Rewarded {
    answer: String,
    reward: f64,
    /// What each card adds.
    parts: Vec<f64>,
}

impl Rewarded {
    /// Whether the parts make the reward, as far as two decimals can tell.
    fn adds_up(&self) -> bool {
        (self.parts.iter().sum::<f64>() - self.reward).abs() < 0.016
    }
}

/// Answers of the data with what they would get; nothing until they were scored.
fn tried(window: &Window) -> Option<Vec<Rewarded>> {
    let answers = rewarded(window, "[role=region] ol > li", "p:last-of-type", "strong");
    (!answers.is_empty()).then_some(answers)
}

/// The answers on the page. All selectors are of CSS; those of answer and reward are looked for
/// within `each`.
fn rewarded(window: &Window, each: &str, answer: &str, reward: &str) -> Vec<Rewarded> {
    let script = "const [each, answer, reward] = arguments;
        const number = (element) => Number(element.innerText.replace('\u{2212}', '-'));
        return [...document.querySelectorAll(each)].map((one) => [
            one.querySelector(answer).innerText,
            number(one.querySelector(reward)),
            [...one.querySelectorAll('dl > dd:not([aria-hidden])')].map(number),
        ])";
    let shown = window.run(script, json!([each, answer, reward]));
    let read = |one: &Value| Rewarded {
        answer: one[0].as_str().unwrap().to_owned(),
        reward: one[1].as_f64().unwrap(),
        parts: one[2].as_array().unwrap().iter().map(|part| part.as_f64().unwrap()).collect(),
    };
    shown.as_array().unwrap().iter().map(read).collect()
}

fn learn_from_rewards(window: &Window) {
    set(
        window,
        &[
            ("Size of each step", "0.01"),
            ("Most steps", "24"),
            ("Answers to each question", "4"),
            ("Longest answer", "10"),
        ],
    );
    train(window);
    window.shows("Better: on ");
    window.shows("answers are rewarded more");
    window.press("link", "Train");
    window.shows("What it answers as it learns");
    let samples = rewarded(window, "li > ol > li", "div > p", "[title='Reward of its answers']");
    assert!(samples.len() > 3, "{samples:?}");
    assert!(samples.iter().all(|one| one.parts.len() == 2 && one.adds_up()), "{samples:?}");
}

fn teach_the_answers(window: &Window) {
    window.press("link", "Recipe");
    choose(window, "Fine-tune every weight");
    set(window, &[("Size of each step", "0.01")]);
    train(window);
    window.shows("Better: on ");
}

fn build_on_what_was_taught(window: &Window) {
    window.press("button", "Next: Use");
    window.press("radio", "Export");
    window.press("button", "Export: Whole model (Hugging Face)");
    window.press("button", "Build on this model");
    window.shows("The next run of this project begins from");
}

/// A reward that loves length alone: the answers grow away from the data's own, and that is told.
fn reward_length_alone(window: &Window) {
    window.press("link", "Recipe");
    choose(window, "Learn from rewards (GRPO)");
    window.press("combobox", "Counted in");
    window.press("option", "Characters");
    for (name, value) in [("At least", "60"), ("At most", "1000"), ("Tolerance", "60")] {
        window.fill(name, &format!("{value}\u{E007}"));
    }
    window.press("button", "Remove Contains");
    set(
        window,
        &[
            ("Size of each step", "0.01"),
            ("Most steps", "60"),
            ("Answers to each question", "4"),
            ("Longest answer", "60"),
            ("Hold on what it was", "0"),
            ("Measurements in each pass", "12"),
        ],
    );
    train(window);
    window.shows("answers are rewarded more");
    window.press("link", "Train");
    window.shows("Stopped: it had begun to please the reward only");
    window.shows("while closeness to your answers fell by ");
    let words = window.words();
    let step = |before: &str| -> u32 {
        let (_, after) = words.split_once(before).unwrap_or_else(|| panic!("{words}"));
        after.split([';', ',']).next().unwrap().parse().unwrap()
    };
    let [ended, kept] = ["Training ended at step ", "what it had learnt at step "].map(step);
    assert!(kept < ended && ended < 60, "{words}");
    let samples = rewarded(window, "li > ol > li", "div > p", "[title='Reward of its answers']");
    let longest = samples.iter().max_by_key(|one| one.answer.len()).unwrap();
    assert!(longest.answer.len() > 40 && longest.reward > 0.5, "{samples:?}");
}

/// From the page of recipes to the verdict.
/// Chooses a recipe once the page is worked out: until then its cards move, and a click may meet
/// another one.
fn choose(window: &Window, recipe: &str) {
    window.offers("button", "Start training");
    window.press("radio", recipe);
}

fn train(window: &Window) {
    window.press("button", "Start training");
    window.shows_within(TRAINING, "Finished and judged");
    window.press("button", "See the verdict");
}
