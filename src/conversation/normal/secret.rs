//! Redacted secrets: their pseudonyms are numbered over the whole recording, here by page. A session id that is
//! quoted in a text has the name that it has in its header field.

use super::{Kind, Names, digits, is_word, replaced};

/// `17.redacted~~~`.
pub fn rule(names: &mut Names, text: &str) -> String {
    replaced(text, |rest, before| {
        let number = digits(rest);
        let tail = rest[number..].strip_prefix(".redacted")?;
        if number == 0 || is_word(before) {
            return None;
        }
        let length = rest.len() - tail.trim_start_matches('~').len();
        let pseudonym = &rest[..length];
        let is_session = names.known.contains_key(&(Kind::Session, pseudonym.to_owned()));
        let kind = if is_session { Kind::Session } else { Kind::Secret };
        Some((length, names.name(kind, pseudonym)))
    })
}
