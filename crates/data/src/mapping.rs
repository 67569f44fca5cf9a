//! Mappings: which columns fill which fields, proposed or given by the person.

use sanbao_contract::data::{Content, Example, Mapping, Shape};

use crate::error::Error;
use crate::record::Record;
use crate::shapes::{Field, Filled, SHAPES, ShapeRule, rule};
use crate::template::{Template, column_template};

/// Reads a mapping from assignments such as `prompt={{title}}: {{text}}`.
///
/// A template without braces that is the name of a column stands for that column. Without a shape,
/// the one that has every field given and lacks the fewest others is taken (of several the most
/// usual), before all the recognised one. Fields that are not assigned
/// are taken from `recognised` when it is of the same shape.
///
/// # Errors
/// An assignment without `=`, a bad template, a column or field that does not exist (with the list
/// of those that do), a field given twice, a required field left out.
pub fn parse_mapping<S: AsRef<str>>(
    assignments: &[S],
    shape: Option<Shape>,
    columns: &[String],
    recognised: Option<&Mapping>,
) -> Result<Mapping, Error> {
    let mut given: Vec<(String, String)> = Vec::new();
    for assignment in assignments {
        let assignment = assignment.as_ref();
        let (field, template) = assignment
            .split_once('=')
            .filter(|(field, _)| !field.trim().is_empty())
            .ok_or_else(|| Error::MappingSyntax { assignment: assignment.to_owned() })?;
        let field = field.trim().to_lowercase();
        if given.iter().any(|(name, _)| *name == field) {
            return Err(Error::RepeatedField { field });
        }
        let bare = template.trim();
        let template = if columns.iter().any(|column| column == bare) {
            column_template(bare)
        } else {
            template.to_owned()
        };
        given.push((field, template));
    }
    let rule = choose_shape(&given, shape, recognised)?;
    let mut fields = Vec::new();
    for field in rule.fields() {
        let template = given
            .iter()
            .find(|(name, _)| name == field.name)
            .map(|(_, template)| template.as_str());
        let recognised = recognised
            .filter(|mapping| mapping.shape == rule.shape())
            .and_then(|mapping| mapping.field(field.name));
        match template.or(recognised) {
            Some(template) => fields.push((field.name.to_owned(), template.to_owned())),
            None if field.required => {
                return Err(Error::MissingField {
                    field: field.name.to_owned(),
                    shape: rule.name().to_owned(),
                    columns: columns.to_vec(),
                });
            }
            None => {}
        }
    }
    let mapping = Mapping { shape: rule.shape(), fields };
    check_columns(&mapping, columns)?;
    Ok(mapping)
}

/// The shape asked for, or the one that has every field given and lacks the fewest others.
fn choose_shape(
    given: &[(String, String)],
    shape: Option<Shape>,
    recognised: Option<&Mapping>,
) -> Result<&'static dyn ShapeRule, Error> {
    let has_all = |rule: &dyn ShapeRule| {
        given.iter().all(|(name, _)| rule.fields().iter().any(|field| field.name == name))
    };
    let chosen = match shape {
        Some(shape) => Some(rule(shape)),
        None => {
            let is_missing = |field: &&Field| {
                field.required && !given.iter().any(|(name, _)| name == field.name)
            };
            let missing = |rule: &&dyn ShapeRule| {
                (rule.fields().iter().filter(is_missing).count(), rule.shape() as u8)
            };
            let same = recognised.map(|mapping| rule(mapping.shape)).filter(|rule| has_all(*rule));
            same.or_else(|| {
                SHAPES.iter().copied().filter(|rule| has_all(*rule)).min_by_key(missing)
            })
        }
    };
    let Some(chosen) = chosen else {
        let known = |name: &str| {
            SHAPES.iter().any(|rule| rule.fields().iter().any(|field| field.name == name))
        };
        let Some((unknown, _)) = given.iter().find(|(name, _)| !known(name)) else {
            return Err(Error::MixedFields {
                fields: given.iter().map(|(name, _)| name.clone()).collect(),
            });
        };
        let mut fields: Vec<String> = SHAPES
            .iter()
            .flat_map(|rule| rule.fields())
            .map(|field| field.name.to_owned())
            .collect();
        fields.sort();
        fields.dedup();
        return Err(Error::UnknownField { field: unknown.clone(), shape: None, known: fields });
    };
    if let Some((field, _)) =
        given.iter().find(|(name, _)| !chosen.fields().iter().any(|field| field.name == name))
    {
        let known = chosen.fields().iter().map(|field| field.name.to_owned()).collect();
        return Err(Error::UnknownField {
            field: field.clone(),
            shape: Some(chosen.name().to_owned()),
            known,
        });
    }
    Ok(chosen)
}

