//! Whom load may be put on: this machine, and whatever the user allows by name.

use super::endpoint::Endpoint;
use crate::wire::connection::is_loopback;

/// Load is not to be put there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} puts load on {host}, which is not this machine: if you may do that, add --allow-load {host}")]
pub struct NotAllowed {
    /// What would have been done, as the option that asks for it.
    pub what: &'static str,
    /// The target's host.
    pub host: String,
}

/// Whether load may be put on an endpoint: on one that is this machine only, or on a host that was allowed by name.
///
/// # Errors
///
/// Where it may not.
pub fn to_load(endpoint: &Endpoint, allowed: &[String], what: &'static str) -> Result<(), NotAllowed> {
    let host = endpoint.host();
    let is_here = endpoint.addresses().iter().all(|address| is_loopback(address.ip()));
    match is_here || allowed.iter().any(|name| name.eq_ignore_ascii_case(host)) {
        true => Ok(()),
        false => Err(NotAllowed { what, host: host.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:8000/mcp", &[], true)]
    #[case("http://[::1]:8000/mcp", &[], true)]
    #[case("http://192.0.2.1:8000/mcp", &[], false)]
    #[case("http://192.0.2.1/mcp", &["192.0.2.1"], true)]
    #[case("http://192.0.2.1:8000/mcp", &["192.0.2.10"], false)]
    #[case("http://[2001:db8::1]:8000/mcp", &["2001:db8::1"], true)]
    fn only_this_machine_and_what_is_allowed(#[case] url: &str, #[case] allowed: &[&str], #[case] may: bool) {
        let endpoint = Endpoint::from_url(url, "/mcp").expect("a URL");
        let allowed: Vec<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(to_load(&endpoint, &allowed, "--soak").is_ok(), may);
    }
}
