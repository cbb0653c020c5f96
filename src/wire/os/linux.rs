//! What Linux can tell. The only module with `unsafe` code about sockets.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::mem::{self, MaybeUninit};
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::time::Duration;

use socket2::Socket;

use super::{Acknowledge, HeldByProcesses, Received};
use crate::trace::TcpInfo;

/// Keeps the kernel's receive stamps switched on while it lives.
///
/// The kernel switches stamping on some time after the first socket asks for it, so the first socket to ask
/// should not be one that is being measured.
pub struct StampSentinel(#[expect(dead_code, reason = "held for its lifetime only")] UdpSocket);

/// Opens the sentinel. Stamps are reliable some milliseconds later.
pub fn stamp_sentinel() -> Option<StampSentinel> {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).ok()?;
    stamps_on(socket.as_raw_fd())?;
    Some(StampSentinel(socket))
}

/// Asks for receive stamps on a socket. Transmit stamps are never asked for: they disturb what they measure.
pub fn enable_stamps(socket: &Socket) -> Option<()> {
    stamps_on(socket.as_raw_fd())
}

fn stamps_on(fd: RawFd) -> Option<()> {
    let flags = libc::SOF_TIMESTAMPING_RX_SOFTWARE | libc::SOF_TIMESTAMPING_SOFTWARE;
    set_option(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPING, flags as libc::c_int)
}

/// Reads once, with the kernel's receive stamp where there is one.
///
/// # Errors
///
/// Those of `recvmsg(2)`.
pub fn receive(socket: &Socket, buffer: &mut [u8]) -> io::Result<Received> {
    receive_with(socket, buffer, 0)
}

/// The same without waiting.
///
/// # Errors
///
/// Those of `recvmsg(2)`.
pub fn receive_at_once(socket: &Socket, buffer: &mut [u8]) -> io::Result<Received> {
    receive_with(socket, buffer, libc::MSG_DONTWAIT)
}

fn receive_with(socket: &Socket, buffer: &mut [u8], flags: libc::c_int) -> io::Result<Received> {
    // Room for one SCM_TIMESTAMPING message (three timespecs) and its header, aligned as cmsghdr wants it.
    let mut control = [0_u64; 16];
    let mut slice = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: an all-zero msghdr is valid; the pointers set below outlive the call.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &mut slice;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = mem::size_of_val(&control) as _;
    // SAFETY: `message` points at live buffers of the lengths it states.
    let got = unsafe { libc::recvmsg(socket.as_raw_fd(), &mut message, flags) };
    let len = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
    Ok(Received { len, stamp: stamp_of(&message) })
}

fn stamp_of(message: &libc::msghdr) -> Option<i128> {
    // SAFETY: the kernel filled msg_control, and CMSG_FIRSTHDR and CMSG_NXTHDR stay within it.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(message);
        while !header.is_null() {
            if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_TIMESTAMPING {
                let stamp: libc::timespec = libc::CMSG_DATA(header).cast::<libc::timespec>().read_unaligned();
                let nanos = i128::from(stamp.tv_sec) * 1_000_000_000 + i128::from(stamp.tv_nsec);
                return (nanos != 0).then_some(nanos);
            }
            header = libc::CMSG_NXTHDR(message, header);
        }
    }
    None
}

/// The kernel's knowledge of a connection.
pub fn tcp_info(socket: &Socket) -> Option<TcpInfo> {
    let mut info = MaybeUninit::<KernelTcpInfo>::zeroed();
    let mut len = mem::size_of::<KernelTcpInfo>() as libc::socklen_t;
    // SAFETY: the buffer is `len` bytes long, and every bit pattern is a valid KernelTcpInfo.
    let (status, info) = unsafe {
        let status =
            libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, info.as_mut_ptr().cast(), &mut len);
        (status, info.assume_init())
    };
    // A kernel that knows fewer fields leaves the rest zero: the last field that we use must be there.
    if status != 0 || (len as usize) < mem::size_of::<KernelTcpInfo>() {
        return None;
    }
    Some(TcpInfo {
        state: STATES.get(usize::from(info.state)).copied().unwrap_or("UNKNOWN").to_owned(),
        bytes_received: info.bytes_received,
        data_segments_in: info.data_segs_in,
        segments_out: info.segs_out,
        rtt_micros: info.rtt,
        unsent_bytes: info.notsent_bytes,
    })
}

