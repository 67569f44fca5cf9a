//! Names that every file system takes: for the folders of projects and runs, and for files.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Letters of the random end of an id: none that looks like another, no vowels to make words of.
const LETTERS: &[u8] = b"23456789bcdfghjkmnpqrstvwxz";
const RANDOM_LETTERS: usize = 6;
/// Letters of the name that an id begins with.
const READABLE_LETTERS: usize = 24;
/// Bytes that every file system allows, less what a number or a temporary name adds.
const LONGEST_FILE_NAME: usize = 180;
/// Names that Windows keeps for devices, whatever follows the first dot.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
/// The same, followed by a digit.
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];

/// An id that is not taken: what can be read of the name, then random letters.
///
/// Only ASCII letters, digits and hyphens, since archives and other systems spell other letters
/// in ways of their own; `otherwise` stands for a name without any of them.
pub(super) fn new_id(name: &str, otherwise: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut readable = String::new();
    for letter in name.chars().map(|letter| letter.to_ascii_lowercase()) {
        if readable.len() == READABLE_LETTERS {
            break;
        }
        if letter.is_ascii_alphanumeric() {
            readable.push(letter);
        } else if !readable.is_empty() && !readable.ends_with('-') {
            readable.push('-');
        }
    }
    let readable = readable.trim_end_matches('-');
    let readable = if readable.is_empty() { otherwise } else { readable };
    loop {
        let id = format!("{readable}-{}", random_letters());
        if !is_taken(&id) {
            return id;
        }
    }
}

/// Whether an id is one that [`new_id`] could have given.
pub(super) fn is_portable_id(id: &str) -> bool {
    id.len() <= READABLE_LETTERS + 1 + RANDOM_LETTERS
        && id.contains('-')
        && !id.starts_with('-')
        && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Whether a name that came from elsewhere stays in the folder that it is joined to, and is
/// neither hidden nor temporary.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0'])
}

/// A file's name, changed where Windows, macOS or Linux would not take it.
pub(super) fn portable_file_name(name: &str) -> String {
    let harmless = |letter: char| match letter {
        '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*' => '_',
        letter if letter.is_control() => '_',
        letter => letter,
    };
    let name: String = name.chars().map(harmless).collect();
    // Windows drops spaces and dots at the end; a dot at the start hides a file elsewhere.
    let name = name.trim_start_matches([' ', '.']).trim_end_matches([' ', '.']);
    let (stem, ending) = split_ending(name);
    let stem = shortened(stem, LONGEST_FILE_NAME - ending.len()).trim_end();
    let stem = if stem.is_empty() { "file" } else { stem };
    let mark = if is_device(stem) { "_" } else { "" };
    format!("{mark}{stem}{ending}")
}

/// `name`, or with the first number that makes it free: `reviews (2).csv`.
pub(super) fn free_file_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let (stem, ending) = split_ending(name);
    let numbered = (2u64..).map(|number| format!("{stem} ({number}){ending}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !is_taken(name)).unwrap_or_default()
}

/// A person's name for a project, on one line; `None` when nothing is left of it.
pub(super) fn shown_name(name: &str) -> Option<String> {
    const LONGEST: usize = 200;
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let name: String = name.trim().chars().take(LONGEST).collect();
    let name = name.trim_end();
    (!name.is_empty()).then(|| name.to_owned())
}

/// The end from the last dot on, with the dot, where it looks like the kind of a file.
fn split_ending(name: &str) -> (&str, &str) {
    const LONGEST_ENDING: usize = 12;
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= LONGEST_ENDING => name.split_at(dot),
        _ => (name, ""),
    }
}

