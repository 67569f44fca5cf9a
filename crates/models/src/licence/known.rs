//! From a licence's id or text to what it allows.

use sanbao_contract::model::Licence;
use spdx::expression::ExprNode;
use spdx::identifiers::LICENSES;

use super::table::{COPYLEFT, FREE, KNOWN, UNJUDGED};

/// The letters of a licence's text that are looked at.
const TEXT_LOOKED_AT: usize = 3000;

/// What the licence called `id` allows: an SPDX id or expression, or a hub's tag, in any case.
pub fn licence(id: &str) -> Licence {
    let id = id.trim();
    let lower = id.to_ascii_lowercase();
    if lower.is_empty() {
        return unstated();
    }
    let known = KNOWN.iter().find(|known| {
        !known.summary.is_empty() && known.tags.iter().any(|tag| tag.eq_ignore_ascii_case(&lower))
    });
    if let Some(known) = known {
        return judged(known.tags[0], known.commercial_use, known.redistribution, known.summary);
    }
    if let Some(listed) = LICENSES.iter().find(|listed| listed.name.eq_ignore_ascii_case(&lower)) {
        return listed_licence(listed.name);
    }
    expression(id).unwrap_or_else(|| judged(id, None, None, UNJUDGED))
}

/// The licence of a model that does not say.
pub fn unstated() -> Licence {
    Licence {
        id: None,
        commercial_use: None,
        redistribution: None,
        summary: "The model does not say under which licence it comes; ask its makers before you sell or pass on what \
                  you make."
            .to_owned(),
    }
}

/// The id of the licence whose text this is; `None` when it is not recognised.
pub fn from_text(text: &str) -> Option<&'static str> {
    let start: String = text
        .chars()
        .filter(|letter| !matches!(letter, '#' | '*' | '=' | '_' | '"'))
        .take(TEXT_LOOKED_AT)
        .collect::<String>()
        .to_lowercase();
    let words: Vec<&str> = start.split_whitespace().collect();
    let start = words.join(" ");
    // The words that name a licence stand at its top; a text that only mentions another comes later.
    KNOWN
        .iter()
        .filter(|known| !known.text.is_empty())
        .filter_map(|known| Some((start.find(known.text)?, known)))
        .min_by_key(|(place, _)| *place)
        .map(|(_, known)| known.tags[0])
}

/// A licence of the SPDX list.
fn listed_licence(name: &'static str) -> Licence {
    let upper = name.to_ascii_uppercase();
    if upper == "CC0-1.0" {
        return judged(
            name,
            Some(true),
            Some(true),
            "Free for everything; nothing has to be kept in mind.",
        );
    }
    if upper.starts_with("CC-BY") {
        return creative_commons(name, &upper);
    }
    match spdx::license_id(name) {
        Some(id) if id.is_copyleft() => judged(name, Some(true), Some(true), COPYLEFT),
        Some(id) if id.is_fsf_free_libre() || id.is_osi_approved() => {
            judged(name, Some(true), Some(true), FREE)
        }
        _ => judged(name, None, None, UNJUDGED),
    }
}

/// Every Creative Commons licence with attribution, by the letters in its name.
fn creative_commons(name: &str, upper: &str) -> Licence {
    let has = |letters: &str| upper.split('-').any(|part| part == letters);
    let (sold, changed, alike) = (!has("NC"), !has("ND"), has("SA"));
    let mut parts = vec![if sold {
        "May be used and sold"
    } else {
        "Not for business: what you make may not be sold"
    }];
    if !changed {
        parts.push("a changed model may not be passed on");
    }
    if alike {
        parts.push("pass it on under the same licence");
    }
    parts.push("name the makers and link the licence");
    judged(name, Some(sold), Some(changed), &format!("{}.", parts.join("; ")))
}

/// An SPDX expression such as `Apache-2.0 OR MIT`: allowed when the expression holds with what
/// each of its licences allows.
fn expression(text: &str) -> Option<Licence> {
    let expression = spdx::Expression::parse(text).ok()?;
    let parts: Vec<Licence> = expression
        .requirements()
        .filter_map(|requirement| requirement.req.license.id())
        .map(|id| listed_licence(id.name))
        .collect();
    let all_known =
        expression.iter().filter(|node| matches!(node, ExprNode::Req(_))).count() == parts.len();
    let holds = |allowed: fn(&Licence) -> Option<bool>| {
        let known = all_known && parts.iter().all(|part| allowed(part).is_some());
        known.then(|| {
            expression.evaluate(|requirement| {
                requirement
                    .license
                    .id()
                    .is_some_and(|id| allowed(&listed_licence(id.name)) == Some(true))
            })
        })
    };
    let (commercial_use, redistribution) =
        (holds(|part| part.commercial_use), holds(|part| part.redistribution));
    let summary = if commercial_use.is_some() {
        "Several licences together: keep to each of them, or to the one you choose where it says OR."
    } else {
        UNJUDGED
    };
    Some(judged(text, commercial_use, redistribution, summary))
}

fn judged(
    id: &str,
    commercial_use: Option<bool>,
    redistribution: Option<bool>,
    summary: &str,
) -> Licence {
    Licence { id: Some(id.to_owned()), commercial_use, redistribution, summary: summary.to_owned() }
}
