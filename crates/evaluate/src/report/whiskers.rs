//! Picture: one metric before and after, with its intervals, on a line of its own.

use askama::Template;
use sanbao_contract::verdict::{Comparison, Estimate};

use super::format::ticks;
use crate::Error;
use crate::metrics::Unit;

const LEFT: f64 = 12.0;
const RIGHT: f64 = 484.0;

struct Whisker {
    low: f64,
    high: f64,
    at: f64,
}

struct Tick {
    at: f64,
    text: String,
}

#[derive(Template)]
#[template(path = "whiskers.svg")]
struct Whiskers {
    name: &'static str,
    ticks: Vec<Tick>,
    before: Whisker,
    after: Whisker,
    mark: Option<f64>,
}

/// The picture of a comparison; `mark` is a figure to hold it against.
pub(super) fn draw(
    comparison: &Comparison,
    unit: Unit,
    name: &'static str,
    mark: Option<f64>,
) -> Result<String, Error> {
    let (low, high) = domain(comparison, unit);
    let x = |value: f64| LEFT + (value.clamp(low, high) - low) / (high - low) * (RIGHT - LEFT);
    let whisker = |estimate: &Estimate| Whisker {
        low: x(estimate.low),
        high: x(estimate.high),
        at: x(estimate.value),
    };
    let percent = unit == Unit::Share;
    let scale = if percent { 100.0 } else { 1.0 };
    let ticks = ticks(low * scale, high * scale, 4)
        .into_iter()
        .map(|(value, text)| Tick {
            at: x(value / scale),
            text: if percent { format!("{text}%") } else { text },
        })
        .collect();
    let picture = Whiskers {
        name,
        ticks,
        before: whisker(&comparison.before),
        after: whisker(&comparison.after),
        mark: mark.map(x),
    };
    Ok(picture.render()?)
}

/// The whole scale where a metric has one, otherwise from 0 to beyond the largest figure.
fn domain(comparison: &Comparison, unit: Unit) -> (f64, f64) {
    let (before, after) = (&comparison.before, &comparison.after);
    let (low, high) = (before.low.min(after.low), before.high.max(after.high));
    match unit {
        Unit::Points if (0.0..=100.0).contains(&high) => (0.0, 100.0),
        Unit::Share => (0.0, 1.0),
        Unit::Number if comparison.higher_is_better && low >= 0.0 && high <= 1.0 => (0.0, 1.0),
        Unit::Number if comparison.higher_is_better && low >= -1.0 && high <= 1.0 => (-1.0, 1.0),
        Unit::Points | Unit::Number => {
            let top = if high > 0.0 { 1.08 * high } else { 1.0 };
            (low.min(0.0), top)
        }
    }
}
