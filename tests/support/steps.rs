//! What is done in the window again and again on the way to a model.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use crate::dragger;
use crate::screen::{Running, Screen, within};
use crate::tiny::tiny_model;
use crate::webdriver::Window;

/// The app.
pub const APP: &str = env!("CARGO_BIN_EXE_sanbao-app");

/// How long a run on the tiny model may take, on a machine that is busy besides.
pub const TRAINING: Duration = Duration::from_secs(300);

/// Names what the test below is to offer to be dragged.
const OFFERED: &str = "SANBAO_TEST_OFFERS";

#[test]
#[ignore = "what the others drag files from: they start it"]
fn offers_a_file() {
    let path = std::env::var_os(OFFERED).expect("a file to offer");
    dragger::offer(Path::new(&path));
}

/// An empty folder for what tells why a test failed.
pub fn evidence(test: &str) -> PathBuf {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("window-failures");
    let evidence = all.join(test);
    if evidence.exists() {
        fs::remove_dir_all(&evidence).unwrap();
    }
    evidence
}

/// From the start page; the button is called differently once there are projects.
pub fn begin_a_project(window: &Window, button: &str, name: &str) {
    window.press("button", button);
    window.fill("Name", name);
    window.press("button", "Create");
    window.shows("Choose a base model to go on.");
    let shown = "return document.querySelector('aside input').value";
    assert_eq!(window.run(shown, json!([])), name);
}

/// From the page of models, where it is not known yet.
pub fn choose_the_tiny_model(window: &Window, screen: &Screen) {
    drag(screen, window, &tiny_model(), "Drop a model folder or a GGUF file");
    window.press("button", "Choose llama_gqa_tied");
    window.shows("Chosen");
}

/// Sets settings of the recipe, by their names, and waits for what follows from them.
pub fn set(window: &Window, settings: &[(&str, &str)]) {
    window.press("disclosure", "All settings");
    // What is not there yet cannot be typed over: it can be started once all of it is worked out.
    for (name, value) in settings {
        window.offers("button", "Start training");
        window.fill(name, &format!("{value}\u{E007}"));
    }
    window.offers("button", "Start training");
}

/// Drags a file or folder from another program onto the window, away from it, onto it again, and
/// lets it go. The window says what would become of it as long as it is there.
pub fn drag(screen: &Screen, window: &Window, path: &Path, invitation: &str) {
    let mut source = screen.command(std::env::current_exe().unwrap());
    source.args(["--exact", "steps::offers_a_file", "--ignored"]).env(OFFERED, path);
    let _source = Running(source.stdout(Stdio::null()).spawn().unwrap());
    let limit = Duration::from_secs(20);
    let shown = within(limit, || screen.window(dragger::TITLE));
    assert!(shown.is_some(), "there is nothing to drag from");
    let (left, top, width, height) = dragger::PLACE;
    let [x, y] = [left + width / 2, top + height / 2];
    // Step by step, or it is taken for a click.
    let glide = |steps: &[i32]| {
        let moves = steps
            .iter()
            .map(|step| format!("mousemove {} {} sleep 0.03", x - 50 * step, y + 20 * step));
        screen.mouse(&moves.collect::<Vec<_>>().join(" "));
    };
    let invites = |does: bool| {
        let seen = || (window.words().contains(invitation) == does).then_some(());
        assert!(within(limit, seen).is_some(), "'{invitation}': shown is not {does}");
    };
    screen.mouse(&format!("mousemove {x} {y} mousedown 1 sleep 0.1"));
    glide(&[1, 2, 3, 4, 6, 8, 10, 12]);
    invites(true);
    glide(&[10, 8, 6, 4, 3, 2, 1]);
    invites(false);
    glide(&[2, 3, 4, 6, 8, 10, 12]);
    invites(true);
    screen.mouse("mouseup 1");
    invites(false);
}
