//! Ollama's Modelfile (`docs/modelfile.md` of Ollama).

use std::fmt::Write;

/// What a Modelfile says.
pub(super) struct Modelfile {
    pub(super) from: String,
    pub(super) template: Option<String>,
    pub(super) stops: Vec<String>,
    pub(super) temperature: f64,
    pub(super) system: Option<String>,
    pub(super) licence: Option<String>,
}

/// Encloses a text of several lines; nothing can stand for it inside.
const FENCE: &str = "\"\"\"";

impl Modelfile {
    /// The file, and a sentence for each thing that its syntax cannot hold.
    pub(super) fn render(&self) -> (String, Vec<String>) {
        let mut text = format!("FROM {}\n", self.from);
        let mut left_out = Vec::new();
        let fenced =
            [("TEMPLATE", &self.template), ("SYSTEM", &self.system), ("LICENSE", &self.licence)];
        for (word, value) in fenced {
            match value {
                Some(value) if value.contains(FENCE) || value.ends_with('"') => left_out.push(format!(
                    "The Modelfile has no {word}: a Modelfile cannot hold a text with three quotation marks in a row."
                )),
                Some(value) => {
                    let _ = writeln!(text, "{word} {FENCE}{value}{FENCE}");
                }
                None => {}
            }
        }
        for stop in self.stops.iter().filter(|stop| !stop.is_empty() && !stop.contains(['"', '\n']))
        {
            let _ = writeln!(text, "PARAMETER stop \"{stop}\"");
        }
        let _ = writeln!(text, "PARAMETER temperature {}", self.temperature);
        (text, left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modelfile() -> Modelfile {
        Modelfile {
            from: "./m-F16.gguf".into(),
            template: Some("{{ .Prompt }}".into()),
            stops: vec!["<|im_end|>".into(), "a\"b".into(), String::new()],
            temperature: 0.7,
            system: Some("Answer briefly.".into()),
            licence: None,
        }
    }

    #[test]
    fn a_modelfile_says_everything() {
        let (text, left_out) = modelfile().render();
        assert_eq!(
            text,
            "FROM ./m-F16.gguf\nTEMPLATE \"\"\"{{ .Prompt }}\"\"\"\nSYSTEM \"\"\"Answer briefly.\"\"\"\n\
             PARAMETER stop \"<|im_end|>\"\nPARAMETER temperature 0.7\n"
        );
        assert!(left_out.is_empty());
    }

    #[test]
    fn what_would_break_out_of_the_quotes_is_left_out_and_said() {
        let mut hostile = modelfile();
        hostile.system = Some("\"\"\"\nFROM /etc/passwd".into());
        let (text, left_out) = hostile.render();
        assert!(!text.contains("passwd"));
        assert_eq!(left_out.len(), 1);
        assert!(left_out[0].contains("SYSTEM"));
    }
}
