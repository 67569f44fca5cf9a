//! A screen that exists only in memory, and a hand on its mouse.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Ends a program with the test, however that ends.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks again and again until something is seen; `None` when it is not within `limit`.
pub fn within<T>(limit: Duration, mut seen: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let found = seen();
        if found.is_some() || start.elapsed() > limit {
            return found;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A screen of 1600 by 900 pixels without a window manager: windows open at its upper left.
pub struct Screen {
    _server: Running,
    number: u32,
}

impl Screen {
    /// Starts a screen of its own, on whatever number is free.
    pub fn open() -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1600x900x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb could not be started: `cargo xtask test` installs what this test needs");
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self { _server: Running(server), number: number.trim().parse().unwrap() }
    }

    /// A command for a program that is to appear on this screen.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("DISPLAY", format!(":{}", self.number)).env("GDK_BACKEND", "x11");
        command.env_remove("WAYLAND_DISPLAY").env_remove("XAUTHORITY");
        command
    }

    fn ask(&self, program: &str, arguments: &[&str]) -> Output {
        self.command(program).args(arguments).output().unwrap_or_else(|error| {
            panic!("{program}: {error}: `cargo xtask test` installs what this test needs")
        })
    }

    /// Writes a picture of the screen; the ending of `path` says in what format.
    pub fn picture(&self, path: &Path) {
        let written = self.ask("import", &["-window", "root", path.to_str().unwrap()]);
        assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    }

    /// Colours on the screen. An empty window has one or two; text alone, with its smooth edges,
    /// dozens.
    pub fn colours(&self, folder: &Path) -> usize {
        let path = folder.join("screen.png");
        self.picture(&path);
        let counted = self.ask("identify", &["-format", "%k", path.to_str().unwrap()]);
        String::from_utf8_lossy(&counted.stdout).trim().parse().unwrap()
    }

    /// The number of the visible window of a name.
    pub fn window(&self, name: &str) -> Option<u32> {
        let found =
            self.ask("xdotool", &["search", "--onlyvisible", "--name", &format!("^{name}$")]);
        String::from_utf8_lossy(&found.stdout).lines().next()?.parse().ok()
    }

    /// Moves the mouse and its first button: arguments of xdotool.
    pub fn mouse(&self, actions: &str) {
        let arguments: Vec<&str> = actions.split_whitespace().collect();
        let moved = self.ask("xdotool", &arguments);
        assert!(moved.status.success(), "{actions}: {}", String::from_utf8_lossy(&moved.stderr));
    }

    /// Presses keys together (`ctrl+2`) where the mouse is, as on a keyboard: a window's menu hears
    /// of them before the page in it.
    pub fn keys(&self, keys: &str) {
        self.mouse(&format!("key {keys}"));
    }

    /// Closes a window as the cross in its frame does: it is told to, and sees to what it has to.
    ///
    /// X Window System Protocol, section 10 and appendix B (requests), and ICCCM 4.2.8.1; xdotool
    /// cannot do it before version 3.20210804.
    pub fn close_window(&self, window: u32) {
        let path = format!("/tmp/.X11-unix/X{}", self.number);
        let mut server = UnixStream::connect(path).unwrap();
        // Little-endian, version 11.0, no authorisation.
        server.write_all(&[b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap();
        let mut answer = [0; 8];
        server.read_exact(&mut answer).unwrap();
        assert_eq!(answer[0], 1, "the screen let nobody in");
        let rest = 4 * usize::from(u16::from_le_bytes([answer[6], answer[7]]));
        server.read_exact(&mut vec![0; rest]).unwrap();

        let protocols = atom(&mut server, "WM_PROTOCOLS");
        let delete = atom(&mut server, "WM_DELETE_WINDOW");
        // SendEvent, 11 words, to the window whatever it listens to; then a ClientMessage in words
        // of 32 bits.
        let mut request = vec![25, 0, 11, 0];
        request.extend([window, 0].iter().flat_map(|word| word.to_le_bytes()));
        request.extend([33, 32, 0, 0]);
        request.extend(
            [window, protocols, delete, 0, 0, 0, 0].iter().flat_map(|word| word.to_le_bytes()),
        );
        server.write_all(&request).unwrap();
        // An answer to a later request: the one before has been dealt with.
        atom(&mut server, "WM_PROTOCOLS");
    }
}

/// The number that a screen has for a word.
fn atom(server: &mut UnixStream, name: &str) -> u32 {
    let padded = name.len().next_multiple_of(4);
    let words = u16::try_from(2 + padded / 4).unwrap().to_le_bytes();
    let length = u16::try_from(name.len()).unwrap().to_le_bytes();
    let mut request = vec![16, 0, words[0], words[1], length[0], length[1], 0, 0];
    request.extend(name.bytes());
    request.resize(8 + padded, 0);
    server.write_all(&request).unwrap();
    let mut answer = [0; 32];
    server.read_exact(&mut answer).unwrap();
    assert_eq!(answer[0], 1, "the screen refused '{name}'");
    u32::from_le_bytes([answer[8], answer[9], answer[10], answer[11]])
}
