//! Damage to a good trace in which we are the server: what a client could have done otherwise.

use std::time::Duration;

use serde_json::Value;

use super::Exchange;
use super::decode::{Ending, PeerEnd};
use super::edit::{Edit, ExchangeEdit, postpone};
use super::event::{Bytes, ConnectionId, Event, What};
use super::time::Nanos;

impl Edit {
    /// Rewrites what the client told of these steps; `None` takes the line away.
    pub fn told(&mut self, steps: impl Fn(&str) -> bool, rewrite: impl Fn(Value) -> Option<Value>) {
        let mut events = Vec::new();
        let mut changed = false;
        for mut event in self.trace().events.clone() {
            if let What::Told { line } = &mut event.what
                && let Ok(value) = serde_json::from_str::<Value>(line)
                && value["step"].as_str().is_some_and(&steps)
            {
                changed = true;
                match rewrite(value) {
                    Some(value) => *line = value.to_string(),
                    None => continue,
                }
            }
            events.push(event);
        }
        if changed {
            self.replace(events);
        }
    }

    /// The client told a JSON-RPC error, or one of its own where there is no code, of these steps.
    pub fn told_error(&mut self, steps: impl Fn(&str) -> bool, code: Option<i64>) {
        self.told(steps, |mut line| {
            let error = serde_json::json!({"code": code, "message": "something went wrong"});
            line.as_object_mut()?.remove("result");
            line["error"] = error;
            Some(line)
        });
    }

    /// The client told of this step that the tool said this.
    pub fn told_text(&mut self, step: &str, text: &str) {
        self.told(
            |told| told == step,
            |mut line| {
                line.as_object_mut()?.remove("error");
                line["result"] = serde_json::json!({"content": [{"type": "text", "text": text}]});
                Some(line)
            },
        );
    }

    /// The client told nothing of these steps.
    pub fn told_nothing(&mut self, steps: impl Fn(&str) -> bool) {
        self.told(steps, |_| None);
    }

    /// What the client told of a step came only after this event, by so much.
    pub fn told_after(&mut self, step: &str, seq: u32, by: Duration) {
        let is_it = |event: &Event| {
            matches!(&event.what, What::Told { line }
                if serde_json::from_str::<Value>(line).is_ok_and(|value| value["step"].as_str() == Some(step)))
        };
        let mut events = self.trace().events.clone();
        let (Some(from), Some(to)) = (events.iter().position(is_it), events.iter().position(|event| event.seq == seq))
        else {
            return;
        };
        let mut told = events.remove(from);
        let to = if from < to { to } else { to + 1 };
        told.at = events[to - 1].at + by;
        events.insert(to, told);
        self.replace(events);
    }

    /// One more request of the client's at the end, on a connection of its own, and our answer.
    pub fn client_asks(&mut self, label: &str, request: &[u8], answer: &[u8]) {
        let at = self.trace().events.iter().map(|event| event.at).max().unwrap_or_default();
        let conn = self.opens_at_the_end(at);
        let mut events = self.trace().events.clone();
        let (label, ours) = (label.to_owned(), super::Conduct::Conforming);
        let happened = [
            What::Read { conn, kernel: None, segments: None, bytes: Bytes(request.to_vec()), dropped: 0 },
            What::Answering { conn, label, ours },
            What::Wrote { conn, began: at, bytes: Bytes(answer.to_vec()) },
        ];
        events.extend(happened.map(|what| Event { seq: 0, at, what }));
        self.replace(events);
    }

