//! Rewriting template source into what the engine understands.
//!
//! Three things of the templates that transformers renders are missing in the engine:
//! - `{% generation %}` … `{% endgeneration %}` around what the assistant says. It becomes a scope
//!   of its own (as in transformers, where it is a call block) with a mark on each side; whitespace
//!   control and line trimming stay as they were, since a block tag stays at each outer edge.
//! - the `%` operator on texts (Python's printf formatting). `a % b` becomes a filter on `a`, which
//!   formats a text and takes the remainder of numbers. Where `a` is itself a product or has a sign
//!   it cannot be a text, and the operator stays.
//! - the sign `+` before a number, which is dropped.

/// Variables that give the marks around what the assistant says; undefined (and so empty) when
/// nobody asks for marks.
pub(crate) const OPEN: &str = "sanbao_generation_opens";
pub(crate) const CLOSE: &str = "sanbao_generation_closes";
/// A variable that nobody reads, set where a block tag has to stand.
const EDGE: &str = "sanbao_generation_edge";
/// The filter that stands for `%`.
pub(crate) const MODULO: &str = "sanbao_modulo";

/// A template ready for the engine.
#[derive(Debug, PartialEq)]
pub(crate) struct Rewritten {
    pub source: String,
    /// Whether there is a `{% generation %}` tag.
    pub generation: bool,
}

/// Rewrites a template. Source that is not valid Jinja goes through for the engine to refuse.
pub(crate) fn rewritten(source: &str) -> Rewritten {
    let mut output =
        Rewritten { source: String::with_capacity(source.len() + 64), generation: false };
    let mut rest = source;
    while let Some(start) = next_tag(rest) {
        let (text, tag) = rest.split_at(start);
        output.source.push_str(text);
        let length = if tag.starts_with("{#") {
            let length = tag.find("#}").map_or(tag.len(), |end| end + 2);
            output.source.push_str(&tag[..length]);
            length
        } else if tag.starts_with("{{") {
            expression(tag, "}}", &mut output.source)
        } else {
            statement(tag, &mut output).unwrap_or_else(|| expression(tag, "%}", &mut output.source))
        };
        rest = &tag[length..];
    }
    output.source.push_str(rest);
    output
}

fn next_tag(text: &str) -> Option<usize> {
    text.as_bytes().windows(2).position(|pair| matches!(pair, b"{{" | b"{%" | b"{#"))
}

/// Handles `{% raw %}`, `{% generation %}` and `{% endgeneration %}`; gives the length consumed.
fn statement(tag: &str, output: &mut Rewritten) -> Option<usize> {
    let inside = &tag[2..];
    let (left, inside) = split_control(inside);
    let inside = inside.trim_start();
    let name_length =
        inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inside.len());
    let (name, after) = inside.split_at(name_length);
    let (right, after) = split_control(after.trim_start());
    let after = after.strip_prefix("%}")?;
    let length = tag.len() - after.len();
    match name {
        "raw" => {
            let length = length + raw_length(after);
            output.source.push_str(&tag[..length]);
            Some(length)
        }
        "generation" => {
            output.generation = true;
            output.source.push_str(&format!(
                "{{%{left} with %}}{{{{ {OPEN} }}}}{{% set {EDGE} = 0 {right}%}}"
            ));
            Some(length)
        }
        "endgeneration" => {
            output.source.push_str(&format!(
                "{{%{left} set {EDGE} = 0 %}}{{{{ {CLOSE} }}}}{{% endwith {right}%}}"
            ));
            Some(length)
        }
        _ => None,
    }
}

/// Splits off a whitespace control sign.
fn split_control(text: &str) -> (&str, &str) {
    text.split_at(usize::from(text.starts_with(['-', '+'])))
}

/// Length of raw text with its `{% endraw %}`.
fn raw_length(text: &str) -> usize {
    let mut from = 0;
    while let Some(start) = text[from..].find("{%") {
        let inside = split_control(&text[from + start + 2..]).1.trim_start();
        if let Some(after) = inside.strip_prefix("endraw")
            && let Some(end) = after.find("%}")
        {
            return text.len() - after.len() + end + 2;
        }
        from += start + 2;
    }
    text.len()
}

