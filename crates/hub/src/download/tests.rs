//! Whole models, from a stand-in for the hub and its store.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::installed::{BegunDownload, begun, installed, remove};
use crate::repository::repository_with;
use crate::stand_in::{Act, File, GOOD_TOKEN, ID, IMPATIENT, STRANGERS_TOKEN, StandIn, model};

struct Job {
    hub: StandIn,
    models: tempfile::TempDir,
}

impl Job {
    fn new(files: Vec<File>) -> Self {
        Self { hub: StandIn::new(files), models: tempfile::tempdir().unwrap() }
    }

    fn acting(acts: &[Act]) -> Self {
        let job = Self::new(model());
        job.hub.state().acts.extend(acts);
        job
    }

    fn download(&self, token: Option<&str>) -> Download {
        let found = repository_with(&self.hub.endpoint, ID, token, IMPATIENT).unwrap();
        self.hub.asked();
        let made = Download::new(self.models.path(), &self.hub.endpoint, token, found).unwrap();
        Download { patience: IMPATIENT, free: |_| Some(1 << 40), ..made }
    }

    fn run(&self) -> Result<Outcome, Error> {
        self.download(None).run(&|| false, &mut |_| {})
    }

    fn whole(&self) -> PathBuf {
        self.models.path().join("hub").join(ID.replace('/', "--"))
    }

    fn begun(&self) -> PathBuf {
        self.models.path().join("hub").join(format!("{}.incomplete", ID.replace('/', "--")))
    }

    /// The requests to the store, as their ranges.
    fn ranges(&self) -> Vec<String> {
        let asked = self.hub.asked().into_iter().filter(|asked| asked.at_store);
        asked.map(|asked| asked.range).collect()
    }

