//! Content: a known length, chunks (RFC 9112, section 7.1), or whatever comes until the connection closes.

use super::line::{Input, Line, LineReader, is_blank, trim};
use super::{Ending, Fault, FaultKind, Field, Fields, Framing, Place, Span};

/// How many bytes a chunk-size line may have, line end included.
pub const MAX_CHUNK_LINE: u64 = 4 * 1024;

/// How many bytes a trailer section may have.
pub const MAX_TRAILERS: u64 = 64 * 1024;

/// What requests and responses have in common once the head is read.
pub(super) enum BodyEvent {
    Chunk { size_line: Span, size: u64, extension: bool },
    Data(Span),
    Trailer(Field),
    End { at: u64 },
}

/// Reads the rest of a message after its head.
#[derive(Debug)]
pub(super) struct BodyReader {
    framing: Framing,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// So many bytes of content to come, and nothing after them.
    Content {
        left: u64,
    },
    UntilClose,
    ChunkSize {
        began: u64,
        line: LineReader,
    },
    ChunkData {
        left: u64,
    },
    /// The line end after chunk data, and where its CR was.
    ChunkEnd {
        carriage_return: Option<u64>,
    },
    Trailers {
        began: u64,
        lines: LineReader,
        fields: Fields,
    },
    Over,
}

impl BodyReader {
    /// For a message whose head ended just before the offset `at`.
    pub(super) fn new(framing: Framing, at: u64) -> Self {
        let stage = match framing {
            Framing::Bodyless => Stage::Content { left: 0 },
            Framing::Length(left) => Stage::Content { left },
            Framing::Chunked => Stage::ChunkSize { began: at, line: LineReader::default() },
            Framing::UntilClose => Stage::UntilClose,
        };
        BodyReader { framing, stage }
    }

    pub(super) fn framing(&self) -> Framing {
        self.framing
    }