    /// The client makes the last request of this name once more at the end, byte for byte.
    pub fn client_repeats(&mut self, label: &str) {
        let Some(last) = self.trace().exchanges().filter(|exchange| exchange.label == label).last() else { return };
        let request = self.received(last.conn, last.request_wire.clone());
        self.client_asks(label, request.as_bytes(), b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    }

    /// All that happened took a tenth of the time.
    pub fn ten_times_as_fast(&mut self) {
        self.events(|event| {
            event.at = Nanos(event.at.0 / 10);
            match &mut event.what {
                What::Read { kernel: Some(at), .. } | What::Wrote { began: at, .. } => *at = Nanos(at.0 / 10),
                _ => {}
            }
            true
        });
    }

    /// The client left these connections open as long as it lived.
    pub fn client_keeps_connection(&mut self, of: &str) {
        let conns: Vec<_> = self.trace().exchanges().filter(|e| e.label == of).map(|e| e.conn).collect();
        self.events(|event| match event.what {
            What::Fin { conn } | What::Reset { conn } if conns.contains(&conn) => {
                event.what = What::Watched { conn };
                true
            }
            _ => false,
        });
    }

    /// The client opened one more connection at the end.
    pub fn client_connects(&mut self) {
        let at = self.trace().events.iter().map(|event| event.at).max().unwrap_or_default();
        self.opens_at_the_end(at);
    }

    /// How every connection that the client ended was ended.
    pub fn client_ends_connections(&mut self, how: PeerEnd) {
        self.events(|event| {
            let conn = match event.what {
                What::Fin { conn } | What::Reset { conn } => conn,
                _ => return false,
            };
            let now = how.on(conn);
            let changed = event.what != now;
            event.what = now;
            changed
        });
    }

    fn opens_at_the_end(&mut self, at: Nanos) -> ConnectionId {
        let conn = self.next_connection();
        let mut events = self.trace().events.clone();
        let accepted = What::Accepted { conn, local: String::new(), peer: String::new() };
        events.push(Event { seq: 0, at, what: accepted });
        self.replace(events);
        conn
    }
}

impl ExchangeEdit<'_> {
    /// Rewrites the client's request, head and body; the length is made to fit.
    pub fn request(self, rewrite: impl Fn(String, String) -> (String, String)) -> Self {
        self.with(|edit, key| {
            let exchange = edit.exchange(key);
            let Some(head) = &exchange.request else { return };
            let (span, head_span) = (exchange.request_wire.clone(), head.span.clone());
            let body = String::from_utf8_lossy(&exchange.request_body).into_owned();
            let (head, body) = rewrite(edit.received(key.0, head_span), body);
            let is_length = |line: &str| line.to_ascii_lowercase().starts_with("content-length:");
            let is_chunked = |line: &str| line.to_ascii_lowercase().starts_with("transfer-encoding:");
            let mut lines: Vec<String> = head.trim_end().split("\r\n").map(str::to_owned).collect();
            lines.retain(|line| !is_length(line) && !is_chunked(line));
            if !body.is_empty() {
                lines.push(format!("Content-Length: {}", body.len()));
            }
            let bytes = format!("{}\r\n\r\n{body}", lines.join("\r\n"));
            edit.splice(key.0, span, bytes.as_bytes());
        })
    }

    /// Gives the request this header field, in the place of any of that name.
    pub fn request_field(self, name: &str, value: &str) -> Self {
        self.without_request_field(name).request(|head, body| {
            let head = head.trim_end();
            (format!("{head}\r\n{name}: {value}\r\n\r\n"), body)
        })
    }

    /// Takes the header fields of this name from the request.
    pub fn without_request_field(self, name: &str) -> Self {
        self.request(|head, body| {
            let named = |line: &&str| line.split_once(':').is_some_and(|(field, _)| field.eq_ignore_ascii_case(name));
            let lines: Vec<&str> = head.trim_end().split("\r\n").filter(|line| !named(line)).collect();
            (format!("{}\r\n\r\n", lines.join("\r\n")), body)
        })
    }

    /// Rewrites the message in the request.
    pub fn request_message(self, rewrite: impl Fn(&mut Value)) -> Self {
        self.request(|head, body| {
            let Ok(mut message) = serde_json::from_str::<Value>(&body) else { return (head, body) };
            rewrite(&mut message);
            (head, message.to_string())
        })
    }

