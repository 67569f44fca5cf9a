//! Finding stop texts in a stream, also when they arrive in pieces.

/// Text on its way to the reader; what could be the beginning of a stop text is held back.
#[derive(Debug)]
pub struct StopTexts {
    stops: Vec<String>,
    held: String,
}

/// What a piece of text led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Passed {
    /// Text that is safe to show, possibly empty.
    Text(String),
    /// The rest of the text in front of a stop text that is now complete.
    Stopped(String),
}

impl StopTexts {
    /// Watches for any of the given texts, none of them empty.
    pub fn new(stops: &[String]) -> Self {
        Self { stops: stops.to_vec(), held: String::new() }
    }

    /// Takes the next piece.
    pub fn push(&mut self, text: &str) -> Passed {
        self.held.push_str(text);
        if let Some(start) = self.stops.iter().filter_map(|stop| self.held.find(stop)).min() {
            self.held.truncate(start);
            return Passed::Stopped(std::mem::take(&mut self.held));
        }
        let safe = self
            .held
            .char_indices()
            .map(|(start, _)| start)
            .find(|start| self.stops.iter().any(|stop| stop.starts_with(&self.held[*start..])))
            .unwrap_or(self.held.len());
        let rest = self.held.split_off(safe);
        Passed::Text(std::mem::replace(&mut self.held, rest))
    }

    /// What was held back, when no more text comes.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(stops: &[&str]) -> StopTexts {
        StopTexts::new(&stops.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_stop_text_split_over_pieces_is_found_and_never_shown() {
        let mut texts = watch(&["\n\nUser:"]);
        assert_eq!(texts.push("Hello\n"), Passed::Text("Hello".into()));
        assert_eq!(texts.push("\nUs"), Passed::Text(String::new()));
        assert_eq!(texts.push("er: hi"), Passed::Stopped(String::new()));
    }

    #[test]
    fn a_false_beginning_is_released() {
        let mut texts = watch(&["###"]);
        assert_eq!(texts.push("a##"), Passed::Text("a".into()));
        assert_eq!(texts.push("b"), Passed::Text("##b".into()));
        assert_eq!(texts.push("#"), Passed::Text(String::new()));
        assert_eq!(texts.finish(), "#");
    }

    #[test]
    fn the_earliest_of_several_wins_and_overlaps_are_kept() {
        let mut texts = watch(&["END", "aab"]);
        assert_eq!(texts.push("xaa"), Passed::Text("x".into()));
        assert_eq!(texts.push("aab END"), Passed::Stopped("aa".into()));
    }

    #[test]
    fn characters_stay_whole() {
        let mut texts = watch(&["。完"]);
        assert_eq!(texts.push("三宝。"), Passed::Text("三宝".into()));
        assert_eq!(texts.push("好"), Passed::Text("。好".into()));
    }

    #[test]
    fn without_stop_texts_everything_passes() {
        assert_eq!(watch(&[]).push("abc"), Passed::Text("abc".into()));
    }
}