fn shortened(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

fn is_device(stem: &str) -> bool {
    let first = stem.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let is_numbered = NUMBERED_DEVICES.iter().any(|device| {
        let mut rest = first.strip_prefix(device).unwrap_or_default().chars();
        matches!((rest.next(), rest.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
    });
    is_numbered || DEVICES.contains(&first.as_str())
}

/// Keys of the standard library's hash maps come from the operating system's random source, so
/// no crate is needed for a name that must only differ from a few others.
fn random_letters() -> String {
    let mut random = RandomState::new().build_hasher().finish();
    let letters = LETTERS.len() as u64;
    let mut text = String::with_capacity(RANDOM_LETTERS);
    for _ in 0..RANDOM_LETTERS {
        text.push(char::from(LETTERS[(random % letters) as usize]));
        random /= letters;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_gives_an_id_that_every_file_system_takes() {
        let readable = |name: &str| {
            let id = new_id(name, "project", |_| false);
            assert!(is_portable_id(&id) && is_plain(&id), "{id}");
            id[..id.len() - 1 - RANDOM_LETTERS].to_owned()
        };
        assert_eq!(readable("Movie reviews"), "movie-reviews");
        assert_eq!(readable("  ../../etc/passwd "), "etc-passwd");
        assert_eq!(readable("CON"), "con");
        assert_eq!(readable("trailing dots..."), "trailing-dots");
        assert_eq!(readable("电影评论 v2"), "v2");
        assert_eq!(readable("电影评论"), "project");
        assert_eq!(readable("🎬🎬"), "project");
        assert_eq!(readable("C:\\Users\\mei"), "c-users-mei");
        assert_eq!(readable("Ünïcödé"), "n-c-d");
        assert_eq!(readable(&"long ".repeat(100)), "long-long-long-long-long");
        assert_eq!(readable(""), "project");
    }

    #[test]
    fn ids_differ_and_a_taken_one_is_not_given() {
        let first = new_id("a", "project", |_| false);
        assert_ne!(first, new_id("a", "project", |_| false));
        let refused = std::cell::RefCell::new(Vec::new());
        let id = new_id("a", "project", |id| {
            refused.borrow_mut().push(id.to_owned());
            refused.borrow().len() < 3
        });
        assert_eq!(refused.borrow().last(), Some(&id));
    }

    #[test]
    fn names_that_lead_elsewhere_are_not_plain() {
        for name in ["", ".", "..", ".bin", "../x", "a/b", "a\\b", "C:", "a:stream", "a\0b"] {
            assert!(!is_plain(name), "{name:?}");
        }
        for name in ["a-1", "My Project (copy)", "评论"] {
            assert!(is_plain(name), "{name:?}");
        }
    }

    #[test]
    fn file_names_are_kept_where_every_system_takes_them() {
        for name in
            ["reviews.csv", "电影评论.jsonl", "a b (2).csv", "no ending", "v1.2.csv", "😀.csv"]
        {
            assert_eq!(portable_file_name(name), name);
        }
        let cases = [
            ("what?.csv", "what_.csv"),
            ("a/b:c.csv", "a_b_c.csv"),
            ("CON.csv", "_CON.csv"),
            ("com1", "_com1"),
            ("lpt1.tar.gz", "_lpt1.tar.gz"),
            ("console.csv", "console.csv"),
            ("reviews.csv. . ", "reviews.csv"),
            (".hidden.csv", "hidden.csv"),
            ("...", "file"),
            ("", "file"),
            ("line\nbreak.csv", "line_break.csv"),
        ];
        for (name, portable) in cases {
            assert_eq!(portable_file_name(name), portable, "{name:?}");
            assert_eq!(portable_file_name(portable), portable);
        }
        let long = portable_file_name(&format!("{}.csv", "评".repeat(200)));
        assert!(long.len() <= LONGEST_FILE_NAME && long.ends_with("评.csv"), "{long}");
    }

    #[test]
    fn a_second_file_of_a_name_gets_a_number() {
        let taken = ["reviews.csv", "reviews (2).csv", "notes"];
        let free = |name| free_file_name(name, |name| taken.contains(&name));
        assert_eq!(free("reviews.csv"), "reviews (3).csv");
        assert_eq!(free("notes"), "notes (2)");
        assert_eq!(free("other.csv"), "other.csv");
    }

    #[test]
    fn a_shown_name_is_one_line_that_says_something() {
        assert_eq!(shown_name("  电影\n评论 ").as_deref(), Some("电影 评论"));
        assert_eq!(shown_name(" \t\n"), None);
        assert_eq!(shown_name(&"x".repeat(500)).map(|name| name.len()), Some(200));
    }
}
