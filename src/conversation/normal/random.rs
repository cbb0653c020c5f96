//! Tokens that nobody can guess: UUIDs, long hexadecimal numbers, addresses of memory, and long words in which small
//! letters, capitals and digits are mixed.

use super::{Kind, Names, is_word, replaced};

/// A hexadecimal number with so many digits is no word.
const HEX: usize = 16;

/// A mixed word of this length is no name.
const MIXED: usize = 22;

/// Every such token.
pub fn rule(names: &mut Names, text: &str) -> String {
    replaced(text, |rest, before| {
        // Words are looked at from their beginning, and a name that is there already is left alone.
        if is_word(before) || matches!(before, Some('-' | '<')) {
            return None;
        }
        let word = &rest
            [..rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')).count()];
        let token = first_token(word)?;
        Some((token.len(), names.name(Kind::Random, token)))
    })
}

/// The token with which a word begins.
fn first_token(word: &str) -> Option<&str> {
    if is_uuid(word) {
        return Some(&word[..36]);
    }
    if let Some(number) = word.strip_prefix("0x") {
        let length = hexadecimal(number);
        return (length >= 8).then(|| &word[..2 + length]);
    }
    let length = hexadecimal(word);
    let has = |class: fn(&u8) -> bool, least: usize| word.bytes().filter(class).count() >= least;
    let is_hex = length >= HEX && length == word.len() && has(u8::is_ascii_digit, 2) && has(u8::is_ascii_alphabetic, 2);
    let is_mixed = word.len() >= MIXED
        && has(u8::is_ascii_digit, 2)
        && has(u8::is_ascii_lowercase, 3)
        && has(u8::is_ascii_uppercase, 3);
    (is_hex || is_mixed).then_some(word)
}

fn hexadecimal(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_hexdigit).count()
}

/// 8-4-4-4-12.
fn is_uuid(text: &str) -> bool {
    let is_hyphen = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    text.len() >= 36
        && text.bytes().take(36).enumerate().all(|(at, byte)| match is_hyphen(at) {
            true => byte == b'-',
            false => byte.is_ascii_hexdigit(),
        })
}