    /// Reads as far as the input or the message goes. Says whether the message is over.
    pub(super) fn read<E>(&mut self, input: &mut Input<'_>, out: &mut Vec<E>) -> Result<bool, Fault>
    where
        E: From<BodyEvent> + From<Fault>,
    {
        loop {
            if let Stage::Content { left: 0 } = self.stage {
                out.push(BodyEvent::End { at: input.at() }.into());
                self.stage = Stage::Over;
            }
            if let Stage::Over = self.stage {
                return Ok(true);
            }
            if input.is_empty() {
                return Ok(false);
            }
            if let Some(next) = self.stage.read(input, out)? {
                self.stage = next;
            }
        }
    }

    /// What the end of the connection means for a message that is not over: its end, or the place where it is cut.
    pub(super) fn close(&self, ending: Ending) -> Result<(), Place> {
        Err(match &self.stage {
            Stage::Over => return Ok(()),
            Stage::UntilClose if ending == Ending::Fin => return Ok(()),
            Stage::UntilClose | Stage::Content { .. } => Place::Content,
            Stage::ChunkSize { .. } => Place::ChunkSize,
            Stage::ChunkData { .. } => Place::ChunkData,
            Stage::ChunkEnd { .. } => Place::ChunkEnd,
            Stage::Trailers { .. } => Place::Trailers,
        })
    }

    /// How many bytes are kept here.
    pub(super) fn held(&self) -> usize {
        match &self.stage {
            Stage::ChunkSize { line, .. } => line.held().len(),
            Stage::Trailers { lines, fields, .. } => lines.held().len() + fields.held(),
            _ => 0,
        }
    }
}

impl Stage {
    /// Reads some of the input, of which there is some. Gives the stage that comes after this one once it is done.
    fn read<E>(&mut self, input: &mut Input<'_>, out: &mut Vec<E>) -> Result<Option<Stage>, Fault>
    where
        E: From<BodyEvent> + From<Fault>,
    {
        match self {
            Stage::Over => Ok(None),
            Stage::UntilClose => {
                out.push(BodyEvent::Data(input.take(u64::MAX).1).into());
                Ok(None)
            }
            Stage::Content { left } => {
                take_data(left, input, out);
                Ok(None)
            }
            Stage::ChunkSize { began, line } => {
                let limit = *began + MAX_CHUNK_LINE;
                let line = line.read(input, limit).map_err(|_| FaultKind::ChunkLineTooLong.at(*began..limit))?;
                line.map(|line| read_chunk_size(line, out)).transpose()
            }
            Stage::ChunkData { left } => {
                take_data(left, input, out);
                Ok((*left == 0).then_some(Stage::ChunkEnd { carriage_return: None }))
            }
            Stage::ChunkEnd { carriage_return } => read_chunk_end(carriage_return, input, out),
            Stage::Trailers { began, lines, fields } => {
                let limit = *began + MAX_TRAILERS;
                let line = lines.read(input, limit).map_err(|_| FaultKind::TrailersTooLong.at(*began..limit))?;
                line.map_or(Ok(None), |line| read_trailer(line, fields, out))
            }
        }
    }
}

fn take_data<E: From<BodyEvent>>(left: &mut u64, input: &mut Input<'_>, out: &mut Vec<E>) {
    let (taken, span) = input.take(*left);
    *left -= taken.len() as u64;
    out.push(BodyEvent::Data(span).into());
}

/// `chunk-size [ chunk-ext ] CRLF`
fn read_chunk_size<E>(line: Line, out: &mut Vec<E>) -> Result<Stage, Fault>
where
    E: From<BodyEvent> + From<Fault>,
{
    let text = line.text.as_slice();
    let semicolon = text.iter().position(|&byte| byte == b';');
    let size_end = semicolon.unwrap_or(text.len());
    let digits = trim(text, 0..size_end);
    let size = parse_size(&text[digits.clone()]).map_err(|kind| kind.at(line.locate(0..text.len())))?;

    if let Some(first) = text[..size_end].iter().position(|&byte| is_blank(byte)) {
        let run = text[first..size_end].iter().take_while(|&&byte| is_blank(byte)).count();
        out.push(FaultKind::ChunkSizeBlanks.at(line.locate(first..first + run)).into());
    }
    out.extend(line.control(size_end).map(E::from));
    out.extend(line.bare_lf().map(E::from));

    let after = line.span.end;
    out.push(BodyEvent::Chunk { size_line: line.span, size, extension: semicolon.is_some() }.into());
    Ok(match size {
        0 => Stage::Trailers { began: after, lines: LineReader::default(), fields: Fields::default() },
        _ => Stage::ChunkData { left: size },
    })
}

/// One or more hexadecimal digits; leading zeros are legal.
fn parse_size(digits: &[u8]) -> Result<u64, FaultKind> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(FaultKind::ChunkSizeMalformed);
    }
    let mut values = digits.iter().filter_map(|&digit| char::from(digit).to_digit(16)).map(u64::from);
    values.try_fold(0_u64, |size, value| Some(size.checked_mul(16)? + value)).ok_or(FaultKind::ChunkSizeOverflow)
}

/// The line end after chunk data, byte by byte: a wrong one shows at its first byte, not when some LF happens to come.
fn read_chunk_end<E: From<Fault>>(
    carriage_return: &mut Option<u64>,
    input: &mut Input<'_>,
    out: &mut Vec<E>,
) -> Result<Option<Stage>, Fault> {
    let (bytes, span) = input.take(1);
    match (bytes, *carriage_return) {
        (b"\r", None) => {
            *carriage_return = Some(span.start);
            Ok(None)
        }
        (b"\n", before) => {
            let began = span.end;
            if before.is_none() {
                out.push(FaultKind::BareLf.at(span).into());
            }
            Ok(Some(Stage::ChunkSize { began, line: LineReader::default() }))
        }
        (_, before) => Err(FaultKind::ChunkOverrun.at(before.unwrap_or(span.start)..span.end)),
    }
}

/// `*( field-line CRLF ) CRLF`
fn read_trailer<E>(line: Line, fields: &mut Fields, out: &mut Vec<E>) -> Result<Option<Stage>, Fault>
where
    E: From<BodyEvent> + From<Fault>,
{
    out.extend(line.bare_lf().map(E::from));
    if !line.is_empty() {
        fields.add(line, out)?;
        return Ok(None);
    }
    out.extend(std::mem::take(fields).into_iter().map(|field| BodyEvent::Trailer(field).into()));
    out.push(BodyEvent::End { at: line.span.end }.into());
    Ok(Some(Stage::Over))
}