    #[track_caller]
    fn is_done(&self) {
        let mut there = content_of(&self.whole());
        assert!(there.remove(RECORD).is_some());
        let wanted: BTreeMap<String, Vec<u8>> = self
            .hub
            .state()
            .files
            .iter()
            .filter(|file| there.contains_key(&file.path))
            .map(|file| (file.path.clone(), file.content.clone()))
            .collect();
        assert_eq!(there.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
        assert!(there == wanted, "the content of a file is wrong");
        assert!(!self.begun().exists());
        assert!(begun(self.models.path()).is_empty());
    }
}

fn content_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

#[test]
fn a_model_is_there_when_everything_is_there() {
    let job = Job::new(model());
    let mut steps = Vec::new();
    let outcome = job
        .download(Some(GOOD_TOKEN))
        .run(&|| false, &mut |step| {
            assert!(!job.whole().exists());
            assert!(installed(job.models.path()).is_empty());
            let Progress::Fetched { bytes, total } = step else { panic!("{step:?}") };
            steps.push((bytes, total));
        })
        .unwrap();
    assert_eq!(outcome, Outcome::Complete(job.whole()));
    job.is_done();
    assert_eq!(content_of(&job.whole()).len(), 7);
    let total = steps[0].1;
    assert_eq!(steps.first(), Some(&(0, total)));
    assert_eq!(steps.last(), Some(&(total, total)));
    assert!(steps.is_sorted());
    let found = installed(job.models.path());
    assert_eq!((found.len(), &found[0].id[..], &found[0].path), (1, ID, &job.whole()));

    // The store is another server, and the small files come through a redirect on the hub.
    let asked = job.hub.asked();
    assert!(asked.iter().any(|asked| asked.at_store));
    assert!(asked.iter().any(|asked| asked.path.starts_with("/api/resolve-cache/")));
    for asked in asked {
        let token = (!asked.at_store).then(|| GOOD_TOKEN.to_owned());
        assert_eq!(asked.token, token, "{}", asked.path);
    }
    // What is there is not asked for.
    assert_eq!(job.run().unwrap(), outcome);
    assert!(job.hub.asked().is_empty());
}

#[test]
fn broken_connections_are_taken_up_where_they_broke() {
    let job = Job::acting(&[Act::Serve, Act::Break(100_000), Act::Status(503), Act::Break(50_000)]);
    job.run().unwrap();
    job.is_done();
    let ranges = job.ranges();
    assert_eq!(ranges, ["", "", "bytes=100000-", "bytes=100000-", "bytes=150000-"]);
}

#[test]
fn an_address_that_has_expired_is_asked_for_again() {
    let job = Job::acting(&[Act::Serve, Act::Break(100_000), Act::Status(403)]);
    job.run().unwrap();
    job.is_done();
}

#[test]
fn a_download_is_paused_at_once_and_goes_on_later() {
    let job = Job::new(model());
    let stop = Cell::new(false);
    let seen = Cell::new(0);
    let outcome = job.download(None).run(&|| stop.get(), &mut |step| {
        if let Progress::Fetched { bytes, .. } = step {
            assert!(!stop.get(), "something was fetched after the stop");
            seen.set(bytes);
            stop.set(bytes > 100_000);
        }
    });
    assert_eq!(outcome.unwrap(), Outcome::Paused);
    assert!(!job.whole().exists());
    let total = job.download(None).repository.bytes();
    let expected = BegunDownload { id: ID.to_owned(), bytes: seen.get(), total };
    assert_eq!(begun(job.models.path()), [expected]);
    let part = fs::metadata(job.begun().join("model.safetensors.part")).unwrap().len();
    assert!(part > 0 && part < 600_000, "{part}");

    let mut first = None;
    let outcome = job.download(None).run(&|| false, &mut |step| {
        first.get_or_insert(step);
    });
    assert_eq!(outcome.unwrap(), Outcome::Complete(job.whole()));
    assert_eq!(first, Some(Progress::Fetched { bytes: seen.get(), total }));
    job.is_done();
    let asked = job.hub.asked();
    assert_eq!(asked.len(), 2, "only the rest of one file was missing: {asked:?}");
    assert_eq!(asked[1].range, format!("bytes={part}-"));

    let outcome = Job::new(model()).download(None).run(&|| true, &mut |_| {});
    assert_eq!(outcome.unwrap(), Outcome::Paused);
}

#[test]
fn a_wait_for_the_next_try_ends_when_it_is_to_stop() {
    let job = Job::acting(&[Act::Status(503)]);
    let mut download = job.download(None);
    download.patience.pause = std::time::Duration::from_secs(600);
    let stop = Cell::new(false);
    let outcome = download.run(&|| stop.get(), &mut |step| {
        stop.set(stop.get() || matches!(step, Progress::Retrying(_)));
    });
    assert_eq!(outcome.unwrap(), Outcome::Paused);
}

#[test]
fn a_wrong_file_is_thrown_away_and_the_right_ones_are_kept() {
    let job = Job::acting(&[Act::Serve, Act::OtherFile]);
    let error = job.run().unwrap_err();
    assert_eq!(error.code(), "hub.wrong_content");
    assert!(error.to_string().contains("model.safetensors"), "{error}");
    assert!(!job.whole().exists());
    let there = content_of(&job.begun());
    assert!(there.contains_key("tokenizer.json"));
    assert!(!there.keys().any(|name| name.starts_with("model.safetensors")), "{there:?}");
    job.ranges();
    job.run().unwrap();
    job.is_done();
    assert_eq!(job.ranges(), [""]);

    // A small file that changed since its id was told.
    let job = Job::new(model());
    let download = job.download(None);
    job.hub.state().files[2].content[2] = b'?';
    let error = download.run(&|| false, &mut |_| {}).unwrap_err();
    assert_eq!(error.code(), "hub.wrong_content");
    assert!(error.to_string().contains("git id"), "{error}");
}

#[test]
fn a_gate_opens_for_the_right_token_only() {
    let job = Job::new(model());
    job.hub.state().gated = json!("manual");
    for token in [None, Some("hf_garbage"), Some(STRANGERS_TOKEN)] {
        let download = job.download(token);
        assert!(download.repository.gated);
        let error = download.run(&|| false, &mut |_| {}).unwrap_err();
        assert_eq!(error.code(), "hub.gated", "{token:?}");
        assert!(error.to_string().contains(&format!("https://huggingface.co/{ID}")), "{error}");
    }
    job.download(Some(GOOD_TOKEN)).run(&|| false, &mut |_| {}).unwrap();
    job.is_done();
    for (_, content) in content_of(&job.whole()) {
        assert!(!String::from_utf8_lossy(&content).contains(GOOD_TOKEN));
    }
}

#[test]
fn a_file_that_went_away_is_told() {
    let job = Job::new(model());
    let download = job.download(None);
    job.hub.state().files.retain(|file| file.path != "tokenizer.json");
    assert_eq!(download.run(&|| false, &mut |_| {}).unwrap_err().code(), "hub.not_found");
}

#[test]
fn of_a_newer_revision_only_what_changed_is_fetched() {
    let job = Job::acting(&[Act::Serve, Act::Break(100_000), Act::Status(404)]);
    assert_eq!(job.run().unwrap_err().code(), "hub.not_found");
    job.hub.asked();
    {
        let mut state = job.hub.state();
        state.sha = "f".repeat(40);
        state.files[2].content = br#"{"model_type": "qwen2"}"#.to_vec();
    }
    job.run().unwrap();
    job.is_done();
    assert_eq!(job.ranges(), ["bytes=100000-"]);

    // Its beginning is that of another file now.
    let job = Job::acting(&[Act::Serve, Act::Break(100_000), Act::Status(404)]);
    assert!(job.run().is_err());
    job.hub.state().files[4] = File::large("model.safetensors", 500_000);
    job.hub.asked();
    job.run().unwrap();
    job.is_done();
    assert_eq!(job.ranges(), [""]);
}

#[test]
fn what_cannot_be_told_to_be_right_is_fetched_again() {
    let job = Job::new(model());
    fs::create_dir_all(job.begun().join("folder")).unwrap();
    for name in ["model.safetensors", "tokenizer.json.part", "other", RECORD] {
        fs::write(job.begun().join(name), "not what it should be").unwrap();
    }
    assert!(begun(job.models.path()).is_empty());
    job.run().unwrap();
    job.is_done();
    assert_eq!(job.ranges(), ["", ""]);
}

#[test]
fn a_disk_without_room_is_told_before_anything_is_fetched() {
    let job = Job::new(model());
    let download = Download { free: |_| Some(1_000_000), ..job.download(None) };
    let error = download.run(&|| false, &mut |_| {}).unwrap_err();
    assert_eq!(error.code(), "hub.no_space");
    assert!(error.to_string().contains("has 1 MB of free disk space, but 269 MB"), "{error}");
    assert!(job.hub.asked().is_empty());
    // A disk that does not tell is tried.
    let download = Download { free: |_| None, ..job.download(None) };
    download.run(&|| false, &mut |_| {}).unwrap();
    job.is_done();
}

#[test]
fn a_model_is_fetched_once_at_a_time() {
    let job = Job::new(model());
    let mut codes = Vec::new();
    let download = job.download(None);
    download
        .run(&|| false, &mut |_| {
            if codes.is_empty() {
                codes.push(download.run(&|| false, &mut |_| {}).unwrap_err().code());
                codes.push(remove(job.models.path(), ID).unwrap_err().code());
            }
        })
        .unwrap();
    assert_eq!(codes, ["project.locked", "project.locked"]);
    job.is_done();
}

#[test]
fn a_gguf_file_with_any_name_is_what_is_opened() {
    let name = "模型 v1+2.Q8_0.gguf";
    let job = Job::new(vec![File::large(name, 1_000), File::small("README.md", "# 模型\n")]);
    assert_eq!(job.run().unwrap(), Outcome::Complete(job.whole().join(name)));
    job.is_done();
    let encoded = "%E6%A8%A1%E5%9E%8B%20v1%2B2.Q8_0.gguf";
    assert!(job.hub.asked().iter().any(|asked| asked.path.ends_with(encoded)));
    assert_eq!(installed(job.models.path())[0].path, job.whole().join(name));
}

#[test]
fn a_model_is_removed_whole_or_begun() {
    let job = Job::new(model());
    let models = job.models.path();
    assert!(!remove(models, ID).unwrap());
    job.run().unwrap();
    fs::create_dir_all(models.join("hub").join("of somebody else")).unwrap();
    assert!(remove(models, ID).unwrap());
    assert!(installed(models).is_empty());

    assert_eq!(job.download(None).run(&|| true, &mut |_| {}).unwrap(), Outcome::Paused);
    assert_eq!(begun(models).len(), 1);
    assert!(remove(models, ID).unwrap());
    assert!(begun(models).is_empty());
    assert_eq!(fs::read_dir(models.join("hub")).unwrap().count(), 1);
    for id in ["..", "a/..", "../a", "a", "/"] {
        assert_eq!(remove(models, id).unwrap_err().code(), "hub.bad_name", "{id}");
    }
}
