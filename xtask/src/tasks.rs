//! The tasks themselves.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::shell::{self, part};
use crate::system::{self, Purpose};
use crate::{build, place, window};

/// Gets the machine ready for everything.
pub fn setup() -> Result<()> {
    part("system packages", || system::prepare(Purpose::Test))?;
    part("window", window::build)?;
    part("starter model", build::starter_model)?;
    Ok(())
}

/// Opens the app.
pub fn start() -> Result<()> {
    part("system packages", || system::prepare(Purpose::Build))?;
    part("window", window::build)?;
    part("build", || build::all(false))?;
    shell::run(&mut shell::command(place::program("sanbao-app", "debug")?)?)
}

/// Makes a model from the sample data, with the starter model as its base.
pub fn demo() -> Result<()> {
    part("system packages", || system::prepare(Purpose::Build))?;
    part("window", window::build)?;
    part("build", || build::all(false))?;
    let model = part("starter model", build::starter_model)?;
    let out = place::root().join("demo");
    clear_run(&out)?;
    let program = place::program("sanbao", "debug")?;
    part("demo", || {
        let mut sanbao = shell::command(&program)?;
        sanbao.arg("make").arg("--model").arg(model);
        sanbao
            .arg("--data")
            .arg(place::root().join("assets").join("samples").join("support_en.csv"));
        sanbao.arg("--out").arg(&out).args(["--dial", "quick"]);
        shell::run(&mut sanbao)
    })?;
    let report = out.join("report.html");
    ensure!(report.is_file(), "The demo ended without its report '{}'.", report.display());
    eprintln!("The report with pictures: {}", report.display());
    eprintln!("The program, for data of your own: {}", program.display());
    Ok(())
}

/// Runs every test; `filter` goes to the tests of the Rust side, and then the window is not tried
/// in a browser, which takes minutes.
pub fn test(filter: &[String]) -> Result<()> {
    part("system packages", || system::prepare(Purpose::Test))?;
    part("window: build", window::build)?;
    part("window: types", || shell::run(shell::npm()?.args(["run", "check"])))?;
    part("window: tests", || shell::run(shell::npm()?.args(["test"])))?;
    let model = part("starter model", build::starter_model)?;
    part("tests", || {
        let mut cargo = shell::cargo()?;
        cargo.args(["test", "--workspace", "--no-fail-fast"]);
        if !filter.is_empty() {
            cargo.arg("--").args(filter);
        }
        cargo.env("SANBAO_REQUIRE_STARTER", "1").env("SANBAO_STARTER_MODEL", model);
        shell::run(&mut cargo)
    })?;
    if filter.is_empty() {
        part("build", || build::all(false))?;
        part("window: in a browser", || in_browser("e2e"))?;
    }
    Ok(())
}

/// Writes pictures of every step and state of the window, in both languages, themes and sizes.
pub fn screenshots() -> Result<()> {
    part("system packages", || system::prepare(Purpose::Test))?;
    part("window", window::build)?;
    part("build", || build::all(false))?;
    let folder = place::root().join("target").join("screenshots");
    if folder.exists() {
        // Pictures of what there is no more would be taken for new ones.
        fs::remove_dir_all(&folder)
            .with_context(|| format!("Could not remove '{}'", folder.display()))?;
    }
    part("screenshots", || in_browser("screenshots"))?;
    eprintln!("The pictures: {}", folder.display());
    Ok(())
}

/// Runs a script of the window's that opens it in a browser, served by the program as built.
fn in_browser(script: &str) -> Result<()> {
    let chromium = system::chromium().context(
        "No Chromium and no Chrome was found, which the window is tried in: install one, or say \
         where it is with the variable CHROMIUM.",
    )?;
    let mut npm = shell::npm()?;
    npm.args(["run", script]).env("CHROMIUM", chromium);
    shell::run(npm.env("SANBAO_PROGRAM", place::program("sanbao", "debug")?))
}

