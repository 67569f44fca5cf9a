//! How separator, quoting and header of delimited text are found by looking.

use sanbao_contract::Text;

use super::Sample;
use super::rows::{Dialect, Quoting, Row, RowReader};
use crate::error::Error;
use crate::input::TextReader;

/// Separators that are tried, the most usual first.
pub(super) const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// Rows that are compared to find the dialect.
const ROWS: usize = 500;

/// The dialect of a sample and how well its rows agree on it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fit {
    pub(crate) dialect: Dialect,
    /// Share of the rows with as many fields as the first.
    pub(crate) agreement: f64,
    /// The first rows.
    pub(crate) rows: Vec<Row>,
}

/// Tries every separator with every way of quoting; of equally good ones the first wins.
pub(crate) fn detect(sample: &Sample) -> Fit {
    let mut delimiters = DELIMITERS.to_vec();
    if matches!(sample.extension.as_str(), "tsv" | "tab") {
        delimiters.swap(0, 1);
    }
    let several = best(
        delimiters
            .iter()
            .filter_map(|delimiter| fit_delimiter(sample, Some(*delimiter)))
            .filter(|fit| fit.rows.first().is_some_and(|row| row.fields.len() > 1)),
    );
    if let Some(fit) = several
        && (fit.agreement >= 0.5
            || fit.rows.first().is_some_and(|row| {
                row.fields.iter().any(|name| crate::shapes::is_known_name(name))
            }))
    {
        return fit;
    }
    let single = Dialect { delimiter: None, quoting: Quoting::Doubled };
    fit_delimiter(sample, None).unwrap_or(Fit { dialect: single, agreement: 0.0, rows: Vec::new() })
}

/// The first of those with the best agreement.
fn best(fits: impl Iterator<Item = Fit>) -> Option<Fit> {
    fits.fold(None, |best: Option<Fit>, fit| match best {
        Some(best) if best.agreement >= fit.agreement => Some(best),
        _ => Some(fit),
    })
}

fn fit_delimiter(sample: &Sample, delimiter: Option<u8>) -> Option<Fit> {
    best(
        [Quoting::Doubled, Quoting::Backslash, Quoting::None]
            .into_iter()
            .filter_map(|quoting| try_dialect(sample, Dialect { delimiter, quoting })),
    )
}

fn try_dialect(sample: &Sample, dialect: Dialect) -> Option<Fit> {
    let mut reader =
        RowReader::new(TextReader::over("sample", sample.text.clone().into_bytes()), dialect, 1);
    let mut rows = Vec::new();
    let failed = loop {
        match reader.next_row() {
            Ok(Some(row)) if rows.len() < ROWS => rows.push(row),
            Ok(Some(_)) => break false,
            Ok(None) => {
                // The limit of the sample cuts the last row.
                if !sample.complete && rows.len() > 1 {
                    rows.pop();
                }
                break false;
            }
            Err(Error::Quote { problem, .. }) => {
                break sample.complete || !problem.contains("never closed");
            }
            Err(_) => break true,
        }
    };
    // Where fields are enclosed in quotes, a quote is not a character like any other.
    if dialect.quoting == Quoting::None && reader.has_enclosed() {
        return None;
    }
    let width = rows.first()?.fields.len();
    let agreeing = rows.iter().filter(|row| row.fields.len() == width).count();
    let agreement = agreeing as f64 / rows.len() as f64;
    Some(Fit { dialect, agreement: if failed { agreement / 2.0 } else { agreement }, rows })
}

