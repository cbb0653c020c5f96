//! # Sequential calls share a connection
//!
//! A client that opens a TCP connection for each call pays a handshake, and with TLS several, every time, loses the
//! congestion window that it had built up, and leaves a socket in TIME_WAIT behind. Under load it runs out of ports.
//!
//! Looked at are calls that follow one another, answered with an event stream that ends at once, and, apart from
//! these, with JSON. The first call, GET streams and whatever the client asks beside them are not counted.
//!
//! ## How to fix it
//! Read each body to its end, and give the connection back to the pool then. Where the pool was switched off to hide
//! a stall, look for the stall's cause at the server (TCP_NODELAY) and switch the pool on again.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, PeerEnd, Span, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientCalls),
    cites: &[Cite::Budget],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that makes four calls or more, one after the other",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// The forms of answers, and how the labels of their calls begin.
const FORMS: [(&str, &[&str]); 2] =
    [("with an event stream", &["stream-", "whole-", "counted-"]), ("with JSON", &["json-"])];

/// Fewer calls say nothing: a pool may have been cold.
const ENOUGH: usize = 3;

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    if !super::reads_answers(trace, judge) {
        return;
    }
    for (form, prefixes) in FORMS {
        let is_of_form = |exchange: &&Exchange| prefixes.iter().any(|prefix| exchange.label.starts_with(prefix));
        let calls: Vec<&Exchange> = super::calls(trace).filter(is_of_form).collect();
        // The first one may come upon what a call of another form has left.
        let Some((_, later)) = calls.split_first().filter(|(_, later)| later.len() + 1 >= ENOUGH) else { continue };
        judge.examined();
        let fresh: Vec<&&Exchange> = later.iter().filter(|exchange| exchange.nth == 0).collect();
        if fresh.len() * 2 <= later.len() {
            continue;
        }
        let observed =
            format!("{} of {} calls opened a connection of their own{}", fresh.len(), later.len(), fate(trace, &calls));
        let finding = judge.finding(Cite::Budget, format!("sequential calls answered {form} share a connection"), observed);
        match fresh.first() {
            Some(first) => finding.shown_by(first),
            None => finding,
        };
    }
}

/// What became of the connections before.
fn fate(trace: &Trace, calls: &[&Exchange]) -> String {
    let mut after = Vec::new();
    for exchange in calls {
        let ended = trace.connection(exchange.conn).and_then(|connection| connection.ended);
        if let (Some(response), Some((how, moment))) = (exchange.response(), ended) {
            after.push((moment.at.since(response.moment.at), how));
        }
    }
    after.sort_by_key(|(after, _)| *after);
    let Some((after, how)) = after.get(after.len() / 2) else {
        return "; those before were left open".to_owned();
    };
    let how = if *how == PeerEnd::Fin { "closed (FIN)" } else { "reset" };
    format!("; the one before was {how} {} after its response (median)", Span(*after))
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("a-connection-for-each-stream", Scenario::ClientCalls, |edit| {
        each_on_its_own(edit, "stream-");
        each_on_its_own(edit, "whole-");
        each_on_its_own(edit, "counted-");
    }),
    mutant("a-connection-for-each-json-answer", Scenario::ClientCalls, |edit| each_on_its_own(edit, "json-")),
];

/// The client closes the connection at the end of each answer to such a call.
#[cfg(test)]
fn each_on_its_own(edit: &mut crate::trace::edit::Edit, prefix: &'static str) {
    let labels: Vec<String> = super::calls_like(edit.trace(), prefix).map(|exchange| exchange.label.clone()).collect();
    for label in labels {
        edit.last(|exchange| exchange.label == label).client_ends_after(PeerEnd::Fin, |exchange| match exchange.ending {
            crate::trace::Ending::Complete(end) => end.seq,
            _ => 0,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::tolerates;

    #[test]
    fn a_connection_that_is_lost_now_and_then_is_no_finding() {
        tolerates("client/connection-reused", Scenario::ClientCalls, |edit| {
            edit.last(|exchange| exchange.label == "stream-2").client_ends_after(PeerEnd::Fin, |exchange| {
                match exchange.ending {
                    crate::trace::Ending::Complete(end) => end.seq,
                    _ => 0,
                }
            });
        });
    }
}
