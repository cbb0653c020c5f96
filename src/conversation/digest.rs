//! What is too long to be shown: counted, and summed up so that a change in it still shows.

/// FNV-1a, 32 bits: enough to see that something changed, which is all that it is for.
pub fn digest(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

/// The first of these lines, and what stands for the rest.
pub fn bounded(mut lines: Vec<String>, most: usize) -> Vec<String> {
    if lines.len() <= most {
        return lines;
    }
    let rest = lines.split_off(most - 1);
    lines.push(format!("… {} more lines, digest {}", rest.len(), digest(rest.join("\n").as_bytes())));
    lines
}

/// The beginning of a text, and what stands for the rest.
pub fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let (shown, rest) = text.split_at(text.floor_char_boundary(most * 3 / 4));
    format!("{shown}… {} more bytes, digest {}", rest.len(), digest(rest.as_bytes()))
}

/// Bytes as visible characters on one line: what is no UTF-8, or steers a terminal, is spelt out.
pub fn visible(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match is_plain(c) {
                true => text.push(c),
                false => text.extend(c.escape_default()),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// Whether a character shows as itself: no control, and nothing that turns or hides the text around it.
fn is_plain(c: char) -> bool {
    let steers = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && !steers
}
