//! A window looked at and worked with as a person does: by what its parts are and are called.
//!
//! W3C WebDriver (<https://www.w3.org/TR/webdriver2/>), as far as it is needed.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

use crate::screen::{Running, Screen, within};

/// How long a window may take to show what it was asked for, on a machine that is busy besides.
const PATIENCE: Duration = Duration::from_secs(90);

/// The key under which an element is named in what is sent.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Visible and usable elements of a role that have a name somewhere in their words, once they have
/// come to rest: what still moves is missed. What they are called the engine is asked afterwards.
const CANDIDATES: &str = r#"
    const [role, name] = arguments;
    const kinds = {
        button: 'button',
        link: 'a[href]',
        radio: 'input[type=radio], [role=radio]',
        tab: '[role=tab]',
        textbox: 'input, textarea',
        disclosure: 'summary',
        combobox: '[role=combobox]',
        option: '[role=option]',
        menuitem: '[role=menuitem]',
    };
    const isCalled = (element) =>
        [element.getAttribute('aria-label'), element.labels?.[0]?.textContent, element.textContent]
            .some((words) => words?.replace(/\s+/g, ' ').includes(name));
    const running = document.getAnimations().filter((one) => one.playState === 'running');
    const isUsable = (element) =>
        element.getClientRects().length > 0 &&
        !element.disabled &&
        !running.some((one) => one.effect.target?.contains(element));
    const all = [...document.querySelectorAll(kinds[role])];
    return all.filter((element) => isUsable(element) && isCalled(element));
"#;

/// What of an element is pressed, once it is brought into sight, and where that lies. What is there
/// for the keyboard alone is pressed by the words beside it. What stays at the bottom of a page may
/// cover what is only just in sight.
const PLACE: &str = r#"
    const [element] = arguments;
    const seen = element.offsetWidth > 1 ? element : element.labels[0];
    seen.scrollIntoView({ block: 'center' });
    const { left, top, width, height } = seen.getClientRects()[0];
    const first = document.elementFromPoint(left + width / 2, top + height / 2);
    const moves = document.getAnimations().some(
        (one) => one.playState === 'running' && one.effect.target?.contains(seen),
    );
    return { seen, left, top, width, height, rests: !moves && seen.contains(first) };
"#;

/// Notes whether an element is pressed from now on; what opens a list does so at once.
const NOTICE: &str = "
    window.pressed = false;
    const press = arguments[0].ariaHasPopup ? 'pointerdown' : 'click';
    arguments[0].addEventListener(press, () => (window.pressed = true), { once: true, capture: true });
";

/// An open window of the app, with the process that speaks to it.
pub struct Window<'screen> {
    screen: &'screen Screen,
    agent: Agent,
    /// Where requests about this window go.
    session: String,
    driver: Running,
    /// Where a picture of the window goes when the test fails.
    evidence: PathBuf,
}

