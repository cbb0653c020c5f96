//! What the tap costs: one JSON round trip on loopback, with a bare socket and with a recorded connection.
//!
//! `cargo bench --bench tap`. The goal is at most 10 % of a round trip of some 25 µs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use divan::Bencher;
use mcpwire::wire::connection::Connection;
use mcpwire::wire::interrupt::Interrupt;
use mcpwire::wire::tap::Tap;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

const REQUEST: &[u8] = b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nContent-Type: application/json\r\n\
    Accept: application/json, text/event-stream\r\nMcp-Session-Id: 0123456789abcdef0123456789abcdef\r\n\
    MCP-Protocol-Version: 2025-11-25\r\nContent-Length: 40\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}";

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 10:00:00 GMT\r\n\
    Content-Type: application/json\r\nContent-Length: 36\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}";

/// So many round trips in a trace, as in the scenario of the repeated calls.
const CALLS: usize = 26;

fn main() {
    divan::main();
}

/// Answers every request with the same bytes, on a thread of its own for each connection.
fn peer() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(mut stream: TcpStream) {
    let mut request = [0; REQUEST.len()];
    let _ = stream.set_nodelay(true);
    while stream.read_exact(&mut request).is_ok() && stream.write_all(ANSWER).is_ok() {}
}

/// Writing, and reading until the answer is complete: what any client does, and nothing else.
#[divan::bench(sample_count = 400, sample_size = 1, counters = [divan::counter::ItemsCount::new(CALLS)])]
fn bare_socket(bencher: Bencher<'_, '_>) {
    let address = peer();
    bencher.with_inputs(|| bare(address)).bench_refs(|socket| {
        let mut buffer = vec![0; 64 << 10];
        for _ in 0..CALLS {
            socket.write_all(REQUEST).expect("the peer reads");
            let mut received = 0;
            while received < ANSWER.len() {
                received += socket.read(&mut buffer).expect("the peer answers");
            }
        }
    });
}

fn bare(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).expect("a socket");
    socket.connect(&SockAddr::from(address)).expect("the peer listens");
    socket.set_tcp_nodelay(true).expect("an option");
    // With a time-out, as the recorded connection; long enough for a peer that is not scheduled at once.
    socket.set_read_timeout(Some(Duration::from_secs(5))).expect("an option");
    socket
}

/// The same with everything that mcpwire does on the way: events, times, kernel stamps, and the decoder that says
/// when the answer is complete.
#[divan::bench(sample_count = 400, sample_size = 1, counters = [divan::counter::ItemsCount::new(CALLS)])]
fn recorded_connection(bencher: Bencher<'_, '_>) {
    let address = peer();
    bencher.with_inputs(|| recorded(address)).bench_refs(|connection| {
        for _ in 0..CALLS {
            connection.ask("repeated-call", Default::default(), Default::default(), REQUEST);
            while !connection.exchanges().last().is_some_and(|last| last.is_complete()) {
                connection.wait(Instant::now() + Duration::from_secs(10));
            }
        }
    });
}

fn recorded(address: SocketAddr) -> Connection {
    let tap = Tap::start();
    Connection::open(address, Duration::from_secs(5), &tap, &Interrupt::default()).expect("the peer listens")
}
