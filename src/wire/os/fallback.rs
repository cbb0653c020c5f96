//! Systems that cannot tell: every answer is `None`, and checks that need one are not exercised.

use std::io::{self, Read};
use std::time::Duration;

use socket2::Socket;

use super::{Acknowledge, HeldByProcesses, Received};
use crate::trace::TcpInfo;

/// Keeps the kernel's receive stamps switched on while it lives.
pub struct StampSentinel;

/// Receive stamps cannot be had.
pub fn stamp_sentinel() -> Option<StampSentinel> {
    None
}

/// Receive stamps cannot be had.
pub fn enable_stamps(_socket: &Socket) -> Option<()> {
    None
}

/// Reads once, without a stamp.
pub fn receive(socket: &Socket, buffer: &mut [u8]) -> io::Result<Received> {
    let mut socket = socket;
    socket.read(buffer).map(|len| Received { len, stamp: None })
}

/// The same without waiting.
pub fn receive_at_once(socket: &Socket, buffer: &mut [u8]) -> io::Result<Received> {
    socket.set_nonblocking(true)?;
    let received = receive(socket, buffer);
    socket.set_nonblocking(false)?;
    received
}

/// TCP_INFO cannot be had.
pub fn tcp_info(_socket: &Socket) -> Option<TcpInfo> {
    None
}

/// The receive queue's length cannot be had.
pub fn queued(_socket: &Socket) -> Option<u32> {
    None
}

/// The acknowledgement cannot be steered.
pub fn acknowledge(_socket: &Socket, _when: Acknowledge) -> Option<()> {
    None
}

/// The time that a process's threads spent waiting for a processor cannot be had.
pub fn run_delay(_pid: u32) -> Option<Duration> {
    None
}

/// Who listens on a port cannot be had.
pub fn listeners(_port: u16) -> Option<Vec<u64>> {
    None
}

/// Whose process listens on a port cannot be had.
pub fn listens_on(_port: u16) -> Option<u32> {
    None
}

/// The sockets of a process group cannot be had.
pub fn sockets_of_group(_group: u32) -> Option<Vec<u64>> {
    None
}

/// What other processes hold cannot be had.
pub fn held_by(_leader: u32) -> Option<HeldByProcesses> {
    None
}

/// The memory of other processes cannot be had.
pub fn resident(_leader: u32) -> Option<u64> {
    None
}

/// How many descriptors there may be cannot be had.
pub fn make_room_for_descriptors(_wanted: u64) -> Option<bool> {
    None
}
