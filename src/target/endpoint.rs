//! Where a target is: its addresses, and what a request to it says.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::wire::connection::is_loopback;

/// Where a target is.
#[derive(Clone, Debug)]
pub struct Endpoint {
    authority: String,
    path: String,
    query: Option<String>,
    addresses: Vec<SocketAddr>,
    /// The address that answered last; `localhost` may mean either family.
    preferred: Arc<AtomicUsize>,
    fields: Vec<(String, String)>,
}

/// Why a URL is no endpoint.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Not `http`.
    #[error("`{0}` is not an http:// URL{1}")]
    Scheme(String, &'static str),
    /// Something is missing or odd.
    #[error("`{url}` is not a URL: {reason}")]
    Malformed {
        /// The URL.
        url: String,
        /// Why not.
        reason: &'static str,
    },
    /// The name is not known.
    #[error("the host of `{url}` cannot be resolved: {source}")]
    Unresolvable {
        /// The URL.
        url: String,
        /// The system's words.
        source: std::io::Error,
    },
}

impl Endpoint {
    /// The endpoint of an `http://` URL. `default_path` stands where the URL has no path of its own.
    ///
    /// # Errors
    ///
    /// Where the text is no such URL, or its host cannot be resolved.
    pub fn from_url(url: &str, default_path: &str) -> Result<Self, EndpointError> {
        let shown = || without_secrets(url);
        let malformed = |reason| EndpointError::Malformed { url: shown(), reason };
        let rest = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
                return Err(EndpointError::Scheme(shown(), " (https:// is not supported yet)"));
            }
            _ => return Err(EndpointError::Scheme(shown(), "")),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if authority.contains('@') {
            return Err(malformed("user names and passwords belong into --header-file"));
        }
        if url.bytes().any(|byte| !(0x21..=0x7e).contains(&byte)) {
            return Err(malformed("it has blanks or characters outside ASCII"));
        }
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (rest, None),
        };
        let (host, port) = host_and_port(authority).ok_or_else(|| malformed("its host or port cannot be read"))?;
        let unresolvable = |source| EndpointError::Unresolvable { url: shown(), source };
        let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(unresolvable)?.collect();
        Ok(Self {
            authority: authority.to_owned(),
            path: if path.is_empty() { default_path } else { path }.to_owned(),
            query,
            addresses: both_families(host, port, addresses),
            preferred: Arc::default(),
            fields: Vec::new(),
        })
    }

    /// An endpoint on this machine.
    pub fn loopback(address: SocketAddr, path: &str) -> Self {
        Self {
            authority: address.to_string(),
            path: path.to_owned(),
            query: None,
            addresses: vec![address],
            preferred: Arc::default(),
            fields: Vec::new(),
        }
    }

    /// With header fields for every request.
    pub fn with_fields(mut self, fields: Vec<(String, String)>) -> Self {
        self.fields = fields;
        self
    }

    /// Its addresses, the one that worked last first.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let mut addresses = self.addresses.clone();
        if !addresses.is_empty() {
            let preferred = self.preferred.load(Ordering::Relaxed) % addresses.len();
            addresses.rotate_left(preferred);
        }
        addresses
    }

    /// From here on, tries this address first.
    pub fn prefer(&self, address: SocketAddr) {
        if let Some(index) = self.addresses.iter().position(|known| *known == address) {
            self.preferred.store(index, Ordering::Relaxed);
        }
    }

    /// The name or address of its host, an IPv6 address without its brackets.
    pub fn host(&self) -> String {
        host_and_port(&self.authority).map_or_else(|| self.authority.clone(), |(host, _)| host.to_owned())
    }

    /// The value of the Host field.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The request target.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The header fields that every request carries.
    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// The values that nobody should read: those of the header fields, and those in the query.
    pub fn secrets(&self) -> Vec<String> {
        let query = self.query.iter().flat_map(|query| query.split('&'));
        let values = query.filter_map(|pair| Some(pair.split_once('=')?.1.to_owned()));
        // A server that logs or echoes a value of the query does so without the percent signs.
        let values = values.flat_map(|value| [percent_decoded(&value), value]);
        field_secrets(&self.fields).chain(values).filter(|secret| !secret.is_empty()).collect()
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        !self.addresses.is_empty() && self.addresses.iter().all(|address| is_loopback(address.ip()))
    }

    /// Its URL, without the values of the query.
    pub fn shown(&self) -> String {
        let query = self.query.as_ref().map(|query| {
            let pairs: Vec<String> = query
                .split('&')
                .map(|pair| match pair.split_once('=') {
                    Some((name, _)) => format!("{name}=redacted"),
                    None => pair.to_owned(),
                })
                .collect();
            format!("?{}", pairs.join("&"))
        });
        format!("http://{}{}{}", self.authority, self.path, query.unwrap_or_default())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// The secrets in the values of header fields.
pub fn field_secrets(fields: &[(String, String)]) -> impl Iterator<Item = String> {
    let values = fields.iter().map(|(_, value)| value.clone());
    // `Authorization: Bearer TOKEN`: the token alone is a secret too.
    values.chain(fields.iter().filter_map(|(_, value)| Some(value.rsplit_once(' ')?.1.to_owned())))
}

/// What is not even a URL, as a sentence may show it: without user, password and query.
fn without_secrets(url: &str) -> String {
    let url = url.split_once('?').map_or(url, |(url, _)| url);
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let separator = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{separator}{}", rest.rsplit_once('@').map_or(rest, |(_, rest)| rest))
}

fn percent_decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(decoded.unwrap_or(first));
        rest = if decoded.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn host_and_port(authority: &str) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = port.map_or(Some(80), |port| port.parse().ok())?;
    (!host.is_empty() && port != 0).then_some((host, port))
}

