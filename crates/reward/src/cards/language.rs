//! Answers in the right language.

use sanbao_evaluate::Phrase;
use serde::Deserialize;
use unicode_segmentation::UnicodeSegmentation;
use whatlang::{Detector, Lang, Script, detect_script};

use super::{CardKind, Rule};
use crate::Error;
use crate::settings::{Kind, Parameter, Settings};

/// Languages by their ISO 639-1 code.
const LANGUAGES: &[(&str, Lang)] = &[
    ("en", Lang::Eng),
    ("zh", Lang::Cmn),
    ("ja", Lang::Jpn),
    ("ko", Lang::Kor),
    ("es", Lang::Spa),
    ("fr", Lang::Fra),
    ("de", Lang::Deu),
    ("it", Lang::Ita),
    ("pt", Lang::Por),
    ("nl", Lang::Nld),
    ("sv", Lang::Swe),
    ("da", Lang::Dan),
    ("fi", Lang::Fin),
    ("pl", Lang::Pol),
    ("cs", Lang::Ces),
    ("hu", Lang::Hun),
    ("ro", Lang::Ron),
    ("tr", Lang::Tur),
    ("vi", Lang::Vie),
    ("id", Lang::Ind),
    ("ru", Lang::Rus),
    ("uk", Lang::Ukr),
    ("bg", Lang::Bul),
    ("el", Lang::Ell),
    ("ar", Lang::Ara),
    ("fa", Lang::Pes),
    ("ur", Lang::Urd),
    ("he", Lang::Heb),
    ("hi", Lang::Hin),
    ("bn", Lang::Ben),
    ("ta", Lang::Tam),
    ("te", Lang::Tel),
    ("th", Lang::Tha),
];

const CODES: [&str; LANGUAGES.len()] = {
    let mut codes = [""; LANGUAGES.len()];
    let mut at = 0;
    while at < codes.len() {
        codes[at] = LANGUAGES[at].0;
        at += 1;
    }
    codes
};

/// Letters from which on a verdict by letter statistics is fully trusted. whatlang takes "I am
/// begging pardon" (16 letters) for Tagalog.
const ENOUGH_LETTERS: f64 = 60.0;

