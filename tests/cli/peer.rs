//! Servers that do what no server should: one function per connection, on std sockets.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use mcpwire::reference::{Config, Reference};

/// Serves every connection with this function, on a port of 127.0.0.1, for as long as the test process lives. The
/// result is its URL.
pub fn serve(connection: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    serve_on(listener, connection)
}

/// The same, on a listener that is there already.
pub fn serve_on(
    listener: TcpListener,
    connection: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static,
) -> String {
    let address = listener.local_addr().expect("an address");
    let connection = Arc::new(connection);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = Arc::clone(&connection);
            // That the client has gone is how most of them end.
            thread::spawn(move || connection(stream));
        }
    });
    format!("http://{address}/mcp")
}

/// Answers every request with these bytes.
pub fn answering(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    serve(move |mut stream| {
        loop {
            read_request(&mut stream)?;
            stream.write_all(&answer)?;
        }
    })
}

/// An answer with this status and body, which leaves the connection open.
pub fn answer(status: &str, media_type: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Misbehaves from the first request on.
pub fn hostile_at_once(act: impl Fn(&mut TcpStream) -> io::Result<()> + Send + Sync + 'static) -> String {
    serve(move |mut stream| {
        read_request(&mut stream)?;
        act(&mut stream)
    })
}

/// Is the reference server for so many requests, and misbehaves from then on.
pub fn hostile_after(
    requests: usize,
    act: impl Fn(&mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
) -> String {
    let served = AtomicUsize::new(0);
    hostile_where(move |_| served.fetch_add(1, Ordering::SeqCst) >= requests, act)
}

/// Is the reference server, and misbehaves where it is asked so.
pub fn hostile_where(
    is_asked_so: impl Fn(&[u8]) -> bool + Send + Sync + 'static,
    act: impl Fn(&mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
) -> String {
    let reference = Reference::start(Config::default()).expect("a reference server");
    serve(move |mut stream| {
        let mut upstream = TcpStream::connect(reference.address())?;
        upstream.set_nodelay(true)?;
        stream.set_nodelay(true)?;
        let (mut from, mut to) = (upstream.try_clone()?, stream.try_clone()?);
        let pump = thread::spawn(move || io::copy(&mut from, &mut to));
        let acted = loop {
            let request = match read_request(&mut stream) {
                Ok(request) => request,
                Err(error) => break Err(error),
            };
            if is_asked_so(&request) {
                let _ = upstream.shutdown(Shutdown::Both);
                break act(&mut stream);
            }
            if let Err(error) = upstream.write_all(&request) {
                break Err(error);
            }
        };
        let _ = upstream.shutdown(Shutdown::Both);
        let _ = pump.join();
        acted
    })
}

/// Reads one request: its head, and its body without the framing of chunks.
pub fn read_request(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut request = read_until(stream, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    if !head.contains("transfer-encoding: chunked") {
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        read_more(stream, length.unwrap_or(0), &mut request)?;
        return Ok(request);
    }
    loop {
        let line = read_until(stream, b"\r\n")?;
        let size = String::from_utf8_lossy(&line);
        let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        read_more(stream, size, &mut request)?;
        read_until(stream, b"\r\n")?;
        if size == 0 {
            return Ok(request);
        }
    }
}

fn read_until(stream: &mut TcpStream, end: &[u8]) -> io::Result<Vec<u8>> {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(end) {
        stream.read_exact(&mut byte)?;
        bytes.push(byte[0]);
    }
    Ok(bytes)
}

fn read_more(stream: &mut TcpStream, count: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    let begin = bytes.len();
    bytes.resize(begin + count, 0);
    stream.read_exact(&mut bytes[begin..])
}

/// Writes the head, and then the piece for ever.
pub fn endlessly(stream: &mut TcpStream, head: &str, piece: &str) -> io::Result<()> {
    stream.write_all(head.as_bytes())?;
    let pieces = piece.repeat((64 << 10) / piece.len() + 1);
    loop {
        stream.write_all(pieces.as_bytes())?;
    }
}

/// Writes the text byte by byte, with a pause before each, and over again.
pub fn drip(stream: &mut TcpStream, text: &str, pause: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    for byte in text.bytes().cycle() {
        thread::sleep(pause);
        stream.write_all(&[byte])?;
    }
    Ok(())
}

/// Waits until the client goes away.
pub fn keep_silent(stream: &mut TcpStream) -> io::Result<()> {
    io::copy(stream, &mut io::sink()).map(|_| ())
}
