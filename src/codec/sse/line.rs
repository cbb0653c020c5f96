//! Lines out of pieces. CR, LF and CRLF all end a line (section 9.2.5).

use super::Span;

/// How often each kind of line end was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineEndings {
    /// LF alone.
    pub lf: u64,
    /// CR and LF.
    pub crlf: u64,
    /// CR alone; also a CR at the very end of what was pushed, until an LF follows.
    pub cr: u64,
}

/// The bytes of a byte order mark, which may begin a stream.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Gathers the bytes of one line until its end has come.
#[derive(Debug)]
pub(super) struct LineReader {
    /// The offset of the next byte.
    at: u64,
    /// The offset of the first byte of the line.
    began: u64,
    /// The first bytes of the line, no more than `cap`.
    kept: Vec<u8>,
    cap: usize,
    /// Whether the last byte was a CR, to which an LF would still belong.
    after_cr: bool,
    endings: LineEndings,
}

/// One line, its end not included.
pub(super) struct Line<'a> {
    /// As much of it as was kept.
    pub(super) text: &'a [u8],
    /// All of it.
    pub(super) span: Span,
    /// The offset just after the first byte of its end.
    pub(super) after: u64,
}

impl Line<'_> {
    /// Whether there was more of it than was kept.
    pub(super) fn is_cut(&self) -> bool {
        (self.text.len() as u64) < self.span.end - self.span.start
    }
}

impl LineReader {
    pub(super) fn new(cap: usize) -> Self {
        LineReader { at: 0, began: 0, kept: Vec::new(), cap, after_cr: false, endings: LineEndings::default() }
    }

    pub(super) fn endings(&self) -> LineEndings {
        self.endings
    }

    pub(super) fn held(&self) -> usize {
        self.kept.len()
    }

    /// Hands the lines that these bytes complete to `each`.
    pub(super) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Line<'_>)) {
        let mut rest = bytes;
        while let Some((&first, after_first)) = rest.split_first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                self.endings.cr -= 1;
                self.endings.crlf += 1;
                self.begin_after_end();
                rest = after_first;
                continue;
            }
            let length = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
            let (text, end) = rest.split_at(length);
            self.keep(text);
            let Some((&end, next)) = end.split_first() else { return };
            self.after_cr = end == b'\r';
            match self.after_cr {
                true => self.endings.cr += 1,
                false => self.endings.lf += 1,
            }
            each(Line { after: self.at + 1, ..self.line() });
            self.begin_after_end();
            rest = next;
        }
    }

    /// The line that no line end has ended yet; often empty.
    pub(super) fn line(&self) -> Line<'_> {
        let mark = if self.began == 0 && self.kept.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Line { text: &self.kept[mark..], span: self.began + mark as u64..self.at, after: self.at }
    }

    /// Forgets the line that no line end has ended yet.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.began = self.at;
    }

    /// Adds to the line what the cap allows, and counts all of it.
    fn keep(&mut self, bytes: &[u8]) {
        let room = self.cap.saturating_sub(self.kept.len()).min(bytes.len());
        self.kept.extend_from_slice(&bytes[..room]);
        self.at += bytes.len() as u64;
    }

    /// Moves over one byte of a line end; the next line begins after it.
    fn begin_after_end(&mut self) {
        self.at += 1;
        self.clear();
    }
}