    /// Everything behind the end of this answer happened later by that much.
    pub fn then_rests(self, by: Duration) -> Self {
        self.with(|edit, key| {
            let Ending::Complete(end) = edit.exchange(key).ending else { return };
            let asked = edit.exchange(key).asked.seq;
            // What the client did upon the answer may stand before our note of having written it.
            let is_answer = |event: &Event| event.what.conn() == Some(key.0) && event.seq <= end.seq;
            let mut events = edit.trace().events.clone();
            let later = events.iter_mut().filter(|event| event.seq > asked && !is_answer(event));
            later.for_each(|event| postpone(event, by));
            edit.replace(events);
        })
    }

    /// The client made its later requests over another connection, and had this one reset when it ended.
    pub fn client_resets_at_the_end(self) -> Self {
        self.with(|edit, (conn, nth)| {
            let next = edit.trace().on_connection(conn).get(nth + 1).map(|exchange| exchange.asked.seq);
            let fresh = edit.next_connection();
            let mut events = Vec::new();
            for mut event in edit.trace().events.clone() {
                if Some(event.seq) == next {
                    let accepted = What::Accepted { conn: fresh, local: String::new(), peer: String::new() };
                    events.push(Event { seq: 0, at: event.at, what: accepted });
                }
                match next.is_some_and(|next| event.seq >= next) && event.what.conn() == Some(conn) {
                    true => event.what.move_to(fresh),
                    // Where nothing came later, its end is rewritten.
                    false if matches!(event.what, What::Fin { conn: on } | What::Reset { conn: on } if on == conn) => {
                        continue;
                    }
                    false => {}
                }
                events.push(event);
            }
            let at = events.iter().map(|event| event.at).max().unwrap_or_default();
            events.push(Event { seq: 0, at, what: PeerEnd::Reset.on(conn) });
            edit.replace(events);
        })
    }

    /// The client never made this request.
    pub fn never_asked(self) -> Self {
        self.with(|edit, key| {
            let exchange = edit.exchange(key);
            let (request, answer, asked) = (exchange.request_wire.clone(), exchange.wire.clone(), exchange.asked.seq);
            let conn = key.0;
            if let Some(answer) = answer {
                edit.splice_where(answer, b"", |what| match what {
                    What::Wrote { conn: on, bytes, .. } if *on == conn => Some(&mut bytes.0),
                    _ => None,
                });
            }
            // Numbers of events stay what they were up to the request.
            let mut events = edit.trace().events.clone();
            let announced = events.iter().position(|event| {
                event.seq >= asked && matches!(event.what, What::Answering { conn: on, .. } if on == conn)
            });
            if let Some(at) = announced {
                events.remove(at);
                edit.replace(events);
            }
            edit.splice(conn, request, b"");
        })
    }

    /// The client ends the connection right after this event of the exchange, and makes its later requests on a
    /// connection of its own. What we wrote later on this one never went out.
    pub fn client_ends_after(self, how: PeerEnd, seq: impl Fn(&Exchange) -> u32) -> Self {
        self.with(|edit, key| {
            let conn = key.0;
            let seq = seq(edit.exchange(key));
            let next = edit.trace().on_connection(conn).get(key.1 + 1).map(|exchange| exchange.asked.seq);
            let fresh = edit.next_connection();
            let mut events = Vec::new();
            for mut event in edit.trace().events.clone() {
                if next.is_some_and(|next| event.seq >= next) && event.what.conn() == Some(conn) {
                    if Some(event.seq) == next {
                        let accepted = What::Accepted { conn: fresh, local: String::new(), peer: String::new() };
                        events.push(Event { seq: 0, at: event.at, what: accepted });
                    }
                    event.what.move_to(fresh);
                } else if event.seq > seq
                    && event.what.conn() == Some(conn)
                    && !matches!(event.what, What::Closed { .. } | What::State { .. })
                {
                    continue;
                }
                let (is_it, at) = (event.seq == seq, event.at);
                events.push(event);
                if is_it {
                    events.push(Event { seq: 0, at: at + Duration::from_micros(300), what: how.on(conn) });
                }
            }
            edit.replace(events);
        })
    }
}
