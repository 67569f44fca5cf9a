//! What the machine must bring: system libraries, Node.js.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::shell;

/// To build the app.
const BUILD: &[&str] = &["pkg-config", "libwebkit2gtk-4.1-dev"];
/// To test it as well: a screen without a monitor, fonts, a Vulkan device without a graphics card.
const TEST: &[&str] = &[
    "xvfb",
    "xauth",
    "xdotool",
    "imagemagick",
    "fonts-dejavu-core",
    "fonts-wqy-zenhei",
    "mesa-vulkan-drivers",
];

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
    fn packages_are_known_to_be_there_or_not() {
        if shell::ask("dpkg-query", &["--version"]).is_some() {
            assert!(is_installed("dpkg"));
            assert!(!is_installed("no-such-package-as-this"));
        }
    }
}
