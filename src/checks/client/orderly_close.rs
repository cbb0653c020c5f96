//! # A client leaves in order
//!
//! A client that goes away says so: DELETE ends its session at the server, which otherwise keeps it until it expires;
//! FIN ends its connections, where RST fills the server's log with errors; and nothing is opened only to be dropped.
//!
//! ## How to fix it
//! When the client is closed, send DELETE with the session id, read what is left of the answers that are under way or
//! close their connections in order, and open nothing new.

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{ConnectionId, Ending, Moment, PeerEnd, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientCalls),
    cites: &[Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that ends by itself after its calls",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// From here on a connection counts as idle.
const IDLE: Duration = Duration::from_millis(50);

/// A pool that looks for a connection while it opens another one may leave one unused.
const RACED: usize = 1;

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    if !super::reads_answers(trace, judge) {
        return;
    }
    let Some((_, ended)) = super::caller::how_it_ended(trace) else { return };
    if let Some((how, _)) = super::caller::was_ended(trace) {
        return judge.not_exercised(format!("the client did not end by itself: {how}"));
    }
    judge.examined();
    if let Some(granting) = trace.exchanges().find(|exchange| exchange.grants().is_some()) {
        let deleted = trace.exchanges().any(|exchange| exchange.http_method() == "DELETE" && trace.in_session(exchange));
        if !deleted {
            judge
                .finding(Cite::Advice, "DELETE ends the session", "the client ended and left its session open")
                .shown_by(granting)
                .event(ended);
        }
    }
    let all = trace.connections().count();
    let reset: Vec<u32> = trace
        .connections()
        .filter_map(|connection| connection.ended.filter(|(how, _)| *how == PeerEnd::Reset).map(|end| (connection, end)))
        .filter(|(connection, (_, moment))| !right_behind_a_call(trace, connection.id, *moment))
        .map(|(_, (_, moment))| moment.seq)
        .collect();
    if let Some(first) = reset.first() {
        let observed = format!("{} of {all} connections were reset", reset.len());
        judge.finding(Cite::Advice, "connections end with FIN", observed).event(*first);
    }
    let unused: Vec<u32> = trace
        .connections()
        .filter(|connection| trace.on_connection(connection.id).is_empty())
        .filter_map(|connection| connection.opened.map(|(_, moment)| moment.seq))
        .collect();
    if let Some(first) = unused.first().filter(|_| unused.len() > RACED) {
        let observed = format!("{} of {all} connections were opened and dropped without a request", unused.len());
        judge.finding(Cite::Advice, "connections are opened to be used", observed).event(*first);
    }
}

/// A reset right behind the answer to a call means that some of it was not read: client/body-drained looks at that.
fn right_behind_a_call(trace: &Trace, conn: ConnectionId, reset: Moment) -> bool {
    let last = trace.on_connection(conn).last();
    let last_call = last.filter(|exchange| exchange.rpc_method().as_deref() == Some("tools/call"));
    last_call.is_some_and(|exchange| match exchange.ending {
        Ending::Complete(end) => reset.at.since(end.at) < IDLE,
        _ => true,
    })
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("connections-are-reset", Scenario::ClientCalls, |edit| edit.client_ends_connections(PeerEnd::Reset)),
    mutant("opened-for-nothing", Scenario::ClientCalls, |edit| {
        edit.client_connects();
        edit.client_connects();
    }),
    mutant("no-delete", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.http_method() == "DELETE").never_asked();
    }),
];
