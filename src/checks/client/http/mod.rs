//! Answers in every form that HTTP/1.1 and the transport allow.

checks! {
    answer_forms,
    media_types,
    accepted_framing,
    chunk_extensions,
    interim_answers,
    close_delimited,
}

use super::caller;
use crate::trace::Trace;
use crate::verdict::{Cite, Judge};

/// The calls that are answered in the plainest way: they show whether the others' answers would have been got too.
const STREAM: &str = "form-stream";
const JSON: &str = "form-json";

/// The caller of each call whose label begins so gets what stands in an event stream that comes so.
fn read_stream(trace: &Trace, judge: &mut Judge<'_>, prefix: &str, cite: Cite, spelt: &str) {
    caller::gets_the_answer(trace, judge, prefix, STREAM, cite, spelt);
}

/// The same for JSON.
fn read_json(trace: &Trace, judge: &mut Judge<'_>, prefix: &str, cite: Cite, spelt: &str) {
    caller::gets_the_answer(trace, judge, prefix, JSON, cite, spelt);
}
