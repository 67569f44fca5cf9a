//! Figures as people read them.

use sanbao_contract::verdict::Comparison;

use crate::Language;
use crate::metrics::{Unit, metric};
use crate::verdict::{fixed, places_for, signed_fixed};

/// How the figures of one comparison are written: all with the same number of decimals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    share: bool,
    places: usize,
}

impl Figures {
    /// Per cent for shares, one decimal for points, about three digits of the larger figure for
    /// everything else.
    pub(super) fn of(comparison: &Comparison) -> Self {
        let largest = comparison.before.value.abs().max(comparison.after.value.abs());
        match unit(&comparison.metric) {
            Unit::Share => Self { share: true, places: 1 },
            Unit::Points => Self { share: false, places: 1 },
            Unit::Number => Self { share: false, places: places_for(largest) },
        }
    }

    /// `87.5%`, `0.574`, `41.2`.
    pub(super) fn figure(self, value: f64) -> String {
        if self.share { format!("{}%", fixed(100.0 * value, 1)) } else { fixed(value, self.places) }
    }

    /// A difference with its sign; of shares in points.
    pub(super) fn difference(self, value: f64) -> String {
        signed_fixed(if self.share { 100.0 * value } else { value }, self.places)
    }
}

pub(super) fn unit(name: &str) -> Unit {
    metric(name).map_or(Unit::Number, |metric| metric.about().unit)
}

/// A whole number with its thousands set apart: `134,515,008`.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A share of a whole in per cent: `0.36%`, `12.4%`, empty for nothing of nothing.
pub(super) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let percent = 100.0 * part as f64 / whole as f64;
    let places = if percent >= 10.0 || percent == 0.0 {
        0
    } else if percent >= 1.0 {
        1
    } else {
        2
    };
    format!("{percent:.places$}%")
}

/// Seconds as `48 s`, `4 min 12 s`, `2 h 5 min`.
pub(super) fn duration(seconds: f64, language: Language) -> String {
    let whole = seconds.max(0.0).round() as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    match (language, hours, minutes) {
        (Language::En, 0, 0) => format!("{rest} s"),
        (Language::En, 0, _) => format!("{minutes} min {rest} s"),
        (Language::En, _, _) => format!("{hours} h {minutes} min"),
        (Language::Zh, 0, 0) => format!("{rest} 秒"),
        (Language::Zh, 0, _) => format!("{minutes} 分 {rest} 秒"),
        (Language::Zh, _, _) => format!("{hours} 小时 {minutes} 分"),
    }
}

/// A setting's value as a person would type it.
pub(super) fn setting(value: &impl ToString) -> String {
    let text = value.to_string();
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if !inner.contains(['"', '\\']) => inner.to_owned(),
        _ => text,
    }
}

/// At most `most` characters, an ellipsis in place of the rest.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// Round numbers that divide a range into about `wanted` parts, and how to write them.
pub(super) fn ticks(low: f64, high: f64, wanted: usize) -> Vec<(f64, String)> {
    let span = high - low;
    if !span.is_finite() || span <= 0.0 || wanted == 0 {
        return Vec::new();
    }
    let rough = span / wanted as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power);
    let places = (0..12).find(|places| {
        let scaled = step * 10_f64.powi(*places);
        (scaled - scaled.round()).abs() < 1e-6
    });
    let places = places.unwrap_or(0) as usize;
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    (first..=last)
        .map(|number| number as f64 * step)
        .map(|value| (value, format!("{value:.places$}").replace('-', "\u{2212}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use sanbao_contract::verdict::Estimate;

    use super::*;

    fn figures(metric: &str, before: f64, after: f64) -> Figures {
        let estimate = |value| Estimate { value, low: value, high: value };
        Figures::of(&Comparison {
            metric: metric.to_owned(),
            higher_is_better: true,
            before: estimate(before),
            after: estimate(after),
            difference: estimate(after - before),
            p_value: None,
            test: String::new(),
            rows: 1,
        })
    }

    #[test]
    fn figures_follow_the_metric() {
        let accuracy = figures("accuracy", 0.1, 0.875);
        assert_eq!(accuracy.figure(0.875), "87.5%");
        assert_eq!(accuracy.figure(0.0), "0.0%");
        assert_eq!(accuracy.difference(0.25), "+25.0");
        assert_eq!(accuracy.difference(0.0001), "0.0");
        let chrf = figures("chrf", 41.23, 9.0);
        assert_eq!(chrf.figure(41.23), "41.2");
        assert_eq!(chrf.difference(-3.0), "−3.0");
        let loss = figures("loss", 2.71, 0.94);
        assert_eq!((loss.figure(0.941), loss.difference(-1.769)), ("0.94".into(), "−1.77".into()));
        assert_eq!(loss.difference(0.0), "0.00");
        assert_eq!(figures("macro_f1", 0.5, 0.8).figure(0.5), "0.500");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(134_515_008), "134,515,008");
        assert_eq!(count(12), "12");
        assert_eq!(share(488_448, 134_515_008), "0.36%");
        assert_eq!(share(1, 0), "");
        assert_eq!(duration(48.2, Language::En), "48 s");
        assert_eq!(duration(252.0, Language::Zh), "4 分 12 秒");
        assert_eq!(duration(7500.0, Language::En), "2 h 5 min");
        assert_eq!(setting(&"\"linear\""), "linear");
        assert_eq!(shortened("a word too many", 8), "a word…");
    }

    #[test]
    fn ticks_are_round() {
        let text = |low, high, wanted| -> Vec<String> {
            ticks(low, high, wanted).into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(text(1.13, 2.71, 4), ["1.5", "2.0", "2.5"]);
        assert_eq!(text(0.0, 100.0, 4), ["0", "25", "50", "75", "100"]);
        assert_eq!(text(-0.3, 0.3, 3), ["−0.2", "0.0", "0.2"]);
        assert!(ticks(1.0, 1.0, 4).is_empty());
        assert!(ticks(0.0, f64::INFINITY, 4).is_empty());
    }
}
