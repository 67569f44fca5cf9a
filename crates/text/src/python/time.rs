//! `datetime.strftime` of a date without time zone, in the C locale.

use std::fmt::Write;

use jiff::Zoned;
use jiff::fmt::strtime;

/// Writes `now` by `format`. A directive that does not exist stays as it is, as with glibc.
pub(crate) fn strftime(format: &str, now: &Zoned) -> String {
    let mut output = String::new();
    write_format(format, now, &mut output);
    output
}

fn write_format(format: &str, now: &Zoned, output: &mut String) {
    let mut rest = format;
    while let Some(start) = rest.find('%') {
        output.push_str(&rest[..start]);
        let directive = &rest[start..];
        let flags = directive[1..]
            .find(|c: char| !matches!(c, '-' | '_' | '0' | '^' | '#'))
            .map_or(directive.len(), |at| at + 1);
        let Some(conversion) = directive[flags..].chars().next() else {
            output.push_str(directive);
            return;
        };
        let length = flags + conversion.len_utf8();
        write_directive(&directive[..length], conversion, now, output);
        rest = &directive[length..];
    }
    output.push_str(rest);
}

fn write_directive(directive: &str, conversion: char, now: &Zoned, output: &mut String) {
    match conversion {
        '%' => output.push('%'),
        'c' => write_format("%a %b %e %H:%M:%S %Y", now, output),
        'x' => write_format("%m/%d/%y", now, output),
        'X' => write_format("%H:%M:%S", now, output),
        'r' => write_format("%I:%M:%S %p", now, output),
        'f' => output.push_str(&format!("{:06}", now.subsec_nanosecond() / 1000)),
        // A date without time zone has neither.
        'z' | 'Z' => {}
        _ => {
            let before = output.len();
            let written = match strtime::format(directive, now) {
                Ok(text) => output.write_str(&text).is_ok(),
                Err(_) => false,
            };
            if !written {
                output.truncate(before);
                output.push_str(directive);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn dates_as_python_writes_them() {
        let now: Zoned = "2025-03-05T14:07:09.123456+01:00[+01:00]".parse().unwrap();
        for (format, expected) in [
            ("%Y-%m-%d %A, %d %b %Y %H:%M", "2025-03-05 Wednesday, 05 Mar 2025 14:07"),
            ("%c|%x|%X|%p|%j|%y|%%", "Wed Mar  5 14:07:09 2025|03/05/25|14:07:09|PM|064|25|%"),
            ("%-d %B %-I %e %f%z%Z", "5 March 2  5 123456"),
            ("%U %W %u %w %G %V", "09 09 3 3 2025 10"),
            ("50% %é %", "50% %é %"),
        ] {
            assert_eq!(strftime(format, &now), expected, "{format}");
        }
    }
}
