//! What can be wrong with a message, and whether one can read on.

use std::fmt;

use super::Span;

/// A deviation from RFC 9110 or RFC 9112, and the bytes that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The offending bytes; empty where the fault is that bytes are missing.
    pub at: Span,
    /// What is wrong with them.
    pub kind: FaultKind,
}

/// Everything that the parsers find fault with. The section numbers are those of RFC 9112 unless they say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// A line of a head, a trailer section or a chunk ends in LF without CR (2.2, 7.1).
    BareLf,
    /// A CR that no LF follows, inside a line (2.2).
    BareCr,
    /// An empty line before the start line (2.2).
    LeadingBlankLine,
    /// The status code is the last thing in the line; the space after it is required even before no reason (4).
    MissingReasonSpace,
    /// A status code that belongs to no class, 600 to 999 (RFC 9110, 15).
    StatusAbove599,
    /// A byte in the request target that no URI holds: a control or not ASCII (3.2).
    TargetCharacter,
    /// A blank between field name and colon (5.1).
    BlankBeforeColon,
    /// A line that begins with a blank, between start line and first field; it is skipped (2.2).
    BlankBeforeFirstField,
    /// A field line without a colon; it is skipped (5).
    FieldWithoutColon,
    /// A field name that is empty or holds a byte that no token holds (RFC 9110, 5.1).
    FieldNameNotToken,
    /// A control character other than HTAB in a field value, a reason or a chunk extension (RFC 9110, 5.5).
    ControlCharacter,
    /// A field value that goes on in the next line (5.2).
    ObsFold,
    /// Both `Transfer-Encoding` and `Content-Length`; the former wins (6.2, 6.3).
    LengthAndTransferEncoding,
    /// `Content-Length` more than once, with the same value (6.3).
    DuplicateContentLength,
    /// A response whose last transfer coding is not `chunked`: its body lasts until the connection closes (6.3).
    TransferCodingNotChunkedLast,
    /// `chunked` applied more than once; one layer is read (6.1).
    ChunkedTwice,
    /// `Transfer-Encoding` in a message of HTTP/1.0 (6.1).
    TransferEncodingInHttp10,
    /// `Content-Length` or `Transfer-Encoding` in a response that must not carry it: 1xx or 204 (6.1; RFC 9110, 8.6).
    FramingFieldForbidden,
    /// Blanks around a chunk size (7.1).
    ChunkSizeBlanks,
    /// A message after one that announced the end of the connection (9.6).
    MessageAfterClose,

    /// The line where a response must begin does not begin with `HTTP/` (4).
    StatusLineMalformed,
    /// The line where a request must begin is not method, target and version (3).
    RequestLineMalformed,
    /// The version is not `HTTP/1.` and a digit (2.3).
    VersionMalformed,
    /// The status is not three digits, or below 100 (4).
    StatusMalformed,
    /// A head longer than [`MAX_HEAD`](super::MAX_HEAD).
    HeadTooLong,
    /// More than [`MAX_FIELDS`](super::MAX_FIELDS) fields in a head or a trailer section.
    TooManyFields,
    /// A trailer section longer than [`MAX_TRAILERS`](super::MAX_TRAILERS).
    TrailersTooLong,
    /// A `Content-Length` that is not a decimal number that fits 64 bits (6.3).
    ContentLengthMalformed,
    /// `Content-Length` more than once, with different values (6.3).
    ContentLengthDiffers,
    /// A request whose last transfer coding is not `chunked`: nobody can tell where it ends (6.3).
    RequestLengthUnknown,
    /// A chunk size that is not a hexadecimal number (7.1).
    ChunkSizeMalformed,
    /// A chunk size beyond 64 bits (7.1).
    ChunkSizeOverflow,
    /// A chunk-size line longer than [`MAX_CHUNK_LINE`](super::MAX_CHUNK_LINE).
    ChunkLineTooLong,
    /// Chunk data that no line end follows: there is more of it than its size says, or less (7.1).
    ChunkOverrun,
    /// From here on the connection speaks another protocol: after 101, or after CONNECT succeeded.
    ProtocolSwitched,
    /// The connection ended inside a message (8).
    Truncated(Place),
}

