//! What variants and faults do beyond a single answer.

use std::time::{Duration, Instant};

use crate::common::{ALL, Afterwards, Client, End, LEGACY, MODERN, PATIENCE, start};
use mcpwire::codec::http1::Framing;
use mcpwire::codec::sse::SseEvent;
use mcpwire::reference::{Fault, Variant};

#[test]
fn names_are_unique_and_parse() {
    let mut names: Vec<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
    names.extend(Variant::ALL.iter().map(|variant| variant.name()));
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
    for fault in Fault::ALL {
        assert_eq!(fault.name().parse(), Ok(*fault));
        assert!(!fault.violates().is_empty() && fault.summary().ends_with('.'));
    }
    for variant in Variant::ALL {
        assert_eq!(variant.name().parse(), Ok(*variant));
        assert!(variant.violates().is_empty() && variant.summary().ends_with('.'));
    }
    let error = "nagel".parse::<Fault>().unwrap_err().to_string();
    assert!(error.starts_with("unknown fault `nagel` (known: stream-left-open, ") && error.ends_with("nagle)"));
}

#[test]
fn polled_responses_are_fetched() {
    let server = start(None, &[Variant::Polling]);
    let client = Client::open(&server, "2025-11-25");
    let mut caller = client.again();
    let started = Instant::now();
    let answer = caller.ask(&client.call("1", "slow", r#""arguments":{"ms":80}"#)).whole();
    assert!(started.elapsed() < Duration::from_millis(60), "it does not wait for the tool");
    let events = answer.events();
    let [SseEvent::Dispatch(priming)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((priming.data.as_str(), priming.retry), ("", Some(20)));
    let get = client.get().with("Last-Event-ID", priming.id.clone().unwrap());
    for _ in 0..2 {
        let answer = caller.ask(&get).whole();
        assert_eq!(answer.message()["result"]["content"][0]["text"], "Gemütlich.");
    }
}

#[test]
fn one_write_is_one_segment() {
    let server = start(None, &[Variant::OneWrite]);
    for revision in ALL {
        let mut client = Client::open(&server, revision);
        for _ in 0..20 {
            let ask = client.call("1", "progress", r#""_meta":{"progressToken":1}"#);
            assert_eq!(client.ask(&ask).whole().reads.len(), 1);
        }
    }
}

#[test]
fn bodies_are_framed_as_the_variant_says() {
    for (variant, framing, afterwards) in [
        (Variant::CloseDelimited, Framing::UntilClose, Afterwards::Fin),
        (Variant::CloseAnnounced, Framing::Chunked, Afterwards::Fin),
        (Variant::OneWrite, Framing::Chunked, Afterwards::Kept),
        (Variant::ClosesAfter4xx, Framing::Chunked, Afterwards::Kept),
    ] {
        let server = start(None, &[variant]);
        for revision in ALL {
            let mut client = Client::open(&server, revision);
            let answer = client.ask(&client.call("1", "greet", ""));
            assert_eq!((answer.framing, &answer.afterwards), (Some(framing), &afterwards), "{variant}");
            assert_eq!(answer.field("connection").as_deref(), (afterwards == Afterwards::Fin).then_some("close"));
            assert_eq!((answer.end, answer.message()["id"].as_i64()), (End::Complete, Some(1)));
        }
    }
    let server = start(None, &[Variant::ContentLengthSse]);
    for revision in ALL {
        let mut client = Client::open(&server, revision);
        let answer = client.ask(&client.call("1", "greet", "")).whole();
        assert_eq!(answer.framing, Some(Framing::Length(answer.body.len() as u64)));
        assert!(answer.is_stream());
    }
}

#[test]
fn every_pair_of_variants_answers() {
    for one in Variant::ALL {
        for two in Variant::ALL {
            let server = start(None, &[*one, *two]);
            let plays = |variant| *one == variant || *two == variant;
            for revision in ["2025-11-25", MODERN] {
                if plays(Variant::NoTools)
                    || plays(if revision == MODERN { Variant::LegacyOnly } else { Variant::ModernOnly })
                {
                    continue;
                }
                let mut client = Client::open(&server, revision);
                let answer = client.ask(&client.call("1", "greet", ""));
                assert_eq!((answer.status(), answer.end), (200, End::Complete), "{one} {two} {answer:?}");
                assert!(answer.faults.is_empty() && !matches!(answer.afterwards, Afterwards::Surplus(_)));
                let is_faulty = answer.events().iter().any(|event| matches!(event, SseEvent::Fault(_)));
                assert!(!(answer.is_stream() && is_faulty), "{one} {two} {answer:?}");
            }
        }
    }
}

#[test]
fn each_era_can_be_absent() {
    let server = start(None, &[Variant::LegacyOnly]);
    let mut client = Client::open(&server, MODERN);
    let answer = client.ask(&client.request("1", "server/discover", "")).whole();
    assert_eq!((answer.status(), answer.code()), (400, -32600), "no error of the modern revision");

    let server = start(None, &[Variant::ModernOnly]);
    for revision in LEGACY {
        let mut client = Client::connect(&server, revision);
        let answer = client.initialize().whole();
        assert_eq!((answer.status(), answer.code()), (400, -32020));
        assert_eq!(answer.message()["error"]["data"]["supported"], serde_json::json!([MODERN]));
        assert_eq!(client.ask(&client.get()).whole().status(), 405);
    }
}

#[test]
fn a_stream_left_open_ends_with_its_session() {
    let server = start(Some(Fault::StreamLeftOpen), &[]);
    for revision in LEGACY {
        let mut client = Client::open(&server, revision);
        let mut caller = client.again();
        let answer = caller.ask(&client.call("1", "greet", ""));
        assert_eq!((answer.end, answer.messages().len()), (End::Open, 1));
        client.ask(&client.delete()).whole();
        let rest = caller.wire.answer(PATIENCE);
        assert_eq!((rest.end, rest.raw.as_slice()), (End::Complete, b"0\r\n\r\n".as_slice()));
        assert_eq!(caller.wire.ask(&client.request("1", "ping", "")).status(), 404);
    }
}

#[test]
fn a_get_head_held_back_comes_with_a_comment() {
    let server = start(Some(Fault::GetHeadHeldBack), &[]);
    let mut client = Client::open(&server, "2025-11-25");
    let ask = client.get();
    client.wire.write("GET", &ask.bytes());
    let answer = client.wire.read(Duration::from_secs(2), |_| true);
    assert!(answer.first_byte() > Duration::from_secs(1));
    assert!(answer.body.starts_with(b": keep-alive"));
}

#[test]
fn responses_find_the_get_stream() {
    for (fault, on_post) in [(Fault::ResponseOnGetStream, 0), (Fault::ResponseBroadcast, 1)] {
        let server = start(Some(fault), &[]);
        for revision in LEGACY {
            let mut client = Client::open(&server, revision);
            let mut listener = client.again();
            listener.wire.write("GET", &client.get().bytes());
            listener.wire.read(PATIENCE, |_| true);
            assert_eq!(client.ask(&client.call("7", "greet", "")).whole().messages().len(), on_post);
            let pushed = listener.wire.read(PATIENCE, |body| !body.is_empty());
            assert!(String::from_utf8_lossy(&pushed.raw).contains(r#""id":7,"result""#));
        }
    }
}