const STATES: [&str; 13] = [
    "UNKNOWN",
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
    "NEW_SYN_RECV",
];

/// The head of the kernel's `struct tcp_info` (linux/tcp.h), up to the last field used here.
#[repr(C)]
#[derive(Clone, Copy)]
struct KernelTcpInfo {
    state: u8,
    _to_rtt: [u8; 67],
    rtt: u32,
    _to_bytes_acked: [u32; 12],
    _bytes_acked: u64,
    bytes_received: u64,
    segs_out: u32,
    _segs_in: u32,
    notsent_bytes: u32,
    _min_rtt: u32,
    data_segs_in: u32,
    _data_segs_out: u32,
}

/// How many bytes wait in the receive queue.
pub fn queued(socket: &Socket) -> Option<u32> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: FIONREAD (SIOCINQ) writes one int.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::FIONREAD, &mut bytes) };
    (status == 0).then(|| u32::try_from(bytes).ok()).flatten()
}

/// Steers when the kernel acknowledges what it receives.
pub fn acknowledge(socket: &Socket, when: Acknowledge) -> Option<()> {
    let value = match when {
        Acknowledge::Late => 0,
        Acknowledge::Promptly => 1,
        // Any even value above zero sends what is pending and stays in delayed mode.
        Acknowledge::PendingNow => 2,
    };
    set_option(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_QUICKACK, value)
}

fn set_option(fd: RawFd, level: libc::c_int, name: libc::c_int, value: libc::c_int) -> Option<()> {
    // SAFETY: the option value is one int that lives through the call.
    let status = unsafe {
        libc::setsockopt(fd, level, name, (&raw const value).cast(), mem::size_of::<libc::c_int>() as libc::socklen_t)
    };
    (status == 0).then_some(())
}

/// How long the threads of a process have waited for a processor, added up (`schedstat`, second field).
pub fn run_delay(pid: u32) -> Option<Duration> {
    let mut total = 0_u64;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        // A thread may end while we read: its share is lost, and the sum stays a lower bound.
        let Ok(text) = fs::read_to_string(task.ok()?.path().join("schedstat")) else { continue };
        total += text.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(total))
}

/// The inodes of the sockets that listen on a port, on any address of either family.
pub fn listeners(port: u16) -> Option<Vec<u64>> {
    Some(sockets_in(LISTEN, "/proc/net", |at| at == port))
}

/// States as the kernel's table of sockets writes them.
const LISTEN: &str = "0A";
const CLOSE_WAIT: &str = "08";

/// The inodes of the TCP sockets in a state whose local port is such.
fn sockets_in(state: &str, network: &str, port: impl Fn(u16) -> bool) -> Vec<u64> {
    let mut inodes = Vec::new();
    for table in ["tcp", "tcp6"] {
        let Ok(text) = fs::read_to_string(format!("{network}/{table}")) else { continue };
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let [_, local, _, is, _, _, _, _, _, inode, ..] = fields[..] else { continue };
            let here = local.rsplit_once(':').and_then(|(_, hex)| u16::from_str_radix(hex, 16).ok());
            if is == state && here.is_some_and(&port) {
                inodes.extend(inode.parse::<u64>());
            }
        }
    }
    inodes
}

/// The inodes of all sockets that the processes of a group hold.
pub fn sockets_of_group(group: u32) -> Option<Vec<u64>> {
    let mut inodes = Vec::new();
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let name = process.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        if parent_and_group_of(pid).is_none_or(|[_, of]| of != group) {
            continue;
        }
        let Ok(descriptors) = fs::read_dir(process.path().join("fd")) else { continue };
        for descriptor in descriptors.flatten() {
            let Ok(target) = fs::read_link(descriptor.path()) else { continue };
            inodes.extend(inode_of_socket(&target));
        }
    }
    Some(inodes)
}