/// Checks that every column that the mapping names exists.
///
/// # Errors
/// [`Error::UnknownColumn`] with the columns there are, [`Error::Template`].
pub fn check_columns(mapping: &Mapping, columns: &[String]) -> Result<(), Error> {
    for (_, template) in &mapping.fields {
        for column in Template::parse(template)?.columns() {
            if !columns.iter().any(|known| known == column) {
                return Err(Error::UnknownColumn {
                    column: column.to_owned(),
                    known: columns.to_vec(),
                });
            }
        }
    }
    Ok(())
}

/// What a row asks, as a template over its columns: the fields before its answer, put together as
/// [`crate::prompt`] tells. `None` for conversations.
pub fn asked(mapping: &Mapping) -> Option<String> {
    let fields = ["prompt", "text", "instruction", "input", "context", "question"];
    let parts: Vec<&str> = fields.iter().filter_map(|field| mapping.field(field)).collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

/// The answer of a row, of several the better or the first, as a template over its columns.
pub fn answered(mapping: &Mapping) -> Option<String> {
    let fields = ["completion", "answer", "output", "chosen", "response_a"];
    fields.iter().find_map(|field| mapping.field(field)).map(str::to_owned)
}

/// Turns rows into examples.
pub struct Mapper {
    rule: &'static dyn ShapeRule,
    fields: Vec<(String, Template)>,
}

impl Mapper {
    /// Reads the templates of a mapping.
    ///
    /// # Errors
    /// [`Error::Template`].
    pub fn new(mapping: &Mapping) -> Result<Self, Error> {
        let fields = mapping
            .fields
            .iter()
            .map(|(name, template)| Ok((name.clone(), Template::parse(template)?)))
            .collect::<Result<_, Error>>()?;
        Ok(Self { rule: rule(mapping.shape), fields })
    }

    /// What a row teaches.
    ///
    /// # Errors
    /// [`Error::Value`] when a field holds what its shape cannot use.
    pub fn example(&self, record: &Record) -> Result<Example, Error> {
        self.read(&self.filled(record), record)
    }

    /// What a row teaches; `None` when it says of its two answers that neither is better.
    ///
    /// # Errors
    /// As [`Mapper::example`].
    pub fn decided(&self, record: &Record) -> Result<Option<Example>, Error> {
        let filled = self.filled(record);
        if self.rule.is_undecided(&filled) {
            return Ok(None);
        }
        self.read(&filled, record).map(Some)
    }

    /// How good a row says that its answer is, where rows are one rated answer each.
    ///
    /// # Errors
    /// As [`Mapper::example`].
    pub(crate) fn rating(&self, record: &Record) -> Result<Option<f64>, Error> {
        let rating = self.rule.rating(&self.filled(record));
        rating.map_err(|problem| Error::value(&record.origin, problem))
    }

    fn filled(&self, record: &Record) -> Filled {
        let fill =
            |(name, template): &(String, Template)| (name.clone(), template.fill(&record.fields));
        Filled::new(self.fields.iter().map(fill).collect())
    }

    fn read(&self, filled: &Filled, record: &Record) -> Result<Example, Error> {
        let content: Content =
            self.rule.content(filled).map_err(|problem| Error::value(&record.origin, problem))?;
        Ok(Example { origin: record.origin.clone(), content })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn columns() -> Vec<String> {
        ["title", "text", "kind"].map(str::to_owned).to_vec()
    }

    fn parse(assignments: &[&str], shape: Option<Shape>) -> Result<Mapping, Error> {
        parse_mapping(assignments, shape, &columns(), None)
    }

    #[test]
    fn assignments_become_a_mapping() {
        let mapping = parse(&["completion=kind", "prompt={{title}}: {{text}}"], None).unwrap();
        assert_eq!(mapping.shape, Shape::PromptCompletion);
        assert_eq!(
            mapping.fields,
            [
                ("prompt".into(), "{{title}}: {{text}}".into()),
                ("completion".into(), "{{kind}}".into())
            ]
        );
        for (fields, shape) in [
            (vec!["text=text"], Shape::Prose),
            (vec!["text=text", "label=kind"], Shape::TextLabel),
            (vec!["question=title", "answer=text"], Shape::QuestionAnswer),
            (vec!["instruction=Translate.", "input=text", "output=title"], Shape::Instruction),
            (vec!["chosen=text", "rejected=title"], Shape::Preference),
            (vec!["response_a=text", "response_b=title", "winner=kind"], Shape::Comparison),
            (vec!["prompt=title", "completions=text"], Shape::Ratings),
            (vec!["prompt=title", "completion=text", "label=kind"], Shape::Unpaired),
            (vec!["prompt=title", "completion=text", "rating=kind"], Shape::RatedAnswer),
            (vec!["messages=text"], Shape::Messages),
        ] {
            assert_eq!(parse(&fields, None).unwrap().shape, shape, "{fields:?}");
        }
    }

    #[test]
    fn what_is_not_given_comes_from_the_recognised_mapping() {
        let recognised = parse(&["text=text", "label=kind"], None).unwrap();
        let mapping =
            parse_mapping(&["text={{title}}. {{text}}"], None, &columns(), Some(&recognised))
                .unwrap();
        assert_eq!(
            (mapping.shape, mapping.field("label"), mapping.field("text")),
            (Shape::TextLabel, Some("{{kind}}"), Some("{{title}}. {{text}}"))
        );
    }

    #[test]
    fn what_is_asked_and_answered_is_known_of_every_shape() {
        for (fields, expected) in [
            (vec!["text=text", "label=kind"], (Some("{{text}}"), None)),
            (vec!["prompt=title", "completion=text"], (Some("{{title}}"), Some("{{text}}"))),
            (
                vec!["instruction=Translate.", "input=title", "output=text"],
                (Some("Translate.\n\n{{title}}"), Some("{{text}}")),
            ),
            (
                vec!["context=kind", "question=title", "answer=text"],
                (Some("{{kind}}\n\n{{title}}"), Some("{{text}}")),
            ),
            (vec!["chosen=text", "rejected=title"], (None, Some("{{text}}"))),
            (vec!["messages=text"], (None, None)),
        ] {
            let mapping = parse(&fields, None).unwrap();
            let known = (asked(&mapping), answered(&mapping));
            assert_eq!((known.0.as_deref(), known.1.as_deref()), expected, "{fields:?}");
        }
    }

    #[test]
    fn mistakes_are_explained() {
        let messages: Vec<String> = [
            parse(&["prompt"], None),
            parse(&["prompt={{titel}}", "completion=x"], None),
            parse(&["prompt={{title", "completion=x"], None),
            parse(&["promt={{title}}"], None),
            parse(&["completion={{title}}"], None),
            parse(&["text=a", "text=b"], None),
            parse(&["answer=text"], Some(Shape::TextLabel)),
            parse(&["text=text", "chosen=text"], None),
        ]
        .into_iter()
        .map(|result| result.unwrap_err().to_string())
        .collect();
        insta::assert_snapshot!(messages.join("\n"));
    }
}
