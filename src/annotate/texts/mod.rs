//! Notes become words: one catalog a language.
//!
//! A [`Language`] knows its [`Catalog`] and writes the sentences of a [`Story`], one at a time. Which one is
//! wanted comes from `--lang` ([`by_name`]) or from the locale ([`from_env`]; POSIX.1-2017 Base Definitions §8.2).

mod catalog;
mod en;
mod es;
mod ja;
pub mod quoting;
mod rules;
mod sentences;
mod verdict;
mod words;
mod zh_cn;
mod zh_tw;

pub use catalog::Catalog;
pub use words::{Arg, Escape, Words};

use std::sync::LazyLock;

use crate::annotate::Story;

/// All languages, English first.
pub static CATALOGS: &[&Catalog] = &[
    &en::CATALOG,
    &zh_cn::CATALOG,
    &zh_tw::CATALOG,
    &ja::CATALOG,
    &es::CATALOG,
];

/// The language of what is made for machines.
pub fn english() -> &'static Catalog {
    CATALOGS[0]
}

/// The catalog that `--lang` names: as a locale variable would, but one that we do not have is none.
pub fn by_name(name: &str) -> Option<&'static Catalog> {
    of_locale(name)
}

/// The catalog of that tag: `en`, `zh-CN`, `zh-TW`, `ja` or `es`, in any case.
pub fn by_tag(tag: &str) -> Option<&'static Catalog> {
    CATALOGS
        .iter()
        .copied()
        .find(|catalog| catalog.tag.eq_ignore_ascii_case(tag))
}

/// The catalog of the locale: the first of `LC_ALL`, `LC_MESSAGES`, `LANG` that is set and not empty decides. English when that
/// is a language that we do not speak.
pub fn from_env(lc_all: Option<&str>, lc_messages: Option<&str>, lang: Option<&str>) -> &'static Catalog {
    let locale = [lc_all, lc_messages, lang]
        .into_iter()
        .flatten()
        .find(|value| !value.is_empty())
        .unwrap_or("");
    of_locale(locale).unwrap_or(CATALOGS[0])
}

/// `zh_TW.UTF-8` and the like: language, perhaps a script, a territory.
fn of_locale(locale: &str) -> Option<&'static Catalog> {
    let name = locale.split(['.', '@']).next()?;
    let mut parts = name.split(['_', '-']);
    let language = parts.next()?.to_ascii_lowercase();
    let traditional = parts.any(|part| {
        ["TW", "HK", "MO", "Hant"]
            .iter()
            .any(|name| part.eq_ignore_ascii_case(name))
    });
    match language.as_str() {
        "zh" if traditional => by_tag("zh-TW"),
        "zh" => by_tag("zh-CN"),
        other => by_tag(other),
    }
}

/// A catalog, ready to write: its texts are taken apart once.
pub struct Language {
    catalog: &'static Catalog,
    texts: Vec<Vec<Piece>>,
}

/// A piece of a text: words, and the placeholder behind them.
struct Piece {
    text: &'static [u8],
    /// Which argument it is; [`NO_ARG`] at the end of the text.
    arg: u8,
    /// What stands behind the placeholder.
    behind: &'static [u8],
}

const NO_ARG: u8 = u8::MAX;

impl Language {
    /// Prepares `catalog`.
    pub fn new(catalog: &'static Catalog) -> Self {
        let mut texts = Vec::new();
        for (_, text, args) in catalog.texts() {
            texts.push(pieces(text, args));
        }
        Self { catalog, texts }
    }

    /// The one of `catalog`, prepared once for the whole program.
    pub fn of(catalog: &'static Catalog) -> &'static Self {
        static ALL: LazyLock<Vec<Language>> = LazyLock::new(|| CATALOGS.iter().map(|c| Language::new(c)).collect());
        let index = CATALOGS.iter().position(|known| known.tag == catalog.tag);
        &ALL[index.unwrap_or(0)]
    }

    /// The texts.
    pub fn catalog(&self) -> &'static Catalog {
        self.catalog
    }

    /// Writes sentences about `story` behind what `out` holds. Captured words go through `escape`.
    pub fn words<'w>(&'w self, story: &'w Story, out: &'w mut Vec<u8>, escape: Escape) -> Words<'w> {
        Words {
            language: self,
            catalog: self.catalog,
            story,
            begin: out.len(),
            captured_first: false,
            skip_blank: false,
            escape,
            out,
        }
    }
}

