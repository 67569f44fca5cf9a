//! Against a stand-in for the hub on loopback, which behaves as the hub does (a redirect to the
//! store, ranges, 416 with the size) and misbehaves on demand.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::Digest;
use crate::content::Hasher;

const ADDRESS: &str = "/owner/model/resolve/0123abcd/model.gguf";

/// What the stand-in does with one request for the file.
#[derive(Clone)]
enum Act {
    /// Serves it properly.
    Serve,
    /// Serves it properly, but closes the connection after so many bytes of the body.
    Break(usize),
    /// Goes silent after so many bytes of the body.
    Stall(usize),
    /// Serves all of it whatever range was asked for.
    IgnoreRange,
    /// Announces another range than the one asked for.
    WrongRange,
    /// Sends another file of the same length.
    OtherFile,
    /// Sends without end.
    Endless,
    /// Answers with a status and no body.
    Status(u16),
}

struct StandIn {
    base: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    /// Serves `content`, one act for each request, and properly after the last.
    fn new(content: &[u8], acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, content) = (Arc::clone(&asked), content.to_vec());
        let mut acts = acts.into_iter();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that hangs up is part of the game.
                let _ = answer(stream.unwrap(), &content, &log, &mut acts);
            }
        });
        Self { base, asked }
    }

    fn url(&self) -> String {
        self.base.clone() + ADDRESS
    }

    /// The `Range` of each request for the file.
    fn ranges(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(
    mut stream: TcpStream,
    content: &[u8],
    log: &Mutex<Vec<String>>,
    acts: &mut impl Iterator<Item = Act>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap()?;
    let mut range = String::new();
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("range:") {
            range = value.trim().to_owned();
        }
        assert!(!lower.starts_with("accept-encoding:") || lower.contains("identity"), "{line}");
    }
    let path = first.split(' ').nth(1).unwrap();
    if path == ADDRESS {
        let size = content.len();
        return write!(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: /store/model\r\nX-Linked-Size: {size}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    assert_eq!(path, "/store/model");
    log.lock().unwrap().push(range.clone());
    serve(stream, content, &range, acts.next().unwrap_or(Act::Serve))
}

fn serve(mut stream: TcpStream, content: &[u8], range: &str, act: Act) -> std::io::Result<()> {
    let size = content.len();
    let from = range
        .strip_prefix("bytes=")
        .map(|range| range.trim_end_matches('-').parse::<usize>().unwrap());
    let from = if matches!(act, Act::IgnoreRange) { None } else { from };
    let close = "Accept-Ranges: bytes\r\nConnection: close\r\n\r\n";
    if let Act::Status(status) = act {
        return write!(stream, "HTTP/1.1 {status} As Asked\r\nContent-Length: 0\r\n{close}");
    }
    if matches!(act, Act::Endless) {
        write!(stream, "HTTP/1.1 200 OK\r\n{close}")?;
        loop {
            stream.write_all(&[b'x'; 4096])?;
        }
    }
    if from.is_some_and(|from| from >= size) {
        return write!(
            stream,
            "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{size}\r\nContent-Length: 0\r\n{close}"
        );
    }
    match from {
        None => write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n{close}")?,
        Some(from) => {
            let told = if matches!(act, Act::WrongRange) { from + 1 } else { from };
            write!(
                stream,
                "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {told}-{}/{size}\r\nContent-Length: {}\r\n{close}",
                size - 1,
                size - from
            )?;
        }
    }
    let body = &content[from.unwrap_or(0)..];
    match act {
        Act::Break(bytes) => stream.write_all(&body[..bytes.min(body.len())]),
        Act::Stall(bytes) => {
            stream.write_all(&body[..bytes.min(body.len())])?;
            stream.flush()?;
            // Until the client loses patience and hangs up.
            let _ = stream.read(&mut [0]);
            Ok(())
        }
        Act::OtherFile => stream.write_all(&vec![b'?'; body.len()]),
        _ => stream.write_all(body),
    }
}

fn patient(tries: u32) -> Fetcher {
    let (silence, pause) = (Duration::from_millis(400), Duration::from_millis(1));
    let patience = Patience { silence, tries, pause };
    Fetcher::with(Client::new(patience), patience)
}

struct Job {
    stand_in: StandIn,
    content: Vec<u8>,
    expected: Expected,
    folder: tempfile::TempDir,
}

impl Job {
    fn new(acts: &[Act]) -> Self {
        let content: Vec<u8> =
            (0..600_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let size = content.len() as u64;
        let mut hasher = Hasher::new(Expected { size, digest: Digest::Sha256([0; 32]) });
        hasher.update(&content);
        let expected = Expected { size, digest: hasher.finish() };
        let stand_in = StandIn::new(&content, acts.to_vec());
        Self { stand_in, content, expected, folder: tempfile::tempdir().unwrap() }
    }

    fn to(&self) -> PathBuf {
        self.folder.path().join("model.gguf")
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("model.gguf.part")
    }

    fn run(&self) -> Result<(), Error> {
        self.run_watched(&mut |_| {})
    }

    fn run_watched(&self, progress: &mut dyn FnMut(Progress)) -> Result<(), Error> {
        patient(3).fetch(&self.stand_in.url(), &self.to(), self.expected, progress)
    }

    #[track_caller]
    fn is_done(&self) {
        assert_eq!(fs::read(self.to()).unwrap(), self.content);
        assert!(!self.part().exists());
    }
}

#[test]
fn a_file_is_fetched_through_the_redirect_and_its_progress_told() {
    let job = Job::new(&[]);
    let mut last = None;
    job.run_watched(&mut |progress| last = Some(progress)).unwrap();
    job.is_done();
    assert_eq!(job.stand_in.ranges(), [""]);
    assert_eq!(last, Some(Progress::Fetched { bytes: 600_000, total: 600_000 }));
}

#[test]
fn a_broken_connection_is_taken_up_where_it_broke() {
    let job = Job::new(&[Act::Break(100_000), Act::Break(50_000), Act::Serve]);
    job.run().unwrap();
    job.is_done();
    assert_eq!(job.stand_in.ranges(), ["", "bytes=100000-", "bytes=150000-"]);
}

#[test]
fn a_silent_server_is_asked_again() {
    let job = Job::new(&[Act::Stall(10), Act::Serve]);
    job.run().unwrap();
    job.is_done();
    assert_eq!(job.stand_in.ranges(), ["", "bytes=10-"]);
}

#[test]
fn breaks_that_bring_something_do_not_count_as_failures() {
    let job = Job::new(&vec![Act::Break(60_000); 9]);
    job.run().unwrap();
    job.is_done();
}

#[test]
fn what_an_earlier_call_fetched_is_kept_and_used() {
    let acts = [Act::Break(200_000), Act::Status(503), Act::Status(503), Act::Status(429)];
    let job = Job::new(&acts);
    let error = job.run().unwrap_err();
    assert_eq!(error.code(), "hub.network");
    assert!(error.to_string().contains("429"), "{error}");
    assert!(!job.to().exists());
    assert_eq!(fs::metadata(job.part()).unwrap().len(), 200_000);
    job.run().unwrap();
    job.is_done();
    assert_eq!(job.stand_in.ranges().last().unwrap(), "bytes=200000-");
}

#[test]
fn a_server_without_ranges_starts_over() {
    let job = Job::new(&[Act::Break(100_000), Act::IgnoreRange]);
    job.run().unwrap();
    job.is_done();
}

#[test]
fn a_part_that_is_already_whole_is_not_fetched_again() {
    let job = Job::new(&[]);
    fs::write(job.part(), &job.content).unwrap();
    job.run().unwrap();
    job.is_done();
    assert!(job.stand_in.ranges().is_empty());
}

#[test]
fn a_part_that_is_too_long_or_of_another_file_is_thrown_away() {
    for before in [vec![0; 700_000], vec![0; 600_000], vec![0; 1_000]] {
        let job = Job::new(&[]);
        fs::write(job.part(), before).unwrap();
        job.run().unwrap();
        job.is_done();
        assert_eq!(job.stand_in.ranges().last().unwrap(), "");
    }
}

#[test]
fn a_range_that_the_server_cannot_satisfy_starts_over_once() {
    let job = Job::new(&[Act::Status(416)]);
    fs::write(job.part(), &job.content[..1_000]).unwrap();
    job.run().unwrap();
    job.is_done();
    assert_eq!(job.stand_in.ranges(), ["bytes=1000-", ""]);

    let job = Job::new(&[Act::Status(416), Act::Status(416)]);
    fs::write(job.part(), &job.content[..1_000]).unwrap();
    assert_eq!(job.run().unwrap_err().code(), "hub.bad_answer");
}

#[test]
fn another_file_of_the_same_length_is_refused_and_thrown_away() {
    let job = Job::new(&[Act::OtherFile]);
    let error = job.run().unwrap_err();
    assert_eq!(error.code(), "hub.wrong_content");
    assert!(error.to_string().contains(&job.expected.digest.to_string()), "{error}");
    assert_eq!(fs::read_dir(job.folder.path()).unwrap().count(), 0);
}

#[test]
fn a_server_that_never_stops_does_not_fill_the_disk() {
    let job = Job::new(&[Act::Endless]);
    assert_eq!(job.run().unwrap_err().code(), "hub.wrong_content");
    assert_eq!(fs::read_dir(job.folder.path()).unwrap().count(), 0);
}

#[test]
fn a_part_that_is_not_the_one_asked_for_is_refused() {
    let job = Job::new(&[Act::WrongRange]);
    fs::write(job.part(), &job.content[..1_000]).unwrap();
    assert_eq!(job.run().unwrap_err().code(), "hub.bad_answer");
    assert!(!job.to().exists());
}

#[test]
fn each_refusal_has_its_own_sentence() {
    for (status, code) in [
        (404, "hub.not_found"),
        (410, "hub.not_found"),
        (401, "hub.refused"),
        (403, "hub.refused"),
        (418, "hub.bad_answer"),
    ] {
        let job = Job::new(&[Act::Status(status)]);
        assert_eq!(job.run().unwrap_err().code(), code, "{status}");
        assert_eq!(job.stand_in.ranges().len(), 1, "{status} was asked for again");
    }
}

#[test]
fn a_server_that_is_not_there_is_a_matter_of_the_network() {
    let job = Job::new(&[]);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = patient(2)
        .fetch(&format!("http://{free}/model"), &job.to(), job.expected, &mut |_| {})
        .unwrap_err();
    assert_eq!(error.code(), "hub.network");
}
