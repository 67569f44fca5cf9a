//! What the machine must bring: system libraries, Node.js, a browser.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::shell;

/// To build the app.
const BUILD: &[&str] = &["pkg-config", "libwebkit2gtk-4.1-dev"];
/// To test it as well: a screen without a monitor, fonts, a Vulkan device without a graphics card.
const TEST: &[&str] = &[
    "xvfb",
    "xauth",
    "webkit2gtk-driver",
    "xdotool",
    "imagemagick",
    "fonts-dejavu-core",
    "fonts-wqy-zenhei",
    "mesa-vulkan-drivers",
];

/// Debian's package of a browser, installed where there is none that the window can be tested in.
const BROWSER: &str = "chromium";
/// What such browsers are called, where they can be found by their names.
const BROWSERS: &[&str] =
    &["chromium", "google-chrome", "google-chrome-stable", "chromium-browser"];
/// Where they are on the systems that keep programs in places of their own.
const BROWSER_PLACES: &[&str] = if cfg!(target_os = "macos") {
    &[
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ]
} else if cfg!(windows) {
    &[
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ]
} else {
    &[]
};

/// Oldest Node.js that builds the window.
const NODE: (u32, u32) = (20, 19);

/// What a task wants to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Build and run.
    Build,
    /// Also run the tests.
    Test,
}

/// Makes sure that the machine has what `purpose` needs. On Debian and its relatives missing
/// packages are installed; elsewhere one sentence says what is missing.
pub fn prepare(purpose: Purpose) -> Result<()> {
    if cfg!(target_os = "linux") {
        prepare_linux(purpose)?;
    } else if cfg!(target_os = "macos") {
        ensure!(
            shell::ask("xcode-select", &["-p"]).is_some(),
            "Apple's command line tools are missing: run 'xcode-select --install' and try again."
        );
    } else if cfg!(windows) {
        ensure!(
            has_webview2(),
            "Microsoft's WebView2 runtime is missing: install it from Microsoft's page 'WebView2' and try again."
        );
    }
    check_node(shell::ask("node", &["--version"]).as_deref())
}

fn prepare_linux(purpose: Purpose) -> Result<()> {
    let mut wanted = BUILD.to_vec();
    if purpose == Purpose::Test {
        wanted.extend(TEST);
        if chromium().is_none() {
            wanted.push(BROWSER);
        }
    }
    if shell::ask("dpkg-query", &["--version"]).is_none()
        || shell::ask("apt-get", &["--version"]).is_none()
    {
        ensure!(
            shell::ask("pkg-config", &["--exists", "webkit2gtk-4.1"]).is_some(),
            "The development files of WebKitGTK 4.1 are missing: install them (and pkg-config) with your \
             system's package manager; on Fedora they are called webkit2gtk4.1-devel, on Arch webkit2gtk-4.1."
        );
        return Ok(());
    }
    let missing: Vec<&str> = wanted.into_iter().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("Installing system packages: {}", missing.join(", "));
    let is_root = shell::ask("id", &["-u"]).as_deref() == Some("0");
    ensure!(
        is_root || shell::ask("sudo", &["--version"]).is_some(),
        "System packages are missing and there is no sudo to install them with: as root, run \
         'apt-get install {}' and try again.",
        missing.join(" ")
    );
    shell::run(apt(is_root).arg("update"))?;
    let options = ["install", "--yes", "--no-install-recommends"];
    shell::run(apt(is_root).args(options).args(&missing))
}

fn apt(is_root: bool) -> Command {
    if is_root {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        sudo
    }
}

fn is_installed(package: &str) -> bool {
    let status =
        shell::ask("dpkg-query", &["--show", "--showformat=${db:Status-Status} ", package]);
    // One word for each architecture that the package is there for.
    status.is_some_and(|status| status.split(' ').any(|word| word == "installed"))
}

/// A browser of Chromium's family: the one that the variable `CHROMIUM` names, or else one that
/// is installed.
pub fn chromium() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM").filter(|named| !named.is_empty()) {
        return Some(PathBuf::from(named));
    }
    if !cfg!(target_os = "linux") {
        return BROWSER_PLACES.iter().map(PathBuf::from).find(|place| place.is_file());
    }
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    browser_in(&folders)
}

fn browser_in(folders: &[PathBuf]) -> Option<PathBuf> {
    let mut named =
        BROWSERS.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    // Ubuntu has scripts of these names that only tell how to install the browser.
    named.find(|program| {
        program.is_file() && shell::ask(&program.to_string_lossy(), &["--version"]).is_some()
    })
}

fn has_webview2() -> bool {
    const CLIENT: &str = r"Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}";
    [r"HKLM\SOFTWARE\WOW6432Node", r"HKLM\SOFTWARE", r"HKCU\Software"].iter().any(|place| {
        shell::ask("reg", &["query", &format!(r"{place}\{CLIENT}"), "/v", "pv"]).is_some()
    })
}

fn check_node(version: Option<&str>) -> Result<()> {
    let (major, minor) = NODE;
    let Some(version) = version else {
        bail!(
            "Node.js is missing: install version {major}.{minor} or newer (nodejs.org) and try again."
        );
    };
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    let mut next = || numbers.next().and_then(Result::ok);
    let found = (|| Some((next()?, next()?)))()
        .with_context(|| format!("'node --version' says '{version}', which is no version."))?;
    ensure!(
        found >= NODE,
        "Node.js {version} is too old: install version {major}.{minor} or newer (nodejs.org) and try again."
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn node_is_asked_for_its_version() {
        for good in ["v20.19.0", "v20.20.2", "v22.1.0", "24.0.0"] {
            check_node(Some(good)).unwrap();
        }
        for (bad, said) in
            [("v18.20.1", "too old"), ("v20.18.9", "too old"), ("twenty", "no version")]
        {
            assert!(check_node(Some(bad)).unwrap_err().to_string().contains(said), "{bad}");
        }
        assert!(check_node(None).unwrap_err().to_string().contains("missing"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_script_that_only_speaks_of_a_browser_is_none() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let write = |folder: &tempfile::TempDir, name: &str, status: i32| {
            let (text, path) = (folder.path().join("text"), folder.path().join(name));
            std::fs::write(&text, format!("#!/bin/sh\nexit {status}\n")).unwrap();
            // Another process puts it in place: what this one holds open for writing, a child that
            // another test starts meanwhile holds too, and cannot be run ("text file busy").
            let installed = std::process::Command::new("install")
                .args(["-m", "755"])
                .args([&text, &path])
                .status();
            assert!(installed.unwrap().success());
            path
        };
        let paths = folders.each_ref().map(|folder| folder.path().to_owned());
        assert_eq!(browser_in(&paths), None);
        write(&folders[0], "chromium", 1);
        assert_eq!(browser_in(&paths), None);
        let chrome = write(&folders[1], "google-chrome", 0);
        assert_eq!(browser_in(&paths), Some(chrome));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn packages_are_known_to_be_there_or_not() {
        if shell::ask("dpkg-query", &["--version"]).is_some() {
            assert!(is_installed("dpkg"));
            assert!(!is_installed("no-such-package-as-this"));
        }
    }
}
