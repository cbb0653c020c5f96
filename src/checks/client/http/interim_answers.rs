//! # Interim answers come before the final one
//!
//! A proxy may send 103 to announce what will be needed, and a server 100 although nobody asked for it. A client that
//! takes one for the answer has a call without a result, and reads the real answer as that to its next request.
//!
//! Node's `fetch` (undici in Node 20) closes the connection over a `100 Continue` that it did not ask for.
//!
//! ## How to fix it
//! Pass over every answer with a status from 100 to 199, except 101 where an upgrade was asked for, and wait for the
//! next one.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientHttp),
    cites: &[INTERIM],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const INTERIM: Cite = Cite::Clause("http.client.1xx");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read_stream(trace, judge, "interim-100", INTERIM, "behind an interim answer with the status 100");
    super::read_stream(trace, judge, "interim-103", INTERIM, "behind an interim answer with the status 103");
    super::read_stream(trace, judge, "interim-several", INTERIM, "behind several interim answers");
    super::read_json(trace, judge, "interim-json", INTERIM, "behind an interim answer with the status 103");
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("an-interim-answer-is-final", Scenario::ClientHttp, |edit| {
        edit.told_error(|step| step == "interim-103", None);
    }),
];
