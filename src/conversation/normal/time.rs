//! Times: of header fields (RFC 9110, section 5.6.7), of ISO 8601, and of the clock. A date alone is none: revisions are
//! dates.

use super::{Names, is_word, replaced};

const NAME: &str = "<time>";

/// In which `d` stands for a digit and `a` for a letter.
const HTTP: &str = "aaa, dd aaa dddd dd:dd:dd GMT";
const ISO: [&str; 4] = ["dddd-dd-ddTdd:dd:dd", "dddd-dd-dd dd:dd:dd", "dddd-dd-ddTdd:dd", "dd:dd:dd"];

/// `Sat, 21 Nov 2026 19:11:43 GMT`, `2026-11-21T19:11:43.123Z`, `19:11:43`.
pub fn rule(_names: &mut Names, text: &str) -> String {
    replaced(text, |rest, before| {
        if is_word(before) {
            return None;
        }
        if fits(rest, HTTP) {
            return Some((HTTP.len(), NAME.to_owned()));
        }
        let form = ISO.into_iter().find(|form| fits(rest, form))?;
        Some((form.len() + tail(&rest[form.len()..]), NAME.to_owned()))
    })
}

fn fits(text: &str, form: &str) -> bool {
    text.len() >= form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            b'a' => byte.is_ascii_alphabetic(),
            form => byte == form,
        })
}

/// A fraction and a zone.
fn tail(text: &str) -> usize {
    let fraction = match text.strip_prefix(['.', ',']) {
        Some(rest) if super::digits(rest) > 0 => 1 + super::digits(rest),
        _ => 0,
    };
    let zone = &text[fraction..];
    let length = match zone.chars().next() {
        Some('Z') => 1,
        Some('+' | '-') if fits(&zone[1..], "dd:dd") => 6,
        Some('+' | '-') if fits(&zone[1..], "dddd") => 5,
        _ => 0,
    };
    fraction + length
}
