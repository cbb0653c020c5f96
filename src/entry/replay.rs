//! The command that runs this test again: what a failure in `cargo test` says beside the selection.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A command that repeats what the caller does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay(String);

impl Replay {
    /// The test of this name, or else this program, where the target is in it; what is outside, `mcpwire` itself can
    /// start again.
    pub fn of(test: Option<&str>, is_in_process: bool) -> Option<Self> {
        let program = env::current_exe().ok()?;
        let variable = |name: &str| env::var(name).ok();
        if test.is_some() || is_in_process {
            let repeated = Self::of_a_test(test, &program, variable);
            return repeated.or_else(|| is_in_process.then(Self::of_this_program));
        }
        None
    }

    fn of_this_program() -> Self {
        let program = env::args().next().unwrap_or_default();
        let more = if env::args().len() > 1 { " …" } else { "" };
        Self(format!("{}{more}", shell_words::quote(&program)))
    }

    /// The command line, up to the selection.
    pub fn command(self) -> String {
        self.0
    }

    /// Of a test whose name is not known, as in a thread that it has made, all that are in the program.
    fn of_a_test(name: Option<&str>, program: &Path, variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        // cargo builds tests as `target/…/deps/NAME-HASH`; a thread of another program may have a name as well.
        if program.parent()?.file_name()? != "deps" {
            return None;
        }
        let package = variable("CARGO_PKG_NAME").map(|package| format!(" -p {package}")).unwrap_or_default();
        let target = variable("CARGO_MANIFEST_DIR").and_then(|package| integration_test(program, Path::new(&package)));
        let target = target.map(|test| format!(" --test {test}")).unwrap_or_default();
        Some(Self(match (variable("NEXTEST"), name) {
            (Some(_), None) => format!("cargo nextest run{package}{target}"),
            (Some(_), Some(name)) => {
                let filter = format!("test(={name})");
                format!("cargo nextest run{package}{target} -E {}", shell_words::quote(&filter))
            }
            (None, None) => format!("cargo test{package}{target}"),
            (None, Some(name)) => format!("cargo test{package}{target} -- --exact {}", shell_words::quote(name)),
        }))
    }
}

/// The name of the integration test that this program is, where its source is where cargo looks for it.
fn integration_test(program: &Path, package: &Path) -> Option<String> {
    let (name, _) = program.file_stem()?.to_str()?.rsplit_once('-')?;
    let tests = package.join("tests");
    let is_there = tests.join(format!("{name}.rs")).is_file() || tests.join(name).join("main.rs").is_file();
    is_there.then(|| name.to_owned())
}

/// The name of the test that calls this, where it is one: libtest gives each test a thread with its name, and nextest
/// says it in the environment.
pub fn test_name() -> Option<String> {
    let thread = std::thread::current();
    // Other threads are those of a program, or of a runtime on which the test has spawned something.
    let is_a_test = |name: &&str| *name != "main" && !name.starts_with("tokio-");
    let of_thread = || thread.name().filter(is_a_test).map(str::to_owned);
    env::var("NEXTEST_TEST_NAME").ok().or_else(of_thread)
}

/// The name of a folder for the recording of this run: that of the test, and a number from the second run in it on.
pub fn folder_name(test: Option<&str>) -> String {
    static BEFORE: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let name: String = test.unwrap_or("run").chars().map(fits).collect();
    let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    let count = before.entry(name.clone()).or_default();
    *count += 1;
    match count {
        1 => name,
        count => format!("{name}-{count}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

    fn replay(name: &str, program: &str, variables: &[(&str, &str)]) -> Option<String> {
        let variable =
            |wanted: &str| variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned());
        let name = Some(name).filter(|name| !name.is_empty());
        Replay::of_a_test(name, Path::new(program), variable).map(Replay::command)
    }

    #[test]
    fn a_test_is_run_again_by_its_name() {
        let variables = [("CARGO_PKG_NAME", "mcpwire"), ("CARGO_MANIFEST_DIR", PACKAGE)];
        let of = |name: &str, program: &str| replay(name, program, &variables);
        let integration = "/t/debug/deps/in_process-0123456789abcdef";
        let expected = "cargo test -p mcpwire --test in_process -- --exact it_conforms";
        assert_eq!(of("it_conforms", integration).as_deref(), Some(expected));
        let folder = of("a::b", "/t/debug/deps/cli-0123456789abcdef");
        assert_eq!(folder.as_deref(), Some("cargo test -p mcpwire --test cli -- --exact a::b"));
        let unit = of("tests::it_conforms", "/t/debug/deps/mcpwire-0123456789abcdef");
        assert_eq!(unit.as_deref(), Some("cargo test -p mcpwire -- --exact tests::it_conforms"));
        assert_eq!(of("", integration).as_deref(), Some("cargo test -p mcpwire --test in_process"));
        assert_eq!(of("worker", "/t/debug/my-server"), None, "a program");
    }

    #[test]
    fn under_nextest_it_is_nextest_that_runs_it_again() {
        let variables = [("NEXTEST", "1"), ("CARGO_PKG_NAME", "mine")];
        let expected = "cargo nextest run -p mine -E 'test(=it::conforms)'";
        assert_eq!(replay("it::conforms", "/t/debug/deps/it-01", &variables).as_deref(), Some(expected));
    }

    #[test]
    fn this_very_test_is_known() {
        let Some(Replay(command)) = Replay::of(test_name().as_deref(), false) else { panic!("it is a test") };
        assert!(command.contains("entry::replay::tests::this_very_test_is_known"), "{command}");
    }

    #[test]
    fn two_runs_of_a_test_have_a_folder_each() {
        let folders = ["some::test", "some::test", "other"].map(|name| folder_name(Some(name)));
        assert_eq!(folders, ["some--test", "some--test-2", "other"]);
    }
}
