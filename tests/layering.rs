//! Who may know whom. See ARCHITECTURE.md for the reasons.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A crate may depend on crates of lower layers, never on one of its own layer or above.
const LAYERS: &[&[&str]] = &[
    &["sanbao-contract"],
    &["sanbao-project", "sanbao-text", "sanbao-evaluate", "sanbao-feedback"],
    &["sanbao-hub", "sanbao-data", "sanbao-models", "sanbao-reward"],
    &["sanbao-infer"],
    &["sanbao-train"],
    &["sanbao-export"],
    &["sanbao-worker"],
    &["sanbao-app"],
    &["sanbao-server"],
    &["sanbao-cli", "sanbao"],
];

/// Crates that build in seconds, since they have nothing to do with numbers on devices.
const LIGHT: &[&str] = &[
    "sanbao-contract",
    "sanbao-project",
    "sanbao-hub",
    "sanbao-text",
    "sanbao-data",
    "sanbao-evaluate",
    "sanbao-feedback",
    "sanbao-reward",
    "xtask",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    told.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// What `cargo metadata` says, without what is only needed for tests.
struct Graph {
    names: BTreeMap<String, String>,
    members: BTreeSet<String>,
    edges: BTreeMap<String, Vec<String>>,
}

impl Graph {
    fn read() -> Self {
        // Packages for other systems need not have been downloaded.
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["metadata", "--format-version", "1", "--offline", "--filter-platform", &host()])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let list = |value: &Value| value.as_array().unwrap().clone();
        let names = list(&metadata["packages"])
            .iter()
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let members = list(&metadata["workspace_members"]).iter().map(text).collect();
        let is_used = |dependency: &Value| {
            list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev")
        };
        let edges = list(&metadata["resolve"]["nodes"])
            .iter()
            .map(|node| {
                let used = list(&node["deps"]).into_iter().filter(is_used);
                (text(&node["id"]), used.map(|dependency| text(&dependency["pkg"])).collect())
            })
            .collect();
        Self { names, members, edges }
    }

    fn id(&self, member: &str) -> &str {
        let found = self.members.iter().find(|id| self.names[*id] == member);
        found.unwrap_or_else(|| panic!("there is no crate {member} in the workspace"))
    }

    fn member_names(&self) -> BTreeSet<&str> {
        self.members.iter().map(|id| self.names[id].as_str()).collect()
    }

    /// Members of the workspace that a member depends on directly.
    fn known_members(&self, member: &str) -> BTreeSet<&str> {
        let known = self.edges[self.id(member)].iter().filter(|id| self.members.contains(*id));
        known.map(|id| self.names[id].as_str()).collect()
    }

    /// Names of all packages that a member needs, directly or not.
    fn needed(&self, member: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut open = vec![self.id(member)];
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(self.edges[id].iter().map(String::as_str));
            }
        }
        seen.into_iter().map(|id| self.names[id].as_str()).collect()
    }
}

#[test]
fn dependencies_point_downwards() {
    let graph = Graph::read();
    let layer_of = |name: &str| LAYERS.iter().position(|layer| layer.contains(&name));
    for member in graph.member_names() {
        if member == "xtask" {
            assert!(graph.known_members(member).is_empty(), "xtask builds without the product");
            continue;
        }
        let layer = layer_of(member).unwrap_or_else(|| panic!("give {member} a place in LAYERS"));
        for known in graph.known_members(member) {
            let below = layer_of(known).is_some_and(|other| other < layer);
            assert!(below, "{member} must not depend on {known}, which is not below it");
        }
    }
    assert!(graph.known_members("sanbao-train").contains("sanbao-models"));
}

#[test]
fn the_shell_alone_knows_tauri() {
    let graph = Graph::read();
    for member in graph.member_names() {
        let needs = graph.needed(member).contains("tauri");
        assert_eq!(needs, member == "sanbao", "{member}");
    }
}

#[test]
fn light_crates_do_without_burn() {
    let graph = Graph::read();
    let heavy = |member| {
        let is_heavy = |name: &&str| {
            ["burn", "cubecl", "wgpu"].iter().any(|heavy| {
                name.strip_prefix(heavy)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            })
        };
        graph.needed(member).into_iter().find(is_heavy)
    };
    for member in LIGHT {
        assert_eq!(heavy(member), None, "{member}");
    }
    assert!(heavy("sanbao-models").is_some());
}

/// Packages with their features, for targets with the given kinds of dependencies.
fn with_features(kinds: &str) -> BTreeSet<String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--workspace", "--offline", "--prefix", "none", "--format", "{p} {f}"])
        .args(["--edges", kinds])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim_end_matches(" (*)").trim().to_owned()).collect()
}

#[test]
fn a_build_and_a_test_share_what_they_build() {
    let (build, test) = (with_features("normal,build"), with_features("normal,build,dev"));
    let apart: Vec<&String> = build.difference(&test).collect();
    assert!(
        apart.is_empty(),
        "tests build these with other features, and so the numeric libraries twice: {apart:#?}"
    );
    assert!(build.iter().any(|package| package.starts_with("burn ")));
}

#[test]
fn one_folder_of_the_window_knows_the_shell() {
    let sources = root().join("ui").join("src");
    let platform = sources.join("platform");
    let mut files = Vec::new();
    collect(&sources, &mut files);
    let knowing: Vec<PathBuf> = files
        .into_iter()
        .filter(|file| std::fs::read_to_string(file).unwrap().contains("@tauri-apps"))
        .collect();
    for file in &knowing {
        assert!(file.starts_with(&platform), "{} imports @tauri-apps", file.display());
    }
    assert!(knowing.contains(&platform.join("tauri.ts")));
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let extension =
            path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if path.is_dir() {
            collect(&path, files);
        } else if ["ts", "js", "svelte", "html"].contains(&extension) {
            files.push(path);
        }
    }
}
