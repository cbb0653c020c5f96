//! As much of URLs (RFC 3986) as an endpoint on this machine and its redirects need.

use std::fmt;

/// An `http` URL, without its fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// `host:port`, which with the one scheme that there is makes the origin.
    origin: String,
    /// Path and query.
    target: String,
}

impl Url {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let scheme = text.get(..7)?;
        if !scheme.eq_ignore_ascii_case("http://") {
            return None;
        }
        let rest = text[7..].split('#').next()?;
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase();
        if authority.is_empty() {
            return None;
        }
        let has_port =
            authority.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let origin = if has_port { authority } else { format!("{authority}:80") };
        let slash = if target.starts_with('/') { "" } else { "/" };
        Some(Url { origin, target: format!("{slash}{target}") })
    }

    /// Where a `Location` leads from here.
    pub(super) fn join(&self, location: &str) -> Option<Self> {
        let location = location.split('#').next()?;
        if location.contains("://") {
            return Url::parse(location);
        }
        if let Some(elsewhere) = location.strip_prefix("//") {
            return Url::parse(&format!("http://{elsewhere}"));
        }
        let path = self.target.split('?').next().unwrap_or_default();
        let target = match location.as_bytes().first() {
            None => return None,
            Some(b'/') => location.to_owned(),
            Some(b'?') => format!("{path}{location}"),
            Some(_) => format!("{}/{location}", path.rsplit_once('/').map_or("", |(folder, _)| folder)),
        };
        Some(Url { origin: self.origin.clone(), target })
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) fn target(&self) -> &str {
        &self.target
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.origin, self.target)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://localhost/elsewhere", "http://localhost:80/elsewhere")]
    #[case("HTTP://127.0.0.1:8080", "http://127.0.0.1:8080/")]
    #[case("//127.0.0.1:8080?a", "http://127.0.0.1:8080/?a")]
    #[case("/moved?b#c", "http://127.0.0.1:80/moved?b")]
    #[case("moved", "http://127.0.0.1:80/a/moved")]
    #[case("?x", "http://127.0.0.1:80/a/mcp?x")]
    fn locations_are_relative_to_the_url(#[case] location: &str, #[case] leads_to: &str) {
        let url = Url::parse("http://127.0.0.1/a/mcp?q").unwrap();
        assert_eq!(url.join(location).unwrap().to_string(), leads_to);
    }

    #[test]
    fn only_http_is_spoken() {
        assert_eq!(Url::parse("https://127.0.0.1/mcp"), None);
        assert_eq!(Url::parse("http://"), None);
    }
}
