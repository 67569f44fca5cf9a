//! The window opens and shows something, on a screen that exists only in memory.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Ends a program with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn screen() -> (Running, String) {
    let mut screen = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Xvfb could not be started: `cargo xtask test` installs what this test needs");
    let mut number = String::new();
    BufReader::new(screen.stdout.take().unwrap()).read_line(&mut number).unwrap();
    (Running(screen), format!(":{}", number.trim()))
}

fn ask(display: &str, program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).env("DISPLAY", display).output().unwrap()
}

/// Colours on the screen. An empty window has one or two; text alone, with its smooth edges, dozens.
fn colours(display: &str, folder: &Path) -> usize {
    let picture = folder.join("screen.png");
    let picture = picture.to_str().unwrap();
    assert!(ask(display, "import", &["-window", "root", picture]).status.success());
    let counted = ask(display, "identify", &["-format", "%k", picture]);
    String::from_utf8_lossy(&counted.stdout).trim().parse().unwrap()
}

fn within(limit: Duration, mut seen: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < limit {
        if seen() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    false
}

#[test]
fn the_window_opens_and_shows_its_first_screen() {
    let home = std::env::temp_dir().join(format!("sanbao-window-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    let (_screen, display) = screen();
    let before = colours(&display, &home);
    let app = Command::new(env!("CARGO_BIN_EXE_sanbao-app"))
        .env("DISPLAY", &display)
        .env("HOME", &home)
        .env_remove("WAYLAND_DISPLAY")
        .spawn()
        .unwrap();
    let mut app = Running(app);
    let limit = Duration::from_secs(60);
    let is_named =
        || !ask(&display, "xdotool", &["search", "--name", "^Sanbao$"]).stdout.is_empty();
    assert!(within(limit, is_named), "no window named Sanbao");
    assert!(within(limit, || colours(&display, &home) > before + 50), "the window stays empty");
    assert!(app.0.try_wait().unwrap().is_none(), "the app ended by itself");
    std::fs::remove_dir_all(&home).unwrap();
}
