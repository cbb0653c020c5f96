//! # The era of a server is found out by its refusal
//!
//! A client of both eras may try a modern request first. A server of the legacy era refuses it in words of its own:
//! then the client begins with `initialize`. A server of the modern era refuses it with an error that only that era
//! has, such as -32022 with the versions that it supports: then there is no handshake to try, and `initialize` would
//! hide the reason from the caller. Both refusals are a 400; only the body tells them apart.
//!
//! In a legacy revision this is seen only in clients that send a modern request first. What the clause on the fallback
//! asks for belongs to 2026-07-28, so that a finding there is advice.
//!
//! ## How to fix it
//! On 400 read the body. With -32020, -32021 or -32022 in it stay in the modern era: try a version of
//! `data.supported` that you know, or hand the error to the caller. With anything else send `initialize`.

use super::caller::how_it_ended;
use super::requests;
use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::{Era, Revision};
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::understanding::is_modern;
use crate::trace::{Exchange, Told, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientEra),
    cites: &[NO_FALLBACK, Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client of both eras that tries the modern one first",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const NO_FALLBACK: Cite = Cite::Clause("era.client.modern-error-no-fallback");

const UNSUPPORTED_VERSION: i64 = -32022;

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let is_refused = |request: &&Exchange| is_modern(request) && request.status() == Some(400);
    let Some(refused) = requests::posts(trace).find(is_refused) else {
        judge.not_exercised("the client made no modern request: this needs a client of both eras");
        return;
    };
    let is_initialize = |request: &&Exchange| {
        request.asked.seq > refused.asked.seq && request.rpc_method().as_deref() == Some("initialize")
    };
    let initialize = requests::posts(trace).find(is_initialize);
    match trace.revision().era() {
        Era::Legacy => falls_back(trace, judge, refused, initialize),
        Era::Modern => stays(trace, judge, refused, initialize),
    }
}

fn falls_back(trace: &Trace, judge: &mut Judge<'_>, refused: &Exchange, initialize: Option<&Exchange>) {
    if initialize.is_some() {
        if super::reads_answers(trace, judge) {
            judge.examined();
        }
        return;
    }
    judge.examined();
    let (how, seq) = how_it_ended(trace).unwrap_or_default();
    let expected = "after a 400 without an error of the modern era, the client goes on with `initialize`";
    judge
        .finding(Cite::Advice, expected, format!("it never sent `initialize`; the client: {how}"))
        .shown_by(refused)
        .event(seq);
}

fn stays(trace: &Trace, judge: &mut Judge<'_>, refused: &Exchange, initialize: Option<&Exchange>) {
    if refused.response().and_then(|received| received.message.error_code()) != Some(UNSUPPORTED_VERSION) {
        return;
    }
    if let Some(initialize) = initialize {
        judge.examined();
        judge
            .finding(
                NO_FALLBACK,
                "after -32022 with the supported versions, the client sends no `initialize`",
                "it sent `initialize`",
            )
            .shown_by(refused)
            .shown_by(initialize);
    } else if trace.all_told().any(|told| passes_it_on(&told)) {
        judge.examined();
    } else {
        judge.not_exercised("the client sent no `initialize`, but nothing shows that it has read why it was refused");
    }
}

/// Whether the caller got the refusal: its code, or words that only it has.
fn passes_it_on(told: &Told) -> bool {
    told.outcome.as_ref().err().is_some_and(|error| {
        let message = error.message.to_ascii_lowercase();
        error.code == Some(UNSUPPORTED_VERSION)
            || ["32022", "unsupported protocol version", "2099-01-01"].iter().any(|words| message.contains(words))
    })
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("gives-up", Scenario::ClientEra, |edit| {
        let after = edit.trace().exchanges().filter(|exchange| !is_modern(exchange)).count();
        for _ in 0..after {
            edit.last(|exchange| !is_modern(exchange)).never_asked();
        }
    }),
    mutant("falls-back-from-the-modern-era", Scenario::ClientEra, |edit| {
        if edit.trace().revision().era() == Era::Modern {
            let body = r#"{"jsonrpc":"2.0","id":9,"method":"initialize","params":{}}"#;
            let head = format!("POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: {}", body.len());
            edit.client_asks(
                "initialize",
                format!("{head}\r\n\r\n{body}").as_bytes(),
                b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
            );
        }
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::judged_in;
    use crate::verdict::Verdict;

    const ID: &str = "client/era-fallback";

    #[test]
    fn a_client_of_one_era_is_not_judged() {
        let verdicts = judged_in(ID, Scenario::ClientEra, |edit| {
            edit.each(is_modern, |exchange| {
                exchange.never_asked();
            });
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }

    #[test]
    fn a_caller_that_hears_nothing_of_the_refusal_shows_nothing() {
        let verdicts = judged_in(ID, Scenario::ClientEra, |edit| {
            if edit.trace().revision().era() == Era::Modern {
                edit.told_error(|_| true, None);
            }
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }
}