/// The share of the answer in the language's script, times how sure it is that this part is in the
/// language.
///
/// - The share is that of words (a Chinese character is one), as in the language reward of
///   DeepSeek-R1 (arXiv 2501.12948, section 2.3.2). Code between lines of three backticks is left
///   out.
/// - Where the script has one language of those known (Hangul, Thai, …), it decides. Otherwise
///   whatlang does, among the languages of [`CODES`]: 1 when it is sure of the language, 0 when
///   it is sure of another, one half when it cannot tell. Its verdict on few letters is drawn
///   towards one half, since it is often wrong there.
/// - Han without kana is Chinese; short enough, it could be Japanese as well.
///
/// A blank answer gets 0, one without any word in letters one half.
pub static LANGUAGE: CardKind = CardKind {
    name: "language",
    title: Phrase { en: "Language", zh: "语言" },
    help: Phrase {
        en: "Rewards answers in a certain language; of very short answers the language can hardly be told, so they get about half.",
        zh: "回答使用指定语言时给予奖励；很短的回答难以判断语言，得分约为一半。",
    },
    parameters: &[Parameter {
        name: "language",
        kind: Kind::Choice { choices: &CODES, default: "en" },
        help: Phrase {
            en: "The language by its two-letter code, such as en for English.",
            zh: "语言的两字母代码，例如 zh 表示中文。",
        },
    }],
    needs_reference: false,
    needs_judge: false,
    build,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Language {
    language: String,
}

fn build(settings: &Settings) -> Result<Rule, Error> {
    let Language { language } = settings.read()?;
    let known = LANGUAGES.iter().find(|(code, _)| *code == language);
    let Some((_, wanted)) = known.copied() else {
        return Err(settings.refuse("language", "its code is not known; choose one of the list"));
    };
    let detector = Detector::with_allowlist(LANGUAGES.iter().map(|(_, lang)| *lang).collect());
    let scripts = scripts(wanted);
    Ok(Rule::Answer(Box::new(move |answer| score(answer, wanted, &scripts, &detector))))
}

/// Scripts that a language is written in.
fn scripts(lang: Lang) -> Vec<Script> {
    let uses = |script: &&Script| {
        script.langs().contains(&lang) || (lang == Lang::Jpn && **script == Script::Mandarin)
    };
    Script::all().iter().filter(uses).copied().collect()
}

fn score(answer: &str, wanted: Lang, scripts: &[Script], detector: &Detector) -> f64 {
    if answer.trim().is_empty() {
        return 0.0;
    }
    let prose = without_code(answer);
    let words = prose.unicode_words().filter_map(|word| {
        let in_letters = word.chars().any(char::is_alphabetic);
        detect_script(word).filter(|_| in_letters).map(|script| (word, script))
    });
    // Kana belong to what is judged even where Chinese is wanted: they tell Japanese.
    let is_east_asian =
        |script| matches!(script, Script::Mandarin | Script::Hiragana | Script::Katakana);
    let east_asian = scripts.iter().copied().any(is_east_asian);
    let (mut all, mut ours, mut judged) = (0_usize, 0_usize, Vec::new());
    for (word, script) in words {
        all += 1;
        ours += usize::from(scripts.contains(&script));
        if scripts.contains(&script) || (east_asian && is_east_asian(script)) {
            judged.push(word);
        }
    }
    match (all, ours) {
        (0, _) => 0.5,
        (_, 0) => 0.0,
        _ => ours as f64 / all as f64 * sureness(&judged.join(" "), wanted, detector),
    }
}

/// How sure it is that a text in the language's script is in the language: 1 sure, 0 sure that not.
fn sureness(text: &str, wanted: Lang, detector: &Detector) -> f64 {
    let Some(found) = detector.detect(text) else { return 0.5 };
    let is_wanted = found.lang() == wanted;
    let rivals = LANGUAGES.iter().filter(|(_, lang)| found.script().langs().contains(lang)).count();
    // One language in this script, or Han and kana together, which whatlang tells by their share.
    let script_decides =
        rivals < 2 && (is_wanted || found.lang() != Lang::Cmn || wanted != Lang::Jpn);
    let letters = text.chars().filter(|c| c.is_alphabetic()).count() as f64;
    let trust = if script_decides { 1.0 } else { (letters / ENOUGH_LETTERS).min(1.0) };
    let sure = found.confidence().clamp(0.0, 1.0) * trust / 2.0;
    if is_wanted { 0.5 + sure } else { 0.5 - sure }
}

/// The text without what stands between lines of three backticks.
fn without_code(text: &str) -> String {
    text.split("```").step_by(2).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::cards::testing::score;

    fn is_in(language: &str, answer: &str) -> f64 {
        score("language", json!({ "language": language }), answer)
    }

    /// Article 1 of the Universal Declaration of Human Rights.
    const SAME_IN: &[(&str, &str)] = &[
        (
            "en",
            "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood.",
        ),
        (
            "zh",
            "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
        ),
        (
            "ja",
            "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
        ),
        ("ko", "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다."),
        (
            "fr",
            "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de conscience et doivent agir les uns envers les autres dans un esprit de fraternité.",
        ),
        (
            "de",
            "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen.",
        ),
        (
            "es",
            "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón y conciencia, deben comportarse fraternalmente los unos con los otros.",
        ),
        (
            "ru",
            "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства.",
        ),
        (
            "ar",
            "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا وعليهم أن يعامل بعضهم بعضا بروح الإخاء.",
        ),
        ("he", "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם."),
        ("hi", "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।"),
        ("th", "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ"),
    ];

    #[test]
    fn a_passage_is_in_its_language_and_in_no_other() {
        for (language, text) in SAME_IN {
            for (wanted, _) in SAME_IN {
                let score = is_in(wanted, text);
                if wanted == language {
                    assert!(score > 0.85, "{language}: {score}");
                } else {
                    assert!(score < 0.2, "{language} taken for {wanted}: {score}");
                }
            }
        }
    }

    #[test]
    fn foreign_words_count_by_their_share() {
        let mixed = is_in("zh", "使用 TensorFlow 训练模型");
        assert!((mixed - 6.0 / 7.0).abs() < 1e-12, "{mixed}");
        assert_eq!(is_in("zh", "代码如下：\n```python\nprint('hello world')\n```\n请运行。"), 1.0);
        assert_eq!(is_in("ko", "네, 42 입니다"), 1.0);
    }

    #[test]
    fn what_cannot_be_told_is_in_the_middle() {
        assert_eq!(is_in("en", ""), 0.0);
        assert_eq!(is_in("en", "42 🙂"), 0.5);
        for short in ["Yes.", "OK", "I am begging pardon"] {
            assert!((0.3..=0.7).contains(&is_in("en", short)), "{short}: {}", is_in("en", short));
        }
        assert!((0.3..=0.5).contains(&is_in("ja", "東京")));
        assert_eq!(is_in("zh", "好"), 1.0);
        assert_eq!(is_in("en", "好"), 0.0);
    }
}
