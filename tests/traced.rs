//! Beside a subscriber that is there already, such as that of `tracing-test`: it is left alone, and hears as before.

use axum::Router;
use axum::routing::post;
use mcpwire::{InProcess, Revision};
use tracing_test::traced_test;

#[traced_test]
#[tokio::test]
async fn a_subscriber_that_is_there_is_left_alone() {
    assert!(!mcpwire::capture_tracing());
    let app = Router::new().route("/mcp", post(async || tracing::info!("a call of this test")));
    let run = mcpwire::check(InProcess::service("a server", "/mcp", app)).revision(Revision::R20251125);
    let report = run.only("http/content-type").await.expect("it can be tested");
    assert!(!report.conforms());
    // What a handler logs has no span of the test around it, so that `logs_contain` would not find it; what is
    // logged here does.
    tracing::info!("the run is over");
    assert!(logs_contain("the run is over"));
    assert!(report.target_output.is_empty(), "{:?}", report.target_output);
}
