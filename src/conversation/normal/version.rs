//! Versions of implementations: a release that changes nothing on the wire changes no page.

use serde_json::Value;

/// Members that say who speaks.
const INFO: [&str; 4] =
    ["serverInfo", "clientInfo", "io.modelcontextprotocol/serverInfo", "io.modelcontextprotocol/clientInfo"];

/// Whether a member says who speaks.
pub fn is_info(name: &str) -> bool {
    INFO.contains(&name)
}

/// Who speaks, without the version.
pub fn of_info(mut info: Value) -> Value {
    if let Some(version) = info.get_mut("version").filter(|version| version.is_string()) {
        *version = "<version>".into();
    }
    info
}

/// `uvicorn/0.30.1` and the like, without versions (RFC 9110, section 10.1.5).
pub fn of_products(text: &str) -> String {
    let without = |product: &str| match product.split_once('/') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => format!("{name}/<version>"),
        _ => product.to_owned(),
    };
    text.split(' ').map(without).collect::<Vec<_>>().join(" ")
}
