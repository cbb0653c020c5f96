//! Numbers of calls: every call of a client's script adds its own number to 1000, so that no two are alike. Here they
//! are: the words of a call are those of every other one.

use serde_json::{Value, json};

use super::Names;
use crate::trace::{Exchange, Trace, Vantage};

/// The second summand.
const MARK: i64 = 1000;

/// The number of the call that an exchange is, where it is one of the script.
pub fn number(trace: &Trace, exchange: &Exchange) -> Option<i64> {
    if trace.head.vantage != Vantage::Server {
        return None;
    }
    let sent = exchange.sent();
    let [message] = &sent[..] else { return None };
    of_arguments(&message.value["params"]["arguments"])
}

fn of_arguments(arguments: &Value) -> Option<i64> {
    let number = arguments["a"].as_i64()?;
    (*arguments == json!({"a": number, "b": MARK})).then_some(number)
}

/// The arguments of a call of the script.
pub fn arguments(names: &Names, value: &Value) -> Option<Value> {
    let number = names.numbers.get(names.current).copied().flatten()?;
    (of_arguments(value) == Some(number)).then(|| json!({"a": "<number>", "b": MARK}))
}

/// What such a call comes to.
pub fn rule(names: &mut Names, text: &str) -> String {
    let number = names.numbers.get(names.current).copied().flatten();
    match number.and_then(|number| number.checked_add(MARK)) {
        Some(sum) if sum.to_string() == text => "<sum>".to_owned(),
        _ => text.to_owned(),
    }
}