/// The part of a message that a connection's end cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Before or inside the start line.
    StartLine,
    /// Inside the header section.
    Fields,
    /// Inside content whose length was known, or a reset inside content that lasts until the connection closes.
    Content,
    /// Before or inside a chunk-size line; this is also where a missing last chunk shows.
    ChunkSize,
    /// Inside chunk data.
    ChunkData,
    /// Inside the line end after chunk data.
    ChunkEnd,
    /// After the last chunk, before the empty line that ends the message.
    Trailers,
}

impl FaultKind {
    /// Whether the rest of the connection is unreadable.
    pub fn is_fatal(&self) -> bool {
        use FaultKind::*;
        matches!(
            self,
            StatusLineMalformed
                | RequestLineMalformed
                | VersionMalformed
                | StatusMalformed
                | HeadTooLong
                | TooManyFields
                | TrailersTooLong
                | ContentLengthMalformed
                | ContentLengthDiffers
                | RequestLengthUnknown
                | ChunkSizeMalformed
                | ChunkSizeOverflow
                | ChunkLineTooLong
                | ChunkOverrun
                | ProtocolSwitched
                | Truncated(_)
        )
    }

    /// This kind of fault, seen at these bytes.
    pub(super) fn at(self, at: Span) -> Fault {
        Fault { at, kind: self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind, self.at.start)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use FaultKind::*;
        f.write_str(match self {
            BareLf => "line ends in LF without CR",
            BareCr => "CR without LF inside a line",
            LeadingBlankLine => "blank line before the start line",
            MissingReasonSpace => "no space after the status code",
            StatusAbove599 => "status code above 599",
            TargetCharacter => "character in the request target that no URI holds",
            BlankBeforeColon => "blank between field name and colon",
            BlankBeforeFirstField => "line before the first field begins with a blank",
            FieldWithoutColon => "field line without a colon",
            FieldNameNotToken => "field name is not a token",
            ControlCharacter => "control character",
            ObsFold => "field value goes on in the next line",
            LengthAndTransferEncoding => "both content-length and transfer-encoding",
            DuplicateContentLength => "content-length repeated",
            TransferCodingNotChunkedLast => "last transfer coding is not chunked",
            ChunkedTwice => "chunked applied more than once",
            TransferEncodingInHttp10 => "transfer-encoding in http/1.0",
            FramingFieldForbidden => "content-length or transfer-encoding in a response without content",
            ChunkSizeBlanks => "blanks around the chunk size",
            MessageAfterClose => "message after one that announced the end of the connection",
            StatusLineMalformed => "no status line",
            RequestLineMalformed => "no request line",
            VersionMalformed => "version is not http/1.x",
            StatusMalformed => "status is not three digits from 100",
            HeadTooLong => "head too long",
            TooManyFields => "too many fields",
            TrailersTooLong => "trailer section too long",
            ContentLengthMalformed => "content-length is not a number",
            ContentLengthDiffers => "content-length given twice with different values",
            RequestLengthUnknown => "last transfer coding of a request is not chunked",
            ChunkSizeMalformed => "chunk size is not hexadecimal",
            ChunkSizeOverflow => "chunk size beyond 64 bits",
            ChunkLineTooLong => "chunk-size line too long",
            ChunkOverrun => "chunk data does not end where its size says",
            ProtocolSwitched => "connection switched to another protocol",
            Truncated(place) => return write!(f, "connection ended {place}"),
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Place::StartLine => "before the start line was complete",
            Place::Fields => "inside the header section",
            Place::Content => "inside the content",
            Place::ChunkSize => "where a chunk size was due",
            Place::ChunkData => "inside chunk data",
            Place::ChunkEnd => "right after chunk data",
            Place::Trailers => "before the trailer section was complete",
        })
    }
}