/// The one process that listens on a port; `None` where it is not ours to look into, and where there are several.
pub fn listens_on(port: u16) -> Option<u32> {
    let listening = listeners(port)?;
    let mut found = None;
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(descriptors) = fs::read_dir(process.path().join("fd")) else { continue };
        let mut inodes = descriptors.flatten().filter_map(|entry| inode_of_socket(&fs::read_link(entry.path()).ok()?));
        if inodes.any(|inode| listening.contains(&inode)) && found.replace(pid).is_some() {
            return None;
        }
    }
    found
}

/// What the processes that descend from this one hold, itself included, and those of its group.
///
/// `None` where one of them cannot be looked into.
pub fn held_by(leader: u32) -> Option<HeldByProcesses> {
    let mut held = HeldByProcesses { descriptors: 0, close_wait: Some(0), threads: 0 };
    let mut sockets = HashSet::new();
    for pid in family_of(leader)? {
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else {
            // It may have ended while we looked; what is there and may not be read cannot be counted.
            match fs::exists(format!("/proc/{pid}")) {
                Ok(false) => continue,
                _ => return None,
            }
        };
        for descriptor in descriptors.flatten() {
            held.descriptors += 1;
            sockets.extend(fs::read_link(descriptor.path()).ok().and_then(|target| inode_of_socket(&target)));
        }
        held.threads += fs::read_dir(format!("/proc/{pid}/task")).map_or(0, |tasks| tasks.count() as u32);
    }
    // Of its own network, which need not be ours.
    let left = sockets_in(CLOSE_WAIT, &format!("/proc/{leader}/net"), |_| true);
    held.close_wait = Some(left.iter().filter(|inode| sockets.contains(*inode)).count() as u32);
    Some(held)
}

/// Resident memory of the processes that descend from this one, itself included, and of those of its group, in bytes
/// (`statm`, second field).
///
/// `None` where one of them cannot be looked into.
pub fn resident(leader: u32) -> Option<u64> {
    // SAFETY: sysconf only looks a number up.
    let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()?;
    let mut pages = 0;
    for pid in family_of(leader)? {
        // One that ended while we looked takes nothing.
        let Ok(text) = fs::read_to_string(format!("/proc/{pid}/statm")) else { continue };
        pages += text.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()?;
    }
    Some(pages * page)
}

/// Asks for room for so many descriptors in this process, and says whether there is.
pub fn make_room_for_descriptors(wanted: u64) -> Option<bool> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls take one rlimit that lives through them.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) != 0 {
            return None;
        }
        if limit.rlim_cur < wanted {
            limit.rlim_cur = wanted.min(limit.rlim_max);
            let _ = libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) != 0 {
            return None;
        }
    }
    Some(limit.rlim_cur >= wanted)
}

/// A process, whatever it started, and the rest of its group; a process whose parent ended still has its group.
fn family_of(leader: u32) -> Option<Vec<u32>> {
    let mut parents = BTreeMap::new();
    let mut family = vec![leader];
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Some([parent, group]) = parent_and_group_of(pid) else { continue };
        parents.insert(pid, parent);
        if group == leader && pid != leader {
            family.push(pid);
        }
    }
    let mut looked_at = 0;
    while let Some(parent) = family.get(looked_at).copied() {
        let children = parents.iter().filter(|(pid, of)| **of == parent && !family.contains(pid)).map(|(pid, _)| *pid);
        family.extend(children.collect::<Vec<u32>>());
        looked_at += 1;
    }
    parents.contains_key(&leader).then_some(family)
}

fn inode_of_socket(target: &Path) -> Option<u64> {
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn parent_and_group_of(pid: u32) -> Option<[u32; 2]> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name stands in parentheses and may hold anything, so count from the last one.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(1);
    Some([fields.next()?.parse().ok()?, fields.next()?.parse().ok()?])
}
