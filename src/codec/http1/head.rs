//! Heads: a start line, fields, an empty line (RFC 9112, sections 2 to 5).

use super::line::{Input, Line, LineReader, is_token};
use super::{Fault, FaultKind, Fields, Place, Span};

/// How many bytes a head may have, empty lines before it included.
pub const MAX_HEAD: u64 = 64 * 1024;

/// The head of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// From the first byte of the status line to just after the empty line.
    pub span: Span,
    /// Major and minor version.
    pub version: (u8, u8),
    /// The status code, 100 to 999.
    pub status: u16,
    /// The reason phrase as sent; often empty.
    pub reason: Vec<u8>,
    /// The fields.
    pub fields: Fields,
}

/// The head of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// From the first byte of the request line to just after the empty line.
    pub span: Span,
    /// Major and minor version.
    pub version: (u8, u8),
    /// The method, its case kept.
    pub method: String,
    /// The request target; bytes that are no UTF-8 become U+FFFD.
    pub target: String,
    /// The fields.
    pub fields: Fields,
}

impl ResponseHead {
    /// Whether the connection outlives this message (RFC 9112, section 9.3).
    pub fn is_persistent(&self) -> bool {
        is_persistent(self.version, &self.fields)
    }
}

impl RequestHead {
    /// Whether the connection outlives this message (RFC 9112, section 9.3).
    pub fn is_persistent(&self) -> bool {
        is_persistent(self.version, &self.fields)
    }
}

fn is_persistent(version: (u8, u8), fields: &Fields) -> bool {
    let options = fields.list("connection");
    let has = |name: &str| options.iter().any(|option| option == name);
    !has("close") && (version >= (1, 1) || has("keep-alive"))
}

/// The start line tells requests and responses apart; the rest of a head is the same.
pub(super) trait StartLine: Sized {
    /// The head that begins with such a line.
    type Head;

    /// The fault of a line that is none such.
    const MALFORMED: FaultKind;

    /// Reads the line.
    fn parse<E: From<Fault>>(line: &Line, out: &mut Vec<E>) -> Result<Self, Fault>;

    /// Whether a line that begins so can be such a line, or the empty line that may come before it.
    fn may_begin(begin: &[u8]) -> bool;

    /// Completes the head.
    fn head(self, span: Span, fields: Fields) -> Self::Head;
}

/// Reads one head.
#[derive(Debug)]
pub(super) struct HeadReader<S> {
    /// The offset of the first byte, which may be that of an empty line before the start line.
    began: Option<u64>,
    lines: LineReader,
    /// The start line and the offset of its first byte.
    start_line: Option<(u64, S)>,
    fields: Fields,
}

impl<S: StartLine> HeadReader<S> {
    pub(super) fn new() -> Self {
        HeadReader { began: None, lines: LineReader::default(), start_line: None, fields: Fields::default() }
    }

    /// The head, once its last byte has come.
    pub(super) fn read<E: From<Fault>>(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Vec<E>,
    ) -> Result<Option<S::Head>, Fault> {
        if input.is_empty() {
            return Ok(None);
        }
        let began = *self.began.get_or_insert(input.at());
        let limit = began + MAX_HEAD;
        while let Some(line) = self.lines.read(input, limit).map_err(|_| FaultKind::HeadTooLong.at(began..limit))? {
            out.extend(line.bare_lf().map(E::from));
            match self.start_line.take() {
                None if line.is_empty() => out.push(FaultKind::LeadingBlankLine.at(line.span).into()),
                None => self.start_line = Some((line.span.start, S::parse(&line, out)?)),
                Some((start, start_line)) if line.is_empty() => {
                    return Ok(Some(start_line.head(start..line.span.end, std::mem::take(&mut self.fields))));
                }
                start_line => {
                    self.start_line = start_line;
                    self.fields.add(line, out)?;
                }
            }
        }
        Ok(None)
    }

    /// Whether any byte has come.
    pub(super) fn has_begun(&self) -> bool {
        self.began.is_some()
    }

    /// What is wrong if the connection ends here, at offset `at`.
    pub(super) fn cut_off(&self, at: u64) -> Fault {
        let line = self.lines.held();
        match self.start_line {
            None if !S::may_begin(line) => S::MALFORMED.at(at - line.len() as u64..at),
            None => FaultKind::Truncated(Place::StartLine).at(at..at),
            Some(_) => FaultKind::Truncated(Place::Fields).at(at..at),
        }
    }