impl<'screen> Window<'screen> {
    /// Starts the app with WebKitGTK's driver beside it. What both write goes to `app.log` in the
    /// folder `evidence`, where a picture is put when the test fails.
    pub fn open(screen: &'screen Screen, app: &str, home: &Path, evidence: &Path) -> Self {
        fs::create_dir_all(evidence).unwrap();
        let log = evidence.join("app.log");
        let log = fs::File::options().create(true).append(true).open(log).unwrap();
        // Free a moment ago; the driver cannot say which it took.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut driver = screen.command("WebKitWebDriver");
        apart(&mut driver, home);
        driver.arg(format!("--port={port}"));
        driver.stdout(log.try_clone().unwrap()).stderr(log);
        let driver = driver.spawn().expect(
            "WebKitWebDriver could not be started: `cargo xtask test` installs what it needs",
        );
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .build()
            .into();
        let server = format!("http://127.0.0.1:{port}");
        let mut window = Self {
            screen,
            agent,
            session: server.clone(),
            driver: Running(driver),
            evidence: evidence.to_owned(),
        };
        let ready = within(PATIENCE, || window.ask("GET", "/status", None).ok());
        assert!(ready.is_some(), "WebKitWebDriver does not answer on port {port}");
        let options = json!({"binary": app, "args": []});
        let wanted =
            json!({"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}});
        let opened = window.ask("POST", "/session", Some(wanted)).unwrap();
        window.session = format!("{server}/session/{}", opened["sessionId"].as_str().unwrap());
        window
    }

    /// The number of the app's process.
    pub fn process(&self) -> u32 {
        let children = children(self.driver.0.id());
        children.first().copied().expect("the app has ended")
    }

    /// One request; what went wrong as the driver says it.
    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, String> {
        let address = format!("{}{path}", self.session);
        let sent = match (method, body) {
            ("GET", _) => self.agent.get(&address).call(),
            ("DELETE", _) => self.agent.delete(&address).call(),
            (_, body) => self.agent.post(&address).send(body.unwrap_or(json!({})).to_string()),
        };
        let mut response = sent.map_err(|error| error.to_string())?;
        let text = response.body_mut().read_to_string().map_err(|error| error.to_string())?;
        let mut answer: Value = serde_json::from_str(&text).map_err(|_| text)?;
        let value = answer["value"].take();
        match response.status().is_success() {
            true => Ok(value),
            false => Err(format!("{path}: {value}")),
        }
    }

    /// What a piece of JavaScript returns within the page.
    pub fn run(&self, script: &str, arguments: Value) -> Value {
        self.try_run(script, arguments).unwrap()
    }

    fn try_run(&self, script: &str, arguments: Value) -> Result<Value, String> {
        self.ask("POST", "/execute/sync", Some(json!({"script": script, "args": arguments})))
    }

    /// All words that can be seen.
    pub fn words(&self) -> String {
        self.run("return document.body.innerText", json!([])).as_str().unwrap().to_owned()
    }

    /// Waits for words to be seen.
    pub fn shows(&self, words: &str) {
        self.shows_within(PATIENCE, words);
    }

    /// Waits for words that may take longer.
    pub fn shows_within(&self, limit: Duration, words: &str) {
        let seen = within(limit, || self.words().contains(words).then_some(()));
        assert!(seen.is_some(), "never shown: '{words}', but:\n{}", self.words());
    }

    /// The first element of a role whose accessible name begins with `name`, if there is one now.
    fn find(&self, role: &str, name: &str) -> Result<Option<String>, String> {
        let candidates = self.try_run(CANDIDATES, json!([role, name]))?;
        for candidate in candidates.as_array().into_iter().flatten() {
            let Some(id) = candidate[ELEMENT].as_str() else { continue };
            let called = self.ask("GET", &format!("/element/{id}/computedlabel"), None)?;
            let is = self.ask("GET", &format!("/element/{id}/computedrole"), None)?;
            // HTML has no role for the words that open a part of a page, and WebKit names none.
            let is_it = is.as_str() == Some(role) || role == "disclosure";
            if is_it && called.as_str().is_some_and(|called| called.starts_with(name)) {
                return Ok(Some(id.to_owned()));
            }
        }
        Ok(None)
    }

    /// Does something to an element as soon as it is there and can be reached.
    fn act(&self, role: &str, name: &str, act: impl Fn(&str) -> Result<(), String>) {
        let mut last = String::from("there is none");
        let done = within(PATIENCE, || {
            let tried = match self.find(role, name) {
                Ok(Some(element)) => act(&element),
                Ok(None) => return None,
                Err(error) => Err(error),
            };
            tried.map_err(|error| last = error).ok()
        });
        assert!(done.is_some(), "the {role} '{name}': {last}; shown:\n{}", self.words());
    }

    /// Presses a button, link or the like once it can be pressed.
    pub fn press(&self, role: &str, name: &str) {
        self.act(role, name, |element| {
            let place = || self.try_run(PLACE, json!([{ELEMENT: element}]));
            let before = place()?;
            std::thread::sleep(Duration::from_millis(50));
            let now = place()?;
            if before != now || now["rests"] != true {
                return Err(format!("it moves, or something lies over it: {now}"));
            }
            let seen = now["seen"][ELEMENT].as_str().ok_or("nothing of it can be seen")?;
            self.try_run(NOTICE, json!([{ELEMENT: element}]))?;
            self.ask("POST", &format!("/element/{seen}/click"), None)?;
            match self.try_run("return window.pressed", json!([]))? == true {
                true => Ok(()),
                false => Err(String::from("it moved away from the click")),
            }
        });
    }

    /// Waits until there is something that could be pressed.
    pub fn offers(&self, role: &str, name: &str) {
        self.act(role, name, |_| Ok(()));
    }

    /// Types over what stands in a field. `\u{E007}` is the key Enter.
    pub fn fill(&self, name: &str, text: &str) {
        self.act("textbox", name, |element| {
            let script = "arguments[0].focus(); arguments[0].select()";
            self.try_run(script, json!([{ELEMENT: element}]))?;
            let typed = json!({"text": text});
            self.ask("POST", &format!("/element/{element}/value"), Some(typed)).map(drop)
        });
    }

    /// Presses a key wherever the keyboard is, as a person does who leaves the mouse alone.
    pub fn press_key(&self, key: char) {
        self.press_keys(&[("keyDown", key), ("keyUp", key)]);
    }

    /// Presses a key while Ctrl is held.
    pub fn press_with_control(&self, key: char) {
        const CONTROL: char = '\u{E009}';
        self.press_keys(&[
            ("keyDown", CONTROL),
            ("keyDown", key),
            ("keyUp", key),
            ("keyUp", CONTROL),
        ]);
    }

    fn press_keys(&self, presses: &[(&str, char)]) {
        let presses: Vec<Value> =
            presses.iter().map(|(press, key)| json!({"type": press, "value": key})).collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": presses});
        self.ask("POST", "/actions", Some(json!({"actions": [keyboard]}))).unwrap();
    }

    /// What the window is called on the screen: after what it shows.
    pub fn title(&self) -> String {
        let title = self.run("return document.title", json!([]));
        let title = title.as_str().unwrap();
        assert!(title.ends_with("Sanbao"), "{title}");
        title.to_owned()
    }

    /// Tells the window to close.
    pub fn ask_to_close(&self) {
        let title = self.title();
        let window = within(PATIENCE, || self.screen.window(&title));
        let window = window.unwrap_or_else(|| panic!("no window is called '{title}'"));
        self.screen.close_window(window);
    }

    /// Closes the window and waits for the app to end.
    pub fn close(self) {
        let app = self.process();
        self.ask_to_close();
        let ended = within(PATIENCE, || (!is_running(app)).then_some(()));
        assert!(ended.is_some(), "the app goes on without its window");
    }

    fn keep_evidence(&self) {
        let path = self.evidence.join("screen.png");
        self.screen.picture(&path);
        eprintln!("The screen as it was: {}", path.display());
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep_evidence();
        }
        // Ends the app, if it has not ended by itself.
        let _ = self.ask("DELETE", "", None);
    }
}

/// Nothing of this person's own: no settings, no language, no programs that they have running.
fn apart(command: &mut Command, home: &Path) {
    let person = home.join("person");
    fs::create_dir_all(&person).unwrap();
    for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "LC_ALL"]
    {
        command.env_remove(name);
    }
    command.env("HOME", person).env("SANBAO_HOME", home.join("sanbao"));
    command.env("LANG", "C.UTF-8").env("LANGUAGE", "en");
    // With the session's own bus, an open Sanbao would be raised instead of starting another.
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent").env("NO_AT_BRIDGE", "1");
    command.env("TAURI_WEBVIEW_AUTOMATION", "true");
    // The screen in memory has no graphics card, and Mesa's stand-in for one breaks now and then.
    command.env("WEBKIT_DISABLE_COMPOSITING_MODE", "1");
}

/// The processes that another one started.
pub fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|&number| status(number).is_some_and(|(_, of)| of == parent)).collect()
}

fn is_running(process: u32) -> bool {
    status(process).is_some_and(|(state, _)| state != "Z")
}

/// State and parent of a process, from `/proc/<process>/stat`; they stand behind its name, which
/// may hold anything.
fn status(process: u32) -> Option<(String, u32)> {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = line.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}