/// Measures Sanbao beside other programs, which are installed into an environment of their own.
pub fn bench(options: &[String]) -> Result<()> {
    part("system packages", || system::prepare(Purpose::Build))?;
    part("window", window::build)?;
    part("build", || build::all(false))?;
    let model = part("starter model", build::starter_model)?;
    let python = part("other programs", peers)?;
    part("bench", || {
        let mut bench = shell::command(python)?;
        bench.arg(place::root().join("bench").join("peers").join("bench.py"));
        bench.arg("--sanbao").arg(place::program("sanbao", "debug")?);
        bench.arg("--model").arg(model).args(options);
        shell::run(&mut bench)
    })
}

/// The Python of an environment that holds what `bench/peers/requirements.txt` asks for.
fn peers() -> Result<PathBuf> {
    let requirements = place::root().join("bench").join("peers").join("requirements.txt");
    let wanted = fs::read_to_string(&requirements)
        .with_context(|| format!("Could not read '{}'", requirements.display()))?;
    let environment = place::cache()?.join("peers");
    let python = if cfg!(windows) {
        environment.join("Scripts").join("python.exe")
    } else {
        environment.join("bin").join("python")
    };
    let stamp = environment.join("installed.txt");
    if python.is_file() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let maker = ["python3", "python", "py"]
        .into_iter()
        .find(|name| shell::ask(name, &["--version"]).is_some())
        .context("Python 3 is missing: install it and try again.")?;
    shell::run(shell::command(maker)?.args(["-m", "venv"]).arg(&environment))?;
    let pip = ["-m", "pip", "install", "--disable-pip-version-check", "--requirement"];
    shell::run(shell::command(&python)?.args(pip).arg(&requirements))?;
    fs::write(&stamp, wanted)?;
    Ok(python)
}

/// Makes installers for the system that this runs on.
pub fn bundle(options: &[String]) -> Result<()> {
    let options = BundleOptions::read(options)?;
    part("system packages", || system::prepare(Purpose::Build))?;
    part("window", window::build)?;
    part("build", || build::all(!options.debug))?;
    let tool = if cfg!(windows) { "tauri.cmd" } else { "tauri" };
    let tool = place::root().join("ui").join("node_modules").join(".bin").join(tool);
    let mut tauri = shell::command(tool)?;
    tauri.arg("bundle");
    if options.debug {
        tauri.arg("--debug");
    }
    if let Some(kinds) = &options.kinds {
        tauri.args(["--bundles", kinds]);
    }
    let program = sidecar(if options.debug { "debug" } else { "release" })?;
    let model = match options.with_starter_model {
        true => Some(part("starter model", build::starter_model)?),
        false => None,
    };
    tauri.arg("--config").arg(carried(&program, model.as_deref())?);
    part("installers", || shell::run(&mut tauri))
}

#[derive(Debug, Default, PartialEq, Eq)]
struct BundleOptions {
    with_starter_model: bool,
    debug: bool,
    kinds: Option<String>,
}

impl BundleOptions {
    fn read(options: &[String]) -> Result<Self> {
        let mut read = Self::default();
        let mut options = options.iter();
        while let Some(option) = options.next() {
            match option.as_str() {
                "--with-starter-model" => read.with_starter_model = true,
                "--debug" => read.debug = true,
                "--bundles" => {
                    let kinds =
                        options.next().context("--bundles wants a list, for example deb,rpm.")?;
                    read.kinds = Some(kinds.clone());
                }
                other => bail!("'bundle' has no option '{other}'."),
            }
        }
        Ok(read)
    }
}

