//! Lines out of pieces: the only place where bytes wait for more.

use super::{Fault, FaultKind, Span};

/// The unread rest of one push, and where in the connection it stands.
pub(super) struct Input<'a> {
    rest: &'a [u8],
    at: u64,
}

impl<'a> Input<'a> {
    pub(super) fn new(rest: &'a [u8], at: u64) -> Self {
        Input { rest, at }
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Moves over at most `most` bytes.
    pub(super) fn take(&mut self, most: u64) -> (&'a [u8], Span) {
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(self.rest.len());
        let (taken, rest) = self.rest.split_at(count);
        let start = self.at;
        self.rest = rest;
        self.at += count as u64;
        (taken, start..self.at)
    }
}

/// Gathers the bytes of one line until its LF has come.
#[derive(Debug, Default)]
pub(super) struct LineReader {
    held: Vec<u8>,
}

/// A line would pass the offset that it must not pass.
pub(super) struct TooLong;

impl LineReader {
    /// The next complete line, none if its LF is still to come. No byte at or after the offset `limit` is read.
    pub(super) fn read(&mut self, input: &mut Input<'_>, limit: u64) -> Result<Option<Line>, TooLong> {
        let room = usize::try_from(limit.saturating_sub(input.at)).unwrap_or(usize::MAX);
        let window = &input.rest[..room.min(input.rest.len())];
        let line_feed = window.iter().position(|&byte| byte == b'\n');
        let (taken, span) = input.take(line_feed.map_or(window.len(), |index| index + 1) as u64);
        self.held.extend_from_slice(taken);
        match line_feed {
            Some(_) => Ok(Some(Line::new(std::mem::take(&mut self.held), span.end))),
            None if input.is_empty() => Ok(None),
            None => Err(TooLong),
        }
    }

    /// The bytes of the line so far.
    pub(super) fn held(&self) -> &[u8] {
        &self.held
    }
}

/// One complete line.
#[derive(Debug)]
pub(super) struct Line {
    /// What it says, without its end.
    pub(super) text: Vec<u8>,
    /// All of it, end included.
    pub(super) span: Span,
}

impl Line {
    /// Cuts the end off `bytes`, whose last byte is the LF just before the offset `end`.
    fn new(mut bytes: Vec<u8>, end: u64) -> Self {
        let span = end - bytes.len() as u64..end;
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        Line { text: bytes, span }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Where a part of the text stands in the connection.
    pub(super) fn locate(&self, part: std::ops::Range<usize>) -> Span {
        self.span.start + part.start as u64..self.span.start + part.end as u64
    }

    /// A fault if the line ends in LF without CR (RFC 9112, section 2.2).
    pub(super) fn bare_lf(&self) -> Option<Fault> {
        let text_end = self.span.start + self.text.len() as u64;
        (self.span.end - text_end == 1).then(|| FaultKind::BareLf.at(text_end..self.span.end))
    }

    /// A fault for the first control character (HTAB is none) in the text from `from` on.
    pub(super) fn control(&self, from: usize) -> Option<Fault> {
        let index = from + self.text[from..].iter().position(|&byte| byte.is_ascii_control() && byte != b'\t')?;
        let kind = if self.text[index] == b'\r' { FaultKind::BareCr } else { FaultKind::ControlCharacter };
        Some(kind.at(self.locate(index..index + 1)))
    }
}

/// SP or HTAB: what RFC 9110, section 5.6.3 counts as optional whitespace.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The part of `bytes[part]` that is left without the blanks around it; empty at its end if it is all blanks.
pub(super) fn trim(bytes: &[u8], part: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let start = bytes[part.clone()].iter().position(|&byte| !is_blank(byte)).map_or(part.end, |lead| part.start + lead);
    let end = bytes[start..part.end].iter().rposition(|&byte| !is_blank(byte)).map_or(start, |last| start + last + 1);
    start..end
}

/// A token of RFC 9110, section 5.6.2.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