    /// How many bytes are kept here.
    pub(super) fn held(&self) -> usize {
        self.lines.held().len() + self.fields.held()
    }
}

/// `HTTP-version SP status-code SP [ reason-phrase ]` (RFC 9112, section 4).
#[derive(Debug)]
pub(super) struct StatusLine {
    version: (u8, u8),
    status: u16,
    reason: Vec<u8>,
}

impl StartLine for StatusLine {
    type Head = ResponseHead;

    const MALFORMED: FaultKind = FaultKind::StatusLineMalformed;

    fn parse<E: From<Fault>>(line: &Line, out: &mut Vec<E>) -> Result<Self, Fault> {
        let text = line.text.as_slice();
        if !text.starts_with(b"HTTP/") {
            return Err(Self::MALFORMED.at(line.locate(0..text.len())));
        }
        let version_end = text.iter().position(|&byte| byte == b' ').unwrap_or(text.len());
        let version = parse_version(line, 0..version_end)?;

        let code = version_end + 1;
        let status = match text.get(code..) {
            Some(&[hundreds @ b'1'..=b'9', tens @ b'0'..=b'9', units @ b'0'..=b'9', ref rest @ ..])
                if matches!(rest, [] | [b' ', ..]) =>
            {
                [hundreds, tens, units].iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0'))
            }
            _ => return Err(FaultKind::StatusMalformed.at(line.locate(version_end..text.len()))),
        };
        let code_end = code + 3;
        if status > 599 {
            out.push(FaultKind::StatusAbove599.at(line.locate(code..code_end)).into());
        }
        if code_end == text.len() {
            out.push(FaultKind::MissingReasonSpace.at(line.locate(code_end..code_end)).into());
        }
        out.extend(line.control(code_end).map(E::from));
        let reason = text.get(code_end + 1..).unwrap_or_default().to_vec();
        Ok(StatusLine { version, status, reason })
    }

    /// Whoever speaks another protocol (a TLS alert, say) rarely ends it with a line feed.
    fn may_begin(begin: &[u8]) -> bool {
        b"HTTP/".starts_with(begin) || begin.starts_with(b"HTTP/") || begin == b"\r"
    }

    fn head(self, span: Span, fields: Fields) -> ResponseHead {
        ResponseHead { span, version: self.version, status: self.status, reason: self.reason, fields }
    }
}

/// `method SP request-target SP HTTP-version` (RFC 9112, section 3).
#[derive(Debug)]
pub(super) struct RequestLine {
    version: (u8, u8),
    method: String,
    target: String,
}

impl StartLine for RequestLine {
    type Head = RequestHead;

    const MALFORMED: FaultKind = FaultKind::RequestLineMalformed;

    fn parse<E: From<Fault>>(line: &Line, out: &mut Vec<E>) -> Result<Self, Fault> {
        let text = line.text.as_slice();
        let mut words = text.split(|&byte| byte == b' ');
        let (Some(method), Some(target), Some(_), None) = (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Self::MALFORMED.at(line.locate(0..text.len())));
        };
        if !is_token(method) || target.is_empty() {
            return Err(Self::MALFORMED.at(line.locate(0..text.len())));
        }
        let target_start = method.len() + 1;
        let version = parse_version(line, target_start + target.len() + 1..text.len())?;
        if let Some(index) = target.iter().position(|byte| !byte.is_ascii_graphic()) {
            let index = target_start + index;
            out.push(FaultKind::TargetCharacter.at(line.locate(index..index + 1)).into());
        }
        Ok(RequestLine {
            version,
            method: String::from_utf8_lossy(method).into_owned(),
            target: String::from_utf8_lossy(target).into_owned(),
        })
    }

    fn may_begin(begin: &[u8]) -> bool {
        begin.first().is_none_or(|&byte| is_token(&[byte]) || byte == b'\r')
    }

    fn head(self, span: Span, fields: Fields) -> RequestHead {
        RequestHead { span, version: self.version, method: self.method, target: self.target, fields }
    }
}

/// `HTTP/1.` and one digit, in capitals (RFC 9112, section 2.3).
fn parse_version(line: &Line, part: std::ops::Range<usize>) -> Result<(u8, u8), Fault> {
    match &line.text[part.clone()] {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ b'0'..=b'9'] => Ok((1, minor - b'0')),
        _ => Err(FaultKind::VersionMalformed.at(line.locate(part))),
    }
}
