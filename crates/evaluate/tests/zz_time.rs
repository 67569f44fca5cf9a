#![allow(clippy::unwrap_used)]
#[path = "common/sample.rs"]
mod sample;
use sanbao_evaluate::{Language, verdict};
#[test]
fn time() {
    for (name, mut input) in [
        ("instruct", sample::instruct(Language::En, 360)),
        ("classify", sample::classify(Language::En, 360, 0.8)),
    ] {
        for times in [1, 8] {
            input.rows = input.rows.iter().cloned().cycle().take(360 * times).collect();
            let start = std::time::Instant::now();
            verdict(&input).unwrap();
            println!("{name} {} rows {:?}", input.rows.len(), start.elapsed());
        }
    }
}