/// What stands before the operand that is being read.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// A product or a sign: the value so far is a number.
    Number,
    Other,
}

/// One level of brackets.
struct Level {
    before: Before,
    operand: bool,
    /// A filter for `%` is open and closes where its operand ends.
    open: bool,
}

impl Level {
    fn new() -> Self {
        Self { before: Before::Other, operand: false, open: false }
    }

    fn close(&mut self, output: &mut String) {
        if self.open {
            output.push(')');
            self.open = false;
        }
    }

    fn operator(&mut self, before: Before, output: &mut String) {
        self.close(output);
        self.before = before;
        self.operand = false;
    }
}

/// Copies a tag with its expressions rewritten; gives the length consumed.
fn expression(tag: &str, end: &str, output: &mut String) -> usize {
    output.push_str(&tag[..2]);
    let (control, _) = split_control(&tag[2..]);
    output.push_str(control);
    let mut position = 2 + control.len();
    let mut levels = vec![Level::new()];
    let mut after_dot = false;
    while let Some(character) = tag[position..].chars().next() {
        let rest = &tag[position..];
        let outermost = levels.len() == 1;
        let Some(level) = levels.last_mut() else { break };
        if outermost && ends_here(rest, end) {
            level.close(output);
            let length = rest.find(end).map_or(rest.len(), |at| at + end.len());
            output.push_str(&rest[..length]);
            return position + length;
        }
        let length = token_length(rest);
        let token = &rest[..length];
        position += length;
        let attribute = std::mem::replace(&mut after_dot, token == ".");
        match token {
            _ if character.is_whitespace() || attribute => {}
            "(" | "[" | "{" => {
                level.operand = true;
                levels.push(Level::new());
            }
            ")" | "]" | "}" => {
                level.close(output);
                if !outermost {
                    levels.pop();
                }
                if let Some(level) = levels.last_mut() {
                    level.operand = true;
                }
            }
            "." | "|" => {}
            "**" => {
                level.before = Before::Number;
                level.operand = false;
            }
            "*" | "/" | "//" => level.operator(Before::Number, output),
            "+" | "-" if !level.operand => {
                level.before = Before::Number;
                if token == "+" {
                    // The engine knows no such sign.
                    continue;
                }
            }
            "%" if level.operand => {
                let text = level.before == Before::Other;
                level.operator(Before::Number, output);
                if text {
                    output.push_str(&format!("|{MODULO}("));
                    level.open = true;
                    continue;
                }
            }
            _ if is_keyword(token) => level.operator(Before::Other, output),
            _ if character.is_alphanumeric() || matches!(character, '_' | '"' | '\'') => {
                level.operand = true
            }
            _ => level.operator(Before::Other, output),
        }
        output.push_str(token);
    }
    position
}

/// Whether the tag ends here, with or without a whitespace control sign.
fn ends_here(rest: &str, end: &str) -> bool {
    rest.starts_with(end) || split_control(rest).1.starts_with(end) && rest.starts_with(['-', '+'])
}

fn is_keyword(token: &str) -> bool {
    matches!(
        token,
        "and"
            | "or"
            | "not"
            | "in"
            | "is"
            | "if"
            | "else"
            | "elif"
            | "for"
            | "set"
            | "call"
            | "filter"
            | "with"
            | "do"
            | "recursive"
            | "macro"
            | "include"
            | "import"
            | "from"
            | "as"
    )
}

