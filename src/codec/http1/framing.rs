//! How long a message is (RFC 9112, section 6.3).

use super::line::trim;
use super::{Fault, FaultKind, Field, Fields, RequestHead, ResponseHead};

/// What says where the content of a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no content, whatever the fields say.
    Bodyless,
    /// `Content-Length`.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// The end of the connection. Also said of a head whose framing fields are broken; a fatal fault follows it.
    UntilClose,
}

/// What a response answers, as far as its framing depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Head,
    Connect,
    Other,
}

impl Asked {
    pub(super) fn by(method: &str) -> Self {
        match method {
            "HEAD" => Asked::Head,
            "CONNECT" => Asked::Connect,
            _ => Asked::Other,
        }
    }
}

/// The framing of a response.
pub(super) fn of_response<E: From<Fault>>(
    head: &ResponseHead,
    asked: Asked,
    out: &mut Vec<E>,
) -> Result<Framing, Fault> {
    let fields = &head.fields;
    if matches!(head.status, 100..=199 | 204) {
        let forbidden = fields.iter().filter(|field| field.is("content-length") || field.is("transfer-encoding"));
        out.extend(forbidden.map(|field| FaultKind::FramingFieldForbidden.at(field.line.clone()).into()));
        return Ok(Framing::Bodyless);
    }
    // The framing fields of these may describe what a GET would have got, so they are legal and mean nothing here.
    if asked == Asked::Head || head.status == 304 || switches_protocol(head, asked) {
        return Ok(Framing::Bodyless);
    }
    match coding(head.version, fields, out) {
        Some(Coding::Chunked) => Ok(Framing::Chunked),
        Some(Coding::Other(last)) => {
            out.push(FaultKind::TransferCodingNotChunkedLast.at(last.value_span.clone()).into());
            Ok(Framing::UntilClose)
        }
        None => Ok(content_length(fields, out)?.map_or(Framing::UntilClose, Framing::Length)),
    }
}

/// Whether what follows this response is no longer HTTP (RFC 9110, sections 9.3.6 and 15.2.2).
pub(super) fn switches_protocol(head: &ResponseHead, asked: Asked) -> bool {
    head.status == 101 || asked == Asked::Connect && (200..=299).contains(&head.status)
}

/// The framing of a request.
pub(super) fn of_request<E: From<Fault>>(head: &RequestHead, out: &mut Vec<E>) -> Result<Framing, Fault> {
    match coding(head.version, &head.fields, out) {
        Some(Coding::Chunked) => Ok(Framing::Chunked),
        Some(Coding::Other(last)) => Err(FaultKind::RequestLengthUnknown.at(last.value_span.clone())),
        None => Ok(content_length(&head.fields, out)?.map_or(Framing::Bodyless, Framing::Length)),
    }
}

/// What the last transfer coding is.
enum Coding<'a> {
    Chunked,
    Other(&'a Field),
}

/// The transfer coding of a message that has one.
fn coding<'a, E: From<Fault>>(version: (u8, u8), fields: &'a Fields, out: &mut Vec<E>) -> Option<Coding<'a>> {
    let last = fields.all("transfer-encoding").last()?;
    if version < (1, 1) {
        out.push(FaultKind::TransferEncodingInHttp10.at(last.line.clone()).into());
    }
    if let Some(length) = fields.get("content-length") {
        out.push(FaultKind::LengthAndTransferEncoding.at(length.line.clone()).into());
    }
    let codings = fields.list("transfer-encoding");
    if codings.iter().filter(|coding| *coding == "chunked").count() > 1 {
        out.push(FaultKind::ChunkedTwice.at(last.value_span.clone()).into());
    }
    let is_chunked = codings.last().is_some_and(|coding| coding == "chunked");
    Some(if is_chunked { Coding::Chunked } else { Coding::Other(last) })
}

/// The one length that all `Content-Length` lines, and all elements of such a line, agree on.
fn content_length<E: From<Fault>>(fields: &Fields, out: &mut Vec<E>) -> Result<Option<u64>, Fault> {
    let mut agreed = None;
    for field in fields.all("content-length") {
        for element in field.value.split(|&byte| byte == b',') {
            let Some(length) = decimal(&element[trim(element, 0..element.len())]) else {
                return Err(FaultKind::ContentLengthMalformed.at(field.value_span.clone()));
            };
            match agreed.replace(length) {
                None => {}
                Some(before) if before == length => {
                    out.push(FaultKind::DuplicateContentLength.at(field.value_span.clone()).into());
                }
                Some(_) => return Err(FaultKind::ContentLengthDiffers.at(field.value_span.clone())),
            }
        }
    }
    Ok(agreed)
}

/// One or more decimal digits (`str::parse` would take a sign as well).
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}
