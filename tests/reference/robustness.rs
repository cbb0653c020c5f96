//! Clients that mean no good, and a server that has to go at any moment.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{ALL, Ask, Client, End, MODERN, PATIENCE, Wire, conforming, start};
use mcpwire::reference::{Fault, Reference, Variant};

fn dropped_quickly(server: Reference) {
    let start = Instant::now();
    drop(server);
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}

#[test]
fn dropping_ends_everything() {
    for revision in ALL {
        let server = conforming();
        let mut idle = Client::open(&server, revision);
        let mut slow = idle.again();
        slow.wire.write("POST", &idle.call("1", "slow", r#""arguments":{"ms":60000}"#).bytes());
        let mut listener = idle.again();
        listener.wire.write("GET", &idle.get().bytes());
        let mut half = idle.again();
        half.wire.stream.write_all(b"POST /mcp HTTP/1.1\r\nContent-Le").unwrap();
        // More than the socket buffers hold, and nobody reads it.
        let mut deaf = idle.again();
        let text = "x".repeat(4_000_000);
        let ask = idle.call("2", "echo", &format!(r#""arguments":{{"text":"{text}"}}"#));
        let writer = thread::spawn(move || {
            for _ in 0..4 {
                let _ = deaf.wire.stream.write_all(&ask.bytes());
            }
            thread::sleep(Duration::from_millis(400));
        });
        thread::sleep(Duration::from_millis(200));
        dropped_quickly(server);
        assert_eq!(idle.wire.stream.read(&mut [0; 9]).unwrap_or(0), 0);
        writer.join().unwrap();
    }
}

#[test]
fn dropping_ends_what_faults_and_variants_keep() {
    let server = start(Some(Fault::StreamLeftOpen), &[]);
    let client = Client::open(&server, MODERN);
    for _ in 0..20 {
        client.again().wire.write("POST", &client.call("1", "greet", "").bytes());
    }
    let mut held = client.again();
    held.wire.write("POST", &client.call("1", "greet", "").bytes());
    dropped_quickly(server);

    let server = start(None, &[Variant::Polling]);
    let mut client = Client::open(&server, "2025-11-25");
    client.ask(&client.call("1", "slow", r#""arguments":{"ms":60000}"#)).whole();
    dropped_quickly(server);

    dropped_quickly(conforming());
}

#[test]
fn too_much_is_refused() {
    let server = conforming();
    let mut client = Client::open(&server, "2025-06-18");

    let head = Ask::new("POST").with("X-Large", "x".repeat(70_000));
    assert_eq!(client.ask(&head).status(), 431);
    let mut many = Ask::new("POST");
    for _ in 0..300 {
        many = many.with("X", "y");
    }
    assert_eq!(client.ask(&many).status(), 431);

    let body = client.dress(Ask::post(vec![b' '; 5_000_000]));
    let mut wire = Wire::connect(server.address());
    let bytes = body.bytes();
    wire.write("POST", &bytes[..20_000]);
    assert_eq!(wire.answer(PATIENCE).status(), 413, "before the rest is sent");
    let mut wire = Wire::connect(server.address());
    let chunked = client.dress(Ask::post("").with("Transfer-Encoding", "chunked"));
    let mut stream = wire.stream.try_clone().unwrap();
    wire.write("POST", &chunked.bytes());
    let writer = thread::spawn(move || {
        let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
        for _ in 0..80 {
            let _ = stream.write_all(&chunk);
        }
    });
    assert_eq!(wire.answer(Duration::from_secs(3)).status(), 413);
    writer.join().unwrap();

    let nested = format!("{}{}", "[".repeat(2_000_000), "]".repeat(2_000_000));
    let mut wire = Wire::connect(server.address());
    wire.write("POST", &client.dress(Ask::post(nested)).bytes());
    assert_eq!(wire.answer(Duration::from_secs(5)).status(), 400);
    let nested = format!(r#"{{"text":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let ask = client.call("1", "echo", &format!(r#""arguments":{nested}"#).replace("}}", "}"));
    assert!(matches!(client.ask(&ask).status(), 200 | 400));
    assert_eq!(client.ask(&client.call("1", "greet", "")).whole().status(), 200);
}

#[test]
fn what_two_readers_could_take_differently_is_refused() {
    let server = conforming();
    let client = Client::open(&server, "2025-06-18");
    let call = client.call("1", "greet", "");
    let length = call.body.len().to_string();
    for ask in [
        call.clone().with("Content-Length", "3"),
        call.clone().with("Transfer-Encoding", "chunked").with("Content-Length", &length),
        call.clone().with("Transfer-Encoding", "gzip"),
        call.clone().with("X ", "blank before the colon"),
        call.clone().with("X", "obs\r\n fold"),
        call.clone().with("X", "nul\0"),
    ] {
        let mut wire = Wire::connect(server.address());
        let answer = wire.ask(&ask);
        assert_eq!((answer.status(), answer.end), (400, End::Complete), "{ask:?}");
        assert_eq!(answer.field("connection").as_deref(), Some("close"));
    }
    for garbage in ["hello\r\n\r\n", "GET /\r\n\r\n", "\u{16}\u{3}\u{1}\r\n\r\n", "POST /mcp HTTP/2.0\r\n\r\n"] {
        let mut wire = Wire::connect(server.address());
        wire.write("GET", garbage.as_bytes());
        assert!(matches!(wire.answer(PATIENCE).status(), 400 | 505), "{garbage}");
    }
}

#[test]
fn connections_and_sessions_are_bounded() {
    let server = conforming();
    let connections: Vec<_> = (0..600).filter_map(|_| TcpStream::connect(server.address()).ok()).collect();
    thread::sleep(Duration::from_millis(200));
    let closed = connections
        .iter()
        .filter(|stream| {
            stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
            let mut stream: &TcpStream = stream;
            matches!(stream.read(&mut [0; 1]), Ok(0))
        })
        .count();
    assert_eq!(closed, 600 - 512);
    drop(connections);
    thread::sleep(Duration::from_millis(300));

    let mut first = Client::open(&server, "2025-11-25");
    for _ in 0..255 {
        first.again().initialize();
    }
    assert_eq!(first.ask(&first.request("1", "ping", "")).whole().status(), 200);
    first.again().initialize();
    assert_eq!(first.ask(&first.request("1", "ping", "")).whole().status(), 404, "the oldest session made room");
}

#[test]
fn noise_does_not_hurt() {
    let server = conforming();
    let client = Client::open(&server, "2025-11-25");
    let templates = [client.call("1", "progress", "").bytes(), client.get().bytes(), client.delete().bytes()];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound as u64) as usize
    };
    for round in 0..400 {
        let mut bytes = templates[round % 3].clone();
        for _ in 0..=random(6) {
            let place = random(bytes.len());
            match random(3) {
                0 => bytes[place] = random(256) as u8,
                1 => bytes.truncate(place + 1),
                _ => bytes.insert(place, random(256) as u8),
            }
        }
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let _ = stream.write_all(&bytes);
        stream.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
        let _ = stream.read(&mut [0; 1024]);
    }
    let mut client = Client::open(&server, "2025-11-25");
    assert_eq!(client.ask(&client.call("1", "greet", "")).whole().status(), 200);
    dropped_quickly(server);
}