/// Length of the token that `text` (not empty) starts with.
fn token_length(text: &str) -> usize {
    let mut characters = text.char_indices();
    let Some((_, first)) = characters.next() else { return 0 };
    if matches!(first, '"' | '\'') {
        let mut escaped = false;
        for (at, character) in characters {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if character == first => return at + 1,
                _ => {}
            }
        }
        return text.len();
    }
    if first.is_ascii_digit() {
        let digits =
            text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let fraction = text[digits..].strip_prefix('.').map_or(0, |after| {
            let length =
                after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
            if after.starts_with(|c: char| c.is_ascii_digit()) { length + 1 } else { 0 }
        });
        return digits + fraction;
    }
    if first.is_alphabetic() || first == '_' {
        return text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    }
    if text.starts_with("**") || text.starts_with("//") { 2 } else { first.len_utf8() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    fn source(template: &str) -> String {
        rewritten(template).source
    }

    #[test]
    fn templates_without_either_stay_as_they_are() {
        for template in [
            "{{ 'a % b' }}{# {% generation %} #}{% raw %}{% generation %}{{ 1 % 2 }}{%- endraw -%}x",
            "100 % {{ {'a': {'b': 1}} }} {%- if x.is == [1, (2)] -%} {{- y[::-1] -}} {% endif %}",
            "{{ '%}' }}{% set a = \"}}\" %}{{ 'it\\'s %' }}",
            "{{ unclosed",
            "{% unclosed",
            "{# unclosed",
            "{{ 'unclosed }}",
        ] {
            assert_eq!(
                rewritten(template),
                Rewritten { source: template.to_owned(), generation: false }
            );
        }
    }

    #[test]
    fn remainders_and_formats_become_a_filter() {
        assert_eq!(source("{{ a % b }}"), "{{ a |sanbao_modulo( b )}}");
        assert_eq!(source("{%- if x.in % 2 == 0 -%}"), "{%- if x.in |sanbao_modulo( 2 )== 0 -%}");
        assert_eq!(
            source("{{ '%s' % (a, b[1 % 2]) ~ c }}"),
            "{{ '%s' |sanbao_modulo( (a, b[1 |sanbao_modulo( 2)]) )~ c }}"
        );
        assert_eq!(
            source("{{ 'x' % y|upper if y else z -}}"),
            "{{ 'x' |sanbao_modulo( y|upper )if y else z -}}"
        );
        assert_eq!(source("{{ a % b ** 2 % c }}"), "{{ a |sanbao_modulo( b ** 2 )% c }}");
    }

    #[test]
    fn products_keep_the_operator() {
        for template in ["{{ a * b % c }}", "{{ -a % b }}", "{{ a // 2 % -3 }}", "{{ 2 ** 3 % 5 }}"]
        {
            assert_eq!(source(template), template);
        }
    }

    #[test]
    fn a_plus_sign_is_dropped() {
        assert_eq!(source("{{ +5 - +a + (+1) }}"), "{{ 5 - a + (1) }}");
    }

    #[test]
    fn generation_becomes_a_scope_with_marks() {
        let inner = "{% with %}{{ sanbao_generation_opens }}{% set sanbao_generation_edge = 0 %}";
        assert_eq!(source("{% generation %}"), inner);
        assert_eq!(
            source("a{%- generation -%}b{%+ endgeneration+%}"),
            "a{%- with %}{{ sanbao_generation_opens }}{% set sanbao_generation_edge = 0 -%}b\
             {%+ set sanbao_generation_edge = 0 %}{{ sanbao_generation_closes }}{% endwith +%}"
        );
        assert!(rewritten("{%generation%}").generation);
        assert!(!rewritten("{% generation_prompt %}").generation);
    }

    proptest! {
        #[test]
        fn any_text_goes_through(template in "\\PC*") {
            rewritten(&template);
        }

        #[test]
        fn pieces_of_templates_go_through(pieces in prop::collection::vec(prop::sample::select(vec![
            "{{", "}}", "{%", "%}", "{#", "#}", "%", "-", "+", "'", "\"", "\\", "(", ")", "[", "]", "{", "}",
            " ", "a", "1.", "raw", "endraw", "generation", "endgeneration", "if", ".", "|", "*", "é", "\n",
        ]), 0..40)) {
            rewritten(&pieces.concat());
        }
    }
}
