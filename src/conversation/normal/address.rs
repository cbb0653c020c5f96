//! Ports on this machine: the system gives them out as it likes.

use super::{Kind, Names, digits, is_word, replaced};

const HOSTS: [&str; 4] = ["127.0.0.1:", "localhost:", "[::1]:", "0.0.0.0:"];

/// `127.0.0.1:40123`.
pub fn rule(names: &mut Names, text: &str) -> String {
    replaced(text, |rest, before| {
        let host = HOSTS.into_iter().find(|host| rest.starts_with(host)).filter(|_| !is_word(before))?;
        let port = &rest[host.len()..][..digits(&rest[host.len()..])];
        let name = (!port.is_empty()).then(|| names.name(Kind::Port, port))?;
        Some((host.len() + port.len(), format!("{host}{name}")))
    })
}