/// `localhost` is tried on both families, whatever the resolver says: servers listen on either.
fn both_families(host: &str, port: u16, mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    if host.eq_ignore_ascii_case("localhost") {
        for ip in [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])] {
            let address = SocketAddr::new(ip, port);
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_path_gets_the_default_one() {
        let target = |url: &str| Endpoint::from_url(url, "/mcp").unwrap().target();
        assert_eq!(target("http://127.0.0.1:8000"), "/mcp");
        assert_eq!(target("http://127.0.0.1:8000/"), "/");
        assert_eq!(target("http://127.0.0.1:8000/api/mcp?key=1"), "/api/mcp?key=1");
    }

    #[test]
    fn localhost_means_both_families() {
        let endpoint = Endpoint::from_url("http://localhost:9", "/mcp").unwrap();
        assert!(endpoint.addresses().iter().any(SocketAddr::is_ipv4));
        assert!(endpoint.addresses().iter().any(SocketAddr::is_ipv6));
        assert!(endpoint.is_loopback());
    }

    #[test]
    fn what_is_no_endpoint_is_told_in_one_sentence() {
        let said = |url: &str| Endpoint::from_url(url, "/mcp").unwrap_err().to_string();
        assert!(said("https://example.org").contains("https:// is not supported yet"));
        assert!(said("localhost:8000").contains("not an http:// URL"));
        assert!(said("http://").contains("cannot be read"));
        assert!(said("http://me:s3cret@localhost").contains("--header-file"));
        for secret in ["http://me:s3cret@localhost", "https://localhost?key=s3cret", "http://?key=s3cret", "s3cret@x"] {
            assert!(!said(secret).contains("s3cret"), "{}", said(secret));
        }
    }

    #[test]
    fn the_values_of_a_query_are_secrets() {
        let endpoint = Endpoint::from_url("http://127.0.0.1/mcp?token=s3cret&x", "/mcp").unwrap();
        assert_eq!(endpoint.shown(), "http://127.0.0.1/mcp?token=redacted&x");
        assert!(endpoint.secrets().contains(&"s3cret".to_owned()));
        let encoded = Endpoint::from_url("http://127.0.0.1/mcp?token=s3%2Fcret", "/mcp").unwrap();
        assert_eq!(encoded.secrets(), ["s3/cret", "s3%2Fcret"]);
    }
}