/// A copy of the command-line program under the name by which installers look for programs to
/// carry (with the system it is for); returns the path without that part, as it is configured.
fn sidecar(profile: &str) -> Result<PathBuf> {
    let told = shell::output(shell::command("rustc")?.arg("-vV"))?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("'rustc -vV' does not say which system it builds for.")?;
    let folder = place::target()?.join(profile).join("carried");
    fs::create_dir_all(&folder)?;
    let name = format!("sanbao-{host}{}", std::env::consts::EXE_SUFFIX);
    let program = place::program("sanbao", profile)?;
    fs::copy(&program, folder.join(name))
        .with_context(|| format!("Could not copy '{}'", program.display()))?;
    Ok(folder.join("sanbao"))
}

/// An addition to the configuration: what the installer carries besides the app.
fn carried(program: &Path, model: Option<&Path>) -> Result<String> {
    let program = json(plain(program)?);
    let model = match model {
        Some(model) => {
            let name = model.file_name().map(Path::new).context("The model has no name.")?;
            let inside = format!("models/{}", plain(name)?);
            format!(", \"resources\": {{{}: {}}}", json(plain(model)?), json(&inside))
        }
        None => String::new(),
    };
    Ok(format!("{{\"bundle\": {{\"externalBin\": [{program}]{model}}}}}"))
}

fn plain(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("The path '{}' is no plain text.", path.display()))
}

fn json(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Brings the TypeScript types of the contract up to date, or says that they are not.
pub fn bindings(options: &[String]) -> Result<()> {
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    ensure!(matches!(options[..], [] | ["--check"]), "'bindings' takes --check or nothing.");
    let example = ["build", "--workspace", "--example", "bindings"];
    shell::run(shell::cargo()?.args(example))?;
    let program = Path::new("examples").join("bindings");
    let program = place::program(&program.to_string_lossy(), "debug")?;
    let folder = place::root().join("ui").join("src").join("contract");
    shell::run(shell::command(program)?.args(&options).arg(folder))
}

/// Removes an earlier demo; anything else in the folder is left alone and in the way.
fn clear_run(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    ensure!(
        folder.join("run.json").is_file() || fs::read_dir(folder)?.next().is_none(),
        "'{}' holds something else than an earlier demo: move it away and try again.",
        folder.display()
    );
    fs::remove_dir_all(folder).with_context(|| format!("Could not remove '{}'", folder.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn read(options: &[&str]) -> Result<BundleOptions> {
        BundleOptions::read(&options.iter().map(|option| (*option).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_options_of_bundle_are_understood_or_refused() {
        assert_eq!(read(&[]).unwrap(), BundleOptions::default());
        let all = read(&["--bundles", "deb,rpm", "--debug", "--with-starter-model"]).unwrap();
        assert!(all.debug && all.with_starter_model);
        assert_eq!(all.kinds.as_deref(), Some("deb,rpm"));
        assert!(read(&["--bundles"]).is_err());
        assert!(read(&["--with-starter"]).is_err());
    }

    #[test]
    fn an_installer_carries_the_program_and_the_model_whatever_their_paths_look_like() {
        let program = Path::new("bin").join("sanbao");
        let text = carried(Path::new("sanbao"), None).unwrap();
        assert_eq!(text, r#"{"bundle": {"externalBin": ["sanbao"]}}"#);
        let text = carried(&program, Some(Path::new("a \"quoted\" model.gguf"))).unwrap();
        assert!(
            text.ends_with(
                r#"], "resources": {"a \"quoted\" model.gguf": "models/a \"quoted\" model.gguf"}}}"#
            ),
            "{text}"
        );
    }

    #[test]
    fn only_an_earlier_demo_is_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        let demo = folder.path().join("demo");
        clear_run(&demo).unwrap();
        fs::create_dir(&demo).unwrap();
        fs::write(demo.join("thesis.docx"), "years of work").unwrap();
        assert!(clear_run(&demo).is_err());
        assert!(demo.join("thesis.docx").is_file());
        fs::write(demo.join("run.json"), "{}").unwrap();
        clear_run(&demo).unwrap();
        assert!(!demo.exists());
    }
}
