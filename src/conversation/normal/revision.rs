//! The revision that is spoken: the pages of two revisions differ where the revisions do.

use super::{Names, is_word, replaced};

/// Its date.
pub fn rule(names: &mut Names, text: &str) -> String {
    let date = names.revision;
    replaced(text, |rest, before| {
        let tail = rest.strip_prefix(date)?;
        (!is_word(before) && !is_word(tail.chars().next())).then(|| (date.len(), "<revision>".to_owned()))
    })
}