/// Takes a text apart at its placeholders.
fn pieces(text: &'static str, args: &[&str]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((words, behind)) = rest.split_once('{') {
        let (name, behind) = behind.split_once('}').unwrap_or((behind, ""));
        let arg = args.iter().position(|arg| *arg == name);
        pieces.push(Piece {
            text: words.as_bytes(),
            arg: arg.map_or(NO_ARG, |index| index as u8),
            behind: behind.as_bytes(),
        });
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece {
            text: rest.as_bytes(),
            arg: NO_ARG,
            behind: b"",
        });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The placeholders of `text`, in order of their first appearance.
    fn placeholders(text: &str) -> Vec<&str> {
        let mut all: Vec<&str> = text
            .split('{')
            .skip(1)
            .map(|rest| rest.split('}').next().unwrap())
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    #[test]
    fn every_text_of_every_language_uses_exactly_its_placeholders() {
        for catalog in CATALOGS {
            for (name, text, wanted) in catalog.texts() {
                let mut wanted = wanted.to_vec();
                wanted.sort_unstable();
                assert_eq!(placeholders(text), wanted, "{} {name}: {text}", catalog.tag);
                assert_eq!(text.matches('{').count(), text.matches('}').count(), "{name}");
                assert!(!text.is_empty() && !text.contains("*/"), "{} {name}", catalog.tag);
            }
        }
    }

    #[test]
    fn a_time_that_runs_backwards_has_a_sign() {
        let said = |nanos| {
            let mut out = Vec::new();
            let story = crate::annotate::Story::EMPTY;
            let mut words = Language::of(CATALOGS[0]).words(story, &mut out, Vec::extend_from_slice);
            words.put(words::Arg::Time(nanos));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            [6_000_000_000, -6_000_000_000, -1].map(said),
            ["6.0 s", "-6.0 s", "0 µs"]
        );
    }

    #[test]
    fn what_only_one_protocol_does_has_its_own_words() {
        use crate::record::Action;
        for catalog in CATALOGS {
            let said = |action| {
                let mut out = Vec::new();
                let story = crate::annotate::Story::EMPTY;
                let mut words = Language::of(catalog).words(story, &mut out, Vec::extend_from_slice);
                words.put(words::Arg::Act(action));
                String::from_utf8(out).unwrap()
            };
            assert_eq!(said(Action::Other), catalog.act_other);
            for name in ["upgrade", "attachment", "noop", "received", "release", "auth"] {
                assert_ne!(said(Action::Named(name)), catalog.act_other, "{} {name}", catalog.tag);
            }
        }
    }

    #[test]
    fn the_locale_decides_as_posix_says() {
        let tag = |a, b, c| from_env(a, b, c).tag;
        assert_eq!(tag(None, None, None), "en");
        assert_eq!(tag(None, None, Some("C.UTF-8")), "en");
        assert_eq!(tag(Some(""), Some(""), Some("en_GB.UTF-8")), "en");
        assert_eq!(tag(Some("C"), None, Some("es_ES.UTF-8")), "en");
        assert_eq!(tag(None, Some("ja_JP.eucJP"), Some("es_ES.UTF-8")), "ja");
        assert_eq!(tag(None, None, Some("es_MX")), "es");
        assert_eq!(tag(None, None, Some("zh_CN.GB18030")), "zh-CN");
        assert_eq!(tag(None, None, Some("zh_HK.UTF-8")), "zh-TW");
        assert_eq!(tag(None, None, Some("zh-Hant")), "zh-TW");
        assert_eq!(tag(None, None, Some("xx_YY")), "en");
    }

    #[test]
    fn a_language_is_named_as_in_a_locale_variable() {
        let tag = |name| by_name(name).map(|catalog| catalog.tag);
        assert_eq!(tag("zh_TW.UTF-8"), Some("zh-TW"));
        assert_eq!(tag("zh"), Some("zh-CN"));
        assert_eq!(tag("zh-Hant"), Some("zh-TW"));
        assert_eq!(tag("JA"), Some("ja"));
        assert_eq!(tag("es-MX"), Some("es"));
        assert_eq!(tag("tlh"), None);
        assert_eq!(tag("english"), None);
    }
}
