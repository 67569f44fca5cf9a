//! The window, worked with as a person does who opens it for the first time: through what it
//! shows, on a screen that exists only in memory, in both languages.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/dragger.rs"]
mod dragger;
#[path = "support/screen.rs"]
mod screen;
#[path = "support/steps.rs"]
mod steps;
#[path = "support/tiny.rs"]
mod tiny;
#[allow(dead_code, reason = "the other test of the window votes by keys")]
#[path = "support/webdriver.rs"]
mod webdriver;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use screen::{Screen, within};
use serde_json::{Value, json};
use steps::{APP, TRAINING, begin_a_project, choose_the_tiny_model, drag, evidence, set};
use tiny::triage_csv;
use webdriver::{Window, children};

#[test]
fn a_person_makes_a_model_of_their_own() {
    let home = tempfile::tempdir().unwrap();
    let evidence = evidence("window");
    let screen = Screen::open();
    let before = screen.colours(home.path());
    let window = Window::open(&screen, APP, home.path(), &evidence);
    window.shows("Make your own language model");
    let drawn = within(Duration::from_secs(10), || {
        (screen.colours(home.path()) > before + 50).then_some(())
    });
    assert!(drawn.is_some(), "the window stays empty");

    begin_a_project(&window, "Empty project", "分拣 Triage");
    choose_the_tiny_model(&window, &screen);
    window.press("button", "Next: Data");
    drop_examples(&window, &screen, home.path());
    look_at_the_examples(&window);
    choose_a_recipe(&window);
    train_and_read_the_verdict(&window);
    ask_the_model(&window);
    find_the_way_by_the_menu(&window, &screen);
    take_it_away(&window, home.path());
    read_in_larger_letters(&window);
    change_to_chinese_in_the_dark(&window);
    lose_what_trains_and_go_on(&window);
    let_it_train_without_a_window(&window, &screen);
    window.press("link", "所有项目");
    window.shows("你的项目");
    window.close();

    let again = Window::open(&screen, APP, home.path(), &evidence);
    again.shows("你的项目");
    again.shows("分拣 Triage");
    again.shows("变好了");
    assert_eq!(appearance(&again), "dark");
    again.press("button", "分拣 Triage");
    again.shows("变好了：在训练中从未见过的 15 行上");
    again.close();
}

/// A file with a name as people give them: with a space, and Chinese.
fn drop_examples(window: &Window, screen: &Screen, home: &Path) {
    let file = home.join("来信 2026.csv");
    fs::rename(triage_csv(home, 150), &file).unwrap();
    window.shows("Drop your examples here");
    drag(screen, window, &file, "Drop to add these files to the data");
    window.shows("来信 2026.csv");
    window.shows("150 rows read, 150 used.");
    assert!(file.is_file(), "the person's own file was taken away");
}

fn look_at_the_examples(window: &Window) {
    window.press("tab", "Rows");
    window.shows("Row 1: about my refund, please help");
    window.press("tab", "Columns");
    window.shows("Texts with labels");
    window.press("tab", "What the model sees");
    window.shows("Answer with one of these labels only: broken, late, money.");
    window.press("button", "Next: Recipe");
}

/// Quick, and yet enough steps for a model that knows nothing.
fn choose_a_recipe(window: &Window) {
    window.shows("Rows learnt from");
    window.press("radio", "Quick");
    window.shows("See in minutes whether it works at all.");
    set(window, &[("Passes through the rows", "12"), ("Size of each step", "0.01")]);
    window.shows("All settings (2 changed by you)");
    window.shows("Steps\n180");
    window.press("button", "Start training");
}

fn train_and_read_the_verdict(window: &Window) {
    window.shows_within(TRAINING, "Finished and judged");
    window.press("button", "See the verdict");
    window.shows(
        "Better: on 15 rows never seen in training, the trained model picks the right label",
    );
    window.shows("Which labels are mixed up");
    window.press("button", "Next: Use");
}

/// Base model and trained model answer side by side; only one has learnt to answer with a label.
fn ask_the_model(window: &Window) {
    window.fill("Your message", "Row 3: about my refund, please help\u{E007}");
    let answers = || {
        let script = "const done = document.querySelectorAll('[role=log] [aria-busy=false]');
            return [...done].map((one) => one.innerText)";
        let answers = window.run(script, json!([]));
        (answers.as_array()?.len() == 2).then(|| answers.clone())
    };
    let answers = within(Duration::from_secs(60), answers).expect("two answers");
    let [base, tuned] = [0, 1].map(|side| answers[side].as_str().unwrap().to_owned());
    assert!(base.starts_with("Base model\n"), "{base}");
    assert!(tuned.starts_with("Trained model\nmoney\n"), "{tuned}");
    assert!(!base.starts_with("Base model\nmoney\n"), "{base}");
}

/// The keys of the menu, which the system takes before the page could.
fn find_the_way_by_the_menu(window: &Window, screen: &Screen) {
    screen.mouse("mousemove 640 400");
    screen.keys("ctrl+2");
    window.shows("150 rows read, 150 used.");
    screen.keys("ctrl+n");
    window.offers("button", "Create");
    window.press("button", "Cancel");
    window.press("button", "分拣 Triage");
    screen.keys("ctrl+6");
    window.shows("Use your model");
}

