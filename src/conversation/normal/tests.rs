//! What the rules take for what.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Names, value, version};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::{Distance, Id, Trace, TraceHead, Vantage};

fn names() -> Names {
    let (scenario, revision) = (Scenario::Survey, Revision::R20251125);
    let head = TraceHead { scenario, revision, attempt: 1, vantage: Vantage::Client, distance: Distance::Loopback };
    let mut names = Names::of(&Trace::new(head, Vec::new()), &[]);
    names.labels = vec!["first".to_owned(), "second".to_owned()];
    names.asked = vec![vec![Id::Text("1".to_owned())], vec![Id::Text("\"b\"".to_owned())]];
    names
}

#[rstest]
#[case::revision("speaks 2025-11-25.", "speaks <revision>.")]
#[case::another_revision("speaks 2025-06-18", "speaks 2025-06-18")]
#[case::http_date("Sat, 21 Nov 2026 19:11:43 GMT", "<time>")]
#[case::iso("at 2026-11-21T19:11:43.123456+01:00, or so", "at <time>, or so")]
#[case::day_of_the_revision("at 2025-11-25T00:00:00Z", "at <time>")]
#[case::clock("at 19:11:43", "at <time>")]
#[case::ports(
    "127.0.0.1:4711, localhost:80, 127.0.0.1:4711",
    "127.0.0.1:<port-1>, localhost:<port-2>, 127.0.0.1:<port-1>"
)]
#[case::another_host("example.org:4711", "example.org:4711")]
#[case::uuid("id=0ea6c5d2-94c5-4f7d-9a0f-9f3fbd1f09fa;", "id=<random-1>;")]
#[case::hexadecimal("c3d0fa0d95c399bca126388ff461b5ef", "<random-1>")]
#[case::memory("<Session object at 0x7f3b1c0d2e80>", "<Session object at <random-1>>")]
#[case::mixed("dGhpcyBpcyBhIHRva2VuI4DEy7Mw", "<random-1>")]
#[case::a_name("notifications/resources/list_changed", "notifications/resources/list_changed")]
#[case::a_long_name("getUserAccountInformationByIdentifier", "getUserAccountInformationByIdentifier")]
#[case::a_number("1234567890123456", "1234567890123456")]
#[case::a_secret(
    "token 17.redacted~~~ again 17.redacted~~~, 3.redacted",
    "token <secret-1> again <secret-1>, <secret-2>"
)]
#[case::words("deadbeef facade 12:30", "deadbeef facade 12:30")]
fn what_differs_from_run_to_run_has_a_name(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(names().text(text), expected);
}

#[test]
fn a_name_says_which_exchange_had_it_first() {
    let mut names = names();
    assert_eq!(names.event("a/1"), "<event-1>");
    assert_eq!(names.event("a/2"), "<event-2>");
    names.enter(1);
    assert_eq!(names.event("b/1"), "<event-1>");
    assert_eq!(names.field("Last-Event-ID", "a/2"), "<event-2 of first>");
}

#[test]
fn a_session_has_one_name_in_its_field_and_in_texts() {
    let mut names = names();
    assert_eq!(names.field("Mcp-Session-Id", "9.redacted~~"), "<session-1>");
    assert_eq!(names.text("session 9.redacted~~ is gone"), "session <session-1> is gone");
    assert_eq!(names.field("mcp-session-id", "10.redacted~"), "<session-2>");
}

#[rstest]
#[case("1", "<id>")]
#[case("1.0", "<id>")]
#[case("\"1\"", "\"1\"")]
#[case("\"b\"", "\"<id of second>\"")]
#[case("7", "7")]
fn an_id_that_comes_back_is_that_of_the_request_or_another_one(#[case] id: &str, #[case] expected: &str) {
    assert_eq!(names().id_of_server(&Id::Text(id.to_owned()), false), expected);
    assert_eq!(names().id_of_server(&Id::Null, false), "null");
}

#[test]
fn a_progress_token_in_an_answer_is_that_of_the_request_or_another_one() {
    let mut names = names();
    let token =
        |names: &mut Names, token: &str| value(names, &json!({"progressToken": token}))["progressToken"].clone();
    assert_eq!(token(&mut names, "a"), "<token-1>");
    names.enter(1);
    assert_eq!(token(&mut names, "b"), "<token-1>");
    names.answers();
    assert_eq!(token(&mut names, "b"), "<token-1>");
    assert_eq!(token(&mut names, "a"), "<token-1 of first>");
}

#[rstest]
#[case(json!({"serverInfo": {"name": "a", "version": "1.2"}}), json!({"serverInfo": {"name": "a", "version": "<version>"}}))]
#[case(json!({"version": "1.2"}), json!({"version": "1.2"}))]
#[case(json!({"requestId": 1}), json!({"requestId": "<id>"}))]
#[case(json!(["2025-11-25", 3, null]), json!(["<revision>", 3, null]))]
fn members_are_known_by_their_names(#[case] members: Value, #[case] expected: Value) {
    assert_eq!(value(&mut names(), &members), expected);
}

#[rstest]
#[case("uvicorn", "uvicorn")]
#[case("nginx/1.27.0 (Ubuntu) Phusion/6", "nginx/<version> (Ubuntu) Phusion/<version>")]
fn products_have_no_versions(#[case] field: &str, #[case] expected: &str) {
    assert_eq!(version::of_products(field), expected);
}
