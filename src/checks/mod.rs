//! The checks: one file each, in the folder of its area. A new check is a new file and one word in the list.

/// Lists the checks of an area: declares their modules and fills the catalogue at once, so that a listed check
/// cannot be lost. A file that is not listed fails a test.
macro_rules! checks {
    ($($slug:ident),+ $(,)?) => {
        $(mod $slug;)+

        /// The checks of this area.
        pub(super) fn listed() -> Vec<crate::catalogue::Listed> {
            vec![$(crate::catalogue::Listed::new(
                module_path!(),
                stringify!($slug),
                include_str!(concat!(stringify!($slug), ".rs")),
                &$slug::CHECK,
            )),+]
        }
    };
}

mod cleanup;
mod client;
mod http;
mod isolation;
mod latency;
mod question;
mod rpc;
mod session;
mod sse;

#[cfg(test)]
mod live;
#[cfg(test)]
pub(crate) mod proofs;

use crate::catalogue::Listed;

/// The areas, in the order of the catalogue.
pub(crate) fn areas() -> Vec<Vec<Listed>> {
    let mut areas = vec![
        sse::listed(),
        http::listed(),
        rpc::listed(),
        session::listed(),
        isolation::listed(),
        cleanup::listed(),
        latency::listed(),
    ];
    areas.extend(client::areas());
    areas
}