fn take_it_away(window: &Window, home: &Path) {
    window.press("radio", "Export");
    window.press("button", "Export: Adapter (PEFT)");
    window.shows("It was read back and answers as the trained model does.");
    let projects = home.join("sanbao/projects");
    let words = window.words();
    let folder = words.lines().map(Path::new).find(|line| line.starts_with(&projects));
    let folder = folder.unwrap_or_else(|| panic!("no folder is named:\n{words}"));
    assert!(folder.join("adapter_model.safetensors").is_file());
}

fn read_in_larger_letters(window: &Window) {
    let width = || window.run("return window.innerWidth", json!([])).as_f64().unwrap();
    let before = width();
    window.press_with_control('=');
    window.shows("Size: 110%");
    let larger = || (width() < 0.95 * before).then_some(());
    assert!(within(Duration::from_secs(10), larger).is_some(), "{} of {before}", width());
    window.press_with_control('0');
    let as_before = || (width() == before).then_some(());
    assert!(within(Duration::from_secs(10), as_before).is_some(), "{} of {before}", width());
}

fn change_to_chinese_in_the_dark(window: &Window) {
    let paper = || {
        window.run("return getComputedStyle(document.body).backgroundColor", json!([])).to_string()
    };
    window.press("radio", "Light");
    let light = paper();
    window.press("radio", "中文");
    window.shows("使用你的模型");
    window.shows("已读回核对，回答与训练后的模型一致。");
    assert_eq!(window.run("return document.documentElement.lang", json!([])), "zh");
    window.press("radio", "深色");
    assert_eq!(appearance(window), "dark");
    assert_ne!(paper(), light);
}

/// What kills a process without a word: the system, when memory runs out.
fn lose_what_trains_and_go_on(window: &Window) {
    window.press("link", "配方");
    window.press("button", "开始训练");
    // The list below names the steps of the runs before; only a bar tells of one under way.
    let bar = "const bar = document.querySelector('main [role=progressbar]');
        return bar ? bar.parentElement.innerText : ''";
    let step = || {
        let words = window.run(bar, json!([]));
        let (before, _) = words.as_str()?.split_once(" 步，共 180 步")?;
        let step: u32 = before.rsplit_once("第 ")?.1.parse().ok()?;
        (step >= 20).then_some(())
    };
    assert!(within(TRAINING, step).is_some(), "no step 20:\n{}", window.words());
    let app = window.process();
    let trains = children(app).into_iter().find(|&child| holds_a_run(child)).expect("what trains");
    let killed = Command::new("sh").args(["-c", &format!("kill -9 {trains}")]).status().unwrap();
    assert!(killed.success());

    window.shows("这次训练中断了");
    window.shows(&in_chinese("fault_worker_crashed"));
    assert_eq!(window.process(), app);
    window.press("button", "从第");
    window.shows_within(TRAINING, "已完成并有了结论");
    let words = window.words();
    assert!(words.contains("在第 180 步"), "{words}");
}

fn let_it_train_without_a_window(window: &Window, screen: &Screen) {
    window.press("link", "配方");
    window.press("radio", "细致");
    // Long enough to close the window meanwhile, and not ended early.
    window.press("disclosure", "全部设置");
    for (name, value) in [("学习遍数", "40"), ("耐心", "0")] {
        window.offers("button", "开始训练");
        window.fill(name, &format!("{value}\u{E007}"));
    }
    window.shows("步数\n600");
    window.press("button", "开始训练");
    let trains = || children(window.process()).into_iter().any(holds_a_run).then_some(());
    assert!(within(TRAINING, trains).is_some(), "nothing trains:\n{}", window.words());
    let title = window.title();
    window.ask_to_close();
    window.shows("有一次训练正在进行");
    std::thread::scope(|scope| {
        let gone = || screen.window(&title).is_none().then_some(trains());
        // Pressing ends when the window answers, which a hidden one does late.
        let gone = scope.spawn(move || within(TRAINING, gone));
        window.press("button", "继续运行并关闭");
        let trains = gone.join().unwrap().expect("the window stays");
        assert!(trains.is_some(), "nothing trains without a window");
    });
    assert!(within(TRAINING, || screen.window(&title)).is_some(), "the window does not come back");
    window.shows("已完成并有了结论");
}

/// One of the window's longer sentences.
fn in_chinese(key: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/messages/zh.json");
    let messages: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    messages[key].as_str().unwrap().to_owned()
}

/// Whether a process has files of a run open.
fn holds_a_run(process: u32) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    let mut opened = files.flatten().filter_map(|file| fs::read_link(file.path()).ok());
    opened.any(|path| path.components().any(|part| part.as_os_str() == "runs"))
}

fn appearance(window: &Window) -> String {
    let theme = window.run("return document.documentElement.dataset.theme", json!([]));
    theme.as_str().unwrap().to_owned()
}
