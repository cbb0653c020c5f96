//! # Media types are compared as such
//!
//! `application/json; charset=utf-8` is what many frameworks write, and letter case means nothing. A client that compares
//! the field letter by letter refuses an answer that it could read.
//!
//! ## How to fix it
//! Take what stands before the first semicolon, without white space, and compare it without regard to letter case.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientHttp),
    cites: &[MEDIA_TYPE],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const MEDIA_TYPE: Cite = Cite::Clause("http.media-type-params");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read_stream(trace, judge, "media-stream-parameter", MEDIA_TYPE, "of the type `text/event-stream;charset=UTF-8`");
    super::read_stream(trace, judge, "media-stream-blank", MEDIA_TYPE, "of the type `text/event-stream ; charset=utf-8`");
    super::read_stream(trace, judge, "media-stream-case", MEDIA_TYPE, "of the type `Text/Event-Stream`");
    super::read_json(trace, judge, "media-json-parameter", MEDIA_TYPE, "of the type `application/json; charset=utf-8`");
    super::read_json(trace, judge, "media-json-quoted", MEDIA_TYPE, "of the type `application/json;charset=\"utf-8\"`");
    super::read_json(trace, judge, "media-json-case", MEDIA_TYPE, "of the type `Application/JSON`");
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("a-parameter-is-unknown", Scenario::ClientHttp, |edit| {
        edit.told_error(|step| step == "media-json-parameter", None);
    }),
    mutant("a-capital-is-unknown", Scenario::ClientHttp, |edit| {
        edit.told_error(|step| step == "media-stream-case", None);
    }),
];