/// Whether the first row names the columns, and why.
pub(crate) fn header(rows: &[Row]) -> (bool, Text) {
    let Some((first, body)) = rows.split_first() else {
        return (false, Text::new("there are no rows", "没有任何行"));
    };
    let names: Vec<String> = first.fields.iter().map(|name| name.trim().to_lowercase()).collect();
    let is_number = |text: &str| text.trim().parse::<f64>().is_ok();
    if names.iter().any(|name| is_number(name)) {
        return (false, Text::new("the first row holds numbers", "第一行含有数字"));
    }
    if first.fields.iter().any(|name| crate::shapes::is_known_name(name)) {
        return (true, Text::new("the first row holds names of columns", "第一行是列名"));
    }
    if names.iter().any(|name| name.chars().count() > 64 || name.contains('\n')) {
        return (false, Text::new("the first row holds long text", "第一行是长文本"));
    }
    let column = |at: usize| {
        body.iter().filter_map(move |row| row.fields.get(at)).map(|text| text.trim().to_lowercase())
    };
    if names
        .iter()
        .enumerate()
        .any(|(at, name)| !name.is_empty() && column(at).any(|text| text == *name))
    {
        return (
            false,
            Text::new("a value of the first row comes again below it", "第一行的值在下面再次出现"),
        );
    }
    if (0..names.len()).any(|at| !body.is_empty() && column(at).all(|text| is_number(&text))) {
        return (true, Text::new("only the first row has no numbers", "只有第一行没有数字"));
    }
    let distinct = names.iter().collect::<std::collections::HashSet<_>>().len() == names.len();
    let name_like = |name: &String| {
        !name.is_empty()
            && name.chars().count() <= 40
            && !name.ends_with(['.', '!', '?', '。', '！', '？', '，', ','])
    };
    let longer_below = (0..names.len()).any(|at| {
        let lengths: usize = column(at).map(|text| text.chars().count()).sum();
        lengths > 2 * body.len() * names[at].chars().count()
    });
    if distinct && names.iter().all(name_like) && longer_below {
        return (
            true,
            Text::new(
                "the first row is short and different from those below",
                "第一行较短，且与下面的行不同",
            ),
        );
    }
    (false, Text::new("the first row looks like those below it", "第一行与下面的行相似"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn sample(text: &str, extension: &str) -> Sample {
        Sample { text: text.into(), complete: true, extension: extension.into() }
    }

    #[test]
    fn dialects_are_found() {
        let cases = [
            ("text,label\n\"good, really\",a\nbad,b\n", "csv", Some(b','), Quoting::Doubled),
            ("text;label\nI like it, a lot;a\nno, thanks;b\n", "csv", Some(b';'), Quoting::Doubled),
            ("text\tlabel\nsay \"hi\"\ta\n\"oh no\tb\n", "tsv", Some(b'\t'), Quoting::None),
            ("id|text|label\n1|one, two|a\n2|three|b\n", "txt", Some(b'|'), Quoting::Doubled),
            (
                "text,label\n\"he said \\\"no\\\", twice\",a\nbad,b\n",
                "csv",
                Some(b','),
                Quoting::Backslash,
            ),
            ("text\nfirst, of all\nsecond\nthird\nfourth\n", "csv", None, Quoting::Doubled),
        ];
        for (text, extension, delimiter, quoting) in cases {
            assert_eq!(
                detect(&sample(text, extension)).dialect,
                Dialect { delimiter, quoting },
                "{text}"
            );
        }
        let unclosed = detect(&sample("text,label\n\"oh,a\n\"fine\",b\nok,a\n", "csv"));
        assert_eq!(unclosed.dialect, Dialect { delimiter: Some(b','), quoting: Quoting::Doubled });
    }

    #[test]
    fn headers_are_told_from_rows() {
        let cases = [
            ("text,label\ngood,a\n", true),
            ("内容,标签\n很好,好评\n", true),
            ("装系统挺麻烦,负面\n产品不错,正面\n太差了,负面\n", false),
            (
                "foo,bar\nA long sentence about the weather today.,3\nAnother long sentence.,4\n",
                true,
            ),
            ("Some sentence here.,3\nAnother one.,4\n", false),
            ("yes\nno\nyes\n", false),
        ];
        for (text, expected) in cases {
            let fit = detect(&sample(text, "csv"));
            assert_eq!(header(&fit.rows).0, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "[a\",;\\\\\r\n\t|é好 ]{0,60}") {
            let _ = header(&detect(&sample(&text, "csv")).rows);
        }
    }
}
