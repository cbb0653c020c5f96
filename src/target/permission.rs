//! Who may be treated badly: load, soak and faults are for this machine, and for whom the command line names.
//!
//! A target that belongs to others is safe from mcpwire unless somebody writes its name out, in the same command.

use super::Endpoint;

/// The hosts that may be treated badly beside this machine, as `--allow-load` names them.
#[derive(Clone, Debug, Default)]
pub struct Permission {
    hosts: Vec<String>,
}

/// A target that nobody has allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} is meant for this machine, and {host} is another one: `--allow-load {host}` says that it may be treated so"
)]
pub struct NotAllowed {
    /// What would be done.
    pub what: &'static str,
    /// To whom.
    pub host: String,
}

impl Permission {
    /// Permission for these hosts.
    pub fn of(hosts: impl IntoIterator<Item = String>) -> Self {
        Self { hosts: hosts.into_iter().collect() }
    }

    /// Whether `what` (a noun phrase for the sentence) may be done to the target.
    ///
    /// # Errors
    ///
    /// Where the target is on another machine, and is not named.
    pub fn check(&self, what: &'static str, target: &Endpoint) -> Result<(), NotAllowed> {
        let host = target.host();
        let is_named = || self.hosts.iter().any(|named| without_brackets(named).eq_ignore_ascii_case(&host));
        match target.is_loopback() || is_named() {
            true => Ok(()),
            false => Err(NotAllowed { what, host }),
        }
    }
}

/// Hosts are named as in a URL, with the brackets of an IPv6 address or without them.
fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(named: &[&str], url: &str) -> Result<(), NotAllowed> {
        let endpoint = Endpoint::from_url(url, "/mcp").expect("a URL");
        Permission::of(named.iter().map(|host| (*host).to_owned())).check("a fault", &endpoint)
    }

    #[test]
    fn this_machine_needs_no_permission_and_another_one_its_own_name() {
        assert_eq!(check(&[], "http://127.0.0.1:9/mcp"), Ok(()));
        assert_eq!(check(&[], "http://[::1]:9/mcp"), Ok(()));
        assert_eq!(check(&["192.0.2.7"], "http://192.0.2.7:9/mcp"), Ok(()));
        assert_eq!(check(&["2001:db8::7"], "http://[2001:db8::7]:9/mcp"), Ok(()));
        assert_eq!(check(&["[2001:DB8::7]"], "http://[2001:db8::7]/mcp"), Ok(()));
        for named in [&[][..], &["192.0.2.8"], &["192.0.2"], &["192.0.2.7:9"], &["*"], &[""]] {
            let refused = check(named, "http://192.0.2.7:9/mcp").expect_err("another machine");
            assert!(refused.to_string().contains("`--allow-load 192.0.2.7`"), "{refused}");
        }
    }
}
